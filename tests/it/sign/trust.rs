//! Whom the operator trusts.

use std::fs;

use meshgen::bundle::sign::TrustedKeys;
use meshgen::file::Disk;

use super::Keys;

#[test]
fn every_public_key_of_the_operators_folder_counts() {
    let Some(keys) = Keys::new() else { return };
    for name in ["a", "b", "c"] {
        keys.ec(name);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let project = tempfile::tempdir().expect("a folder");
    let disk = Disk::new();
    let trusted = || TrustedKeys::of_folder(&disk, folder.path(), project.path());
    assert!(trusted().expect("reads").is_empty());
    let none = folder.path().join("none");
    assert!(TrustedKeys::of_folder(&disk, &none, project.path()).expect("reads").is_empty());
    let read = |name: &str| fs::read_to_string(keys.path(name)).expect("made");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("written");
    };
    write("two.pub", &[read("a.pub"), "of b:\n".to_owned(), read("b.pub")].concat());
    write("one.pub", &read("c.pub"));
    write("README", "these are ours");
    let found: Vec<String> = trusted().expect("reads").iter().map(|one| one.key.to_pem()).collect();
    assert_eq!(found, [read("c.pub"), read("a.pub"), read("b.pub")]);
    // one that does not read stops all: nobody would know who is trusted
    for (text, expected) in [
        ("", "no public key"),
        ("-----BEGIN PUBLIC KEY-----\n", "no end line"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "public key 1 is damaged"),
        (read("a.key").as_str(), "it holds a private key"),
    ] {
        write("bad.pub", text);
        let error = trusted().expect_err(expected).to_string();
        assert!(error.contains(expected) && error.contains("bad.pub"), "{error}");
    }
}

#[test]
fn a_project_does_not_say_who_signs_it() {
    let Some(keys) = Keys::new() else { return };
    keys.ec("a");
    let project = tempfile::tempdir().expect("a folder");
    let folder = project.path().join(".config/meshgen/trusted");
    fs::create_dir_all(&folder).expect("a folder");
    fs::copy(keys.path("a.pub"), folder.join("a.pub")).expect("copied");
    let disk = Disk::new();
    let trusted = || TrustedKeys::of_folder(&disk, &folder, project.path());
    // a home without a mesh is no project
    assert!(!trusted().expect("reads").is_empty());
    fs::write(project.path().join("mesh.yaml"), "").expect("written");
    let error = trusted().expect_err("in the project").to_string();
    assert!(error.contains("lies in the project"), "{error}");
}
