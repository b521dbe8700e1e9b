//! The rules by their stable codes, each with its story for `meshgen explain`.
//!
//! A code is never given to another rule. What a good mesh may have to break is `lowerable`: an
//! `allow` in `mesh.yaml` turns it into a remark.

use super::Severity;

/// A rule that inputs have to keep.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable name: `MG` and four digits.
    pub code: &'static str,
    /// What the rule asks for, in a few words.
    pub title: &'static str,
    /// How bad a breach is.
    pub severity: Severity,
    /// Whether `allow` can lower it.
    pub lowerable: bool,
    /// Why the rule is there, what happens without it, and what to do. Plain text, 80 columns.
    pub story: &'static str,
}

/// All rules, by code.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        input::ALL,
        cluster::ALL,
        network::ALL,
        version::ALL,
        facts::ALL,
        keyring::ALL,
        render::ALL,
        pin::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The rule of a code, in any case: `MG0301`, `mg0301`.
pub fn find_rule(code: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code.eq_ignore_ascii_case(code))
}

/// Declares the rules of one subject as constants, and the list of them.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $severity:ident $($lowerable:ident)?, $title:literal, $story:literal;)*) => {
        $(
            #[doc = $title]
            pub static $name: Rule = Rule {
                code: $code,
                title: $title,
                severity: Severity::$severity,
                lowerable: rules!(@lowerable $($lowerable)?),
                story: $story,
            };
        )*
        pub(super) static ALL: &[&Rule] = &[$(&$name),*];
    };
    (@lowerable lowerable) => { true };
    (@lowerable) => { false };
}

/// The text of the files: syntax, keys, types.
pub mod input {
    use super::{Rule, Severity};

    rules! {
        SYNTAX = "MG0101", Error, "the file is well-formed",
"The file is no YAML (or JSON), or asks for something that meshgen refuses in its inputs:
an alias inside its own anchor, aliases that expand without end (a YAML bomb), nesting
beyond 200 levels, a second document, a tag of its own.";
        UNKNOWN_KEY = "MG0102", Error, "every key is known",
"A key that meshgen does not know is nearly always a typing error, and a setting that is
silently ignored is how a mesh half works. The hint names the known key that looks most
alike. Free-form Istio settings belong under `istio.values`, `istio.meshConfig` and
`istio.components`; everything there passes through.";
        DUPLICATE_KEY = "MG0103", Error, "no key stands twice",
"YAML readers disagree about a key that stands twice: some take the first, some the last,
some refuse. Two clusters of one name are the usual case. Both places are shown.";
        WRONG_TYPE = "MG0104", Error, "every value has its type",
"The value is of another kind than the setting takes: a string where a number belongs, a
list where a mapping belongs. Only `true` and `false` are booleans in meshgen's files;
`yes`, `no`, `on` and `off` are strings, because YAML readers disagree about them.";
        MISSING_KEY = "MG0105", Error, "every required key is there",
"The setting has no default that would be right for you, so it must be written down. The
hint shows how it is written; `meshgen init` in an empty folder writes a mesh.yaml that
has all.";
        BAD_VALUE = "MG0106", Error, "every value has its form",
"The value is of the right type, but not of the form that is asked for: a version, a DNS
label, a CIDR, an age recipient, one of a list of words. The message says which.";
        MESHGEN_VERSION = "MG0107", Error, "this meshgen is one that the mesh asks for",
"`meshgenVersion` says which meshgen may render this mesh (`>=0.1, <0.2`). It is looked at
before anything else, so that an older meshgen does not stumble over newer keys, and a
team renders with one version: another may rightly give other bytes.";
        UNREADABLE = "MG0108", Error, "every input can be read",
"A file that the mesh needs is not there, or this user may not read it. The message names
the file and says what the system answered. Nothing was changed.";
        OUTSIDE = "MG0109", Error, "inputs lie in the project and are plain files",
"An input is a symbolic link, or its path leaves the project folder. The tree would then
depend on something that a reviewer does not see and a clone does not have. Copy the file
into the project.";
        UNKNOWN_PROFILE = "MG0110", Error, "every profile exists",
"A profile is a file `profiles/<name>.yaml` of the project, or one of the built-in ones
(`meshgen templates list` shows them). A project's profile wins over a built-in one of the
same name.";
        PROFILE_CYCLE = "MG0111", Error, "no profile extends itself",
"Profiles inherit through `extends`. A chain that comes back to a profile it has passed has
no end. One exception: a project's profile that extends its own name means the built-in
one of that name.";
        BAD_ALLOW = "MG0112", Error, "`allow` names a rule that can be lowered",
"`allow` lowers a rule that a good mesh may have to break. The code must be one of
`meshgen explain`, the rule must be lowerable (the list says which are), and a reason must
be given: the next reader wants to know.";
        IDLE_ALLOW = "MG0113", Warning, "every `allow` covers something",
    "Nothing breaks this rule any more. Take the entry away, or it will hide the next breach.";
        TOO_LARGE = "MG0114", Error, "inputs are of a sane size",
    "An input file is larger than meshgen reads: 64 MiB for mesh.yaml, 16 MiB for any other.";
        IDLE_OVERRIDE = "MG0115", Warning, "overrides override something",
"A file under `templates/` has no built-in template of its path, and no template of the
project includes it, so nothing reads it: mostly a typing error in the path. `meshgen
templates list` shows the paths.";
    }
}

