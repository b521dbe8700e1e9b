//! From texts to a [`Spec`]: what the user wrote, typed, with the place of every setting.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::merge::merge;
use super::model::{ClusterEntry, MeshFile, Pki, Settings, Terraform};
use super::profile::{Profile, Profiles};
use super::shape;
use crate::diag::{Diagnostic, Diagnostics, SourceId, Sources, Span, input_rules as rules};
use crate::yaml::{self, Node, ReadError, Schema, Step};

/// Keys of a cluster that are its own, and no settings.
const OWN_KEYS: [&str; 9] =
    ["region", "network", "vcn", "pods", "services", "enabled", "context", "profile", "pki"];

/// What the user wrote, with profiles applied and every setting's place at hand.
#[derive(Debug)]
pub struct Spec {
    /// The mesh file itself.
    pub file: MeshFile,
    /// The clusters in the order of the file.
    pub clusters: Vec<SpecCluster>,
    /// The settings of the mesh, before clusters change them.
    pub settings: Arc<Settings>,
    /// `terraform`, with the mesh's profile below it.
    pub terraform: Terraform,
    /// `pki`, with the mesh's profile below it.
    pub pki: Pki,
    /// The profiles that were read, by their place in a cluster's layers.
    pub profiles: Vec<Profile>,
    node: Node,
    mesh_chain: Vec<usize>,
    poisoned: Vec<String>,
}

/// A cluster of the file.
#[derive(Debug)]
pub struct SpecCluster {
    /// Its name as written.
    pub name: String,
    /// What is its own.
    pub entry: ClusterEntry,
    /// Its settings after profile, mesh and cluster; shared where they are equal.
    pub settings: Arc<Settings>,
    /// Its profile's chain as indices into [`Spec::profiles`], the extending one first.
    pub chain: Vec<usize>,
}

