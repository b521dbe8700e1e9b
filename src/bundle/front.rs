//! What stands before the blobs, for people and plain tools: a text, sums, a list of images, a bill of
//! materials.

use super::archive::blob_name;
use super::{Bundle, Kind};
use crate::store::Digest;
use crate::store::oci;

pub(super) const README: &str = "README";
pub(super) const SUMS: &str = "SHA256SUMS";
pub(super) const IMAGES: &str = "IMAGES";
pub(super) const BILL: &str = "sbom.cdx.json";
pub(super) const LAYOUT: &str = "oci-layout";
pub(super) const INDEX: &str = "index.json";

/// The entries before the blobs, in their order.
pub(super) const FRONT: [&str; 6] = [README, SUMS, IMAGES, BILL, LAYOUT, INDEX];

/// The bytes of the entries before the blobs, in the order of [`FRONT`].
pub(super) fn front(bundle: &Bundle) -> [Vec<u8>; 6] {
    let readme = readme(bundle).into_bytes();
    let images = images(bundle).into_bytes();
    // the bill grows with the tree, and a delta must not: who takes it can make the bill
    let bill = if bundle.base.is_none() { bundle.bill().into_bytes() } else { Vec::new() };
    let sums = sums(bundle, &readme, &images, &bill).into_bytes();
    [readme, sums, images, bill, oci::LAYOUT.to_vec(), bundle.index.clone()]
}

/// Sums of every entry but this one, as `sha256sum -c` reads them, in the order of the archive.
fn sums(bundle: &Bundle, readme: &[u8], images: &[u8], bill: &[u8]) -> String {
    let files: [(&str, &[u8]); 5] = [
        (README, readme),
        (IMAGES, images),
        (BILL, bill),
        (LAYOUT, oci::LAYOUT),
        (INDEX, &bundle.index),
    ];
    let front = files.iter().map(|(name, bytes)| (Digest::of(bytes), (*name).to_owned()));
    let blobs = bundle.blobs.keys().map(|digest| (*digest, blob_name(digest)));
    front.chain(blobs).map(|(digest, name)| format!("{}  {name}\n", digest.hex())).collect()
}

/// Every image that the mesh runs, a line each: the reference, and the digest of what is inside;
/// `-` where it is not.
fn images(bundle: &Bundle) -> String {
    let inside = |digest: Option<Digest>| digest.map_or("-".to_owned(), |one| one.to_string());
    bundle
        .at_hand()
        .map(|(reference, digest)| format!("{reference} {}\n", inside(digest)))
        .collect()
}

fn readme(bundle: &Bundle) -> String {
    let table = &bundle.table;
    let names = |names: Vec<&str>| match names.len() {
        0..=12 => names.join(", "),
        count => format!("{} and {} more", names[..10].join(", "), count - 10),
    };
    let clusters = names(table.clusters.iter().map(|row| row.name.as_str()).collect());
    let images = bundle.at_hand().filter(|(_, digest)| digest.is_some());
    let mut text = format!(
        "A bundle of meshgen: the rendered tree of the mesh {:?}, to be handed over in one file.\n\n",
        table.mesh
    );
    let mut line = |name: &str, value: &str| text.push_str(&format!("{name:<10}{value}\n"));
    line("tree", &format!("{}, the sha256 of its index.json", bundle.tree));
    line("files", &format!("{}, for the clusters {clusters}", table.artifacts.len()));
    line("images", &format!("{} of {} inside: see IMAGES", images.count(), bundle.images.len()));
    let programs: Vec<&str> = bundle
        .entries
        .iter()
        .filter_map(|entry| match &entry.kind {
            Kind::Binary(platform) => Some(platform.as_str()),
            _ => None,
        })
        .collect();
    if !programs.is_empty() {
        line("meshgen", &format!("inside, for {}", programs.join(", ")));
    }
    if let Some(base) = bundle.base {
        line("delta", &format!("it needs {base}: {} blobs are not inside", bundle.needs.len()));
    }
    if !table.examples.is_empty() {
        let list = names(table.examples.iter().map(String::as_str).collect());
        line("examples", &format!("the facts of {list} are made up: apply refuses those clusters"));
    }
    if !table.pending.is_empty() {
        line(
            "pending",
            &format!("{} files wait for facts and are not inside", table.pending.len()),
        );
    }
    if bundle.base.is_none() {
        line("materials", &format!("every file and image by name and digest: see {BILL}"));
    }
    text.push_str(HELP);
    text.push_str(if bundle.base.is_none() { PLAIN } else { PLAIN_DELTA });
    text
}

const HELP: &str = "
Private keys are sealed, and the root's key is not here. To apply it, somebody needs an identity
that opens them.

With meshgen, without a network:

  meshgen bundle verify FILE      is it whole, is nothing else inside, who signed it
  meshgen diff out FILE           what it changes against out/; diff --live FILE: in the clusters
  meshgen apply FILE              exactly these bytes

";

const PLAIN: &str = "Without it: this is an OCI image layout in a tar.

  mkdir bundle && tar -xf FILE -C bundle && cd bundle
  sha256sum -c SHA256SUMS
  oras pull --oci-layout .:tree -o out
  crane push --index . REGISTRY/NAME:TAG
";

/// A layout that is not whole is nothing for other tools.
const PLAIN_DELTA: &str = "Where the tree that it needs is, a whole one comes of it:

  meshgen bundle import FILE
  meshgen bundle create sha256:TREE --images --from store --out WHOLE
";
