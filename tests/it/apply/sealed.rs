//! Who has no age identity, and who has another.

use std::fs;

use super::{Bed, installed};
use crate::testbed::{Kubelet, shared};

#[test]
fn without_an_identity_nothing_is_begun() {
    let Some(planes) = shared(2) else { return };
    let bed = Bed::light(&planes, "");
    let _kubelets: Vec<Kubelet> = planes.iter().map(Kubelet::start).collect();
    planes.iter().for_each(installed);
    let other = bed.file("other-identity.txt");
    let (text, _) = meshgen::pki::new_identity();
    fs::write(&other, text.expose()).unwrap();
    let secret = text.expose().lines().find(|line| line.starts_with("AGE-SECRET")).unwrap();

    bed.forget_audits();
    for identity in [None, Some(other.as_str())] {
        for command in [&["plan"][..], &["apply", "--yes"]] {
            let said = bed.expect_opened(2, identity, command);
            said.must_have("Secret/istio-system/cacerts").must_have("--identity FILE");
            said.must_not_have(secret);
        }
    }
    bed.wrote_nothing();
    bed.expect(0, &["apply", "--yes"]);

    // that all is equal can be seen without one, and a change beside it goes out
    bed.forget_audits();
    bed.expect_opened(0, None, &["plan"]).must_have("nothing to do");
    bed.expect_opened(0, None, &["apply"]).must_have("unchanged");
    bed.wrote_nothing();
    planes[0].client().delete("/api/v1/namespaces/sample/services/sleep");
    bed.expect_opened(0, None, &["apply"]).must_have("c1  done, 1 object written");
    // but not a key that somebody changed
    planes[0].client().delete("/api/v1/namespaces/istio-system/secrets/cacerts");
    bed.expect_opened(2, None, &["apply"]).must_have("--identity FILE");
    bed.expect(0, &["apply"]);
    bed.keeps_secrets();
}
