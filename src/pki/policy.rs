//! What mesh.yaml asks of the keyring.

use super::key::Algorithm;
use super::recipient::Recipient;

/// The name of the root's file, and so of no cluster.
pub const ROOT: &str = "root";
/// Ten years, as Istio's makefiles give.
pub const DEFAULT_DAYS: u32 = 3650;

/// What mesh.yaml asks of the keyring, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What kind of key is made.
    pub algorithm: Algorithm,
    /// How many days a new root is valid.
    pub root_days: u32,
    /// How many days a new intermediate is valid, unless the root ends sooner.
    pub intermediate_days: u32,
    /// Who can open every intermediate; also the root, if that has no list of its own.
    pub recipients: Vec<Recipient>,
    /// Who can open the root; empty for the mesh's recipients.
    pub root_recipients: Vec<Recipient>,
    /// The clusters of the mesh, enabled or not.
    pub clusters: Vec<ClusterPolicy>,
}

/// What mesh.yaml asks for one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterPolicy {
    /// The cluster's name.
    pub name: String,
    /// Whether it needs an intermediate. A disabled cluster keeps the one that it has.
    pub is_enabled: bool,
    /// Who can open this intermediate besides the mesh's recipients.
    pub recipients: Vec<Recipient>,
}

impl Policy {
    /// Who must be able to open a file, in the order of mesh.yaml, nobody twice. `name` is
    /// [`ROOT`] or a cluster's; of a name that mesh.yaml does not know, the mesh's recipients.
    pub fn recipients_of(&self, name: &str) -> Vec<Recipient> {
        let mut all: Vec<Recipient> = Vec::new();
        let own = self.cluster(name).map_or(&[][..], |cluster| &cluster.recipients);
        let chosen = match name {
            ROOT if !self.root_recipients.is_empty() => self.root_recipients.iter().chain(&[]),
            _ => self.recipients.iter().chain(own),
        };
        for recipient in chosen {
            if !all.contains(recipient) {
                all.push(recipient.clone());
            }
        }
        all
    }

    /// The cluster of a name.
    pub fn cluster(&self, name: &str) -> Option<&ClusterPolicy> {
        self.clusters.iter().find(|cluster| cluster.name == name)
    }

    /// The names of the clusters that need an intermediate.
    pub fn enabled(&self) -> impl Iterator<Item = &str> {
        self.clusters.iter().filter(|cluster| cluster.is_enabled).map(|one| one.name.as_str())
    }
}

/// No recipients, no clusters, and everything else as a mesh.yaml without `pki` has it.
impl Default for Policy {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::default(),
            root_days: DEFAULT_DAYS,
            intermediate_days: DEFAULT_DAYS,
            recipients: Vec::new(),
            root_recipients: Vec::new(),
            clusters: Vec::new(),
        }
    }
}

/// The path of a keyring file in the project: `pki/root.yaml`, `pki/<cluster>.yaml`.
pub fn path_of(name: &str) -> String {
    format!("pki/{name}.yaml")
}
