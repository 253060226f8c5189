//! `--json`: the events of a run on stdout, and its result as the last line.

use std::io;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::output::Stdout;
use super::problem::Problem;
use crate::event::Batch;
use crate::graph::Graph;
use crate::report::JsonLines;
use crate::run::{RunReport, Sink};
use crate::shape::Shape;
use crate::summary::Summary;

/// The events of a run on their way to stdout.
pub(super) struct EventLines {
    lines: oneshot::Receiver<JsonLines<Stdout>>,
    broken: Option<oneshot::Receiver<io::ErrorKind>>,
}

impl EventLines {
    /// Begins to write; adds what takes the events to `sinks`.
    pub(super) fn start(sinks: &mut Vec<Box<dyn Sink>>) -> Self {
        let (stdout, broken) = Stdout::start();
        let (sink, lines) = Returned::new(JsonLines::new(stdout));
        sinks.push(Box::new(sink));
        Self { lines, broken: Some(broken) }
    }

    /// What is told why, when stdout can no longer be written to; there is one.
    pub(super) fn broken(&mut self) -> Option<oneshot::Receiver<io::ErrorKind>> {
        self.broken.take()
    }

    /// Writes the last line.
    ///
    /// # Errors
    /// Something could not be written.
    pub(super) async fn finish(self, report: &RunReport) -> Result<(), Problem> {
        let gone = |_| Problem::Output(io::Error::other("the thread that writes events is gone"));
        let lines = self.lines.await.map_err(gone)?;
        lines.result(report).and_then(Stdout::finish).map_err(Problem::Output)
    }
}

/// A sink that comes back when the run is over, for the last line.
struct Returned<S> {
    sink: Option<S>,
    back: Option<oneshot::Sender<S>>,
}

impl<S> Returned<S> {
    fn new(sink: S) -> (Self, oneshot::Receiver<S>) {
        let (back, receiver) = oneshot::channel();
        (Self { sink: Some(sink), back: Some(back) }, receiver)
    }
}

impl<S: Sink> Sink for Returned<S> {
    fn begins(&mut self, graph: &Arc<Graph>, so_far: &Summary) {
        if let Some(sink) = &mut self.sink {
            sink.begins(graph, so_far);
        }
    }

    fn events(&mut self, shape: &Shape, batch: &Batch) {
        if let Some(sink) = &mut self.sink {
            sink.events(shape, batch);
        }
    }
}

impl<S> Drop for Returned<S> {
    fn drop(&mut self) {
        if let (Some(sink), Some(back)) = (self.sink.take(), self.back.take()) {
            let _ = back.send(sink);
        }
    }
}
