//! A plan as a graph of the engine's, made through the builder that the typed handles call.
//!
//! An op learns which call of the plan it is from its first input, a constant; a fold from its
//! accumulator. So each function here is one function for all plans, run as a user's op is run.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfold::define::{
    BoxFuture, Emission, Inputs, JobDef, OpDef, OutputDef, OutputKind, Outputs, ParamDef, Run,
};
use fanfold::graph::build::{self, CallOption, Raw, RawInput};
use fanfold::graph::{BuildErrors, Gather, Graph};
use fanfold::machine::Limits;
use fanfold::{
    AnyValue, CodecError, Gathered, JobOptions, Key, OpContext, OpError, OpOptions, PoolLimit, RetryPolicy,
    StepFailure, StepName, TypeInfo,
};

use super::drive::pause;
use super::perform::{Performed, combine, perform};
use super::plan::{
    Backoff, Emitter, Expr, Failure, Fold, Form, Handle, Input, Let, Map, Op, Plan, Retry, Work,
};
use super::value::Value;

/// A graph with the values of its arguments.
#[derive(Debug)]
pub struct Built {
    /// The graph.
    pub graph: Arc<Graph>,
    /// The arguments, in order.
    pub args: Vec<AnyValue>,
}

/// Builds the graph of a plan.
///
/// # Errors
/// The builder refuses the plan.
pub fn to_graph(plan: &Plan) -> Result<Built, BuildErrors> {
    to_graph_with(plan, Besides::default())
}

/// What a plan does not say of its ops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Besides {
    /// The timeout of every third.
    pub timeout: Option<Duration>,
    /// Whether what some of them give is never recorded.
    pub transient: bool,
}

/// Builds the graph of a plan.
///
/// # Errors
/// The builder refuses the plan.
pub fn to_graph_with(plan: &Plan, besides: Besides) -> Result<Built, BuildErrors> {
    let (singles, fans, args) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    let mut builder = Builder { singles, fans, args, besides };
    let graph = build::build_with(job(plan.options.retry), || {
        builder.block(&plan.body);
        plan.outputs.iter().map(|output| builder.singles[output]).collect()
    })?;
    Ok(Built { graph: Arc::new(graph), args: builder.args })
}

/// The name of a plan's pool.
pub fn pool_name(index: usize) -> &'static str {
    ["first", "second"][index]
}

/// Name and value of a plan's tag.
pub fn tag_name(index: usize) -> (&'static str, &'static str) {
    ("team", ["red", "blue"][index])
}

/// The limits of a plan's job.
pub fn limits(plan: &Plan) -> Limits {
    let pool = |(index, max): (usize, &u32)| {
        (pool_name(index).to_owned(), PoolLimit { max: Some(*max), rate: None })
    };
    let tag = |(index, max): (usize, &u32)| {
        let (name, value) = tag_name(index);
        ((name.to_owned(), value.to_owned()), *max)
    };
    Limits {
        max_concurrent: plan.options.max_concurrent,
        pools: plan.options.pools.iter().enumerate().map(pool).collect(),
        tags: plan.options.tags.iter().enumerate().map(tag).collect(),
    }
}

/// A value of a run as the model's.
pub fn read(value: &AnyValue) -> Value {
    if let Some(value) = value.downcast_ref::<Value>() {
        value.clone()
    } else if let Some(folded) = value.downcast_ref::<Folded>() {
        folded.value.clone()
    } else if let Some(Gathered(values)) = value.downcast_ref() {
        Value::List(values.iter().map(read).collect())
    } else {
        panic!("a value that no op of a plan gives")
    }
}

struct Builder {
    singles: BTreeMap<Handle, Raw>,
    /// With the number of parts of their keys.
    fans: BTreeMap<Handle, (Raw, usize)>,
    args: Vec<AnyValue>,
    besides: Besides,
}

