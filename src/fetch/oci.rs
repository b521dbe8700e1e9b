//! Charts in registries.

use serde::Deserialize;

use super::{FetchError, MAX_DOWNLOAD};
use crate::registry::{Reference, RegistryError, Repository};
use crate::store::Digest;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Helm's media type of a chart; before 3.8 it had another.
const CHART: [&str; 2] =
    ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"];
const MAX_MANIFEST: u64 = 4 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
}

/// The bytes of a chart's archive, checked against every digest on the way.
pub(super) fn chart(
    repository: &Repository,
    reference: &Reference,
    progress: &dyn Fn(u64),
) -> Result<Vec<u8>, FetchError> {
    let name = reference.manifest().unwrap_or_default();
    let url = repository.url(&format!("manifests/{name}")).to_string();
    let found = repository.manifest(&name, MAX_MANIFEST)?;
    let Some(found) = found else {
        return Err(RegistryError::Status { url, status: 404, reason: String::new() }.into());
    };
    let digest = layer(&url, &found.bytes)?;
    Ok(repository.blob(&digest, MAX_DOWNLOAD, progress)?)
}

fn layer(url: &str, manifest: &[u8]) -> Result<Digest, RegistryError> {
    let fault = |reason: String| RegistryError::Answer { url: url.to_owned(), reason };
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|error| fault(format!("the manifest cannot be read: {error}")))?;
    if manifest.media_type == INDEX {
        return Err(fault("this is an index of several images, and no chart".to_owned()));
    }
    let mut charts: Vec<Layer> = Vec::new();
    let mut others = Vec::new();
    for layer in manifest.layers {
        if CHART.contains(&layer.media_type.as_str()) {
            charts.push(layer);
        } else {
            others.push(layer.media_type.escape_debug().to_string());
        }
    }
    let Some(layer) = charts.pop().filter(|_| charts.is_empty()) else {
        let found = match (charts.len(), others.as_slice()) {
            (0, []) => "nothing".to_owned(),
            (0, others) => others.join(", "),
            _ => "several charts".to_owned(),
        };
        return Err(fault(format!("there is not one Helm chart in it, but {found}")));
    };
    layer
        .digest
        .parse()
        .map_err(|_| fault(format!("`{}` is no sha256 digest", layer.digest.escape_debug())))
}
