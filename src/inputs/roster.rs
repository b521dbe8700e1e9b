//! A mesh's clusters, where nothing else of the project matters.

use std::path::Path;

use super::{MAX_MESH, MESH_FILE, NoMemory, OwnProfiles, Reader};
use crate::diag::{Diagnostic, Diagnostics, Sources, input_rules as rules};
use crate::file::Disk;
use crate::mesh::{self, ClusterName, Mesh};
use crate::spec;

/// Reads the names of the clusters from mesh.yaml, in its order.
///
/// Needs a file that is YAML with a mapping `clusters`; whatever else is wrong with it is for
/// `check`. Names that no cluster can have are passed over.
pub fn cluster_names(
    disk: &Disk,
    project: &Path,
) -> Result<Vec<ClusterName>, (Diagnostics, Sources)> {
    let rows = clusters_and_contexts(disk, project)?;
    Ok(rows.into_iter().map(|(name, _)| name).collect())
}

/// As [`cluster_names`], each with the kubeconfig context that `apply` takes by default.
pub fn clusters_and_contexts(
    disk: &Disk,
    project: &Path,
) -> Result<Vec<(ClusterName, String)>, (Diagnostics, Sources)> {
    let mut reader = Reader::new(disk, project, &NoMemory);
    let mut names = Vec::new();
    if let Some(text) = reader.text(MESH_FILE, MAX_MESH) {
        let source = reader.sources.add(MESH_FILE, text.as_str());
        if let Some(node) = spec::parse(source, &text, &mut reader.diagnostics) {
            let entries = node.get("clusters").map(crate::yaml::Node::entries).unwrap_or_default();
            names.extend(entries.iter().filter_map(|entry| {
                let name = ClusterName::parse(&entry.key).ok()?;
                let context = entry.value.get("context").and_then(crate::yaml::Node::as_str);
                Some((name, context.unwrap_or(&entry.key).to_owned()))
            }));
            if names.is_empty() {
                let message = "mesh.yaml names no cluster";
                reader
                    .diagnostics
                    .push(Diagnostic::new(&rules::MISSING_KEY, message).in_file(MESH_FILE));
            }
        }
    }
    if names.is_empty() { Err((reader.diagnostics, reader.sources)) } else { Ok(names) }
}

/// The mesh that mesh.yaml and its profiles describe; nothing where they cannot be understood, which
/// is for `check` to say. Facts, charts and keys are not looked at.
pub fn load_mesh(disk: &Disk, project: &Path) -> Option<Mesh> {
    let mut reader = Reader::new(disk, project, &NoMemory);
    let text = reader.text(MESH_FILE, MAX_MESH)?;
    let own = OwnProfiles::new(disk, project);
    let spec = spec::load(MESH_FILE, &text, &own, &mut reader.sources, &mut reader.diagnostics)?;
    mesh::resolve(&spec, &mut reader.diagnostics)
}
