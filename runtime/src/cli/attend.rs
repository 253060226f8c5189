//! Watching over a run from its beginning to its exit code: whichever command begins it.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::again::Again;
use super::event_lines::EventLines;
use super::flags::OutputFlags;
use super::problem::Problem;
use super::showing::{print_values, progress_options, say_end};
use super::store::in_full;
use super::ui::Beside;
use super::watcher::Watcher;
use crate::engine::{Remains, RunHandle, StartError};
use crate::event::RunState;
use crate::exit;
use crate::report::logs;
use crate::report::progress::Progress;
use crate::report::screen::tell;
use crate::run::Sink;
use crate::runs::RunsError;
use crate::shape::Shape;
use crate::store::{Standing, Store};

/// Begins a run by `begin`, which is given who is to be told of it, and sees it to its end; leaves the
/// store in order.
pub(super) fn attend<F>(
    store: &Arc<dyn Store>,
    shape: Shape,
    flags: &OutputFlags,
    again: Option<Again>,
    page: Option<Beside>,
    begin: impl FnOnce(Vec<Box<dyn Sink>>) -> F,
) -> Result<u8, Problem>
where
    F: Future<Output = Result<RunHandle, RunsError>>,
{
    super::room::check()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::Store(format!("tokio's runtime cannot start: {error}")))?;
    let ended = runtime.block_on(drive(shape, flags, again, page.as_ref(), begin));
    // Threads that were left behind hold the store as long as the process lives.
    store.tidy();
    leave(runtime);
    let Ended { code, was_asked } = ended?;
    if let Some(page) = page.filter(|_| !was_asked) {
        page.stay()?;
    }
    Ok(code)
}

/// How it ended.
struct Ended {
    code: u8,
    /// Whether somebody at this process asked it to end.
    was_asked: bool,
}

/// Does not wait for threads that were left behind: they end with the process.
fn leave(runtime: Runtime) {
    runtime.shutdown_background();
}

async fn drive<F>(
    shape: Shape,
    flags: &OutputFlags,
    again: Option<Again>,
    page: Option<&Beside>,
    begin: impl FnOnce(Vec<Box<dyn Sink>>) -> F,
) -> Result<Ended, Problem>
where
    F: Future<Output = Result<RunHandle, RunsError>>,
{
    let shown = progress_options(flags);
    let (progress, sink) = Progress::start(Arc::new(shape), shown);
    logs::show(progress.lines(), flags.quiet, shown.paint).map_err(Problem::Usage)?;
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(sink)];
    let mut lines = flags.json.then(|| EventLines::start(&mut sinks));
    let broken = lines.as_mut().and_then(EventLines::broken);
    let mut watcher = Watcher::start(broken, progress.silencer())?;
    let started = tokio::select! {
        started = begin(sinks) => started,
        reason = watcher.asked_early() => {
            progress.finish();
            tell(&format!("cancelled before anything began ({reason})"));
            return Ok(Ended { code: exit::CANCELLED, was_asked: true });
        }
    };
    let handle = match started {
        Ok(handle) => handle,
        Err(error) => {
            progress.finish();
            return Err(problem(&error));
        }
    };
    progress.follow(handle.steps());
    let run = handle.run_id().to_owned();
    if let Some(page) = page {
        tell(&format!("      Page {}", page.address(&format!("/runs/{run}"))));
    }
    let next = |state, has_errors| match &again {
        Some(again) => again.next(&run, Standing::Ended(state), has_errors),
        None => String::new(),
    };
    let watched = watcher.watch(handle.canceller(), next(RunState::Cancelled, false));
    let remains = handle.remains();
    let report = handle.wait().await;
    let was_asked = watched.was_asked();
    drop(watched);
    progress.finish();
    clear_away(remains).await;
    let written = match lines {
        Some(lines) => Some(lines.finish(&report).await),
        None => None,
    };
    // A reader of the events that went away, as `head` does, is nothing to talk about.
    if written.as_ref().is_some_and(|written| written.as_ref().is_err_and(Problem::is_reader_gone)) {
        return Ok(Ended { code: exit_code(report.state), was_asked });
    }
    if let Some(error) = &report.unwritten {
        return Err(Problem::Store(format!("{error}{}", unwritten(again.as_ref(), &run))));
    }
    let next = next(report.state, !report.summary.errors().is_empty());
    say_end(&report, flags, shown.paint, &next);
    match written.unwrap_or_else(|| print_values(&report)) {
        // Whoever looks at the page has the value there.
        Err(problem) if page.is_some() && problem.is_reader_gone() => {}
        written => written?,
    }
    Ok(Ended { code: exit_code(report.state), was_asked })
}

/// Waits for the last of the run's threads, so that its store is closed here and in order, and not by a
/// thread that ends with the process. Those that were left behind are not waited for.
async fn clear_away(remains: Remains) {
    const LONGEST: Duration = Duration::from_millis(200);
    let begun = Instant::now();
    while !remains.are_all() && begun.elapsed() < LONGEST {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// How to go on with a run that could not be recorded any more.
fn unwritten(again: Option<&Again>, run: &str) -> String {
    let Some(again) = again else { return String::new() };
    let command = again.command(&format!("resume {}", again.short(run)));
    format!(
        "\nhelp: what was shown as done is recorded: when the store can be written again, `{command}` goes on"
    )
}

/// What kept a run from beginning, as the command line tells it.
pub(super) fn problem(error: &RunsError) -> Problem {
    let text = error.to_string();
    match error {
        RunsError::Start(StartError::ZeroLimit { .. } | StartError::Arguments { .. })
        | RunsError::Succeeded { .. }
        | RunsError::Argument { .. }
        | RunsError::Select(_)
        | RunsError::Missing { .. } => Problem::Usage(text),
        RunsError::Job(_) | RunsError::NoJob { .. } | RunsError::Changed { .. } => Problem::Program(text),
        RunsError::Store(error) => Problem::Store(in_full(error)),
        _ => Problem::Store(text),
    }
}

fn exit_code(state: RunState) -> u8 {
    match state {
        RunState::Succeeded => exit::SUCCESS,
        RunState::Failed => exit::FAILED,
        RunState::Cancelled => exit::CANCELLED,
    }
}
