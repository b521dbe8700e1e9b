//! The types of `mesh.yaml` and of profiles. Their doc comments are the texts of the JSON Schema
//! that editors show.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The `apiVersion` of all files of meshgen.
pub const API_VERSION: &str = "meshgen.dev/v1alpha1";

/// Reads a mapping where `null` may stand instead, which takes what the layers below have away.
fn taken_away<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A mesh: its clusters, and what joins them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "mesh.yaml of meshgen")]
pub struct MeshFile {
    /// `meshgen.dev/v1alpha1`.
    pub api_version: ApiVersion,
    /// `Mesh`.
    pub kind: MeshKind,
    /// Which meshgen may render this mesh, for example `>=0.1, <0.2`. Checked before anything else.
    #[serde(default)]
    pub meshgen_version: Option<String>,
    /// Name of the mesh: a DNS label.
    pub name: String,
    /// The profile that gives the defaults: a built-in one (`oke-multi-primary`, `kubernetes`, `eks`,
    /// `gke`, `aks`) or a file `profiles/<name>.yaml`. A cluster can have its own.
    #[serde(default)]
    pub profile: Option<String>,
    /// The clusters by name. A name is a DNS label; it is Istio's cluster ID as well.
    pub clusters: BTreeMap<String, ClusterEntry>,
    /// Variables of the OKE example's Terraform module. A key that is left out is left out of
    /// `terraform.tfvars` (Terraform then takes `TF_VAR_…`).
    #[serde(default)]
    pub terraform: Option<Terraform>,
    /// Certificates and keys.
    #[serde(default)]
    pub pki: Option<Pki>,
    /// Rules that this mesh breaks on purpose.
    #[serde(default)]
    pub allow: Vec<Allow>,
    /// Secrets that may be rendered in plaintext, because what they hold is no secret.
    #[serde(default)]
    pub plaintext_secrets: Vec<PlaintextSecret>,
    /// Settings for all clusters; a cluster can override each.
    #[serde(flatten)]
    pub settings: Settings,
}

/// A named set of defaults for `mesh.yaml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "profile of meshgen")]
pub struct ProfileFile {
    /// `meshgen.dev/v1alpha1`.
    pub api_version: ApiVersion,
    /// `Profile`.
    pub kind: ProfileKind,
    /// The profile that this one changes. Its own name means the built-in one of that name.
    #[serde(default)]
    pub extends: Option<String>,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: Option<String>,
    /// Defaults of `terraform` in `mesh.yaml`.
    #[serde(default)]
    pub terraform: Option<Terraform>,
    /// Defaults of `pki` in `mesh.yaml`.
    #[serde(default)]
    pub pki: Option<Pki>,
    /// Settings for the clusters of this profile.
    #[serde(flatten)]
    pub settings: Settings,
}

/// The one `apiVersion`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The only one so far.
    #[serde(rename = "meshgen.dev/v1alpha1")]
    V1Alpha1,
}

/// The `kind` of `mesh.yaml`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum MeshKind {
    /// A mesh.
    Mesh,
}

/// The `kind` of a profile.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum ProfileKind {
    /// A profile.
    Profile,
}

/// A cluster: where it is, its address ranges, and what it does otherwise than the mesh.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterEntry {
    /// The provider's region: for OKE `sydney` or `ap-sydney-1`.
    #[serde(default)]
    pub region: Option<String>,
    /// Istio's network. Clusters of one network reach each other's pods directly. Default: the
    /// cluster's name, so a network of its own.
    #[serde(default)]
    pub network: Option<String>,
    /// Range of the VCN (VPC, virtual network) that the nodes are in.
    #[serde(default)]
    pub vcn: Option<String>,
    /// Range of the pods.
    #[serde(default)]
    pub pods: Option<String>,
    /// Range of the services. May be equal across clusters.
    #[serde(default)]
    pub services: Option<String>,
    /// `false` keeps the cluster in `terraform.tfvars`, and nowhere else. Default: true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// The kubeconfig context that `apply` takes by default. Default: the cluster's name.
    #[serde(default)]
    pub context: Option<String>,
    /// A profile of its own, instead of the mesh's.
    #[serde(default)]
    pub profile: Option<String>,
    /// Certificates and keys of this cluster.
    #[serde(default)]
    pub pki: Option<ClusterPki>,
    /// What this cluster does otherwise than the mesh.
    #[serde(flatten)]
    pub settings: Settings,
}

