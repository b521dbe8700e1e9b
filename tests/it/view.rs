//! The view: what a write brings in, what it refuses, and what it leaves alone.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use meshgen::file::Disk;
use meshgen::tree::view::{self, Comparison, Differs, Edit, Happened, Options, ViewError, Writer};

use crate::sample::{
    Files, assert_view, copy, expected, index, record, tree, view, write, write_with,
};

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    (folder, out)
}

fn three(mark: &str) -> Files {
    tree(&[("c1", "same"), ("c2", mark), ("c3", "same")])
}

fn edit(path: &str, happened: Happened) -> Edit {
    Edit { path: path.to_owned(), happened }
}

/// The edits that stop a write; it must have changed nothing.
fn edits(out: &Path, files: &Files) -> Vec<Edit> {
    let before = view(out);
    match write(out, files) {
        Err(ViewError::Edits(edits)) => {
            assert_eq!(view(out), before);
            edits
        }
        other => panic!("{other:?}"),
    }
}

const OVERWRITE: Options = Options { overwrite_edits: true, allow_other_mesh: false };

#[test]
fn a_tree_comes_in_changes_and_goes() {
    let (_folder, out) = folder();
    let first = write(&out, &three("a")).expect("writes");
    assert_view(&out, &three("a"));
    assert_eq!((first.generation, first.files_written, first.unchanged), (Some(1), 19, 0));

    let again = write(&out, &three("a")).expect("writes");
    assert_eq!((again.generation, again.files_written, again.unchanged), (None, 0, 19));
    assert_eq!(again.digest, first.digest);

    let inode = |path: &str| fs::metadata(out.join(path)).expect("is there").ino();
    let kept = inode("c1/istio-operator.yaml");
    let second = write(&out, &three("b")).expect("writes");
    assert_view(&out, &three("b"));
    assert_eq!((second.generation, second.files_written, second.files_removed), (Some(2), 5, 1));
    assert_eq!(inode("c1/istio-operator.yaml"), kept, "what did not change is not rewritten");

    let less = tree(&[("c1", "same")]);
    let third = write(&out, &less).expect("writes");
    assert_view(&out, &less);
    assert_eq!(third.files_removed, 12);
    assert_eq!(write(&out, &three("a")).expect("writes").generation, None, "it has generation 1");
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    let (_folder, out) = folder();
    // the umask belongs to the process: set it in one of our own
    let test = std::env::current_exe().expect("this test");
    if std::env::var_os("MESHGEN_TEST_OUT").is_none() {
        let status = Command::new("sh")
            .args(["-c", "umask 0177; exec \"$0\" --exact view::modes_do_not_depend_on_the_umask"])
            .arg(test)
            .env("MESHGEN_TEST_OUT", &out)
            .output()
            .expect("runs");
        assert!(status.status.success(), "{status:?}");
        let mode = |path: &str| fs::metadata(out.join(path)).expect("is there").mode() & 0o7777;
        for file in ["c1/istio-operator.yaml", "index.json", ".gitignore", "store/index.json"] {
            assert_eq!(mode(file), 0o644, "{file}");
        }
        for path in ["", "c1", "c1/70-samples", "store", "store/blobs/sha256"] {
            assert_eq!(mode(path), 0o755, "{path}");
        }
    } else {
        let out = PathBuf::from(std::env::var_os("MESHGEN_TEST_OUT").expect("is set"));
        write(&out, &three("a")).expect("writes");
    }
}

#[test]
fn hand_edits_stop_a_write_and_are_replaced_on_demand() {
    let (_folder, out) = folder();
    write(&out, &three("a")).expect("writes");
    fs::write(out.join("c1/istio-operator.yaml"), "mine").expect("writes");
    fs::write(out.join("c2/70-samples/a.yaml"), "mine too").expect("writes");
    fs::write(out.join("c2/70-samples/b.yaml"), "new").expect("writes");
    fs::remove_file(out.join("c3/10-cacerts/ca.yaml")).expect("removes");
    fs::write(out.join("c3/notes.txt"), "not yours").expect("writes");

    let found = edits(&out, &three("b"));
    let expected_edits = [
        edit("c1/istio-operator.yaml", Happened::Changed),
        edit("c2/70-samples/a.yaml", Happened::Changed),
        edit("c2/70-samples/b.yaml", Happened::Foreign),
        edit("c3/10-cacerts/ca.yaml", Happened::Missing),
    ];
    assert_eq!(found, expected_edits);
    let listed = view::edits(&Disk::new(), &out).expect("reads");
    assert_eq!(listed, [found[0].clone(), found[1].clone(), found[3].clone()]);

    write_with(&Disk::new(), &out, &three("b"), OVERWRITE).expect("writes");
    let mut now = expected(&three("b"));
    now.insert("c3/notes.txt".to_owned(), "not yours".to_owned());
    assert_eq!(view(&out), now);
    assert!(view::edits(&Disk::new(), &out).expect("reads").is_empty());
}

