//! Helpers shared by the tests.

pub mod crash;
pub mod faulty;
pub mod model;
#[cfg(unix)]
pub mod powercut;

// What the documents show compiles, and runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide.md")]
struct Guide;
