//! What the user wrote: the types of `mesh.yaml`, profiles, loading with places.

mod load;
mod merge;
pub mod model;
mod origin;
mod profile;
mod shape;
mod starter;

pub use load::{Spec, SpecCluster, load, parse};
pub use merge::lay_free_form;
pub use origin::Origin;
pub use profile::{BUILT_IN, Profile, Profiles, built_in};
pub use shape::{check, closest, schema_of};
pub use starter::Starter;

/// The JSON Schema of `mesh.yaml` as a file: two spaces, a line end at the end.
pub fn mesh_schema() -> String {
    format!("{:#}\n", schema_of::<model::MeshFile>())
}

/// The JSON Schema of `profiles/<name>.yaml` as a file.
pub fn profile_schema() -> String {
    format!("{:#}\n", schema_of::<model::ProfileFile>())
}