impl Builder {
    fn block(&mut self, lets: &[Let]) {
        for Let { binds, expr } in lets {
            match expr {
                Expr::Argument(number) => {
                    let raw = build::argument(self.args.len() as u32, TypeInfo::of::<Value>());
                    self.args.push(Arc::new(Value::Number(*number)));
                    self.singles.insert(binds[0], raw);
                }
                Expr::Op(op) => self.op(binds[0], op),
                Expr::Map(map) => self.map(binds, map),
                Expr::Collect { over, form } => {
                    let (raw, parts) = self.fans[over];
                    let collected =
                        build::gather(raw, gather(*form, parts), TypeInfo::of::<Value>(), "collect");
                    self.singles.insert(binds[0], collected);
                }
                Expr::Fold(fold) => {
                    let first = Folded { fold: Arc::new(fold.clone()), value: Value::Number(fold.init) };
                    let op = op_def(Shape::of_fold(fold));
                    let folded =
                        build::fold(self.fans[&fold.over].0, RawInput::Constant(Arc::new(first)), op);
                    self.singles.insert(binds[0], folded);
                }
                Expr::Zip { left, right } => {
                    let ((left, parts), (right, _)) = (self.fans[left], self.fans[right]);
                    self.fans.insert(binds[0], (build::zip(left, right), parts));
                }
                Expr::Graph { function, body } => {
                    build::enter_graph(function);
                    self.block(body);
                    build::leave_graph();
                }
            }
        }
    }

    fn map(&mut self, binds: &[Handle], map: &Map) {
        let (over, parts) = self.fans[&map.over];
        let mut inner_parts = Vec::new();
        let mapped = build::map(over, |items| {
            self.singles.extend(map.items.iter().copied().zip(items.iter().copied()));
            self.block(&map.body);
            let returned = map.returns.iter().map(|returned| match self.singles.get(returned) {
                Some(raw) => (*raw, 0),
                None => self.fans[returned],
            });
            let (raws, parts) = returned.unzip();
            inner_parts = parts;
            raws
        });
        for ((bind, raw), inner) in binds.iter().zip(mapped).zip(inner_parts) {
            self.fans.insert(*bind, (raw, parts + inner));
        }
    }

    fn op(&mut self, bind: Handle, op: &Op) {
        let emits = matches!(op.work, Work::Emit(_));
        let held = matches!(op.work, Work::Emit(Emitter { held: true, .. }));
        // Both ways to say the same, told apart by a number that shrinking does not change.
        let (as_list, by_option) = (held && bind.0.is_multiple_of(2), bind.0.is_multiple_of(3));
        let call = Call { op: op.clone(), as_list };
        let given = op.inputs.iter().map(|input| match input {
            Input::Constant(number) => RawInput::Constant(Arc::new(Value::Number(*number))),
            Input::One(handle) | Input::Maybe(handle) => RawInput::Handle(self.singles[handle]),
            Input::List(handles) => {
                RawInput::List(handles.iter().map(|handle| RawInput::Handle(self.singles[handle])).collect())
            }
        });
        let inputs = [RawInput::Constant(Arc::new(call))].into_iter().chain(given).collect();
        let mut shape = Shape {
            function: op.function,
            optional: op.inputs.iter().map(|input| matches!(input, Input::Maybe(_))).collect(),
            kind: match emits {
                true => Kind::Emitter,
                false if bind.0 % 4 == 1 => Kind::Async,
                false => Kind::Sync,
            },
            retry: op.retry,
            streaming: !held || as_list,
            transient: self.besides.transient && bind.0 % 5 == 2 && gives_the_same(op),
            priority: Some(op.priority).filter(|priority| *priority != 0),
            pool: op.pool,
            tag: op.tag,
        };
        if by_option {
            (shape.priority, shape.pool, shape.tag) = (None, None, None);
        }
        let raw = build::call_op(op_def(shape), inputs)[0];
        let say =
            |option: Option<CallOption>| option.into_iter().for_each(|option| build::option(raw, option));
        say(op.named.clone().map(CallOption::Name));
        say(op.retry_at_call.map(policy).map(CallOption::Retry));
        say(self.besides.timeout.filter(|_| bind.0 % 3 == 1).map(CallOption::Timeout));
        if by_option {
            say(Some(CallOption::Priority(op.priority)));
            say(op.pool.map(|pool| CallOption::Pool(pool_name(pool).to_owned())));
            say(op.tag.map(tag_name).map(|(name, value)| CallOption::Tag(name.to_owned(), value.to_owned())));
        }
        if !op.after.is_empty() {
            let before: Vec<_> = op.after.iter().map(|handle| self.singles[handle]).collect();
            build::after(raw, &before);
        }
        if emits {
            self.fans.insert(bind, (raw, 1));
        } else {
            self.singles.insert(bind, raw);
        }
    }
}

/// Whether each attempt that gives something gives the same: items whose values are not recorded are
/// equal if their keys are (§4.8).
fn gives_the_same(op: &Op) -> bool {
    !matches!(&op.work, Work::Emit(emitter) if emitter.attempts.len() > 1)
}

