//! Archives that mean harm: refused before anything is written, without being held or unpacked.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use meshgen::bundle::BundleError;
use meshgen::store::Digest;

use super::{Entry, entries, faults, open, packed, run, text};
use crate::sample::read_folder;

/// How many entries stand before the blobs.
const FRONT: usize = 6;

/// An archive as a list of whole entries, to be put together otherwise.
struct Parts(Vec<Vec<u8>>);

impl Parts {
    fn of(bytes: &[u8]) -> Self {
        let all = entries(bytes);
        Self(all.iter().map(|entry| bytes[entry.at..entry.end()].to_vec()).collect())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.0.concat();
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }
}

/// A header with a right sum, whatever it says.
fn header(name: &str, size: &[u8], flag: u8, link: &str) -> Vec<u8> {
    let mut block = vec![0; 512];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, size);
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[flag]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    put(329, b"0000000\0");
    put(337, b"0000000\0");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

const NONE: &[u8] = b"00000000000\0";

fn blob(content: &[u8]) -> Vec<u8> {
    let name = format!("blobs/sha256/{}", Digest::of(content).hex());
    let mut all = header(&name, format!("{:011o}\0", content.len()).as_bytes(), b'0', "");
    all.extend_from_slice(content);
    all.resize(all.len().next_multiple_of(512), 0);
    all
}

#[track_caller]
fn refused(folder: &Path, bytes: &[u8], expected: &str) {
    let file = folder.join("hostile.tar");
    fs::write(&file, bytes).expect("writes");
    let found = faults(&file);
    let said = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(said.contains(expected), "{expected:?} is not in {said}");
    assert!(!said.contains(|letter: char| letter.is_control() && letter != '\n'), "{said:?}");
}

#[test]
fn what_is_no_plain_file_of_ours_is_refused() {
    let folder = crate::sample::folder();
    let (_, bytes) = packed(folder.path(), "a");
    let blob = format!("blobs/sha256/{}", Digest::of("x").hex());
    let last = format!("blobs/sha256/{}", "f".repeat(64));
    for (entry, expected) in [
        (header("../../.ssh/authorized_keys", NONE, b'0', ""), "no entry of that name belongs"),
        (header("/etc/passwd", NONE, b'0', ""), "no entry of that name belongs"),
        (header("blobs/sha256/../../../x", NONE, b'0', ""), "no entry of that name belongs"),
        (header("./README", NONE, b'0', ""), "no entry of that name belongs"),
        (header("x\u{1b}[2J\u{7}", NONE, b'0', ""), "x\\x1b[2J\\x07"),
        (header("pki/root.yaml", NONE, b'0', ""), "no entry of that name belongs"),
        (header(&blob, NONE, b'1', "/etc/shadow"), "it is a hard link"),
        (header(&blob, NONE, b'2', "/etc/shadow"), "it is a symlink"),
        (header(&blob, NONE, b'3', ""), "it is a device"),
        (header(&blob, NONE, b'4', ""), "it is a device"),
        (header("blobs/", NONE, b'5', ""), "it is a folder"),
        (header(&blob, NONE, b'6', ""), "it is a pipe"),
        (header(&blob, NONE, b'0', "/etc/shadow"), "the field `linkname`"),
        (header("pax", b"00000000777\0", b'x', ""), "an extended header of pax"),
        (header("pax", b"00000000777\0", b'g', ""), "an extended header of pax"),
        (header("././@LongLink", b"00000000777\0", b'L', ""), "a long name of GNU tar"),
        (header(&blob, NONE, b'S', ""), "a sparse file"),
        (header(&blob, NONE, 0, ""), "of the type"),
        (header(&blob, b"\x80\0\0\0\0\0\0\0\x7f\xff\xff\xff", b'0', ""), "in base 256"),
        (header(&blob, b"-0000000001\0", b'0', ""), "negative"),
        (header(&blob, b"00000000 01\0", b'0', ""), "no number of eleven octal digits"),
        (header(&blob, b"000000000001", b'0', ""), "no number of eleven octal digits"),
        (header(&last, b"77777777777\0", b'0', ""), "it was cut short"),
        (header("README", b"77777777777\0", b'0', ""), "out of order"),
    ] {
        // anywhere: before all, among the texts, behind the blobs
        for at in [0, 3, Parts::of(&bytes).0.len()] {
            let mut parts = Parts::of(&bytes);
            parts.0.insert(at, entry.clone());
            // where a text is expected, that it is none comes first for what is well-formed
            let expected = if at < FRONT && expected.contains("cut short") { "" } else { expected };
            let expected =
                if at == 0 && expected == "out of order" { "larger than" } else { expected };
            refused(folder.path(), &parts.bytes(), expected);
        }
    }
    // a size that is a lie is not believed: nothing of 8 GiB is held
    let mut parts = Parts::of(&bytes);
    parts.0[0] = header("README", b"77777777777\0", b'0', "");
    refused(folder.path(), &parts.bytes(), "README, at byte 0: it is larger than");
    parts.0[0] = header("README", b"00377777777\0", b'0', "");
    refused(folder.path(), &parts.bytes(), "it was cut short");
}

