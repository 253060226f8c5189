//! The secret that opens the page: made at the start, or given by who starts the server.
//!
//! It stands in the printed address alone. A browser keeps a cookie that is derived from it, so that who
//! sees the cookie still does not know a token that somebody chose.

use std::fmt;

use crate::text::hex;

/// So many bits nobody guesses.
const RANDOM_BYTES: usize = 16;

/// The fewest bytes of a token that somebody chose.
pub(crate) const SHORTEST_TOKEN: usize = 16;

/// What the derived cookie is derived for.
const COOKIE: &str = "fanfold 2026-01 the cookie of the page";

/// A secret, and what is compared with it.
#[derive(Clone)]
pub(crate) struct Token {
    text: String,
    hash: blake3::Hash,
    cookie: String,
    cookie_hash: blake3::Hash,
    chosen: bool,
}

impl Token {
    /// One that nobody can guess.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn random() -> Result<Self, String> {
        let mut bytes = [0; RANDOM_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no randomness: {error}"))?;
        Ok(Self::of(hex(&bytes), false))
    }

    /// One that somebody chose; blanks around it are no part of it.
    ///
    /// # Errors
    /// It is too short, or has what no header can hold.
    pub(crate) fn chosen(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() < SHORTEST_TOKEN {
            return Err(format!(
                "it has {} bytes, and needs {SHORTEST_TOKEN}: `openssl rand -hex 16` writes a good one",
                text.len()
            ));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it may have letters, digits and signs of ASCII alone".to_owned());
        }
        Ok(Self::of(text.to_owned(), true))
    }

    fn of(text: String, chosen: bool) -> Self {
        let cookie = hex(&blake3::derive_key(COOKIE, text.as_bytes()));
        let hash = |text: &str| blake3::hash(text.as_bytes());
        Self { hash: hash(&text), cookie_hash: hash(&cookie), text, cookie, chosen }
    }

    /// Whether this is it. Hashes are compared, in a time that tells nothing of where they differ.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        blake3::hash(given) == self.hash
    }

    /// Whether this is the cookie's value.
    pub(super) fn is_cookie(&self, given: &[u8]) -> bool {
        blake3::hash(given) == self.cookie_hash
    }

    /// What the cookie holds.
    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// What is written after an address to open it; nothing for a token that its owner knows.
    pub(super) fn query(&self) -> String {
        if self.chosen { String::new() } else { format!("?secret={}", self.text) }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_secret_opens() {
        let token = Token::random().unwrap();
        assert!(token.is(token.text.as_bytes()) && token.is_cookie(token.cookie.as_bytes()));
        let short = &token.text[1..];
        for wrong in ["", short, &token.cookie, "x"] {
            assert!(!token.is(wrong.as_bytes()), "{wrong}");
        }
        assert!(!token.is_cookie(token.text.as_bytes()));
        assert_eq!(token.text.len(), 2 * RANDOM_BYTES);
        assert_ne!(token.text, Token::random().unwrap().text);
    }

    #[test]
    fn a_chosen_token_is_long_and_is_shown_nowhere() {
        assert!(Token::chosen("short").unwrap_err().contains("5 bytes"));
        assert!(Token::chosen("a token with blanks in it").unwrap_err().contains("ASCII"));
        let token = Token::chosen("  correct-horse-battery\n").unwrap();
        assert!(token.is(b"correct-horse-battery"));
        assert_eq!(token.query(), "");
        assert_eq!(format!("{token:?}"), "Token");
    }
}
