//! What can be wrong with a job's body.

use std::fmt;

use super::CallSite;

/// One thing that is wrong with a job's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    /// The op, or the primitive, that was called.
    pub op: String,
    /// Where it was called.
    pub at: CallSite,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at {}: {}", self.op, self.at, self.message)
    }
}

/// Everything that is wrong with a job's body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BuildErrors {
    /// The job.
    pub job: String,
    /// What is wrong, in call order.
    pub errors: Vec<BuildError>,
}

impl fmt::Display for BuildErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the graph of job `{}` cannot be built", self.job)?;
        self.errors.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}
