//! Where the bytes of a bundle's blobs come from.

use std::io::{self, Read};

use super::BundleError;
use crate::file::OpenFile;
use crate::store::{Digest, Digester};

/// Blobs by digest: a bundle's file, a tree, a registry. Whoever reads checks the digest.
pub trait Content {
    /// The bytes of a blob, from its start.
    ///
    /// Refuses one that is not there.
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + '_>, BundleError>;

    /// Hands the bytes of a blob on in pieces, for who cannot give them to be read.
    fn copy(
        &self,
        digest: &Digest,
        _size: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), BundleError>,
    ) -> Result<(), BundleError> {
        const PIECE: usize = 1 << 18;
        let mut reader = self.blob(digest)?;
        let mut piece = vec![0; PIECE];
        loop {
            match reader.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => take(&piece[..count])?,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(digest, &error)),
            }
        }
    }
}

/// A part of an open file.
pub(super) struct Piece<'a> {
    file: &'a OpenFile,
    at: u64,
    left: u64,
}

impl<'a> Piece<'a> {
    /// So many bytes from a place on.
    pub fn new(file: &'a OpenFile, at: u64, size: u64) -> Self {
        Self { file, at, left: size }
    }
}

impl Read for Piece<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(self.at, &mut buffer[..most]).map_err(io::Error::other)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
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
    let mut digester = Digester::default();
    let mut left = size;
    content.copy(digest, size, &mut |piece| {
        left = left.checked_sub(piece.len() as u64).ok_or(BundleError::Damaged(*digest))?;
        digester.update(piece);
        take(piece)
    })?;
    if left != 0 || digester.finish() != *digest {
        return Err(BundleError::Damaged(*digest));
    }
    Ok(())
}

pub(super) fn failed(digest: &Digest, error: &std::io::Error) -> BundleError {
    BundleError::Malformed { what: format!("blob {digest}"), why: error.to_string() }
}
