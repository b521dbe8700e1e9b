//! Archives and folders that mean harm.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::EntryType;

use super::{chart, project, refused, unpacked};

/// An archive of a good chart and one more entry, whatever its name.
fn with(kind: EntryType, path: &[u8], content: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut add = |kind: EntryType, path: &[u8], content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().expect("gnu").name[..path.len()].copy_from_slice(path);
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        if kind == EntryType::Symlink || kind == EntryType::Link {
            header.set_link_name("/etc/passwd").expect("a target");
        }
        header.set_cksum();
        archive.append(&header, content).expect("an entry");
    };
    for (path, bytes) in chart("1.0.0").iter().filter(|(path, _)| path.len() < 90) {
        add(EntryType::Regular, format!("one/{path}").as_bytes(), bytes);
    }
    add(kind, path, content);
    archive.into_inner().expect("an archive").finish().expect("compressed")
}

#[test]
fn archives_that_mean_harm_are_refused_and_nothing_is_written() {
    use EntryType::{Block, Char, Fifo, GNULongName, GNUSparse, Link, Regular, Symlink, XHeader};
    let long = [b"one/".as_slice(), &[b'a'; 96]].concat();
    let huge = vec![b'a'; 100_000];
    let size = b"20 size=10000000000\n";
    let cases: Vec<(&str, EntryType, &[u8], &[u8])> = vec![
        ("leaves the folder", Regular, b"one/../../etc/passwd", b"x"),
        ("leaves the folder", Regular, b"../etc/passwd", b"x"),
        ("leaves the folder", Regular, b"one\\..\\..\\x", b"x"),
        ("is absolute", Regular, b"/etc/passwd", b"x"),
        ("is a symlink", Symlink, b"one/templates/link", b""),
        ("is a hard link", Link, b"one/templates/link", b""),
        ("is a device", Char, b"one/null", b""),
        ("is a device", Block, b"one/disk", b""),
        ("is a pipe", Fifo, b"one/pipe", b""),
        ("something else", GNUSparse, b"one/sparse", b""),
        ("is there twice", Regular, b"one/Chart.yaml", b"name: other\n"),
        ("is there twice", Regular, b"one/Chart.yaml/x", b"x"),
        ("has an empty part", Regular, b"one/a//x", b"x"),
        ("has a part `.`", Regular, b"one/./x", b"x"),
        ("control character", Regular, b"one/a\x1b[2Jb", b"x"),
        ("backslash", Regular, b"one/a\\b", b"x"),
        ("is no UTF-8", Regular, b"one/\xff", b"x"),
        ("side by side", Regular, b"two/x", b"x"),
        ("too large", GNULongName, b"././@LongLink", &huge),
        ("of a size that needs", XHeader, b"one/pax", size),
    ];
    for (expected, kind, path, content) in cases {
        let project = project();
        fs::write(project.path().join("a.tgz"), with(kind, path, content)).expect("written");
        let said = refused(&project, 2, &["a=a.tgz"]);
        let name = String::from_utf8_lossy(path);
        assert!(said.contains(expected), "{expected}, {name}: {said}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
        assert!(!project.path().join("charts").exists() && !project.path().join("out").exists());
    }
    // the form itself is good
    let project = project();
    fs::write(project.path().join("a.tgz"), with(Regular, &long, b"x")).expect("written");
    project.run(&["lock", "a=a.tgz"]);
}

#[test]
fn bombs_are_limited() {
    let project = project();
    let zeros = vec![0; 17 << 20];
    fs::write(project.path().join("file.tgz"), with(EntryType::Regular, b"one/x", &zeros))
        .expect("written");
    // five files of 15 MiB, a few kB packed
    let mut many = chart("1.0.0");
    for name in ["a", "b", "c", "d", "e"] {
        many.insert(name.to_owned(), zeros[..15 << 20].to_vec());
    }
    fs::write(project.path().join("all.tgz"), super::packed("one", &many)).expect("written");
    let mut count = chart("1.0.0");
    count.extend((0..10_001).map(|number| (format!("files/{number}"), Vec::new())));
    fs::write(project.path().join("count.tgz"), super::packed("one", &count)).expect("written");
    unpacked(&project.path().join("count"), &count);
    let said = refused(&project, 2, &["a=file.tgz", "b=all.tgz", "c=count.tgz", "d=count"]);
    for part in [
        "`a`: `x` is larger than 16 MiB",
        "`b`: its files are larger than 64 MiB together",
        "`c`: it has more than 10000 files",
        "`d`: it has more than 10000 files",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn an_endless_archive_ends() {
    let project = project();
    // a program of more than a GiB beside the charts: never held, and not read to its end
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let mut header = tar::Header::new_gnu();
    header.set_path("istio/bin/x").expect("a path");
    header.set_size(4 << 30);
    header.set_cksum();
    packed.write_all(header.as_bytes()).expect("packed");
    let zeros = vec![0; 1 << 20];
    for _ in 0..1030 {
        packed.write_all(&zeros).expect("packed");
    }
    fs::write(project.path().join("a.tgz"), packed.finish().expect("packed")).expect("written");
    let said = refused(&project, 2, &["a=a.tgz"]);
    assert!(said.contains("unpacks to more than 1024 MiB"), "{said}");
}

#[test]
fn half_an_archive_is_none() {
    let project = project();
    let whole = super::packed("one", &chart("1.0.0"));
    for length in [whole.len() - 1, whole.len() - 9, whole.len() / 2, 20, 2, 0] {
        fs::write(project.path().join("a.tgz"), &whole[..length]).expect("written");
        let said = refused(&project, 2, &["a=a.tgz"]);
        assert!(said.contains("it is no `.tar.gz`"), "{length}: {said}");
    }
    let mut torn = whole.clone();
    *torn.last_mut().expect("bytes") ^= 1;
    fs::write(project.path().join("a.tgz"), torn).expect("written");
    refused(&project, 2, &["a=a.tgz"]);
}

#[test]
fn links_in_folders_are_refused() {
    let project = project();
    let folder = project.path().join("one");
    unpacked(&folder, &chart("1.0.0"));
    symlink("/etc/passwd", folder.join("templates/link")).expect("a link");
    let said = refused(&project, 2, &["a=one"]);
    assert!(said.contains("`templates/link` is a symlink"), "{said}");
    fs::remove_file(folder.join("templates/link")).expect("removed");
    fs::rename(folder.join("templates"), project.path().join("elsewhere")).expect("moved");
    symlink(project.path().join("elsewhere"), folder.join("templates")).expect("a link");
    refused(&project, 2, &["a=one"]);
    fs::remove_file(folder.join("templates")).expect("removed");
    unpacked(&project.path().join("istio"), &super::release("1.27.0"));
    let manifests = project.path().join("istio/manifests");
    fs::rename(&manifests, project.path().join("moved")).expect("moved");
    symlink("../moved", &manifests).expect("a link");
    let said = refused(&project, 2, &["a=istio"]);
    assert!(said.contains("`manifests` is a symlink"), "{said}");
    // what the user names may be a link itself
    symlink(&folder, project.path().join("link")).expect("a link");
    project.run(&["lock", "a=link"]);
    // and charts/ of the project may not
    fs::remove_dir_all(project.path().join("charts")).expect("removed");
    symlink(project.path().join("elsewhere"), project.path().join("charts")).expect("a link");
    let said = refused(&project, 2, &["--fetch"]);
    assert!(said.contains("a symlink"), "{said}");
}
