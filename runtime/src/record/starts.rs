//! Which starts a block need not tell: the attempt's end is in the same block, and says when it began.

use crate::event::{Event, EventKind, StepRef};

/// The starts of one batch that are left out; kept from batch to batch for its room.
#[derive(Debug, Clone, Default)]
pub(super) struct Starts {
    /// Item, node and attempt of each start, and its place in the batch.
    told: Vec<(u32, u32, u32, usize)>,
    /// The places of those that are left out, the last first.
    left_out: Vec<usize>,
}

impl Starts {
    pub(super) fn look_at(&mut self, events: &[Event]) {
        self.told.clear();
        self.left_out.clear();
        for (place, event) in events.iter().enumerate() {
            if let EventKind::StepStarted { step, attempt } = &event.kind {
                self.told.push((step.path.number(), step.node.0, *attempt, place));
            }
        }
        if self.told.is_empty() {
            return;
        }
        self.told.sort_unstable();
        events.iter().filter_map(ended).for_each(|(step, attempt)| self.leave_out(step, attempt));
        self.left_out.sort_unstable_by(|a, b| b.cmp(a));
    }

    fn leave_out(&mut self, step: &StepRef, attempt: u32) {
        let wanted = (step.path.number(), step.node.0, attempt, 0);
        let first = self.told.partition_point(|told| *told < wanted);
        let same = self.told[first..]
            .iter()
            .take_while(|(item, node, told, _)| (*item, *node, *told) == (wanted.0, wanted.1, wanted.2));
        self.left_out.extend(same.map(|told| told.3));
    }

    /// Whether the event at a place is left out; to be asked for each place, in order.
    #[inline]
    pub(super) fn is_left_out(&mut self, place: usize) -> bool {
        while self.left_out.last() == Some(&place) {
            self.left_out.pop();
            if self.left_out.last() != Some(&place) {
                return true;
            }
        }
        false
    }
}

/// The attempt that an event ends. That a step was not run names no attempt: without its start, the
/// number would be given a second time (§4.7).
fn ended(event: &Event) -> Option<(&StepRef, u32)> {
    match &event.kind {
        EventKind::StepSucceeded { step, attempt, .. }
        | EventKind::AttemptFailed { step, attempt, .. }
        | EventKind::StepFailed { step, attempt, .. } => Some((step, *attempt)),
        _ => None,
    }
}
