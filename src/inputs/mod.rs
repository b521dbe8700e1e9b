//! The only reader of inputs: mesh, profiles, templates, facts, pins, keyring, each as bytes with a
//! digest.

mod check;
pub mod facts;
mod keyring;
mod overrides;
mod pins;
mod pki;
mod roster;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

pub use facts::Facts;
pub use keyring::{Keyring, policy};
pub use overrides::{Origin, Override, overrides};
pub use pins::{
    PinChange, PinFault, PinInput, WriteError, content, load_lock, unused_content, write_pins,
};
pub use pki::{PkiInputs, load_pki};
pub use roster::{cluster_names, clusters_and_contexts, load_mesh};

use crate::diag::{Diagnostic, Diagnostics, Sources, input_rules as rules};
use crate::file::{Disk, FileError, FileKind};
use crate::mesh::{self, Cluster, Mesh};
use crate::spec::{self, Profiles, Spec};
use crate::store::Digest;

/// The mesh file.
pub const MESH_FILE: &str = "mesh.yaml";
const MAX_MESH: u64 = 64 << 20;
const MAX_INPUT: u64 = 16 << 20;

/// A file that was read, for the generation's record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputFile {
    /// Relative to the project.
    pub path: String,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// All inputs of a mesh, checked.
#[derive(Debug)]
pub struct Inputs {
    /// What the user wrote.
    pub spec: Spec,
    /// What it means.
    pub mesh: Mesh,
    /// Facts by cluster.
    pub facts: BTreeMap<String, Facts>,
    /// The project's own templates: path under `templates/` and text.
    pub templates: BTreeMap<String, String>,
    /// The pins that enabled clusters use, by name; `istio.charts` names one.
    pub pins: BTreeMap<String, PinInput>,
    /// The keyring.
    pub keyring: Keyring,
    /// Every file that was read, by path.
    pub files: Vec<InputFile>,
}

/// What reading the inputs gave.
#[derive(Debug)]
pub struct Loaded {
    /// The inputs; `None` where they cannot be understood.
    pub inputs: Option<Inputs>,
    /// Everything that was found wrong, `allow` applied, in order.
    pub diagnostics: Diagnostics,
    /// The texts that diagnostics point into.
    pub sources: Sources,
}

/// What is remembered of files that did not change.
///
/// `render` remembers digests by a stat cache, and keyrings that were found good; `check` remembers
/// nothing.
pub trait Memory: Sync {
    /// The digest of a file of the project, if it has not changed since it was read.
    fn digest(&self, path: &str) -> Option<Digest>;
    /// Notes the digest of a file that was just read.
    fn note(&self, path: &str, digest: Digest);
    /// Whether a keyring of this digest was found good.
    fn is_good(&self, keyring: Digest) -> bool;
}

/// Remembers nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn digest(&self, _: &str) -> Option<Digest> {
        None
    }
    fn note(&self, _: &str, _: Digest) {}
    fn is_good(&self, _: Digest) -> bool {
        false
    }
}

impl Inputs {
    /// A fact of a cluster, or what to call it where it is missing: `facts.c3.server`.
    pub fn fact(&self, cluster: &Cluster, name: &str) -> Result<&str, String> {
        let cluster = cluster.name.as_str();
        let found = self.facts.get(cluster).and_then(|facts| facts.get(name));
        found.ok_or_else(|| format!("facts.{cluster}.{name}"))
    }
}

/// Reads and checks all inputs of a project. Everything found wrong is in the diagnostics.
pub fn load(disk: &Disk, project: &Path, memory: &dyn Memory, build_id: &str) -> Loaded {
    let mut reader = Reader::new(disk, project, memory);
    let inputs = reader.inputs(build_id);
    let Reader { sources, mut diagnostics, .. } = reader;
    diagnostics.sort();
    Loaded { inputs, diagnostics, sources }
}

struct Reader<'a> {
    disk: &'a Disk,
    project: &'a Path,
    memory: &'a dyn Memory,
    files: Vec<InputFile>,
    sources: Sources,
    diagnostics: Diagnostics,
}

impl<'a> Reader<'a> {
    fn new(disk: &'a Disk, project: &'a Path, memory: &'a dyn Memory) -> Self {
        Self {
            disk,
            project,
            memory,
            files: Vec::new(),
            sources: Sources::new(),
            diagnostics: Diagnostics::new(),
        }
    }

