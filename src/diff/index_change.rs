//! What two indexes say differently, beyond the files' digests.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{ArtifactRow, Binding, ClusterRow, Index, PendingRow, Targets};

/// A fact of the index that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexChange {
    /// What it is about: `mesh`, `cluster c1`, a path.
    pub subject: String,
    /// Which fact: `context`, `stage`, `needs`.
    pub field: &'static str,
    /// What it was; nothing where it is new.
    pub old: Option<String>,
    /// What it is; nothing where it is gone.
    pub new: Option<String>,
}

impl IndexChange {
    fn new(
        subject: impl Into<String>,
        field: &'static str,
        old: Option<String>,
        new: Option<String>,
    ) -> Option<Self> {
        (old != new).then(|| Self { subject: subject.into(), field, old, new })
    }

    /// The fact in one line, without its subject.
    pub fn sentence(&self) -> String {
        let field = self.field;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => format!("{field}: {old} → {new}"),
            (None, Some(new)) => format!("{field}: {new} (new)"),
            (Some(old), None) => format!("{field}: {old} (gone)"),
            (None, None) => field.to_owned(),
        }
    }
}

/// What differs in the head of the index: mesh, clusters, examples, pending.
pub(super) fn of_head(old: &Index, new: &Index) -> Vec<IndexChange> {
    let mut found = Vec::new();
    let mesh = IndexChange::new("mesh", "name", Some(old.mesh.clone()), Some(new.mesh.clone()));
    found.extend(mesh);
    clusters(&mut found, &old.clusters, &new.clusters);
    let before: BTreeSet<&String> = old.examples.iter().collect();
    let after: BTreeSet<&String> = new.examples.iter().collect();
    let word = |set: &BTreeSet<&String>, name| {
        Some(if set.contains(name) { "made up" } else { "real" }.to_owned())
    };
    for name in before.union(&after) {
        let exists = |index: &Index| index.clusters.iter().any(|row| row.name == **name);
        if exists(old) && exists(new) {
            let (old, new) = (word(&before, *name), word(&after, *name));
            found.extend(IndexChange::new(format!("cluster {name}"), "facts", old, new));
        }
    }
    pending(&mut found, &old.pending, &new.pending);
    found
}

fn clusters(found: &mut Vec<IndexChange>, old: &[ClusterRow], new: &[ClusterRow]) {
    let before: BTreeMap<&str, &ClusterRow> =
        old.iter().map(|row| (row.name.as_str(), row)).collect();
    let after: BTreeMap<&str, &ClusterRow> =
        new.iter().map(|row| (row.name.as_str(), row)).collect();
    let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    for name in names {
        let subject = format!("cluster {name}");
        let describe =
            |row: &ClusterRow| format!("network {}, context {}", row.network, row.context);
        match (before.get(name), after.get(name)) {
            (Some(old), Some(new)) => {
                let mut fact = |field, old: Option<String>, new: Option<String>| {
                    found.extend(IndexChange::new(&*subject, field, old, new));
                };
                fact("network", Some(old.network.clone()), Some(new.network.clone()));
                fact("context", Some(old.context.clone()), Some(new.context.clone()));
                fact("uid", old.uid.clone(), new.uid.clone());
            }
            (old, new) => found.extend(IndexChange::new(
                subject,
                "cluster",
                old.map(|row| describe(row)),
                new.map(|row| describe(row)),
            )),
        }
    }
}

fn pending(found: &mut Vec<IndexChange>, old: &[PendingRow], new: &[PendingRow]) {
    let needs = |rows: &[PendingRow]| -> BTreeMap<String, String> {
        rows.iter().map(|row| (row.path.to_string(), row.needs.join(", "))).collect()
    };
    let (before, after) = (needs(old), needs(new));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for path in paths {
        let (old, new) = (before.get(path).cloned(), after.get(path).cloned());
        found.extend(IndexChange::new(path, "waits for", old, new));
    }
}

/// What the index says differently of a file that both trees have.
///
/// Targets are named only where the same clusters are meant; more or fewer clusters are objects
/// that come or go there.
pub(super) fn of_rows(
    old: &ArtifactRow,
    new: &ArtifactRow,
    same_clusters: bool,
) -> Vec<IndexChange> {
    let subject = new.path.as_str();
    let list = |items: &[String]| (!items.is_empty()).then(|| items.join(", "));
    let binds = |items: &[Binding]| {
        let lines: Vec<String> = items.iter().map(bind).collect();
        list(&lines)
    };
    let mut found = Vec::new();
    let mut fact = |field, old: Option<String>, new: Option<String>| {
        found.extend(IndexChange::new(subject, field, old, new));
    };
    fact("stage", old.stage.clone(), new.stage.clone());
    if old.stage == new.stage {
        fact("path", Some(old.path.to_string()), Some(new.path.to_string()));
    }
    if same_clusters {
        let targets = |row: &ArtifactRow| row.targets.as_ref().map(describe);
        fact("targets", targets(old), targets(new));
    }
    fact("sealed", list(&old.sealed), list(&new.sealed));
    fact("bindings", binds(&old.bindings), binds(&new.bindings));
    fact("handover", list(&old.handover), list(&new.handover));
    let version = |row: &ArtifactRow| row.object.as_ref().map(|object| object.api_version.clone());
    if old.digest == new.digest {
        fact("apiVersion", version(old), version(new));
    }
    found
}

fn bind(binding: &Binding) -> String {
    let from = &binding.from;
    format!(
        "{} ← {} of {} in {} (placeholder {})",
        binding.field, from.key, from.secret, from.cluster, binding.placeholder
    )
}

fn describe(targets: &Targets) -> String {
    match targets {
        Targets::Only(names) => names.join(", "),
        Targets::AllBut(except) if except.except.is_empty() => "every cluster".to_owned(),
        Targets::AllBut(except) => format!("every cluster but {}", except.except.join(", ")),
    }
}
