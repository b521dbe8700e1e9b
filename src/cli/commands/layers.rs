//! `--explain`: the layers of a setting, printed.

use serde_json::{Value, json};

use crate::cli::{CommandError, Context, Exit};

/// A layer: its name, its value, whether it counts.
pub struct Layer {
    pub name: String,
    pub value: Value,
    pub wins: bool,
}

/// Prints the layers of a path, the weakest first, a `*` before the one that counts.
pub fn print(context: &Context, path: &str, layers: &[Layer]) -> Result<Exit, CommandError> {
    if layers.is_empty() {
        return Err(CommandError::refused(format!("nothing sets `{path}`")).hint(
            "a path leads to a value through keys with dots between them: `global.hub`, `list.[0]`",
        ));
    }
    if context.json() {
        let layers: Vec<Value> = layers
            .iter()
            .map(|layer| json!({"layer": layer.name, "value": layer.value, "wins": layer.wins}))
            .collect();
        context.print_json(&json!({"path": path, "layers": layers}));
        return Ok(Exit::Done);
    }
    let width = layers.iter().map(|layer| layer.name.chars().count()).max().unwrap_or_default();
    let mut text = format!("{path}\n");
    for Layer { name, value, wins } in layers {
        let mark = if *wins { '*' } else { ' ' };
        let pad = " ".repeat(width - name.chars().count());
        text.push_str(&format!("{mark} {name}{pad}  {value}\n"));
    }
    context.print(&text);
    Ok(Exit::Done)
}
