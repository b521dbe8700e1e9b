//! `meshgen bundle push`.

use std::path::PathBuf;

use serde_json::json;

use super::trust::{SignerArgs, signature_beside};
use super::{flux, open, provenance, remote};
use crate::bundle::registry::{Pushed, describe, push, push_image};
use crate::bundle::sign::{self, SignatureError, TrustedKeys};
use crate::bundle::{self, BILL_TYPE, BundleFile, Entry, Kind, STATEMENT_TYPE, Subject};
use crate::cli::{CommandError, Context, Exit, registry_options};
use crate::registry::{Access, Options, Reference, Repository};

/// Bring a bundle into a registry.
///
/// The registry gets every blob and manifest under its own digest, and the bundle's index.json as an
/// index that names them all; that comes last. Printed is the name of it: `oci://…@sha256:…`, which
/// `diff`, `plan` and `apply` take as TREE, and `bundle pull` makes the same file of. A signature beside
/// the file (FILE.sigstore.json) goes with it, and so do its bill of materials, and where the tree was
/// rendered in this project, its provenance: as referrers of the index.
///
/// What is there is not sent again. If it is broken off, the same again does the rest; nobody finds a
/// bundle there until it is whole.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The bundle.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where it goes: `oci://HOST/REPOSITORY`, with `:TAG` if one shall mean it from now on.
    #[arg(value_name = "OCI")]
    to: String,

    /// Bring the images that are inside too, each to the name that the tree has for it. All must be
    /// names at HOST: which they are is for `images` in mesh.yaml to say, before it is rendered.
    #[arg(long)]
    images: bool,

    /// Bring an artifact for each cluster's Flux too, into the same repository: what `gitops flux`
    /// names. Engines ask nobody, so the bundle must then be signed by somebody who is trusted.
    #[arg(long)]
    flux: bool,

    #[command(flatten)]
    signers: SignerArgs,

    /// Reach the registry by `http://`. Without it, plain http is for this machine alone.
    #[arg(long)]
    plain_http: bool,
}

const EXAMPLES: &str = "\
Examples:
  meshgen bundle push apac.tar oci://registry.example/mesh/apac
  meshgen bundle push apac.tar oci://registry.example/mesh/apac:2026-11
  meshgen bundle push apac.tar oci://registry.site/mesh/apac --images
  meshgen bundle push apac.tar oci://registry.site/mesh/apac --flux

A proxy comes from HTTPS_PROXY and NO_PROXY, certificate authorities from the system's store, or from
SSL_CERT_FILE or SSL_CERT_DIR alone where one is set, credentials from docker's config.json
(DOCKER_CONFIG names its folder): logins and credential helpers.

Exit codes: 0; 2 if the request, the bundle or an answer is wrong; 3 if the registry fails or cannot be
reached: run it again.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let to = remote::reference(&args.to)?;
    let bundle = open(context, &args.file)?;
    let digest = bundle.bundle.digest;
    if to.digest.is_some_and(|wanted| wanted != digest) {
        let message =
            format!("`{}` is the bundle {digest}, not the one named", args.file.display());
        return Err(CommandError::refused(message));
    }
    if args.flux {
        args.signers.demand(context, &args.file, &bundle)?;
    }
    let signature = signature(context, args, &bundle)?;
    let options = registry_options(args.plain_http);
    let images = if args.images { images(&bundle, &to)? } else { Vec::new() };
    let repository = Repository::new(&context.disk, &options, &to, Access::Push);
    let bar = context.progress("pushing, blobs");
    let progress = |done| bar.set(done);
    let pushed = push(&bundle, &repository, to.tag.as_deref(), signature.as_deref(), &progress)?;
    describe_it(context, &bundle.bundle, &repository, &to)?;
    let mut all = vec![(to.at(digest), pushed)];
    for (entry, reference) in &images {
        all.push((reference.at(entry.descriptor.digest), {
            let repository = image_repository(context, &options, reference, &to);
            push_image(&bundle, entry, &repository, reference.tag.as_deref(), &progress)?
        }));
    }
    bar.finish();
    for (name, pushed) in &all {
        context.note(&said(name, pushed));
    }
    let for_flux = if args.flux {
        let name = args.file.to_string_lossy();
        let source = bundle.source(&name, &context.disk, &context.project)?;
        flux::push(context, &source, &repository, &to)?
    } else {
        Vec::new()
    };
    if context.json() {
        let rows = all.iter().map(|(name, pushed)| {
            json!({
                "name": name.as_str(), "sent": pushed.sent, "bytes": pushed.bytes,
                "there": pushed.there, "mounted": pushed.mounted,
            })
        });
        let rows: Vec<_> = rows.collect();
        context.print_json(&json!({ "pushed": rows, "flux": for_flux }));
    } else {
        context.print(&format!("{}\n", to.at(digest)));
    }
    Ok(Exit::Done)
}

