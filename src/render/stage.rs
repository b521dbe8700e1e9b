//! The steps of an apply, in order.

/// A step of an apply (product.md, "Stages").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Namespaces.
    Namespaces,
    /// istiod's plug-in CA.
    Cacerts,
    /// CRDs, accounts, cluster RBAC.
    Base,
    /// The rest of the base and istiod charts, all webhooks.
    Istiod,
    /// The node agent that redirects traffic.
    Cni,
    /// Gateways.
    Gateways,
    /// The node proxy of ambient meshes.
    Ztunnel,
    /// Gateway that exposes services to other networks.
    Expose,
    /// Secrets that tokens are written to.
    Tokens,
    /// Remote secrets.
    RemoteSecrets,
    /// Sample apps.
    Samples,
}

impl Stage {
    /// The name of its folder.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Namespaces => "00-namespaces",
            Stage::Cacerts => "10-cacerts",
            Stage::Base => "20-base",
            Stage::Istiod => "30-istiod",
            Stage::Cni => "35-cni",
            Stage::Gateways => "40-gateways",
            Stage::Ztunnel => "45-ztunnel",
            Stage::Expose => "50-expose",
            Stage::Tokens => "55-tokens",
            Stage::RemoteSecrets => "60-remote-secrets",
            Stage::Samples => "70-samples",
        }
    }
}
