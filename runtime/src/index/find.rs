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

/// How a text is looked for.
#[derive(Clone, Copy)]
enum Way {
    Begins,
    Holds,
}

/// What holds the text that is looked for.
struct Hits {
    nodes: Vec<bool>,
    /// The items, with those in them; the first is what lies outside all fan-outs.
    items: Vec<bool>,
    /// Where the text has brackets: nodes whose name ends where the brackets begin, and items whose
    /// keys begin with them.
    named: Option<(Vec<bool>, Vec<bool>)>,
}

impl Index {
    /// Finds steps.
    pub(crate) fn find(&self, query: &Query, driven: bool) -> Arc<Found> {
        let text = query.text.as_deref().filter(|text| !text.is_empty());
        let places = match text {
            None => self.matching(query, None, driven),
            Some(text) => {
                let begins = self.matching(query, Some(&self.hits(text, Way::Begins)), driven);
                if begins.is_empty() {
                    self.matching(query, Some(&self.hits(text, Way::Holds)), driven)
                } else {
                    begins
                }
            }
        };
        Arc::new(Found { places: self.in_order(places, query.sort, driven) })
    }

    /// The steps that are asked for, in the order of their places.
    fn matching(&self, query: &Query, hits: Option<&Hits>, driven: bool) -> Vec<u32> {
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
                        && hits.is_none_or(|hits| hits.holds(*node, item))
                    {
                        found.push(place);
                    }
                }
            }
        }
        found
    }

    fn hits(&self, text: &str, way: Way) -> Hits {
        let nodes = self.shape.nodes.iter();
        let wanted = text.as_bytes();
        let bracket = text.find('[');
        let named = bracket.map(|at| {
            let (op, keys) = text.split_at(at);
            let ends = nodes.clone().map(|node| match way {
                Way::Begins => *node.name == *op,
                Way::Holds => node.name.ends_with(op),
            });
            (ends.collect(), self.items_by_name(|name| name.starts_with(keys)))
        });
        let across = matches!(way, Way::Holds) && text.contains(['[', ']', '\\']);
        Hits {
            nodes: nodes.map(|node| way.fits(node.name.as_bytes(), wanted)).collect(),
            items: if across {
                self.items_by_name(|name| name.contains(text))
            } else {
                self.items_by_key(|key| way.fits(key, wanted))
            },
            named,
        }
    }

    /// The items with a key that fits, and all in them.
    fn items_by_key(&self, fits: impl Fn(&[u8]) -> bool) -> Vec<bool> {
        let mut items = vec![false; self.state.items() as usize + 1];
        let mut room = [0; 20];
        let mut alike = self.state.alike().skip(1).peekable();
        let (mut around, mut end) = (false, 0);
        self.keys.each(1, |item, parts| {
            if item >= end
                && let Some(next) = alike.next()
            {
                (around, end) = (items[next.parent as usize], next.items.end);
            }
            items[item as usize] = around || parts.iter().any(|part| fits(part.text(&mut room)));
            true
        });
        items
    }

    /// The items whose keys, as they stand in the names of their steps, fit.
    fn items_by_name(&self, fits: impl Fn(&str) -> bool) -> Vec<bool> {
        let mut items = vec![false; self.state.items() as usize + 1];
        let mut alike = self.state.alike().skip(1);
        let (mut name, mut around, mut end) = (String::new(), 0, 0);
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
            items[item as usize] = fits(&name);
            true
        });
        items
    }

    fn write_keys(&self, name: &mut String, item: u32) {
        if item > 0 {
            self.write_keys(name, self.state.parent_of(item));
            self.keys.get(item).iter().for_each(|part| write_key(name, part));
        }
    }

    /// The name of the step at a place.
    pub(crate) fn name(&self, place: u32) -> String {
        let (node, item) = self.numbers(place);
        let mut name = self.shape.node(node).name.to_string();
        self.write_keys(&mut name, item);
        name
    }
}

/// As [`Brackets`](crate::step::Brackets) do.
fn write_key(name: &mut String, part: &Part<'_>) {
    let mut room = [0; 20];
    let text = String::from_utf8_lossy(part.text(&mut room));
    name.push('[');
    for character in text.chars() {
        if matches!(character, '[' | ']' | '\\') {
            name.push('\\');
        }
        name.push(character);
    }
    name.push(']');
}

impl Way {
    #[inline]
    fn fits(self, text: &[u8], wanted: &[u8]) -> bool {
        match self {
            Self::Begins => text.starts_with(wanted),
            Self::Holds => text.windows(wanted.len()).any(|part| part[0] == wanted[0] && part == wanted),
        }
    }
}

impl Hits {
    #[inline]
    fn holds(&self, node: NodeId, item: u32) -> bool {
        let (node, item) = (node.index(), item as usize);
        self.nodes[node]
            || self.items[item]
            || self.named.as_ref().is_some_and(|(nodes, items)| nodes[node] && items[item])
    }
}
