//! The pins that a mesh uses: what `meshgen.lock` says of them, and their content in `charts/`.

mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub use write::{PinChange, WriteError, write_pins};

use super::{InputFile, MAX_INPUT, Memory, Reader, read};
use crate::diag::{Diagnostic, Diagnostics, Rule, Sources, Span, pin_rules as rules};
use crate::file::{Disk, FileError};
use crate::mesh::version::parse_istio;
use crate::mesh::{Cluster, Mesh};
use crate::pin::{CHARTS, Files, LOCK_FILE, Lock, Parsed, Pin, PinKind, PinName, archive};
use crate::spec::{Spec, closest};
use crate::store::Digest;

/// A pin as an input: its digest always, its files where they are needed.
///
/// The digest names all that [`PinInput::load`] gives: a recipe that holds it covers the files.
#[derive(Clone)]
pub struct PinInput {
    /// Its name in `meshgen.lock`.
    pub name: String,
    /// What it holds.
    pub kind: PinKind,
    /// The version that `meshgen.lock` says it is of.
    pub version: Option<String>,
    /// The sha256 of its canonical tar.
    pub digest: Digest,
    disk: Disk,
    project: PathBuf,
    files: Arc<Mutex<Option<Arc<Files>>>>,
}

impl std::fmt::Debug for PinInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, kind, version, digest, .. } = self;
        write!(f, "PinInput({name}, {kind:?}, {version:?}, {digest})")
    }
}

/// Why a pin's content cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PinFault {
    /// Nothing lies where it belongs.
    #[error("its content is not in {CHARTS}/")]
    Missing,
    /// What lies there cannot be read.
    #[error(transparent)]
    Unreadable(FileError),
    /// Other bytes lie there.
    #[error("its content is {found}, but {LOCK_FILE} says {wanted}")]
    Mismatch {
        /// The digest in `meshgen.lock`.
        wanted: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// The bytes are those that are asked for, and no content of a pin.
    #[error("its content: {0}")]
    NotCanonical(archive::ArchiveError),
}

impl PinFault {
    /// What to do.
    pub fn hint(&self) -> String {
        let fetch = "`meshgen lock --fetch` brings it back by its digest";
        match self {
            PinFault::Missing | PinFault::Unreadable(_) => fetch.to_owned(),
            PinFault::Mismatch { .. } => {
                format!("take the file away, then {fetch}; or `git checkout -- {CHARTS}`")
            }
            PinFault::NotCanonical(_) => {
                "pin it with `meshgen lock NAME=SOURCE --update NAME`, which writes its content anew"
                    .to_owned()
            }
        }
    }

    fn rule(&self) -> &'static Rule {
        match self {
            PinFault::Missing | PinFault::Unreadable(_) => &rules::MISSING,
            PinFault::Mismatch { .. } => &rules::MISMATCH,
            PinFault::NotCanonical(_) => &rules::NOT_CANONICAL,
        }
    }
}

impl PinInput {
    /// Reads the files: from `charts/`, checked against the digest, held for the next call.
    ///
    /// They were whole when the inputs were read; what fails here was changed since.
    pub fn load(&self) -> Result<Arc<Files>, PinFault> {
        let mut held = self.files.lock().expect("no holder panics");
        if let Some(files) = &*held {
            return Ok(Arc::clone(files));
        }
        let files = Arc::new(content(&self.disk, &self.project, self.digest)?);
        Ok(Arc::clone(held.insert(files)))
    }
}

/// Reads the content of a digest from `charts/`, and checks it.
pub fn content(disk: &Disk, project: &Path, digest: Digest) -> Result<Files, PinFault> {
    let path = crate::pin::path_of(digest);
    let bytes =
        disk.read_input(project, Path::new(&path), archive::MAX_ARCHIVE).map_err(|error| {
            if error.is_not_found() { PinFault::Missing } else { PinFault::Unreadable(error) }
        })?;
    let found = Digest::of(&bytes);
    if found != digest {
        return Err(PinFault::Mismatch { wanted: digest, found });
    }
    archive::decode(&bytes).map_err(PinFault::NotCanonical)
}

/// Checks the content of a digest without keeping it, unless it is remembered as good.
fn check_content(
    disk: &Disk,
    project: &Path,
    digest: Digest,
    memory: &dyn Memory,
) -> Result<(), PinFault> {
    let path = crate::pin::path_of(digest);
    if memory.digest(&path) == Some(digest) {
        return Ok(());
    }
    content(disk, project, digest)?;
    memory.note(&path, digest);
    Ok(())
}

/// Reads `meshgen.lock` for the command that writes it; a file that is not there is empty.
///
/// Gives everything that is wrong with it where it cannot be understood whole: a pin that was left
/// out would be lost when the file is written.
pub fn load_lock(disk: &Disk, project: &Path) -> Result<Lock, (Diagnostics, Sources)> {
    let mut reader = Reader::new(disk, project, &super::NoMemory);
    let parsed = reader.lock();
    match parsed {
        Some(parsed) if !reader.diagnostics.has_errors() => Ok(parsed.lock),
        _ => Err((reader.diagnostics, reader.sources)),
    }
}

