//! `GET /api/v1/runs/{id}/live` and `GET /api/v1/live`: what changes, as server-sent events.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::Sse;

use super::params::{Pairs, Params};
use super::rows::find;
use crate::web::App;
use crate::web::live::{self, Events};
use crate::web::refused::Refused;

/// What changes in a run.
pub(crate) async fn run(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    pairs: Pairs,
    headers: HeaderMap,
) -> Result<Sse<Events>, Refused> {
    let after = after(&headers, Params::of(pairs, &["after"])?.one("after")?)?;
    // What cannot be watched is said at once, and in words.
    let row = Arc::clone(&app).blocking(move |app| find(app, &id)).await?;
    Ok(Sse::new(live::of_run(app.watchers.run(&app, &row.id), after)))
}

/// That the list of runs changed.
pub(crate) async fn list(State(app): State<Arc<App>>, pairs: Pairs) -> Result<Sse<Events>, Refused> {
    Params::of(pairs, &[])?;
    Ok(Sse::new(live::of_list(app.watchers.list(&app))))
}

/// The last commit that the page knows of: what it was told last before what it was loaded with.
fn after(headers: &HeaderMap, asked: Option<&str>) -> Result<Option<u64>, Refused> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let number = |text: &str| {
        text.parse().map_err(|_| {
            Refused::malformed(
                format!("`after` is the number of a commit, not `{text}`"),
                "take the `seq` of an answer",
            )
        })
    };
    last.filter(|id| !id.is_empty()).or(asked).map(number).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_last_is_known_rather_than_what_was_loaded() {
        let mut headers = HeaderMap::new();
        let known =
            |headers: &HeaderMap, asked| after(headers, asked).map_err(|refused| refused.status.as_u16());
        assert_eq!(known(&headers, None), Ok(None));
        assert_eq!(known(&headers, Some("7")), Ok(Some(7)));
        assert_eq!(known(&headers, Some("seven")), Err(400));
        headers.insert("last-event-id", "9".parse().unwrap());
        assert_eq!(known(&headers, Some("7")), Ok(Some(9)));
    }
}
