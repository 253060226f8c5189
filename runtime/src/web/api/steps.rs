//! `GET /api/v1/runs/{id}/steps`: a page of the steps of a run, in any order, by place in the result.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Path, State};

use super::convert::{first_line, step_standing};
use super::params::{Pairs, Params};
use super::rows::find;
use super::types::{StepPage, StepRow};
use crate::event::StepState;
use crate::graph::NodeId;
use crate::index::{By, Ending, IndexedStep, OpenRun, Query, Sort};
use crate::record::values::{self, StoredValue};
use crate::shape::Shape;
use crate::text::nearest;
use crate::web::App;
use crate::web::refused::Refused;

/// How many steps a page has at most, and if nothing is said.
const MOST: usize = 200;
const USUALLY: usize = 100;

/// So long commits are read for errors and previews: a page of steps that ended far apart would read
/// hundreds.
const READING: Duration = Duration::from_millis(25);

/// So many characters of an error or a value fit on a line.
const LINE: usize = 160;

/// The longest text that is looked for: a name has no more.
const TEXT: usize = 4096;

const SORTS: [(&str, Sort); 14] = [
    ("opened", Sort { by: By::Opened, down: false }),
    ("-opened", Sort { by: By::Opened, down: true }),
    ("start", Sort { by: By::Start, down: false }),
    ("-start", Sort { by: By::Start, down: true }),
    ("duration", Sort { by: By::Duration, down: false }),
    ("-duration", Sort { by: By::Duration, down: true }),
    ("key", Sort { by: By::Key, down: false }),
    ("-key", Sort { by: By::Key, down: true }),
    ("op", Sort { by: By::Op, down: false }),
    ("-op", Sort { by: By::Op, down: true }),
    ("state", Sort { by: By::State, down: false }),
    ("-state", Sort { by: By::State, down: true }),
    ("attempts", Sort { by: By::Attempts, down: false }),
    ("-attempts", Sort { by: By::Attempts, down: true }),
];

/// Answers with a page of steps.
pub(crate) async fn steps(
    State(app): State<Arc<App>>,
    Path(run): Path<String>,
    pairs: Pairs,
) -> Result<Json<StepPage>, Refused> {
    let asked = Params::of(pairs, &["op", "state", "q", "sort", "after", "limit"])?;
    app.blocking(move |app| app.run(&find(app, &run)?.id, |run| page(run, &asked))).await.map(Json)
}

pub(super) fn page(run: &mut OpenRun, asked: &Params) -> Result<StepPage, Refused> {
    let text = asked.one("q")?;
    if text.is_some_and(|text| text.len() > TEXT) {
        return Err(Refused::malformed("`q` is longer than any name", "look for a part of a step's name"));
    }
    let query = Query {
        nodes: node_of(run.reader().shape(), asked.one("op")?)?.into_iter().collect(),
        state: asked.one_of("state", &StepState::ALL.map(|state| (state.name(), state)))?,
        text: text.map(str::to_owned),
        sort: asked.one_of("sort", &SORTS)?.unwrap_or_default(),
    };
    let after = asked.number("after")?.unwrap_or_default();
    let limit = asked.limit("limit", USUALLY, MOST)?;
    let found = run.find(&query);
    let from = usize::try_from(after).unwrap_or(usize::MAX).min(found.places.len());
    let places = &found.places[from..found.places.len().min(from + limit)];
    let endings = run.endings(places, Instant::now() + READING)?;
    let steps = places.iter().filter_map(|place| Some(row(run, &run.step(*place)?, *place, &endings)));
    Ok(StepPage {
        total: found.places.len() as u64,
        after: from as u64,
        seq: run.seq(),
        steps: steps.collect(),
    })
}

/// The node of an op's name.
pub(super) fn node_of(shape: &Shape, op: Option<&str>) -> Result<Option<NodeId>, Refused> {
    let Some(op) = op else { return Ok(None) };
    let node = shape.steps().find(|node| *shape.node(*node).name == *op);
    node.map(Some).ok_or_else(|| {
        let help = near_op(shape, op).unwrap_or_else(|| {
            let ops: Vec<_> = shape.steps().take(20).map(|node| &*shape.node(node).name).collect();
            let more = if shape.steps().count() > ops.len() { ", …" } else { "" };
            format!("it has {}{more}", ops.join(", "))
        });
        Refused::malformed(format!("the run has no op `{op}`"), help)
    })
}

/// The op that may be meant by a name that there is not.
pub(super) fn near_op(shape: &Shape, op: &str) -> Option<String> {
    let near = nearest(op, shape.steps().map(|node| &*shape.node(node).name))?;
    Some(format!("did you mean `{near}`?"))
}

fn row(run: &OpenRun, step: &IndexedStep, place: u32, endings: &HashMap<u32, Ending>) -> StepRow {
    let name = step.step.name(run.reader().shape());
    let ending = endings.get(&place);
    StepRow {
        step: name.to_string(),
        op: name.op().to_owned(),
        keys: name.keys().iter().map(ToString::to_string).collect(),
        state: step_standing(step.state),
        attempts: step.attempts,
        started: step.started.map(|started| started.as_secs_f64()),
        took: step.took.map(|took| took.as_secs_f64()),
        reused: step.reused,
        error: ending.and_then(|ending| why(run, ending)),
        preview: ending.and_then(|ending| preview(&ending.record)),
    }
}

