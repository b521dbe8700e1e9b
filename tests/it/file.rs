//! The file room: what it refuses, what it leaves behind, and its injected faults.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use meshgen::file::Action::{List, Rename, Stat, Sync, Write};
use meshgen::file::{Action, Disk, Fault, FileError};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn names(folder: &Path) -> Vec<String> {
    let list = Disk::new().list(folder).expect("lists");
    list.into_iter().map(|entry| entry.name.into_string().expect("UTF-8")).collect()
}

#[test]
fn inputs_are_not_read_through_symlinks() {
    let root = folder();
    fs::create_dir_all(root.path().join("a/b")).expect("creates");
    fs::write(root.path().join("a/b/file"), "text").expect("writes");
    symlink("b", root.path().join("a/link")).expect("links");
    symlink("file", root.path().join("a/b/link")).expect("links");
    let disk = Disk::new();
    let read = |path: &str| disk.read_input(root.path(), Path::new(path), 100);
    assert_eq!(read("a/b/file").expect("reads"), b"text");
    assert_eq!(read("./a/b/file").expect("reads"), b"text");
    for path in ["a/link/file", "a/b/link"] {
        let error = read(path).expect_err("a symlink");
        assert!(error.to_string().ends_with("is a symlink, not a file"), "{error}");
    }
    for path in ["../file", "a/../../file", "/etc/passwd"] {
        assert!(matches!(read(path), Err(FileError::Outside { .. })), "{path}");
    }
    assert!(matches!(read("a/b"), Err(FileError::NotAFile { what: "a folder", .. })));
    assert!(read("a/none").expect_err("nothing there").is_not_found());
    assert!(read("a/b/file/deeper").expect_err("nothing there").is_not_found());
    let small = disk.read_input(root.path(), Path::new("a/b/file"), 3);
    assert!(matches!(small, Err(FileError::TooLarge { max: 3, .. })));
}

#[test]
fn new_files_are_never_put_over_others() {
    let root = folder();
    let path = root.path().join("key");
    let disk = Disk::new();
    disk.create_new(&path, b"one", 0o600).expect("creates");
    assert!(disk.create_new(&path, b"two", 0o600).expect_err("is there").is_already_there());
    assert_eq!(fs::read(&path).expect("reads"), b"one");
    assert_eq!(fs::metadata(&path).expect("stat").permissions().mode() & 0o777, 0o600);
    disk.replace(&path, b"three").expect("replaces");
    assert_eq!(fs::metadata(&path).expect("stat").permissions().mode() & 0o777, 0o600);
    assert_eq!(names(root.path()), ["key"]);
}

#[test]
fn a_crash_at_any_change_leaves_the_old_or_the_new() {
    for torn in [false, true] {
        for at in 1..20 {
            let root = folder();
            let path = root.path().join("file");
            fs::write(&path, "old").expect("writes");
            let disk = Disk::with_faults(Fault::Crash { at, torn });
            let done = disk.replace(&path, b"new content");
            let now = fs::read_to_string(&path).expect("reads");
            assert!(now == "old" || now == "new content", "{now:?} at {at}");
            assert!(disk.read(&path).is_err() || done.is_ok(), "nothing works after a crash");
            if done.is_ok() {
                assert_eq!(at, 5, "a replacement is four changes");
                break;
            }
        }
    }
}

#[test]
fn what_the_dead_left_beside_a_file_is_swept() {
    let root = folder();
    let path = root.path().join("file");
    // no process has the highest id that the system can give
    fs::write(root.path().join(".file.4194304-0.tmp"), "half").expect("writes");
    fs::write(root.path().join(format!(".file.{}-x.tmp", std::process::id())), "").expect("writes");
    Disk::new().replace(&path, b"new").expect("replaces");
    assert_eq!(names(root.path()), [format!(".file.{}-x.tmp", std::process::id()), "file".into()]);
}

#[test]
fn a_full_disk_is_told_as_such_and_leaves_nothing() {
    let root = folder();
    let path = root.path().join("file");
    fs::write(&path, "old").expect("writes");
    let disk = Disk::with_faults(Fault::Full { at: 1 });
    let error = disk.replace(&path, b"new content").expect_err("full");
    assert!(error.is_full() && error.to_string().starts_with("no space is left"), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("reads"), "old");
    assert_eq!(names(root.path()), ["file"]);
}

#[test]
fn a_rename_over_a_file_comes_after_its_content_is_durable() {
    let root = folder();
    let disk = Disk::with_faults(Fault::None);
    disk.replace(&root.path().join("file"), b"new").expect("replaces");
    let changes: Vec<Action> = disk.log().into_iter().map(|operation| operation.action).collect();
    assert_eq!(changes, [Stat, List, Write, Sync, Rename, Sync]);
}

#[test]
fn the_lock_keeps_others_out_and_names_its_holder() {
    let root = folder();
    let path = root.path().join("lock");
    let disk = Disk::new();
    let held = disk.lock(&path).expect("free");
    let error = disk.lock(&path).expect_err("held");
    let pid = std::process::id();
    assert!(error.to_string().contains(&format!("another meshgen (process {pid})")), "{error}");
    drop(held);
    disk.lock(&path).expect("free again");
}
