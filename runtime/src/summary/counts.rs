//! How many steps of a run are in each state, as lists of runs have it.

use serde::{Deserialize, Serialize};

use super::Summary;
use crate::event::StepState;
use crate::shape::Shape;

/// How many steps of a run are in each state, in the order of [`StepState::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts(pub [u64; StepState::ALL.len()]);

impl Counts {
    /// Those of a run.
    pub fn of(summary: &Summary, shape: &Shape) -> Self {
        Self(StepState::ALL.map(|state| summary.total(shape, state)))
    }

    /// How many are in a state.
    pub fn get(&self, state: StepState) -> u64 {
        StepState::ALL.iter().position(|one| *one == state).map_or(0, |place| self.0[place])
    }

    /// As the catalogue of runs keeps it: `[5,0,0,0,0,1,2]`.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads it; a run of which nothing is known yet has no steps.
    pub fn read(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::half_way;

    #[test]
    fn what_is_written_is_read() {
        let (shape, events) = half_way();
        let mut summary = Summary::new(&shape);
        summary.apply(&shape, &events);
        let counts = Counts::of(&summary, &shape);
        assert_eq!(counts.to_json(), "[4,0,0,0,0,2,2]");
        assert_eq!(Counts::read(&counts.to_json()), counts);
        assert_eq!((counts.get(StepState::Running), counts.get(StepState::Succeeded)), (2, 4));
        assert_eq!(Counts::read("").get(StepState::Failed), 0);
    }
}
