//! Jobs with dynamic outputs.

pub mod define;
pub mod engine;
pub mod exit;
pub mod export;
pub mod graph;
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
pub use cli::main;
pub use context::{MAX_METADATA_BYTES, Metadata, NOTES_VERSION, Note, Notes, NotesError, OpContext};
pub use engine::{Canceller, ResourceError, RunHandle, RunningSteps, StartError};
pub use error::{ErrorKind, OpError, StepFailure};
pub use event::{Batch, EVENT_VERSION, Event, EventKind, RunState, Span, StepRef, StepState};
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
