//! What lies around all addresses: the judgement before, and the headers after, so that no address can
//! be without them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use super::App;
use super::guard::{Pass, Policy, judge, without_secret};
use super::pages::{lead_on, missing, refusal, wrong_method};
use super::refused::Refused;
use super::routes::router;

/// So long a body of a request may be: the arguments of a job, and there is no reason for more.
const LONGEST_BODY: usize = 1 << 20;

/// So long a body may take to come.
const BODY_TIME: Duration = Duration::from_secs(10);

/// What every answer says to the browser: our files alone, in no frame, and nothing told to others.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-frame-options"), "DENY"),
];

/// All addresses, behind the judgement.
pub(super) fn guarded(app: Arc<App>, policy: Arc<Policy>) -> Router {
    let routes = router().fallback(missing).method_not_allowed_fallback(wrong_method).with_state(app);
    // The routes are the fallback of a router that has none, so the judgement comes before routing.
    Router::new().fallback_service(routes).layer(from_fn_with_state(policy, around))
}

async fn around(State(policy): State<Arc<Policy>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let uri = parts.uri.clone();
    let mut answer = match judge(&parts, &policy) {
        Ok(Pass::Answer) => match whole(parts, body).await {
            Ok(request) => next.run(request).await,
            Err(refused) => refusal(&uri, refused),
        },
        Ok(pass) => log_in(&parts, pass, &policy),
        Err(refused) => refusal(&uri, refused),
    };
    protect(answer.headers_mut());
    answer
}

/// A request whose body is there, and is bounded.
async fn whole(parts: Parts, body: Body) -> Result<Request, Refused> {
    let help = Some(format!("send at most {LONGEST_BODY} bytes, within {} s", BODY_TIME.as_secs()));
    match tokio::time::timeout(BODY_TIME, to_bytes(body, LONGEST_BODY)).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Ok(Err(_)) => {
            Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long or broken", help))
        }
        Err(_) => Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "the body did not come", help)),
    }
}

/// Gives the browser its cookie, and leads it to the address without the secret.
fn log_in(parts: &Parts, pass: Pass, policy: &Policy) -> Response {
    let to = without_secret(&parts.uri);
    let mut answer = match (pass, HeaderValue::from_str(&to)) {
        (Pass::LogInFromElsewhere, _) | (_, Err(_)) => lead_on(&to),
        (_, Ok(to)) => (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response(),
    };
    let secure =
        if policy.origins.iter().all(|origin| origin.starts_with("https:")) { "; Secure" } else { "" };
    let (name, value) = (&policy.cookie, policy.token.cookie());
    let cookie = format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/{secure}");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    answer
}

fn protect(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What an address does not say may be kept is data of a run: it is kept nowhere.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
