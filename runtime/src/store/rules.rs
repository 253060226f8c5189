//! What every store does alike: which runs and lines a filter admits, which ids are legal, what is kept
//! of what a worker has in hand, and the words for what is refused.

use std::borrow::Cow;

use super::{IN_HAND_BYTES, IN_HAND_CUT, LogFilter, LogRow, RunFilter, RunRow, StoreError};

/// The longest id of a run: it names files.
const MAX_ID: usize = 64;

impl RunFilter {
    pub(super) fn admits(&self, row: &RunRow) -> bool {
        self.before.is_none_or(|before| row.number < before)
            && self.job.as_ref().is_none_or(|job| *job == row.job)
            && (self.standing.is_empty() || self.standing.contains(&row.standing))
            && self.since.is_none_or(|since| row.started >= since)
            && self.until.is_none_or(|until| row.started < until)
            && (self.parent.is_none() || self.parent == row.parent)
            && self.tags.iter().all(|tag| row.tags.contains(tag))
    }

    pub(super) fn at_most(&self) -> usize {
        if self.limit == 0 { usize::MAX } else { self.limit }
    }
}

impl LogFilter {
    pub(super) fn admits(&self, line: &LogRow) -> bool {
        self.step.is_none_or(|step| step == (line.item, line.node))
            && self.node.is_none_or(|node| node == line.node)
            && (self.level == 0 || line.level <= self.level)
    }
}

/// Whether an id can be the name of a file everywhere.
pub(super) fn is_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !id.is_empty() && id.len() <= MAX_ID && id.chars().all(plain)
}

/// Refuses an id that cannot be the name of a file.
pub(super) fn check_id(store: &str, id: &str) -> Result<(), StoreError> {
    if is_id(id) {
        return Ok(());
    }
    let what = format!(
        "{id:?} cannot be the id of a run: it takes 1 to {MAX_ID} of the letters A-Z, a-z, 0-9, -, _"
    );
    Err(StoreError::Failed { store: store.to_owned(), what })
}

/// There is a run of that id.
pub(super) fn taken(store: &str, id: &str) -> StoreError {
    let what = format!("there is a run `{id}` already: a new run takes a new id");
    StoreError::Failed { store: store.to_owned(), what }
}

/// A commit was to follow another than the last one.
pub(super) fn not_the_head(store: &str, run: &str, head: u64) -> StoreError {
    let what = format!(
        "run {run}: the commit that was to be written does not follow commit {head}, the last one there: \
         nothing was written"
    );
    StoreError::Damaged { store: store.to_owned(), what }
}

/// What is kept of what a worker has in hand.
pub(super) fn cut_in_hand(steps: &[u8]) -> Cow<'_, [u8]> {
    if steps.len() <= IN_HAND_BYTES {
        return Cow::Borrowed(steps);
    }
    let mut kept = steps[..IN_HAND_BYTES - 1].to_vec();
    kept.push(IN_HAND_CUT);
    Cow::Owned(kept)
}
