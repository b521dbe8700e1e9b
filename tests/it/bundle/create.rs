//! `bundle create`: a function of the tree, and of nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{entries, files, packed, project, run, text};
use crate::project::{Project, copy};
use crate::tool;

/// Makes a bundle under conditions of its own: umask, locale, time zone, threads.
fn under(conditions: &str, project: &Path, tree: &str, file: &Path) -> Vec<u8> {
    let script = format!(
        "{conditions} exec \"$0\" -q -C \"$1\" bundle create {tree} --out \"$2\" > /dev/null"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_meshgen")]).args([project, file]);
    tool::run(&mut command, "");
    fs::read(file).expect("reads")
}

#[test]
fn the_same_bytes_whenever_and_wherever_it_is_made() {
    let folder = crate::sample::folder();
    // rendered here, with a store and generations
    let here = Project::copy_of(tool::root());
    assert!(here.output(&["render", "-q"]).status.success());
    // a clone elsewhere: the view alone
    let clone = folder.path().join("a folder elsewhere/é");
    copy(&tool::root().join("out"), &clone.join("out"));
    let first = "umask 077; TZ=Pacific/Apia LC_ALL=tr_TR.UTF-8 RAYON_NUM_THREADS=1";
    let second = "umask 000; TZ=UTC LC_ALL=C RAYON_NUM_THREADS=7";
    let expected = under(first, here.path(), "", &folder.path().join("a.tar"));
    let tree = {
        let index = fs::read(tool::root().join("out/index.json")).expect("reads");
        meshgen::store::Digest::of(index).to_string()
    };
    let bundle = folder.path().join("a.tar").to_string_lossy().into_owned();
    let elsewhere = tool::root().join("out").to_string_lossy().into_owned();
    for (project, tree) in [
        (clone.as_path(), ""),
        (here.path(), "gen:1"),
        (here.path(), &tree),
        (here.path(), &elsewhere),
        (here.path(), &bundle),
    ] {
        let made = under(second, project, tree, &folder.path().join("b.tar"));
        assert!(made == expected, "{tree:?}");
    }
}

#[test]
fn keys_and_facts_stay_at_home() {
    let folder = crate::sample::folder();
    let project = Project::copy_of(tool::root());
    assert!(project.output(&["render", "-q"]).status.success());
    let file = folder.path().join("a.tar");
    project.run(&["bundle", "create", "--out", file.to_str().expect("text")]);
    let bytes = fs::read(&file).expect("reads");
    let names: Vec<String> = entries(&bytes).into_iter().map(|entry| entry.name).collect();
    for kept in ["pki", "facts", "profiles", "mesh.yaml"] {
        for (path, content) in crate::project::files(&project.path().join(kept)) {
            let digest = meshgen::store::Digest::of(&content).hex();
            let held = names.iter().any(|name| name.ends_with(&digest));
            assert!(!held, "{kept}/{path} is inside");
        }
    }
    // the root's sealed key is in nothing that is
    let root = fs::read_to_string(project.path().join("pki/root.yaml")).expect("reads");
    let sealed = root.lines().find_map(|line| line.trim().strip_prefix("ca-key.pem: \"ENC["));
    let sealed = &sealed.expect("a sealed key")[..60];
    assert!(!text(&bytes).contains(sealed));
    let sealed = text(&bytes).matches("ca-key.pem: \"ENC[").count();
    assert_eq!(sealed, 2, "the intermediates' keys, sealed");
}

#[test]
fn a_key_in_clear_is_refused() {
    let folder = crate::sample::folder();
    for key in ["-----BEGIN EC PRIVATE KEY-----\nMHc\n", "AGE-SECRET-KEY-1QQQ"] {
        let mut files = files("a");
        files.insert("c1/10-cacerts/ca.yaml".to_owned(), format!("key: {key}\n"));
        let project = project(folder.path(), "secret", &files);
        let file = folder.path().join("a.tar");
        let output = run(&project, &["bundle", "create", "--out", file.to_str().expect("text")]);
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains("c1/10-cacerts/ca.yaml") && said.contains("in clear"), "{said}");
        assert!(!said.contains("MHc") && !said.contains("1QQQ"));
        assert!(!file.exists());
        fs::remove_dir_all(project).expect("removes");
    }
}

