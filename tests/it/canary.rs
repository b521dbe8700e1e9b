//! No private key and no identity in any byte that is written or printed.

use std::fs;

use crate::project::{Project, files};
use crate::tool;

/// The lines of the private keys and the identity that open them: what must be found nowhere.
fn canaries(project: &Project) -> Vec<String> {
    let identity = tool::root().join("tests/example-identity.txt");
    let folder = tempfile::tempdir().expect("a folder");
    let mut all = Vec::new();
    for cluster in ["c1", "c2"] {
        let file = folder.path().join(cluster);
        let (identity, out) = (identity.to_string_lossy(), file.to_string_lossy());
        project.run(&["pki", "export", cluster, "--identity", &identity, "--out", &out]);
        let text = fs::read_to_string(&file).expect("exported");
        let key = text.split("PRIVATE KEY-----").nth(1).expect("a private key");
        let lines = key.lines().map(str::trim).filter(|line| line.len() > 20);
        all.extend(lines.map(str::to_owned));
    }
    let identity = fs::read_to_string(identity).expect("the example identity");
    all.extend(identity.lines().filter(|l| l.starts_with("AGE-SECRET")).map(str::to_owned));
    assert!(all.len() >= 5, "keys of two clusters and an identity");
    all
}

#[test]
fn no_key_and_no_identity_is_written_or_printed() {
    let project = Project::copy_of(tool::root());
    let canaries = canaries(&project);
    let identity = tool::root().join("tests/example-identity.txt");
    let identity = identity.to_string_lossy();
    let commands: [&[&str]; 18] = [
        &["render", "-v"],
        &["check", "-o", "json"],
        &["pki", "status", "-o", "json"],
        &["pki", "rotate", "c2", "--identity", &identity],
        &["pki", "updatekeys", "--identity", &identity, "-v"],
        &["render", "--check"],
        &["render", "-o", "json"],
        &["diff", "gen:1"],
        &["diff", "gen:1", "-o", "json"],
        &["diff", "gen:1", "-o", "markdown"],
        &["diff", "gen:1", "-o", "html"],
        &["show", "gen:1", "c1/10-cacerts/secret_istio-system_cacerts.yaml"],
        &["why", "c1/10-cacerts/secret_istio-system_cacerts.yaml"],
        &["generations", "-o", "json"],
        &["report", "--offline"],
        &["report", "--offline", "-o", "json"],
        &["rollback", "1"],
        &["fsck"],
    ];
    for arguments in commands {
        let output = project.output(arguments);
        assert_ne!(output.status.code(), Some(101), "{arguments:?} panicked");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        for canary in &canaries {
            assert!(!said.contains(canary.as_str()), "{arguments:?} prints a secret");
        }
    }
    let out = project.path().join("out/store");
    let written = files(project.path()).into_iter().chain(files(&out));
    let mut seen = 0;
    for (path, bytes) in written {
        seen += 1;
        let text = String::from_utf8_lossy(&bytes);
        for canary in &canaries {
            assert!(!text.contains(canary.as_str()), "{path} holds a secret");
        }
    }
    assert!(seen > 60, "inputs, view and store were searched");
}

#[test]
fn the_example_identity_lies_in_one_place() {
    let secret = fs::read_to_string(tool::root().join("tests/example-identity.txt"))
        .expect("the example identity");
    let secret = secret.lines().last().expect("a line");
    let tracked = std::process::Command::new("git")
        .args(["grep", "-l", "--fixed-strings", secret])
        .current_dir(tool::root())
        .output()
        .expect("git");
    let listed = String::from_utf8(tracked.stdout).expect("text");
    assert_eq!(listed, "tests/example-identity.txt\n");
}

/// On a file system of 600 KiB that something else fills: a clear error, and the old view is whole.
#[test]
fn a_small_disk_that_is_full_leaves_the_old_view() {
    const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size=1m tmpfs "$DISK"
cp -r "$PROJECT/." "$DISK"
"$MESHGEN" -q -C "$DISK" render >/dev/null
cp -r "$DISK/out" "$COPY"
rm -rf "$COPY/store"
dd if=/dev/zero of="$DISK/filler" bs=1k 2>/dev/null || true
dd if=/dev/null of="$DISK/filler" bs=1k seek=$(($(stat -c %s "$DISK/filler") / 1024 - 8)) 2>/dev/null
sed -i 's/meshID: apac/meshID: other/' "$DISK/mesh.yaml" 2>/dev/null || {
  sed 's/meshID: apac/meshID: other/' "$PROJECT/mesh.yaml" >"$COPY.mesh"
  cat "$COPY.mesh" >"$DISK/mesh.yaml"
}
code=0
"$MESHGEN" -C "$DISK" render || code=$?
diff -r --exclude store "$DISK/out" "$COPY"
rm "$DISK/filler"
"$MESHGEN" -q -C "$DISK" render
echo "code $code"
"#;
    let project = Project::copy_of(tool::root());
    let folder = tempfile::tempdir().expect("a folder");
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).expect("a folder");
    let output = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT])
        .env("DISK", &disk)
        .env("PROJECT", project.path())
        .env("COPY", folder.path().join("copy"))
        .env("MESHGEN", env!("CARGO_BIN_EXE_meshgen"))
        .output();
    let Ok(output) = output else {
        return tool::not_run("a small full disk", "there is no `unshare`");
    };
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    if !output.status.success() && (errors.contains("unshare") || errors.contains("mount:")) {
        return tool::not_run("a small full disk", errors.trim());
    }
    assert!(output.status.success() && said.ends_with("code 2\n"), "{said}\n{errors}");
    assert!(errors.contains("no space is left on the device"), "{errors}");
}
