//! `show RUN --steps`: the steps that ended, a page at a time.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{View, pretty};
use crate::cli::columns::columns;
use crate::cli::problem::{Problem, unknown};
use crate::event::StepState;
use crate::record::reader::{StepFilter, StepRow};
use crate::report::paint::Paint;
use crate::report::words::{clock, duration};
use crate::shape::Shape;
use crate::text::safe;

/// How much of an error a row has.
const MAX_ERROR: usize = 100;

/// Which steps are listed.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Steps")]
pub(in crate::cli) struct ListFlags {
    /// List the steps that ended, in the order of their ends
    #[arg(long)]
    pub(super) steps: bool,
    /// Steps of this op
    #[arg(long, value_name = "NAME", requires = "steps")]
    op: Option<String>,
    /// Steps that stand so
    #[arg(long, value_name = "STATE", requires = "steps")]
    state: Option<StateFlag>,
    /// Steps with a key that begins so
    #[arg(long, value_name = "PREFIX", requires = "steps")]
    key: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, requires = "steps", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    limit: u64,
    /// Which page of so many
    #[arg(long, value_name = "N", default_value_t = 1, requires = "steps", value_parser = clap::value_parser!(u64).range(1..))]
    page: u64,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StateFlag {
    /// It runs
    Running,
    /// It gave its value
    Succeeded,
    /// Its last attempt failed
    Failed,
    /// Something that it needs failed
    UpstreamFailed,
    /// Something that it needs gave nothing
    Skipped,
    /// The run was stopped before it could end
    Cancelled,
}

impl From<StateFlag> for StepState {
    fn from(state: StateFlag) -> Self {
        match state {
            StateFlag::Running => Self::Running,
            StateFlag::Succeeded => Self::Succeeded,
            StateFlag::Failed => Self::Failed,
            StateFlag::UpstreamFailed => Self::UpstreamFailed,
            StateFlag::Skipped => Self::Skipped,
            StateFlag::Cancelled => Self::Cancelled,
        }
    }
}

/// The steps that were asked for.
pub(super) fn list(view: &View<'_>, flags: &ListFlags, json: bool) -> Result<String, Problem> {
    let shape = view.reader.shape();
    let filter = StepFilter {
        nodes: flags.op.as_deref().map(|op| nodes(shape, op)).transpose()?.unwrap_or_default(),
        state: flags.state.map(Into::into),
        key: flags.key.clone(),
    };
    if flags.state == Some(StateFlag::Running) {
        return Ok(running(view, &filter, flags.limit, json));
    }
    let limit = usize::try_from(flags.limit).unwrap_or(usize::MAX);
    let skip = (flags.page - 1).saturating_mul(flags.limit);
    let page = view.reader.steps(&filter, skip, limit)?;
    if json {
        let steps: Vec<_> = page.steps.iter().map(|row| row_json(shape, row)).collect();
        return Ok(pretty(&json!({
            "version": 1, "run": view.reader.row().id, "page": flags.page, "more": page.more, "steps": steps,
        })));
    }
    let mut text = table(shape, &page.steps, view.paint);
    if page.steps.is_empty() {
        text = "no such steps\n".to_owned();
    }
    if page.more {
        text.push_str(&format!("… and more: --page {}\n", flags.page + 1));
    }
    Ok(text)
}

/// The nodes of an op's name; those of a sub-graph, if it is one.
fn nodes(shape: &Shape, op: &str) -> Result<Vec<crate::graph::NodeId>, Problem> {
    let inside = format!("{op}.");
    let is_meant = |name: &str| name == op || name.starts_with(&inside);
    let nodes: Vec<_> = shape.steps().filter(|node| is_meant(&shape.node(*node).name)).collect();
    if nodes.is_empty() {
        let known = shape.steps().map(|node| &*shape.node(node).name);
        let known: Vec<_> = known.collect();
        let none = format!("job `{}` has no steps", shape.job);
        return Err(Problem::Usage(unknown("op", &safe(op), known, &none)));
    }
    Ok(nodes)
}

fn table(shape: &Shape, steps: &[StepRow], paint: Paint) -> String {
    let mut rows = vec![["ended", "state", "took", "step", ""].map(|title| paint.dim(title)).to_vec()];
    for row in steps {
        let name = safe(&row.step.name(shape).to_string()).into_owned();
        let took = row.attempt.map_or_else(|| "-".to_owned(), |(_, _, took)| duration(took));
        rows.push(vec![clock(row.at), state(row.state, paint), took, name, note(shape, row)]);
    }
    columns(&rows)
}

/// How a step stands, in its colour.
pub(super) fn state(state: StepState, paint: Paint) -> String {
    match state {
        StepState::Succeeded => paint.good(state.words()),
        StepState::Failed => paint.bad(state.words()),
        StepState::Cancelled => paint.warn(state.words()),
        _ => state.words().to_owned(),
    }
}

fn note(shape: &Shape, row: &StepRow) -> String {
    let mut notes = Vec::new();
    if let Some((attempt @ 2.., ..)) = row.attempt {
        notes.push(format!("attempt {attempt}"));
    }
    if row.reused {
        notes.push("reused".to_owned());
    }
    if let Some(error) = &row.error {
        let error = error.to_string();
        let line = error.lines().next().unwrap_or_default();
        notes.push(console::truncate_str(&safe(line), MAX_ERROR, "…").into_owned());
    }
    if let Some(cause) = &row.cause {
        notes.push(format!("as {} failed", safe(&cause.name(shape).to_string())));
    }
    notes.join(", ")
}

fn row_json(shape: &Shape, row: &StepRow) -> Value {
    json!({
        "step": row.step.name(shape).to_string(),
        "op": shape.node(row.step.node).name,
        "state": row.state,
        "at": row.at.as_secs_f64(),
        "attempt": row.attempt.map(|(attempt, ..)| attempt),
        "started": row.attempt.map(|(_, started, _)| started.as_secs_f64()),
        "took": row.attempt.map(|(.., took)| took.as_secs_f64()),
        "reused": row.reused,
        "error": row.error.as_deref(),
        "cause": row.cause.as_ref().map(|cause| cause.name(shape).to_string()),
    })
}

/// The steps that run now and whose start was told, longest first.
fn running(view: &View<'_>, filter: &StepFilter, limit: u64, json: bool) -> String {
    let (shape, summary) = (view.reader.shape(), view.summary);
    let begins =
        |key: &crate::Key| filter.key.as_ref().is_none_or(|prefix| key.to_string().starts_with(prefix));
    let mut running = summary.running(usize::MAX);
    running.retain(|running| {
        let keys = running.step.path.keys();
        (filter.nodes.is_empty() || filter.nodes.contains(&running.step.node))
            && (filter.key.is_none() || keys.iter().any(begins))
    });
    running.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let name = |step: &crate::StepRef| step.name(shape).to_string();
    if json {
        let steps: Vec<_> = running
            .iter()
            .map(|one| json!({ "step": name(&one.step), "attempt": one.attempt, "started": one.started.as_secs_f64() }))
            .collect();
        return pretty(&json!({ "version": 1, "run": view.reader.row().id, "steps": steps }));
    }
    if running.is_empty() {
        return "no such steps\n".to_owned();
    }
    let mut rows = vec![["began", "step", ""].map(|title| view.paint.dim(title)).to_vec()];
    rows.extend(running.iter().map(|one| {
        let attempt = if one.attempt > 1 { format!("attempt {}", one.attempt) } else { String::new() };
        vec![clock(one.started), safe(&name(&one.step)).into_owned(), attempt]
    }));
    columns(&rows)
}
