//! stub
use crate::event::StepState;
use crate::graph::NodeId;
use crate::key::Key;
use crate::step::Path;
use std::time::Duration;
/// x
#[derive(Debug)]
pub struct Past {
    state: super::State,
}
/// x
#[derive(Debug, Clone, Copy)]
pub enum StepPast {
    /// x
    Never,
    /// x
    Tried {
        /// x
        attempt: u32,
        /// x
        failed: u32,
        /// x
        due: Option<Duration>,
    },
    /// x
    Succeeded {
        /// x
        attempt: u32,
    },
}
#[expect(missing_docs, reason = "stub")]
impl Past {
    pub fn state(&self) -> &super::State {
        &self.state
    }
    pub fn items(&self, _: u32, _: NodeId, _: u16) -> &[u32] {
        &[]
    }
    pub fn parts(&self, _: u32) -> Vec<Key> {
        vec![]
    }
    pub fn find(&self, _: u32, _: NodeId, _: u16, _: &[Key]) -> Option<u32> {
        None
    }
    pub fn generation(&self, _: u32, _: NodeId, _: u16, _: &[Key]) -> u32 {
        0
    }
    pub fn item_record(&self, _: u32) -> &[u8] {
        &[]
    }
    pub fn step(&self, _: u32, _: NodeId) -> StepPast {
        StepPast::Never
    }
    pub fn step_record(&self, _: u32, _: NodeId) -> Option<&[u8]> {
        None
    }
    pub fn succeeded_below(&self, _: u32) -> Vec<(NodeId, StepState)> {
        vec![]
    }
    pub fn path(&self, _: u32) -> Path {
        Path::root()
    }
    pub fn last_item(&self) -> u32 {
        0
    }
    pub fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    pub fn opener(&self, _: u32) -> (NodeId, u16, u32) {
        (NodeId(0), 0, 0)
    }
    pub fn whole_nodes(&self) -> Vec<bool> {
        vec![]
    }
}
