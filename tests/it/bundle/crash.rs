//! Killed at every file operation, or on a disk that is full: nothing half-made is taken for whole.

use std::fs;
use std::path::Path;

use meshgen::bundle::{self, Base, BundleError, BundleFile, Created, Options, Part};
use meshgen::file::{Action, Disk, Fault};
use meshgen::store::{self, Store, Transaction};
use meshgen::tree::source::resolve;

use super::{files, open, packed, project, view};
use crate::sample::{copy, folder, read_folder, recording};

/// The n-th changes of a run, and whether half of each can happen.
fn changes(disk: &Disk) -> Vec<(u64, bool)> {
    let log = disk.log().into_iter();
    let changes =
        log.filter(|one| !matches!(one.action, Action::Read | Action::Stat | Action::List));
    changes.zip(1..).map(|(one, at)| (at, one.action == Action::Write)).collect()
}

fn create(disk: &Disk, project: &Path, file: &Path) -> Result<(), BundleError> {
    let source = view(project);
    // what is copied in pieces from a file goes in too
    let program = Part::binary(&Disk::new(), &project.join("program"))?;
    let options = Options { since: None, parts: vec![program] };
    let Created { bundle, content } = bundle::create(&source, options)?;
    bundle::write(disk, file, &bundle, &content).map(drop)
}

#[test]
fn a_create_can_be_killed_anywhere() {
    let folder = folder();
    let (_, old) = packed(folder.path(), "old");
    // more than one piece is written
    let mut large = files("new");
    large.insert("c1/70-samples/large.yaml".to_owned(), "a: b\n".repeat(230_000));
    let new = project(folder.path(), "new", &large);
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(1 << 20, 7);
    program[18..20].copy_from_slice(&62_u16.to_le_bytes());
    fs::write(new.join("program"), program).expect("writes");
    let whole = folder.path().join("whole.tar");
    let disk = recording();
    create(&disk, &new, &whole).expect("works without a fault");
    let expected = fs::read(&whole).expect("reads");
    let changes = changes(&disk);
    // made, written in two pieces, synced, renamed, its folder synced
    assert!(changes.len() >= 6, "{changes:?}");
    for (at, can_tear) in changes {
        for torn in [false, true] {
            if torn && !can_tear {
                continue;
            }
            for before in [None, Some(&old)] {
                let place = folder.path().join(format!("{at}"));
                fs::create_dir_all(&place).expect("creates");
                let file = place.join("bundle.tar");
                if let Some(before) = before {
                    fs::write(&file, before).expect("writes");
                }
                for fault in [Fault::Crash { at, torn }, Fault::Full { at }] {
                    let done = create(&Disk::with_faults(fault), &new, &file).is_ok();
                    match fs::read(&file).ok() {
                        Some(there) if there == expected => assert!(open(&file).is_ok()),
                        there => {
                            assert!(!done, "it said that it was done");
                            assert!(there.as_ref() == before, "half-made at {at}");
                        }
                    }
                    if fault == (Fault::Full { at }) {
                        assert!(read_folder(&place).len() < 2, "nothing is left on a full disk");
                    }
                    // hidden ones of a living process would stay
                    for entry in fs::read_dir(&place).expect("lists") {
                        let path = entry.expect("an entry").path();
                        if path != file {
                            fs::remove_file(path).expect("removes");
                        }
                    }
                }
                create(&Disk::new(), &new, &file).expect("it can be run again");
                assert!(fs::read(&file).expect("reads") == expected);
                fs::remove_dir_all(&place).expect("removes");
            }
        }
    }
}

fn import(disk: &Disk, project: &Path, file: &Path) -> Result<(), BundleError> {
    let opened = BundleFile::open(&Disk::new(), file)?;
    bundle::import(disk, project, &opened, "bundle.tar").map(drop)
}

/// The store is sound, whatever was killed, and names what it says it has.
fn assert_sound(project: &Path, tree: &str) -> bool {
    let store = Store::open(&Disk::new(), &project.join("out/store")).expect("opens");
    assert_eq!(store::fsck(&store).expect("checks").1, []);
    let imports = store.imports().expect("reads");
    let found = resolve(&Disk::new(), project, Some(tree));
    assert_eq!(found.is_ok(), !imports.is_empty());
    if let Ok(source) = &found {
        for row in &source.index.artifacts {
            source.read(&row.path).expect("reads");
        }
    }
    found.is_ok()
}

#[test]
fn an_import_can_be_killed_anywhere() {
    let folder = folder();
    let (file, _) = packed(folder.path(), "new");
    let old = project(folder.path(), "site", &files("old"));
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).expect("creates");
    for prepared in [old, empty] {
        kill_everywhere(folder.path(), &prepared, &file);
    }
}

/// What a delta leaves to the far side is brought from its view.
#[test]
fn an_import_of_a_delta_can_be_killed_anywhere() {
    let folder = folder();
    let old = project(folder.path(), "site", &files("old"));
    let new = project(folder.path(), "new", &files("new"));
    let file = folder.path().join("delta.tar");
    let options = Options { since: Some(Base::of_tree(&view(&old))), ..Options::default() };
    super::pack(&new, &file, options);
    let needs = open(&file).expect("opens").bundle.needs;
    assert!(!needs.is_empty());
    // a clone: all that it has is the view
    fs::remove_dir_all(old.join("out/store")).expect("removes");
    kill_everywhere(folder.path(), &old, &file);
}

/// Imports a bundle into copies of a project, each killed at another change, or on a disk full from there.
fn kill_everywhere(folder: &Path, prepared: &Path, file: &Path) {
    let tree = open(file).expect("opens").bundle.tree.to_string();
    let clean = folder.join("clean");
    copy(prepared, &clean);
    let disk = recording();
    import(&disk, &clean, file).expect("works without a fault");
    assert!(assert_sound(&clean, &tree));
    let view = crate::sample::view(&prepared.join("out"));
    let blobs = |project: &Path| -> Vec<String> {
        read_folder(&project.join("out/store/blobs")).into_keys().collect()
    };
    let expected = blobs(&clean);
    let changes = changes(&disk);
    assert!(changes.len() > 20);
    for (at, can_tear) in changes {
        let torn = if can_tear { vec![false, true] } else { vec![false] };
        let crashes = torn.into_iter().map(|torn| Fault::Crash { at, torn });
        for fault in crashes.chain([Fault::Full { at }]) {
            let site = folder.join("killed");
            copy(prepared, &site);
            let done = import(&Disk::with_faults(fault), &site, file).is_ok();
            let there = assert_sound(&site, &tree);
            assert!(there || !done, "it said that it was done");
            let mut now = crate::sample::view(&site.join("out"));
            now.remove(".gitignore");
            let mut before = view.clone();
            before.remove(".gitignore");
            assert_eq!(now, before, "the view is not touched");
            import(&Disk::new(), &site, file).expect("it can be run again");
            assert!(assert_sound(&site, &tree));
            let mut transaction =
                Transaction::begin(&Disk::new(), &site.join("out/store")).expect("begins");
            store::gc(&mut transaction, 10, &[]).expect("collects");
            transaction.finish_unchanged();
            assert_eq!(blobs(&site), expected, "nothing of the killed one is left");
            fs::remove_dir_all(&site).expect("removes");
        }
    }
    fs::remove_dir_all(&clean).expect("removes");
}
