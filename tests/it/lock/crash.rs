//! Killed, or without room, at any change: the old pins or the new ones, and the content of those.

use std::fs;
use std::path::Path;

use meshgen::fetch::{Content, Fetcher, Options, Source};
use meshgen::file::{Disk, Fault};
use meshgen::inputs::{self, PinChange, WriteError};
use meshgen::pin::PinName;

use super::{release, unpacked};
use crate::project::copy;

fn content(folder: &Path, version: &str) -> (Source, Content) {
    unpacked(&folder.join(version), &release(version));
    let options = Options { base: String::new(), registry: meshgen::registry::Options::default() };
    let disk = Disk::new();
    let source = Source::Path(version.to_owned());
    let content = Fetcher::new(&disk, folder, &options, &|_| {}).fetch(&source).expect("charts");
    (source, content)
}

/// A project with two pins, and a change that updates one, takes the other away, and adds a third.
fn prepared(folder: &Path) -> PinChange {
    let mut change = PinChange::default();
    let name = |text: &str| PinName::parse(text).expect("a name");
    for (pin, version) in [("a", "1.26.0"), ("b", "1.27.0")] {
        let (source, content) = content(folder, version);
        change.new.pins.insert(name(pin), content.pin(&source));
        change.contents.insert(content.digest, content.archive);
    }
    inputs::write_pins(&Disk::new(), folder, &folder.join("out/store"), &change).expect("writes");
    let mut next = PinChange { old: change.new.clone(), new: change.new, ..PinChange::default() };
    next.new.pins.remove(&name("b"));
    for (pin, version) in [("a", "1.28.0"), ("c", "1.29.0")] {
        let (source, content) = content(folder, version);
        next.new.pins.insert(name(pin), content.pin(&source));
        next.contents.insert(content.digest, content.archive);
    }
    next
}

/// The pins are one of the two, each with its content.
fn assert_sound(project: &Path, change: &PinChange, case: &str) -> bool {
    let lock = inputs::load_lock(&Disk::new(), project).expect("a lock file that reads");
    assert!(lock == change.old || lock == change.new, "{case}");
    for pin in lock.pins.values() {
        let content = inputs::content(&Disk::new(), project, pin.digest);
        assert!(content.is_ok(), "{case}: {content:?}");
    }
    lock == change.new
}

#[test]
fn at_every_change_the_pins_are_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = folder.path().join("start");
    fs::create_dir(&start).expect("a folder");
    let change = prepared(&start);
    let write = |disk: &Disk, project: &Path| {
        inputs::write_pins(disk, project, &project.join("out/store"), &change)
    };
    let clean = folder.path().join("clean");
    copy(&start, &clean);
    let disk = Disk::with_faults(Fault::None);
    write(&disk, &clean).expect("writes");
    assert!(!clean.join("out").exists(), "no store is left where there was none");
    let (mut old, mut new) = (0, 0);
    for at in 1..=disk.changes() {
        let faults =
            [Fault::Crash { at, torn: false }, Fault::Crash { at, torn: true }, Fault::Full { at }];
        for fault in faults {
            let case = format!("{fault:?}");
            let project = folder.path().join("case");
            copy(&start, &project);
            let result = write(&Disk::with_faults(fault), &project);
            let is_new = assert_sound(&project, &change, &case);
            assert!(result.is_err() || is_new, "{case}");
            if is_new {
                new += 1;
            } else {
                old += 1;
            }
            // and it can be done again
            if !is_new {
                write(&Disk::new(), &project).expect("writes");
                assert!(assert_sound(&project, &change, &case));
            }
            fs::remove_dir_all(&project).expect("removed");
        }
    }
    assert!(old > 20 && new > 5, "{old} old, {new} new");
}

#[test]
fn what_a_killed_one_left_is_swept() {
    let folder = tempfile::tempdir().expect("a folder");
    let change = prepared(folder.path());
    let left = folder.path().join("charts/.x.tar.1-0.tmp");
    fs::write(&left, "half").expect("written");
    let store = folder.path().join("out/store");
    inputs::write_pins(&Disk::new(), folder.path(), &store, &change).expect("writes");
    assert!(!left.exists());
    assert_eq!(fs::read_dir(folder.path().join("charts")).expect("lists").count(), 2);
}

#[test]
fn pins_that_another_wrote_meanwhile_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut change = prepared(folder.path());
    change.old.pins.clear();
    let store = folder.path().join("out/store");
    let before = crate::project::files(folder.path());
    let result = inputs::write_pins(&Disk::new(), folder.path(), &store, &change);
    assert!(matches!(result, Err(WriteError::Changed)), "{result:?}");
    assert_eq!(crate::project::files(folder.path()), before);
}
