//! A tree without a control plane.

use super::rare::furnished;
use super::{Bed, writes};
use crate::testbed::{Kubelet, shared};

const SYSTEM: &str = "/api/v1/namespaces/istio-system";

#[test]
fn a_tree_without_a_control_plane_waits_for_one() {
    let Some(planes) = shared(2) else { return };
    let bed = Bed::light(&planes, "");
    // one has an istiod that is not ready, and one has none
    super::installed(&planes[1]);
    for _ in 0..2 {
        bed.forget_audits();
        let said = bed.expect(3, &["apply", "--yes"]);
        for name in ["c1", "c2"] {
            said.must_have(&format!("{name}  waits for istiod"));
            said.must_have(&format!("`istioctl install -f out/{name}/istio-operator.yaml`"));
        }
    }
    for plane in planes.iter() {
        let client = plane.client();
        assert!(client.get(&format!("{SYSTEM}/secrets/cacerts")).is_some());
        assert!(client.get("/api/v1/namespaces/sample").is_some());
        let secrets: Vec<String> = client
            .list(&format!("{SYSTEM}/secrets"))
            .iter()
            .map(|secret| secret["metadata"]["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(secrets, ["cacerts"]);
        assert!(client.get("/api/v1/namespaces/sample/services/sleep").is_none());
        let (objects, _) = writes(plane);
        assert!(objects.is_empty(), "the second time: {objects:#?}");
    }
    let value: serde_json::Value =
        serde_json::from_str(&bed.expect(3, &["apply", "-o", "json"]).out).unwrap();
    assert_eq!(value["clusters"][0]["outcome"], "needsControlPlane");
    bed.expect(1, &["status"]).must_have("not finished");

    // one gets a control plane: it goes on, but for the remote secret of the other
    let kubelet = furnished(&planes[1..]);
    let said = bed.expect(3, &["apply", "--yes"]);
    said.must_have("c1  waits for istiod").must_have("c2  done");
    said.must_have("Secret/istio-system/istio-remote-secret-c1 is held back");
    assert!(planes[1].client().get("/api/v1/namespaces/sample/services/sleep").is_some());

    let _kubelets: (Vec<Kubelet>, Vec<Kubelet>) = (furnished(&planes[..1]), kubelet);
    bed.expect(0, &["apply", "--yes"]);
    for (at, of) in [(0, "c2"), (1, "c1")] {
        let path = format!("{SYSTEM}/secrets/istio-remote-secret-{of}");
        assert!(planes[at].client().get(&path).is_some());
    }
    bed.expect(0, &["plan"]);
    bed.expect(0, &["status"]);
    bed.keeps_secrets();
}
