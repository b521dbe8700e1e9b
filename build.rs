//! Names the executable: the digest of everything that it is made from.
//!
//! A derivation's digest covers it, so that another build of meshgen builds anew instead of trusting
//! what this one remembered. No byte of `out/` depends on it.

#![allow(clippy::disallowed_methods, reason = "a build script reads what it names")]

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

fn main() {
    let mut files = Vec::new();
    for root in ["src", "templates", "profiles"] {
        collect(Path::new(root), &mut files);
    }
    files.extend(["Cargo.toml", "Cargo.lock", "build.rs"].map(PathBuf::from));
    files.sort();
    let mut hasher = Sha256::new();
    for file in &files {
        let text = fs::read(file).unwrap_or_default();
        hasher.update(file.to_string_lossy().as_bytes());
        hasher.update(Sha256::digest(text));
        println!("cargo:rerun-if-changed={}", file.display());
    }
    for folder in ["src", "templates", "profiles"] {
        println!("cargo:rerun-if-changed={folder}");
    }
    for name in ["TARGET", "PROFILE", "OPT_LEVEL"] {
        hasher.update(std::env::var(name).unwrap_or_default());
    }
    // the compiler by what it is, not by where it lies: the same release is built in any home
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = std::process::Command::new(compiler).arg("-vV").output();
    hasher.update(version.map(|output| output.stdout).unwrap_or_default());
    let digest = hasher.finalize();
    let id = digest.iter().take(16).fold(0_u128, |id, byte| id << 8 | u128::from(*byte));
    println!("cargo:rustc-env=MESHGEN_BUILD_ID={id:032x}");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
