//! Signatures: real cosign and OpenSSL take ours, ours takes cosign's, and nothing else.

pub mod cosign;
mod hostile;
mod key;
mod trust;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use meshgen::bundle::sign::{SigningKey, TrustedKeys, sign_file};
use meshgen::file::Disk;
use meshgen::store::Digest;
use tempfile::TempDir;

use crate::tool;

/// A folder with key pairs that OpenSSL made: `NAME.key` and `NAME.pub`.
struct Keys {
    folder: TempDir,
    openssl: PathBuf,
}

impl Keys {
    /// `None` where there is no OpenSSL.
    fn new() -> Option<Self> {
        let openssl = tool::path("openssl")?;
        Some(Self { folder: tempfile::tempdir().expect("a folder"), openssl })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs OpenSSL in the folder.
    fn openssl(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(&self.openssl);
        tool::run(command.current_dir(self.folder.path()).args(arguments), "")
    }

    /// Makes a pair: `EC` with a curve, or `RSA` with bits.
    fn make(&self, name: &str, kind: &str, option: &str) {
        let (key, public) = (format!("{name}.key"), format!("{name}.pub"));
        self.openssl(&["genpkey", "-algorithm", kind, "-pkeyopt", option, "-out", &key]);
        self.openssl(&["pkey", "-in", &key, "-pubout", "-out", &public]);
    }

    fn ec(&self, name: &str) -> SigningKey {
        self.make(name, "EC", "ec_paramgen_curve:P-256");
        self.signing(name)
    }

    fn signing(&self, name: &str) -> SigningKey {
        let text = fs::read_to_string(self.path(&format!("{name}.key"))).expect("made");
        SigningKey::from_pem(&text, None).expect("a key")
    }

    /// What is trusted if these are.
    fn trust(&self, names: &[&str]) -> TrustedKeys {
        let files: Vec<PathBuf> =
            names.iter().map(|name| self.path(&format!("{name}.pub"))).collect();
        TrustedKeys::of_files(&Disk::new(), &files).expect("public keys")
    }
}

/// A file with bytes of its own, and its signature beside it.
fn signed(folder: &Path, key: &SigningKey) -> (PathBuf, Digest) {
    let file = folder.join("file.tar");
    fs::write(&file, "what was reviewed\n").expect("written");
    let digest = Digest::of("what was reviewed\n");
    let signature = sign_file(key, &digest).expect("signs");
    fs::write(folder.join("file.tar.sigstore.json"), signature).expect("written");
    (file, digest)
}
