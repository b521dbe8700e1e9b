//! Real cosign: it takes our signatures, and we take its.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use meshgen::bundle::sign::{SigningKey, TrustedKeys, sign_file, verify_file};
use meshgen::file::Disk;
use meshgen::pki::Secret;
use meshgen::store::Digest;

use crate::tool;

/// Runs cosign with a password, in a folder that is its home too.
pub fn cosign(program: &Path, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments);
    command.env("COSIGN_PASSWORD", "secret").env("HOME", folder);
    tool::output(&mut command, "")
}

#[test]
fn a_file_that_we_signed_is_verified_by_cosign_and_the_other_way_round() {
    let Some(program) = tool::cosign() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let run = |arguments: &[&str]| {
        let output = cosign(&program, folder.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    };
    run(&["generate-key-pair"]);
    fs::write(path("file.tar"), "what was reviewed\n").expect("written");
    let digest = Digest::of("what was reviewed\n");
    let text = fs::read_to_string(path("cosign.key")).expect("made");
    let key = SigningKey::from_pem(&text, Some(&Secret::new(b"secret".to_vec()))).expect("opens");
    let signature = "file.tar.sigstore.json";
    fs::write(path(signature), sign_file(&key, &digest).expect("signs")).expect("written");
    let verify: [&str; 7] = [
        "verify-blob",
        "--key",
        "cosign.pub",
        "--bundle",
        signature,
        "--insecure-ignore-tlog",
        "file.tar",
    ];
    let said = run(&verify);
    assert!(said.contains("Verified OK"), "{said}");
    fs::write(path("file.tar"), "what was changed\n").expect("written");
    assert!(!cosign(&program, folder.path(), &verify).status.success());
    // and its own
    fs::remove_file(path(signature)).expect("removed");
    let sign = ["sign-blob", "--key", "cosign.key", "--use-signing-config=false"];
    let rest = ["--tlog-upload=false", "--bundle", signature, "--yes", "file.tar"];
    run(&[sign.as_slice(), &rest].concat());
    let keys = TrustedKeys::of_files(&Disk::new(), &[path("cosign.pub")]).expect("a key");
    let bytes = fs::read(path(signature)).expect("made");
    verify_file(&bytes, &Digest::of("what was changed\n"), &keys).expect("verifies");
    assert!(verify_file(&bytes, &digest, &keys).is_err());
}
