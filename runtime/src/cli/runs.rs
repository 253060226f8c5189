//! `runs`: the list of runs.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

use super::columns::columns;
use super::output::print;
use super::problem::Problem;
use super::store::StoreFlags;
use super::when::{self, between, shown};
use super::which::{short, standing_words};
use crate::event::{RunState, StepState};
use crate::exit;
use crate::record::{ReadError, Reader};
use crate::report::lines::states_of;
use crate::report::paint::Paint;
use crate::report::words::{count, duration};
use crate::store::{RunFilter, RunRow, Standing, Store};
use crate::summary::Counts;
use crate::text::safe;

/// The flags of `runs`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    asked: Asked,
    /// At most so many, newest first; 0 for all
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreFlags,
}

/// Which runs are asked for.
#[derive(Debug, Default, Args)]
pub(super) struct Asked {
    /// Runs of this job
    #[arg(long, value_name = "JOB")]
    pub(super) job: Option<String>,
    /// Runs that stand so; repeatable
    #[arg(long, value_name = "STATE")]
    pub(super) state: Vec<StateFlag>,
    /// Runs that began since: so long ago (2h), or a date
    #[arg(long, value_name = "TIME", value_parser = when::flag)]
    pub(super) since: Option<SystemTime>,
    /// Runs that began before
    #[arg(long, value_name = "TIME", value_parser = when::flag)]
    pub(super) until: Option<SystemTime>,
    /// Runs with this tag; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = tag)]
    pub(super) tag: Vec<(String, String)>,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StateFlag {
    /// A process drives it
    Running,
    /// It has not ended, and the process that drove it is gone
    Interrupted,
    /// No step failed
    Succeeded,
    /// A step failed
    Failed,
    /// It was stopped before its end
    Cancelled,
}

impl From<StateFlag> for Standing {
    fn from(state: StateFlag) -> Self {
        match state {
            StateFlag::Running => Self::Running,
            StateFlag::Interrupted => Self::Interrupted,
            StateFlag::Succeeded => Self::Ended(RunState::Succeeded),
            StateFlag::Failed => Self::Ended(RunState::Failed),
            StateFlag::Cancelled => Self::Ended(RunState::Cancelled),
        }
    }
}

impl Asked {
    /// As the store is asked.
    pub(super) fn filter(&self, limit: usize) -> RunFilter {
        RunFilter {
            job: self.job.clone(),
            standing: self.state.iter().map(|state| Standing::from(*state)).collect(),
            since: self.since,
            until: self.until,
            tags: self.tag.clone(),
            parent: None,
            before: None,
            limit,
        }
    }
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not NAME=VALUE, such as `team=red`")),
    }
}

/// Prints the runs that were asked for, newest first.
pub(super) fn runs(flags: &Flags) -> Result<u8, Problem> {
    let store = flags.store.reading()?;
    let mut runs = store.runs(&flags.asked.filter(flags.limit))?;
    for run in runs.iter_mut().filter(|run| !matches!(run.standing, Standing::Ended(_))) {
        run.counts = counts(&store, run).to_json();
    }
    let text = if flags.json {
        as_json(&runs)
    } else {
        as_text(&store, &runs, SystemTime::now(), &TimeZone::system(), Paint::for_stdout())
    };
    print(text.as_bytes())?;
    Ok(exit::SUCCESS)
}

/// How many steps of a run are in each state. Its row is behind while it goes on, and stays so if its
/// process dies.
fn counts(store: &Arc<dyn Store>, run: &RunRow) -> Counts {
    let told = |run: &str| -> Result<Counts, ReadError> {
        let reader = Reader::open(Arc::clone(store), run)?;
        Ok(Counts::of(&reader.summary()?, reader.shape()))
    };
    match run.standing {
        Standing::Ended(_) => Counts::read(&run.counts),
        Standing::Running | Standing::Interrupted => {
            told(&run.id).unwrap_or_else(|_| Counts::read(&run.counts))
        }
    }
}

pub(super) fn as_text(
    store: &Arc<dyn Store>,
    runs: &[RunRow],
    now: SystemTime,
    zone: &TimeZone,
    paint: Paint,
) -> String {
    if runs.is_empty() {
        return format!("no such runs in {}\n", safe(&store.name()));
    }
    let titles = ["run", "job", "state", "started", "took", "steps", ""];
    let mut rows = vec![titles.iter().map(|title| paint.dim(title)).collect::<Vec<_>>()];
    for run in runs {
        let steps = Counts::read(&run.counts);
        rows.push(vec![
            id(store, &run.id, paint),
            safe(&run.job).into_owned(),
            painted(run.standing, paint),
            shown(run.started, zone),
            took(run, now),
            states_of(|state| stands(run.standing, &steps, state)),
            parent(store, run),
        ]);
    }
    columns(&rows)
}

