//! Failures, grouped by op and by what their errors have in common.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::error::OpError;
use crate::event::StepRef;
use crate::graph::NodeId;
use crate::shape::Shape;
use crate::step::Path;

/// How many groups are kept: more kinds of errors than this nobody reads one by one, and each
/// costs a few hundred bytes.
pub const MAX_ERROR_GROUPS: usize = 256;

/// How many steps a group names.
pub const EXAMPLES: usize = 3;

/// The longest error text that is looked at to find a group, in bytes: what tells errors apart
/// stands near their beginning, and an error may hold a whole page.
const PATTERN_BYTES: usize = 512;

/// Failures of one op whose errors differ only in numbers and keys.
#[derive(Debug, Clone)]
pub struct ErrorGroup {
    /// The op.
    pub node: NodeId,
    /// The text that they have in common: `#` for a number, `…` for a mapping key.
    pub pattern: String,
    /// The error of the first.
    pub first_error: Arc<OpError>,
    /// How many attempts the first had.
    pub first_attempts: u32,
    /// How long the last attempt of the first took.
    pub first_took: Duration,
    /// How many steps failed so.
    pub count: u64,
    /// When the first failed: the time since the run began.
    pub first_at: Duration,
    /// When the last failed.
    pub last_at: Duration,
    /// The first steps that failed so; at most [`EXAMPLES`].
    pub examples: Vec<StepRef>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Failures {
    groups: Vec<ErrorGroup>,
    by_pattern: HashMap<(NodeId, String), usize>,
    ungrouped: u64,
}

impl Failures {
    /// Those of groups that were stored.
    pub(super) fn of(groups: Vec<ErrorGroup>, ungrouped: u64) -> Self {
        let keys = groups.iter().map(|group| (group.node, group.pattern.clone()));
        let by_pattern = keys.zip(0..).collect();
        Self { groups, by_pattern, ungrouped }
    }

    pub(super) fn groups(&self) -> &[ErrorGroup] {
        &self.groups
    }

    pub(super) fn ungrouped(&self) -> u64 {
        self.ungrouped
    }

    pub(super) fn add(
        &mut self,
        shape: &Shape,
        step: &StepRef,
        (attempts, took): (u32, Duration),
        error: &Arc<OpError>,
        at: Duration,
    ) {
        let name = shape.node(step.node).name.as_ref();
        let key = (step.node, pattern(&error.to_string(), name, &step.path));
        if let Some(known) = self.by_pattern.get(&key) {
            let group = &mut self.groups[*known];
            group.count += 1;
            group.last_at = at;
            if group.examples.len() < EXAMPLES {
                group.examples.push(step.clone());
            }
        } else if self.groups.len() < MAX_ERROR_GROUPS {
            self.groups.push(ErrorGroup {
                node: step.node,
                pattern: key.1.clone(),
                first_error: Arc::clone(error),
                first_attempts: attempts,
                first_took: took,
                count: 1,
                first_at: at,
                last_at: at,
                examples: vec![step.clone()],
            });
            self.by_pattern.insert(key, self.groups.len() - 1);
        } else {
            self.ungrouped += 1;
        }
    }
}

/// An error's text with what is particular to one step blanked: its keys where they stand as a
/// word, and all numbers.
fn pattern(error: &str, op: &str, path: &Path) -> String {
    let mut text = error[..error.floor_char_boundary(PATTERN_BYTES)].to_owned();
    for key in path.keys() {
        let key = key.to_string();
        // A key that is the op's own name, or nothing but marks, says nothing about the item.
        if key != op && key.chars().any(char::is_alphanumeric) {
            text = blank_word(&text, &key);
        }
    }
    blank_numbers(&text)
}

/// `text` with `…` for `word` wherever it is not part of a longer word.
fn blank_word(text: &str, word: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, _) in text.match_indices(word) {
        let end = at + word.len();
        let before = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let after = text[end..].chars().next().is_some_and(char::is_alphanumeric);
        if !before && !after {
            blanked.push_str(&text[copied..at]);
            blanked.push('…');
            copied = end;
        }
    }
    blanked.push_str(&text[copied..]);
    blanked
}

/// `text` with `#` for each run of digits.
fn blank_numbers(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_ascii_digit() {
            blanked.push(character);
        } else if !blanked.ends_with('#') {
            blanked.push('#');
        }
    }
    blanked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    #[test]
    fn what_is_particular_to_a_step_is_blanked() {
        let path = Path::root().item(Key::new("2024-01-07"), 0, 1).item(Key::new('a'), 1, 2);
        let blank = |text| pattern(text, "op", &path);
        assert_eq!(blank("no data for 2024-01-07 (a) after 31 tries"), "no data for … (…) after # tries");
        assert_eq!(blank("a bad table: 12.5%"), "… bad table: #.#%");
        assert_eq!(blank(&"é".repeat(400)).len(), PATTERN_BYTES);
    }
}
