//! How a run stands after the events so far, and which events may follow.
//!
//! The same function guards what is written and checks what is read. It keeps a few bits a step; what the
//! events said is not here.

#[cfg(feature = "ui")]
use super::items::Alike;
use super::items::{Items, Standing};
use super::layout::Layout;
use crate::event::{Event, EventKind, StepRef};
use crate::graph::{NodeId, ScopeId};
use crate::shape::Shape;
use crate::step::{Brackets, Path};

/// How a run stands.
#[derive(Debug, Clone)]
pub struct State {
    layout: Layout,
    phase: Phase,
    items: Items,
    steps_ended: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    Begun,
    Ended,
}

/// An event that cannot follow those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{event}` of {of} cannot follow the events before it: {why}")]
pub struct Illegal {
    /// The event's kind.
    pub event: &'static str,
    /// Whose event it is: a step's name, or `the run`.
    pub of: String,
    /// Which rule it breaks.
    pub why: &'static str,
}

/// What an event changes: items are numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    RunStarted,
    RunResumed,
    RunCancelling,
    RunEnded,
    Started { item: u32, node: NodeId },
    Remade { item: u32, node: NodeId },
    Succeeded { item: u32, node: NodeId },
    AttemptFailed { item: u32, node: NodeId },
    Ended { item: u32, node: NodeId },
    Yielded { parent: u32, node: NodeId, output: u16, number: u32 },
    Closed { parent: u32, node: NodeId, output: u16 },
    Moved { parent: u32, node: NodeId, output: u16, item: u32 },
    Superseded { parent: u32, node: NodeId, output: u16, item: u32 },
}

impl State {
    /// Before the first event of a run of a shape.
    pub fn new(shape: &Shape) -> Self {
        let layout = Layout::new(shape);
        let items = Items::new(&layout);
        Self { layout, phase: Phase::New, items, steps_ended: 0 }
    }

    /// Takes the next event of the run of the shape that the state was made for. An event that is refused
    /// changes nothing.
    ///
    /// # Errors
    /// The event cannot follow those before it.
    pub fn next(&mut self, shape: &Shape, event: &Event) -> Result<(), Illegal> {
        let refused = match Change::of(&event.kind) {
            Ok(change) => self.apply(change).err(),
            Err(why) => Some(why),
        };
        match refused {
            None => Ok(()),
            Some(why) => Err(Illegal::new(shape, &event.kind, why)),
        }
    }

    /// The number of the last item that was opened.
    pub fn items(&self) -> u32 {
        self.items.last()
    }

    /// How many steps have ended in all sessions together, as the indices of commits count them.
    pub fn steps_ended(&self) -> u64 {
        self.steps_ended
    }

    /// Whether the run has ended, and was not resumed since.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Whether a step has succeeded, in whatever session.
    pub fn succeeded(&self, item: u32, node: NodeId) -> bool {
        let slot = if item <= self.items() { self.slot(item, node) } else { None };
        slot.is_some_and(|slot| self.items.standing(slot) == Standing::Succeeded)
    }

    /// Whether an item that was opened still counts: neither it nor one around it was superseded.
    pub fn is_alive(&self, item: u32) -> bool {
        self.items.is_alive(item)
    }

    /// The scope that an item that was opened is an instance of.
    pub fn scope_of(&self, item: u32) -> ScopeId {
        self.items.scope(item)
    }

    /// The item around an item that was opened; 0 if it lies in the job's body.
    pub fn parent_of(&self, item: u32) -> u32 {
        self.items.parent(item)
    }

