//! Random plans: every raw body becomes a valid plan, within the bounds below.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::keys::LONGEST;
use super::plan::{Emission, Emitter, Expr, Failing, Fold, Form, Handle, Input, Let, Map, Op, Plan, Work};
use super::raw::{
    Flaw, Pick, RawCall, RawEmit, RawInput, RawKeys, RawLet, RawMap, RawOp, RawPlan, raw_plans,
};

/// Most lets in a plan.
const LETS: usize = 40;
/// Most copies of one step, so that a product of products stays small.
const COPIES: usize = 220;
/// Most parts of a key.
const PARTS: usize = 4;

/// A zip can be mapped and nothing else.
fn plain(fan: FanBounds) -> bool {
    fan.width == 1
}

/// Valid plans, shrinking towards small ones.
pub fn plans() -> impl Strategy<Value = Plan> {
    raw_plans().prop_map(|raw| plan(&raw))
}

fn plan(raw: &RawPlan) -> Plan {
    let mut writer = Writer { next: 0, lets: 0, used_names: BTreeSet::new() };
    let mut scope = Scope { visible: vec![], copies: 1 };
    let body = writer.block(&raw.body, &mut scope);
    let outputs: BTreeSet<_> = raw.outputs.iter().filter_map(|pick| scope.single(*pick)).collect();
    Plan { options: raw.options.clone(), body, outputs: outputs.into_iter().collect() }
}

/// A handle that can be read.
#[derive(Clone, Copy)]
struct Visible {
    handle: Handle,
    fan: Option<FanBounds>,
}

/// What is known of a fan-out while building.
#[derive(Clone, Copy)]
struct FanBounds {
    /// Parts of its keys.
    parts: usize,
    /// 1, or 2 for a zip.
    width: usize,
    /// Most items.
    items: usize,
}

/// What can be read at some place of the body.
#[derive(Clone)]
struct Scope {
    visible: Vec<Visible>,
    /// Most frames of this place.
    copies: usize,
}

impl Scope {
    fn add(&mut self, handle: Handle, fan: Option<FanBounds>) {
        self.visible.push(Visible { handle, fan });
    }

    fn pick(&self, pick: Pick, fits: impl Fn(&Visible) -> bool) -> Option<Visible> {
        let fitting: Vec<_> = self.visible.iter().rev().filter(|visible| fits(visible)).collect();
        (!fitting.is_empty()).then(|| *fitting[usize::from(pick) % fitting.len()])
    }

    fn single(&self, pick: Pick) -> Option<Handle> {
        self.pick(pick, |visible| visible.fan.is_none()).map(|visible| visible.handle)
    }

    fn fan(&self, pick: Pick, fits: impl Fn(FanBounds) -> bool) -> Option<(Handle, FanBounds)> {
        let found = self.pick(pick, |visible| visible.fan.is_some_and(&fits))?;
        Some((found.handle, found.fan?))
    }
}

struct Writer {
    next: usize,
    lets: usize,
    used_names: BTreeSet<&'static str>,
}

impl Writer {
    fn handle(&mut self) -> Handle {
        self.next += 1;
        Handle(self.next - 1)
    }

    fn block(&mut self, raw: &[RawLet], scope: &mut Scope) -> Vec<Let> {
        let mut lets = Vec::new();
        for raw in raw {
            if self.lets < LETS {
                self.write(raw, scope, &mut lets);
            }
        }
        lets
    }

