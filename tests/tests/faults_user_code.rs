//! Whatever an op, a value or an error does to the thread that runs it, in a recorded run: its step fails,
//! the others go on, and what was told is recorded.

mod common;
#[path = "faults/panics.rs"]
mod panics;
#[path = "faults/place.rs"]
mod place;
#[path = "faults/tasks.rs"]
mod tasks;
#[path = "faults/values.rs"]
mod values;
