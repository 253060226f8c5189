//! One process's part in a recorded run: what it writes, as the engine's recorder does, what it reads
//! back, and how it ends before its time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fanfold::define::{Item, OpDef, OutputKind, Outputs};
use fanfold::graph::{Graph, NodeId};
use fanfold::machine::{Recall, RecalledItems, StepWork, Unrecorded};
use fanfold::record::values::{self, StoredValue};
use fanfold::record::{Encoder, Past, State, StepPast};
use fanfold::select::{Part, Selection};
use fanfold::{AnyValue, Batch, Event, EventKind, OpError, Path, Shape, Span, StepRef, TypeInfo};

use super::beneath::Beneath;
use super::counters::{Counts, Feat};

/// A step: its item, and its node.
pub type Step = (u32, NodeId);

/// One process's part in a recorded run.
#[derive(Debug)]
pub struct Session {
    shape: Shape,
    /// What is known of the run, or of the one that it is a rerun of.
    past: Option<Arc<Past>>,
    selection: Option<Arc<Selection>>,
    state: State,
    beneath: Beneath,
    encoder: Encoder,
    waiting: Batch,
    /// What was committed.
    pub commits: Vec<(Batch, Vec<u8>)>,
    /// How likely it is that what happened is committed at once.
    pub prompt: f64,
    /// After so many grants the process dies.
    pub dies: Option<u32>,
    /// How likely it is that an attempt fails that would not have.
    pub sabotage: f64,
    /// How often each step failed since it began, or since it failed for good.
    failed: HashMap<Step, u32>,
    /// The steps that give up their success.
    remade: HashSet<Step>,
    /// What was met.
    pub feats: Counts<Feat>,
}

impl Session {
    /// The first of a run.
    pub fn first(graph: &Graph) -> Self {
        let shape = graph.shape();
        let mut session = Self::with(State::new(&shape), Encoder::new(), shape);
        session.tell(Duration::ZERO, started());
        session
    }

    /// One that goes on with a run.
    pub fn after(graph: &Graph, past: Arc<Past>) -> Self {
        let state = past.state().clone();
        let encoder = Encoder::resume(past.last_item(), state.steps_ended(), past.elapsed());
        let mut session = Self::with(state, encoder, graph.shape());
        let resumed = EventKind::RunResumed { resumed: SystemTime::UNIX_EPOCH, in_hand: vec![] };
        session.tell(past.elapsed(), resumed);
        session.past = Some(past);
        session
    }

    /// The first of a run that takes from another what is not selected.
    pub fn rerun(graph: &Graph, past: Arc<Past>, selection: Arc<Selection>) -> Self {
        Self { past: Some(past), selection: Some(selection), ..Self::first(graph) }
    }

    fn with(state: State, encoder: Encoder, shape: Shape) -> Self {
        Self {
            shape,
            past: None,
            selection: None,
            state,
            beneath: Beneath::default(),
            encoder,
            waiting: Batch::default(),
            commits: Vec::new(),
            prompt: 1.0,
            dies: None,
            sabotage: 0.0,
            failed: HashMap::new(),
            remade: HashSet::new(),
            feats: Counts::default(),
        }
    }

    /// What the core is to know.
    pub fn recall(&self) -> Option<Recall> {
        let past = self.past.clone()?;
        Some(Recall { past, selection: self.selection.clone() })
    }

    /// What is known of the run, if this goes on with it.
    pub fn goes_on(&self) -> Option<&Arc<Past>> {
        self.past.as_ref().filter(|_| self.selection.is_none())
    }

    fn tell(&mut self, at: Duration, kind: EventKind) {
        let batch = Batch { events: vec![Event { at, kind }], data: Vec::new() };
        self.take(batch);
        self.commit().expect("a session begins so");
    }

    /// Takes what happened, to be committed with what comes next.
    pub fn take(&mut self, batch: Batch) {
        let start = self.waiting.data.len() as u32;
        self.waiting.data.extend(batch.data);
        for mut event in batch.events {
            self.note(&event.kind);
            if let EventKind::StepSucceeded { record, .. }
            | EventKind::StepReused { record, .. }
            | EventKind::ItemYielded { record, .. } = &mut event.kind
            {
                *record = record.after(start);
            }
            self.waiting.events.push(event);
        }
    }

