//! Mapping keys: how the items of a dynamic output are told apart.
//!
//! A key is text; numbers are kept as numbers so that a fan-out over integers costs nothing.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

/// The longest mapping key, in bytes: long enough for a path or a URL part, short enough that a
/// step's name stays readable.
pub const MAX_KEY_BYTES: usize = 255;

/// The mapping key of one item of a dynamic output.
///
/// Any non-empty text of at most [`MAX_KEY_BYTES`] bytes without control characters; anything that
/// can be displayed converts. Two keys are equal when their texts are.
///
/// ```
/// use fanfold::Key;
///
/// assert_eq!(Key::new(7), Key::new("7"));
/// assert_eq!(Key::new('a').to_string(), "a");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Repr);

/// Text that reads as an integer is always kept as one, so that equal texts are equal keys.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Repr {
    Int(i64),
    Text(Box<str>),
}

impl Key {
    /// The key that `value` displays as.
    pub fn new(value: impl fmt::Display) -> Self {
        let mut text = KeyText::default();
        if write!(text, "{value}").is_err() {
            return Self(Repr::Text("".into()));
        }
        Self::from_text(text.as_str())
    }

    /// The key that is a number.
    pub(crate) fn of_number(number: i64) -> Self {
        Self(Repr::Int(number))
    }

    /// The key of a text.
    pub(crate) fn from_text(text: &str) -> Self {
        match parse_integer(text) {
            Some(number) => Self(Repr::Int(number)),
            None => Self(Repr::Text(text.into())),
        }
    }

    /// The key of an item that lies in several fan-outs: its parts, outermost first, as they stand in
    /// a step's name.
    pub(crate) fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let parts: Vec<_> = parts.into_iter().collect();
        match <[Self; 1]>::try_from(parts) {
            Ok([key]) => key,
            Err(parts) => Self::new(crate::step::Brackets(&parts)),
        }
    }

    /// The number, if the key's text is one.
    pub(crate) fn as_integer(&self) -> Option<i64> {
        match self.0 {
            Repr::Int(number) => Some(number),
            Repr::Text(_) => None,
        }
    }

    /// The text, if the key's text is not a number.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Repr::Int(_) => None,
            Repr::Text(text) => Some(text),
        }
    }

    /// Says what is wrong with a key that a step cannot have.
    ///
    /// # Errors
    /// The key is empty, longer than [`MAX_KEY_BYTES`], or holds a control character.
    pub fn check(&self) -> Result<(), KeyError> {
        let Repr::Text(text) = &self.0 else { return Ok(()) };
        if text.is_empty() {
            Err(KeyError::Empty)
        } else if text.len() > MAX_KEY_BYTES {
            let start = text.chars().take(32).collect();
            Err(KeyError::TooLong { start, bytes: text.len() })
        } else if text.chars().any(char::is_control) {
            Err(KeyError::Control { key: text.escape_debug().collect() })
        } else {
            Ok(())
        }
    }
}

/// The integer that `text` is the one way to write.
fn parse_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = match digits.as_bytes() {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', ..] => digits.len() <= 19,
        _ => false,
    };
    if canonical { text.parse().ok() } else { None }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(number) => number.fmt(f),
            Repr::Text(text) => text.fmt(f),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::from_text(&text))
    }
}

/// What is wrong with a mapping key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key has no text.
    #[error("a mapping key is empty")]
    Empty,
    /// The key is longer than [`MAX_KEY_BYTES`].
    #[error("the mapping key that begins \"{start}\" has {bytes} bytes; at most {MAX_KEY_BYTES} are allowed")]
    TooLong {
        /// The first characters of the key.
        start: String,
        /// The key's length.
        bytes: usize,
    },
    /// The key holds a control character.
    #[error("the mapping key \"{key}\" holds a control character")]
    Control {
        /// The key, escaped.
        key: String,
    },
    /// The key was given before, by the same output of the same attempt.
    #[error("the mapping key \"{key}\" was given twice")]
    Duplicate {
        /// The key.
        key: String,
    },
}

/// A key's text while it is being formatted: on the stack unless it is long.
#[derive(Default)]
struct KeyText {
    short: ShortText,
    long: Option<String>,
}

struct ShortText {
    bytes: [u8; 40],
    length: usize,
}

impl Default for ShortText {
    fn default() -> Self {
        Self { bytes: [0; 40], length: 0 }
    }
}

impl KeyText {
    fn as_str(&self) -> &str {
        match &self.long {
            Some(long) => long,
            None => std::str::from_utf8(&self.short.bytes[..self.short.length]).unwrap_or_default(),
        }
    }
}

impl fmt::Write for KeyText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if let Some(long) = &mut self.long {
            long.push_str(text);
            return Ok(());
        }
        let end = self.short.length + text.len();
        match self.short.bytes.get_mut(self.short.length..end) {
            Some(room) => {
                room.copy_from_slice(text.as_bytes());
                self.short.length = end;
            }
            None => self.long = Some(format!("{}{text}", self.as_str())),
        }
        Ok(())
    }
}

/// One item of a dynamic output: its mapping key and its value.
///
/// ```
/// use fanfold::DynamicOutput;
///
/// let item = DynamicOutput::new('a', "apple".to_string());
/// assert_eq!(item.key().to_string(), "a");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicOutput<T> {
    key: Key,
    value: T,
}

impl<T> DynamicOutput<T> {
    /// An item under the key that `key` displays as.
    pub fn new(key: impl fmt::Display, value: T) -> Self {
        Self { key: Key::new(key), value }
    }

    /// The mapping key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Key and value.
    pub fn into_parts(self) -> (Key, T) {
        (self.key, self.value)
    }
}

/// The items of one dynamic output, in a struct with `#[derive(Outputs)]`.
pub type Dynamic<T> = Vec<DynamicOutput<T>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_equal_keys() {
        for text in ["0", "-7", "9223372036854775807", "-9223372036854775808", "007", "-0", "+1", "x", ""] {
            assert_eq!(Key::new(text).to_string(), text);
        }
        assert_eq!(Key::new(12), Key::new("12"));
        assert_ne!(Key::new("012"), Key::new(12));
        assert_eq!(Key::new("x".repeat(300)).to_string().len(), 300);
    }

    #[test]
    fn a_bad_key_says_what_is_wrong() {
        assert_eq!(Key::new("").check(), Err(KeyError::Empty));
        assert!(matches!(Key::new("é".repeat(128)).check(), Err(KeyError::TooLong { bytes: 256, .. })));
        assert!(matches!(Key::new("a\nb").check(), Err(KeyError::Control { .. })));
        assert_eq!(Key::new("x".repeat(255)).check(), Ok(()));
    }
}
