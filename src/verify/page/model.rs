//! What the page says, as data.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use super::certificate::CertificateRow;
use super::topology::{Joints, Read};
use crate::cluster::State;
use crate::diff::visible;
use crate::pki::certificate::date;
use crate::tree::{API_VERSION, Index};
use crate::verify::Report;

/// Everything that the page says. As JSON it is what `report -o json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// `meshgen.dev/v1alpha1`.
    pub api_version: &'static str,
    /// `MeshReport`.
    pub kind: &'static str,
    /// The mesh's name.
    pub mesh: String,
    /// The instant that the page is of, UTC, RFC 3339.
    pub at: String,
    /// The tree that it is about.
    pub tree: TreeLabel,
    /// Whether the clusters were asked.
    pub asked: bool,
    /// Where the regions come from, in words; nothing if none is known.
    pub regions_from: Option<String>,
    /// The clusters, in the order of the tree.
    pub clusters: Vec<Cluster>,
    /// What could not be rendered yet.
    pub pending: Vec<PagePending>,
    /// The certificates of the tree: the root, then the clusters'.
    pub certificates: Vec<CertificateRow>,
    /// The last verification, if one is known.
    pub verification: Option<Report>,
    /// Whether it was of this tree.
    pub verification_is_current: bool,
}

/// A tree as the page calls it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TreeLabel {
    /// `out`, `gen:3`, …
    pub name: String,
    /// `sha256:…`
    pub digest: String,
    /// How many files it has.
    pub files: usize,
}

/// A cluster of the page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its network.
    pub network: String,
    /// Its region, if it is known.
    pub region: Option<String>,
    /// The kubeconfig context that the tree names.
    pub context: String,
    /// Whether its facts are made up.
    pub example: bool,
    /// The Istio version that its `IstioOperator` asks for, if it says one.
    pub istio: Option<String>,
    /// Whether the tree opens the gateway of its network here.
    pub has_gateway: bool,
    /// The clusters whose API servers its istiod reads, by the remote secrets of the tree.
    pub reads: Vec<Read>,
    /// How it stands; nothing if nobody asked it.
    pub state: Option<State>,
}

/// A file that waits for facts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PagePending {
    /// Its path.
    pub path: String,
    /// The facts.
    pub needs: Vec<String>,
}

/// What a page is made of.
#[derive(Debug)]
pub struct Gathered<'a> {
    /// The tree's table of contents.
    pub index: &'a Index,
    /// The tree.
    pub tree: TreeLabel,
    /// Regions by cluster, and where they come from.
    pub regions: BTreeMap<String, String>,
    /// Where the regions come from, in words.
    pub regions_from: Option<String>,
    /// Istio versions by cluster.
    pub istio: BTreeMap<String, String>,
    /// The certificates.
    pub certificates: Vec<CertificateRow>,
    /// How clusters stand, by name; nothing if nobody was asked.
    pub states: Option<BTreeMap<String, State>>,
    /// The last verification.
    pub verification: Option<Report>,
    /// The instant.
    pub at: OffsetDateTime,
}

impl Page {
    /// The page of what was gathered. A function: it looks at nothing else.
    pub fn of(gathered: Gathered<'_>) -> Self {
        let Gathered { index, tree, certificates, verification, .. } = gathered;
        let (regions, istio, states) = (gathered.regions, gathered.istio, gathered.states);
        let joints = Joints::of(index);
        let cluster = |row: &crate::tree::ClusterRow| Cluster {
            name: row.name.clone(),
            network: row.network.clone(),
            region: regions.get(&row.name).cloned(),
            context: row.context.clone(),
            example: index.examples.contains(&row.name),
            istio: istio.get(&row.name).cloned(),
            has_gateway: joints.has_gateway(&row.name),
            reads: joints.reads(&row.name),
            state: states.as_ref().and_then(|states| states.get(&row.name).cloned()),
        };
        let pending = index
            .pending
            .iter()
            .map(|row| PagePending { path: row.path.to_string(), needs: row.needs.clone() });
        let is_current = verification.as_ref().is_some_and(|report| report.tree == tree.digest);
        Self {
            api_version: API_VERSION,
            kind: "MeshReport",
            mesh: index.mesh.clone(),
            at: date(gathered.at).replacen(' ', "T", 1),
            asked: states.is_some(),
            regions_from: gathered.regions_from.filter(|_| !regions.is_empty()),
            clusters: index.clusters.iter().map(cluster).collect(),
            pending: pending.collect(),
            certificates,
            verification_is_current: is_current,
            verification,
            tree,
        }
    }

    /// The clusters of each network, all in the order of the tree.
    pub fn networks(&self) -> Vec<(&str, Vec<&Cluster>)> {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut networks: Vec<(&str, Vec<&Cluster>)> = Vec::new();
        for cluster in &self.clusters {
            let at = *places.entry(&cluster.network).or_insert(networks.len());
            if at == networks.len() {
                networks.push((&cluster.network, Vec::new()));
            }
            networks[at].1.push(cluster);
        }
        networks
    }
}

impl Cluster {
    /// Where other networks reach the gateways of its network that stand here, if it was asked.
    pub fn addresses(&self) -> Vec<&str> {
        let gateways = self.state.iter().flat_map(|state| &state.gateways);
        let own = gateways.filter(|gateway| gateway.network == self.network);
        own.flat_map(|gateway| gateway.addresses.iter().map(String::as_str)).collect()
    }

    /// Whether it was asked, and answered.
    pub fn seen(&self) -> Option<&State> {
        self.state.as_ref().filter(|state| state.error.is_none())
    }
}

/// The first hex digits of a digest, with its prefix.
pub(super) fn short(digest: &str) -> String {
    visible(&digest.chars().take("sha256:".len() + 12).collect::<String>())
}
