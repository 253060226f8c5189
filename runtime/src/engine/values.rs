//! Values on their way into the record, and back: encoded and decoded on the worker that has them,
//! inside the catch, so that a panic of the user's code is the step's failure.

use std::sync::Arc;

use crate::define::{OpDef, OutputKind, Outputs};
use crate::error::{ErrorKind, OpError};
use crate::event::Span;
use crate::key::Key;
use crate::machine::{Recall, Unrecorded};
use crate::panics::caught;
use crate::record::values::{self, StoredValue};
use crate::store::{Drive, Hash, Store};
use crate::value::{AnyValue, TypeInfo};

/// The longest value that stands in the log itself: a larger one would make every reader of its
/// commit carry it along.
const MAX_INLINE: usize = 64 * 1024;
/// The largest value: beyond this a file that the value names serves better.
const MAX_VALUE: usize = if cfg!(test) { 1 << 20 } else { 1 << 30 };
/// How deep a value may be nested: what is deeper can be written, and not be read back.
const MAX_DEPTH: usize = 127;

/// Where values are recorded, and read back from.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    pub(super) drive: Option<Arc<dyn Drive>>,
    pub(super) recall: Option<Recall>,
    /// Where the values that are known lie: the store, and the run.
    pub(super) known: Option<(Arc<dyn Store>, String)>,
}

/// What is recorded of the work of one grant.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// The records, one after the other.
    pub(crate) data: Vec<u8>,
    /// One value as text.
    text: Vec<u8>,
}

/// So many new items after a death are watched: whatever killed the process comes soon after what was
/// recorded.
const WATCHED: u32 = 1 << 16;

impl Values {
    /// If the process before died with something in hand: up to which item that counts.
    pub(super) fn careful_up_to(&self) -> Option<u32> {
        let drive = self.drive.as_ref()?;
        let recall = self.recall.as_ref().filter(|recall| recall.goes_on())?;
        let died = drive.left_in_hand().iter().any(|steps| !steps.is_empty());
        died.then(|| recall.past.last_item().saturating_add(WATCHED))
    }

    /// Whether there is a record.
    pub(super) fn are_recorded(&self) -> bool {
        self.drive.is_some()
    }

    /// Adds what is recorded of a value.
    pub(crate) fn add(
        &self,
        op: &OpDef,
        info: &TypeInfo,
        value: Option<&AnyValue>,
        into: &mut Recorded,
    ) -> Result<(), OpError> {
        let Some(drive) = &self.drive else { return Ok(()) };
        let (Some(value), Some(encode)) = (value, info.encode) else {
            let stored = if value.is_none() { StoredValue::Nothing } else { StoredValue::Transient };
            values::write_value(&mut into.data, stored);
            return Ok(());
        };
        into.text.clear();
        let text = &mut into.text;
        caught(|| encode(value, text))?.map_err(|error| cannot(op, info, &format!("be written: {error}")))?;
        if text.len() > MAX_VALUE {
            let what = format!("be recorded: it has {} bytes, and at most {MAX_VALUE} are", text.len());
            return Err(cannot(op, info, &format!("{what}; write it to a file and give the file's name")));
        }
        if is_too_deep(text) {
            let what = format!("be read back: it is more than {MAX_DEPTH} lists or objects deep");
            return Err(cannot(op, info, &format!("{what}; give it a flatter form, as a list of its nodes")));
        }
        if text.len() > MAX_INLINE {
            let kept = drive.put_blob(text);
            let hash = kept.map_err(|error| cannot(op, info, &format!("be kept: {error}")))?;
            let blob = StoredValue::Blob { hash, len: text.len() as u64 };
            values::write_value(&mut into.data, blob);
            // It is kept for the next value, and most are small.
            into.text = Vec::new();
        } else {
            values::write_value(&mut into.data, StoredValue::Json(text));
        }
        Ok(())
    }

