//! `GET /api/v1/jobs` and `GET /api/v1/jobs/{job}`: the jobs of the program, and those that only have runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::{Path, State};

use super::convert::seconds;
use super::params::{Pairs, Params};
use super::rows::{bar, job, order};
use super::schema;
use super::types::{Job, JobDetail, JobList, Limits, RunBar, RunStanding};
use crate::cli::again::quoted;
use crate::cli::limits::pool_text;
use crate::cli::problem::unknown;
use crate::define::JobDef;
use crate::graph::Graph;
use crate::options::DEFAULT_MAX_CONCURRENT;
use crate::record::{Facts, ReadError};
use crate::store::RunFilter;
use crate::web::App;
use crate::web::refused::Refused;

/// How many of a job's runs are shown as bars; and of all jobs together, so that a list of many is bounded.
const BARS: usize = 50;
const ALL_BARS: usize = 1_000;

/// How many jobs a list has.
const JOBS: usize = 1_000;

/// Answers the request for all.
pub(crate) async fn list(State(app): State<Arc<App>>, pairs: Pairs) -> Result<Json<JobList>, Refused> {
    Params::of(pairs, &[])?;
    app.blocking(all).await.map(Json)
}

/// Answers the request for one.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    pairs: Pairs,
) -> Result<Json<JobDetail>, Refused> {
    Params::of(pairs, &[])?;
    app.blocking(move |app| detail(app, &name)).await.map(Json)
}

/// The jobs by name.
pub(crate) fn all(app: &App) -> Result<JobList, Refused> {
    let now = SystemTime::now();
    let mut jobs = names(app)?;
    jobs.truncate(JOBS);
    let bars = (ALL_BARS / jobs.len().max(1)).clamp(1, BARS);
    let jobs = jobs.iter().map(|name| short(app, name, job(name), now, bars));
    Ok(JobList { jobs: jobs.collect::<Result<_, _>>()?, now: seconds(now) })
}

