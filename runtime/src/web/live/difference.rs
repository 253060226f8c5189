//! What a stream has told of a run, and what it tells next: bounded, whatever changed.

use std::sync::Arc;
use std::time::SystemTime;

use super::state::{Piece, State};
use crate::store::Standing;
use crate::web::api::convert;
use crate::web::api::rows::size;
use crate::web::api::types::{FailureGroup, Live, OpNow};

/// How many bytes a message has at most, with the lines around its data.
pub(crate) const MESSAGE: usize = 8 * 1024;

/// The lines around it.
const AROUND: usize = 64;

/// Of the steps that run, so many bytes are told.
const RUNNING: usize = 2 * 1024;

/// How much of the reason of a cancel is told.
const REASON: usize = 200;

/// An op without what may be long takes no more: 18 numbers and their names.
const ONE_OP: usize = 768;

/// How many groups of failures a message has.
const FAILURES: usize = 20;

/// What a stream has told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The state that all was told of.
    last: Option<(u64, Standing, SystemTime)>,
    /// The commit up to which all was told.
    known: u64,
    ops: InTurn<(u32, OpNow)>,
    failures: InTurn<FailureGroup>,
}

impl Told {
    /// To one who knows the run up to commit `after`; of any other than the newest it is not known what
    /// was told then, so all is told again.
    pub(crate) fn after(after: Option<u64>, state: &State) -> Self {
        let mut told = Self { known: after.unwrap_or_default(), ..Self::default() };
        // Who saw it run at this commit does not know that it was interrupted since.
        if after == Some(state.seq) && state.standing != Standing::Interrupted {
            told.ops.told = state.ops.iter().cloned().map(Some).collect();
            told.failures.told = state.failures.iter().cloned().map(Some).collect();
        }
        told
    }

    /// Whether a state has nothing that was not told.
    pub(crate) fn is_all_of(&self, state: &State) -> bool {
        self.last == Some((state.seq, state.standing, state.changed))
    }

    /// The commit up to which all was told: who comes back with it is told the rest of what only began to
    /// be told.
    pub(crate) fn known(&self) -> u64 {
        self.known
    }

    /// What is to be told of a state at `now`.
    pub(crate) fn next(&mut self, state: &State, now: SystemTime) -> Live {
        let mut live = head(state, now);
        let room = (MESSAGE - AROUND).saturating_sub(size(&live));
        // Neither keeps the other from being told.
        let (failures, all_failures) = self.failures.next(
            &state.failures,
            (room / 2, FAILURES),
            room.saturating_sub(ONE_OP),
            Piece::<FailureGroup>::shorter,
        );
        let used: usize = failures.iter().map(|group| group.bytes + MARKS).sum();
        let room = room - used;
        let (ops, all_ops) =
            self.ops.next(&state.ops, (room, usize::MAX), room, Piece::<(u32, OpNow)>::shorter);
        live.failures = failures.into_iter().map(|group| group.value.clone()).collect();
        live.ops = ops.into_iter().map(|op| op.value.clone()).collect();
        live.more = !all_ops || !all_failures;
        if !live.more {
            self.known = state.seq;
            self.last = Some((state.seq, state.standing, state.changed));
        }
        live
    }
}

/// All of a message but what is told once.
fn head(state: &State, now: SystemTime) -> Live {
    let until = if state.standing == Standing::Running { now } else { state.changed };
    let mut room = RUNNING;
    let running = state.running.iter().map_while(|step| {
        room = room.checked_sub(step.bytes + MARKS)?;
        Some(step.value.clone())
    });
    Live {
        seq: state.seq,
        now: convert::seconds(now),
        state: convert::standing(state.standing),
        elapsed: state.elapsed,
        took: until.duration_since(state.started).unwrap_or_default().as_secs_f64(),
        cancelling: state.cancelling.as_deref().map(shortened),
        steps: state.steps,
        running: running.collect(),
        ops: Default::default(),
        failures: Vec::new(),
        more: false,
    }
}

fn shortened(reason: &str) -> String {
    reason[..reason.floor_char_boundary(REASON)].to_owned()
}

/// The marks around a piece: quotes around its key, and a comma.
const MARKS: usize = 4;

/// Pieces by their places, told in turn: one that changes all the time keeps no other from being told.
#[derive(Debug)]
struct InTurn<T> {
    told: Vec<Option<Arc<Piece<T>>>>,
    next: usize,
}

impl<T> Default for InTurn<T> {
    fn default() -> Self {
        Self { told: Vec::new(), next: 0 }
    }
}

impl<T: PartialEq> InTurn<T> {
    /// Pieces that changed, and whether those are all: at most so many, in so many bytes. The first may take
    /// `whole` bytes; what has no room even there is made shorter, or left out.
    fn next(
        &mut self,
        pieces: &[Arc<Piece<T>>],
        (room, most): (usize, usize),
        whole: usize,
        shorter: impl Fn(&Piece<T>) -> Piece<T>,
    ) -> (Vec<Arc<Piece<T>>>, bool) {
        self.told.resize(pieces.len(), None);
        let mut chosen: Vec<Arc<Piece<T>>> = Vec::new();
        let mut used = 0;
        let begin = self.next.min(pieces.len());
        for place in (begin..pieces.len()).chain(0..begin) {
            let (told, piece) = (&mut self.told[place], &pieces[place]);
            if told.as_ref().is_some_and(|told| Arc::ptr_eq(told, piece) || told == piece) {
                continue;
            }
            let mut shown = Arc::clone(piece);
            if chosen.is_empty() && shown.bytes + MARKS > whole {
                shown = Arc::new(shorter(piece));
            }
            let takes = used + shown.bytes + MARKS;
            let fits = if chosen.is_empty() { takes <= whole } else { takes <= room };
            if fits && chosen.len() < most {
                used = takes;
                chosen.push(shown);
            } else if !chosen.is_empty() {
                self.next = place;
                return (chosen, false);
            }
            *told = Some(Arc::clone(piece));
        }
        (chosen, true)
    }
}
