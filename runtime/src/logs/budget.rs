//! How much one attempt of a step may log, and how much of it was dropped.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{MAX_STEP_BYTES, MAX_STEP_LINES};

/// What one attempt of a step has logged.
#[derive(Debug, Default)]
pub(crate) struct LogBudget {
    lines: AtomicU64,
    bytes: AtomicU64,
    /// Dropped since the step had logged all that it may.
    over: AtomicU64,
    /// Dropped since too many lines waited to be recorded.
    late: AtomicU64,
}

impl LogBudget {
    /// Whether another line may be made; if not, it is counted as dropped. To be asked before the line
    /// is written out: a million of them cost little.
    pub(crate) fn allows_a_line(&self) -> bool {
        let allows =
            self.lines.fetch_add(1, Relaxed) < MAX_STEP_LINES && self.bytes.load(Relaxed) < MAX_STEP_BYTES;
        if !allows {
            self.over.fetch_add(1, Relaxed);
        }
        allows
    }

    /// A line of so many bytes was kept, or there was no room for it.
    pub(crate) fn spend(&self, bytes: usize, kept: bool) {
        if kept {
            self.bytes.fetch_add(bytes as u64, Relaxed);
        } else {
            self.late.fetch_add(1, Relaxed);
        }
    }

    /// What the log is to say of lines that were dropped since this was last asked.
    pub(crate) fn marks(&self) -> impl Iterator<Item = String> {
        let (over, late) = (self.over.swap(0, Relaxed), self.late.swap(0, Relaxed));
        let over = dropped(over, || {
            format!("a step keeps {MAX_STEP_LINES} lines and {} MiB of its log", MAX_STEP_BYTES >> 20)
        });
        over.into_iter().chain(dropped(late, || "they came faster than they could be recorded".to_owned()))
    }
}

fn dropped(count: u64, why: impl FnOnce() -> String) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 line dropped: {}", why())),
        count => Some(format!("{count} lines dropped: {}", why())),
    }
}
