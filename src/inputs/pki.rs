//! What the `pki` commands read: the mesh file and the keyring, and nothing else.

use std::path::Path;

use super::{MAX_INPUT, MAX_MESH, MESH_FILE, NoMemory, OwnProfiles, Reader, policy, read};
use crate::diag::{Diagnostic, Diagnostics, Sources, input_rules as rules};
use crate::file::Disk;
use crate::mesh;
use crate::pki::{self, KeyringFile};
use crate::spec::{self, Spec};

/// The mesh file and the keyring of a project, each with its own problems.
#[derive(Debug)]
pub struct PkiInputs {
    /// What mesh.yaml asks of the keyring; `None` where it cannot be understood.
    pub policy: Option<pki::Policy>,
    /// What stands in `pki/`.
    pub keyring: pki::Keyring,
    /// What is wrong with mesh.yaml, `allow` applied.
    pub mesh_problems: Diagnostics,
    /// What is wrong with single keyring files, or with reading them.
    pub keyring_problems: Diagnostics,
    /// The texts that both point into.
    pub sources: Sources,
}

/// Reads the mesh file and the keyring. Facts, charts and templates are not looked at, so that a
/// key can be made before they are there.
pub fn load_pki(disk: &Disk, project: &Path) -> PkiInputs {
    let mut reader = Reader::new(disk, project, &NoMemory);
    let policy = reader.policy();
    let mut mesh_problems = std::mem::take(&mut reader.diagnostics);
    mesh_problems.sort();
    let keyring = reader.whole_keyring();
    let Reader { sources, diagnostics: keyring_problems, .. } = reader;
    PkiInputs { policy, keyring, mesh_problems, keyring_problems, sources }
}

impl Reader<'_> {
    fn policy(&mut self) -> Option<pki::Policy> {
        let text = self.text(MESH_FILE, MAX_MESH)?;
        let own = OwnProfiles::new(self.disk, self.project);
        let spec = spec::load(MESH_FILE, &text, &own, &mut self.sources, &mut self.diagnostics)?;
        check_recipients(&spec, &mut self.diagnostics);
        let mesh = mesh::resolve(&spec, &mut self.diagnostics);
        mesh::allow(&spec, false, &mut self.diagnostics);
        mesh.map(|mesh| policy(&mesh))
    }

    fn whole_keyring(&mut self) -> pki::Keyring {
        let mut texts = Vec::new();
        for file in self.names("pki", ".yaml") {
            let path = format!("pki/{file}");
            match read(self.disk, self.project, &path, MAX_INPUT) {
                Ok(text) => texts.push((file.trim_end_matches(".yaml").to_owned(), text)),
                Err(error) => self.unreadable(&path, &error),
            }
        }
        let files: Vec<_> = texts
            .iter()
            .map(|(name, text)| KeyringFile {
                name,
                source: self.sources.add(pki::path_of(name), text.as_str()),
                text,
            })
            .collect();
        let (keyring, problems) = pki::Keyring::read(&files);
        self.diagnostics.extend(problems);
        keyring
    }
}

/// Finds recipients that are none: sealing passes over them, so they must not pass unseen.
pub(super) fn check_recipients(spec: &Spec, diagnostics: &mut Diagnostics) {
    let mut refuse = |texts: &[String], path: &[&str], cluster: Option<&str>| {
        for text in texts {
            let place = || spec.place(path);
            if let Err(error) = text.parse::<pki::Recipient>() {
                let mut diagnostic = Diagnostic::new(&rules::BAD_VALUE, error.to_string())
                    .at_maybe(place(), "in this list")
                    .hint("`meshgen pki init --new-identity FILE` makes an identity and prints its recipient");
                if let Some(cluster) = cluster {
                    diagnostic = diagnostic.of_cluster(cluster);
                }
                diagnostics.push(diagnostic);
            }
        }
    };
    let shared = spec.pki.recipients.as_deref().unwrap_or_default();
    refuse(shared, &["pki", "recipients"], None);
    let root = spec.pki.root.recipients.as_deref().unwrap_or_default();
    refuse(root, &["pki", "root", "recipients"], None);
    for cluster in &spec.clusters {
        let name = cluster.name.as_str();
        let own = cluster.entry.pki.as_ref().map_or(&[][..], |pki| &pki.recipients);
        refuse(own, &["clusters", name, "pki", "recipients"], Some(name));
    }
}
