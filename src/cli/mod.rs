//! The command line: types here, one thin file a command, errors at the edge.

mod commands;
mod context;
mod environment;
mod error;
mod sink;
mod tree;

use std::path::PathBuf;

use anstyle::AnsiColor;
use clap::builder::styling::Styles;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use context::{Context, Format, registry_options};
pub use error::{CommandError, Exit};

use crate::file::Disk;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A nix-style, reproducible build and manifest generator for Istio meshes that span clusters and
/// regions.
///
/// One `mesh.yaml` is rendered into a content-addressed `out/` tree that holds everything such a
/// mesh needs. The same inputs give the same bytes on every machine; people review the tree, and
/// exactly the reviewed bytes are applied.
///
/// Start with `meshgen init`, then `meshgen render`.
#[derive(Debug, Parser)]
#[command(name = "meshgen", version, styles = STYLES, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    /// The project folder: where `mesh.yaml` lies.
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true, default_value = ".")]
    directory: PathBuf,

    /// The form of the output.
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        global = true,
        default_value = "text",
        hide_possible_values = true
    )]
    output: Format,

    /// Say nothing but errors and data.
    #[arg(short, long, global = true)]
    quiet: bool,

    /// Say more of what is done.
    #[arg(short, long, global = true)]
    verbose: bool,

    /// When to use colours.
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    color: Colour,

    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, nothing differs; 1 there are differences, or a verification said no; 2 the
request was wrong, an input is invalid or a guard stopped it, nothing was changed; 3 an outside
effect failed part-way, or could not look.

Every flag can also come from the environment as MESHGEN_<FLAG> (`--dry-run`: MESHGEN_DRY_RUN=1),
save those that lift a guard. What the command line says goes first.";

/// Declares the commands once: their line in the list of commands, their arguments, their function.
///
/// The documentation of a command's arguments is what `--help` and the manual page say of it.
macro_rules! commands {
    ($($(#[doc = $about:literal])+ $variant:ident => $module:ident;)*) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($variant(commands::$module::Args),)*
        }

        const ABOUT: &[(&str, &str)] = &[$((stringify!($module), concat!($($about),+)),)*];

        fn dispatch(context: &Context, command: &Command) -> Result<Exit, CommandError> {
            match command {
                $(Command::$variant(args) => commands::$module::run(context, args),)*
            }
        }

        impl Command {
            /// What it is called on the command line.
            fn name(&self) -> &'static str {
                match self {
                    $(Command::$variant(_) => stringify!($module),)*
                }
            }
        }
    };
}

commands! {
    /// Start a project: a commented mesh.yaml and what git needs.
    Init => init;
    /// The keyring: the mesh's root and an intermediate a cluster, private keys sealed.
    Pki => pki;
    /// Print the JSON Schema of mesh.yaml, for editors.
    Schema => schema;
    /// Validate mesh and inputs: all problems at once, each with its place and what to do.
    Check => check;
    /// Tell the story of a rule or of a check of `verify`, or list them.
    Explain => explain;
    /// Bring in what only the infrastructure knows.
    Facts => facts;
    /// Pin charts by digest, and keep them in the project.
    Lock => lock;
    /// Build out/ from mesh.yaml and its inputs.
    Render => render;
    /// Render a Helm chart as `helm template` does.
    Chart => chart;
    /// Generate Istio's control plane as `istioctl manifest generate` does.
    Istio => istio;
    /// List every image that the mesh will run, and where each comes from.
    Images => images;
    /// Say what apply would do to each cluster, object by object.
    Plan => plan;
    /// Push the differences to each cluster, stage by stage, and wait for readiness.
    Apply => apply;
    /// Say for each cluster which tree is applied, what has drifted, and what is not ready.
    Status => status;
    /// Prove that the mesh is one mesh: configuration, certificates, discovery, traffic.
    Verify => verify;
    /// Write one page about the mesh: topology, what is applied, certificates, the last verification.
    Report => report;
    /// Take a cluster out of the mesh.
    Retire => retire;
    /// Take objects out of the inventory and leave them alone.
    Forget => forget;
    /// Make a lost inventory anew from what the cluster says.
    Recover => recover;
    /// Point Flux or Argo CD at a tree, for fleets that outgrow one machine.
    Gitops => gitops;
    /// Compare two trees object by object: what differs, and what follows from it.
    Diff => diff;
    /// List the files of a tree, or print one.
    Show => show;
    /// Say what is behind a rendered file: recipe, inputs, and the lines that gave its settings.
    Why => why;
    /// Hand a tree over in one file, for sites without a network.
    Bundle => bundle;
    /// List the trees that were rendered here.
    Generations => generations;
    /// Bring an earlier generation back into out/.
    Rollback => rollback;
    /// Drop old generations, and the blobs that nothing needs any more.
    Gc => gc;
    /// Check that nothing in the store is damaged or missing.
    Fsck => fsck;
    /// List or show built-in templates and profiles, or put one into the project to change it.
    Templates => templates;
    /// Print the completions for a shell.
    Completions => completions;
    /// Print the manual page, or write all of them.
    Man => man;
}

/// The whole command line as clap sees it: for parsing, completions, manual pages and tests.
pub fn command() -> clap::Command {
    let command = ABOUT.iter().fold(Cli::command(), |command, (name, about)| {
        command
            .mut_subcommand(name, |subcommand| subcommand.about(about.trim().trim_end_matches('.')))
    });
    environment::bind(command)
}

/// Parses the arguments of the process, runs the command, and returns the exit code.
pub fn main() -> std::process::ExitCode {
    let mut command = command();
    let parsed = command
        .try_get_matches_from_mut(std::env::args_os())
        .and_then(|matches| Cli::from_arg_matches(&matches).map_err(|e| e.format(&mut command)));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return Exit::from_clap(&error).into();
        }
    };
    let context = context(&cli);
    let ran = fits(cli.output, cli.command.name()).and_then(|()| dispatch(&context, &cli.command));
    let ran = match Context::unwritten() {
        Some(why) => {
            Err(CommandError::partial(format!("standard output could not be written: {why}")))
        }
        None => ran,
    };
    match ran {
        Ok(exit) => exit.into(),
        Err(error) => {
            report(&context, &error);
            error.exit.into()
        }
    }
}

/// Refuses the form that one command alone has. The others say for themselves which they lack.
fn fits(output: Format, command: &str) -> Result<(), CommandError> {
    if output == Format::Junit && command != "verify" {
        return Err(CommandError::refused(format!("`{command}` has no such form"))
            .hint("`-o junit` is a form of `meshgen verify`"));
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "NO_COLOR colours no rendered byte")]
fn context(cli: &Cli) -> Context {
    use std::io::IsTerminal;
    let colour = |terminal: bool| match cli.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => terminal && std::env::var_os("NO_COLOR").is_none(),
    };
    Context {
        disk: Disk::new(),
        project: cli.directory.clone(),
        output: cli.output,
        quiet: cli.quiet,
        verbose: cli.verbose,
        colour: colour(std::io::stderr().is_terminal()),
        colour_out: colour(std::io::stdout().is_terminal()),
    }
}

fn report(context: &Context, error: &CommandError) {
    if let Some(report) = &error.report {
        context.report(&report.0, &report.1);
        if context.json() {
            return;
        }
    }
    let (red, cyan, reset) =
        if context.colour { ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m") } else { ("", "", "") };
    eprint_line(&format!("{red}error{reset}: {}", error.message));
    for hint in &error.hints {
        eprint_line(&format!("{cyan}hint{reset}: {hint}"));
    }
}

fn eprint_line(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
