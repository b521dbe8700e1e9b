//! Real cosign at a registry: it verifies what we signed, and we what it signed.

use std::fs;

use super::{Bed, said};
use crate::registry::Registry;
use crate::tool;

#[test]
fn cosign_and_we_take_one_anothers_signatures_in_a_registry() {
    let Some(program) = tool::cosign() else { return };
    let Some(registry) = Registry::start() else { return };
    let bed = Bed::new(&[("c1", "same"), ("c2", "other")]);
    let cosign = |arguments: &[&str]| {
        let output = crate::sign::cosign::cosign(&program, bed.folder.path(), arguments);
        (output.status.success(), said(&output))
    };
    let made = cosign(&["generate-key-pair"]);
    assert!(made.0, "{}", made.1);
    fs::write(bed.path("password"), "secret").expect("written");
    bed.push(&registry.address);
    let image = format!("{}/mesh/apac@{}", registry.address, bed.digest);
    let verify = [
        "verify",
        "--key",
        "cosign.pub",
        "--insecure-ignore-tlog",
        "--allow-insecure-registry",
        &image,
    ];
    assert!(!cosign(&verify).0, "nothing is signed yet");
    let at = bed.at(&registry.address);
    let sign = ["bundle", "sign", "--key", "cosign.key", "--password-file", "password"];
    bed.run(&[&sign[..], &[&at]].concat());
    let verified = cosign(&verify);
    assert!(verified.0, "{}", verified.1);
    // and with the signature of the file beside it
    bed.run(&[&sign[..], &["one.tar"]].concat());
    bed.push(&registry.address);
    let verified = cosign(&verify);
    assert!(verified.0, "{}", verified.1);
    // the other way round, on another bundle
    let other = Bed::new(&[("c1", "third")]);
    for name in ["cosign.key", "cosign.pub"] {
        fs::copy(bed.path(name), other.path(name)).expect("copied");
    }
    other.push(&registry.address);
    let at = other.at(&registry.address);
    let diff = ["diff", &at, "project/out", "--key", "cosign.pub"];
    let text = other.fails(2, &diff);
    assert!(text.contains("there is no signature"), "{text}");
    let image = format!("{}/mesh/apac@{}", registry.address, other.digest);
    let signed = cosign(&[
        "sign",
        "--key",
        "cosign.key",
        "--use-signing-config=false",
        "--tlog-upload=false",
        "--allow-insecure-registry",
        &image,
    ]);
    assert!(signed.0, "{}", signed.1);
    let output = other.output(&diff);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    // a statement of something else by the same key is no signature
    let third = Bed::new(&[("c1", "fourth")]);
    fs::copy(bed.path("cosign.pub"), third.path("cosign.pub")).expect("copied");
    third.push(&registry.address);
    fs::write(bed.path("predicate.json"), "{}").expect("written");
    let image = format!("{}/mesh/apac@{}", registry.address, third.digest);
    let attested = cosign(&[
        "attest",
        "--key",
        "cosign.key",
        "--use-signing-config=false",
        "--tlog-upload=false",
        "--allow-insecure-registry",
        "--predicate",
        "predicate.json",
        "--type",
        "https://example.com/built",
        &image,
    ]);
    assert!(attested.0, "{}", attested.1);
    let at = third.at(&registry.address);
    let text = third.fails(2, &["diff", &at, "project/out", "--key", "cosign.pub"]);
    assert!(text.contains("there is no signature in the registry"), "{text}");
}
