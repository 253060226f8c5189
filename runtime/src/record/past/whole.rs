//! Of which nodes nothing is left to do.

use super::Past;
use crate::event::StepState;
use crate::graph::{NodeId, ScopeId};
use crate::shape::ShapeKind;

impl Past {
    /// Whether each node has succeeded in every item that there is or can be; `false` for what is not a
    /// step.
    pub fn whole_nodes(&self) -> Vec<bool> {
        let mut nodes = self.succeeded_everywhere();
        let mut scopes = vec![true; self.shape.scopes.len()];
        // A scope comes after the one around it, and what opens it lies there or further out.
        for (id, scope) in (0..).map(ScopeId).zip(&self.shape.scopes) {
            if let (Some(around), Some((node, output))) = (scope.parent, scope.fan) {
                let all_open = match self.shape.nodes.get(node.index()).map(|node| node.kind) {
                    Some(ShapeKind::Op) => nodes[node.index()],
                    _ => self.is_closed_everywhere(around, node, output),
                };
                let is_whole = scopes.get(around.index()).is_some_and(|around| *around);
                scopes[id.index()] = all_open && is_whole;
            }
        }
        for (whole, node) in nodes.iter_mut().zip(&self.shape.nodes) {
            *whole &= node.is_step() && scopes.get(node.scope.index()).is_some_and(|scope| *scope);
        }
        nodes
    }

    /// Whether each node has succeeded in every item that there is.
    fn succeeded_everywhere(&self) -> Vec<bool> {
        let mut nodes = vec![true; self.shape.nodes.len()];
        for item in self.living() {
            for node in &self.state.layout().scope(self.state.scope_of(item)).steps {
                nodes[node.index()] &= self.state.succeeded(item, *node);
            }
        }
        nodes
    }

    /// Whether a fan-out has closed, since the run began or was resumed, in every item of `around`, and
    /// has all its items: after a failure it may have closed without those that a resume brings.
    fn is_closed_everywhere(&self, around: ScopeId, node: NodeId, output: u16) -> bool {
        if self.unsuccessful.values().any(|state| *state != StepState::Skipped) {
            return false;
        }
        let mut items = self.living().filter(|item| self.state.scope_of(*item) == around);
        items.all(|item| self.state.is_closed(item, node, output))
    }

    /// What lies outside all fan-outs, and the items that count.
    fn living(&self) -> impl Iterator<Item = u32> {
        (0..=self.last_item()).filter(|item| self.state.is_alive(*item))
    }
}
