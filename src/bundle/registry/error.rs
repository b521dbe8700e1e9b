//! What goes wrong between a bundle and a registry.

use crate::bundle::BundleError;
use crate::bundle::sign::SigningKeyError;
use crate::file::FileError;
use crate::registry::RegistryError;
use crate::store::Digest;

/// What goes wrong between a bundle and a registry.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The registry does not give or take something.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What comes is no bundle, or what goes is none any more.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The files did not let it.
    #[error(transparent)]
    File(#[from] FileError),
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    /// Nothing of that name.
    #[error("{0} is not there")]
    Absent(String),
    /// A delta: whole bundles are in registries.
    #[error("a delta cannot go to a registry")]
    Delta,
    /// Something stands where unfinished work is kept.
    #[error("`{}` is in the way: what was fetched so far is kept there", .0.display())]
    InTheWay(std::path::PathBuf),
    /// A signature that is not as it should be.
    #[error("the referrer {0}: {1}")]
    Referrer(Digest, &'static str),
}

impl RemoteError {
    /// Whether the outside failed, and not the request: the same again may work.
    pub fn is_outside(&self) -> bool {
        match self {
            Self::Registry(error) => error.is_outside(),
            Self::Bundle(error) => error.is_outside(),
            _ => false,
        }
    }

    /// What to do.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Registry(error) => return error.hint().map(str::to_owned),
            Self::Bundle(error) => return error.hint(),
            Self::Absent(_) => "`meshgen bundle push` printed the name of what it brought",
            Self::Delta => {
                "push a whole bundle (without `--since`): what the registry has is not sent again; where \
                 only the delta is, import it, and `bundle create sha256:TREE --images --from store` \
                 makes the whole one (`--with-binary=FILE` too, if it holds meshgen)"
            }
            Self::InTheWay(_) => "move it away, or name another FILE",
            _ => return None,
        };
        Some(text.to_owned())
    }
}
