//! Building a graph: what the typed handles call while a job's body runs.
//!
//! The body runs once, on one thread; its handles are numbers into a table that lives here, so
//! they can be `Copy`. A mistake is noted and building goes on, so that all are told at once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

mod finish;
mod settle;

use super::{
    BuildError, BuildErrors, CallSite, Fan, Gather, Graph, Input, JobResult, NodeId, NodeKind, Scope,
    ScopeId, Source, ZipSide,
};
use crate::define::{JobDef, OpDef, OutputKind};
use crate::options::RetryPolicy;
use crate::value::{AnyValue, TypeInfo};

/// A handle without its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw {
    build: u32,
    id: u32,
}

/// What is given for one parameter of an op.
#[derive(Debug, Clone)]
pub enum RawInput {
    /// A handle.
    Handle(Raw),
    /// A list of handles and values.
    List(Vec<RawInput>),
    /// A value.
    Constant(AnyValue),
    /// `None`, for an optional parameter.
    Nothing,
}

/// What can be said at a call.
#[derive(Debug, Clone)]
pub enum CallOption {
    /// The step's name.
    Name(String),
    /// Higher starts first.
    Priority(i32),
    /// When to try again.
    Retry(RetryPolicy),
    /// The longest time of one attempt.
    Timeout(std::time::Duration),
    /// The pool.
    Pool(String),
    /// A tag.
    Tag(String, String),
}

impl CallOption {
    /// The option's name, as it is written.
    fn name(&self) -> &'static str {
        match self {
            Self::Name(_) => "named",
            Self::Priority(_) => "priority",
            Self::Retry(_) => "retry",
            Self::Timeout(_) => "timeout",
            Self::Pool(_) => "pool",
            Self::Tag(..) => "tag",
        }
    }
}

/// What a handle stands for.
#[derive(Debug, Clone)]
struct Handle {
    form: Form,
    /// The op call that made it, if options may be given to that call through it.
    made_by: Option<NodeId>,
    /// What made it, for messages: an op's name, `map`, `an item`, …
    what: &'static str,
}

#[derive(Debug, Clone)]
enum Form {
    /// One value in each instance of a scope.
    Single { scope: ScopeId, source: Source, info: TypeInfo },
    /// Many values: in each instance of the innermost scope of `chain`, below one of `base`.
    Dynamic { base: ScopeId, chain: Vec<ScopeId>, items: Vec<(Source, TypeInfo)> },
    /// The end of a step without a value, or of all its copies below `base`.
    Done { base: ScopeId, chain: Vec<ScopeId>, nodes: Vec<NodeId> },
    /// The result of a call that was refused: it fits everywhere.
    Wrong,
}

/// A node as it was called; names and options are settled when the graph is finished.
#[derive(Debug)]
struct Call {
    scope: ScopeId,
    kind: NodeKind,
    inputs: Vec<Input>,
    after: Vec<Source>,
    /// The sub-graphs around the call.
    prefix: String,
    options: Vec<CallOption>,
    /// Whether something reads it already, after which no option may be given.
    used: bool,
    /// Whether it came out of a sub-graph, after which no option may be given.
    sealed: bool,
    at: CallSite,
}

/// A graph while it is being built.
#[derive(Debug)]
struct Builder {
    id: u32,
    handles: Vec<Handle>,
    calls: Vec<Call>,
    scopes: Vec<Scope>,
    constants: Vec<AnyValue>,
    /// The scope that the body is in now.
    place: ScopeId,
    /// The sub-graphs that the body is in now: each one's prefix and the number of its first call.
    graphs: Vec<(String, usize)>,
    /// How often each sub-graph was entered, by prefix.
    entered: HashMap<String, u32>,
    /// The fan-outs over held items, by place and by what is held: the fan-outs, and what is read.
    products: HashMap<(ScopeId, Vec<ScopeId>, Vec<Source>), ScopeId>,
    errors: Vec<BuildError>,
}

thread_local! {
    static CURRENT: RefCell<Option<Builder>> = const { RefCell::new(None) };
}

/// Each graph that is built has a number, so that a handle of another job is found out.
static NEXT_BUILD: AtomicU32 = AtomicU32::new(1);

/// Runs a job's body and gives its graph.
///
/// # Errors
/// All that is wrong with the body.
pub fn build(job: &'static JobDef) -> Result<Graph, BuildErrors> {
    build_with(job, job.build)
}

