//! From the steps that run to all that they need.

use crate::graph::{NodeId, ScopeId};
use crate::key::Key;
use crate::shape::ShapeKind;

use super::keys::{KeySet, Pattern, cut};
use super::lines::Lines;
use super::{Mistake, NodeParts, Selection, Target};

/// Something that is to be looked at.
enum Need {
    /// These steps run.
    Run(NodeId, Pattern),
    /// A node needs what another gives.
    Value { by: NodeId, node: NodeId, pattern: Pattern },
    /// A node lies in items that another opens; only their keys matter.
    Items { by: NodeId, node: NodeId, pattern: Pattern },
}

pub(super) struct Needs<'a, 'b> {
    lines: &'b Lines<'a>,
    nodes: Vec<NodeParts>,
    open: Vec<KeySet>,
    /// What was asked of gathers and zips, with the items that they take.
    asked: Vec<KeySet>,
    /// The steps that are needed, and by whom, for [`Mistake::Torn`].
    needed: Vec<(NodeId, NodeId, Pattern)>,
    queue: Vec<Need>,
}

/// Everything that steps need of which these run.
pub(super) fn find<'a, 'b>(lines: &'b Lines<'a>, run: Vec<KeySet>) -> Needs<'a, 'b> {
    let ids = (0..).map(NodeId);
    let queue = ids
        .zip(&run)
        .flat_map(|(node, set)| set.patterns().into_iter().map(move |it| Need::Run(node, it)))
        .collect();
    let mut needs = Needs {
        lines,
        nodes: run.into_iter().map(|run| NodeParts { run, ..NodeParts::default() }).collect(),
        open: vec![KeySet::default(); lines.shape.scopes.len()],
        asked: vec![KeySet::default(); lines.shape.nodes.len()],
        needed: Vec::new(),
        queue,
    };
    while let Some(need) = needs.queue.pop() {
        match need {
            Need::Run(node, pattern) => {
                needs.place(node, node, &pattern);
                needs.inputs(node, node, &pattern);
            }
            Need::Value { by, node, pattern } => needs.need(by, node, &pattern, true),
            Need::Items { by, node, pattern } => needs.need(by, node, &pattern, false),
        }
    }
    needs
}

impl Needs<'_, '_> {
    fn need(&mut self, by: NodeId, node: NodeId, pattern: &[Option<Key>], value: bool) {
        let entry = self.lines.shape.node(node);
        let own = cut(pattern, self.lines.keys_of(node));
        let parts = &mut self.nodes[node.index()];
        if entry.is_step() && parts.run.covers(&own) {
            return;
        }
        let transient = entry.outputs.iter().any(|output| output.transient);
        if value && transient && entry.is_step() {
            parts.run.insert(&own);
            self.queue.push(Need::Run(node, own));
            return;
        }
        if parts.reuse.insert(&own) {
            parts.needed_by.get_or_insert(by);
            if entry.is_step() {
                self.needed.push((by, node, own.clone()));
            }
            self.place(node, node, &own);
        }
        // A fold that is not run is copied. A zip, though, pairs again, to open its items.
        let is_made = !entry.is_step() || entry.kind == ShapeKind::Zip;
        if is_made && self.asked[node.index()].insert(pattern) {
            let reader = if entry.is_step() { node } else { by };
            self.inputs(reader, node, pattern);
        }
    }

    /// What a node reads, and the items that it gathers over.
    fn inputs(&mut self, by: NodeId, node: NodeId, pattern: &[Option<Key>]) {
        for read in self.lines.reads(node) {
            for pattern in self.lines.before(node, *read, pattern) {
                self.queue.push(Need::Value { by, node: *read, pattern });
            }
        }
        for scope in self.lines.over(node) {
            self.inside(by, scope, pattern);
        }
    }

    /// Opens the items around a node.
    fn place(&mut self, by: NodeId, node: NodeId, pattern: &[Option<Key>]) {
        let lines = self.lines;
        lines.around(node).for_each(|scope| self.inside(by, scope, pattern));
    }

