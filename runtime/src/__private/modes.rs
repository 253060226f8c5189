//! What a value of an op must be: the traits that carry the errors, once for each type.

use std::any::{Any, type_name};
use std::sync::Arc;

use crate::value::{AnyValue, Value};

/// Values that are recorded: those of all ops but `transient` ones.
#[derive(Debug, Clone, Copy)]
pub struct Recorded;

/// Values that are passed on and never recorded.
#[derive(Debug, Clone, Copy)]
pub struct Transient;

/// What an op can take. `Op` is there for the message, and `Self` is a type of ours so that rustc shows
/// the message instead of guessing at serde.
#[diagnostic::on_unimplemented(
    message = "`{Op}` takes `{T}`, which cannot be recorded and shared",
    label = "not `Serialize + DeserializeOwned + Send + Sync + 'static`",
    note = "put `#[derive(serde::Serialize, serde::Deserialize)]` on the type, and let it own what it holds"
)]
pub trait Takes<Op, T> {
    /// The value with its type.
    fn typed(value: AnyValue) -> Arc<T>;
}

/// What an op can give; as [`Takes`]. `RESULT` is true for a `Result` under another name, of which an
/// assertion beside it tells: here it is silent.
#[diagnostic::on_unimplemented(
    message = "`{Op}` gives `{T}`, which cannot be recorded and shared",
    label = "not `Serialize + DeserializeOwned + Send + Sync + 'static`",
    note = "put `#[derive(serde::Serialize, serde::Deserialize)]` on the type, and let it own what it holds"
)]
pub trait Gives<Op, T, const RESULT: bool = false> {
    /// The value without its type.
    fn erased(value: T) -> AnyValue;
}

macro_rules! modes {
    ($($mode:ident ($($bound:tt)+))+) => {$(
        #[diagnostic::do_not_recommend]
        impl<Op, T: $($bound)+> Takes<Op, T> for $mode {
            fn typed(value: AnyValue) -> Arc<T> {
                downcast(value)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<Op, T: $($bound)+> Gives<Op, T> for $mode {
            fn erased(value: T) -> AnyValue {
                Arc::new(value)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<Op, T> Gives<Op, T, true> for $mode {
            fn erased(_: T) -> AnyValue {
                unreachable!("an op that returns a hidden `Result` does not compile")
            }
        }
    )+};
}

modes! {
    Recorded (Value)
    Transient (Send + Sync + 'static)
}

/// What a by-value parameter needs.
#[diagnostic::on_unimplemented(
    message = "`{Op}` takes `{T}` by value, and it is not `Clone`",
    label = "write `&{T}`, or derive `Clone`",
    note = "other steps, and another attempt of this one, may read the same value"
)]
pub trait Copies<Op, T> {
    /// The value itself if nobody else can read it, else a copy.
    fn own(value: Arc<T>) -> T;
}

#[diagnostic::do_not_recommend]
impl<Op, T: Clone> Copies<Op, T> for Recorded {
    fn own(value: Arc<T>) -> T {
        Arc::unwrap_or_clone(value)
    }
}

/// The value with its type.
///
/// # Panics
/// It has another type: the graph was built wrongly.
pub fn downcast<T: Any + Send + Sync>(value: AnyValue) -> Arc<T> {
    value
        .downcast()
        .unwrap_or_else(|_| panic!("an input is not the `{}` that its op reads", type_name::<T>()))
}