#[test]
fn other_orders_doubles_and_guests_are_refused() {
    let folder = crate::sample::folder();
    let (_, bytes) = packed(folder.path(), "a");
    let change = |expected: &str, act: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut parts = Parts::of(&bytes);
        act(&mut parts.0);
        refused(folder.path(), &parts.bytes(), expected);
    };
    let count = Parts::of(&bytes).0.len();
    for at in FRONT..count - 1 {
        change("out of order, or there twice", &|parts| parts.swap(at, at + 1));
    }
    for at in 0..FRONT - 1 {
        change("out of order", &|parts| parts.swap(at, at + 1));
    }
    for at in 0..count {
        change("out of order", &|parts| parts.insert(at, parts[at].clone()));
        let expected = if at < FRONT { "out of order" } else { "is not there" };
        change(expected, &|parts| drop(parts.remove(at)));
    }
    // whatever is sorted in rightly, and still belongs to nothing
    for guest in ["a guest", "", "another\n"] {
        let guest = blob(guest.as_bytes());
        change("it belongs to nothing that `index.json` names", &|parts| {
            let name = |part: &[u8]| part[..100].to_vec();
            let at = parts[FRONT..].iter().position(|part| name(part) > name(&guest));
            parts.insert(FRONT + at.unwrap_or(count - FRONT), guest.clone());
        });
    }
    change("README, at byte 0: it is missing", &Vec::clear);
}

#[test]
fn a_file_that_ends_early_or_late_is_refused() {
    let folder = crate::sample::folder();
    let (file, bytes) = packed(folder.path(), "a");
    for end in (0..bytes.len()).step_by(512).chain((1..bytes.len()).step_by(977)) {
        fs::write(&file, &bytes[..end]).expect("writes");
        let found = faults(&file);
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains("it was cut short"), "{end}: {found:?}");
        assert_eq!(found[0].offset, end as u64);
    }
    for guest in [&[0][..], &[1], &[0; 512], b"#!/bin/sh\n", &[0; 10240]] {
        refused(folder.path(), &[&bytes, guest].concat(), "follow the end of the archive");
    }
    refused(folder.path(), &[&bytes[..], &bytes].concat(), "follow the end of the archive");
}

#[test]
fn what_is_no_archive_is_refused() {
    let folder = crate::sample::folder();
    let (_, bytes) = packed(folder.path(), "a");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&bytes).expect("packs");
    let gzip = gzip.finish().expect("packs");
    refused(folder.path(), &gzip, "no header of a ustar archive");
    refused(folder.path(), &[b'x'; 4096], "no header of a ustar archive");
    // somebody names the wrong file, and it is a key: nothing of it is repeated
    let key = format!("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEcanary{}", "A".repeat(600));
    fs::write(folder.path().join("key.pem"), &key).expect("writes");
    for command in [&["bundle", "verify"][..], &["bundle", "import"], &["show"], &["plan"]] {
        let name = folder.path().join("key.pem").display().to_string();
        let output = run(folder.path(), &[command, &[&name]].concat());
        let said = text(&[output.stdout, output.stderr].concat());
        assert!(said.contains("no header of a ustar archive"), "{said}");
        assert!(!said.contains("canary") && !said.contains("BEGIN"), "{said}");
    }
    refused(folder.path(), &[0; 4096], "README, at byte 0: it is missing");
    refused(folder.path(), b"", "README, at byte 0: the file ends here");
    assert!(matches!(open(folder.path()), Err(BundleError::File(_))));
    assert!(matches!(open(&folder.path().join("none")), Err(BundleError::File(_))));
    // a pipe that nobody writes to is no wait
    let pipe = folder.path().join("pipe");
    crate::tool::run(std::process::Command::new("mkfifo").arg(&pipe), "");
    let error = open(&pipe).expect_err("no file").to_string();
    assert!(error.contains("is a device, pipe or socket"), "{error}");
}

