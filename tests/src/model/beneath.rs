//! What lies below items that are superseded, counted by looking at every item.

use std::collections::HashSet;

use fanfold::graph::ScopeId;
use fanfold::record::State;
use fanfold::{Below, EventKind, Shape, ShapeScope};

/// Which fan-outs have closed in this session: the item around each, and the scope that it opens.
#[derive(Debug, Default)]
pub struct Beneath {
    closed: HashSet<(u32, ScopeId)>,
}

impl Beneath {
    /// Looks at the event that follows `state`.
    ///
    /// # Errors
    /// It tells of more, or less, below a superseded item than lies there.
    pub fn look(&mut self, state: &State, shape: &Shape, kind: &EventKind) -> Result<(), String> {
        match kind {
            EventKind::RunResumed { .. } => self.closed.clear(),
            EventKind::FanOutClosed { step, output, .. } => {
                let around = state.scope_of(step.path.number());
                let opens = |scope: &ShapeScope| {
                    scope.fan == Some((step.node, *output)) && scope.parent == Some(around)
                };
                let scope = shape.scopes.iter().position(opens).expect("a fan-out opens a scope");
                self.closed.insert((step.path.number(), ScopeId(scope as u32)));
            }
            EventKind::ItemSuperseded { item, below, .. } => {
                let found = self.below(state, shape, item.number());
                if found != *below {
                    return Err(format!("below {:?} lie {found:?}, told are {below:?}", item.keys()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What lies below an item, by looking at every item.
    fn below(&self, state: &State, shape: &Shape, item: u32) -> Vec<Below> {
        let around = |of: u32| std::iter::successors(Some(of), |of| (*of > 0).then(|| state.parent_of(*of)));
        let lies_in = |of: u32| around(of).any(|around| around == item) && state.is_alive(of);
        let inside: Vec<u32> = (item..=state.items()).filter(|of| lies_in(*of)).collect();
        let scopes = (0..shape.scopes.len() as u32).map(ScopeId).map(|scope| {
            let items = inside.iter().filter(|of| **of != item && state.scope_of(**of) == scope);
            let closed = self.closed.iter().filter(|(of, fan)| *fan == scope && inside.contains(of));
            Below { scope, items: items.count() as u64, closed: closed.count() as u64 }
        });
        scopes.filter(|below| (below.items, below.closed) != (0, 0)).collect()
    }
}
