//! A job whose events go to a file as well, by `main_with`.

use std::process::ExitCode;

use fanfold::prelude::*;
use fanfold::report::JsonLines;

fn main() -> ExitCode {
    fanfold::main_with(|| {
        let path = std::env::var("EVENTS").expect("the test says where events go");
        vec![Box::new(JsonLines::new(std::fs::File::create(path).expect("a file for events")))]
    })
}

/// The doors of a house.
#[op(dynamic_out)]
fn doors() -> Vec<DynamicOutput<u64>> {
    vec![DynamicOutput::new("front", 1), DynamicOutput::new("back", 2)]
}

/// Opens only the front door, unless there is a key.
#[op]
fn open(door: u64) -> Result<u64, OpError> {
    if door == 1 || std::path::Path::new("key").exists() {
        return Ok(door);
    }
    Err(OpError::permanent("there is no key"))
}

#[op]
fn count(doors: Vec<u64>) -> usize {
    doors.len()
}

/// Opens all doors.
#[job]
fn house() -> Out<usize> {
    count(doors().map(open).collect())
}