/// Builds a graph from a body that need not be the job's own.
///
/// # Errors
/// All that is wrong with the body.
pub fn build_with(job: &'static JobDef, body: impl FnOnce() -> Vec<Raw>) -> Result<Graph, BuildErrors> {
    let outer = CURRENT.replace(Some(Builder::new()));
    // Put back also when the body panics: a test may catch it and build another job.
    let restore = Restore(Some(outer));
    let results = body();
    let builder = CURRENT.take().expect("the builder is there until the body ends");
    drop(restore);
    builder.finish(job, &results)
}

struct Restore(Option<Option<Builder>>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.take().flatten());
    }
}

/// Runs `change` on the graph that is being built.
///
/// # Panics
/// None is being built: `what` was called outside a job.
#[track_caller]
fn with<R>(what: &str, change: impl FnOnce(&mut Builder) -> R) -> R {
    let at = CallSite::here();
    CURRENT.with_borrow_mut(|current| match current {
        Some(builder) => change(builder),
        None => panic!(
            "`{what}` was called at {at} outside a job: an op gives a handle only while a job's graph is built; \
             to run it as a function, write `{what}::call(…)`"
        ),
    })
}

/// Calls an op: one handle for each output, or one for the end of an op without outputs.
#[track_caller]
pub fn call_op(op: &'static OpDef, inputs: Vec<RawInput>) -> Vec<Raw> {
    let at = CallSite::here();
    with(op.function, |builder| builder.call_op(op, inputs, at))
}

/// Argument number `index` of the job.
pub fn argument(index: u32, info: TypeInfo) -> Raw {
    with("argument", |builder| {
        let source = Source::Argument(index);
        builder.handle(Form::Single { scope: ScopeId::ROOT, source, info }, None, "an argument of the job")
    })
}

/// Maps a dynamic output: runs `body` once, with handles that stand for one item, and gives a
/// dynamic handle for each that the body returned.
#[track_caller]
pub fn map(dynamic: Raw, body: impl FnOnce(&[Raw]) -> Vec<Raw>) -> Vec<Raw> {
    let at = CallSite::here();
    let Some((opened, items)) = with("map", |builder| builder.open(dynamic, at)) else {
        // The error is noted; the body still runs, so that its own mistakes are told too.
        let wrong = with("map", |builder| [builder.wrong(), builder.wrong()]);
        return body(&wrong).into_iter().map(|_| wrong[0]).collect();
    };
    let returned = body(&items);
    with("map", |builder| builder.close(&opened, &returned, at))
}

/// Gathers a dynamic output into one value of type `info`.
#[track_caller]
pub fn gather(dynamic: Raw, gather: Gather, info: TypeInfo, what: &'static str) -> Raw {
    let at = CallSite::here();
    with(what, |builder| builder.gather(dynamic, gather, Vec::new(), info, what, at))
}

/// Combines the items of a dynamic output, in yield order, starting from `init`.
#[track_caller]
pub fn fold(dynamic: Raw, init: RawInput, op: &'static OpDef) -> Raw {
    let at = CallSite::here();
    with("fold", |builder| builder.fold(dynamic, init, op, at))
}

/// Runs `body`, which calls one op with the handles that it is given, only to learn which op: for
/// `fold(init, op)`, where the op is given by name.
///
/// The calls that it makes do not enter the graph.
#[track_caller]
pub fn op_of(accumulator: TypeInfo, item: TypeInfo, body: impl FnOnce(Raw, Raw)) -> Option<&'static OpDef> {
    let at = CallSite::here();
    let (calls, handles) = with("fold", |builder| {
        let calls = builder.calls.len();
        let handles = builder.probe(accumulator, item);
        (calls, handles)
    });
    body(handles[0], handles[1]);
    with("fold", |builder| builder.end_probe(calls, at))
}

/// Pairs two dynamic outputs by key.
#[track_caller]
pub fn zip(left: Raw, right: Raw) -> Raw {
    let at = CallSite::here();
    with("zip", |builder| builder.zip(left, right, at))
}

/// Says something about the call that made `handle`.
#[track_caller]
pub fn option(handle: Raw, option: CallOption) {
    let at = CallSite::here();
    with(option.name(), |builder| builder.option(handle, option, at));
}

