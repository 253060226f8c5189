//! The log of one attempt of a step.

use super::{LogBuffer, OWN_TARGET};
use crate::context::{RunContext, Told};
use crate::graph::NodeId;
use crate::store::LogRow;

/// The log of one attempt of a step, in a run whose logs are recorded.
#[derive(Debug)]
pub(crate) struct StepLog<'a> {
    pub(crate) run: &'a RunContext,
    pub(crate) buffer: &'a LogBuffer,
    pub(crate) told: &'a Told,
    pub(crate) node: NodeId,
    pub(crate) item: u32,
    pub(crate) attempt: u32,
}

/// A line without its place.
#[derive(Debug)]
pub(crate) struct Said {
    /// As in [`LogRow`].
    pub(crate) level: u8,
    /// As in [`LogRow`].
    pub(crate) target: String,
    /// As in [`LogRow`].
    pub(crate) text: String,
    /// As in [`LogRow`].
    pub(crate) fields: String,
}

impl StepLog<'_> {
    /// Whether another line may be made; if not, it is counted as dropped.
    #[cfg(feature = "logs")]
    pub(crate) fn allows_a_line(&self) -> bool {
        self.told.log.allows_a_line()
    }

    /// Adds a line, or counts it as dropped.
    pub(crate) fn add(&self, said: Said) {
        let bytes = said.text.len() + said.fields.len();
        let kept = self.buffer.push(self.row(said));
        self.told.log.spend(bytes, kept);
    }

    /// Says how many lines were dropped, if there are any: the last lines of the log.
    pub(crate) fn close(&self) {
        for text in self.told.log.marks() {
            let said = Said { level: 2, target: OWN_TARGET.to_owned(), text, fields: String::new() };
            self.buffer.push_mark(self.row(said));
        }
    }

    fn row(&self, Said { level, target, text, fields }: Said) -> LogRow {
        let at = u64::try_from(self.run.now().as_micros()).unwrap_or(u64::MAX);
        // The store gives the number.
        LogRow {
            number: 0,
            item: self.item,
            node: self.node.0,
            attempt: self.attempt,
            at,
            level,
            target,
            text,
            fields,
        }
    }
}
