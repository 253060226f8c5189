//! Must-see counters: how often a run of random jobs met each case that it exists for.
//!
//! A harness that never meets a case does not test it, so zero for one of them fails the run.

use std::collections::BTreeMap;
use std::fmt;

use super::plan::{Expr, Handle, Input, Let, Plan};
use super::scope::{Depths, settle};

/// A case that must be met.
pub trait Case: Copy + Ord + 'static {
    /// Every case, in the order in which they are printed.
    const ALL: &[Self];

    /// The case in words.
    fn text(self) -> &'static str;
}

macro_rules! cases {
    ($(#[$doc:meta])* $name:ident: $($case:ident $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is worded in its text")]
        pub enum $name { $($case,)* }

        impl Case for $name {
            const ALL: &[Self] = &[$($name::$case,)*];

            fn text(self) -> &'static str {
                match self { $($name::$case => $text,)* }
            }
        }
    };
}

cases! {
    /// What a plan comes to.
    Sight:
    SkipBeforeFailure "skip before failure",
    OptionGivenNothing "skipped `Option` parameter",
    ListWithSkipped "static list with a skipped entry",
    EmptyFanOut "empty fan-out",
    EmptyAndFailed "empty and failed argument",
    AllSkippedCollect "collect with all entries skipped",
    TolerantWithFailure "tolerant collect with a failure",
    FailuresAllHandled "run that succeeds in spite of a failed step",
    FoldWithFailed "fold with a failed item",
    FoldWithSkipped "fold with a skipped item",
    FoldFailed "fold whose op fails",
    RetriedStep "step that succeeds after a retry",
    RetriesUsedUp "step that fails after its last retry",
    RetriedEmitter "retried emitter",
    ItemChanged "item superseded by another value",
    ItemGone "item superseded, not yielded again",
    EmitterFailedAfterItems "emitter failing for good after items",
    SkippedFanOut "dynamic output that gives nothing",
    BadKey "bad key",
    DuplicateKey "duplicate key",
    HostileKey "hostile key",
    ZipMatched "zip that matches",
    ZipMismatch "zip mismatch",
    Product "product",
    ProductWithItself "product of a fan-out with itself",
    ProductOfFailed "product with a failed emitter",
    NestedCollect "collect inside a closure",
    FlatCollect "flat collect of nested fan-outs",
    DeepFrame "frame three fan-outs deep",
    OuterRepeated "outer handle repeated by key",
    Hoisted "step outside the closure that calls it",
    ItemAndWholeList "item and whole list to one step",
    Graph "sub-graph",
    FailFast "fail_fast with a failure",
}

cases! {
    /// What is done in driving a run.
    Deed:
    Chained "steps handed on in a frame",
    PassedOn "value passed on",
    Batched "batch",
    Split "batch split",
    GivenBack "step given back unbegun",
    FoldedSeveral "fold of several items at once",
    WantedRoom "emitter that wants room",
    Waited "emitter that waits",
    YieldedEarly "items seen before their poll has ended",
    PolledAlone "emitter polled while nothing else goes on",
    Stopped "step told to stop",
    Dropped "emitter dropped",
    CancelledAtOnce "cancel at once",
    CancelledWithGrace "cancel with steps in flight",
    CancelledIdle "cancel with nothing in flight",
    LimitReached "limit reached",
    ChosenAmong "step chosen among others",
    BudgetUsedUp "budget of open items used up",
}

cases! {
    /// What is done to a recorded run.
    Feat:
    EmitterResumed "emitter resumed",
    RetriedEmitterResumed "retried emitter resumed",
    FoldedAgain "fold folded again",
    TolerantAfterResume "tolerant collect after a resume",
    SupersededByResume "item superseded by a resume",
    Remade "transient step made again",
    Recalled "step read back",
    ItemsRecalled "items read back",
    Sabotaged "attempt made to fail",
    CutInEmitter "cut in an emitter",
    CutInHeldEmitter "cut in an emitter that holds items back",
    CutBeforeCopies "cut between an emitter's success and its items' copies",
    CutAtNothing "cut before the first commit",
    CutAgain "cut of a session that was resumed after a cut",
    CommitsLost "commits lost with the process",
    ResumedAfterFailure "resume after a final failure",
    ResumedAfterCancel "resume after a cancel",
    ZipOverResumed "zip over a resumed emitter",
    ProductOverResumed "product over a resumed emitter",
    SkippedAgain "skipped step skipped again",
    RetryWaitsOn "retry that waits on after a resume",
}

/// How often each case was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts<C>(BTreeMap<C, u64>);

/// What plans came to.
pub type Sightings = Counts<Sight>;

impl<C> Default for Counts<C> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<C: Case> Counts<C> {
    /// Counts one.
    pub fn note(&mut self, case: C) {
        *self.0.entry(case).or_default() += 1;
    }

    /// Counts one where `met`.
    pub fn note_if(&mut self, met: bool, case: C) {
        if met {
            self.note(case);
        }
    }

    /// How often `case` was met.
    pub fn count(&self, case: C) -> u64 {
        self.0.get(&case).copied().unwrap_or(0)
    }

    /// Adds what another run met.
    pub fn add(&mut self, other: &Self) {
        for (case, count) in &other.0 {
            *self.0.entry(*case).or_default() += count;
        }
    }

    /// The cases never met.
    pub fn missing(&self) -> Vec<&'static str> {
        C::ALL.iter().filter(|case| self.count(**case) == 0).map(|case| case.text()).collect()
    }
}

impl<C: Case> fmt::Display for Counts<C> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, case) in C::ALL.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(out, "{comma}{} {}", case.text(), self.count(*case))?;
        }
        Ok(())
    }
}

/// The cases that show in the plan itself, whatever comes of it.
pub fn sightings_of_plan(plan: &Plan) -> Sightings {
    let mut look =
        Look { depths: settle(plan).depths, around: vec![], lists: vec![], seen: Sightings::default() };
    look.at(&plan.body);
    look.seen
}

struct Look {
    depths: Depths,
    /// The fan-outs mapped around.
    around: Vec<Handle>,
    /// Collects with what they collect.
    lists: Vec<(Handle, Handle)>,
    seen: Sightings,
}

impl Look {
    fn at(&mut self, lets: &[Let]) {
        for Let { binds, expr } in lets {
            match expr {
                Expr::Map(map) => {
                    self.seen.note_if(self.around.contains(&map.over), Sight::ProductWithItself);
                    self.around.push(map.over);
                    self.at(&map.body);
                    self.around.pop();
                }
                Expr::Graph { body, .. } => {
                    self.seen.note(Sight::Graph);
                    self.at(body);
                }
                Expr::Collect { over, .. } => self.lists.push((binds[0], *over)),
                Expr::Op(op) => {
                    let (lists, around) = (&self.lists, self.around.last());
                    let of_around =
                        |list: Handle| lists.iter().any(|(l, over)| *l == list && Some(over) == around);
                    let whole_list =
                        op.inputs.iter().any(|input| matches!(input, Input::One(list) if of_around(*list)));
                    let copied = self.depths[&binds[0]] == self.around.len();
                    self.seen.note_if(whole_list && copied, Sight::ItemAndWholeList);
                    self.seen.note_if(!copied, Sight::Hoisted);
                }
                Expr::Argument(_) | Expr::Fold(_) | Expr::Zip { .. } => {}
            }
        }
    }
}