/// What is said about the bundle beside it: its bill of materials, and how its tree came to be.
fn describe_it(
    context: &Context,
    bundle: &bundle::Bundle,
    repository: &Repository,
    to: &Reference,
) -> Result<(), CommandError> {
    describe(repository, bundle, BILL_TYPE, bundle.bill().as_bytes())?;
    let Some(record) = provenance::record(context, &bundle.tree)? else {
        context.detail("no provenance: the store has no record of this tree");
        return Ok(());
    };
    let name = format!("{}/{}", to.host, to.repository);
    let subjects = [provenance::subject(bundle.tree), Subject { name, digest: bundle.digest }];
    let statement = bundle::provenance(&bundle.table.mesh, &subjects, &record);
    describe(repository, bundle, STATEMENT_TYPE, statement.as_bytes())?;
    Ok(())
}

/// The signature beside the file, if there is one. One of other bytes stops: somebody mixed files up.
fn signature(
    context: &Context,
    args: &Args,
    bundle: &BundleFile,
) -> Result<Option<Vec<u8>>, CommandError> {
    let path = sign::file_of(&args.file);
    let Some(bytes) = signature_beside(context, &path)? else { return Ok(None) };
    match sign::verify_file(&bytes, &bundle.digest, &TrustedKeys::default()) {
        // whose it is, is for those to ask who take the bundle
        Ok(_) | Err(SignatureError::NoKeys) => Ok(Some(bytes)),
        Err(error) => Err(CommandError::refused(format!("`{}`: {error}", path.display()))
            .hint("sign the bundle anew, or move that file away")),
    }
}

/// The images that are inside, with where they go. Refuses one that does not go to the registry.
fn images<'b>(
    bundle: &'b BundleFile,
    to: &Reference,
) -> Result<Vec<(&'b Entry, Reference)>, CommandError> {
    let mut all = Vec::new();
    let mut others = Vec::new();
    for entry in &bundle.bundle.entries {
        let Kind::Image(name) = &entry.kind else { continue };
        match Reference::parse(&format!("oci://{name}")) {
            Ok(reference) if reference.host == to.host => all.push((entry, reference)),
            _ => others.push(format!("`{}`", name.escape_debug())),
        }
    }
    if others.is_empty() && !all.is_empty() {
        return Ok(all);
    }
    let message = if all.is_empty() && others.is_empty() {
        "there is no image in the bundle".to_owned()
    } else {
        format!("the tree runs images that are not at {}: {}", to.host, others.join(", "))
    };
    Err(CommandError::refused(message).hint(
        "`images` in mesh.yaml gives images the names of the site's registry; \
         `meshgen bundle create --images` puts them inside",
    ))
}

fn image_repository(
    context: &Context,
    options: &Options,
    reference: &Reference,
    from: &Reference,
) -> Repository {
    let repository = Repository::new(&context.disk, options, reference, Access::Push);
    repository.mounting_from(&from.repository)
}

fn said(name: &Reference, pushed: &Pushed) -> String {
    let Pushed { sent, bytes, there, mounted } = pushed;
    let mounted = if *mounted > 0 { format!(", {mounted} taken over") } else { String::new() };
    format!("{name}: {sent} blobs sent ({bytes} bytes), {there} were there{mounted}")
}
