//! What depends on what, step by step: which items of a node an item of another one needs.
//!
//! A pattern says of a node which of its steps are meant. What is no step (a held list) and a zip have
//! patterns that may be longer than the keys of their own: the rest says which of the items that they
//! take are meant.

use crate::graph::{NodeId, ScopeId};
use crate::key::Key;
use crate::shape::{Shape, ShapeKind, ShapeSource};

use super::keys::{Pattern, cut, join, middle};

#[derive(Debug)]
pub(crate) struct Lines<'a> {
    pub(super) shape: &'a Shape,
    /// How many keys the items of each scope have.
    depths: Vec<usize>,
    /// What each node reads, without the emitters of the fan-outs that it only gathers over.
    reads: Vec<Vec<NodeId>>,
    /// The reverse.
    readers: Vec<Vec<NodeId>>,
    /// The scopes that each node opens.
    opens: Vec<Vec<ScopeId>>,
    /// The nodes that gather over each scope.
    gathering: Vec<Vec<NodeId>>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(shape: &'a Shape) -> Self {
        let nodes = shape.nodes.len();
        let mut opens = vec![Vec::new(); nodes];
        for (scope, entry) in (0..).map(ScopeId).zip(&shape.scopes) {
            if let Some((node, _)) = entry.fan {
                opens[node.index()].push(scope);
            }
        }
        let ids = || (0..nodes as u32).map(NodeId);
        let reads: Vec<_> = ids().map(|node| reads(shape, node)).collect();
        let mut readers = vec![Vec::new(); nodes];
        for node in ids() {
            reads[node.index()].iter().for_each(|read| readers[read.index()].push(node));
        }
        let mut gathering = vec![Vec::new(); shape.scopes.len()];
        for (node, entry) in ids().zip(&shape.nodes) {
            let over = entry.takes.iter().flat_map(|take| &take.over);
            over.for_each(|scope| gathering[scope.index()].push(node));
        }
        Self { shape, depths: depths(shape), reads, readers, opens, gathering }
    }

    /// How many keys the items of a scope have.
    pub(crate) fn depth(&self, scope: ScopeId) -> usize {
        self.depths[scope.index()]
    }

    /// How many keys the steps of a node have.
    pub(crate) fn keys_of(&self, node: NodeId) -> usize {
        self.depth(self.shape.node(node).scope)
    }

    pub(crate) fn reads(&self, node: NodeId) -> &[NodeId] {
        &self.reads[node.index()]
    }

    pub(super) fn readers(&self, node: NodeId) -> &[NodeId] {
        &self.readers[node.index()]
    }

    /// The scopes that a node opens.
    pub(super) fn opens(&self, node: NodeId) -> &[ScopeId] {
        &self.opens[node.index()]
    }

    /// The nodes that gather over a scope, or pair its items.
    pub(super) fn gathering(&self, scope: ScopeId) -> &[NodeId] {
        &self.gathering[scope.index()]
    }

    /// The scopes around a node, but for the job's body.
    pub(super) fn around(&self, node: NodeId) -> impl Iterator<Item = ScopeId> {
        let scopes = self.shape.outwards(self.shape.node(node).scope);
        scopes.filter(|scope| self.shape.scope(*scope).parent.is_some())
    }

    /// The fan-outs that a gather, or a zip, takes items over.
    pub(crate) fn over(&self, node: NodeId) -> impl Iterator<Item = ScopeId> {
        self.shape.node(node).takes.iter().flat_map(|take| take.over.iter().copied())
    }

    fn fan(&self, scope: ScopeId) -> Option<NodeId> {
        self.shape.scope(scope).fan.map(|(node, _)| node)
    }

    /// What opens the items of a scope that fit a pattern; `None` for the job's body.
    pub(crate) fn opener(&self, scope: ScopeId, pattern: &[Option<Key>]) -> Option<(NodeId, Pattern)> {
        let node = self.fan(scope)?;
        let own = self.keys_of(node);
        let pattern = match self.shape.node(node).kind {
            ShapeKind::Held => {
                let parent = self.shape.scope(scope).parent.map_or(0, |parent| self.depth(parent));
                join(pattern, own, 0, middle(pattern, parent, self.depth(scope)))
            }
            ShapeKind::Zip => cut(pattern, self.depth(scope)),
            _ => cut(pattern, own),
        };
        Some((node, pattern))
    }

    /// What `node`, in the steps of a pattern, needs of `read`, which it reads.
    pub(crate) fn before(&self, node: NodeId, read: NodeId, pattern: &[Option<Key>]) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        let opened = |scope: ScopeId| self.opener(scope, &cut(pattern, self.depth(scope))).map(|it| it.1);
        for take in &self.shape.node(node).takes {
            for item in &take.items {
                match *item {
                    ShapeSource::Node(taken) if taken == read && take.over.is_empty() => {
                        let items = middle(pattern, self.keys_of(node), usize::MAX);
                        patterns.push(join(pattern, self.keys_of(read), 0, items));
                    }
                    ShapeSource::Node(taken) if taken == read => {
                        patterns.push(cut(pattern, self.keys_of(read)));
                    }
                    ShapeSource::Item(scope) if self.fan(scope) == Some(read) => {
                        patterns.extend(opened(scope));
                    }
                    ShapeSource::Node(_) | ShapeSource::Item(_) => {}
                }
            }
        }
        if patterns.is_empty() && matches!(self.shape.node(read).kind, ShapeKind::Held | ShapeKind::Zip) {
            let scopes = self.around(node).filter(|scope| self.fan(*scope) == Some(read));
            patterns.extend(scopes.filter_map(opened));
        }
        if patterns.is_empty() {
            patterns.push(cut(pattern, self.keys_of(read).min(self.keys_of(node))));
        }
        patterns
    }

    /// The readers of `node`, in the steps of a pattern, each with what of it reads those.
    pub(crate) fn after(&self, node: NodeId, pattern: &[Option<Key>]) -> Vec<(NodeId, Pattern)> {
        let readers = self.readers(node).iter();
        readers
            .flat_map(|reader| {
                self.reading(node, *reader, pattern).into_iter().map(|pattern| (*reader, pattern))
            })
            .collect()
    }

    fn reading(&self, node: NodeId, reader: NodeId, pattern: &[Option<Key>]) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        let gathers = self.shape.node(reader);
        let taken = |inside: &[Option<Key>]| match gathers.kind {
            ShapeKind::Held => inside.to_vec(),
            _ => cut(inside, self.keys_of(reader)),
        };
        for take in &gathers.takes {
            for item in &take.items {
                match *item {
                    ShapeSource::Node(item) if item == node && take.over.is_empty() => {
                        patterns.push(cut(pattern, self.keys_of(node)));
                    }
                    ShapeSource::Node(item) if item == node => patterns.push(taken(pattern)),
                    ShapeSource::Item(scope) if self.fan(scope) == Some(node) => {
                        patterns.push(taken(&self.items_in(node, scope, pattern)));
                    }
                    ShapeSource::Node(_) | ShapeSource::Item(_) => {}
                }
            }
        }
        if patterns.is_empty() {
            let scopes = self.around(reader).filter(|scope| self.fan(*scope) == Some(node));
            patterns.extend(scopes.map(|scope| self.items_in(node, scope, pattern)));
        }
        if patterns.is_empty() {
            patterns.push(cut(pattern, self.keys_of(reader)));
        }
        patterns
    }

    /// The items of a scope that are opened by `node`, in the steps of a pattern.
    fn items_in(&self, node: NodeId, scope: ScopeId, pattern: &[Option<Key>]) -> Pattern {
        if self.shape.node(node).kind != ShapeKind::Held {
            return pattern.to_vec();
        }
        let own = self.keys_of(node);
        let parent = self.shape.scope(scope).parent.map_or(0, |parent| self.depth(parent));
        join(pattern, own, parent.saturating_sub(own), middle(pattern, own, usize::MAX))
    }
}