/// What profile, mesh and cluster can set: the profile's value, overridden by the mesh's, overridden
/// by the cluster's. Mappings merge, everything else is replaced; `null` takes a default away.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Who runs the cluster. Decides the table of regions, and whether it is in `terraform.tfvars`.
    #[serde(default)]
    pub provider: Option<Provider>,
    /// Whether the VCN is peered with those of the other peered clusters: their ranges must then be
    /// disjoint.
    #[serde(default)]
    pub peered: Option<bool>,
    /// The cluster's Kubernetes.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<Kubernetes>")]
    pub kubernetes: Kubernetes,
    /// The control plane.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<Istio>")]
    pub istio: Istio,
    /// The gateways.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<Gateways>")]
    pub gateways: Gateways,
    /// The sample apps.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<Samples>")]
    pub samples: Samples,
    /// Image prefixes to replace, for a site with a registry of its own:
    /// `docker.io/istio: site.example/istio`. The longest prefix that fits wins.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<BTreeMap<String, Option<String>>>")]
    pub images: BTreeMap<String, Option<String>>,
}

/// Who runs a cluster.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Oracle Kubernetes Engine.
    Oke,
    /// Amazon EKS.
    Eks,
    /// Google GKE.
    Gke,
    /// Azure AKS.
    Aks,
    /// Anything else.
    Kubernetes,
}

/// A cluster's Kubernetes.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kubernetes {
    /// Its version: `v1.28.2` or `1.28`.
    #[serde(default)]
    pub version: Option<String>,
}

/// A control plane.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Istio {
    /// Its version: `1.20.2`.
    #[serde(default)]
    pub version: Option<String>,
    /// The pin in `meshgen.lock` whose charts render it: `meshgen lock istio-1-27=1.27.0` makes one. A
    /// cluster can have its own, for a canary. Default: none; its objects are then left to istioctl.
    #[serde(default)]
    pub charts: Option<String>,
    /// Registry and path of its images. Default: where that version is published.
    #[serde(default)]
    pub hub: Option<String>,
    /// Tag of its images. Default: the version.
    #[serde(default)]
    pub tag: Option<String>,
    /// Its revision, for several control planes side by side. Default: none.
    #[serde(default)]
    pub revision: Option<String>,
    /// The mesh ID; one for the whole mesh. Default: the mesh's name.
    #[serde(default, rename = "meshID")]
    pub mesh_id: Option<String>,
    /// The trust domain; one for the whole mesh. Default: Istio's `cluster.local`.
    #[serde(default)]
    pub trust_domain: Option<String>,
    /// The `IstioOperator` profile. Default: `default`.
    #[serde(default)]
    pub profile: Option<String>,
    /// Free-form Istio `values`, passed through.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub values: Map<String, Value>,
    /// Free-form `meshConfig`, passed through.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub mesh_config: Map<String, Value>,
    /// Free-form `components`, passed through; gateways merge with meshgen's by their name.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub components: Map<String, Value>,
}

/// The gateways of a cluster.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gateways {
    /// The public ingress gateway. Default: on.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<Gateway>")]
    pub ingress: Gateway,
    /// The egress gateway. Default: on.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<Gateway>")]
    pub egress: Gateway,
    /// The internal east-west gateway, which other networks reach this one through. Default: on where
    /// the mesh has several networks.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<Gateway>")]
    pub east_west: Gateway,
}

/// One gateway.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gateway {
    /// Whether it is there.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Annotations of its Service, by which the provider makes the load balancer. A value is a string,
    /// or `{fact: NAME}` for what only the infrastructure knows.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<BTreeMap<String, Option<Annotation>>>")]
    pub annotations: BTreeMap<String, Option<Annotation>>,
}

/// The value of an annotation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Annotation {
    /// A string.
    Text(String),
    /// A fact by its name.
    Fact(FactRef),
}

/// A fact by its name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactRef {
    /// A fact of the cluster: `internalLoadBalancer.subnet`, …; `meshgen facts import --help` lists them.
    pub fact: String,
}

