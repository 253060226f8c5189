//! Values with their types erased: what flows along the edges of a graph.
//!
//! A value is made once by the op that gives it and shared from then on; nothing is encoded on the
//! way from one op to the next. Encoding, for the record and for people, goes through [`TypeInfo`].

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What an op can take and give: any type that can be recorded and shared between threads.
///
/// It is implemented for every type that is `Serialize + DeserializeOwned + Send + Sync + 'static`.
pub trait Value: Serialize + DeserializeOwned + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Value for T {}

/// A value whose type only the two ops at the ends of an edge know.
pub type AnyValue = Arc<dyn Any + Send + Sync>;

/// The values of a `collect` or of a list written in a job, in order; read as `Vec<T>`.
#[derive(Debug, Clone)]
pub struct Gathered(pub Vec<AnyValue>);

/// What can be done with a value of one type without knowing the type.
#[derive(Clone, Copy)]
pub struct TypeInfo {
    /// The type's name, as rustc prints it.
    pub name: fn() -> &'static str,
    /// Adds the value as JSON text; `None` for a type that is never recorded (`transient`).
    pub encode: Option<fn(&AnyValue, &mut Vec<u8>) -> Result<(), CodecError>>,
    /// The value that JSON text stands for; `None` as above.
    pub decode: Option<fn(&[u8]) -> Result<AnyValue, CodecError>>,
}

impl TypeInfo {
    /// The functions for a type that can be recorded.
    pub const fn of<T: Value>() -> Self {
        Self { name: std::any::type_name::<T>, encode: Some(encode::<T>), decode: Some(decode::<T>) }
    }

    /// A type that is passed on, and never recorded.
    pub const fn transient<T: Send + Sync + 'static>() -> Self {
        Self { name: std::any::type_name::<T>, encode: None, decode: None }
    }
}

impl TypeInfo {
    /// The value as JSON text; `None` for a type that is never recorded.
    pub(crate) fn text(&self, value: &AnyValue) -> Option<Result<Vec<u8>, CodecError>> {
        let encode = self.encode?;
        let mut text = Vec::new();
        Some(encode(value, &mut text).map(|()| text))
    }
}

impl fmt::Debug for TypeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str((self.name)())
    }
}

/// A value that could not be written as JSON, or read back.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct CodecError {
    /// What went wrong, in the codec's words.
    pub message: String,
}

impl CodecError {
    fn new(error: impl fmt::Display) -> Self {
        Self { message: error.to_string() }
    }
}

fn encode<T: Value>(value: &AnyValue, text: &mut Vec<u8>) -> Result<(), CodecError> {
    if let Some(value) = value.downcast_ref::<T>() {
        return serde_json::to_writer(text, value).map_err(CodecError::new);
    }
    Err(CodecError::new(format_args!(
        "a value of another type where `{}` was expected",
        std::any::type_name::<T>()
    )))
}

fn decode<T: Value>(text: &[u8]) -> Result<AnyValue, CodecError> {
    let value: T = serde_json::from_slice(text).map_err(CodecError::new)?;
    Ok(Arc::new(value))
}
