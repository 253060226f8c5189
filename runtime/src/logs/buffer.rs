//! Lines that wait to be recorded.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::MAX_WAITING_BYTES;
use crate::store::LogRow;

/// The lines of a run's steps that wait to be recorded: whoever adds one never waits.
#[derive(Debug, Default)]
pub(crate) struct LogBuffer(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<LogRow>,
    bytes: usize,
}

/// What a line takes in memory.
fn size(line: &LogRow) -> usize {
    size_of::<LogRow>() + line.target.len() + line.text.len() + line.fields.len()
}

impl LogBuffer {
    /// Adds a line; `false` if there is no room for it.
    pub(crate) fn push(&self, line: LogRow) -> bool {
        let mut waiting = self.lock();
        let bytes = waiting.bytes + size(&line);
        let fits = bytes <= MAX_WAITING_BYTES;
        if fits {
            waiting.bytes = bytes;
            waiting.lines.push(line);
        }
        fits
    }

    /// Adds a line that says how many were dropped: there is always room for it, one an attempt.
    pub(crate) fn push_mark(&self, line: LogRow) {
        let mut waiting = self.lock();
        waiting.bytes += size(&line);
        waiting.lines.push(line);
    }

    /// Whether lines wait.
    pub(crate) fn any(&self) -> bool {
        !self.lock().lines.is_empty()
    }

    /// Takes all lines, in the order in which they came.
    pub(crate) fn take(&self) -> Vec<LogRow> {
        let mut waiting = self.lock();
        waiting.bytes = 0;
        std::mem::take(&mut waiting.lines)
    }

    /// No code of the user's runs under the lock.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: usize) -> LogRow {
        LogRow {
            number: 0,
            item: 0,
            node: 0,
            attempt: 1,
            at: 0,
            level: 3,
            target: String::new(),
            text: "x".repeat(bytes),
            fields: String::new(),
        }
    }

    #[test]
    fn beyond_its_bound_lines_are_refused_and_marks_are_not() {
        let buffer = LogBuffer::default();
        let mut kept = 0;
        while buffer.push(line(1 << 20)) {
            kept += 1;
        }
        assert_eq!(kept, MAX_WAITING_BYTES / (1 << 20) - 1);
        buffer.push_mark(line(10));
        assert_eq!(buffer.take().len(), kept + 1);
        assert!(buffer.push(line(1 << 20)), "there is room again");
    }
}
