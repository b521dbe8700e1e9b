//! Trees in memory, for comparisons.

use std::collections::BTreeMap;

use meshgen::diff::{Changes, Side, TextOptions, diff, to_text};
use meshgen::object::Identity;
use meshgen::store::Digest;
use meshgen::tree::{ArtifactRow, ClusterRow, Except, Index, PendingRow, Targets, TreePath};
use meshgen::yaml::{self, Schema};

/// A tree that is built a file at a time.
#[derive(Clone)]
pub struct Tree {
    pub index: Index,
    pub files: BTreeMap<TreePath, Vec<u8>>,
}

impl Tree {
    /// A tree of these clusters, each on a network of its own name.
    pub fn new(clusters: &[&str]) -> Self {
        let row = |name: &&str| ClusterRow {
            name: (*name).to_owned(),
            network: (*name).to_owned(),
            context: (*name).to_owned(),
            uid: None,
        };
        let index = Index {
            mesh: "test".to_owned(),
            clusters: clusters.iter().map(row).collect(),
            examples: Vec::new(),
            pending: Vec::new(),
            artifacts: Vec::new(),
        };
        Self { index, files: BTreeMap::new() }
    }

    /// A file that is not sent.
    pub fn file(mut self, path: &str, text: &str) -> Self {
        let path: TreePath = path.parse().expect("a path");
        self.index.artifacts.push(ArtifactRow {
            path: path.clone(),
            digest: Digest::of(text),
            stage: None,
            targets: None,
            object: None,
            sealed: Vec::new(),
            bindings: Vec::new(),
            handover: Vec::new(),
        });
        self.files.insert(path, text.as_bytes().to_vec());
        self
    }

    /// An object at `<cluster>/<stage>/<file>`, which goes to that cluster, or at
    /// `remote-secrets/<cluster>.yaml`, which goes to all others.
    pub fn object(self, path: &str, text: &str) -> Self {
        let value = yaml::document(text, Schema::Go).expect("YAML");
        let object = Identity::of(&value).expect("an object");
        let (first, rest) = path.split_once('/').expect("a path in a folder");
        let (stage, targets) = if first == "remote-secrets" {
            let except = vec![rest.trim_end_matches(".yaml").to_owned()];
            ("60-remote-secrets", Targets::AllBut(Except { except }))
        } else {
            (rest.split('/').next().expect("a stage"), Targets::Only(vec![first.to_owned()]))
        };
        self.file(path, text).row(|row| {
            row.stage = Some(stage.to_owned());
            row.targets = Some(targets);
            row.object = Some(object);
        })
    }

    /// Changes the row of the file that was added last.
    pub fn row(mut self, change: impl FnOnce(&mut ArtifactRow)) -> Self {
        change(self.index.artifacts.last_mut().expect("a file was added"));
        self
    }

    /// A file that waits.
    pub fn pending(mut self, path: &str, needs: &str) -> Self {
        self.index.pending.push(PendingRow {
            path: path.parse().expect("a path"),
            needs: vec![needs.to_owned()],
            stage: None,
            targets: None,
            object: None,
        });
        self
    }

    pub fn side(&self, label: &str) -> Side<'static> {
        Side::in_memory(label, self.index.clone(), self.files.clone())
    }
}

/// What differs.
pub fn changes(old: &Tree, new: &Tree) -> Changes {
    diff(&old.side("old"), &new.side("new")).expect("comparable trees")
}

/// What differs as text, without the line that names the trees.
pub fn text(old: &Tree, new: &Tree) -> String {
    let text = to_text(&changes(old, new), TextOptions::default());
    text.split_once('\n').expect("a first line").1.to_owned()
}

/// The details alone: what follows the summary.
pub fn details(old: &Tree, new: &Tree) -> String {
    let text = text(old, new);
    let starts = |line: &str| line.starts_with(['+', '-', '~', '=', '?']);
    let lines = text.lines().skip_while(|line| !starts(line));
    lines.map(|line| format!("{line}\n")).collect::<String>().trim_end().to_owned()
}

/// The details of one object in one cluster that changed.
pub fn object_details(old: &str, new: &str) -> String {
    let tree = |text| Tree::new(&["c1"]).object("c1/30-x/x.yaml", text);
    details(&tree(old), &tree(new))
}
