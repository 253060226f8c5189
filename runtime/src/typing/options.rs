//! What can be said at a call: `.named(…)`, `.priority(…)`, `.after(…)`, ….

use crate::graph::build::{self, CallOption};
use crate::typing::handle::{Done, DynamicOut, Handles, Out, Wrong};

/// Gives a handle the methods that speak of the call that made it.
#[doc(hidden)]
#[macro_export]
macro_rules! __call_options {
    ($handle:ident $(<$t:ident>)?) => {
        impl $(<$t>)? $handle $(<$t>)? {
            /// Names the step. Two steps of a job cannot have one explicit name.
            #[track_caller]
            #[allow(clippy::return_self_not_must_use, reason = "the handle says itself whether it must be used")]
            pub fn named(self, name: impl ::core::convert::Into<::std::string::String>) -> Self {
                $crate::__private::say(&self, $crate::__private::CallOption::Name(name.into()));
                self
            }

            /// Higher starts first among what is ready; 0 where nothing is said.
            #[track_caller]
            #[allow(clippy::return_self_not_must_use, reason = "as above")]
            pub fn priority(self, priority: i32) -> Self {
                $crate::__private::say(&self, $crate::__private::CallOption::Priority(priority));
                self
            }

            /// When to try again, instead of what the op says: `.retry(fanfold::retry!(max = 3))`.
            #[track_caller]
            #[allow(clippy::return_self_not_must_use, reason = "as above")]
            pub fn retry(self, policy: $crate::RetryPolicy) -> Self {
                $crate::__private::say(&self, $crate::__private::CallOption::Retry(policy));
                self
            }

            /// The longest time of one attempt.
            #[track_caller]
            #[allow(clippy::return_self_not_must_use, reason = "as above")]
            pub fn timeout(self, timeout: ::core::time::Duration) -> Self {
                $crate::__private::say(&self, $crate::__private::CallOption::Timeout(timeout));
                self
            }

            /// The pool whose limit it counts against.
            #[track_caller]
            #[allow(clippy::return_self_not_must_use, reason = "as above")]
            pub fn pool(self, pool: impl ::core::convert::Into<::std::string::String>) -> Self {
                $crate::__private::say(&self, $crate::__private::CallOption::Pool(pool.into()));
                self
            }

            /// A name and a value that limits, lists and pages can speak of.
            #[track_caller]
            #[allow(clippy::return_self_not_must_use, reason = "as above")]
            pub fn tag(
                self,
                name: impl ::core::convert::Into<::std::string::String>,
                value: impl ::core::convert::Into<::std::string::String>,
            ) -> Self {
                $crate::__private::say(&self, $crate::__private::CallOption::Tag(name.into(), value.into()));
                self
            }

            /// Starts only once `before` has ended; nothing is read from it.
            #[track_caller]
            #[allow(clippy::return_self_not_must_use, reason = "as above")]
            pub fn after(self, before: impl $crate::__private::Handles) -> Self {
                $crate::__private::after(&self, &before);
                self
            }
        }
    };
}

__call_options!(Out<T>);
__call_options!(DynamicOut<T>);
__call_options!(Done);
__call_options!(Wrong);

/// Says something about the call that made a handle.
#[track_caller]
pub fn say(handle: &impl Handles, option: CallOption) {
    if let Some(raw) = handle.raws().first() {
        build::option(*raw, option);
    }
}

/// Orders the call that made a handle after the end of others.
#[track_caller]
pub fn after(handle: &impl Handles, before: &impl Handles) {
    if let Some(raw) = handle.raws().first() {
        build::after(*raw, &before.raws());
    }
}
