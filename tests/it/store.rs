//! The store: an OCI layout that others read, caches that lie to nobody, collection and checking.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use meshgen::file::Disk;
use meshgen::store::{
    self, Digest, Finding, Output, StatCache, Store, StoreError, Transaction, What,
};
use meshgen::tree::view::{Options, Writer};

use crate::registry::Registry;
use crate::sample::{index, read_folder, record, tree, view, write};
use crate::tool;

fn filled(marks: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    for mark in marks {
        write(&out, &tree(&[("c1", "same"), ("c2", mark)])).expect("writes");
    }
    (folder, out)
}

fn open(out: &Path) -> Store {
    Store::open(&Disk::new(), &out.join("store")).expect("opens")
}

#[test]
fn generations_are_numbered_and_have_their_record() {
    let (_folder, out) = filled(&["a", "b", "a"]);
    let store = open(&out);
    let catalogue = store.generations().expect("reads");
    let numbers: Vec<u64> = catalogue.generations.iter().map(|one| one.number).collect();
    assert_eq!((numbers, catalogue.current), (vec![1, 2], Some(1)));
    let first = catalogue.get(1).expect("is there");
    assert_eq!(store.record(first).expect("reads"), record());
    let text = index("apac", &tree(&[("c1", "same"), ("c2", "a")])).to_text();
    assert_eq!(store.read(&first.tree).expect("reads"), text.as_bytes());
    let prefix = &first.tree.hex()[..8];
    assert_eq!(catalogue.of_prefix(prefix).expect("is there"), first);
    assert!(matches!(catalogue.of_prefix("zz"), Err(StoreError::NoTree(_))));
    assert!(matches!(catalogue.of_prefix(""), Err(StoreError::Ambiguous(..))));
}

#[test]
fn a_folder_that_is_not_there_is_an_empty_store() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&Disk::new(), &folder.path().join("none")).expect("opens");
    assert_eq!(store.generations().expect("reads").generations, []);
    assert_eq!(store::fsck(&store).expect("checks"), (0, Vec::new()));
    assert_eq!(store::would_sweep(&store, 1, &[]).expect("looks"), store::Swept::default());
    assert!(matches!(store.read(&Digest::of("x")), Err(StoreError::Missing(_))));
    assert_eq!(read_folder(folder.path()).len(), 0, "reading makes nothing");
}

#[test]
fn fsck_names_what_is_damaged_and_what_is_missing() {
    let (_folder, out) = filled(&["a", "b"]);
    let store = open(&out);
    assert_eq!(store::fsck(&store).expect("checks").1, []);
    let damaged = Digest::of("c2: a\n");
    let missing = Digest::of("equal everywhere\n");
    fs::write(store.blob_path(&damaged), "c2: A\n").expect("writes");
    fs::remove_file(store.blob_path(&missing)).expect("removes");
    let uses = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    let mut expected = [
        Finding {
            digest: damaged,
            what: What::Damaged,
            used_by: uses(&["gen:1 c2/70-samples/a.yaml"]),
        },
        Finding {
            digest: missing,
            what: What::Missing,
            used_by: uses(&[
                "gen:1 c1/70-samples/equal.yaml",
                "gen:1 c2/70-samples/equal.yaml",
                "gen:2 c1/70-samples/equal.yaml",
                "gen:2 c2/70-samples/equal.yaml",
            ]),
        },
    ];
    expected.sort_by_key(|one| one.digest);
    assert_eq!(store::fsck(&store).expect("checks").1, expected);
    assert!(matches!(store.read(&damaged), Err(StoreError::Damaged { .. })));

    // what is still rendered is written again
    write(&out, &tree(&[("c1", "same"), ("c2", "b")])).expect("writes");
    assert!(store.has(&missing).expect("looks"));
}

#[test]
fn collection_keeps_the_newest_the_current_and_the_views() {
    let (_folder, out) = filled(&["a", "b", "c", "d", "b"]);
    let collect = |keep, trees: &[Digest]| {
        let mut transaction = Transaction::begin(&Disk::new(), &out.join("store")).expect("begins");
        store::gc(&mut transaction, keep, trees).expect("collects")
    };
    let numbers = || -> Vec<u64> {
        let generations = open(&out).generations().expect("reads").generations;
        generations.iter().map(|one| one.number).collect()
    };
    let first = open(&out).generations().expect("reads").generations[0].tree;
    let before = read_folder(&out.join("store/blobs"));
    let would = store::would_sweep(&open(&out), 1, &[first]).expect("looks");
    assert_eq!(would.generations, [3]);
    assert_eq!(read_folder(&out.join("store/blobs")), before, "a dry run changes nothing");
    assert_eq!(collect(1, &[first]), would);
    assert_eq!(numbers(), [1, 2, 4]);
    let after = read_folder(&out.join("store/blobs"));
    assert_eq!(before.len() - after.len(), would.blobs);
    assert_eq!(collect(1, &[]).generations, [1]);
    assert_eq!(collect(0, &[]).generations, [4]);
    assert_eq!(store::fsck(&open(&out)).expect("checks").1, []);
    write(&out, &tree(&[("c1", "same"), ("c2", "e")])).expect("writes");
    assert_eq!(numbers(), [2, 5], "a number is never given again");
}

