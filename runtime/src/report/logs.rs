//! What is logged with `tracing`, as lines among the progress; what steps log also goes into the record.

use std::fmt::{self, Write as _};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::paint::Paint;
use crate::context::{OpContext, current};
use crate::logs::StepLogs;
use crate::text::safe;

/// The variable that says what is shown and recorded: `debug`, `warn,my_crate=trace`, `off`.
pub(crate) const LOG_VARIABLE: &str = "FANFOLD_LOG";

/// Takes lines, and tells the time since the run began.
pub(crate) trait LineTaker: Send + Sync + 'static {
    /// Takes the line that `line` makes of the time since the run began.
    fn take(&self, line: &dyn Fn(Duration) -> String);
}

/// Shows and records what is logged from here on, unless the program has a subscriber of its own.
///
/// # Errors
/// The variable [`LOG_VARIABLE`] cannot be read.
pub(crate) fn show(to: impl LineTaker, quiet: bool, paint: Paint) -> Result<(), String> {
    let given: Option<Targets> = match std::env::var(LOG_VARIABLE) {
        Ok(text) => Some(text.parse().map_err(|error| {
            format!(
                "{LOG_VARIABLE}: `{text}` is not a filter such as `debug` or `warn,my_crate=trace`: {error}"
            )
        })?),
        Err(_) => None,
    };
    let filter = |level| given.clone().unwrap_or_else(|| Targets::new().with_default(level));
    let shown = LogLines { to, paint }.with_filter(filter(if quiet { Level::WARN } else { Level::INFO }));
    let recorded = StepLogs.with_filter(filter(Level::INFO));
    // A program that set a subscriber of its own has decided where its logs go.
    let _ = tracing_subscriber::registry().with(recorded).with(shown).try_init();
    Ok(())
}

struct LogLines<T> {
    to: T,
    paint: Paint,
}

impl<T: LineTaker, S: Subscriber> Layer<S> for LogLines<T> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let word = match *event.metadata().level() {
            Level::ERROR => self.paint.bad("     ERROR"),
            Level::WARN => self.paint.warn("      WARN"),
            Level::INFO => self.paint.dim("      INFO"),
            Level::DEBUG => self.paint.dim("     DEBUG"),
            Level::TRACE => self.paint.dim("     TRACE"),
        };
        let step = current::with(OpContext::step_name).map(|name| name + ": ").unwrap_or_default();
        self.to.take(&|since| {
            let Text { message, fields } = &text;
            format!("{word} [{:>7.2}s] {}{}{}", since.as_secs_f64(), safe(&step), safe(message), safe(fields))
        });
    }
}

/// An event's message, and its other fields: `  pieces=26 run=7k2m`.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string fails only where the value's own formatting does.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            let gap = if self.fields.is_empty() { "  " } else { " " };
            write!(self.fields, "{gap}{}={value:?}", field.name())
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    struct Taken(Arc<Mutex<Vec<String>>>);

    impl LineTaker for Taken {
        fn take(&self, line: &dyn Fn(Duration) -> String) {
            self.0.lock().unwrap().push(line(Duration::from_millis(1_240)));
        }
    }

    #[test]
    fn an_event_is_a_line_that_plays_no_tricks() {
        let taken = Arc::default();
        let layer = LogLines { to: Taken(Arc::clone(&taken)), paint: Paint::PLAIN };
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(pieces = 26, run = %"7k2m", "merging");
            tracing::error!("\u{1b}[2J");
            OpContext::for_test().run(|| tracing::warn!("in a step"));
        });
        let taken = taken.lock().unwrap();
        assert_eq!(
            *taken,
            [
                "      INFO [   1.24s] merging  pieces=26 run=7k2m",
                r"     ERROR [   1.24s] \u{1b}[2J",
                "      WARN [   1.24s] test: in a step",
            ]
        );
    }
}