/// Clusters one by one, and what they must share.
pub mod cluster {
    use super::{Rule, Severity};

    rules! {
        NAME = "MG0201", Error, "a cluster's name is a DNS label",
"The name becomes Istio's cluster ID, the key of the remote secret and part of object and
file names: lower case letters, digits and dashes, a letter or digit at both ends, 63
characters at most (RFC 1123; istioctl's create-remote-secret asks for the same).";
        RESERVED = "MG0202", Error, "a cluster's name is no folder of the tree",
"`terraform`, `remote-secrets`, `crds` and `store` are folders of `out/`, and `root` is
the file of the mesh's root in `pki/`: a cluster of such a name would get its files
mixed with them.";
        NONE = "MG0203", Error, "a mesh has a cluster",
"A mesh without an enabled cluster renders nothing that a cluster could get. `enabled:
false` keeps a cluster in terraform.tfvars and nowhere else; enable at least one.";
        REGION = "MG0204", Error lowerable, "a region is one that the provider has",
"The region is not in the provider's table that this meshgen carries. A typing error here
is found by Terraform at the earliest, after minutes. If the region is newer than this
meshgen, allow the rule.";
        CLUSTER_NAME = "MG0206", Error, "`values.global.multiCluster.clusterName` is the cluster's name",
"istiod calls itself by `clusterName`; its peers know it by the key of the remote secret,
which is the cluster's name in mesh.yaml. If the two differ, tokens of that cluster's
proxies are refused and its endpoints are filed under a cluster that nobody knows: traffic
across clusters fails without an error at install. meshgen sets the value; leave it out.";
        MESH_ID = "MG0207", Error lowerable, "all clusters have one mesh ID",
"The mesh ID is written into telemetry and into the names of metrics' sources; Istio
checks it nowhere. With two IDs, dashboards and traces show one mesh as two. Clusters of
one mesh.yaml are one mesh: set `istio.meshID` once for all of them, or leave it out
(default: the mesh's name).";
        TRUST_DOMAIN = "MG0208", Error lowerable, "all clusters have one trust domain",
"A workload's identity is spiffe://TRUST-DOMAIN/ns/NS/sa/SA, and sidecars take peers of
their own trust domain and of its aliases only. With two trust domains and no aliases,
mutual TLS across clusters fails although both certificates come from one root. Set
`istio.trustDomain` once for all clusters. Where `meshConfig.trustDomainAliases` join
them on purpose, allow the rule.";
        NETWORK_VALUE = "MG0209", Error, "`values.global.network` is the cluster's network",
"The network of proxies comes from `values.global.network`, that of endpoints from the
label on istio-system, that of gateways from the label of their Service. meshgen writes
the same name into all three; a value of your own would tear them apart, and istiod
would then hand out pod addresses that nobody can reach.";
        CONTEXT = "MG0210", Error, "no two clusters have one kubeconfig context",
"Two clusters with one context are one cluster: an apply would install the second over the
first. Give one of them another `context`. Default: the cluster's name.";
        ISTIO_NAMESPACE = "MG0211", Error, "the control plane lives in istio-system",
"meshgen, like the guides it replaces, puts the control plane, its certificates and its
remote secrets into istio-system; `values.global.istioNamespace` cannot move just a part.";
        ROOT_NAMESPACE_LABEL = "MG0212", Error, "one network label a network",
"A component label `topology.istio.io/network` that differs from the cluster's network
makes istiod file the gateway under a network that has no endpoints: traffic to the
cluster's own network then has no way in. meshgen sets the label; leave it out.";
    }
}

/// Address ranges and the ways between networks.
pub mod network {
    use super::{Rule, Severity};

    rules! {
        NOT_A_NETWORK = "MG0301", Error, "a CIDR is a network address",
"`10.1.2.0/16` has bits set behind the prefix: Terraform and Kubernetes refuse it, or take
`10.1.0.0/16` silently. Write the network address.";
        OVERLAP_IN_CLUSTER = "MG0302", Error, "the ranges of a cluster are disjoint",
"Nodes, pods and services of one cluster route by these ranges; where they overlap, one of
the two is unreachable.";
        OVERLAP_IN_NETWORK = "MG0303", Error, "pod ranges of one network are disjoint",
"Clusters on one network reach each other's pods directly, without a gateway. Two pods of
one address cannot both be reached. Give one cluster another range, or a network of its
own and an east-west gateway.";
        OVERLAP_PEERED = "MG0304", Error lowerable, "peered VCNs are disjoint",
"VCNs (VPCs) that are peered or joined by a DRG route to each other by range; overlapping
ranges are refused when the peering is made, after Terraform has built half of it. In the
OKE profiles all VCNs of the mesh are peered; `peered: false` takes a cluster out.";
        OVERLAP_ACROSS = "MG0305", Warning lowerable, "pod ranges across networks are disjoint",
"Across networks traffic goes through east-west gateways, so equal pod ranges work. They
make logs and packet captures hard to read, and stand in the way of joining the networks
later. Only a warning: good meshes do this.";
        NO_GATEWAY = "MG0306", Error, "every network has an east-west gateway where there are several",
"Endpoints in another network are reached through that network's east-west gateway. If a
network has none, istiod takes its pods for directly reachable and hands out their bare
addresses to the other networks, and calls time out (istio #39930): the most common silent
failure of multi-network meshes. Enable `gateways.eastWest` on at least one cluster of the
network, or leave it out: by default it stands wherever the mesh has several networks.";
        NETWORK_NAME = "MG0307", Error, "a network's name is a label value",
"The name becomes the value of the label topology.istio.io/network: at most 63 letters,
digits, `-`, `_` and `.`, a letter or digit at both ends. An empty name is refused: to
Istio it means that the network is not known. Leave `network` out for a network of the
cluster's own.";
        SAME_NAME_OTHER_PROVIDER = "MG0308", Warning lowerable, "one network does not span providers",
"Clusters of one network must reach each other's pods directly. Across two providers that
is rare; if you did route them together, allow the rule.";
        OVERLAP_NODES = "MG0309", Error, "nodes and pods of one network are disjoint",
"On a shared network the pods of one cluster and the nodes of another meet in one routing
table. Where the ranges overlap, one of the two is unreachable.";
    }
}

/// Versions.
pub mod version {
    use super::{Rule, Severity};

    rules! {
        SKEW = "MG0401", Error lowerable, "Istio supports the cluster's Kubernetes",
"Each Istio release is tested with a range of Kubernetes versions (istio.io, \"Supported
releases\"). Outside of it things fail late: istioctl stops at servers below its
minimum, and charts of old releases ask for APIs that newer servers have removed
(PodDisruptionBudget v1beta1 in 1.25, HorizontalPodAutoscaler v2beta2 in 1.26). The
message names the range. Where you run the combination on purpose, allow the rule.";
        UNKNOWN_ISTIO = "MG0402", Warning lowerable, "the Istio version is known",
"The Istio version is not in the table of this meshgen, so its range of Kubernetes versions
is not checked. Rendering goes on.";
        ISTIO_SPREAD = "MG0403", Warning lowerable, "control planes are at most one minor apart",
"During an upgrade the control planes of a mesh differ by one minor version; Istio tests
no wider spread. Upgrade the oldest cluster first. `istio.version` under a cluster sets
its own.";
        OLD_SERVER = "MG0404", Error lowerable, "Kubernetes is at least 1.25",
    "meshgen applies with strict field validation, which API servers have since 1.25.";
    }
}

/// What only the infrastructure knows.
pub mod facts {
    use super::{Rule, Severity};

    rules! {
        MALFORMED = "MG0501", Error, "a facts file has the documented shape",
"facts/<cluster>.json is written by `meshgen facts import`: JSON with apiVersion, kind,
and the facts as strings under their documented names. A file that was changed by hand
must keep that shape; an import writes it anew, and then only what is imported stays.";
        LOOPBACK = "MG0502", Error lowerable, "an API server address is one that peers can reach",
"The address goes into the cluster's remote secret and is dialled by the istiod of every
peer, from inside its pod. A loopback address (127.0.0.1, localhost, ::1) is that pod
itself; 0.0.0.0 and link-local addresses are no better. Kubeconfigs of kind, minikube,
bastions and tunnels hold such addresses, and istioctl only warns of them; the peer is
then listed as a remote cluster that never syncs. Set the private endpoint that peers
reach: `meshgen facts import --server CLUSTER=https://…`.";
        UNKNOWN_CLUSTER = "MG0503", Warning lowerable, "facts belong to a cluster of the mesh",
"No cluster of mesh.yaml, enabled or not, has this name, so the file is not read. Rename
it to its cluster, or delete it.";
        SAME_SERVER = "MG0504", Error lowerable, "no two clusters have one API server",
"Two clusters with one API server address are one cluster, or one of the two addresses was
copied: istiod would read the services of the wrong cluster under the name of the other.";
        SAME_UID = "MG0505", Error, "no two clusters have one identity",
"The UID of the namespace kube-system is a cluster's identity. Two names with one UID are
one cluster: the second would be installed over the first.";
        BAD_CA = "MG0506", Error, "an API server's CA is a certificate",
"The CA goes into the remote secret: peers check the API server's certificate against it,
and without the one that signed it they refuse the connection. In the file it is PEM;
`meshgen facts import` takes PEM and base64 of it.";
        BAD_SERVER = "MG0507", Error, "an API server address is an https URL",
    "The address has the form https://HOST:PORT, without user, query or fragment.";
        IMPORT = "MG0508", Error, "what is imported can be understood",
"`meshgen facts import` changes nothing unless it understands all that it is given: whose
each value is, which fact it is, and that no two outputs give one fact different values.
`meshgen facts import --help` lists the facts and the outputs that hold them.";
        SECRET = "MG0509", Error, "no secret becomes a fact",
"Facts are committed in clear. A private key is never taken, whatever output it is in. An
output that Terraform marks as sensitive is taken if it is one of the documented ones, or
if its form shows that it is none (a certificate, a URL); `--map` cannot lift that. If it
is no secret, take the mark away where it is made: `nonsensitive(...)`.";
    }
}

/// Certificates and keys.
pub mod keyring {
    use super::{Rule, Severity};

