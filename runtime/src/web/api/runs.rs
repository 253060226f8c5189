//! `GET /api/v1/runs`: the list of runs, a page at a time.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use jiff::tz::TimeZone;

use super::convert::seconds;
use super::jobs::names;
use super::params::{Pairs, Params};
use super::rows::{LISTED, Rows, size};
use super::types::{RunPage, RunStanding};
use crate::cli::when;
use crate::event::RunState;
use crate::store::{RunFilter, RunRow, Standing};
use crate::web::App;
use crate::web::refused::Refused;

/// How many runs a page has where nothing is said, and at most.
const USUAL: usize = 50;
const MOST: usize = 100;

/// A page ends when it has so many bytes: arguments and tags may be many.
const BYTES: usize = 160 << 10;

/// How many runs are looked at for one answer: a search that has found less goes on from there.
const LOOKED_AT: usize = 1_000;

/// How many runs are read at once.
const CHUNK: usize = 100;

/// Of how many damaged runs an answer tells.
const DAMAGED: usize = 20;

/// How many names of jobs an answer has.
const JOBS: usize = 1_000;

/// Answers the request.
pub(crate) async fn list(State(app): State<Arc<App>>, pairs: Pairs) -> Result<Json<RunPage>, Refused> {
    let asked = Asked::read(pairs)?;
    app.blocking(move |app| page(app, &asked)).await.map(Json)
}

/// Which runs are asked for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    filter: RunFilter,
    /// Text that is looked for, in small letters.
    text: String,
    limit: usize,
}

impl Asked {
    /// The newest.
    pub(crate) fn newest() -> Self {
        Self { limit: USUAL, ..Self::default() }
    }

    fn read(pairs: Pairs) -> Result<Self, Refused> {
        let params = Params::of(pairs, &["job", "state", "q", "since", "until", "tag", "after", "limit"])?;
        let filter = RunFilter {
            job: params.one("job")?.map(str::to_owned),
            standing: states(&params)?,
            since: time(&params, "since")?,
            until: time(&params, "until")?,
            tags: params.all("tag").map(tag).collect::<Result<_, _>>()?,
            before: params.number("after")?,
            ..RunFilter::default()
        };
        let text = params.one("q")?.unwrap_or_default().trim().to_lowercase();
        Ok(Self { filter, text, limit: params.limit("limit", USUAL, MOST)? })
    }

    /// Whether the text that is looked for stands in what is told of a run.
    fn finds(&self, row: &RunRow, rows: &Rows<'_>) -> bool {
        let text = self.text.as_str();
        let has = |words: &str| words.to_lowercase().contains(text);
        text.is_empty()
            || row.id.starts_with(text)
            || has(&row.job)
            || row.tags.iter().any(|(name, value)| has(name) || has(value) || has(&format!("{name}={value}")))
            || rows.args(row, usize::MAX).iter().any(|arg| has(&arg.value))
    }
}

fn states(params: &Params) -> Result<Vec<Standing>, Refused> {
    let words = params.all("state").flat_map(|words| words.split(','));
    let state = |word: &str| match serde_json::from_value(word.into()) {
        Ok(RunStanding::Running) => Ok(Standing::Running),
        Ok(RunStanding::Interrupted) => Ok(Standing::Interrupted),
        Ok(RunStanding::Succeeded) => Ok(Standing::Ended(RunState::Succeeded)),
        Ok(RunStanding::Failed) => Ok(Standing::Ended(RunState::Failed)),
        Ok(RunStanding::Cancelled) => Ok(Standing::Ended(RunState::Cancelled)),
        Err(_) => Err(Refused::malformed(
            format!("`state` is `{word}`, which is no state of a run"),
            "write `running`, `interrupted`, `succeeded`, `failed` or `cancelled`",
        )),
    };
    words.map(state).collect()
}

/// A time of day: seconds since 1970, or as `--since` takes it.
fn time(params: &Params, name: &str) -> Result<Option<SystemTime>, Refused> {
    let Some(text) = params.one(name)? else { return Ok(None) };
    let since_1970 = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    if let Some(time) = since_1970.and_then(|seconds| UNIX_EPOCH.checked_add(seconds)) {
        return Ok(Some(time));
    }
    let help = "write seconds since 1970, how long ago (`2h`), or a date (`2026-07-01`)";
    let asked = when::asked(text, SystemTime::now(), &TimeZone::system());
    asked.map(Some).map_err(|_| Refused::malformed(format!("`{name}` is `{text}`, which is no time"), help))
}

