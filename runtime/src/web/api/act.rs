//! `POST` to `/api/v1/jobs/{job}/runs` and to `/runs/{id}/resume`, `/rerun` and `/cancel`: what the buttons
//! do, or with `dry=1` would do.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::params::{Pairs, Params};
use super::rows::{find, job};
use super::types::{Begun, CancelRequest, LaunchRequest, RerunRequest, ResumeRequest};
use crate::cli::asked::{self, Asked};
use crate::cli::cancel::asking;
use crate::cli::resume::said;
use crate::define::JobDef;
use crate::engine::run_id;
use crate::event::StepState;
use crate::report::words::counted;
use crate::runs::Runs;
use crate::store::{self, RunRow, Store};
use crate::web::App;
use crate::web::acting::{begin, not_resumed, wrong};
use crate::web::refused::Refused;

/// Why a run is cancelled, where nobody says.
const REASON: &str = "asked for on the page";

type Answer = Result<Json<Begun>, Refused>;

/// Begins a run of a job.
pub(crate) async fn launch(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    pairs: Pairs,
    body: Bytes,
) -> Answer {
    let (dry, request) = asked_for::<LaunchRequest>(&app, pairs, &body)?;
    let job = job(&name).ok_or_else(|| {
        Refused::not_found(format!("there is no job `{name}`"), "the list of jobs has those of the program")
    })?;
    let check = move |_: &App| asked::launch(job, &request).map_err(|problem| wrong(&problem));
    let mut asked = Arc::clone(&app).blocking(check).await?;
    let mut begun = Begun {
        run: None,
        steps: None,
        reused: None,
        unknown: true,
        text: format!("a new run of {} would begin", job.name),
        command: command(&app, &asked),
    };
    if !dry {
        begun.text = start_new(&app, &mut asked, &mut begun.run).await?;
    }
    Ok(Json(begun))
}

/// Goes on with a run.
pub(crate) async fn resume(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    pairs: Pairs,
    body: Bytes,
) -> Answer {
    let (dry, request) = asked_for::<ResumeRequest>(&app, pairs, &body)?;
    let check = move |app: &App| {
        let row = find(app, &id)?;
        Runs::of(Arc::clone(&app.store)).check_resume(&row.id).map_err(not_resumed)?;
        let asked = asked::resume(&row.id, job_of(&row)?, &request).map_err(|problem| wrong(&problem))?;
        let left = app.run(&row.id, |open| Ok(left(open.summary(), open.reader().shape())))?;
        Ok((row, asked, left))
    };
    let (row, asked, (steps, succeeded, unknown)) = Arc::clone(&app).blocking(check).await?;
    let or_more = if unknown { ", and those that are not known yet," } else { "" };
    let kept = counted(succeeded, "step has", "steps have");
    let mut begun = Begun {
        run: None,
        steps: Some(steps),
        reused: None,
        unknown,
        text: format!("{}{or_more} would run; {kept} succeeded", counted(steps, "step", "steps")),
        command: command(&app, &asked),
    };
    if !dry {
        begun.text = begun_text(begin(&app, &asked, &row.id, row.head).await?, "goes on");
        begun.run = Some(row.id);
    }
    Ok(Json(begun))
}

/// Runs steps of a run again, as a new run.
pub(crate) async fn rerun(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    pairs: Pairs,
    body: Bytes,
) -> Answer {
    let (dry, request) = asked_for::<RerunRequest>(&app, pairs, &body)?;
    let alone = Arc::clone(&app.planning).lock_owned().await;
    let check = move |app: &App| {
        // It stays with the reading, also where nobody waits for the answer any more.
        let _alone = alone;
        let row = find(app, &id)?;
        let (asked, expr) =
            asked::rerun(&row.id, job_of(&row)?, &request).map_err(|problem| wrong(&problem))?;
        let plan =
            Runs::of(Arc::clone(&app.store)).plan_rerun(&row.id, expr.as_ref()).map_err(not_resumed)?;
        Ok((asked, plan.count(), said(&plan)))
    };
    let (mut asked, count, text) = Arc::clone(&app).blocking(check).await?;
    let mut begun = Begun {
        run: None,
        steps: Some(count.runs),
        reused: Some(count.reused),
        unknown: count.unknown,
        text,
        command: command(&app, &asked),
    };
    if !dry {
        begun.text = start_new(&app, &mut asked, &mut begun.run).await?;
    }
    Ok(Json(begun))
}

