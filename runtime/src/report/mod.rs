//! Faces of a run: each is a [`Sink`](crate::Sink) for its events.

pub(crate) mod json;

#[cfg(feature = "cli")]
pub(crate) mod block;
#[cfg(feature = "cli")]
pub(crate) mod closing;
#[cfg(feature = "cli")]
pub(crate) mod layout;
#[cfg(feature = "cli")]
pub(crate) mod lines;
#[cfg(feature = "cli")]
pub(crate) mod logs;
#[cfg(feature = "cli")]
pub(crate) mod paint;
#[cfg(feature = "cli")]
pub(crate) mod plain;
#[cfg(feature = "cli")]
pub(crate) mod progress;
#[cfg(feature = "cli")]
pub(crate) mod screen;
#[cfg(feature = "cli")]
pub(crate) mod turns;
#[cfg(feature = "cli")]
pub(crate) mod words;

#[cfg(test)]
pub(crate) mod fixture;

pub use json::JsonLines;
