//! What steps log, on its way to the record.
//!
//! `StepLogs` takes what is logged with `tracing` inside a step, and puts it as lines into a buffer of
//! the run, from which whoever writes the record takes them. A step never waits for that: where
//! there are too many lines they are dropped, counted, and the step's log says so. What the lines look
//! like to people is not decided here: their text is kept as it was written.
#![cfg_attr(not(feature = "logs"), allow(dead_code, reason = "nothing is heard without the layer"))]

mod budget;
mod buffer;
#[cfg(feature = "logs")]
mod layer;
#[cfg(feature = "logs")]
mod line;
mod step;

pub(crate) use budget::LogBudget;
pub(crate) use buffer::LogBuffer;
#[cfg(feature = "logs")]
pub use layer::StepLogs;
pub(crate) use step::StepLog;

/// How many lines of one attempt of a step are kept: enough for a loop that logs each item, few enough
/// that a step in an endless loop does not fill a disk.
pub const MAX_STEP_LINES: u64 = 10_000;
/// How many bytes of one attempt of a step are kept.
pub const MAX_STEP_BYTES: u64 = 4 << 20;
/// How long a line may be, its fields included, in bytes before they are escaped: a stack trace fits,
/// a page of HTML is cut.
pub const MAX_LINE_BYTES: usize = 16 << 10;
/// How many bytes of lines may wait to be recorded: some seconds of a busy run.
pub const MAX_WAITING_BYTES: usize = 16 << 20;

/// The target of lines that fanfold itself adds to a step's log.
pub const OWN_TARGET: &str = "fanfold";
