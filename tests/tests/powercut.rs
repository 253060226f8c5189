//! A store on a disk that fails, or that loses its power (docs/semantics.md §5).
#![cfg(unix)]

#[path = "powercut/common.rs"]
mod common;
#[path = "powercut/faults.rs"]
mod faults;
#[path = "powercut/images.rs"]
mod images;
