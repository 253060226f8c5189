//! What differs between the shape of a recorded run and the job as it is today (§5.4).
//!
//! A run goes on only if nothing differs: its record names nodes, scopes and items by their places, so
//! the order of the calls in the job's body is part of the shape.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;

use serde::Serialize;

use crate::graph::{NodeId, ScopeId};
use crate::store::Hash;
use crate::text::safe;

use super::{Shape, ShapeKind, ShapeNode, ShapeOutput, ShapeScope, ShapeSource, ShapeTake};

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

/// A shape in words that do not depend on the numbers of its nodes.
struct Words<'a> {
    shape: &'a Shape,
    renamed: &'a HashMap<&'a str, &'a str>,
}

impl Words<'_> {
    fn name(&self, node: NodeId) -> String {
        let name = &*self.shape.node(node).name;
        format!("`{}`", self.renamed.get(name).unwrap_or(&name))
    }

    /// The fan-outs around a place, outermost first.
    fn scope(&self, scope: ScopeId) -> Vec<String> {
        let mut scopes: Vec<_> = self.shape.outwards(scope).filter_map(|scope| self.items(scope)).collect();
        scopes.reverse();
        scopes
    }

    /// The items of a scope; `None` for the job's body.
    fn items(&self, scope: ScopeId) -> Option<String> {
        let (node, output) = self.shape.scope(scope).fan?;
        let opener = self.shape.node(node);
        Some(match opener.outputs.get(usize::from(output)) {
            Some(output) if opener.outputs.len() > 1 => {
                format!("items of {}, output `{}`", self.name(node), output.name)
            }
            _ if opener.is_step() => format!("items of {}", self.name(node)),
            _ => format!("items of {}", self.list(node)),
        })
    }

    fn reads(&self, node: NodeId) -> BTreeSet<String> {
        let entry = self.shape.node(node);
        let opens = |read: &NodeId| {
            let scopes = self.shape.outwards(entry.scope);
            let opened =
                scopes.filter(|scope| self.shape.scope(*scope).fan.is_some_and(|fan| fan.0 == *read));
            opened.filter_map(|scope| self.items(scope)).last()
        };
        let crossed = |read: &NodeId| {
            let over = entry.takes.iter().flat_map(|take| &take.over);
            over.clone().any(|scope| self.shape.scope(*scope).fan.is_some_and(|fan| fan.0 == *read))
        };
        let taken = |read: &NodeId| {
            entry.takes.iter().flat_map(|take| &take.items).any(|item| *item == ShapeSource::Node(*read))
        };
        let plain = entry.reads.iter().filter(|read| !crossed(read) && !taken(read));
        let plain = plain.map(|read| opens(read).unwrap_or_else(|| self.read(*read)));
        let takes = entry.takes.iter().enumerate().map(|(side, take)| match side {
            0 => self.take(take),
            _ => format!("with {}", self.take(take)),
        });
        plain.chain(takes).collect()
    }

    fn read(&self, node: NodeId) -> String {
        if self.shape.node(node).is_step() { self.name(node) } else { self.list(node) }
    }

    fn list(&self, node: NodeId) -> String {
        let entry = self.shape.node(node);
        let what = match entry.kind {
            ShapeKind::Results => "the results of",
            ShapeKind::Held => "all",
            _ => "the list of",
        };
        let taken: Vec<_> = entry.takes.iter().map(|take| self.take(take)).collect();
        format!("{what} {}", taken.join(" and "))
    }

    fn take(&self, take: &ShapeTake) -> String {
        let innermost = take.over.last();
        let item = |item: &ShapeSource| match *item {
            ShapeSource::Item(scope) => self.items(scope).unwrap_or_default(),
            ShapeSource::Node(node) if innermost.is_none_or(|it| *it == self.shape.node(node).scope) => {
                self.read(node)
            }
            ShapeSource::Node(node) => {
                let over = innermost.and_then(|scope| self.items(*scope)).unwrap_or_default();
                format!("{} for each of the {over}", self.read(node))
            }
        };
        take.items.iter().map(item).collect::<Vec<_>>().join(" and ")
    }
}

/// One line: what differs, and what keeps the run's record readable where there is something.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = match self {
            Self::Job { old, new } => format!("the run is of the job `{old}`, not of `{new}`"),
            Self::Renamed { old, new } => {
                let (graph, name) = old.rsplit_once('.').unwrap_or(("", old));
                let there = if graph.is_empty() { String::new() } else { format!(" in `{graph}`") };
                format!(
                    "`{old}` is now called `{new}`: give it `#[op(name = {name:?})]` or `.named({name:?})`{there} \
                     to keep the old name, or `rerun`"
                )
            }
            Self::Added { step } => format!("`{step}` is new: `rerun` runs it"),
            Self::Removed { step } => format!("`{step}` is gone: `rerun` does without it"),
            Self::Kind { step, old, new } => format!("`{step}` was {}, and is {}", kind(*old), kind(*new)),
            Self::Reads { step, old, new } => match (only(new, old), only(old, new)) {
                (more, less) if less.is_empty() => format!("`{step}` now also reads {}", all(&more)),
                (more, less) if more.is_empty() => format!("`{step}` does not read {} any more", all(&less)),
                (more, less) => format!("`{step}` now reads {}, and no more {}", all(&more), all(&less)),
            },
            Self::Scope { step, old, new } => {
                format!("`{step}` runs {}, and not {}", placed(new), placed(old))
            }
            Self::Outputs { step, old, new } => {
                format!("`{step}` gives {}, and not {}", all(new), all(old))
            }
            Self::Type { step, output, old, new } => format!(
                "{} is of type `{new}`, and recorded as `{old}`: give it the old type, or `rerun`",
                value(step, output)
            ),
            Self::Transient { step, output, now: true } => {
                format!("{} is transient now, and was recorded", value(step, output))
            }
            Self::Transient { step, output, now: false } => {
                format!("{} is recorded now, and was transient: `rerun`", value(step, output))
            }
            Self::Order => "the steps are the same, and are called for in another order, or other lists \
                            are made of them: restore the calls, or `rerun`"
                .to_owned(),
        };
        f.write_str(&safe(&line))
    }
}

fn kind(kind: ShapeKind) -> &'static str {
    match kind {
        ShapeKind::Op => "the step of an op",
        ShapeKind::Fold => "a fold",
        ShapeKind::Zip => "a zip",
        ShapeKind::Collect | ShapeKind::Results | ShapeKind::Held => "a list",
    }
}

/// What is in one list and not in the other.
fn only(these: &[String], others: &[String]) -> Vec<String> {
    these.iter().filter(|it| !others.contains(it)).cloned().collect()
}

/// What messages call an output: the only one of an op has no name that its author gave.
fn value(step: &str, output: &str) -> String {
    match output {
        "result" => format!("the value of `{step}`"),
        output => format!("the output `{output}` of `{step}`"),
    }
}

fn all(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn placed(scopes: &[String]) -> String {
    match scopes {
        [] => "once, outside all fan-outs".to_owned(),
        scopes => format!("for each of the {}", scopes.join(" and of the ")),
    }
}

#[cfg(test)]
mod tests;