/// The names of the jobs that have runs or are in the program.
pub(crate) fn names(app: &App) -> Result<Vec<String>, Refused> {
    let mut names = app.store.jobs()?;
    names.extend(crate::define::jobs().iter().map(|job| job.name.to_owned()));
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

fn short(app: &App, name: &str, def: Option<&JobDef>, now: SystemTime, bars: usize) -> Result<Job, Refused> {
    let filter = RunFilter { job: Some(name.to_owned()), limit: bars, ..RunFilter::default() };
    let rows = app.store.each_run(&filter)?.into_iter().flatten();
    let last: Vec<_> = rows.map(|row| bar(&row, now)).collect();
    Ok(Job {
        name: name.to_owned(),
        doc: def.map(|def| def.doc.trim().to_owned()).unwrap_or_default(),
        at: def.map(|def| format!("{}:{}", def.file, def.line)).unwrap_or_default(),
        median: median(&last),
        last,
    })
}

/// Median of the seconds that those that succeeded took.
fn median(last: &[RunBar]) -> Option<f64> {
    let succeeded = last.iter().filter(|run| run.state == RunStanding::Succeeded);
    let mut took: Vec<_> = succeeded.map(|run| run.took).collect();
    took.sort_by(f64::total_cmp);
    took.get(took.len() / 2).copied()
}

/// A job with what is needed to look at it and to launch it.
pub(crate) fn detail(app: &App, name: &str) -> Result<JobDetail, Refused> {
    match job(name) {
        Some(def) => of_program(app, def),
        None => of_store(app, name),
    }
}

fn of_program(app: &App, def: &'static JobDef) -> Result<JobDetail, Refused> {
    let graph = crate::check::build(def).map_err(|error| Refused::broken(error.to_string()))?;
    Ok(JobDetail {
        job: short(app, def.name, Some(def), SystemTime::now(), BARS)?,
        schema: schema::of(def),
        order: def.args.iter().map(|arg| arg.name.to_owned()).collect(),
        command: app.again().command(&format!("run {}", quoted(def.name))),
        limits: limits(def),
        pools: pools(&graph),
        graph: app.drawings.of(&graph.shape()),
    })
}

/// What limits are where nothing is said.
fn limits(def: &JobDef) -> Limits {
    let options = &def.options;
    Limits {
        max_concurrent: Some(options.max_concurrent.unwrap_or(DEFAULT_MAX_CONCURRENT)),
        order: Some(order(options.order.unwrap_or_default()).to_owned()),
        fail_fast: Some(options.fail_fast),
        pools: options.pools.iter().map(|(name, limit)| ((*name).to_owned(), pool_text(*limit))).collect(),
    }
}

/// The pools that steps count against, and their limits; empty for one that has none.
fn pools(graph: &Graph) -> BTreeMap<String, String> {
    let used = graph.nodes.iter().filter_map(|node| node.options.pool.as_deref());
    let mut pools: BTreeMap<_, _> = used.map(|name| (name.to_owned(), String::new())).collect();
    pools.extend(limits(graph.job).pools);
    pools
}

/// A job that the program does not have: as its newest run has it, and not to be launched.
fn of_store(app: &App, name: &str) -> Result<JobDetail, Refused> {
    let newest = RunFilter { job: Some(name.to_owned()), limit: 1, ..RunFilter::default() };
    let Some(row) = app.store.runs(&newest)?.into_iter().next() else {
        let names = names(app)?;
        let none = "the program has none, and the store has runs of none";
        let error = unknown("job", name, names.iter().map(String::as_str), none);
        return Err(Refused::not_found(error, "the list of jobs is at `/jobs`"));
    };
    let facts = Facts::read(&row.id, &row.facts).map_err(ReadError::from)?;
    Ok(JobDetail {
        job: short(app, name, None, SystemTime::now(), BARS)?,
        schema: serde_json::json!({ "type": "object", "properties": {} }),
        order: Vec::new(),
        command: String::new(),
        limits: Limits::default(),
        pools: BTreeMap::new(),
        graph: app.drawings.of(&facts.shape),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RunState;
    use crate::web::api::rows::size;
    use crate::web::fixture::{Given, app, entered};

    #[test]
    fn jobs_of_the_program_and_of_the_store_are_listed() {
        let gone = Given { job: "gone".to_owned(), ..Given::new("aaaa0") };
        let bad = Given { state: Some(RunState::Failed), ..Given::new("bbbb0") };
        let list = all(&app(entered([gone, bad]))).unwrap();
        let jobs: Vec<_> = list.jobs.iter().map(|job| (job.name.as_str(), job.at.as_str())).collect();
        assert_eq!(jobs, [("gone", ""), ("letters", "jobs.rs:7")]);
        assert_eq!(list.jobs.iter().map(|job| job.last.len()).collect::<Vec<_>>(), [1, 1]);
        assert_eq!((list.jobs[0].median, list.jobs[1].median), (Some(0.0), None));
    }

    #[test]
    fn a_list_of_many_jobs_with_many_runs_is_bounded() {
        let runs =
            (0..4_000).map(|n| Given { job: format!("job_{}", n % 900), ..Given::new(&format!("r{n:07}")) });
        let list = all(&app(entered(runs))).unwrap();
        assert!(list.jobs.len() == 901 && list.jobs.iter().all(|job| job.last.len() <= 1));
        assert!(size(&list) < 256 << 10);
    }

    #[test]
    fn a_job_of_the_program_can_be_launched_and_one_of_the_store_cannot() {
        let app = app(entered([Given { job: "gone".to_owned(), ..Given::new("aaaa0") }]));
        let letters = detail(&app, "letters").unwrap();
        assert_eq!(
            (letters.command.as_str(), letters.order.join(" ")),
            ("letters run letters --store memory", "from to".to_owned())
        );
        assert_eq!(letters.pools, BTreeMap::from([("api".to_owned(), String::new())]));
        assert_eq!(letters.limits.max_concurrent, Some(DEFAULT_MAX_CONCURRENT));
        let gone = detail(&app, "gone").unwrap();
        assert!(gone.command.is_empty() && gone.job.at.is_empty() && gone.job.last.len() == 1);
        let refused = detail(&app, "leters").unwrap_err();
        assert_eq!(
            (refused.status.as_u16(), refused.error.as_str()),
            (404, "unknown job `leters`: did you mean `letters`?")
        );
    }

    #[test]
    fn the_median_is_of_those_that_succeeded() {
        let run = |took, state| RunBar { id: String::new(), state, started: 0.0, took };
        let good = RunStanding::Succeeded;
        assert_eq!(
            median(&[run(9.0, good), run(1.0, good), run(5.0, good), run(70.0, RunStanding::Failed)]),
            Some(5.0)
        );
        assert_eq!(median(&[run(9.0, RunStanding::Failed)]), None);
    }
}
