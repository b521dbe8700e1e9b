//! `meshgen plan`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::bundle::TrustArgs;
use super::cluster::session::{self, ConnectArgs, Look, Request};
use crate::cli::{CommandError, Context, Exit};
use crate::cluster::{
    Allowed, Expected, ExpectedCluster, Options, Selection, Stop, Survey, is_idle,
};
use crate::tree::hold;

/// Say what apply would do to each cluster, object by object.
///
/// Looks at the clusters of the tree, and asks their API servers by dry runs where something may
/// differ: defaults, webhooks and fields of other managers are no differences. Nothing is written.
/// Rights to read suffice, mostly; what could not be read or asked is said.
///
/// `--out` saves the plan: `apply --plan` carries it out, and refuses if the tree, a cluster or
/// an object has moved since. The file holds digests of what is live, and no values. Its tree stays
/// in the store as long as the file is there.
///
/// Exit 0 when there is nothing to do, 1 when there is, 2 when an apply would be refused, 3 when
/// a cluster could not be looked at.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tree: `gen:N`, `sha256:PREFIX`, `git:REV`, a folder, a bundle or `oci://…@sha256:…`;
    /// what is in out/ if left out.
    tree: Option<String>,

    /// Save the plan to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// The summary, and one line a change (text only).
    #[arg(long)]
    brief: bool,

    #[command(flatten)]
    connect: ConnectArgs,

    #[command(flatten)]
    allow: AllowArgs,

    #[command(flatten)]
    trust: TrustArgs,
}

/// What may be done beside creating and changing what is ours.
#[derive(Debug, Clone, clap::Args)]
pub struct AllowArgs {
    /// Take over objects that are there already and differ: all, or this one. Can be repeated.
    #[arg(long, value_name = "KIND/NS/NAME", value_parser = selector, num_args = 0..=1, default_missing_value = "")]
    adopt: Vec<String>,

    /// Prune what `istioctl install` left beside, when everything of the tree is ready.
    #[arg(long)]
    adopt_leftovers: bool,

    /// Delete and create an object whose change the server refuses. Can be repeated.
    #[arg(long, value_name = "KIND/NS/NAME", value_parser = doomed)]
    recreate: Vec<String>,

    /// Take fields from other managers: of all objects, or of this one. Can be repeated.
    #[arg(long, value_name = "KIND/NS/NAME", value_parser = selector, num_args = 0..=1, default_missing_value = "")]
    force_conflicts: Vec<String>,

    /// Prune this object of the inventory although it is a Namespace, a CRD, or marked to be kept.
    /// Can be repeated.
    #[arg(long = "prune", value_name = "KIND/NS/NAME", value_parser = doomed)]
    prune: Vec<String>,

    /// Prune more than 20 objects, or more than 30 % of a cluster's inventory.
    #[arg(long)]
    allow_prune: bool,

    /// Prune everything of a cluster that the tree has nothing for.
    #[arg(long)]
    allow_empty: bool,

    /// Trust that a context leads to the right cluster, and record its identity in the inventory.
    #[arg(long)]
    pin: bool,

    /// Put another root of trust in the place of the one that the mesh has.
    #[arg(long)]
    change_root: bool,

    /// Only tokens and remote secrets (stages 55 and 60); nothing is pruned.
    #[arg(long)]
    only_bindings: bool,
}

/// An object that is to be deleted. Not the namespace of our own records.
pub fn doomed(text: &str) -> Result<String, String> {
    if text.eq_ignore_ascii_case("namespace/istio-system") {
        return Err("meshgen's own records lie in it: delete it by hand, last".to_owned());
    }
    selector(text)
}

/// An object as plans print it, perhaps with `CLUSTER:` before; nothing means all.
fn selector(text: &str) -> Result<String, String> {
    if text.is_empty() || matches!(text.split('/').count(), 2 | 3) {
        return Ok(text.to_owned());
    }
    Err("an object is KIND/NAMESPACE/NAME or KIND/NAME; a tree goes before the flag".to_owned())
}

impl AllowArgs {
    /// What is allowed for objects.
    pub fn options(&self) -> Options {
        Options {
            adopt: Selection::new(&self.adopt),
            recreate: Selection::new(&self.recreate),
            force: Selection::new(&self.force_conflicts),
            prune: Selection::new(&self.prune),
            allow_prune: self.allow_prune,
            allow_empty: self.allow_empty,
            only_bindings: self.only_bindings,
            leftovers: self.adopt_leftovers,
            retired: Vec::new(),
        }
    }

