//! Which failures are handled (§4.5).
//!
//! A step that failed, or could not run because another failed, needs somebody below it who has
//! that failure for its own: a step that could not run either, or a `collect_results` that took
//! it. The failures that nobody answers for fail the run.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::error::OpError;
use crate::event::StepRef;

use super::Machine;

/// The step that failed.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) step: StepRef,
    pub(crate) error: Arc<OpError>,
    pub(crate) attempts: u32,
}

/// Why a value is not there.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) cause: Arc<Cause>,
    /// How many answer for it.
    answers: AtomicU32,
    /// Of a gathered list: the failures in it, if there are several.
    of: Vec<Arc<Failure>>,
}

impl Failure {
    /// Several failures as one; `None` if there are none.
    pub(crate) fn all(mut failures: Vec<Arc<Self>>) -> Option<Arc<Self>> {
        let cause = Arc::clone(&failures.first()?.cause);
        if failures.len() == 1 {
            return failures.pop();
        }
        Some(Arc::new(Self { cause, answers: AtomicU32::new(0), of: failures }))
    }
}

#[derive(Debug, Default)]
pub(super) struct Handled {
    unanswered: u64,
    /// What must be undone if a frame that may be superseded is.
    of_frames: HashMap<u32, Vec<Note>>,
}

#[derive(Debug)]
enum Note {
    Failed(Arc<Failure>),
    Answered(Arc<Failure>),
}

impl Handled {
    /// Whether nobody answers for some failure.
    pub(super) fn any_unanswered(&self) -> bool {
        self.unanswered > 0
    }

    fn answered(&mut self, failure: &Failure) {
        if failure.of.is_empty() {
            let before = failure.answers.fetch_add(1, Relaxed);
            self.unanswered -= u64::from(before == 0);
        }
        failure.of.iter().for_each(|failure| self.answered(failure));
    }

    fn taken_back(&mut self, failure: &Failure) {
        if failure.of.is_empty() {
            let before = failure.answers.fetch_sub(1, Relaxed);
            self.unanswered += u64::from(before == 1);
        }
        failure.of.iter().for_each(|failure| self.taken_back(failure));
    }
}

impl Machine {
    /// The failure of a step of `frame`.
    pub(super) fn new_failure(&mut self, frame: u32, cause: Arc<Cause>) -> Arc<Failure> {
        let failure = Arc::new(Failure { cause, answers: AtomicU32::new(0), of: Vec::new() });
        self.handled.unanswered += 1;
        self.note(frame, || Note::Failed(Arc::clone(&failure)));
        failure
    }

    /// Something in `frame` answers for a failure.
    pub(super) fn answer(&mut self, frame: u32, failure: &Arc<Failure>) {
        self.handled.answered(failure);
        self.note(frame, || Note::Answered(Arc::clone(failure)));
    }

    fn note(&mut self, frame: u32, note: impl FnOnce() -> Note) {
        if self.frames[frame as usize].pinned {
            self.handled.of_frames.entry(frame).or_default().push(note());
        }
    }

    /// These frames will not be superseded any more: nothing will be undone.
    pub(super) fn settle_failures(&mut self, frame: u32) {
        self.handled.of_frames.remove(&frame);
    }

    /// These frames are superseded: their failures, and what they answered for, no longer count.
    pub(super) fn undo_failures(&mut self, frames: &[u32]) {
        let notes: Vec<_> =
            frames.iter().filter_map(|frame| self.handled.of_frames.remove(frame)).flatten().collect();
        for note in &notes {
            if let Note::Answered(failure) = note {
                self.handled.taken_back(failure);
            }
        }
        for note in &notes {
            if let Note::Failed(failure) = note {
                self.handled.unanswered -= u64::from(failure.answers.load(Relaxed) == 0);
            }
        }
    }
}
