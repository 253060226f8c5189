//! What was seen, in one line.

use std::collections::BTreeSet;
use std::fmt;

/// What a crash loop has seen. What must not be is an error at once: if there are figures, nothing was
/// lost, doubled or wrong.
#[derive(Debug, Default)]
pub struct Figures {
    /// Runs brought to their end.
    pub runs: u64,
    /// Processes killed.
    pub kills: u64,
    /// Named points at which a process died.
    pub points: BTreeSet<String>,
    /// Successes that were told.
    pub acks: u64,
    /// Steps that were begun once more than they had to, after a kill: all, and the most after one.
    pub again: u64,
    /// The most after one kill.
    pub worst: u64,
    /// Kills after which the record was longer than after the kill before.
    pub progress: u64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, kills, points, acks, again, worst, progress } = self;
        write!(
            f,
            "crash: {kills} kills of {runs} runs, {} points hit, {acks} acks, lost 0, doubled 0, wrong 0, \
             steps done again per kill {:.2} (worst {worst}), the record grew in {progress}",
            points.len(),
            *again as f64 / (*kills).max(1) as f64,
        )
    }
}
