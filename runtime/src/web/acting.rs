//! What the page does: it begins runs as processes of their own, and asks those that run to stop.
//!
//! A process that was begun here belongs to nobody: it has a process group of its own and no terminal, so
//! that neither the end of the page nor a Ctrl-C at it ends a run.

mod begin;
mod child;
mod refusals;

pub(crate) use begin::begin;
pub(crate) use refusals::{not_resumed, wrong};
