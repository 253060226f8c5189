//! The graph of a job: plain data, built once by running the job's body, checked, never changed.
//!
//! A graph is a tree of **scopes**: the job's body is the root, each fan-out opens a child. A node
//! lies in exactly one scope; it stands for one step in every instance of that scope.

pub mod build;
mod error;
mod format;

pub use error::{BuildError, BuildErrors};
pub use format::GraphFormat;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::define::{JobDef, OpDef};
use crate::event::StepRef;
use crate::options::RetryPolicy;
use crate::step::StepName;
use crate::value::{AnyValue, TypeInfo};

/// A node's place in [`Graph::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// A scope's place in [`Graph::scopes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScopeId(pub u32);

impl NodeId {
    /// Its place in a list.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ScopeId {
    /// The job's body.
    pub const ROOT: Self = Self(0);

    /// Its place in a list.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a job's body said.
#[derive(Debug)]
pub struct Graph {
    /// The job.
    pub job: &'static JobDef,
    /// The nodes, each after those that it reads.
    pub nodes: Vec<Node>,
    /// The scopes, each after the one around it.
    pub scopes: Vec<Scope>,
    /// The values written in the job's body.
    pub constants: Vec<AnyValue>,
    /// What the job gives, in order.
    pub results: Vec<JobResult>,
}

impl Graph {
    /// The node of an id of this graph.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The name of a step.
    pub fn step_name(&self, step: &StepRef) -> StepName {
        StepName::new(Arc::clone(&self.node(step.node).name), &step.path)
    }

    /// The scope of an id of this graph.
    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.index()]
    }

    /// The scopes from `scope` outwards, `scope` first and the root last.
    pub fn outwards(&self, scope: ScopeId) -> impl Iterator<Item = ScopeId> {
        std::iter::successors(Some(scope), |scope| self.scope(*scope).parent)
    }
}

/// One of the values that a job gives.
#[derive(Debug, Clone)]
pub struct JobResult {
    /// Where it comes from; `None` for a job's `Done`, which has no value.
    pub source: Option<Source>,
    /// Its type.
    pub info: TypeInfo,
}

/// A fan-out, or the job's body.
#[derive(Debug)]
pub struct Scope {
    /// The scope around it; `None` for the job's body.
    pub parent: Option<ScopeId>,
    /// What opens its instances; `None` for the job's body.
    pub fan: Option<Fan>,
    /// The types of what an item gives: one, or two for a zip.
    pub items: Vec<TypeInfo>,
    /// The nodes in it, in call order.
    pub nodes: Vec<NodeId>,
    /// The scopes in it.
    pub children: Vec<ScopeId>,
}

/// What opens one instance of a scope for each item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fan {
    /// A dynamic output of an emitter in the scope around it.
    Emitter {
        /// The emitter.
        node: NodeId,
        /// Which of its outputs.
        output: u16,
    },
    /// The items that a node of kind [`Gather::Held`] holds: a product, or a dynamic output mapped
    /// in another place than it was made in.
    Held(NodeId),
    /// The pairs of a zip.
    Zip(NodeId),
}

impl Fan {
    /// The node that opens the instances.
    pub fn node(self) -> NodeId {
        match self {
            Self::Emitter { node, .. } | Self::Held(node) | Self::Zip(node) => node,
        }
    }
}

/// One thing to do in each instance of a scope.
#[derive(Debug)]
pub struct Node {
    /// The scope that it lies in.
    pub scope: ScopeId,
    /// Its name in the job, with the sub-graphs around it. What is not a step has a name that no
    /// step can have (`collect(square)`).
    pub name: Arc<str>,
    /// What is done.
    pub kind: NodeKind,
    /// What it reads, in the order of its parameters.
    pub inputs: Vec<Input>,
    /// What must have ended before, and is not read.
    pub after: Vec<Source>,
    /// How its steps are run.
    pub options: StepOptions,
    /// The longest path behind it: 0 for a node that reads nothing but arguments.
    pub depth: u32,
    /// Where the job's body made it.
    pub at: CallSite,
}

impl Node {
    /// Whether it is a step: named, recorded and shown.
    pub fn is_step(&self) -> bool {
        !matches!(
            self.kind,
            NodeKind::Gather {
                gather: Gather::List | Gather::Keyed(_) | Gather::Results(_) | Gather::Held | Gather::Ended,
                ..
            }
        )
    }

    /// The op, if it is the step of one.
    pub fn op(&self) -> Option<&'static OpDef> {
        match self.kind {
            NodeKind::Op(op) | NodeKind::Gather { gather: Gather::Fold(op), .. } => Some(op),
            _ => None,
        }
    }
}

