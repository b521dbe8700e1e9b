//! The artifact that Flux pulls: its bytes, and what is in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::process::Command;

use meshgen::file::Disk;
use meshgen::gitops::{Artifact, FLUX_CONFIG_TYPE, FLUX_CONTENT_TYPE, Share};
use meshgen::store::Digest;
use meshgen::tree::source::{Source, resolve};
use serde_json::Value;

use super::planes;
use crate::project::{Project, files};
use crate::tool;

fn source() -> Source {
    resolve(&Disk::new(), &planes(), None).expect("a tree")
}

fn artifact(source: &Source, cluster: &str) -> Artifact {
    Artifact::of(&Share::of(source, cluster).expect("a share")).expect("an artifact")
}

/// Paths and bytes of a layer, as tar and gzip themselves see them.
fn unpacked(layer: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("layer.tar.gz"), layer).expect("written");
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).expect("a folder");
    let mut command = Command::new("tar");
    tool::run(command.current_dir(&inside).args(["-xzf", "../layer.tar.gz"]), "");
    files(&inside).into_iter().map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
}

#[test]
fn it_holds_what_the_cluster_gets_and_nothing_else() {
    let source = source();
    for cluster in ["c1", "c3"] {
        let artifact = artifact(&source, cluster);
        let inside = unpacked(&artifact.blobs[1].1);
        let mut expected = BTreeMap::new();
        for row in &source.index.artifacts {
            let is_ours = row.targets.as_ref().is_some_and(|targets| targets.contains(cluster));
            let stage = row.stage.as_deref().unwrap_or_default();
            if is_ours && !["55-tokens", "60-remote-secrets"].contains(&stage) {
                expected.insert(row.path.to_string(), source.read(&row.path).expect("a file"));
            }
        }
        assert!(expected.keys().any(|path| path.starts_with("crds/")), "{cluster} shares");
        assert_eq!(inside, expected, "{cluster}");
        // private keys are sealed in it, as in the tree
        let secret = &inside[&format!("{cluster}/10-cacerts/secret_istio-system_cacerts.yaml")];
        let text = String::from_utf8_lossy(secret);
        assert!(text.contains("ca-key.pem: \"ENC[AES256_GCM,") && !text.contains("PRIVATE KEY"));
    }
}

#[test]
fn it_has_the_form_of_flux_push_artifact() {
    let artifact = artifact(&source(), "c1");
    let manifest: Value = serde_json::from_slice(&artifact.manifest).expect("JSON");
    assert_eq!(manifest["config"]["mediaType"], FLUX_CONFIG_TYPE);
    assert_eq!(manifest["layers"].as_array().map(Vec::len), Some(1));
    assert_eq!(manifest["layers"][0]["mediaType"], FLUX_CONTENT_TYPE);
    for (place, (digest, bytes)) in ["/config", "/layers/0"].iter().zip(&artifact.blobs) {
        let descriptor = manifest.pointer(place).expect("a descriptor");
        assert_eq!(*digest, Digest::of(bytes));
        assert_eq!(descriptor["digest"], digest.to_string());
        assert_eq!(descriptor["size"], bytes.len());
    }
    // no codec has a say in the bytes: the layer is the tar with a few bytes around each 64 KiB
    let mut tar = Vec::new();
    let layer = &artifact.blobs[1].1;
    flate2::read::GzDecoder::new(&**layer).read_to_end(&mut tar).expect("gzip");
    assert_eq!(layer.len(), tar.len() + 18 + 5 * tar.len().div_ceil(65_535));
    let config: Value = serde_json::from_slice(&artifact.blobs[0].1).expect("JSON");
    assert_eq!(config["rootfs"]["diff_ids"][0], Digest::of(&tar).to_string());
}

#[test]
fn its_digest_is_the_one_that_the_fleet_is_told() {
    let text = fs::read_to_string(planes().join("gitops/flux/c1/planes.yaml")).expect("committed");
    let digest = artifact(&source(), "c1").digest().to_string();
    assert!(text.contains(&format!("digest: \"{digest}\"")), "{digest}");
}

#[test]
fn a_change_of_another_cluster_leaves_it_as_it_is() {
    let before = source();
    let project = Project::copy_of(&planes());
    for (path, bytes) in files(&planes().join("out")) {
        project.write(&format!("out/{path}"), &String::from_utf8_lossy(&bytes));
    }
    let path = "c3/00-namespaces/namespace_sample.yaml";
    let text = project.tree().text(path) + "# another\n";
    project.write(&format!("out/{path}"), &text);
    let mut index = before.index.clone();
    let row = index.artifacts.iter_mut().find(|row| row.path.as_str() == path).expect("a row");
    row.digest = Digest::of(&text);
    project.write("out/index.json", &index.to_text());
    let after = resolve(&Disk::new(), project.path(), None).expect("a tree");
    assert_ne!(before.digest, after.digest);
    assert_eq!(artifact(&before, "c1"), artifact(&after, "c1"));
    assert_ne!(artifact(&before, "c3").digest(), artifact(&after, "c3").digest());
}
