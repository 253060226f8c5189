//! What an op or the machine does to a whole process: it ends or goes on, and the record stays right.
#![cfg(unix)]

#[path = "faults/program.rs"]
mod program;
#[path = "faults/surroundings.rs"]
mod surroundings;
#[path = "faults/telling.rs"]
mod telling;
#[path = "faults/types.rs"]
mod types;
