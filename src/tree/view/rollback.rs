//! Bringing a generation back into the view.

use std::path::Path;

use rayon::prelude::*;

use super::{Options, ViewError, Writer, Written};
use crate::file::Disk;
use crate::store::{Record, StoreError};
use crate::tree::rows::Rows;

/// Brings generation `number` back into the view, byte for byte, and makes it current. The inputs
/// stay as they are.
///
/// Refuses hand edits like any write (`overwrite_edits` lifts that), and a generation of which a
/// blob is damaged or gone; the view is then as it was.
pub fn rollback(
    disk: &Disk,
    out: &Path,
    number: u64,
    overwrite_edits: bool,
) -> Result<Written, ViewError> {
    // a generation was written here, so that its mesh was allowed here
    let options = Options { overwrite_edits, allow_other_mesh: true };
    let writer = Writer::open(disk, out, options)?;
    let store = writer.transaction().store();
    let tree = writer.transaction().catalogue().get(number)?.tree;
    let text = String::from_utf8(store.read(&tree)?).map_err(|_| StoreError::Malformed {
        path: store.blob_path(&tree),
        message: "it is no UTF-8".to_owned(),
    })?;
    Rows::read(&text).listed.par_iter().try_for_each(|(path, digest)| {
        let lost = || ViewError::Lost { number, path: path.clone(), digest: *digest };
        let size = store.size(digest)?.ok_or_else(lost)?;
        if writer.reuse(path, *digest, size)? { Ok(()) } else { Err(lost()) }
    })?;
    writer.finish(&text, &Record::default())
}
