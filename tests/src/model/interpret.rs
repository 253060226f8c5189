//! What a plan must come to: a naive interpreter, one frame after the other, without a scheduler.
//!
//! Every step of every frame that opened is decided once all its inputs are known; nothing here
//! knows time, threads or order of execution. `fail_fast` and cancelling leave open which steps
//! are cancelled (§4.3), so the report is that of the run without them.
//!
//! Readings where the rules are silent or leave a choice:
//! - §4.5 A run fails if some failed or upstream failed step has nobody below it to answer for it:
//!   no tolerant collect that took its failure, no step that became upstream failed by it.
//! - §4.5, §4.8 A tolerant collect takes the failures of copies, not that of an emitter: one over
//!   an emitter that failed, nested ones included, is upstream failed, for its keys are not known.
//! - §4.2 A skipped inner fan-out is one skipped entry of the flat collect.
//! - §1.12, §4.8 A fold ends at the first trouble in yield order: a combination that fails fails it,
//!   a failed item or, after all items, a failed emitter make it upstream failed. All items skipped
//!   give `init`; a skipped emitter skips it.
//! - §1.10 Every key found on both sides of a zip is a pair and opens, whatever becomes of the zip.
//!   A key below a skipped inner fan-out of the other side has a skipped partner.
//! - §4.8 An attempt that fails supersedes items by yielding other values, not by omission.
//! - §4.8 A product with a failed emitter held whole opens no copies.
//! - §3.2 A `Vec`, or held items, of an attempt that fails were never yielded.
//! - §1.15 `.after` is an input without a value.
//! - §4.7 A fold is never retried; a panic is retried like an error.

use std::collections::{BTreeMap, BTreeSet};

use super::counters::{Sight, Sightings, sightings_of_plan};
use super::fan::{Fan, Slot, both};
use super::frame::Frame;
use super::names::names;
use super::perform::{Performed, perform};
use super::plan::{Expr, Failure, Handle, Input, Let, Map, Op, Plan, Retry, Work};
use super::report::{Outcome, Report, RunState, State, StepName};
use super::scope::{op_inputs, settle};
use super::value::Value;

/// Interprets `plan`.
pub fn interpret(plan: &Plan) -> Report {
    let mut run = Interpreter {
        names: names(plan),
        retry: plan.options.retry,
        steps: BTreeMap::new(),
        needs: BTreeMap::new(),
        answered: BTreeSet::new(),
        seen: sightings_of_plan(plan),
    };
    let mut root = Frame::root();
    run.block(&settle(plan).lets, &mut root);
    let outputs = plan.outputs.iter().map(|output| root.slot(*output).value().cloned()).collect();
    let bad = |outcome: &Outcome| matches!(outcome.state, State::Failed | State::UpstreamFailed);
    let mut failures = run.steps.iter().filter(|(_, outcome)| bad(outcome)).peekable();
    let any = failures.peek().is_some();
    let handled = failures.all(|(name, _)| run.answered.contains(name));
    run.seen.note_if(any && handled, Sight::FailuresAllHandled);
    run.seen.note_if(any && plan.options.fail_fast, Sight::FailFast);
    let state = if handled { RunState::Succeeded } else { RunState::Failed };
    Report { steps: run.steps, needs: run.needs, outputs, state, seen: run.seen }
}

pub(super) struct Interpreter {
    pub(super) names: BTreeMap<Handle, String>,
    retry: Option<Retry>,
    pub(super) steps: BTreeMap<StepName, Outcome>,
    needs: BTreeMap<StepName, BTreeSet<StepName>>,
    /// Bad steps that another one below them, or a tolerant collect, answers for.
    pub(super) answered: BTreeSet<StepName>,
    pub(super) seen: Sightings,
}

impl Interpreter {
    fn block(&mut self, lets: &[Let], frame: &mut Frame<'_>) {
        for Let { binds, expr } in lets {
            match expr {
                Expr::Argument(number) => {
                    let slot = Slot::Value(Value::Number(*number));
                    frame.bind(binds[0], slot, BTreeSet::new());
                }
                Expr::Op(op) => self.op(binds[0], op, frame),
                Expr::Map(map) => self.map(binds, map, frame),
                Expr::Collect { over, form } => {
                    let fan = frame.fan(*over);
                    let collected = self.collect(fan, *form, frame);
                    let after = fan.whole_after();
                    frame.bind(binds[0], collected, after);
                }
                Expr::Fold(fold) => self.fold(binds[0], fold, frame),
                Expr::Zip { left, right } => self.zip(binds[0], *left, *right, frame),
                Expr::Graph { .. } => unreachable!("settled lets have no graphs"),
            }
        }
    }

    /// Runs the closure in a frame for each entry, also for those that failed or were skipped.
    fn map(&mut self, binds: &[Handle], map: &Map, frame: &mut Frame<'_>) {
        let (fan, held) = frame.fan_for_map(map.over);
        self.seen.note_if(held && !fan.entries.is_empty(), Sight::Product);
        self.seen.note_if(held && !fan.broken_by.is_empty(), Sight::ProductOfFailed);
        let mut results = vec![fan.without_entries(); map.returns.len()];
        for entry in &fan.entries {
            let mut copy = frame.child(entry, &map.items);
            self.seen.note_if(copy.depth() == 3, Sight::DeepFrame);
            self.block(&map.body, &mut copy);
            for (result, returned) in results.iter_mut().zip(&map.returns) {
                self.seen.note_if(copy.holds_outside(*returned), Sight::OuterRepeated);
                match copy.find_slot(*returned) {
                    Some(slot) => {
                        let after = copy.after(*returned);
                        result.entries.push(entry.with(vec![slot.clone()], after));
                    }
                    None => result.nest(entry, copy.fan_for_map(*returned).0),
                }
            }
        }
        for (bind, result) in binds.iter().zip(results) {
            frame.bind_fan(*bind, result);
        }
    }

