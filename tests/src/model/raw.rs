//! What proptest generates and shrinks: the genotype of a plan.
//!
//! Every raw body stands for a valid plan ([`super::generate`]): handles are picks, counted back
//! from the most recent one that fits, so that removing a let or lowering a number always leaves
//! a plan. Shrinking goes towards fewer lets, plain ops and the most recent handle.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use super::plan::{Backoff, Compute, Failing, Failure, Form, JobOptions, Retry, Rule};

/// A handle, as the number of fitting ones bound after it.
pub(super) type Pick = u8;

#[derive(Clone, Debug)]
pub(super) struct RawPlan {
    pub(super) options: JobOptions,
    pub(super) body: Vec<RawLet>,
    pub(super) outputs: Vec<Pick>,
}

#[derive(Clone, Debug)]
pub(super) enum RawLet {
    Op(RawOp),
    /// `over.map(op)` by name (§1.8).
    Chain(Pick, RawOp),
    /// With an op that reads it at once.
    Collect(Pick, Form, Option<RawOp>),
    Emit(RawEmit),
    Argument(i64),
    Fold(Pick, i64, Option<Rule>),
    Zip(Pick, Pick),
    Map(RawMap),
    /// `over.map(op).collect_results()` (§4.5).
    Tolerate(Pick, RawOp),
    /// `d.map(|x| op(x, d.collect()))` (§1.11).
    WithWholeList(Pick, RawOp),
    Graph(bool, Vec<RawLet>),
}

#[derive(Clone, Debug)]
pub(super) struct RawMap {
    /// An emitter to map over; without one, an earlier fan-out.
    pub(super) fresh: Option<RawEmit>,
    pub(super) over: Pick,
    pub(super) body: Vec<RawLet>,
    pub(super) returns: Vec<Pick>,
}

#[derive(Clone, Debug)]
pub(super) struct RawCall {
    pub(super) function: usize,
    pub(super) inputs: Vec<RawInput>,
    pub(super) failing: Failing,
    pub(super) options: RawOptions,
}

#[derive(Clone, Debug)]
pub(super) struct RawOp {
    pub(super) call: RawCall,
    pub(super) compute: Compute,
    pub(super) nothing_when: Option<Rule>,
}

impl RawOp {
    /// The op with `picks` before its other inputs.
    pub(super) fn reading(&self, picks: &[Pick]) -> RawOp {
        let mut op = self.clone();
        op.call.inputs.splice(0..0, picks.iter().copied().map(RawInput::One));
        op
    }
}

#[derive(Clone, Debug)]
pub(super) enum RawInput {
    One(Pick),
    Constant(i64),
    Maybe(Pick),
    List(Vec<Pick>),
}

