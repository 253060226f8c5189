//! The power is cut: whether what a store acknowledged is on the disk, when nothing but what was synced
//! is sure to be.
//!
//! A [`plan`] of work is done by a child process with the real store, in a real folder, under `strace`;
//! the system calls that reach the disk become a [`tape`]. From the tape come [`disk`] images: at any
//! instant, what was synced and any part of what was not, in any order, torn between sectors. The store
//! opens each of them, and what it says is [`check`]ed against the plan.
//!
//! System calls are recorded, not the calls of a SQLite file system: those do not show the renames, the
//! syncs of folders and the files beside the database, on which as much depends, and the bindings for
//! one need `libclang` wherever the tests are built.

pub mod check;
pub mod child;
pub mod disk;
pub mod plan;
pub mod strace;
pub mod tape;
pub mod world;

/// The seed of this run: `FANFOLD_SEED`, else a fixed one.
pub fn seed() -> u64 {
    number("FANFOLD_SEED").unwrap_or(5)
}

/// A number in the environment.
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}
