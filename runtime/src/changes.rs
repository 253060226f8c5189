//! What differs between the shape of a recorded run and the job as it is today (§5.4).
//!
//! A run goes on only if nothing differs: its record names nodes, scopes and items by their places, so
//! the order of the calls in the job's body is part of the shape.

mod say;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{HashMap, HashSet, VecDeque};

use serde::Serialize;

use crate::graph::{NodeId, ScopeId};
use crate::store::Hash;

use crate::shape::{Shape, ShapeKind, ShapeNode, ShapeOutput, ShapeScope, ShapeTake};
use words::Words;

/// Something that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It is another job.
    Job {
        /// The job of the run.
        old: String,
        /// The job today.
        new: String,
    },
    /// A step with another name does the same in the same place.
    Renamed {
        /// Its name in the run.
        old: String,
        /// Its name today.
        new: String,
    },
    /// A step that the run did not have.
    Added {
        /// Its name.
        step: String,
    },
    /// A step that there is no more.
    Removed {
        /// Its name.
        step: String,
    },
    /// A step is of another kind: an op, a fold, a zip.
    Kind {
        /// Its name.
        step: String,
        /// What it was in the run.
        old: ShapeKind,
        /// What it is today.
        new: ShapeKind,
    },
    /// A step reads something else, or waits for something else.
    Reads {
        /// Its name.
        step: String,
        /// What it read in the run, in words.
        old: Vec<String>,
        /// What it reads today.
        new: Vec<String>,
    },
    /// A step lies in other fan-outs.
    Scope {
        /// Its name.
        step: String,
        /// The fan-outs around it in the run, outermost first, in words.
        old: Vec<String>,
        /// The fan-outs around it today.
        new: Vec<String>,
    },
    /// An op has other outputs.
    Outputs {
        /// Its name.
        step: String,
        /// Its outputs in the run, in words.
        old: Vec<String>,
        /// Its outputs today.
        new: Vec<String>,
    },
    /// The values of an output are of another type.
    Type {
        /// The step's name.
        step: String,
        /// The output's name.
        output: String,
        /// The type of what is recorded.
        old: String,
        /// The type today.
        new: String,
    },
    /// An output is recorded that was not, or the reverse.
    Transient {
        /// The step's name.
        step: String,
        /// The output's name.
        output: String,
        /// Whether it is never recorded today.
        now: bool,
    },
    /// The same steps are called for in another order, or lists of items are made that were not.
    Order,
}

/// What of a shape the going on of a run depends on.
#[derive(Serialize)]
struct Essence<'a> {
    job: &'a str,
    nodes: Vec<EssenceNode<'a>>,
    scopes: &'a [ShapeScope],
}

#[derive(Serialize)]
struct EssenceNode<'a> {
    name: &'a str,
    scope: ScopeId,
    kind: ShapeKind,
    reads: &'a [NodeId],
    takes: &'a [ShapeTake],
    outputs: &'a [ShapeOutput],
}

impl<'a> EssenceNode<'a> {
    fn of(node: &'a ShapeNode) -> Self {
        let ShapeNode { name, scope, kind, reads, takes, outputs, .. } = node;
        Self { name, scope: *scope, kind: *kind, reads, takes, outputs }
    }
}

impl Shape {
    /// A hash of all that the going on of a run depends on: names, kinds, scopes, reads, outputs and
    /// their types, and the order of the calls. Not where ops are defined, nor how steps are run.
    pub fn fingerprint(&self) -> Hash {
        let nodes = self.nodes.iter().map(EssenceNode::of).collect();
        let essence = Essence { job: &self.job, nodes, scopes: &self.scopes };
        let json = serde_json::to_vec(&essence).expect("names and numbers are always JSON");
        *blake3::hash(&json).as_bytes()
    }
}

/// What differs, in the order of today's steps, what is gone last; nothing if and only if the
/// fingerprints are equal.
pub fn changes(old: &Shape, new: &Shape) -> Vec<Change> {
    if old.fingerprint() == new.fingerprint() {
        return Vec::new();
    }
    let mut changes = Vec::new();
    if old.job != new.job {
        changes.push(Change::Job { old: old.job.clone(), new: new.job.clone() });
    }
    let pairs = Pairs::new(old, new);
    for node in new.steps() {
        let name = || new.node(node).name.to_string();
        match pairs.old_of.get(&node) {
            None => changes.push(Change::Added { step: name() }),
            Some(before) => {
                let was = &old.node(*before).name;
                if **was != *new.node(node).name {
                    changes.push(Change::Renamed { old: was.to_string(), new: name() });
                }
                pairs.compare(*before, node, &mut changes);
            }
        }
    }
    let gone = old.steps().filter(|node| !pairs.paired.contains(node));
    changes.extend(gone.map(|node| Change::Removed { step: old.node(node).name.to_string() }));
    if changes.is_empty() {
        changes.push(Change::Order);
    }
    changes
}

