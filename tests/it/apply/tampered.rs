//! Trees that must not be applied.

use std::fs;

use meshgen::pki;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::handmade::Handmade;
use super::{Bed, installed};
use crate::testbed::shared;

const CACERTS: &str = "c1/10-cacerts/secret_istio-system_cacerts.yaml";

/// The text of a PEM block of `stringData`, as it stands in the file.
fn block(text: &str, key: &str) -> String {
    let start = text.find(&format!("  {key}: |")).unwrap_or_else(|| panic!("{key}: {text}"));
    let rest = &text[start..];
    let begin = rest.find("-----BEGIN").unwrap();
    let end = rest.find("-----END").unwrap();
    rest[begin..end].to_owned()
}

#[test]
fn exchanged_certificates_are_refused() {
    let Some(planes) = shared(2) else { return };
    planes.iter().for_each(installed);
    let bed = Bed::light(&planes, "");
    bed.forget_audits();

    // edited where it stands
    let view = bed.project.tree().file(CACERTS);
    let good = fs::read_to_string(&view).unwrap();
    let other = bed.project.tree().text("c2/10-cacerts/secret_istio-system_cacerts.yaml");
    let (ours, theirs) = (block(&good, "ca-cert.pem"), block(&other, "ca-cert.pem"));
    assert_ne!(ours, theirs);
    let exchanged = good.replace(&ours, &theirs);
    fs::write(&view, &exchanged).unwrap();
    bed.expect(2, &["apply", "--yes"]).must_have(CACERTS);
    fs::write(&view, &good).unwrap();

    // with an index that says so too
    let tree = Handmade::of(&bed);
    tree.replace(CACERTS, &exchanged);
    for command in ["plan", "apply"] {
        let arguments = [command, tree.name(), "--pin"];
        let said = bed.expect(2, &arguments);
        said.must_have("Secret/istio-system/cacerts").must_have("c1").must_not_have("c2: ");
    }
    bed.expect(2, &["apply", tree.name(), "--pin", "--yes"]).must_have("cacerts");

    // a file that the index does not know
    let tree = Handmade::of(&bed);
    fs::write(std::path::Path::new(tree.name()).join(CACERTS), &exchanged).unwrap();
    bed.expect(2, &["apply", tree.name(), "--yes"]).must_have(CACERTS);
    bed.wrote_nothing();
}

#[test]
fn certificates_out_of_date_are_refused() {
    let Some(planes) = shared(1) else { return };
    planes.iter().for_each(installed);
    let bed = Bed::light(&planes, "");
    let day = Duration::days(1);
    for (past, word) in [(-day * 3, "has expired"), (day * 3, "is not valid yet")] {
        let now = OffsetDateTime::now_utc() + past;
        let root = bed.project.path().join("pki");
        fs::remove_dir_all(&root).unwrap();
        let text = fs::read_to_string(bed.project.path().join("mesh.yaml")).unwrap();
        if !text.contains("root: {days") {
            let short = text.replace("pki: {", "pki: {root: {days: 2}, days: 1, ");
            bed.project.write("mesh.yaml", &short);
        }
        make_keyring(&bed, now);
        bed.expect(0, &["render", "-q"]);
        bed.forget_audits();
        for command in [&["plan"][..], &["apply", "--yes"]] {
            let said = bed.expect(2, &[command, &["--pin"]].concat());
            said.must_have(word).must_have("meshgen pki");
        }
        bed.wrote_nothing();
    }
}

/// A keyring as `pki init` makes it, at another instant.
fn make_keyring(bed: &Bed<'_>, now: OffsetDateTime) {
    let disk = meshgen::file::Disk::new();
    let prepared = meshgen::prepare(&disk, bed.project.path(), &meshgen::inputs::NoMemory, "test");
    let Some(project) = prepared.project else {
        panic!("{}", meshgen::diag::draw(&prepared.diagnostics, &prepared.sources, false))
    };
    let policy = meshgen::inputs::policy(&project.inputs.mesh);
    let nobody = pki::Identities::default();
    let made = pki::init(&pki::Keyring::default(), &policy, now, &nobody).expect("a keyring");
    for file in made.files {
        bed.project.write(&file.path, &file.text);
    }
}

#[test]
fn examples_and_what_waits_for_facts_are_refused() {
    let Some(planes) = shared(2) else { return };
    let _kubelets = super::rare::furnished(&planes);
    let bed = Bed::light(&planes, "");
    let path = bed.project.path().join("facts/c2.json");
    let good = fs::read_to_string(&path).unwrap();

    // made-up facts
    let mut facts: Value = serde_json::from_str(&good).unwrap();
    facts["example"] = Value::Bool(true);
    fs::write(&path, facts.to_string()).unwrap();
    bed.expect(0, &["render", "-q"]);
    bed.forget_audits();
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let said = bed.expect(2, command);
        said.must_have("c2: its facts are made up").must_have("meshgen facts import --cluster c2");
        said.must_not_have("c1: its facts");
    }
    bed.wrote_nothing();

    // an object of a cluster's own that waits for facts
    fs::write(&path, &good).unwrap();
    bed.expect(0, &["render", "-q"]);
    let tree = Handmade::of(&bed);
    let mut index: Value = serde_json::from_str(&tree.text("index.json")).unwrap();
    let row = serde_json::json!({
        "path": "c2/40-gateways/service_istio-system_gateway.yaml", "needs": ["facts.c2.subnet"],
        "stage": "40-gateways", "targets": ["c2"],
        "object": {"apiVersion": "v1", "kind": "Service", "namespace": "istio-system", "name": "gateway"},
    });
    index["pending"].as_array_mut().unwrap().push(row);
    fs::write(std::path::Path::new(tree.name()).join("index.json"), index.to_string()).unwrap();
    let said = bed.expect(2, &["apply", tree.name(), "--yes"]);
    said.must_have("c2: ").must_have("facts.c2.subnet").must_have("meshgen facts import");
    said.must_not_have("c1: ");
    bed.wrote_nothing();

    // a remote secret that waits stops nothing but itself
    fs::remove_file(&path).unwrap();
    bed.expect(0, &["render", "-q"]);
    let said = bed.expect(3, &["apply", "--yes", "--pin"]);
    said.must_have("istio-remote-secret-c2 is held back").must_have("facts.c2.server");
    let secrets = "/api/v1/namespaces/istio-system/secrets/istio-remote-secret";
    assert!(planes[1].client().get(&format!("{secrets}-c1")).is_some());
    assert!(planes[0].client().get(&format!("{secrets}-c2")).is_none());
    fs::write(&path, &good).unwrap();
    bed.expect(0, &["render", "-q"]);
    bed.expect(0, &["apply", "--yes"]);
    assert!(planes[0].client().get(&format!("{secrets}-c2")).is_some());

    // and one that is out already stays while its facts are missing
    fs::remove_file(&path).unwrap();
    bed.expect(0, &["render", "-q"]);
    bed.forget_audits();
    bed.expect(3, &["apply", "--yes"]).must_have("istio-remote-secret-c2 is held back");
    assert!(planes[0].client().get(&format!("{secrets}-c2")).is_some());
}