    rules! {
        MISSING = "MG0601", Error, "every enabled cluster has an intermediate",
"A mesh is one mesh because one root signed the CA of every cluster: an istiod that finds
no `cacerts` makes a root of its own, and its cluster cannot speak with the others.
`meshgen pki init` makes the root and the intermediates that are missing, and touches no
key that is there; `meshgen pki import` takes those that you have.";
        NOT_SEALED_OUR_WAY = "MG0602", Error, "a keyring file is sealed as meshgen seals",
"Only private keys are encrypted (`encrypted_regex: ^ca-key\\.pem$`), so that reviewers see
certificates change; and the MAC covers encrypted values alone (`mac_only_encrypted:
true`), so that the file still opens after a clear part was rewritten. `meshgen pki
updatekeys` seals it anew, values unchanged.";
        RECIPIENTS = "MG0603", Error lowerable, "a keyring file is sealed for whom mesh.yaml says",
"The file's age recipients differ from `pki.recipients` (and the cluster's or the root's
own). Somebody who should open it cannot, or somebody who should not can. `meshgen pki
updatekeys` wraps the data key anew. Where a reader was taken away, only `meshgen pki
rotate` takes his power away: he may have kept the key.";
        CHAIN = "MG0604", Error, "every intermediate is signed by the mesh's root",
"A cluster whose intermediate has another root cannot speak mutual TLS with the others:
every call across ends in CERTIFICATE_VERIFY_FAILED (istio #32501).";
        MALFORMED = "MG0605", Error, "a keyring file has the documented shape",
"pki/<cluster>.yaml is a Secret with ca-cert.pem in clear and ca-key.pem sealed by SOPS;
pki/root.yaml likewise. It is written by `meshgen pki` alone.";
        UNUSED = "MG0606", Warning lowerable, "keyring files belong to a cluster of the mesh",
"No cluster of mesh.yaml has this name. A key that nobody needs is a key that can be
stolen: delete the file, or put the cluster back.";
        OUTLIVES_ROOT = "MG0607", Error, "no intermediate outlives its root",
"When the root expires every certificate below it fails, whatever its own dates say; a date
that promises more than the root can keep hides the day on which the mesh stops.";
        PLAINTEXT = "MG0608", Error, "no private key rests in plaintext",
"A keyring file holds a private key that is not sealed. Treat the key as known to everybody
who has read the file or its history: `meshgen pki rotate CLUSTER`.";
        NO_RECIPIENTS = "MG0609", Error, "somebody can open the keyring",
"`pki.recipients` is empty, so a key that is sealed now could never be opened. Make an
identity with `meshgen pki init --new-identity FILE` and put the recipient that it
prints into mesh.yaml.";
        NOT_A_CA = "MG0610", Error, "an intermediate is a CA certificate",
"istiod signs workload certificates with it: basicConstraints must say CA, and keyUsage
must allow keyCertSign.";
    }
}

/// Templates and the objects that they give.
pub mod render {
    use super::{Rule, Severity};

