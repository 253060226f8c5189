//! What happened in a run: events and log lines by time, a page at a time, from either end.
//!
//! A filter is applied before anything is cut. A search looks at so much as a request may take, and says
//! how far it came; its cursor goes on from there. Nothing is kept between requests.

mod cut;
mod rows;
#[cfg(test)]
mod tests;
mod way;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Path, State};

use self::cut::{Cut, Place};
use self::rows::{Rows, size};
use self::way::Side;
use super::params::{Pairs, Params};
use super::rows::find;
use super::step::place_of;
use super::steps::node_of;
use super::types::{EventPage, EventRow};
use crate::event::Event;
use crate::index::OpenRun;
use crate::record::reader::EventFilter;
use crate::store::{CommitHead, LEVELS, LogFilter, LogRow};
use crate::web::App;
use crate::web::refused::Refused;

/// The most rows of a page.
const MOST: usize = 200;

/// How many rows a page has where nothing is said.
const USUAL: usize = 100;

/// A page ends when it has so many bytes: lines may be long.
const BYTES: usize = 160 << 10;

/// How long a request may look for what is asked for.
const LOOK: Duration = Duration::from_millis(25);

/// The kinds of events, and of log lines.
const KINDS: [&str; 16] = [
    "log",
    "run_started",
    "run_resumed",
    "step_started",
    "step_succeeded",
    "attempt_failed",
    "step_failed",
    "step_reused",
    "step_remade",
    "step_not_run",
    "item_yielded",
    "fan_out_closed",
    "item_moved",
    "item_superseded",
    "run_cancelling",
    "run_ended",
];

/// What a request may say.
const PARAMS: [&str; 8] = ["op", "step", "level", "kind", "q", "before", "after", "limit"];

/// Which way it is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Back,
    Forwards,
}

/// What is asked for.
#[derive(Debug)]
struct Asked {
    events: EventFilter,
    /// Whether events are asked for at all.
    any_events: bool,
    /// The lines that are asked for, if any are.
    lines: Option<LogFilter>,
    /// The text that is looked for, in small letters.
    text: Option<String>,
    limit: usize,
}

/// Answers the request.
pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    pairs: Pairs,
) -> Result<Json<EventPage>, Refused> {
    let params = Params::of(pairs, &PARAMS)?;
    let page = app.blocking(move |app| {
        let row = find(app, &id)?;
        app.run(&row.id, |run| {
            let until = Instant::now() + LOOK;
            told(run, &params, &|| Instant::now() < until)
        })
    });
    page.await.map(Json)
}

/// A page of what happened. `may_go_on` says whether there is time to look further.
fn told(run: &OpenRun, params: &Params, may_go_on: &dyn Fn() -> bool) -> Result<EventPage, Refused> {
    let asked = Asked::new(run, params)?;
    let heads = run.heads();
    let (direction, from) = match (params.one("before")?, params.one("after")?) {
        (Some(_), Some(_)) => {
            let help = "ask for what came before a place, or for what came after it";
            return Err(Refused::malformed("`before` and `after` are both given", help));
        }
        (Some(before), None) => (Direction::Back, cursor("before", before)?),
        (None, Some(after)) => (Direction::Forwards, cursor("after", after)?),
        (None, None) => (Direction::Back, end(run, heads)?),
    };
    let mut merge = Merge {
        heads,
        asked: &asked,
        rows: Rows { run },
        events: Side::new(direction, from.events, asked.any_events),
        lines: Side::new(direction, from.line, asked.lines.is_some()),
        direction,
    };
    let (mut rows, is_interrupted) = merge.rows(may_go_on)?;
    let until = Cut { events: merge.events.end(), line: merge.lines.end() };
    let looked_at = if is_interrupted { merge.looked_at() } else { 1.0 };
    let (older, newer) = match direction {
        Direction::Back => {
            rows.reverse();
            let is_over = merge.events.is_over() && merge.lines.is_over();
            ((!is_over).then_some(until), from)
        }
        Direction::Forwards => ((from != Cut::BEGIN).then_some(from), until),
    };
    Ok(EventPage {
        events: rows,
        older: older.map(|cut| cut.to_string()),
        newer: newer.to_string(),
        looked_at,
    })
}

/// After everything that is there.
fn end(run: &OpenRun, heads: &[CommitHead]) -> Result<Cut, Refused> {
    let reader = run.reader();
    let last = reader.store().last_logs(&reader.row().id, &LogFilter::default(), u64::MAX, 1)?;
    let line = last.first().map_or(0, |line| line.number);
    Ok(Cut { events: Place::before(heads.len() as u64 + 1), line })
}

fn cursor(name: &str, text: &str) -> Result<Cut, Refused> {
    text.parse().map_err(|_| {
        Refused::malformed(
            format!("`{name}={text}` is no place among the events"),
            "take it from `older` or `newer` of a page, or leave it out for the newest page",
        )
    })
}

