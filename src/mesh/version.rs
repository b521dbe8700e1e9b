//! Versions of Istio and Kubernetes, and which go together.

/// `major.minor` of a Kubernetes version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Minor(pub u32, pub u32);

impl std::fmt::Display for Minor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Kubernetes minors (first and last of 1.x) that an Istio minor 1.x is tested with.
///
/// Source: istio.io, "Supported releases", table "Support status of Istio releases", as collected
/// by endoflife.date (`products/istio.md`, February 2026). The first minor of 1.30 is the minimum
/// that its istioctl enforces.
const SUPPORTED: [(u64, u32, u32); 15] = [
    (16, 22, 25),
    (17, 23, 26),
    (18, 24, 27),
    (19, 25, 28),
    (20, 25, 29),
    (21, 26, 29),
    (22, 27, 30),
    (23, 27, 30),
    (24, 28, 31),
    (25, 29, 32),
    (26, 29, 33),
    (27, 29, 33),
    (28, 30, 34),
    (29, 31, 35),
    (30, 32, 36),
];

/// The Kubernetes minors that an Istio version is tested with; `None` where the table ends.
pub fn supported(istio: &semver::Version) -> Option<(Minor, Minor)> {
    SUPPORTED
        .iter()
        .find(|(minor, ..)| istio.major == 1 && istio.minor == *minor)
        .map(|(_, first, last)| (Minor(1, *first), Minor(1, *last)))
}

/// Reads an Istio version: `1.20.2`, `1.27.0-rc.1`, `1.27-alpha.abc`.
pub fn parse_istio(text: &str) -> Option<semver::Version> {
    if let Ok(version) = semver::Version::parse(text) {
        return Some(version);
    }
    let (minor, rest) = text.split_once('-').map_or((text, ""), |(minor, rest)| (minor, rest));
    let dots = minor.matches('.').count();
    let full = match (dots, rest) {
        (1, "") => format!("{minor}.0"),
        (1, rest) => format!("{minor}.0-{rest}"),
        _ => return None,
    };
    semver::Version::parse(&full).ok()
}

/// Reads a Kubernetes version: `v1.28.2`, `1.28`, `v1.31.1-eks-1234`.
pub fn parse_kubernetes(text: &str) -> Option<Minor> {
    let mut parts = text.strip_prefix('v').unwrap_or(text).splitn(3, '.');
    let number = |part: Option<&str>| part?.parse::<u32>().ok();
    let (major, minor) = (number(parts.next())?, number(parts.next())?);
    match parts.next() {
        Some(patch) if !patch.starts_with(|c: char| c.is_ascii_digit()) => None,
        _ => Some(Minor(major, minor)),
    }
}