/// Orders the call that made `handle` after the end of `before`.
#[track_caller]
pub fn after(handle: Raw, before: &[Raw]) {
    let at = CallSite::here();
    with("after", |builder| builder.after(handle, before, at));
}

/// Enters a sub-graph: the steps that follow are named under `name`, until [`leave_graph`].
#[track_caller]
pub fn enter_graph(name: &'static str) {
    with(name, |builder| builder.enter_graph(name));
}

/// Leaves the sub-graph that was entered last.
pub fn leave_graph() {
    CURRENT.with_borrow_mut(|current| {
        if let Some(builder) = current {
            builder.leave_graph();
        }
    });
}

/// A handle that fits everywhere: the stand-in for the result of an op that does not compile.
pub fn wrong() -> Raw {
    with("an op that does not compile", Builder::wrong)
}

impl Builder {
    fn new() -> Self {
        let root =
            Scope { parent: None, fan: None, items: Vec::new(), nodes: Vec::new(), children: Vec::new() };
        Self {
            id: NEXT_BUILD.fetch_add(1, Ordering::Relaxed),
            handles: Vec::new(),
            calls: Vec::new(),
            scopes: vec![root],
            constants: Vec::new(),
            place: ScopeId::ROOT,
            graphs: Vec::new(),
            entered: HashMap::new(),
            products: HashMap::new(),
            errors: Vec::new(),
        }
    }

    fn error(&mut self, op: &str, at: CallSite, message: impl Into<String>) {
        self.errors.push(BuildError { op: op.to_owned(), at, message: message.into() });
    }

    fn handle(&mut self, form: Form, made_by: Option<NodeId>, what: &'static str) -> Raw {
        let id = u32::try_from(self.handles.len()).expect("a job makes fewer than 2³² handles");
        self.handles.push(Handle { form, made_by, what });
        Raw { build: self.id, id }
    }

    fn wrong(&mut self) -> Raw {
        self.handle(Form::Wrong, None, "a call that was refused")
    }

    fn enter_graph(&mut self, name: &str) {
        let around = self.prefix();
        let times = self.entered.entry(format!("{around}{name}")).or_default();
        *times += 1;
        let prefix =
            if *times == 1 { format!("{around}{name}.") } else { format!("{around}{name}_{times}.") };
        self.graphs.push((prefix, self.calls.len()));
    }

    /// The sub-graphs around the place that the body is in now, as they stand before a step's name.
    fn prefix(&self) -> String {
        self.graphs.last().map_or_else(String::new, |(prefix, _)| prefix.clone())
    }

    fn leave_graph(&mut self) {
        if let Some((_, first)) = self.graphs.pop() {
            for call in &mut self.calls[first..] {
                call.sealed = true;
            }
        }
    }

    /// What `raw` stands for, if it may be used here: by `op`, called at `at`.
    fn look(&mut self, raw: Raw, op: &str, at: CallSite) -> Form {
        if raw.build != self.id {
            self.error(
                op,
                at,
                "it is given a handle of another job: pass handles only within the job that made them",
            );
            return Form::Wrong;
        }
        let form = self.handles[raw.id as usize].form.clone();
        let scope = match &form {
            Form::Single { scope, .. } => *scope,
            Form::Dynamic { base, .. } | Form::Done { base, .. } => *base,
            Form::Wrong => return form,
        };
        if self.encloses(scope, self.place) {
            return form;
        }
        self.error(op, at, "it is given an item that was carried out of its `map`: use the item inside the closure, and return what the outside needs");
        Form::Wrong
    }

    /// Whether `inner` is `outer` or lies in it.
    fn encloses(&self, outer: ScopeId, inner: ScopeId) -> bool {
        let mut scope = Some(inner);
        while let Some(id) = scope {
            if id == outer {
                return true;
            }
            scope = self.scopes[id.index()].parent;
        }
        false
    }

    /// The inner one of two scopes on one line.
    fn inner_of(&self, a: ScopeId, b: ScopeId) -> ScopeId {
        if self.encloses(a, b) { b } else { a }
    }

    fn mark_used(&mut self, source: Source) {
        if let Source::Output(node, _) = source {
            self.calls[node.index()].used = true;
        }
        if let Source::Item(scope, _) = source
            && let Some(fan) = self.scopes[scope.index()].fan
        {
            self.calls[fan.node().index()].used = true;
        }
    }

