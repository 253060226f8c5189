//! What a step reads, and where it lies, in words that do not depend on the numbers of nodes.

use std::collections::{BTreeSet, HashMap};

use crate::graph::{NodeId, ScopeId};
use crate::shape::{Shape, ShapeKind, ShapeSource, ShapeTake};

/// A shape in words that do not depend on the numbers of its nodes.
pub(super) struct Words<'a> {
    pub(super) shape: &'a Shape,
    /// Today's names of steps that were renamed.
    pub(super) renamed: &'a HashMap<&'a str, &'a str>,
}

impl Words<'_> {
    fn name(&self, node: NodeId) -> String {
        let name = &*self.shape.node(node).name;
        format!("`{}`", self.renamed.get(name).unwrap_or(&name))
    }

    /// The fan-outs around a place, outermost first.
    pub(super) fn scope(&self, scope: ScopeId) -> Vec<String> {
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

    pub(super) fn reads(&self, node: NodeId) -> BTreeSet<String> {
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
