//! What is let through, what is refused, and by which status.

use axum::http::Request;

use super::*;

fn policy(read_only: bool) -> Policy {
    Policy {
        hosts: ["127.0.0.1:3000", "localhost:3000", "[::1]:3000"].map(str::to_owned).to_vec(),
        origins: ["http://127.0.0.1:3000", "http://localhost:3000"].map(str::to_owned).to_vec(),
        cookie: "fanfold-3000".to_owned(),
        token: Token::chosen("correct-horse-battery").unwrap(),
        read_only,
    }
}

const HOST: (&str, &str) = ("host", "127.0.0.1:3000");
const BEARER: (&str, &str) = ("authorization", "Bearer correct-horse-battery");
const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
const OWN: (&str, &str) = ("x-fanfold", "1");

fn judged(method: &str, target: &str, headers: &[(&str, &str)]) -> Result<Pass, u16> {
    judged_by(&policy(false), method, target, headers)
}

fn judged_by(policy: &Policy, method: &str, target: &str, headers: &[(&str, &str)]) -> Result<Pass, u16> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    judge(&parts, policy).map_err(|refused| refused.status.as_u16())
}

#[test]
fn a_browser_reads_with_its_cookie_and_a_program_with_its_token() {
    let cookie = format!("theme=dark; fanfold-3000={}", policy(false).token.cookie());
    let cookie = ("cookie", cookie.as_str());
    let site = |said| ("sec-fetch-site", said);
    assert_eq!(judged("GET", "/", &[HOST, cookie]), Ok(Pass::Answer));
    assert_eq!(judged("HEAD", "/", &[HOST, BEARER]), Ok(Pass::Answer));
    assert_eq!(judged("GET", "/api/v1/runs", &[HOST, cookie, site("same-origin")]), Ok(Pass::Answer));
    assert_eq!(judged("GET", "/runs/x", &[HOST, cookie, site("none")]), Ok(Pass::Answer));
    assert_eq!(judged("GET", "/api/v1/runs", &[HOST, cookie, site("none")]), Err(403));
    let loaded = ("sec-fetch-mode", "no-cors");
    assert_eq!(judged("GET", "/runs/x", &[HOST, cookie, site("none"), loaded]), Err(403));
}

#[test]
fn only_our_own_names_are_answered() {
    for host in ["localhost:3000", "[::1]:3000"] {
        assert_eq!(judged("GET", "/", &[("host", host), BEARER]), Ok(Pass::Answer));
    }
    for host in ["", "127.0.0.1", "127.0.0.1:3001", "evil.example:3000", "LOCALHOST:3000", "localhost:3000."]
    {
        assert_eq!(judged("GET", "/", &[("host", host), BEARER]), Err(421), "{host}");
    }
    assert_eq!(judged("GET", "/", &[BEARER]), Err(400));
    assert_eq!(judged("GET", "/", &[HOST, HOST, BEARER]), Err(400));
    assert_eq!(judged("GET", "http://127.0.0.1:3000/", &[HOST, BEARER]), Err(400));
}

