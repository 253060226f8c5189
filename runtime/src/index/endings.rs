//! What the last event about a step says besides: read from its commit.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use super::OpenRun;
use crate::error::OpError;
use crate::graph::NodeId;
use crate::record::raw::{Raw, RawStep, Reader as Block};
use crate::record::{ReadError, RecordError};
use crate::store::Commit;

/// What the last event about a step says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    /// Why its last attempt failed.
    pub(crate) error: Option<Arc<OpError>>,
    /// The place of the step that failed and that it needed.
    pub(crate) cause: Option<u32>,
    /// What is recorded of what it gave.
    pub(crate) record: Vec<u8>,
}

impl OpenRun {
    /// What the last events about these steps say: of those whose commits were read until `until`, and
    /// of one commit at least.
    ///
    /// # Errors
    /// A commit cannot be read.
    pub(crate) fn endings(&self, places: &[u32], until: Instant) -> Result<HashMap<u32, Ending>, ReadError> {
        let mut commits: BTreeMap<u64, HashMap<(u32, NodeId), u32>> = BTreeMap::new();
        for place in places {
            let commit = self.index().steps[*place as usize].commit();
            let (node, item) = self.index().numbers(*place);
            commits.entry(commit).or_default().insert((item, node), *place);
        }
        let mut found = HashMap::new();
        for (seq, steps) in commits.into_iter().filter(|(seq, _)| *seq > 0) {
            let row = self.reader().row();
            for commit in self.reader().store().commits(&row.id, seq - 1, 1)? {
                let read = self.read_endings(&commit, &steps, &mut found);
                read.map_err(|error| self.reader().wrong(seq, error))?;
            }
            if Instant::now() >= until {
                break;
            }
        }
        Ok(found)
    }

    fn read_endings(
        &self,
        commit: &Commit,
        steps: &HashMap<(u32, NodeId), u32>,
        found: &mut HashMap<u32, Ending>,
    ) -> Result<(), RecordError> {
        let mut block = Block::new(&commit.block, self.reader().shape(), commit.head.index.items_before)?;
        while let Some(raw) = block.next()? {
            let Some((step, ending)) = self.ending(raw, &commit.block) else { continue };
            if let Some(place) = steps.get(&(step.item, step.node)) {
                found.insert(*place, ending());
            }
        }
        Ok(())
    }
}

impl OpenRun {
    /// The step that an event is about, and what it says of it.
    fn ending<'a>(
        &'a self,
        raw: Raw<'a>,
        block: &'a [u8],
    ) -> Option<(RawStep, impl FnOnce() -> Ending + 'a)> {
        let (step, record, error, cause) = match raw {
            Raw::StepSucceeded { step, record, .. } | Raw::StepReused { step, record } => {
                (step, Some(record), None, None)
            }
            Raw::AttemptFailed { step, error, .. } | Raw::StepFailed { step, error, .. } => {
                (step, None, Some(error), None)
            }
            Raw::StepNotRun { step, cause, .. } => (step, None, None, cause),
            Raw::StepStarted { step, .. } | Raw::StepRemade { step } => (step, None, None, None),
            _ => return None,
        };
        let ending = move || {
            let record = record.and_then(|record| {
                let start = record.span.start as usize;
                block.get(start..start + record.span.len as usize)
            });
            let cause = cause.and_then(|cause| self.index().place_of(cause.node, cause.item));
            Ending { error, cause, record: record.unwrap_or_default().to_vec() }
        };
        Some((step, ending))
    }
}
