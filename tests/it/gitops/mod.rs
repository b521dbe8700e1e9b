//! What points engines at a tree: `meshgen gitops`, and the artifacts that Flux pulls.
//!
//! Real Flux judges in `apply::flux`; here, what can be seen without it.

mod artifact;
mod golden;
mod provenance;
mod schema;
mod trust;

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::tool;

/// The case with control planes: `c1` and `c3` are complete, `c2` waits for facts.
fn planes() -> PathBuf {
    tool::root().join("tests/golden/control-plane")
}

/// Runs meshgen in that case.
fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
    command.arg("-C").arg(planes()).args(arguments);
    tool::output(&mut command, "")
}

/// Runs it, and panics with all that it said unless it ends with this code.
#[track_caller]
fn expect(code: i32, arguments: &[&str]) -> (String, String) {
    let output = run(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}:\n{out}\n{err}");
    (out, err)
}