impl Asked {
    fn new(run: &OpenRun, params: &Params) -> Result<Self, Refused> {
        let (mut events, mut lines) = (EventFilter::default(), LogFilter::default());
        if let Some(node) = node_of(run.reader().shape(), params.one("op")?)? {
            (events.node, lines.node) = (Some(node), Some(node.0));
        }
        if let Some(step) = params.one("step")? {
            let place = place_of(run, step)?;
            let (node, item) = run.index().numbers(place);
            if events.node.is_some_and(|op| op != node) {
                let help = "leave one of the two out";
                return Err(Refused::malformed("`step` is of another op than `op`", help));
            }
            (events.node, events.item, lines.step) = (Some(node), Some(item), Some((item, node.0)));
        }
        let mut kinds = kinds(params.one("kind")?)?;
        if let Some(level) = params.one("level")? {
            lines.level = number_of(level)?;
            if kinds.is_empty() {
                // Only lines have a level.
                kinds.push("log");
            }
        }
        let any_lines = kinds.is_empty() || kinds.contains(&"log");
        let any_events = kinds.iter().any(|kind| *kind != "log") || kinds.is_empty();
        kinds.retain(|kind| *kind != "log");
        events.kinds = kinds;
        Ok(Self {
            events,
            any_events,
            lines: any_lines.then_some(lines),
            text: params.one("q")?.map(str::to_lowercase),
            limit: params.limit("limit", USUAL, MOST)?,
        })
    }

    /// Whether the text that is looked for stands in a row; it is made only if one is.
    fn admits(&self, row: impl FnOnce() -> EventRow) -> bool {
        let Some(wanted) = &self.text else { return true };
        let row = row();
        let holds = |text: &str| text.to_lowercase().contains(wanted);
        holds(&row.text)
            || row.step.as_deref().is_some_and(holds)
            || row.target.as_deref().is_some_and(holds)
            || row.fields.as_ref().is_some_and(|fields| holds(&fields.to_string()))
    }
}

fn kinds(text: Option<&str>) -> Result<Vec<&'static str>, Refused> {
    let kind = |name: &str| {
        KINDS.into_iter().find(|kind| *kind == name).ok_or_else(|| {
            let help = format!("the kinds are {}", KINDS.join(", "));
            Refused::malformed(format!("there is no kind `{name}` of events"), help)
        })
    };
    text.into_iter().flat_map(|text| text.split(',')).map(kind).collect()
}

fn number_of(level: &str) -> Result<u8, Refused> {
    let number = (1..).zip(LEVELS).find(|(_, name)| *name == level).map(|(number, _)| number);
    number.ok_or_else(|| {
        let help = format!("the levels are {}", LEVELS.join(", "));
        Refused::malformed(format!("there is no level `{level}`"), help)
    })
}

/// Events and lines on their way into one page.
struct Merge<'a> {
    heads: &'a [CommitHead],
    asked: &'a Asked,
    rows: Rows<'a>,
    events: Side<Place, Event>,
    lines: Side<u64, LogRow>,
    direction: Direction,
}

impl Merge<'_> {
    /// The rows of the page in the order in which they are found, and whether there was no time to find
    /// more. Each side is looked at once at least, so that every page comes further.
    fn rows(&mut self, may_go_on: &dyn Fn() -> bool) -> Result<(Vec<EventRow>, bool), Refused> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let (mut looked_at_events, mut looked_at_lines) = (false, false);
        while rows.len() < self.asked.limit && bytes < BYTES {
            if self.events.must_look(self.lines.next_at()) {
                if std::mem::replace(&mut looked_at_events, true) && !may_go_on() {
                    return Ok((rows, true));
                }
                self.events.look(self.heads, self.asked, &self.rows)?;
            } else if self.lines.must_look(self.events.next_at()) {
                if std::mem::replace(&mut looked_at_lines, true) && !may_go_on() {
                    return Ok((rows, true));
                }
                self.lines.look(self.asked, &self.rows)?;
            } else {
                let Some(row) = self.next_row() else { break };
                bytes += size(&row);
                rows.push(row);
            }
        }
        Ok((rows, false))
    }

    /// Of what happened at one time, events come before lines.
    fn next_row(&mut self) -> Option<EventRow> {
        let is_event = match (self.events.next_at(), self.lines.next_at()) {
            (Some(event), Some(line)) => match self.direction {
                Direction::Back => event > line,
                Direction::Forwards => event <= line,
            },
            (event, _) => event.is_some(),
        };
        if is_event {
            self.events.next().map(|event| self.rows.of_event(&event))
        } else {
            self.lines.next().map(|line| self.rows.of_line(&line))
        }
    }

    /// How much of the run's time was looked at.
    fn looked_at(&self) -> f64 {
        let sides = [
            (!self.events.is_over()).then(|| self.events.time()),
            (!self.lines.is_over()).then(|| self.lines.time()),
        ];
        let (sides, back) = (sides.into_iter().flatten(), self.direction == Direction::Back);
        let edge = if back { sides.max() } else { sides.min() };
        let all = Duration::from_micros(self.rows.run.index().elapsed()).as_secs_f64();
        let part = edge.map_or(1.0, |edge| (edge.as_secs_f64() / all.max(1e-6)).clamp(0.0, 1.0));
        if back { 1.0 - part } else { part }
    }
}