    /// What is allowed for clusters.
    pub fn allowed(&self) -> Allowed {
        Allowed { pin: self.pin, change_root: self.change_root }
    }

    /// Whether the root may change.
    pub fn changes_root(&self) -> bool {
        self.change_root
    }

    /// The flags that were given, for a saved plan.
    pub fn to_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (flag, values) in [
            ("adopt", &self.adopt),
            ("recreate", &self.recreate),
            ("force-conflicts", &self.force_conflicts),
            ("prune", &self.prune),
        ] {
            words.extend(values.iter().map(|value| format!("{flag}={value}")));
        }
        for (flag, given) in [
            ("adopt-leftovers", self.adopt_leftovers),
            ("allow-prune", self.allow_prune),
            ("allow-empty", self.allow_empty),
            ("pin", self.pin),
            ("change-root", self.change_root),
            ("only-bindings", self.only_bindings),
        ] {
            if given {
                words.push(flag.to_owned());
            }
        }
        words
    }

    /// The flags of a saved plan.
    pub fn from_words(words: &[String]) -> Option<Self> {
        let values = |flag: &str| -> Vec<String> {
            let values = words.iter().filter_map(|word| word.strip_prefix(flag)?.strip_prefix('='));
            values.map(str::to_owned).collect()
        };
        let has = |flag: &str| words.iter().any(|word| word == flag);
        let read = Self {
            adopt: values("adopt"),
            recreate: values("recreate"),
            force_conflicts: values("force-conflicts"),
            prune: values("prune"),
            adopt_leftovers: has("adopt-leftovers"),
            allow_prune: has("allow-prune"),
            allow_empty: has("allow-empty"),
            pin: has("pin"),
            change_root: has("change-root"),
            only_bindings: has("only-bindings"),
        };
        (read.to_words().len() == words.len()).then_some(read)
    }
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let source = session::tree(context, args.tree.as_deref(), args.trust.reading())?;
    session::block_on(async {
        let request = Request {
            source: &source,
            connect: &args.connect,
            options: args.allow.options(),
            allowed: args.allow.allowed(),
            stop: Stop::default(),
        };
        let look = session::look(context, request).await?;
        look.shown(&source, args.brief).print(context)?;
        let Look { mesh, missing, survey } = &look;
        let exit = judge(survey, missing.is_empty());
        if let Some(path) = &args.out {
            if matches!(exit, Exit::Refused | Exit::Partial) {
                let refused =
                    CommandError::refused("a plan that could not be carried out is not saved");
                return Err(CommandError { exit, ..refused });
            }
            let present = mesh.present();
            let clusters: BTreeMap<String, ExpectedCluster> = mesh
                .members
                .iter()
                .zip(survey)
                .filter_map(|(member, surveyed)| {
                    let surveyed = surveyed.as_ref().ok()?;
                    Some((member.name.clone(), ExpectedCluster::of(&member.context, surveyed)))
                })
                .collect();
            let left_out: Vec<String> =
                mesh.clusters.iter().filter(|name| !present.contains(*name)).cloned().collect();
            let expected = Expected::new(
                &mesh.index.mesh,
                source.digest,
                &source.name,
                clusters,
                left_out,
                args.allow.to_words(),
            );
            // the store stays locked until the file is there: nothing collects the tree in between
            let out = context.project.join("out");
            let held = hold(&context.disk, &out, &source, Some(path))?;
            context.disk.replace(path, expected.to_text().as_bytes())?;
            held.release()?;
            context
                .note(&format!("saved; `meshgen apply --plan {}` carries it out", path.display()));
        }
        Ok(exit)
    })
}

/// What a plan comes to.
fn judge(survey: &Survey, connected: bool) -> Exit {
    if !connected || survey.iter().any(Result::is_err) {
        return Exit::Partial;
    }
    let all = || survey.iter().flatten();
    if all().any(|surveyed| !surveyed.plan.refusals.is_empty()) {
        return Exit::Refused;
    }
    if all().any(|surveyed| !surveyed.plan.unreadable.is_empty()) {
        return Exit::Partial;
    }
    let differs = all().any(|surveyed| !is_idle(surveyed) || !surveyed.plan.held.is_empty());
    if differs { Exit::Different } else { Exit::Done }
}