/// Why a step failed, or which step failed that it needed.
fn why(run: &OpenRun, ending: &Ending) -> Option<String> {
    if let Some(error) = &ending.error {
        return Some(cut(&first_line(error.message())));
    }
    ending.cause.map(|cause| cut(&format!("{} failed", run.index().name(cause))))
}

/// What a step gave; nothing of what is too long to be kept with it.
fn preview(record: &[u8]) -> Option<String> {
    let parts = values::read(record).ok()?;
    let texts: Vec<_> = parts
        .values
        .iter()
        .filter_map(|value| match value {
            StoredValue::Json(text) => Some(cut(&String::from_utf8_lossy(&text[..text.len().min(4 * LINE)]))),
            _ => None,
        })
        .collect();
    (!texts.is_empty()).then(|| cut(&texts.join(", ")))
}

/// So much of a text as fits on a line.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LINE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::Query as Pairs;
    use axum::http::StatusCode;
    use expect_test::expect;

    use super::*;
    use crate::record::samples::recorded;
    use crate::web::fixture;

    async fn ask(app: &Arc<App>, given: &[(&str, &str)]) -> Result<StepPage, Refused> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let page = steps(State(Arc::clone(app)), Path("7k2m".to_owned()), Pairs(given.collect())).await;
        page.map(|page| page.0)
    }

    #[tokio::test]
    async fn a_page_is_a_part_of_the_result() {
        let (store, _drive) = recorded(7, 20, 60);
        let app = Arc::new(fixture::app(store));
        let whole = ask(&app, &[]).await.unwrap();
        assert!(whole.total > 200 && whole.steps.len() == USUALLY, "{}", whole.total);
        for sort in SORTS {
            let page = |after: u64, limit: u64| {
                let (app, after, limit) = (&app, after.to_string(), limit.to_string());
                async move {
                    let given = [("sort", sort.0), ("after", &after), ("limit", &limit)];
                    ask(app, &given).await.unwrap()
                }
            };
            let (first, second, both) = (page(0, 60).await, page(60, 60).await, page(0, 120).await);
            let names: Vec<_> = first.steps.iter().chain(&second.steps).map(|row| &row.step).collect();
            assert_eq!(names, both.steps.iter().map(|row| &row.step).collect::<Vec<_>>(), "{}", sort.0);
            assert_eq!((first.after, second.after, both.total), (0, 60, whole.total));
            let last = page(whole.total - 5, 999).await;
            assert_eq!(last.steps.len(), 5);
            let beyond = page(u64::MAX, 5).await;
            assert_eq!((beyond.after, beyond.steps.len()), (whole.total, 0));
        }
        let filter = [("op", "first"), ("state", "succeeded")];
        let first = ask(&app, &filter).await.unwrap();
        assert!(first.total > 0 && first.total < whole.total);
        assert!(
            first
                .steps
                .iter()
                .all(|row| row.op == "first" && row.state == step_standing(StepState::Succeeded))
        );
    }

    #[tokio::test]
    async fn rows_say_why_a_step_failed() {
        let app = Arc::new(fixture::app(fixture::failed("7k2mabcd")));
        let page = ask(&app, &[("sort", "state")]).await.unwrap();
        let rows: Vec<_> = page
            .steps
            .iter()
            .map(|row| {
                let error = row.error.as_deref().unwrap_or("");
                format!("{} {:?} {} {:?} {error}\n", row.step, row.state, row.attempts, row.took)
            })
            .collect();
        expect![[r#"
            load_pieces Succeeded 1 Some(0.6) 
            clean[a] Succeeded 1 Some(0.005) 
            compute_piece[a] Succeeded 1 Some(0.37) 
            clean[b] Succeeded 1 Some(0.005) 
            clean[c] Succeeded 1 Some(0.005) 
            compute_piece[c] Succeeded 1 Some(0.87) 
            compute_piece[b] Failed 3 Some(0.5) api time out after 500 ms
            merge UpstreamFailed 0 None compute_piece[b] failed
        "#]]
        .assert_eq(&rows.concat());
    }

    #[test]
    fn what_a_step_gave_is_cut_to_a_line() {
        let mut record = Vec::new();
        values::write_value(&mut record, StoredValue::Json(b"[1,2]"));
        values::write_value(&mut record, StoredValue::Nothing);
        values::write_value(&mut record, StoredValue::Json("\"é\"".as_bytes()));
        values::write_notes(&mut record, b"{}");
        assert_eq!(preview(&record).as_deref(), Some("[1,2], \"é\""));
        assert_eq!(preview(b""), None);
        let mut long = Vec::new();
        values::write_value(&mut long, StoredValue::Json("é".repeat(9_999).as_bytes()));
        assert_eq!(preview(&long).unwrap().chars().count(), LINE + 1);
    }

    #[tokio::test]
    async fn what_cannot_be_asked_for_is_refused_with_what_can() {
        let app = Arc::new(fixture::app(fixture::failed("7k2mabcd")));
        for (given, help) in [
            (("op", "nothing"), "clean"),
            (("state", "upstream failed"), "upstream_failed"),
            (("sort", "size"), "-duration"),
            (("after", "-1"), "whole number"),
            (("limit", "x"), "whole number"),
            (("q", &*"x".repeat(5_000)), "part of a step's name"),
            (("key", "x"), "openapi"),
        ] {
            let refused = ask(&app, &[given]).await.unwrap_err();
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{given:?}");
            assert!(refused.help.as_ref().is_some_and(|text| text.contains(help)), "{refused:?}");
        }
        let gone = steps(State(app), Path("b111".to_owned()), Pairs(Vec::new())).await.unwrap_err();
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
    }
}
