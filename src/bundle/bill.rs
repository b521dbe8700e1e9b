//! The bill of materials: what a tree holds and runs, in `CycloneDX` 1.6.
//!
//! A function of the tree and of which images are at hand: no time, no serial number, no version of
//! meshgen. Whoever has the tree makes the same bytes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Bundle, Entry, Kind};
use crate::store::Digest;
use crate::tree::{ArtifactRow, Except, Index, Targets};

/// Media type of a bill, and the type of the artifact that holds it in a registry.
pub const BILL_TYPE: &str = "application/vnd.cyclonedx+json";

/// The bill of a tree: every rendered file by its sha256, every image that the mesh runs.
///
/// `images` are the references that the tree has, with the digest of what is at hand under that name, if
/// it is. The text is indented, sorted, and ends with a line end.
pub fn bill(tree: &Digest, table: &Index, images: &BTreeMap<String, Option<Digest>>) -> String {
    let mut components: Vec<Value> =
        images.iter().map(|(reference, digest)| image(reference, digest.as_ref())).collect();
    components.extend(table.artifacts.iter().map(file));
    let references: Vec<&Value> = components.iter().map(|one| &one["bom-ref"]).collect();
    let clusters: Vec<&str> = table.clusters.iter().map(|row| row.name.as_str()).collect();
    let bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "tree",
                "name": table.mesh,
                "version": tree,
                "hashes": [hash(tree)],
                "properties": [property("meshgen:clusters", &clusters.join(" "))],
            },
        },
        "dependencies": [{"ref": "tree", "dependsOn": references}],
        "components": components,
    });
    format!("{bill:#}\n")
}

impl Bundle {
    /// Every image that the mesh runs, with the digest of what is inside, if it is.
    pub fn at_hand(&self) -> impl Iterator<Item = (&String, Option<Digest>)> {
        self.images.iter().map(|reference| {
            let is_it =
                |entry: &&Entry| matches!(&entry.kind, Kind::Image(name) if name == reference);
            let found = self.entries.iter().find(is_it);
            (reference, found.map(|entry| entry.descriptor.digest))
        })
    }

    /// The bill of its tree, with the digests of the images that are inside.
    pub fn bill(&self) -> String {
        let images = self.at_hand().map(|(reference, digest)| (reference.clone(), digest));
        bill(&self.tree, &self.table, &images.collect())
    }
}

fn hash(digest: &Digest) -> Value {
    json!({"alg": "SHA-256", "content": digest.hex()})
}

fn property(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn file(row: &ArtifactRow) -> Value {
    let mut properties = Vec::new();
    if let Some(stage) = &row.stage {
        properties.push(property("meshgen:stage", stage));
    }
    if let Some(object) = &row.object {
        let text = format!("{} {object}", object.api_version);
        properties.push(property("meshgen:object", &text));
    }
    if let Some(targets) = &row.targets {
        // as the index has it: what one cluster does not get would else name all others
        let text = match targets {
            Targets::Only(names) => names.join(" "),
            Targets::AllBut(Except { except }) => format!("all but {}", except.join(" ")),
        };
        properties.push(property("meshgen:targets", &text));
    }
    let mut component = json!({
        "type": "file",
        "bom-ref": format!("file:{}", row.path),
        "name": row.path,
        "hashes": [hash(&row.digest)],
    });
    if !properties.is_empty() {
        component["properties"] = Value::Array(properties);
    }
    component
}

fn image(reference: &str, at_hand: Option<&Digest>) -> Value {
    let image = Image::of(reference);
    // the digest that the tree names is that of an index or a manifest, as the one at hand
    let named = image.digest.and_then(|digest| digest.parse::<Digest>().ok());
    let digest = named.as_ref().or(at_hand);
    let mut component = json!({
        "type": "container",
        "bom-ref": format!("image:{reference}"),
        "name": image.repository,
        "purl": image.purl(digest),
    });
    if let Some(version) = image.tag.or(image.digest) {
        component["version"] = version.into();
    }
    if let Some(digest) = digest {
        component["hashes"] = json!([hash(digest)]);
    }
    component
}

/// A reference in its parts.
struct Image<'a> {
    /// With the registry's host: `docker.io/istio/pilot`.
    repository: String,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Image<'a> {
    fn of(reference: &'a str) -> Self {
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (reference, None),
        };
        let last = rest.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match rest[last..].split_once(':') {
            Some((name, tag)) => (&rest[..last + name.len()], Some(tag)),
            None => (rest, None),
        };
        // what docker's names leave out
        let host = name.split('/').next().filter(|_| name.contains('/')).unwrap_or_default();
        let is_host = host.contains(['.', ':']) || host == "localhost";
        let repository = match (is_host, name.contains('/')) {
            (true, _) => name.to_owned(),
            (false, true) => format!("docker.io/{name}"),
            (false, false) => format!("docker.io/library/{name}"),
        };
        Self { repository, tag, digest }
    }

    /// Its package URL (purl-spec, type `oci`).
    fn purl(&self, digest: Option<&Digest>) -> String {
        let name = self.repository.rsplit('/').next().unwrap_or_default().to_lowercase();
        let version = digest.map(|digest| format!("@sha256%3A{}", digest.hex()));
        let tag = self.tag.map(|tag| format!("&tag={}", encoded(tag)));
        format!(
            "pkg:oci/{}{}?repository_url={}{}",
            encoded(&name),
            version.unwrap_or_default(),
            encoded(&self.repository.to_lowercase()),
            tag.unwrap_or_default()
        )
    }
}

/// Percent-encoded, save what may stand in a qualifier.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_package_urls() {
        let purl = |reference: &str| {
            let image = Image::of(reference);
            let digest = image.digest.and_then(|digest| digest.parse().ok());
            image.purl(digest.as_ref())
        };
        let hex = "ab".repeat(32);
        for (reference, expected) in [
            (
                "docker.io/istio/pilot:1.30.0".to_owned(),
                "pkg:oci/pilot?repository_url=docker.io/istio/pilot&tag=1.30.0".to_owned(),
            ),
            (
                "busybox".to_owned(),
                "pkg:oci/busybox?repository_url=docker.io/library/busybox".to_owned(),
            ),
            ("istio/a:1".to_owned(), "pkg:oci/a?repository_url=docker.io/istio/a&tag=1".to_owned()),
            (
                format!("localhost:5000/x/Y:t@sha256:{hex}"),
                format!("pkg:oci/y@sha256%3A{hex}?repository_url=localhost:5000/x/y&tag=t"),
            ),
        ] {
            assert_eq!(purl(&reference), expected);
        }
    }
}
