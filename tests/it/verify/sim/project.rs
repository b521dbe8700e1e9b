//! The project of a simulated mesh: its charts, facts, keyring and tree.

use std::fs;

use meshgen::cluster::{Bindings, Files, Missing, Vault, Wanted};
use meshgen::file::Disk;
use meshgen::pki::{Identities, Secret};
use meshgen::tree::source::resolve;
use serde_json::json;

use super::cluster::Cluster;
use super::mesh::Mesh;
use crate::project::{Project, copy};
use crate::testbed::Authority;
use crate::tool;

/// A project and what stands beside it.
pub struct Folder {
    pub project: Project,
    beside: tempfile::TempDir,
    count: usize,
    /// The CA of the API servers.
    authority: String,
}

/// Istio's own charts give the labels of a gateway and of istiod to all that is theirs.
const GATEWAY: &str = r#"{{- $gateway := index .Values "gateways" "istio-ingressgateway" }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ $gateway.name }}, namespace: {{ .Release.Namespace }}, labels: {{ toJson $gateway.labels }}}
spec:
  selector: {matchLabels: {{ toJson $gateway.labels }}}
  template:
    metadata: {labels: {{ toJson $gateway.labels }}}
    spec:
      containers:
      - {name: istio-proxy, image: auto}
---
apiVersion: v1
kind: Service
metadata: {name: {{ $gateway.name }}, namespace: {{ .Release.Namespace }}, labels: {{ toJson $gateway.labels }}}
spec:
  type: LoadBalancer
  selector: {{ toJson $gateway.labels }}
  ports:
  - {name: tls, port: 15443}
"#;

impl Folder {
    /// A rendered project with so many clusters.
    pub fn new(count: usize) -> Self {
        let beside = tempfile::tempdir().expect("a folder");
        let charts = beside.path().join("charts");
        copy(&tool::root().join("tests/data/tiny-istio"), &charts);
        let file = |path: &str| charts.join("charts").join(path);
        let gateway = file("gateways/istio-ingress/templates/gateway.yaml");
        fs::write(gateway, GATEWAY).expect("a chart");
        let istiod = file("istio-control/istio-discovery/templates/istiod.yaml");
        let text = fs::read_to_string(&istiod).expect("a chart");
        let place = "kind: Deployment\nmetadata: {";
        assert!(text.contains(place), "the chart has another form now");
        let labelled = text.replace(place, &format!("{place}labels: {{app: istiod}}, "));
        fs::write(istiod, labelled).expect("a chart");

        let rows: String = (1..=count).map(|number| format!("  c{number}: {{}}\n")).collect();
        let project = Project::new(&format!(
            "apiVersion: meshgen.dev/v1alpha1\nkind: Mesh\nname: sim\nprofile: kubernetes\n\
             kubernetes: {{version: v1.33.1}}\n\
             istio: {{version: 1.30.0, charts: tiny, hub: docker.io/istio, tag: 1.30.0}}\n\
             gateways: {{egress: {{enabled: false}}}}\nclusters:\n{rows}\
             pki: {{recipients: [age1y6rzs78lvu2h57nz3awgjqak7fvt6rx33jfnkgwn6u2p2j3e4y2qvnudyp]}}\n"
        ));
        let authority = Authority::new("the API servers").identity.certificate;
        for number in 1..=count {
            let facts = json!({
                "apiVersion": "meshgen.dev/v1alpha1",
                "kind": "Facts",
                "facts": {
                    "server": format!("https://10.1.{number}.5:6443"),
                    "certificateAuthority": authority,
                    "uid": uid(&format!("c{number}")),
                },
            });
            project.write(&format!("facts/c{number}.json"), &facts.to_string());
        }
        project.run(&["lock", "-q", &format!("tiny={}", charts.display())]);
        project.make_keyring();
        project.run(&["render", "-q", "--complete"]);
        Self { project, beside, count, authority }
    }

    /// The clusters with all that the tree has for them.
    pub fn mesh(&self) -> Mesh {
        let source = resolve(&Disk::new(), self.project.path(), None).expect("a tree");
        let identity = tool::root().join("tests/example-identity.txt");
        let text = fs::read_to_string(identity).expect("an identity");
        let vault = Vault::new(Identities::parse(&text).expect("an identity"));
        let files = Files::default();
        let clusters = source.index.clusters.iter().enumerate().map(|(at, row)| {
            let wanted = Wanted::of(&source, &row.name, &files).expect("objects");
            let mut cluster = Cluster::new(at + 1, &row.name, &row.network, &uid(&row.name));
            for desired in &wanted.objects {
                let payload = vault.fill(desired, &Known).expect("it can be completed");
                cluster.applied(desired, payload.value());
            }
            cluster.live(&self.authority, &source.index.mesh, source.digest, &wanted);
            cluster
        });
        Mesh::new(clusters.collect())
    }

    /// Writes a kubeconfig for a server on a port, and gives its path.
    pub fn kubeconfig(&self, port: u16) -> String {
        let names: Vec<String> = (1..=self.count).map(|number| format!("c{number}")).collect();
        let all = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": names.iter().map(|name| json!({
                "name": name, "cluster": {"server": format!("http://127.0.0.1:{port}/{name}")},
            })).collect::<Vec<_>>(),
            "users": [{"name": "sim", "user": {}}],
            "contexts": names.iter().map(|name| json!({
                "name": name, "context": {"cluster": name, "user": "sim"},
            })).collect::<Vec<_>>(),
        });
        let path = self.beside.path().join(format!("kubeconfig-{port}"));
        fs::write(&path, all.to_string()).expect("a file");
        path.to_string_lossy().into_owned()
    }
}

fn uid(cluster: &str) -> String {
    format!("00000000-0000-4000-8000-{cluster:0>12}")
}

/// The token that the reader's account of a cluster has.
pub fn token(cluster: &str) -> String {
    format!("token-of-the-reader-of-{cluster}")
}

/// Every cluster's token is known.
struct Known;

impl Bindings for Known {
    fn value(&self, binding: &meshgen::object::Binding) -> Option<std::sync::Arc<Secret<String>>> {
        Some(std::sync::Arc::new(Secret::new(token(&binding.from.cluster))))
    }

    fn why(&self, _: &str) -> Missing {
        Missing::Later
    }
}
