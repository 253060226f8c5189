//! User text that cannot play tricks on a terminal, and names that are nearly right.

use std::borrow::Cow;

/// `text` with every character that could move a cursor, change a colour or turn the reading
/// direction written as an escape: keys, errors and names come from users' data.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_harmful(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// C0, C1 and DEL; the marks, embeddings, overrides and isolates of bidirectional text; and what
/// ends a line without being a line feed.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How alike two names must be for one to be meant by the other: as clap has it.
const NEAR: f64 = 0.7;

/// The known name nearest to a wrong one.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(likeness, _)| *likeness > NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_text_is_written_out() {
        assert_eq!(safe("a\u{1b}[2Jb\u{202e}c\u{9b}\u{7f}\n"), r"a\u{1b}[2Jb\u{202e}c\u{9b}\u{7f}\n");
        assert_eq!(safe("é 東 …"), "é 東 …");
    }
}
