//! Panics of ops: failures of their steps, with message and place.
//!
//! Where a panic happened is known only to the process's panic hook. Ours is put in front of the
//! one that is there, and acts only while an op runs on the thread.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::error::{ErrorKind, OpError};

thread_local! {
    static IN_OP: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if IN_OP.get() {
                PLACE.set(info.location().map(ToString::to_string));
            } else {
                before(info);
            }
        }));
    });
}

/// Runs code of the user's: a panic becomes an error.
pub(crate) fn caught<R>(run: impl FnOnce() -> R) -> Result<R, OpError> {
    let outer = IN_OP.replace(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    let error = result.map_err(|panic| {
        let message = message(panic.as_ref()).to_owned();
        // Dropping what was thrown may panic in turn; that must not end the worker.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
        let place = PLACE.take().map_or_else(String::new, |place| format!(", at {place}"));
        OpError::of_kind(ErrorKind::Panic, format_args!("it panicked: {message}{place}"))
    });
    IN_OP.set(outer);
    error
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)")
}
