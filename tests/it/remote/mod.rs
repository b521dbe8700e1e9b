//! Bundles in registries: pushed, pulled, read as trees, signed; by us and by others.

mod cosign;
mod credential;
mod fault;
mod gate;
mod hostile;
mod image;
mod others;
mod pull;
mod push;
mod signed;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use meshgen::bundle::{self, BundleFile, Created, Options};
use meshgen::file::Disk;
use meshgen::store::Digest;
use meshgen::tree::source::resolve;
use tempfile::TempDir;

use crate::sample::{Files, tree, write};
use crate::tool;

/// A folder with a bundle, `one.tar`.
struct Bed {
    folder: TempDir,
    /// The digest of the bundle's index.
    digest: Digest,
}

impl Bed {
    /// A bundle of a tree with these clusters.
    fn new(clusters: &[(&str, &str)]) -> Self {
        Self::of(&tree(clusters))
    }

    /// As [`Bed::new`], with a file that is brought in pieces.
    fn large(clusters: &[(&str, &str)]) -> Self {
        let mut files = tree(clusters);
        let lines = (0..160_000).map(|line| format!("- {:016x}\n", line * 0x9e37_79b9_u64));
        files.insert("c1/70-samples/large.yaml".to_owned(), lines.collect());
        Self::of(&files)
    }

    fn of(files: &Files) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let project = folder.path().join("project");
        write(&project.join("out"), files).expect("writes");
        let source = resolve(&Disk::new(), &project, None).expect("a view");
        let Created { bundle, content } =
            bundle::create(&source, Options::default()).expect("a bundle");
        bundle::write(&Disk::new(), &folder.path().join("one.tar"), &bundle, &content)
            .expect("writes");
        Self { digest: bundle.digest, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The bytes of a file in the folder.
    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// meshgen in the folder, which is its home too.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
        command.current_dir(self.folder.path()).args(arguments);
        command.env("HOME", self.folder.path()).env("DOCKER_CONFIG", self.path("docker"));
        command.env_remove("XDG_CONFIG_HOME").env_remove("COSIGN_PASSWORD");
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        tool::output(&mut self.command(arguments), "")
    }

    /// Runs it; panics with its messages if it fails. Gives its stdout.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs it; it must end with this code. Gives what it says.
    #[track_caller]
    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        said(&output)
    }

    /// What the bundle is called at a registry.
    fn at(&self, address: &str) -> String {
        format!("oci://{address}/mesh/apac@{}", self.digest)
    }

    /// Pushes it.
    #[track_caller]
    fn push(&self, address: &str) -> String {
        self.run(&["bundle", "push", "one.tar", &format!("oci://{address}/mesh/apac")])
    }

    /// Pulls it into a file.
    #[track_caller]
    fn pull(&self, address: &str, file: &str) {
        self.run(&["bundle", "pull", &self.at(address), "--out", file]);
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Every blob and document of a bundle's file.
fn inside(file: &Path) -> BundleFile {
    BundleFile::open(&Disk::new(), file).expect("a bundle")
}