/// The files in `charts/` that no pin names, sorted.
pub fn unused_content(disk: &Disk, project: &Path, lock: &Lock) -> Result<Vec<String>, FileError> {
    let is_used = |name: &str| {
        let digest = name.strip_suffix(".tar").and_then(Digest::from_hex);
        digest.is_some_and(|digest| lock.needs(digest))
    };
    let entries = super::list(disk, project, CHARTS)?;
    let unused = entries.into_iter().map(|(name, _)| name).filter(|name| !is_used(name));
    Ok(unused.map(|name| format!("{CHARTS}/{name}")).collect())
}

impl Reader<'_> {
    /// `None` where it is there and cannot be understood.
    fn lock(&mut self) -> Option<Parsed> {
        if let Ok(None) = self.disk.stat(&self.project.join(LOCK_FILE)) {
            return Some(Parsed::default());
        }
        let text = match read(self.disk, self.project, LOCK_FILE, MAX_INPUT) {
            Ok(text) => text,
            Err(error) => {
                self.unreadable(LOCK_FILE, &error);
                return None;
            }
        };
        self.files.push(InputFile { path: LOCK_FILE.to_owned(), digest: Digest::of(&text) });
        Lock::parse(&text, &mut self.sources, &mut self.diagnostics)
    }

    /// The pins that enabled clusters use, checked, by name.
    pub(super) fn pins(&mut self, spec: &Spec, mesh: &Mesh) -> BTreeMap<String, PinInput> {
        let Some(Parsed { lock, places }) = self.lock() else { return BTreeMap::new() };
        let mut used = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        for cluster in mesh.enabled() {
            let Some(name) = cluster.settings.charts() else { continue };
            let found = PinName::parse(name).and_then(|name| lock.pins.get_key_value(&name));
            let place = spec.setting_place(&spec.clusters[cluster.index], &["istio", "charts"]);
            match found {
                Some((name, pin)) => {
                    self.fits(spec, cluster, (name, pin, place));
                    used.insert(name.clone(), pin);
                }
                // once for all clusters that have it from one place
                None if unknown.insert((name, place)) => {
                    self.diagnostics.push(self::unknown(name, place, &lock));
                }
                None => {}
            }
        }
        let mut pins = BTreeMap::new();
        for (name, pin) in used {
            let path = pin.path();
            match check_content(self.disk, self.project, pin.digest, self.memory) {
                Ok(()) => self.files.push(InputFile { path, digest: pin.digest }),
                Err(fault) => self.diagnostics.push(
                    Diagnostic::new(fault.rule(), format!("the pin `{name}`: {fault}"))
                        .at_maybe(
                            places.get(&name).copied(),
                            "its file in charts/ has this name and `.tar`",
                        )
                        .hint(fault.hint()),
                ),
            }
            pins.insert(name.to_string(), self.pin_input(&name, pin));
        }
        // two names of one content
        self.files.sort();
        self.files.dedup();
        pins
    }

    fn pin_input(&self, name: &PinName, pin: &Pin) -> PinInput {
        PinInput {
            name: name.to_string(),
            kind: pin.kind,
            version: pin.version.clone(),
            digest: pin.digest,
            disk: self.disk.clone(),
            project: self.project.to_owned(),
            files: Arc::default(),
        }
    }

    /// Whether a pin can render a cluster's control plane.
    fn fits(&mut self, spec: &Spec, cluster: &Cluster, used: (&PinName, &Pin, Option<Span>)) {
        let (name, pin, place) = used;
        if pin.kind != PinKind::Istio {
            let message = format!("the pin `{name}` is {}", pin.kind.describe());
            self.diagnostics.push(
                Diagnostic::new(&rules::WRONG_KIND, message)
                    .at_maybe(place, "an Istio release belongs here")
                    .hint("`meshgen lock NAME=VERSION` pins a release's charts"),
            );
            return;
        }
        let Some(charts) = pin.version.as_deref().and_then(parse_istio) else { return };
        let istio = &cluster.istio;
        if (charts.major, charts.minor) != (istio.major, istio.minor) {
            let own = &spec.clusters[cluster.index];
            let message = format!(
                "`{}` is to run Istio {istio}, but the charts of the pin `{name}` are of {charts}",
                cluster.name
            );
            self.diagnostics.push(
                Diagnostic::new(&rules::VERSION, message)
                    .at_maybe(place, "the charts")
                    .at_maybe(spec.setting_place(own, &["istio", "version"]), "the version")
                    .hint(format!(
                        "pin that release beside it: `meshgen lock istio-{0}-{1}={istio}`, and set \
                         `istio.charts: istio-{0}-{1}`",
                        istio.major, istio.minor
                    ))
                    .of_cluster(cluster.name.as_str()),
            );
        }
    }
}

fn unknown(name: &str, place: Option<Span>, lock: &Lock) -> Diagnostic {
    let message = format!("there is no pin `{name}` in {LOCK_FILE}");
    let diagnostic = Diagnostic::new(&rules::UNKNOWN, message).at_maybe(place, "");
    let known: Vec<&str> = lock.pins.keys().map(PinName::as_str).collect();
    if let Some(close) = closest(name, &known) {
        return diagnostic.hint(format!("did you mean `{close}`?"));
    }
    let diagnostic = match known.as_slice() {
        [] => diagnostic,
        known => diagnostic.hint(format!("the pins are {}", known.join(", "))),
    };
    diagnostic.hint(format!(
        "`meshgen lock {}=VERSION` pins the charts of an Istio release",
        if PinName::parse(name).is_some() { name } else { "NAME" }
    ))
}
