//! `bundle import`, and a bundle as TREE.

use std::fs;

use meshgen::file::Disk;
use meshgen::store::{self, Store, Transaction};

use super::{files, open, packed, project, run, text};
use crate::sample::{read_folder, write};

#[test]
fn an_imported_tree_is_found_and_stays() {
    let folder = crate::sample::folder();
    let (file, _) = packed(folder.path(), "new");
    let tree = open(&file).expect("opens").bundle.tree;
    let site = project(folder.path(), "site", &files("old"));
    let name = file.to_str().expect("text");
    let prefix = format!("sha256:{}", tree.short());

    let output = run(&site, &["bundle", "import", name]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("it is not signed"), "{said}");
    assert_eq!(run(&site, &["show", &prefix]).status.code(), Some(2), "it is not here");

    let output = run(&site, &["bundle", "import", name, "--allow-unsigned"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), format!("{tree}\n"));
    // the bundle is not needed any more
    fs::remove_file(&file).expect("removes");
    let shown = run(&site, &["show", &prefix, "c2/70-samples/new.yaml"]);
    assert_eq!(text(&shown.stdout), "c2: new\n");
    let output = run(&site, &["diff", "out", &prefix, "--brief"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let output = run(&site, &["generations"]);
    assert!(text(&output.stdout).contains(&format!("from {name}\n")), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("gen:1"));

    // collections keep it as they keep generations
    let gc = |keep: &str| run(&site, &["gc", "--keep", keep, "-o", "json"]);
    assert!(text(&gc("1").stdout).contains("\"imports\": []"));
    assert_eq!(run(&site, &["show", &prefix]).status.code(), Some(0));
    assert!(text(&run(&site, &["fsck"]).stdout).is_empty());
    assert!(text(&gc("0").stdout).contains(&tree.to_string()));
    assert_eq!(run(&site, &["show", &prefix]).status.code(), Some(2));
    assert_eq!(
        run(&site, &["generations"]).stdout.windows(8).filter(|w| *w == b"imported").count(),
        0
    );
}

#[test]
fn the_newest_imports_stay_and_one_that_comes_again_is_one() {
    let folder = crate::sample::folder();
    let site = folder.path().join("site");
    fs::create_dir(&site).expect("creates");
    let store = || Store::open(&Disk::new(), &site.join("out/store")).expect("opens");
    let mut trees = Vec::new();
    for mark in ["a", "b", "c", "a"] {
        let (file, _) = packed(folder.path(), mark);
        let opened = open(&file).expect("opens");
        meshgen::bundle::import(&Disk::new(), &site, &opened, "x.tar").expect("imports");
        trees.push(opened.bundle.tree);
        fs::remove_dir_all(folder.path().join(mark)).expect("removes");
    }
    let there: Vec<_> = store().imports().expect("reads").iter().map(|one| one.tree).collect();
    assert_eq!(there, [trees[1], trees[2], trees[0]]);
    let mut transaction =
        Transaction::begin(&Disk::new(), &site.join("out/store")).expect("begins");
    let swept = store::gc(&mut transaction, 1, &[trees[1]]).expect("collects");
    transaction.finish_unchanged();
    assert_eq!(swept.imports, [trees[2]], "the newest stays, and what the caller names");
    assert_eq!(store::fsck(&store()).expect("checks").1, []);

    // what is damaged is brought anew
    let (file, _) = packed(folder.path(), "a");
    let blob = store().blob_path(&meshgen::store::Digest::of("c2: a\n"));
    fs::write(&blob, "c2: A\n").expect("writes");
    assert_eq!(store::fsck(&store()).expect("checks").1.len(), 1);
    let opened = open(&file).expect("opens");
    meshgen::bundle::import(&Disk::new(), &site, &opened, "x.tar").expect("imports");
    assert_eq!(store::fsck(&store()).expect("checks").1, []);
    // an import that cannot be read stops a collection: what it keeps is not known
    let folder = site.join("out/store/imports");
    let name = read_folder(&folder).into_keys().next().expect("one");
    fs::write(folder.join(name), "{").expect("writes");
    let mut transaction =
        Transaction::begin(&Disk::new(), &site.join("out/store")).expect("begins");
    assert!(store::gc(&mut transaction, 0, &[]).is_err());
}

#[test]
fn a_bundle_is_a_tree_wherever_one_is_taken() {
    let folder = crate::sample::folder();
    let (file, bytes) = packed(folder.path(), "new");
    let site = project(folder.path(), "site", &files("old"));
    let name = file.to_str().expect("text");
    let before = read_folder(&site);
    let shown = run(&site, &["show", name, "c2/70-samples/new.yaml"]);
    assert_eq!(text(&shown.stdout), "c2: new\n");
    assert!(text(&run(&site, &["show", name]).stdout).contains("c2/70-samples/new.yaml"));
    assert_eq!(run(&site, &["images", name]).status.code(), Some(0));
    for arguments in [
        &["diff", "out", name][..],
        &["diff", name],
        &["diff", "--live", name],
        &["plan", name],
        &["apply", name],
    ] {
        let output = run(&site, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains("it is not signed"), "{arguments:?}");
    }
    let output = run(&site, &["diff", "out", name, "--allow-unsigned", "--brief"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("c2/70-samples/new.yaml"), "{}", text(&output.stdout));
    let again = folder.path().join("again.tar");
    let again_name = again.to_str().expect("text");
    assert!(run(&site, &["bundle", "create", name, "--out", again_name]).status.success());
    assert!(fs::read(&again).expect("reads") == bytes, "a bundle of a bundle is that bundle");
    assert!(read_folder(&site) == before, "nothing is changed");
    write(&site.join("out"), &files("new")).expect("writes");
    let output = run(&site, &["diff", "out", name, "--allow-unsigned"]);
    assert_eq!(output.status.code(), Some(0));
    // no such thing is told as before
    let output = run(&site, &["diff", "nowhere.tar"]);
    assert!(text(&output.stderr).contains("names no tree"), "{}", text(&output.stderr));
}
