//! No input makes a parser panic, and what we read as YAML we write and read back the same.
//!
//! Each test mutates the files of the repository: some hundred times in the test suite, for
//! `MESHGEN_FUZZ_SECONDS` when that is set (`just fuzz`). A failing text is printed.

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use meshgen::bundle::{Bundle, read_blob};
use meshgen::diag::{self, Diagnostics, Sources};
use meshgen::fetch::Source;
use meshgen::inputs::Facts;
use meshgen::pin::{Lock, archive};
use meshgen::pki::{self, Certificate, Identities, KeyringFile};
use meshgen::registry::Url;
use meshgen::spec::{self, Profiles};
use meshgen::store::Digest;
use meshgen::tree::{Index, TreePath};
use meshgen::yaml::{self, Schema};

use crate::tool;

/// Mutations a target in the test suite.
const FEW: usize = 400;

/// xorshift: the same sequence in each run of the suite, another one in each run of `just fuzz`.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).expect("below a usize")
    }
}

/// The texts below some folders and files of the repository that end in one of these.
fn corpus(roots: &[&str], endings: &[&str]) -> Vec<String> {
    let mut texts = Vec::new();
    for root in roots {
        for entry in walkdir::WalkDir::new(tool::root().join(root)).sort_by_file_name() {
            let entry = entry.expect("the repository can be listed");
            let name = entry.file_name().to_string_lossy();
            if entry.file_type().is_file() && endings.iter().any(|ending| name.ends_with(ending)) {
                texts.extend(fs::read_to_string(entry.path()).ok());
            }
        }
    }
    assert!(!texts.is_empty(), "{roots:?} holds nothing to mutate");
    texts
}

/// Characters and pieces that parsers stumble over.
const PIECES: [&str; 40] = [
    "\n", "\r\n", "\t", " ", "  ", ":", ": ", "- ", "-", "---\n", "...", "?", "? ", "#", "&a ",
    "*a", "<<: ", "!", "!!str ", "|", "|+2\n", ">", "\"", "'", "\\", "{", "}", "[", "]", ",",
    "\u{0}", "\u{feff}", "\u{2028}", "é", "😀", "%", "@", "0x", "~", "1e999",
];

/// Cuts, doubles, swaps and inserts, at character boundaries.
fn mutate(text: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(4) {
        let at = boundary(&text, random);
        let to = boundary(&text, random).clamp(at, at + at.min(200) + 1).min(text.len());
        let to = (to..=text.len()).find(|to| text.is_char_boundary(*to)).unwrap_or(text.len());
        match random.below(4) {
            0 => text.replace_range(at..to, ""),
            1 => text.insert_str(at, &String::from(&text[at..to])),
            2 => text.insert_str(at, PIECES[random.below(PIECES.len())]),
            _ => text.replace_range(at..to, PIECES[random.below(PIECES.len())]),
        }
    }
    text
}

