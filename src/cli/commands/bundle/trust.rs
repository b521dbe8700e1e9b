//! Whether somebody who is trusted signed a bundle.

use std::path::Path;

use crate::bundle::BundleFile;
use crate::cli::{CommandError, Context};

/// What is demanded of a bundle beside being whole.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct TrustArgs {
    /// Take a bundle that nobody signed.
    #[arg(long)]
    allow_unsigned: bool,
}

impl TrustArgs {
    /// Refuses a bundle that nobody who is trusted signed, unless that is allowed.
    ///
    /// That it is whole was checked when it was opened.
    pub fn demand(
        &self,
        _context: &Context,
        path: &Path,
        _bundle: &BundleFile,
    ) -> Result<(), CommandError> {
        if self.allow_unsigned {
            return Ok(());
        }
        let message = format!("`{}` is whole, but nobody signed it", path.display());
        Err(CommandError::refused(message).hint("`--allow-unsigned` takes it as it is"))
    }
}
