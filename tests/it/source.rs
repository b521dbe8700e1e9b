//! What commands take as TREE: the view, a generation, a digest, a revision, a folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use meshgen::store::Digest;
use meshgen::tree::TreePath;
use meshgen::tree::source::{Source, SourceError, resolve};

use crate::sample::{Files, index, recording, tree, write};
use crate::tool;

fn files(mark: &str) -> Files {
    tree(&[("c1", "same"), ("c2", mark)])
}

fn open(project: &Path, text: Option<&str>) -> Result<Source, SourceError> {
    let disk = recording();
    let source = resolve(&disk, project, text);
    assert_eq!(disk.changes(), 0, "reading changes nothing, and takes no lock");
    source
}

fn path(text: &str) -> TreePath {
    text.parse().expect("a path")
}

/// The tree that a text names is `files`, to the byte.
#[track_caller]
fn assert_tree(project: &Path, text: Option<&str>, files: &Files) {
    let source = open(project, text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let rows = source.index.artifacts.iter().map(|row| {
        let bytes = source.read(&row.path).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        (row.path.to_string(), String::from_utf8(bytes).expect("UTF-8"))
    });
    assert!(rows.collect::<Files>() == *files, "{text:?}");
    assert!(matches!(source.read(&path("c1/none.yaml")), Err(SourceError::NoPath { .. })));
}

#[track_caller]
fn fails(project: &Path, text: &str) -> (String, String) {
    let error = open(project, Some(text)).expect_err(text);
    (error.to_string(), error.hint().unwrap_or_default())
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["-c", "user.name=t", "-c", "user.email=t@t"]);
    command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null");
    tool::run(&mut command, "");
}

#[test]
fn generations_digests_and_the_view() {
    let folder = crate::sample::folder();
    let project = folder.path();
    let out = project.join("out");
    assert!(matches!(open(project, None), Err(SourceError::NoIndex(_))));
    for mark in ["a", "b", "c"] {
        write(&out, &files(mark)).expect("writes");
    }
    assert_tree(project, None, &files("c"));
    assert_tree(project, Some("gen:1"), &files("a"));
    assert_tree(project, Some("gen:2"), &files("b"));
    let digest = |mark: &str| Digest::of(index("apac", &files(mark)).to_text());
    assert_tree(project, Some(&digest("b").to_string()), &files("b"));
    assert_tree(project, Some(&digest("b").to_string()[..17]), &files("b"));
    assert_eq!(open(project, None).expect("opens").digest, digest("c"));

    assert_eq!(fails(project, "gen:7").0, "there is no generation 7");
    assert!(fails(project, "gen:x").0.contains("a generation is a number"));
    assert!(fails(project, "sha256:abc").0.contains("4 to 64 hex digits"));
    assert!(fails(project, "sha256:ABCDEF").0.contains("lower case"));
    assert!(fails(project, "nowhere").0.contains("there is no such folder"));
    assert!(fails(project, "out/index.json").0.contains("it is a file"));

    // a fresh clone has the view alone
    fs::remove_dir_all(out.join("store")).expect("removes");
    assert_tree(project, Some(&digest("c").to_string()[..17]), &files("c"));
    assert!(fails(project, &digest("b").to_string()).0.starts_with("there is no tree here"));
    assert_eq!(fails(project, "gen:1").0, "there is no generation 1");
}

#[test]
fn what_the_index_does_not_vouch_for_is_not_read() {
    let folder = crate::sample::folder();
    let project = folder.path();
    let out = project.join("out");
    write(&out, &files("a")).expect("writes");
    let read = |file: &str| open(project, None).expect("opens").read(&path(file));
    let file = out.join("c1/istio-operator.yaml");
    fs::write(&file, "mine").expect("writes");
    let error = read("c1/istio-operator.yaml").expect_err("edited").to_string();
    assert!(error.contains("it holds other bytes"), "{error}");
    fs::remove_file(&file).expect("removes");
    let error = read("c1/istio-operator.yaml").expect_err("removed").to_string();
    assert!(error.contains("it is missing"), "{error}");
    symlink("../c2/istio-operator.yaml", &file).expect("links");
    let error = read("c1/istio-operator.yaml").expect_err("a symlink").to_string();
    assert!(error.contains("a symlink"), "{error}");
    let text = fs::read_to_string(out.join("index.json")).expect("reads");
    fs::write(out.join("index.json"), format!("<<<<<<< HEAD\n{text}")).expect("writes");
    let error = open(project, None).expect_err("a conflict");
    assert!(error.hint().expect("a hint").contains("meshgen render"), "{error}");
}

#[test]
fn revisions_are_read_without_a_checkout() {
    let folder = crate::sample::folder();
    let repository = folder.path();
    // the project need not be at the root of its repository
    for project in [repository.to_owned(), repository.join("sites/apac")] {
        let out = project.join("out");
        fs::create_dir_all(&project).expect("creates");
        git(repository, &["init", "-q"]);
        for mark in ["a", "b"] {
            write(&out, &files(mark)).expect("writes");
            git(repository, &["add", "-A"]);
            git(repository, &["commit", "-qm", mark]);
        }
        fs::remove_dir_all(&out).expect("removes");
        assert_tree(&project, Some("git:HEAD"), &files("b"));
        assert_tree(&project, Some("git:HEAD~1"), &files("a"));
        let (error, _) = fails(&project, "git:nowhere");
        assert_eq!(error, "git: there is no revision `nowhere`");
        for hostile in ["git:--help", "git:HEAD\nHEAD", "git:"] {
            assert!(fails(&project, hostile).0.starts_with("git: "), "{hostile}");
        }
    }
    let (error, hint) = fails(&repository.join("sites"), "git:HEAD");
    assert_eq!(error, "git:HEAD has no index.json");
    assert!(hint.contains("meshgen render"));
    let outside = crate::sample::folder();
    assert!(fails(outside.path(), "git:HEAD").0.contains("not a git repository"));
}

#[test]
fn folders_with_and_without_an_index() {
    let folder = crate::sample::folder();
    let project = folder.path();
    let other = project.join("other");
    write(&other.join("out"), &files("a")).expect("writes");
    fs::write(other.join("mesh.yaml"), "").expect("writes");
    assert_tree(project, Some("other/out"), &files("a"));
    assert_tree(project, Some("other"), &files("a"));
    assert_tree(project, Some(&other.join("out").to_string_lossy()), &files("a"));

    let plain = project.join("plain");
    let object = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\n  namespace: shop\n";
    fs::create_dir_all(plain.join("a/b")).expect("creates");
    fs::write(plain.join("a/b/secret.yaml"), object).expect("writes");
    fs::write(plain.join("a/two.yaml"), format!("{object}---\n{object}")).expect("writes");
    fs::write(plain.join(".hidden"), "x").expect("writes");
    let source = open(project, Some("plain")).expect("opens");
    let rows: Vec<_> = source
        .index
        .artifacts
        .iter()
        .map(|row| (row.path.as_str(), row.object.as_ref().map(ToString::to_string)))
        .collect();
    let named = Some("Secret/shop/app".to_owned());
    assert_eq!(rows, [("a/b/secret.yaml", named), ("a/two.yaml", None)]);
    assert_eq!(source.read(&path("a/b/secret.yaml")).expect("reads"), object.as_bytes());

    symlink("/etc", plain.join("link")).expect("links");
    assert!(fails(project, "plain").0.contains("it is a symlink"));
    fs::remove_file(plain.join("link")).expect("removes");
    fs::write(plain.join("a name.yaml"), "").expect("writes");
    assert!(fails(project, "plain").0.contains("a character outside"));
}
