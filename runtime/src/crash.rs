//! Points at which a test lets the process die, as `kill -9` would at that very instant.
//!
//! They are there only with the feature `crash-points`, which nothing but fanfold's own tests turns
//! on: else a point is no code at all. `FANFOLD_CRASH=name:n` kills at the n-th passing of a point.

/// A point that a test can let the process die at.
macro_rules! crash_point {
    ($name:literal) => {
        #[cfg(feature = "crash-points")]
        $crate::crash::pass($name);
    };
    ($name:literal if $condition:expr) => {
        #[cfg(feature = "crash-points")]
        if $condition {
            $crate::crash::pass($name);
        }
    };
}

pub(crate) use crash_point;

#[cfg(feature = "crash-points")]
pub use armed::POINTS;
#[cfg(feature = "crash-points")]
pub(crate) use armed::pass;

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    /// All points, in about the order in which a run comes to them.
    pub const POINTS: &[&str] = &[
        "run_locked",
        "run_entered",
        "run_begun",
        "take_locked",
        "take_epoch_raised",
        "take_begun",
        "resume_taken",
        "resume_known",
        "first_event",
        "first_event_recorded",
        "before_encode",
        "after_encode",
        "before_transaction",
        "in_transaction",
        "before_acknowledgement",
        "after_commit",
        "after_telling",
        "blob_unnamed",
        "blob_renamed",
        "blob_named",
        "grant_in_hand",
        "before_step",
        "after_step",
        "step_encoded",
        "recalled",
        "before_poll",
        "items_given",
        "items_opened",
        "retry_recorded",
        "before_run_ended",
        "after_run_ended",
        "before_release",
        "after_release",
        "before_checkpoint",
        "after_checkpoint",
        "live_removed",
    ];

    struct Plan {
        point: String,
        passing: u64,
    }

    /// Dies, if this is the passing that was asked for.
    #[inline]
    pub(crate) fn pass(name: &str) {
        static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
        static PASSED: AtomicU64 = AtomicU64::new(0);
        debug_assert!(POINTS.contains(&name), "{name} is not among the points");
        if let Some(plan) = PLAN.get_or_init(plan)
            && plan.point == name
            && PASSED.fetch_add(1, Relaxed) + 1 == plan.passing
        {
            die();
        }
    }

    fn plan() -> Option<Plan> {
        let said = std::env::var("FANFOLD_CRASH").ok()?;
        let (point, passing) = said.split_once(':').unwrap_or((&said, "1"));
        assert!(POINTS.contains(&point), "FANFOLD_CRASH={said}: there is no such point");
        let passing = passing.parse().expect("FANFOLD_CRASH=name:n, where n is a number");
        Some(Plan { point: point.to_owned(), passing })
    }

    /// Dies as by `kill -9`: nothing is flushed, dropped or told.
    #[cfg(unix)]
    fn die() -> ! {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort()
    }

    #[cfg(not(unix))]
    fn die() -> ! {
        std::process::abort()
    }
}