/// What a node does.
#[derive(Debug)]
pub enum NodeKind {
    /// Runs an op.
    Op(&'static OpDef),
    /// Takes the items of fan-outs below it: `chain` are the scopes from its own (exclusive) to
    /// the one that `items` is read in, outermost first. `inputs` holds a fold's first value.
    Gather {
        /// The fan-outs that it gathers over.
        chain: Vec<ScopeId>,
        /// What is taken from each innermost instance: one source, or two for pairs.
        items: Vec<Source>,
        /// What is made of them.
        gather: Gather,
    },
    /// Pairs the items of two dynamic outputs by key.
    Zip {
        /// The left side, which gives the order.
        left: ZipSide,
        /// The right side.
        right: ZipSide,
    },
}

impl NodeKind {
    /// Every source that a node of this kind waits for, with these inputs and after these.
    pub(crate) fn waits_for(&self, inputs: &[Input], after: &[Source]) -> Vec<Source> {
        let mut sources: Vec<_> = inputs.iter().flat_map(|input| input.sources()).copied().collect();
        sources.extend(after);
        match self {
            Self::Op(_) => {}
            Self::Gather { chain, items, .. } => {
                sources.extend(items);
                sources.extend(chain.iter().map(|scope| Source::Item(*scope, 0)));
            }
            Self::Zip { left, right } => {
                for side in [left, right] {
                    sources.push(side.item);
                    sources.extend(side.chain.iter().map(|scope| Source::Item(*scope, 0)));
                }
            }
        }
        sources
    }
}

/// One side of a zip: its items as in [`NodeKind::Gather`].
#[derive(Debug)]
pub struct ZipSide {
    /// The fan-outs that it lies in, outermost first; empty if `items` reads a held node.
    pub chain: Vec<ScopeId>,
    /// What is taken from each innermost instance, or the held node that has all items.
    pub item: Source,
}

/// What is made of gathered items.
#[derive(Clone, Copy)]
pub enum Gather {
    /// A list, in yield order.
    List,
    /// A list of keys and values; the function makes the typed value of it.
    Keyed(fn(Vec<(crate::key::Key, AnyValue)>) -> AnyValue),
    /// A list of keys and results, failures too; the function makes the typed value of it.
    Results(fn(Vec<(crate::key::Key, Result<AnyValue, crate::error::StepFailure>)>) -> AnyValue),
    /// One value, combined by an op with two inputs, in yield order.
    Fold(&'static OpDef),
    /// Every item with its outcome, to be opened again as a fan-out elsewhere.
    Held,
    /// Nothing but that all have ended.
    Ended,
}

impl std::fmt::Debug for Gather {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::List => "List",
            Self::Keyed(_) => "Keyed",
            Self::Results(_) => "Results",
            Self::Fold(_) => "Fold",
            Self::Held => "Held",
            Self::Ended => "Ended",
        })
    }
}

/// What one parameter reads.
#[derive(Debug, Clone)]
pub enum Input {
    /// One value.
    One(Source),
    /// A list written in the job's body.
    List(Vec<Source>),
    /// Nothing: `None` was given.
    Nothing,
}

impl Input {
    /// The sources that it reads.
    pub fn sources(&self) -> &[Source] {
        match self {
            Self::One(source) => std::slice::from_ref(source),
            Self::List(sources) => sources,
            Self::Nothing => &[],
        }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// An output of a node; output 0 of a gather.
    Output(NodeId, u16),
    /// The item that an instance of the scope stands for; part 1 is the right side of a zip.
    Item(ScopeId, u8),
    /// A value written in the job's body.
    Constant(u32),
    /// An argument of the job.
    Argument(u32),
}

/// How the steps of a node are run: what the call says, else the op, else the job.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StepOptions {
    /// Higher starts first.
    pub priority: i32,
    /// When to try again.
    pub retry: Option<RetryPolicy>,
    /// The longest time of one attempt.
    pub timeout: Option<Duration>,
    /// The pool whose limit it counts against.
    pub pool: Option<Arc<str>>,
    /// Names and values.
    pub tags: Vec<(Arc<str>, Arc<str>)>,
    /// Whether an emitter's items start their copies as they are yielded.
    pub streaming: bool,
}

/// A place in a job's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallSite {
    /// The file, as rustc names it.
    pub file: &'static str,
    /// The line.
    pub line: u32,
}

impl CallSite {
    /// The caller's place.
    #[track_caller]
    pub fn here() -> Self {
        let place = std::panic::Location::caller();
        Self { file: place.file(), line: place.line() }
    }

    /// Whether the caller is not the user's code but the standard library, which calls an op that was
    /// given by name (`map(op)`): whoever calls that then knows the place better.
    fn is_by_name(&self) -> bool {
        self.file.ends_with("core/src/ops/function.rs")
    }
}

impl std::fmt::Display for CallSite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
