//! The profile below everything.

use super::error::IstioError;
use super::package::Package;
use super::tree::{self, Tree};

/// The name of the profile that others go over.
pub(super) const DEFAULT: &str = "default";

/// The layers of a profile by their names: the default one, and the named one over it. An empty name is the default.
///
/// # Errors
/// When the package does not have one of them.
pub(super) fn layers<'a>(
    package: &'a Package,
    name: &'a str,
) -> Result<Vec<(&'a str, &'a Tree)>, IstioError> {
    let mut layers = vec![(DEFAULT, package.profile(DEFAULT)?)];
    if !matches!(name, "" | DEFAULT) {
        layers.push((name, package.profile(name)?));
    }
    Ok(layers)
}

/// The layers of a profile, merged.
pub(super) fn merged(package: &Package, name: &str) -> Result<Tree, IstioError> {
    let mut base = Tree::new();
    for (_, layer) in layers(package, name)? {
        tree::merge(&mut base, layer);
    }
    Ok(base)
}
