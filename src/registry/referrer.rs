//! What refers to a manifest: signatures, mostly (distribution-spec, "Listing Referrers").

use super::http::{Method, body};
use super::repository::expect;
use super::{RegistryError, Repository};
use crate::store::Digest;
use crate::store::oci::{self, Annotations, Descriptor, ImageIndex};

/// More than any list of referrers.
const MAX: u64 = 4 << 20;

impl Repository {
    /// The manifests of this artifact type that say that they are about a manifest.
    ///
    /// From the referrers API, or where the registry has none, from the tag that stands in for it.
    pub fn referrers(
        &self,
        subject: &Digest,
        artifact_type: &str,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let url = self.url(&format!("referrers/{subject}"));
        let url = url.with_query(&[("artifactType", artifact_type)]);
        let response = self.ask(&Method::GET, &url, Some(oci::INDEX_TYPE))?;
        // registries without it answer so
        let bytes = if matches!(response.status().as_u16(), 400 | 404 | 405 | 501) {
            self.manifest(&fallback(subject), MAX)?.map(|found| found.bytes)
        } else {
            Some(body(&url, expect(&url, response, &[200])?, MAX, &|_| {})?)
        };
        let Some(bytes) = bytes else { return Ok(Vec::new()) };
        let index: ImageIndex =
            serde_json::from_slice(&bytes).map_err(|error| RegistryError::Answer {
                url: url.to_string(),
                reason: format!("the list of referrers cannot be read: {error}"),
            })?;
        let mut all = index.manifests;
        all.retain(|one| one.artifact_type.as_deref() == Some(artifact_type));
        Ok(all)
    }

    /// Brings a manifest that is about another one, so that [`Repository::referrers`] finds it.
    ///
    /// Where the registry has no referrers API, the tag that stands in for it is written anew with one
    /// line more: two who do so in the same instant can lose one another's, as everywhere.
    pub fn put_referrer(
        &self,
        subject: &Digest,
        referrer: &Descriptor,
        bytes: &[u8],
    ) -> Result<(), RegistryError> {
        let name = referrer.digest.to_string();
        if self.put_manifest(&name, &referrer.media_type, bytes)? {
            return Ok(());
        }
        // a registry may have the API and not say so
        let artifact_type = referrer.artifact_type.as_deref().unwrap_or_default();
        let listed = self.referrers(subject, artifact_type)?;
        if listed.iter().any(|one| one.digest == referrer.digest) {
            return Ok(());
        }
        let tag = fallback(subject);
        let mut index = match self.manifest(&tag, MAX)? {
            None => ImageIndex {
                schema_version: 2,
                media_type: oci::INDEX_TYPE.to_owned(),
                artifact_type: None,
                manifests: Vec::new(),
                annotations: Annotations::new(),
            },
            Some(found) => serde_json::from_slice(&found.bytes).map_err(|error| {
                let reason = format!("the list of referrers cannot be read: {error}");
                RegistryError::Answer { url: self.url(&tag).to_string(), reason }
            })?,
        };
        index.manifests.push(referrer.clone());
        self.put_manifest(&tag, oci::INDEX_TYPE, &oci::encode(&index))?;
        Ok(())
    }
}

/// The tag that stands in for the referrers API.
fn fallback(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}
