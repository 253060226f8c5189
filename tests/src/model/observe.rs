//! What a driven run came to, in the model's terms: read off the events that the core told.

use std::collections::{BTreeMap, BTreeSet};

use fanfold::define::{Outputs, Run};
use fanfold::graph::{Fan, Graph, Input, NodeId, NodeKind, ScopeId, Source};
use fanfold::{AnyValue, Event, EventKind, Key, Path, StepRef, StepState};

use super::compare::{Observed, ObservedStep};
use super::drive::{Driven, step_name};
use super::report::{RunState, State};
use super::to_graph::read;
use super::value::Value;

/// A step as its node and the text of its keys.
type Place = (NodeId, Vec<String>);

/// Reads the states of all steps off the events of a run.
///
/// # Errors
/// An event cannot follow those before it: a step ends twice, or what is superseded was not there.
pub fn observe(graph: &Graph, driven: &Driven) -> Result<Observed, String> {
    let mut seen = Seen { graph, driven, ended: BTreeMap::new(), items: BTreeMap::new() };
    for event in &driven.events {
        seen.take(&event.kind)?;
    }
    seen.check_items()?;
    let steps = seen.ended.into_values().collect::<BTreeMap<_, _>>();
    let outputs = driven.outputs.iter().map(|output| output.as_ref().map(read)).collect();
    let state = match driven.state {
        fanfold::RunState::Succeeded => Some(RunState::Succeeded),
        fanfold::RunState::Failed => Some(RunState::Failed),
        fanfold::RunState::Cancelled => None,
    };
    Ok(Observed { steps, outputs, state })
}

struct Seen<'a> {
    graph: &'a Graph,
    driven: &'a Driven,
    ended: BTreeMap<Place, (String, ObservedStep)>,
    /// The keys of the items of each emitter and zip.
    items: BTreeMap<Place, BTreeSet<Vec<String>>>,
}

