//! OpenSSL verifies the committed chains, and reads in them what Istio's certificate makefiles write.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::project::Tree;
use crate::tool;

/// A time in the life of the committed certificates: 2027-01-15.
const WITHIN: &str = "1800000000";
/// A time long after it: 2100.
const AFTER: &str = "4102444800";

struct Chain {
    folder: tempfile::TempDir,
    secret: Value,
}

impl Chain {
    fn of(tree: &Tree, cluster: &str) -> Self {
        let secret = tree.object(&format!("{cluster}/10-cacerts/secret_istio-system_cacerts.yaml"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let chain = Self { folder, secret };
        for name in ["ca-cert.pem", "root-cert.pem", "cert-chain.pem"] {
            fs::write(chain.folder.path().join(name), chain.pem(name)).expect("a file");
        }
        chain
    }

    fn pem(&self, name: &str) -> &str {
        self.secret["stringData"][name].as_str().unwrap_or_else(|| panic!("cacerts has no {name}"))
    }

    fn verifies(&self, openssl: &Path, at: &str) -> bool {
        let mut command = Command::new(openssl);
        command.current_dir(self.folder.path()).args([
            "verify",
            "-attime",
            at,
            "-CAfile",
            "root-cert.pem",
            "-untrusted",
            "cert-chain.pem",
            "ca-cert.pem",
        ]);
        tool::output(&mut command, "").status.success()
    }

    fn read(&self, openssl: &Path, file: &str, what: &[&str]) -> String {
        let mut command = Command::new(openssl);
        command.current_dir(self.folder.path()).args(["x509", "-noout", "-in", file]).args(what);
        tool::run(&mut command, "").trim().to_owned()
    }
}

/// The lines of an extension dump, without their indents.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).collect()
}

#[test]
fn openssl_verifies_the_chains_of_the_reference_job() {
    let Some(openssl) = tool::path("openssl") else { return };
    let tree = Tree::committed();
    let mut roots = Vec::new();
    for cluster in tree.clusters() {
        let chain = Chain::of(&tree, &cluster);
        assert!(chain.verifies(&openssl, WITHIN), "{cluster} does not verify");
        assert!(!chain.verifies(&openssl, AFTER), "{cluster} would never expire");
        let whole = chain.pem("ca-cert.pem").to_owned() + chain.pem("root-cert.pem");
        assert_eq!(
            chain.pem("cert-chain.pem"),
            whole,
            "the chain is the intermediate, then the root"
        );
        roots.push(chain.pem("root-cert.pem").to_owned());
    }
    roots.dedup();
    assert_eq!(roots.len(), 1, "one root for the mesh");
}

#[test]
fn the_certificates_are_those_of_istios_makefiles() {
    let Some(openssl) = tool::path("openssl") else { return };
    let tree = Tree::committed();
    for cluster in tree.clusters() {
        let chain = Chain::of(&tree, &cluster);
        let name = |file: &str, which: &str| {
            chain.read(&openssl, file, &[which, "-nameopt", "multiline,-esc_msb,utf8,show_type"])
        };
        let root = [
            "organizationName          = UTF8STRING:Istio",
            "commonName                = UTF8STRING:Root CA",
        ];
        let intermediate = [
            "organizationName          = UTF8STRING:Istio",
            "commonName                = UTF8STRING:Intermediate CA",
            &format!("localityName              = UTF8STRING:{cluster}"),
        ];
        assert_eq!(lines(&name("root-cert.pem", "-subject"))[1..], root);
        assert_eq!(lines(&name("root-cert.pem", "-issuer"))[1..], root);
        assert_eq!(lines(&name("ca-cert.pem", "-subject"))[1..], intermediate);
        assert_eq!(lines(&name("ca-cert.pem", "-issuer"))[1..], root);

        let extension = |file: &str, which: &str| chain.read(&openssl, file, &["-ext", which]);
        let usage = "Digital Signature, Non Repudiation, Key Encipherment, Certificate Sign";
        for (file, constraints) in
            [("root-cert.pem", "CA:TRUE"), ("ca-cert.pem", "CA:TRUE, pathlen:0")]
        {
            assert_eq!(
                lines(&extension(file, "basicConstraints")),
                ["X509v3 Basic Constraints: critical", constraints],
            );
            assert_eq!(lines(&extension(file, "keyUsage")), ["X509v3 Key Usage: critical", usage]);
            assert_eq!(lines(&extension(file, "subjectKeyIdentifier")).len(), 2, "{file}");
        }
        assert_eq!(
            lines(&extension("ca-cert.pem", "subjectAltName")),
            ["X509v3 Subject Alternative Name:", "DNS:istiod.istio-system.svc"],
        );
    }
}
