//! What is asked of the run that is run again, and a walk through its items.

use std::ops::ControlFlow;

use crate::event::StepState;
use crate::graph::{NodeId, ScopeId};
use crate::key::Key;
use crate::shape::Shape;

/// The run that is run again, as far as a selection needs to know it. Nodes are those of the job's
/// shape today; items have the numbers that the run gave them, 0 is outside all fan-outs.
pub trait PastRun {
    /// The items that a node gave in the item `parent`, in yield order, without superseded ones. For
    /// a held list these are the items that were opened in `parent`.
    fn items(&self, parent: u32, node: NodeId, output: u16) -> Vec<u32>;

    /// An item's own keys, without those of the items around it: one, or more if it was opened from
    /// a held list or by a zip.
    fn parts(&self, item: u32) -> Vec<Key>;

    /// How the step of a node in an item ended; `None` if it did not.
    fn state(&self, item: u32, node: NodeId) -> Option<StepState>;
}

/// One item, or what lies outside all fan-outs, as the walk comes by.
pub(super) struct Visit<'a> {
    pub(super) scope: ScopeId,
    pub(super) item: u32,
    pub(super) keys: &'a [Key],
}

/// Goes through the items of a run in yield order, outer ones first. `visit` says whether to go into
/// an item, or to stop.
pub(super) fn walk(
    shape: &Shape,
    past: &dyn PastRun,
    mut visit: impl FnMut(Visit<'_>) -> ControlFlow<(), bool>,
) {
    let mut children = vec![Vec::new(); shape.scopes.len()];
    for (id, scope) in (0..).map(ScopeId).zip(&shape.scopes) {
        if let (Some(parent), Some(fan)) = (scope.parent, scope.fan) {
            children[parent.index()].push((id, fan));
        }
    }
    let fans = |scope: ScopeId, item: u32, depth: usize| {
        let fan = move |(scope, (node, output)): &(ScopeId, (NodeId, u16))| {
            (*scope, past.items(item, *node, *output).into_iter(), depth)
        };
        children[scope.index()].iter().rev().map(fan).collect::<Vec<_>>()
    };
    let mut keys: Vec<Key> = Vec::new();
    let root = ScopeId::ROOT;
    let ControlFlow::Continue(true) = visit(Visit { scope: root, item: 0, keys: &keys }) else { return };
    let mut open = fans(root, 0, 0);
    while let Some((scope, items, depth)) = open.last_mut() {
        let (scope, depth) = (*scope, *depth);
        let Some(item) = items.next() else {
            open.pop();
            continue;
        };
        keys.truncate(depth);
        keys.extend(past.parts(item));
        match visit(Visit { scope, item, keys: &keys }) {
            ControlFlow::Break(()) => return,
            ControlFlow::Continue(false) => {}
            ControlFlow::Continue(true) => open.extend(fans(scope, item, keys.len())),
        }
    }
}
