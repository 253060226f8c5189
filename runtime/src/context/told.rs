//! What one attempt of a step has told of itself, shared by all clones of its context.

use crate::logs::LogBudget;

/// What one attempt of a step has told of itself.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) log: LogBudget,
}