fn policy(Retry { max, delay, backoff }: Retry) -> RetryPolicy {
    let backoff = match backoff {
        Backoff::None => fanfold::Backoff::None,
        Backoff::Linear => fanfold::Backoff::Linear,
        Backoff::Exponential => fanfold::Backoff::Exponential,
    };
    RetryPolicy { delay: Duration::from_millis(delay), backoff, ..RetryPolicy::new(max) }
}

/// What tells the ops of plans apart for the builder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shape {
    function: &'static str,
    /// Of each parameter.
    optional: Vec<bool>,
    kind: Kind,
    retry: Option<Retry>,
    streaming: bool,
    transient: bool,
    priority: Option<i32>,
    pool: Option<usize>,
    tag: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Sync,
    Async,
    Emitter,
    Fold,
}

impl Shape {
    fn of_fold(fold: &Fold) -> Shape {
        Shape {
            function: fold.function,
            optional: vec![false],
            kind: Kind::Fold,
            retry: None,
            streaming: true,
            transient: false,
            priority: None,
            pool: None,
            tag: None,
        }
    }
}

/// The row of an op; one for each shape, since rows are never freed.
fn op_def(shape: Shape) -> &'static OpDef {
    static KNOWN: Mutex<Option<HashMap<Shape, &'static OpDef>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known
        .get_or_insert_default()
        .entry(shape.clone())
        .or_insert_with(|| Box::leak(Box::new(new_op_def(&shape))))
}

fn new_op_def(shape: &Shape) -> OpDef {
    let param =
        |optional: &bool| ParamDef { name: "p", type_name: "Value", optional: *optional, owned: false };
    let params: Vec<_> = [false].iter().chain(&shape.optional).map(param).collect();
    let kind = if shape.kind == Kind::Emitter { OutputKind::Dynamic } else { OutputKind::Single };
    let info = match shape.kind {
        _ if shape.transient => TypeInfo::transient::<Value>(),
        Kind::Fold => TypeInfo { encode: Some(encode_folded), ..TypeInfo::of::<Value>() },
        Kind::Sync | Kind::Async | Kind::Emitter => TypeInfo::of::<Value>(),
    };
    let output = OutputDef { name: "result", kind, info, optional: true };
    OpDef {
        name: shape.function,
        module: "model",
        function: shape.function,
        file: file!(),
        line: line!(),
        doc: "",
        params: params.leak(),
        outputs: vec![output].leak(),
        resources: &[],
        options: OpOptions {
            retry: shape.retry.map(policy),
            priority: shape.priority,
            pool: shape.pool.map(pool_name),
            tags: shape.tag.map_or(&[], |tag| vec![tag_name(tag)].leak()),
            streaming: shape.streaming,
            ..OpOptions::DEFAULT
        },
        run: match shape.kind {
            Kind::Sync => Run::Sync(run),
            Kind::Async => Run::Async(run_async),
            Kind::Emitter => Run::Emitter(run_emitter),
            Kind::Fold => Run::Sync(run_fold),
        },
    }
}

/// The row of a job; one for each policy.
pub fn job(retry: Option<Retry>) -> &'static JobDef {
    static KNOWN: Mutex<Option<HashMap<Option<Retry>, &'static JobDef>>> = Mutex::new(None);
    let new = || JobDef {
        name: "planned",
        module: "model",
        file: file!(),
        line: line!(),
        doc: "",
        args: &[],
        results: &[],
        options: JobOptions { retry: retry.map(policy), ..JobOptions::DEFAULT },
        on_success: None,
        on_failure: None,
        build: Vec::new,
        panic_aborts: false,
    };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().entry(retry).or_insert_with(|| Box::leak(Box::new(new())))
}

/// The first input of each op.
#[derive(Debug)]
struct Call {
    op: Op,
    /// Gives its items as a list at its end.
    as_list: bool,
}

/// The accumulator of a fold.
#[derive(Clone, Debug)]
struct Folded {
    fold: Arc<Fold>,
    value: Value,
}

/// Of what a fold gives only the value is recorded.
fn encode_folded(folded: &AnyValue, text: &mut Vec<u8>) -> Result<(), CodecError> {
    let encode = TypeInfo::of::<Value>().encode.expect("values of plans can be written");
    let value: AnyValue = Arc::new(read(folded));
    encode(&value, text)
}

fn part<T: Any>(input: &Option<AnyValue>) -> &T {
    input.as_ref().and_then(|input| input.downcast_ref()).expect("the builder put it there")
}