#[test]
fn an_edit_that_gives_what_we_would_write_is_none() {
    let (_folder, out) = folder();
    write(&out, &three("a")).expect("writes");
    let next = three("b");
    for (path, content) in &next {
        fs::write(out.join(path), content).expect("writes");
    }
    write(&out, &next).expect("writes");
    assert_view(&out, &next);
}

#[test]
fn an_edited_index_is_an_edit() {
    let (_folder, out) = folder();
    write(&out, &three("a")).expect("writes");
    let path = out.join("index.json");
    let text = fs::read_to_string(&path).expect("reads");
    fs::write(&path, text.replace("\"c1\"", " \"c1\"")).expect("writes");
    assert_eq!(edits(&out, &three("b")), [edit("index.json", Happened::Changed)]);
    fs::write(&path, "{}").expect("writes");
    assert!(matches!(write(&out, &three("b")), Err(ViewError::Index(_))));
    write_with(&Disk::new(), &out, &three("a"), OVERWRITE).expect("writes");
    assert_view(&out, &three("a"));
}

#[test]
fn without_an_index_nothing_is_removed() {
    let (_folder, out) = folder();
    write(&out, &three("a")).expect("writes");
    fs::remove_file(out.join("index.json")).expect("removes");
    fs::remove_dir_all(out.join("store")).expect("removes");
    write(
        &out,
        &tree(&[("c1", "same"), ("c2", "a")])
            .into_iter()
            .filter(|(path, _)| path != "terraform/terraform.tfvars")
            .collect(),
    )
    .expect("equal files are ours");
    assert!(out.join("c3/istio-operator.yaml").exists());
}

#[test]
fn a_clone_without_store_knows_its_files() {
    let (folder, out) = folder();
    write(&out, &three("a")).expect("writes");
    let clone = folder.path().join("clone");
    copy(&out, &clone);
    fs::remove_dir_all(clone.join("store")).expect("removes");
    let written = write(&clone, &three("b")).expect("writes");
    assert_view(&clone, &three("b"));
    assert_eq!((written.generation, written.files_written), (Some(1), 5));
}

#[test]
fn another_mesh_is_not_replaced_by_accident() {
    let (_folder, out) = folder();
    write(&out, &three("a")).expect("writes");
    let files = tree(&[("c9", "x")]);
    let write = |options| {
        let writer = Writer::open(&Disk::new(), &out, options).expect("opens");
        for (path, content) in &files {
            writer.add(path.parse().expect("a path"), content.as_bytes()).expect("adds");
        }
        writer.finish(&index("emea", &files).to_text(), &record())
    };
    let error = write(OVERWRITE).expect_err("another mesh").to_string();
    assert_eq!(error, "out/ holds the mesh `apac`, not `emea`");
    assert_view(&out, &three("a"));
    write(Options { allow_other_mesh: true, ..Options::default() }).expect("writes");
    assert!(!out.join("c1").exists());
}

