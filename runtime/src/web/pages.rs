//! The pages: one document for all of them, with what can be read at once written into it; and pages in
//! words where there is nothing, or nothing for who asks.

use std::sync::Arc;

use axum::extract::{RawPathParams, State};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::App;
use super::assets::{DOCUMENT, ICON, INDEX, MORE, MORE_SHEET, SCRIPT, SHEET};
use super::first::{First, first};
use super::guard::API;
use super::html::{escaped, json_in_html};
use super::refused::Refused;

const HTML: (axum::http::HeaderName, &str) = (CONTENT_TYPE, "text/html; charset=utf-8");

/// A page of a known address.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    params: Result<RawPathParams, axum::extract::rejection::RawPathParamsRejection>,
    uri: Uri,
) -> Response {
    let Ok(params) = params else { return missing(uri).await };
    if !params.iter().all(|(name, value)| is_plausible(name, value)) {
        return missing(uri).await;
    }
    let address = uri.clone();
    let made = app.blocking(move |app| {
        let path = address.path();
        Ok(first(app, path, address.query().unwrap_or_default()))
    });
    match made.await {
        Ok(first) => (first.status, [HTML], document(&first)).into_response(),
        Err(refused) => refusal(&uri, refused),
    }
}

/// Whether there can be something of this name: a step may have any key, but ids and jobs are words.
fn is_plausible(name: &str, value: &str) -> bool {
    match name {
        "step" => !value.contains('\0'),
        _ => value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')),
    }
}

/// The document, filled in. Nothing in the data can end the element that it is written into.
fn document(first: &First) -> String {
    let template = INDEX.bytes();
    let template = String::from_utf8_lossy(&template);
    let title = format!("<title>{}</title>", escaped(&first.title));
    // The state comes last: what it holds is not searched for the other marks.
    let state = json_in_html(&first.state_json);
    let (before, after) = template.split_once("<!--state-->").unwrap_or((&template, ""));
    let (above, below) = before.split_once("<!--page-->").unwrap_or((before, ""));
    let above = above.replacen("<title>fanfold</title>", &title, 1);
    format!("{above}{}{below}{state}{after}", first.html)
}

pub(super) async fn script(asked: HeaderMap) -> Response {
    SCRIPT.answer(&asked)
}

pub(super) async fn more(asked: HeaderMap) -> Response {
    MORE.answer(&asked)
}

pub(super) async fn more_sheet(asked: HeaderMap) -> Response {
    MORE_SHEET.answer(&asked)
}

pub(super) async fn sheet(asked: HeaderMap) -> Response {
    SHEET.answer(&asked)
}

pub(super) async fn icon(asked: HeaderMap) -> Response {
    ICON.answer(&asked)
}

pub(super) async fn api_document(asked: HeaderMap) -> Response {
    DOCUMENT.answer(&asked)
}

/// The answer where there is nothing.
pub(super) async fn missing(uri: Uri) -> Response {
    let refused = Refused::not_found("there is nothing at this address", "the list of runs is at `/`");
    refusal(&uri, refused)
}

/// The answer to a method that the address does not take.
pub(super) async fn wrong_method(uri: Uri) -> Response {
    let help = Some("GET reads, and POST acts: `/api/v1/openapi.json` lists what there is".to_owned());
    let refused =
        Refused::new(StatusCode::METHOD_NOT_ALLOWED, "this address does not take that method", help);
    refusal(&uri, refused)
}

/// Why a request was not answered: JSON for programs, and else words.
pub(super) fn refusal(uri: &Uri, refused: Refused) -> Response {
    let mut answer = if uri.path().starts_with(API) {
        refused.into_response()
    } else {
        (refused.status, [HTML], words(&refused)).into_response()
    };
    if answer.status() == StatusCode::UNAUTHORIZED {
        let scheme = axum::http::HeaderValue::from_static("Bearer realm=\"fanfold\"");
        answer.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    answer
}

/// A page in words.
fn words(Refused { status, error, help }: &Refused) -> String {
    let help = help.as_deref().map(|help| format!("<p>{}.</p>", sentence(help))).unwrap_or_default();
    let form = if *status == StatusCode::UNAUTHORIZED {
        "<form><label>Secret: <input name=\"secret\" type=\"password\" autocomplete=\"off\"></label> \
         <button>Open</button></form>"
    } else {
        ""
    };
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>fanfold: {title}</title><main><h1>{title}</h1><p>{error}.</p>{help}{form}</main>\n",
        title = escaped(status.canonical_reason().unwrap_or("Not answered")),
        error = sentence(error),
    )
}

/// Words of a message as they stand in a text: a capital first, and what is to be written as code.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let begun: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let parts = escaped(&begun);
    let marked = parts.split('`').enumerate().map(|(place, part)| match place % 2 {
        0 => part.to_owned(),
        _ => format!("<code>{part}</code>"),
    });
    marked.collect()
}

/// Leads a browser on, from a page of ours.
pub(super) fn lead_on(to: &str) -> Response {
    let to = escaped(to);
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>fanfold</title>\
         <meta http-equiv=\"refresh\" content=\"0; url={to}\"><p><a href=\"{to}\">Go on to the page</a></p>\n"
    );
    ([HTML], page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_the_element_that_it_stands_in() {
        let first = First {
            status: StatusCode::OK,
            title: "</title><script>1</script>".to_owned(),
            html: "<p>readable <!--state--></p>".to_owned(),
            state_json: r#"{"a":"</script><!--page-->"}"#.to_owned(),
        };
        let page = document(&first);
        assert!(page.contains("<title>&lt;/title&gt;&lt;script&gt;1&lt;/script&gt;</title>"), "{page}");
        assert!(page.contains(r#"{"a":"\u003c/script\u003e\u003c!--page--\u003e"}"#), "{page}");
        assert!(page.contains(r#"<div id="page"><p>readable <!--state--></p></div>"#), "{page}");
    }
}