    fn push(&mut self, scope: ScopeId, kind: NodeKind, inputs: Vec<Input>, at: CallSite) -> NodeId {
        let id = NodeId(u32::try_from(self.calls.len()).expect("a job makes fewer than 2³² calls"));
        let prefix = self.prefix();
        let call = Call {
            scope,
            kind,
            inputs,
            after: Vec::new(),
            prefix,
            options: Vec::new(),
            used: false,
            sealed: false,
            at,
        };
        self.calls.push(call);
        self.scopes[scope.index()].nodes.push(id);
        id
    }

    fn open_scope(&mut self, parent: ScopeId, fan: Fan, items: Vec<TypeInfo>) -> ScopeId {
        let id = ScopeId(u32::try_from(self.scopes.len()).expect("a job opens fewer than 2³² scopes"));
        self.scopes.push(Scope {
            parent: Some(parent),
            fan: Some(fan),
            items,
            nodes: Vec::new(),
            children: Vec::new(),
        });
        self.scopes[parent.index()].children.push(id);
        id
    }

    fn call_op(&mut self, op: &'static OpDef, given: Vec<RawInput>, at: CallSite) -> Vec<Raw> {
        let mut scope = ScopeId::ROOT;
        let mut refused = false;
        let inputs: Vec<_> =
            given.into_iter().map(|input| self.input(input, op.name, at, &mut scope, &mut refused)).collect();
        if refused {
            return vec![self.wrong(); op.outputs.len().max(1)];
        }
        let node = self.push(scope, NodeKind::Op(op), inputs, at);
        if op.outputs.is_empty() {
            let form = Form::Done { base: scope, chain: Vec::new(), nodes: vec![node] };
            return vec![self.handle(form, Some(node), op.name)];
        }
        let outputs = (0..).zip(op.outputs);
        outputs
            .map(|(index, output)| {
                let form = match output.kind {
                    OutputKind::Single => {
                        Form::Single { scope, source: Source::Output(node, index), info: output.info }
                    }
                    OutputKind::Dynamic => {
                        let fan = Fan::Emitter { node, output: index };
                        let child = self.open_scope(scope, fan, vec![output.info]);
                        Form::Dynamic {
                            base: scope,
                            chain: vec![child],
                            items: vec![(Source::Item(child, 0), output.info)],
                        }
                    }
                };
                self.handle(form, Some(node), op.name)
            })
            .collect()
    }

    /// What one parameter reads; `scope` becomes the innermost of what it was and what is read.
    fn input(
        &mut self,
        given: RawInput,
        op: &str,
        at: CallSite,
        scope: &mut ScopeId,
        refused: &mut bool,
    ) -> Input {
        match given {
            RawInput::Nothing => Input::Nothing,
            RawInput::List(list) => {
                let mut sources = Vec::new();
                for one in list {
                    if let Input::One(source) = self.input(one, op, at, scope, refused) {
                        sources.push(source);
                    }
                }
                Input::List(sources)
            }
            RawInput::Constant(value) => {
                let index = u32::try_from(self.constants.len()).expect("a job has fewer than 2³² constants");
                self.constants.push(value);
                Input::One(Source::Constant(index))
            }
            RawInput::Handle(raw) => match self.look(raw, op, at) {
                Form::Single { scope: at_scope, source, .. } => {
                    self.mark_used(source);
                    *scope = self.inner_of(*scope, at_scope);
                    Input::One(source)
                }
                Form::Wrong => {
                    *refused = true;
                    Input::Nothing
                }
                Form::Dynamic { .. } | Form::Done { .. } => {
                    unreachable!("no typed handle of many values, or of none, is an input")
                }
            },
        }
    }
}

/// A `map` that is being built.
struct Opened {
    /// Where it was called.
    place: ScopeId,
    /// The fan-outs that its items lie in, outermost first.
    chain: Vec<ScopeId>,
    /// How many calls there were before its body.
    first_call: usize,
    /// How many errors there were.
    first_error: usize,
}