fn performed(inputs: &[Option<AnyValue>], attempt: u32) -> Performed {
    let values: Vec<_> =
        inputs[1..].iter().map(|input| input.as_ref().map_or(Value::Nothing, read)).collect();
    perform(&part::<Call>(&inputs[0]).op, &values, attempt)
}

fn run(inputs: &mut Inputs, ctx: &OpContext) -> Result<Outputs, OpError> {
    match performed(inputs, ctx.attempt()) {
        Performed::Gave(value) => Ok(Outputs::One(Some(Arc::new(value)))),
        Performed::Nothing => Ok(Outputs::One(None)),
        Performed::Failed(how) => Err(failure(how)),
        Performed::Yielded(..) => unreachable!("a single output yields nothing"),
    }
}

fn run_async(mut inputs: Vec<Option<AnyValue>>, ctx: OpContext) -> BoxFuture<Result<Outputs, OpError>> {
    Box::pin(async move { run(&mut inputs, &ctx) })
}

fn run_emitter(
    inputs: Vec<Option<AnyValue>>,
    ctx: OpContext,
    emission: Emission,
) -> BoxFuture<Result<Outputs, OpError>> {
    Box::pin(async move {
        let (items, fails) = match performed(&inputs, ctx.attempt()) {
            Performed::Yielded(items, fails) => (items, fails),
            Performed::Nothing => return Ok(Outputs::One(None)),
            Performed::Failed(how) => return Err(failure(how)),
            Performed::Gave(_) => unreachable!("an emitter gives items"),
        };
        let items = items.into_iter().map(|(key, value)| (Key::new(key), Arc::new(value) as AnyValue));
        if part::<Call>(&inputs[0]).as_list {
            pause().await;
            // A function that fails returns no list.
            if let Some(how) = fails {
                return Err(failure(how));
            }
            emission.send_all(0, items.collect()).await?;
        } else {
            for (key, value) in items {
                pause().await;
                emission.send(0, key, value).await;
            }
        }
        pause().await;
        fails.map_or_else(|| Ok(Outputs::One(Some(Arc::new(())))), |how| Err(failure(how)))
    })
}

fn run_fold(inputs: &mut Inputs, _: &OpContext) -> Result<Outputs, OpError> {
    let Folded { fold, value } = part(&inputs[0]);
    let item = inputs[1].as_ref().map(read).expect("a fold's item is there");
    match combine(fold, value, &item) {
        Some(value) => Ok(Outputs::One(Some(Arc::new(Folded { fold: Arc::clone(fold), value })))),
        None => Err(OpError::new("the combination fails")),
    }
}

fn failure(how: Failure) -> OpError {
    match how {
        Failure::Error => OpError::new("fails"),
        Failure::Permanent => OpError::permanent("fails for good"),
        Failure::RetryAfter(wait) => OpError::retry_after(Duration::from_millis(wait), "fails for a while"),
        // As a panic, but without a message on the terminal.
        Failure::Panic => resume_unwind(Box::new("panics")),
    }
}

fn gather(form: Form, parts: usize) -> Gather {
    match (form, parts) {
        (Form::List, _) => Gather::List,
        (Form::Keyed, 1) => Gather::Keyed(keyed::<1>),
        (Form::Keyed, _) => Gather::Keyed(keyed::<2>),
        (Form::Results, 1) => Gather::Results(results::<1>),
        (Form::Results, _) => Gather::Results(results::<2>),
    }
}

fn keyed<const PARTS: usize>(items: Vec<(Key, AnyValue)>) -> AnyValue {
    Arc::new(Value::Keyed(items.iter().map(|(key, value)| (key_parts::<PARTS>(key), read(value))).collect()))
}

fn results<const PARTS: usize>(items: Vec<(Key, Result<AnyValue, StepFailure>)>) -> AnyValue {
    let entry = |(key, result): &(Key, Result<AnyValue, StepFailure>)| {
        (key_parts::<PARTS>(key), result.as_ref().ok().map(read))
    };
    Arc::new(Value::Results(items.iter().map(entry).collect()))
}

/// The parts of a key; several stand in it as in a step's name.
fn key_parts<const PARTS: usize>(key: &Key) -> Vec<String> {
    if PARTS == 1 {
        return vec![key.to_string()];
    }
    let name: StepName = format!("x{key}").parse().expect("a joined key reads as the keys of a step");
    name.keys().iter().map(ToString::to_string).collect()
}
