//! The keyring: against real openssl and real sops, and against people who change files.

#[path = "pki/command.rs"]
mod command;
#[path = "pki/import.rs"]
mod import;
#[path = "pki/mint.rs"]
mod mint;
#[path = "pki/operation.rs"]
mod operation;
#[path = "pki/rule.rs"]
mod rule;
#[path = "pki/sops.rs"]
mod sops;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use meshgen::diag::{Diagnostics, Sources};
use meshgen::pki::{
    self, Changes, ClusterPolicy, Identities, Keyring, KeyringFile, Policy, Recipient, Secret,
};
use meshgen::yaml::{self, Schema};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::tool;

/// 2026-11-24 12:00:00 UTC. Tests never look at the clock.
fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_521_600).expect("an instant")
}

fn days(count: i64) -> Duration {
    Duration::days(count)
}

/// Somebody with an identity.
struct Person {
    identity: Secret<String>,
    recipient: Recipient,
}

impl Person {
    fn new() -> Self {
        let (identity, recipient) = pki::new_identity();
        Self { identity, recipient }
    }

    fn identities(&self) -> Identities {
        Identities::parse(self.identity.expose()).expect("an identity")
    }
}

/// A policy with these clusters, sealed for one person.
fn policy(clusters: &[&str], person: &Person) -> Policy {
    let cluster = |name: &&str| ClusterPolicy {
        name: (*name).to_owned(),
        is_enabled: true,
        recipients: Vec::new(),
    };
    Policy {
        recipients: vec![person.recipient.clone()],
        clusters: clusters.iter().map(cluster).collect(),
        ..Policy::default()
    }
}

/// The files of a keyring as they would lie on disk: name and text.
type Files = Vec<(String, String)>;

fn keyring(files: &Files) -> (Keyring, Diagnostics) {
    let mut sources = Sources::new();
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| {
            let source = sources.add(pki::path_of(name), text.as_str());
            KeyringFile { name, source, text }
        })
        .collect();
    Keyring::read(&files)
}

/// A keyring whose every file must be usable.
fn sound(files: &Files) -> Keyring {
    let (keyring, problems) = keyring(files);
    assert!(problems.is_empty(), "{problems:#?}");
    keyring
}

fn put(files: &mut Files, changes: &Changes) {
    for change in &changes.files {
        let is_there = files.iter().any(|(name, _)| *name == change.name);
        assert_eq!(is_there, !change.is_new, "{} is new or is there", change.name);
        files.retain(|(name, _)| *name != change.name);
        files.push((change.name.clone(), change.text.clone()));
    }
}

/// What `pki init` makes of nothing.
fn made(policy: &Policy) -> Files {
    let mut files = Files::new();
    let changes = pki::init(&Keyring::default(), policy, now(), &Identities::default());
    put(&mut files, &changes.expect("everything is made"));
    files
}

fn text_of<'a>(files: &'a Files, name: &str) -> &'a str {
    &files.iter().find(|(own, _)| own == name).expect("the file is there").1
}

fn document_of(text: &str) -> Value {
    yaml::document(text, Schema::Go).expect("YAML")
}

fn string<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}"))
}

/// Asserts an error, and gives its text.
fn refused<T>(result: Result<T, Vec<pki::OperationError>>) -> String {
    let errors = result.err().expect("it is refused");
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A folder with files, and commands that run in it.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the file can be written");
        path
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("the file can be read")
    }

    /// Runs a tool with its arguments between white space, and gives what it prints.
    fn run(&self, tool: &Path, arguments: &str) -> String {
        tool::run(self.command(tool, arguments), "")
    }

    fn command(&self, tool: &Path, arguments: &str) -> &mut Command {
        let mut command = Command::new(tool);
        command.current_dir(self.folder.path()).args(arguments.split_whitespace());
        command.env("HOME", self.folder.path()).env_remove("SOPS_AGE_KEY");
        Box::leak(Box::new(command))
    }

    /// As [`Bench::run`] of real sops, with this person's identity.
    fn sops(&self, sops: &Path, person: &Person, arguments: &str) -> Output {
        let command = self.command(sops, arguments);
        command.env("SOPS_AGE_KEY", person.identity.expose());
        tool::output(command, "")
    }
}

/// What a tool printed, or its errors.
fn printed(output: Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
