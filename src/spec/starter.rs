//! The mesh file that `meshgen init` writes: two clusters to change, every line explained.

use serde_json::Value;

use crate::yaml;

/// A built-in profile, and what a mesh file that starts from it says of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starter {
    /// Oracle's OKE example.
    Oke,
    /// Amazon EKS.
    Eks,
    /// Google GKE.
    Gke,
    /// Azure AKS.
    Aks,
    /// Any Kubernetes.
    Kubernetes,
}

impl Starter {
    /// The name of the built-in profile.
    pub fn profile(self) -> &'static str {
        match self {
            Starter::Oke => "oke-multi-primary",
            Starter::Eks => "eks",
            Starter::Gke => "gke",
            Starter::Aks => "aks",
            Starter::Kubernetes => "kubernetes",
        }
    }

    /// Writes the mesh file for a mesh of this name.
    ///
    /// It passes `meshgen check` except for what only the user can know: who can open the keyring
    /// (`pki.recipients`), and the keyring itself.
    pub fn mesh_file(self, name: &str) -> String {
        let name = yaml::inline(&Value::from(name));
        let profile = self.profile();
        let version = this_version();
        let kubernetes = if self == Starter::Oke { "v1.34.1" } else { "\"1.34\"" };
        let head = format!(
            "# yaml-language-server: $schema=mesh.schema.json\n{HEAD}\
             apiVersion: meshgen.dev/v1alpha1\n\
             kind: Mesh\n\
             # Which meshgen may render this mesh: another version may rightly give other bytes.\n\
             meshgenVersion: \"{version}\"\n\
             # The mesh's name, and its mesh ID unless `istio.meshID` says otherwise.\n\
             name: {name}\n\
             # The defaults. `meshgen templates list` shows what else there is, `meshgen templates eject\n\
             # profiles/{profile}.yaml` what this one sets. A cluster can have a profile of its own.\n\
             profile: {profile}\n\
             \n\
             kubernetes:\n  version: {kubernetes}\n\
             \n"
        );
        let terraform = if self == Starter::Oke { TERRAFORM } else { "" };
        [&head, ISTIO, CLUSTERS, self.clusters(), PKI, terraform].concat()
    }

    fn clusters(self) -> &'static str {
        match self {
            Starter::Oke => OKE,
            Starter::Eks => EKS,
            Starter::Gke => GKE,
            Starter::Aks => AKS,
            Starter::Kubernetes => KUBERNETES,
        }
    }
}

/// `>=0.1, <0.2` for a meshgen 0.1.7.
fn this_version() -> String {
    let here = semver::Version::parse(env!("CARGO_PKG_VERSION")).expect("cargo checks the version");
    format!(">={}.{}, <{0}.{}", here.major, here.minor, here.minor + 1)
}

const HEAD: &str = "\
#
# The mesh: the one file that you write. `meshgen check` says what is wrong with it, and
# `meshgen render` builds out/ from it. The schema that the first line names gives editors with a YAML
# language server completion and checks; `meshgen schema > mesh.schema.json` renews it.
";

const ISTIO: &str = "\
istio:
  version: 1.30.0
  # Everything under `values`, `meshConfig` and `components` passes through to the IstioOperator,
  # here for all clusters, under a cluster for that one:
  # meshConfig:
  #   accessLogFile: /dev/stdout

";

const CLUSTERS: &str = "\
# A cluster's name is a DNS label. It becomes Istio's cluster ID, and does not change later. Each cluster
# is on a network of its own unless `network` says otherwise; clusters of one network must reach each
# other's pods directly.
clusters:
";

const OKE: &str = "  c1:
    region: sydney
    # VCNs are peered in this profile, so their ranges must be disjoint; `peered: false` takes one out.
    vcn: 10.1.0.0/16
    pods: 10.201.0.0/16
    services: 10.101.0.0/16
  c2:
    region: melbourne
    vcn: 10.2.0.0/16
    pods: 10.202.0.0/16
    services: 10.102.0.0/16

";

const EKS: &str = "  c1:
    region: ap-southeast-2
    # The kubeconfig context that `meshgen apply` takes; default: the cluster's name.
    # context: arn:aws:eks:ap-southeast-2:111122223333:cluster/c1
    # Ranges are for checks alone: name those that you know. Pods get addresses of the VPC.
    # vcn: 10.1.0.0/16
    # services: 172.20.0.0/16
  c2:
    region: ap-southeast-4

";

const GKE: &str = "  c1:
    region: australia-southeast1
    # The kubeconfig context that `meshgen apply` takes; default: the cluster's name.
    # context: gke_my-project_australia-southeast1_c1
    # Ranges are for checks alone: name those that you know.
    # vcn: 10.1.0.0/16
    # pods: 10.201.0.0/16
    # services: 10.101.0.0/16
  c2:
    region: australia-southeast2

";

const AKS: &str = "  c1:
    region: australiaeast
    # The kubeconfig context that `meshgen apply` takes; default: the cluster's name.
    # context: c1-admin
    # Ranges are for checks alone: name those that you know.
    # vcn: 10.1.0.0/16
    # pods: 10.244.0.0/16
    # services: 10.0.0.0/16
  c2:
    region: australiasoutheast

";

const KUBERNETES: &str = "  c1:
    # The kubeconfig context that `meshgen apply` takes; default: the cluster's name.
    context: c1
    # Ranges are for checks alone: name those that you know.
    # pods: 10.244.0.0/16
    # services: 10.96.0.0/12
    # What a load balancer of your own needs, as annotations of the gateways' Services:
    # gateways:
    #   eastWest:
    #     annotations:
    #       metallb.universe.tf/address-pool: internal
  c2:
    context: c2

";

const PKI: &str = "\
# Who can open the private keys: age recipients (age1…). `meshgen pki init --new-identity FILE` makes an
# identity outside of the project and prints its recipient; then `meshgen pki init` makes root and
# intermediates.
pki:
  recipients: []
  # The root's key signs clusters that join later, and is needed for nothing else: give it keepers of
  # its own.
  # root:
  #   recipients: []
";

const TERRAFORM: &str = "\n# Variables of the OKE example's Terraform module. Put in yours; a line that is left out is left out of
# out/terraform/terraform.tfvars, and Terraform takes TF_VAR_… for it.
terraform:
  homeRegion: sydney
  # apiFingerprint: \"00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff\"
  # apiPrivateKeyPath: ~/.oci/oci_rsa.pem
  # tenancyId: ocid1.tenancy.oc1..…
  # userId: ocid1.user.oc1..…
  # compartmentId: ocid1.compartment.oc1..…
  sshPrivateKeyPath: ~/.ssh/id_rsa
  sshPublicKeyPath: ~/.ssh/id_rsa.pub
  nodepools:
    np1:
      shape: VM.Standard.E4.Flex
      ocpus: 2
      memory: 64
      size: 2
      bootVolumeSize: 150
";
