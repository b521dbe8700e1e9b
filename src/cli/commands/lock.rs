//! `meshgen lock`.

mod change;
mod fetch;
mod list;
mod request;

use crate::cli::{CommandError, Context, Exit};
use crate::fetch::ISTIO_RELEASES;
use crate::inputs;
use crate::store::Digest;

/// Pin charts: what they are made of is recorded by digest and kept in the project.
///
/// `meshgen lock NAME=SOURCE` fetches charts, writes them into charts/ as one canonical tar, and its
/// sha256 into meshgen.lock. Commit both: `render` then works in every clone without a network, and
/// gives the same bytes. SOURCE is one of
///
///   1.27.0                            an Istio version: its release archive
///   ./istio-1.27.0                    a release's folder, its manifests/, or the folder of a chart
///   istio-1.27.0-linux-amd64.tar.gz   a release's archive
///   cert-manager-v1.18.2.tgz          a Helm chart's archive
///   https://example.com/a.tgz         an archive of either kind
///   oci://registry.example/c/a:1.2.3  a Helm chart in a registry; `@sha256:…` names it by digest
///
/// Paths are relative to the project folder (-C). The digest is that of the content alone: a folder,
/// an archive and a registry that hold the same files give the same pin. Of a release the folders
/// manifests/charts and manifests/profiles are kept, of a chart all its files. Links, devices and
/// paths that leave the folder are refused, and so is what unpacks without end.
///
/// `istio.charts: NAME` in mesh.yaml says which pin renders a control plane; under a cluster it says
/// so for that one, which is how a canary runs another release. Several pins stand side by side.
///
/// A pin that is there does not change: if SOURCE gives other content, this stops with both digests,
/// unless `--update NAME` says that a change is wanted. Nothing is written unless everything could be
/// fetched and fits; each file is replaced in one instant, meshgen.lock last.
///
/// Alone it lists the pins and checks their content.
#[expect(clippy::doc_markdown, reason = "the text of --help, which shows no backticks")]
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, after_long_help = EXAMPLES)]
pub struct Args {
    /// A pin, and where its charts come from. Can be repeated.
    #[arg(value_name = "NAME=SOURCE")]
    pins: Vec<String>,

    /// Bring back content that is missing in charts/, or damaged, from where it came from; only the
    /// bytes of the recorded digest are taken.
    #[arg(long, conflicts_with_all = ["pins", "update", "remove", "digest"])]
    fetch: bool,

    /// Let this pin change: from the SOURCE that is given, else from the one that is recorded. Can be
    /// repeated.
    #[arg(long, value_name = "NAME")]
    update: Vec<String>,

    /// Take a pin away, and its content if no other pin has the same. Can be repeated.
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,

    /// The digest that the content must have, from somebody who knows: `sha256:…`. For one pin.
    #[arg(long, value_name = "DIGEST")]
    digest: Option<Digest>,

    /// What stands before the version in the URL of a release's archive, for mirrors:
    /// `<URL>/<version>/istio-<version>-linux-amd64.tar.gz`. Is not recorded: the digest says what
    /// must come.
    #[arg(long, value_name = "URL", default_value = ISTIO_RELEASES)]
    base_url: String,

    /// Allow `http://`, and use it for registries. Without it, plain http is for this machine
    /// (localhost, 127.0.0.0/8, ::1) alone.
    #[arg(long)]
    plain_http: bool,
}

const EXAMPLES: &str = "\
Examples:
  meshgen lock istio-1-27=1.27.0
  meshgen lock canary=1.28.0-rc.0 --digest sha256:…
  meshgen lock istio-1-27=istio-1.27.0-linux-amd64.tar.gz
  meshgen lock istio-1-27=1.27.0 --base-url https://mirror.example/istio
  meshgen lock istio-1-27=1.27.1 --update istio-1-27
  meshgen lock --fetch

A proxy comes from HTTPS_PROXY and NO_PROXY, further certificate authorities from the system's store or
SSL_CERT_FILE, credentials for registries from docker's config.json (DOCKER_CONFIG names its folder):
logins and credential helpers, no identity tokens. User and password in a URL are used and never
recorded.

Exit codes: 0; 1 if the list shows a pin whose content is missing or damaged; 2 if a source, a digest
or meshgen.lock is wrong, 3 if a server cannot be reached; nothing was changed then.";

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let lock = inputs::load_lock(&context.disk, &context.project)
        .map_err(|(diagnostics, sources)| CommandError::invalid(diagnostics, sources))?;
    if args.fetch {
        return fetch::run(context, args, &lock);
    }
    if args.pins.is_empty() && args.update.is_empty() && args.remove.is_empty() {
        if args.digest.is_some() {
            return Err(CommandError::refused("`--digest` says what NAME=SOURCE must give"));
        }
        return list::run(context, &lock);
    }
    let request = request::Request::new(args, &lock)?;
    change::run(context, args, &lock, &request)
}

/// Several problems as one error, each on a line of its own.
fn refused(problems: &[String]) -> CommandError {
    match problems {
        [only] => CommandError::refused(only.clone()),
        many => CommandError::refused(format!(
            "{} problems; nothing was changed\n  {}",
            many.len(),
            many.join("\n  ")
        )),
    }
}
