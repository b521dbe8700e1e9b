//! Mistakes that istioctl does not mention.

/// Something that is accepted and has no effect, or not the one that it looks like.
///
/// `istioctl manifest generate` is silent about all of them; callers print them, or make errors of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Warning {
    /// A setting without `=`, which sets an empty string.
    #[error("`--set {flag}` has no `=`: it sets an empty string")]
    SetWithoutValue {
        /// The flag.
        flag: String,
    },
    /// A setting below a null.
    #[error("`--set {flag}` is lost: a null stands on its path")]
    SetLost {
        /// The flag.
        flag: String,
    },
    /// An overlay for an object that the component does not have.
    #[error("{place}: the component has no {kind} `{name}`: the overlay does nothing")]
    OverlayUnmatched {
        /// The overlay: `components.pilot.k8s.overlays[0]`.
        place: String,
        /// The kind that it names.
        kind: String,
        /// The name that it names.
        name: String,
    },
    /// An overlay's path that leads nowhere.
    #[error("{place}: `{path}` does nothing: {reason}")]
    OverlayPath {
        /// The patch: `components.pilot.k8s.overlays[0].patches[1]`.
        place: String,
        /// Its path.
        path: String,
        /// Why.
        reason: String,
    },
    /// A string in an overlay that is read as a map.
    #[error("{place}: the value is a string that reads as a map, and becomes one")]
    OverlayMap {
        /// The patch.
        place: String,
    },
    /// A setting of `k8s` that nothing reads.
    #[error("{place} is not used: {instead}")]
    Unused {
        /// The setting: `components.pilot.k8s.volumes`.
        place: String,
        /// What to do.
        instead: &'static str,
    },
    /// A setting of `k8s` whose object is not there.
    #[error("{place} does nothing: the component has no {kind} `{name}`")]
    NoTarget {
        /// The setting.
        place: String,
        /// The kind that it changes.
        kind: &'static str,
        /// The name that it changes.
        name: String,
    },
    /// A value of the user that something else goes over.
    #[error("{place} is overridden: {by}")]
    Overridden {
        /// The setting.
        place: &'static str,
        /// By what.
        by: &'static str,
    },
    /// Something wrong that `--force` lets pass.
    #[error("let pass by --force: {0}")]
    Forced(String),
    /// Two settings that work against each other.
    #[error("{place} {why}")]
    Conflict {
        /// The setting.
        place: String,
        /// What the other one is.
        why: String,
    },
    /// What a chart says in its notes.
    #[error("the chart warns: {0}")]
    Chart(String),
}

impl Warning {
    /// The setting that it is about, by its path below `spec`: `components.pilot.k8s.overlays[0]`.
    pub fn setting(&self) -> Option<&str> {
        match self {
            Self::OverlayUnmatched { place, .. }
            | Self::OverlayPath { place, .. }
            | Self::OverlayMap { place }
            | Self::Unused { place, .. }
            | Self::NoTarget { place, .. }
            | Self::Conflict { place, .. } => Some(place),
            Self::Overridden { place, .. } => Some(place),
            Self::SetWithoutValue { .. }
            | Self::SetLost { .. }
            | Self::Forced(_)
            | Self::Chart(_) => None,
        }
    }

    /// What to do about it; `None` where the message says it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::SetWithoutValue { .. } => "write `--set PATH=VALUE`",
            Self::SetLost { .. } => "take the null out of the file, or set the whole value there",
            Self::OverlayUnmatched { .. } => {
                "kind and name must be those of an object of this very component; apiVersion and namespace are not looked at"
            }
            Self::OverlayPath { .. } => {
                "`a.b`, `a\\.b`, `list.[key:value]`, `list.[0]`, `list.[:regex]`"
            }
            Self::OverlayMap { .. } => "write it as a map, or as JSON to keep a string",
            Self::NoTarget { .. } => {
                "is it switched on? objects are listed by `meshgen istio generate`"
            }
            _ => return None,
        })
    }
}
