//! Which requests are answered at all: one judgement on each, before it is known what it asks for.
//!
//! Any site that a browser visits, and any program on this machine, can send requests to a port of this
//! machine. So everything must fit, and is refused otherwise: the name that the server was called by, who
//! sent the request, how it looks, and the secret. Reading is judged as strictly as writing.

use axum::extract::Query;
use axum::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName, ORIGIN, TRANSFER_ENCODING,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri};

use super::refused::Refused;
use super::secret::Token;

/// Where everything lies that is no page and no part of one.
pub(super) const API: &str = "/api/";

/// How an address names the secret.
const SECRET: &str = "secret=";

/// A header that no form and no link can send.
const OWN_HEADER: HeaderName = HeaderName::from_static("x-fanfold");

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// What fits.
#[derive(Debug)]
pub(crate) struct Policy {
    /// What `Host` may be: `127.0.0.1:3000`.
    pub(super) hosts: Vec<String>,
    /// What `Origin` may be: `http://127.0.0.1:3000`.
    pub(super) origins: Vec<String>,
    /// The name of the cookie; ports of one machine share their cookies.
    pub(super) cookie: String,
    pub(super) token: Token,
    /// Whether nothing may be changed.
    pub(super) read_only: bool,
}

/// What becomes of a request that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// It is answered.
    Answer,
    /// It had the secret in its address: it gets the cookie, and an address without the secret.
    LogIn,
    /// As [`LogIn`](Self::LogIn), where something other than the page led to: a browser does not send the
    /// new cookie where it is sent on, so a page of ours has to lead there.
    LogInFromElsewhere,
}

/// Judges a request by its head.
///
/// # Errors
/// It is not to be answered: with the status, and what to do.
pub(super) fn judge(request: &Parts, policy: &Policy) -> Result<Pass, Refused> {
    addressed(request, policy)?;
    let changes = changes(&request.method)?;
    well_formed(request, changes)?;
    if let Some(pass) = with_secret_in_address(request, changes, policy)? {
        from_us(&request.headers, policy)?;
        return Ok(pass);
    }
    sent_by_us(request, changes, policy)?;
    if changes {
        deliberate(&request.headers)?;
    }
    with_secret(&request.headers, policy)?;
    if changes && policy.read_only {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "this page is for reading alone",
            Some("start it without `--read-only`, or use the command line".to_owned()),
        ));
    }
    Ok(Pass::Answer)
}

/// Whether it was sent to this server, and not to a name that somebody else owns.
fn addressed(request: &Parts, policy: &Policy) -> Result<(), Refused> {
    if request.uri.scheme().is_some() || request.uri.authority().is_some() {
        return Err(malformed("the request names a whole address", "send the path alone"));
    }
    let Some(host) = only(&request.headers, &HOST) else {
        return Err(malformed("the request has no `Host`, or several", "send it once"));
    };
    if policy.hosts.iter().any(|ours| ours.as_bytes() == host) || cfg!(defect = "no_host_check") {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::MISDIRECTED_REQUEST,
        "the page is not served under this name",
        Some(format!("open it as {}", policy.origins.first().map_or("", String::as_str))),
    ))
}

/// Whether a method changes anything.
fn changes(method: &Method) -> Result<bool, Refused> {
    match *method {
        Method::GET | Method::HEAD => Ok(false),
        Method::POST => Ok(true),
        _ => Err(Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("nothing is answered to {method}"),
            Some("use GET to read and POST to act".to_owned()),
        )),
    }
}

/// Whether its length is beyond doubt, whoever reads it: what comes after it is then another request.
fn well_formed(request: &Parts, changes: bool) -> Result<(), Refused> {
    if request.headers.contains_key(TRANSFER_ENCODING) {
        let help = Some("send `Content-Length`, and no chunks".to_owned());
        return Err(Refused::new(StatusCode::LENGTH_REQUIRED, "the request is sent in chunks", help));
    }
    let length = request.headers.get(CONTENT_LENGTH);
    if !changes && length.is_some_and(|length| length != "0") {
        return Err(malformed("a request to read has a body", "send none"));
    }
    Ok(())
}

