//! What a mesh file means: complete, with every name chosen and no default left open.

mod cidr;
mod name;
pub mod region;
mod resolve;
mod rules;
mod setting;
pub mod version;

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

pub use name::{ClusterName, NameError, NetworkName, RESERVED, suggest_label};
pub use resolve::{allow, allow_rendered, resolve};

pub use crate::object::is_dns_label;
pub use crate::spec::lay_free_form;
pub use crate::spec::model::{
    Algorithm, Annotation, Gateway, PlaintextSecret, Provider, Settings, Terraform,
};

/// The namespace of the control plane, its certificates and remote secrets.
pub const ISTIO_NAMESPACE: &str = "istio-system";

/// A mesh, resolved.
#[derive(Debug)]
pub struct Mesh {
    /// Its name.
    pub name: String,
    /// All clusters in the order of the file, the disabled ones too.
    pub clusters: Vec<Cluster>,
    /// Variables of the OKE example.
    pub terraform: Terraform,
    /// `kubernetes.version` of the mesh, for `terraform.tfvars`.
    pub kubernetes_version: Option<String>,
    /// `istio.version` of the mesh, for `terraform.tfvars`.
    pub istio_version: Option<String>,
    /// The mesh ID.
    pub mesh_id: String,
    /// For whom keys are sealed, and how new ones are made.
    pub pki: PkiPolicy,
    /// Secrets that may be rendered in plaintext.
    pub plaintext_secrets: Vec<PlaintextSecret>,
    by_name: BTreeMap<String, usize>,
}

/// For whom keys are sealed, and how new ones are made.
#[derive(Debug, Clone)]
pub struct PkiPolicy {
    /// Who can open every intermediate.
    pub recipients: Vec<String>,
    /// Who can open the root.
    pub root_recipients: Vec<String>,
    /// Algorithm of new keys.
    pub algorithm: Algorithm,
    /// Days that a new intermediate is valid.
    pub days: u32,
    /// Days that a new root is valid.
    pub root_days: u32,
}

/// A cluster, resolved.
#[derive(Debug)]
pub struct Cluster {
    /// Its place in the file, from 0.
    pub index: usize,
    /// Its name, Istio's cluster ID.
    pub name: ClusterName,
    /// Whether it gets anything but its row in `terraform.tfvars`.
    pub enabled: bool,
    /// Its provider.
    pub provider: Provider,
    /// Its region.
    pub region: Option<String>,
    /// Its network.
    pub network: NetworkName,
    /// Range of its VCN.
    pub vcn: Option<IpNet>,
    /// Range of its pods.
    pub pods: Option<IpNet>,
    /// Range of its services.
    pub services: Option<IpNet>,
    /// The kubeconfig context that `apply` takes by default.
    pub context: String,
    /// Whether the east-west gateway stands here.
    pub has_east_west: bool,
    /// The helloworld version that runs here: `v1`, `v2`, …
    pub helloworld: String,
    /// Who can open its intermediate: the mesh's recipients and its own.
    pub recipients: Vec<String>,
    /// Its Istio version.
    pub istio: semver::Version,
    /// All its settings; shared with clusters of equal settings.
    pub settings: Arc<Settings>,
}

impl Mesh {
    /// The enabled clusters in the order of the file.
    pub fn enabled(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.iter().filter(|cluster| cluster.enabled)
    }

    /// The clusters of each network, enabled ones alone.
    pub fn networks(&self) -> BTreeMap<&NetworkName, Vec<&Cluster>> {
        let mut networks: BTreeMap<&NetworkName, Vec<&Cluster>> = BTreeMap::new();
        for cluster in self.enabled() {
            networks.entry(&cluster.network).or_default().push(cluster);
        }
        networks
    }

    /// The cluster of a name.
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.by_name.get(name).map(|index| &self.clusters[*index])
    }

    /// Whether clusters have peers: more than one is enabled.
    pub fn has_peers(&self) -> bool {
        self.enabled().nth(1).is_some()
    }
}
