//! The remote secret equals what `istioctl create-remote-secret` prints for the same server, CA and
//! token, once its placeholder is filled. `remotesecret` is istioctl's own command on a client that
//! holds the reader account and its token in memory.

use std::process::Command;

use meshgen::yaml::{self, Schema};
use serde_json::{Value, json};

use crate::project::{Project, Tree};
use crate::tool;

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl-_A";

/// What istioctl prints.
fn istioctl(cluster: &str, server: &str, ca: &str) -> Option<Value> {
    let program = tool::path("remotesecret")?;
    let request = json!({
        "cluster": cluster, "server": server, "ca": ca, "token": TOKEN, "namespace": "istio-system",
        "secret": "istio-reader-service-account-istio-remote-secret-token", "minor": "28",
    });
    let text = tool::run(&mut Command::new(program), &request.to_string());
    let mut documents = yaml::documents(&text, Schema::Go).expect("istioctl prints YAML");
    documents.retain(|document| !document.is_null());
    assert_eq!(documents.len(), 1, "one Secret:\n{text}");
    documents.pop()
}

/// The rendered object with each binding's placeholder filled, as apply does.
fn filled(tree: &Tree, row: &Value) -> Value {
    let mut object = tree.object(row["path"].as_str().expect("a path"));
    let bindings = row["bindings"].as_array().expect("a remote secret has a binding");
    assert_eq!(bindings.len(), 1);
    let field = bindings[0]["field"].as_str().expect("a pointer");
    let placeholder = bindings[0]["placeholder"].as_str().expect("a placeholder");
    let slot = object.pointer_mut(field).expect("the binding's field is there");
    let text = slot.as_str().expect("the binding's field is a string");
    assert_eq!(text.matches(placeholder).count(), 1, "the placeholder stands once:\n{text}");
    *slot = text.replace(placeholder, TOKEN).into();
    object
}

#[test]
fn remote_secrets_of_the_reference_job_equal_istioctls() {
    let tree = Tree::committed();
    let rows = tree.rows(|path| path.starts_with("remote-secrets/"));
    assert_eq!(rows.len(), 2, "one a cluster");
    for (row, cluster) in rows.iter().zip(["c1", "c2"]) {
        assert_eq!(row["path"], format!("remote-secrets/{cluster}.yaml"));
        assert_eq!(row["targets"], json!({"except": [cluster]}));
        assert_eq!(
            row["bindings"][0]["from"],
            json!({
                "cluster": cluster, "key": "token",
                "secret": "istio-system/istio-reader-service-account-istio-remote-secret-token",
            })
        );
        let facts = std::fs::read_to_string(tool::root().join(format!("facts/{cluster}.json")));
        let facts: Value = serde_json::from_str(&facts.expect("facts")).expect("facts are JSON");
        let text = |name: &str| facts["facts"][name].as_str().expect("a fact").to_owned();
        let Some(expected) = istioctl(cluster, &text("server"), &text("certificateAuthority"))
        else {
            return;
        };
        assert_eq!(filled(&tree, row), expected, "{cluster}");
    }
}

/// The token's Secret is one that istioctl takes: it finds the account's, and makes none of its own.
#[test]
fn istioctl_would_use_the_token_secret_of_the_reference_job() {
    let tree = Tree::committed();
    for cluster in tree.clusters() {
        let rows = tree.rows(|path| path.starts_with(&format!("{cluster}/55-tokens/")));
        assert_eq!(rows.len(), 1);
        let object = tree.object(rows[0]["path"].as_str().expect("a path"));
        assert_eq!(
            object,
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
                "metadata": {
                    "name": "istio-reader-service-account-istio-remote-secret-token",
                    "namespace": "istio-system",
                    "annotations": {"kubernetes.io/service-account.name": "istio-reader-service-account"},
                },
            })
        );
    }
}

/// Names that YAML takes for something else than a string, and servers of other shapes.
#[test]
fn remote_secrets_of_odd_clusters_equal_istioctls() {
    let names = [
        "on",
        "0x1f",
        "1e3",
        "123",
        "null",
        "y",
        "0b1",
        "1-2",
        "no",
        "c-1",
        "0o7",
        "12345678901234567890",
    ];
    let (_, recipient) = meshgen::pki::new_identity();
    let mut mesh = format!(
        "apiVersion: meshgen.dev/v1alpha1\nkind: Mesh\nname: odd\nprofile: kubernetes\n\
         pki: {{recipients: [{}]}}\n\
         kubernetes: {{version: v1.28.2}}\nistio: {{version: 1.20.2}}\nclusters:\n",
        recipient.as_str(),
    );
    for (index, name) in names.iter().enumerate() {
        mesh += &format!(
            "  \"{name}\": {{vcn: 10.{index}.0.0/16, pods: 10.{}.0.0/16, services: 10.{}.0.0/16}}\n",
            index + 50,
            index + 100,
        );
    }
    let project = Project::new(&mesh);
    let ca = std::fs::read_to_string(tool::root().join("facts/c1.json")).expect("facts");
    let ca: Value = serde_json::from_str(&ca).expect("facts are JSON");
    let ca = ca["facts"]["certificateAuthority"].as_str().expect("a certificate");
    for (index, name) in names.iter().enumerate() {
        let server = server(index);
        let facts = json!({
            "apiVersion": "meshgen.dev/v1alpha1", "kind": "Facts",
            "facts": {"server": server, "certificateAuthority": ca},
        });
        project.write(&format!("facts/{name}.json"), &facts.to_string());
    }
    project.make_keyring();
    project.run(&["render"]);
    let tree = project.tree();
    for (index, name) in names.iter().enumerate() {
        let rows = tree.rows(|path| path == format!("remote-secrets/{name}.yaml"));
        assert_eq!(rows.len(), 1, "{name}");
        let Some(expected) = istioctl(name, &server(index), ca) else { return };
        assert_eq!(filled(&tree, &rows[0]), expected, "{name}");
    }
}

/// Addresses, names, and both kinds of IP; no two clusters have one server.
fn server(index: usize) -> String {
    match index % 3 {
        0 => format!("https://10.1.0.{index}:6443"),
        1 => format!("https://api-{index}.example.com"),
        _ => format!("https://[2001:db8::{index}]:6443"),
    }
}