/// How many steps of a run stand so: where nobody drives it, nothing runs.
fn stands(standing: Standing, counts: &Counts, state: StepState) -> u64 {
    match (standing, state) {
        (Standing::Interrupted, StepState::Running) => 0,
        (Standing::Interrupted, StepState::Waiting) => {
            counts.get(StepState::Waiting) + counts.get(StepState::Running)
        }
        _ => counts.get(state),
    }
}

/// An id, so much of it emphasised as tells it apart.
pub(super) fn id(store: &Arc<dyn Store>, id: &str, paint: Paint) -> String {
    let short = short(&**store, id);
    format!("{}{}", paint.strong(short), paint.dim(&id[short.len()..]))
}

/// How a run stands, in its colour.
pub(super) fn painted(standing: Standing, paint: Paint) -> String {
    let words = standing_words(standing);
    match standing {
        Standing::Running => words.to_owned(),
        Standing::Interrupted | Standing::Ended(RunState::Cancelled) => paint.warn(words),
        Standing::Ended(RunState::Succeeded) => paint.good(words),
        Standing::Ended(RunState::Failed) => paint.bad(words),
    }
}

/// How long a run took, or has taken.
pub(super) fn took(run: &RunRow, now: SystemTime) -> String {
    let until = if run.standing == Standing::Running { now } else { run.changed };
    duration(between(run.started, until))
}

fn parent(store: &Arc<dyn Store>, run: &RunRow) -> String {
    let parent = run.parent.as_deref().map(|parent| format!("rerun of {}", safe(short(&**store, parent))));
    let tags = run.tags.iter().map(|(name, value)| format!("{}={}", safe(name), safe(value)));
    parent.into_iter().chain(tags).collect::<Vec<_>>().join(" ")
}

fn as_json(runs: &[RunRow]) -> String {
    let runs: Vec<_> = runs.iter().map(run_json).collect();
    let document = serde_json::json!({ "version": 1, "runs": runs });
    format!("{}\n", serde_json::to_string_pretty(&document).unwrap_or_default())
}

/// A run as programs read it; times are seconds since 1970.
pub(super) fn run_json(run: &RunRow) -> serde_json::Value {
    let counts = Counts::read(&run.counts);
    let steps = StepState::ALL.map(|state| (state, stands(run.standing, &counts, state)));
    let steps: serde_json::Map<_, _> = steps
        .into_iter()
        .filter(|(_, steps)| *steps > 0)
        .map(|(state, steps)| (state.name().to_owned(), steps.into()))
        .collect();
    let tags: serde_json::Map<_, _> =
        run.tags.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    serde_json::json!({
        "run": run.id,
        "job": run.job,
        "state": standing_words(run.standing),
        "started": seconds(run.started),
        "changed": seconds(run.changed),
        "parent": run.parent,
        "tags": tags,
        "steps": steps,
    })
}

pub(crate) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// How many runs, in words.
pub(super) fn counted_runs(number: usize) -> String {
    let number = number as u64;
    format!("{} {}", count(number), if number == 1 { "run" } else { "runs" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture::{Ends, shelf};
    use expect_test::expect;

    #[test]
    fn runs_are_listed_newest_first() {
        let ends = [("7k2mabcd", Ends::Failed), ("7k2nabcd", Ends::Succeeded), ("b111xyz0", Ends::Not)];
        let (store, _drives) = shelf(&ends);
        let runs = store.runs(&RunFilter::default()).unwrap();
        let now = UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_084);
        let runs: Vec<_> = runs.into_iter().map(|run| RunRow { changed: now, ..run }).collect();
        let zone = TimeZone::UTC;
        expect![[r#"
            run       job      state      started              took    steps
            b111xyz0  letters  running    2027-01-15 08:00:00  1m 24s  4 succeeded, 2 running, 2 waiting
            7k2nabcd  letters  succeeded  2027-01-15 08:00:00  1m 24s  4 succeeded, 2 running
            7k2mabcd  letters  failed     2027-01-15 08:00:00  1m 24s  6 succeeded, 1 failed, 1 upstream failed
        "#]]
        .assert_eq(&as_text(&store, &runs, now, &zone, Paint::PLAIN));
        assert_eq!(as_text(&store, &[], now, &zone, Paint::PLAIN), "no such runs in memory\n");
        let json: serde_json::Value = serde_json::from_str(&as_json(&runs)).unwrap();
        assert_eq!(json["runs"][2]["steps"]["upstream_failed"], 1);
        assert_eq!(json["runs"][0]["started"], 1_800_000_000.0);
    }
}