/// As Kubernetes has it: the data of a Secret is base64.
#[test]
fn a_key_in_a_secret_that_nobody_sealed_is_refused() {
    use base64::Engine as _;
    let folder = crate::sample::folder();
    let key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n";
    let key = base64::engine::general_purpose::STANDARD.encode(key);
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: cacerts\n";
    let (first, rest) = key.split_at(30);
    for data in
        [format!("data:\n  k: {key}\n"), format!("data:\n  k: |\n    {first}\n    {rest}\n")]
    {
        let path = "c1/10-cacerts/ca.yaml";
        let (mut files, mut index) = (files("a"), String::new());
        files.insert(path.to_owned(), format!("{secret}{data}"));
        let project = project(folder.path(), "secret", &files);
        let table = project.join("out/index.json");
        // what the tree says of it decides how it is read
        for line in fs::read_to_string(&table).expect("reads").lines() {
            let object =
                r#", "object": {"apiVersion": "v1", "kind": "Secret", "name": "cacerts"}}"#;
            let is_it = line.contains(path);
            let line = if is_it { line.replacen('}', object, 1) } else { line.to_owned() };
            index.push_str(&format!("{line}\n"));
        }
        fs::write(&table, index).expect("writes");
        let file = folder.path().join("a.tar");
        let refused = |expected: &str| {
            let name = file.to_str().expect("text");
            let output = run(&project, &["bundle", "create", "--out", name]);
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{said}");
            assert!(said.contains(path) && said.contains(expected), "{said}");
            assert!(!file.exists());
        };
        refused("in clear");
        // no reader would take it: the writer says so first
        let index = fs::read_to_string(&table).expect("reads");
        fs::write(&table, index.replace(r#""name": "cacerts""#, r#""name": "other""#))
            .expect("writes");
        refused("does not hold");
        fs::remove_dir_all(project).expect("removes");
    }
}

#[test]
fn a_name_as_long_as_a_disk_takes_it_is_taken() {
    let folder = crate::sample::folder();
    let project = project(folder.path(), "a", &files("a"));
    for name in ["n".repeat(255), "ü".repeat(127)] {
        let file = folder.path().join(&name);
        let output = run(&project, &["bundle", "create", "--out", file.to_str().expect("text")]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(super::open(&file).is_ok());
    }
}

#[test]
fn what_is_incomplete_is_said_and_with_complete_refused() {
    let folder = crate::sample::folder();
    let file = folder.path().join("a.tar");
    let name = file.to_str().expect("text");
    let root = tool::root();
    let refused = run(root, &["bundle", "create", "--complete", "--out", name]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("example facts: apply will refuse c1, c2"));
    assert!(!file.exists());
    let output = run(root, &["bundle", "create", "--out", name, "-o", "json"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("example facts: apply will refuse c1, c2"));
    let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(value["examples"], serde_json::json!(["c1", "c2"]));
    assert_eq!(value["files"], 25);
    let bytes = fs::read(&file).expect("reads");
    assert_eq!(value["file"], meshgen::store::Digest::of(&bytes).to_string());
    let index = fs::read(root.join("out/index.json")).expect("reads");
    assert_eq!(value["tree"], meshgen::store::Digest::of(index).to_string());

    let golden = root.join("tests/golden/missing-facts");
    let output = run(&golden, &["bundle", "create", "--out", name]);
    let said = text(&output.stderr);
    assert!(said.contains("not inside, because they wait for facts: "), "{said}");
    let bytes = fs::read(&file).expect("reads");
    assert!(text(&bytes[512..2048]).contains("files wait for facts and are not inside"));
}

#[test]
fn an_edit_by_hand_is_refused_and_so_is_a_folder_in_its_place() {
    let folder = crate::sample::folder();
    let (file, bytes) = packed(folder.path(), "a");
    let project = folder.path().join("a");
    let name = file.to_str().expect("text");
    fs::write(project.join("out/c1/istio-operator.yaml"), "edited").expect("writes");
    let output = run(&project, &["bundle", "create", "--out", name]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("c1/istio-operator.yaml"));
    assert!(fs::read(&file).expect("reads") == bytes, "what stood there stands there");
    // the store has it whole
    assert_eq!(run(&project, &["bundle", "create", "gen:1", "--out", name]).status.code(), Some(0));
    assert!(fs::read(&file).expect("reads") == bytes);
    let place = folder.path().join("folder");
    fs::create_dir(&place).expect("creates");
    let place = place.to_str().expect("text");
    let output = run(&project, &["bundle", "create", "gen:1", "--out", place]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is a folder, not a file"));
    let plain = folder.path().join("plain");
    fs::create_dir(&plain).expect("creates");
    fs::write(plain.join("a.yaml"), "a: b").expect("writes");
    let output = run(&project, &["bundle", "create", plain.to_str().expect("text"), "--out", name]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("names no cluster"));
}