impl Builder {
    /// Enters the innermost scope of a dynamic output, as the body of a `map`.
    fn open(&mut self, dynamic: Raw, at: CallSite) -> Option<(Opened, Vec<Raw>)> {
        let form = self.look(dynamic, "map", at);
        let Form::Dynamic { base, chain, items } = form else { return None };
        for (source, _) in &items {
            self.mark_used(*source);
        }
        let place = self.place;
        let (chain, items) =
            if base == place { (chain, items) } else { self.product(base, chain, items, place, at) };
        let inside = *chain.last().expect("a dynamic output lies in a fan-out");
        let opened = Opened { place, chain, first_call: self.calls.len(), first_error: self.errors.len() };
        self.place = inside;
        let handles = items
            .into_iter()
            .map(|(source, info)| self.handle(Form::Single { scope: inside, source, info }, None, "an item"))
            .collect();
        Some((opened, handles))
    }

    /// A fan-out at `place` over all items of a dynamic output that was made further out.
    fn product(
        &mut self,
        base: ScopeId,
        chain: Vec<ScopeId>,
        items: Vec<(Source, TypeInfo)>,
        place: ScopeId,
        at: CallSite,
    ) -> (Vec<ScopeId>, Vec<(Source, TypeInfo)>) {
        let sources: Vec<_> = items.iter().map(|(source, _)| *source).collect();
        let infos: Vec<_> = items.iter().map(|(_, info)| *info).collect();
        let known = self.products.get(&(place, chain.clone(), sources.clone())).copied();
        let scope = known.unwrap_or_else(|| {
            let kind =
                NodeKind::Gather { chain: chain.clone(), items: sources.clone(), gather: Gather::Held };
            let held = self.push(base, kind, Vec::new(), at);
            let scope = self.open_scope(place, Fan::Held(held), infos.clone());
            self.products.insert((place, chain, sources), scope);
            scope
        });
        let items = (0..).zip(infos).map(|(part, info)| (Source::Item(scope, part), info)).collect();
        (vec![scope], items)
    }

    /// Leaves the body of a `map`: one dynamic handle for each handle that it returned.
    fn close(&mut self, opened: &Opened, returned: &[Raw], at: CallSite) -> Vec<Raw> {
        let calls = self.calls[opened.first_call..].iter_mut().map(|call| &mut call.at);
        let errors = self.errors[opened.first_error..].iter_mut().map(|error| &mut error.at);
        calls.chain(errors).filter(|at| at.is_by_name()).for_each(|site| *site = at);
        let handles = returned.iter().map(|raw| self.close_one(opened, *raw, at)).collect();
        self.place = opened.place;
        handles
    }

    fn close_one(&mut self, opened: &Opened, raw: Raw, at: CallSite) -> Raw {
        let inside = self.place;
        let form = self.look(raw, "map", at);
        let made_by = self.handles.get(raw.id as usize).and_then(|handle| handle.made_by);
        let made_by = made_by.filter(|node| node.index() >= opened.first_call);
        let base = opened.place;
        let mut chain = opened.chain.clone();
        let form = match form {
            Form::Wrong => Form::Wrong,
            Form::Single { source, info, .. } => Form::Dynamic { base, chain, items: vec![(source, info)] },
            Form::Dynamic { base: inner_base, chain: inner, items } => {
                let (inner, items) = if inner_base == inside {
                    (inner, items)
                } else {
                    self.product(inner_base, inner, items, inside, at)
                };
                chain.extend(inner);
                Form::Dynamic { base, chain, items }
            }
            Form::Done { chain: inner, nodes, .. } => {
                chain.extend(inner);
                Form::Done { base, chain, nodes }
            }
        };
        self.handle(form, made_by, "map")
    }

    fn gather(
        &mut self,
        dynamic: Raw,
        gather: Gather,
        inputs: Vec<Input>,
        info: TypeInfo,
        what: &'static str,
        at: CallSite,
    ) -> Raw {
        let Form::Dynamic { base, chain, items } = self.look(dynamic, what, at) else { return self.wrong() };
        for (source, _) in &items {
            self.mark_used(*source);
        }
        let items = items.into_iter().map(|(source, _)| source).collect();
        let node = self.push(base, NodeKind::Gather { chain, items, gather }, inputs, at);
        self.handle(Form::Single { scope: base, source: Source::Output(node, 0), info }, None, what)
    }

