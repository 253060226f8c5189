//! The binary's face: its commands, each from a command line to an exit code.

pub(crate) mod again;
mod args;
#[cfg(feature = "ui")]
pub(crate) mod asked;
mod attend;
pub(crate) mod cancel;
mod columns;
mod config;
mod doctor;
mod event_lines;
mod export;
#[cfg(test)]
pub(crate) mod fixture;
mod flags;
pub(crate) mod jobs;
pub(crate) mod limits;
mod list;
mod logs;
#[cfg(feature = "ui")]
mod open;
mod options;
mod output;
pub(crate) mod problem;
mod prompt;
mod prune;
pub(crate) mod resume;
mod room;
mod run;
pub(crate) mod runs;
mod show;
mod showing;
mod signals;
mod store;
pub(crate) mod ui;
pub(crate) mod values;
mod watcher;
pub(crate) mod when;
pub(crate) mod which;

use std::process::ExitCode;

use clap::{ArgMatches, Command, FromArgMatches as _};

use crate::define::JobDef;
use crate::exit;
use crate::run::Sink;
use problem::Problem;

/// Runs the command line of a binary of jobs, and gives its exit code (see [`exit`]).
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     fanfold::main()
/// }
/// ```
/// It makes its own tokio runtime, so call it from an ordinary `main`.
pub fn main() -> ExitCode {
    main_with(Vec::new)
}

/// As [`main`], with more that is told of the run that the command line begins, resumes or runs again, if it
/// does.
///
/// ```no_run
/// use fanfold::report::JsonLines;
///
/// fn main() -> std::process::ExitCode {
///     fanfold::main_with(|| match std::fs::File::create("events.jsonl") {
///         Ok(file) => vec![Box::new(JsonLines::new(file))],
///         Err(_) => Vec::new(),
///     })
/// }
/// ```
pub fn main_with<'a>(sinks: impl FnOnce() -> Vec<Box<dyn Sink>> + 'a) -> ExitCode {
    let code = match args::read(std::env::args_os()) {
        Ok((command, matches)) => dispatch(command, &matches, Box::new(sinks)),
        Err(problem) => Err(problem),
    };
    ExitCode::from(code.unwrap_or_else(|problem| problem.tell()))
}

/// Makes what else is told of a run.
type MoreSinks<'a> = Box<dyn FnOnce() -> Vec<Box<dyn Sink>> + 'a>;

fn dispatch(command: Command, matches: &ArgMatches, more: MoreSinks<'_>) -> Result<u8, Problem> {
    let program = command.get_name();
    match matches.subcommand() {
        Some(("list", matches)) => list::list(&list::Flags::from_arg_matches(matches)?),
        Some(("run", matches)) => {
            let (job, matches) = chosen_job(matches)?;
            run::run(program, job, matches, more)
        }
        Some(("resume", matches)) => resume::resume(program, resume::Flags::from_arg_matches(matches)?, more),
        Some(("rerun", matches)) => {
            resume::rerun(program, resume::RerunFlags::from_arg_matches(matches)?, more)
        }
        Some(("graph", matches)) => list::graph(&list::GraphFlags::from_arg_matches(matches)?),
        Some(("runs", matches)) => runs::runs(&runs::Flags::from_arg_matches(matches)?),
        Some(("show", matches)) => show::show(program, &show::Flags::from_arg_matches(matches)?),
        Some(("logs", matches)) => logs::logs(&logs::Flags::from_arg_matches(matches)?),
        Some(("export", matches)) => export::export(&export::Flags::from_arg_matches(matches)?),
        Some(("cancel", matches)) => cancel::cancel(&cancel::Flags::from_arg_matches(matches)?),
        Some(("prune", matches)) => prune::prune(&prune::Flags::from_arg_matches(matches)?),
        Some(("doctor", matches)) => doctor::doctor(&doctor::Flags::from_arg_matches(matches)?),
        Some(("ui", matches)) => ui::ui(program, &ui::Flags::from_arg_matches(matches)?),
        Some(("completions", matches)) => args::completions(command, matches),
        _ => Ok(exit::USAGE),
    }
}

/// The job whose subcommand was given.
fn chosen_job(matches: &ArgMatches) -> Result<(&'static JobDef, &ArgMatches), Problem> {
    let (name, matches) =
        matches.subcommand().ok_or_else(|| Problem::Usage("no job was named".to_owned()))?;
    Ok((jobs::find(name)?, matches))
}
