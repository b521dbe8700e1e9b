//! Whose signature counts: what every command takes that reads a bundle.

use std::path::{Path, PathBuf};

use crate::bundle::BundleFile;
use crate::bundle::registry::signed;
use crate::bundle::sign::{self, SignatureError, TrustedKey, TrustedKeys};
use crate::cli::{CommandError, Context, registry_options};
use crate::registry::{self, Repository};
use crate::store::Digest;

/// More than any signature; the reader has a limit of its own.
const MAX: u64 = 2 << 20;

/// Whose signature counts, and how to reach a registry.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct TrustArgs {
    #[command(flatten)]
    pub signers: SignerArgs,

    #[command(flatten)]
    reach: ReachArgs,
}

/// How to reach a registry.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(in crate::cli) struct ReachArgs {
    /// Of a bundle in a registry: reach it by `http://`. Without it, plain http is for this machine
    /// alone.
    #[arg(long)]
    plain_http: bool,
}

/// How the tree of a bundle is read.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::cli) struct Reading<'a> {
    /// Who must have signed it; `None` for whoever only looks.
    pub signers: Option<&'a SignerArgs>,
    /// Whether its registry is reached by `http://`.
    pub plain_http: bool,
}

/// Whose signature counts.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct SignerArgs {
    /// Of a bundle: a file with public keys (PEM), of which one must have signed it. Can be repeated.
    /// Without it, every `*.pub` in `~/.config/meshgen/trusted` counts (or below `XDG_CONFIG_HOME`).
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,

    /// Of a bundle: take it though nobody who is trusted has signed it. A signature that is there and
    /// wrong still stops.
    #[arg(long)]
    allow_unsigned: bool,
}

impl TrustArgs {
    /// How to reach the registry of a bundle.
    pub fn registry(&self) -> registry::Options {
        registry_options(self.reach.plain_http)
    }

    /// For a tree that somebody who is trusted must have signed.
    pub fn reading(&self) -> Reading<'_> {
        Reading { signers: Some(&self.signers), ..self.reach.reading() }
    }
}

impl ReachArgs {
    /// For a tree that is only looked at.
    pub fn reading(self) -> Reading<'static> {
        Reading { signers: None, plain_http: self.plain_http }
    }
}

impl SignerArgs {
    /// The keys that are trusted.
    pub fn trusted(&self, context: &Context) -> Result<TrustedKeys, CommandError> {
        let keys = match folder() {
            _ if !self.keys.is_empty() => TrustedKeys::of_files(&context.disk, &self.keys),
            Some(folder) => TrustedKeys::of_folder(&context.disk, &folder, &context.project),
            None => Ok(TrustedKeys::default()),
        };
        keys.map_err(|error| {
            CommandError::refused(error.to_string())
                .hint("`--key FILE` says whose signature counts, whatever lies in that folder")
        })
    }

    /// Refuses a bundle that no trusted key has signed, by the signature beside its file. Gives the
    /// key; `None` where `--allow-unsigned` lifted it, which is said.
    pub fn demand(
        &self,
        context: &Context,
        file: &Path,
        bundle: &BundleFile,
    ) -> Result<Option<TrustedKey>, CommandError> {
        let path = sign::file_of(file);
        self.check(context, &format!("`{}`", file.display()), |keys| {
            let Some(signature) = signature_beside(context, &path)? else {
                return Ok(Err(SignatureError::Missing(format!("`{}`", path.display()))));
            };
            Ok(sign::verify_file(&signature, &bundle.digest, keys).cloned())
        })
    }

    /// As [`SignerArgs::demand`], by a signature that lies in the registry beside the bundle whose index
    /// has this digest.
    pub fn demand_remote(
        &self,
        context: &Context,
        name: &str,
        repository: &Repository,
        index: &Digest,
    ) -> Result<Option<TrustedKey>, CommandError> {
        self.check(context, &format!("`{name}`"), |keys| Ok(signed(repository, index, keys)?))
    }

    /// As [`SignerArgs::demand`], for whatever `verify` finds of what messages call `name`.
    fn check(
        &self,
        context: &Context,
        name: &str,
        verify: impl FnOnce(&TrustedKeys) -> Result<Result<TrustedKey, SignatureError>, CommandError>,
    ) -> Result<Option<TrustedKey>, CommandError> {
        let keys = self.trusted(context)?;
        match verify(&keys)? {
            Ok(key) => {
                context.detail(&format!("{name}: signed by {key}"));
                Ok(Some(key))
            }
            Err(error) if error.is_unsigned() && self.allow_unsigned => {
                context.note(&format!("warning: {name}: {error}; `--allow-unsigned` takes it"));
                Ok(None)
            }
            Err(error) => {
                let refused = CommandError::refused(format!("{name}: {error}"));
                let refused = error.hint().into_iter().fold(refused, CommandError::hint);
                Err(match error {
                    SignatureError::NoKeys => refused.hint(format!(
                        "`--key FILE` names the signer's public key; one that counts always lies in \
                         `{}`",
                        folder().unwrap_or_else(|| "~/.config/meshgen/trusted".into()).display()
                    )),
                    _ => refused,
                })
            }
        }
    }
}

/// What a file of a signature holds, if it is there.
pub(super) fn signature_beside(
    context: &Context,
    path: &Path,
) -> Result<Option<Vec<u8>>, CommandError> {
    match context.disk.read_plain(path, MAX) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The operator's own folder of public keys.
#[expect(
    clippy::disallowed_methods,
    reason = "where the user keeps configuration; no rendered byte knows"
)]
fn folder() -> Option<PathBuf> {
    // the XDG specification: a path that is not absolute counts as none
    let set =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    config.map(|config| config.join("meshgen/trusted"))
}
