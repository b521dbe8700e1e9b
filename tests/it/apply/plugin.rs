//! Kubeconfigs whose users are exec plugins.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use meshgen::yaml::{self, Schema};
use serde_json::{Value, json};

use super::rare::furnished;
use super::{Bed, json_of};
use crate::testbed::{ControlPlane, shared};

const CANARY: &str = "eyJhbGciOiJSUzI1NiJ9.canary.of-a-plugin";

/// A script that can be run.
fn script(bed: &Bed<'_>, name: &str, text: &str) -> String {
    let path = bed.file(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// An administrator's kubeconfig, as JSON.
fn admin(plane: &ControlPlane) -> Value {
    yaml::document(&plane.admin_kubeconfig(&plane.name), Schema::Strict).unwrap()
}

/// A kubeconfig whose user is what a command says.
fn with_plugin(plane: &ControlPlane, command: &str, arguments: &[&str]) -> String {
    let mut config = admin(plane);
    config["users"][0]["user"] = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": arguments,
        "interactiveMode": "IfAvailable", "installHint": "it comes with the cloud",
    }});
    config.to_string()
}

/// The text of PEM in a kubeconfig.
fn pem(user: &Value, key: &str) -> String {
    use base64::Engine as _;
    let text = user[key].as_str().unwrap_or_else(|| panic!("{key}"));
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn credentials_come_from_plugins() {
    let Some(planes) = shared(2) else { return };
    let _kubelets = furnished(&planes);
    let bed = Bed::light(&planes, "");
    // one gives a certificate
    let config = admin(&planes[0]);
    let user = &config["users"][0]["user"];
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {
            "clientCertificateData": pem(user, "client-certificate-data"),
            "clientKeyData": pem(user, "client-key-data"),
        },
    });
    fs::write(bed.file("certificate.json"), credential.to_string()).unwrap();
    let runs = bed.file("runs");
    let certificate = script(
        &bed,
        "certificate",
        &format!("echo \"$1\" >>{runs}\ncat {}", bed.file("certificate.json")),
    );
    // and one a token, which it makes only where it is run with its arguments
    let client = planes[1].client();
    client.post(
        "/api/v1/namespaces/default/serviceaccounts",
        &json!({"metadata": {"name": "robot"}}),
    );
    let binding = json!({
        "metadata": {"name": "robot"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": "default"}],
    });
    client.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding);
    let asked =
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let tokens = "/api/v1/namespaces/default/serviceaccounts/robot/token";
    let token = client.post(tokens, &asked)["status"]["token"].as_str().unwrap().to_owned();
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": token},
    });
    fs::write(bed.file("token.json"), credential.to_string()).unwrap();
    let logins = bed.file("logins");
    let text = format!(
        "test \"$1\" = generate-token || exit 9\necho login >>{logins}\ncat {}",
        bed.file("token.json")
    );
    let token_plugin = script(&bed, "token", &text);

    bed.kubeconfig(&[
        with_plugin(&planes[0], &certificate, &["generate-token"]),
        with_plugin(&planes[1], &token_plugin, &["generate-token"]),
    ]);
    bed.expect(0, &["apply", "--yes"]);
    let ran = fs::read_to_string(&runs).unwrap();
    assert!(ran.lines().count() <= 4, "not at every request: {ran}");
    let count = || fs::read_to_string(&logins).unwrap().lines().count();
    assert_eq!(count(), 1, "people may have to log in each time");
    bed.expect(0, &["plan"]);
    bed.expect(0, &["status"]);
    // one that expires is asked for again
    let mut expired = credential;
    expired["status"]["expirationTimestamp"] = json!("2020-01-01T00:00:00Z");
    fs::write(bed.file("token.json"), expired.to_string()).unwrap();
    let before = count();
    bed.expect(0, &["plan"]);
    let after = count();
    assert!(after > before + 1, "{before}, then {after}");
    for (what, said) in bed.said.lock().unwrap().iter() {
        assert!(!said.contains(&token), "{what}");
    }
}

#[test]
fn a_plugin_that_fails_is_named_and_not_quoted() {
    let Some(planes) = shared(2) else { return };
    let bed = Bed::light(&planes, "");
    let fails = script(&bed, "fails", &format!("echo '{CANARY}'; echo '{CANARY}' >&2; exit 7"));
    let empty = script(&bed, "empty", &format!("echo '{{\"token\": \"{CANARY}\"}}'"));
    let garbage = script(&bed, "garbage", &format!("echo '{CANARY}'"));
    let old = script(
        &bed,
        "old",
        &format!(
            "echo '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\
             \"status\":{{\"clientCertificateData\":\"{CANARY}\",\"clientKeyData\":\"{CANARY}\"}}}}'"
        ),
    );
    let missing = bed.file("no-such-plugin");
    bed.forget_audits();
    for (plugin, name) in [
        (&fails, "`fails`"),
        (&empty, "`empty`"),
        (&garbage, "`garbage`"),
        (&old, ""),
        (&missing, "no-such-plugin"),
    ] {
        let other = planes[1].admin_kubeconfig("c2");
        bed.kubeconfig(&[with_plugin(&planes[0], plugin, &["--secret", CANARY]), other]);
        for command in [&["apply", "--yes"][..], &["apply", "--yes", "--only", "c1"]] {
            let said = bed.expect(2, command);
            said.must_have("c1").must_not_have("canary");
            let short = Path::new(plugin).file_name().unwrap().to_string_lossy();
            assert!(name.is_empty() || said.has(&short), "{name}: {}", said.err);
        }
        let said = bed.expect(3, &["plan"]);
        said.must_not_have("canary").must_have("c2");
        let value = json_of(&bed.expect(3, &["status", "-o", "json"]).out);
        assert!(value["clusters"][0]["error"].is_string(), "{value}");
        assert!(value["clusters"][1]["error"].is_null(), "{value}");
    }
    bed.wrote_nothing();
    for (what, said) in bed.said.lock().unwrap().iter() {
        assert!(!said.contains("canary"), "{what}: {said}");
    }
}
