//! What refers to a manifest: signatures, mostly (distribution-spec, "Listing Referrers").

use super::http::{Method, body, header};
use super::repository::expect;
use super::{RegistryError, Repository};
use crate::store::Digest;
use crate::store::oci::{self, Annotations, Descriptor, ImageIndex};

/// More than any list of referrers.
const MAX: u64 = 4 << 20;
/// More pages of it than anybody asks for. Whoever may write to a registry may add to the list.
const MAX_PAGES: usize = 64;

impl Repository {
    /// The manifests of this artifact type that say that they are about a manifest.
    ///
    /// From the referrers API, page by page, or where the registry has none, from the tag that stands in
    /// for it.
    pub fn referrers(
        &self,
        subject: &Digest,
        artifact_type: &str,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let url = self.url(&format!("referrers/{subject}"));
        let mut url = url.with_query(&[("artifactType", artifact_type)]);
        let mut all = Vec::new();
        for _ in 0..MAX_PAGES {
            let response = self.ask(&Method::GET, &url, Some(oci::INDEX_TYPE))?;
            // registries without it answer so
            let is_absent = matches!(response.status().as_u16(), 400 | 404 | 405 | 501);
            let next = header(&response, "link").and_then(next).map(str::to_owned);
            let bytes = if is_absent && all.is_empty() {
                self.manifest(&fallback(subject), MAX)?.map(|found| found.bytes)
            } else {
                Some(body(&url, expect(&url, response, &[200])?, MAX, &|_| {})?)
            };
            let Some(bytes) = bytes else { break };
            let index: ImageIndex =
                serde_json::from_slice(&bytes).map_err(|error| RegistryError::Answer {
                    url: url.to_string(),
                    reason: format!("the list of referrers cannot be read: {error}"),
                })?;
            all.extend(index.manifests);
            let Some(next) = next.filter(|_| !is_absent) else { break };
            // a list that goes on elsewhere is none of this registry's
            let joined = url.join(&next).ok().filter(|joined| joined.same_origin(&url));
            url = joined.ok_or_else(|| RegistryError::Answer {
                url: url.to_string(),
                reason: "the list of referrers goes on nowhere".to_owned(),
            })?;
        }
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

/// Where a list goes on (RFC 8288): `</v2/…?last=…>; rel="next"`.
fn next(link: &str) -> Option<&str> {
    let is_next = |relation: &str| {
        relation.split([';', ',']).any(|one| {
            let (name, value) = one.trim().split_once('=').unwrap_or_default();
            name.eq_ignore_ascii_case("rel") && value.trim_matches('"').eq_ignore_ascii_case("next")
        })
    };
    // no `<` stands in a target
    let mut links = link.split('<').filter_map(|one| one.split_once('>'));
    links.find(|(_, relation)| is_next(relation)).map(|(target, _)| target)
}

/// The tag that stands in for the referrers API.
fn fallback(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}
