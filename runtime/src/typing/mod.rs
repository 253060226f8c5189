//! Handles with types: what a job's body is written in, and what rustc checks.
//!
//! Every handle is a number ([`Raw`](crate::graph::build::Raw)) and a type that only rustc sees.
//! The traits here exist for their error messages as much as for what they do: which impl carries
//! `do_not_recommend`, and which bound stands where, decides what a user reads after a mistake.
//! The ui tests hold those texts.

mod fold;
mod gather;
mod handle;
mod input;
mod keyed;
mod map;
mod options;
mod zip;

pub use handle::{Done, DynamicOut, FromRaws, Handles, Out, Wrong};
pub use input::{Input, Single};
pub use keyed::Keyed;
pub use map::MapBody;
pub use options::{after, say};
pub use zip::Zipped;