    fn op(&mut self, bind: Handle, op: &Op, frame: &mut Frame<'_>) {
        let name = frame.step_name(&self.names[&bind]);
        let emits = matches!(op.work, Work::Emit(_));
        let read = op_inputs(op).flat_map(|input| frame.after(input));
        self.needs.insert(name.clone(), read.collect());
        let after = BTreeSet::from([name.clone()]);
        let slot = match self.arguments(op, frame) {
            Ok(inputs) if emits => {
                let fan = self.emit(name, op, &inputs, frame.restarted);
                return frame.bind_fan(bind, fan);
            }
            Ok(inputs) => self.run(name, op, &inputs, frame.restarted),
            Err(unmet) => self.not_run(name, unmet),
        };
        if emits {
            frame.bind_fan(bind, Fan { after, ..Fan::of_step(slot) })
        } else {
            frame.bind(bind, slot, after);
        }
    }

    /// The values of the inputs; or, once all have ended, why there are none (§4.4).
    fn arguments(&mut self, op: &Op, frame: &Frame<'_>) -> Result<Vec<Value>, Slot> {
        let mut slots = Vec::new();
        for input in &op.inputs {
            slots.push(match input {
                Input::Constant(number) => Slot::Value(Value::Number(*number)),
                Input::One(handle) => frame.slot(*handle).clone(),
                Input::Maybe(handle) => match frame.slot(*handle) {
                    Slot::Skipped => {
                        self.seen.note(Sight::OptionGivenNothing);
                        Slot::Value(Value::Nothing)
                    }
                    slot => slot.clone(),
                },
                Input::List(handles) => {
                    let slots: Vec<_> = handles.iter().map(|handle| frame.slot(*handle)).collect();
                    self.seen.note_if(slots.contains(&&Slot::Skipped), Sight::ListWithSkipped);
                    list(&slots)
                }
            });
        }
        let after = op.after.iter().map(|handle| frame.slot(*handle).clone());
        let all: Vec<_> = slots.iter().cloned().chain(after).collect();
        let failed = all.iter().any(|slot| matches!(slot, Slot::Failed(_)));
        self.seen.note_if(failed && all.contains(&Slot::Skipped), Sight::SkipBeforeFailure);
        self.seen.note_if(failed && all.contains(&Slot::Value(Value::List(vec![]))), Sight::EmptyAndFailed);
        match both(all) {
            Slot::Value(_) => Ok(slots.iter().filter_map(Slot::value).cloned().collect()),
            unmet => Err(unmet),
        }
    }

    pub(super) fn not_run(&mut self, name: StepName, unmet: Slot) -> Slot {
        let (state, slot) = match unmet {
            Slot::Failed(by) => {
                self.answered.extend(by);
                (State::UpstreamFailed, Slot::Failed([name.clone()].into()))
            }
            _ => (State::Skipped, Slot::Skipped),
        };
        self.record(name, state, 0, false);
        slot
    }

    fn run(&mut self, name: StepName, op: &Op, inputs: &[Value], restarted: bool) -> Slot {
        let mut attempt = 1;
        let performed = loop {
            match perform(op, inputs, attempt) {
                Performed::Failed(how) if self.retries(op, how, attempt) => attempt += 1,
                performed => break performed,
            }
        };
        let (state, slot) = match performed {
            Performed::Gave(value) => (State::Succeeded(Some(value.clone())), Slot::Value(value)),
            Performed::Nothing => (State::Succeeded(None), Slot::Skipped),
            Performed::Failed(_) => (State::Failed, Slot::Failed([name.clone()].into())),
            Performed::Yielded(..) => unreachable!("a single output yields nothing"),
        };
        let sight = if state == State::Failed { Sight::RetriesUsedUp } else { Sight::RetriedStep };
        self.seen.note_if(attempt > 1, sight);
        self.record(name, state, attempt, restarted);
        slot
    }

    /// Whether attempt number `attempt`, which failed, is followed by another: the call's policy
    /// beats the op's, which beats the job's (§4.7).
    pub(super) fn retries(&self, op: &Op, how: Failure, attempt: u32) -> bool {
        let policy = op.retry_at_call.or(op.retry).or(self.retry);
        how != Failure::Permanent && policy.is_some_and(|retry| attempt <= retry.max)
    }

    pub(super) fn record(&mut self, name: StepName, state: State, attempts: u32, restarted: bool) {
        let outcome = Outcome { state, attempts, restarted };
        let twice = self.steps.insert(name.clone(), outcome);
        assert!(twice.is_none(), "two steps are named `{name}`");
    }
}

/// A static list: skipped entries are dropped; it is skipped itself if all are (§4.2).
fn list(slots: &[&Slot]) -> Slot {
    let present: Vec<Slot> =
        slots.iter().filter(|slot| ***slot != Slot::Skipped).map(|slot| (*slot).clone()).collect();
    if present.is_empty() && !slots.is_empty() { Slot::Skipped } else { both(present) }
}
