//! stub
use crate::event::{Batch, Event};
use crate::shape::Shape;
use crate::store::CommitIndex;
use std::time::Duration;
/// x
#[derive(Debug, Default)]
pub struct Encoder;
#[expect(missing_docs, reason = "stub")]
impl Encoder {
    pub fn new() -> Self {
        Self
    }
    pub fn resume(_: u32, _: u64, _: Duration) -> Self {
        Self
    }
    pub fn encode(&mut self, _: &Shape, _: &Batch, _: &mut Vec<u8>) -> CommitIndex {
        CommitIndex::default()
    }
}
/// x
#[derive(Debug, Clone)]
pub struct State;
#[expect(missing_docs, reason = "stub")]
impl State {
    pub fn new(_: &Shape) -> Self {
        Self
    }
    pub fn next(&mut self, _: &Shape, _: &Event) -> Result<(), String> {
        Ok(())
    }
    pub fn steps_ended(&self) -> u64 {
        0
    }
}
impl super::Past {
    /// x
    pub fn state(&self) -> &State {
        &State
    }
}
