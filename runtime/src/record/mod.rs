//! The log format: events as bytes, and bytes as events.
//!
//! A run's log is a sequence of blocks. One block holds the events of one commit, and the small values
//! among them; it says its version first. Everything is relative to the [`Shape`](crate::Shape) that the
//! run was recorded under, never to a graph: a log is read without the program that wrote it.
//!
//! Where blocks are kept, and that they are the ones that were written, is the store's business; the
//! [`link`](chain::link) from one to the next is here. What the values mean is their types' business.

pub mod chain;
pub mod facts;
pub mod reader;
pub mod values;

pub(crate) mod decode;
mod differences;
mod encode;
mod error;
mod format;
pub(crate) mod items;
mod keys;
pub(crate) mod layout;
mod past;
pub(crate) mod raw;
#[cfg(test)]
pub(crate) mod samples;
mod starts;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod varint;

pub use decode::Decoder;
pub use encode::Encoder;
pub use error::RecordError;
pub use facts::{Facts, FactsError};
pub use format::FORMAT;
pub use past::{Past, StepPast};
pub use reader::{ReadError, Reader};
pub use state::{Illegal, State};
