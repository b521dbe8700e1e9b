//! Safe to interrupt: a crash and a full disk at every single change, and the order of barriers.

use std::collections::HashSet;
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use meshgen::file::{Action, Disk, Fault, Operation};
use meshgen::store::{self, Store, Transaction};
use meshgen::tree::view::{self, Options, ViewError};

use crate::sample::{
    Files, assert_view, copy, expected, folder, read_folder, recording, tree, view, write,
    write_with,
};

fn old() -> Files {
    tree(&[("c1", "same"), ("c2", "old"), ("c3", "same"), ("c4", "goes")])
}

fn new() -> Files {
    tree(&[("c1", "same"), ("c2", "new"), ("c3", "same"), ("c5", "comes")])
}

fn third() -> Files {
    tree(&[("c1", "third"), ("c2", "old"), ("c3", "same"), ("c5", "third")])
}

/// An `out` with generations of `third` and `old`, the latter in the view; made once, copied often.
fn prepared(folder: &Path) -> PathBuf {
    let out = folder.join("prepared");
    write(&out, &third()).expect("writes");
    write(&out, &old()).expect("writes");
    out
}

/// No temporary file, and no `next`, is left; every blob is sound; the lock is free.
fn assert_clean(out: &Path) {
    let store = out.join("store");
    assert!(fs::read_dir(store.join("tmp")).expect("lists").next().is_none(), "temporary files");
    for name in ["next", "folders"] {
        assert!(!store.join(name).exists(), "`{name}` stands");
    }
    let store = Store::open(&Disk::new(), &store).expect("opens");
    let (_, findings) = store::fsck(&store).expect("checks");
    assert_eq!(findings, []);
    Transaction::begin(&Disk::new(), store.folder()).expect("the lock is free");
}

/// Every file is whole: what it was, or what it was to become.
fn assert_whole(out: &Path, trees: &[&Files]) {
    for (path, content) in view(out) {
        if path.ends_with('/') {
            continue;
        }
        let known = trees.iter().any(|tree| expected(tree).get(&path) == Some(&content));
        assert!(known, "{path} is half-written: {content:?}");
    }
}

/// Runs `act` with a crash at every change, whole and torn, and `check`s what is left.
fn at_every_change(
    prepared: &Path,
    act: &dyn Fn(&Disk, &Path) -> bool,
    check: &dyn Fn(&Path, bool),
) -> u64 {
    let folder = folder();
    let disk = recording();
    let out = folder.path().join("clean");
    copy(prepared, &out);
    assert!(act(&disk, &out), "works without a fault");
    check(&out, true);
    let changes = disk.changes();
    let log = disk.log().into_iter();
    let writes: Vec<bool> = log
        .filter(|one| !matches!(one.action, Action::Read | Action::Stat | Action::List))
        .map(|one| one.action == Action::Write)
        .collect();
    for (at, can_tear) in (1..=changes).zip(writes) {
        for torn in [false, true] {
            if torn && !can_tear {
                continue;
            }
            let out = folder.path().join(format!("{at}-{torn}"));
            copy(prepared, &out);
            let done = act(&Disk::with_faults(Fault::Crash { at, torn }), &out);
            check(&out, done);
            fs::remove_dir_all(out).expect("removes");
        }
    }
    changes
}

fn ok<T>(result: Result<T, ViewError>) -> bool {
    match result {
        Ok(_) => true,
        // whatever a killed write left, it is never taken for somebody's work
        Err(error @ (ViewError::Edits(_) | ViewError::InTheWay { .. } | ViewError::Index(_))) => {
            panic!("{error}")
        }
        Err(_) => false,
    }
}

#[test]
fn a_first_write_can_be_killed_anywhere() {
    let folder = folder();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).expect("creates");
    let act = |disk: &Disk, out: &Path| ok(write_with(disk, out, &new(), Options::default()));
    at_every_change(&empty, &act, &|out, _| {
        assert_whole(out, &[&new()]);
        // other inputs by then: what the killed one had brought is ours, and goes
        let then = folder.path().join("then");
        copy(out, &then);
        write(&then, &third()).expect("the next write settles it");
        assert_view(&then, &third());
        assert_clean(&then);
        fs::remove_dir_all(then).expect("removes");

        write(out, &new()).expect("the next write settles it");
        assert_view(out, &new());
        assert_clean(out);
    });
}

