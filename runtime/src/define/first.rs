//! The first value of each output is read back at once (§6.4): a type that does not survive being
//! recorded is found then, and not when a run is resumed.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{OpDef, OutputKind, Outputs};
use crate::error::{ErrorKind, OpError};
use crate::panics::caught;
use crate::value::{AnyValue, TypeInfo};

/// The outputs of one node, and which of them have given a value that was read back.
#[derive(Debug)]
pub(crate) struct FirstValues {
    op: Option<&'static OpDef>,
    read_back: Box<[AtomicBool]>,
}

impl FirstValues {
    /// The outputs of a node with this op, none of which has given a value.
    pub(crate) fn of(op: Option<&'static OpDef>) -> Self {
        let outputs = op.map_or(0, |op| op.outputs.len());
        Self { op, read_back: (0..outputs).map(|_| AtomicBool::new(false)).collect() }
    }

    /// The op.
    pub(crate) fn op(&self) -> Option<&'static OpDef> {
        self.op
    }

    /// Reads a value back if it is the first of its output.
    pub(crate) fn check(&self, output: usize, value: &AnyValue) -> Result<(), OpError> {
        let (Some(op), Some(done)) = (self.op, self.read_back.get(output)) else { return Ok(()) };
        if done.load(Ordering::Relaxed) {
            return Ok(());
        }
        read_back(op, &op.outputs[output].info, value)?;
        done.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Reads back what a step gave for its single outputs.
    pub(crate) fn check_all(&self, outputs: Outputs) -> Result<Outputs, OpError> {
        let values: &[Option<AnyValue>] = match &outputs {
            Outputs::None => &[],
            Outputs::One(value) => std::slice::from_ref(value),
            Outputs::Many(values) => values,
        };
        let checked = values.iter().enumerate().try_for_each(|(output, value)| {
            let single = self.op.is_some_and(|op| op.outputs[output].kind == OutputKind::Single);
            value.iter().filter(|_| single).try_for_each(|value| self.check(output, value))
        });
        match checked {
            Ok(()) => Ok(outputs),
            Err(error) => {
                // Dropping them runs code of the user's.
                let _ = caught(|| drop(outputs));
                Err(error)
            }
        }
    }
}

/// Writes a value, reads it, and writes it again: both texts must be equal.
fn read_back(op: &OpDef, info: &TypeInfo, value: &AnyValue) -> Result<(), OpError> {
    let Some(decode) = info.decode else { return Ok(()) };
    let encode = |value: &AnyValue| info.text(value).unwrap_or_else(|| Ok(Vec::new()));
    let fails = |what: &str| {
        OpError::of_kind(
            ErrorKind::Codec,
            format_args!(
                "`{}` gave a value of type `{}` that does not survive being recorded: {what}; \
                 make its `Serialize` and `Deserialize` agree, or mark the output `transient`",
                op.name,
                (info.name)()
            ),
        )
    };
    caught(|| {
        let text = encode(value).map_err(|error| fails(&format!("writing it fails: {error}")))?;
        let read = decode(&text).map_err(|error| fails(&format!("reading it back fails: {error}")))?;
        let again = encode(&read).map_err(|error| fails(&format!("writing it again fails: {error}")))?;
        if text == again { Ok(()) } else { Err(fails("what is read back is another value")) }
    })?
}
