//! A project in a temporary folder, and the committed one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use meshgen::file::Disk;
use meshgen::inputs::{self, NoMemory};
use meshgen::yaml::{self, Schema};
use meshgen::{diag, pki};
use serde_json::Value;

use crate::tool;

/// A project of a test's own, gone with it.
pub struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    /// A folder with this `mesh.yaml`.
    pub fn new(mesh: &str) -> Self {
        let project = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        project.write("mesh.yaml", mesh);
        project
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Makes its keyring, sealed for the recipients of its mesh, as `pki init` does. Nobody keeps an
    /// identity: a render never opens a key.
    pub fn make_keyring(&self) {
        let prepared = meshgen::prepare(&Disk::new(), self.path(), &NoMemory, "test");
        let Some(project) = prepared.project else {
            panic!("{}", diag::draw(&prepared.diagnostics, &prepared.sources, false))
        };
        let policy = inputs::policy(&project.inputs.mesh);
        let (empty, nobody) = (pki::Keyring::default(), pki::Identities::default());
        let changes = pki::init(&empty, &policy, time::OffsetDateTime::now_utc(), &nobody);
        for file in changes.expect("a keyring can be made").files {
            self.write(&file.path, &file.text);
        }
    }

    /// Runs meshgen in it, whatever comes of it.
    pub fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
        command.arg("-C").arg(self.path()).args(arguments);
        tool::output(&mut command, "")
    }

    /// Runs meshgen in it and gives its stdout; panics with its messages if it fails.
    pub fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
        command.arg("-C").arg(self.path()).args(arguments);
        tool::run(&mut command, "")
    }

    /// Its rendered tree.
    pub fn tree(&self) -> Tree {
        Tree { out: self.path().join("out") }
    }
}

/// A rendered tree on disk.
pub struct Tree {
    out: PathBuf,
}

impl Tree {
    /// The tree that is committed at the root of the repository.
    pub fn committed() -> Self {
        Self { out: tool::root().join("out") }
    }

    /// Where a file of it is.
    pub fn file(&self, path: &str) -> PathBuf {
        self.out.join(path)
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> String {
        let file = self.file(path);
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// A file as one YAML document.
    pub fn object(&self, path: &str) -> Value {
        yaml::document(&self.text(path), Schema::Go)
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// `index.json`.
    pub fn index(&self) -> Value {
        serde_json::from_str(&self.text("index.json")).expect("the index is JSON")
    }

    /// The rows of the index whose path this holds for.
    pub fn rows(&self, holds: impl Fn(&str) -> bool) -> Vec<Value> {
        let index = self.index();
        let rows = index["artifacts"].as_array().expect("the index has rows");
        rows.iter().filter(|row| holds(row["path"].as_str().expect("a path"))).cloned().collect()
    }

    /// The names of the clusters.
    pub fn clusters(&self) -> Vec<String> {
        let index = self.index();
        let clusters = index["clusters"].as_array().expect("the index has clusters");
        clusters.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    }
}

/// The folders and files that are a project's inputs.
pub const INPUTS: [&str; 7] =
    ["mesh.yaml", "facts", "pki", "profiles", "templates", "meshgen.lock", "charts"];

impl Project {
    /// A copy of the inputs of another project: not of its `out/`.
    pub fn copy_of(other: &Path) -> Self {
        let project = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        for input in INPUTS {
            copy(&other.join(input), &project.path().join(input));
        }
        project
    }

    /// Adds the shared example keyring for clusters that have none of their own.
    pub fn with_keyring(self, keyring: &Path) -> Self {
        copy(keyring, &self.path().join("pki"));
        self
    }
}

/// Copies a file, or a folder with all that is in it; nothing where nothing is.
pub fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a folder");
        for (path, bytes) in files(from) {
            let to = to.join(path);
            fs::create_dir_all(to.parent().expect("a file in a folder")).expect("a folder");
            fs::write(to, bytes).expect("a file");
        }
    } else if from.is_file() {
        fs::copy(from, to).expect("a file");
    }
}

/// All files below a folder by their path, without the store.
pub fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut all = std::collections::BTreeMap::new();
    let entries = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_entry(|entry| entry.depth() != 1 || entry.file_name() != "store");
    for entry in entries {
        let entry = entry.expect("the folder can be listed");
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(folder).expect("below it");
            let bytes = fs::read(entry.path()).expect("a file");
            all.insert(path.to_string_lossy().into_owned(), bytes);
        }
    }
    all
}