#[test]
fn a_damaged_catalogue_is_told_with_a_way_out() {
    let (_folder, out) = filled(&["a"]);
    fs::write(out.join("store/index.json"), "{").expect("writes");
    let error = write(&out, &tree(&[("c1", "b")])).expect_err("damaged");
    assert!(error.hint().expect("a hint").contains("remove `out/store`"), "{error}");
    fs::remove_dir_all(out.join("store")).expect("removes");
    write(&out, &tree(&[("c1", "b")])).expect("writes");
}

#[test]
fn the_stat_cache_saves_reading_and_notices_every_change() {
    let (_folder, out) = filled(&["a"]);
    let files = tree(&[("c1", "same"), ("c2", "a")]);
    // some files may have been too fresh to be remembered; by now they are old
    wait_for_the_clock(&out);
    write(&out, &files).expect("writes");
    let reads = |expected: usize| {
        let disk = crate::sample::recording();
        crate::sample::write_with(&disk, &out, &files, Options::default()).expect("writes");
        let in_view = disk.log().into_iter().filter(|one| {
            one.action == meshgen::file::Action::Read
                && !one.path.starts_with(out.join("store"))
                && !one.path.ends_with("index.json")
        });
        assert_eq!(in_view.count(), expected);
    };
    reads(0);
    // same size, and the old time put back: the change of metadata gives it away
    let path = out.join("c1/istio-operator.yaml");
    let content = fs::read(&path).expect("reads");
    let modified = fs::metadata(&path).expect("stat").modified().expect("a time");
    fs::write(&path, content.to_ascii_uppercase()).expect("writes");
    let file = fs::File::options().write(true).open(&path).expect("opens");
    file.set_modified(modified).expect("sets");
    drop(file);
    assert!(write(&out, &files).is_err(), "an edit");
    fs::write(&path, content).expect("writes");
    wait_for_the_clock(&out);
    reads(1);
    reads(0);

    for damage in ["", "meshgen stat cache 1\n", "garbage"] {
        fs::write(out.join("store/stat-view"), damage).expect("writes");
        reads(files.len());
        reads(0);
    }
}

/// The clock of the file system is coarse: waits until it moved on.
fn wait_for_the_clock(out: &Path) {
    let transaction = Transaction::begin(&Disk::new(), &out.join("store")).expect("begins");
    let start = transaction.clock().expect("a time");
    while transaction.clock().expect("a time") == start {}
}

#[test]
fn a_file_that_may_still_change_is_not_remembered() {
    let (folder, out) = filled(&["a"]);
    let path = folder.path().join("input");
    fs::write(&path, "one").expect("writes");
    let disk = Disk::new();
    let stat = disk.stat(&path).expect("looks").expect("is there");
    let transaction = Transaction::begin(&disk, &out.join("store")).expect("begins");
    let cache = transaction.inputs();
    cache.insert("changed after the clock", &stat, Digest::of("one"), stat.changed);
    cache.insert("changed before it", &stat, Digest::of("one"), stat.changed + 1);
    transaction.finish_unchanged();
    let cache = StatCache::load(&disk, &out.join("store/stat-inputs"));
    assert_eq!(cache.get("changed after the clock", &stat), None);
    assert_eq!(cache.get("changed before it", &stat), Some(Digest::of("one")));
}

