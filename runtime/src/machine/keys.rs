//! Which mapping keys an output has given: each may be given once an attempt.
//!
//! Integers, and texts that end in a number, are kept as ranges as long as they come in ascending
//! order: a fan-out over ten million numbers costs nothing. Any other key costs 128 bits.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::key::Key;

/// How many prefixes are kept as ranges: one or two are common, and a prefix a key would cost more
/// than a hash a key.
const MAX_SERIES: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct KeySet {
    series: Vec<Series>,
    hashes: HashSet<u128>,
}

/// The numbers that came after one prefix, as ranges in ascending order, ends included.
#[derive(Debug)]
struct Series {
    prefix: Option<Box<str>>,
    ranges: Vec<(u64, u64)>,
}

impl KeySet {
    /// Takes a key; `false` if it was there.
    pub(crate) fn insert(&mut self, key: &Key) -> bool {
        let Some((prefix, number)) = split(key) else { return self.hashes.insert(hash(key)) };
        let known = self.series.iter().position(|series| series.prefix.as_deref() == prefix);
        let Some(at) = known.or_else(|| self.begin_series(prefix)) else {
            return self.hashes.insert(hash(key));
        };
        let series = &mut self.series[at];
        match series.ranges.last_mut() {
            Some((_, end)) if number <= *end => !series.holds(number) && self.hashes.insert(hash(key)),
            // Only a key that came out of order, or before its series was begun, has a hash.
            _ if !self.hashes.is_empty() && self.hashes.contains(&hash(key)) => false,
            Some((_, end)) if *end + 1 == number => {
                *end = number;
                true
            }
            _ => {
                series.ranges.push((number, number));
                true
            }
        }
    }

    fn begin_series(&mut self, prefix: Option<&str>) -> Option<usize> {
        (self.series.len() < MAX_SERIES).then(|| {
            self.series.push(Series { prefix: prefix.map(Into::into), ranges: Vec::new() });
            self.series.len() - 1
        })
    }
}

impl Series {
    fn holds(&self, number: u64) -> bool {
        let after = self.ranges.partition_point(|(start, _)| *start <= number);
        after > 0 && number <= self.ranges[after - 1].1
    }
}

/// A key as a prefix and a number: no prefix for a number alone.
fn split(key: &Key) -> Option<(Option<&str>, u64)> {
    if let Some(number) = key.as_integer() {
        return u64::try_from(number).ok().map(|number| (None, number));
    }
    let text = key.as_text()?;
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (prefix, number) = text.split_at(text.len() - digits);
    // Texts such as `a07` and `a7` must not be taken for the same number.
    let canonical = (1..=18).contains(&digits) && (digits == 1 || !number.starts_with('0'));
    canonical.then(|| number.parse().ok()).flatten().map(|number| (Some(prefix), number))
}

fn hash(key: &Key) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        key.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_2_a_key_is_taken_once_in_whatever_order_keys_come() {
        let seed = std::env::var("FANFOLD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..200 {
            let (mut set, mut model) = (KeySet::default(), HashSet::new());
            for _ in 0..200 {
                let number = random.u32(0..60);
                let key = match random.u32(0..5) {
                    0 | 1 => Key::new(number),
                    2 => Key::new(format_args!("item_{number}")),
                    3 => Key::new(format_args!("0{number}")),
                    _ => Key::new(format_args!("{}{number}", random.lowercase())),
                };
                assert_eq!(set.insert(&key), model.insert(key.to_string()), "key {key}, FANFOLD_SEED={seed}");
            }
        }
    }

    #[test]
    fn s2_2_ascending_numbers_cost_nothing() {
        let mut set = KeySet::default();
        for number in 0..100_000 {
            assert!(set.insert(&Key::new(number)) && set.insert(&Key::new(format_args!("part-{number}"))));
        }
        assert!(set.hashes.is_empty() && set.series.iter().all(|series| series.ranges.len() == 1));
    }
}
