//! The next commands, as they are to be typed: this program again, at the same store.

use std::sync::Arc;

use super::store::StoreFlags;
use super::which;
use crate::event::RunState;
use crate::store::{Standing, Store};
use crate::text::safe;

/// How this program is called again.
#[derive(Debug, Clone)]
pub(crate) struct Again {
    program: String,
    /// The words that name the store, if they are needed.
    flag: String,
    store: Arc<dyn Store>,
}

impl Again {
    /// This program at a store; `None` at one that nobody else can open.
    pub(super) fn new(program: &str, flags: &StoreFlags, store: &Arc<dyn Store>) -> Option<Self> {
        flags.lasts().then(|| Self::at(program, flags, store))
    }

    /// This program at a store that it has opened to read.
    pub(super) fn at(program: &str, flags: &StoreFlags, store: &Arc<dyn Store>) -> Self {
        Self::of(program, flags.store.as_deref(), store)
    }

    /// This program at a store that has to be named so, if at all.
    pub(crate) fn of(program: &str, address: Option<&str>, store: &Arc<dyn Store>) -> Self {
        let flag = address.map(|address| format!(" --store {}", quoted(address)));
        let (program, flag) = (safe(program).into_owned(), flag.unwrap_or_default());
        Self { program, flag, store: Arc::clone(store) }
    }

    /// `letters show 7k2m --failures`.
    pub(crate) fn command(&self, words: &str) -> String {
        format!("{} {}{}", self.program, safe(words), self.flag)
    }

    /// The store that they are for.
    #[cfg(feature = "ui")]
    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// So much of an id as tells it apart.
    pub(super) fn short<'a>(&self, id: &'a str) -> &'a str {
        which::short(&*self.store, id)
    }

    /// A line of what may be done next with a run; empty if there is nothing.
    pub(super) fn next(&self, run: &str, standing: Standing, has_errors: bool) -> String {
        let run = self.short(run);
        let mut commands = Vec::new();
        if matches!(standing, Standing::Interrupted | Standing::Ended(RunState::Failed | RunState::Cancelled))
        {
            commands.push(format!("resume:  {}", self.command(&format!("resume {run}"))));
        }
        if has_errors {
            commands.push(format!("inspect:  {}", self.command(&format!("show {run} --failures"))));
        }
        if standing == Standing::Running {
            commands.push(format!("stop:  {}", self.command(&format!("cancel {run}"))));
        }
        if commands.is_empty() { String::new() } else { format!("   {}", commands.join("          ")) }
    }
}

/// A word as a shell reads it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_./:=@%+,-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    safe(&format!("'{}'", word.replace('\'', r"'\''"))).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture::shelf;

    fn again(address: Option<&str>) -> Option<Again> {
        let (store, _) = shelf(&[]);
        Again::new("letters", &StoreFlags { store: address.map(str::to_owned) }, &store)
    }

    #[test]
    fn a_command_names_the_store_that_was_named() {
        let said = |address| again(address).map(|again| again.command("resume 7k2m"));
        assert_eq!(said(None).as_deref(), Some("letters resume 7k2m"));
        assert_eq!(said(Some("sqlite:a/b.db")).as_deref(), Some("letters resume 7k2m --store sqlite:a/b.db"));
        let odd = Some("letters resume 7k2m --store 'sqlite:it'\\''s $HOME'");
        assert_eq!(said(Some("sqlite:it's $HOME")).as_deref(), odd);
        assert_eq!(said(Some("memory")), None);
    }
}