    /// Writes nothing where `raw` needs a fan-out and there is none.
    fn write(&mut self, raw: &RawLet, scope: &mut Scope, lets: &mut Vec<Let>) {
        match raw {
            RawLet::Op(raw) => {
                let op = self.op(raw, scope);
                self.bind(Expr::Op(op.into()), None, scope, lets);
            }
            RawLet::Emit(raw) => self.emit(raw, scope, lets),
            RawLet::Argument(number) => self.bind(Expr::Argument(*number), None, scope, lets),
            RawLet::Collect(over, form, reader) => {
                if let Some((over, _)) = scope.fan(*over, plain) {
                    self.bind(Expr::Collect { over, form: *form }, None, scope, lets);
                    if let Some(reader) = reader {
                        let reader = reader.reading(&[0]);
                        self.write(&RawLet::Op(reader), scope, lets);
                    }
                }
            }
            RawLet::Fold(over, init, fails_when) => {
                if let Some((over, _)) = scope.fan(*over, plain) {
                    let fold = Fold { over, init: *init, function: "add", fails_when: *fails_when };
                    self.bind(Expr::Fold(fold), None, scope, lets);
                }
            }
            RawLet::Zip(left, right) => self.zip(*left, *right, scope, lets),
            RawLet::Chain(over, op) => {
                let body = vec![RawLet::Op(op.clone())];
                self.map(&RawMap { fresh: None, over: *over, body, returns: vec![0] }, scope, lets);
            }
            RawLet::Tolerate(over, op) => {
                self.write(&RawLet::Chain(*over, op.clone()), scope, lets);
                self.write(&RawLet::Collect(0, Form::Results, None), scope, lets);
            }
            RawLet::WithWholeList(over, op) => {
                let list = RawLet::Collect(*over, Form::List, None);
                let body = vec![list, RawLet::Op(op.reading(&[1, 0]))];
                self.map(&RawMap { fresh: None, over: *over, body, returns: vec![0] }, scope, lets);
            }
            RawLet::Map(raw) => {
                if let Some(fresh) = &raw.fresh {
                    self.emit(fresh, scope, lets);
                }
                self.map(raw, scope, lets);
            }
            RawLet::Graph(which, body) => {
                let function = if *which { "clean" } else { "check" };
                self.lets += 1;
                let body = self.block(body, scope);
                lets.push(Let { binds: vec![], expr: Expr::Graph { function, body } });
            }
        }
    }

    fn bind(&mut self, expr: Expr, fan: Option<FanBounds>, scope: &mut Scope, lets: &mut Vec<Let>) {
        self.lets += 1;
        let handle = self.handle();
        scope.add(handle, fan);
        lets.push(Let { binds: vec![handle], expr });
    }

    fn zip(&mut self, left: Pick, right: Pick, scope: &mut Scope, lets: &mut Vec<Let>) {
        let Some((left, bounds)) = scope.fan(left, plain) else {
            return;
        };
        let fits = |fan: FanBounds| plain(fan) && fan.parts == bounds.parts;
        let (right, _) = scope.fan(right, fits).expect("the left one fits");
        self.bind(Expr::Zip { left, right }, Some(FanBounds { width: 2, ..bounds }), scope, lets);
    }

    fn map(&mut self, raw: &RawMap, scope: &mut Scope, lets: &mut Vec<Let>) {
        let pick = if raw.fresh.is_some() { 0 } else { raw.over };
        let Some((over, bounds)) = scope.fan(pick, |_| true) else {
            return;
        };
        let copies = scope.copies * bounds.items.max(1);
        if copies > COPIES {
            return;
        }
        self.lets += 1;
        let items: Vec<_> = (0..bounds.width).map(|_| self.handle()).collect();
        let mut inside = Scope { copies, ..scope.clone() };
        items.iter().for_each(|item| inside.add(*item, None));
        let body = self.block(&raw.body, &mut inside);
        let returnable = |visible: &Visible| {
            let small =
                |fan: FanBounds| fan.parts + bounds.parts <= PARTS && fan.items * bounds.items <= COPIES;
            visible.fan.is_none_or(|fan| plain(fan) && small(fan))
        };
        let returned: Vec<_> = raw.returns.iter().filter_map(|pick| inside.pick(*pick, returnable)).collect();
        let binds: Vec<_> = returned.iter().map(|_| self.handle()).collect();
        for (bind, Visible { fan: inner, .. }) in binds.iter().zip(&returned) {
            let flat = inner.map(|inner| FanBounds {
                parts: bounds.parts + inner.parts,
                items: bounds.items * inner.items,
                width: 1,
            });
            scope.add(*bind, Some(flat.unwrap_or(FanBounds { width: 1, ..bounds })));
        }
        let returns = returned.iter().map(|visible| visible.handle).collect();
        lets.push(Let { binds, expr: Expr::Map(Map { over, items, body, returns }) });
    }

