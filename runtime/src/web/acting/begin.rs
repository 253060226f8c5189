//! Beginning a run in a process of its own, and hearing whether it has.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use super::child::Child;
use super::refusals::{in_words, split};
use crate::cli::asked::Asked;
use crate::cli::ui::TOKEN;
use crate::exit;
use crate::store::StoreError;
use crate::web::App;
use crate::web::refused::Refused;

/// How long it is waited for.
const LONGEST: Duration = Duration::from_secs(10);

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);

/// What it says goes to nobody but us, and only its failure to begin is of interest.
const SILENT: [&str; 5] = ["--quiet", "--progress=none", "--color", "never", "--store"];

/// Starts a process that drives a run, which has had its commits up to `head`, and waits until it has begun.
/// Says whether it has; after a while it is not waited for any more.
///
/// # Errors
/// It did not begin, with what the process said.
pub(crate) async fn begin(app: &Arc<App>, asked: &Asked, run: &str, head: u64) -> Result<bool, Refused> {
    let silent = SILENT.map(str::to_owned).into_iter().chain([app.address.clone()]);
    let words: Vec<_> = asked.words.iter().cloned().chain(silent).collect();
    // The page's own secret is no business of a run's.
    let environment: Vec<_> = asked.environment.iter().cloned().chain([(TOKEN.to_owned(), None)]).collect();
    let started = Child::start(&app.executable, &words, &environment);
    let mut child = started.map_err(|error| not_started(&error))?;
    let waited = Instant::now();
    while waited.elapsed() < LONGEST {
        // In this order: what it did before its end is seen.
        let end = child.end().cloned();
        if head_of(app, run).await? > head {
            return Ok(true);
        }
        if let Some(end) = end {
            return Err(not_begun(&end, &child.said()));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(false)
}

fn not_started(error: &io::Error) -> Refused {
    let why = format!("the program cannot be started again: {error}");
    let (status, help) = match error.kind() {
        io::ErrorKind::ArgumentListTooLong | io::ErrorKind::InvalidInput => (
            StatusCode::BAD_REQUEST,
            "write what is long to a file, and use `run --config FILE` in a terminal",
        ),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "is it still where it was when the page was opened?"),
    };
    Refused::new(status, why, Some(help.to_owned()))
}

/// The last commit of a run; 0 if it is not there yet.
async fn head_of(app: &Arc<App>, run: &str) -> Result<u64, Refused> {
    let run = run.to_owned();
    let head = move |app: &App| match app.store.run(&run) {
        Ok(row) => Ok(row.head),
        Err(StoreError::NoRun { .. }) => Ok(0),
        Err(error) => Err(error.into()),
    };
    Arc::clone(app).blocking(head).await
}

/// What a process said that ended before its run began.
fn not_begun(end: &Result<ExitStatus, String>, said: &str) -> Refused {
    let code = end.as_ref().ok().and_then(ExitStatus::code);
    let status = match code.and_then(|code| u8::try_from(code).ok()) {
        Some(exit::USAGE) => StatusCode::BAD_REQUEST,
        Some(exit::STORE) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    if said.is_empty() {
        let how = match end {
            Ok(status) => status.to_string(),
            Err(why) => why.clone(),
        };
        return Refused::new(
            status,
            format!("the run did not begin: its process said nothing ({how})"),
            None,
        );
    }
    let (error, help) = split(in_words(said));
    Refused::new(status, error, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_process_are_an_answer() {
        let end = Err("gone".to_owned());
        let refused = not_begun(&end, "error: no room\nhelp: make some");
        assert_eq!((refused.error.as_str(), refused.help.as_deref()), ("no room", Some("make some")));
        assert!(not_begun(&end, "").error.contains("gone"));
    }
}
