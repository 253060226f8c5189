//! Steps and their names: `square[3]`, `resize[album][photo]`.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::key::Key;

/// Where an item lies: the keys of the fan-outs around it, outermost first. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Path(Option<Arc<PathItem>>);

#[derive(Debug)]
struct PathItem {
    outer: Path,
    key: Key,
    /// The item's place in the yield order of its fan-out. It changes when another attempt of the
    /// emitter gives the item at another place.
    index: AtomicU32,
    /// How often another attempt of the emitter gave the item with another value.
    generation: AtomicU32,
    /// Which item of the run it is, in the order in which they were opened; 1 is the first.
    number: u32,
}

impl Path {
    /// Outside all fan-outs.
    pub const fn root() -> Self {
        Self(None)
    }

    /// The item `key`, `index`-th of its fan-out, inside this one; the `number`-th item of the run.
    pub(crate) fn item(&self, key: Key, index: u32, number: u32) -> Self {
        let (index, generation) = (AtomicU32::new(index), AtomicU32::new(0));
        Self(Some(Arc::new(PathItem { outer: self.clone(), key, index, generation, number })))
    }

    /// Which item of the run it is, in the order in which they were opened: 1 is the first, 0 stands
    /// for what lies outside all fan-outs.
    pub fn number(&self) -> u32 {
        self.0.as_ref().map_or(0, |item| item.number)
    }

    /// The innermost key.
    pub fn key(&self) -> Option<&Key> {
        self.0.as_ref().map(|item| &item.key)
    }

    /// The item around this one.
    pub(crate) fn outer(&self) -> Option<&Path> {
        self.0.as_ref().map(|item| &item.outer)
    }

    /// The innermost item's place in its fan-out.
    pub(crate) fn index(&self) -> Option<u32> {
        self.0.as_ref().map(|item| item.index.load(Relaxed))
    }

    /// Another attempt of the emitter gave the innermost item at place `index`.
    pub(crate) fn move_to(&self, index: u32) {
        if let Some(item) = &self.0 {
            item.index.store(index, Relaxed);
        }
    }

    /// How often the innermost item was given with another value.
    pub(crate) fn own_generation(&self) -> u32 {
        self.0.as_ref().map_or(0, |item| item.generation.load(Relaxed))
    }

    /// The innermost item was given with another value, `generation` times in all.
    pub(crate) fn renew(&self, generation: u32) {
        if let Some(item) = &self.0 {
            item.generation.store(generation, Relaxed);
        }
    }

    /// How often this item, or one around it, was given with another value: what is below it reads
    /// something else each time.
    pub(crate) fn generation(&self) -> u32 {
        std::iter::successors(self.0.as_deref(), |item| item.outer.0.as_deref())
            .map(|item| item.generation.load(Relaxed))
            .sum()
    }

    /// The numbers of the items, innermost first.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> {
        std::iter::successors(self.0.as_deref(), |item| item.outer.0.as_deref()).map(|item| item.number)
    }

    /// How many fan-outs it lies in.
    pub fn depth(&self) -> usize {
        std::iter::successors(self.0.as_deref(), |item| item.outer.0.as_deref()).count()
    }

    /// The keys, outermost first.
    pub fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<_> = std::iter::successors(self.0.as_deref(), |item| item.outer.0.as_deref())
            .map(|item| item.key.clone())
            .collect();
        keys.reverse();
        keys
    }

    /// Whether it is the very same item.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        }
    }

    /// Compares two items of fan-outs of the same nesting by yield order, the outer one first.
    pub(crate) fn cmp_places(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) if Arc::ptr_eq(a, b) => Ordering::Equal,
            (Some(a), Some(b)) => {
                a.outer.cmp_places(&b.outer).then_with(|| a.index.load(Relaxed).cmp(&b.index.load(Relaxed)))
            }
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }

    /// The keys, each with its place in yield order, without those of the `around` outermost items.
    pub(crate) fn parts_below(&self, around: usize) -> Vec<(Key, u32)> {
        self.keys().into_iter().zip(self.indices()).skip(around).collect()
    }

    /// The places in yield order, without those of the `around` outermost items.
    pub(crate) fn places_below(&self, around: usize) -> Vec<u32> {
        self.indices().split_off(around)
    }

    /// Whether its innermost places in yield order are these.
    pub(crate) fn ends_at(&self, places: &[u32]) -> bool {
        let mut items = std::iter::successors(self.0.as_deref(), |item| item.outer.0.as_deref());
        places.iter().rev().all(|place| items.next().is_some_and(|item| item.index.load(Relaxed) == *place))
    }

    /// The places in yield order, outermost first.
    pub(crate) fn indices(&self) -> Vec<u32> {
        let mut indices: Vec<_> = std::iter::successors(self.0.as_deref(), |item| item.outer.0.as_deref())
            .map(|item| item.index.load(Relaxed))
            .collect();
        indices.reverse();
        indices
    }
}

