//! An import: values from outside become the facts files of clusters.
//!
//! Nothing is written before everything is understood, and no value of what is not kept is ever
//! repeated, in a message or elsewhere: Terraform's outputs hold kubeconfigs, passwords and keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::value::{self, Refusal};
use super::{Facts, KNOWN, is_fact};
use crate::diag::{Diagnostic, Diagnostics, Severity, Sources, facts_rules as rules};
use crate::file::{Disk, FileError, FileKind};
use crate::inputs::{MAX_INPUT, ReadFault, read};
use crate::mesh::ClusterName;
use crate::spec::closest;

/// The folder of facts files.
const FOLDER: &str = "facts";

/// What is imported and for whom, before it is known whether all of it can be used.
#[derive(Debug)]
pub struct Import<'a> {
    /// All clusters of the mesh.
    pub(super) clusters: &'a [ClusterName],
    /// The one whose facts these are, where the user said so.
    pub(super) only: Option<usize>,
    /// Outputs of other modules, by the fact that each holds.
    pub(super) maps: &'a [(String, String)],
    pub(super) found: Vec<Found>,
    pub(super) dropped: Vec<Dropped>,
    pub(super) problems: Diagnostics,
}

/// A value that was found for a fact.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub cluster: usize,
    pub fact: String,
    /// Smaller is better where several are found.
    pub rank: usize,
    /// Where it was found: an output's name, a flag.
    pub from: String,
    pub secrecy: Secrecy,
    pub text: String,
}

/// Whether a value may be shown, and taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrecy {
    /// It may be shown.
    Open,
    /// Terraform marks it sensitive, but it is one of the documented outputs: taken, never shown.
    Sensitive,
    /// Terraform marks it sensitive, and only `--map` names it: taken where its form shows that it is
    /// no secret.
    SensitiveMapped,
}

/// An output that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dropped {
    /// Its name, fit for a terminal; never a value.
    pub name: String,
    /// Why.
    pub reason: DropReason,
    /// Whether Terraform marks it sensitive.
    pub sensitive: bool,
}

/// Why an output was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// No fact is known to be in an output of this name.
    NoFact,
    /// It belongs to no cluster of the mesh.
    NoCluster,
    /// It belongs to another cluster than the one that was asked for.
    OtherCluster,
    /// It is null or empty.
    NoValue,
}

impl DropReason {
    /// Returns the reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            DropReason::NoFact => "no fact has this name",
            DropReason::NoCluster => "no cluster of mesh.yaml has this name",
            DropReason::OtherCluster => "belongs to another cluster",
            DropReason::NoValue => "has no value",
        }
    }
}

/// Ranks of values: a flag of its own, `--map` and outputs in their order, a kubeconfig.
pub(super) const RANK_SERVER: usize = 0;
pub(super) const RANK_OUTPUTS: usize = 1;
pub(super) const RANK_KUBECONFIG: usize = 1 << 30;

/// What an import makes of one cluster's facts.
#[derive(Debug, Clone)]
pub struct Change {
    /// The cluster.
    pub cluster: String,
    /// Its file, relative to the project.
    pub path: String,
    /// What the file will hold.
    pub text: String,
    /// Whether that differs from what it holds now.
    pub differs: bool,
    /// The facts that were found.
    pub facts: Vec<FactChange>,
    /// Example values that go away without another in their place.
    pub dropped_examples: Vec<String>,
    /// The file had not the shape of a facts file; nothing of it stays.
    pub was_malformed: bool,
}

/// One fact that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactChange {
    /// Its name.
    pub name: String,
    /// Where it was found.
    pub from: String,
    /// What it was before, fit to be shown.
    pub old: Option<String>,
    /// What it is now, fit to be shown.
    pub new: String,
    /// Whether it is another than before.
    pub differs: bool,
}

/// All that an import would do.
#[derive(Debug)]
pub struct Plan {
    /// By cluster, in the order of the mesh; only clusters for which something was found.
    pub changes: Vec<Change>,
    /// What was not taken.
    pub dropped: Vec<Dropped>,
    /// What is worth reading.
    pub warnings: Diagnostics,
}

