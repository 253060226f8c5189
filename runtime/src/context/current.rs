//! Which step's code runs on this thread.
//!
//! A step is entered by whoever runs its code, and left when that is over, however it ends: what was
//! current before is current again. No span is made for a step: entering one costs a few nanoseconds.

use std::cell::RefCell;
use std::io::Write as _;
use std::rc::Rc;

use super::OpContext;

thread_local! {
    static CURRENT: OnThread = const { OnThread(RefCell::new(Current::None)) };
}

/// What is current on a thread, for as long as the thread lives.
#[derive(Debug)]
struct OnThread(RefCell<Current>);

impl Drop for OnThread {
    /// A thread whose step has not been left ends only because the step called `exit`: nothing is
    /// unwound by that. The run is interrupted, so the process must not end as if all were well.
    fn drop(&mut self) {
        let name = match self.0.get_mut() {
            Current::None => return,
            Current::Lent(context) => context.step_name(),
            Current::Own(context) => context.step_name(),
        };
        let _ = writeln!(
            std::io::stderr(),
            "error: step `{}` ended the process: `exit` in an op interrupts the run; return an error instead",
            crate::text::safe(&name)
        );
        std::process::abort();
    }
}

/// The step whose code runs on a thread.
#[derive(Debug)]
enum Current {
    None,
    /// Of a worker, which uses one context for one step after the other.
    Lent(Rc<OpContext>),
    /// Of a future, which takes it back after the poll.
    /// Boxed, so that entering a step moves two words.
    Own(Box<OpContext>),
}

/// Looks at the step whose code runs on this thread; `None` outside all steps. `look` runs no code of
/// the user's.
pub(crate) fn with<R>(look: impl FnOnce(&OpContext) -> R) -> Option<R> {
    let looked = CURRENT.try_with(|current| match &*current.0.borrow() {
        Current::None => None,
        Current::Lent(context) => Some(look(context)),
        Current::Own(context) => Some(look(context)),
    });
    // A thread that is ending runs no step any more.
    looked.ok().flatten()
}

/// Makes `other` the current step, and gives what was current in its place.
#[inline]
fn swap(other: &mut Current) {
    // As above.
    let _ = CURRENT.try_with(|current| std::mem::swap(&mut *current.0.borrow_mut(), other));
}

/// Makes a step the current one until the guard is dropped.
#[inline]
pub(crate) fn enter(context: Rc<OpContext>) -> Entered {
    let mut before = Current::Lent(context);
    swap(&mut before);
    Entered(before)
}

/// Makes the step in `slot` the current one until the guard is dropped, which puts it back there; an
/// empty slot changes nothing.
pub(crate) fn enter_own(slot: &mut Option<Box<OpContext>>) -> EnteredOwn<'_> {
    let before = slot.take().map(|context| {
        let mut before = Current::Own(context);
        swap(&mut before);
        before
    });
    EnteredOwn { slot, before }
}

/// What was current before.
#[must_use]
#[derive(Debug)]
pub(crate) struct Entered(Current);

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        swap(&mut self.0);
    }
}

/// What was current before, and where the current one belongs.
#[must_use]
#[derive(Debug)]
pub(crate) struct EnteredOwn<'a> {
    slot: &'a mut Option<Box<OpContext>>,
    before: Option<Current>,
}

impl Drop for EnteredOwn<'_> {
    fn drop(&mut self) {
        let Some(mut before) = self.before.take() else { return };
        swap(&mut before);
        if let Current::Own(context) = before {
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
        let mut own = Some(Box::new(context(2)));
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
