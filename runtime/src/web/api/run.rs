//! `GET /api/v1/runs/{id}`: everything on a run but its single steps.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::{Path, State};

use super::convert::{ERROR_BYTES, Running, failure_group, op_now, running, seconds, step_counts};
use super::params::{Pairs, Params};
use super::rows::{Rows, WHOLE, cut, find, job, order, size, summed};
use super::types::{Commands, FailureGroup, Op, RunDetail, RunLink, Slow};
use crate::cli::limits::pool_text;
use crate::define::OpDef;
use crate::record::facts::RunFacts;
use crate::record::{Facts, Reader};
use crate::report::layout::{Layout, Place};
use crate::shape::{Shape, ShapeKind};
use crate::store::{RunFilter, RunRow, Standing};
use crate::summary::Summary;
use crate::web::App;
use crate::web::refused::Refused;

/// How many groups of failures an answer has, and how many bytes of them: an error may have long causes.
const FAILURES: usize = 50;
const FAILURE_BYTES: usize = 96 << 10;

/// How many reruns an answer names.
const CHILDREN: usize = 20;

/// Answers the request.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    pairs: Pairs,
) -> Result<Json<RunDetail>, Refused> {
    Params::of(pairs, &[])?;
    app.blocking(move |app| detail(app, &id)).await.map(Json)
}

/// Everything on a run but its single steps; `id` is its id, or the beginning of it.
pub(crate) fn detail(app: &App, id: &str) -> Result<RunDetail, Refused> {
    let row = find(app, id)?;
    summed(app, &row, |reader, summary, seq| told(app, reader, summary, seq))?
}

fn told(app: &App, reader: &Reader, summary: &Summary, seq: u64) -> Result<RunDetail, Refused> {
    let (row, facts) = (reader.row(), reader.facts());
    let now = SystemTime::now();
    let shape = &facts.shape;
    let mut rows = Rows::new(app, now);
    let steps = step_counts(row.standing, |state| summary.total(shape, state));
    let run = rows.counted(row, steps, WHOLE);
    let running = running(summary, shape, row.standing);
    let (failures, other_failures) = failures(summary, shape);
    let slow = |slow: &crate::summary::SlowStep| Slow {
        step: slow.step.name(shape).to_string(),
        took: slow.took.as_secs_f64(),
    };
    Ok(RunDetail {
        seq,
        now: seconds(now),
        elapsed: summary.elapsed().as_secs_f64(),
        sessions: summary.sessions(),
        cancelling: summary.cancelling().map(|reason| cut(reason, ERROR_BYTES)),
        holder: row.holder.clone(),
        secrets: facts.secrets.clone(),
        limits: limits(&facts.options),
        children: children(app, &rows, row)?,
        ops: ops(facts, summary, row.standing, &running),
        failures,
        other_failures,
        slowest: summary.slowest().iter().map(slow).collect(),
        commands: commands(app, &run.short),
        has_job: job(&row.job).is_some(),
        running: running.longest,
        run,
    })
}

/// The limits that a run is under, as they would be given.
fn limits(facts: &RunFacts) -> BTreeMap<String, String> {
    let mut limits = BTreeMap::from([
        ("max_concurrent".to_owned(), facts.max_concurrent.to_string()),
        ("order".to_owned(), order(facts.order).to_owned()),
        ("fail_fast".to_owned(), facts.fail_fast.to_string()),
    ]);
    let pools = facts.pools.iter();
    limits.extend(pools.map(|(name, limit)| (format!("pool {name}"), pool_text(*limit))));
    let tags = facts.tag_limits.iter();
    limits.extend(tags.map(|(name, value, max)| (format!("tag {name}:{value}"), max.to_string())));
    limits
}

/// The newest reruns of a run. One that is damaged is left out: the list of runs tells of it.
fn children(app: &App, rows: &Rows<'_>, row: &RunRow) -> Result<Vec<RunLink>, Refused> {
    let filter = RunFilter { parent: Some(row.id.clone()), limit: CHILDREN, ..RunFilter::default() };
    Ok(app.store.each_run(&filter)?.into_iter().flatten().map(|child| rows.link(&child)).collect())
}