#[test]
fn a_write_can_be_killed_anywhere() {
    let folder = folder();
    let prepared = prepared(folder.path());
    let act = |disk: &Disk, out: &Path| ok(write_with(disk, out, &new(), Options::default()));
    let turns = std::cell::Cell::new(0);
    let changes = at_every_change(&prepared, &act, &|out, done| {
        assert_whole(out, &[&old(), &new()]);
        if done {
            assert_view(out, &new());
        }
        // the same inputs again; and in turns other ones by then
        let turn = turns.replace(turns.get() + 1);
        for next in [new(), if turn % 2 == 0 { third() } else { old() }] {
            let then = folder.path().join("then");
            copy(out, &then);
            write(&then, &next).expect("the next write settles it");
            assert_view(&then, &next);
            assert_clean(&then);
            fs::remove_dir_all(then).expect("removes");
        }
    });
    assert!(changes > 60, "{changes}");
}

#[test]
fn two_writes_can_be_killed_one_after_the_other() {
    let folder = folder();
    let prepared = prepared(folder.path());
    let killed = |files: &Files, at: u64, out: &Path| {
        let disk = Disk::with_faults(Fault::Crash { at, torn: false });
        ok(write_with(&disk, out, files, Options::default()));
    };
    // far enough to have touched the view, in many ways
    for first in (50..110).step_by(7) {
        for second in (30..110).step_by(9) {
            let out = folder.path().join("out");
            copy(&prepared, &out);
            killed(&new(), first, &out);
            killed(&third(), second, &out);
            assert_whole(&out, &[&old(), &new(), &third()]);
            write(&out, &old()).expect("the next write settles it");
            assert_view(&out, &old());
            assert_clean(&out);
            fs::remove_dir_all(out).expect("removes");
        }
    }
}

#[test]
fn a_rollback_can_be_killed_anywhere() {
    let folder = folder();
    let prepared = prepared(folder.path());
    let act = |disk: &Disk, out: &Path| ok(view::rollback(disk, out, 1, false));
    at_every_change(&prepared, &act, &|out, done| {
        assert_whole(out, &[&old(), &third()]);
        if done {
            assert_view(out, &third());
        }
        assert!(ok(view::rollback(&Disk::new(), out, 1, false)), "it can be run again");
        assert_view(out, &third());
        write(out, &new()).expect("writes");
        assert_view(out, &new());
        assert_clean(out);
    });
}

#[test]
fn a_gc_can_be_killed_anywhere() {
    let folder = folder();
    let prepared = prepared(folder.path());
    let tree = view::digest(&Disk::new(), &prepared).expect("reads").expect("an index");
    let gc = |disk: &Disk, out: &Path| {
        let mut transaction = Transaction::begin(disk, &out.join("store"))?;
        store::gc(&mut transaction, 1, &[tree])
    };
    let act = |disk: &Disk, out: &Path| gc(disk, out).is_ok();
    let kept = folder.path().join("kept");
    copy(&prepared, &kept);
    let swept = gc(&Disk::new(), &kept).expect("collects");
    assert_eq!(swept.generations, [1]);
    let blobs =
        |out: &Path| -> Vec<String> { read_folder(&out.join("store/blobs")).into_keys().collect() };
    at_every_change(&prepared, &act, &|out, _| {
        assert_view(out, &old());
        let store = Store::open(&Disk::new(), &out.join("store")).expect("opens");
        assert_eq!(store::fsck(&store).expect("checks").1, []);
        assert!(act(&Disk::new(), out), "it can be run again");
        assert_eq!(blobs(out), blobs(&kept));
        assert_clean(out);
    });
}

#[test]
fn a_disk_that_is_full_at_any_write_leaves_the_old_view() {
    let folder = folder();
    let prepared = prepared(folder.path());
    let disk = recording();
    let out = folder.path().join("clean");
    copy(&prepared, &out);
    write_with(&disk, &out, &new(), Options::default()).expect("writes");
    let mut refused = 0;
    for at in 1..=disk.changes() {
        let out = folder.path().join(at.to_string());
        copy(&prepared, &out);
        let full = Disk::with_faults(Fault::Full { at });
        match write_with(&full, &out, &new(), Options::default()) {
            // from here on nothing but caches needed room
            Ok(_) => assert_eq!(view(&out), expected(&new())),
            Err(error) => {
                refused += 1;
                assert!(error.to_string().starts_with("no space is left"), "{error}");
                assert!(error.hint().expect("a hint").contains("gc"), "{error}");
                assert_view(&out, &old());
                let rolled = view::rollback(&Disk::new(), &out, 1, false);
                assert!(rolled.is_ok(), "the old view is as good as ever: {rolled:?}");
            }
        }
        write(&out, &new()).expect("with room again");
        assert_view(&out, &new());
        assert_clean(&out);
        fs::remove_dir_all(out).expect("removes");
    }
    assert!(refused > 30, "{refused}");
}