impl Seen<'_> {
    fn take(&mut self, kind: &EventKind) -> Result<(), String> {
        match kind {
            EventKind::StepSucceeded { step, attempt, outputs, .. } => {
                let value = self.value(step, outputs.as_ref())?;
                self.end(step, Some(State::Succeeded(value)), *attempt)
            }
            EventKind::StepFailed { step, attempt, .. } => self.end(step, Some(State::Failed), *attempt),
            EventKind::StepNotRun { step, state, .. } => match state {
                StepState::Skipped => self.end(step, Some(State::Skipped), 0),
                StepState::UpstreamFailed => self.end(step, Some(State::UpstreamFailed), 0),
                StepState::Cancelled => self.end(step, None, 0),
                state => Err(format!("`{}` was not run: {state:?}", step_name(self.graph, step))),
            },
            EventKind::ItemYielded { step, item, .. } => {
                let new = self.items.entry(place(step)).or_default().insert(keys(item));
                new.then_some(()).ok_or(format!(
                    "`{}` gave {:?} twice",
                    step_name(self.graph, step),
                    keys(item)
                ))
            }
            EventKind::StepReused { step, .. } => {
                let value = self.value(step, None)?;
                self.end(step, Some(State::Succeeded(value)), 1)
            }
            EventKind::StepRemade { step } => match self.ended.remove(&place(step)) {
                Some((_, ended))
                    if ended.state.as_ref().is_some_and(|state| matches!(state, State::Succeeded(_))) =>
                {
                    Ok(())
                }
                ended => Err(format!("`{}` is made again after {ended:?}", step_name(self.graph, step))),
            },
            // What did not succeed has no state any more (§5.2).
            EventKind::RunResumed { .. } => {
                self.ended.retain(|_, (_, step)| matches!(step.state, Some(State::Succeeded(_))));
                Ok(())
            }
            EventKind::ItemSuperseded { step, output, item, ended, .. } => {
                self.supersede(step, *output, item, ended)
            }
            _ => Ok(()),
        }
    }

    fn end(&mut self, step: &StepRef, state: Option<State>, attempts: u32) -> Result<(), String> {
        let name = step_name(self.graph, step);
        let before = self.ended.insert(place(step), (name, ObservedStep { state, attempts }));
        before.map_or(Ok(()), |(name, before)| Err(format!("`{name}` ended twice, first {before:?}")))
    }

    /// What a step gave: as the core told, else as the op gave it. That of an emitter are its items.
    fn value(&self, step: &StepRef, told: Option<&Outputs>) -> Result<Option<Value>, String> {
        let name = step_name(self.graph, step);
        let gave = self.driven.gave.get(&name);
        let op = self.graph.node(step.node).op();
        if op.is_some_and(|op| matches!(op.run, Run::Emitter(_))) {
            let items = self.driven.items.get(&name).filter(|_| gave.is_some_and(Option::is_some));
            let item = |(key, value): &(Key, AnyValue)| (vec![key.to_string()], read(value));
            return Ok(items.map(|items| Value::Keyed(items.iter().map(item).collect())));
        }
        match (told, gave, &self.graph.node(step.node).inputs[..]) {
            (Some(Outputs::One(told)), ..) => Ok(told.as_ref().map(read)),
            (_, Some(gave), _) => Ok(gave.as_ref().map(read)),
            // A fold of nothing gives its first value.
            (_, None, [Input::One(Source::Constant(first))]) if !self.is_op(step.node) => {
                Ok(Some(read(&self.graph.constants[*first as usize])))
            }
            _ => Ok(None),
        }
    }

    fn is_op(&self, node: NodeId) -> bool {
        matches!(self.graph.node(node).kind, NodeKind::Op(_))
    }

    /// The scope of a fan-out.
    fn opened(&self, by: impl Fn(Fan) -> bool) -> ScopeId {
        let found = self.graph.scopes.iter().position(|scope| scope.fan.is_some_and(&by));
        ScopeId(found.expect("it opens a scope") as u32)
    }

    /// What an emitter gave is what was opened; in a run that was cut short some may not be.
    fn check_items(&self) -> Result<(), String> {
        let cancelling = |event: &Event| matches!(event.kind, EventKind::RunCancelling { .. });
        let cut = self.driven.events.iter().any(cancelling);
        for (at, (name, step)) in &self.ended {
            let Some(items) = self.driven.items.get(name).filter(|_| step.is_success()) else { continue };
            let given = items.iter().map(|(key, _)| [at.1.clone(), vec![key.to_string()]].concat());
            let given: BTreeSet<_> = given.collect();
            let opened = self.items.get(at).cloned().unwrap_or_default();
            if opened != given && !(cut && opened.is_subset(&given)) {
                return Err(format!("`{name}` gave {given:?}, and these were opened: {opened:?}"));
            }
        }
        Ok(())
    }

    fn supersede(
        &mut self,
        step: &StepRef,
        output: u16,
        item: &Path,
        ended: &[(NodeId, StepState)],
    ) -> Result<(), String> {
        let keys = keys(item);
        let known = self.items.get_mut(&place(step)).is_some_and(|items| items.remove(&keys));
        let name = step_name(self.graph, step);
        known.then_some(()).ok_or(format!("`{name}` superseded {keys:?}, which it had not given"))?;
        let opened = self.opened(|fan| match fan {
            Fan::Emitter { node, output: of } => (node, of) == (step.node, output),
            Fan::Held(node) | Fan::Zip(node) => node == step.node,
        });
        let lies_below = |scope: ScopeId, path: &[String]| {
            self.graph.outwards(scope).any(|outer| outer == opened) && path.starts_with(&keys)
        };
        let below = |at: &Place| lies_below(self.graph.node(at.0).scope, &at.1);
        // What opens a held list stands further out than the place where it does.
        let around = |node| self.graph.scope(self.opened(|fan| fan.node() == node)).parent;
        let opens_below = |at: &Place| around(at.0).is_some_and(|scope| lies_below(scope, &at.1));
        let gone: Vec<_> = self.items.keys().filter(|at| opens_below(at)).cloned().collect();
        gone.iter().for_each(|at| drop(self.items.remove(at)));
        let gone: Vec<_> = self.ended.keys().filter(|at| below(at)).cloned().collect();
        let mut gone: Vec<_> = gone.iter().filter_map(|at| Some((at.0, self.ended.remove(at)?))).collect();
        let mut told = ended.to_vec();
        gone.sort_by_key(|(node, _)| *node);
        told.sort_unstable();
        if gone.len() != told.len() || gone.iter().zip(&told).any(|((node, _), (told, _))| node != told) {
            return Err(format!(
                "`{name}` superseded {keys:?} with {told:?}, but {gone:?} had ended below it"
            ));
        }
        Ok(())
    }
}

fn place(step: &StepRef) -> Place {
    (step.node, keys(&step.path))
}

fn keys(path: &Path) -> Vec<String> {
    path.keys().iter().map(ToString::to_string).collect()
}
