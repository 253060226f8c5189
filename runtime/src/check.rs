//! Checking all jobs of a program before any of them runs.

use std::fmt;

use crate::define::JobDef;
use crate::graph::{BuildErrors, Graph};
use crate::panics;

/// Builds the graph of every job of the program, and gives all that is wrong with them.
///
/// One line checks them in a test:
///
/// ```no_run
/// # // In a crate without jobs this is an error.
/// fanfold::check_all_jobs().unwrap();
/// ```
/// # Errors
/// A job's graph cannot be built, two jobs share a name, or there are no jobs at all.
pub fn check_all_jobs() -> Result<(), JobErrors> {
    registry()?;
    let errors: Vec<_> = crate::define::jobs().into_iter().filter_map(|job| build(job).err()).collect();
    if errors.is_empty() { Ok(()) } else { Err(JobErrors(errors)) }
}

/// Everything that is wrong with the jobs of a program.
#[derive(Clone, thiserror::Error)]
pub struct JobErrors(Vec<JobError>);

impl JobErrors {
    /// One by one.
    pub fn errors(&self) -> &[JobError] {
        &self.0
    }
}

impl fmt::Display for JobErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

/// As it is displayed, so that a test that unwraps it can be read.
impl fmt::Debug for JobErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One thing that is wrong with the jobs of a program.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// There are none.
    #[error(
        "this program has no jobs: mark a function with `#[job]`; the jobs of a library that the program never mentions are not linked, so write `use my_jobs as _;`"
    )]
    None,
    /// Two have one name.
    #[error("two jobs are named `{name}`, at {first} and at {second}: rename one")]
    SameName {
        /// The name.
        name: &'static str,
        /// Where the first stands.
        first: String,
        /// Where the second stands.
        second: String,
    },
    /// A job's body says something that cannot be built.
    #[error(transparent)]
    Build(#[from] BuildErrors),
    /// A job's body panicked.
    #[error("the graph of job `{job}` at {at} cannot be built: {message}")]
    Panic {
        /// The job.
        job: &'static str,
        /// Where it stands.
        at: String,
        /// What it said, and where.
        message: String,
    },
}

/// Whether there are jobs, each with a name of its own.
pub(crate) fn registry() -> Result<(), JobErrors> {
    let jobs = crate::define::jobs();
    if jobs.is_empty() {
        return Err(JobErrors(vec![JobError::None]));
    }
    // They come sorted by name.
    let errors: Vec<_> = jobs
        .windows(2)
        .filter(|pair| pair[0].name == pair[1].name)
        .map(|pair| JobError::SameName { name: pair[0].name, first: place(pair[0]), second: place(pair[1]) })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(JobErrors(errors)) }
}

/// The graph of a job; a panic in its body is an error like any other.
pub(crate) fn build(job: &'static JobDef) -> Result<Graph, JobError> {
    panics::install_hook();
    let panicked = |error: crate::OpError| JobError::Panic {
        job: job.name,
        at: place(job),
        message: error.message().to_owned(),
    };
    Ok(panics::caught(|| crate::graph::build::build(job)).map_err(panicked)??)
}

fn place(job: &JobDef) -> String {
    format!("{}:{}", job.file, job.line)
}
