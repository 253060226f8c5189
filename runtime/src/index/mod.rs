//! The index of a run: every step with how it stands, decoded once and extended by commits.
//!
//! It answers what the heads of commits cannot: which steps wait or run, steps in any order, steps by a
//! part of their name. A step has its place from the moment its item opens, so nothing need be searched.
//! It takes 20 to 24 bytes a step, and what keys of text take. What was recorded of a step besides is read
//! from its commit. Nothing here writes.

mod endings;
mod entry;
mod find;
mod fold;
mod keys;
mod look;
mod open;
mod order;
#[cfg(test)]
mod tests;

pub(crate) use endings::Ending;
pub(crate) use find::{By, Query, Sort};
pub(crate) use fold::Index;
pub(crate) use look::{Bar, IndexedStep};
pub(crate) use open::OpenRun;

/// Makes room for more, an eighth at a time: doubling would take up to twice what is needed.
fn make_room<T>(list: &mut Vec<T>, more: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact(more.max(list.len() / 8));
    }
}