fn boundary(text: &str, random: &mut Random) -> usize {
    let at = random.below(text.len() + 1);
    (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// Feeds mutations to a target until the count or the time is over.
fn fuzz(texts: &[String], target: impl Fn(&str)) {
    let seconds = env::var("MESHGEN_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let begun = Instant::now();
    let seed =
        if seconds.is_some() { u64::from(std::process::id()) << 20 | 1 } else { 0x9e37_79b9 };
    let mut random = Random(seed);
    let mut count = 0;
    loop {
        let over = match seconds {
            Some(seconds) => begun.elapsed() > Duration::from_secs(seconds),
            None => count == FEW,
        };
        if over {
            return;
        }
        let text = mutate(&texts[random.below(texts.len())], &mut random);
        let outcome = catch_unwind(AssertUnwindSafe(|| target(&text)));
        assert!(outcome.is_ok(), "after {count} mutations (seed {seed}) it panics at:\n{text:?}");
        count += 1;
    }
}

/// The parser, and the drawing of what it found: spans must fit the text.
fn draws(found: impl FnOnce(&mut Sources, &mut Diagnostics)) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    found(&mut sources, &mut diagnostics);
    diag::draw(&diagnostics, &sources, false);
    diag::to_json(&diagnostics, &sources);
}

#[test]
fn yaml_is_read_or_refused_and_reads_back_as_it_is_written() {
    let texts =
        corpus(&["mesh.yaml", "out", "profiles", "tests/bad", "tests/data"], &["yaml", "json"]);
    fuzz(&texts, |text| {
        for schema in [Schema::Strict, Schema::Go] {
            match yaml::documents(text, schema) {
                Ok(documents) => {
                    for value in documents {
                        let written = yaml::canonical(&value);
                        let read = yaml::document(&written, schema).expect("we read what we write");
                        assert_eq!(yaml::canonical(&read), written);
                    }
                }
                Err(error) => drop(error.with_position(text)),
            }
        }
    });
}

struct NoProfiles;

impl Profiles for NoProfiles {
    fn own(&self, _name: &str) -> Option<String> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn mesh_files_are_read_or_refused() {
    let texts = corpus(&["mesh.yaml", "tests/golden", "tests/bad"], &["mesh.yaml"]);
    fuzz(&texts, |text| {
        draws(|sources, diagnostics| {
            spec::load("mesh.yaml", text, &NoProfiles, sources, diagnostics);
        });
    });
}

#[test]
fn facts_are_read_or_refused() {
    let texts = corpus(&["facts", "tests/golden"], &[".json"]);
    fuzz(&texts, |text| {
        draws(|sources, diagnostics| {
            Facts::parse("facts/c1.json", text, sources, diagnostics);
        });
    });
}

#[test]
fn indexes_and_paths_are_read_or_refused() {
    let texts = corpus(&["out/index.json", "tests/golden"], &["index.json"]);
    fuzz(&texts, |text| {
        if let Ok(index) = Index::parse(text.as_bytes()) {
            Index::parse(index.to_text().as_bytes()).expect("we read the index that we write");
        }
        for line in text.lines() {
            drop(line.parse::<TreePath>());
        }
    });
}

#[test]
fn keyring_files_are_read_or_refused() {
    let texts = corpus(&["pki"], &[".yaml"]);
    let nobody = Identities::default();
    fuzz(&texts, |text| {
        draws(|sources, diagnostics| {
            let source = sources.add("pki/c1.yaml", text);
            let (keyring, problems) =
                pki::Keyring::read(&[KeyringFile { name: "c1", source, text }]);
            diagnostics.extend(problems);
            for entry in keyring.all() {
                assert!(entry.open(&nobody).is_err(), "nobody opens it");
            }
        });
    });
}

#[test]
fn certificates_are_read_or_refused() {
    let secrets = corpus(&["pki"], &[".yaml"]);
    let begin = "-----BEGIN CERTIFICATE-----";
    let texts: Vec<String> = secrets
        .iter()
        .filter_map(|text| {
            text.find(begin).map(|at| text[at..].replace("\n    ", "\n").replace("\n  ", "\n"))
        })
        .collect();
    fuzz(&texts, |text| drop(Certificate::all(text)));
}

#[test]
fn lock_files_are_read_or_refused_and_read_back_as_they_are_written() {
    let texts = corpus(&["tests/bad"], &["meshgen.lock"]);
    fuzz(&texts, |text| {
        draws(|sources, diagnostics| {
            let Some(parsed) = Lock::parse(text, sources, diagnostics) else { return };
            let mut again = Diagnostics::new();
            let read = Lock::parse(&parsed.lock.text(), sources, &mut again).expect("our own text");
            assert_eq!(read.lock, parsed.lock);
            assert!(!again.has_errors());
        });
        drop(Source::parse(text).map(|source| source.to_string()));
        if let Ok(url) = Url::parse(text) {
            assert_eq!(Url::parse(&url.recorded()).map(|url| url.recorded()), Ok(url.recorded()));
        }
    });
}

#[test]
fn pinned_content_is_read_or_refused() {
    let texts = corpus(&["tests/bad"], &[".tar"]);
    fuzz(&texts, |text| {
        if let Ok(files) = archive::decode(text.as_bytes()) {
            assert_eq!(archive::encode(&files).as_deref(), Ok(text.as_bytes()));
        }
    });
}

/// Bundles are no text, but all of one that holds text is.
#[test]
fn bundles_are_read_to_the_byte_or_refused() {
    let folder = crate::sample::folder();
    let (file, bytes) = crate::bundle::packed(folder.path(), "a");
    let texts = [String::from_utf8(bytes).expect("text")];
    fuzz(&texts, |text| {
        fs::write(&file, text).expect("writes");
        if crate::bundle::open(&file).is_ok() {
            assert_eq!(text, texts[0], "there is one bundle of a tree");
        }
    });
}

#[test]
fn indexes_of_bundles_are_read_or_refused() {
    let folder = crate::sample::folder();
    let (file, _) = crate::bundle::packed(folder.path(), "a");
    let opened = crate::bundle::open(&file).expect("opens");
    let texts = [String::from_utf8(opened.bundle.index.clone()).expect("text")];
    fuzz(&texts, |text| {
        let size = |digest: &Digest| opened.bundle.blobs.get(digest).copied();
        let document = |digest: &Digest, size| read_blob(&opened, digest, size);
        if let Ok(bundle) = Bundle::read(text.as_bytes().to_vec(), &size, &document) {
            assert_eq!(bundle.digest, Digest::of(text), "it is named by its bytes");
            assert_eq!(bundle.tree, opened.bundle.tree);
        }
    });
}
