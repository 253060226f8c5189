//! Asking for a secret at the terminal.

use std::io::{self, IsTerminal as _};

use console::Term;

use super::jobs::{first_paragraph, variable};
use super::problem::Problem;
use crate::define::ArgDef;
use crate::text::safe;

/// Asks for the text of an argument; `None` if none was given.
pub(super) type Prompt = fn(&ArgDef) -> Result<Option<String>, Problem>;

/// How to ask; `None` if nobody sits at a terminal.
pub(super) fn prompt() -> Option<Prompt> {
    (io::stdin().is_terminal() && io::stderr().is_terminal()).then_some(ask as Prompt)
}

/// Asks on stderr, and reads without an echo.
fn ask(arg: &ArgDef) -> Result<Option<String>, Problem> {
    let read = || {
        let terminal = Term::stderr();
        terminal.write_str(&question(arg))?;
        terminal.read_secure_line()
    };
    let unread = |error: io::Error| {
        Problem::Usage(format!(
            "`{}` cannot be asked for at this terminal: {error}; set {} in the environment",
            arg.name,
            variable(arg)
        ))
    };
    let text = read().map_err(unread)?;
    Ok((!text.is_empty()).then_some(text))
}

fn question(arg: &ArgDef) -> String {
    match first_paragraph(arg.doc) {
        doc if doc.is_empty() => format!("{} (not shown): ", arg.name),
        doc => format!("{}: {} (not shown): ", arg.name, safe(&doc)),
    }
}
