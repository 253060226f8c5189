//! Sets of items by their keys: whole branches, with places where any key fits.

use std::collections::HashMap;

use crate::key::Key;

/// The keys that items of a scope, or of one inside it, begin with; `None` stands for any key. It is
/// as long as it needs to be: it never ends with `None`.
pub(crate) type Pattern = Vec<Option<Key>>;

/// The first `length` places of a pattern.
pub(super) fn cut(pattern: &[Option<Key>], length: usize) -> Pattern {
    let mut short = pattern[..length.min(pattern.len())].to_vec();
    trim(&mut short);
    short
}

/// The first `around` places of `outer`, then `skipped` places for any key, then `below`.
pub(super) fn join(outer: &[Option<Key>], around: usize, skipped: usize, below: &[Option<Key>]) -> Pattern {
    let mut joined = outer[..around.min(outer.len())].to_vec();
    joined.resize(around + skipped, None);
    joined.extend_from_slice(below);
    trim(&mut joined);
    joined
}

/// What a pattern says of the places from `from` to `to`.
pub(super) fn middle(pattern: &[Option<Key>], from: usize, to: usize) -> &[Option<Key>] {
    let to = to.min(pattern.len());
    &pattern[from.min(to)..to]
}

fn trim(pattern: &mut Pattern) {
    while pattern.last().is_some_and(Option::is_none) {
        pattern.pop();
    }
}

/// A set of items, as the patterns that they fit. A tree by key; looking an item up allocates nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct KeySet {
    /// Everything from here on.
    whole: bool,
    any: Option<Box<KeySet>>,
    by: HashMap<Key, KeySet>,
}

impl KeySet {
    pub(super) fn is_empty(&self) -> bool {
        !self.whole && self.any.is_none() && self.by.is_empty()
    }

    /// Adds what fits a pattern; tells whether that was not in it by one pattern before.
    pub(super) fn insert(&mut self, pattern: &[Option<Key>]) -> bool {
        if self.covers(pattern) {
            return false;
        }
        let end = pattern.iter().fold(self, |set, key| match key {
            Some(key) => set.by.entry(key.clone()).or_default(),
            None => set.any.get_or_insert_default(),
        });
        *end = Self { whole: true, ..Self::default() };
        true
    }

    /// Whether one of its patterns holds all that fits this one.
    pub(super) fn covers(&self, pattern: &[Option<Key>]) -> bool {
        let Some((first, rest)) = pattern.split_first() else { return self.whole };
        self.whole
            || self.any.as_ref().is_some_and(|any| any.covers(rest))
            || first.as_ref().and_then(|key| self.by.get(key)).is_some_and(|set| set.covers(rest))
    }

    /// The patterns that it was made of, but for those that others of them cover.
    pub(super) fn patterns(&self) -> Vec<Pattern> {
        let (mut patterns, mut stack) = (Vec::new(), vec![(self, Pattern::new())]);
        while let Some((set, pattern)) = stack.pop() {
            let below = set.by.iter().map(|(key, set)| (Some(key.clone()), set));
            for (key, set) in below.chain(set.any.iter().map(|any| (None, &**any))) {
                let mut longer = pattern.clone();
                longer.push(key);
                stack.push((set, longer));
            }
            if set.whole {
                patterns.push(pattern);
            }
        }
        patterns
    }

    /// Whether the item of these keys is in it.
    pub(super) fn holds(&self, keys: &[Key]) -> bool {
        let Some((first, rest)) = keys.split_first() else { return self.whole };
        self.whole
            || self.by.get(first).is_some_and(|set| set.holds(rest))
            || self.any.as_ref().is_some_and(|any| any.holds(rest))
    }

    /// Whether the item of these keys, or one below it, is in it.
    pub(super) fn touches(&self, keys: &[Key]) -> bool {
        let Some((first, rest)) = keys.split_first() else { return !self.is_empty() };
        self.whole
            || self.by.get(first).is_some_and(|set| set.touches(rest))
            || self.any.as_ref().is_some_and(|any| any.touches(rest))
    }

    /// Whether an item can be both in it, or below one in it, and fit the pattern, or lie below.
    pub(super) fn meets(&self, pattern: &[Option<Key>]) -> bool {
        let Some((first, rest)) = pattern.split_first() else { return !self.is_empty() };
        self.whole
            || self.any.as_ref().is_some_and(|any| any.meets(rest))
            || match first {
                Some(key) => self.by.get(key).is_some_and(|set| set.meets(rest)),
                None => self.by.values().any(|set| set.meets(rest)),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.chars().map(|it| (it != '_').then(|| Key::new(it))).collect()
    }

    fn keys(text: &str) -> Vec<Key> {
        text.chars().map(Key::new).collect()
    }

    #[test]
    fn a_set_says_of_each_item_what_its_patterns_say() {
        for seed in 0..2_000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut word = |letters: &str, longest: usize| -> String {
                (0..random.usize(..=longest))
                    .map(|_| char::from(letters.as_bytes()[random.usize(..letters.len())]))
                    .collect()
            };
            let mut set = KeySet::default();
            let patterns: Vec<_> = (0..3).map(|_| cut(&pattern(&word("ab_", 3)), 3)).collect();
            patterns.iter().for_each(|pattern| _ = set.insert(pattern));
            let item = keys(&word("ab", 4));
            let fits = |(place, key): (&Option<Key>, &Key)| place.as_ref().is_none_or(|place| place == key);
            let agrees = |pattern: &Pattern| pattern.iter().zip(&item).all(fits);
            let holds = patterns.iter().any(|it| it.len() <= item.len() && agrees(it));
            assert_eq!(set.holds(&item), holds, "seed {seed}: {patterns:?} {item:?}");
            assert_eq!(set.touches(&item), patterns.iter().any(agrees), "seed {seed}: {patterns:?} {item:?}");
            let exact: Pattern = item.iter().cloned().map(Some).collect();
            assert_eq!(set.covers(&exact), holds, "seed {seed}: {patterns:?} {item:?}");
            assert_eq!(set.meets(&exact), set.touches(&item), "seed {seed}: {patterns:?} {item:?}");
        }
    }

    #[test]
    fn patterns_are_cut_and_joined_by_places() {
        assert_eq!(cut(&pattern("a_c"), 2), pattern("a"));
        assert_eq!(join(&pattern("ab"), 1, 1, &pattern("c")), pattern("a_c"));
        assert_eq!(join(&pattern(""), 2, 0, &pattern("c")), pattern("__c"));
        assert_eq!(join(&pattern("ab"), 1, 3, &[]), pattern("a"));
        assert_eq!(middle(&pattern("abc"), 1, 9), &pattern("bc")[..]);
    }
}
