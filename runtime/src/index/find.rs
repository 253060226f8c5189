//! Which steps are asked for, and in which order.

use std::sync::Arc;

use super::Index;
use super::keys::Part;
use crate::event::StepState;
use crate::graph::NodeId;

/// Which steps are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// Of one of these nodes; empty for any.
    pub(crate) nodes: Vec<NodeId>,
    /// That stand so.
    pub(crate) state: Option<StepState>,
    /// With a key, or a name, that begins so; where there is none, with a name that holds it.
    pub(crate) text: Option<String>,
    pub(crate) sort: Sort,
}

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sort {
    pub(crate) by: By,
    /// Whether the last comes first. Steps that have nothing to compare are the last either way.
    pub(crate) down: bool,
}

/// By what; steps that are equal in it are in the order in which they opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum By {
    /// The order in which the items opened.
    #[default]
    Opened,
    Start,
    Duration,
    /// The keys, numbers first: each item is followed by those in it.
    Key,
    /// The op's name.
    Op,
    /// The order of [`StepState::ALL`].
    State,
    Attempts,
}

/// The steps that were asked for, in order.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) places: Vec<u32>,
}

/// How a text stands in a name.
const HOLDS: u8 = 1;
const BEGINS: u8 = 2;
/// For a text with a bracket, of an item: its keys begin as the text from there on.
const KEYS_BEGIN: u8 = 4;
/// Of a node: its name ends as the text up to there, or is that.
const OP_ENDS: u8 = 4;
const OP_IS: u8 = 8;

/// What holds a text that is looked for.
struct Hits {
    nodes: Vec<u8>,
    /// The items, with those in them; the first is what lies outside all fan-outs.
    items: Vec<u8>,
}

impl Index {
    /// Finds steps.
    pub(crate) fn find(&self, query: &Query, driven: bool) -> Arc<Found> {
        let text = query.text.as_deref().filter(|text| !text.is_empty());
        let places = match text {
            None => self.matching(query, None, driven),
            Some(text) => {
                let hits = self.hits(text);
                let begins = self.matching(query, Some((&hits, BEGINS, OP_IS)), driven);
                if begins.is_empty() {
                    self.matching(query, Some((&hits, HOLDS, OP_ENDS)), driven)
                } else {
                    begins
                }
            }
        };
        Arc::new(Found { places: self.in_order(places, query.sort, driven) })
    }

    /// The steps that are asked for, in the order of their places.
    fn matching(&self, query: &Query, hits: Option<(&Hits, u8, u8)>, driven: bool) -> Vec<u32> {
        if hits.is_some_and(|(hits, way, op)| hits.are_none(way, op)) {
            return Vec::new();
        }
        let mut nodes = vec![query.nodes.is_empty(); self.shape.nodes.len()];
        query.nodes.iter().for_each(|node| nodes[node.index()] = true);
        let mut found = Vec::new();
        for alike in self.state.alike() {
            let steps = &self.state.layout().scope(alike.scope).steps;
            let mut place = alike.first_slot as u32;
            if !steps.iter().any(|node| nodes[node.index()]) {
                continue;
            }
            for item in alike.items {
                let first = place;
                place += steps.len() as u32;
                if !self.state.is_alive(item) {
                    continue;
                }
                for (place, node) in (first..).zip(steps) {
                    let state = self.standing(place, driven);
                    if nodes[node.index()]
                        && state.is_some_and(|state| query.state.is_none_or(|asked| asked == state))
                        && hits.is_none_or(|(hits, way, op)| hits.fit(*node, item, way, op))
                    {
                        found.push(place);
                    }
                }
            }
        }
        found
    }

