//! `prune`: removes runs that nobody needs any more.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args;

use super::limits;
use super::output::print;
use super::problem::Problem;
use super::runs::{StateFlag, counted_runs};
use super::store::StoreFlags;
use super::when::shown;
use super::which::standing_words;
use crate::exit;
use crate::store::{RunFilter, RunRow, Standing, Store, StoreError};
use crate::text::safe;

/// The flags of `prune`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Runs that began longer ago than this
    #[arg(long, value_name = "TIME", value_parser = limits::time)]
    older_than: Option<Duration>,
    /// Keep the newest so many of each job, whatever else is said
    #[arg(long, value_name = "N")]
    keep: Option<usize>,
    /// Runs that stand so; repeatable [default: those that ended]
    #[arg(long, value_name = "STATE")]
    state: Vec<StateFlag>,
    /// Runs of this job
    #[arg(long, value_name = "JOB")]
    job: Option<String>,
    /// Remove only what their steps logged
    #[arg(long)]
    logs: bool,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    store: StoreFlags,
}

/// Removes runs, and says which.
pub(super) fn prune(flags: &Flags) -> Result<u8, Problem> {
    if flags.older_than.is_none() && flags.keep.is_none() && flags.state.is_empty() {
        return Err(Problem::Usage(
            "say which runs may go: --older-than 30d, --keep 100 (of each job), --state failed; with --dry-run nothing is removed".to_owned(),
        ));
    }
    if flags.state.contains(&StateFlag::Running) {
        return Err(Problem::Usage(
            "a run that goes on is not removed: stop it with `cancel RUN`, then prune it as a cancelled one"
                .to_owned(),
        ));
    }
    let store = flags.store.existing()?;
    let chosen = chosen(&store, flags, SystemTime::now())?;
    let text = remove(&store, &chosen, flags)?;
    print(text.as_bytes())?;
    Ok(exit::SUCCESS)
}

/// The runs that may go, newest first.
fn chosen(store: &Arc<dyn Store>, flags: &Flags, now: SystemTime) -> Result<Vec<RunRow>, Problem> {
    let runs = store.runs(&RunFilter { job: flags.job.clone(), ..RunFilter::default() })?;
    let oldest_kept = flags.older_than.map(|age| now.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH));
    let asked: Vec<Standing> = flags.state.iter().map(|state| (*state).into()).collect();
    let mut newer: HashMap<String, usize> = HashMap::new();
    let mut chosen = Vec::new();
    for run in runs {
        let newer = newer.entry(run.job.clone()).or_default();
        *newer += 1;
        let kept = flags.keep.is_some_and(|keep| *newer <= keep);
        let old = oldest_kept.is_none_or(|oldest| run.started < oldest);
        let stands = match asked.as_slice() {
            [] => matches!(run.standing, Standing::Ended(_)),
            asked => asked.contains(&run.standing),
        };
        if !kept && old && stands && run.standing != Standing::Running {
            chosen.push(run);
        }
    }
    Ok(chosen)
}

fn remove(store: &Arc<dyn Store>, runs: &[RunRow], flags: &Flags) -> Result<String, Problem> {
    let zone = jiff::tz::TimeZone::system();
    let mut text = String::new();
    let mut removed = 0;
    for run in runs {
        let gone = if flags.dry_run { Ok(()) } else { store.remove(&run.id, flags.logs) };
        match gone {
            Ok(()) => removed += 1,
            // Somebody goes on with it, or removed it meanwhile.
            Err(StoreError::Held { .. } | StoreError::NoRun { .. }) => continue,
            Err(error) => return Err(error.into()),
        }
        let (job, words) = (safe(&run.job), standing_words(run.standing));
        text.push_str(&format!("{}  {job}  {words}  {}\n", run.id, shown(run.started, &zone)));
    }
    let what = if flags.logs { "the logs of " } else { "" };
    let done = if flags.dry_run { "would remove" } else { "removed" };
    text.push_str(&format!("{done} {what}{}\n", counted_runs(removed)));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture::{Ends, shelf};

    fn flags(keep: Option<usize>, state: Vec<StateFlag>) -> Flags {
        let store = StoreFlags { store: None };
        Flags { older_than: None, keep, state, job: None, logs: false, dry_run: false, store }
    }

    #[test]
    fn what_runs_or_could_go_on_stays_unless_it_is_named() {
        let ends = [("a", Ends::Succeeded), ("b", Ends::Not), ("c", Ends::Lost), ("d", Ends::Failed)];
        let (store, _drives) = shelf(&ends);
        let ids = |flags: &Flags| {
            let chosen = chosen(&store, flags, SystemTime::now()).unwrap();
            chosen.into_iter().map(|run| run.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&flags(Some(0), vec![])), ["d", "a"]);
        assert_eq!(ids(&flags(Some(1), vec![])), ["a"]);
        assert_eq!(ids(&flags(None, vec![StateFlag::Interrupted, StateFlag::Running])), ["c"]);
        let mut young = flags(None, vec![]);
        young.older_than = Some(Duration::from_secs(3_600));
        let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let old = |now| chosen(&store, &young, now).unwrap().len();
        assert_eq!([1, 3_601].map(|age| old(began + Duration::from_secs(age))), [0, 2]);
        let gone = flags(Some(0), vec![]);
        let chosen = chosen(&store, &gone, SystemTime::now()).unwrap();
        assert!(remove(&store, &chosen, &gone).unwrap().ends_with("removed 2 runs\n"));
        assert_eq!(store.ids("", 9).unwrap(), ["c", "b"]);
    }
}
