//! What is recorded of one item, or of one step: values, and notes on how the step went.
//!
//! An item's record is one value. A step's is one value for each output of its op, in order, and after
//! them its notes, if it has any; the value of a dynamic output only says whether it gave nothing at all.
//! What the JSON of the notes says is not known here.

use super::error::RecordError;
use super::varint::{Cursor, write, write_bytes};
use crate::store::Hash;

/// The most bytes of notes in one record: it is kept in the log, and read whenever the log is.
pub const MAX_NOTES: usize = 64 * 1024;

const NOTHING: u8 = 0;
const JSON: u8 = 1;
const BLOB: u8 = 2;
const TRANSIENT: u8 = 3;
const NOTES: u8 = 4;

/// A value as it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredValue<'a> {
    /// The output gave nothing (§4.2).
    Nothing,
    /// JSON text.
    Json(&'a [u8]),
    /// JSON text too long for the log: a blob of the run.
    Blob {
        /// What it is called by.
        hash: Hash,
        /// How many bytes it has.
        len: u64,
    },
    /// The output's values are never recorded (§6.1).
    Transient,
}

/// What is in one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordParts<'a> {
    /// The values.
    pub values: Vec<StoredValue<'a>>,
    /// The notes: JSON text.
    pub notes: Option<&'a [u8]>,
}

/// Adds a value to a record.
pub fn write_value(out: &mut Vec<u8>, value: StoredValue<'_>) {
    match value {
        StoredValue::Nothing => out.push(NOTHING),
        StoredValue::Json(text) => {
            out.push(JSON);
            write_bytes(out, text);
        }
        StoredValue::Blob { hash, len } => {
            out.push(BLOB);
            write(out, len);
            out.extend_from_slice(&hash);
        }
        StoredValue::Transient => out.push(TRANSIENT),
    }
}

/// Ends a step's record with its notes, JSON text of at most [`MAX_NOTES`] bytes. Longer notes are left
/// out: whoever makes them keeps to the limit.
pub fn write_notes(out: &mut Vec<u8>, notes: &[u8]) {
    debug_assert!(notes.len() <= MAX_NOTES, "{} bytes of notes", notes.len());
    if notes.len() <= MAX_NOTES {
        out.push(NOTES);
        write_bytes(out, notes);
    }
}

/// Reads a record.
///
/// # Errors
/// The bytes are not a record. Positions in the error are those in `record`.
pub fn read(record: &[u8]) -> Result<RecordParts<'_>, RecordError> {
    let mut cursor = Cursor::new(record);
    let mut parts = RecordParts { values: Vec::new(), notes: None };
    while cursor.left() > 0 {
        let value = match cursor.byte("a value")? {
            NOTHING => StoredValue::Nothing,
            JSON => StoredValue::Json(cursor.bytes("a value")?),
            BLOB => read_blob(&mut cursor)?,
            TRANSIENT => StoredValue::Transient,
            NOTES => {
                parts.notes = Some(read_notes(&mut cursor)?);
                break;
            }
            kind => return Err(cursor.wrong(format!("there is no kind {kind} of values"))),
        };
        parts.values.push(value);
    }
    Ok(parts)
}

fn read_blob<'a>(cursor: &mut Cursor<'a>) -> Result<StoredValue<'a>, RecordError> {
    let len = cursor.number("the length of a blob")?;
    let bytes = cursor.take(size_of::<Hash>() as u64, "the hash of a blob")?;
    let hash = bytes.try_into().map_err(|_| cursor.wrong("a hash of a blob is too short".to_owned()))?;
    Ok(StoredValue::Blob { hash, len })
}

fn read_notes<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], RecordError> {
    let notes = cursor.bytes("notes")?;
    if notes.len() > MAX_NOTES {
        return Err(cursor.wrong(format!("notes have {} bytes, over {MAX_NOTES}", notes.len())));
    }
    if cursor.left() > 0 {
        return Err(cursor.wrong("something follows the notes".to_owned()));
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [StoredValue<'_>; 4] = [
        StoredValue::Json(b"[1,2,3]"),
        StoredValue::Nothing,
        StoredValue::Blob { hash: [7; 32], len: 1 << 40 },
        StoredValue::Transient,
    ];

    fn record(notes: Option<&[u8]>) -> Vec<u8> {
        let mut out = Vec::new();
        for value in VALUES {
            write_value(&mut out, value);
        }
        notes.into_iter().for_each(|notes| write_notes(&mut out, notes));
        out
    }

    #[test]
    fn values_and_notes_are_read_back() {
        let record = record(Some(b"{}"));
        assert_eq!(read(&record), Ok(RecordParts { values: VALUES.to_vec(), notes: Some(b"{}") }));
        assert_eq!(read(&[]), Ok(RecordParts { values: Vec::new(), notes: None }));
    }

    #[test]
    fn a_length_that_lies_is_refused_without_asking_for_memory() {
        for kind in [JSON, NOTES] {
            let mut bomb = vec![kind];
            write(&mut bomb, 1 << 60);
            assert!(matches!(read(&bomb), Err(RecordError::Cut { .. })), "kind {kind}");
        }
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let mut long = vec![NOTES];
        write_bytes(&mut long, &[b' '; MAX_NOTES + 1]);
        let mut followed = record(Some(b"{}"));
        followed.push(NOTHING);
        for bytes in [&long[..], &followed, &[9], &[BLOB, 1, 2, 3], &[JSON]] {
            assert!(read(bytes).is_err());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let seed = std::env::var("FANFOLD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
        println!("FANFOLD_SEED={seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..20_000 {
            let mut bytes = record(random.bool().then_some(b"{}"));
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
            bytes.truncate(random.usize(..=bytes.len()));
            let _ = read(&bytes).map(|parts| assert!(parts.values.len() <= bytes.len()));
        }
    }
}
