//! The clusters that an engine is pointed at.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use crate::cli::commands::bundle::{Reading, SignerArgs};
use crate::cli::tree::resolve;
use crate::cli::{CommandError, Context};
use crate::cluster::unfit;
use crate::gitops::{GitopsError, Share};
use crate::tree::source::Source;

/// The most characters of a label's value.
const MAX_LABEL: usize = 63;
/// Characters of `60-remote-secrets`, the longest name of a stage.
const LONGEST_STAGE: usize = 17;

/// Which tree, and which of its clusters.
#[derive(Debug, clap::Args)]
pub struct FleetArgs {
    /// The tree: `gen:N`, `sha256:PREFIX`, `git:REV`, a folder or a bundle; what is in out/ if left out.
    tree: Option<String>,

    /// Only these clusters. Can be repeated, or separated by commas.
    #[arg(long, value_name = "CLUSTER", value_delimiter = ',')]
    only: Vec<String>,

    #[command(flatten)]
    signers: SignerArgs,
}

impl FleetArgs {
    /// The tree; of a bundle, one that is signed by somebody who is trusted. `plain_http` is about the
    /// registry that it may lie in.
    pub fn source(&self, context: &Context, plain_http: bool) -> Result<Source, CommandError> {
        resolve(context, self.tree.as_deref(), Reading { signers: Some(&self.signers), plain_http })
    }

    /// What each of the clusters gets. Refuses those that `apply` would: an engine asks nobody.
    pub fn shares<'a>(&self, source: &'a Source) -> Result<Vec<Share<'a>>, CommandError> {
        let known: Vec<&str> = source.index.clusters.iter().map(|row| &*row.name).collect();
        let mut names: Vec<&str> = if self.only.is_empty() {
            known.clone()
        } else {
            self.only.iter().map(String::as_str).collect()
        };
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(*name));
        if names.is_empty() {
            return Err(CommandError::refused(format!("{} names no cluster", source.name))
                .hint("only what `meshgen render` wrote, index.json included, can be applied"));
        }
        for name in &names {
            // both engines put an object's name into a label
            if source.index.mesh.len() + name.len() + LONGEST_STAGE + 2 > MAX_LABEL {
                let message = format!(
                    "the names of objects for cluster `{name}` of mesh `{}` would be longer than \
                     {MAX_LABEL} characters",
                    source.index.mesh
                );
                return Err(CommandError::refused(message).hint("give the mesh a shorter name"));
            }
        }
        let (mut lines, mut hints) = (Vec::new(), Vec::new());
        for name in &names {
            if !known.contains(name) {
                let error = CommandError::refused(format!("the tree has no cluster `{name}`"));
                return Err(error.hint(format!("it has {}", known.join(", "))));
            }
            for refusal in unfit(&source.index, name) {
                lines.push(format!("  {name}: {}", refusal.message));
                hints.extend(refusal.hint.filter(|hint| !hints.contains(hint)));
            }
        }
        if !lines.is_empty() {
            let message = format!("no engine may bring this tree\n{}", lines.join("\n"));
            let error = CommandError::refused(message);
            let error = hints.into_iter().fold(error, CommandError::hint);
            return Err(error.hint("`--only` leaves clusters out"));
        }
        let shares = names.iter().map(|name| Share::of(source, name));
        shares.collect::<Result<Vec<Share<'a>>, GitopsError>>().map_err(refused)
    }
}

/// The error of the command line.
pub fn refused(error: GitopsError) -> CommandError {
    match error {
        GitopsError::Source(error) => error.into(),
        GitopsError::Sealed(_) => CommandError::refused(error.to_string())
            .hint("`--plugin NAME` names the config management plugin that opens it")
            .hint(
                "`--without-sealed` leaves its stage out: it must be in the cluster before istiod, \
                 which else makes a root of its own",
            ),
        error => CommandError::refused(error.to_string()),
    }
}

/// Writes files below a folder, and says so.
pub fn write(
    context: &Context,
    folder: &Path,
    files: &[(String, String)],
) -> Result<(), CommandError> {
    context.refuse_inside(folder)?;
    for (done, (path, text)) in files.iter().enumerate() {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        let written = context.disk.create_dir_all(parent);
        let written = written.and_then(|_| context.disk.replace(&path, text.as_bytes()));
        written.map_err(|error| match done {
            0 => CommandError::from(error),
            _ => CommandError::partial(format!("{error}; {done} of {} files are new", files.len()))
                .hint("run it again: what is written is a function of tree and flags"),
        })?;
    }
    if context.json() {
        let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        context.print_json(&json!({"folder": folder.to_string_lossy(), "files": paths}));
    }
    context.note(&format!("wrote {} files to `{}`", files.len(), folder.display()));
    Ok(())
}
