//! Consent.

use std::io::{BufRead, IsTerminal, Write};

use crate::cli::{CommandError, Context};

/// Asks for each thing on a terminal; without one, everything needs `--yes`.
pub fn consent(context: &Context, yes: bool, what: &[String]) -> Result<(), CommandError> {
    if yes || what.is_empty() {
        return Ok(());
    }
    let list = what.join("; ");
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(CommandError::refused(format!("this needs a yes: {list}"))
            .hint("look at `meshgen plan`, then give `--yes`"));
    }
    let mut terminal = std::io::stderr().lock();
    let _ = write!(terminal, "{list}. Go on? [y/N] ");
    let _ = terminal.flush();
    drop(terminal);
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    context.note("nothing was changed");
    Err(CommandError::refused("it was not consented to"))
}
