//! History as a user meets it: `generations`, `rollback`, `gc`, `fsck`, and renders that are killed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use meshgen::store::Digest;
use serde_json::Value;

use crate::project::{Project, files};
use crate::tool;

/// Three clusters on three networks.
fn project() -> Project {
    Project::copy_of(&tool::root().join("tests/golden/three-networks"))
}

/// Changes a setting that all clusters' operators have.
fn set_replicas(project: &Project, from: u32, to: u32) {
    let path = project.path().join("mesh.yaml");
    let text = fs::read_to_string(&path).expect("reads");
    let (from, to) = (format!("replicaCount: {from}\n"), format!("replicaCount: {to}\n"));
    assert!(text.contains(&from));
    project.write("mesh.yaml", &text.replace(&from, &to));
}

/// Exit code and messages of a command that says no.
fn refused(project: &Project, arguments: &[&str]) -> (i32, String) {
    let output = project.output(arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("it ends by itself"), text)
}

/// The view without the store.
fn view(project: &Project) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut all = files(&project.path().join("out"));
    all.retain(|path, _| !path.starts_with("store/"));
    all
}

#[test]
fn a_fresh_clone_has_no_history_and_says_what_to_do() {
    let project = project();
    assert_eq!(project.run(&["generations"]), "");
    assert_eq!(project.run(&["generations", "-o", "json"]), "[]\n");
    let (code, text) = refused(&project, &["rollback", "1"]);
    assert!(code == 2 && text.contains("git checkout REV -- out"), "{code} {text}");
    project.run(&["gc"]);
    project.run(&["fsck"]);
    assert!(!project.path().join("out").exists(), "nothing was made");
}

#[test]
fn generations_are_listed_brought_back_and_dropped() {
    let project = project();
    let first = project.run(&["render"]);
    let old = view(&project);
    set_replicas(&project, 3, 4);
    let second = project.run(&["render"]);
    let new = view(&project);
    assert_ne!(first, second);
    let list = || -> Value {
        serde_json::from_str(&project.run(&["generations", "-o", "json"])).expect("JSON")
    };
    let row = |list: &Value, at: usize| {
        let row = &list[at];
        (row["tree"].as_str().map(|tree| format!("{tree}\n")), row["current"].clone())
    };
    assert_eq!(row(&list(), 0), (Some(first.clone()), Value::from(false)));
    assert_eq!(row(&list(), 1), (Some(second.clone()), Value::from(true)));
    assert!(project.run(&["generations"]).contains("current, in out/"));

    assert_eq!(project.run(&["rollback", "gen:1"]), first);
    assert_eq!(view(&project), old);
    assert_eq!(row(&list(), 0).1, Value::from(true));
    let (code, _) = refused(&project, &["render", "--check"]);
    assert_eq!(code, 1, "the view is older than the inputs");
    assert_eq!(project.run(&["render"]), second);
    assert_eq!(view(&project), new);
    assert_eq!(list().as_array().map(Vec::len), Some(2), "the same tree is no new generation");

    project.write("out/index.json", "{}");
    let (code, text) = refused(&project, &["rollback", "1"]);
    assert!(code == 2 && text.contains("index.json"), "{code} {text}");
    assert_eq!(project.run(&["rollback", "1", "--overwrite-edits"]), first);
    assert_eq!(project.run(&["rollback", "2"]), second);

    let before = files(&project.path().join("out"));
    let would: Value =
        serde_json::from_str(&project.run(&["gc", "--keep", "1", "--dry-run", "-o", "json"]))
            .expect("JSON");
    assert_eq!(would["generations"], serde_json::json!([1]));
    assert_eq!(files(&project.path().join("out")), before, "a dry run changes nothing");
    project.run(&["gc", "--keep", "1"]);
    assert_eq!(list().as_array().map(Vec::len), Some(1));
    assert_eq!(view(&project), new);
    project.run(&["fsck"]);
    let (code, _) = refused(&project, &["rollback", "1"]);
    assert_eq!(code, 2);
}

#[test]
fn fsck_names_the_file_and_who_needs_it() {
    let project = project();
    project.run(&["render"]);
    let path = "a1/istio-operator.yaml";
    let bytes = fs::read(project.path().join("out").join(path)).expect("is rendered");
    let blob = format!("out/store/blobs/sha256/{}", Digest::of(&bytes).hex());
    let mut damaged = bytes.clone();
    damaged[40] ^= 1;
    fs::write(project.path().join(&blob), damaged).expect("writes");
    let output = project.output(&["fsck"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains(&format!("{blob}: damaged\n  gen:1 {path}\n")), "{text}");
    // the hint holds
    fs::remove_file(project.path().join(&blob)).expect("removes");
    project.run(&["render"]);
    project.run(&["fsck"]);
}

/// Waits for a process until it ends or the time is up, and then kills it. Says whether it did.
#[expect(clippy::disallowed_methods, reason = "when to kill is a matter of time")]
fn kill_after(meshgen: &mut Command, time: Duration) -> bool {
    let start = Instant::now();
    let mut child = meshgen.spawn().expect("starts");
    while start.elapsed() < time {
        if child.try_wait().expect("looks").is_some() {
            return false;
        }
        std::thread::yield_now();
    }
    child.kill().expect("kills");
    child.wait().expect("ends").code().is_none()
}

#[test]
fn fifty_killed_renders_lose_nothing() {
    let reference = |replicas: u32| {
        let project = project();
        set_replicas(&project, 3, replicas);
        #[expect(clippy::disallowed_methods, reason = "how long a render takes")]
        let start = Instant::now();
        project.run(&["render"]);
        (view(&project), start.elapsed())
    };
    let wanted = [reference(30), reference(31)];
    let mut time = wanted[0].1.min(wanted[1].1);
    let project = project();
    set_replicas(&project, 3, 30);
    project.run(&["render"]);
    let (mut killed, mut round) = (0, 0_u32);
    while killed < 50 {
        assert!(round < 400, "only {killed} of {round} were killed in time");
        // each time to the other tree, and killed a little later than the time before
        let (from, to) = if round % 2 == 0 { (30, 31) } else { (31, 30) };
        set_replicas(&project, from, to);
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
        command.arg("-C").arg(project.path()).arg("render");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let in_time = kill_after(&mut command, time * (round % 25 + 1) / 25);
        killed += u32::from(in_time);
        // how long a render takes changes with what else the machine does
        time = if in_time { time * 101 / 100 } else { time * 9 / 10 };
        assert_whole(project.path(), &[&wanted[0].0, &wanted[1].0]);
        // every third is left as it is, for the next one to be killed over it
        if round % 3 == 0 {
            project.run(&["render"]);
            assert!(view(&project) == wanted[usize::from(to == 31)].0, "round {round}");
        }
        round += 1;
    }
    let last = usize::from(round % 2 == 1);
    project.run(&["render"]);
    assert!(view(&project) == wanted[last].0);
    project.run(&["fsck"]);
    project.run(&["render", "--check"]);
    let temporary = project.path().join("out/store/tmp");
    assert!(fs::read_dir(temporary).expect("lists").next().is_none());
}

/// Every file of the view is whole: as in one of the trees.
fn assert_whole(project: &Path, trees: &[&std::collections::BTreeMap<String, Vec<u8>>]) {
    for (path, bytes) in files(&project.join("out")) {
        let known = || trees.iter().any(|tree| tree.get(&path) == Some(&bytes));
        assert!(path.starts_with("store/") || known(), "{path} is half-written");
    }
}