    /// Adds what is recorded of a step: a value for each output. That of a dynamic one only says
    /// whether it gave nothing at all.
    pub(crate) fn add_step(
        &self,
        op: &OpDef,
        outputs: &Outputs,
        notes: Option<&[u8]>,
        into: &mut Recorded,
    ) -> Result<Span, OpError> {
        let start = into.data.len() as u32;
        if !self.are_recorded() {
            return Ok(Span { start, len: 0 });
        }
        for (index, output) in op.outputs.iter().enumerate() {
            let value = match outputs {
                Outputs::One(value) => value.as_ref(),
                Outputs::Many(values) => values.get(index).and_then(Option::as_ref),
                Outputs::None => None,
            };
            let there = value.is_some() || matches!(outputs, Outputs::None);
            match output.kind {
                OutputKind::Dynamic => {
                    let stored = if there { StoredValue::Transient } else { StoredValue::Nothing };
                    values::write_value(&mut into.data, stored);
                }
                OutputKind::Single => self.add(op, &output.info, value, into)?,
            }
        }
        if let Some(notes) = notes {
            values::write_notes(&mut into.data, notes);
        }
        Ok(Span { start, len: into.data.len() as u32 - start })
    }

    /// What a step is known to have given; in a rerun, what is recorded of it is copied.
    pub(super) fn recall_step(
        &self,
        op: &OpDef,
        item: u32,
        node: crate::graph::NodeId,
        into: &mut Recorded,
    ) -> Result<(Outputs, Span), OpError> {
        let record = self.recall.as_ref().and_then(|recall| recall.past.step_record(item, node));
        let record = record.ok_or_else(|| OpError::new("nothing is recorded of it"))?;
        let parts = values::read(record).map_err(OpError::new)?;
        let mut given = op.outputs.iter().zip(&parts.values).map(|(output, stored)| match output.kind {
            OutputKind::Dynamic => Ok((*stored != StoredValue::Nothing).then(|| Arc::new(()) as AnyValue)),
            OutputKind::Single => self.decode(op, &output.info, stored),
        });
        let outputs = match op.outputs {
            [] => Outputs::None,
            [_] => Outputs::One(given.next().transpose()?.flatten()),
            _ => Outputs::Many(given.collect::<Result<_, _>>()?),
        };
        Ok((outputs, self.copy(record, &parts.values, into)?))
    }

    /// What an item is known to be.
    pub(super) fn recall_item(
        &self,
        op: &OpDef,
        output: u16,
        item: u32,
        into: &mut Recorded,
    ) -> Result<(AnyValue, Span), OpError> {
        let record = self.recall.as_ref().map_or(&[][..], |recall| recall.past.item_record(item));
        let parts = values::read(record).map_err(OpError::new)?;
        let stored = parts.values.first().unwrap_or(&StoredValue::Nothing);
        let value = self.decode(op, &op.outputs[usize::from(output)].info, stored)?;
        let value = value.ok_or_else(|| OpError::new("nothing is recorded of an item"))?;
        Ok((value, self.copy(record, &parts.values, into)?))
    }

    /// The innermost key of a known item.
    pub(super) fn key_of(&self, item: u32) -> Key {
        let parts = self.recall.as_ref().map(|recall| recall.past.parts(item)).unwrap_or_default();
        parts.last().cloned().unwrap_or_else(|| Key::new(item))
    }

    fn decode(
        &self,
        op: &OpDef,
        info: &TypeInfo,
        stored: &StoredValue<'_>,
    ) -> Result<Option<AnyValue>, OpError> {
        let read = |text: &[u8]| {
            let decode = info.decode.ok_or_else(|| cannot(op, info, "be read back: it is transient now"))?;
            caught(|| decode(text))?.map(Some).map_err(|error| {
                cannot(op, info, &format!("be read back: {error}; give the type the form that it was recorded in, or run the step again with `rerun`"))
            })
        };
        match stored {
            StoredValue::Nothing => Ok(None),
            StoredValue::Json(text) => read(text),
            StoredValue::Blob { hash, .. } => read(&self.blob(hash)?),
            StoredValue::Transient => Ok(Some(Arc::new(Unrecorded))),
        }
    }

