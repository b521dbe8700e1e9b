//! `.Capabilities`: what the cluster can do.

use std::rc::Rc;

use super::arg::string;
use crate::gotmpl::{Failure, Function, Object, Text, Type, Value, downcast};

/// The API versions that Helm 4.2 knows without a cluster: those of client-go 0.36.
const API_VERSIONS: &str = "\
    v1 admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1alpha1 \
    admissionregistration.k8s.io/v1beta1 internal.apiserver.k8s.io/v1alpha1 apps/v1 apps/v1beta1 \
    apps/v1beta2 authentication.k8s.io/v1 authentication.k8s.io/v1alpha1 authentication.k8s.io/v1beta1 \
    authorization.k8s.io/v1 authorization.k8s.io/v1beta1 autoscaling/v1 autoscaling/v2 batch/v1 \
    batch/v1beta1 certificates.k8s.io/v1 certificates.k8s.io/v1beta1 certificates.k8s.io/v1alpha1 \
    coordination.k8s.io/v1alpha2 coordination.k8s.io/v1beta1 coordination.k8s.io/v1 discovery.k8s.io/v1 \
    discovery.k8s.io/v1beta1 events.k8s.io/v1 events.k8s.io/v1beta1 extensions/v1beta1 \
    flowcontrol.apiserver.k8s.io/v1 flowcontrol.apiserver.k8s.io/v1beta1 \
    flowcontrol.apiserver.k8s.io/v1beta2 flowcontrol.apiserver.k8s.io/v1beta3 networking.k8s.io/v1 \
    networking.k8s.io/v1beta1 node.k8s.io/v1 node.k8s.io/v1alpha1 node.k8s.io/v1beta1 policy/v1 \
    policy/v1beta1 rbac.authorization.k8s.io/v1 rbac.authorization.k8s.io/v1beta1 \
    rbac.authorization.k8s.io/v1alpha1 resource.k8s.io/v1 resource.k8s.io/v1beta2 \
    resource.k8s.io/v1beta1 resource.k8s.io/v1alpha3 scheduling.k8s.io/v1alpha2 \
    scheduling.k8s.io/v1beta1 scheduling.k8s.io/v1 storage.k8s.io/v1beta1 storage.k8s.io/v1 \
    storage.k8s.io/v1alpha1 storagemigration.k8s.io/v1beta1 apiextensions.k8s.io/v1beta1 \
    apiextensions.k8s.io/v1";

/// What the cluster can do.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// `.Capabilities.KubeVersion`
    pub kube_version: KubeVersion,
    /// `.Capabilities.APIVersions`
    pub api_versions: Vec<String>,
}

/// A version of Kubernetes.
#[derive(Clone, Debug)]
pub struct KubeVersion {
    version: String,
    numbers: [u64; 3],
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            kube_version: KubeVersion { version: "v1.36.0".into(), numbers: [1, 36, 0] },
            api_versions: API_VERSIONS.split_whitespace().map(Into::into).collect(),
        }
    }
}

impl KubeVersion {
    /// Reads a version such as `v1.33.4-gke.1245000`; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix('v').unwrap_or(text);
        let core =
            body.find(|c: char| !(c.is_ascii_digit() || c == '.')).map_or(body, |end| &body[..end]);
        let core = core.trim_end_matches('.');
        let parts: Vec<u64> =
            core.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        if parts.len() < 2 {
            return None;
        }
        let numbers = [parts[0], parts[1], parts.get(2).copied().unwrap_or(0)];
        Some(Self { version: format!("v{body}"), numbers })
    }

    /// Returns the version without what providers add to it.
    pub fn normalized(&self) -> String {
        let [major, minor, patch] = self.numbers;
        format!("v{major}.{minor}.{patch}")
    }
}

