//! One line of a step's log, from an event of `tracing`: its message, and its fields as JSON.
//!
//! What is too long is cut while it is written, not after: a line of a gigabyte is never copied.

use std::error::Error;
use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};

use super::MAX_LINE_BYTES;

/// What stands where text was cut.
const CUT: &str = "… (cut)";

/// A line that is being written.
#[derive(Debug)]
pub(super) struct Line {
    text: String,
    /// The members of a JSON object, without its braces.
    fields: String,
    /// How many bytes may still be written.
    room: usize,
    /// How many fields were left out.
    left_out: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self { text: String::new(), fields: String::new(), room: MAX_LINE_BYTES, left_out: 0 }
    }
}

impl Line {
    /// The text, and the fields as a JSON object; empty if there are none.
    pub(super) fn finish(mut self) -> (String, String) {
        if self.left_out > 0 {
            let left_out = self.left_out;
            self.member("fanfold.left_out", &left_out.to_string());
        }
        let fields = if self.fields.is_empty() { String::new() } else { format!("{{{}}}", self.fields) };
        (self.text, fields)
    }

    /// As much of `value` as there is room for.
    fn cut(&mut self, value: impl fmt::Display) -> String {
        let mut capped = Capped { text: String::new(), room: self.room, cut: false };
        // Fails where it was cut, or where the value's own formatting fails: what there is, is kept.
        let _ = write!(capped, "{value}");
        self.room = capped.room;
        if capped.cut {
            capped.text.push_str(CUT);
        }
        capped.text
    }

    fn member(&mut self, name: &str, json: &str) {
        let comma = if self.fields.is_empty() { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(self.fields, "{comma}{}:{json}", quoted(name));
    }

    /// Adds a field whose JSON is no text.
    fn plain(&mut self, field: &Field, json: &str) {
        match self.room.checked_sub(field.name().len() + json.len()) {
            Some(room) => {
                self.room = room;
                self.member(field.name(), json);
            }
            None => self.left_out += 1,
        }
    }

    /// Adds the message, or a field that is a text.
    fn text(&mut self, field: &Field, value: impl fmt::Display) {
        if field.name() == "message" {
            self.text = self.cut(value);
            return;
        }
        match self.room.checked_sub(field.name().len()) {
            Some(room) if room > 0 => {
                self.room = room;
                let value = self.cut(value);
                self.member(field.name(), &quoted(&value));
            }
            _ => self.left_out += 1,
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Text that ends where there is no more room for it.
struct Capped {
    text: String,
    room: usize,
    cut: bool,
}

impl fmt::Write for Capped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = &text[..text.floor_char_boundary(self.room)];
        self.text.push_str(fits);
        self.room -= fits.len();
        if fits.len() == text.len() {
            return Ok(());
        }
        // Whatever is formatting stops here.
        (self.cut, self.room) = (true, 0);
        Err(fmt::Error)
    }
}

/// An error, and what caused it.
struct Causes<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let causes = std::iter::successors(self.0.source(), |error| (*error).source());
        causes.into_iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        match serde_json::Number::from_f64(value) {
            Some(number) => self.plain(field, &number.to_string()),
            None => self.text(field, value),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, &value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, &value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, if value { "true" } else { "false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field, Causes(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

    #[derive(Default, Clone)]
    struct Lines(Arc<Mutex<Vec<(String, String)>>>);

    impl<S: tracing::Subscriber> Layer<S> for Lines {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            let mut line = Line::default();
            event.record(&mut line);
            self.0.lock().unwrap().push(line.finish());
        }
    }

    fn lines(log: impl FnOnce()) -> Vec<(String, String)> {
        let lines = Lines::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines.clone()), log);
        lines.0.lock().unwrap().drain(..).collect()
    }

    fn fields(line: &(String, String)) -> serde_json::Value {
        serde_json::from_str(&line.1).unwrap()
    }

    #[test]
    fn fields_of_every_kind_are_json() {
        let error = std::io::Error::other("disk on fire");
        let lines = lines(|| {
            tracing::info!(
                int = -7,
                big = u64::MAX,
                huge = i128::MIN,
                float = 1.5,
                nan = f64::NAN,
                yes = true,
                text = "a \"b\"",
                debug = ?Some("x"),
                shown = %"y",
                error = &error as &(dyn Error + 'static),
                "all {}",
                "kinds"
            );
            tracing::info!("none");
        });
        assert_eq!(lines[0].0, "all kinds");
        let expected = serde_json::json!({
            "int": -7, "big": u64::MAX, "huge": i128::MIN.to_string(), "float": 1.5, "nan": "NaN", "yes": true,
            "text": "a \"b\"", "debug": "Some(\"x\")", "shown": "y", "error": "disk on fire",
        });
        assert_eq!(fields(&lines[0]), expected);
        assert_eq!(lines[1], ("none".to_owned(), String::new()));
    }

    #[test]
    fn control_characters_are_kept_as_they_are() {
        let lines = lines(|| tracing::info!(field = "\u{0}\u{1b}]0;x\u{7}", "\u{1b}[2J\r\n\u{202e}"));
        assert_eq!(lines[0].0, "\u{1b}[2J\r\n\u{202e}");
        assert_eq!(fields(&lines[0])["field"], "\u{0}\u{1b}]0;x\u{7}");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_with_a_mark_and_not_written_to_its_end() {
        /// Would take for ever.
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("éé")?;
                }
            }
        }
        let lines = lines(|| {
            tracing::info!("{}", Endless);
            tracing::info!(first = 1, endless = %Endless, late = 2, later = "x");
            tracing::info!(text = "é".repeat(100_000), "short");
        });
        assert_eq!(lines[0].0.len(), MAX_LINE_BYTES + CUT.len());
        assert!(lines[0].0.ends_with(CUT));
        let second = fields(&lines[1]);
        assert!(second["endless"].as_str().unwrap().ends_with(CUT));
        assert_eq!((&second["first"], &second["fanfold.left_out"]), (&1.into(), &2.into()));
        assert!(lines[1].1.len() < MAX_LINE_BYTES + 100);
        assert!(lines[2].1.len() < MAX_LINE_BYTES + 100 && lines[2].0 == "short");
    }
}
