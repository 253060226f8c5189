//! A shape as tables: what lies where, found without searching.

use crate::graph::{NodeId, ScopeId};
use crate::shape::{Shape, ShapeKind};

/// The tables of one shape. A shape that was read from somewhere may say anything: what it says of
/// nodes or scopes that are not there is left out.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
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
pub(crate) struct ScopeLayout {
    /// The scope around it; `None` for the root.
    around: Option<ScopeId>,
    /// The nodes that are steps.
    pub(crate) steps: Vec<NodeId>,
    /// The scopes whose fan-outs it holds.
    pub(crate) inner: Vec<ScopeId>,
    /// Which of the fan-outs of the scope around it this is.
    pub(crate) place: u32,
}

impl Layout {
    pub(crate) fn new(shape: &Shape) -> Self {
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
            if around < id && node.index() < nodes.len() {
                nodes[node.index()].opens.push((output, id));
                scopes[id.index()].around = Some(around);
                scopes[id.index()].place = scopes[around.index()].inner.len() as u32;
                scopes[around.index()].inner.push(id);
            }
        }
        Self { nodes, scopes }
    }

    /// The scope whose instances an output of a node opens in each item of `around`. What is held lies
    /// further out than it is opened.
    #[inline]
    pub(crate) fn opened_by(&self, around: ScopeId, node: NodeId, output: u16) -> Option<ScopeId> {
        let opens = self.nodes.get(node.index())?.opens.iter();
        let is_it = |(opener, scope): &&(u16, ScopeId)| {
            *opener == output && self.scope(*scope).around == Some(around)
        };
        opens.filter(is_it).map(|(_, scope)| *scope).next()
    }

    /// Which of the steps of a scope a node is, if it is one.
    #[inline]
    pub(crate) fn step(&self, scope: ScopeId, node: NodeId) -> Option<u32> {
        self.nodes.get(node.index()).filter(|node| node.scope == scope)?.step
    }

    /// Whether the node is the step of an op.
    pub(crate) fn is_op(&self, node: NodeId) -> bool {
        self.nodes.get(node.index()).is_some_and(|node| node.is_op)
    }

    #[inline]
    pub(crate) fn scope(&self, scope: ScopeId) -> &ScopeLayout {
        &self.scopes[scope.index()]
    }
}