/// A step's name: the name of its op in the job, and the keys of the fan-outs around it.
///
/// `[`, `]` and `\` inside a key are escaped with `\`, so that every name parses back to itself:
///
/// ```
/// use fanfold::StepName;
///
/// let name: StepName = r"resize[album][a\]b]".parse().unwrap();
/// assert_eq!(name.op(), "resize");
/// assert_eq!(name.keys()[1].to_string(), "a]b");
/// assert_eq!(name.to_string(), r"resize[album][a\]b]");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepName {
    op: Arc<str>,
    keys: Vec<Key>,
}

impl StepName {
    pub(crate) fn new(op: impl Into<Arc<str>>, path: &Path) -> Self {
        Self { op: op.into(), keys: path.keys() }
    }

    /// The name of the step of an op in the item of these keys.
    pub(crate) fn of(op: &str, keys: &[Key]) -> Self {
        Self { op: op.into(), keys: keys.to_vec() }
    }

    /// The name of the op in the job, with the sub-graphs around it: `clean.strip`.
    pub fn op(&self) -> &str {
        &self.op
    }

    /// The keys, outermost first.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.op, Brackets(&self.keys))
    }
}

/// Keys as they stand in a step's name.
pub(crate) struct Brackets<'a>(pub(crate) &'a [Key]);

impl fmt::Display for Brackets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in self.0 {
            f.write_str("[")?;
            for character in key.to_string().chars() {
                if matches!(character, '[' | ']' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{character}")?;
            }
            f.write_str("]")?;
        }
        Ok(())
    }
}

/// A text that is not the name of a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a step's name: write `op`, `op[key]` or `op[outer][inner]`, with `\\` before `[`, `]` and `\\` in a key"
)]
pub struct StepNameError {
    text: String,
}

impl std::str::FromStr for StepName {
    type Err = StepNameError;

    fn from_str(text: &str) -> Result<Self, StepNameError> {
        parse(text).ok_or_else(|| StepNameError { text: text.to_owned() })
    }
}

fn parse(text: &str) -> Option<StepName> {
    let op_end = text.find(['[', ']', '\\']).unwrap_or(text.len());
    let (op, mut rest) = text.split_at(op_end);
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let (key, after) = parse_key(rest)?;
        keys.push(Key::new(key));
        rest = after;
    }
    (!op.is_empty()).then(|| StepName { op: op.into(), keys })
}

/// The key in the brackets that `text` begins with, and what follows them.
fn parse_key(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('[')?;
    let mut key = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            ']' => return (!key.is_empty()).then(|| (key, &inside[at + 1..])),
            '[' => return None,
            '\\' => match characters.next()?.1 {
                escaped @ ('[' | ']' | '\\') => key.push(escaped),
                _ => return None,
            },
            other => key.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_1_every_step_name_parses_back_to_itself() {
        for keys in [vec![], vec!["a"], vec!["[0][1]", r"\"], vec!["..", "]", "é", "007"]] {
            let path = keys
                .iter()
                .enumerate()
                .fold(Path::root(), |path, (index, key)| path.item(Key::new(key), index as u32, 0));
            let name = StepName::new("clean.strip", &path);
            assert_eq!(name.to_string().parse(), Ok(name));
        }
    }

    #[test]
    fn s2_1_what_is_not_a_step_name_is_refused() {
        for text in ["", "[a]", "a[", "a[]", "a]b", r"a[\x]", r"a[b\", "a[b]c", "a[[b]]"] {
            assert!(text.parse::<StepName>().is_err(), "{text}");
        }
    }
}
