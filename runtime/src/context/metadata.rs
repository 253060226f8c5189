//! What an op says of its step beside its value: counts, links, tables, texts.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A piece of information on a step, for people: shown with it, recorded with it, read by no op.
///
/// Numbers, texts and JSON convert by themselves; the other kinds are named.
///
/// ```
/// use fanfold::Metadata;
///
/// assert_eq!(Metadata::from(3), Metadata::Int(3));
/// assert_eq!(Metadata::from("seattle"), Metadata::Text("seattle".into()));
/// let table = Metadata::table(["city", "rain"], [["seattle", "3226.4"], ["new-york", "4245.1"]]);
/// assert!(matches!(table, Metadata::Table { ref rows, .. } if rows.len() == 2));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Metadata {
    /// A whole number.
    Int(i64),
    /// A number; one that is not finite is recorded as text.
    Float(#[serde(with = "float")] f64),
    /// Text, shown as it is.
    Text(String),
    /// Text in Markdown.
    Markdown(String),
    /// The address of a page.
    Url(String),
    /// A table.
    Table {
        /// The names of its columns.
        columns: Vec<String>,
        /// Its rows: a cell for each column.
        rows: Vec<Vec<Value>>,
    },
    /// Anything else.
    Json(Value),
}

impl Metadata {
    /// Text in Markdown.
    pub fn markdown(text: impl Into<String>) -> Self {
        Self::Markdown(text.into())
    }

    /// The address of a page.
    pub fn url(address: impl Into<String>) -> Self {
        Self::Url(address.into())
    }

    /// A table: the names of its columns, and its rows.
    pub fn table<R>(
        columns: impl IntoIterator<Item = impl Into<String>>,
        rows: impl IntoIterator<Item = R>,
    ) -> Self
    where
        R: IntoIterator<Item: Into<Value>>,
    {
        let row = |row: R| row.into_iter().map(Into::into).collect();
        Self::Table {
            columns: columns.into_iter().map(Into::into).collect(),
            rows: rows.into_iter().map(row).collect(),
        }
    }
}

macro_rules! ints {
    ($($int:ty)*) => {$(
        impl From<$int> for Metadata {
            fn from(int: $int) -> Self {
                Self::Int(int.into())
            }
        }
    )*};
}

ints!(i8 i16 i32 i64 u8 u16 u32);

impl From<u64> for Metadata {
    /// What an [`Int`](Self::Int) cannot hold is exact all the same.
    fn from(int: u64) -> Self {
        i64::try_from(int).map_or_else(|_| Self::Json(int.into()), Self::Int)
    }
}

impl From<usize> for Metadata {
    fn from(int: usize) -> Self {
        i64::try_from(int).map_or_else(|_| Self::Json(int.into()), Self::Int)
    }
}

impl From<isize> for Metadata {
    fn from(int: isize) -> Self {
        i64::try_from(int).map_or_else(|_| Self::Json(int.into()), Self::Int)
    }
}

impl From<f32> for Metadata {
    fn from(float: f32) -> Self {
        Self::Float(float.into())
    }
}

impl From<f64> for Metadata {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}

impl From<bool> for Metadata {
    fn from(yes: bool) -> Self {
        Self::Json(yes.into())
    }
}

impl From<&str> for Metadata {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Metadata {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&Path> for Metadata {
    fn from(path: &Path) -> Self {
        Self::Text(path.display().to_string())
    }
}

impl From<PathBuf> for Metadata {
    fn from(path: PathBuf) -> Self {
        path.as_path().into()
    }
}

impl From<Value> for Metadata {
    fn from(json: Value) -> Self {
        Self::Json(json)
    }
}

/// JSON has no numbers that are not finite.
mod float {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }

    pub(super) fn serialize<S: Serializer>(float: &f64, to: S) -> Result<S::Ok, S::Error> {
        if float.is_finite() { to.serialize_f64(*float) } else { to.collect_str(float) }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        match Written::deserialize(from)? {
            Written::Number(float) => Ok(float),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}
