//! Stages that mean more than their place in the order.
//!
//! The generator has the whole list (`render::Stage`); here a tree's index is all that is known, and
//! stages are compared as texts: two digits, so that their order is that of the texts.

/// Namespaces.
pub const NAMESPACES: &str = "00-namespaces";
/// istiod's plug-in CA: the last stage that needs no istiod.
pub const CACERTS: &str = "10-cacerts";
/// istiod and all webhooks: a tree that has it brings its control plane.
pub const ISTIOD: &str = "30-istiod";
/// Where workloads of the control plane stand, whose pods others depend on.
pub const RUNNING: [&str; 4] = [ISTIOD, "35-cni", "40-gateways", "45-ztunnel"];
/// What lets services through the gateway of a network.
pub const EXPOSE: &str = "50-expose";
/// The Secrets that tokens are written to: the last stage that waves and turns order.
pub const TOKENS: &str = "55-tokens";
/// Objects that wait for other clusters.
pub const REMOTE_SECRETS: &str = "60-remote-secrets";
/// The sample apps.
pub const SAMPLES: &str = "70-samples";

/// Whether a stage is one of bindings, which `--only-bindings` is about.
pub fn is_of_bindings(stage: &str) -> bool {
    stage == TOKENS || stage == REMOTE_SECRETS
}
