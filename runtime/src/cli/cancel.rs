//! `cancel`: asks whoever drives a run to stop it.

use std::sync::Arc;

use clap::Args;

use super::problem::Problem;
use super::store::StoreFlags;
use super::which::{standing_words, which};
use crate::exit;
use crate::report::screen::tell;
use crate::store::{RunRow, Standing, Store};
use crate::text::safe;

/// The flags of `cancel`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The run: the beginning of its id, or `last`
    #[arg(value_name = "RUN")]
    run: String,
    /// Why: shown with the run
    #[arg(long, value_name = "TEXT", default_value = "asked for by `cancel`")]
    reason: String,
    #[command(flatten)]
    store: StoreFlags,
}

/// Asks for it; the process that drives the run hears of it within a second.
pub(super) fn cancel(flags: &Flags) -> Result<u8, Problem> {
    let text = ask(&flags.store.existing()?, &flags.run, &flags.reason)?;
    tell(&text);
    Ok(exit::SUCCESS)
}

fn ask(store: &Arc<dyn Store>, run: &str, reason: &str) -> Result<String, Problem> {
    let run = which(store, Some(run))?;
    let text = asking(&run).map_err(Problem::Usage)?;
    store.request_cancel(&run.id, reason)?;
    Ok(text)
}

/// What is said when a run is asked to stop; why it cannot be, if it does not run.
pub(crate) fn asking(run: &RunRow) -> Result<String, String> {
    let (id, job) = (&run.id, safe(&run.job));
    match run.standing {
        Standing::Running => {
            Ok(format!("run {id} of job `{job}` is asked to stop: `show {id}` says when it has"))
        }
        Standing::Interrupted => Err(format!(
            "run {id} of job `{job}` does not run: the process that drove it is gone. Nothing is to be stopped; `resume {id}` would go on with it"
        )),
        Standing::Ended(_) => Err(format!(
            "run {id} of job `{job}` does not run any more: it {}",
            match standing_words(run.standing) {
                "cancelled" => "was cancelled",
                words => words,
            }
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture::{Ends, shelf};

    #[test]
    fn only_what_runs_is_asked_to_stop() {
        let (store, drives) =
            shelf(&[("aaaa1111", Ends::Not), ("bbbb2222", Ends::Failed), ("cccc3333", Ends::Lost)]);
        assert!(
            ask(&store, "aaaa", "enough").unwrap().contains("run aaaa1111 of job `letters` is asked to stop")
        );
        assert_eq!(drives[0].cancel_requested().unwrap().as_deref(), Some("enough"));
        let said = |run| ask(&store, run, "enough").unwrap_err().to_string();
        assert_eq!(said("bbbb"), "run bbbb2222 of job `letters` does not run any more: it failed");
        assert!(said("cccc").contains("`resume cccc3333` would go on with it"));
    }
}
