//! Values as they are shown: cut where they are long.

use crate::record::reader::Reader;
use crate::record::values::StoredValue;
use crate::web::api::rows::size;
use crate::web::api::types::Shown;
use crate::web::refused::Refused;

/// How much of a value is shown, in bytes.
pub(super) const WHOLE: usize = 64 << 10;

/// How much of a value that a step read is shown.
pub(super) const PREVIEW: usize = 4 << 10;

/// How much all values of an answer take, together, as texts in it.
const TOGETHER: usize = 96 << 10;

/// A value longer than this is not read to show its beginning: it can be downloaded.
const READ: u64 = 8 << 20;

/// What is left of the room for values in an answer.
pub(super) struct Room(usize);

impl Room {
    pub(super) fn new() -> Self {
        Self(TOGETHER)
    }

    /// So much of a value as there is room for, and at most `most` bytes; `None` for nothing, and for what
    /// is never recorded.
    pub(super) fn show(
        &mut self,
        reader: &Reader,
        value: StoredValue<'_>,
        most: usize,
    ) -> Result<Option<Shown>, Refused> {
        Ok(match value {
            StoredValue::Nothing | StoredValue::Transient => None,
            StoredValue::Json(text) => Some(self.cut(text, most)),
            StoredValue::Blob { len, .. } if len > READ => {
                Some(Shown { json: String::new(), bytes: len, cut: true })
            }
            StoredValue::Blob { .. } => reader.value(value)?.map(|text| self.cut(&text, most)),
        })
    }

    /// So much of a text.
    pub(super) fn cut(&mut self, text: &[u8], most: usize) -> Shown {
        let begin = &text[..text.len().min(most).min(self.0)];
        // What was recorded is UTF-8: only a character that is cut in two is none.
        let whole = std::str::from_utf8(begin).map_or_else(|error| error.valid_up_to(), str::len);
        let json = String::from_utf8_lossy(&begin[..whole]).into_owned();
        self.0 = self.0.saturating_sub(size(&json));
        Shown { json, bytes: text.len() as u64, cut: whole < text.len() }
    }
}