    fn inside(&mut self, by: NodeId, scope: ScopeId, pattern: &[Option<Key>]) {
        let pattern = cut(pattern, self.lines.depth(scope));
        if self.open[scope.index()].insert(&pattern)
            && let Some((node, pattern)) = self.lines.opener(scope, &pattern)
        {
            self.queue.push(Need::Items { by, node, pattern });
        }
    }

    /// The answer, if what is copied goes together with what runs.
    pub(super) fn selection(self) -> Result<Selection, Mistake> {
        let fresh = self.fresh();
        for (by, node, pattern) in &self.needed {
            if self.nodes[node.index()].run.covers(pattern) {
                continue;
            }
            // A zip that is copied gives the pairs that it gave.
            let pairs = self.lines.opens(*node).iter().copied().filter(|_| self.is_zip(*node));
            let meets = |scope: &ScopeId| fresh[scope.index()].meets(&cut(pattern, self.lines.depth(*scope)));
            if let Some(scope) = pairs.chain(self.lines.around(*node)).find(meets) {
                return Err(self.torn(*by, *node, pattern, scope));
            }
        }
        Ok(Selection { nodes: self.nodes, open: self.open, fresh })
    }

    fn is_zip(&self, node: NodeId) -> bool {
        self.lines.shape.node(node).kind == ShapeKind::Zip
    }

    fn torn(&self, by: NodeId, node: NodeId, pattern: &[Option<Key>], scope: ScopeId) -> Mistake {
        let name = |node: NodeId| self.lines.shape.node(node).name.to_string();
        let keys = pattern.iter().map_while(Clone::clone).collect();
        let needs = Target::Steps { op: name(node).into(), keys }.to_string();
        Mistake::Torn {
            reader: name(by),
            needs,
            emitter: self.emitter_of(scope).map(name).unwrap_or_default(),
        }
    }

    /// The emitter that runs again and whose items a scope has, through zips and held lists.
    fn emitter_of(&self, scope: ScopeId) -> Option<NodeId> {
        let mut seen = vec![scope];
        let mut next = 0;
        while let Some(scope) = seen.get(next).copied() {
            next += 1;
            let (node, _) = self.lines.shape.scope(scope).fan?;
            if self.lines.shape.node(node).kind == ShapeKind::Op && !self.nodes[node.index()].run.is_empty() {
                return Some(node);
            }
            let held = self.lines.reads(node).iter().flat_map(|read| self.lines.over(*read));
            let inner: Vec<_> = self.lines.over(node).chain(held).filter(|it| !seen.contains(it)).collect();
            seen.extend(inner);
        }
        None
    }

    /// The items of which not even the keys are known, as what opens them runs again. A zip pairs what
    /// its sides have: it gives other pairs only if those do.
    fn fresh(&self) -> Vec<KeySet> {
        let lines = self.lines;
        let mut fresh = vec![KeySet::default(); lines.shape.scopes.len()];
        let mut queue: Vec<(ScopeId, Pattern)> = Vec::new();
        let emitters = (0..).map(NodeId).zip(&self.nodes).filter(|(node, _)| !self.is_zip(*node));
        for (node, parts) in emitters {
            for scope in lines.opens(node) {
                queue.extend(parts.run.patterns().into_iter().map(|pattern| (*scope, pattern)));
            }
        }
        while let Some((scope, pattern)) = queue.pop() {
            if !fresh[scope.index()].insert(&pattern) {
                continue;
            }
            for gather in lines.gathering(scope) {
                let around = cut(&pattern, lines.keys_of(*gather));
                let zips = lines.readers(*gather).iter().filter(|reader| self.is_zip(**reader));
                let opened = lines.opens(*gather).iter().chain(zips.flat_map(|zip| lines.opens(*zip)));
                queue.extend(opened.map(|opened| (*opened, around.clone())));
            }
        }
        fresh
    }
}
