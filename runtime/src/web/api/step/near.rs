//! The steps around a step: those that it needs, and those that need it.
//!
//! Which items of which node they are is said by [`Lines`], in patterns of keys; here they are found.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::StepState;
use crate::graph::{NodeId, ScopeId};
use crate::index::OpenRun;
use crate::key::Key;
use crate::select::{Lines, Pattern};
use crate::shape::Shape;
use crate::step::StepName;
use crate::web::api::convert::step_standing;
use crate::web::api::types::{Neighbours, StepLink};

/// How many steps of each op are named.
pub(super) const NAMED: usize = 20;

/// A step, and what finds those around it.
pub(super) struct Near<'a> {
    pub(super) run: &'a OpenRun,
    lines: Lines<'a>,
    pub(super) node: NodeId,
    pub(super) item: u32,
    keys: Vec<Key>,
}

/// Some of the steps of a node.
#[derive(Debug, Clone)]
pub(super) struct Region {
    pub(super) node: NodeId,
    items: Items,
}

/// The items of some steps.
#[derive(Debug, Clone)]
enum Items {
    /// Those in an item, however deep; or the item itself.
    Below(u32),
    These(BTreeSet<u32>),
}

/// Steps of nodes, as patterns of their keys.
type Patterns = Vec<(NodeId, Pattern)>;

impl<'a> Near<'a> {
    pub(super) fn new(run: &'a OpenRun, place: u32) -> Self {
        let (node, item) = run.index().numbers(place);
        let keys = run.index().path(item).keys();
        Self { run, lines: Lines::new(run.reader().shape()), node, item, keys }
    }

