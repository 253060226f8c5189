//! What a step gave and said, out of its record: for `show RUN STEP` and for the page.

use crate::context::{Notes, NotesError};
use crate::record::RecordError;
use crate::record::values::{self, StoredValue};
use crate::shape::{ShapeNode, ShapeOutput};

/// What a step gave and said.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    /// Each output with its value: `None` where nothing is recorded, as the step has not succeeded. That
    /// of a dynamic output only says whether it gave nothing at all.
    pub(crate) outputs: Vec<(&'a ShapeOutput, Option<StoredValue<'a>>)>,
    pub(crate) notes: Notes,
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GivenError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Notes(#[from] NotesError),
}

/// Takes the record of a step of a node apart; an empty one says nothing.
///
/// # Errors
/// It is no record, or its notes are of a newer version.
pub(crate) fn given<'a>(node: &'a ShapeNode, record: &'a [u8]) -> Result<Given<'a>, GivenError> {
    let parts = values::read(record)?;
    let mut values = parts.values.into_iter();
    let outputs = node.outputs.iter().map(|output| (output, values.next())).collect();
    let notes = parts.notes.map(Notes::read).transpose()?.unwrap_or_default();
    Ok(Given { outputs, notes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::values::write_value;
    use crate::report::fixture::shape;

    #[test]
    fn each_value_is_that_of_its_output_where_a_dynamic_one_stands_before_it() {
        let mut node = shape().nodes[0].clone();
        let single = ShapeOutput { name: "total".to_owned(), dynamic: false, ..node.outputs[0].clone() };
        node.outputs.push(single);
        let mut record = Vec::new();
        for value in [StoredValue::Transient, StoredValue::Json(b"7")] {
            write_value(&mut record, value);
        }
        let outputs = given(&node, &record).unwrap().outputs;
        let values: Vec<_> = outputs.iter().map(|(output, value)| (&*output.name, *value)).collect();
        let expected = [("result", Some(StoredValue::Transient)), ("total", Some(StoredValue::Json(b"7")))];
        assert_eq!(values, expected);
        assert!(given(&node, b"").unwrap().outputs.iter().all(|(_, value)| value.is_none()));
    }
}