    fn hits(&self, text: &str) -> Hits {
        let wanted = text.as_bytes();
        let keys = text.find('[').map(|at| text.split_at(at));
        let nodes = self.shape.nodes.iter().map(|node| {
            let named = keys.map_or(0, |(op, _)| {
                let (is, ends) = (*node.name == *op, node.name.ends_with(op));
                (u8::from(is) * OP_IS) | (u8::from(ends) * OP_ENDS)
            });
            way(node.name.as_bytes(), wanted) | named
        });
        let nodes = nodes.collect();
        let mut items = self.hits_of_keys(wanted);
        if text.contains(['[', ']', '\\']) {
            self.hits_of_names(&mut items, wanted, keys.map(|(_, keys)| keys.as_bytes()));
        }
        Hits { nodes, items }
    }

    /// The items with a key that fits, and all in them.
    fn hits_of_keys(&self, wanted: &[u8]) -> Vec<u8> {
        let mut items = vec![0; self.state.items() as usize + 1];
        let mut room = [0; 20];
        let mut alike = self.state.alike().skip(1);
        let (mut around, mut end) = (0, 0);
        self.keys.each(1, |item, parts| {
            if item >= end
                && let Some(next) = alike.next()
            {
                (around, end) = (items[next.parent as usize], next.items.end);
            }
            let own = parts.iter().fold(0, |own, part| own | way(part.text(&mut room), wanted));
            items[item as usize] = around | own;
            true
        });
        items
    }

    /// Adds the items whose keys, as they stand in the names of their steps, fit.
    fn hits_of_names(&self, items: &mut [u8], wanted: &[u8], keys: Option<&[u8]>) {
        let mut alike = self.state.alike().skip(1);
        let (mut name, mut around, mut end) = (Vec::new(), 0, 0);
        self.keys.each(1, |item, parts| {
            if item >= end
                && let Some(next) = alike.next()
            {
                end = next.items.end;
                name.clear();
                self.write_keys(&mut name, next.parent);
                around = name.len();
            }
            name.truncate(around);
            parts.iter().for_each(|part| write_key(&mut name, part));
            let begins = keys.is_some_and(|keys| name.starts_with(keys));
            items[item as usize] |= (way(&name, wanted) & HOLDS) | (u8::from(begins) * KEYS_BEGIN);
            true
        });
    }

    fn write_keys(&self, name: &mut Vec<u8>, item: u32) {
        if item > 0 {
            self.write_keys(name, self.state.parent_of(item));
            self.keys.get(item).iter().for_each(|part| write_key(name, part));
        }
    }

    /// The name of the step at a place.
    pub(crate) fn name(&self, place: u32) -> String {
        let (node, item) = self.numbers(place);
        let mut name = self.shape.node(node).name.as_bytes().to_vec();
        self.write_keys(&mut name, item);
        String::from_utf8_lossy(&name).into_owned()
    }
}

/// As [`Brackets`](crate::step::Brackets) do.
fn write_key(name: &mut Vec<u8>, part: &Part<'_>) {
    let mut room = [0; 20];
    name.push(b'[');
    for byte in part.text(&mut room) {
        if matches!(byte, b'[' | b']' | b'\\') {
            name.push(b'\\');
        }
        name.push(*byte);
    }
    name.push(b']');
}

/// How a text that is looked for stands in another.
#[inline]
fn way(text: &[u8], wanted: &[u8]) -> u8 {
    if text.starts_with(wanted) {
        BEGINS | HOLDS
    } else {
        u8::from(text.windows(wanted.len()).any(|part| part[0] == wanted[0] && part == wanted)) * HOLDS
    }
}

impl Hits {
    #[inline]
    fn fit(&self, node: NodeId, item: u32, way: u8, op: u8) -> bool {
        let (node, item) = (self.nodes[node.index()], self.items[item as usize]);
        (node | item) & way != 0 || node & op != 0 && item & KEYS_BEGIN != 0
    }

    fn are_none(&self, way: u8, op: u8) -> bool {
        let all = |hits: &[u8]| hits.iter().fold(0, |all, hit| all | hit);
        let (nodes, items) = (all(&self.nodes), all(&self.items));
        (nodes | items) & way == 0 && (nodes & op == 0 || items & KEYS_BEGIN == 0)
    }
}
