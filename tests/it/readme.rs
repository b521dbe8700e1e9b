//! The transcripts in README.md are what the commands print.
//!
//! Every `console` block is run, in order, in one copy of this repository's project under git.
//! `MESHGEN_BLESS=1` writes what is printed now.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::project::{Project, copy};
use crate::tool;

#[test]
fn transcripts_are_true() {
    let readme = tool::root().join("README.md");
    let text = fs::read_to_string(&readme).expect("README.md");
    let project = Project::copy_of(tool::root());
    copy(&tool::root().join("out"), &project.path().join("out"));
    copy(&tool::root().join(".gitignore"), &project.path().join(".gitignore"));
    for line in ["git init -q", "git add -A", "git commit -q -m reviewed"] {
        shell(project.path(), line);
    }
    let fresh = rewrite(&text, "```console", |command| shell(project.path(), command));
    if env::var_os("MESHGEN_BLESS").is_some() {
        fs::write(&readme, &fresh).expect("written");
    } else {
        let diff = similar::TextDiff::from_lines(&text, &fresh);
        assert!(text == fresh, "README.md says otherwise:\n{}", diff.unified_diff());
    }
}

/// The text with what the commands print now that stand in blocks of this beginning.
pub fn rewrite(text: &str, fence: &str, mut run: impl FnMut(&str) -> String) -> String {
    let mut out = String::new();
    let mut in_console = false;
    for line in text.split_inclusive('\n') {
        match line.trim_end() {
            start if start == fence => in_console = true,
            "```" => in_console = false,
            command if in_console => {
                if let Some(command) = command.strip_prefix("$ ") {
                    out.push_str(line);
                    out.push_str(&run(command));
                }
                continue;
            }
            _ => {}
        }
        out.push_str(line);
    }
    out
}

/// Runs a line as a user would, and gives what he sees.
fn shell(folder: &Path, line: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_meshgen")).parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{{ {line}; }} 2>&1")])
        .current_dir(folder)
        .env("PATH", path)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.org")])
        .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@example.org")]);
    let output = command.output().expect("a shell");
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_inclusive('\n').map(without_the_moment).collect()
}

/// A line without what another moment or another build prints otherwise: times, and the digests of
/// derivations, which cover the build.
pub fn without_the_moment(line: &str) -> String {
    const DERIVATION: &str = "  derivation sha256:";
    if line.starts_with(DERIVATION) {
        return format!("{DERIVATION}…\n");
    }
    let is_time =
        |word: &str| word.len() == 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
    match line.split(' ').find(|word| is_time(word)) {
        Some(time) => line.replace(time, "2026-11-24T12:00:00Z"),
        None => line.to_owned(),
    }
}
