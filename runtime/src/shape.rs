//! The shape of a job: what is recorded of its graph, so that a run is read, compared and resumed
//! without the program that made it.
//!
//! It is plain data. A [`Graph`] gives it; a record holds it; all faces read it, so that a run of a
//! job that has changed since, or is gone, is shown as well as any other.

mod outline;

use serde::{Deserialize, Serialize};

use crate::define::OutputKind;
use crate::graph::{Fan, Gather, Graph, NodeId, NodeKind, ScopeId, Source};

#[cfg(feature = "cli")]
pub(crate) use outline::needed_steps;
pub(crate) use outline::{Part, outline};

/// The shape of a job's graph; nodes and scopes have the places that they have in the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The job's name.
    pub job: String,
    /// The nodes, each after those that it reads.
    pub nodes: Vec<ShapeNode>,
    /// The scopes, each after the one around it.
    pub scopes: Vec<ShapeScope>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeNode {
    /// Its name in the job, with the sub-graphs around it.
    pub name: Box<str>,
    /// The scope that it lies in.
    pub scope: ScopeId,
    /// What it is.
    pub kind: ShapeKind,
    /// The op's identity: `module::function`; empty for what is not an op.
    pub op: String,
    /// How many attempts may follow the first.
    pub retries: u32,
    /// The nodes that it waits for, each once, in order: those that it reads, emitters of the items
    /// that it reads among them, and those that it only comes after.
    pub reads: Vec<NodeId>,
    /// Those of `reads` that it only comes after: nothing of theirs is read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<NodeId>,
    /// Where the items that it takes come from: one entry for a gather, two for a zip.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<ShapeTake>,
    /// What it gives.
    pub outputs: Vec<ShapeOutput>,
    /// The pool whose limit its steps count against.
    pub pool: Option<String>,
    /// Higher starts first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// Names and values.
    pub tags: Vec<(String, String)>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShapeKind {
    /// The step of an op.
    Op,
    /// The step that folds items.
    Fold,
    /// The step that pairs items.
    Zip,
    /// A list of items; no step.
    Collect,
    /// A list of items and failures; no step.
    Results,
    /// Items that are held to be opened elsewhere; no step.
    Held,
}

/// Where items that a gather, or one side of a zip, takes come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeTake {
    /// The fan-outs from the node's own scope (exclusive) to the one that the items are taken in,
    /// outermost first; empty for a side of a zip that is a held list.
    pub over: Vec<ScopeId>,
    /// What is taken from each instance of the innermost.
    pub items: Vec<ShapeSource>,
}

/// What is taken from an instance of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShapeSource {
    /// What a node gives.
    Node(NodeId),
    /// The item of a scope itself.
    Item(ScopeId),
}

/// An output of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeOutput {
    /// Its name.
    pub name: String,
    /// Whether it gives a number of items known only at run time.
    pub dynamic: bool,
    /// The type of its value, or of an item's: the fingerprint of what is recorded.
    pub type_name: String,
    /// Whether its values are never recorded.
    pub transient: bool,
}

/// A fan-out, or the job's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeScope {
    /// The scope around it; `None` for the job's body.
    pub parent: Option<ScopeId>,
    /// What opens its instances: a node, and which of its outputs.
    pub fan: Option<(NodeId, u16)>,
}

impl ShapeNode {
    /// Whether it is a step: named, recorded and shown.
    pub fn is_step(&self) -> bool {
        matches!(self.kind, ShapeKind::Op | ShapeKind::Fold | ShapeKind::Zip)
    }
}

impl Shape {
    /// The node of an id.
    pub fn node(&self, id: NodeId) -> &ShapeNode {
        &self.nodes[id.index()]
    }

    /// The scope of an id.
    pub fn scope(&self, id: ScopeId) -> &ShapeScope {
        &self.scopes[id.index()]
    }

