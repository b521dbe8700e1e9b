//! What an image is called.

use crate::store::Digest;

/// A reference to an image, with what Docker leaves out put in: `curlimages/curl` is
/// `docker.io/curlimages/curl:latest` (distribution/reference, "familiar names").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Host and port.
    pub host: String,
    /// The path on it.
    pub repository: String,
    /// The tag; `latest` where there is neither tag nor digest.
    pub tag: Option<String>,
    /// The digest.
    pub digest: Option<Digest>,
}

impl Name {
    /// Reads a reference as a kubelet does.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (rest, digest) = match text.split_once('@') {
            None => (text, None),
            Some((rest, digest)) => {
                let digest = digest.parse().map_err(|_| "after `@` stands no sha256".to_owned())?;
                (rest, Some(digest))
            }
        };
        // what looks like a host is one: it has a dot or a port, or is this machine
        let (host, path) = match rest.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
            _ => ("docker.io", rest),
        };
        let host = if host == "index.docker.io" { "docker.io" } else { host };
        let (path, tag) = match path.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag.to_owned())),
            None => (path, None),
        };
        let is_short = host == "docker.io" && !path.contains('/');
        let repository = if is_short { format!("library/{path}") } else { path.to_owned() };
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        if path.is_empty() || tag.as_deref() == Some("") {
            return Err("it is no reference to an image".to_owned());
        }
        Ok(Self { host: host.to_owned(), repository, tag, digest })
    }

    /// Whether something of that name is meant. A digest is for the caller to check.
    pub fn is_called(&self, other: &Self) -> bool {
        let tagged = self.tag.is_none() || self.digest.is_some() || self.tag == other.tag;
        self.host == other.host && self.repository == other.repository && tagged
    }

    /// As a registry is asked for it.
    pub fn to_registry(&self) -> String {
        let Self { host, repository, tag, digest } = self;
        let tag = tag.iter().map(|tag| format!(":{tag}")).collect::<String>();
        let digest = digest.iter().map(|digest| format!("@{digest}")).collect::<String>();
        format!("oci://{host}/{repository}{tag}{digest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_put_in() {
        let digest = Digest::of("x");
        for (text, whole) in [
            ("curlimages/curl", "oci://docker.io/curlimages/curl:latest".to_owned()),
            ("busybox:1.28", "oci://docker.io/library/busybox:1.28".to_owned()),
            (
                "index.docker.io/library/busybox",
                "oci://docker.io/library/busybox:latest".to_owned(),
            ),
            ("localhost/a", "oci://localhost/a:latest".to_owned()),
            ("127.0.0.1:5000/a/b:c", "oci://127.0.0.1:5000/a/b:c".to_owned()),
            (&format!("gcr.io/a/b@{digest}"), format!("oci://gcr.io/a/b@{digest}")),
            (&format!("gcr.io/a:v1@{digest}"), format!("oci://gcr.io/a:v1@{digest}")),
        ] {
            assert_eq!(Name::parse(text).map(|name| name.to_registry()), Ok(whole));
        }
        for text in ["", "a@sha256:1", ":x", "a:"] {
            assert!(Name::parse(text).is_err(), "{text}");
        }
    }
}
