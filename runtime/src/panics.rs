//! Panics of ops: failures of their steps, with message and place.
//!
//! Where a panic happened is known only to the process's panic hook. Ours is put in front of the
//! one that is there, and acts only while an op runs on the thread.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::task::Poll;

use crate::define::BoxFuture;
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

/// Runs a future of the user's: a panic becomes an error.
pub(crate) async fn caught_future<T>(future: BoxFuture<T>) -> Result<T, OpError> {
    let mut future = Some(future);
    let result = poll_fn(|cx| {
        let Some(running) = &mut future else { return Poll::Pending };
        match caught(|| running.as_mut().poll(cx)) {
            Ok(poll) => poll.map(Ok),
            Err(error) => Poll::Ready(Err(error)),
        }
    })
    .await;
    caught(|| drop(future)).and(result)
}

/// Runs code of the user's whose failure has no consequence: a panic says what it says, and ends
/// there.
pub(crate) async fn contained(run: impl FnOnce() -> BoxFuture<()>) {
    let Ok(mut future) = catch_unwind(AssertUnwindSafe(run)) else { return };
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll,
        Err(_) => Poll::Ready(()),
    })
    .await;
    let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)")
}
