//! Where the bytes of a bundle's blobs come from.

use std::io::Read;

use super::BundleError;
use crate::store::{Digest, Digester};

/// Blobs by digest: a bundle's file, a tree, a registry. Whoever reads checks the digest.
pub trait Content {
    /// The bytes of a blob, from its start.
    ///
    /// Refuses one that is not there.
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError>;
}

/// A blob whole, checked against its digest; for documents, which are small.
///
/// `size` is what was said of it: not a byte more is held.
pub fn read_blob(
    content: &dyn Content,
    digest: &Digest,
    size: u64,
) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    let mut reader = content.blob(digest)?.take(size.saturating_add(1));
    reader.read_to_end(&mut bytes).map_err(|error| failed(digest, &error))?;
    if bytes.len() as u64 != size || Digest::of(&bytes) != *digest {
        return Err(BundleError::Damaged(*digest));
    }
    Ok(bytes)
}

/// Hands a blob on in pieces, and checks it on the way.
///
/// An error that comes at the end (other bytes, or more or fewer of them than `size`) comes after
/// the pieces: whoever takes them must be able to throw them away.
pub fn copy_blob(
    content: &dyn Content,
    digest: &Digest,
    size: u64,
    mut take: impl FnMut(&[u8]) -> Result<(), BundleError>,
) -> Result<(), BundleError> {
    const PIECE: usize = 1 << 18;
    let mut reader = content.blob(digest)?;
    let mut hasher = Digester::default();
    let mut left = size;
    let mut piece = vec![0; PIECE];
    loop {
        let count = match reader.read(&mut piece) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other.map_err(|error| failed(digest, &error))?,
        };
        if count == 0 {
            break;
        }
        left = left.checked_sub(count as u64).ok_or(BundleError::Damaged(*digest))?;
        hasher.update(&piece[..count]);
        take(&piece[..count])?;
    }
    if left != 0 || hasher.finish() != *digest {
        return Err(BundleError::Damaged(*digest));
    }
    Ok(())
}

fn failed(digest: &Digest, error: &std::io::Error) -> BundleError {
    BundleError::Malformed { what: format!("blob {digest}"), why: error.to_string() }
}
