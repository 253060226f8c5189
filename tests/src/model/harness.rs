//! Runs a check on many random plans, shrinks the first that fails, and says how to run it again.

use std::cell::Cell;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::generate::plans;
use super::plan::Plan;
use super::shrink::smaller;

/// Seeds to run: case n has the seed `first + n`, and each can be run again alone.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The seed of the first case.
    pub first: u64,
    /// How many.
    pub cases: u64,
}

/// Tries to make a failing plan smaller; one that fails slowly is still reported in time.
const SHRINKS: usize = 5_000;

impl Campaign {
    /// `cases` seeds from a fixed one on; or what `FANFOLD_SEED` and `FANFOLD_CASES` say, one
    /// case by default where a seed is given.
    pub fn of(cases: u64) -> Campaign {
        let number = |name| {
            let text = std::env::var(name).ok()?;
            Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
        };
        let seed = number("FANFOLD_SEED");
        let cases = number("FANFOLD_CASES").unwrap_or(if seed.is_some() { 1 } else { cases });
        Campaign { first: seed.unwrap_or(1), cases }
    }

    /// Whether so many cases are run that each must-see counter must be above zero.
    pub fn is_whole(&self) -> bool {
        self.cases >= 1_000
    }

    /// Gives every plan with its seed to `check`.
    ///
    /// # Panics
    /// On the first that fails, with the smallest plan found and the command that runs it again
    /// in the test target `target`.
    pub fn run<E: Display>(&self, target: &str, mut check: impl FnMut(&Plan, u64) -> Result<(), E>) {
        let plans = plans();
        for seed in self.first..self.first + self.cases {
            let mut tree = plans.new_tree(&mut runner(seed)).expect("nothing is rejected");
            let plan = tree.current();
            if let Err(failure) = caught(&mut check, &plan, seed) {
                eprintln!("FANFOLD_SEED={seed} fails, and is made smaller: {failure}");
                let (plan, failure) =
                    shrunk(&mut tree, (plan, failure), |plan| caught(&mut check, plan, seed));
                panic!(
                    "{failure}\n\n{plan}\nagain: FANFOLD_SEED={seed} cargo test -p fanfold-tests {target}\n"
                );
            }
        }
    }
}

/// The plan of one seed.
pub fn plan_of(seed: u64) -> Plan {
    plans().new_tree(&mut runner(seed)).expect("nothing is rejected").current()
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0x5a; 16];
    bytes[..8].copy_from_slice(&seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    bytes[8..].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::XorShift, &bytes))
}

/// A panic is a failure that can be shrunk as well.
fn caught<E: Display>(
    check: &mut impl FnMut(&Plan, u64) -> Result<(), E>,
    plan: &Plan,
    seed: u64,
) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let shown = take_hook();
        set_hook(Box::new(move |panic| match CHECKING.get() {
            true => PANIC.set(panic.to_string()),
            false => shown(panic),
        }));
    });
    CHECKING.set(true);
    let checked = catch_unwind(AssertUnwindSafe(|| check(plan, seed).map_err(|error| error.to_string())));
    CHECKING.set(false);
    checked.unwrap_or_else(|_| Err(PANIC.take()))
}

thread_local! {
    /// Whether panics are failures of a check, to be shown when it has been made small.
    static CHECKING: Cell<bool> = const { Cell::new(false) };
    static PANIC: Cell<String> = const { Cell::new(String::new()) };
}

fn shrunk(
    tree: &mut impl ValueTree<Value = Plan>,
    mut smallest: (Plan, String),
    mut check: impl FnMut(&Plan) -> Result<(), String>,
) -> (Plan, String) {
    let mut goes_on = tree.simplify();
    for _ in 0..SHRINKS {
        if !goes_on {
            break;
        }
        let plan = tree.current();
        goes_on = match check(&plan) {
            Ok(()) => tree.complicate(),
            Err(failure) => {
                smallest = (plan, failure);
                tree.simplify()
            }
        };
    }
    for _ in 0..SHRINKS {
        let fails = |plan: Plan| check(&plan).err().map(|failure| (plan, failure));
        let found = smaller(&smallest.0).find_map(fails);
        match found {
            Some(found) => smallest = found,
            None => break,
        }
    }
    smallest
}
