//! The layer of `tracing` that hears what steps log.

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::line::Line;
use super::step::Said;
use crate::context::current;

/// A layer that records what is logged with `tracing` inside a step as that step's log.
///
/// [`main`](crate::main) installs it. A program that runs jobs itself adds it to its own subscriber,
/// with a filter that says how much is recorded; what is logged outside all steps is left to the
/// program's other layers. One layer serves all runs of the process.
///
/// ```
/// use tracing_subscriber::filter::LevelFilter;
/// use tracing_subscriber::prelude::*;
///
/// let logs = fanfold::StepLogs.with_filter(LevelFilter::INFO);
/// let subscriber = tracing_subscriber::registry().with(logs);
/// # tracing::subscriber::with_default(subscriber, || tracing::info!("outside all steps"));
/// ```
///
/// An attempt of a step keeps [`MAX_STEP_LINES`](crate::logs::MAX_STEP_LINES) lines and
/// [`MAX_STEP_BYTES`](crate::logs::MAX_STEP_BYTES), a line is cut at
/// [`MAX_LINE_BYTES`](crate::logs::MAX_LINE_BYTES), and its log says what is missing. A step never waits
/// for its lines to be recorded. Text is kept as it was written, control characters and all: who shows
/// it escapes it.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepLogs;

impl<S: Subscriber> Layer<S> for StepLogs {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Nothing but a copy is made here: writing a line out runs code of the user's, which may enter
        // other steps.
        let step =
            current::with(|step| step.log().is_some_and(|log| log.allows_a_line()).then(|| step.clone()));
        let Some(step) = step.flatten() else { return };
        let mut line = Line::default();
        event.record(&mut line);
        let (text, fields) = line.finish();
        let metadata = event.metadata();
        let (level, target) = (level(*metadata.level()), metadata.target().to_owned());
        if let Some(log) = step.log() {
            log.add(Said { level, target, text, fields });
        }
    }
}

/// A level as it is recorded.
fn level(level: Level) -> u8 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::OpContext;
    use crate::context::{Resources, RunContext};
    use crate::graph::NodeId;
    use crate::key::Key;
    use crate::logs::{LogBuffer, MAX_STEP_BYTES, MAX_STEP_LINES, MAX_WAITING_BYTES};
    use crate::step::Path;
    use crate::store::LogRow;

    /// A step of node 3 and item 7, in a run whose logs go into the buffer.
    fn step() -> (OpContext, Arc<LogBuffer>) {
        let buffer = Arc::new(LogBuffer::default());
        let mut run = RunContext::new("r".into(), Resources::new());
        run.logs = Some(Arc::clone(&buffer));
        let (node, path) = ((NodeId(3), "op".into()), Path::root().item(Key::new("k"), 0, 7));
        (OpContext::new(Arc::new(run), node, path, 2, CancellationToken::new()), buffer)
    }

    fn logging(code: impl FnOnce()) {
        tracing::subscriber::with_default(tracing_subscriber::registry().with(StepLogs), code);
    }

    fn last(rows: &[LogRow]) -> (&str, &str) {
        rows.last().map_or(("", ""), |row| (row.target.as_str(), row.text.as_str()))
    }

    #[test]
    fn a_line_says_which_attempt_of_which_step_said_it() {
        let (step, buffer) = step();
        logging(|| {
            tracing::error!("outside");
            step.run(|| tracing::warn!(target: "shop", price = 3, "sold"));
            tracing::error!("outside again");
        });
        let rows = buffer.take();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.item, row.node, row.attempt, row.level), (7, 3, 2, 2));
        assert_eq!((&*row.target, &*row.text, &*row.fields), ("shop", "sold", r#"{"price":3}"#));
    }

    #[test]
    fn a_run_that_is_not_recorded_keeps_no_lines() {
        logging(|| {
            let step = OpContext::for_test();
            step.run(|| tracing::warn!("lost"));
            step.close_log();
        });
    }

    #[test]
    fn a_million_lines_are_cut_and_the_last_one_says_so() {
        let (step, buffer) = step();
        logging(|| step.run(|| (0..1_000_000).for_each(|i| tracing::info!(i))));
        step.close_log();
        let rows = buffer.take();
        assert_eq!(rows.len() as u64, MAX_STEP_LINES + 1);
        let expected = "990000 lines dropped: a step keeps 10000 lines and 4 MiB of its log";
        assert_eq!(last(&rows), ("fanfold", expected));
        step.close_log();
        assert_eq!(buffer.take(), [], "nothing was dropped since");
    }

    #[test]
    fn long_lines_are_cut_at_the_bytes_of_a_step() {
        let (step, buffer) = step();
        logging(|| step.run(|| (0..1_000).for_each(|_| tracing::info!("{}", "x".repeat(10_000)))));
        step.close_log();
        let rows = buffer.take();
        let bytes: usize = rows.iter().map(|row| row.text.len()).sum();
        assert!((bytes as u64) < MAX_STEP_BYTES + 20_000);
        assert_eq!(last(&rows).1, "580 lines dropped: a step keeps 10000 lines and 4 MiB of its log");
    }

    #[test]
    fn a_step_that_outruns_the_record_loses_lines_and_says_so() {
        let (step, buffer) = step();
        let full = LogRow {
            number: 0,
            item: 0,
            node: 0,
            attempt: 1,
            at: 0,
            level: 3,
            target: String::new(),
            text: "x".repeat(MAX_WAITING_BYTES - 300),
            fields: String::new(),
        };
        assert!(buffer.push(full));
        logging(|| step.run(|| (0..5).for_each(|i| tracing::info!(i))));
        step.close_log();
        let rows = buffer.take();
        assert_eq!(last(&rows), ("fanfold", "4 lines dropped: they came faster than they could be recorded"));
    }

    #[test]
    fn code_that_logs_and_enters_steps_while_it_is_logged_does_no_harm() {
        struct Busy(OpContext);
        impl std::fmt::Display for Busy {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.run(|| tracing::info!("inner"));
                f.write_str("outer")
            }
        }
        let (step, buffer) = step();
        let busy = Busy(step.clone());
        logging(|| step.run(|| tracing::info!("{busy}")));
        assert_eq!(buffer.take().last().map(|row| row.text.clone()), Some("outer".to_owned()));
    }

    #[test]
    fn clones_of_a_context_share_what_their_attempt_may_log() {
        let (step, buffer) = step();
        let clone = step.clone();
        logging(|| {
            step.run(|| (0..MAX_STEP_LINES).for_each(|i| tracing::info!(i)));
            clone.run(|| tracing::info!("too much"));
        });
        clone.close_log();
        assert!(last(&buffer.take()).1.starts_with("1 line dropped: "));
    }
}
