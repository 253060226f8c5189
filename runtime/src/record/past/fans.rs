//! The items by the fan-outs that they came from.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::OnceLock;

use super::Past;
use crate::graph::ScopeId;
use crate::key::Key;
use crate::shape::ShapeKind;

/// From how many items on a fan-out is searched by an index: fewer are looked through.
const INDEXED: usize = 16;

/// A fan-out: the item that it lies in, and the scope whose instances it opens.
type FanOut = (u32, ScopeId);

#[derive(Debug)]
pub(super) struct Fans {
    fans: HashMap<FanOut, Fan>,
    /// The items that count, fan-out by fan-out.
    items: Vec<u32>,
    /// How many items of each key were superseded.
    superseded: HashMap<(FanOut, Vec<Key>), u32>,
}

#[derive(Debug, Default)]
struct Fan {
    items: Range<usize>,
    keys: OnceLock<Box<KeyIndex>>,
}

/// The items of one fan-out by their keys: each in the first free slot from that of its hash on. At most
/// half of the slots are taken; 0 stands for none.
#[derive(Debug)]
struct KeyIndex(Vec<u32>);

impl Fans {
    pub(super) fn new(past: &Past) -> Self {
        let mut this = Self { fans: HashMap::new(), items: Vec::new(), superseded: HashMap::new() };
        let fan_out = |item| (past.state.parent_of(item), past.state.scope_of(item));
        let alive = || (1..=past.last_item()).filter(|item| past.state.is_alive(*item));
        for item in alive() {
            this.fans.entry(fan_out(item)).or_default().items.end += 1;
        }
        let mut start = 0;
        for fan in this.fans.values_mut() {
            let count = fan.items.end;
            fan.items = start..start;
            start += count;
        }
        this.items = vec![0; start];
        for item in alive() {
            if let Some(fan) = this.fans.get_mut(&fan_out(item)) {
                this.items[fan.items.end] = item;
                fan.items.end += 1;
            }
        }
        for ((_, scope), fan) in &this.fans {
            past.put_in_order(*scope, &mut this.items[fan.items.clone()]);
        }
        for item in (1..=past.last_item()).filter(|item| past.state.is_superseded(*item)) {
            *this.superseded.entry((fan_out(item), past.parts(item))).or_default() += 1;
        }
        this
    }

    pub(super) fn items(&self, parent: u32, scope: ScopeId) -> &[u32] {
        self.fans.get(&(parent, scope)).map_or(&[], |fan| &self.items[fan.items.clone()])
    }

    pub(super) fn find(&self, past: &Past, parent: u32, scope: ScopeId, parts: &[Key]) -> Option<u32> {
        let fan = self.fans.get(&(parent, scope))?;
        let items = &self.items[fan.items.clone()];
        if items.len() < INDEXED {
            return items.iter().copied().find(|item| past.keys_of(*item) == parts);
        }
        fan.keys.get_or_init(|| Box::new(KeyIndex::new(past, items))).find(past, parts)
    }

    pub(super) fn superseded(&self, parent: u32, scope: ScopeId, parts: &[Key]) -> u32 {
        if self.superseded.is_empty() {
            return 0;
        }
        self.superseded.get(&((parent, scope), parts.to_vec())).copied().unwrap_or_default()
    }
}

impl KeyIndex {
    fn new(past: &Past, items: &[u32]) -> Self {
        let mut this = Self(vec![0; (items.len() * 2).next_power_of_two()]);
        for item in items {
            let free = this.slots(past.keys_of(*item)).find(|slot| this.0[*slot] == 0);
            if let Some(free) = free {
                this.0[free] = *item;
            }
        }
        this
    }

    /// The slots in which an item of these keys may be, each once.
    fn slots(&self, parts: &[Key]) -> impl Iterator<Item = usize> + use<> {
        let mut hasher = DefaultHasher::new();
        parts.hash(&mut hasher);
        let (first, last) = (hasher.finish() as usize, self.0.len() - 1);
        (0..=last).map(move |next| first.wrapping_add(next) & last)
    }

    fn find(&self, past: &Past, parts: &[Key]) -> Option<u32> {
        let items = self.slots(parts).map(|slot| self.0[slot]).take_while(|item| *item > 0);
        items.into_iter().find(|item| past.keys_of(*item) == parts)
    }
}

impl Past {
    /// Puts the items of one fan-out, which come in the order of their numbers, in yield order.
    fn put_in_order(&self, scope: ScopeId, items: &mut [u32]) {
        let emitter = self.shape.scope(scope).fan.map(|(node, _)| self.shape.node(node).kind);
        let whole = items.first().is_some_and(|item| {
            let (node, _, around) = self.opener(*item);
            self.state.succeeded(around, node)
        });
        // Of one that succeeded, each has the place that the last attempt gave it.
        if emitter == Some(ShapeKind::Op) && !whole {
            self.put_between(items);
        } else {
            items.sort_by(|a, b| self.places[self.own(*a)].cmp(&self.places[self.own(*b)]));
        }
    }

    /// The items of an emitter came in their order, but for those that a later attempt gave: each of them
    /// has its place among those of the attempts before, which had none there.
    fn put_between(&self, items: &mut [u32]) {
        let is_later = |a: &u32, b: &u32| self.index(*a) < self.index(*b);
        let mut attempts = items.chunk_by(is_later);
        let mut order = attempts.next().unwrap_or_default().to_vec();
        for attempt in attempts {
            let mut merged = Vec::with_capacity(order.len() + attempt.len());
            let mut before = order.into_iter();
            for item in attempt {
                let missing = (self.index(*item) as usize).saturating_sub(merged.len());
                merged.extend(before.by_ref().take(missing));
                merged.push(*item);
            }
            merged.extend(before);
            order = merged;
        }
        items.copy_from_slice(&order);
    }
}
