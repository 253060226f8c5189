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
use super::perform::{Performed, combine, perform};
use super::plan::{Expr, Failure, Fold, Form, Handle, Input, Let, Map, Op, Plan, Retry, Work};
use super::report::{Outcome, Report, RunState, State, StepName};
use super::scope::settle;
use super::value::Value;

/// Interprets `plan`.
pub fn interpret(plan: &Plan) -> Report {
    let mut run = Interpreter {
        names: names(plan),
        retry: plan.options.retry,
        steps: BTreeMap::new(),
        answered: BTreeSet::new(),
        seen: sightings_of_plan(plan),
    };
    let mut root = Frame::root();
    run.block(&settle(plan).lets, &mut root);
    let outputs = plan
        .outputs
        .iter()
        .map(|output| root.slot(*output).value().cloned())
        .collect();
    let bad = |outcome: &Outcome| matches!(outcome.state, State::Failed | State::UpstreamFailed);
    let mut failures = run
        .steps
        .iter()
        .filter(|(_, outcome)| bad(outcome))
        .peekable();
    let any = failures.peek().is_some();
    let handled = failures.all(|(name, _)| run.answered.contains(name));
    run.seen.note_if(any && handled, Sight::FailuresAllHandled);
    run.seen
        .note_if(any && plan.options.fail_fast, Sight::FailFast);
    let state = if handled {
        RunState::Succeeded
    } else {
        RunState::Failed
    };
    Report {
        steps: run.steps,
        outputs,
        state,
        seen: run.seen,
    }
}

pub(super) struct Interpreter {
    names: BTreeMap<Handle, String>,
    retry: Option<Retry>,
    steps: BTreeMap<StepName, Outcome>,
    /// Bad steps that another one below them, or a tolerant collect, answers for.
    answered: BTreeSet<StepName>,
    pub(super) seen: Sightings,
}