    pub(super) fn shape(&self) -> &'a Shape {
        self.run.reader().shape()
    }

    /// The nodes that the step's node reads, without emitters of items that are only gathered.
    pub(super) fn reads(&self) -> &[NodeId] {
        self.lines.reads(self.node)
    }

    /// Whether the step lies in an item that a node opens.
    pub(super) fn is_opened_by(&self, node: NodeId) -> bool {
        let shape = self.shape();
        let mut around = shape.outwards(shape.node(self.node).scope);
        around.any(|scope| shape.scope(scope).fan.is_some_and(|(opener, _)| opener == node))
    }

    /// The steps that it needs, in the order of the graph.
    pub(super) fn upstream(&self) -> Vec<Region> {
        let next = self.before(self.node, &self.own());
        self.regions(self.through(next, |node, pattern| self.before(node, pattern)))
    }

    /// The steps behind what it reads of one node.
    pub(super) fn behind(&self, read: NodeId) -> Vec<Region> {
        let patterns = self.lines.before(self.node, read, &self.own()).into_iter();
        let next = patterns.map(|pattern| (read, pattern)).collect();
        self.regions(self.through(next, |node, pattern| self.before(node, pattern)))
    }

    /// The steps that need it, in the order of the graph.
    pub(super) fn downstream(&self) -> Vec<Region> {
        let next = self.lines.after(self.node, &self.own());
        self.regions(self.through(next, |node, pattern| self.lines.after(node, pattern)))
    }

    /// The emitters of the items that it gathers, or that a list that it reads does.
    pub(super) fn emitters(&self) -> Vec<Region> {
        let mut found = self.openers(self.node, &self.own());
        self.through(self.before(self.node, &self.own()), |node, pattern| {
            found.extend(self.openers(node, pattern));
            self.before(node, pattern)
        });
        found.retain(|(node, _)| self.shape().node(*node).is_step());
        self.regions(found)
    }

    /// The step itself.
    fn own(&self) -> Pattern {
        self.keys.iter().cloned().map(Some).collect()
    }

    fn openers(&self, node: NodeId, pattern: &Pattern) -> Patterns {
        self.lines.over(node).filter_map(|scope| self.lines.opener(scope, pattern)).collect()
    }

    fn before(&self, node: NodeId, pattern: &Pattern) -> Patterns {
        let read = |read: &NodeId| {
            let patterns = self.lines.before(node, *read, pattern).into_iter();
            patterns.map(|pattern| (*read, pattern)).collect::<Patterns>()
        };
        self.lines.reads(node).iter().flat_map(read).collect()
    }

    /// Goes on from lists, which are no steps, until there are only steps.
    fn through(&self, mut next: Patterns, mut on: impl FnMut(NodeId, &Pattern) -> Patterns) -> Patterns {
        let (mut steps, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some((node, pattern)) = next.pop() {
            if !seen.insert((node, pattern.clone())) {
                continue;
            }
            if self.shape().node(node).is_step() {
                steps.push((node, pattern));
            } else {
                next.extend(on(node, &pattern));
            }
        }
        steps
    }

    fn regions(&self, patterns: Patterns) -> Vec<Region> {
        let mut by_node: BTreeMap<NodeId, BTreeSet<Pattern>> = BTreeMap::new();
        for (node, pattern) in patterns {
            by_node.entry(node).or_default().insert(pattern);
        }
        let region = |(node, patterns): (NodeId, BTreeSet<Pattern>)| {
            let items = patterns.iter().map(|pattern| self.items(node, pattern));
            let items = items.reduce(|all, more| match (&all, &more) {
                (Items::Below(one), Items::Below(other)) if one == other => all,
                _ => Items::These(self.each(node, &all).chain(self.each(node, &more)).collect()),
            });
            Some(Region { node, items: items? })
        };
        by_node.into_iter().filter_map(region).collect()
    }

    /// The items of the steps of a pattern.
    fn items(&self, node: NodeId, pattern: &Pattern) -> Items {
        let (shape, index) = (self.shape(), self.run.index());
        let scope = shape.node(node).scope;
        let fixed: Vec<_> = pattern.iter().map_while(Clone::clone).collect();
        let is_fixed = fixed.len() == pattern.len();
        if is_fixed && self.keys.starts_with(&fixed) {
            // Most often it is the item around both.
            let mut around = shape.outwards(scope).filter(|around| self.lines.depth(*around) == fixed.len());
            if let Some(item) = around.find_map(|around| index.around(self.item, around)) {
                return Items::Below(item);
            }
        }
        if is_fixed && fixed.len() == self.lines.depth(scope) {
            let place = index.place(&StepName::of(&shape.node(node).name, &fixed));
            return Items::These(place.map(|place| index.numbers(place).1).into_iter().collect());
        }
        let fits = |item: &u32| {
            let keys = index.path(*item).keys();
            pattern.iter().zip(&keys).all(|(wanted, key)| wanted.as_ref().is_none_or(|wanted| wanted == key))
        };
        Items::These(index.below(0, scope).filter(fits).collect())
    }

    fn each<'b>(&'b self, node: NodeId, items: &'b Items) -> Box<dyn Iterator<Item = u32> + 'b> {
        match items {
            Items::Below(item) => Box::new(self.run.index().below(*item, self.shape().node(node).scope)),
            Items::These(items) => Box::new(items.iter().copied()),
        }
    }

    /// The places of the steps of a region, with their states.
    pub(super) fn steps<'b>(&'b self, region: &'b Region) -> impl Iterator<Item = (u32, StepState)> + 'b {
        let (index, driven, node) = (self.run.index(), self.run.is_driven(), region.node);
        self.each(node, &region.items).filter_map(move |item| {
            let place = index.place_of(node, item)?;
            Some((place, index.state_of(place, driven)?))
        })
    }

    /// How many of its steps stand how, in the order of [`StepState::ALL`].
    pub(super) fn counts(&self, region: &Region) -> [u64; 7] {
        if let Items::Below(item) = region.items {
            return self.run.index().counts_below(item, region.node, self.run.is_driven());
        }
        let count = |state| self.steps(region).filter(|(_, found)| *found == state).count() as u64;
        StepState::ALL.map(count)
    }

    /// Whether there may be more steps of a region: a fan-out around them has not closed.
    pub(super) fn is_growing(&self, region: &Region) -> bool {
        let Items::Below(item) = region.items else { return false };
        let (shape, index) = (self.shape(), self.run.index());
        let own = index.scope_of(item);
        let mut inside = shape.outwards(shape.node(region.node).scope).take_while(|scope| *scope != own);
        inside.any(|scope: ScopeId| {
            let entry = shape.scope(scope);
            let (Some(parent), Some(fan)) = (entry.parent, entry.fan) else { return false };
            index.below(item, parent).any(|around| !index.is_closed(around, fan))
        })
    }

    /// A region as it is told.
    pub(super) fn told(&self, region: &Region) -> Neighbours {
        let steps = self.steps(region).take(NAMED).map(|(place, state)| self.link(place, state));
        Neighbours {
            op: self.shape().node(region.node).name.to_string(),
            total: self.counts(region).iter().sum(),
            steps: steps.collect(),
        }
    }

    pub(super) fn link(&self, place: u32, state: StepState) -> StepLink {
        StepLink { step: self.run.index().name(place), state: step_standing(state) }
    }
}