impl<'a> Import<'a> {
    /// Starts an import for a mesh of these clusters.
    ///
    /// `only` is the cluster whose facts these are (`--cluster`); `maps` are pairs of a fact and the
    /// output that holds it (`--map`).
    pub fn new(
        clusters: &'a [ClusterName],
        only: Option<&str>,
        maps: &'a [(String, String)],
    ) -> Self {
        let mut import = Self {
            clusters,
            only: None,
            maps,
            found: Vec::new(),
            dropped: Vec::new(),
            problems: Diagnostics::new(),
        };
        import.only = only.and_then(|name| import.cluster(name, "--cluster"));
        for (fact, _) in maps.iter().filter(|(fact, _)| !is_fact(fact)) {
            let known: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
            let message = format!("`--map`: there is no fact `{fact}`");
            let hint = match closest(fact, &known) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("there are {} and `other.NAME`", known.join(", ")),
            };
            import.problem(Diagnostic::new(&rules::IMPORT, message).hint(hint));
        }
        import
    }

    pub(super) fn problem(&mut self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic);
    }

    /// The index of a cluster that a flag names; a problem where there is none.
    pub(super) fn cluster(&mut self, name: &str, flag: &str) -> Option<usize> {
        let found = self.clusters.iter().position(|cluster| cluster.as_str() == name);
        if found.is_none() {
            let names: Vec<&str> = self.clusters.iter().map(ClusterName::as_str).collect();
            let message = format!("`{flag}`: there is no cluster `{name}` in mesh.yaml");
            let hint = match closest(name, &names) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("there are {}", listed(&names)),
            };
            self.problem(Diagnostic::new(&rules::IMPORT, message).hint(hint));
        }
        found
    }

    /// Whose an output is that names no cluster: of the one that was asked for, or of the only one.
    pub(super) fn owner(&self) -> Option<usize> {
        self.only.or((self.clusters.len() == 1).then_some(0))
    }

    /// Takes the address by which peers reach an API server.
    pub fn server(&mut self, cluster: &str, url: &str) {
        let Some(index) = self.cluster(cluster, "--server") else { return };
        let twice = self.found.iter().any(|f| f.cluster == index && f.rank == RANK_SERVER);
        if twice {
            let message = format!("`--server` names `{cluster}` twice");
            self.problem(Diagnostic::new(&rules::IMPORT, message));
            return;
        }
        self.found.push(Found {
            cluster: index,
            fact: "server".to_owned(),
            rank: RANK_SERVER,
            from: "--server".to_owned(),
            secrecy: Secrecy::Open,
            text: url.to_owned(),
        });
    }

    /// Takes the identity of a live cluster.
    pub fn uid(&mut self, cluster: &str, uid: &str) {
        let Some(index) = self.cluster(cluster, "facts pin") else { return };
        self.found.push(Found {
            cluster: index,
            fact: "uid".to_owned(),
            rank: RANK_SERVER,
            from: "the cluster".to_owned(),
            secrecy: Secrecy::Open,
            text: uid.to_owned(),
        });
    }

    /// Takes a facts file of meshgen, `name` being its path.
    pub(super) fn facts_file(&mut self, name: &str, text: &str) {
        let (mut sources, mut faults) = (Sources::new(), Diagnostics::new());
        let Some(facts) = Facts::parse(name, text, &mut sources, &mut faults) else {
            for mut fault in faults {
                // the line would be drawn, with a value that may be anything
                fault.labels.clear();
                fault.hints.clear();
                self.problem(fault.in_file(name));
            }
            return;
        };
        if facts.example {
            let message = "these facts are marked as an example: their values are made up";
            self.problem(
                Diagnostic::new(&rules::IMPORT, message)
                    .in_file(name)
                    .hint("put in real values and take `example` out"),
            );
            return;
        }
        let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let by_name = self.clusters.iter().position(|cluster| cluster.as_str() == stem);
        let Some(cluster) = self.only.or(by_name).or(self.owner()) else {
            let message = "it is not clear whose facts these are";
            self.problem(
                Diagnostic::new(&rules::IMPORT, message)
                    .in_file(name)
                    .hint("say it with `--cluster NAME`, or name the file <cluster>.json"),
            );
            return;
        };
        for (fact, text) in facts.values {
            self.found.push(Found {
                cluster,
                fact,
                rank: RANK_OUTPUTS,
                from: name.to_owned(),
                secrecy: Secrecy::Open,
                text,
            });
        }
    }

    /// Judges everything that was found, and lays it over what is there.
    ///
    /// Returns all problems at once, or what there is to write. Reads the facts files that are
    /// there; writes nothing.
    pub fn plan(mut self, disk: &Disk, project: &Path) -> Result<Plan, Diagnostics> {
        let accepted = self.accept();
        let mut changes = Vec::new();
        for (cluster, facts) in accepted {
            match change(disk, project, self.clusters[cluster].as_str(), facts) {
                Ok(change) => changes.push(change),
                Err(problem) => self.problem(*problem),
            }
        }
        if self.problems.has_errors() {
            self.problems.sort();
            return Err(self.problems);
        }
        self.dropped.sort();
        self.dropped.dedup();
        Ok(Plan { changes, dropped: self.dropped, warnings: self.problems })
    }

    /// The best value of each fact, in its canonical form.
    fn accept(&mut self) -> BTreeMap<usize, Vec<Accepted>> {
        let mut best: BTreeMap<(usize, String), Vec<Found>> = BTreeMap::new();
        for found in std::mem::take(&mut self.found) {
            let rivals = best.entry((found.cluster, found.fact.clone())).or_default();
            match rivals.first().map(|first| first.rank.cmp(&found.rank)) {
                Some(std::cmp::Ordering::Less) => {}
                Some(std::cmp::Ordering::Equal) => rivals.push(found),
                _ => *rivals = vec![found],
            }
        }
        let mut accepted: BTreeMap<usize, Vec<Accepted>> = BTreeMap::new();
        for ((cluster, _), rivals) in best {
            if let Some(fact) = self.judge(self.clusters[cluster].as_str(), rivals) {
                accepted.entry(cluster).or_default().push(fact);
            }
        }
        accepted
    }

    fn judge(&mut self, cluster: &str, rivals: Vec<Found>) -> Option<Accepted> {
        let values: BTreeSet<&str> = rivals.iter().map(|rival| rival.text.as_str()).collect();
        let contested = values.len() > 1;
        let names: Vec<&str> = rivals.iter().map(|rival| rival.from.as_str()).collect();
        let names = listed(&names);
        let found = rivals.into_iter().next()?;
        let Found { fact, from, secrecy, text, .. } = found;
        if contested {
            let message = format!("`{fact}` of `{cluster}` has different values in {names}");
            self.problem(
                Diagnostic::new(&rules::IMPORT, message)
                    .hint(format!("say which: `--map {fact}=OUTPUT`"))
                    .of_cluster(cluster),
            );
            return None;
        }
        let has_form = ["certificateAuthority", "server"].contains(&fact.as_str());
        let judged = if secrecy == Secrecy::SensitiveMapped && !has_form {
            Err(Refusal::Sensitive)
        } else {
            value::canonical(&fact, &text)
        };
        match judged {
            Ok(value) => {
                self.warn_of_loopback(cluster, &fact, &from, &value);
                Some(Accepted { name: fact, from, value, shown: secrecy == Secrecy::Open })
            }
            Err(refusal) => {
                let message = format!("`{fact}` of `{cluster}` from `{from}`: {refusal}");
                let mut problem = Diagnostic::new(refusal.rule(), message).of_cluster(cluster);
                problem.hints.extend(refusal.hint().map(str::to_owned));
                self.problem(problem);
                None
            }
        }
    }

    /// A loopback address is only a warning here: `check` refuses it, unless mesh.yaml allows it.
    fn warn_of_loopback(&mut self, cluster: &str, fact: &str, from: &str, value: &str) {
        if fact != "server" || super::check_server(value) != Err(super::ServerFault::Loopback) {
            return;
        }
        let message =
            format!("peers cannot reach the API server of `{cluster}` at the address of `{from}`");
        let mut warning =
            Diagnostic::new(&rules::LOOPBACK, message).of_cluster(cluster).hint(format!(
                "set the private endpoint: `meshgen facts import --server {cluster}=https://…`"
            ));
        warning.severity = Severity::Warning;
        self.problem(warning);
    }
}

