//! `terraform output -json`: which output holds which fact of which cluster.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::import::{DropReason, Dropped, Found, Import, RANK_OUTPUTS, Secrecy, listed};
use super::{KNOWN, is_fact};
use crate::diag::{Diagnostic, facts_rules as rules};
use crate::mesh::ClusterName;
use crate::spec::closest;

/// An output that would hold a fact, if it is there.
struct Wanted {
    fact: String,
    name: String,
    /// Keys to follow inside of its value.
    path: Vec<String>,
    rank: usize,
    is_mapped: bool,
}

impl Import<'_> {
    /// Takes a file: what `terraform output -json` prints, or a facts file. `name` is for messages.
    pub fn file(&mut self, name: &str, text: &str) {
        let fault = |message: String| Diagnostic::new(&rules::IMPORT, message).in_file(name);
        // the parser's messages name a place and never repeat the text
        let value: Value = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(value) => value,
            Err(error) => {
                let hint = "give it what `terraform output -json` prints";
                self.problem(fault(format!("this is no JSON: {error}")).hint(hint));
                return;
            }
        };
        let Value::Object(map) = value else {
            self.problem(fault("this is no JSON object".to_owned()));
            return;
        };
        if map.get("kind").and_then(Value::as_str) == Some("Facts") {
            self.facts_file(name, text);
            return;
        }
        if map.contains_key("terraform_version") || map.contains_key("format_version") {
            let message = "this is a state or a plan of Terraform, not its outputs".to_owned();
            self.problem(fault(message).hint("give it what `terraform output -json` prints"));
            return;
        }
        let is_output = |value: &Value| value.get("value").is_some();
        if map.is_empty() || !map.values().all(is_output) {
            let message = if map.is_empty() {
                "there are no outputs in it".to_owned()
            } else {
                "this is neither `terraform output -json` nor a facts file".to_owned()
            };
            let hint = "`terraform output -json` without a name prints all outputs of an applied \
                        configuration";
            self.problem(fault(message).hint(hint));
            return;
        }
        Reader::new(self).outputs(name, &map);
    }
}

struct Reader<'i, 'a> {
    import: &'i mut Import<'a>,
    wanted: Vec<Wanted>,
    /// Clusters by every way that their names are written in names of outputs.
    keys: BTreeMap<String, usize>,
    /// Outputs that do not say whose they are.
    unowned: BTreeSet<String>,
    /// Values that were taken from the output at hand.
    taken: usize,
}

impl<'i, 'a> Reader<'i, 'a> {
    fn new(import: &'i mut Import<'a>) -> Self {
        let names = import.clusters.iter().map(ClusterName::as_str).enumerate();
        // names of outputs have dashes, but most people write underscores
        let keys =
            names.flat_map(|(at, name)| [(name.to_owned(), at), (name.replace('-', "_"), at)]);
        Self {
            keys: keys.collect(),
            wanted: wanted(import.maps),
            import,
            unowned: BTreeSet::new(),
            taken: 0,
        }
    }

