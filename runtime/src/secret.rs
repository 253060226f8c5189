//! Values that are never stored, logged, shown or sent.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::arg::JobArg;
use crate::define::ArgForm;

/// A value that is never stored, logged, shown or sent in clear; only its presence is.
///
/// As a job's argument it comes from the environment, a file or a prompt. An op that gives one is
/// marked `#[op(transient)]`: a secret cannot be recorded, nor can a value that holds one.
///
/// ```
/// use fanfold::Secret;
///
/// let token = Secret::new("hunter2".to_string());
/// assert_eq!(format!("{token:?}"), "Secret");
/// assert_eq!(token.expose(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

/// Why a secret is neither written nor read.
const NEVER_RECORDED: &str = "a secret is never recorded: mark the op that gives it `#[op(transient)]`";

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value in clear.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(NEVER_RECORDED))
    }
}

impl<'de, T> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(NEVER_RECORDED))
    }
}

impl<T: JobArg> JobArg for Secret<T> {
    const FORM: ArgForm = ArgForm::Secret;

    fn from_text(text: &str) -> Result<Self, String> {
        // The inner error may quote the text.
        T::from_text(text).map(Self).map_err(|_| "it cannot be read (its text is secret)".to_owned())
    }

    fn from_json(json: &serde_json::Value) -> Result<Self, String> {
        T::from_json(json).map(Self).map_err(|_| "it cannot be read (its text is secret)".to_owned())
    }

    fn show(&self) -> String {
        "given".to_owned()
    }

    /// Never its value: it is asked for again.
    fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}
