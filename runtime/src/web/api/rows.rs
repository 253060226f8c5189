//! A run of the catalogue as the data API has it: in lists, and at the head of its page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::convert::{seconds, standing, step_counts, took};
use super::types::{Argument, Run, RunBar, RunLink, StepCounts};
use crate::cli::problem::Problem;
use crate::cli::values::left_out;
use crate::cli::which::{short, which};
use crate::define::{ArgDef, ArgForm, JobDef};
use crate::options::Order;
use crate::record::Reader;
use crate::record::facts::ArgFacts;
use crate::store::{RunRow, Standing, StoreError};
use crate::summary::{Counts, Summary};
use crate::web::App;
use crate::web::refused::Refused;

/// How many bytes of an argument a list has.
pub(crate) const LISTED: usize = 200;

/// How many bytes of its arguments, all together, the page of a run has: more than a command line takes.
pub(crate) const WHOLE: usize = 128 << 10;

/// The run of an id, or of its beginning where that is of no other, or the last.
///
/// # Errors
/// There is none, or there are several.
pub(crate) fn find(app: &App, id: &str) -> Result<RunRow, Refused> {
    match app.store.run(id) {
        Err(StoreError::NoRun { .. }) => which(&app.store, Some(id)).map_err(|problem| match problem {
            Problem::Usage(text) => Refused::not_found(text, "the list of runs has those that are there"),
            problem => Refused::new(StatusCode::SERVICE_UNAVAILABLE, problem.to_string(), None),
        }),
        row => Ok(row?),
    }
}

/// Answers from what happened in a run so far, counted, and the last commit that this stands for. A run
/// whose summary the store has is not read.
pub(crate) fn summed<T>(
    app: &App,
    row: &RunRow,
    answer: impl FnOnce(&Reader, &Summary, u64) -> T,
) -> Result<T, Refused> {
    let kept = app.store.summary(&row.id)?.map(|(seq, _)| seq);
    if kept == Some(row.head) {
        let reader = Reader::open(Arc::clone(&app.store), &row.id)?;
        return Ok(answer(&reader, &reader.summary()?, reader.row().head));
    }
    app.run(&row.id, |run| Ok(answer(run.reader(), run.summary(), run.index().seq())))
}

/// How many steps of a run are in each state: as its row has it, if that is all that can be read.
fn counts(app: &App, row: &RunRow) -> Counts {
    let kept = || Counts::read(&row.counts);
    if matches!(row.standing, Standing::Ended(_)) {
        return kept();
    }
    summed(app, row, |reader, summary, _| Counts::of(summary, reader.shape())).unwrap_or_else(|_| kept())
}

/// The job of a name, if the program has it.
pub(crate) fn job(name: &str) -> Option<&'static JobDef> {
    crate::define::jobs().into_iter().find(|job| job.name == name)
}

/// The name of an order, as files and flags have it.
pub(crate) fn order(order: Order) -> &'static str {
    match order {
        Order::DepthFirst => "depth_first",
        Order::BreadthFirst => "breadth_first",
    }
}

/// Makes answers of rows; what several have in common is looked up once.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    app: &'a App,
    now: SystemTime,
    jobs: Vec<&'static JobDef>,
    parents: BTreeMap<String, RunLink>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(app: &'a App, now: SystemTime) -> Self {
        Self { app, now, jobs: crate::define::jobs(), parents: BTreeMap::new() }
    }

    /// A run, with so many bytes of each of its arguments; its steps are counted.
    pub(crate) fn run(&mut self, row: &RunRow, bytes: usize) -> Run {
        let counts = counts(self.app, row);
        self.counted(row, step_counts(row.standing, |state| counts.get(state)), bytes)
    }

    /// A run whose steps are counted already.
    pub(crate) fn counted(&mut self, row: &RunRow, steps: StepCounts, bytes: usize) -> Run {
        Run {
            id: row.id.clone(),
            short: self.short(&row.id),
            job: row.job.clone(),
            state: standing(row.standing),
            args: self.args(row, bytes),
            started: seconds(row.started),
            took: took(row, self.now),
            steps,
            parent: row.parent.as_deref().map(|parent| self.parent(parent)),
            tags: row.tags.iter().cloned().collect(),
        }
    }

    /// The arguments of a run, but for its secrets: so many bytes of each, and of all no more than
    /// [`WHOLE`] or than may be of one.
    pub(crate) fn args(&self, row: &RunRow, bytes: usize) -> Vec<Argument> {
        let facts = ArgFacts::read(&row.facts);
        let job = self.jobs.iter().find(|job| job.name == row.job);
        let def = |name: &str| job.and_then(|job| job.args.iter().find(|arg| arg.name == name));
        let is_secret = |name: &String| {
            facts.secrets.contains(name) || def(name).is_some_and(|def| def.form == ArgForm::Secret)
        };
        let told = facts.args.iter().filter(|(name, _)| !is_secret(name));
        let mut room = bytes.max(WHOLE);
        let told = told.map(|(name, json)| {
            let told = argument(name, json, def(name), bytes.min(room));
            room = room.saturating_sub(told.value.len());
            told
        });
        told.collect()
    }

    /// A run that is named.
    pub(crate) fn link(&self, row: &RunRow) -> RunLink {
        RunLink { id: row.id.clone(), short: self.short(&row.id), state: Some(standing(row.standing)) }
    }

    fn parent(&mut self, id: &str) -> RunLink {
        if let Some(known) = self.parents.get(id) {
            return known.clone();
        }
        let link = match self.app.store.run(id) {
            Ok(row) => self.link(&row),
            Err(_) => RunLink { id: id.to_owned(), short: self.short(id), state: None },
        };
        self.parents.insert(id.to_owned(), link.clone());
        link
    }

    fn short(&self, id: &str) -> String {
        short(&*self.app.store, id).to_owned()
    }
}

/// A run as a bar.
pub(crate) fn bar(row: &RunRow, now: SystemTime) -> RunBar {
    RunBar {
        id: row.id.clone(),
        state: standing(row.standing),
        started: seconds(row.started),
        took: took(row, now),
    }
}

/// An argument as its run has recorded it, in the words of its type where the program has the job.
fn argument(name: &str, json: &Value, def: Option<&ArgDef>, bytes: usize) -> Argument {
    let shown = def.and_then(|def| (def.from_json)(json).ok().map(|value| (def.show)(&value)));
    let default =
        def.and_then(|def| left_out(def).ok().map(|value| value.map(|value| (def.to_json)(&value))));
    Argument {
        name: name.to_owned(),
        value: cut(&shown.unwrap_or_else(|| plain(json)), bytes),
        is_default: default.map(|default| default.as_ref() == Some(json)),
    }
}

/// A value of which no type is known.
fn plain(json: &Value) -> String {
    match json {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        json => json.to_string(),
    }
}

/// How many bytes something takes as JSON.
pub(crate) fn size(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}

/// Text of at most so many bytes, with a mark where it was cut.
pub(crate) fn cut(text: &str, bytes: usize) -> String {
    match text.len() <= bytes {
        true => text.to_owned(),
        false => format!("{}…", &text[..text.floor_char_boundary(bytes)]),
    }
}