/// Bundles that fit their own sums, and say of themselves what no bundle says.
#[test]
fn documents_that_lie_are_refused() {
    let folder = crate::sample::folder();
    let (_, bytes) = packed(folder.path(), "a");
    let all = entries(&bytes);
    let index = |entry: &&Entry| entry.name == "index.json";
    let index = all.iter().find(index).expect("is there").content();
    let index = text(&bytes[index]);
    let with = |index: &str| {
        let mut parts = Parts::of(&bytes);
        let mut entry =
            header("index.json", format!("{:011o}\0", index.len()).as_bytes(), b'0', "");
        entry.extend_from_slice(index.as_bytes());
        entry.resize(entry.len().next_multiple_of(512), 0);
        parts.0[FRONT - 1] = entry;
        parts.bytes()
    };
    assert!(with(&index) == bytes);
    let tree = &index[index.rfind("sha256:").expect("a tree")..][..71];
    let nothing = format!("sha256:{}", "0".repeat(64));
    let deep = format!("{{\"x\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for (other, expected) in [
        (index.replace("\"tree\"", "\"wood\""), "expected `t`"),
        (index.replace(tree, &nothing), "is not there"),
        (index.replace("vnd.meshgen.bundle.v1", "vnd.meshgen.bundle.v2"), "is not of type"),
        (index.replace("vnd.meshgen.tree.v1", "vnd.meshgen.tree.v2"), "does not know"),
        (index.replacen("\"size\":", "\"size\":1", 1), "its size is"),
        (index.replacen("\"size\":", "\"size\":-", 1), "invalid"),
        (index.replace("{\"schemaVersion\"", "{ \"schemaVersion\""), "expected `\"`"),
        (index.replace("\"schemaVersion\":2", "\"schemaVersion\":3"), "expected `2`"),
        (
            index.replace(
                "\"annotations\":{\"org",
                "\"urls\":[\"http://x\"],\"annotations\":{\"org",
            ),
            "expected",
        ),
        (format!("{index}\n"), "expected the end"),
        (deep, "missing field"),
        ("{}".to_owned(), "missing field"),
        ("\u{feff}{}".to_owned(), "index.json"),
        (String::new(), "EOF"),
    ] {
        assert!(other != index, "{expected}");
        refused(folder.path(), &with(&other), expected);
    }
}

#[test]
fn nothing_is_written_for_a_bundle_that_is_off() {
    let folder = crate::sample::folder();
    let (file, mut bytes) = packed(folder.path(), "a");
    let at = entries(&bytes)[9].content().start;
    bytes[at] ^= 1;
    fs::write(&file, &bytes).expect("writes");
    let site = folder.path().join("site");
    fs::create_dir(&site).expect("creates");
    let name = file.to_str().expect("text");
    for arguments in [
        &["bundle", "import", name, "--allow-unsigned"][..],
        &["bundle", "import", name],
        &["plan", name, "--allow-unsigned"],
        &["apply", name, "--allow-unsigned", "--yes"],
        &["diff", name, name, "--allow-unsigned"],
        &["diff", "--live", name, "--allow-unsigned"],
        &["show", name],
        &["images", name],
        &["bundle", "create", name, "--out", "copy.tar"],
    ] {
        let output = run(&site, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains("expected that of its name"), "{arguments:?}");
        assert_eq!(output.stdout, b"");
        assert_eq!(read_folder(&site).len(), 0, "{arguments:?}");
    }
    let output = run(&site, &["bundle", "verify", name, "--allow-unsigned"]);
    assert_eq!(output.status.code(), Some(1));
    let output = run(&site, &["bundle", "verify", name, "-o", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&value["whole"], &value["faults"][0]["offset"]), (&false.into(), &at.into()));
}
