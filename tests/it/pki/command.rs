//! The `pki` commands as people run them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::{Bench, document_of, string};
use crate::tool;

/// A project beside which other files lie.
struct Project {
    bench: Bench,
}

/// What a command did.
struct Ran {
    code: i32,
    out: String,
    errors: String,
}

impl Project {
    fn new(clusters: &[&str], recipients: &[&str]) -> Self {
        let project = Self { bench: Bench::new() };
        std::fs::create_dir(project.path("")).expect("a folder");
        project.mesh(clusters, recipients);
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.bench.path("project").join(name)
    }

    fn mesh(&self, clusters: &[&str], recipients: &[&str]) {
        let rows: Vec<_> =
            clusters.iter().map(|name| format!("  {name}: {{network: {name}}}\n")).collect();
        let rows = rows.concat();
        let text = format!(
            "apiVersion: meshgen.dev/v1alpha1\nkind: Mesh\nname: test\nprofile: kubernetes\nistio: {{version: 1.27.1}}\nclusters:\n{rows}pki: {{recipients: [{}]}}\n",
            recipients.join(", ")
        );
        std::fs::write(self.path("mesh.yaml"), text).expect("the mesh file");
    }

    fn run(&self, arguments: &str) -> Ran {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
        command.current_dir(self.bench.path("project")).args(arguments.split_whitespace());
        for name in ["SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "MESHGEN_IDENTITY"] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        let Output { status, stdout, stderr } = tool::output(&mut command, "");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran { code: status.code().expect("no signal"), out: text(stdout), errors: text(stderr) }
    }

    fn done(&self, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments}: {}", ran.errors);
        ran
    }

    fn refused(&self, arguments: &str, message: &str) {
        let before = self.everything();
        let ran = self.run(arguments);
        assert_eq!(ran.code, 2, "{arguments}: {}", ran.errors);
        assert!(ran.errors.contains(message), "{arguments}:\n{}", ran.errors);
        assert_eq!(before, self.everything(), "{arguments}: nothing was changed");
    }

    /// Every file beside and in the project, with its bytes.
    fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let walk = walkdir::WalkDir::new(self.bench.path("")).sort_by_file_name();
        walk.into_iter()
            .map(|entry| entry.expect("it can be listed"))
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let bytes = std::fs::read(entry.path()).expect("it can be read");
                (entry.into_path(), bytes)
            })
            .collect()
    }

    fn pki(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(&format!("pki/{name}.yaml"))).expect("a keyring file")
    }

    /// A project whose keyring is sealed for an identity beside it.
    fn with_keyring(clusters: &[&str]) -> (Self, String) {
        let project = Self::new(clusters, &[]);
        let recipient = project.done("pki init --new-identity ../identity").out.trim().to_owned();
        project.mesh(clusters, &[&recipient]);
        (project, recipient)
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("the file is there").permissions().mode() & 0o777
}

#[test]
fn a_first_keyring_is_made_in_one_step() {
    let (project, recipient) = Project::with_keyring(&["c1", "c2"]);
    assert!(recipient.starts_with("age1") && recipient.len() == 62, "only the recipient is data");
    assert_eq!(mode(&project.bench.path("identity")), 0o600);
    assert_eq!(mode(&project.path("pki/c1.yaml")), 0o644);
    let names = ["c1", "c2", "root"];
    for name in names {
        assert!(project.pki(name).contains(&recipient));
        assert!(!project.pki(name).contains("PRIVATE KEY"));
    }
    let again = project.done("pki init");
    assert!(again.errors.contains("nothing is missing"), "{}", again.errors);
    // a cluster that is added gets its own, and no other byte changes
    let before = names.map(|name| project.pki(name));
    project.mesh(&["c1", "c2", "c3"], &[&recipient]);
    project.refused("pki init", "an age identity is needed");
    project.done("pki init --identity ../identity");
    assert_eq!(before, names.map(|name| project.pki(name)));
    assert!(project.path("pki/c3.yaml").exists());
    assert!(!project.run("check").errors.contains("MG06"));
}

