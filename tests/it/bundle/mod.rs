//! Bundles: one file, the same bytes everywhere, refused when a bit is off.

mod crash;
mod create;
mod delta;
mod flip;
mod hostile;
pub mod image;
mod import;
mod look;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use meshgen::bundle::{self, BundleError, BundleFile, Created, Fault, Options};
use meshgen::file::Disk;
use meshgen::tree::source::{Source, resolve};

use crate::sample::{Files, tree, write};
use crate::tool;

/// A tree of two clusters; `mark` stands in the second.
pub fn files(mark: &str) -> Files {
    tree(&[("c1", "same"), ("c2", mark)])
}

/// A project in `folder` whose view and store hold a tree.
pub fn project(folder: &Path, name: &str, files: &Files) -> PathBuf {
    let project = folder.join(name);
    write(&project.join("out"), files).expect("writes");
    project
}

pub fn view(project: &Path) -> Source {
    resolve(&Disk::new(), project, None).expect("a view")
}

/// Bundles the view of a project.
pub fn pack(project: &Path, file: &Path, options: Options) {
    let source = view(project);
    let Created { bundle, content } = bundle::create(&source, options).expect("a bundle");
    bundle::write(&Disk::new(), file, &bundle, &content).expect("writes");
}

/// A bundle of [`files`] in `folder`, and its bytes.
pub fn packed(folder: &Path, mark: &str) -> (PathBuf, Vec<u8>) {
    let file = folder.join(format!("{mark}.tar"));
    pack(&project(folder, mark, &files(mark)), &file, Options::default());
    let bytes = std::fs::read(&file).expect("reads");
    (file, bytes)
}

/// Opens a file; asserts that nothing at all is changed by it.
pub fn open(file: &Path) -> Result<BundleFile, BundleError> {
    let disk = crate::sample::recording();
    let opened = BundleFile::open(&disk, file);
    assert_eq!(disk.changes(), 0, "reading changes nothing");
    opened
}

/// The faults of a file that is refused.
#[track_caller]
pub fn faults(file: &Path) -> Vec<Fault> {
    match open(file) {
        Err(BundleError::Faults { faults, .. }) => faults,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is taken"),
    }
}

/// Runs meshgen in a project.
pub fn run(project: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
    command.arg("-C").arg(project).args(arguments);
    tool::output(&mut command, "")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An entry of an archive: where its header begins, its name, its size.
#[derive(Debug, Clone)]
pub struct Entry {
    pub at: usize,
    pub name: String,
    pub size: usize,
}

impl Entry {
    pub fn content(&self) -> std::ops::Range<usize> {
        self.at + 512..self.at + 512 + self.size
    }

    /// Where the next header begins.
    pub fn end(&self) -> usize {
        (self.at + 512 + self.size).next_multiple_of(512)
    }
}

/// The entries of an archive that is sound.
pub fn entries(bytes: &[u8]) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut at = 0;
    while bytes[at] != 0 {
        let name = text(&bytes[at..at + 100]).trim_end_matches('\0').to_owned();
        let size = usize::from_str_radix(&text(&bytes[at + 124..at + 135]), 8).expect("octal");
        all.push(Entry { at, name, size });
        at = all.last().expect("one").end();
    }
    all
}