/// Asks whoever drives a run to stop it.
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    pairs: Pairs,
    body: Bytes,
) -> Answer {
    let (dry, request) = asked_for::<CancelRequest>(&app, pairs, &body)?;
    let act = move |app: &App| {
        let row = find(app, &id)?;
        let text = asking(&row).map_err(|why| Refused::new(StatusCode::CONFLICT, why, None))?;
        if !dry {
            let reason = request.reason.filter(|reason| !reason.trim().is_empty());
            writing(app)?.request_cancel(&row.id, reason.as_deref().unwrap_or(REASON))?;
        }
        let command = app.again().command(&format!("cancel {}", row.id));
        let run = (!dry).then_some(row.id);
        Ok(Begun { run, steps: None, reused: None, unknown: false, text, command })
    };
    app.blocking(act).await.map(Json)
}

/// Whether it is only asked what would be done, and what is asked for.
fn asked_for<T: DeserializeOwned + Default>(
    app: &App,
    pairs: Pairs,
    body: &[u8],
) -> Result<(bool, T), Refused> {
    if app.read_only {
        let why = "this page only shows runs: nothing is begun or cancelled here";
        let help = "serve it without `--read-only`, or use the command line".to_owned();
        return Err(Refused::new(StatusCode::FORBIDDEN, why, Some(help)));
    }
    let dry = match Params::of(pairs, &["dry"])?.one("dry")? {
        None | Some("0") => false,
        Some("1") => true,
        Some(other) => {
            return Err(Refused::malformed(
                format!("`dry` is 0 or 1, not `{other}`"),
                "leave it out, or `dry=1`",
            ));
        }
    };
    if body.is_empty() {
        return Ok((dry, T::default()));
    }
    let request = serde_json::from_slice(body).map_err(|error| {
        let help = "`/api/v1/openapi.json` says what may be asked for";
        Refused::malformed(format!("what is asked for cannot be read: {error}"), help)
    })?;
    Ok((dry, request))
}

/// Begins a new run, under an id that is known beforehand.
async fn start_new(app: &Arc<App>, asked: &mut Asked, run: &mut Option<String>) -> Result<String, Refused> {
    if app.address == "memory" {
        let why = "what is recorded in memory cannot be reached by another process";
        let help = "name a store that lasts: `--store sqlite:PATH`".to_owned();
        return Err(Refused::new(StatusCode::CONFLICT, why, Some(help)));
    }
    let id = run_id();
    asked.words.push(format!("--run-id={id}"));
    let has_begun = begin(app, asked, &id, 0).await?;
    let text = begun_text(has_begun, "has begun");
    *run = Some(id);
    Ok(text)
}

fn begun_text(has_begun: bool, how: &str) -> String {
    if has_begun {
        format!("the run {how}")
    } else {
        "its process was started, and takes long to begin: the run is shown as soon as it is there".to_owned()
    }
}

/// How many steps of a run have not succeeded, how many have, and whether there may be more.
fn left(summary: &crate::summary::Summary, shape: &crate::shape::Shape) -> (u64, u64, bool) {
    let succeeded = summary.total(shape, StepState::Succeeded);
    // What an emitter gives that has not succeeded is not known.
    let is_open =
        |node| summary.gives_items(node) && summary.known(node) > summary.count(node, StepState::Succeeded);
    let unknown = summary.is_any_growing(shape) || shape.steps().any(is_open);
    (summary.known_total(shape).saturating_sub(succeeded), succeeded, unknown)
}

/// The job of a run, if the program still has it.
fn job_of(row: &RunRow) -> Result<&'static JobDef, Refused> {
    job(&row.job).ok_or_else(|| {
        not_resumed(crate::runs::RunsError::NoJob { run: row.id.clone(), job: row.job.clone() })
    })
}

/// The store, to be written.
fn writing(app: &App) -> Result<Arc<dyn Store>, Refused> {
    if app.address == "memory" { Ok(Arc::clone(&app.store)) } else { Ok(store::open(&app.address)?) }
}

fn command(app: &App, asked: &Asked) -> String {
    app.again().command(&asked.shown)
}