/// Replays the record: no file gets its name before a barrier made its content durable, the view
/// is touched only after the second, and `next` goes only after the third.
#[test]
fn the_recorded_order_shows_the_barriers() {
    let folder = folder();
    let out = prepared(folder.path());
    let disk = recording();
    write_with(&disk, &out, &new(), Options::default()).expect("writes");
    let changes: Vec<Operation> = disk
        .log()
        .into_iter()
        .filter(|one| !matches!(one.action, Action::Read | Action::Stat | Action::List))
        .collect();
    let in_store = |path: &Path| path.starts_with(out.join("store"));
    let in_view = |one: &&Operation| {
        let target = one.to.as_ref().unwrap_or(&one.path);
        !in_store(target) && matches!(one.action, Action::Rename | Action::Remove)
    };
    let at = |find: &dyn Fn(&Operation) -> bool| changes.iter().position(find).expect("is there");
    let named = |name: &str| {
        let path = out.join(name);
        at(&|one| one.action == Action::Rename && one.to.as_ref() == Some(&path))
    };
    let barriers: Vec<usize> = changes
        .iter()
        .enumerate()
        .filter(|(_, one)| one.action == Action::Sync)
        .map(|(at, _)| at)
        .collect();
    assert_eq!(barriers.len(), 3);

    let mut written = HashSet::new();
    let mut durable = HashSet::new();
    for one in &changes {
        match one.action {
            Action::Write => drop(written.insert(one.path.clone())),
            Action::Sync => durable.extend(written.drain()),
            // a cache may be torn: it has a checksum
            Action::Rename
                if one.to.as_ref().is_some_and(|to| {
                    ["stat-view", "stat-inputs", "derivations"]
                        .iter()
                        .any(|name| to.ends_with(name))
                }) => {}
            Action::Rename => assert!(durable.contains(&one.path), "{one:?} before a barrier"),
            _ => {}
        }
    }
    let first_in_view = at(&|one| in_view(&one));
    let next = named("store/next");
    assert!(barriers[0] < next && next < barriers[1] && barriers[1] < first_in_view);
    let blobs = out.join("store/blobs");
    let last_blob = changes.iter().rposition(|one| {
        one.action == Action::Rename && one.to.as_ref().is_some_and(|to| to.starts_with(&blobs))
    });
    let catalogue = named("store/index.json");
    assert!(last_blob.expect("blobs") < catalogue && catalogue < next);
    let last_in_view = changes.iter().rposition(|one| in_view(&one)).expect("is there");
    assert_eq!(last_in_view, named("index.json"), "the index comes last");
    assert!(last_in_view < barriers[2]);
    let dropped = out.join("store/next");
    let dropped = at(&|one| one.action == Action::Remove && one.path == dropped);
    assert!(barriers[2] < dropped);
}

/// A second process holds the lock: it is named, nothing is changed, and its death frees the lock.
#[test]
fn two_processes_are_kept_apart() {
    if let Some(out) = std::env::var_os("MESHGEN_TEST_HOLD") {
        let _held = Transaction::begin(&Disk::new(), Path::new(&out)).expect("takes the lock");
        println!("held");
        let _ = std::io::Read::read(&mut std::io::stdin(), &mut [0]);
        return;
    }
    let folder = folder();
    let out = prepared(folder.path());
    let mut child = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "crash::two_processes_are_kept_apart", "--nocapture"])
        .env("MESHGEN_TEST_HOLD", out.join("store"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    let mut lines = std::io::BufReader::new(child.stdout.take().expect("its output")).lines();
    assert!(lines.any(|line| line.expect("a line").contains("held")));

    let error = write(&out, &new()).expect_err("the other one holds it").to_string();
    assert!(error.contains(&format!("another meshgen (process {})", child.id())), "{error}");
    assert_view(&out, &old());
    child.kill().expect("kills");
    child.wait().expect("ends");
    write(&out, &new()).expect("the lock is free");
}