fn reads(shape: &Shape, node: NodeId) -> Vec<NodeId> {
    let entry = shape.node(node);
    let fan = |scope: &ScopeId| shape.scope(*scope).fan.map(|(node, _)| node);
    let items = || entry.takes.iter().flat_map(|take| &take.items);
    let taken: Vec<_> = items()
        .filter_map(|item| match item {
            ShapeSource::Node(node) => Some(*node),
            ShapeSource::Item(scope) => fan(scope),
        })
        .collect();
    let crossed: Vec<_> = entry.takes.iter().flat_map(|take| &take.over).filter_map(fan).collect();
    let direct = |read: &&NodeId| taken.contains(read) || !crossed.contains(read);
    entry.reads.iter().filter(direct).copied().collect()
}

/// How many keys the items of each scope have: an emitter adds one, a held list and a zip as many as
/// the items that they take have. Scopes may stand before those that they depend on.
fn depths(shape: &Shape) -> Vec<usize> {
    let mut depths: Vec<Option<usize>> = vec![None; shape.scopes.len()];
    loop {
        let mut found = false;
        for scope in 0..depths.len() {
            if depths[scope].is_none() {
                depths[scope] = depth(shape, ScopeId(scope as u32), &depths);
                found |= depths[scope].is_some();
            }
        }
        if !found {
            return depths.into_iter().map(Option::unwrap_or_default).collect();
        }
    }
}

fn depth(shape: &Shape, scope: ScopeId, known: &[Option<usize>]) -> Option<usize> {
    let entry = shape.scope(scope);
    let Some(parent) = entry.parent else { return Some(0) };
    let around = known[parent.index()]?;
    let Some((mut node, _)) = entry.fan else { return Some(around) };
    // A zip of held lists has the keys of what is held.
    loop {
        let opener = shape.node(node);
        if opener.takes.is_empty() {
            return Some(around + 1);
        }
        if let Some(innermost) = opener.takes.iter().find_map(|take| take.over.last()) {
            return Some(around + known[innermost.index()]?.checked_sub(known[opener.scope.index()]?)?);
        }
        match opener.takes[0].items.first() {
            Some(ShapeSource::Node(held)) if *held != node => node = *held,
            _ => return Some(around + 1),
        }
    }
}