    fn blob(&self, hash: &Hash) -> Result<Vec<u8>, OpError> {
        let (store, run) = self.known.as_ref().ok_or_else(|| OpError::new("there is no store"))?;
        store.blob(run, hash).map_err(OpError::new)
    }

    /// Copies a record of another run into this one's; nothing to do where the run goes on.
    fn copy(&self, record: &[u8], stored: &[StoredValue<'_>], into: &mut Recorded) -> Result<Span, OpError> {
        let start = into.data.len() as u32;
        let copies = self.recall.as_ref().is_some_and(|recall| recall.selection.is_some());
        let Some(drive) = self.drive.as_ref().filter(|_| copies) else { return Ok(Span { start, len: 0 }) };
        for value in stored {
            if let StoredValue::Blob { hash, .. } = value {
                drive.put_blob(&self.blob(hash)?).map_err(OpError::new)?;
            }
        }
        into.data.extend_from_slice(record);
        Ok(Span { start, len: record.len() as u32 })
    }
}

/// Whether JSON text is nested deeper than it can be read back. Short texts, which most are, cannot be.
fn is_too_deep(text: &[u8]) -> bool {
    if text.len() <= 2 * MAX_DEPTH {
        return false;
    }
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => skip_text(&mut bytes),
            _ => {}
        }
    }
    deepest > MAX_DEPTH
}

/// Goes on to behind the end of a text, whose beginning was read.
fn skip_text(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

fn cannot(op: &OpDef, info: &TypeInfo, what: &str) -> OpError {
    let message = format!("a value of type `{}` that `{}` gave cannot {what}", (info.name)(), op.name);
    OpError::of_kind(ErrorKind::Codec, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::CLEAN;
    use crate::store::{MemoryStore, NewRun};

    #[test]
    fn a_value_over_the_limit_is_refused_by_name_and_one_at_the_limit_comes_back() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (id, empty) = ("one".to_owned(), String::new());
        let started = std::time::SystemTime::UNIX_EPOCH;
        let run = NewRun { id, job: empty.clone(), started, parent: None, facts: empty, tags: vec![] };
        let drive = store.create(run).expect("it is entered");
        let values =
            Values { drive: Some(drive), recall: None, known: Some((Arc::clone(&store), "one".to_owned())) };
        let (info, mut recorded) = (&CLEAN.outputs[0].info, Recorded::default());
        let mut add = |bytes: usize| {
            // Two are its quotation marks.
            let value: AnyValue = Arc::new("x".repeat(bytes - 2));
            recorded.data.clear();
            values.add(&CLEAN, info, Some(&value), &mut recorded).map(|()| recorded.data.clone())
        };
        let error = add(MAX_VALUE + 1).expect_err("it is too large");
        assert_eq!(error.kind(), ErrorKind::Codec);
        let said = error.to_string();
        assert!(["`clean`", "String", "1048577", "1048576"].iter().all(|word| said.contains(word)), "{said}");
        let record = add(MAX_VALUE).expect("it is kept");
        assert!(record.len() < 100, "it stands beside the log");
        let stored = values::read(&record).expect("a record").values.remove(0);
        let back = values.decode(&CLEAN, info, &stored).expect("it comes back").expect("it is something");
        assert_eq!(back.downcast_ref::<String>().expect("a text").len(), MAX_VALUE - 2);
    }

    #[test]
    fn brackets_in_texts_are_not_counted() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth)).into_bytes();
        assert!(!is_too_deep(&deep(MAX_DEPTH)) && is_too_deep(&deep(MAX_DEPTH + 1)));
        let text = |inner: &str| serde_json::to_vec(&inner).expect("a text");
        assert!(!is_too_deep(&text(&"[".repeat(1000))) && !is_too_deep(&text(&"\\\"[".repeat(1000))));
        assert!(is_too_deep(&[&text("\\\"")[..], &deep(MAX_DEPTH + 1)].concat()));
    }
}
