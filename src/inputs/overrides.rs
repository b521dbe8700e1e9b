//! What a project overrides: its templates and profiles beside the built-in ones.

use std::collections::BTreeMap;
use std::path::Path;

use super::{MAX_INPUT, NoMemory, Reader};
use crate::diag::{Diagnostics, Sources};
use crate::file::Disk;

/// Where a template or profile is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The binary.
    BuiltIn,
    /// A file of the project, instead of the built-in one.
    Overridden,
    /// A file of the project that equals the built-in one, and so is it.
    Equal,
    /// A file of the project whose path no built-in one has.
    Own,
}

impl Origin {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::BuiltIn => "built-in",
            Origin::Overridden => "overridden",
            Origin::Equal => "equal",
            Origin::Own => "own",
        }
    }
}

/// A template or profile, and where it is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Its path in a project: `templates/…`, `profiles/….yaml`.
    pub path: String,
    /// Where it is taken from.
    pub origin: Origin,
}

/// All templates and profiles by path: built-in ones (given by their paths in a project), and those
/// of the project.
pub fn overrides(
    disk: &Disk,
    project: &Path,
    built_in: &BTreeMap<String, &str>,
) -> (Vec<Override>, Diagnostics, Sources) {
    let mut reader = Reader::new(disk, project, &NoMemory);
    let mut own: BTreeMap<String, String> = reader
        .templates()
        .into_iter()
        .map(|(path, text)| (format!("templates/{path}"), text))
        .collect();
    for name in reader.names("profiles", ".yaml") {
        let path = format!("profiles/{name}");
        if let Some(text) = reader.text(&path, MAX_INPUT) {
            own.insert(path, text);
        }
    }
    let mut origins: BTreeMap<String, Origin> = BTreeMap::new();
    for (path, text) in built_in {
        let origin = match own.get(path) {
            None => Origin::BuiltIn,
            Some(own) if own == text => Origin::Equal,
            Some(_) => Origin::Overridden,
        };
        origins.insert(path.clone(), origin);
    }
    for path in own.into_keys() {
        origins.entry(path).or_insert(Origin::Own);
    }
    let overrides = origins.into_iter().map(|(path, origin)| Override { path, origin }).collect();
    (overrides, reader.diagnostics, reader.sources)
}