/// The ops of a run, in the order in which they are shown.
fn ops(facts: &Facts, summary: &Summary, run: Standing, running: &Running) -> Vec<Op> {
    let known: HashMap<_, _> =
        crate::define::ops().into_iter().map(|op| (format!("{}::{}", op.module, op.function), op)).collect();
    let pools: HashMap<_, _> = facts.options.pools.iter().map(|(name, limit)| (name, *limit)).collect();
    let op = |place: &Place| {
        let node = facts.shape.node(place.node);
        let limit = |pool: &String| match pools.get(pool) {
            Some(limit) => format!("{pool} {}", pool_text(*limit)),
            None => pool.clone(),
        };
        Op {
            node: place.node.0,
            name: node.name.to_string(),
            kind: kind(node.kind).to_owned(),
            depth: u32::try_from(place.depth).unwrap_or(u32::MAX),
            first: place.first,
            doc: known.get(&node.op).map(|op: &&OpDef| op.doc.trim().to_owned()).unwrap_or_default(),
            pool: node.pool.as_ref().map(limit),
            max_retries: node.retries,
            now: op_now(summary, place.node, run, running),
        }
    };
    Layout::of(&facts.shape).places().iter().map(op).collect()
}

fn kind(kind: ShapeKind) -> &'static str {
    match kind {
        ShapeKind::Fold => "fold",
        ShapeKind::Zip => "zip",
        ShapeKind::Op | ShapeKind::Collect | ShapeKind::Results | ShapeKind::Held => "op",
    }
}

/// The failures by cause, those of most steps first, and how many are in no group of the answer.
fn failures(summary: &Summary, shape: &Shape) -> (Vec<FailureGroup>, u64) {
    let mut groups: Vec<_> = summary.errors().iter().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    let mut room = FAILURE_BYTES;
    let told = groups.iter().take(FAILURES).map_while(|group| {
        let told = failure_group(group, shape, ERROR_BYTES);
        room = room.checked_sub(size(&told))?;
        Some(told)
    });
    let told: Vec<_> = told.collect();
    let others: u64 = groups.iter().skip(told.len()).map(|group| group.count).sum();
    (told, others + summary.ungrouped_errors())
}