/// A fact in its canonical form.
struct Accepted {
    name: String,
    from: String,
    value: String,
    shown: bool,
}

/// Lays accepted facts over those that a cluster has.
fn change(
    disk: &Disk,
    project: &Path,
    cluster: &str,
    accepted: Vec<Accepted>,
) -> Result<Change, Box<Diagnostic>> {
    let path = format!("{FOLDER}/{cluster}.json");
    let (old_text, old) = current(disk, project, &path)?;
    let was_malformed = old_text.is_some() && old.is_none();
    let old = old.unwrap_or_default();
    let mut new = if old.example { Facts::default() } else { old.clone() };
    new.example = false;
    let mut facts = Vec::new();
    for Accepted { name, from, value, shown } in accepted {
        let before = old.get(&name);
        let show = |text: &str| {
            if shown { value::shown(&name, text) } else { "(sensitive)".to_owned() }
        };
        facts.push(FactChange {
            old: before.map(show),
            new: show(&value),
            differs: before != Some(value.as_str()),
            from,
            name: name.clone(),
        });
        new.values.insert(name, value);
    }
    let dropped_examples = if old.example {
        old.values.keys().filter(|name| new.get(name).is_none()).cloned().collect()
    } else {
        Vec::new()
    };
    let text = new.to_text();
    let differs = old_text.as_deref() != Some(text.as_str());
    let cluster = cluster.to_owned();
    Ok(Change { cluster, path, text, differs, facts, dropped_examples, was_malformed })
}

