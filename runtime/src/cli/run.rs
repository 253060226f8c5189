//! `run`: a new run of a job.

use std::sync::Arc;

use clap::{ArgMatches, FromArgMatches as _};

use super::MoreSinks;
use super::again::Again;
use super::attend::attend;
use super::config::Config;
use super::flags::RunFlags;
use super::options::run_options;
use super::problem::Problem;
use super::prompt::prompt;
use super::ui::Beside;
use super::values::{Sources, json_arguments, values};
use crate::define::JobDef;
use crate::graph::Graph;
use crate::report::paint::Paint;
use crate::report::screen::tell;
use crate::runs::{Begin, Runs};

/// Runs a job.
pub(super) fn run(
    program: &str,
    job: &'static JobDef,
    matches: &ArgMatches,
    more: MoreSinks<'_>,
) -> Result<u8, Problem> {
    let flags = RunFlags::from_arg_matches(matches)?;
    let graph = checked_graph(job)?;
    let config = match &flags.config {
        Some(path) => Config::read(path, job)?,
        None => Config::default(),
    };
    warn_of_aborts(job);
    let json = flags.args.as_deref().map(|text| json_arguments(text, job)).transpose()?.unwrap_or_default();
    let sources = Sources { matches, environment: &environment, json, config: &config, prompt: prompt() };
    let args = values(job, &sources)?;
    let options = run_options(&graph, &flags.limits, &config)?;
    let store = flags.store.writing()?;
    let again = Again::new(program, &flags.store, &store);
    let page = Beside::start(flags.output.ui, program, &flags.store, &store)?;
    let runs = Runs::of(Arc::clone(&store));
    attend(&store, graph.shape(), &flags.output, again, page, |mut sinks| async move {
        sinks.extend(more());
        runs.begin(
            graph,
            args,
            Begin { options, sinks, tags: flags.tag, id: flags.run_id, ..Begin::default() },
        )
        .await
    })
}

/// What the environment says.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Says so if the program cannot outlive a panic.
pub(super) fn warn_of_aborts(job: &JobDef) {
    if job.panic_aborts {
        let warning = Paint::for_stderr().warn("warning:");
        tell(&format!(
            "{warning} this program is built with `panic = \"abort\"`: a panic in a step ends all of it"
        ));
    }
}

/// The job's graph; all other jobs are checked, too, so that a broken one is not found out late.
fn checked_graph(job: &'static JobDef) -> Result<Arc<Graph>, Problem> {
    let program = |error: &dyn std::fmt::Display| Problem::Program(error.to_string());
    crate::check_all_jobs().map_err(|errors| program(&errors))?;
    crate::check::build(job).map(Arc::new).map_err(|error| program(&error))
}
