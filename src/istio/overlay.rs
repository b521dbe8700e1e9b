//! `k8s.overlays`: edits of rendered objects by path.
//!
//! Source of the rules: `operator/pkg/render/postprocess.go`, `operator/pkg/tpath`, `operator/pkg/util/path.go`. istioctl
//! drops every error of a path; what was made on the way to it stays. So it is here, with a warning.

mod node;
mod path;
mod write;

use std::sync::Arc;

use serde_json::Value;

use super::chart::has_kind;
use super::component::{Instance, field};
use super::error::IstioError;
use super::generate::RenderedObject;
use super::path as segments;
use super::warning::Warning;
use node::Node;

/// Applies the overlays of an instance to its objects.
///
/// # Errors
/// When an overlay leaves something that is no object.
pub(super) fn apply(
    instance: &Instance,
    objects: &mut [RenderedObject],
    warnings: &mut Vec<Warning>,
) -> Result<(), IstioError> {
    let overlays =
        instance.settings().and_then(|k8s| field(k8s, "overlays")).and_then(Value::as_array);
    for (index, overlay) in overlays.into_iter().flatten().enumerate() {
        let place = format!("{}.k8s.overlays[{index}]", instance.place);
        let text = |name: &str| {
            let found = overlay.as_object().and_then(|overlay| field(overlay, name)?.as_str());
            found.unwrap_or_default().to_owned()
        };
        let (kind, name) = (text("kind"), text("name"));
        let patches = overlay.as_object().and_then(|overlay| field(overlay, "patches")?.as_array());
        let mut matched = false;
        for object in objects.iter_mut().filter(|object| object.is(&kind, &name)) {
            matched = true;
            let patches = patches.map(Vec::as_slice).unwrap_or_default();
            edit(&place, Arc::make_mut(&mut object.value), patches, warnings)?;
        }
        if !matched {
            warnings.push(Warning::OverlayUnmatched { place, kind, name });
        }
    }
    Ok(())
}

/// Applies the patches of an overlay to one object.
fn edit(
    place: &str,
    object: &mut Value,
    patches: &[Value],
    warnings: &mut Vec<Warning>,
) -> Result<(), IstioError> {
    let mut root = Node::parsed(std::mem::take(object));
    for (index, patch) in patches.iter().enumerate() {
        let place = format!("{place}.patches[{index}]");
        let get = |name: &str| patch.as_object().and_then(|patch| field(patch, name));
        let path = get("path").and_then(Value::as_str).unwrap_or_default();
        let value = get("value").map(Node::given);
        let said = write::write(&mut root, &segments::split(path), value);
        match said {
            Ok(write::Done { read_as_map: true }) => {
                warnings.push(Warning::OverlayMap { place });
            }
            Ok(_) => {}
            Err(write::Fault::Silent(reason)) => {
                warnings.push(Warning::OverlayPath { place, path: path.to_owned(), reason });
            }
            Err(write::Fault::Fatal(reason)) => return Err(IstioError::Overlay { place, reason }),
        }
    }
    *object = root.into_value();
    has_kind(object).map_err(|reason| IstioError::Overlay { place: place.to_owned(), reason })
}