    /// Commits what waits.
    ///
    /// # Errors
    /// It cannot follow what happened before.
    pub fn commit(&mut self) -> Result<(), String> {
        let batch = std::mem::take(&mut self.waiting);
        for event in &batch.events {
            self.beneath.look(&self.state, &self.shape, &event.kind)?;
            self.state.next(&self.shape, event).map_err(|illegal| illegal.to_string())?;
        }
        let mut block = Vec::new();
        self.encoder.encode(&self.shape, &batch, &mut block);
        if !block.is_empty() {
            self.commits.push((batch, block));
        }
        Ok(())
    }

    fn note(&mut self, kind: &EventKind) {
        match kind {
            EventKind::AttemptFailed { step, .. } => *self.failures(place(step)) += 1,
            EventKind::StepFailed { step, .. } => *self.failures(place(step)) = 0,
            EventKind::StepRemade { step } => {
                self.feats.note(Feat::Remade);
                self.remade.insert(place(step));
            }
            EventKind::ItemSuperseded { item, .. } => {
                let known = self.goes_on().is_some_and(|past| item.number() <= past.last_item());
                self.feats.note_if(known, Feat::SupersededByResume);
            }
            _ => {}
        }
    }

    fn failures(&mut self, step: Step) -> &mut u32 {
        let known = match self.goes_on().map(|past| past.step(step.0, step.1)) {
            Some(StepPast::Tried { failed, .. }) => failed,
            _ => 0,
        };
        self.failed.entry(step).or_insert(known)
    }

    /// Which attempt an op is to behave as: one more than failed, so that an attempt that died with its
    /// process is made again.
    pub fn behaves_as(&mut self, step: Step) -> u32 {
        *self.failures(step) + 1
    }

    /// A step is about to be run.
    ///
    /// # Errors
    /// It must not: it has succeeded before, or was not selected.
    pub fn may_run(&self, graph: &Graph, node: NodeId, path: &Path) -> Result<(), String> {
        let name = || graph.step_name(&StepRef { node, path: path.clone() });
        if let Some(selection) = &self.selection {
            return match selection.step(node, &path.keys()) {
                Part::Run => Ok(()),
                part => Err(format!("`{}` runs, and is {part:?}", name())),
            };
        }
        let step = (path.number(), node);
        let done = self.past.as_ref().is_some_and(|past| past.state().succeeded(step.0, node));
        let may = !done || self.remade.contains(&step) && is_transient(graph, node);
        may.then_some(()).ok_or_else(|| format!("`{}` runs again, and had succeeded", name()))
    }

    /// What a step is known to have given, and, for a rerun, what is recorded of it.
    ///
    /// # Errors
    /// Nothing is known of it.
    pub fn recall_step(&self, op: &OpDef, step: Step) -> Result<(Outputs, &[u8]), OpError> {
        let past = self.past.as_ref().ok_or_else(|| OpError::new("nothing is known"))?;
        let record = past.step_record(step.0, step.1).ok_or_else(|| OpError::new("nothing is recorded"))?;
        Ok((outputs_of(op, record)?, if self.selection.is_some() { record } else { &[] }))
    }

    /// What an emitter is known to have given; what is recorded goes into `data`.
    ///
    /// # Errors
    /// It cannot be read back.
    pub fn recall_items(
        &self,
        op: &OpDef,
        recalled: &RecalledItems,
        data: &mut Vec<u8>,
    ) -> Result<Vec<Item>, OpError> {
        let past = self.past.as_ref().ok_or_else(|| OpError::new("nothing is known"))?;
        let item = |(output, item): &(u16, u32)| {
            let record = past.item_record(*item);
            let value = value_of(&op.outputs[usize::from(*output)].info, record)?;
            let key = past.parts(*item).last().cloned().ok_or_else(|| OpError::new("no key"))?;
            let kept = if self.selection.is_some() { record } else { &[] };
            Ok(Item { output: *output, key, value, record: add(data, kept), known: Some(*item) })
        };
        recalled.items.iter().map(item).collect()
    }

