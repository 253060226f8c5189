//! `run`: from a command line to a run, and from its report to an exit code.

use std::io;
use std::io::IsTerminal as _;
use std::sync::Arc;

use clap::{ArgMatches, FromArgMatches as _};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::config::Config;
use super::flags::{OutputFlags, ProgressFlag, RunFlags};
use super::options::run_options;
use super::output::{Stdout, print};
use super::problem::Problem;
use super::signals::Signals;
use super::values::{Sources, json_arguments, values};
use crate::define::JobDef;
use crate::engine::{self, Canceller};
use crate::event::{Event, RunState};
use crate::exit;
use crate::graph::Graph;
use crate::report::JsonLines;
use crate::report::closing::{closing, state_line};
use crate::report::json::results;
use crate::report::lines::StatusLevel;
use crate::report::logs;
use crate::report::paint::Paint;
use crate::report::progress::{Form, Progress, ProgressOptions};
use crate::report::screen::tell;
use crate::report::words::pretty_json;
use crate::run::{RunOptions, RunReport, Sink};
use crate::value::AnyValue;

/// Runs a job.
pub(super) fn run(job: &'static JobDef, matches: &ArgMatches) -> Result<u8, Problem> {
    let flags = RunFlags::from_arg_matches(matches)?;
    let graph = checked_graph(job)?;
    let config = match &flags.config {
        Some(path) => Config::read(path, job)?,
        None => Config::default(),
    };
    let json = flags.args.as_deref().map(|text| json_arguments(text, job)).transpose()?.unwrap_or_default();
    let environment = |name: &str| std::env::var(name).ok();
    let args = values(job, &Sources { matches, environment, json, config: &config })?;
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
    let signals =
        Signals::listen().map_err(|error| Problem::Store(format!("cannot listen to signals: {error}")))?;
    let shown = progress_options(flags);
    let (progress, sink) = Progress::start(Arc::clone(&graph), shown);
    logs::show(progress.lines(), flags.quiet, shown.paint).map_err(Problem::Usage)?;
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(sink)];
    let mut lines = None;
    let mut stdout_broken = None;
    if flags.json {
        let (stdout, broken) = Stdout::start();
        let (sink, back) = Returned::new(JsonLines::new(stdout));
        sinks.push(Box::new(sink));
        (lines, stdout_broken) = (Some(back), Some(broken));
    }
    let handle = match engine::start(graph, args, options, sinks).await {
        Ok(handle) => handle,
        Err(error) => {
            progress.finish();
            return Err(start_problem(&error));
        }
    };
    let watched = Watched { canceller: handle.canceller(), stdout_broken, silence: progress.silencer() };
    let watcher = tokio::spawn(watch(watched, signals));
    let report = handle.wait().await;
    watcher.abort();
    progress.finish();
    let written = match lines {
        Some(lines) => Some(write_last_line(lines, &report).await),
        None => None,
    };
    if written.as_ref().is_some_and(reader_is_gone) {
        return Ok(exit_code(report.state));
    }
    say_end(&report, flags, shown.paint);
    written.unwrap_or_else(|| print_values(&report)).map(|()| exit_code(report.state))
}

/// What the watcher of a run has to do with.
struct Watched<S> {
    canceller: Canceller,
    stdout_broken: Option<oneshot::Receiver<io::ErrorKind>>,
    /// Makes progress silent.
    silence: S,
}

/// Cancels the run when somebody asks for it: gracefully at first, then at once. A run whose events
/// nobody can read is cancelled, too.
async fn watch(watched: Watched<impl FnOnce()>, mut signals: Signals) {
    let Watched { canceller, stdout_broken, silence } = watched;
    let broken = async {
        match stdout_broken {
            Some(broken) => match broken.await {
                Ok(why) => why,
                // The writer of a run that ends well goes away without a word.
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        asked = signals.next() => canceller.cancel(asked.reason()),
        why = broken => {
            if why == io::ErrorKind::BrokenPipe {
                silence();
            }
            canceller.cancel("its events cannot be written to stdout");
        }
    }
    let again = signals.next().await;
    canceller.cancel_now(again.reason());
    signals.next().await;
    // The engine does not answer: the process is all that is left to end.
    std::process::exit(i32::from(exit::CANCELLED));
}

/// Whether a reader of stdout went away, as `head` does: no error, and nothing to talk about.
fn reader_is_gone(written: &Result<(), Problem>) -> bool {
    matches!(written, Err(Problem::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe)
}

fn start_problem(error: &engine::StartError) -> Problem {
    match error {
        engine::StartError::ZeroLimit { .. } | engine::StartError::Arguments { .. } => {
            Problem::Usage(error.to_string())
        }
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

/// What is shown while the job runs.
fn progress_options(flags: &OutputFlags) -> ProgressOptions {
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

/// Says on stderr how the run ended.
fn say_end(report: &RunReport, flags: &OutputFlags, paint: Paint) {
    let RunReport { summary, graph, state, elapsed, .. } = report;
    if !flags.quiet {
        tell(&closing(summary, graph, *state, *elapsed, paint));
    } else if *state != RunState::Succeeded {
        tell(&state_line(summary, graph, *state, *elapsed, paint));
    }
}

/// Prints what the job gave: a text as it is, anything else as JSON.
fn print_values(report: &RunReport) -> Result<(), Problem> {
    let values: Vec<String> = results(report).flatten().collect();
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

/// A sink that comes back when the run is over, for the last line.
struct Returned<S> {
    sink: Option<S>,
    back: Option<oneshot::Sender<S>>,
}

impl<S> Returned<S> {
    fn new(sink: S) -> (Self, oneshot::Receiver<S>) {
        let (back, receiver) = oneshot::channel();
        (Self { sink: Some(sink), back: Some(back) }, receiver)
    }
}

impl<S: Sink> Sink for Returned<S> {
    fn events(&mut self, graph: &Graph, events: &[Event]) {
        if let Some(sink) = &mut self.sink {
            sink.events(graph, events);
        }
    }
}

impl<S> Drop for Returned<S> {
    fn drop(&mut self) {
        if let (Some(sink), Some(back)) = (self.sink.take(), self.back.take()) {
            let _ = back.send(sink);
        }
    }
}

/// Writes the last line.
async fn write_last_line(
    lines: oneshot::Receiver<JsonLines<Stdout>>,
    report: &RunReport,
) -> Result<(), Problem> {
    let gone = |_| Problem::Output(io::Error::other("the thread that writes events is gone"));
    let lines = lines.await.map_err(gone)?;
    let stdout = lines.result(report);
    stdout.and_then(Stdout::finish).map_err(Problem::Output)
}