#[test]
fn the_derivation_cache_gives_back_what_it_got() {
    let (_folder, out) = filled(&["a"]);
    let path = out.join("store/derivations");
    let begin = || Transaction::begin(&Disk::new(), &out.join("store")).expect("begins");
    let output = |path: &str, artifact| Output {
        path: path.to_owned(),
        artifact,
        row: format!("{{\"path\": \"{path}\", \"ä\": \"\\t\"}}"),
    };
    let several = vec![output("c1/a.yaml", Some((Digest::of("a"), 1))), output("c1/b.yaml", None)];
    let one = Digest::of("one");
    let transaction = begin();
    assert_eq!(transaction.derivations().get(&one), None);
    transaction.derivations().insert(one, several.clone());
    transaction.derivations().insert(Digest::of("none"), Vec::new());
    let torn = Output { row: "two\nlines".to_owned(), ..several[1].clone() };
    transaction.derivations().insert(Digest::of("torn"), vec![torn]);
    assert_eq!(transaction.derivations().get(&one), Some(several.clone()));
    transaction.finish_unchanged();

    let transaction = begin();
    assert_eq!(transaction.derivations().get(&one), Some(several));
    assert_eq!(transaction.derivations().get(&Digest::of("none")), Some(Vec::new()));
    assert_eq!(transaction.derivations().get(&Digest::of("torn")), None);
    transaction.finish_unchanged();

    let good = fs::read(&path).expect("reads");
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        fs::write(&path, bad).expect("writes");
        assert_eq!(begin().derivations().get(&one), None, "damage at {at} is noticed");
    }
    fs::write(&path, &good[..good.len() - 1]).expect("writes");
    assert_eq!(begin().derivations().get(&one), None);

    // a little more is added behind; where that is torn, the rest is as good as before
    fs::write(&path, &good).expect("writes");
    let remember = |name: &str, outputs| {
        let transaction = begin();
        transaction.derivations().insert(Digest::of(name), outputs);
        transaction.finish_unchanged();
    };
    remember("two", Vec::new());
    let more = fs::read(&path).expect("reads");
    assert!(more.starts_with(&good) && more.len() > good.len());
    for at in good.len()..more.len() {
        fs::write(&path, &more[..at]).expect("writes");
        let transaction = begin();
        assert!(transaction.derivations().get(&one).is_some(), "torn at {at}");
        assert_eq!(transaction.derivations().get(&Digest::of("two")), None, "torn at {at}");
    }
    remember("three", Vec::new());
    let transaction = begin();
    for name in ["one", "three"] {
        assert!(transaction.derivations().get(&Digest::of(name)).is_some(), "{name}");
    }
    drop(transaction);

    // what nobody asks for any more goes in time
    for round in 0..6 {
        let large = output(&"x".repeat(100 << (10 + round)), None);
        remember(&round.to_string(), vec![large]);
    }
    let text = String::from_utf8_lossy(&fs::read(&path).expect("reads")).into_owned();
    assert!(!text.contains(&one.to_string()) && text.contains(&Digest::of("5").to_string()));
}

#[test]
fn artifacts_of_an_earlier_run_are_reused_from_view_or_store() {
    let (_folder, out) = filled(&["a", "b"]);
    let files = tree(&[("c1", "same"), ("c2", "a")]);
    let lost = Digest::of("c2: a\n");
    fs::remove_file(open(&out).blob_path(&lost)).expect("removes");
    let healed = Digest::of("equal everywhere\n");
    fs::remove_file(open(&out).blob_path(&healed)).expect("removes");
    let writer = Writer::open(&Disk::new(), &out, Options::default()).expect("opens");
    for (path, content) in &files {
        let (path, digest) = (path.parse().expect("a path"), Digest::of(content));
        let reused = writer.reuse(&path, digest, content.len() as u64).expect("looks");
        assert_eq!(reused, digest != lost, "{path}");
        if !reused {
            writer.add(path, content.as_bytes()).expect("adds");
        }
    }
    writer.finish(&index("apac", &files).to_text(), &record()).expect("writes");
    assert_eq!(view(&out), crate::sample::expected(&files));
    assert!(open(&out).has(&healed).expect("looks") && open(&out).has(&lost).expect("looks"));
}

#[test]
fn oras_reads_and_pulls_what_we_write() {
    let (folder, out) = filled(&["a", "b"]);
    let Some(oras) = tool::path("oras") else { return };
    let pulled = folder.path().join("pulled");
    fs::create_dir(&pulled).expect("creates");
    let layout = format!("{}:gen-2", out.join("store").display());
    let mut command = Command::new(oras);
    tool::run(command.args(["pull", "--oci-layout", &layout]).current_dir(&pulled), "");
    let mut files = view(&out);
    files.remove(".gitignore");
    assert_eq!(read_folder(&pulled), files);
}

#[test]
fn crane_pushes_and_validates_what_we_write() {
    let (_folder, out) = filled(&["a", "b"]);
    let (Some(crane), Some(registry)) = (tool::path("crane"), Registry::start()) else { return };
    let name = format!("{}/mesh:all", registry.address);
    let layout = out.join("store").to_string_lossy().into_owned();
    let crane = |arguments: &[&str]| tool::run(Command::new(&crane).args(arguments), "");
    crane(&["push", "--index", &layout, &name]);
    crane(&["validate", "--remote", &name]);
    let there: serde_json::Value =
        serde_json::from_str(&crane(&["manifest", &name])).expect("JSON");
    let here = fs::read_to_string(out.join("store/index.json")).expect("reads");
    assert_eq!(there, serde_json::from_str::<serde_json::Value>(&here).expect("JSON"));
}
