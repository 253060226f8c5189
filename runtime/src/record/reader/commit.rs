//! The events of single commits, told without reading those before them.

use std::collections::VecDeque;
use std::ops::Range;

use super::{ReadError, Reader};
use crate::event::{Event, EventKind};
use crate::graph::NodeId;
use crate::record::RecordError;
use crate::record::decode::event;
use crate::record::raw::{Raw, Reader as Block};
use crate::step::Path;
use crate::store::{Commit, CommitHead, CommitIndex};

/// Which events are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventFilter {
    /// About a step of this node.
    pub(crate) node: Option<NodeId>,
    /// About a step in the item of this number; for 0 one outside all fan-outs.
    pub(crate) item: Option<u32>,
    /// Of one of these kinds, as [`EventKind::name`] has them; empty for any.
    pub(crate) kinds: Vec<&'static str>,
}

impl EventFilter {
    /// Whether a commit can hold what is asked for.
    pub(crate) fn may_hold(&self, index: &CommitIndex) -> bool {
        let before = |item| index.items_before + index.items < item;
        self.node.is_none_or(|node| index.nodes & 1 << (node.0 % 64) != 0)
            && !self.item.is_some_and(before)
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| may_hold_kind(index, kind)))
    }

    fn admits(&self, kind: &EventKind) -> bool {
        let step = kind.step();
        self.node.is_none_or(|node| step.is_some_and(|step| step.node == node))
            && self.item.is_none_or(|item| step.is_some_and(|step| step.path.number() == item))
            && (self.kinds.is_empty() || self.kinds.contains(&kind.name()))
    }

    /// Whether an event may be admitted: found before anything is made of it.
    fn may_admit(&self, raw: &Raw<'_>) -> bool {
        let Some(node) = self.node else { return true };
        let Some(step) = raw.step() else { return false };
        // Of these the item around is not known yet.
        let is_item = matches!(raw, Raw::ItemMoved { .. } | Raw::ItemSuperseded { .. });
        step.node == node && (is_item || self.item.is_none_or(|item| item == step.item))
    }
}

fn may_hold_kind(index: &CommitIndex, kind: &str) -> bool {
    use crate::event::StepState::{Cancelled, Failed, Running, Skipped, UpstreamFailed, Waiting};
    let state = |state| index.states & 1 << state as u8 != 0;
    match kind {
        "step_succeeded" | "step_reused" => index.steps > 0,
        "step_failed" => state(Failed),
        "step_started" => state(Running),
        "attempt_failed" => state(Waiting),
        "step_not_run" => [Skipped, UpstreamFailed, Cancelled].into_iter().any(state),
        "item_yielded" => index.items > 0,
        "run_resumed" | "item_superseded" | "step_remade" => index.states & CommitIndex::UNDONE != 0,
        _ => true,
    }
}

/// Some of the events of a commit.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// The commit.
    pub(crate) seq: u64,
    /// The places of the events in it; 1 is the first.
    pub(crate) places: Range<u32>,
    /// At most so many that the filter lets through: the last ones if `back`, else the first.
    pub(crate) most: usize,
    /// See `most`.
    pub(crate) back: bool,
}

/// Events of one commit.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Each with its place in the commit, in order.
    pub(crate) events: Vec<(u32, Event)>,
    /// The places that were not looked at, as there were too many before: those after this number, or, on
    /// the way back, up to it.
    pub(crate) stopped: Option<u32>,
}

impl Reader {
    /// Events of a piece of a commit. `path` gives the item of a number.
    ///
    /// # Errors
    /// The commit cannot be read.
    pub(crate) fn events_of(
        &self,
        piece: &Piece,
        filter: &EventFilter,
        path: &dyn Fn(u32) -> Path,
    ) -> Result<Told, ReadError> {
        let commit = self.store.commits(&self.row.id, piece.seq.saturating_sub(1), 1)?.pop();
        let Some(commit) = commit else { return Ok(Told::default()) };
        self.told_by(&commit, piece, filter, path).map_err(|error| self.wrong(piece.seq, error))
    }

    /// What is recorded of the value of an item; empty if nothing is. Only the commit that opened it is
    /// read.
    ///
    /// # Errors
    /// The commit cannot be read.
    pub(crate) fn item_record(&self, heads: &[CommitHead], item: u32) -> Result<Vec<u8>, ReadError> {
        let after = heads.partition_point(|head| head.index.items_before < item);
        let Some(head) = after.checked_sub(1).map(|before| before..after) else { return Ok(Vec::new()) };
        let mut record = Vec::new();
        self.scan(
            &heads[head],
            |_| true,
            |_, at| {
                if let Raw::ItemYielded { record: found, .. } = &at.raw
                    && at.items == item
                {
                    let start = found.span.start as usize;
                    let bytes = at.bytes.get(start..start + found.span.len as usize);
                    record = bytes.unwrap_or_default().to_vec();
                }
                at.items < item
            },
        )?;
        Ok(record)
    }

    fn told_by(
        &self,
        commit: &Commit,
        piece: &Piece,
        filter: &EventFilter,
        path: &dyn Fn(u32) -> Path,
    ) -> Result<Told, RecordError> {
        let mut items = commit.head.index.items_before;
        let mut block = Block::new(&commit.block, &self.shape, items)?;
        let (mut found, mut stopped) = (VecDeque::new(), None);
        for place in 1..piece.places.end {
            let Some(raw) = block.next()? else { break };
            items += u32::from(matches!(raw, Raw::ItemYielded { .. }));
            if place < piece.places.start || !filter.may_admit(&raw) {
                continue;
            }
            found.push_back((place, block.at(), items, raw));
            if found.len() > piece.most {
                if piece.back {
                    stopped = found.pop_front().map(|(place, ..)| place);
                } else {
                    found.pop_back();
                    stopped = Some(place - 1);
                    break;
                }
            }
        }
        let events = found.into_iter().map(|(place, at, items, raw)| {
            let kind = event(raw, items, path);
            (place, Event { at, kind })
        });
        let events = events.filter(|(_, event)| filter.admits(&event.kind)).collect();
        Ok(Told { events, stopped })
    }
}
