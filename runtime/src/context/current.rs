//! Which step's code runs on this thread.
//!
//! A step is entered by whoever runs its code, and left when that is over, however it ends: what was
//! current before is current again. No span is made for a step: entering one costs a few nanoseconds.

use std::cell::RefCell;
use std::rc::Rc;

use super::OpContext;

thread_local! {
    static CURRENT: RefCell<Current> = const { RefCell::new(Current::None) };
}

/// The step whose code runs on a thread.
#[derive(Debug)]
enum Current {
    None,
    /// Of a worker, which uses one context for one step after the other.
    Lent(Rc<OpContext>),
    /// Of a future, which takes it back after the poll.
    Own(OpContext),
}

/// Looks at the step whose code runs on this thread; `None` outside all steps. `look` runs no code of
/// the user's.
pub(crate) fn with<R>(look: impl FnOnce(&OpContext) -> R) -> Option<R> {
    let looked = CURRENT.try_with(|current| match &*current.borrow() {
        Current::None => None,
        Current::Lent(context) => Some(look(context)),
        Current::Own(context) => Some(look(context)),
    });
    // A thread that is ending runs no step any more.
    looked.ok().flatten()
}

/// Puts a step in place of the current one, and gives that back.
fn replace(new: Current) -> Current {
    let mut new = Some(new);
    let before = CURRENT.try_with(|current| new.take().map(|new| current.replace(new)));
    before.ok().flatten().or(new).unwrap_or(Current::None)
}

/// Makes a step the current one until the guard is dropped.
pub(crate) fn enter(context: Rc<OpContext>) -> Entered {
    Entered(replace(Current::Lent(context)))
}

/// Makes the step in `slot` the current one until the guard is dropped, which puts it back there; an
/// empty slot changes nothing.
pub(crate) fn enter_own(slot: &mut Option<OpContext>) -> EnteredOwn<'_> {
    let before = slot.take().map(|context| replace(Current::Own(context)));
    EnteredOwn { slot, before }
}

/// What was current before.
#[must_use]
#[derive(Debug)]
pub(crate) struct Entered(Current);

impl Drop for Entered {
    fn drop(&mut self) {
        drop(replace(std::mem::replace(&mut self.0, Current::None)));
    }
}

/// What was current before, and where the current one belongs.
#[must_use]
#[derive(Debug)]
pub(crate) struct EnteredOwn<'a> {
    slot: &'a mut Option<OpContext>,
    before: Option<Current>,
}

impl Drop for EnteredOwn<'_> {
    fn drop(&mut self) {
        if let Some(before) = self.before.take()
            && let Current::Own(context) = replace(before)
        {
            *self.slot = Some(context);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn attempt() -> Option<u32> {
        with(OpContext::attempt)
    }

    fn context(attempt: u32) -> OpContext {
        OpContext::for_test().with_attempt(attempt)
    }

    #[test]
    fn a_step_inside_another_gives_way_to_it_again() {
        assert_eq!(attempt(), None);
        let mut own = Some(context(2));
        {
            let _one = enter(Rc::new(context(1)));
            assert_eq!(attempt(), Some(1));
            {
                let _two = enter_own(&mut own);
                assert_eq!(attempt(), Some(2));
                context(3).run(|| assert_eq!(attempt(), Some(3)));
                assert_eq!(attempt(), Some(2));
            }
            assert_eq!(attempt(), Some(1));
        }
        assert_eq!(attempt(), None);
        assert_eq!(own.map(|context| context.attempt()), Some(2), "it is back in its slot");
    }

    #[test]
    fn a_panic_leaves_the_step_too() {
        let panicked = catch_unwind(AssertUnwindSafe(|| context(1).run(|| panic!("no"))));
        assert!(panicked.is_err());
        assert_eq!(attempt(), None);
    }

    #[tokio::test]
    async fn a_future_is_in_its_step_at_each_poll_and_nobody_else_is() {
        let inside = context(1).scope(async {
            for _ in 0..3 {
                assert_eq!(attempt(), Some(1));
                tokio::task::yield_now().await;
            }
        });
        let outside = async {
            for _ in 0..3 {
                assert_eq!(attempt(), None);
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(inside, outside);
    }

    #[test]
    fn a_thread_that_ends_is_in_no_step() {
        struct Last;
        impl Drop for Last {
            fn drop(&mut self) {
                context(1).run(|| ());
                assert_eq!(attempt(), None);
            }
        }
        thread_local!(static LAST: RefCell<Option<Last>> = const { RefCell::new(None) });
        let thread = std::thread::spawn(|| {
            LAST.set(Some(Last));
            context(1).run(|| assert_eq!(attempt(), Some(1)));
        });
        thread.join().unwrap();
    }
}
