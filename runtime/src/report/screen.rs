//! Where progress is written: stderr, as one redrawn block with lines above it, or as lines alone.

use std::fmt;
use std::io::{self, Write};

use anstyle_progress::TermProgress;
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::report::words::ascii;

/// Takes the output of one tick.
pub(crate) trait Screen: Send {
    /// Writes lines for good, and shows a block below them until the next tick.
    fn draw(&mut self, drawing: &Drawing);

    /// Width and height, in cells.
    fn size(&self) -> (usize, usize);
}

/// What one tick shows.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    /// What is new, and stays.
    pub(crate) lines: Vec<String>,
    /// What stands below until the next tick; empty when the run is over.
    pub(crate) block: Vec<String>,
    /// How much is done, from 0 to 100, where that is known.
    pub(crate) percent: Option<u8>,
}

/// A terminal, with one block that is redrawn in place.
pub(crate) struct Terminal {
    bar: ProgressBar,
    term: Term,
    ascii: bool,
    /// Whether progress is shown in the task bar, too.
    task_bar: bool,
}

impl Terminal {
    /// The terminal behind stderr.
    pub(crate) fn stderr() -> Self {
        let term = Term::buffered_stderr();
        let target = ProgressDrawTarget::term_like(Box::new(OneWrite(term.clone())));
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        let task_bar = anstyle_progress::supports_term_progress(term.is_term());
        Self { bar, term, ascii: !speaks_unicode(), task_bar }
    }

    fn show_in_task_bar(&self, drawing: &Drawing) {
        let progress = match drawing.percent {
            _ if drawing.block.is_empty() => TermProgress::remove(),
            Some(percent) => TermProgress::start().percent(percent.min(100)),
            None => TermProgress::start(),
        };
        let _ = self.term.write_str(&progress.to_string());
    }

    fn text(&self, lines: &[String]) -> String {
        let text = lines.join("\n");
        if self.ascii { ascii(&text) } else { text }
    }
}

impl Screen for Terminal {
    fn draw(&mut self, drawing: &Drawing) {
        let Drawing { lines, block, .. } = drawing;
        if !lines.is_empty() {
            self.bar.println(self.text(lines));
        }
        if block.is_empty() {
            self.bar.finish_and_clear();
        } else {
            self.bar.set_message(self.text(block));
        }
        if self.task_bar {
            self.show_in_task_bar(drawing);
        }
        // A terminal that went away is no reason to stop a run.
        let _ = self.term.flush();
    }

    fn size(&self) -> (usize, usize) {
        let (height, width) = self.term.size();
        // A size of 0 means that the terminal does not know it.
        let or = |size: u16, usual: usize| if size == 0 { usual } else { usize::from(size) };
        (or(width, 80), or(height, 24))
    }
}

/// A terminal whose writes are kept until the tick is over, so that they are one.
struct OneWrite(Term);

impl fmt::Debug for OneWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneWrite")
    }
}

impl TermLike for OneWrite {
    fn width(&self) -> u16 {
        TermLike::width(&self.0).max(1)
    }

    fn height(&self) -> u16 {
        TermLike::height(&self.0).max(1)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Lines alone, for pipes, logs and terminals that cannot move their cursor.
pub(crate) struct Lines<W> {
    out: W,
    ascii: bool,
}

impl Lines<io::Stderr> {
    /// Lines on stderr.
    pub(crate) fn stderr() -> Self {
        Self { out: io::stderr(), ascii: !speaks_unicode() }
    }
}

impl<W: Write + Send> Screen for Lines<W> {
    fn draw(&mut self, Drawing { lines, .. }: &Drawing) {
        if lines.is_empty() {
            return;
        }
        let text = format!("{}\n", lines.join("\n"));
        let text = if self.ascii { ascii(&text) } else { text };
        // A reader that went away is no reason to stop a run.
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }

    fn size(&self) -> (usize, usize) {
        (80, 24)
    }
}

/// Writes text to stderr as the locale can show it, and minds no reader that went away.
pub(crate) fn tell(text: &str) {
    Lines::stderr().draw(&Drawing { lines: vec![text.to_owned()], ..Drawing::default() });
}

/// Whether the locale, where one is named, has characters beyond ASCII.
fn speaks_unicode() -> bool {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|locale| !locale.is_empty());
    named.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_tick_are_one_write() {
        #[derive(Default)]
        struct Writes(Vec<String>);
        impl Write for Writes {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push(String::from_utf8_lossy(bytes).into_owned());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut screen = Lines { out: Writes::default(), ascii: true };
        let lines = vec!["one …".to_owned(), "two ▕█▌▏".to_owned()];
        let block = vec!["never".to_owned()];
        screen.draw(&Drawing { lines, block: block.clone(), percent: None });
        screen.draw(&Drawing { block, ..Drawing::default() });
        assert_eq!(screen.out.0, ["one ...\ntwo |##|\n"]);
    }
}
