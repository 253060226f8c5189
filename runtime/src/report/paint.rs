//! Colours, or none.

use anstyle::{AnsiColor, Style};

/// Puts styles around text where the terminal shows them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// No styles.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { on: false };

    /// Styles if what is written to stderr is shown in colours, as `NO_COLOR`, `CLICOLOR_FORCE`,
    /// `TERM` and the kind of stderr have it.
    pub(crate) fn for_stderr() -> Self {
        let choice = anstream::AutoStream::choice(&std::io::stderr());
        Self { on: choice != anstream::ColorChoice::Never }
    }

    /// As [`for_stderr`](Self::for_stderr), for what is written to stdout.
    pub(crate) fn for_stdout() -> Self {
        let choice = anstream::AutoStream::choice(&std::io::stdout());
        Self { on: choice != anstream::ColorChoice::Never }
    }

    fn style(self, style: Style, text: &str) -> String {
        if self.on { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// What went well.
    pub(crate) fn good(self, text: &str) -> String {
        self.style(AnsiColor::Green.on_default().bold(), text)
    }

    /// What failed.
    pub(crate) fn bad(self, text: &str) -> String {
        self.style(AnsiColor::Red.on_default().bold(), text)
    }

    /// What may come right.
    pub(crate) fn warn(self, text: &str) -> String {
        self.style(AnsiColor::Yellow.on_default().bold(), text)
    }

    /// What matters least.
    pub(crate) fn dim(self, text: &str) -> String {
        self.style(Style::new().dimmed(), text)
    }

    /// What matters most.
    pub(crate) fn strong(self, text: &str) -> String {
        self.style(Style::new().bold(), text)
    }
}
