//! Places put in an order.

use super::Index;
use super::find::{By, Sort};
use super::keys::Part;
use super::look::severity;

impl Index {
    /// Puts places, which come in the order in which they opened, in another order.
    pub(super) fn in_order(&self, mut places: Vec<u32>, sort: Sort, driven: bool) -> Vec<u32> {
        match sort.by {
            By::Opened => {
                if sort.down {
                    places.reverse();
                }
                places
            }
            By::Key => self.in_order_of_keys(&places, sort.down),
            By::Start => self.by(places, sort.down, |place| self.times(place).map(|(started, _)| started)),
            By::Duration => self.by(places, sort.down, |place| self.times(place).map(|(_, took)| took)),
            By::Attempts => self.by(places, sort.down, |place| Some(u64::from(self.attempts(place)))),
            By::State => self.by(places, sort.down, |place| {
                self.standing(place, driven).map(|state| severity(state) as u64)
            }),
            By::Op => {
                let ranks = self.ranks_of_names();
                self.by(places, sort.down, |place| {
                    let (node, _) = self.numbers(place);
                    Some(ranks[node.index()])
                })
            }
        }
    }

    fn by(&self, places: Vec<u32>, down: bool, value: impl Fn(u32) -> Option<u64>) -> Vec<u32> {
        let (mut order, mut nothing) = (Vec::with_capacity(places.len()), Vec::new());
        for place in places {
            match value(place) {
                None => nothing.push(place),
                Some(value) => order.push((if down { u64::MAX - value } else { value }, place)),
            }
        }
        sort(&mut order);
        order.into_iter().map(|(_, place)| place).chain(nothing).collect()
    }

    /// The place of each node's name among all, in the order of the alphabet.
    fn ranks_of_names(&self) -> Vec<u64> {
        let names: Vec<_> = self.shape.nodes.iter().map(|node| &*node.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        names.iter().map(|name| sorted.partition_point(|other| other < name) as u64).collect()
    }

    fn in_order_of_keys(&self, places: &[u32], down: bool) -> Vec<u32> {
        let mut wanted = vec![false; self.steps.len()];
        places.iter().for_each(|place| wanted[*place as usize] = true);
        let mut order = Vec::with_capacity(places.len());
        let mut items = self.items_in_order();
        if down {
            items.reverse();
        }
        let alike: Vec<_> = self.state.alike().collect();
        let mut near = 0;
        for item in items {
            if !alike[near].items.contains(&item) {
                near = alike.partition_point(|alike| alike.items.start <= item) - 1;
            }
            let alike = &alike[near];
            let steps = self.state.layout().scope(alike.scope).steps.len();
            let first = alike.first_slot + (item - alike.items.start) as usize * steps;
            order.extend((first..first + steps).filter(|place| wanted[*place]).map(|place| place as u32));
        }
        order
    }

    /// All items by their keys: each is followed by those in it.
    fn items_in_order(&self) -> Vec<u32> {
        let children = self.children_by_keys();
        let count = children.len() + 1;
        let mut sizes = vec![1_u32; count];
        for item in (1..count as u32).rev() {
            sizes[self.state.parent_of(item) as usize] += sizes[item as usize];
        }
        // Where an item comes, and where the next of those in it.
        let mut at = vec![0; count];
        let mut next: Vec<u32> = vec![1; count];
        let mut order = vec![0; count];
        for Child { parent, item, .. } in children {
            let place = next[parent as usize];
            next[parent as usize] += sizes[item as usize];
            at[item as usize] = place;
            next[item as usize] = place + 1;
            order[place as usize] = item;
        }
        order
    }

    /// The items by what they lie in, and then by their keys.
    fn children_by_keys(&self) -> Vec<Child> {
        let skip = self.common_beginning();
        let mut children: Vec<Child> = Vec::with_capacity(self.state.items() as usize);
        let mut alike = self.state.alike().skip(1);
        let (mut parent, mut end) = (0, 0);
        self.keys.each(1, |item, parts| {
            if item >= end
                && let Some(next) = alike.next()
            {
                (parent, end) = (next.parent, next.items.end);
            }
            let (kind, head) = match &parts[0] {
                Part::Number(number) => (0, number.cast_unsigned() ^ 1 << 63),
                Part::Text(text) => (1, beginning(&text[skip..])),
            };
            let whole = parts.len() == 1 && (kind == 0 || parts[0] == Part::Text(b""));
            children.push(Child { parent, kind, head, whole, item });
            true
        });
        children.sort_unstable_by(|a, b| {
            let first = (a.parent, a.kind, a.head).cmp(&(b.parent, b.kind, b.head));
            let rest = || {
                if a.whole && b.whole {
                    std::cmp::Ordering::Equal
                } else {
                    self.keys.get(a.item).cmp(&self.keys.get(b.item))
                }
            };
            first.then_with(rest).then(a.item.cmp(&b.item))
        });
        children
    }

    /// How many bytes the first keys of all items with texts have in common.
    fn common_beginning(&self) -> usize {
        let mut common: Option<&[u8]> = None;
        self.keys.each(1, |_, parts| {
            if let Part::Text(text) = parts[0] {
                let before = common.unwrap_or(text);
                let same = before.iter().zip(text).take_while(|(a, b)| a == b).count();
                common = Some(&before[..same]);
            }
            common.is_none_or(|common| !common.is_empty())
        });
        common.map_or(0, <[u8]>::len)
    }
}

/// Sorts by the first, and keeps the order of those that are equal in it: byte by byte, the lowest first,
/// without those bytes that are the same everywhere.
fn sort(order: &mut Vec<(u64, u32)>) {
    let (all, any) = order.iter().fold((u64::MAX, 0), |(all, any), (value, _)| (all & value, any | value));
    let mut sorted = vec![(0, 0); order.len()];
    for shift in (0..u64::BITS).step_by(8) {
        if (all ^ any) >> shift & 0xff == 0 {
            continue;
        }
        let byte = |value: u64| (value >> shift & 0xff) as usize;
        let mut next = [0; 257];
        order.iter().for_each(|(value, _)| next[byte(*value) + 1] += 1);
        (1..next.len()).for_each(|at| next[at] += next[at - 1]);
        for one in order.iter() {
            let at = &mut next[byte(one.0)];
            sorted[*at] = *one;
            *at += 1;
        }
        std::mem::swap(order, &mut sorted);
    }
}

/// An item among those that lie in the same.
struct Child {
    parent: u32,
    item: u32,
    /// Numbers come first.
    kind: u8,
    /// Whether `head` is all that there is to compare.
    whole: bool,
    head: u64,
}

/// The first eight bytes, as a number that compares as they do.
fn beginning(text: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let len = text.len().min(8);
    bytes[..len].copy_from_slice(&text[..len]);
    u64::from_be_bytes(bytes)
}
