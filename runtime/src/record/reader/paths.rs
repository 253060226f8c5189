//! Items by their numbers: the commits that opened them are found by their heads.

use std::collections::{BTreeMap, BTreeSet};

use super::{ReadError, Reader};
use crate::key::Key;
use crate::record::raw::Raw;
use crate::step::Path;
use crate::store::CommitHead;

/// Some items of a run, by number.
pub(super) struct Paths(BTreeMap<u32, Path>);

/// An item as it was opened: the item around the step that gave it, and its keys below that.
struct Opened {
    around: u32,
    parts: Vec<(Key, u32)>,
}

impl Paths {
    /// The item of a number; what lies outside all fan-outs, if it is not among them.
    pub(super) fn get(&self, item: u32) -> Path {
        self.0.get(&item).cloned().unwrap_or_default()
    }

    fn of(opened: BTreeMap<u32, Opened>) -> Self {
        let mut paths = Self(BTreeMap::new());
        // An item has a higher number than those around it.
        for (number, Opened { around, parts }) in opened {
            let around = paths.get(around);
            let path = parts.into_iter().fold(around, |path, (key, index)| path.item(key, index, number));
            paths.0.insert(number, path);
        }
        paths
    }
}

impl Reader {
    /// The items of these numbers, and those around them.
    pub(super) fn paths(&self, heads: &[CommitHead], items: BTreeSet<u32>) -> Result<Paths, ReadError> {
        let mut opened = BTreeMap::new();
        let mut wanted = items;
        wanted.remove(&0);
        while let Some(first) = wanted.first() {
            let after = heads.partition_point(|head| head.index.items_before < *first);
            let Some(head) = after.checked_sub(1) else { break };
            let here = &heads[head..=head];
            let last = here[0].index.items_before + here[0].index.items;
            let mut around = BTreeSet::new();
            self.scan(
                here,
                |_| true,
                |_, at| {
                    if let Raw::ItemYielded { step, .. } = &at.raw
                        && wanted.contains(&at.items)
                    {
                        around.insert(step.item);
                        opened.insert(at.items, Opened { around: step.item, parts: at.parts() });
                    }
                    at.items < last
                },
            )?;
            let later = wanted.split_off(&(last + 1));
            wanted = later;
            wanted.extend(around.into_iter().filter(|item| *item > 0 && !opened.contains_key(item)));
        }
        Ok(Paths::of(opened))
    }
}