#[test]
fn who_sent_it_is_told_by_the_browser() {
    for site in ["cross-site", "same-site", "", "SAME-ORIGIN"] {
        assert_eq!(judged("GET", "/", &[HOST, BEARER, ("sec-fetch-site", site)]), Err(403), "{site}");
    }
    let twice = [HOST, BEARER, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")];
    assert_eq!(judged("GET", "/", &twice), Err(403));
    for origin in ["null", "http://evil.example", "https://127.0.0.1:3000", "http://127.0.0.1:30000", ""] {
        assert_eq!(judged("GET", "/", &[HOST, BEARER, ("origin", origin)]), Err(403), "{origin}");
        let post = [HOST, BEARER, JSON, OWN, ("origin", origin)];
        assert_eq!(judged("POST", "/", &post), Err(403), "{origin}");
    }
    let ours = ("origin", "http://localhost:3000");
    assert_eq!(judged("POST", "/", &[HOST, BEARER, JSON, OWN, ours]), Ok(Pass::Answer));
}

#[test]
fn what_changes_something_is_sent_as_no_form_can() {
    assert_eq!(judged("POST", "/", &[HOST, BEARER, JSON, OWN]), Ok(Pass::Answer));
    assert_eq!(judged("POST", "/", &[HOST, BEARER, JSON]), Err(403));
    assert_eq!(judged("POST", "/", &[HOST, BEARER, OWN]), Err(415));
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"]
    {
        assert_eq!(judged("POST", "/", &[HOST, BEARER, OWN, ("content-type", kind)]), Err(415), "{kind}");
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        assert_eq!(judged(method, "/", &[HOST, BEARER, JSON, OWN]), Err(405), "{method}");
    }
    assert_eq!(judged_by(&policy(true), "POST", "/", &[HOST, BEARER, JSON, OWN]), Err(403));
    assert_eq!(judged_by(&policy(true), "GET", "/", &[HOST, BEARER]), Ok(Pass::Answer));
}

#[test]
fn nothing_is_answered_without_the_secret() {
    let token = policy(false).token;
    let wrong = [
        ("authorization", "Bearer correct-horse-batterx".to_owned()),
        ("authorization", "bearer correct-horse-battery".to_owned()),
        ("authorization", "Basic correct-horse-battery".to_owned()),
        ("cookie", "fanfold-3000=correct-horse-battery".to_owned()),
        ("cookie", format!("fanfold-3001={}", token.cookie())),
        ("cookie", format!("xfanfold-3000={}", token.cookie())),
        ("cookie", format!("fanfold-3000={}0", token.cookie())),
        ("x-nothing", String::new()),
    ];
    for (name, value) in &wrong {
        assert_eq!(judged("GET", "/", &[HOST, (name, value)]), Err(401), "{name}: {value}");
    }
    let secret = "secret=correct-horse-battery";
    assert_eq!(judged("GET", &format!("/api/v1/runs?{secret}"), &[HOST]), Err(401));
    assert_eq!(judged("POST", &format!("/?{secret}"), &[HOST, JSON, OWN]), Err(401));
    assert_eq!(judged("GET", "/?secret=wrong", &[HOST, BEARER]), Err(401));
}

#[test]
fn the_printed_address_gives_a_cookie_and_an_address_without_the_secret() {
    let target = "/runs/x?a=1&secret=correct-horse-battery&b=2";
    assert_eq!(judged("GET", target, &[HOST]), Ok(Pass::LogIn));
    assert_eq!(judged("GET", target, &[HOST, ("sec-fetch-site", "none")]), Ok(Pass::LogIn));
    let elsewhere = [HOST, ("sec-fetch-site", "cross-site")];
    assert_eq!(judged("GET", target, &elsewhere), Ok(Pass::LogInFromElsewhere));
    assert_eq!(judged("GET", target, &[HOST, ("origin", "null")]), Err(403));
    let cleaned = |target: &str| without_secret(&target.parse().unwrap());
    assert_eq!(cleaned(target), "/runs/x?a=1&b=2");
    assert_eq!(cleaned("/?secret=x"), "/");
    assert_eq!(judged("GET", "/?&a=%26&&secret=correct%2Dhorse-battery", &[HOST]), Ok(Pass::LogIn));
    // What would not be taken out of the address is not taken for the secret either.
    assert_eq!(judged("GET", "/?%73ecret=correct-horse-battery", &[HOST]), Err(401));
    // An address of two slashes would be another server's.
    assert_eq!(cleaned("//evil.example/?secret=x"), "/evil.example/");
}

#[test]
fn the_length_of_a_request_is_beyond_doubt() {
    let chunked = ("transfer-encoding", "chunked");
    assert_eq!(judged("POST", "/", &[HOST, BEARER, JSON, OWN, chunked]), Err(411));
    assert_eq!(judged("GET", "/", &[HOST, BEARER, ("content-length", "5")]), Err(400));
    assert_eq!(judged("GET", "/", &[HOST, BEARER, ("content-length", "0")]), Ok(Pass::Answer));
}
