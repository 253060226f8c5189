//! What a step said of itself, as it is recorded: a versioned JSON document an attempt.

use serde::{Deserialize, Serialize};

use super::Metadata;

/// The version of recorded notes.
pub const NOTES_VERSION: u32 = 1;

/// How many bytes of metadata an attempt of a step may leave, as JSON: room for a table of a few
/// hundred rows. What is larger is a value, or a file.
pub const MAX_METADATA_BYTES: usize = 64 << 10;

/// How many of these bytes are kept free for what stands around it: progress, and the note that something
/// was cut.
const RESERVED: usize = 512;

/// The name of the entry that says that metadata was cut.
const CUT_NAME: &str = "fanfold.cut";

/// What stands where text was cut.
const CUT: &str = "… (cut)";

/// What one attempt of a step said of itself: its metadata, and how far it came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Notes {
    /// Its metadata, in the order in which it was told.
    pub metadata: Vec<Note>,
    /// How much was done, and of how much; the latter is 0 where that was not known.
    pub progress: Option<(u64, u64)>,
}

/// One piece of metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// The output that it is about; `None` if it is about the step.
    pub output: Option<String>,
    /// Its name.
    pub name: String,
    /// What it says.
    #[serde(flatten)]
    pub value: Metadata,
}

/// Recorded notes that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotesError {
    /// They were written by a newer version.
    #[error("the notes are of version {0}, and this program reads up to {NOTES_VERSION}: update it")]
    Newer(u32),
    /// They are not what was written.
    #[error("the notes are damaged: {0}")]
    Damaged(String),
}

impl Notes {
    /// Reads what was recorded.
    ///
    /// # Errors
    /// A newer version wrote it, or it is not what was written.
    pub fn read(bytes: &[u8]) -> Result<Self, NotesError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let damaged = |error: serde_json::Error| NotesError::Damaged(error.to_string());
        // First, since a later version may have other fields.
        let Version { version } = serde_json::from_slice(bytes).map_err(damaged)?;
        if version > NOTES_VERSION {
            return Err(NotesError::Newer(version));
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    /// What is recorded; `None` if there is nothing to record.
    pub(crate) fn written(&self) -> Option<Vec<u8>> {
        #[derive(Serialize)]
        struct Written<'a> {
            version: u32,
            #[serde(flatten)]
            notes: &'a Notes,
        }
        if self.metadata.is_empty() && self.progress.is_none() {
            return None;
        }
        // Writing plain data to memory does not fail.
        serde_json::to_vec(&Written { version: NOTES_VERSION, notes: self }).ok()
    }

    /// The metadata of that name on the step.
    pub fn get(&self, name: &str) -> Option<&Metadata> {
        let note = self.metadata.iter().find(|note| note.output.is_none() && note.name == name);
        note.map(|note| &note.value)
    }

    /// The metadata of that name on an output.
    pub fn get_of(&self, output: &str, name: &str) -> Option<&Metadata> {
        let is_it = |note: &&Note| note.output.as_deref() == Some(output) && note.name == name;
        self.metadata.iter().find(is_it).map(|note| &note.value)
    }
}

/// Metadata as it is told, held to [`MAX_METADATA_BYTES`].
#[derive(Debug, Default)]
pub(crate) struct Noted {
    notes: Vec<Note>,
    bytes: usize,
    cut: usize,
}

impl Noted {
    /// Adds a note, in place of one of the same name.
    pub(crate) fn add(&mut self, mut note: Note) {
        let same = |other: &Note| other.name == note.name && other.output == note.output;
        if let Some(at) = self.notes.iter().position(same) {
            let before = self.notes.remove(at);
            self.bytes -= size(&before, usize::MAX).unwrap_or_default();
        }
        let room = MAX_METADATA_BYTES - RESERVED - self.bytes;
        let whole = size(&note, room);
        if whole.is_none() {
            self.cut += 1;
        }
        if let Some(bytes) = whole.or_else(|| shortened(&mut note, room)) {
            self.bytes += bytes;
            self.notes.push(note);
        }
    }

    /// All notes, with one that says so if something is missing.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let mut notes = self.notes.clone();
        if self.cut > 0 {
            let text = format!(
                "{} not recorded, or not wholly: a step has at most {} KiB of metadata",
                self.cut,
                MAX_METADATA_BYTES >> 10
            );
            notes.push(Note { output: None, name: CUT_NAME.to_owned(), value: Metadata::Text(text) });
        }
        notes
    }
}

/// Shortens a note until there is room for it; `None` where that makes no sense.
fn shortened(note: &mut Note, room: usize) -> Option<usize> {
    let mut keep = room;
    loop {
        match &mut note.value {
            Metadata::Text(text) | Metadata::Markdown(text) => {
                text.truncate(text.floor_char_boundary(keep));
                text.push_str(CUT);
            }
            Metadata::Table { rows, .. } => rows.truncate(keep),
            _ => return None,
        }
        let bytes = size(note, room);
        if bytes.is_some() || keep == 0 {
            return bytes;
        }
        // How long text becomes when it is escaped, or a row, is not known before.
        keep = keep * 3 / 4;
    }
}

