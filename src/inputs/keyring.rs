//! The keyring as an input: digests always, contents only where they are needed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{InputFile, MAX_INPUT, Memory, ReadFault, read};
use crate::diag::{Diagnostics, Sources};
use crate::file::Disk;
use crate::mesh::Mesh;
use crate::pki::{self, KeyringFile};
use crate::spec::model;
use crate::store::Digest;

/// The keyring of a project: what stands in `pki/`, by the digest of each file.
#[derive(Debug)]
pub struct Keyring {
    disk: Disk,
    project: PathBuf,
    digests: BTreeMap<String, Digest>,
    /// The digest of all of it, with what mesh.yaml asks of it.
    pub digest: Digest,
}

/// What reading the keyring gave.
pub(super) struct LoadedKeyring {
    pub(super) keyring: Keyring,
    pub(super) files: Vec<InputFile>,
    pub(super) diagnostics: Diagnostics,
    pub(super) unreadable: Vec<(String, ReadFault)>,
}

impl Keyring {
    /// The digest of a keyring file: `root`, or a cluster's name.
    pub fn digest_of(&self, name: &str) -> Option<Digest> {
        self.digests.get(name).copied()
    }

    /// Reads root and intermediate of one cluster. They have passed every check.
    pub fn read(&self, cluster: &str) -> Option<pki::Keyring> {
        let mut sources = Sources::new();
        let texts: Vec<(&str, String)> = [pki::ROOT, cluster]
            .into_iter()
            .map(|name| {
                read(&self.disk, &self.project, &pki::path_of(name), MAX_INPUT)
                    .map(|text| (name, text))
            })
            .collect::<Result<_, _>>()
            .ok()?;
        let files: Vec<KeyringFile<'_>> = texts
            .iter()
            .map(|(name, text)| {
                let source = sources.add(pki::path_of(name), text.as_str());
                KeyringFile { name, source, text }
            })
            .collect();
        Some(pki::Keyring::read(&files).0)
    }
}

/// What mesh.yaml asks of the keyring. Recipients that cannot be read are left out; the rule about
/// them is asked of the mesh.
pub fn policy(mesh: &Mesh) -> pki::Policy {
    // a thousand clusters have the same few
    let mut known: BTreeMap<String, Option<pki::Recipient>> = BTreeMap::new();
    let mut parse = |texts: &[String]| -> Vec<pki::Recipient> {
        let mut one = |text: &String| {
            if !known.contains_key(text) {
                known.insert(text.clone(), text.parse().ok());
            }
            known[text].clone()
        };
        texts.iter().filter_map(&mut one).collect()
    };
    pki::Policy {
        algorithm: match mesh.pki.algorithm {
            model::Algorithm::EcdsaP256 => pki::Algorithm::EcdsaP256,
            model::Algorithm::Rsa4096 => pki::Algorithm::Rsa4096,
        },
        root_days: mesh.pki.root_days,
        intermediate_days: mesh.pki.days,
        recipients: parse(&mesh.pki.recipients),
        root_recipients: parse(&mesh.pki.root_recipients),
        clusters: mesh
            .clusters
            .iter()
            .map(|cluster| pki::ClusterPolicy {
                name: cluster.name.as_str().to_owned(),
                is_enabled: cluster.enabled,
                recipients: parse(&cluster.recipients),
            })
            .collect(),
    }
}

/// Where the keyring is read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) disk: &'a Disk,
    pub(super) project: &'a Path,
    pub(super) memory: &'a dyn Memory,
}

/// Digests every file, and checks all of them unless this very keyring was found good before.
pub(super) fn load(
    source: Source<'_>,
    names: &[String],
    mesh: &Mesh,
    build_id: &str,
    sources: &mut Sources,
) -> LoadedKeyring {
    let Source { disk, project, memory } = source;
    let mut diagnostics = Diagnostics::new();
    let policy = policy(mesh);
    let (mut found, mut unreadable) = digests(disk, project, names, memory);
    let digest = whole(&found, &policy, build_id);
    if !(unreadable.is_empty() && memory.is_good(digest)) {
        let read_again: Vec<(String, Result<String, ReadFault>)> = found
            .par_iter_mut()
            .map(|(name, file)| {
                let text = match file.text.take() {
                    Some(text) => Ok(text),
                    None => read(disk, project, &file.path, MAX_INPUT),
                };
                (name.clone(), text)
            })
            .collect();
        let mut named: Vec<(String, String)> = Vec::new();
        for (name, text) in read_again {
            match text {
                Ok(text) => named.push((name, text)),
                Err(error) => unreadable.push((pki::path_of(&name), error)),
            }
        }
        let files: Vec<KeyringFile<'_>> = named
            .iter()
            .map(|(name, text)| KeyringFile {
                name,
                source: sources.add(pki::path_of(name), text.as_str()),
                text,
            })
            .collect();
        let (keyring, problems) = pki::Keyring::read(&files);
        diagnostics.extend(problems);
        diagnostics.extend(pki::check(&keyring, &policy));
    }
    let files = found
        .values()
        .map(|file| InputFile { path: file.path.clone(), digest: file.digest })
        .collect();
    let digests = found.into_iter().map(|(name, file)| (name, file.digest)).collect();
    let keyring = Keyring { disk: disk.clone(), project: project.to_owned(), digests, digest };
    LoadedKeyring { keyring, files, diagnostics, unreadable }
}

struct Found {
    path: String,
    digest: Digest,
    text: Option<String>,
}

fn digests(
    disk: &Disk,
    project: &Path,
    names: &[String],
    memory: &dyn Memory,
) -> (BTreeMap<String, Found>, Vec<(String, ReadFault)>) {
    let results: Vec<(String, Result<Found, ReadFault>)> = names
        .par_iter()
        .map(|file| {
            let name = file.trim_end_matches(".yaml").to_owned();
            let path = format!("pki/{file}");
            if let Some(digest) = memory.digest(&path) {
                return (name, Ok(Found { path, digest, text: None }));
            }
            let found = read(disk, project, &path, MAX_INPUT).map(|text| {
                let digest = Digest::of(&text);
                memory.note(&path, digest);
                Found { path, digest, text: Some(text) }
            });
            (name, found)
        })
        .collect();
    let mut found = BTreeMap::new();
    let mut unreadable = Vec::new();
    for (name, result) in results {
        match result {
            Ok(file) => {
                found.insert(name, file);
            }
            Err(error) => unreadable.push((pki::path_of(&name), error)),
        }
    }
    (found, unreadable)
}

fn whole(found: &BTreeMap<String, Found>, policy: &pki::Policy, build_id: &str) -> Digest {
    let mut text = format!("keyring\n{build_id}\n{policy:?}\n");
    for (name, file) in found {
        text.push_str(name);
        text.push(' ');
        text.push_str(&file.digest.hex());
        text.push('\n');
    }
    Digest::of(text)
}
