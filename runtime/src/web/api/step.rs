//! All that is known of one step: what happened to it and why it stands so, what it read and gave, and
//! the steps around it.
//!
//! It is found by the index; of a step with one attempt only the commit of its end is read, and that of
//! its item.

mod inputs;
mod near;
mod shown;
#[cfg(test)]
mod tests;
mod value;
mod why;

pub(crate) use value::value;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};

use self::inputs::inputs;
use self::near::Near;
use self::shown::{Room, WHOLE};
use self::why::why;
use super::convert::{error, step_standing};
use super::params::{Pairs, Params};
use super::rows::{find, size};
use super::steps::near_op;
use super::types::{Note, Output, Step, Turn};
use crate::cli::again::quoted;
use crate::cli::which::short;
use crate::event::{StepRef, StepState};
use crate::given::{Given, given};
use crate::index::OpenRun;
use crate::record::reader::{Told, Turn as Happened};
use crate::step::{StepName, StepNameError};
use crate::store::{CommitHead, CommitIndex, LogFilter};
use crate::web::App;
use crate::web::refused::Refused;

/// How much of each text of an error is told.
const ERROR_BYTES: usize = 16 << 10;

/// How many of the things that happened to a step are told: the last. When they have taken so many bytes,
/// the errors of those before are told in so many bytes each, without their causes.
const TURNS: usize = 100;
const TURN_BYTES: usize = 24 << 10;
const SHORT_ERROR: usize = 256;

/// Answers the request.
pub(crate) async fn step(
    State(app): State<Arc<App>>,
    Path((id, name)): Path<(String, String)>,
    pairs: Pairs,
) -> Result<Json<Step>, Refused> {
    Params::of(pairs, &[])?;
    app.blocking(move |app| one(app, &id, &name)).await.map(Json)
}

/// All that is known of a step of a run; `id` is its id, or the beginning of it.
pub(crate) fn one(app: &App, id: &str, name: &str) -> Result<Step, Refused> {
    let row = find(app, id)?;
    app.run(&row.id, |run| told(app, run, name))
}

/// The numbers of a step's item and of its node, as lines of logs have them; `run` is the run's whole id.
pub(crate) fn numbers(app: &App, run: &str, name: &str) -> Result<(u32, u32), Refused> {
    app.run(run, |run| {
        let (node, item) = run.index().numbers(place_of(run, name)?);
        Ok((item, node.0))
    })
}

/// All that is known of the step of a name.
fn told(app: &App, run: &OpenRun, name: &str) -> Result<Step, Refused> {
    let place = place_of(run, name)?;
    let near = Near::new(run, place);
    let told = story(run, &near, place)?;
    let state = run.index().state_of(place, run.is_driven());
    let node = near.shape().node(near.node);
    let given = given(node, &told.record).map_err(|error| Refused::broken(error.to_string()))?;
    let mut room = Room::new();
    let name = told.step.name(near.shape());
    let again = app.again();
    let row = run.reader().row();
    let command = |words: &str| again.command(words);
    let (id, quoted) = (short(&*app.store, &row.id), quoted(&name.to_string()));
    let filter = LogFilter { step: Some((near.item, near.node.0)), ..LogFilter::default() };
    let skipped = told.turns.len().saturating_sub(TURNS);
    Ok(Step {
        step: name.to_string(),
        op: name.op().to_owned(),
        keys: name.keys().iter().map(ToString::to_string).collect(),
        doc: doc(&node.op),
        state: step_standing(state.unwrap_or(StepState::Waiting)),
        why: why(&near, &told, state, &command(&format!("resume {id}"))),
        turns: turns(&told.turns[skipped..]),
        outputs: outputs(&near, &given, &mut room)?,
        inputs: inputs(&near, &mut room)?,
        metadata: metadata(&given),
        progress: given.notes.progress,
        upstream: near.upstream().iter().map(|region| near.told(region)).collect(),
        downstream: near.downstream().iter().map(|region| near.told(region)).collect(),
        log_lines: app.store.count_logs(&row.id, &filter)?,
        rerun: command(&format!("rerun {id} --select {quoted}")),
        show: command(&format!("show {id} {quoted}")),
        seq: run.seq(),
    })
}

/// Why a step of a run waits, in words; `None` if it does not. `resume` is the command that lets the run go on.
pub(crate) fn why_waiting(run: &OpenRun, told: &Told, resume: &str) -> Option<String> {
    let place = run.index().place_of(told.step.node, told.step.path.number())?;
    let state = run.index().state_of(place, run.is_driven());
    let why = || why(&Near::new(run, place), told, state, resume);
    (state == Some(StepState::Waiting)).then(why).flatten().map(|why| why.text)
}