    fn inputs(&mut self, build_id: &str) -> Option<Inputs> {
        let text = self.text(MESH_FILE, MAX_MESH)?;
        let own = OwnProfiles::new(self.disk, self.project);
        let spec = spec::load(MESH_FILE, &text, &own, &mut self.sources, &mut self.diagnostics);
        for (path, bytes) in own.read.into_inner() {
            match bytes {
                Ok(text) => self.files.push(InputFile { path, digest: Digest::of(text) }),
                Err(error) => self.unreadable(&path, &error),
            }
        }
        let spec = spec?;
        pki::check_recipients(&spec, &mut self.diagnostics);
        let mesh = mesh::resolve(&spec, &mut self.diagnostics);
        let templates = self.templates();
        let Some(mesh) = mesh else {
            mesh::allow(&spec, false, &mut self.diagnostics);
            return None;
        };
        let facts = self.facts(&spec, &mesh);
        let pins = self.pins(&spec, &mesh);
        let keyring = self.keyring(&mesh, build_id);
        mesh::allow(&spec, true, &mut self.diagnostics);
        self.files.sort();
        let files = std::mem::take(&mut self.files);
        Some(Inputs { spec, mesh, facts, templates, pins, keyring, files })
    }

    fn text(&mut self, path: &str, max: u64) -> Option<String> {
        match read(self.disk, self.project, path, max) {
            Ok(text) => {
                self.files.push(InputFile { path: path.to_owned(), digest: Digest::of(&text) });
                Some(text)
            }
            Err(error) => {
                self.unreadable(path, &error);
                None
            }
        }
    }

    fn unreadable(&mut self, path: &str, error: &ReadFault) {
        let (rule, message) = match error {
            ReadFault::NotUtf8 => (&rules::SYNTAX, "the file is no UTF-8 text".to_owned()),
            ReadFault::File(FileError::Outside { .. }) => {
                (&rules::OUTSIDE, "the path leaves the project".to_owned())
            }
            ReadFault::File(FileError::NotAFile { what, .. }) => {
                (&rules::OUTSIDE, format!("this is {what}, and no plain file"))
            }
            ReadFault::File(FileError::TooLarge { max, .. }) => {
                (&rules::TOO_LARGE, format!("the file is larger than {} MiB", max >> 20))
            }
            ReadFault::File(FileError::System { source, .. }) => {
                (&rules::UNREADABLE, source.to_string())
            }
            ReadFault::File(other) => (&rules::UNREADABLE, other.to_string()),
        };
        let mut diagnostic = Diagnostic::new(rule, message).in_file(path);
        if path == MESH_FILE && matches!(error, ReadFault::File(error) if error.is_not_found()) {
            diagnostic =
                diagnostic.hint("`meshgen init` starts a project; `-C DIR` names its folder");
        }
        self.diagnostics.push(diagnostic);
    }

    /// The plain files of a folder of the project, by name. A folder that is not there is empty.
    fn names(&mut self, folder: &str, suffix: &str) -> Vec<String> {
        match list(self.disk, self.project, folder) {
            Ok(entries) => entries
                .into_iter()
                .filter(|(name, _)| name.ends_with(suffix) && !name.starts_with('.'))
                .map(|(name, _)| name)
                .collect(),
            Err(error) => {
                self.unreadable(folder, &ReadFault::File(error));
                Vec::new()
            }
        }
    }

    /// The project's own templates; what editors leave behind is no template.
    fn templates(&mut self) -> BTreeMap<String, String> {
        let folder = self.project.join("templates");
        let found = match self.disk.stat(&folder) {
            Ok(None) => return BTreeMap::new(),
            Ok(Some(stat)) if stat.kind != FileKind::Folder => {
                Err(FileError::NotAFile { path: folder, what: stat.kind.describe() })
            }
            Ok(Some(_)) => self.disk.walk(&folder),
            Err(error) => Err(error),
        };
        let paths = found.unwrap_or_else(|error| {
            self.unreadable("templates", &ReadFault::File(error));
            Vec::new()
        });
        let mut own = BTreeMap::new();
        for (path, _) in paths {
            let name = path.rsplit('/').next().unwrap_or(&path);
            if !name.starts_with('.')
                && !name.ends_with('~')
                && let Some(text) = self.text(&format!("templates/{path}"), MAX_INPUT)
            {
                own.insert(path, text);
            }
        }
        own
    }

