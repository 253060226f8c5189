//! What a rerun needs of the old run and that one does not have.

use std::fmt;
use std::ops::ControlFlow;

use crate::event::StepState;
use crate::shape::Shape;
use crate::step::StepName;
use crate::text::safe;

use super::expr::Name;
use super::{Part, PastRun, Selection};

/// A step that the selection needs, does not run, and that did not succeed in the old run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The step.
    pub step: StepName,
    /// The op that needs it.
    pub reader: String,
    /// How it ended instead, if it did.
    pub state: Option<StepState>,
}

/// One line: who needs what, and what to do.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reader, step) = (safe(&self.reader), self.step.to_string());
        let state = match self.state {
            Some(state) => format!("did not succeed in the old run ({})", state.words()),
            None => "did not end in the old run".to_owned(),
        };
        let op = Name(self.step.op()).to_string();
        let keys = step.get(self.step.op().len()..).unwrap_or_default();
        write!(f, "`{reader}` needs `{}`, which {state}: ", safe(&step))?;
        write!(f, "select it too, `{}{}`, or all before with `*{}`", safe(&op), safe(keys), Name(&reader))
    }
}

impl Selection {
    /// Steps that are needed and did not succeed in the old run, at most `limit`: if there are any,
    /// the rerun cannot be. Skipped ones are none, since they are skipped again.
    pub fn missing(&self, shape: &Shape, past: &dyn PastRun, limit: usize) -> Vec<Missing> {
        let mut missing = Vec::new();
        self.each(shape, past, |node, visit| {
            if missing.len() >= limit {
                return ControlFlow::Break(());
            }
            if self.step(node, visit.keys) == Part::Reuse {
                let state = past.state(visit.item, node);
                if !matches!(state, Some(StepState::Succeeded | StepState::Skipped)) {
                    let reader = self.nodes[node.index()].needed_by.unwrap_or(node);
                    let reader = shape.node(reader).name.to_string();
                    let step = StepName::of(&shape.node(node).name, visit.keys);
                    missing.push(Missing { step, reader, state });
                }
            }
            ControlFlow::Continue(())
        });
        missing
    }
}
