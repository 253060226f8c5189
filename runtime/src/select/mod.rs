//! stub
use crate::graph::{NodeId, ScopeId};
use crate::key::Key;
/// x
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// x
    Run,
    /// x
    Reuse,
    /// x
    Absent,
}
/// x
#[derive(Debug)]
pub struct Selection;
impl Selection {
    /// x
    pub fn step(&self, _: NodeId, _: &[Key]) -> Part {
        Part::Run
    }
    /// x
    pub fn opens(&self, _: ScopeId, _: &[Key]) -> bool {
        true
    }
}
