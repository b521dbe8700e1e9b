//! A network namespace for one test.

use std::env;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::process;
use crate::tool;

/// Names the test that runs inside.
const INSIDE: &str = "MESHGEN_TESTBED_NAMESPACE";

/// All of 192.0.2.0/24 is on this machine then: of a prefix on `lo`, every address is.
const SETUP: &str = "ip link set lo up && ip addr add 192.0.2.1/24 dev lo";

/// The address for a webhook server of the control plane of this number.
pub fn address(number: usize) -> String {
    format!("192.0.2.{}", 9 + number % 200)
}

/// Whether this is the run of a test inside a network namespace with the addresses 192.0.2.0/24.
///
/// Outside it runs the test of this full name (`module::name`) again, inside, fails if that fails, and
/// then is `false`: the test is to return. Where no namespace can be made, it says so.
///
/// ```ignore
/// #[test]
/// fn pods_are_injected() {
///     if !testbed::in_namespace("apply::pods_are_injected") {
///         return;
///     }
///     …
/// }
/// ```
pub fn in_namespace(test: &str) -> bool {
    // servers for one test at a time
    static ONE: Mutex<()> = Mutex::new(());
    if env::var_os(INSIDE).is_some_and(|inside| inside == test) {
        return true;
    }
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let flags = match possible() {
        Ok(flags) => flags,
        Err(reason) => {
            tool::not_run(test, &reason);
            return false;
        }
    };
    let this = env::current_exe().expect("the test binary has a path");
    let mut command = Command::new("unshare");
    command.args([flags, "--", "sh", "-c"]);
    command.arg(format!("{SETUP} && exec \"$@\"")).arg("sh");
    // after `unshare`: new rights would take the death signal away
    let inner = process::mortal(&this);
    command.arg(inner.get_program()).args(inner.get_args());
    command.args(["--exact", "--nocapture", "--include-ignored", test]);
    command.env(INSIDE, test).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = process::spawn(command).expect("the test binary starts");
    let mut errors = child.stderr.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = errors.read_to_string(&mut text);
        text
    });
    let mut text = String::new();
    let _ = child.stdout.take().expect("a pipe").read_to_string(&mut text);
    let errors = reader.join().expect("no panic");
    let status = child.wait().expect("the test ends");
    println!("{text}");
    for line in errors.lines() {
        if ["not run: ", "judge: ", "measured: "].iter().any(|start| line.starts_with(start)) {
            tool::announce(line);
        } else {
            println!("{line}");
        }
    }
    let _ = std::io::stdout().flush();
    assert!(status.success(), "{test} fails inside its namespace: {status}");
    assert!(text.contains("1 passed"), "there is no test `{test}`");
    false
}

/// The flag of `unshare` that makes a namespace here, or why none does.
fn possible() -> Result<&'static str, String> {
    let mut reasons = Vec::new();
    for flags in ["-n", "-Urn"] {
        let output = Command::new("unshare").args([flags, "--", "sh", "-c", SETUP]).output();
        match output {
            Ok(output) if output.status.success() => return Ok(flags),
            Ok(output) => reasons.push(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => reasons.push(format!("unshare: {error}")),
        }
    }
    if !Path::new("/usr/sbin/ip").exists() && !Path::new("/sbin/ip").exists() {
        reasons.push("`ip` is not there: install iproute2".to_owned());
    }
    reasons.dedup();
    Err(format!("no network namespace: {}", reasons.join("; ")))
}