#[test]
fn identities_come_from_sops_variables_too() {
    let (project, _) = Project::with_keyring(&["c1"]);
    let file = project.bench.path("identity");
    let text = project.bench.read("identity");
    let by_file = [("SOPS_AGE_KEY_FILE", file.to_str().expect("UTF-8"))];
    let by_text = [("SOPS_AGE_KEY", text.as_str())];
    for variables in [&by_file, &by_text] {
        let before = project.pki("c1");
        let ran = project.run_with("pki rotate c1", variables);
        assert_eq!(ran.code, 0, "{}", ran.errors);
        assert_ne!(before, project.pki("c1"));
    }
    let wrong = project.run_with("pki rotate c1", &[("SOPS_AGE_KEY", "AGE-SECRET-KEY-1NO")]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.errors.contains("SOPS_AGE_KEY: line 1 is no age identity"), "{}", wrong.errors);
    assert!(!wrong.errors.contains("KEY-1NO"));
}

#[test]
fn secrets_are_written_outside_the_project_alone() {
    let (project, _) = Project::with_keyring(&["c1"]);
    std::os::unix::fs::symlink(project.path(""), project.bench.path("link")).expect("a symlink");
    for inside in
        ["secret.yaml", "pki/secret.yaml", "../project/secret.yaml", "../link/secret.yaml"]
    {
        for command in ["pki export c1 --identity ../identity --out", "pki init --new-identity"] {
            project.refused(&format!("{command} {inside}"), "lies in the project");
        }
    }
    for command in ["pki export c1 --identity ../identity --out", "pki init --new-identity"] {
        project.refused(&format!("{command} ../identity"), "is there already");
        project.refused(&format!("{command} ../no/where"), "../no");
    }
    project.refused("pki export c9 --identity ../identity --out ../x", "`pki/c9.yaml` is missing");
    project.refused("pki export c1 --out ../x", "an age identity is needed");
    let ran = project.done("pki export c1 --identity ../identity --out ../secret.yaml");
    assert_eq!(ran.out, "");
    assert_eq!(mode(&project.bench.path("secret.yaml")), 0o600);
    let secret = document_of(&project.bench.read("secret.yaml"));
    assert!(string(&secret, "/stringData/ca-key.pem").starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let Some(openssl) = tool::path("openssl") else { return };
    for name in ["ca-cert.pem", "ca-key.pem", "root-cert.pem"] {
        project.bench.write(name, secret["stringData"][name].as_str().expect("a text"));
    }
    let from_certificate = project.bench.run(&openssl, "x509 -in ca-cert.pem -noout -pubkey");
    assert_eq!(from_certificate, project.bench.run(&openssl, "pkey -in ca-key.pem -pubout"));
    project.bench.run(&openssl, "verify -CAfile root-cert.pem ca-cert.pem");
}

#[test]
fn status_is_for_people_and_for_programs() {
    let (project, recipient) = Project::with_keyring(&["c1"]);
    let text = project.done("pki status").out;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("NAME  SUBJECT"));
    assert!(lines[2].starts_with("c1    O=Istio, CN=Intermediate CA, L=c1  O=Istio, CN=Root CA"));
    let status = |arguments: &str| -> (i32, Value) {
        let ran = project.run(&format!("pki status -o json {arguments}"));
        (ran.code, serde_json::from_str(&ran.out).expect("one JSON value"))
    };
    let (code, value) = status("--fail-within 30d");
    assert_eq!(code, 0);
    let c1 = &value["certificates"][1];
    assert_eq!(c1["recipients"], serde_json::json!([recipient]));
    assert_eq!((&c1["daysLeft"], &c1["validity"]), (&3649.into(), &"valid".into()));
    assert_eq!(c1["sha256"].as_str().expect("a text").len(), 95);
    assert_eq!(status("--fail-within 3651d").0, 1);
    project.refused("pki status --fail-within soon", "write `30d`, `12h` or `4w`");
    project.mesh(&["c1", "c2"], &[&recipient]);
    assert_eq!(status("").1["missing"], serde_json::json!(["c2"]));
    assert!(project.done("pki status").errors.contains("missing: pki/c2.yaml"));
}

