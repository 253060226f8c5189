//! What a run shows: how its progress, how its end, and what it gave.

use std::io::{self, IsTerminal as _};

use super::flags::{OutputFlags, ProgressFlag};
use super::output::print;
use super::problem::Problem;
use crate::event::RunState;
use crate::report::closing::{closing, state_line};
use crate::report::json::results;
use crate::report::lines::StatusLevel;
use crate::report::paint::Paint;
use crate::report::progress::{Form, ProgressOptions};
use crate::report::screen::tell;
use crate::report::words::pretty_json;
use crate::run::RunReport;

/// What is shown while the job runs.
pub(super) fn progress_options(flags: &OutputFlags) -> ProgressOptions {
    let stderr = io::stderr().is_terminal();
    let able = stderr && std::env::var_os("TERM").is_some_and(|term| term != "dumb");
    let watched = able && std::env::var_os("CI").is_none();
    // Events and a block on one terminal would write over each other.
    let collides = flags.json && stderr && io::stdout().is_terminal();
    let form = match flags.progress {
        _ if flags.quiet => Form::None,
        ProgressFlag::Auto if collides => Form::None,
        ProgressFlag::Auto if watched => Form::Bar,
        ProgressFlag::Bar if able => Form::Bar,
        ProgressFlag::Auto | ProgressFlag::Bar | ProgressFlag::Plain => Form::Plain,
        ProgressFlag::Lines => Form::Lines,
        ProgressFlag::None => Form::None,
    };
    let level = flags.status_level.unwrap_or(match flags.verbose {
        0 if form == Form::Lines => StatusLevel::Pass,
        0 => StatusLevel::Fail,
        1 => StatusLevel::Retry,
        2 => StatusLevel::Pass,
        _ => StatusLevel::All,
    });
    ProgressOptions { form, level, max_running: flags.max_running, paint: Paint::for_stderr() }
}

/// Says on stderr how the run ended, and what may be done next.
pub(super) fn say_end(report: &RunReport, flags: &OutputFlags, paint: Paint, next: &str) {
    let RunReport { summary, shape, state, elapsed, .. } = report;
    if !flags.quiet {
        tell(&closing(summary, shape, *state, *elapsed, paint));
        if *state != RunState::Succeeded && !next.is_empty() {
            tell(next);
        }
    } else if *state != RunState::Succeeded {
        tell(&state_line(summary, shape, *state, *elapsed, paint));
    }
}

/// Prints what the job gave: a text as it is, anything else as JSON.
pub(super) fn print_values(report: &RunReport) -> Result<(), Problem> {
    // A `Done` has no value; a value that was skipped, or is never recorded, is `null`.
    let with_value = report.graph.results.iter().map(|result| result.source.is_some());
    let values: Vec<_> =
        results(report).zip(with_value).filter(|(_, has)| *has).map(|(value, _)| value).collect();
    if values.iter().all(Option::is_none) {
        return Ok(());
    }
    let values: Vec<String> =
        values.into_iter().map(|value| value.unwrap_or_else(|| "null".into())).collect();
    let mut text = match values.as_slice() {
        [] => return Ok(()),
        [value] => serde_json::from_str::<String>(value).unwrap_or_else(|_| pretty_json(value)),
        values => pretty_json(&format!("[{}]", values.join(","))),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    print(text.as_bytes())
}