    /// Whether a fan-out has closed since the run began or was resumed.
    pub(crate) fn is_closed(&self, parent: u32, node: NodeId, output: u16) -> bool {
        let scope = self.layout.opened_by(self.scope_of(parent), node, output);
        scope.is_some_and(|scope| self.items.is_closed(&self.layout, parent, scope))
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether the item itself was superseded.
    pub(crate) fn is_superseded(&self, item: u32) -> bool {
        self.items.is_superseded(item)
    }

    /// Which place in a table of all steps is that of a step; `None` if the item has no such step.
    pub(crate) fn slot(&self, item: u32, node: NodeId) -> Option<usize> {
        self.items.slot(&self.layout, item, node)
    }

    /// Which step has a place in a table of all steps that it has.
    #[cfg(feature = "ui")]
    pub(crate) fn step_at(&self, slot: usize) -> (u32, NodeId) {
        self.items.step_at(&self.layout, slot)
    }

    /// All items, as far as they are alike: the first is what lies outside all fan-outs.
    #[cfg(feature = "ui")]
    pub(crate) fn alike(&self) -> impl Iterator<Item = Alike> {
        self.items.alike()
    }

    /// How many bytes it takes.
    #[cfg(feature = "ui")]
    pub(crate) fn room(&self) -> usize {
        self.items.room()
    }

    /// How many places such a table has.
    pub(crate) fn slots(&self) -> usize {
        self.items.slots()
    }

    /// Takes a change, or says which rule it breaks.
    #[inline]
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), &'static str> {
        match self.phase {
            Phase::Begun => {}
            Phase::New if matches!(change, Change::RunStarted) => {}
            Phase::Ended if matches!(change, Change::RunResumed) => {}
            Phase::New => return Err("the run has not begun"),
            Phase::Ended => return Err("the run has ended"),
        }
        match change {
            Change::RunStarted => self.start(),
            Change::RunResumed => {
                self.items.begin_session();
                self.phase = Phase::Begun;
                Ok(())
            }
            Change::RunCancelling => Ok(()),
            Change::RunEnded => {
                self.phase = Phase::Ended;
                Ok(())
            }
            Change::Started { item, node } => self.set(item, node, Standing::Running),
            Change::Remade { item, node } => self.remake(item, node),
            Change::AttemptFailed { item, node } => self.set(item, node, Standing::Nothing),
            Change::Succeeded { item, node } => self.end(item, node, Standing::Succeeded),
            Change::Ended { item, node } => self.end(item, node, Standing::Ended),
            Change::Yielded { parent, node, output, number } => self.open(parent, node, output, number),
            Change::Closed { parent, node, output } => {
                let scope = self.fan(parent, node, output)?;
                self.items.close(&self.layout, parent, scope);
                Ok(())
            }
            Change::Moved { parent, node, output, item } => self.comes_from(parent, node, output, item),
            Change::Superseded { parent, node, output, item } => {
                self.comes_from(parent, node, output, item)?;
                self.items.supersede(item);
                Ok(())
            }
        }
    }

    /// Whether an item that counts came from a fan-out.
    fn comes_from(&mut self, parent: u32, node: NodeId, output: u16, item: u32) -> Result<(), &'static str> {
        self.living(item)?;
        let from = (self.parent_of(item), Some(self.scope_of(item)));
        if item == 0 || from != (parent, self.layout.opened_by(self.scope_of(parent), node, output)) {
            return Err("the item did not come from that fan-out");
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), &'static str> {
        if self.phase != Phase::New {
            return Err("the run has begun before");
        }
        self.phase = Phase::Begun;
        Ok(())
    }

    #[inline]
    fn living(&mut self, item: u32) -> Result<(), &'static str> {
        if item > self.items() {
            return Err("the item was not yielded");
        }
        self.items.look_at(item);
        if self.items.is_alive(item) { Ok(()) } else { Err("the item, or one around it, was superseded") }
    }

    #[inline]
    fn set(&mut self, item: u32, node: NodeId, standing: Standing) -> Result<(), &'static str> {
        self.living(item)?;
        let Some(slot) = self.slot(item, node) else { return Err("the item has no such step") };
        match self.items.standing(slot) {
            Standing::Succeeded => Err("the step has succeeded before"),
            Standing::Ended => Err("the step has ended before"),
            Standing::Nothing | Standing::Running => {
                self.items.set(slot, standing);
                Ok(())
            }
        }
    }

    /// A step whose value was never recorded gives up its success, to run again.
    fn remake(&mut self, item: u32, node: NodeId) -> Result<(), &'static str> {
        self.living(item)?;
        match self.slot(item, node) {
            Some(slot) if self.items.standing(slot) == Standing::Succeeded => {
                self.items.set(slot, Standing::Nothing);
                Ok(())
            }
            Some(_) => Err("the step has not succeeded before"),
            None => Err("the item has no such step"),
        }
    }

    #[inline]
    fn end(&mut self, item: u32, node: NodeId, standing: Standing) -> Result<(), &'static str> {
        self.set(item, node, standing)?;
        self.steps_ended += 1;
        Ok(())
    }

    /// The scope whose instances a fan-out opens that is not closed.
    fn fan(&mut self, parent: u32, node: NodeId, output: u16) -> Result<ScopeId, &'static str> {
        self.living(parent)?;
        let Some(scope) = self.layout.opened_by(self.scope_of(parent), node, output) else {
            return Err("the item has no such fan-out");
        };
        if self.items.is_closed(&self.layout, parent, scope) {
            return Err("the fan-out has closed before");
        }
        Ok(scope)
    }

    fn open(&mut self, parent: u32, node: NodeId, output: u16, number: u32) -> Result<(), &'static str> {
        let scope = self.fan(parent, node, output)?;
        if self.layout.is_op(node) && self.succeeded(parent, node) {
            return Err("the emitter has succeeded before");
        }
        if self.items().checked_add(1) != Some(number) {
            return Err("the number of the item is not the next");
        }
        self.items.open(&self.layout, parent, scope);
        Ok(())
    }
}