    fn outputs(&mut self, file: &str, outputs: &Map<String, Value>) {
        for (name, output) in outputs {
            let sensitive = output.get("sensitive").is_some_and(|mark| mark != &Value::Bool(false));
            let value = only(&output["value"]);
            self.taken = 0;
            let known =
                self.by_name(name, value, sensitive) || self.by_cluster(name, value, sensitive);
            if !known {
                self.drop(name, DropReason::NoFact, sensitive);
            } else if self.taken == 0 && !self.unowned.contains(name) {
                self.drop(name, DropReason::NoValue, sensitive);
            }
        }
        if !self.unowned.is_empty() {
            let names: Vec<String> = self.unowned.iter().map(|name| shown(name)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let message = format!("these outputs do not say whose they are: {}", listed(&names));
            self.import.problem(
                Diagnostic::new(&rules::IMPORT, message)
                    .in_file(file)
                    .hint("say it with `--cluster NAME`"),
            );
        }
        self.idle_maps(file, outputs);
    }

    /// `int_lb_nsg_id`, `c1_int_lb_nsg_id`, `int_lb_nsg_id_c1`; the first also as a map by cluster.
    fn by_name(&mut self, name: &str, value: &Value, sensitive: bool) -> bool {
        let mut known = false;
        for at in 0..self.wanted.len() {
            let rest = split(name, &self.wanted[at].name);
            match rest {
                Some("") => {
                    known = true;
                    self.whole(at, name, value, sensitive);
                }
                Some(key) => {
                    if let Some(cluster) = self.keys.get(key).copied() {
                        known = true;
                        self.take(at, cluster, value, name, sensitive);
                    }
                }
                None => {}
            }
        }
        known
    }

    fn whole(&mut self, at: usize, name: &str, value: &Value, sensitive: bool) {
        let by_cluster =
            value.as_object().filter(|map| map.keys().any(|k| self.keys.contains_key(k)));
        let Some(map) = by_cluster else {
            match self.import.owner() {
                Some(owner) => self.take(at, owner, value, name, sensitive),
                None if follow(value, &self.wanted[at].path).is_some() => {
                    self.unowned.insert(name.to_owned());
                }
                None => {}
            }
            return;
        };
        for (key, value) in map {
            let part = format!("{name}.{key}");
            match self.keys.get(key).copied() {
                Some(cluster) => self.take(at, cluster, value, &part, sensitive),
                None => self.drop_part(name, key, DropReason::NoCluster, sensitive),
            }
        }
    }

    /// `c1: {cluster_id: …}` and `clusters: {c1: {cluster_id: …}}`.
    fn by_cluster(&mut self, name: &str, value: &Value, sensitive: bool) -> bool {
        let Some(map) = value.as_object() else { return false };
        if let Some(cluster) = self.keys.get(name).copied() {
            return self.attributes(cluster, name, map, sensitive);
        }
        if name != "clusters" {
            return false;
        }
        let mut known = false;
        for (key, value) in map {
            match (self.keys.get(key).copied(), only(value).as_object()) {
                (Some(cluster), Some(map)) => {
                    known |= self.attributes(cluster, &format!("{name}.{key}"), map, sensitive);
                }
                _ => self.drop_part(name, key, DropReason::NoCluster, sensitive),
            }
        }
        known
    }

    fn attributes(
        &mut self,
        cluster: usize,
        name: &str,
        map: &Map<String, Value>,
        sensitive: bool,
    ) -> bool {
        let mut known = false;
        for (key, value) in map {
            let wanted: Vec<usize> =
                (0..self.wanted.len()).filter(|at| self.wanted[*at].name == *key).collect();
            if wanted.is_empty() {
                self.drop_part(name, key, DropReason::NoFact, sensitive);
            }
            for at in wanted {
                known = true;
                self.take(at, cluster, value, &format!("{name}.{key}"), sensitive);
            }
        }
        known
    }

    fn take(&mut self, at: usize, cluster: usize, value: &Value, from: &str, sensitive: bool) {
        let wanted = &self.wanted[at];
        if self.import.only.is_some_and(|only| only != cluster) {
            self.taken += 1;
            self.drop(from, DropReason::OtherCluster, sensitive);
            return;
        }
        let Some(value) = follow(value, &wanted.path) else { return };
        let from = [shown(from)].into_iter().chain(wanted.path.iter().map(|key| shown(key)));
        let from = from.collect::<Vec<_>>().join(".");
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => {
                let message =
                    format!("`{from}` is {}, but `{}` is a string", what(other), wanted.fact);
                let hint =
                    format!("name the part that holds it: `--map {}={from}.KEY`", wanted.fact);
                self.taken += 1;
                self.import.problem(Diagnostic::new(&rules::IMPORT, message).hint(hint));
                return;
            }
        };
        self.taken += 1;
        let secrecy = match (sensitive, wanted.is_mapped) {
            (false, _) => Secrecy::Open,
            (true, false) => Secrecy::Sensitive,
            (true, true) => Secrecy::SensitiveMapped,
        };
        // the OKE module gives the bare host of a private API server, which listens on 6443
        let text = if wanted.name == "apiserver_private_host" && !text.contains(':') {
            format!("{text}:6443")
        } else {
            text
        };
        let (fact, rank) = (wanted.fact.clone(), wanted.rank);
        self.import.found.push(Found { cluster, fact, rank, from, secrecy, text });
    }

