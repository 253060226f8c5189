//! What is kept of one step: 18 bytes.

use crate::event::StepState;

/// One step, as bytes without a gap between them: a million have to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The state, and flags.
    standing: u8,
    /// How many attempts were begun; [`MANY`] and more are kept elsewhere.
    pub(super) attempts: u8,
    /// When the last began, and how long it took, in microseconds: nine years are enough.
    started: [u8; 6],
    took: [u8; 6],
    /// The commit of the last event about it.
    commit: [u8; 4],
}

/// So many attempts, or more, do not fit.
pub(super) const MANY: u8 = u8::MAX;

const STATE: u8 = 0x07;
const REUSED: u8 = 0x08;
const RETRYING: u8 = 0x10;

impl Entry {
    pub(super) const NEW: Self = Self {
        standing: StepState::Waiting as u8,
        attempts: 0,
        started: [0; 6],
        took: [0; 6],
        commit: [0; 4],
    };

    #[inline]
    pub(super) fn state(&self) -> StepState {
        const STATES: [StepState; 8] = [
            StepState::Waiting,
            StepState::Running,
            StepState::Succeeded,
            StepState::Failed,
            StepState::Skipped,
            StepState::UpstreamFailed,
            StepState::Cancelled,
            StepState::Waiting,
        ];
        STATES[(self.standing & STATE) as usize]
    }

    /// It came to a state by an event of a commit; no flag holds any more.
    #[inline]
    pub(super) fn come_to(&mut self, state: StepState, commit: u64) {
        self.standing = state as u8;
        self.commit = u32::try_from(commit).unwrap_or(u32::MAX).to_le_bytes();
    }

    /// The run goes on: what has not succeeded waits anew.
    #[inline]
    pub(super) fn resume(&mut self) {
        if self.state() != StepState::Succeeded {
            self.standing = StepState::Waiting as u8;
        }
    }

    pub(super) fn set_reused(&mut self) {
        self.standing |= REUSED;
    }

    pub(super) fn is_reused(&self) -> bool {
        self.standing & REUSED != 0
    }

    /// It waits for its next attempt.
    pub(super) fn set_retrying(&mut self) {
        self.standing |= RETRYING;
    }

    pub(super) fn is_retrying(&self) -> bool {
        self.standing & RETRYING != 0
    }

    pub(super) fn commit(&self) -> u64 {
        u64::from(u32::from_le_bytes(self.commit))
    }

    #[inline]
    pub(super) fn set_times(&mut self, started: u64, took: u64) {
        (self.started, self.took) = (packed(started), packed(took));
    }

    #[inline]
    pub(super) fn started(&self) -> u64 {
        unpacked(self.started)
    }

    #[inline]
    pub(super) fn took(&self) -> u64 {
        unpacked(self.took)
    }
}

#[inline]
fn packed(micros: u64) -> [u8; 6] {
    let [a, b, c, d, e, f, _, _] = micros.min((1 << 48) - 1).to_le_bytes();
    [a, b, c, d, e, f]
}

#[inline]
fn unpacked([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read() {
        assert_eq!(size_of::<Entry>(), 18);
        let mut entry = Entry::NEW;
        assert_eq!(entry.state(), StepState::Waiting);
        for state in StepState::ALL {
            entry.come_to(state, 70_000);
            entry.set_times(1 << 47, 1_000_001);
            assert_eq!((entry.state(), entry.commit()), (state, 70_000));
            assert_eq!((entry.started(), entry.took()), (1 << 47, 1_000_001));
            assert!(!entry.is_reused() && !entry.is_retrying());
        }
        entry.set_times(u64::MAX, 0);
        assert_eq!(entry.started(), (1 << 48) - 1);
    }
}
