//! `run`: from a command line to a run, and from its report to an exit code.

use std::sync::Arc;

use clap::{ArgMatches, FromArgMatches as _};
use tokio::runtime::Runtime;

use super::config::Config;
use super::event_lines::EventLines;
use super::flags::{OutputFlags, RunFlags};
use super::options::run_options;
use super::problem::Problem;
use super::prompt::prompt;
use super::showing::{print_values, progress_options, say_end};
use super::values::{Sources, json_arguments, values};
use super::watcher::Watcher;
use crate::define::JobDef;
use crate::engine::{self, StartError};
use crate::event::RunState;
use crate::exit;
use crate::graph::Graph;
use crate::report::logs;
use crate::report::paint::Paint;
use crate::report::progress::Progress;
use crate::report::screen::tell;
use crate::run::{RunOptions, Sink};
use crate::value::AnyValue;

/// Runs a job.
pub(super) fn run(job: &'static JobDef, matches: &ArgMatches) -> Result<u8, Problem> {
    let flags = RunFlags::from_arg_matches(matches)?;
    let graph = checked_graph(job)?;
    let config = match &flags.config {
        Some(path) => Config::read(path, job)?,
        None => Config::default(),
    };
    if job.panic_aborts {
        let warning = Paint::for_stderr().warn("warning:");
        tell(&format!(
            "{warning} this program is built with `panic = \"abort\"`: a panic in a step ends all of it"
        ));
    }
    let json = flags.args.as_deref().map(|text| json_arguments(text, job)).transpose()?.unwrap_or_default();
    let environment = |name: &str| std::env::var(name).ok();
    let args = values(job, &Sources { matches, environment, json, config: &config, prompt: prompt() })?;
    let options = run_options(&graph, &flags, &config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::Store(format!("tokio's runtime cannot start: {error}")))?;
    let code = runtime.block_on(drive(graph, args, options, &flags.output));
    leave(runtime);
    code
}

/// The job's graph; all other jobs are checked, too, so that a broken one is not found out late.
fn checked_graph(job: &'static JobDef) -> Result<Arc<Graph>, Problem> {
    let program = |error: &dyn std::fmt::Display| Problem::Program(error.to_string());
    crate::check_all_jobs().map_err(|errors| program(&errors))?;
    crate::check::build(job).map(Arc::new).map_err(|error| program(&error))
}

/// Does not wait for threads that were left behind: they end with the process.
fn leave(runtime: Runtime) {
    runtime.shutdown_background();
}

async fn drive(
    graph: Arc<Graph>,
    args: Vec<AnyValue>,
    options: RunOptions,
    flags: &OutputFlags,
) -> Result<u8, Problem> {
    let shown = progress_options(flags);
    let (progress, sink) = Progress::start(Arc::new(graph.shape()), shown);
    logs::show(progress.lines(), flags.quiet, shown.paint).map_err(Problem::Usage)?;
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(sink)];
    let mut lines = flags.json.then(|| EventLines::start(&mut sinks));
    let broken = lines.as_mut().and_then(EventLines::broken);
    let mut watcher = Watcher::start(broken, progress.silencer())?;
    let started = tokio::select! {
        started = engine::start(graph, args, options, sinks) => started,
        reason = watcher.asked_early() => {
            progress.finish();
            tell(&format!("cancelled before anything began ({reason})"));
            return Ok(exit::CANCELLED);
        }
    };
    let handle = match started {
        Ok(handle) => handle,
        Err(error) => {
            progress.finish();
            return Err(start_problem(&error));
        }
    };
    watcher.watch(handle.canceller());
    let report = handle.wait().await;
    progress.finish();
    let written = match lines {
        Some(lines) => Some(lines.finish(&report).await),
        None => None,
    };
    // A reader of the events that went away, as `head` does, is nothing to talk about.
    if written.as_ref().is_some_and(|written| written.as_ref().is_err_and(Problem::is_reader_gone)) {
        return Ok(exit_code(report.state));
    }
    say_end(&report, flags, shown.paint);
    written.unwrap_or_else(|| print_values(&report)).map(|()| exit_code(report.state))
}

fn start_problem(error: &StartError) -> Problem {
    match error {
        StartError::ZeroLimit { .. } | StartError::Arguments { .. } => Problem::Usage(error.to_string()),
        _ => Problem::Store(error.to_string()),
    }
}

fn exit_code(state: RunState) -> u8 {
    match state {
        RunState::Succeeded => exit::SUCCESS,
        RunState::Failed => exit::FAILED,
        RunState::Cancelled => exit::CANCELLED,
    }
}