    fn drop(&mut self, name: &str, reason: DropReason, sensitive: bool) {
        self.import.dropped.push(Dropped { name: shown(name), reason, sensitive });
    }

    /// Keys inside of a sensitive output are part of its value: they are not named.
    fn drop_part(&mut self, name: &str, key: &str, reason: DropReason, sensitive: bool) {
        let name = if sensitive { format!("{name}.*") } else { format!("{name}.{key}") };
        self.drop(&name, reason, sensitive);
    }

    /// `--map` that found nothing: a typing error.
    fn idle_maps(&mut self, file: &str, outputs: &Map<String, Value>) {
        for (fact, output) in self.import.maps {
            let first = output.split('.').next().unwrap_or_default();
            let owned = |name: &str| {
                split(name, first).is_some_and(|k| k.is_empty() || self.keys.contains_key(k))
            };
            let inside = |value: &Value| {
                only(&value["value"]).as_object().is_some_and(|map| {
                    map.contains_key(first)
                        || map.values().any(|value| only(value).get(first).is_some())
                })
            };
            if outputs.iter().any(|(name, value)| owned(name) || inside(value)) {
                continue;
            }
            let names: Vec<&str> = outputs.keys().map(String::as_str).collect();
            let message = format!("`--map {fact}={output}`: there is no output `{first}`");
            let mut problem = Diagnostic::new(&rules::IMPORT, message).in_file(file);
            if let Some(close) = closest(first, &names) {
                problem = problem.hint(format!("did you mean `{}`?", shown(close)));
            }
            self.import.problems.push(problem);
        }
    }
}

fn wanted(maps: &[(String, String)]) -> Vec<Wanted> {
    let own = maps
        .iter()
        .filter(|(fact, _)| is_fact(fact))
        .map(|(fact, output)| (fact.as_str(), output.as_str(), true));
    let known = KNOWN
        .iter()
        .flat_map(|known| known.outputs.iter().map(|output| (known.name, *output, false)));
    own.chain(known)
        .enumerate()
        .map(|(at, (fact, output, is_mapped))| {
            let mut parts = output.split('.').map(str::to_owned);
            Wanted {
                fact: fact.to_owned(),
                name: parts.next().unwrap_or_default(),
                path: parts.collect(),
                rank: RANK_OUTPUTS + at,
                is_mapped,
            }
        })
        .collect()
}

/// What is left of an output's name besides `wanted`: `c1` of `c1_int_lb_nsg_id` and of
/// `int_lb_nsg_id_c1`, nothing of the name itself.
fn split<'n>(name: &'n str, wanted: &str) -> Option<&'n str> {
    if name == wanted {
        return Some("");
    }
    let front = name.strip_suffix(wanted).and_then(|rest| rest.strip_suffix(['_', '-']));
    let back = || name.strip_prefix(wanted).and_then(|rest| rest.strip_prefix(['_', '-']));
    front.or_else(back).filter(|key| !key.is_empty())
}

/// The one element of a list of one, as Terraform's `[*]` makes them.
fn only(value: &Value) -> &Value {
    match value {
        Value::Array(items) if items.len() == 1 => only(&items[0]),
        Value::Array(items) if items.is_empty() => &Value::Null,
        other => other,
    }
}

/// The value under a path of keys; nothing where it is null or empty.
fn follow<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    let mut value = only(value);
    for key in path {
        value = only(value.get(key)?);
    }
    // the OKE module writes `none` for a CA that it does not have
    let empty =
        value.is_null() || value.as_str().is_some_and(|text| ["", "none"].contains(&text.trim()));
    (!empty).then_some(value)
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "a mapping",
        Value::Array(_) => "a list",
        _ => "no string",
    }
}

/// A name as it may be printed: nobody promises that it is Terraform's.
fn shown(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.*".contains(c);
    if name.len() <= 128 && name.chars().all(plain) {
        return name.to_owned();
    }
    name.chars().take(64).flat_map(char::escape_default).collect()
}
