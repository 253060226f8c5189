//! `resume` and `rerun`: a run that goes on, and a new one that takes from another what it needs.

use std::sync::Arc;

use clap::{ArgAction, Args};

use super::MoreSinks;
use super::again::Again;
use super::attend::{attend, problem};
use super::config::Config;
use super::flags::{LimitFlags, OutputFlags};
use super::options::run_options;
use super::output;
use super::problem::Problem;
use super::prompt::{Prompt, prompt};
use super::run::{environment, warn_of_aborts};
use super::store::StoreFlags;
use super::ui::Beside;
use super::values::{Environment, secrets};
use super::which::which;
use crate::define::JobDef;
use crate::exit;
use crate::report::screen::tell;
use crate::report::words::counted;
use crate::runs::{Begin, Rerun, Runs, RunsError};
use crate::select::Expr;
use crate::store::RunRow;

/// The flags of `resume`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The run: the beginning of its id, or `last` [default: last]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Take the run from a process that lives, but has not moved for ten seconds
    #[arg(long)]
    take_over: bool,
    /// Run steps again that were found to kill the process
    #[arg(long)]
    retry_poison: bool,
    #[command(flatten)]
    pub(super) limits: LimitFlags,
    #[command(flatten)]
    store: StoreFlags,
    #[command(flatten)]
    output: OutputFlags,
}

/// Goes on with a run.
pub(super) fn resume(program: &str, flags: Flags, more: MoreSinks<'_>) -> Result<u8, Problem> {
    let store = flags.store.existing()?;
    let again = Again::new(program, &flags.store, &store);
    let row = which(&store, flags.run.as_deref())?;
    let runs = Runs::of(Arc::clone(&store));
    let facts = runs.facts(&row.id).map_err(|error| problem(&error))?;
    let job = job_of(&row)?;
    warn_of_aborts(job);
    let begin = begin(job, &flags.limits, &environment, prompt())?;
    let begin = Begin { take_over: flags.take_over, retry_poison: flags.retry_poison, ..begin };
    let page = Beside::start(flags.output.ui, program, &flags.store, &store)?;
    attend(&store, facts.shape, &flags.output, again, page, |mut sinks| async move {
        sinks.extend(more());
        runs.resume(&row.id, Begin { sinks, ..begin }).await
    })
}

/// The flags of `rerun`.
#[derive(Debug, Args)]
pub(super) struct RerunFlags {
    /// The run: the beginning of its id, or `last` [default: last]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// The steps that run: `op`, `op[key]`, `+x` and `x+` with what it reads and what reads it, `*x` and
    /// `x*` with all before and all after; several with commas [default: all]
    #[arg(long, value_name = "EXPR", action = ArgAction::Append)]
    pub(super) select: Vec<String>,
    /// Only say how many steps would run
    #[arg(long)]
    dry_run: bool,
    /// A tag of the new run (name=value); repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::limits::run_tag)]
    tag: Vec<(String, String)>,
    /// The id of the new run, for whoever begins it and waits for it
    #[arg(long, value_name = "ID", hide = true)]
    run_id: Option<String>,
    #[command(flatten)]
    pub(super) limits: LimitFlags,
    #[command(flatten)]
    store: StoreFlags,
    #[command(flatten)]
    output: OutputFlags,
}

/// Makes a new run of selected steps.
pub(super) fn rerun(program: &str, flags: RerunFlags, more: MoreSinks<'_>) -> Result<u8, Problem> {
    let store = flags.store.existing()?;
    let again = Again::new(program, &flags.store, &store);
    let row = which(&store, flags.run.as_deref())?;
    let runs = Runs::of(Arc::clone(&store));
    let expr = expression(&flags.select).map_err(|error| Problem::Usage(error.to_string()))?;
    let rerun = runs.plan_rerun(&row.id, expr.as_ref()).map_err(|error| problem(&error))?;
    if flags.dry_run {
        output::print(format!("{}\n", said(&rerun)).as_bytes())?;
        return Ok(exit::SUCCESS);
    }
    if !flags.output.quiet {
        tell(&said(&rerun));
    }
    let job = job_of(&row)?;
    warn_of_aborts(job);
    let begin = begin(job, &flags.limits, &environment, prompt())?;
    let begin = Begin { tags: flags.tag, id: flags.run_id, ..begin };
    let page = Beside::start(flags.output.ui, program, &flags.store, &store)?;
    attend(&store, rerun.shape(), &flags.output, again, page, |mut sinks| {
        sinks.extend(more());
        rerun.start(Begin { sinks, ..begin })
    })
}

/// The job of a run, if the program still has it.
pub(super) fn job_of(run: &RunRow) -> Result<&'static JobDef, Problem> {
    super::jobs::check_registry()?;
    crate::define::jobs()
        .into_iter()
        .find(|job| job.name == run.job)
        .ok_or_else(|| problem(&RunsError::NoJob { run: run.id.clone(), job: run.job.clone() }))
}

pub(super) fn expression(select: &[String]) -> Result<Option<Expr>, crate::select::SelectError> {
    if select.is_empty() { Ok(None) } else { select.join(",").parse().map(Some) }
}

/// How many steps would run.
pub(crate) fn said(rerun: &Rerun) -> String {
    let now = rerun.count();
    let or_more = if now.unknown { ", more or fewer if there are other keys," } else { "" };
    let reused = match now.reused {
        0 => String::new(),
        reused => format!("; {} taken from {}", counted(reused, "step", "steps"), rerun.parent()),
    };
    format!("{}{or_more} would run{reused}", counted(now.runs, "step", "steps"))
}

/// How a run goes on, or is run again.
pub(super) fn begin(
    job: &'static JobDef,
    limits: &LimitFlags,
    environment: Environment<'_>,
    prompt: Option<Prompt>,
) -> Result<Begin, Problem> {
    let graph = crate::check::build(job).map_err(|error| Problem::Program(error.to_string()))?;
    let options = run_options(&graph, limits, &Config::default())?;
    let secrets = secrets(job, environment, prompt)?;
    Ok(Begin { options, secrets, ..Begin::default() })
}
