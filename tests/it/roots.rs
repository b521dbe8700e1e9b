//! Roots: a file outside the store keeps a tree, through collections, crashes and a full disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use meshgen::file::{Disk, Fault};
use meshgen::store::{self, Digest, Store, StoreError, Swept, Transaction, What};
use meshgen::tree::source::{Source, resolve};
use meshgen::tree::{KeepError, hold, keep};

use crate::sample::{Files, assert_view, copy, expected, folder, index, read_folder, tree, write};
use crate::tool;

fn files(mark: &str) -> Files {
    tree(&[("c1", "same"), ("c2", mark)])
}

fn digest(files: &Files) -> Digest {
    Digest::of(index("apac", files).to_text())
}

fn open(project: &Path, text: Option<&str>) -> Source {
    resolve(&Disk::new(), project, text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn store(project: &Path) -> Store {
    Store::open(&Disk::new(), &project.join("out/store")).expect("opens")
}

fn gc(project: &Path, generations: usize) -> Result<Swept, StoreError> {
    let mut transaction = Transaction::begin(&Disk::new(), &project.join("out/store"))?;
    let swept = store::gc(&mut transaction, generations, &[])?;
    transaction.finish_unchanged();
    Ok(swept)
}

/// A project whose view and store hold these trees, one after the other.
fn project(folder: &Path, marks: &[&str]) -> PathBuf {
    let project = folder.join("project");
    for mark in marks {
        write(&project.join("out"), &files(mark)).expect("writes");
    }
    project
}

/// A plan beside the project, written by somebody else.
fn plan(project: &Path) -> PathBuf {
    let plan = project.join("plan.json");
    fs::write(&plan, "{}").expect("writes");
    plan
}

/// A folder with the tree in it as in a fresh clone: without a store.
fn clone_of(folder: &Path, name: &str, files: &Files) -> PathBuf {
    let project = folder.join(name);
    for (path, content) in expected(files) {
        let path = project.join("out").join(path);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("creates");
        fs::write(path, content).expect("writes");
    }
    project
}

/// The store gives the tree back by its digest, to the byte, and is sound.
#[track_caller]
fn assert_kept(project: &Path, files: &Files) {
    let source = open(project, Some(&digest(files).to_string()));
    let rows = source.index.artifacts.iter().map(|row| {
        let bytes = source.read(&row.path).unwrap_or_else(|error| panic!("{error}"));
        (row.path.to_string(), String::from_utf8(bytes).expect("UTF-8"))
    });
    assert!(rows.collect::<Files>() == *files);
    assert_eq!(source.index_bytes(), index("apac", files).to_text().as_bytes());
    assert_eq!(store::fsck(&store(project)).expect("checks").1, []);
}

/// Nothing of a killed run is left after a collection but what the roots and generations name.
#[track_caller]
fn blobs(project: &Path) -> Vec<String> {
    let folder = project.join("out/store/blobs/sha256");
    if !folder.exists() {
        return Vec::new();
    }
    let mut names: Vec<String> = read_folder(&folder).into_keys().collect();
    // the empty config of every manifest, which a collection never takes
    names.retain(|name| *name != Digest::of("{}").hex());
    names
}

#[test]
fn a_generation_stays_as_long_as_its_plan() {
    let folder = folder();
    let project = project(folder.path(), &["a", "b", "c", "d", "e"]);
    let (out, plan) = (project.join("out"), plan(&project));
    let source = open(&project, Some("gen:2"));
    let kept = keep(&Disk::new(), &out, &source, Some(&plan)).expect("keeps");
    assert_eq!(kept, digest(&files("b")));
    assert_eq!(store(&project).roots().expect("reads"), [kept]);
    let before = read_folder(&out.join("store/roots"));
    keep(&Disk::new(), &out, &source, Some(&plan)).expect("keeps it again");
    assert_eq!(read_folder(&out.join("store/roots")), before);
    assert_eq!(gc(&project, 1).expect("collects").generations, [1, 3, 4]);
    assert_kept(&project, &files("b"));
    for mark in ["f", "g", "h"] {
        write(&out, &files(mark)).expect("writes");
        gc(&project, 1).expect("collects");
        assert_kept(&project, &files("b"));
    }
    // something else in its place is no plan
    fs::remove_file(&plan).expect("removes");
    fs::create_dir(&plan).expect("creates");
    assert_eq!(store(&project).roots().expect("reads"), []);
    let swept = gc(&project, 1).expect("collects");
    assert_eq!(swept.generations, [2]);
    assert_eq!(read_folder(&out.join("store/roots")).len(), 0, "the root is dropped too");
    assert!(resolve(&Disk::new(), &project, Some(&kept.to_string())).is_err());
    assert_kept(&project, &files("h"));
}

#[test]
fn a_tree_of_another_place_is_brought_in_and_stays() {
    let folder = folder();
    let project = project(folder.path(), &["a", "b"]);
    let (out, plan) = (project.join("out"), plan(&project));
    let clean = blobs(&project);
    let other = clone_of(folder.path(), "other", &files("x"));
    let source = open(&project, Some(&other.join("out").to_string_lossy()));
    let kept = keep(&Disk::new(), &out, &source, Some(&plan)).expect("keeps");
    fs::remove_dir_all(&other).expect("removes");
    for mark in ["c", "d", "b"] {
        write(&out, &files(mark)).expect("writes");
    }
    gc(&project, 1).expect("collects");
    assert_view(&out, &files("b"));
    assert_kept(&project, &files("x"));
    assert_kept(&project, &files("b"));
    let prefix = &kept.to_string()[..17];
    assert_eq!(open(&project, Some(prefix)).digest, kept);

    // damage is found, named, and healed by keeping it again
    let lost = Digest::of("c2: x\n");
    fs::write(store(&project).blob_path(&lost), "other").expect("writes");
    let findings = store::fsck(&store(&project)).expect("checks").1;
    assert_eq!((findings.len(), findings[0].what), (1, What::Damaged));
    assert_eq!(findings[0].used_by.len(), 1);
    let user = &findings[0].used_by[0];
    assert!(user.contains("plan.json") && user.ends_with(" c2/70-samples/x.yaml"), "{user}");
    let again = clone_of(folder.path(), "again", &files("x"));
    let again = open(&project, Some(&again.join("out").to_string_lossy()));
    keep(&Disk::new(), &out, &again, Some(&plan)).expect("heals");
    assert_kept(&project, &files("x"));

    fs::remove_file(&plan).expect("removes");
    gc(&project, 9).expect("collects");
    gc(&project, 2).expect("collects");
    assert!(resolve(&Disk::new(), &project, Some(prefix)).is_err());
    assert!(
        clean.iter().all(|blob| !blob.is_empty()) && !store(&project).has(&kept).expect("looks")
    );
    assert_eq!(store::fsck(&store(&project)).expect("checks").1, []);
}

#[test]
fn a_plan_that_is_replaced_keeps_the_old_tree_until_it_is() {
    let folder = folder();
    let project = project(folder.path(), &["a", "b", "c", "d"]);
    let (out, plan) = (project.join("out"), plan(&project));
    keep(&Disk::new(), &out, &open(&project, Some("gen:1")), Some(&plan)).expect("keeps");
    let held = hold(&Disk::new(), &out, &open(&project, Some("gen:2")), Some(&plan));
    let held = held.expect("holds");
    assert!(matches!(gc(&project, 1), Err(StoreError::File(_))), "the store is locked");
    // killed before the plan was written
    drop(held);
    assert_eq!(gc(&project, 1).expect("collects").generations, [3]);
    assert_kept(&project, &files("a"));
    let held = hold(&Disk::new(), &out, &open(&project, Some("gen:2")), Some(&plan));
    fs::write(&plan, "{\"new\": true}").expect("writes");
    held.expect("holds").release().expect("releases");
    assert_eq!(store(&project).roots().expect("reads"), [digest(&files("b"))]);
    assert_eq!(gc(&project, 1).expect("collects").generations, [1]);
    assert_kept(&project, &files("b"));
}

#[test]
fn a_fresh_clone_gets_its_store() {
    let folder = folder();
    let project = clone_of(folder.path(), "clone", &files("a"));
    let (out, plan) = (project.join("out"), plan(&project));
    let nowhere = project.join("no/such/folder/plan.json");
    let error = keep(&Disk::new(), &out, &open(&project, None), Some(&nowhere));
    assert!(matches!(error, Err(KeepError::File(_))));
    assert!(!out.join("store").exists(), "refused before anything was made");
    fs::remove_file(out.join(".gitignore")).expect("removes");
    keep(&Disk::new(), &out, &open(&project, None), Some(&plan)).expect("keeps");
    assert_view(&out, &files("a"));
    assert!(out.join("store/oci-layout").exists() && out.join("store/index.json").exists());
    // the view moves on
    write(&out, &files("b")).expect("writes");
    gc(&project, 1).expect("collects");
    assert_kept(&project, &files("a"));
    assert_kept(&project, &files("b"));
    assert_eq!(store(&project).generations().expect("reads").current, Some(1));
    if let Some(oras) = tool::path("oras") {
        let pulled = folder.path().join("pulled");
        fs::create_dir(&pulled).expect("creates");
        let layout = format!("{}:gen-1", out.join("store").display());
        let mut command = Command::new(oras);
        tool::run(command.args(["pull", "--oci-layout", &layout]).current_dir(&pulled), "");
        let mut pulls = expected(&files("b"));
        pulls.remove(".gitignore");
        assert_eq!(read_folder(&pulled), pulls);
    }
    // it becomes a generation, and its root has a manifest no less
    write(&out, &files("a")).expect("writes");
    gc(&project, 1).expect("collects");
    assert_kept(&project, &files("a"));
}

#[test]
fn a_root_that_cannot_be_read_stops_a_collection() {
    let folder = folder();
    let project = project(folder.path(), &["a", "b", "c"]);
    let (out, plan) = (project.join("out"), plan(&project));
    keep(&Disk::new(), &out, &open(&project, Some("gen:1")), Some(&plan)).expect("keeps");
    let roots = out.join("store/roots");
    let name = |path: &str| Digest::of(path).hex();
    let tree = digest(&files("b"));
    let root = |path: &str| format!("{{\"path\": \"{path}\", \"tree\": \"{tree}\"}}");
    let before = read_folder(&out);
    let bad = [
        (name("/x"), String::new()),
        (name("/x"), "[]".to_owned()),
        (name("/x"), "{\"path\": \"/x\"}".to_owned()),
        (name("/x"), "{\"path\": \"/x\", \"tree\": \"sha256:../../mesh.yaml\"}".to_owned()),
        (name("/x"), root("/x").replace('}', ", \"more\": 1}")),
        (name("/x"), root("/y")),
        (name("x"), root("x")),
        (name("../x"), root("../x")),
        ("plan.json".to_owned(), root("/x")),
        (name("/x"), " ".repeat(2 << 20)),
    ];
    for (name, text) in bad {
        let file = roots.join(&name);
        fs::write(&file, &text).expect("writes");
        let error = gc(&project, 1).expect_err(&text);
        assert!(matches!(error, StoreError::Root { .. }) && error.hint().is_some(), "{error}");
        assert!(store(&project).roots().is_err(), "{text}");
        assert_kept_beside(&project);
        fs::remove_file(file).expect("removes");
        assert_eq!(read_folder(&out), before, "{text}");
    }
    std::os::unix::fs::symlink("/etc/passwd", roots.join(name("/x"))).expect("links");
    assert!(matches!(gc(&project, 1), Err(StoreError::Root { .. })));
    fs::remove_file(roots.join(name("/x"))).expect("removes");
    // another's file is looked at, and never touched; a tree that is not there stops it as well
    let foreign = folder.path().join("foreign");
    fs::write(&foreign, "mine").expect("writes");
    let foreign = foreign.canonicalize().expect("resolves");
    let foreign = foreign.to_str().expect("UTF-8");
    let none = root(foreign).replace(&tree.to_string(), &Digest::of("none").to_string());
    fs::write(roots.join(name(foreign)), none).expect("writes");
    assert!(matches!(gc(&project, 1), Err(StoreError::Missing(_))));
    let findings = store::fsck(&store(&project)).expect("checks").1;
    assert_eq!((findings.len(), findings[0].what), (1, What::Missing));
    fs::write(roots.join(name(foreign)), root(foreign)).expect("writes");
    assert!(gc(&project, 1).expect("collects").generations.is_empty());
    assert_eq!(fs::read_to_string(foreign).expect("reads"), "mine");
    // the folder itself
    fs::remove_dir_all(&roots).expect("removes");
    std::os::unix::fs::symlink("/tmp", &roots).expect("links");
    assert!(matches!(gc(&project, 1), Err(StoreError::NoFolder { .. })));
    let error = keep(&Disk::new(), &out, &open(&project, None), Some(&plan));
    assert!(matches!(error, Err(KeepError::Store(StoreError::NoFolder { .. }))));
}

/// A tree that a sound root names is found beside one that cannot be read.
#[track_caller]
fn assert_kept_beside(project: &Path) {
    let tree = digest(&files("a"));
    assert_eq!(open(project, Some(&tree.to_string())).digest, tree);
    assert_eq!(store(project).rooted(&tree.hex()[..12]).expect("reads"), [tree]);
}

/// Runs `keep` of the tree in `source` with a fault at every change, and checks what is left.
fn at_every_change(prepared: &Path, files: &Files, fault: &dyn Fn(u64) -> Vec<Fault>) -> u64 {
    let folder = folder();
    let run = |disk: &Disk, project: &Path, source: &Source| {
        keep(disk, &project.join("out"), source, Some(&project.join("plan.json")))
    };
    let other = clone_of(folder.path(), "other", files);
    let source = open(&other, None);
    let clean = folder.path().join("clean");
    copy(prepared, &clean);
    let disk = Disk::with_faults(Fault::None);
    run(&disk, &clean, &source).expect("works without a fault");
    gc(&clean, 9).expect("collects");
    let kept = blobs(&clean);
    let view = crate::sample::view(&prepared.join("out"));
    for at in 1..=disk.changes() {
        for fault in fault(at) {
            let project = folder.path().join("project");
            copy(prepared, &project);
            let done = run(&Disk::with_faults(fault), &project, &source);
            if let (Err(error), Fault::Full { .. }) = (&done, fault) {
                assert!(error.to_string().starts_with("no space is left"), "{error}");
                assert!(error.hint().is_some(), "{error}");
            }
            let mut there = crate::sample::view(&project.join("out"));
            if !view.contains_key(".gitignore") {
                there.remove(".gitignore");
            }
            assert_eq!(there, view, "the view was touched at {at}");
            // what is rooted is whole, at any instant
            let roots = store(&project).roots().expect("reads");
            if !roots.is_empty() {
                assert_kept(&project, files);
            }
            assert!(done.is_err() || !roots.is_empty(), "done at {at}, but not kept");
            assert_eq!(store::fsck(&store(&project)).expect("checks").1, []);
            // killed for good: all of it is garbage, unless the root stands
            let left = folder.path().join("left");
            copy(&project, &left);
            fs::remove_file(left.join("plan.json")).expect("removes");
            if roots.is_empty() {
                gc(&left, 9).expect("collects");
                assert!(blobs(&left).len() <= blobs(prepared).len(), "garbage is left at {at}");
            }
            fs::remove_dir_all(left).expect("removes");
            run(&Disk::new(), &project, &source).expect("it can be run again");
            gc(&project, 9).expect("collects");
            assert_kept(&project, files);
            assert_eq!(blobs(&project), kept);
            let temporary = project.join("out/store/tmp");
            assert!(fs::read_dir(temporary).expect("lists").next().is_none(), "at {at}");
            fs::remove_dir_all(project).expect("removes");
        }
    }
    disk.changes()
}

fn crashes(at: u64) -> Vec<Fault> {
    vec![Fault::Crash { at, torn: false }, Fault::Crash { at, torn: true }]
}

#[test]
fn keeping_can_be_killed_anywhere() {
    let folder = folder();
    let project = project(folder.path(), &["a", "b"]);
    plan(&project);
    let changes = at_every_change(&project, &files("x"), &crashes);
    assert!(changes > 20, "{changes}");
    at_every_change(&project, &files("a"), &crashes);
}

#[test]
fn keeping_in_a_new_store_can_be_killed_anywhere() {
    let folder = folder();
    let project = folder.path().join("empty");
    fs::create_dir(&project).expect("creates");
    plan(&project);
    let changes = at_every_change(&project, &files("x"), &crashes);
    assert!(changes > 20, "{changes}");
}

#[test]
fn keeping_on_a_full_disk_keeps_what_was() {
    let folder = folder();
    let project = project(folder.path(), &["a", "b"]);
    plan(&project);
    at_every_change(&project, &files("x"), &|at| vec![Fault::Full { at }]);
}
