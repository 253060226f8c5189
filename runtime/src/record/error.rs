//! What is wrong with bytes that are not a record.

use super::format::FORMAT;
use super::state::Illegal;

/// Why bytes could not be read as a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The block was written by another version.
    #[error(
        "the record has format {found}, and this version reads format {FORMAT}: use the version that wrote it"
    )]
    Format {
        /// What the block says.
        found: u8,
    },
    /// The bytes end too early.
    #[error("the record ends within {what}, at byte {at}: it is damaged, and `doctor` says more")]
    Cut {
        /// What was being read.
        what: &'static str,
        /// How many bytes there are before it.
        at: usize,
    },
    /// The bytes mean nothing.
    #[error("the record is wrong at byte {at}: {what}; it is damaged, and `doctor` says more")]
    Wrong {
        /// What is wrong.
        what: String,
        /// How many bytes there are before it.
        at: usize,
    },
    /// It tells what cannot have happened.
    #[error("the record is wrong: {0}; it is damaged, and `doctor` says more")]
    Illegal(#[from] Illegal),
}