fn tag(text: &str) -> Result<(String, String), Refused> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Refused::malformed(
            format!("`tag` is `{text}`, which has no name and value"),
            "write `tag=team%3Dred` for the tag `team=red`",
        )),
    }
}

/// A page of runs, newest first. It is full unless it is the last, but for a search that is cut off, and
/// for runs of which much is to be told.
pub(crate) fn page(app: &App, asked: &Asked) -> Result<RunPage, Refused> {
    let now = SystemTime::now();
    let mut rows = Rows::new(app, now);
    let (mut runs, mut bytes, mut damaged, mut looked_at) = (Vec::new(), 0, Vec::new(), 0);
    // One more than is shown: whether there is another page.
    let at_once = if asked.text.is_empty() { asked.limit + 1 } else { CHUNK };
    let mut filter = RunFilter { limit: at_once, ..asked.filter.clone() };
    let next = 'pages: loop {
        let mut read = 0;
        for row in app.store.each_run(&filter)? {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    damaged.push(error.to_string());
                    continue;
                }
            };
            if runs.len() == asked.limit || bytes >= BYTES {
                break 'pages filter.before;
            }
            (read, filter.before) = (read + 1, Some(row.number));
            if asked.finds(&row, &rows) {
                let run = rows.run(&row, LISTED);
                bytes += size(&run);
                runs.push(run);
            }
        }
        looked_at += read;
        if read < at_once {
            break None;
        }
        if looked_at >= LOOKED_AT {
            break filter.before;
        }
    };
    damaged.truncate(DAMAGED);
    let next = next.map(|number| number.to_string());
    let mut jobs = names(app)?;
    jobs.truncate(JOBS);
    Ok(RunPage { runs, next, damaged, jobs, now: seconds(now) })
}

#[cfg(test)]
mod tests {
    use axum::extract::Query;

    use super::*;
    use crate::store::Store;
    use crate::web::fixture::{BEGAN, Given, app, entered};

