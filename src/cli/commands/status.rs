//! `meshgen status`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::cluster::session::{self, ConnectArgs};
use super::cluster::state::{States, states};
use crate::cli::commands::bundle::Reading;
use crate::cli::{CommandError, Context, Exit, Format};
use crate::cluster::State;
use crate::diff::{TextOptions, to_json, to_text};

/// Say for each cluster which tree is applied, what has drifted from it, and what is not ready.
///
/// Drift is live state that differs from the applied tree in a field that meshgen owns. A cluster is
/// compared with the tree that was applied to it, if out/ or the store has it, else with out/. Rights
/// to read suffice; what could not be read is said.
///
/// Exit 0 when nothing drifted, 1 when something did, or when a cluster has no apply yet, 3 when a
/// cluster could not be looked at.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connect: ConnectArgs,
}

/// Runs it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let source = session::tree(context, None, Reading::default())?;
    let States { clusters, drift } = session::block_on(states(context, &source, &args.connect))?;
    let options = TextOptions { colour: context.colour_out, brief: false };
    if context.output == Format::Json {
        let drift: Vec<Value> = drift
            .iter()
            .map(|changes| serde_json::from_str(&to_json(changes)).unwrap_or(Value::Null))
            .collect();
        context.print_json(&json!({
            "mesh": source.index.mesh,
            "tree": source.digest.to_string(),
            "clusters": clusters.values().collect::<Vec<_>>(),
            "drift": drift,
        }));
    } else {
        let mut out: String = clusters.values().map(text).collect();
        for changes in &drift {
            out.push('\n');
            out.push_str(&to_text(changes, options));
        }
        context.print(&out);
    }
    Ok(exit(&clusters))
}

fn text(state: &State) -> String {
    let mut text = format!("{}  ", state.name);
    if let Some(error) = &state.error {
        let _ = writeln!(text, "could not be looked at: {error}");
        return text;
    }
    let Some(applied) = state.applied else {
        text.push_str("nothing was applied yet\n");
        return text;
    };
    let digest = applied.to_string();
    let number = state.generation.map(|number| format!(" (generation {number})"));
    let current = if state.current { "equal to out/ here" } else { "out/ is another tree here" };
    let unfinished = if state.unfinished { ", not finished" } else { "" };
    let _ = writeln!(
        text,
        "{}{}{unfinished}, {current}",
        &digest[..19.min(digest.len())],
        number.unwrap_or_default()
    );
    if let Some(last) = &state.last_apply {
        let _ = writeln!(text, "    last apply {} by {}: {}", last.at, last.by, last.result);
    }
    let drift = match state.drift.len() {
        0 => "no drift".to_owned(),
        1 => "1 object drifted".to_owned(),
        count => format!("{count} objects drifted"),
    };
    let all = state.ready + state.not_ready.len();
    let _ = writeln!(text, "    {drift}, {} of {all} objects ready", state.ready);
    for one in &state.drift {
        let _ = writeln!(text, "    ~ {}: {}", one.object, one.why);
    }
    for one in &state.not_ready {
        let _ = writeln!(text, "    … {}: {}", one.object, one.why);
    }
    for one in &state.unreadable {
        let _ = writeln!(text, "    ? {} could not be read: {}", one.object, one.why);
    }
    for note in &state.notes {
        let _ = writeln!(text, "    {note}");
    }
    text
}

fn exit(clusters: &BTreeMap<String, State>) -> Exit {
    if clusters.values().any(|state| !state.is_whole()) {
        return Exit::Partial;
    }
    if clusters.values().any(State::differs) { Exit::Different } else { Exit::Done }
}