/// The sample apps of Istio's guides.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Samples {
    /// Whether they are there. Default: true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Their namespace. Default: `sample`.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The helloworld version that a cluster runs. Default: `v1` in the first cluster of the file, `v2` in
    /// the second, and so on.
    #[serde(default)]
    pub version: Option<String>,
}

/// Variables of the OKE example's Terraform module.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Terraform {
    /// `api_fingerprint`: of the API signing key.
    #[serde(default)]
    pub api_fingerprint: Option<String>,
    /// `api_private_key_path`; `~` stays as it is.
    #[serde(default)]
    pub api_private_key_path: Option<String>,
    /// `home_region` of the tenancy: `sydney` or `ap-sydney-1`.
    #[serde(default)]
    pub home_region: Option<String>,
    /// `tenancy_id`.
    #[serde(default)]
    pub tenancy_id: Option<String>,
    /// `user_id`.
    #[serde(default)]
    pub user_id: Option<String>,
    /// `compartment_id`.
    #[serde(default)]
    pub compartment_id: Option<String>,
    /// `ssh_private_key_path`; `~` stays as it is.
    #[serde(default)]
    pub ssh_private_key_path: Option<String>,
    /// `ssh_public_key_path`; `~` stays as it is.
    #[serde(default)]
    pub ssh_public_key_path: Option<String>,
    /// `cluster_type`: `basic` or `enhanced`.
    #[serde(default)]
    pub cluster_type: Option<String>,
    /// `oke_control_plane`: `private` or `public`.
    #[serde(default)]
    pub control_plane: Option<String>,
    /// `preferred_cni`: `flannel` or `npn`.
    #[serde(default)]
    pub preferred_cni: Option<String>,
    /// `nodepools` by name.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<BTreeMap<String, Option<Nodepool>>>")]
    pub nodepools: BTreeMap<String, Option<Nodepool>>,
}

/// A node pool.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Nodepool {
    /// The shape: `VM.Standard.E4.Flex`.
    #[serde(default)]
    pub shape: Option<String>,
    /// OCPUs a node.
    #[serde(default)]
    pub ocpus: Option<u32>,
    /// Memory a node, in GB.
    #[serde(default)]
    pub memory: Option<u32>,
    /// Number of nodes.
    #[serde(default)]
    pub size: Option<u32>,
    /// Size of the boot volume, in GB.
    #[serde(default)]
    pub boot_volume_size: Option<u32>,
}

/// Certificates and keys of the mesh.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pki {
    /// age recipients (`age1…`) who can open every intermediate.
    #[serde(default)]
    pub recipients: Option<Vec<String>>,
    /// The root.
    #[serde(default, deserialize_with = "taken_away")]
    #[schemars(with = "Option<RootPki>")]
    pub root: RootPki,
    /// Algorithm of new keys. Default: `ecdsa-p256`.
    #[serde(default)]
    pub algorithm: Option<Algorithm>,
    /// Days that a new intermediate is valid. Default: 3650, as Istio's makefiles.
    #[serde(default)]
    pub days: Option<u32>,
}

/// The root of the mesh.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RootPki {
    /// age recipients who can open the root's key. Default: those of the mesh.
    #[serde(default)]
    pub recipients: Option<Vec<String>>,
    /// Days that a new root is valid. Default: 3650, as Istio's makefiles.
    #[serde(default)]
    pub days: Option<u32>,
}

/// Certificates and keys of a cluster.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterPki {
    /// age recipients who can open this cluster's intermediate, besides those of the mesh.
    #[serde(default)]
    pub recipients: Vec<String>,
}

/// Algorithm of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Algorithm {
    /// ECDSA on P-256: small, fast, fine with istiod and Envoy.
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
    /// RSA with 4096 bits: what Istio's makefiles make.
    #[serde(rename = "rsa-4096")]
    Rsa4096,
}

/// A rule that is broken on purpose.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Allow {
    /// Code of the rule: `MG0502`. `meshgen explain` lists them.
    pub code: String,
    /// Why; the next reader wants to know.
    pub reason: String,
    /// Only for this cluster.
    #[serde(default)]
    pub cluster: Option<String>,
}

/// A Secret that may be rendered in plaintext.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlaintextSecret {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Why what it holds is no secret.
    pub reason: String,
}