    fn fold(&mut self, dynamic: Raw, init: RawInput, op: &'static OpDef, at: CallSite) -> Raw {
        let mut scope = ScopeId::ROOT;
        let mut refused = false;
        let init = self.input(init, op.name, at, &mut scope, &mut refused);
        let Form::Dynamic { base, .. } = self.look(dynamic, "fold", at) else { return self.wrong() };
        if refused {
            return self.wrong();
        }
        if !self.encloses(scope, base) {
            self.error(op.name, at, "its first value lies inside a `map` in which the folded output was not made: give a value from outside the closure");
            return self.wrong();
        }
        let info = op.outputs[0].info;
        let folded = self.gather(dynamic, Gather::Fold(op), vec![init], info, op.name, at);
        let node = NodeId(u32::try_from(self.calls.len() - 1).expect("a job makes fewer than 2³² calls"));
        self.handles[folded.id as usize].made_by = Some(node);
        folded
    }

    fn probe(&mut self, accumulator: TypeInfo, item: TypeInfo) -> [Raw; 2] {
        [accumulator, item].map(|info| {
            let source = Source::Constant(u32::MAX);
            self.handle(Form::Single { scope: ScopeId::ROOT, source, info }, None, "a value of the fold")
        })
    }

    fn end_probe(&mut self, first_call: usize, at: CallSite) -> Option<&'static OpDef> {
        let probed: Vec<_> = self.calls.drain(first_call..).collect();
        for scope in &mut self.scopes {
            scope.nodes.retain(|node| node.index() < first_call);
        }
        if let [Call { kind: NodeKind::Op(op), .. }] = probed.as_slice() {
            return Some(op);
        }
        self.error("fold", at, "give it an op by name, `fold(init, op)`: what it combines with is one op that takes the value so far and the item");
        None
    }

    fn zip(&mut self, left: Raw, right: Raw, at: CallSite) -> Raw {
        let forms = (self.look(left, "zip", at), self.look(right, "zip", at));
        let (
            Form::Dynamic { base: left_base, chain: left_chain, items: left_items },
            Form::Dynamic { base: right_base, chain: right_chain, items: right_items },
        ) = forms
        else {
            return self.wrong();
        };
        let (left_parts, right_parts) = (self.key_parts(&left_chain), self.key_parts(&right_chain));
        if left_parts != right_parts {
            let message = format!(
                "the keys of the left side have {left_parts} parts and those of the right side {right_parts}: \
                 zip pairs items whose whole keys are equal"
            );
            self.error("zip", at, message);
            return self.wrong();
        }
        let scope = self.inner_of(left_base, right_base);
        let items = vec![left_items[0].1, right_items[0].1];
        let left = self.zip_side(left_base, left_chain, left_items[0].0, scope, at);
        let right = self.zip_side(right_base, right_chain, right_items[0].0, scope, at);
        let node = self.push(scope, NodeKind::Zip { left, right }, Vec::new(), at);
        let child = self.open_scope(scope, Fan::Zip(node), items.clone());
        let items = (0..).zip(items).map(|(part, info)| (Source::Item(child, part), info)).collect();
        self.handle(Form::Dynamic { base: scope, chain: vec![child], items }, None, "zip")
    }

    /// One side of a zip in `scope`: as its items come, or held if it was made further out.
    fn zip_side(
        &mut self,
        base: ScopeId,
        chain: Vec<ScopeId>,
        item: Source,
        scope: ScopeId,
        at: CallSite,
    ) -> ZipSide {
        self.mark_used(item);
        if base == scope {
            return ZipSide { chain, item };
        }
        let kind = NodeKind::Gather { chain, items: vec![item], gather: Gather::Held };
        let held = self.push(base, kind, Vec::new(), at);
        ZipSide { chain: Vec::new(), item: Source::Output(held, 0) }
    }

    /// How many parts the keys of items in these fan-outs have.
    fn key_parts(&self, chain: &[ScopeId]) -> usize {
        chain
            .iter()
            .map(|scope| match self.scopes[scope.index()].fan {
                None | Some(Fan::Emitter { .. }) => 1,
                Some(Fan::Held(node)) => match &self.calls[node.index()].kind {
                    NodeKind::Gather { chain, .. } => self.key_parts(chain),
                    _ => 1,
                },
                Some(Fan::Zip(node)) => match &self.calls[node.index()].kind {
                    NodeKind::Zip { left, .. } if !left.chain.is_empty() => self.key_parts(&left.chain),
                    NodeKind::Zip { right, .. } => self.key_parts(&right.chain),
                    _ => 1,
                },
            })
            .sum()
    }
}
