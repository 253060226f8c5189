//! stub
use crate::event::Event;
use crate::shape::Shape;
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
