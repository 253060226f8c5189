//! The keys of all items, packed: one byte each where they count up.

use crate::key::Key;

/// So many items in a row are packed together: the first of them is found without those before.
const TOGETHER: u32 = 16;

const NUMBER: u64 = 0;
const TEXT: u64 = 1;
/// A number so far from the last that the difference leaves no bits for its kind.
const FAR_NUMBER: u64 = 2;
const KIND: u64 = 3;
/// The item has another key after this one.
const MORE: u64 = 4;

/// The keys of the items below the steps that gave them, by the numbers of the items: 1 is the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    bytes: Vec<u8>,
    /// Where each [`TOGETHER`] begin.
    starts: Vec<usize>,
    count: u32,
    last: i64,
}

/// A key as it is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part<'a> {
    Number(i64),
    /// Text that is no number: UTF-8.
    Text(&'a [u8]),
}

impl Part<'_> {
    pub(super) fn key(&self) -> Key {
        match self {
            Self::Number(number) => Key::of_number(*number),
            Self::Text(text) => Key::from_text(&String::from_utf8_lossy(text)),
        }
    }

    /// Whether it is the packed form of a key.
    #[inline]
    pub(super) fn is(&self, key: &Key) -> bool {
        match self {
            Self::Number(number) => key.as_integer() == Some(*number),
            Self::Text(text) => key.as_text().is_some_and(|key| key.as_bytes() == *text),
        }
    }

    /// The key's text; a number is written into `room`.
    #[inline]
    pub(super) fn text<'b>(&'b self, room: &'b mut [u8; 20]) -> &'b [u8] {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => digits(*number, room),
        }
    }
}

/// A number as text.
#[inline]
fn digits(number: i64, room: &mut [u8; 20]) -> &[u8] {
    let (mut left, mut at) = (number.unsigned_abs(), room.len());
    loop {
        at -= 1;
        room[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        room[at] = b'-';
    }
    &room[at..]
}

impl Keys {
    /// Adds those of the next item, outermost first.
    pub(super) fn push<'a>(&mut self, outer: impl Iterator<Item = &'a Key>, own: &Key) {
        if self.count.is_multiple_of(TOGETHER) {
            super::make_room(&mut self.starts, 1);
            self.starts.push(self.bytes.len());
            self.last = 0;
        }
        self.count += 1;
        outer.for_each(|key| self.write(key, MORE));
        self.write(own, 0);
    }

    fn write(&mut self, key: &Key, more: u64) {
        super::make_room(&mut self.bytes, 16 + key.as_text().map_or(0, str::len));
        if let Some(number) = key.as_integer() {
            let difference = number.wrapping_sub(self.last);
            let zigzag = ((difference << 1) ^ (difference >> 63)) as u64;
            self.last = number;
            if zigzag < 1 << 61 {
                self.write_number(zigzag << 3 | more | NUMBER);
            } else {
                self.write_number(more | FAR_NUMBER);
                self.bytes.extend_from_slice(&number.to_le_bytes());
            }
        } else {
            let text = key.as_text().unwrap_or_default().as_bytes();
            self.write_number((text.len() as u64) << 3 | more | TEXT);
            self.bytes.extend_from_slice(text);
        }
    }

    fn write_number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Tells the keys of all items from `first` on, until `tell` says that it has enough.
    pub(super) fn each<'a>(&'a self, first: u32, mut tell: impl FnMut(u32, &[Part<'a>]) -> bool) {
        let first = first.max(1);
        if first > self.count {
            return;
        }
        let together = (first - 1) / TOGETHER;
        let mut walk = Walk { bytes: &self.bytes, at: self.starts[together as usize], last: 0 };
        let mut parts = Vec::new();
        for item in together * TOGETHER + 1..=self.count {
            if (item - 1).is_multiple_of(TOGETHER) {
                walk.last = 0;
            }
            walk.next(&mut parts);
            if item >= first && !tell(item, &parts) {
                return;
            }
        }
    }

    /// Those of one item, outermost first.
    pub(super) fn get(&self, item: u32) -> Vec<Part<'_>> {
        let mut found = Vec::new();
        if item > 0 {
            self.each(item, |_, parts| {
                found.extend_from_slice(parts);
                false
            });
        }
        found
    }

    pub(super) fn room(&self) -> usize {
        self.bytes.capacity() + self.starts.capacity() * size_of::<usize>()
    }
}

/// Reads what was packed.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    last: i64,
}

impl<'a> Walk<'a> {
    #[inline]
    fn next(&mut self, parts: &mut Vec<Part<'a>>) {
        parts.clear();
        loop {
            let head = self.number();
            parts.push(self.part(head));
            if head & MORE == 0 {
                return;
            }
        }
    }

    #[inline]
    fn part(&mut self, head: u64) -> Part<'a> {
        match head & KIND {
            NUMBER => {
                let zigzag = head >> 3;
                self.last = self.last.wrapping_add((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
                Part::Number(self.last)
            }
            TEXT => {
                let from = self.at;
                self.at += (head >> 3) as usize;
                Part::Text(&self.bytes[from..self.at])
            }
            _ => {
                let bytes = &self.bytes[self.at..self.at + 8];
                self.at += 8;
                self.last = bytes.iter().rev().fold(0, |number, byte| number << 8 | i64::from(*byte));
                Part::Number(self.last)
            }
        }
    }

    #[inline]
    fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.bytes[self.at];
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_as_they_were_given() {
        let numbers = [0, 1, 2, -7, i64::MAX, i64::MIN, 0, 5, 1 << 60, -(1 << 61)].map(Key::new);
        let texts = ["a", "part-1", "pärt", "007", "x y"].map(Key::new);
        let keys: Vec<_> = numbers.into_iter().chain(texts).cycle().take(100).collect();
        let outer = [Key::new("outer"), Key::new(3)];
        let mut packed = Keys::default();
        for (place, key) in keys.iter().enumerate() {
            packed.push(outer.iter().take(place % 3), key);
        }
        for (place, key) in keys.iter().enumerate() {
            let wanted: Vec<_> = outer.iter().take(place % 3).chain([key]).cloned().collect();
            let found: Vec<_> = packed.get(place as u32 + 1).iter().map(Part::key).collect();
            assert_eq!(found, wanted);
            assert!(packed.get(place as u32 + 1).iter().zip(&wanted).all(|(part, key)| part.is(key)));
            let mut room = [0; 20];
            let text = packed.get(place as u32 + 1).last().unwrap().text(&mut room).to_vec();
            assert_eq!(String::from_utf8(text).unwrap(), key.to_string());
        }
    }

    #[test]
    fn keys_that_count_up_take_a_byte() {
        let mut packed = Keys::default();
        (0..16_000).for_each(|key| packed.push(std::iter::empty(), &Key::new(key)));
        assert!(packed.bytes.len() < 16_000 + 2 * 1_000);
    }
}