    fn asked(query: &str) -> Result<Asked, Refused> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Asked::read(Query(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }

    /// The ids of a page, and where the next begins.
    fn found(store: &Arc<dyn Store>, query: &str) -> (String, Option<String>) {
        let page = page(&app(Arc::clone(store)), &asked(query).unwrap()).unwrap();
        (page.runs.iter().map(|run| run.id.as_str()).collect::<Vec<_>>().join(" "), page.next)
    }

    fn arg(name: &str, value: &str) -> (String, serde_json::Value) {
        (name.to_owned(), value.into())
    }

    fn few() -> Arc<dyn Store> {
        let tags = [("team".to_owned(), "red".to_owned())];
        entered([
            Given { args: vec![arg("from", "a"), arg("to", "Q")], ..Given::new("aaaa0") },
            Given { state: Some(RunState::Failed), tags: tags.into(), ..Given::new("aaab0") },
            Given { job: "numbers".to_owned(), parent: Some("aaaa0".to_owned()), ..Given::new("bbbb0") },
            Given { state: None, parent: Some("gone0".to_owned()), ..Given::new("cccc0") },
        ])
    }

    #[test]
    fn runs_are_filtered_by_what_is_asked() {
        let store = few();
        for (query, ids) in [
            ("", "cccc0 bbbb0 aaab0 aaaa0"),
            ("job=letters&q=&state=", "cccc0 aaab0 aaaa0"),
            ("state=failed,interrupted", "cccc0 aaab0"),
            ("state=failed&state=succeeded&job=numbers", "bbbb0"),
            ("tag=team=red", "aaab0"),
            ("q=AAA", "aaab0 aaaa0"),
            ("q=red", "aaab0"),
            ("q=umber", "bbbb0"),
            ("q=q", "aaaa0"),
            ("q=nothing", ""),
            (&format!("since={}&until={}", BEGAN + 1, BEGAN + 3), "bbbb0 aaab0"),
            ("until=2020-01-01", ""),
        ] {
            assert_eq!(found(&store, query), (ids.to_owned(), None), "{query}");
        }
    }

    #[test]
    fn what_is_asked_wrongly_is_refused_with_what_to_write() {
        for (query, error) in [
            ("state=fine", "`state` is `fine`, which is no state of a run"),
            ("since=soon", "`since` is `soon`, which is no time"),
            ("since=-1", "`since` is `-1`, which is no time"),
            ("tag=red", "`tag` is `red`, which has no name and value"),
            ("after=x", "`after` is `x`, which is no whole number"),
            ("stat=failed", "unknown parameter `stat`: did you mean `state`?"),
        ] {
            let refused = asked(query).unwrap_err();
            assert_eq!((refused.error.as_str(), refused.help.is_some()), (error, true));
        }
    }

    #[test]
    fn pages_follow_each_other_until_there_are_no_more() {
        let store = entered((0..25).map(|n| Given::new(&format!("run{n:03}"))));
        let (mut after, mut all) = (String::new(), Vec::new());
        let next = loop {
            let (ids, next) = found(&store, &format!("limit=10&after={after}"));
            all.push(ids.split(' ').count());
            match next {
                Some(next) => after = next,
                none => break none,
            }
        };
        assert_eq!((all, next), (vec![10, 10, 5], None));
        assert_eq!(found(&store, "limit=25").1, None);
    }

    #[test]
    fn a_page_of_runs_with_much_to_tell_is_bounded_and_the_next_goes_on() {
        let args = (0..40).map(|n| arg(&format!("arg{n}"), &"x".repeat(500))).collect::<Vec<_>>();
        let many = (0..30).map(|n| Given { args: args.clone(), ..Given::new(&format!("run{n:03}")) });
        let app = app(entered(many));
        let (mut after, mut ids) = (String::new(), Vec::new());
        loop {
            let page = page(&app, &asked(&format!("limit=100&after={after}")).unwrap()).unwrap();
            assert!(size(&page) < 256 << 10);
            ids.extend(page.runs.into_iter().map(|run| run.id));
            let Some(next) = page.next else { break };
            after = next;
        }
        let all: Vec<_> = (0..30).rev().map(|n| format!("run{n:03}")).collect();
        assert_eq!(ids, all);
        let detail = crate::web::api::run::detail(&app, "run000").unwrap();
        assert!(size(&detail) < 256 << 10);
    }

    #[test]
    fn a_search_among_many_goes_on_where_it_was_cut_off() {
        let many = (0..LOOKED_AT as u64 + 300).map(|n| {
            let job = if n == 7 { "needle" } else { "hay" };
            Given { job: job.to_owned(), ..Given::new(&format!("r{n:05}")) }
        });
        let store = entered(many);
        let (ids, next) = found(&store, "q=needle");
        assert_eq!((ids.as_str(), next.as_deref()), ("", Some("301")));
        assert_eq!(found(&store, "q=needle&after=301"), ("r00007".to_owned(), None));
        let (ids, next) = found(&store, "q=hay&limit=3");
        assert_eq!((ids.as_str(), next.as_deref()), ("r01299 r01298 r01297", Some("1298")));
    }

    #[test]
    fn a_run_is_told_with_its_arguments_but_for_its_secrets() {
        let long = "x".repeat(1_000);
        let given = Given {
            args: vec![arg("from", "b"), arg("to", "z"), arg("key", "hunter2"), arg("other", &long)],
            secrets: vec!["key".to_owned()],
            parent: Some("gone0".to_owned()),
            ..Given::new("aaaa0bcd")
        };
        let page = page(&app(entered([given])), &Asked::newest()).unwrap();
        let run = &page.runs[0];
        let args: Vec<_> = run.args.iter().map(|arg| (arg.name.as_str(), arg.is_default)).collect();
        assert_eq!(args, [("from", Some(false)), ("to", Some(true)), ("other", None)]);
        assert_eq!((run.args[2].value.len(), run.short.as_str()), (LISTED + "…".len(), "aaaa"));
        let parent = run.parent.as_ref().unwrap();
        assert_eq!((parent.id.as_str(), parent.state), ("gone0", None));
        assert_eq!(page.jobs, ["letters"]);
    }
}
