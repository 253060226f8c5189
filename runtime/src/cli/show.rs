//! `show`: a run, or one of its steps, as far as it is recorded.

mod failures;
mod step;
mod steps;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use jiff::tz::TimeZone;

use super::again::Again;
use super::output::print;
use super::problem::Problem;
use super::runs::{painted, run_json, seconds, took};
use super::store::StoreFlags;
use super::when::{between, shown};
use super::which::which;
use crate::event::StepState;
use crate::exit;
use crate::record::Reader;
use crate::report::block::status;
use crate::report::closing::body;
use crate::report::lines::{arg_texts, states_of};
use crate::report::paint::Paint;
use crate::report::words::counted;
use crate::store::Standing;
use crate::summary::{Counts, Summary};
use crate::text::safe;

/// The flags of `show`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The run: the beginning of its id, or `last` [default: last]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// One of its steps: `resize[a.jpg]`
    #[arg(value_name = "STEP", conflicts_with_all = ["failures", "steps"])]
    step: Option<String>,
    /// Show each kind of failure in full
    #[arg(long, conflicts_with = "steps")]
    failures: bool,
    #[command(flatten)]
    list: steps::ListFlags,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreFlags,
}

/// What shows a run is made of.
struct View<'a> {
    reader: &'a Reader,
    summary: &'a Summary,
    /// For the commands that may come next.
    again: &'a Again,
    now: SystemTime,
    zone: TimeZone,
    paint: Paint,
}

/// Shows what was asked for.
pub(super) fn show(program: &str, flags: &Flags) -> Result<u8, Problem> {
    let store = flags.store.reading()?;
    let run = which(&store, flags.run.as_deref())?;
    let reader = Reader::open(Arc::clone(&store), &run.id)?;
    let summary = reader.summary()?;
    let (now, zone) = (SystemTime::now(), TimeZone::system());
    let again = &Again::at(program, &flags.store, &store);
    let view = View { reader: &reader, summary: &summary, again, now, zone, paint: Paint::for_stdout() };
    let text = match (&flags.step, flags.json) {
        (Some(step), false) => step::text(&view, step)?,
        (Some(step), true) => step::json(&view, step)?,
        (None, json) if flags.list.steps => steps::list(&view, &flags.list, json)?,
        (None, true) if flags.failures => failures::json(&view),
        (None, false) if flags.failures => failures::text(&view),
        (None, true) => json(&view),
        (None, false) => text(&view),
    };
    print(text.as_bytes())?;
    Ok(exit::SUCCESS)
}

fn text(view: &View<'_>) -> String {
    let View { reader, summary, paint, .. } = view;
    let shape = reader.shape();
    let mut text = header(view);
    text.push_str(&body(summary, shape, *paint));
    if reader.row().standing == Standing::Running {
        let _ = writeln!(text, "{}", status(summary, shape, between(reader.row().started, view.now), *paint));
    } else {
        // Where nobody drives a run, nothing runs.
        let number = |state| summary.total(shape, state);
        let stands = |state| match state {
            StepState::Running => 0,
            StepState::Waiting => number(StepState::Waiting) + number(StepState::Running),
            ended => number(ended),
        };
        let _ = writeln!(text, "   {}", states_of(stands));
    }
    text.push_str(&next_commands(view));
    text
}

/// `   letters 7k2m…  failed`, and what else is known of the run as a whole.
fn header(view: &View<'_>) -> String {
    let View { reader, summary, zone, paint, .. } = view;
    let row = reader.row();
    let mut text =
        format!("   {} {}  {}", paint.strong(&safe(&row.job)), row.id, painted(row.standing, *paint));
    if let Some(reason) = summary.cancelling() {
        let _ = write!(text, " ({})", safe(reason));
    }
    let mut line = |name: &str, value: &str| {
        let _ = write!(text, "\n   {}  {value}", paint.dim(&format!("{name:<8}")));
    };
    line("started", &format!("{}, {}", shown(row.started, zone), time_words(view)));
    if let Some(resumed) = summary.resumed() {
        let times = counted(u64::from(summary.sessions().saturating_sub(1)), "time", "times");
        line("resumed", &format!("{times}, last {}", shown(resumed, zone)));
    }
    if row.standing == Standing::Running && !row.holder.is_empty() {
        line("driven", &format!("by {}", safe(&row.holder)));
    }
    let args = arg_texts(summary);
    if !args.is_empty() {
        line("with", &args.join(" "));
    }
    if let Some(parent) = &row.parent {
        let reused = summary.reused(reader.shape());
        line("rerun", &format!("of {}, {} reused", safe(parent), counted(reused, "step", "steps")));
    }
    if !row.tags.is_empty() {
        let tags = row.tags.iter().map(|(name, value)| format!("{}={}", safe(name), safe(value)));
        line("tagged", &tags.collect::<Vec<_>>().join(" "));
    }
    text.push_str("\n\n");
    text
}

fn time_words(view: &View<'_>) -> String {
    let row = view.reader.row();
    let took = took(row, view.now);
    match row.standing {
        Standing::Running => format!("{took} ago"),
        Standing::Interrupted => format!("and last heard of after {took}"),
        Standing::Ended(_) => format!("took {took}"),
    }
}

/// What may be asked next.
fn next_commands(view: &View<'_>) -> String {
    let row = view.reader.row();
    let next = view.again.next(&row.id, row.standing, !view.summary.errors().is_empty());
    if next.is_empty() { next } else { format!("{next}\n") }
}

fn json(view: &View<'_>) -> String {
    let View { reader, summary, .. } = view;
    let shape = reader.shape();
    let mut document = run_json(reader.row());
    let nodes = shape.steps().map(|node| {
        let counts = summary.node(node);
        let steps = StepState::ALL.map(|state| (state.name().to_owned(), summary.count(node, state)));
        let steps = steps.into_iter().filter(|(_, steps)| *steps > 0);
        let seconds = |q| counts.durations().quantile(q).map(|took| took.as_secs_f64());
        serde_json::json!({
            "op": shape.node(node).name,
            "steps": steps.map(|(state, steps)| (state, steps.into())).collect::<serde_json::Map<_, _>>(),
            "known": summary.known(node),
            "growing": summary.is_growing(node),
            "reused": counts.reused(),
            "retries": counts.retries(),
            "total": counts.durations().total().as_secs_f64(),
            "p50": seconds(0.5),
            "p95": seconds(0.95),
            "max": seconds(1.0),
        })
    });
    let nodes = nodes.collect::<Vec<_>>();
    let args = summary.args().iter().map(|(name, value)| (name.clone(), value.as_str().into()));
    let more = [
        ("version", 1.into()),
        ("args", serde_json::Value::Object(args.collect())),
        ("sessions", summary.sessions().into()),
        ("resumed", summary.resumed().map(seconds).into()),
        ("reason", summary.cancelling().into()),
        ("ops", serde_json::Value::Array(nodes)),
        ("failures", failures::groups_json(view)),
        ("counts", serde_json::to_value(Counts::of(summary, shape)).unwrap_or_default()),
    ];
    if let serde_json::Value::Object(fields) = &mut document {
        fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    pretty(&document)
}

fn pretty(document: &serde_json::Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(document).unwrap_or_default())
}
