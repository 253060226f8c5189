//! Keys of an op that is called directly, in a unit test: checked as in a run.

use std::collections::HashSet;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::key::{DynamicOutput, Key, KeyError};

/// An item whose key can be looked at.
pub trait HasKey {
    /// The key, unless the item is an error.
    fn key(&self) -> Option<&Key>;
}

impl<T> HasKey for DynamicOutput<T> {
    fn key(&self) -> Option<&Key> {
        Some(self.key())
    }
}

impl<T, E> HasKey for Result<DynamicOutput<T>, E> {
    fn key(&self) -> Option<&Key> {
        self.as_ref().ok().map(DynamicOutput::key)
    }
}

/// The keys that an op has given.
#[derive(Debug)]
struct Keys {
    op: &'static str,
    given: HashSet<Key>,
}

impl Keys {
    fn new(op: &'static str) -> Self {
        Self { op, given: HashSet::new() }
    }

    /// # Panics
    /// The key is one that would fail the op in a run.
    fn check<I: HasKey>(&mut self, item: I) -> I {
        if let Some(key) = item.key() {
            let duplicate = || KeyError::Duplicate { key: key.to_string() };
            let checked = key
                .check()
                .and_then(|()| if self.given.insert(key.clone()) { Ok(()) } else { Err(duplicate()) });
            if let Err(error) = checked {
                panic!("`{}`: {error}", self.op);
            }
        }
        item
    }
}

/// Checks the keys of a list.
///
/// # Panics
/// A key would fail the op in a run.
pub fn check_all<I: HasKey>(op: &'static str, items: Vec<I>) -> Vec<I> {
    let mut keys = Keys::new(op);
    items.into_iter().map(|item| keys.check(item)).collect()
}

/// An iterator that checks its keys as it goes.
#[derive(Debug)]
pub struct Checked<I> {
    items: I,
    keys: Keys,
}

impl<I> Checked<I> {
    /// Checks the keys of `op`.
    pub fn new(op: &'static str, items: I) -> Self {
        Self { items, keys: Keys::new(op) }
    }
}

impl<I: Iterator<Item: HasKey>> Iterator for Checked<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.items.next().map(|item| self.keys.check(item))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

/// A stream that checks its keys as it goes.
#[derive(Debug)]
pub struct CheckedStream<S> {
    items: Pin<Box<S>>,
    keys: Keys,
}

impl<S> CheckedStream<S> {
    /// Checks the keys of `op`.
    pub fn new(op: &'static str, items: S) -> Self {
        Self { items: Box::pin(items), keys: Keys::new(op) }
    }
}

impl<S: Stream<Item: HasKey>> Stream for CheckedStream<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let next = self.items.as_mut().poll_next(cx);
        next.map(|item| item.map(|item| self.keys.check(item)))
    }
}