/// A page's address with the secret in it, as it is printed.
fn with_secret_in_address(request: &Parts, changes: bool, policy: &Policy) -> Result<Option<Pass>, Refused> {
    if changes || request.uri.path().starts_with(API) {
        return Ok(None);
    }
    let Some(secret) = secret_of(&request.uri) else { return Ok(None) };
    if !policy.token.is(secret.as_bytes()) {
        return Err(locked());
    }
    Ok(Some(match only(&request.headers, &FETCH_SITE) {
        None | Some(b"none" | b"same-origin") => Pass::LogIn,
        Some(_) => Pass::LogInFromElsewhere,
    }))
}

/// Whether the page sent it: another site's page cannot hide that it is another.
fn sent_by_us(request: &Parts, changes: bool, policy: &Policy) -> Result<(), Refused> {
    from_us(&request.headers, policy)?;
    let said: Vec<_> = request.headers.get_all(FETCH_SITE).iter().collect();
    let by_hand = !changes
        && !request.uri.path().starts_with(API)
        && only(&request.headers, &FETCH_MODE).is_none_or(|mode| mode == b"navigate");
    match said.as_slice() {
        // Programs say nothing; what they can do, the secret decides.
        [] => Ok(()),
        [site] if *site == "same-origin" => Ok(()),
        [site] if *site == "none" && by_hand => Ok(()),
        _ => Err(foreign()),
    }
}

/// Whether the origin that it names is ours, if it names one.
fn from_us(headers: &HeaderMap, policy: &Policy) -> Result<(), Refused> {
    if !headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let origin = only(headers, &ORIGIN);
    let ours = |origin: &[u8]| policy.origins.iter().any(|ours| ours.as_bytes() == origin);
    if origin.is_some_and(ours) { Ok(()) } else { Err(foreign()) }
}

/// Whether a request that changes something looks like none that a form or a link can send.
fn deliberate(headers: &HeaderMap) -> Result<(), Refused> {
    let is_json = only(headers, &CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
    });
    if !is_json {
        let help = Some("send `Content-Type: application/json`".to_owned());
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the request is no JSON", help));
    }
    if only(headers, &OWN_HEADER) != Some(b"1") {
        let help = Some("send it, and the request is known not to come from a form".to_owned());
        return Err(Refused::new(StatusCode::FORBIDDEN, "the header `X-Fanfold: 1` is missing", help));
    }
    Ok(())
}

/// Whether it has the secret: as the cookie of a browser, or as a program sends it.
fn with_secret(headers: &HeaderMap, policy: &Policy) -> Result<(), Refused> {
    let bearer = only(headers, &AUTHORIZATION).and_then(|value| value.strip_prefix(b"Bearer "));
    if bearer.is_some_and(|given| policy.token.is(given)) {
        return Ok(());
    }
    let is_ours = |pair: &[u8]| {
        let value = pair.strip_prefix(policy.cookie.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        value.is_some_and(|value| policy.token.is_cookie(value))
    };
    let cookies = headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    if cookies.map(<[u8]>::trim_ascii).any(is_ours) { Ok(()) } else { Err(locked()) }
}

/// What the address says the secret is. Its name has one way to be written, so that what is found here is
/// what [`without_secret`] leaves out.
fn secret_of(uri: &Uri) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    let names = uri.query()?.split('&').filter(|pair| !pair.is_empty());
    let mut named = names.zip(pairs).filter(|(pair, _)| pair.starts_with(SECRET));
    named.next().map(|(_, (_, value))| value)
}

/// The same address without the secret, for this server alone: it begins with one `/`.
pub(super) fn without_secret(uri: &Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let others: Vec<_> =
        query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with(SECRET)).collect();
    let path = format!("/{}", uri.path().trim_start_matches(['/', '\\']));
    if others.is_empty() { path } else { format!("{path}?{}", others.join("&")) }
}

/// The value of a header that is sent once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

fn malformed(error: &str, help: &str) -> Refused {
    Refused::malformed(error, help)
}

fn foreign() -> Refused {
    Refused::new(
        StatusCode::FORBIDDEN,
        "something other than the page itself sent this request",
        Some("copy the address to the address bar of the browser, instead of following a link".to_owned()),
    )
}

fn locked() -> Refused {
    Refused::new(
        StatusCode::UNAUTHORIZED,
        "the page opens with its secret alone",
        Some(
            "open the address that was printed when the page was started: it ends in `?secret=…`".to_owned(),
        ),
    )
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