impl Interpreter {
    fn block(&mut self, lets: &[Let], frame: &mut Frame<'_>) {
        for Let { binds, expr } in lets {
            match expr {
                Expr::Argument(number) => frame.bind(binds[0], Slot::Value(Value::Number(*number))),
                Expr::Op(op) => self.op(binds[0], op, frame),
                Expr::Map(map) => self.map(binds, map, frame),
                Expr::Collect { over, form } => {
                    let collected = self.collect(frame.fan(*over), *form, frame);
                    frame.bind(binds[0], collected);
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
        self.seen
            .note_if(held && !fan.entries.is_empty(), Sight::Product);
        self.seen
            .note_if(held && !fan.broken_by.is_empty(), Sight::ProductOfFailed);
        let mut results = vec![fan.without_entries(); map.returns.len()];
        for entry in &fan.entries {
            let mut copy = frame.child(entry, &map.items);
            self.seen.note_if(copy.depth() == 3, Sight::DeepFrame);
            self.block(&map.body, &mut copy);
            for (result, returned) in results.iter_mut().zip(&map.returns) {
                self.seen
                    .note_if(copy.holds_outside(*returned), Sight::OuterRepeated);
                match copy.find_slot(*returned) {
                    Some(slot) => result.entries.push(entry.with(vec![slot.clone()])),
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
        let slot = match self.arguments(op, frame) {
            Ok(inputs) if emits => {
                let fan = self.emit(name, op, &inputs, frame.restarted);
                return frame.bind_fan(bind, fan);
            }
            Ok(inputs) => self.run(name, op, &inputs, frame.restarted),
            Err(unmet) => self.not_run(name, unmet),
        };
        if emits {
            frame.bind_fan(bind, Fan::of_step(slot))
        } else {
            frame.bind(bind, slot)
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
                    self.seen
                        .note_if(slots.contains(&&Slot::Skipped), Sight::ListWithSkipped);
                    list(&slots)
                }
            });
        }
        let after = op.after.iter().map(|handle| frame.slot(*handle).clone());
        let all: Vec<_> = slots.iter().cloned().chain(after).collect();
        let failed = all.iter().any(|slot| matches!(slot, Slot::Failed(_)));
        self.seen.note_if(
            failed && all.contains(&Slot::Skipped),
            Sight::SkipBeforeFailure,
        );
        self.seen.note_if(
            failed && all.contains(&Slot::Value(Value::List(vec![]))),
            Sight::EmptyAndFailed,
        );
        match both(all) {
            Slot::Value(_) => Ok(slots.iter().filter_map(Slot::value).cloned().collect()),
            unmet => Err(unmet),
        }
    }

    fn not_run(&mut self, name: StepName, unmet: Slot) -> Slot {
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
        let sight = if state == State::Failed {
            Sight::RetriesUsedUp
        } else {
            Sight::RetriedStep
        };
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

    fn collect(&mut self, fan: &Fan, form: Form, frame: &Frame<'_>) -> Slot {
        self.seen.note_if(frame.depth() > 0, Sight::NestedCollect);
        self.seen.note_if(
            fan.entries.iter().any(|entry| entry.key.len() > 1),
            Sight::FlatCollect,
        );
        let entries: Vec<_> = fan
            .entries
            .iter()
            .map(|entry| (entry.key.clone(), entry.slot()))
            .collect();
        let tolerates = form == Form::Results && fan.broken_by.is_empty();
        let failed = fan.failures();
        if fan.skipped {
            return Slot::Skipped;
        }
        if !failed.is_empty() && !tolerates {
            return Slot::Failed(failed);
        }
        self.seen
            .note_if(!failed.is_empty(), Sight::TolerantWithFailure);
        self.answered.extend(failed);
        let present: Vec<_> = entries
            .into_iter()
            .filter(|(_, slot)| *slot != Slot::Skipped)
            .collect();
        if present.is_empty() && !(fan.entries.is_empty() && fan.skipped_groups.is_empty()) {
            self.seen.note(Sight::AllSkippedCollect);
            return Slot::Skipped;
        }
        let results = present
            .into_iter()
            .map(|(key, slot)| (key, slot.value().cloned()));
        let values =
            |(key, value): (_, Option<Value>)| (key, value.expect("failures were returned above"));
        Slot::Value(match form {
            Form::List => Value::List(results.map(values).map(|(_, value)| value).collect()),
            Form::Keyed => Value::Keyed(results.map(values).collect()),
            Form::Results => Value::Results(results.collect()),
        })
    }

    fn fold(&mut self, bind: Handle, fold: &Fold, frame: &mut Frame<'_>) {
        let name = frame.step_name(&self.names[&bind]);
        let fan = frame.fan(fold.over);
        let folded = if fan.skipped {
            Err(Slot::Skipped)
        } else {
            self.folded(fold, fan)
        };
        let slot = match folded {
            Err(unmet) => self.not_run(name, unmet),
            Ok(value) => {
                let restarted = frame.restarted || fan.retried;
                self.answered.extend(if value.is_none() {
                    fan.failures()
                } else {
                    BTreeSet::new()
                });
                self.seen.note_if(value.is_none(), Sight::FoldFailed);
                let state = value
                    .clone()
                    .map_or(State::Failed, |value| State::Succeeded(Some(value)));
                self.record(name.clone(), state, 1, restarted);
                value.map_or(Slot::Failed([name].into()), Slot::Value)
            }
        };
        frame.bind(bind, slot);
    }

    /// The value, `None` where a combination fails, or why it cannot go on.
    fn folded(&mut self, fold: &Fold, fan: &Fan) -> Result<Option<Value>, Slot> {
        let mut accumulator = Value::Number(fold.init);
        for entry in &fan.entries {
            match entry.slot() {
                Slot::Value(item) => match combine(fold, &accumulator, &item) {
                    Some(combined) => accumulator = combined,
                    None => return Ok(None),
                },
                Slot::Skipped => self.seen.note(Sight::FoldWithSkipped),
                Slot::Failed(_) => {
                    self.seen.note(Sight::FoldWithFailed);
                    return Err(Slot::Failed(fan.failures()));
                }
            }
        }
        if fan.broken_by.is_empty() {
            Ok(Some(accumulator))
        } else {
            Err(Slot::Failed(fan.failures()))
        }
    }

    fn zip(&mut self, bind: Handle, left: Handle, right: Handle, frame: &mut Frame<'_>) {
        let name = frame.step_name(&self.names[&bind]);
        let ((left, _), (right, _)) = (frame.fan_for_map(left), frame.fan_for_map(right));
        let mut zipped = left.zipped(&right);
        if zipped.skipped || !zipped.broken_by.is_empty() {
            let unmet = if zipped.skipped {
                Slot::Skipped
            } else {
                Slot::Failed(zipped.broken_by.clone())
            };
            self.not_run(name.clone(), unmet);
        } else {
            let matches = left.answers(&right) && right.answers(&left);
            self.seen
                .note_if(matches && !zipped.entries.is_empty(), Sight::ZipMatched);
            self.seen.note_if(!matches, Sight::ZipMismatch);
            let state = if matches {
                State::Succeeded(None)
            } else {
                State::Failed
            };
            self.record(name.clone(), state, 1, frame.restarted || zipped.retried);
        }
        if !zipped.skipped && self.steps[&name].state != State::Succeeded(None) {
            zipped.broken_by = [name].into();
        }
        frame.bind_fan(bind, zipped);
    }

    pub(super) fn record(&mut self, name: StepName, state: State, attempts: u32, restarted: bool) {
        let outcome = Outcome {
            state,
            attempts,
            restarted,
        };
        let twice = self.steps.insert(name.clone(), outcome);
        assert!(twice.is_none(), "two steps are named `{name}`");
    }
}

/// A static list: skipped entries are dropped; it is skipped itself if all are (§4.2).
fn list(slots: &[&Slot]) -> Slot {
    let present: Vec<Slot> = slots
        .iter()
        .filter(|slot| ***slot != Slot::Skipped)
        .map(|slot| (*slot).clone())
        .collect();
    if present.is_empty() && !slots.is_empty() {
        Slot::Skipped
    } else {
        both(present)
    }
}
