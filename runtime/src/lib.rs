//! Jobs whose shape is decided while they run: an op gives a number of items that nobody knew before,
//! each becomes a step of its own, and the results come back in order. Every step is recorded, so that
//! a run that was killed goes on where it was.
//!
//! # An op, a job, a run
//!
//! An op is a function, a job is a function over ops. The job's body runs once, before anything is
//! executed, and says how the ops fit together: [`Out`] stands for a value, [`DynamicOut`] for a number of
//! keyed values, which is mapped or collected.
//!
//! ```
//! use fanfold::prelude::*;
//!
//! /// The words of a text, each under its place.
//! #[op(dynamic_out(by_index))]
//! fn words(text: &str) -> Vec<String> {
//!     text.split_whitespace().map(str::to_owned).collect()
//! }
//!
//! #[op]
//! fn length(word: &str) -> usize {
//!     word.len()
//! }
//!
//! #[op]
//! fn longest(lengths: &[usize]) -> usize {
//!     lengths.iter().copied().max().unwrap_or(0)
//! }
//!
//! /// How long the longest word is.
//! #[job]
//! fn longest_word(text: Out<String>) -> Out<usize> {
//!     longest(words(text).map(length).collect())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), fanfold::RunError> {
//! let longest = longest_word::job().args(("to be or not to be".to_owned(),)).run().await?;
//! assert_eq!(longest, 3);
//! # Ok(()) }
//! ```
//!
//! # A program of jobs
//!
//! `fanfold::main()`, of the feature `cli`, makes a command of all jobs of a program: `run`, `resume`,
//! `rerun`, `show` and more. What its exit codes mean is in [`exit`], its JSON in [`report::JsonLines`].
//!
//! # Recorded runs
//!
//! [`runs::Runs`] begins, resumes and reruns jobs with a [`store`], in the tokio runtime of the caller.
//! [`record::Reader`] reads what was recorded, without the program that made it; [`export`] writes it
//! for other programs. A step that a [`Sink`] is told of as succeeded is durable.
//!
//! # Features
//!
//! - `cli` (default): the binary's face.
//! - `ui` (default): the page, which the binary's command `ui` serves.
//! - `sqlite` (default): a store in a file, `store::SqliteStore`.
//! - `metrics`: the page's server answers `/metrics` in the words of OpenMetrics, for Prometheus.
//! - `logs` (of `cli`): what steps log with `tracing` is recorded, `StepLogs`.
//!
//! The guide, the rules and the architecture are in the repository's `docs`.

pub mod define;
pub mod engine;
pub mod exit;
pub mod export;
pub mod graph;
#[cfg(feature = "ui")]
pub mod layout;
pub mod logs;
pub mod machine;
pub mod record;
pub mod report;
pub mod runs;
pub mod select;
pub mod store;
pub mod summary;

#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
mod given;

#[cfg(feature = "ui")]
mod index;
#[cfg(feature = "ui")]
mod web;

mod arg;
mod changes;
mod check;
mod context;
#[cfg(not(feature = "crash-points"))]
mod crash;
#[cfg(feature = "crash-points")]
#[doc(hidden)]
pub mod crash;
mod error;
mod event;
mod in_memory;
mod job;
mod key;
mod macros;
mod options;
mod panics;
mod run;
mod secret;
mod shape;
mod step;
mod text;
mod typing;
mod value;

#[doc(hidden)]
pub mod __private;

pub use arg::JobArg;
pub use changes::{Change, changes, corresponding};
pub use check::{JobError, JobErrors, check_all_jobs};
#[cfg(feature = "cli")]
pub use cli::{main, main_with};
pub use context::{MAX_METADATA_BYTES, Metadata, NOTES_VERSION, Note, Notes, NotesError, OpContext};
pub use engine::{Canceller, ResourceError, RunHandle, RunningSteps, StartError};
pub use error::{ErrorKind, OpError, StepFailure};
pub use event::{Batch, Below, EVENT_VERSION, Event, EventKind, RunState, Span, StepRef, StepState};
pub use in_memory::{InMemory, JobRun, NoOutput, RunError};
pub use job::Job;
pub use key::{Dynamic, DynamicOutput, Key, KeyError, MAX_KEY_BYTES};
#[cfg(feature = "logs")]
pub use logs::StepLogs;
pub use options::{
    Backoff, DEFAULT_MAX_CONCURRENT, Jitter, JobOptions, OPEN_ITEMS, OpOptions, Order, PoolLimit, Rate,
    RetryPolicy,
};
pub use run::{GRACE, RunOptions, RunReport, Sink};
pub use secret::Secret;
pub use shape::{Shape, ShapeKind, ShapeNode, ShapeOutput, ShapeScope, ShapeSource, ShapeTake};
pub use step::{Path, StepName, StepNameError};
pub use summary::Summary;
#[doc(hidden)]
pub use typing::Wrong;
pub use typing::{Done, DynamicOut, Handles, Input, Keyed, MapBody, Out, Zipped};
pub use value::{AnyValue, CodecError, Gathered, TypeInfo, Value};

pub use macros::{JobArg, Outputs, graph, job, op, resource, retry};

/// What most files of jobs use.
pub mod prelude {
    pub use crate::{
        Done, Dynamic, DynamicOut, DynamicOutput, Input, JobArg, Key, Keyed, OpContext, OpError, Out,
        Outputs, RunReport, Secret, StepFailure, graph, job, op, resource,
    };
}
