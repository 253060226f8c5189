//! Numbers of any size in as few bytes as they need, and reading them from bytes that nobody vouches
//! for.

use super::error::RecordError;

/// Adds a number: seven bits a byte, the lowest first.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A difference as a number that is small when the difference is, whatever its sign.
#[inline]
pub(super) fn zigzag(difference: i64) -> u64 {
    ((difference << 1) ^ (difference >> 63)) as u64
}

/// The difference that [`zigzag`] was given.
#[inline]
pub(super) fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Adds the bytes, after their length.
pub(super) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Bytes that are being read.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes have been read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    #[inline]
    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, RecordError> {
        let Some(byte) = self.bytes.get(self.at) else { return Err(self.cut(what)) };
        self.at += 1;
        Ok(*byte)
    }

    #[inline]
    pub(super) fn number(&mut self, what: &'static str) -> Result<u64, RecordError> {
        let first = self.byte(what)?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let mut number = u64::from(first & 0x7f);
        for shift in (7..).step_by(7) {
            let byte = self.byte(what)?;
            let bits = u64::from(byte & 0x7f);
            if shift > 63 || (bits << shift) >> shift != bits {
                return Err(self.wrong(format!("{what} has more than 64 bits")));
            }
            number |= bits << shift;
            if byte < 0x80 {
                break;
            }
        }
        Ok(number)
    }

    #[inline]
    pub(super) fn difference(&mut self, what: &'static str) -> Result<i64, RecordError> {
        Ok(unzigzag(self.number(what)?))
    }

    /// A number that has at most 32 bits.
    #[inline]
    pub(super) fn short(&mut self, what: &'static str) -> Result<u32, RecordError> {
        let number = self.number(what)?;
        u32::try_from(number).map_err(|_| self.wrong(format!("{what} is {number}, which cannot be")))
    }

    /// The next `length` bytes, which must be there: a length that lies asks for no memory.
    #[inline]
    pub(super) fn take(&mut self, length: u64, what: &'static str) -> Result<&'a [u8], RecordError> {
        let rest = &self.bytes[self.at..];
        let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
        let Some(length) = length else { return Err(self.cut(what)) };
        self.at += length;
        Ok(&rest[..length])
    }

    /// Bytes after their length.
    #[inline]
    pub(super) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], RecordError> {
        let length = self.number(what)?;
        self.take(length, what)
    }

    pub(super) fn text(&mut self, what: &'static str) -> Result<&'a str, RecordError> {
        let bytes = self.bytes(what)?;
        std::str::from_utf8(bytes).map_err(|_| self.wrong(format!("{what} is not text")))
    }

    #[cold]
    fn cut(&self, what: &'static str) -> RecordError {
        RecordError::Cut { what, at: self.at }
    }

    #[cold]
    pub(super) fn wrong(&self, what: String) -> RecordError {
        RecordError::Wrong { what, at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_differences_are_read_back() {
        let numbers = (0..64).flat_map(|bit| [1 << bit, (1_u64 << bit) - 1]).chain([0, u64::MAX]);
        for number in numbers {
            let mut out = Vec::new();
            write(&mut out, number);
            assert_eq!(Cursor::new(&out).number("it"), Ok(number));
            let difference = number as i64;
            assert_eq!(unzigzag(zigzag(difference)), difference);
            assert_eq!(unzigzag(zigzag(difference.wrapping_neg())), difference.wrapping_neg());
        }
    }

    #[test]
    fn a_number_that_is_too_long_or_cut_is_refused() {
        let mut too_long = vec![0xff; 9];
        too_long.push(0x02);
        for bytes in [&too_long[..], &[0xff; 20], &[0x80, 0x80], &[]] {
            assert!(Cursor::new(bytes).number("it").is_err(), "{bytes:?}");
        }
    }
}
