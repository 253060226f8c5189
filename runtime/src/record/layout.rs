//! A shape as tables: what lies where, found without searching.

use crate::graph::{NodeId, ScopeId};
use crate::shape::{Shape, ShapeKind};

/// The tables of one shape. A shape that was read from somewhere may say anything: what it says of
/// nodes or scopes that are not there is left out.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    nodes: Vec<NodeLayout>,
    scopes: Vec<ScopeLayout>,
}

#[derive(Debug, Clone)]
struct NodeLayout {
    scope: ScopeId,
    /// Which of the steps of its scope it is; `None` for what is not a step.
    step: Option<u32>,
    is_op: bool,
    /// The outputs that open fan-outs, and the scopes that they open.
    opens: Vec<(u16, ScopeId)>,
}

/// What each item of a scope has.
#[derive(Debug, Clone, Default)]
pub(super) struct ScopeLayout {
    /// The nodes that are steps.
    pub(super) steps: Vec<NodeId>,
    /// The scopes whose fan-outs it holds.
    pub(super) inner: Vec<ScopeId>,
    /// Which of the fan-outs of the scope around it this is.
    pub(super) place: u32,
}

impl Layout {
    pub(super) fn new(shape: &Shape) -> Self {
        let mut scopes = vec![ScopeLayout::default(); shape.scopes.len().max(1)];
        let mut nodes: Vec<_> = shape
            .nodes
            .iter()
            .map(|node| NodeLayout {
                scope: node.scope,
                step: None,
                is_op: node.kind == ShapeKind::Op,
                opens: Vec::new(),
            })
            .collect();
        for id in shape.steps() {
            let node = &mut nodes[id.index()];
            if let Some(scope) = scopes.get_mut(node.scope.index()) {
                node.step = Some(scope.steps.len() as u32);
                scope.steps.push(id);
            }
        }
        for (id, scope) in (0..).map(ScopeId).zip(&shape.scopes) {
            let (Some(around), Some((node, output))) = (scope.parent, scope.fan) else { continue };
            let is_opener = nodes.get(node.index()).is_some_and(|node| node.scope == around);
            if is_opener && around < id && Self::opens_in(&nodes, node, output).is_none() {
                nodes[node.index()].opens.push((output, id));
                scopes[id.index()].place = scopes[around.index()].inner.len() as u32;
                scopes[around.index()].inner.push(id);
            }
        }
        Self { nodes, scopes }
    }

    fn opens_in(nodes: &[NodeLayout], node: NodeId, output: u16) -> Option<ScopeId> {
        let opens = &nodes.get(node.index())?.opens;
        opens.iter().find(|(opener, _)| *opener == output).map(|(_, scope)| *scope)
    }

    /// The scope whose instances an output of a node opens, if the node lies in `around`.
    #[inline]
    pub(super) fn opened_by(&self, around: ScopeId, node: NodeId, output: u16) -> Option<ScopeId> {
        if self.nodes.get(node.index())?.scope == around {
            Self::opens_in(&self.nodes, node, output)
        } else {
            None
        }
    }

    /// Which of the steps of a scope a node is, if it is one.
    #[inline]
    pub(super) fn step(&self, scope: ScopeId, node: NodeId) -> Option<u32> {
        self.nodes.get(node.index()).filter(|node| node.scope == scope)?.step
    }

    /// Whether the node is the step of an op.
    pub(super) fn is_op(&self, node: NodeId) -> bool {
        self.nodes.get(node.index()).is_some_and(|node| node.is_op)
    }

    /// Whether the node lies in a scope.
    pub(super) fn lies_in(&self, node: NodeId, scope: ScopeId) -> bool {
        self.nodes.get(node.index()).is_some_and(|node| node.scope == scope)
    }

    #[inline]
    pub(super) fn scope(&self, scope: ScopeId) -> &ScopeLayout {
        &self.scopes[scope.index()]
    }
}
