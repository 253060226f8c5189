//! What is wrong with an input file, and where.

use std::io;
use std::path::{Path, PathBuf};

use csv::ErrorKind;

/// Why a file or a folder could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("cannot read `{}`", file.display())]
    File { file: PathBuf, source: io::Error },
    #[error("{}:{line}: {reason}", file.display())]
    Line { file: PathBuf, line: u64, reason: String },
}

impl ReadError {
    /// What is wrong in a line of a file.
    pub(crate) fn line(file: &Path, line: u64, reason: impl Into<String>) -> Self {
        Self::Line { file: file.to_owned(), line, reason: reason.into() }
    }

    /// What the system said of a file.
    pub(crate) fn file(file: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { file: file.to_owned(), source }
    }

    /// What the CSV reader said of a file.
    pub(crate) fn csv(file: &Path, error: csv::Error) -> Self {
        let line = error.position().map_or(1, csv::Position::line);
        let reason = match error.kind() {
            ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("expected {expected_len} fields, found {len}")
            }
            ErrorKind::Utf8 { err, .. } => format!("field {} is not UTF-8", err.field() + 1),
            ErrorKind::Deserialize { err, .. } => match err.field() {
                Some(field) => format!("field {}: {}", field + 1, err.kind()),
                None => err.kind().to_string(),
            },
            _ => error.to_string(),
        };
        match error.into_kind() {
            ErrorKind::Io(source) => Self::file(file)(source),
            _ => Self::line(file, line, reason),
        }
    }
}
