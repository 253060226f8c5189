//! `GET /api/v1/runs/{id}/steps`: a page of the steps of a run, in any order, by place in the result.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Path, Query, State};

use super::asked::Asked;
use super::convert::{first_line, step_standing};
use super::types::{StepPage, StepRow};
use crate::event::StepState;
use crate::graph::NodeId;
use crate::index::{By, Ending, IndexedStep, OpenRun, Query as StepQuery, Sort};
use crate::record::values::{self, StoredValue};
use crate::shape::Shape;
use crate::web::App;
use crate::web::refused::Refused;

/// How many steps a page has at most, and if nothing is said.
const MOST: usize = 200;
const USUALLY: usize = 100;

/// So long commits are read for errors and previews: a page of steps that ended far apart would read
/// hundreds.
const READING: Duration = Duration::from_millis(40);

/// So many characters of an error or a value fit on a line.
const LINE: usize = 160;

/// The longest text that is looked for: a name has no more.
const TEXT: usize = 4096;

const STATES: [(&str, StepState); 7] = [
    ("succeeded", StepState::Succeeded),
    ("failed", StepState::Failed),
    ("upstream_failed", StepState::UpstreamFailed),
    ("skipped", StepState::Skipped),
    ("cancelled", StepState::Cancelled),
    ("running", StepState::Running),
    ("waiting", StepState::Waiting),
];

const SORTS: [(&str, Sort); 14] = [
    ("opened", Sort { by: By::Opened, down: false }),
    ("-opened", Sort { by: By::Opened, down: true }),
    ("start", Sort { by: By::Start, down: false }),
    ("-start", Sort { by: By::Start, down: true }),
    ("duration", Sort { by: By::Duration, down: false }),
    ("-duration", Sort { by: By::Duration, down: true }),
    ("key", Sort { by: By::Key, down: false }),
    ("-key", Sort { by: By::Key, down: true }),
    ("op", Sort { by: By::Op, down: false }),
    ("-op", Sort { by: By::Op, down: true }),
    ("state", Sort { by: By::State, down: false }),
    ("-state", Sort { by: By::State, down: true }),
    ("attempts", Sort { by: By::Attempts, down: false }),
    ("-attempts", Sort { by: By::Attempts, down: true }),
];

/// Answers with a page of steps.
pub(crate) async fn steps(
    State(app): State<Arc<App>>,
    Path(run): Path<String>,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Json<StepPage>, Refused> {
    let asked = Asked::read(given, &["op", "state", "q", "sort", "after", "limit"])?;
    app.blocking(move |app| app.run(&run, |run| page(run, &asked))).await.map(Json)
}

fn page(run: &mut OpenRun, asked: &Asked) -> Result<StepPage, Refused> {
    if asked.get("q").is_some_and(|text| text.len() > TEXT) {
        return Err(Refused::malformed("`q` is longer than any name", "look for a part of a step's name"));
    }
    let query = StepQuery {
        nodes: node_of(run.reader().shape(), asked.get("op"))?.into_iter().collect(),
        state: asked.one_of("state", &STATES)?,
        text: asked.get("q").map(str::to_owned),
        sort: asked.one_of("sort", &SORTS)?.unwrap_or_default(),
    };
    let after: u64 = asked.number("after", 0, 200)?;
    let limit: usize = asked.number("limit", USUALLY, USUALLY)?;
    if !(1..=MOST).contains(&limit) {
        return Err(Refused::malformed(
            format!("`limit` is {limit}"),
            format!("ask for 1 to {MOST} steps at a time"),
        ));
    }
    let found = run.find(&query);
    let from = usize::try_from(after).unwrap_or(usize::MAX).min(found.places.len());
    let places = &found.places[from..found.places.len().min(from + limit)];
    let endings = run.endings(places, Instant::now() + READING)?;
    let steps = places.iter().filter_map(|place| Some(row(run, &run.step(*place)?, *place, &endings)));
    Ok(StepPage {
        total: found.places.len() as u64,
        after: from as u64,
        seq: run.seq(),
        steps: steps.collect(),
    })
}

/// The node of an op's name.
pub(super) fn node_of(shape: &Shape, op: Option<&str>) -> Result<Option<NodeId>, Refused> {
    let Some(op) = op else { return Ok(None) };
    let node = shape.steps().find(|node| *shape.node(*node).name == *op);
    node.map(Some).ok_or_else(|| {
        let ops: Vec<_> = shape.steps().take(20).map(|node| &*shape.node(node).name).collect();
        let more = if shape.steps().count() > ops.len() { ", …" } else { "" };
        Refused::malformed(format!("the run has no op `{op}`"), format!("it has {}{more}", ops.join(", ")))
    })
}

fn row(run: &OpenRun, step: &IndexedStep, place: u32, endings: &HashMap<u32, Ending>) -> StepRow {
    let name = step.step.name(run.reader().shape());
    let ending = endings.get(&place);
    StepRow {
        step: name.to_string(),
        op: name.op().to_owned(),
        keys: name.keys().iter().map(ToString::to_string).collect(),
        state: step_standing(step.state),
        attempts: step.attempts,
        started: step.started.map(|started| started.as_secs_f64()),
        took: step.took.map(|took| took.as_secs_f64()),
        reused: step.reused,
        error: ending.and_then(|ending| why(run, ending)),
        preview: ending.and_then(|ending| preview(&ending.record)),
    }
}

/// Why a step failed, or which step failed that it needed.
fn why(run: &OpenRun, ending: &Ending) -> Option<String> {
    if let Some(error) = &ending.error {
        return Some(cut(&first_line(error.message())));
    }
    ending.cause.map(|cause| cut(&format!("{} failed", run.index().name(cause))))
}

/// What a step gave; nothing of what is too long to be kept with it.
fn preview(record: &[u8]) -> Option<String> {
    let parts = values::read(record).ok()?;
    let texts: Vec<_> = parts
        .values
        .iter()
        .filter_map(|value| match value {
            StoredValue::Json(text) => Some(cut(&String::from_utf8_lossy(&text[..text.len().min(4 * LINE)]))),
            _ => None,
        })
        .collect();
    (!texts.is_empty()).then(|| cut(&texts.join(", ")))
}

/// So much of a text as fits on a line.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LINE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