    /// Counts what it means that a step begins.
    pub fn begins(&mut self, graph: &Graph, work: &StepWork) {
        let Some(past) = self.goes_on() else { return };
        let tried = matches!(past.step(work.path.number(), work.node), StepPast::Tried { .. });
        let emits = work.op.outputs.iter().any(|output| output.kind == OutputKind::Dynamic);
        let retried = matches!(past.step(work.path.number(), work.node), StepPast::Tried { failed: 1.., .. });
        let reads_results = reads_results(graph, work.node);
        let folds = matches!(graph.node(work.node).kind, fanfold::graph::NodeKind::Gather { .. });
        self.feats.note_if(tried && emits, Feat::EmitterResumed);
        self.feats.note_if(retried && emits, Feat::RetriedEmitterResumed);
        self.feats.note_if(tried && folds, Feat::FoldedAgain);
        self.feats.note_if(reads_results, Feat::TolerantAfterResume);
    }
}

/// That a run began.
pub fn started() -> EventKind {
    EventKind::RunStarted { run: "modelled".into(), started: SystemTime::UNIX_EPOCH, args: vec![] }
}

fn place(step: &StepRef) -> Step {
    (step.path.number(), step.node)
}

/// Whether what the steps of a node give is never recorded.
pub fn is_transient(graph: &Graph, node: NodeId) -> bool {
    graph.node(node).op().is_some_and(|op| op.outputs.iter().any(|output| output.info.encode.is_none()))
}

fn reads_results(graph: &Graph, node: NodeId) -> bool {
    use fanfold::graph::{Gather, NodeKind, Source};
    let is_results = |source: &Source| match source {
        Source::Output(node, _) => {
            matches!(graph.node(*node).kind, NodeKind::Gather { gather: Gather::Results(_), .. })
        }
        _ => false,
    };
    graph.node(node).inputs.iter().flat_map(|input| input.sources()).any(is_results)
}

/// Adds bytes, and says where they are.
pub fn add(data: &mut Vec<u8>, bytes: &[u8]) -> Span {
    let start = data.len() as u32;
    data.extend_from_slice(bytes);
    Span { start, len: bytes.len() as u32 }
}

/// What is recorded of a value.
pub fn record_of_value(info: &TypeInfo, value: Option<&AnyValue>) -> Vec<u8> {
    let (mut record, mut text) = (Vec::new(), Vec::new());
    let stored = match (value, info.encode) {
        (None, _) => StoredValue::Nothing,
        (_, None) => StoredValue::Transient,
        (Some(value), Some(encode)) => {
            encode(value, &mut text).expect("values of plans can be written");
            StoredValue::Json(&text)
        }
    };
    values::write_value(&mut record, stored);
    record
}

/// What is recorded of a step of an op with one output.
pub fn record_of_step(op: &OpDef, outputs: &Outputs) -> Vec<u8> {
    let Outputs::One(value) = outputs else { unreachable!("ops of plans have one output") };
    match op.outputs[0].kind {
        OutputKind::Single => record_of_value(&op.outputs[0].info, value.as_ref()),
        // Its items have records of their own.
        OutputKind::Dynamic => {
            record_of_value(&TypeInfo { encode: None, ..op.outputs[0].info }, value.as_ref())
        }
    }
}

/// What a step gave, by its record.
///
/// # Errors
/// The bytes are not such a record.
pub fn outputs_of(op: &OpDef, record: &[u8]) -> Result<Outputs, OpError> {
    let info = match op.outputs[0].kind {
        OutputKind::Single => op.outputs[0].info,
        OutputKind::Dynamic => TypeInfo { decode: None, ..op.outputs[0].info },
    };
    let parts = values::read(record).map_err(OpError::new)?;
    match parts.values[..] {
        [StoredValue::Nothing] => Ok(Outputs::One(None)),
        _ => Ok(Outputs::One(Some(value_of(&info, record)?))),
    }
}

/// A value, by its record; nothing that anybody can read where it was not recorded.
///
/// # Errors
/// The bytes are not such a record.
pub fn value_of(info: &TypeInfo, record: &[u8]) -> Result<AnyValue, OpError> {
    let parts = values::read(record).map_err(OpError::new)?;
    match (&parts.values[..], info.decode) {
        ([StoredValue::Json(text)], Some(decode)) => decode(text).map_err(OpError::new),
        ([StoredValue::Transient], _) => Ok(Arc::new(Unrecorded)),
        (values, _) => Err(OpError::new(format_args!("a record of {values:?}"))),
    }
}
