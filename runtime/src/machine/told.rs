//! What the events told of the fan-outs below an item: how many items, and how many closings.

use std::collections::BTreeMap;

use crate::event::Below;
use crate::graph::ScopeId;
use crate::record::Past;

use super::Machine;
use super::frame::{Fan, FanState};
use super::recall::Recall;

/// By scope: items, closings.
#[derive(Debug, Default)]
struct Told(BTreeMap<u32, (u64, u64)>);

impl Told {
    fn items(&mut self, scope: ScopeId, items: usize) {
        self.0.entry(scope.0).or_default().0 += items as u64;
    }

    /// A fan-out, with so many items.
    fn fan_out(&mut self, fan: &Fan, items: usize) {
        self.items(ScopeId(fan.scope), items);
        let is_closed = !matches!(fan.state, FanState::Open);
        self.0.entry(fan.scope).or_default().1 += u64::from(is_closed);
    }

    /// What lies below a known item that has no frame: nothing of it has closed since the run goes on.
    fn known(&mut self, past: &Past, item: u32) {
        past.scopes_below(item).into_iter().for_each(|(scope, items)| self.items(scope, items));
    }

    /// By scope, without those of which nothing was told.
    fn below(self) -> Vec<Below> {
        let told = self.0.into_iter().filter(|(_, counts)| *counts != (0, 0));
        told.map(|(scope, (items, closed))| Below { scope: ScopeId(scope), items, closed }).collect()
    }
}

/// What was told below a known item that has no frame.
pub(super) fn below_known(past: &Past, item: u32) -> Vec<Below> {
    let mut told = Told::default();
    told.known(past, item);
    told.below()
}

impl Machine {
    /// What was told below the item of a frame.
    pub(super) fn told_below(&self, top: u32) -> Vec<Below> {
        let past = self.recall.as_ref().filter(|recall| Recall::goes_on(recall)).map(|recall| &recall.past);
        let (mut frames, mut told) = (vec![top], Told::default());
        while let Some(frame) = frames.pop() {
            for index in &self.frames[frame as usize].fans {
                let fan = &self.fans[*index as usize];
                let not_adopted = self.not_adopted(*index);
                let waiting = fan.queue.told();
                told.fan_out(fan, fan.frames.len() + waiting.len() + not_adopted.len());
                frames.extend(&fan.frames);
                if let Some(past) = past {
                    let known = waiting.iter().filter_map(|item| item.known);
                    known.chain(not_adopted).for_each(|item| told.known(past, item));
                }
            }
        }
        told.below()
    }
}
