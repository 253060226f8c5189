//! What each event changes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::failures::Failures;
use super::node::{NodeSummary, ScopeSummary};
use super::open::Attempts;
use super::{SLOWEST, SlowStep, Summary};
use crate::event::{Below, Event, EventKind, StepRef, StepState};
use crate::graph::{NodeId, ScopeId};
use crate::shape::Shape;
use crate::step::Path;

impl Summary {
    pub(super) fn prepare(&mut self, shape: &Shape) {
        self.scopes = shape.scopes.iter().map(|scope| ScopeSummary::new(scope.parent)).collect();
        self.scopes[ScopeId::ROOT.index()].opened = 1;
        self.nodes = shape.nodes.iter().map(|node| NodeSummary::of(node.scope)).collect();
        for (index, scope) in (0..).zip(&shape.scopes) {
            if let Some((node, output)) = scope.fan {
                self.nodes[node.index()].fans.push((output, ScopeId(index)));
            }
        }
    }

    pub(super) fn apply_one(&mut self, shape: &Shape, event: &Event) {
        match &event.kind {
            EventKind::StepSucceeded { step, attempt, took, .. } => {
                self.end(step, *attempt, StepState::Succeeded);
                self.took(step, *took);
            }
            EventKind::ItemYielded { step, output, .. } => {
                if let Some(scope) = self.fan(step.node, *output) {
                    scope.opened += 1;
                }
            }
            EventKind::StepStarted { step, attempt } => {
                let node = &mut self.nodes[step.node.index()];
                self.attempts.start(node, step, *attempt, event.at);
            }
            EventKind::AttemptFailed { step, started, took, due, .. } => {
                let node = &mut self.nodes[step.node.index()];
                node.retries += 1;
                node.retry_wait += due.saturating_sub(*started + *took);
                node.durations.add(*took);
                self.attempts.wait(node, step);
            }
            EventKind::StepFailed { step, attempt, took, error, left_behind, .. } => {
                self.end(step, *attempt, StepState::Failed);
                self.nodes[step.node.index()].left_behind += u64::from(*left_behind);
                self.took(step, *took);
                self.failures.add(shape, step, (*attempt, *took), error, event.at);
            }
            EventKind::StepNotRun { step, state, .. } => self.end(step, 1, *state),
            EventKind::FanOutClosed { step, output, .. } => {
                if let Some(scope) = self.fan(step.node, *output) {
                    scope.closed += 1;
                }
            }
            EventKind::ItemMoved { .. } => {}
            EventKind::ItemSuperseded { step, output, item, ended, below } => {
                self.supersede(step.node, *output, item, ended);
                self.forget_below(below);
            }
            EventKind::RunStarted { run, started, args } => {
                self.run_id = Some(Arc::clone(run));
                self.started = Some(*started);
                self.sessions += 1;
                self.args.clone_from(args);
            }
            EventKind::StepReused { step, .. } => {
                self.end(step, 1, StepState::Succeeded);
                self.nodes[step.node.index()].reused += 1;
            }
            EventKind::StepRemade { step } => {
                let succeeded = &mut self.nodes[step.node.index()].ended[StepState::Succeeded as usize];
                *succeeded = succeeded.saturating_sub(1);
            }
            EventKind::RunResumed { resumed, .. } => self.resume(*resumed),
            EventKind::RunCancelling { reason } => self.cancelling = Some(reason.clone()),
            EventKind::RunEnded { state } => self.state = Some(*state),
        }
    }

    /// The run goes on after its end, or after the death of the process that drove it: what has not
    /// succeeded has no state any more, and each fan-out is closed anew.
    fn resume(&mut self, resumed: SystemTime) {
        self.nodes.iter_mut().for_each(NodeSummary::resume);
        self.scopes.iter_mut().for_each(|scope| scope.closed = 0);
        self.attempts = Attempts::default();
        self.failures = Failures::default();
        (self.state, self.cancelling) = (None, None);
        self.sessions += 1;
        self.resumed = Some(resumed);
    }

    /// Takes an item and all below it out of every count.
    fn supersede(&mut self, node: NodeId, output: u16, item: &Path, ended: &[(NodeId, StepState)]) {
        let fan = self.nodes[node.index()].fans.iter().find(|(fan, _)| *fan == output);
        let Some((_, scope)) = fan.copied() else { return };
        let opened = &mut self.scopes[scope.index()].opened;
        *opened = opened.saturating_sub(1);
        for (node, state) in ended {
            let steps = &mut self.nodes[node.index()].ended[*state as usize];
            *steps = steps.saturating_sub(1);
        }
        for step in self.attempts.below(item) {
            self.attempts.end(&mut self.nodes[step.node.index()], &step);
        }
    }

    /// Takes the fan-outs inside a superseded item out of the counts.
    fn forget_below(&mut self, below: &[Below]) {
        for Below { scope, items, closed } in below {
            let Some(scope) = self.scopes.get_mut(scope.index()) else { continue };
            scope.opened = scope.opened.saturating_sub(*items);
            scope.closed = scope.closed.saturating_sub(*closed);
        }
    }

    fn end(&mut self, step: &StepRef, attempt: u32, state: StepState) {
        let node = &mut self.nodes[step.node.index()];
        node.ended[state as usize] += 1;
        node.more_attempts += u64::from(attempt > 1);
        if node.open > 0 {
            self.attempts.end(node, step);
        }
    }

    fn took(&mut self, step: &StepRef, took: Duration) {
        self.nodes[step.node.index()].durations.add(took);
        let full = self.slowest.len() == SLOWEST;
        if full && self.slowest.last().is_some_and(|last| took <= last.took) {
            return;
        }
        // A step that is run again after a resume is named once, with its longest attempt.
        if let Some(known) = self.slowest.iter().position(|slow| slow.step.numbers() == step.numbers()) {
            if self.slowest[known].took >= took {
                return;
            }
            self.slowest.remove(known);
        }
        let place = self.slowest.partition_point(|slow| slow.took >= took);
        self.slowest.insert(place, SlowStep { step: step.clone(), took });
        self.slowest.truncate(SLOWEST);
    }

    /// The scope that an output of a node opens instances of.
    fn fan(&mut self, node: NodeId, output: u16) -> Option<&mut ScopeSummary> {
        let (_, scope) = self.nodes[node.index()].fans.iter().find(|(fan, _)| *fan == output)?;
        Some(&mut self.scopes[scope.index()])
    }
}