    /// Whether every node and scope that it names is there, and scopes nest: nothing that reads a shape
    /// need doubt it then. A shape that came from outside is checked once.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let (nodes, scopes) = (self.nodes.len(), self.scopes.len());
        let is_node = |id: &NodeId| id.index() < nodes;
        if self.scopes.first().is_none_or(|root| root.parent.is_some() || root.fan.is_some()) {
            return Err("a job's body is missing");
        }
        for (place, scope) in self.scopes.iter().enumerate().skip(1) {
            if scope.parent.is_none_or(|parent| parent.index() >= place) {
                return Err("a fan-out lies in none before it");
            }
            if !scope.fan.is_some_and(|(node, _)| is_node(&node)) {
                return Err("a fan-out is opened by no node");
            }
        }
        if self.nodes.iter().any(|node| node.scope.index() >= scopes || !node.reads.iter().all(is_node)) {
            return Err("a node lies, or reads, where nothing is");
        }
        let is_there = |item: &ShapeSource| match item {
            ShapeSource::Node(node) => is_node(node),
            ShapeSource::Item(scope) => scope.index() < scopes,
        };
        let mut takes = self.nodes.iter().flat_map(|node| &node.takes);
        if !takes.all(|take| {
            take.over.iter().all(|scope| scope.index() < scopes) && take.items.iter().all(is_there)
        }) {
            return Err("a node takes items where nothing is");
        }
        Ok(())
    }

    /// The scopes from `scope` outwards, `scope` first and the root last.
    pub fn outwards(&self, scope: ScopeId) -> impl Iterator<Item = ScopeId> {
        std::iter::successors(Some(scope), |scope| self.scope(*scope).parent)
    }

    /// The nodes that are steps.
    pub fn steps(&self) -> impl Iterator<Item = NodeId> {
        (0..).map(NodeId).zip(&self.nodes).filter(|(_, node)| node.is_step()).map(|(id, _)| id)
    }

    /// The scope whose instances an output of a node opens.
    pub fn opened_by(&self, node: NodeId, output: u16) -> Option<ScopeId> {
        let opens = |scope: &ShapeScope| scope.fan == Some((node, output));
        self.scopes.iter().position(opens).map(|scope| ScopeId(scope as u32))
    }
}

impl Graph {
    /// What is recorded of it.
    pub fn shape(&self) -> Shape {
        Shape {
            job: self.job.name.to_owned(),
            nodes: self.nodes.iter().map(|node| self.node_shape(node)).collect(),
            scopes: self
                .scopes
                .iter()
                .map(|scope| ShapeScope {
                    parent: scope.parent,
                    fan: scope.fan.map(|fan| match fan {
                        Fan::Emitter { node, output } => (node, output),
                        Fan::Held(node) | Fan::Zip(node) => (node, 0),
                    }),
                })
                .collect(),
        }
    }

    fn node_shape(&self, node: &crate::graph::Node) -> ShapeNode {
        let kind = match node.kind {
            NodeKind::Op(_) => ShapeKind::Op,
            NodeKind::Zip { .. } => ShapeKind::Zip,
            NodeKind::Gather { gather: Gather::Fold(_), .. } => ShapeKind::Fold,
            NodeKind::Gather { gather: Gather::Results(_), .. } => ShapeKind::Results,
            NodeKind::Gather { gather: Gather::Held, .. } => ShapeKind::Held,
            NodeKind::Gather { gather: Gather::List | Gather::Keyed(_) | Gather::Ended, .. } => {
                ShapeKind::Collect
            }
        };
        let op = node.op();
        let used = self.givers(node.kind.waits_for(&node.inputs, &[]));
        let reads = self.givers(node.kind.waits_for(&node.inputs, &node.after));
        let after = reads.iter().filter(|read| used.binary_search(read).is_err()).copied().collect();
        ShapeNode {
            name: (&*node.name).into(),
            scope: node.scope,
            kind,
            op: op.map(|op| format!("{}::{}", op.module, op.function)).unwrap_or_default(),
            retries: node.options.retry.map_or(0, |retry| retry.max),
            reads,
            after,
            takes: takes(&node.kind),
            outputs: op
                .map_or(&[][..], |op| op.outputs)
                .iter()
                .map(|output| ShapeOutput {
                    name: output.name.to_owned(),
                    dynamic: output.kind == OutputKind::Dynamic,
                    type_name: (output.info.name)().to_owned(),
                    transient: output.info.encode.is_none(),
                })
                .collect(),
            pool: node.options.pool.as_deref().map(str::to_owned),
            priority: node.options.priority,
            tags: node
                .options
                .tags
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
        }
    }

    /// The nodes that give some sources, each once, in order.
    fn givers(&self, sources: Vec<Source>) -> Vec<NodeId> {
        let giver = |source| match source {
            Source::Output(node, _) => Some(node),
            Source::Item(scope, _) => self.scope(scope).fan.map(Fan::node),
            Source::Constant(_) | Source::Argument(_) => None,
        };
        let mut nodes: Vec<_> = sources.into_iter().filter_map(giver).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }
}

fn is_zero(number: &i32) -> bool {
    *number == 0
}

fn takes(kind: &NodeKind) -> Vec<ShapeTake> {
    let take = |over: &[ScopeId], items: &[Source]| {
        let items = items.iter().filter_map(|item| match item {
            Source::Output(node, _) => Some(ShapeSource::Node(*node)),
            Source::Item(scope, _) => Some(ShapeSource::Item(*scope)),
            Source::Constant(_) | Source::Argument(_) => None,
        });
        ShapeTake { over: over.to_vec(), items: items.collect() }
    };
    match kind {
        NodeKind::Op(_) => Vec::new(),
        NodeKind::Gather { chain, items, .. } => vec![take(chain, items)],
        NodeKind::Zip { left, right } => [left, right].map(|side| take(&side.chain, &[side.item])).into(),
    }
}
