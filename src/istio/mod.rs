//! An `IstioOperator` becomes the objects of a control plane, as `istioctl manifest generate` makes them.
//!
//! A [`Package`] is a release's `manifests/` folder, read once. [`generate`] merges profile, documents and settings,
//! checks them, renders the chart of each component and applies what `components.*.k8s` asks for. [`print`] gives
//! istioctl's own text. Where istioctl is silent about a mistake, a [`Warning`] says what and where. Nothing here reads
//! a file, the clock, the environment or the network.
//!
//! Known differences:
//! - istioctl takes components in a random order; where that shows, ours is fixed (see [`sort`]). A string in an overlay that
//!   becomes a map of several keys loses all but one of them: at random there, all but the first here.
//! - Where istioctl panics, this refuses.
//! - All faults of a specification are told, not the first alone; what the package's own profile holds is none.
//! - Of the mesh configuration, types, ports, durations, addresses and trust domains are checked; istiod checks the rest.
//! - A document that holds U+0085, U+2028 or U+2029 outside of escapes is refused.
//!
//! Source of the rules: `istio.io/istio/operator` of 1.31, for the charts of every release; `k8s.io/apimachinery` 0.36
//! for strategic merge patches.

mod chart;
mod component;
mod crds;
mod error;
mod explain;
mod generate;
mod input;
mod merge;
mod order;
mod overlay;
mod package;
mod patch;
mod path;
mod profile;
mod quantity;
mod schema;
mod set;
mod strategic;
mod text;
mod tree;
mod validate;
mod value;
mod warning;

pub use component::Component;
pub use error::{IstioError, IstioErrors};
pub use explain::{Explained, Layer, explain};
pub use generate::{Generated, RenderedObject, generate};
pub use input::{Content, Document, Request};
pub use order::{print, sort};
pub use package::Package;
pub use strategic::{PatchError, strategic_merge};
pub use warning::Warning;
