//! Events on the one side and log lines on the other, looked at piece by piece, forwards or back.

use std::collections::VecDeque;
use std::time::Duration;

use super::cut::Place;
use super::rows::Rows;
use super::{Asked, Direction};
use crate::event::Event;
use crate::record::ReadError;
use crate::record::reader::Piece;
use crate::store::{CommitHead, LogRow};

/// How many events of one commit are looked at at once: a commit may have very many.
const EVENTS: usize = 4_096;

/// How many lines are looked at at once.
const LINES: usize = 256;

/// One of the two sides: what was found and is not yet given, and how far it was looked.
#[derive(Debug)]
pub(super) struct Side<P, T> {
    direction: Direction,
    found: VecDeque<Found<P, T>>,
    /// Where the page ends on this side, if what was found is left for the next.
    given: P,
    reached: P,
    /// The time that was reached.
    edge: Duration,
    is_done: bool,
}

/// Something that was found.
#[derive(Debug)]
struct Found<P, T> {
    at: Duration,
    what: T,
    /// The place after it, in the direction in which it is looked.
    after: P,
}

impl<P: Copy, T> Side<P, T> {
    /// From a place on; one that is not asked for has nothing.
    pub(super) fn new(direction: Direction, from: P, is_asked_for: bool) -> Self {
        let edge = match direction {
            Direction::Back => Duration::MAX,
            Direction::Forwards => Duration::ZERO,
        };
        let (found, is_done) = (VecDeque::new(), !is_asked_for);
        Self { direction, found, given: from, reached: from, edge, is_done }
    }

    /// The time of what comes next, if it is known.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.found.front().map(|found| found.at)
    }

    /// Whether it must be looked further, as something may come that comes before what the other side has
    /// next.
    pub(super) fn must_look(&self, other: Option<Duration>) -> bool {
        let before = |at| match self.direction {
            Direction::Back => self.edge >= at,
            Direction::Forwards => self.edge <= at,
        };
        self.found.is_empty() && !self.is_done && other.is_none_or(before)
    }

    pub(super) fn next(&mut self) -> Option<T> {
        let found = self.found.pop_front()?;
        self.given = found.after;
        Some(found.what)
    }

    /// Whether everything was looked at and given.
    pub(super) fn is_over(&self) -> bool {
        self.is_done && self.found.is_empty()
    }

    /// Where the page ends on this side.
    pub(super) fn end(&self) -> P {
        if self.found.is_empty() { self.reached } else { self.given }
    }

    /// The time up to which all is looked at and given.
    pub(super) fn time(&self) -> Duration {
        self.next_at().unwrap_or(self.edge)
    }
}

impl Side<Place, Event> {
    /// Looks at the next commit that can hold what is asked for.
    pub(super) fn look(
        &mut self,
        heads: &[CommitHead],
        asked: &Asked,
        rows: &Rows<'_>,
    ) -> Result<(), ReadError> {
        let Some(piece) = self.piece(heads, asked) else {
            self.is_done = true;
            return Ok(());
        };
        let index = rows.run.index();
        let told = rows.run.reader().events_of(&piece, &asked.events, &|item| index.path(item))?;
        let (seq, back) = (piece.seq, piece.back);
        self.reached = match (told.stopped, back) {
            (Some(skip), _) => Place { seq, skip },
            (None, true) => Place::before(seq),
            (None, false) => Place::before(seq + 1),
        };
        let times = heads.get(seq as usize - 1).map(|head| (head.index.from, head.index.to));
        let (from, to) = times.unwrap_or_default();
        let edge = if back { told.events.first() } else { told.events.last() };
        let whole = Duration::from_micros(if back { from } else { to });
        self.edge = match edge.filter(|_| told.stopped.is_some()) {
            Some((_, event)) => event.at,
            None => whole,
        };
        let found = told.events.into_iter().filter(|(_, event)| asked.admits(|| rows.of_event(event)));
        let found = found.map(|(place, event)| {
            let skip = if back { place - 1 } else { place };
            Found { at: event.at, what: event, after: Place { seq, skip } }
        });
        self.found.extend(found);
        if back {
            self.found.make_contiguous().reverse();
        }
        self.is_done = self.next_seq(heads, asked).is_none();
        Ok(())
    }

    fn piece(&mut self, heads: &[CommitHead], asked: &Asked) -> Option<Piece> {
        let seq = self.next_seq(heads, asked)?;
        let (here, skip) = (seq == self.reached.seq, self.reached.skip);
        let back = self.direction == Direction::Back;
        let places = match (back, here) {
            (true, true) => 1..skip.saturating_add(1),
            (false, true) => skip.saturating_add(1)..u32::MAX,
            (_, false) => 1..u32::MAX,
        };
        Some(Piece { seq, places, most: EVENTS, back })
    }

    /// The commit that is looked at next; one that cannot hold what is asked for is passed over.
    fn next_seq(&mut self, heads: &[CommitHead], asked: &Asked) -> Option<u64> {
        let may_hold = |head: &&CommitHead| asked.events.may_hold(&head.index);
        let Place { seq, skip } = self.reached;
        let known = |seq: u64| usize::try_from(seq).unwrap_or(usize::MAX).min(heads.len());
        let next = match self.direction {
            Direction::Back if skip > 0 && seq <= heads.len() as u64 => return Some(seq),
            Direction::Back => heads[..known(seq - 1)].iter().rev().find(may_hold),
            Direction::Forwards if skip > 0 && seq <= heads.len() as u64 => return Some(seq),
            Direction::Forwards => heads[known(seq - 1)..].iter().find(may_hold),
        };
        if next.is_none() {
            self.reached = match self.direction {
                Direction::Back => Place::before(1),
                // What is yet to come is not passed over.
                Direction::Forwards => Place::before(seq.max(heads.len() as u64 + 1)),
            };
        }
        next.map(|head| head.seq)
    }
}

impl Side<u64, LogRow> {
    /// Looks at the next lines.
    pub(super) fn look(&mut self, asked: &Asked, rows: &Rows<'_>) -> Result<(), ReadError> {
        let Some(filter) = &asked.lines else {
            self.is_done = true;
            return Ok(());
        };
        let reader = rows.run.reader();
        let (store, run) = (reader.store(), &reader.row().id);
        let back = self.direction == Direction::Back;
        let lines = match self.direction {
            Direction::Back => store.last_logs(run, filter, self.reached.saturating_add(1), LINES)?,
            Direction::Forwards => store.logs(run, filter, self.reached, LINES)?,
        };
        let after = |line: &LogRow| if back { line.number.saturating_sub(1) } else { line.number };
        self.is_done = lines.len() < LINES;
        if let Some(last) = lines.last() {
            (self.reached, self.edge) = (after(last), Duration::from_micros(last.at));
        }
        if self.is_done && back {
            self.reached = 0;
        }
        let found = lines.into_iter().filter(|line| asked.admits(|| rows.of_line(line)));
        self.found.extend(found.map(|line| Found {
            at: Duration::from_micros(line.at),
            after: after(&line),
            what: line,
        }));
        Ok(())
    }
}
