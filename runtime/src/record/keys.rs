//! Mapping keys as differences: a number from the number before it, a text from the text before it.

use super::error::RecordError;
use super::varint::{Cursor, unzigzag, write, zigzag};
use crate::key::{Key, MAX_KEY_BYTES};

const NUMBER: u64 = 0;
const TEXT: u64 = 1;
/// A number so far from the last that the difference leaves no bits for its kind.
const FAR_NUMBER: u64 = 2;

/// The last keys of a block.
#[derive(Debug, Clone, Default)]
pub(super) struct LastKeys {
    number: i64,
    text: Vec<u8>,
}

impl LastKeys {
    pub(super) fn clear(&mut self) {
        self.number = 0;
        self.text.clear();
    }

    pub(super) fn write(&mut self, out: &mut Vec<u8>, key: &Key) {
        if let Some(number) = key.as_integer() {
            self.write_number(out, number);
        } else {
            self.write_text(out, key.as_text().unwrap_or_default().as_bytes());
        }
    }

    fn write_number(&mut self, out: &mut Vec<u8>, number: i64) {
        let difference = zigzag(number.wrapping_sub(self.number));
        self.number = number;
        if difference < 1 << 62 {
            write(out, difference << 2 | NUMBER);
        } else {
            write(out, FAR_NUMBER);
            out.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn write_text(&mut self, out: &mut Vec<u8>, text: &[u8]) {
        let shared = self.text.iter().zip(text).take_while(|(before, now)| before == now).count();
        let rest = &text[shared..];
        write(out, (rest.len() as u64) << 2 | TEXT);
        write(out, shared as u64);
        out.extend_from_slice(rest);
        self.text.truncate(shared);
        self.text.extend_from_slice(rest);
    }

    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<Key, RecordError> {
        let head = cursor.number("a key")?;
        match head & 3 {
            NUMBER => {
                self.number = self.number.wrapping_add(unzigzag(head >> 2));
                Ok(Key::of_number(self.number))
            }
            TEXT => self.read_text(cursor, head >> 2),
            FAR_NUMBER => {
                let bytes = cursor.take(8, "a key")?;
                self.number = bytes.iter().rev().fold(0, |number, byte| number << 8 | i64::from(*byte));
                Ok(Key::of_number(self.number))
            }
            kind => Err(cursor.wrong(format!("there is no kind {kind} of keys"))),
        }
    }

    fn read_text(&mut self, cursor: &mut Cursor<'_>, rest: u64) -> Result<Key, RecordError> {
        let shared = cursor.number("a key")?;
        let rest = cursor.take(rest, "a key")?;
        if shared > self.text.len() as u64 || shared as usize + rest.len() > MAX_KEY_BYTES {
            return Err(cursor.wrong("a key is longer than keys are".to_owned()));
        }
        self.text.truncate(shared as usize);
        self.text.extend_from_slice(rest);
        let Ok(text) = std::str::from_utf8(&self.text) else {
            return Err(cursor.wrong("a key is not text".to_owned()));
        };
        let key = Key::from_text(text);
        match key.check() {
            Ok(()) => Ok(key),
            Err(error) => Err(cursor.wrong(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back() {
        let numbers = [0, 1, 2, -7, i64::MAX, i64::MIN, 0].map(Key::new);
        let texts = ["a", "part-1", "part-12", "pärt", "päst", "007", "x y"].map(Key::new);
        let keys: Vec<_> = numbers.into_iter().chain(texts).chain([Key::new(3), Key::new("7x")]).collect();
        let (mut out, mut last) = (Vec::new(), LastKeys::default());
        keys.iter().for_each(|key| last.write(&mut out, key));
        let (mut cursor, mut last) = (Cursor::new(&out), LastKeys::default());
        for key in keys {
            assert_eq!(last.read(&mut cursor), Ok(key));
        }
        assert_eq!(cursor.left(), 0);
    }

    #[test]
    fn the_next_number_is_one_byte_and_the_next_text_three() {
        let (mut out, mut last) = (Vec::new(), LastKeys::default());
        for (key, bytes) in [("7", 1), ("8", 1), ("part-0017", 11), ("part-0018", 3)] {
            out.clear();
            last.write(&mut out, &Key::new(key));
            assert_eq!(out.len(), bytes, "{key}");
        }
    }

    #[test]
    fn what_cannot_be_a_key_is_refused() {
        let text = |shared: u8, rest: &[u8]| {
            let mut out = Vec::new();
            write(&mut out, (rest.len() as u64) << 2 | TEXT);
            out.push(shared);
            out.extend_from_slice(rest);
            out
        };
        for bytes in [text(0, b""), text(1, b"a"), text(0, b"a\n"), text(0, &[0xc3]), vec![3], vec![2, 0]] {
            assert!(LastKeys::default().read(&mut Cursor::new(&bytes)).is_err(), "{bytes:?}");
        }
    }
}
