//! Text for people: counts, durations, lines.

use std::fmt::Write as _;
use std::time::Duration;

use crate::text::safe;

/// As [`safe`], for text that may have several lines: the line feeds stay.
pub(crate) fn safe_lines(text: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}

/// `100 000`, with thin spaces that do not break.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1 step`, `2 steps`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A duration with about three digits: `840 ns`, `18 ms`, `1.24 s`, `2m 17s`, `3h 05m`, `2d 04h`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match duration.as_secs() {
        _ if seconds < 0.999_5e-6 => format!("{} ns", duration.as_nanos()),
        _ if seconds < 0.999_5e-3 => digits(seconds * 1e6, "µs"),
        _ if seconds < 0.999_5 => digits(seconds * 1e3, "ms"),
        _ if seconds < 59.95 => digits(seconds, "s"),
        _ => long(duration + Duration::from_millis(500)),
    }
}

/// A duration that is only guessed, in whole seconds: `53 s`, `2m 17s`.
pub(crate) fn about(guess: Duration) -> String {
    let seconds = guess.as_secs_f64().ceil();
    if seconds < 60.0 { format!("{seconds} s") } else { duration(guess) }
}

fn digits(value: f64, unit: &str) -> String {
    let places = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    let mut text = format!("{value:.places$}");
    if unit != "s" && text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    let _ = write!(text, " {unit}");
    text
}

fn long(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    if hours == 0 {
        format!("{minutes}m {:02}s", seconds % 60)
    } else if days == 0 {
        format!("{hours}h {:02}m", minutes % 60)
    } else {
        format!("{days}d {:02}h", hours % 24)
    }
}

/// `00:01:24`.
pub(crate) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `text` in ASCII: our own marks have a likeness, anything else is written as an escape.
pub(crate) fn ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if character.is_ascii() => ascii.push(character),
            '…' => ascii.push_str("..."),
            '≥' => ascii.push_str(">="),
            '→' => ascii.push_str("->"),
            '─' | '·' => ascii.push('-'),
            '≈' => ascii.push('~'),
            '└' => ascii.push('`'),
            '×' => ascii.push('x'),
            'µ' => ascii.push('u'),
            '\u{202f}' => ascii.push(' '),
            '▕' | '▏' => ascii.push('|'),
            '█'..='▎' => ascii.push('#'),
            other => ascii.extend(other.escape_unicode()),
        }
    }
    ascii
}

/// JSON as [`serde_json`] writes it, spread over lines: keys stay in their order and numbers as
/// they were written.
pub(crate) fn pretty_json(compact: &str) -> String {
    let mut pretty = String::with_capacity(compact.len() * 2);
    let mut depth = 0;
    let mut characters = compact.chars().peekable();
    let line = |pretty: &mut String, depth: usize| {
        pretty.push('\n');
        pretty.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(character) = characters.next() {
        pretty.push(character);
        match character {
            '"' => string(&mut characters, &mut pretty),
            '{' | '[' if matches!(characters.peek(), Some('}' | ']')) => pretty.extend(characters.next()),
            '{' | '[' => {
                depth += 1;
                line(&mut pretty, depth);
            }
            ',' => line(&mut pretty, depth),
            ':' => pretty.push(' '),
            _ => {}
        }
        if matches!(characters.peek(), Some('}' | ']')) {
            depth -= 1;
            line(&mut pretty, depth);
        }
    }
    pretty
}

/// Copies the rest of a string whose opening quote was copied.
fn string(characters: &mut impl Iterator<Item = char>, copy: &mut String) {
    while let Some(character) = characters.next() {
        copy.push(character);
        match character {
            '"' => return,
            '\\' => copy.extend(characters.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines() {
        assert_eq!(safe_lines("one\r\ntwo\tthree"), "one\ntwo\\tthree");
    }

    #[test]
    fn json_is_spread_over_lines_and_nothing_else() {
        for text in [
            r#"{"z":[1,{"a":"}\\\",[:"}],"b":{},"c":[],"d":18446744073709551616}"#,
            "[[],[1]]",
            "7",
            r#""x""#,
        ] {
            let pretty = pretty_json(text);
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::from_str::<serde_json::Value>(&pretty).unwrap(), value, "{pretty}");
        }
        assert_eq!(
            pretty_json(r#"{"z":[1,{}],"b":[]}"#),
            "{\n  \"z\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}"
        );
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(count),
            ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]
        );
    }

    #[test]
    fn durations_have_three_digits() {
        let text = |nanos| duration(Duration::from_nanos(nanos));
        assert_eq!([0, 840, 999_600].map(text), ["0 ns", "840 ns", "1 ms"]);
        assert_eq!([18_000_000, 1_240_000_000, 12_400_000_000].map(text), ["18 ms", "1.24 s", "12.4 s"]);
        assert_eq!([59_960_000_000, 137_000_000_000].map(text), ["1m 00s", "2m 17s"]);
        let hours = |hours: u64| duration(Duration::from_secs(hours * 3_600 + 300));
        assert_eq!([3, 52].map(hours), ["3h 05m", "2d 04h"]);
    }
}