    rules! {
        TEMPLATE = "MG0701", Error, "a template renders",
"The template asks for something that is not there, or has an error in its syntax.
Templates are strict: a name that does not exist is an error and never an empty string.
`meshgen templates show NAME` prints the built-in one to compare.";
        NOT_YAML = "MG0702", Error, "a YAML template gives YAML",
"What a template gives is parsed, split into objects and written again in canonical form.
Values are inserted as YAML values, so this is an error in the template's own text: mostly
its indent.";
        DUPLICATE_OBJECT = "MG0703", Error, "no object is rendered twice for a cluster",
"Two artifacts of one cluster have the same kind, namespace and name. The second would
overwrite the first at every apply.";
        NO_NAME = "MG0704", Error, "every object has a name",
"A file name comes from the object's identity, and an apply must find its object again:
`generateName` and objects without kind or name are refused.";
        PLAINTEXT_SECRET = "MG0705", Error, "no Secret is rendered in plaintext",
"Under `data` and `stringData` of a rendered Secret stand certificates, sealed values and
bindings, and nothing else: the tree is committed. Some charts make passwords; set them by
another way, or list the object under `plaintextSecrets` in mesh.yaml if the value is no
secret.";
        ENGINE = "MG0706", Error, "a builder finds what it needs",
    "An artifact cannot be built from the inputs as they are; the message says what is missing.";
        OTHER_NAMESPACE = "MG0707", Error, "a template gives what its artifact is for",
"The template gives more or other objects than the artifact declares; the message says
which.";
        CONTROL_PLANE = "MG0708", Error, "the control plane renders from its charts",
"With `istio.charts`, meshgen makes the objects that `istioctl manifest generate` makes of
out/<cluster>/istio-operator.yaml, and refuses what istioctl refuses: unknown or wrong
fields under components and `k8s`, names and ports that cannot be, a chart that fails.
`meshgen istio generate -f` on that file shows the same by itself.";
        UNUSED_SETTING = "MG0709", Warning lowerable, "every setting of the control plane has an effect",
"istioctl says nothing about an overlay that matches no object, a setting that nothing
reads, a value that a null takes away: the cluster then runs without it. `render --strict`
makes errors of these warnings. Where that is meant, allow the rule.";
        UNRELEASED = "MG0710", Error, "charts of no release do not choose the images",
"Charts from git name a test registry and the tag `latest`, which change under a running
mesh. Set `istio.hub` and `istio.tag` in mesh.yaml to images that stay, or pin the charts
of a release.";
    }
}

/// Pinned charts.
pub mod pin {
    use super::{Rule, Severity};

