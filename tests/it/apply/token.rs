//! A token that cannot be had, and a cluster whose CA is not the one of its facts.

use std::fs;

use serde_json::Value;

use super::rare::furnished;
use super::{Bed, writes};
use crate::testbed::{Authority, shared};

const SYSTEM: &str = "/api/v1/namespaces/istio-system";

fn has_remote(bed: &Bed<'_>, at: usize, of: &str) -> bool {
    let path = format!("{SYSTEM}/secrets/istio-remote-secret-{of}");
    bed.planes[at].client().get(&path).is_some()
}

#[test]
fn a_token_that_cannot_be_had_blocks_its_own_remote_secret() {
    let Some(planes) = shared(3) else { return };
    let _kubelets = furnished(&planes);
    let bed = Bed::light(&planes, "");
    planes[1].client().delete(&format!("{SYSTEM}/serviceaccounts/istio-reader-service-account"));
    let apply = ["apply", "--yes", "--timeout", "4s"];
    let said = bed.expect(3, &apply);
    for at in ["c1", "c3"] {
        said.must_have(&format!("{at}  Secret/istio-system/istio-remote-secret-c2 is held back"));
    }
    said.must_have("ServiceAccount").must_not_have("istio-remote-secret-c1 is held back");
    for (at, plane) in planes.iter().enumerate() {
        for of in ["c1", "c2", "c3"] {
            let expected = of != plane.name && of != "c2";
            assert_eq!(has_remote(&bed, at, of), expected, "{of} in {}", plane.name);
        }
        let sleep = "/apis/apps/v1/namespaces/sample/deployments/sleep";
        assert!(plane.client().get(sleep).is_some(), "{}", plane.name);
    }
    // a re-run tries again, and writes nothing else
    bed.forget_audits();
    bed.expect(3, &apply).must_have("istio-remote-secret-c2 is held back");
    for at in [0, 2] {
        let (objects, _) = writes(&planes[at]);
        assert!(objects.is_empty(), "{objects:#?}");
    }

    let account = serde_json::json!({"metadata": {"name": "istio-reader-service-account"}});
    planes[1].client().post(&format!("{SYSTEM}/serviceaccounts"), &account);
    bed.expect(0, &["apply", "--yes"]);
    assert!(has_remote(&bed, 0, "c2") && has_remote(&bed, 2, "c2"));
    bed.expect(0, &["plan"]);
    bed.keeps_secrets();
}

#[test]
fn a_ca_that_is_not_the_one_of_the_facts_holds_a_remote_secret_back() {
    let Some(planes) = shared(3) else { return };
    let _kubelets = furnished(&planes);
    let bed = Bed::light(&planes, "");
    let path = bed.project.path().join("facts/c2.json");
    let good = fs::read_to_string(&path).unwrap();
    let mut facts: Value = serde_json::from_str(&good).unwrap();
    let other = Authority::new("another").identity.certificate;
    assert!(facts["facts"]["certificateAuthority"].is_string(), "{facts}");
    facts["facts"]["certificateAuthority"] = other.into();
    fs::write(&path, facts.to_string()).unwrap();
    bed.expect(0, &["render", "-q"]);

    // it may be another cluster: that must be pinned
    bed.expect(2, &["apply", "--yes"]).must_have("is it another cluster?");
    let said = bed.expect(3, &["apply", "--yes", "--pin"]);
    said.must_have("istio-remote-secret-c2 is held back");
    said.must_have("is not the one of its facts").must_have("meshgen facts import");
    said.must_have("c2  done");
    for (at, plane) in planes.iter().enumerate() {
        for of in ["c1", "c2", "c3"] {
            let expected = of != plane.name && of != "c2";
            assert_eq!(has_remote(&bed, at, of), expected, "{of} in {}", plane.name);
        }
        let sleep = "/apis/apps/v1/namespaces/sample/deployments/sleep";
        assert!(plane.client().get(sleep).is_some(), "{}", plane.name);
    }
    // known before anything is done
    bed.forget_audits();
    bed.expect(3, &["apply", "--yes"]).must_have("istio-remote-secret-c2 is held back");
    bed.wrote_nothing();

    fs::write(&path, good).unwrap();
    bed.expect(0, &["render", "-q"]);
    bed.expect(0, &["apply", "--yes"]);
    assert!(has_remote(&bed, 0, "c2") && has_remote(&bed, 2, "c2"));
    bed.expect(0, &["plan"]);
}
