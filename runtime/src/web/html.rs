//! HTML, written piece by piece. Nothing gets in but literals of ours and text, which is escaped: what a
//! user's data says stands there as text, wherever it stands.

use crate::report::words::safe_lines;
use crate::text::safe;

/// A piece of HTML.
#[derive(Debug, Default)]
pub(crate) struct Html(String);

/// The address of a page or of a place on one: its parts are escaped, so it leads nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    /// `/runs/7k2m/steps/a%5Bb%5D`.
    pub(crate) fn of(parts: &[&str]) -> Self {
        Self(parts.iter().map(|part| format!("/{}", component(part))).collect())
    }

    /// The first page.
    pub(crate) fn home() -> Self {
        Self("/".to_owned())
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Html {
    /// Adds text, on one line: what would move or turn the text around it is written out.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.escaped(&safe(text))
    }

    /// Adds text that may have several lines.
    pub(crate) fn lines(&mut self, text: &str) -> &mut Self {
        self.escaped(&safe_lines(text))
    }

    /// Adds an element.
    pub(crate) fn element(&mut self, name: &'static str, inside: impl FnOnce(&mut Self)) -> &mut Self {
        self.with(name, &[], inside)
    }

    /// Adds an element with attributes.
    pub(crate) fn with(
        &mut self,
        name: &'static str,
        attributes: &[(&'static str, &str)],
        inside: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.open(name, attributes);
        inside(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
        self
    }

    /// Adds an element that holds what was written before.
    pub(crate) fn put(&mut self, name: &'static str, inside: Self) -> &mut Self {
        self.element(name, |html| html.0.push_str(&inside.0))
    }

    /// Adds an element that holds nothing but text.
    pub(crate) fn say(&mut self, name: &'static str, text: &str) -> &mut Self {
        self.element(name, |html| {
            html.text(text);
        })
    }

    /// Adds a link that is named by a text.
    pub(crate) fn link(&mut self, to: &Address, text: &str) -> &mut Self {
        self.with("a", &[("href", to.as_str())], |html| {
            html.text(text);
        })
    }

    /// Adds the row of titles of a table.
    pub(crate) fn titles(&mut self, titles: &[&'static str]) -> &mut Self {
        self.element("thead", |html| {
            html.element("tr", |html| {
                for title in titles {
                    html.with("th", &[("scope", "col")], |html| {
                        html.text(title);
                    });
                }
            });
        })
    }

    /// Adds a name and what belongs to it, in a list of such; nothing if there is nothing to say.
    pub(crate) fn fact(&mut self, name: &'static str, text: &str) -> &mut Self {
        if !text.is_empty() {
            self.say("dt", name).say("dd", text);
        }
        self
    }

    /// What was written.
    pub(crate) fn into_string(self) -> String {
        self.0
    }

    fn open(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }

    fn escaped(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&escaped(text));
        self
    }
}

/// Text as it stands in HTML, also in an attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            plain => out.push(plain),
        }
    }
    out
}

/// Text as a part of an address: as `encodeURIComponent` writes it, so that an address which the page's
/// script makes is the same.
pub(crate) fn component(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => part.push(byte.into()),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => part.push(byte.into()),
            byte => part.push_str(&format!("%{byte:02X}")),
        }
    }
    part
}

/// A part of an address as text; `None` if it is not UTF-8, or a `%` stands alone.
pub(crate) fn from_component(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut pieces = part.split('%');
    bytes.extend_from_slice(pieces.next()?.as_bytes());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// JSON that can stand in an element of a page: nothing in it ends the element, or a line.
pub(crate) fn json_in_html(json: &str) -> String {
    let mut inert = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            // Outside of strings JSON has none of these, and in a string this is the same character.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                inert.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            plain => inert.push(plain),
        }
    }
    inert
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</script><script>alert(1)</script><!--\"'`&\u{202e}x\u{0}";

    #[test]
    fn text_is_text_wherever_it_stands() {
        let mut html = Html::default();
        html.with("p", &[("title", HOSTILE)], |html| {
            html.text(HOSTILE).link(&Address::of(&["runs", HOSTILE, "javascript:x"]), HOSTILE);
        });
        let html = html.into_string();
        assert_eq!(html.matches('<').count(), 4, "{html}");
        assert_eq!(html.matches('"').count(), 4, "{html}");
        assert!(!html.contains(['\u{202e}', '\u{0}']), "{html}");
        assert!(html.contains("href=\"/runs/%3C%2Fscript%3E"), "{html}");
    }

    #[test]
    fn json_in_a_page_is_the_same_and_ends_nothing() {
        let value = serde_json::json!({ HOSTILE: [HOSTILE, "\u{2028}\u{2029}"] });
        let json = json_in_html(&value.to_string());
        assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
    }

    #[test]
    fn parts_of_addresses_are_read_back() {
        for text in ["7k2m", "a[b/c]", "é …%41+", HOSTILE, "..", ""] {
            assert_eq!(from_component(&component(text)).as_deref(), Some(text));
        }
        for broken in ["%", "%4", "%zz", "%+1", "%ff", "%é1"] {
            assert_eq!(from_component(broken), None, "{broken}");
        }
        assert_eq!(Address::of(&["runs", "a b"]).as_str(), "/runs/a%20b");
    }
}
