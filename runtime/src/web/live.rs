//! What is told of a run while it goes on.
//!
//! One watcher looks at each run that somebody watches, and makes of it a [`State`] that all its streams
//! share. Each stream tells of the newest state what it has not told yet: one that is slow skips what lay
//! between, so nothing queues up.

mod difference;
mod follow;
mod state;
mod stream;
mod watcher;

pub(crate) use stream::{Events, of_list, of_run};
pub(crate) use watcher::Watchers;

#[cfg(test)]
mod tests;