/// For each node of today's shape the one of the run's that it was: of that name, and of that kind.
/// What is no step is told apart by its order among those of one name.
pub fn corresponding(old: &Shape, new: &Shape) -> Vec<Option<NodeId>> {
    let mut named: HashMap<(&str, ShapeKind), VecDeque<NodeId>> = HashMap::new();
    for (id, node) in (0..).map(NodeId).zip(&old.nodes) {
        named.entry((&*node.name, node.kind)).or_default().push_back(id);
    }
    let nodes = new.nodes.iter();
    nodes.map(|node| named.get_mut(&(&*node.name, node.kind)).and_then(VecDeque::pop_front)).collect()
}

/// Which steps of the two shapes are the same.
struct Pairs<'a> {
    old: &'a Shape,
    new: &'a Shape,
    old_of: HashMap<NodeId, NodeId>,
    paired: HashSet<NodeId>,
    /// Today's names of steps that were renamed, by their names in the run.
    renamed: HashMap<&'a str, &'a str>,
    nothing: HashMap<&'a str, &'a str>,
}

impl<'a> Pairs<'a> {
    fn new(old: &'a Shape, new: &'a Shape) -> Self {
        let (old_of, paired) = (HashMap::new(), HashSet::new());
        let (renamed, nothing) = (HashMap::new(), HashMap::new());
        let mut pairs = Self { old, new, old_of, paired, renamed, nothing };
        let by_name: HashMap<_, _> = old.steps().map(|node| (&*old.node(node).name, node)).collect();
        for node in new.steps() {
            if let Some(before) = by_name.get(&*new.node(node).name) {
                pairs.pair(*before, node);
            }
        }
        // A rename changes what its readers seem to read: each one found may show the next.
        while pairs.find_renamed() {}
        pairs
    }

    fn pair(&mut self, before: NodeId, node: NodeId) {
        self.old_of.insert(node, before);
        self.paired.insert(before);
    }

    fn find_renamed(&mut self) -> bool {
        let news: Vec<_> = self.new.steps().filter(|node| !self.old_of.contains_key(node)).collect();
        let olds: Vec<_> = self.old.steps().filter(|node| !self.paired.contains(node)).collect();
        for node in news {
            let found = olds.iter().copied().find(|before| self.looks_the_same(*before, node));
            if let Some(before) = found {
                self.pair(before, node);
                self.renamed.insert(&self.old.node(before).name, &self.new.node(node).name);
                return true;
            }
        }
        false
    }

    fn looks_the_same(&self, before: NodeId, node: NodeId) -> bool {
        let (was, is) = (self.old.node(before), self.new.node(node));
        was.kind == is.kind
            && was.outputs == is.outputs
            && self.before().scope(was.scope) == self.now().scope(is.scope)
            && self.before().reads(before) == self.now().reads(node)
    }

    fn before(&self) -> Words<'_> {
        Words { shape: self.old, renamed: &self.renamed }
    }

    fn now(&self) -> Words<'_> {
        Words { shape: self.new, renamed: &self.nothing }
    }

    fn compare(&self, before: NodeId, node: NodeId, changes: &mut Vec<Change>) {
        let (was, is) = (self.old.node(before), self.new.node(node));
        let step = || is.name.to_string();
        if was.kind != is.kind {
            changes.push(Change::Kind { step: step(), old: was.kind, new: is.kind });
        }
        let (old, new) = (self.before().scope(was.scope), self.now().scope(is.scope));
        if old != new {
            changes.push(Change::Scope { step: step(), old, new });
        }
        let (old, new) = (self.before().reads(before), self.now().reads(node));
        if old != new {
            let [old, new] = [old, new].map(|reads| reads.into_iter().collect());
            changes.push(Change::Reads { step: step(), old, new });
        }
        let (old, new) = (forms(&was.outputs), forms(&is.outputs));
        if old != new {
            changes.push(Change::Outputs { step: step(), old, new });
            return;
        }
        for (was, is) in was.outputs.iter().zip(&is.outputs) {
            let output = || is.name.clone();
            if was.type_name != is.type_name {
                let (old, new) = (was.type_name.clone(), is.type_name.clone());
                changes.push(Change::Type { step: step(), output: output(), old, new });
            }
            if was.transient != is.transient {
                changes.push(Change::Transient { step: step(), output: output(), now: is.transient });
            }
        }
    }
}

fn forms(outputs: &[ShapeOutput]) -> Vec<String> {
    let form = |output: &ShapeOutput| {
        let many = if output.dynamic { " (dynamic)" } else { "" };
        format!("`{}`{many}", output.name)
    };
    outputs.iter().map(form).collect()
}
