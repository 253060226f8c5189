//! The recorder: one thread that makes what happened durable, and then tells it.
//!
//! It takes what the machine has told, a batch at a time: at once when nothing is in flight, else
//! after a few milliseconds, so that one sync of the disk serves all that came meanwhile. Nobody
//! hears of an event before it is on disk (§5.1). If the record cannot be written, the run stops.

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::crash::crash_point;
use crate::event::{Batch, Event, EventKind, RunState};
use crate::graph::Graph;
use crate::panics::caught;
use crate::record::{Encoder, Past, State};
use crate::run::{RunReport, Sink};
use crate::shape::Shape;
use crate::store::{CommitIndex, Drive, NewCommit, StoreError};
use crate::summary::{Counts, Summary};

use super::shared::Shared;

/// How long an event may wait for others to share a commit with.
const GROUP: Duration = Duration::from_millis(5);
/// The same, where all that happened is that steps began, or logged something: a short step ends
/// meanwhile, and is one event.
const GROUP_STARTS: Duration = Duration::from_millis(50);
/// How many bytes of values are worth a commit of their own.
const MUCH_DATA: usize = 256 * 1024;
/// How often it looks while nothing is told: how far behind sinks may be.
const REST: Duration = Duration::from_millis(20);
/// How often it looks whether another process asks to cancel.
const LOOK_FOR_CANCEL: Duration = Duration::from_millis(100);
/// How often it says that it lives.
const BEAT: Duration = Duration::from_secs(1);
/// How often the summary is kept, for whoever opens the run while it goes on.
const KEEP_SUMMARY: Duration = Duration::from_millis(250);

/// What the recorder knows.
pub(super) struct Recorder {
    shared: Arc<Shared>,
    graph: Arc<Graph>,
    shape: Arc<Shape>,
    sinks: Vec<Box<dyn Sink>>,
    summary: Summary,
    log: Option<Log>,
    /// Why the record could not be written.
    unwritten: Option<StoreError>,
}

/// The record of a run, as it is written.
#[derive(Debug)]
pub(crate) struct Log {
    pub(super) drive: Arc<dyn Drive>,
    pub(super) state: State,
    pub(super) encoder: Encoder,
    block: Vec<u8>,
    kept_summary: Instant,
    looked: Instant,
    beaten: Instant,
}

impl Log {
    /// The record of a run that goes on.
    pub(super) fn after(drive: Arc<dyn Drive>, past: &Past) -> Self {
        let state = past.state().clone();
        let encoder = Encoder::resume(past.last_item(), state.steps_ended(), past.elapsed());
        Self::new(drive, state, encoder)
    }

    /// The record that goes on after `state`.
    pub(crate) fn new(drive: Arc<dyn Drive>, state: State, encoder: Encoder) -> Self {
        let now = Instant::now();
        Self { drive, state, encoder, block: Vec::new(), kept_summary: now, looked: now, beaten: now }
    }
}

/// What the recorder begins with.
pub(super) struct Beginning {
    pub(super) sinks: Vec<Box<dyn Sink>>,
    pub(super) shape: Arc<Shape>,
    pub(super) summary: Summary,
    pub(super) log: Option<Log>,
    /// The first events: that the run began, or goes on.
    pub(super) first: Vec<EventKind>,
}

pub(super) fn spawn(
    shared: Arc<Shared>,
    beginning: Beginning,
    report: oneshot::Sender<RunReport>,
) -> io::Result<()> {
    let Beginning { mut sinks, shape, summary, log, first } = beginning;
    let graph = Arc::clone(shared.lock().graph());
    for sink in &mut sinks {
        sink.begins(&graph, &summary);
    }
    let mut recorder = Recorder { shared, graph, shape, sinks, summary, log, unwritten: None };
    let record = move || {
        crash_point!("first_event");
        let at = recorder.shared.now();
        let events = first.into_iter().map(|kind| Event { at, kind }).collect();
        recorder.take(Batch { events, data: Vec::new() });
        crash_point!("first_event_recorded");
        let state = recorder.record();
        // Nobody may wait for the report any more.
        let _ = report.send(recorder.report(state));
    };
    std::thread::Builder::new().name("fanfold-recorder".to_owned()).spawn(record).map(drop)
}

impl Recorder {
    fn record(&mut self) -> RunState {
        loop {
            let (batch, ended) = self.next_batch();
            let many = Shared::held_work_back(batch.events.len(), batch.data.len());
            self.take(batch);
            if many {
                self.shared.wake_workers();
            }
            if let Some(state) = ended {
                return state;
            }
        }
    }