#[test]
fn symlinks_and_folders_in_the_way_are_refused() {
    type Obstacle<'a> = &'a dyn Fn(&Path);
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let cases: [(&str, Obstacle<'_>); 5] = [
        ("c1/istio-operator.yaml", &|path| symlink("/etc/passwd", path).expect("links")),
        ("c1/istio-operator.yaml", &|path| fs::create_dir(path).expect("creates")),
        ("c1", &|path| symlink(elsewhere.path(), path).expect("links")),
        ("c1/10-cacerts", &|path| fs::write(path, "").expect("writes")),
        ("index.json", &|path| symlink("c1", path).expect("links")),
    ];
    for (path, put) in cases {
        let (_folder, out) = folder();
        write(&out, &three("a")).expect("writes");
        let path = out.join(path);
        if path.is_dir() {
            fs::remove_dir_all(&path).expect("removes");
        } else {
            fs::remove_file(&path).expect("removes");
        }
        put(&path);
        let before = view(&out);
        let error = write_with(&Disk::new(), &out, &three("b"), OVERWRITE).expect_err("in the way");
        assert!(
            matches!(&error, ViewError::InTheWay { path: named, .. } if *named == path),
            "{error}"
        );
        assert_eq!(view(&out), before);
    }
    assert_eq!(view(elsewhere.path()), Files::new());
}

#[test]
fn an_out_or_store_that_is_a_symlink_is_refused() {
    let (folder, out) = folder();
    fs::create_dir(folder.path().join("elsewhere")).expect("creates");
    symlink("elsewhere", &out).expect("links");
    assert!(matches!(write(&out, &three("a")), Err(ViewError::InTheWay { .. })));
    fs::remove_file(&out).expect("removes");
    fs::create_dir(&out).expect("creates");
    symlink("../elsewhere", out.join("store")).expect("links");
    assert!(write(&out, &three("a")).expect_err("a symlink").to_string().contains("a symlink"));
    assert_eq!(view(&folder.path().join("elsewhere")), Files::new());
}

#[test]
fn a_foreign_file_where_a_stale_one_was_stays() {
    let (_folder, out) = folder();
    write(&out, &three("a")).expect("writes");
    let stale = out.join("c2/70-samples/a.yaml");
    fs::remove_file(&stale).expect("removes");
    symlink("elsewhere", &stale).expect("links");
    write(&out, &three("b")).expect("writes");
    assert!(stale.is_symlink());
}

#[test]
fn hostile_paths_of_an_index_are_not_followed() {
    let digest = meshgen::store::Digest::of("victim");
    for path in ["../victim", "/etc/victim", "c1/../../victim", "store/../../victim", "./victim"] {
        let (folder, out) = folder();
        write(&out, &three("a")).expect("writes");
        fs::write(folder.path().join("victim"), "victim").expect("writes");
        let row = format!("{{\"path\": \"{path}\", \"digest\": \"{digest}\"}},\n\n  ");
        let index = out.join("index.json");
        let text = fs::read_to_string(&index).expect("reads");
        let hostile = text.replacen("{\"path\"", &format!("{row}{{\"path\""), 1);
        fs::write(&index, &hostile).expect("writes");
        assert!(matches!(write(&out, &three("b")), Err(ViewError::Index(_))), "{path}");
        // also when it is not read as strictly
        fs::write(&index, format!("<<<<<<< HEAD\n{hostile}\n>>>>>>> other\n")).expect("writes");
        write(&out, &three("b")).expect("writes");
        assert!(folder.path().join("victim").exists());
        assert_view(&out, &three("b"));
    }
}

#[test]
fn rollback_brings_a_generation_back_exactly() {
    let (_folder, out) = folder();
    let disk = Disk::new();
    for mark in ["a", "b", "c"] {
        write(&out, &three(mark)).expect("writes");
    }
    let written = view::rollback(&disk, &out, 1, false).expect("rolls back");
    assert_view(&out, &three("a"));
    assert_eq!(written.generation, None);
    assert_eq!(
        Writer::open(&disk, &out, Options::default())
            .expect("opens")
            .transaction()
            .catalogue()
            .current,
        Some(1)
    );
    let again = view::rollback(&disk, &out, 1, false).expect("rolls back");
    assert_eq!(again.files_written, 0);
    fs::write(out.join("c1/istio-operator.yaml"), "mine").expect("writes");
    assert!(matches!(view::rollback(&disk, &out, 2, false), Err(ViewError::Edits(_))));
    view::rollback(&disk, &out, 2, true).expect("rolls back");
    assert_view(&out, &three("b"));
    let error = view::rollback(&disk, &out, 9, false).expect_err("no such generation");
    assert_eq!(error.to_string(), "there is no generation 9");
}

#[test]
fn a_damaged_generation_is_not_brought_back() {
    let (_folder, out) = folder();
    for mark in ["a", "b"] {
        write(&out, &three(mark)).expect("writes");
    }
    let digest = meshgen::store::Digest::of("c2: a\n");
    fs::write(out.join("store/blobs/sha256").join(digest.hex()), "c2: x\n").expect("writes");
    let error = view::rollback(&Disk::new(), &out, 1, false).expect_err("damaged");
    assert!(error.to_string().contains("c2/70-samples/a.yaml"), "{error}");
    assert_view(&out, &three("b"));
}

#[test]
fn comparing_reads_only_and_names_the_first_byte() {
    let (_folder, out) = folder();
    write(&out, &three("a")).expect("writes");
    let disk = crate::sample::recording();
    let compare = |files: &Files| {
        let comparison = Comparison::open(&disk, &out).expect("opens");
        for (path, content) in files {
            comparison.add(path.parse().expect("a path"), content.as_bytes()).expect("adds");
        }
        comparison.finish(&index("apac", files).to_text()).expect("compares")
    };
    assert!(compare(&three("a")).differences.is_empty());

    let old = compare(&three("b"));
    assert!(old.edits.is_empty(), "older than the inputs, but nobody edited it");
    let differs =
        |path: &str| old.differences.iter().find(|one| one.path == path).map(|one| one.differs);
    assert_eq!(differs("c2/70-samples/a.yaml"), Some(Differs::Stale));
    assert_eq!(differs("c2/70-samples/b.yaml"), Some(Differs::Missing));
    let byte = "istio-operator.yaml of c2: ".len();
    assert_eq!(differs("c2/istio-operator.yaml"), Some(Differs::Content { byte, line: 1 }));
    assert_eq!(differs("terraform/terraform.tfvars"), Some(Differs::Content { byte: 15, line: 2 }));
    assert_eq!(old.differences.len(), 7);

    fs::write(out.join("c1/istio-operator.yaml"), "mine").expect("writes");
    fs::remove_file(out.join("c3/istio-operator.yaml")).expect("removes");
    let edited = compare(&three("a"));
    let expected_edits = [
        edit("c1/istio-operator.yaml", Happened::Changed),
        edit("c3/istio-operator.yaml", Happened::Missing),
    ];
    assert_eq!(edited.edits, expected_edits);
    assert_eq!(edited.differences.len(), 2);
    assert_eq!(disk.changes(), 0);
}

#[test]
fn an_index_that_does_not_fit_its_files_is_a_defect() {
    let (_folder, out) = folder();
    let mut files = three("a");
    let text = index("apac", &files).to_text();
    let finish = |files: &Files| {
        let writer = Writer::open(&Disk::new(), &out, Options::default()).expect("opens");
        for (path, content) in files {
            writer.add(path.parse().expect("a path"), content.as_bytes()).expect("adds");
        }
        writer.finish(&text, &record())
    };
    files.remove("c1/istio-operator.yaml");
    assert!(matches!(finish(&files), Err(ViewError::Inconsistent(_))));
    files.insert("c1/istio-operator.yaml".into(), "other".into());
    assert!(matches!(finish(&files), Err(ViewError::Inconsistent(_))));
    assert!(!out.exists(), "what was refused leaves nothing");
}

/// Runs git in a folder, without the user's settings.
fn git(folder: &Path, arguments: &[&str]) -> bool {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .expect("git runs");
    output.status.success()
}

fn commit(project: &Path, out: &Path, files: &Files) {
    write(out, files).expect("writes");
    assert!(git(project, &["add", "-A"]) && git(project, &["commit", "-qm", "x"]));
}

/// Two branches, each with its tree; returns whether git merged them by itself.
fn merge(project: &Path, out: &Path, base: &Files, ours: &Files, theirs: &Files) -> bool {
    assert!(git(project, &["init", "-q"]));
    commit(project, out, base);
    assert!(git(project, &["checkout", "-qb", "theirs"]));
    commit(project, out, theirs);
    assert!(git(project, &["checkout", "-q", "main"]));
    commit(project, out, ours);
    git(project, &["merge", "-q", "theirs"])
}

#[test]
fn two_branches_that_change_one_cluster_each_merge() {
    let (folder, out) = folder();
    let tree = |one: &str, three: &str| {
        let mut files = tree(&[("c1", one), ("c2", "same"), ("c3", three)]);
        files.remove("terraform/terraform.tfvars");
        files
    };
    assert!(merge(folder.path(), &out, &tree("a", "a"), &tree("b", "a"), &tree("a", "b")));
    write(&out, &tree("b", "b")).expect("writes");
    assert_view(&out, &tree("b", "b"));
    assert!(git(folder.path(), &["diff", "--quiet"]), "the merged index needed no render");
}

#[test]
fn one_write_settles_a_conflicted_merge() {
    for with_store in [true, false] {
        let (folder, out) = folder();
        let long = |two: &str, tail: &str| {
            let mut files = three(two);
            // both sides change this file, in places that git merges by itself
            let middle = "line\n".repeat(20);
            files.insert("c1/merged.yaml".to_owned(), format!("{two}\n{middle}{tail}\n"));
            files
        };
        let (ours, theirs) = (long("ours", "a"), long("theirs", "b"));
        assert!(!merge(folder.path(), &out, &long("base", "a"), &ours, &theirs));
        assert!(fs::read_to_string(out.join("index.json")).expect("reads").contains("<<<<<<< "));
        assert!(matches!(view::edits(&Disk::new(), &out), Err(ViewError::Index(_))));
        if !with_store {
            fs::remove_dir_all(out.join("store")).expect("removes");
        }
        write(&out, &long("settled", "c")).expect("writes");
        assert_view(&out, &long("settled", "c"));
    }
}

#[test]
fn a_hand_edit_beside_a_conflict_is_still_one() {
    let (folder, out) = folder();
    assert!(!merge(folder.path(), &out, &three("base"), &three("ours"), &three("theirs")));
    fs::write(out.join("c1/istio-operator.yaml"), "mine").expect("writes");
    assert_eq!(edits(&out, &three("settled")), [edit("c1/istio-operator.yaml", Happened::Changed)]);
}
