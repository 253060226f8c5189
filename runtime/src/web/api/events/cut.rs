//! Places between two events, as pages of them begin and end there.

use std::fmt;
use std::str::FromStr;

/// A place between events, and between log lines: what lies before it, and what after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) events: Place,
    /// The number of the last line before it.
    pub(super) line: u64,
}

/// A place between events: all events of commits before `seq` lie before it, and the first `skip` of that
/// commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) seq: u64,
    pub(super) skip: u32,
}

impl Place {
    /// Before the first event of a commit.
    pub(super) fn before(seq: u64) -> Self {
        Self { seq, skip: 0 }
    }
}

impl Cut {
    /// Before everything.
    pub(super) const BEGIN: Self = Self { events: Place { seq: 1, skip: 0 }, line: 0 };
}

/// A text that is no place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.events.seq, self.events.skip, self.line)
    }
}

impl FromStr for Cut {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut parts = text.split('-');
        let mut part = || parts.next().ok_or(Malformed);
        let seq = part()?.parse().map_err(|_| Malformed)?;
        let skip = part()?.parse().map_err(|_| Malformed)?;
        let line = part()?.parse().map_err(|_| Malformed)?;
        let cut = Self { events: Place { seq, skip }, line };
        // There is one way to write each, and commits are counted from 1.
        if seq > 0 && cut.to_string() == text { Ok(cut) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let cut = Cut { events: Place { seq: 12, skip: 3 }, line: u64::MAX };
        assert_eq!(cut.to_string().parse(), Ok(cut));
        assert_eq!(Cut::BEGIN.to_string().parse(), Ok(Cut::BEGIN));
        for text in
            ["", "1", "1-2", "1-2-3-4", "0-0-0", "01-2-3", "1--3", "+1-2-3", "1-4294967296-3", "a-b-c"]
        {
            assert_eq!(text.parse::<Cut>(), Err(Malformed), "{text}");
        }
    }
}