#[test]
fn recipients_follow_the_mesh_file() {
    let (project, first) = Project::with_keyring(&["c1"]);
    let ran = project.done("pki init --new-identity ../second");
    let second = ran.out.trim().to_owned();
    assert!(ran.errors.contains("nothing is sealed for the new identity yet"), "{}", ran.errors);
    project.mesh(&["c1"], &[&first, &second]);
    assert!(project.run("check").errors.contains("MG0603"));
    project.refused("pki updatekeys --identity ../second", "none of the age identities given");
    let ran = project.done("pki updatekeys --identity ../identity");
    assert!(ran.errors.contains(&format!("pki/c1.yaml: opens for {second} now")), "{}", ran.errors);
    project.mesh(&["c1"], &[&second]);
    let ran = project.done("pki updatekeys --identity ../second");
    assert!(ran.errors.contains("only `meshgen pki rotate c1` takes that power away"));
    project.refused("pki rotate c1 --identity ../identity", "none of the age identities given");
    project.done("pki rotate c1 --identity ../second");
    // what cannot be a recipient is no silent gap in the list
    project.mesh(&["c1"], &[&second, "age1nobody"]);
    for command in ["pki updatekeys --identity ../second", "pki init", "check"] {
        project.refused(command, "`age1nobody` is no age X25519 recipient");
    }
}

#[test]
fn a_key_in_clear_is_put_right_by_a_rotation() {
    let (project, _) = Project::with_keyring(&["c1"]);
    project.done("pki export c1 --identity ../identity --out ../secret.yaml");
    let clear = project.bench.read("secret.yaml");
    std::fs::write(project.path("pki/c1.yaml"), &clear).expect("written");
    project.refused("pki status", "MG0608");
    project.refused("pki init", "`meshgen pki rotate c1`");
    project.done("pki rotate c1 --identity ../identity");
    assert!(!project.pki("c1").contains("PRIVATE KEY"));
    project.done("pki status");
}

#[test]
fn a_folder_of_istios_makefiles_is_imported() {
    let (project, recipient) = Project::with_keyring(&["c1", "c2"]);
    // the folder as `make -f Makefile.selfsigned.mk root-ca c1-cacerts` leaves it
    let other = Project::new(&["c1"], &[&recipient]);
    other.done("pki init");
    let identity = project.bench.path("identity");
    let identity = identity.to_str().expect("UTF-8");
    other.done(&format!("pki export c1 --identity {identity} --out ../secret.yaml"));
    let secret = document_of(&other.bench.read("secret.yaml"));
    std::fs::create_dir_all(project.bench.path("certs/c1")).expect("a folder");
    let text = |name: &str| secret["stringData"][name].as_str().expect("a text").to_owned();
    project.bench.write("certs/root-cert.pem", &text("root-cert.pem"));
    project.bench.write("certs/c1/ca-cert.pem", &text("ca-cert.pem"));
    project.bench.write("certs/c1/ca-key.pem", &text("ca-key.pem"));
    project.refused("pki import --from ../certs", "there already, with another certificate");
    project.refused("pki import --from ../nowhere", "../nowhere/root-cert.pem");
    let ran = project.done("pki import --from ../certs --replace");
    assert!(
        ran.errors.contains("still without an intermediate of this root: c2"),
        "{}",
        ran.errors
    );
    assert!(project.done("pki status").out.contains("(kept elsewhere)"));
    project.refused("pki rotate c2 --identity ../identity", "the root's private key is not in");
    assert!(project.run("check").errors.contains("MG0604"));
    // one by one, by flags
    let (third, _) = Project::with_keyring(&["c1"]);
    let at = |name: &str| project.bench.path(name).to_str().expect("UTF-8").to_owned();
    let (certificate, key) = (at("certs/c1/ca-cert.pem"), at("certs/c1/ca-key.pem"));
    third.refused(&format!("pki import --intermediate c1 {certificate} {key}"), "does not chain");
    let root = at("certs/root-cert.pem");
    third
        .done(&format!("pki import --replace --root {root} --intermediate c1 {certificate} {key}"));
    third.refused(&format!("pki import --root {root} --root-key {key}"), "does not fit");
    third.refused("pki import", "--from <DIR>");
}

#[test]
fn a_keyring_is_not_written_through_a_symlink() {
    let (project, recipient) = Project::with_keyring(&["c1"]);
    std::fs::rename(project.path("pki"), project.bench.path("elsewhere")).expect("moved");
    std::os::unix::fs::symlink("../elsewhere", project.path("pki")).expect("a symlink");
    project.mesh(&["c1", "c2"], &[&recipient]);
    project.refused("pki init --identity ../identity", "symlink");
}
