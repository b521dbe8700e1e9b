//! The README's run of the reference job, against real API servers: a true transcript.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Bed, Nodes, example_identity};
use crate::{readme, testbed, tool};

#[test]
fn the_run_in_the_readme_is_true() {
    if !testbed::in_namespace("apply::readme::the_run_in_the_readme_is_true") {
        return;
    }
    let Some(planes) = testbed::start_many(&["c1", "c2"]) else { return };
    let _nodes = Nodes::start(&planes);
    let Some(bed) = Bed::reference(&planes) else { return };
    let file = tool::root().join("README.md");
    let text = fs::read_to_string(&file).expect("README.md");
    let fresh = readme::rewrite(&text, "```console clusters", |line| shell(&bed, line));
    if env::var_os("MESHGEN_BLESS").is_some() {
        fs::write(&file, &fresh).expect("written");
    } else {
        let diff = similar::TextDiff::from_lines(&text, &fresh);
        assert!(text == fresh, "README.md says otherwise:\n{}", diff.unified_diff());
    }
}

/// Runs a line as a user would, and gives what he sees, without what another run prints otherwise.
fn shell(bed: &Bed<'_>, line: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_meshgen")).parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{{ {line}; }} 2>&1")])
        .current_dir(bed.project.path())
        .env("PATH", path)
        .env("KUBECONFIG", bed.file("kubeconfig"))
        .env("SOPS_AGE_KEY_FILE", example_identity());
    let output = command.output().expect("a shell");
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_inclusive('\n').map(steady).collect()
}

/// A line without digests, which cover the servers' addresses, without times and users.
fn steady(line: &str) -> String {
    let line = readme::without_the_moment(line);
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let core = word.trim_start_matches('(');
        let open = &word[..word.len() - core.len()];
        let hex = |text: &str| text.bytes().take_while(u8::is_ascii_hexdigit).count();
        let word = match core.strip_prefix("sha256:") {
            Some(rest) => format!("{open}sha256:…{}", &rest[hex(rest)..]),
            None if word.contains('@') => "ann@laptop:".to_owned(),
            None => word.to_owned(),
        };
        words.push(word);
    }
    words.join(" ")
}