#[derive(Clone, Debug)]
pub(super) struct RawOptions {
    pub(super) named: Option<usize>,
    pub(super) after: Option<Pick>,
    pub(super) retry: Option<Retry>,
    pub(super) retry_at_call: Option<Retry>,
    pub(super) priority: i32,
    pub(super) pool: Option<usize>,
    pub(super) tag: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct RawEmit {
    pub(super) call: RawCall,
    pub(super) keys: RawKeys,
    pub(super) flaw: Option<RawFlaw>,
    /// Attempts that fail, before the one that does not.
    pub(super) tries: Vec<RawTry>,
    pub(super) drops_when: Option<Rule>,
    pub(super) nothing_when: Option<Rule>,
    pub(super) held: bool,
}

impl RawEmit {
    /// For the first emitter, without which most of a plan would never start.
    fn that_succeeds(mut self) -> RawEmit {
        self.call.failing = Failing { first: 0, when: None, how: Failure::Error };
        (self.flaw, self.tries, self.nothing_when) = (None, vec![], None);
        self
    }
}

/// A run of keys out of one alphabet; overlapping runs meet in zips.
#[derive(Clone, Debug)]
pub(super) struct RawKeys {
    pub(super) alphabet: usize,
    pub(super) start: usize,
    pub(super) count: usize,
    pub(super) backwards: bool,
}

/// A key that fails the emitter, put before item `at`.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawFlaw {
    pub(super) at: usize,
    pub(super) kind: Flaw,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Flaw {
    Duplicate,
    Empty,
    Control,
    TooLong,
}

#[derive(Clone, Debug)]
pub(super) struct RawTry {
    pub(super) yields: usize,
    pub(super) alters: Option<usize>,
    pub(super) adds: bool,
    pub(super) how: Failure,
}

/// Deepest nesting of closures and graphs.
const NESTING: u32 = 4;

pub(super) fn raw_plans() -> impl Strategy<Value = RawPlan> {
    (job_options(), weighted(0.9, emit()), lets(NESTING, 1..14), vec(pick(), 0..3)).prop_map(
        |(options, first, mut body, outputs)| {
            body.splice(0..0, first.map(|emit| RawLet::Emit(emit.that_succeeds())));
            RawPlan { options, body, outputs }
        },
    )
}

fn job_options() -> impl Strategy<Value = JobOptions> {
    let limits = || vec(1..4_u32, 2);
    let flags = (weighted_bool(0.3), weighted_bool(0.1));
    (1..9_u32, limits(), limits(), flags, weighted(0.2, retry())).prop_map(
        |(max_concurrent, pools, tags, (breadth_first, fail_fast), retry)| JobOptions {
            max_concurrent,
            pools,
            tags,
            breadth_first,
            fail_fast,
            retry,
        },
    )
}

fn lets(nesting: u32, count: std::ops::Range<usize>) -> BoxedStrategy<Vec<RawLet>> {
    let flat = prop_oneof![
        5 => op().prop_map(RawLet::Op),
        4 => (pick(), op()).prop_map(|(over, op)| RawLet::Chain(over, op)),
        4 => (pick(), form(), weighted(0.6, op())).prop_map(|(over, form, reader)| RawLet::Collect(over, form, reader)),
        3 => emit().prop_map(RawLet::Emit),
        1 => (0..10_i64).prop_map(RawLet::Argument),
        2 => (pick(), 0..10_i64, weighted(0.15, rule())).prop_map(|(over, init, fails)| RawLet::Fold(over, init, fails)),
        2 => (pick(), pick()).prop_map(|(left, right)| RawLet::Zip(left, right)),
        1 => (pick(), op()).prop_map(|(over, op)| RawLet::Tolerate(over, op)),
        1 => (pick(), op()).prop_map(|(over, op)| RawLet::WithWholeList(over, op)),
    ]
    .boxed();
    if nesting == 0 {
        return vec(flat, count).boxed();
    }
    let map = (weighted(0.4, emit()), pick(), lets(nesting - 1, 0..5), vec(pick(), 0..3))
        .prop_map(|(fresh, over, body, returns)| RawMap { fresh, over, body, returns })
        .boxed();
    let nested = prop_oneof![
        18 => flat,
        8 => map.prop_map(RawLet::Map),
        1 => (any::<bool>(), lets(nesting - 1, 1..4)).prop_map(|(which, body)| RawLet::Graph(which, body)),
    ];
    vec(nested, count).boxed()
}

fn call() -> BoxedStrategy<RawCall> {
    let inputs = prop_oneof![4 => vec(input(), 1..2), 3 => vec(input(), 2..4), 1 => vec(input(), 0..1)];
    (0..4_usize, inputs, failing(), options())
        .prop_map(|(function, inputs, failing, options)| RawCall { function, inputs, failing, options })
        .boxed()
}

fn op() -> BoxedStrategy<RawOp> {
    let compute = prop_oneof![3 => Just(Compute::Mix), 1 => Just(Compute::Sum), 1 => Just(Compute::Gather)];
    (call(), compute, weighted(0.2, rule()))
        .prop_map(|(call, compute, nothing_when)| RawOp { call, compute, nothing_when })
        .boxed()
}

fn emit() -> BoxedStrategy<RawEmit> {
    let tries = prop_oneof![4 => Just(vec![]), 1 => vec(a_try(), 1..4)];
    let rules = (weighted(0.2, rule()), weighted(0.08, rule()));
    (call(), keys(), weighted(0.06, flaw()), tries, rules, weighted_bool(0.25))
        .prop_map(|(call, keys, flaw, tries, (drops_when, nothing_when), held)| RawEmit {
            call,
            keys,
            flaw,
            tries,
            drops_when,
            nothing_when,
            held,
        })
        .boxed()
}

fn a_try() -> impl Strategy<Value = RawTry> {
    (0..7_usize, weighted(0.4, 0..6_usize), weighted_bool(0.2), failure())
        .prop_map(|(yields, alters, adds, how)| RawTry { yields, alters, adds, how })
}

fn keys() -> BoxedStrategy<RawKeys> {
    let alphabet = prop_oneof![3 => Just(0_usize), 2 => Just(1), 1 => Just(2)];
    let start = prop_oneof![3 => Just(0_usize), 1 => 1..3_usize];
    let count = prop_oneof![5 => 1..4_usize, 1 => 4..7_usize, 1 => Just(0)];
    (alphabet, start, count, weighted_bool(0.2))
        .prop_map(|(alphabet, start, count, backwards)| RawKeys { alphabet, start, count, backwards })
        .boxed()
}

fn flaw() -> impl Strategy<Value = RawFlaw> {
    let kind = prop_oneof![
        2 => Just(Flaw::Duplicate),
        1 => Just(Flaw::Empty),
        1 => Just(Flaw::Control),
        1 => Just(Flaw::TooLong),
    ];
    (0..4_usize, kind).prop_map(|(at, kind)| RawFlaw { at, kind })
}

fn input() -> impl Strategy<Value = RawInput> {
    prop_oneof![
        8 => pick().prop_map(RawInput::One),
        1 => (0..10_i64).prop_map(RawInput::Constant),
        1 => pick().prop_map(RawInput::Maybe),
        1 => vec(pick(), 0..4).prop_map(RawInput::List),
    ]
}

fn options() -> BoxedStrategy<RawOptions> {
    let names = (weighted(0.06, 0..4_usize), weighted(0.06, pick()));
    let retries = (weighted(0.45, retry()), weighted(0.1, retry()));
    let priority = prop_oneof![5 => Just(0), 1 => -2..3, 1 => prop_oneof![Just(i32::MIN), Just(i32::MAX)]];
    (names, retries, priority, weighted(0.15, 0..2_usize), weighted(0.1, 0..2_usize))
        .prop_map(|((named, after), (retry, retry_at_call), priority, pool, tag)| RawOptions {
            named,
            after,
            retry,
            retry_at_call,
            priority,
            pool,
            tag,
        })
        .boxed()
}

fn failing() -> BoxedStrategy<Failing> {
    let first = prop_oneof![6 => Just(0_u32), 1 => 1..4_u32];
    (first, weighted(0.15, rule()), failure())
        .prop_map(|(first, when, how)| Failing { first, when, how })
        .boxed()
}

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        5 => Just(Failure::Error),
        1 => Just(Failure::Panic),
        1 => (0..100_u64).prop_map(Failure::RetryAfter),
        1 => Just(Failure::Permanent),
    ]
}

fn retry() -> impl Strategy<Value = Retry> {
    let backoff = prop_oneof![Just(Backoff::None), Just(Backoff::Linear), Just(Backoff::Exponential)];
    // Backoff without a delay is contradictory (§4.7).
    (0..4_u32, 1..100_u64, backoff).prop_map(|(max, delay, backoff)| Retry { max, delay, backoff })
}

fn rule() -> impl Strategy<Value = Rule> {
    (2..6_i64, 0..6_i64).prop_map(|(modulus, rest)| Rule { modulus, rest: rest % modulus })
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![4 => Just(Form::List), 1 => Just(Form::Keyed), 2 => Just(Form::Results)]
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![3 => Just(0), 2 => 0..10_u8]
}

fn weighted_bool(probability: f64) -> impl Strategy<Value = bool> {
    proptest::bool::weighted(probability)
}
