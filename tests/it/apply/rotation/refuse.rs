//! What stands against a rotation, before anything is written.

use serde_json::json;

use super::{Mesh, OWN, SECOND, SECRETS, is_refused, secret, token};
use crate::testbed::shared;

const MERGE: &str = "application/merge-patch+json";

#[test]
fn what_stands_against_it_is_said_before_the_first_write() {
    let Some(planes) = shared(3) else { return };
    let mesh = Mesh::start(&planes);
    let bed = &mesh.bed;
    let all = ["pki", "rotate-tokens", "--yes"];
    bed.forget_audits();
    bed.expect(2, &["pki", "rotate-tokens", "c9", "--yes"])
        .must_have("the tree has no cluster `c9`");
    let said = bed.expect(2, &["pki", "rotate-tokens", "c1", "--yes", "--only", "c1"]);
    said.must_have("every peer gets the new token").must_have("meshgen retire CLUSTER --gone");

    // an istiod that cannot be asked
    mesh.readers[1].mute(true);
    let said = bed.expect(2, &["pki", "rotate-tokens", "c1", "--yes"]);
    said.must_have("c2: whether its istiods take a new token cannot be seen");
    said.must_have("failed to connect to localhost:8080").must_have("--allow-unseen");
    mesh.readers[1].mute(false);

    // a remote secret that somebody changed
    let path = format!("{SECRETS}/istio-remote-secret-c1");
    let client = planes[2].client();
    let label = |value: &str| json!({"metadata": {"labels": {"istio/multiCluster": value}}});
    client.patch(&path, MERGE, &label("no"));
    let said = bed.expect(2, &all);
    said.must_have("c3: Secret/istio-system/istio-remote-secret-c1")
        .must_have("`meshgen apply` first");
    client.patch(&path, MERGE, &label("true"));
    // it is somebody else's label now
    bed.expect(2, &all).must_have("its token aside");
    bed.expect(0, &["apply", "--yes"]);
    bed.forget_audits();

    // a Secret of that name that is another's
    let other = json!({"metadata": {"name": SECOND}, "stringData": {"a": "b"}});
    planes[0].client().post(SECRETS, &other);
    bed.expect(2, &all).must_have("somebody else made it");
    planes[0].client().delete(&format!("{SECRETS}/{SECOND}"));

    // a cluster that does not answer
    planes[2].stop_apiserver();
    let said = bed.expect(2, &["pki", "rotate-tokens", "c1", "--yes"]);
    said.must_have("nothing was changed: c3").must_have("meshgen retire CLUSTER --gone");
    planes[2].restart();
    bed.wrote_nothing();

    // without looking, if that is meant
    mesh.readers[1].mute(true);
    let old = token(&secret(&planes[0], OWN));
    let blind = ["pki", "rotate-tokens", "c1", "--yes", "--allow-unseen", "2s"];
    bed.expect(0, &blind).must_have("c1  done");
    is_refused(&planes[0], &old);
    mesh.is_whole("without looking");
    mesh.keeps_tokens();
}
