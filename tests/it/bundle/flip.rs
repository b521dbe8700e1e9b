//! One bit that is off, wherever it is: refused, named, and nothing written.

use std::fs;
use std::ops::Range;
use std::path::Path;

use meshgen::bundle::{Base, Options};

use crate::tool;

use super::{Entry, entries, faults, files, open, pack, packed, project, text, view};

/// At least this many places of each part.
const PLACES: usize = 50;

/// Flips a bit at places spread over some ranges, and gives each place with the faults that are
/// found.
fn flip(
    file: &Path,
    bytes: &[u8],
    ranges: &[Range<usize>],
    mut check: impl FnMut(usize, Vec<meshgen::bundle::Fault>),
) {
    let places: Vec<usize> = ranges.iter().cloned().flatten().collect();
    assert!(places.len() >= PLACES, "{} places are too few", places.len());
    let step = (places.len() / PLACES).max(1);
    let mut bad = bytes.to_vec();
    for (turn, at) in places.iter().copied().step_by(step).enumerate() {
        bad[at] ^= 1 << (turn % 8);
        fs::write(file, &bad).expect("writes");
        check(at, faults(file));
        bad[at] = bytes[at];
    }
}

/// What a flip in an entry's content, header and padding comes to.
fn at_each_part(folder: &Path, bytes: &[u8]) {
    let file = folder.join("flipped.tar");
    let all = entries(bytes);
    let named = |name: &str| all.iter().find(|entry| entry.name == name).expect("is there");
    for name in ["README", "SHA256SUMS", "IMAGES", "sbom.cdx.json", "oci-layout"] {
        let content = named(name).content();
        // a layout's is no longer than that
        if content.len() < PLACES {
            continue;
        }
        flip(&file, bytes, &[content], |at, faults| {
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert_eq!(
                (faults[0].entry.as_str(), faults[0].offset),
                (name, at as u64),
                "{faults:?}"
            );
            assert!(faults[0].what.contains("expected"), "{faults:?}");
        });
    }
    flip(&file, bytes, &[named("index.json").content()], |at, faults| {
        assert_eq!(faults[0].entry, "index.json", "{at}: {faults:?}");
    });
    let blobs: Vec<&Entry> = all.iter().filter(|entry| entry.name.starts_with("blobs/")).collect();
    let contents: Vec<Range<usize>> = blobs.iter().map(|entry| entry.content()).collect();
    let holder = |at: usize| {
        let found = all.iter().find(|entry| (entry.at..entry.end()).contains(&at));
        found.map_or("the end", |entry| entry.name.as_str())
    };
    flip(&file, bytes, &contents, |at, faults| {
        assert_eq!((faults.len(), faults[0].entry.as_str()), (1, holder(at)), "{faults:?}");
        let digest = holder(at).rsplit('/').next().expect("a digest");
        assert!(faults[0].what.contains("expected that of its name"), "{digest}: {faults:?}");
    });
    let mut paddings: Vec<Range<usize>> =
        all.iter().map(|entry| entry.content().end..entry.end()).collect();
    let end = all.last().expect("one").end();
    paddings.push(end..bytes.len());
    flip(&file, bytes, &paddings, |at, faults| {
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(
            faults[0].offset,
            if at < end + 512 && at >= end { faults[0].offset } else { at as u64 }
        );
    });
    let headers: Vec<Range<usize>> = all.iter().map(|entry| entry.at..entry.at + 512).collect();
    flip(&file, bytes, &headers, |at, faults| {
        let offset = usize::try_from(faults[0].offset).expect("an offset");
        assert_eq!(offset / 512, at / 512, "{at}: {faults:?}");
    });
}

#[test]
fn one_flipped_bit_anywhere_is_named() {
    let folder = crate::sample::folder();
    let file = folder.path().join("a.tar");
    // the committed tree names images
    pack(tool::root(), &file, Options::default());
    assert!(open(&file).is_ok());
    let bytes = fs::read(&file).expect("reads");
    at_each_part(folder.path(), &bytes);
}

#[test]
fn one_flipped_bit_in_a_delta_is_named() {
    let folder = crate::sample::folder();
    let (base, file) = (project(folder.path(), "a", &files("a")), folder.path().join("delta.tar"));
    let new = project(folder.path(), "b", &files("b"));
    let since = Some(Base::of_tree(&view(&base)));
    pack(&new, &file, Options { since, ..Options::default() });
    let bytes = fs::read(&file).expect("reads");
    assert!(text(&bytes[512..2048]).contains("delta "));
    at_each_part(folder.path(), &bytes);
}

/// Every header, bit by bit in one of them, byte by byte in all.
#[test]
fn every_byte_of_every_header_counts() {
    let folder = crate::sample::folder();
    let (file, bytes) = packed(folder.path(), "a");
    let mut bad = bytes.clone();
    let all = entries(&bytes);
    for entry in [&all[0], &all[4], &all[7]] {
        for at in entry.at..entry.at + 512 {
            bad[at] ^= 1 << (at % 8);
            fs::write(&file, &bad).expect("writes");
            let found = faults(&file);
            assert_eq!(found.len(), 1, "{at}: {found:?}");
            bad[at] = bytes[at];
        }
    }
}
