//! The wrong cluster behind a context, and a mesh with another root.

use serde_json::json;

use super::{Bed, installed};
use crate::testbed::{Kubelet, shared};

#[test]
fn a_context_of_another_cluster_is_refused() {
    let Some(planes) = shared(2) else { return };
    let bed = Bed::light(&planes, "");
    let swapped = ["--context", "c1=c2", "--context", "c2=c1"];
    let with = |command: &[&'static str], contexts: &[&'static str]| -> Vec<&'static str> {
        [command, contexts].concat()
    };

    // both are empty: the CA of the facts tells
    bed.forget_audits();
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let said = bed.expect(2, &with(command, &swapped));
        said.must_have("is it another cluster?").must_have("--context c1=CONTEXT");
    }
    // also where one alone is swapped, or both lead to one
    let twice = ["--context", "c1=c1", "--context", "c2=c1"];
    let said = bed.expect(2, &with(&["apply", "--yes"], &twice));
    said.must_have("its context leads to the same cluster as that of `c1`");
    let said = bed.expect(2, &with(&["apply", "--yes", "--pin"], &twice));
    said.must_have("its context leads to the same cluster as that of `c1`");
    bed.wrote_nothing();

    let _kubelets: Vec<Kubelet> = planes.iter().map(Kubelet::start).collect();
    planes.iter().for_each(installed);
    bed.expect(0, &["apply", "--yes"]);
    bed.expect(0, &["plan"]);

    // now the inventories tell, and no flag helps
    bed.forget_audits();
    for command in [&["plan"][..], &["apply", "--yes"], &["apply", "--yes", "--pin"]] {
        let said = bed.expect(2, &with(command, &swapped));
        said.must_have("that cluster is `c2` of mesh `light`, as its inventory says");
    }
    bed.wrote_nothing();
    bed.keeps_secrets();
}

#[test]
fn a_cluster_without_a_known_ca_needs_a_pin() {
    let Some(planes) = shared(2) else { return };
    let bed = Bed::light(&planes[..1], "");
    let kubelet = Kubelet::start(&planes[0]);
    installed(&planes[0]);
    // an only cluster has no remote secret: nothing says which one it is
    bed.forget_audits();
    let said = bed.expect(2, &["apply", "--yes"]);
    said.must_have("nothing says that its context leads to the right cluster").must_have("--pin");
    bed.wrote_nothing();
    bed.expect(0, &["apply", "--yes", "--pin"]);
    // the inventory says it from now on
    bed.expect(0, &["apply"]);
    drop(kubelet);

    // an inventory that was carried into another cluster says whose it is
    let path = "/api/v1/namespaces/istio-system/configmaps";
    let source = planes[0].client().get(&format!("{path}/meshgen-inventory")).unwrap();
    planes[1].client().post("/api/v1/namespaces", &json!({"metadata": {"name": "istio-system"}}));
    let copy = json!({"metadata": {"name": "meshgen-inventory"}, "data": source["data"]});
    planes[1].client().post(path, &copy);
    bed.kubeconfig(&[planes[1].admin_kubeconfig("c1")]);
    let said = bed.expect(2, &["apply", "--yes", "--pin"]);
    said.must_have("its inventory was written for a cluster of UID");
}

#[test]
fn a_mesh_of_another_root_is_refused() {
    let Some(planes) = shared(1) else { return };
    let bed = Bed::light(&planes, "");
    let _kubelet = Kubelet::start(&planes[0]);
    installed(&planes[0]);
    let client = planes[0].client();
    let other = crate::testbed::Authority::new("another-root").identity.certificate;
    let map = json!({"metadata": {"name": "istio-ca-root-cert"}, "data": {"root-cert.pem": other}});
    let maps = "/api/v1/namespaces/istio-system/configmaps";
    client.post(maps, &map);
    bed.forget_audits();
    for command in [&["plan", "--pin"][..], &["apply", "--yes", "--pin"]] {
        let said = bed.expect(2, command);
        said.must_have("its mesh trusts another root").must_have("meshgen pki import");
        let theirs = fingerprint(&other);
        let root = bed.project.tree().object("c1/10-cacerts/secret_istio-system_cacerts.yaml");
        let ours = fingerprint(root["stringData"]["root-cert.pem"].as_str().unwrap());
        assert_ne!(ours, theirs);
        said.must_have(&ours).must_have(&theirs);
    }
    bed.wrote_nothing();

    // a bundle that holds ours, as while a root is changed, is no other root
    let root = bed.project.tree().object("c1/10-cacerts/secret_istio-system_cacerts.yaml");
    let both = format!("{other}{}", root["stringData"]["root-cert.pem"].as_str().unwrap());
    let map = json!({"metadata": {"name": "istio-ca-root-cert"}, "data": {"root-cert.pem": both}});
    client.put(&format!("{maps}/istio-ca-root-cert"), &map);
    bed.expect(1, &["plan", "--pin"]);

    // and on purpose
    let map = json!({"metadata": {"name": "istio-ca-root-cert"}, "data": {"root-cert.pem": other}});
    client.put(&format!("{maps}/istio-ca-root-cert"), &map);
    bed.expect(2, &["apply", "--pin", "--change-root"]).must_have("another root of trust in `c1`");
    bed.expect(0, &["apply", "--pin", "--change-root", "--yes"]);
}

fn fingerprint(pem: &str) -> String {
    let certificate = meshgen::pki::Certificate::one(pem).expect("a certificate");
    certificate.info().fingerprint.clone()
}