    fn emit(&mut self, raw: &RawEmit, scope: &mut Scope, lets: &mut Vec<Let>) {
        let emitter = emitter(raw);
        let items = emitter.attempts.iter().map(|attempt| attempt.items.len()).max().unwrap_or(0);
        let function = ["emit", "split"][raw.call.function % 2];
        let op = self.call(&raw.call, function, Work::Emit(emitter), scope);
        self.bind(Expr::Op(op.into()), Some(FanBounds { parts: 1, width: 1, items }), scope, lets);
    }

    fn op(&mut self, raw: &RawOp, scope: &Scope) -> Op {
        let function = ["inc", "dbl", "mix", "dbl_2"][raw.call.function % 4];
        let work = Work::Single { compute: raw.compute, nothing_when: raw.nothing_when };
        self.call(&raw.call, function, work, scope)
    }

    fn call(&mut self, raw: &RawCall, function: &'static str, work: Work, scope: &Scope) -> Op {
        let single = |pick: &Pick| scope.single(*pick);
        let input = |raw: &RawInput| match raw {
            RawInput::Constant(number) => Input::Constant(*number),
            RawInput::One(pick) => single(pick).map_or(Input::Constant(0), Input::One),
            RawInput::Maybe(pick) => single(pick).map_or(Input::Constant(0), Input::Maybe),
            RawInput::List(picks) => Input::List(picks.iter().filter_map(single).collect()),
        };
        let options = &raw.options;
        // The same explicit name twice is an error of building (§1.15).
        let name = options.named.map(|index| ["named", "dbl_2", "emit_2", "zip_2"][index % 4]);
        let name = name.filter(|name| self.used_names.insert(name));
        Op {
            function,
            named: name.map(str::to_owned),
            inputs: raw.inputs.iter().map(input).collect(),
            after: options.after.as_ref().and_then(single).into_iter().collect(),
            work,
            failing: Failing { ..raw.failing.clone() },
            retry: options.retry,
            retry_at_call: options.retry_at_call,
            priority: options.priority,
            pool: options.pool,
            tag: options.tag,
        }
    }
}

/// The attempts that fail, then the one that yields everything.
///
/// A value that an attempt alters never comes back to an earlier one, so that the outcome of a
/// copy cannot depend on how far it came before it was superseded.
fn emitter(raw: &RawEmit) -> Emitter {
    let keys = keys(&raw.keys);
    let items_from = |attempt: usize| {
        let altered =
            |index: usize| raw.tries[attempt..].iter().filter(|later| later.alters == Some(index)).count();
        let value = |index: usize| (index + 1 + 1_000 * altered(index)) as i64;
        keys.iter().enumerate().map(|(index, key)| (key.clone(), value(index))).collect::<Vec<_>>()
    };
    let failing = raw.tries.iter().enumerate().map(|(attempt, one)| {
        let mut items = items_from(attempt);
        items.truncate(one.yields);
        items.extend(one.adds.then(|| ("added".to_owned(), 77)));
        Emission { items, fails: Some(one.how) }
    });
    let mut whole = Emission { items: items_from(raw.tries.len()), fails: None };
    if let Some(flaw) = raw.flaw {
        let at = flaw.at.min(whole.items.len());
        whole.items.insert(at, (flawed(flaw.kind, &whole), 78));
    }
    Emitter {
        attempts: failing.chain([whole]).collect(),
        drops_when: raw.drops_when,
        nothing_when: raw.nothing_when,
        held: raw.held,
    }
}

fn flawed(kind: Flaw, emission: &Emission) -> String {
    match kind {
        Flaw::Duplicate => emission.items.first().map(|(key, _)| key.clone()).unwrap_or_default(),
        Flaw::Empty => String::new(),
        Flaw::Control => "a\tb".to_owned(),
        Flaw::TooLong => "é".repeat(LONGEST / 2 + 1),
    }
}

fn keys(raw: &RawKeys) -> Vec<String> {
    let hostile = ["..", "]", "[0][1]", "\\", "ключ 🔑", "\\]", "'; --", "a.b[c]", "%2e/"];
    let key = |index: usize| match raw.alphabet {
        0 => index.to_string(),
        1 => char::from(b'a' + index as u8).to_string(),
        _ if index == 8 => "é".repeat(LONGEST / 2) + "x",
        _ => hostile[index % hostile.len()].to_owned(),
    };
    let mut keys: Vec<_> = (raw.start..raw.start + raw.count).map(key).collect();
    if raw.backwards {
        keys.reverse();
    }
    keys
}
