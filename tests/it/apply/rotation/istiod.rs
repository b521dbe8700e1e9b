//! The same with Istio's own istiod: what [`Reader`](crate::testbed::Reader) stands in for.

use std::time::Instant;

use serde_json::json;

use super::{OWN, is_refused, rare, remote, secret, token, until};
use crate::testbed::{Pilot, shared};
use crate::tool;

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

#[test]
fn istiods_take_the_new_tokens() {
    let Some(program) = tool::pilot() else { return };
    let Some(planes) = shared(2) else { return };
    let (bed, _kubelets) = rare::applied(&planes);
    for plane in planes.iter() {
        // of istiod's chart, which this tree does not bring
        let binding = json!({
            "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{
                "kind": "ServiceAccount", "namespace": "istio-system",
                "name": "istio-reader-service-account",
            }],
        });
        plane.client().post(&format!("{RBAC}/clusterrolebindings"), &binding);
    }
    let pilots: Vec<Pilot> = planes.iter().map(|plane| Pilot::start(&program, plane)).collect();
    let old: Vec<String> = planes.iter().map(|plane| token(&secret(plane, OWN))).collect();

    let started = Instant::now();
    bed.expect(0, &["pki", "rotate-tokens", "--yes"]);
    let seconds = started.elapsed().as_secs_f64();
    tool::announce(&format!("measured: two tokens made anew under two istiods: {seconds:.1} s"));
    for (at, of) in [(0, "c2"), (1, "c1")] {
        let plane = planes.iter().find(|plane| plane.name == of).unwrap();
        assert_eq!(remote(&planes[at], of), Some(token(&secret(plane, OWN))));
    }
    for (plane, old) in planes.iter().zip(&old) {
        is_refused(plane, old);
    }

    // a token ends under its hands, and it says the same as before: that is why it is asked for more
    let plane = &planes[0];
    let last = token(&secret(plane, OWN));
    plane.client().delete(&format!("{}/{OWN}", super::SECRETS));
    is_refused(plane, &last);
    assert_eq!(pilots[1].says_of("c1").as_deref(), Some("synced"));
    until("an apply makes it anew", || bed.output(&["apply", "--yes"]).status.success());
    bed.expect(0, &["pki", "rotate-tokens", "--yes"]);
    bed.keeps_secrets();
}
