//! What a page says before any script has run.

use super::App;

/// A page as the server writes it.
#[derive(Debug)]
pub(super) struct First {
    pub(super) title: String,
    /// What can be read without a script.
    pub(super) html: String,
    /// The data that it was made from, as JSON.
    pub(super) state_json: String,
}

/// The page of an address.
pub(super) fn first(_app: &App, _path: &str, _query: &str) -> First {
    First { title: "fanfold".to_owned(), html: String::new(), state_json: "null".to_owned() }
}
