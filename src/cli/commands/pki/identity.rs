//! Where age identities come from, and where a new one goes.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::cli::{CommandError, Context};
use crate::file::{FileError, PRIVATE_MODE};
use crate::pki::{Identities, Secret};

const MAX_IDENTITY: u64 = 1 << 20;

/// Who opens.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli::commands) struct IdentityArgs {
    /// A file with age identities (`AGE-SECRET-KEY-1…`). Without it, those of `SOPS_AGE_KEY_FILE`
    /// and `SOPS_AGE_KEY` are used, as sops does.
    #[arg(long, value_name = "FILE", env = "MESHGEN_IDENTITY")]
    identity: Option<PathBuf>,
}

impl IdentityArgs {
    /// Reads the identities. None at all is no error here: what needs one says so.
    pub(in crate::cli::commands) fn read(
        &self,
        context: &Context,
    ) -> Result<Identities, CommandError> {
        if let Some(path) = &self.identity {
            return from_file(context, path, "--identity");
        }
        let mut all = Identities::default();
        if let Some(path) = variable("SOPS_AGE_KEY_FILE") {
            all.add(from_file(context, Path::new(&path), "SOPS_AGE_KEY_FILE")?);
        }
        if let Some(text) = variable("SOPS_AGE_KEY").map(Zeroizing::new) {
            let parsed = Identities::parse(&text);
            all.add(parsed.map_err(|error| {
                CommandError::refused(format!("SOPS_AGE_KEY: {error}")).hint(error.hint())
            })?);
        }
        Ok(all)
    }
}

#[expect(clippy::disallowed_methods, reason = "sops' own variables, which are no flags of ours")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn from_file(context: &Context, path: &Path, origin: &str) -> Result<Identities, CommandError> {
    let text = secret_text(context, path)?;
    Identities::parse(text.expose()).map_err(|error| {
        let place = format!("`{}` ({origin})", path.display());
        CommandError::refused(format!("{place}: {error}")).hint(error.hint())
    })
}

/// Reads a file that holds a secret.
pub(super) fn secret_text(context: &Context, path: &Path) -> Result<Secret<String>, CommandError> {
    let bytes = context.disk.read_limited(path, MAX_IDENTITY).map_err(refused)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Secret::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(CommandError::refused(format!("`{}` is no UTF-8 text", path.display())))
        }
    }
}

/// Refuses a path for a secret that lies in the project, or that is taken.
pub(super) fn check_private(
    context: &Context,
    path: &Path,
    what: &str,
) -> Result<(), CommandError> {
    let shown = path.display();
    if context.disk.lies_in(path, &context.project).map_err(refused)? {
        let message = format!("`{shown}` lies in the project, which is committed: {what} must not");
        return Err(CommandError::refused(message).hint("name a file outside the project folder"));
    }
    if context.disk.exists(path).map_err(refused)? {
        let message = format!("`{shown}` is there already, and is not overwritten");
        return Err(CommandError::refused(message).hint("name a new file, or move that one away"));
    }
    Ok(())
}

/// Writes a secret where its owner alone can read it: outside the project, never over a file.
pub(super) fn write_private(
    context: &Context,
    path: &Path,
    what: &str,
    text: &str,
) -> Result<(), CommandError> {
    check_private(context, path, what)?;
    context.disk.create_new(path, text.as_bytes(), PRIVATE_MODE).map_err(refused)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub(super) fn refused(error: FileError) -> CommandError {
    CommandError::refused(error.to_string())
}
