//! One value, whole, as it is recorded.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};

use super::{Near, place_of, story};
use crate::given::given;
use crate::index::OpenRun;
use crate::record::values::StoredValue;
use crate::store::Hash;
use crate::web::App;
use crate::web::api::params::{Pairs, Params};
use crate::web::api::rows::find;
use crate::web::refused::Refused;

/// Where a value is.
enum Lies {
    Here(Vec<u8>),
    /// In a file of the store's, which is read while others ask of the run.
    Apart(Hash),
}

/// Answers the request.
pub(crate) async fn value(
    State(app): State<Arc<App>>,
    Path((id, step, output)): Path<(String, String, String)>,
    pairs: Pairs,
) -> Result<Response, Refused> {
    let params = Params::of(pairs, &["download"])?;
    let download = params.one("download")?.is_some_and(|value| value != "0");
    let bytes = app.blocking(move |app| whole(app, &id, &step, &output)).await?;
    Ok(response(bytes, download))
}

/// The value of an output, as JSON text.
pub(super) fn whole(app: &App, id: &str, step: &str, output: &str) -> Result<Vec<u8>, Refused> {
    let row = find(app, id)?;
    match app.run(&row.id, |run| lies(run, step, output))? {
        Lies::Here(bytes) => Ok(bytes),
        Lies::Apart(hash) => Ok(app.store.blob(&row.id, &hash)?),
    }
}

pub(super) fn response(bytes: Vec<u8>, download: bool) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if download {
        // Always this name: one made of keys could be anything.
        let name = HeaderValue::from_static("attachment; filename=\"value.json\"");
        headers.insert(CONTENT_DISPOSITION, name);
    }
    response
}

fn lies(run: &OpenRun, step: &str, output: &str) -> Result<Lies, Refused> {
    let place = place_of(run, step)?;
    let near = Near::new(run, place);
    let told = story(run, &near, place)?;
    let node = near.shape().node(near.node);
    let given = given(node, &told.record).map_err(|error| Refused::broken(error.to_string()))?;
    let Some((output, value)) = given.outputs.iter().find(|(found, _)| found.name == output) else {
        let names: Vec<_> = node.outputs.iter().map(|output| output.name.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let help = format!("the outputs of `{}`: {names}", node.name);
        return Err(Refused::not_found(format!("`{step}` has no output `{output}`"), help));
    };
    let no = |what: &str, help: &str| {
        Err(Refused::not_found(format!("`{}` of `{step}` {what}", output.name), help.to_owned()))
    };
    match value {
        _ if output.dynamic => no("is a number of items", "each step that reads one has it among its inputs"),
        Some(StoredValue::Json(text)) => Ok(Lies::Here(text.to_vec())),
        Some(StoredValue::Blob { hash, .. }) => Ok(Lies::Apart(*hash)),
        Some(StoredValue::Nothing) => no("gave nothing", "what needs it was skipped"),
        Some(StoredValue::Transient) => no("is never recorded", "it is made again when it is needed"),
        None => no("has no value", "only a step that succeeded has one"),
    }
}