/// Reads a mesh file and the profiles that it asks for.
///
/// Collects every fault of shape; `None` where nothing of use is left. `meshgenVersion` is looked
/// at first, and a breach of it is the only fault then.
pub fn load(
    name: &str,
    text: &str,
    profiles: &dyn Profiles,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Spec> {
    let source = sources.add(name, text);
    let mut node = parse(source, text, diagnostics)?;
    if !version_fits(&node, diagnostics) {
        return None;
    }
    let poisoned = shape::check(&shape::schema_of::<MeshFile>(), &mut node, diagnostics);
    let file: MeshFile = typed(&node, &poisoned, source, diagnostics)?;
    let mut chains = super::profile::Chains::new(profiles, sources);
    let mut layering = Layering::new(&node);
    let mesh_chain = chains.of(file.profile.as_deref(), node.get("profile"), diagnostics);
    let (settings, terraform, pki) = layering.mesh(&mesh_chain, &chains.profiles);
    let mut clusters = Vec::new();
    for entry in node.get("clusters").map(Node::entries).unwrap_or_default() {
        let Some(own) = file.clusters.get(&entry.key) else {
            continue;
        };
        let profile = own.profile.as_deref().or(file.profile.as_deref());
        let place = entry.value.get("profile").or_else(|| node.get("profile"));
        let chain = chains.of(profile, place, diagnostics);
        let settings = layering.cluster(&chain, &chains.profiles, &entry.value);
        clusters.push(SpecCluster { name: entry.key.clone(), entry: own.clone(), settings, chain });
    }
    let profiles = chains.profiles;
    Some(Spec { file, clusters, settings, terraform, pki, profiles, node, mesh_chain, poisoned })
}

/// Parses one file of meshgen's own; a fault of syntax becomes a diagnostic.
pub fn parse(source: SourceId, text: &str, diagnostics: &mut Diagnostics) -> Option<Node> {
    match yaml::parse(source, text, Schema::Strict) {
        Ok(node) => Some(node),
        Err(ReadError { message, span, other }) => {
            let rule = if other.is_some() { &rules::DUPLICATE_KEY } else { &rules::SYNTAX };
            diagnostics
                .push(Diagnostic::new(rule, message).at(span, "").at_maybe(other, "the first one"));
            None
        }
    }
}

fn version_fits(node: &Node, diagnostics: &mut Diagnostics) -> bool {
    let Some(wanted) = node.get("meshgenVersion") else {
        return true;
    };
    let Some(text) = wanted.as_str() else {
        return true;
    };
    let here = env!("CARGO_PKG_VERSION");
    let diagnostic = match semver::VersionReq::parse(text) {
        Ok(range) if semver::Version::parse(here).is_ok_and(|here| range.matches(&here)) => {
            return true;
        }
        Ok(_) => Diagnostic::new(
            &rules::MESHGEN_VERSION,
            format!("this mesh asks for meshgen {text}, but this is meshgen {here}"),
        )
        .hint("use a meshgen of that range, or change `meshgenVersion` and review what it renders"),
        Err(error) => Diagnostic::new(
            &rules::BAD_VALUE,
            format!("`meshgenVersion` is no range of versions: {error}"),
        )
        .hint("write it as `>=0.1, <0.2`"),
    };
    diagnostics.push(diagnostic.at(wanted.span, ""));
    false
}

/// Reads a node that has its shape into its type.
pub(super) fn typed<T: DeserializeOwned>(
    node: &Node,
    poisoned: &[String],
    source: SourceId,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    match serde_json::from_value(node.to_value()) {
        Ok(value) => Some(value),
        // a required key was missing or taken out: that has been reported
        Err(_) if !poisoned.is_empty() => None,
        Err(error) => {
            let span = Span { source, start: 0, end: 0 };
            diagnostics.push(Diagnostic::new(&rules::BAD_VALUE, error.to_string()).at(span, ""));
            None
        }
    }
}

/// Lays profile, mesh and cluster on each other, each combination once.
#[expect(clippy::type_complexity, reason = "a map of pairs, named by its field")]
struct Layering {
    mesh: Map<String, Value>,
    bases: BTreeMap<Vec<usize>, (Map<String, Value>, Arc<Settings>)>,
    variants: BTreeMap<(Vec<usize>, String), Arc<Settings>>,
}

impl Layering {
    fn new(node: &Node) -> Self {
        let mut mesh = object(node);
        mesh.remove("clusters");
        Self { mesh, bases: BTreeMap::new(), variants: BTreeMap::new() }
    }

    fn mesh(&mut self, chain: &[usize], profiles: &[Profile]) -> (Arc<Settings>, Terraform, Pki) {
        let (base, settings) = self.base(chain, profiles);
        let part = |key: &str| base.get(key).cloned().unwrap_or(Value::Null);
        let terraform = serde_json::from_value(part("terraform")).unwrap_or_default();
        let pki = serde_json::from_value(part("pki")).unwrap_or_default();
        (settings, terraform, pki)
    }

    fn base(
        &mut self,
        chain: &[usize],
        profiles: &[Profile],
    ) -> (Map<String, Value>, Arc<Settings>) {
        if let Some((base, settings)) = self.bases.get(chain) {
            return (base.clone(), Arc::clone(settings));
        }
        let mut base = Map::new();
        for index in chain.iter().rev() {
            merge(&mut base, &object(&profiles[*index].node));
        }
        merge(&mut base, &self.mesh);
        let settings = settings_of(&base);
        self.bases.insert(chain.to_vec(), (base.clone(), Arc::clone(&settings)));
        (base, settings)
    }

    fn cluster(&mut self, chain: &[usize], profiles: &[Profile], node: &Node) -> Arc<Settings> {
        let mut own = object(node);
        own.retain(|key, _| !OWN_KEYS.contains(&key.as_str()));
        if own.is_empty() {
            return match self.bases.get(chain) {
                Some((_, settings)) => Arc::clone(settings),
                None => self.base(chain, profiles).1,
            };
        }
        let key = (chain.to_vec(), Value::Object(own.clone()).to_string());
        if let Some(settings) = self.variants.get(&key) {
            return Arc::clone(settings);
        }
        let (mut base, _) = self.base(chain, profiles);
        merge(&mut base, &own);
        let settings = settings_of(&base);
        self.variants.insert(key, Arc::clone(&settings));
        settings
    }
}

fn object(node: &Node) -> Map<String, Value> {
    match node.to_value() {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The settings among the keys of a merged document. Every layer has passed its shape, and merging
/// keeps it, so that reading cannot fail.
fn settings_of(base: &Map<String, Value>) -> Arc<Settings> {
    const KEYS: [&str; 7] =
        ["provider", "peered", "kubernetes", "istio", "gateways", "samples", "images"];
    let part: Map<String, Value> =
        KEYS.iter().filter_map(|key| Some(((*key).to_owned(), base.get(*key)?.clone()))).collect();
    Arc::new(serde_json::from_value(Value::Object(part)).expect("layers have passed their shape"))
}

impl Spec {
    /// The place of a key of the mesh file itself: `["pki", "recipients"]`.
    pub fn place(&self, path: &[&str]) -> Option<Span> {
        self.node.at_keys(path).map(|node| node.span)
    }

    /// The node under a path of the mesh file.
    pub fn node(&self, path: &[&str]) -> Option<&Node> {
        self.node.at_keys(path)
    }

    /// The place of the code in an entry of `allow`.
    pub fn allow_place(&self, index: usize) -> Option<Span> {
        let path = [Step::Key("allow"), Step::Index(index), Step::Key("code")];
        self.node.at(path).map(|node| node.span)
    }

    /// The place of a cluster's key, where its name stands in the file.
    pub fn cluster_place(&self, cluster: &str) -> Option<Span> {
        self.node.get("clusters")?.entry(cluster).map(|entry| entry.key_span)
    }

    /// Where a cluster's setting comes from: its own entry, the mesh, or a profile of its chain.
    pub fn setting_place(&self, cluster: &SpecCluster, path: &[&str]) -> Option<Span> {
        self.layers(cluster).find_map(|layer| layer.at_keys(path)).map(|node| node.span)
    }

    /// The layers of a cluster's settings, the strongest first.
    pub fn layers<'a>(&'a self, cluster: &'a SpecCluster) -> impl Iterator<Item = &'a Node> {
        let own = self.node.get("clusters").and_then(|clusters| clusters.get(&cluster.name));
        let profiles = cluster.chain.iter().map(|index| &self.profiles[*index].node);
        own.into_iter().chain([&self.node]).chain(profiles)
    }

    /// The layers of the mesh's own settings, the strongest first.
    pub fn mesh_layers(&self) -> impl Iterator<Item = &Node> {
        let profiles = self.mesh_chain.iter().map(|index| &self.profiles[*index].node);
        std::iter::once(&self.node).chain(profiles)
    }

    /// Whether a value at this dotted path was taken out because it did not fit: what depends on it
    /// must then not be reported as missing.
    pub fn is_poisoned(&self, path: &str) -> bool {
        self.poisoned.iter().any(|bad| {
            bad == path || path.strip_prefix(bad.as_str()).is_some_and(|rest| rest.starts_with('.'))
        })
    }
}