    rules! {
        NAME = "MG0801", Error, "a pin's name is a DNS label",
"Lower case letters, digits and dashes, a letter or digit at both ends, 63 characters at
most. The name stands in mesh.yaml (`istio.charts: istio-1-27`) and on command lines
(`meshgen lock istio-1-27=1.27.0`).";
        UNKNOWN = "MG0802", Error, "a pin that mesh.yaml names is in meshgen.lock",
"`istio.charts` names the pin whose charts render a cluster's control plane. `meshgen lock
NAME=SOURCE` makes a pin from a folder, an archive, an Istio version, a URL or an OCI
registry; `meshgen lock` lists those that are there. Commit meshgen.lock and charts/.";
        WRONG_KIND = "MG0803", Error, "a control plane's charts are those of an Istio release",
"A release's pin holds the charts and profiles of Istio's `manifests/`, which belong
together. A pin of one Helm chart is something else, even if the chart is one of Istio's:
from `istiod` alone no gateway, no CRD and no profile comes.";
        MISSING = "MG0804", Error, "the content of every pin lies in charts/",
"`render` needs no network: the charts of a pin lie in charts/, one canonical tar each,
named by its digest, and are committed. Where one is missing (it was not committed, a
clone left large files out), `meshgen lock --fetch` brings it back from where it came
from, and takes nothing but the bytes of that digest.";
        MISMATCH = "MG0805", Error, "the content of a pin has the digest in meshgen.lock",
"The file in charts/ is not what meshgen.lock pins: it was changed, or damaged (by a
version control that converts line ends, by a partial copy). Nothing is rendered from it.
Take it away and bring it back with `meshgen lock --fetch`, or check it out again.";
        NOT_CANONICAL = "MG0806", Error, "the content of a pin is a canonical tar",
"One content has one form: a ustar of plain files, sorted, without times and owners, and
nothing else in it. `meshgen lock` writes it. A tar of another form could hide bytes that no
reviewer unpacks, or links and paths that leave the folder, so it is refused although its
digest fits.";
        VERSION = "MG0807", Error lowerable, "charts and `istio.version` are of one minor version",
"`istio.version` decides the tag of the images, and the charts of the pin were written for
the images of their own release: charts of another minor set flags and variables that those
images do not know, or leave out ones that they need. Pin the release that the cluster is
to run; a canary cluster can have a pin of its own (`istio.charts` under the cluster). For
charts that you build yourself, allow the rule.";
    }
}