impl Change {
    /// The item and the node that it is about.
    pub(crate) fn step(self) -> Option<(u32, NodeId)> {
        match self {
            Self::RunStarted | Self::RunResumed | Self::RunCancelling | Self::RunEnded => None,
            Self::Started { item, node }
            | Self::Remade { item, node }
            | Self::Succeeded { item, node }
            | Self::AttemptFailed { item, node }
            | Self::Ended { item, node }
            | Self::Moved { item, node, .. }
            | Self::Superseded { item, node, .. }
            | Self::Yielded { parent: item, node, .. }
            | Self::Closed { parent: item, node, .. } => Some((item, node)),
        }
    }

    #[inline]
    fn of(kind: &EventKind) -> Result<Self, &'static str> {
        let place = |step: &StepRef| (step.path.number(), step.node);
        Ok(match kind {
            EventKind::RunStarted { .. } => Self::RunStarted,
            EventKind::RunResumed { .. } => Self::RunResumed,
            EventKind::RunCancelling { .. } => Self::RunCancelling,
            EventKind::RunEnded { .. } => Self::RunEnded,
            EventKind::StepStarted { step, .. } => {
                let (item, node) = place(step);
                Self::Started { item, node }
            }
            EventKind::StepRemade { step } => {
                let (item, node) = place(step);
                Self::Remade { item, node }
            }
            EventKind::StepSucceeded { step, .. } | EventKind::StepReused { step, .. } => {
                let (item, node) = place(step);
                Self::Succeeded { item, node }
            }
            EventKind::AttemptFailed { step, .. } => {
                let (item, node) = place(step);
                Self::AttemptFailed { item, node }
            }
            EventKind::StepFailed { step, .. } | EventKind::StepNotRun { step, .. } => {
                let (item, node) = place(step);
                Self::Ended { item, node }
            }
            EventKind::ItemYielded { step, output, item, .. } => {
                let (parent, node) = place(step);
                if around(item) != Some(parent) {
                    return Err("the item does not lie in the step's");
                }
                Self::Yielded { parent, node, output: *output, number: item.number() }
            }
            EventKind::FanOutClosed { step, output, .. } => {
                let (parent, node) = place(step);
                Self::Closed { parent, node, output: *output }
            }
            EventKind::ItemMoved { step, output, item, .. } => {
                let (parent, node) = place(step);
                Self::Moved { parent, node, output: *output, item: item.number() }
            }
            EventKind::ItemSuperseded { step, output, item, .. } => {
                let (parent, node) = place(step);
                Self::Superseded { parent, node, output: *output, item: item.number() }
            }
        })
    }
}

/// The number of what lies around an item, which may have several keys of its own.
fn around(item: &Path) -> Option<u32> {
    std::iter::successors(item.outer(), |path| path.outer())
        .map(Path::number)
        .find(|number| *number != item.number())
}

impl Illegal {
    #[cold]
    fn new(shape: &Shape, kind: &EventKind, why: &'static str) -> Self {
        let (event, step) = match kind {
            EventKind::RunStarted { .. } => ("RunStarted", None),
            EventKind::RunResumed { .. } => ("RunResumed", None),
            EventKind::RunCancelling { .. } => ("RunCancelling", None),
            EventKind::RunEnded { .. } => ("RunEnded", None),
            EventKind::StepStarted { step, .. } => ("StepStarted", Some((step.node, &step.path))),
            EventKind::StepSucceeded { step, .. } => ("StepSucceeded", Some((step.node, &step.path))),
            EventKind::StepRemade { step } => ("StepRemade", Some((step.node, &step.path))),
            EventKind::StepReused { step, .. } => ("StepReused", Some((step.node, &step.path))),
            EventKind::AttemptFailed { step, .. } => ("AttemptFailed", Some((step.node, &step.path))),
            EventKind::StepFailed { step, .. } => ("StepFailed", Some((step.node, &step.path))),
            EventKind::StepNotRun { step, .. } => ("StepNotRun", Some((step.node, &step.path))),
            EventKind::ItemYielded { step, item, .. } => ("ItemYielded", Some((step.node, item))),
            EventKind::FanOutClosed { step, .. } => ("FanOutClosed", Some((step.node, &step.path))),
            EventKind::ItemMoved { step, item, .. } => ("ItemMoved", Some((step.node, item))),
            EventKind::ItemSuperseded { step, item, .. } => ("ItemSuperseded", Some((step.node, item))),
        };
        let of = step.map_or_else(|| "the run".to_owned(), |(node, path)| named(shape, node, path));
        Self { event, of, why }
    }
}

/// A step's name; `node 7` where the shape has no such node.
pub(crate) fn named(shape: &Shape, node: NodeId, path: &Path) -> String {
    let name = shape
        .nodes
        .get(node.index())
        .map_or_else(|| format!("node {}", node.0), |node| node.name.to_string());
    format!("{name}{}", Brackets(&path.keys()))
}
