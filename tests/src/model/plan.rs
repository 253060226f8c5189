//! A job as plain data: a list of lets, each an expression over the handles bound before it.
//!
//! A plan says what the body of a job would *call*, in call order. Scopes ([`super::scope`]) and
//! step names ([`super::names`]) follow from it.

/// What a let binds, one value or a fan-out; unique in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handle(pub usize);

/// A whole job.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What stands in `#[job(…)]`.
    pub options: JobOptions,
    /// The body, run once, symbolically (§1.1).
    pub body: Vec<Let>,
    /// What the job returns: single handles of the job's own scope.
    pub outputs: Vec<Handle>,
}

/// Options of the job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobOptions {
    /// Steps in flight at most (§3.5).
    pub max_concurrent: u32,
    /// Limits of the pools 0, 1, …
    pub pools: Vec<u32>,
    /// Limits of the tag values 0, 1, …
    pub tags: Vec<u32>,
    /// Start breadth-first instead of depth-first (§3.4).
    pub breadth_first: bool,
    /// Start nothing more after the first failure (§4.3).
    pub fail_fast: bool,
    /// Policy of every op that has none (§4.7).
    pub retry: Option<Retry>,
}

/// One statement of a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// One handle; for a map one for each handle that its body returns; none for a graph.
    pub binds: Vec<Handle>,
    /// What is called.
    pub expr: Expr,
}

/// What a body can call.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A job argument with the value of this run.
    Argument(i64),
    /// A call of an op; binds a fan-out if its work is to emit.
    Op(Box<Op>),
    /// `over.map(|items| { body; returns })`.
    Map(Map),
    /// `over.collect()` and its relatives.
    Collect {
        /// The fan-out.
        over: Handle,
        /// Which relative.
        form: Form,
    },
    /// `over.fold(init, op)`.
    Fold(Fold),
    /// `left.zip(right)`: a fan-out of pairs.
    Zip {
        /// Gives the order.
        left: Handle,
        /// Has the same number of key parts.
        right: Handle,
    },
    /// A call of a `#[graph]`. Its body's handles stay visible: it may return any of them.
    Graph {
        /// Name of the function.
        function: &'static str,
        /// What it calls.
        body: Vec<Let>,
    },
}

/// A map with its closure.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// The fan-out.
    pub over: Handle,
    /// Parameters of the closure: one, or two over a zip.
    pub items: Vec<Handle>,
    /// The closure, run once (§1.1).
    pub body: Vec<Let>,
    /// Nothing, a handle or a tuple of them, single or dynamic, of any visible scope (§1.7).
    pub returns: Vec<Handle>,
}

/// The three collects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `collect`: the values.
    List,
    /// `collect_keyed`: key and value.
    Keyed,
    /// `collect_results`: key and result, failures taken (§4.5).
    Results,
}

/// A fold: one step, in yield order (§1.12).
#[derive(Clone, Debug, PartialEq)]
pub struct Fold {
    /// The fan-out.
    pub over: Handle,
    /// The value of an empty one.
    pub init: i64,
    /// Name of the op that combines accumulator and item.
    pub function: &'static str,
    /// Items on which the combination fails.
    pub fails_when: Option<Rule>,
}

/// A call of an op with all its options.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// Name of the function.
    pub function: &'static str,
    /// `.named("…")`.
    pub named: Option<String>,
    /// Arguments in order.
    pub inputs: Vec<Input>,
    /// `.after(…)`: single handles.
    pub after: Vec<Handle>,
    /// What it does when all goes well.
    pub work: Work,
    /// When it fails instead.
    pub failing: Failing,
    /// Policy of the op.
    pub retry: Option<Retry>,
    /// Policy given at the call, which beats the op's.
    pub retry_at_call: Option<Retry>,
    /// Higher starts first (§3.4).
    pub priority: i32,
    /// Index into [`JobOptions::pools`].
    pub pool: Option<usize>,
    /// Index into [`JobOptions::tags`].
    pub tag: Option<usize>,
}

/// An argument of an op.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A plain value (§1.6).
    Constant(i64),
    /// One handle.
    One(Handle),
    /// A handle for an `Option<T>` parameter, which may be skipped.
    Maybe(Handle),
    /// A static list of handles for a `Vec<T>` parameter (§1.6).
    List(Vec<Handle>),
}

/// What an op does with its inputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Gives one value.
    Single {
        /// Which value.
        compute: Compute,
        /// Inputs for which an optional output gives nothing instead (§4.2).
        nothing_when: Option<Rule>,
    },
    /// Gives items.
    Emit(Emitter),
}

/// Total functions of all inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compute {
    /// A number that depends on every input and on their order.
    Mix,
    /// The sum of all numbers in the inputs.
    Sum,
    /// The entries of the inputs, one after the other: shows the order of a collect.
    Gather,
}

/// What a dynamic op yields.
#[derive(Clone, Debug, PartialEq)]
pub struct Emitter {
    /// One for each attempt; the last stands for all further ones.
    pub attempts: Vec<Emission>,
    /// Items left out: the rule is asked about the inputs' number plus the item's index.
    pub drops_when: Option<Rule>,
    /// Inputs for which an optional dynamic output gives nothing at all (§4.2).
    pub nothing_when: Option<Rule>,
    /// Returns a `Vec`, or says `streaming = false`: yields at its end (§3.2).
    pub held: bool,
}

/// What a dynamic op yields on one attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    /// Keys, bad ones among them, with the number that is mixed with the inputs' number.
    pub items: Vec<(String, i64)>,
    /// How it fails after the last of them.
    pub fails: Option<Failure>,
}

/// When an op fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Failing {
    /// So many attempts fail at once, counted from the first.
    pub first: u32,
    /// Inputs on which every attempt fails.
    pub when: Option<Rule>,
    /// How it fails.
    pub how: Failure,
}

/// How an op fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Returns an error.
    Error,
    /// Says "do not retry this".
    Permanent,
    /// Says "retry after this long", in milliseconds.
    RetryAfter(u64),
    /// Panics.
    Panic,
}

/// Holds for the numbers that leave `rest` when divided by `modulus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// At least 1.
    pub modulus: i64,
    /// Below the modulus.
    pub rest: i64,
}

impl Rule {
    /// Whether it holds for `number`.
    pub fn holds(self, number: i64) -> bool {
        number.rem_euclid(self.modulus) == self.rest
    }
}

/// A retry policy (§4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Retry {
    /// Attempts after the first.
    pub max: u32,
    /// In milliseconds.
    pub delay: u64,
    /// How the delay grows.
    pub backoff: Backoff,
}

/// How the delay before retry n grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backoff {
    /// `delay`.
    None,
    /// `n·delay`.
    Linear,
    /// `(2ⁿ−1)·delay`.
    Exponential,
}