/// What the buttons of a run do, as command lines.
fn commands(app: &App, run: &str) -> Commands {
    let again = app.again();
    let command = |word: &str| again.command(&format!("{word} {run}"));
    Commands {
        show: command("show"),
        resume: command("resume"),
        rerun: command("rerun"),
        cancel: command("cancel"),
        logs: command("logs"),
        export: command("export"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::OpError;
    use crate::event::EventKind;
    use crate::report::fixture;
    use crate::web::api::recording::Recording;
    use crate::web::fixture::{Given, app, entered, failed};

    #[test]
    fn a_run_is_told_with_its_ops_in_order_and_its_failures_by_cause() {
        let detail = detail(&app(failed("7k2mabcd")), "7k2m").unwrap();
        let ops: Vec<_> = detail.ops.iter().map(|op| (op.name.as_str(), op.depth, op.first)).collect();
        let expected =
            [("load_pieces", 0, false), ("clean", 1, true), ("compute_piece", 1, false), ("merge", 0, false)];
        assert_eq!(ops, expected);
        assert_eq!((detail.run.steps.succeeded, detail.run.steps.failed, detail.seq), (6, 1, 1));
        let compute = &detail.ops[2];
        assert_eq!(
            (compute.pool.as_deref(), compute.max_retries, compute.now.counts.failed),
            (Some("api"), 2, 1)
        );
        let [group] = detail.failures.as_slice() else { panic!("{:?}", detail.failures) };
        assert_eq!((group.op.as_str(), group.count, detail.other_failures), ("compute_piece", 1, 0));
        assert_eq!(detail.commands.resume, "letters resume 7k2m --store memory");
        assert!(detail.has_job && detail.running.is_empty() && detail.children.is_empty());
    }

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Long(String, #[source] Option<Box<Self>>);

    #[test]
    fn failures_with_long_causes_are_bounded_and_the_others_are_counted() {
        let shape = fixture::shape();
        let mut summary = Summary::new(&shape);
        for n in 0..60 {
            let cause = (0..9).fold(None, |cause, _| Some(Box::new(Long("y".repeat(9_000), cause))));
            let name = format!("{} {}", "a".repeat(n), "x".repeat(9_000));
            let step = fixture::step(&shape, "compute_piece", Some((&format!("k{n}"), n as u32 + 1)));
            let mut event = fixture::failed(step, 900, 20, "");
            if let EventKind::StepFailed { error, .. } = &mut event.kind {
                *error = Arc::new(OpError::from_error(&Long(name, cause)));
            }
            summary.apply(&shape, &[event]);
        }
        let (told, others) = failures(&summary, &shape);
        assert!(told.len() > 5 && size(&told) < 128 << 10, "{} {}", told.len(), size(&told));
        assert_eq!(told.len() as u64 + others, 60);
    }

    #[test]
    fn a_long_reason_of_a_cancel_is_cut() {
        let mut recording = Recording::new(&fixture::shape(), |_| ());
        let kind = EventKind::RunCancelling { reason: "é".repeat(9_000) };
        recording.tell([fixture::run_started(), fixture::at(5, kind)]).commit();
        let told = detail(&app(Arc::clone(&recording.store) as _), "7k2m").unwrap();
        assert!(told.cancelling.is_some_and(|reason| reason.len() <= ERROR_BYTES + "…".len()));
    }

    #[test]
    fn a_run_is_found_by_the_beginning_of_its_id_or_refused_in_words() {
        let app = app(entered(["aaaa0", "aaab0"].map(Given::new)));
        assert_eq!(detail(&app, "AAAA").unwrap().run.id, "aaaa0");
        assert_eq!(detail(&app, "last").unwrap().run.id, "aaab0");
        let refused = |id: &str| {
            let refused = detail(&app, id).unwrap_err();
            (refused.status.as_u16(), refused.error.lines().next().unwrap_or_default().to_owned())
        };
        let several = "the ids of several runs begin with `aa`: write more of the one you mean";
        assert_eq!(refused("aa"), (404, several.to_owned()));
        assert!(refused("zzzz").1.starts_with("no run's id begins with `zzzz`"));
    }

    #[test]
    fn reruns_of_a_run_are_told_newest_first() {
        let rerun = |id: &str| Given { parent: Some("aaaa0".to_owned()), ..Given::new(id) };
        let many = (0..30).map(|n| rerun(&format!("r{n:04}")));
        let app = app(entered([Given::new("aaaa0")].into_iter().chain(many)));
        let children = detail(&app, "aaaa0").unwrap().children;
        assert_eq!((children.len(), children[0].id.as_str()), (CHILDREN, "r0029"));
        assert_eq!(detail(&app, "r0001").unwrap().run.parent.unwrap().short, "aaaa");
    }

    #[test]
    fn limits_are_told_as_they_are_given() {
        let api = crate::options::PoolLimit { max: Some(3), rate: None };
        let facts = RunFacts {
            max_concurrent: 8,
            pools: vec![("api".to_owned(), api)],
            tag_limits: vec![("team".to_owned(), "red".to_owned(), 2)],
            ..RunFacts::default()
        };
        let limits = limits(&facts).into_iter().map(|(name, limit)| format!("{name}={limit}"));
        let expected =
            ["fail_fast=false", "max_concurrent=8", "order=depth_first", "pool api=3", "tag team:red=2"];
        assert_eq!(limits.collect::<Vec<_>>(), expected);
    }
}