/// The facts file that is there: its text, and what it says if it has the shape.
fn current(
    disk: &Disk,
    project: &Path,
    path: &str,
) -> Result<(Option<String>, Option<Facts>), Box<Diagnostic>> {
    match read(disk, project, path, MAX_INPUT) {
        Ok(text) => {
            let facts = Facts::parse(path, &text, &mut Sources::new(), &mut Diagnostics::new());
            Ok((Some(text), facts))
        }
        Err(ReadFault::NotUtf8) => Ok((Some(String::new()), None)),
        Err(ReadFault::File(error)) if error.is_not_found() => Ok((None, None)),
        Err(ReadFault::File(error)) => {
            Err(Box::new(Diagnostic::new(&rules::IMPORT, error.to_string()).in_file(path)))
        }
    }
}

/// Writes the files that differ, each in one instant.
///
/// Returns the paths that were written; with the error, those that were written before it.
pub fn write(
    disk: &Disk,
    project: &Path,
    changes: &[Change],
) -> Result<Vec<String>, (Vec<String>, FileError)> {
    let mut written = Vec::new();
    let changes: Vec<&Change> = changes.iter().filter(|change| change.differs).collect();
    if changes.is_empty() {
        return Ok(written);
    }
    let folder = project.join(FOLDER);
    match disk.stat(&folder) {
        Ok(Some(stat)) if stat.kind != FileKind::Folder => {
            let error = FileError::NotAFile { path: folder, what: stat.kind.describe() };
            return Err((written, error));
        }
        Ok(_) => {}
        Err(error) => return Err((written, error)),
    }
    if let Err(error) = disk.create_dir_all(&folder) {
        return Err((written, error));
    }
    for change in changes {
        if let Err(error) = disk.replace(&project.join(&change.path), change.text.as_bytes()) {
            return Err((written, error));
        }
        written.push(change.path.clone());
    }
    Ok(written)
}

/// `` `a`, `b` and 7 more ``.
pub(super) fn listed(names: &[&str]) -> String {
    const MOST: usize = 12;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let rest = names.len().saturating_sub(MOST);
    let shown = shown.join(", ");
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}