/// How long a note is as JSON, with the comma after it; `None` if that is more than `room`. Stops
/// counting there.
fn size(note: &Note, room: usize) -> Option<usize> {
    let mut counter = Counter { left: room.checked_sub(1)? };
    serde_json::to_writer(&mut counter, note).ok()?;
    Some(room - counter.left)
}

struct Counter {
    left: usize,
}

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn note(name: &str, value: impl Into<Metadata>) -> Note {
        Note { output: None, name: name.to_owned(), value: value.into() }
    }

    fn noted(notes: impl IntoIterator<Item = Note>) -> Notes {
        let mut noted = Noted::default();
        notes.into_iter().for_each(|note| noted.add(note));
        Notes { metadata: noted.notes(), progress: None }
    }

    fn every_kind() -> Notes {
        let mut notes = noted([
            note("int", i64::MIN),
            note("large", u64::MAX),
            note("float", 0.1),
            note("infinite", f64::NEG_INFINITY),
            note("text", "a\u{1b}[2J"),
            note("markdown", Metadata::markdown("**b**")),
            note("url", Metadata::url("https://example.org")),
            note("table", Metadata::table(["a", "b"], [[json!(1), json!("x")], [json!(2), json!(null)]])),
            note("json", json!({"deep": [1, {"er": 18_446_744_073_709_551_615_u64}]})),
            Note { output: Some("rows".into()), ..note("int", true) },
        ]);
        notes.progress = Some((3, 0));
        notes
    }

    #[test]
    fn every_kind_is_read_back_as_it_was_written() {
        let notes = every_kind();
        let read = Notes::read(&notes.written().unwrap()).unwrap();
        assert_eq!(read, notes);
        assert_eq!(read.get("float"), Some(&Metadata::Float(0.1)));
        assert_eq!(read.get_of("rows", "int"), Some(&Metadata::Json(json!(true))));
    }

    #[test]
    fn what_is_written_is_part_of_the_record_s_format() {
        let text = String::from_utf8(every_kind().written().unwrap()).unwrap();
        expect![[r#"{"version":1,"metadata":[{"output":null,"name":"int","kind":"int","value":-9223372036854775808},{"output":null,"name":"large","kind":"json","value":18446744073709551615},{"output":null,"name":"float","kind":"float","value":0.1},{"output":null,"name":"infinite","kind":"float","value":"-inf"},{"output":null,"name":"text","kind":"text","value":"a\u001b[2J"},{"output":null,"name":"markdown","kind":"markdown","value":"**b**"},{"output":null,"name":"url","kind":"url","value":"https://example.org"},{"output":null,"name":"table","kind":"table","value":{"columns":["a","b"],"rows":[[1,"x"],[2,null]]}},{"output":null,"name":"json","kind":"json","value":{"deep":[1,{"er":18446744073709551615}]}},{"output":"rows","name":"int","kind":"json","value":true}],"progress":[3,0]}"#]]
        .assert_eq(&text);
        assert_eq!(Notes::default().written(), None);
    }

    #[test]
    fn notes_of_a_newer_version_and_damaged_ones_are_refused() {
        assert_eq!(Notes::read(br#"{"version":2,"other":1}"#), Err(NotesError::Newer(2)));
        for damaged in [&b"{}"[..], b"", b"\xff", br#"{"version":1,"metadata":[{}]}"#] {
            assert!(matches!(Notes::read(damaged), Err(NotesError::Damaged(_))));
        }
    }

    #[test]
    fn the_last_value_of_a_name_counts() {
        let notes = noted((0..100_000).map(|i| note("count", i)));
        assert_eq!(notes.metadata, [note("count", 99_999)]);
    }

    #[test]
    fn metadata_over_the_limit_is_cut_and_a_note_says_so() {
        let rows = (0..1_000_000).map(|i| [i, i]);
        let mut notes = noted([
            note("first", 1),
            note("rows", Metadata::table(["a", "b"], rows)),
            note("long", "\"é".repeat(1_000_000)),
            note("address", Metadata::url("x".repeat(1_000_000))),
            note("json", json!(vec!["x"; 100_000])),
            note("x".repeat(100_000).as_str(), 1),
        ]);
        assert_eq!(notes.get("first"), Some(&Metadata::Int(1)));
        let Some(Metadata::Table { rows, .. }) = notes.get("rows") else { panic!("no table") };
        assert!(rows.len() > 2_000, "{}", rows.len());
        assert!(matches!(notes.get("long"), Some(Metadata::Text(text)) if text.ends_with(CUT)));
        assert_eq!((notes.get("address"), notes.get("json")), (None, None));
        let cut = "5 not recorded, or not wholly: a step has at most 64 KiB of metadata";
        assert_eq!(notes.get(CUT_NAME), Some(&Metadata::Text(cut.into())));
        notes.progress = Some((u64::MAX, u64::MAX));
        assert!(notes.written().unwrap().len() <= MAX_METADATA_BYTES);
    }
}