/// What happened to a step, from the commits that can tell of it.
fn story(run: &OpenRun, near: &Near<'_>, place: u32) -> Result<Told, Refused> {
    let (index, heads) = (run.index(), run.heads());
    let known = index.step(place, run.is_driven());
    let last = index.commit_of(place);
    let step = StepRef { node: near.node, path: index.path(near.item) };
    let opened = heads.partition_point(|head| head.index.items_before + head.index.items < near.item);
    let undone = |head: &CommitHead| head.index.states & CommitIndex::UNDONE != 0;
    // Once the run was resumed, what happened before is told by commits of any kind.
    let anything = heads[opened..].iter().any(undone);
    let retried = known.is_none_or(|step| step.attempts > 1 || step.retrying);
    let node = 1 << (near.node.0 % 64);
    let failed = |head: &CommitHead| head.index.states & 1 << StepState::Waiting as u8 != 0;
    let wanted = |head: &CommitHead| {
        if head.seq == last || anything && undone(head) {
            return true;
        }
        let here = head.seq > opened as u64 && head.index.nodes & node != 0;
        here && (anything || retried && head.seq < last && failed(head))
    };
    Ok(run.reader().step_by(step, heads, wanted, |item| index.path(item))?)
}

/// The place of the step of a name.
pub(super) fn place_of(run: &OpenRun, name: &str) -> Result<u32, Refused> {
    let parsed: StepName = name.parse().map_err(|error: StepNameError| {
        Refused::malformed(error.to_string(), "the table of steps has the names of all")
    })?;
    run.place(&parsed).ok_or_else(|| none(run, &parsed))
}

fn none(run: &OpenRun, name: &StepName) -> Refused {
    let shape = run.reader().shape();
    let mut ops = shape.steps().map(|node| &*shape.node(node).name);
    let help = if ops.any(|op| op == name.op()) {
        format!("the table of steps lists those of `{}`", name.op())
    } else {
        near_op(shape, name.op()).unwrap_or_else(|| "the run's own page lists its ops".to_owned())
    };
    Refused::not_found(format!("run {} has no step `{name}`", run.reader().row().id), help)
}

/// The doc comment of an op, if the program has it.
fn doc(op: &str) -> String {
    let known = crate::define::ops().into_iter();
    let mut known = known.filter(|known| format!("{}::{}", known.module, known.function) == op);
    known.next().map(|known| known.doc.trim().to_owned()).unwrap_or_default()
}

fn turns(turns: &[(Duration, Happened)]) -> Vec<Turn> {
    let mut room = TURN_BYTES;
    let newest_first = turns.iter().rev().map(|(at, turn)| {
        let mut told = turn_told(*at, turn, ERROR_BYTES);
        if size(&told) > room {
            told = turn_told(*at, turn, SHORT_ERROR);
            told.error.iter_mut().for_each(|error| error.causes.clear());
        }
        room = room.saturating_sub(size(&told));
        told
    });
    let mut told: Vec<_> = newest_first.collect();
    told.reverse();
    told
}

fn turn_told(at: Duration, turn: &Happened, error_bytes: usize) -> Turn {
    let seconds = |time: &Duration| time.as_secs_f64();
    let plain = |what: &str, attempt: u32| Turn {
        at: at.as_secs_f64(),
        what: what.to_owned(),
        attempt,
        started: None,
        took: None,
        error: None,
        due: None,
        left_behind: false,
    };
    match turn {
        Happened::Started { attempt } => Turn { started: Some(seconds(&at)), ..plain("running", *attempt) },
        Happened::Ended { attempt, started, took, error: why, due, left_behind } => {
            let what = match (why, due) {
                (None, _) => "succeeded",
                (Some(_), Some(_)) => "retrying",
                (Some(_), None) => "failed",
            };
            Turn {
                started: Some(seconds(started)),
                took: Some(seconds(took)),
                error: why.as_ref().map(|why| error(why, error_bytes)),
                due: due.as_ref().map(seconds),
                left_behind: *left_behind,
                ..plain(what, *attempt)
            }
        }
        Happened::NotRun { .. } => plain("not_run", 0),
        Happened::Reused => plain("reused", 0),
        Happened::Remade => plain("remade", 0),
        Happened::Superseded => plain("superseded", 0),
        Happened::Resumed => plain("resumed", 0),
    }
}

fn outputs(near: &Near<'_>, given: &Given<'_>, room: &mut Room) -> Result<Vec<Output>, Refused> {
    let (index, shape) = (near.run.index(), near.shape());
    let items = |output: u16| {
        let scope = shape.opened_by(near.node, output);
        scope.map(|scope| index.below(near.item, scope).count() as u64)
    };
    let outputs = (0..).zip(&given.outputs).map(|(place, (output, value))| {
        let value = value.filter(|_| !output.dynamic);
        let value = value.map(|value| room.show(near.run.reader(), value, WHOLE)).transpose()?.flatten();
        Ok(Output {
            name: output.name.clone(),
            type_name: output.type_name.clone(),
            dynamic: output.dynamic,
            items: if output.dynamic { items(place) } else { None },
            transient: output.transient,
            value,
        })
    });
    outputs.collect()
}

fn metadata(given: &Given<'_>) -> Vec<Note> {
    let notes = given.notes.metadata.iter().map(|note| {
        // It was read as JSON, and is written as what it was read from.
        let mut json = serde_json::to_value(&note.value).unwrap_or_default();
        Note {
            output: note.output.clone(),
            name: note.name.clone(),
            kind: json["kind"].as_str().unwrap_or("json").to_owned(),
            value: json["value"].take(),
        }
    });
    notes.collect()
}
