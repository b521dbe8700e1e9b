//! Bringing something into a repository.

use std::io::Read;

use super::http::{Method, Payload, header};
use super::repository::{expect, retried};
use super::{RegistryError, Repository};
use crate::store::Digest;

/// What became of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was there.
    There,
    /// Another repository of the registry had it.
    Mounted,
    /// It was sent.
    Sent,
}

impl Repository {
    /// Whether a blob of this size is there.
    pub fn has_blob(&self, digest: &Digest, size: u64) -> Result<bool, RegistryError> {
        let url = self.url(&format!("blobs/{digest}"));
        let response = self.ask(&Method::HEAD, &url, None)?;
        let length = header(&response, "content-length").and_then(|text| text.parse::<u64>().ok());
        match response.status().as_u16() {
            // some registries say no length in answer to HEAD
            200 => Ok(length.is_none_or(|length| length == size)),
            404 => Ok(false),
            _ => Err(super::http::status(&url, response)),
        }
    }

    /// Brings a blob, unless it is there or can be taken over. `open` gives its bytes, each time from
    /// the start. The registry checks the digest before it takes it.
    ///
    /// One request starts an upload and one sends the whole: broken off, nothing is there.
    pub fn put_blob<'c>(
        &self,
        digest: &Digest,
        size: u64,
        open: &dyn Fn() -> Result<Box<dyn Read + 'c>, RegistryError>,
    ) -> Result<Sent, RegistryError> {
        if self.has_blob(digest, size)? {
            return Ok(Sent::There);
        }
        retried(|| {
            let mut start = self.url("blobs/uploads/");
            if let Some(from) = &self.from {
                start = start.with_query(&[("mount", &digest.to_string()), ("from", from)]);
            }
            let response = self.send(&Method::POST, &start, None, &|| Ok(Payload::Bytes(b"")))?;
            let response = expect(&start, response, &[201, 202])?;
            if response.status() == 201 {
                return Ok(Sent::Mounted);
            }
            let odd = |reason: String| RegistryError::Answer { url: start.to_string(), reason };
            let location = header(&response, "location")
                .ok_or_else(|| odd("it says not where to send a blob".to_owned()))?;
            let to = start.join(location).map_err(|error| odd(error.to_string()))?;
            if start.is_secure() && !to.is_secure() {
                return Err(RegistryError::Plain { url: to.to_string() });
            }
            let to = to.with_query(&[("digest", &digest.to_string())]);
            let response =
                self.send(&Method::PUT, &to, Some("application/octet-stream"), &|| {
                    Ok(Payload::Stream(open()?, size))
                })?;
            expect(&to, response, &[201, 204])?;
            Ok(Sent::Sent)
        })
    }

    /// Brings a manifest or an index under a name: its digest, or a tag, which then means this one.
    ///
    /// What it refers to must be there. Says whether the registry lists it by itself among the
    /// referrers of its subject (distribution-spec, "Pushing Manifests with Subject").
    pub fn put_manifest(
        &self,
        name: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<bool, RegistryError> {
        let url = self.url(&format!("manifests/{name}"));
        let response = retried(|| {
            self.send(&Method::PUT, &url, Some(media_type), &|| Ok(Payload::Bytes(bytes)))
        })?;
        let response = expect(&url, response, &[201])?;
        Ok(header(&response, "oci-subject").is_some())
    }
}