impl Object for Capabilities {
    fn type_name(&self) -> &'static str {
        "*common.Capabilities"
    }

    fn kind_name(&self) -> &'static str {
        "ptr"
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "KubeVersion" => Value::Object(Rc::new(self.kube_version.clone())),
            "APIVersions" => Value::Object(Rc::new(VersionSet(self.api_versions.clone()))),
            "HelmVersion" => Value::Object(Rc::new(HelmVersion)),
            _ => return None,
        })
    }

    fn display(&self) -> Text {
        let apis = self.api_versions.join(" ");
        let [kube, helm] = [self.kube_version.formatted(), HelmVersion.display()];
        format!("&{{{kube} [{apis}] {helm}}}").into()
    }

    fn data(&self) -> Value {
        let fields = ["KubeVersion", "APIVersions", "HelmVersion"];
        Value::map(fields.into_iter().filter_map(|name| Some((name.into(), self.field(name)?))))
    }
}

impl Object for KubeVersion {
    fn type_name(&self) -> &'static str {
        "common.KubeVersion"
    }

    fn method(&self, name: &str) -> Option<&'static Function> {
        KUBE_METHODS.iter().find(|method| method.name == name)
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "Version" => Value::str(self.version.as_str()),
            "Major" => Value::str(self.numbers[0].to_string()),
            "Minor" => Value::str(self.numbers[1].to_string()),
            _ => return None,
        })
    }

    fn display(&self) -> Text {
        self.normalized().into()
    }

    fn formatted(&self) -> Text {
        let [major, minor, _] = self.numbers;
        format!("{{{} {} {major} {minor}}}", self.version, self.normalized()).into()
    }

    fn data(&self) -> Value {
        let fields = ["Version", "Major", "Minor"];
        Value::map(fields.into_iter().filter_map(|name| Some((name.into(), self.field(name)?))))
    }
}

const KUBE_METHODS: &[Function] = &[
    Function::new("String", &[], |_, args| Ok(Value::str(kube(args)?.normalized()))),
    Function::new("GitVersion", &[], |_, args| Ok(Value::str(kube(args)?.version.as_str()))),
];

fn kube(args: &[Value]) -> Result<&KubeVersion, Failure> {
    args.first().and_then(downcast).ok_or_else(|| "not a version of Kubernetes".into())
}

/// `.Capabilities.APIVersions`
struct VersionSet(Vec<String>);

impl Object for VersionSet {
    fn type_name(&self) -> &'static str {
        "common.VersionSet"
    }

    fn kind_name(&self) -> &'static str {
        "slice"
    }

    fn method(&self, name: &str) -> Option<&'static Function> {
        const HAS: &[Function] = &[Function::new("Has", &[Type::Str], |_, args| {
            let set: &VersionSet =
                args.first().and_then(downcast).ok_or("not a set of versions")?;
            let wanted = string(args, 1)?;
            Ok(Value::Bool(set.0.iter().any(|version| *version == wanted)))
        })];
        HAS.iter().find(|method| method.name == name)
    }

    fn entries(&self) -> Option<Vec<(Value, Value)>> {
        Some(
            (0..)
                .map(Value::int)
                .zip(self.0.iter().map(|version| Value::str(version.as_str())))
                .collect(),
        )
    }

    fn display(&self) -> Text {
        format!("[{}]", self.0.join(" ")).into()
    }

    fn data(&self) -> Value {
        Value::list(self.0.iter().map(|version| Value::str(version.as_str())).collect())
    }
}

/// `.Capabilities.HelmVersion`: the version whose behaviour this is.
struct HelmVersion;

impl Object for HelmVersion {
    fn type_name(&self) -> &'static str {
        "version.BuildInfo"
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(Value::str(match name {
            "Version" => "v4.2",
            "KubeClientVersion" => "v1.36",
            // What built Helm is no business of a chart's output.
            "GitCommit" | "GitTreeState" | "GoVersion" => "",
            _ => return None,
        }))
    }

    fn display(&self) -> Text {
        "{v4.2    v1.36}".into()
    }

    fn data(&self) -> Value {
        let json = [("version", "Version"), ("kube_client_version", "KubeClientVersion")];
        Value::map(json.into_iter().filter_map(|(key, name)| Some((key.into(), self.field(name)?))))
    }
}