    fn facts(&mut self, spec: &Spec, mesh: &Mesh) -> BTreeMap<String, Facts> {
        let names = self.names("facts", ".json");
        let (disk, project) = (self.disk, self.project);
        let read: Vec<(String, String, Result<String, ReadFault>)> = names
            .into_par_iter()
            .map(|name| {
                let path = format!("facts/{name}");
                let text = read(disk, project, &path, MAX_INPUT);
                (name.trim_end_matches(".json").to_owned(), path, text)
            })
            .collect();
        let mut facts = BTreeMap::new();
        let mut texts = BTreeMap::new();
        for (cluster, path, text) in read {
            let text = match text {
                Ok(text) => text,
                Err(error) => {
                    self.unreadable(&path, &error);
                    continue;
                }
            };
            self.files.push(InputFile { path: path.clone(), digest: Digest::of(&text) });
            if mesh.cluster(&cluster).is_some()
                && let Some(own) =
                    Facts::parse(&path, &text, &mut self.sources, &mut self.diagnostics)
            {
                facts.insert(cluster.clone(), own);
            }
            texts.insert(cluster, (path, text));
        }
        check::check(spec, mesh, &facts, &texts, &mut self.sources, &mut self.diagnostics);
        facts
    }

    fn keyring(&mut self, mesh: &Mesh, build_id: &str) -> Keyring {
        let names = self.names("pki", ".yaml");
        let source =
            keyring::Source { disk: self.disk, project: self.project, memory: self.memory };
        let loaded = keyring::load(source, &names, mesh, build_id, &mut self.sources);
        for (path, error) in &loaded.unreadable {
            self.unreadable(path, error);
        }
        self.files.extend(loaded.files);
        self.diagnostics.extend(loaded.diagnostics);
        loaded.keyring
    }
}

/// Why a file is no text that can be used.
#[derive(Debug)]
enum ReadFault {
    File(FileError),
    NotUtf8,
}

fn read(disk: &Disk, project: &Path, path: &str, max: u64) -> Result<String, ReadFault> {
    let bytes = disk.read_input(project, Path::new(path), max).map_err(ReadFault::File)?;
    String::from_utf8(bytes).map_err(|_| ReadFault::NotUtf8)
}

/// Names and kinds in a folder of the project, sorted; nothing where the folder is not there.
fn list(disk: &Disk, project: &Path, folder: &str) -> Result<Vec<(String, FileKind)>, FileError> {
    let path = project.join(folder);
    match disk.stat(&path)? {
        None => return Ok(Vec::new()),
        Some(stat) if stat.kind != FileKind::Folder => {
            return Err(FileError::NotAFile { path, what: stat.kind.describe() });
        }
        Some(_) => {}
    }
    let entries = disk.list(&path)?;
    let text = |name: std::ffi::OsString| name.into_string().ok();
    Ok(entries.into_iter().filter_map(|entry| Some((text(entry.name)?, entry.kind))).collect())
}

/// The project's own profiles, read when they are asked for.
struct OwnProfiles<'a> {
    disk: &'a Disk,
    project: PathBuf,
    read: RefCell<BTreeMap<String, Result<String, ReadFault>>>,
}

impl<'a> OwnProfiles<'a> {
    fn new(disk: &'a Disk, project: &Path) -> Self {
        Self { disk, project: project.to_owned(), read: RefCell::default() }
    }
}

impl Profiles for OwnProfiles<'_> {
    fn own(&self, name: &str) -> Option<String> {
        // a name is one part of a path: it cannot leave the folder
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(fits) {
            return None;
        }
        let path = format!("profiles/{name}.yaml");
        let result = read(self.disk, &self.project, &path, MAX_INPUT);
        if matches!(&result, Err(ReadFault::File(error)) if error.is_not_found()) {
            return None;
        }
        let text = result.as_ref().ok().cloned();
        self.read.borrow_mut().insert(path, result);
        // a file that is there but cannot be read must not fall back to the built-in one silently:
        // the fault is reported by whoever asked
        text
    }

    fn names(&self) -> Vec<String> {
        list(self.disk, &self.project, "profiles")
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(name, _)| name.strip_suffix(".yaml").map(str::to_owned))
            .collect()
    }
}