    /// Waits until there is something to write.
    fn next_batch(&mut self) -> (Batch, Option<RunState>) {
        let shared = Arc::clone(&self.shared);
        let mut first_seen = None;
        loop {
            self.look_after();
            let lines = self.log.is_some() && shared.run.logs.as_ref().is_some_and(|logs| logs.any());
            let mut machine = shared.lock();
            let (events, ended) = (machine.waiting_events(), machine.ended());
            if events > 0 || lines || ended.is_some() {
                let only_slow = machine.only_starts();
                let group = match &self.log {
                    None => Duration::ZERO,
                    Some(_) if only_slow => GROUP_STARTS,
                    Some(_) => GROUP,
                };
                let waited = first_seen.get_or_insert_with(Instant::now).elapsed();
                let idle = machine.in_flight() == 0 && !only_slow;
                let much = machine.waiting_data() > MUCH_DATA || Shared::is_worth_reading(events);
                if ended.is_some() || idle || much || waited >= group {
                    return (machine.take_events(), ended);
                }
            }
            let wait = if events > 0 { GROUP } else { REST };
            drop(shared.news.wait_timeout(machine, wait).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Makes events durable, then tells them.
    fn take(&mut self, batch: Batch) {
        if self.unwritten.is_some() {
            return;
        }
        #[cfg(defect = "ack_early")]
        self.sinks.iter_mut().for_each(|sink| sink.events(&self.shape, &batch));
        if let Err(error) = self.write(&batch) {
            self.shared.stop_unwritten(&error);
            self.unwritten = Some(error);
            return;
        }
        crash_point!("after_commit");
        self.summary.apply(&self.shape, &batch.events);
        if !batch.events.is_empty() {
            // One that panics hears no more; the others, and the record, go on.
            self.sinks.retain_mut(|sink| caught(|| sink.events(&self.shape, &batch)).is_ok());
        }
        crash_point!("after_telling");
    }

    fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        for event in &batch.events {
            log.state.next(&self.shape, event).map_err(|illegal| fault(&log.drive, &illegal))?;
        }
        crash_point!("before_encode");
        log.block.clear();
        let mut index = CommitIndex::default();
        if !batch.events.is_empty() {
            index = log.encoder.encode(&self.shape, batch, &mut log.block);
        }
        crash_point!("after_encode");
        let lines = self.shared.run.logs.as_ref().map(|logs| logs.take()).unwrap_or_default();
        let state = batch.events.iter().rev().find_map(|event| match event.kind {
            EventKind::RunEnded { state } => Some(Some(state)),
            EventKind::RunResumed { .. } => Some(None),
            _ => None,
        });
        // What is kept of the summary stands for the run up to the commit before this one's events are
        // counted, so it is kept with the next.
        let keep = state.is_some() || log.kept_summary.elapsed() >= KEEP_SUMMARY;
        let (mut summary, mut counts) = (None, None);
        if keep {
            log.kept_summary = Instant::now();
            let mut ahead = self.summary.clone();
            ahead.apply(&self.shape, &batch.events);
            summary = Some(ahead.to_bytes());
            counts = Some(Counts::of(&ahead, &self.shape).to_json());
        }
        crash_point!("before_run_ended" if state.flatten().is_some());
        log.drive.append(NewCommit {
            block: &log.block,
            index,
            follows: log.drive.head().1,
            logs: &lines,
            summary: summary.as_deref(),
            counts: counts.as_deref(),
            state,
        })?;
        self.shared.has_recorded(log.state.items());
        crash_point!("after_run_ended" if state.flatten().is_some());
        crash_point!("retry_recorded" if batch.events.iter().any(|event| matches!(event.kind, EventKind::AttemptFailed { .. })));
        Ok(())
    }

    /// Between commits: says that it lives, and looks whether the run is to be cancelled.
    fn look_after(&mut self) {
        let Some(log) = self.log.as_mut().filter(|_| self.unwritten.is_none()) else { return };
        if log.beaten.elapsed() >= BEAT {
            log.beaten = Instant::now();
            log.drive.beat();
        }
        if log.looked.elapsed() >= LOOK_FOR_CANCEL {
            log.looked = Instant::now();
            match log.drive.cancel_requested() {
                Ok(Some(reason)) if !self.shared.is_cancelling() => self.shared.cancel(&reason, None),
                Err(error @ StoreError::Fenced { .. }) => {
                    self.shared.stop_unwritten(&error);
                    self.unwritten = Some(error);
                }
                // A store that cannot be read just now is asked again; one that is gone takes no commit.
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn report(&mut self, state: RunState) -> RunReport {
        self.shared.abandon();
        if let Some(log) = &self.log {
            crash_point!("before_release");
            log.drive.release();
            crash_point!("after_release");
        }
        let (elapsed, outputs) = (self.shared.now(), self.shared.lock().take_outputs());
        RunReport {
            run_id: self.shared.run.run_id.clone(),
            job: self.graph.job.name,
            state: if self.unwritten.is_some() { RunState::Failed } else { state },
            elapsed,
            summary: std::mem::take(&mut self.summary),
            outputs,
            graph: Arc::clone(&self.graph),
            shape: Arc::clone(&self.shape),
            unwritten: self.unwritten.take(),
        }
    }
}

fn fault(drive: &Arc<dyn Drive>, illegal: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed {
        store: format!("the record of run {}", drive.run()),
        what: format!("{illegal}; this is a fault of fanfold's: what was recorded so far is whole"),
    }
}
