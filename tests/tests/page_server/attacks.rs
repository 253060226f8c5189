//! Every address that the server answers, with every method, and everything that must be refused. The
//! addresses come from the router's own table: one that is added is attacked, too.

use std::collections::BTreeMap;
use std::path::Path;

use super::served::{Served, record, said};

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"];

/// What is changed of a request that is right, and the statuses that may be answered then.
type Probe = (&'static str, fn(&mut Request), &'static [u16]);

/// What must be refused, whatever the method.
const PROBES: &[Probe] = &[
    ("no secret", |r| r.without("Authorization"), &[401]),
    ("wrong secret", |r| r.put("Authorization", "Bearer 00000000000000000000000000000000"), &[401]),
    ("secret as the wrong scheme", |r| r.put("Authorization", "Basic c2VjcmV0"), &[401]),
    ("wrong cookie", |r| r.cookie("00000000000000000000000000000000"), &[401]),
    ("foreign Host", |r| r.put("Host", "evil.example"), &[421]),
    ("foreign Host, our port", |r| r.host("evil.example"), &[421]),
    ("a Host that begins as ours", |r| r.host("127.0.0.1.evil.example"), &[421]),
    ("Host of another port", |r| r.put("Host", "127.0.0.1:1"), &[421]),
    ("Host without a port", |r| r.put("Host", "localhost"), &[421]),
    ("no Host", |r| r.without("Host"), &[400]),
    ("two Hosts", |r| r.host_twice("evil.example"), &[400]),
    ("two Hosts, both ours", |r| r.host_twice("127.0.0.1"), &[400]),
    ("absolute target", |r| r.absolute("evil.example"), &[400]),
    ("absolute target, ours", |r| r.absolute("127.0.0.1"), &[400]),
    ("foreign Origin", |r| r.put("Origin", "http://evil.example"), &[403]),
    ("null Origin", |r| r.put("Origin", "null"), &[403]),
    ("Origin of another port", |r| r.put("Origin", "http://127.0.0.1:1"), &[403]),
    ("an Origin that begins as ours", |r| r.origin(".evil.example"), &[403]),
    ("cross-site", |r| r.put("Sec-Fetch-Site", "cross-site"), &[403]),
    ("same-site", |r| r.put("Sec-Fetch-Site", "same-site"), &[403]),
    ("a site that nobody knows", |r| r.put("Sec-Fetch-Site", "other"), &[403]),
    ("in chunks", |r| r.put("Transfer-Encoding", "chunked"), &[411]),
];

/// What must be refused of requests that change something.
const POSTS: &[Probe] = &[
    ("a form", |r| r.put("Content-Type", "application/x-www-form-urlencoded"), &[415]),
    ("a form with files", |r| r.put("Content-Type", "multipart/form-data; boundary=x"), &[415]),
    ("text", |r| r.put("Content-Type", "text/plain"), &[415]),
    ("text that looks like JSON", |r| r.put("Content-Type", "text/plain; application/json"), &[415]),
    ("no type", |r| r.without("Content-Type"), &[415]),
    ("without our header", |r| r.without("X-Fanfold"), &[403]),
    ("by hand", |r| r.put("Sec-Fetch-Site", "none"), &[403]),
];

#[test]
fn nothing_answers_a_request_that_is_not_the_pages_own() {
    let home = tempfile::tempdir().unwrap();
    let run = record(home.path());
    let served = Served::start(home.path(), &[]);
    let before = state(home.path());
    let mut sent = 0;
    for path in paths(&run) {
        for method in METHODS {
            let changes = method == "POST";
            let probes = PROBES.iter().chain(if changes { POSTS } else { &[] });
            for (what, attack, expected) in probes {
                let mut request = Request::right(&served, method, &path);
                attack(&mut request);
                let status = served.status(request.text().as_bytes());
                let unknown = !matches!(method, "GET" | "HEAD" | "POST");
                let right = expected.contains(&status) || unknown && status == 405;
                assert!(right, "{method} {path}, {what}: {status}, and not {expected:?}");
                sent += 1;
            }
        }
    }
    assert_eq!(state(home.path()), before, "a refused request changed something");
    println!("page: {sent} requests refused");
}

#[test]
fn what_is_refused_is_refused_for_that_alone() {
    let home = tempfile::tempdir().unwrap();
    let run = record(home.path());
    let served = Served::start(home.path(), &[]);
    let mut known: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (method, path) in fanfold::__private::page_routes() {
        known.entry(filled(path, &run)).or_default().push(method);
    }
    for (path, methods) in known {
        for method in METHODS {
            let mut request = Request::right(&served, method, &path);
            // Nothing that acts understands it.
            request.body = r#"{"no such field": 1}"#.to_owned();
            let status = served.status(request.text().as_bytes());
            let answered = methods.contains(&method) || method == "HEAD" && methods.contains(&"GET");
            let refused = matches!(status, 0 | 401 | 403 | 405 | 411 | 415 | 421 | 500);
            assert_eq!(refused, !answered, "{method} {path}: {status}");
        }
    }
}

#[test]
fn a_page_for_reading_acts_on_nothing() {
    let home = tempfile::tempdir().unwrap();
    let run = record(home.path());
    let served = Served::start(home.path(), &["--read-only"]);
    let before = state(home.path());
    for path in paths(&run) {
        let request = Request::right(&served, "POST", &path);
        assert_eq!(served.status(request.text().as_bytes()), 403, "{path}");
    }
    assert_eq!(served.get("/").status, 200);
    assert_eq!(state(home.path()), before);
}

#[test]
fn there_is_no_file_system_behind_the_addresses() {
    let home = tempfile::tempdir().unwrap();
    record(home.path());
    let served = Served::start(home.path(), &[]);
    for target in [
        "/../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/runs/..%2f..%2f..%2fetc%2fpasswd",
        "/runs/%2e%2e",
        "/jobs/..%5c..%5cwindows",
        "/runs/..\\..\\etc",
        "/app.js/../../Cargo.toml",
        "/app.js%00.html",
        "/runs/x%00",
        "/runs/x/steps/a%00b",
        "/runs/%ff%fe",
        "//etc/passwd",
        "/index.html",
        "/dist/app.js",
        "/.fanfold/runs.db",
        "/runs.db",
        "/APP.JS",
        "/app.js/",
        "/api/v1/../../app.js",
        "/api/v1/openapi.json%2f..%2f..%2fCargo.toml",
        "/api/v1",
        "/api/",
        "/?/../x",
    ] {
        let answer = served.get(target);
        if target == "/?/../x" {
            assert_eq!(answer.status, 200, "a question is no part of the path");
            continue;
        }
        assert!(matches!(answer.status, 404 | 400), "{target}: {}", answer.status);
        assert!(!answer.body.contains("root:"), "{target}");
    }
}

#[test]
fn every_answer_tells_the_browser_what_it_may_do() {
    let home = tempfile::tempdir().unwrap();
    let run = record(home.path());
    let served = Served::start(home.path(), &[]);
    let mut requests: Vec<_> = paths(&run).map(|path| Request::right(&served, "GET", &path)).collect();
    requests.push(Request::right(&served, "GET", "/nowhere"));
    requests.push(Request::right(&served, "PUT", "/"));
    let mut locked = Request::right(&served, "GET", "/");
    locked.without("Authorization");
    requests.push(locked);
    for request in requests {
        let mut stream = served.connect();
        std::io::Write::write_all(&mut stream, request.text().as_bytes()).unwrap();
        let answer = super::served::read_head(&mut stream);
        let policy = answer.header("content-security-policy");
        let what = format!("{} {}: {answer:?}", request.method, request.target);
        for said in ["default-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(said), "{what}");
        }
        assert!(!policy.contains("unsafe"), "{what}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{what}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{what}");
        assert!(!answer.header("cache-control").is_empty(), "{what}");
        assert!(!answer.head.to_lowercase().contains("access-control-"), "{what}");
    }
}

#[test]
fn the_guide_lists_every_address_of_the_data_api() {
    let guide = include_str!("../../../docs/page.md");
    let (_, table) = guide.split_once("| Method, address | |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    for (method, path) in fanfold::__private::page_routes() {
        let Some(path) = path.strip_prefix("/api/v1") else { continue };
        let names = [("{id}", "ID"), ("{job}", "JOB"), ("{step}", "STEP"), ("{output}", "OUTPUT")];
        let path = names.iter().fold(path.to_owned(), |path, (name, shown)| path.replace(name, shown));
        // Those that act on a run are told in one row, all but the first by their last word.
        let last = format!("`/{}`", path.rsplit('/').next().unwrap_or_default());
        let told = [format!("`{method} {path}`"), format!("`{method} {path}?")];
        let is_told = told.iter().any(|told| table.contains(told));
        assert!(is_told || method == "POST" && table.contains(&last), "{method} {path}");
    }
}

/// All addresses, each once, with names in them that are there.
fn paths(run: &str) -> impl Iterator<Item = String> {
    let mut paths: Vec<_> = fanfold::__private::page_routes().map(|(_, path)| filled(path, run)).collect();
    paths.sort_unstable();
    paths.dedup();
    assert!(paths.len() >= 10, "{paths:?}");
    paths.into_iter()
}

fn filled(path: &str, run: &str) -> String {
    let path = path.replace("{id}", run).replace("{job}", "letters").replace("{step}", "upper%5Ba%5D");
    path.replace("{output}", "result")
}

/// Everything that is recorded, as bytes, but for what readers share.
fn state(home: &Path) -> BTreeMap<String, Vec<u8>> {
    let listed = said(home, &["runs", "--json"]);
    let mut state = BTreeMap::from([("runs".to_owned(), listed.into_bytes())]);
    for entry in std::fs::read_dir(home).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_file() && !name.ends_with("-shm") {
            state.insert(name, std::fs::read(path).unwrap());
        }
    }
    state
}

/// A request that is right, until something is changed.
struct Request {
    method: &'static str,
    target: String,
    port: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Request {
    fn right(served: &Served, method: &'static str, target: &str) -> Self {
        let port = served.port;
        let mut headers = vec![
            ("Host", format!("127.0.0.1:{port}")),
            ("Authorization", format!("Bearer {}", served.secret)),
            ("Connection", "close".to_owned()),
        ];
        if method == "POST" {
            headers.push(("Content-Type", "application/json".to_owned()));
            headers.push(("X-Fanfold", "1".to_owned()));
            headers.push(("Origin", format!("http://127.0.0.1:{port}")));
        }
        Self { method, target: target.to_owned(), port, headers, body: "{}".to_owned() }
    }

    fn without(&mut self, name: &str) {
        self.headers.retain(|(known, _)| *known != name);
    }

    fn put(&mut self, name: &'static str, value: &str) {
        self.without(name);
        self.headers.push((name, value.to_owned()));
    }

    fn cookie(&mut self, value: &str) {
        self.without("Authorization");
        self.put("Cookie", &format!("fanfold-{}={value}", self.port));
    }

    fn host(&mut self, name: &str) {
        self.put("Host", &format!("{name}:{}", self.port));
    }

    fn host_twice(&mut self, name: &str) {
        self.headers.push(("Host", format!("{name}:{}", self.port)));
    }

    fn origin(&mut self, after: &str) {
        self.put("Origin", &format!("http://127.0.0.1:{}{after}", self.port));
    }

    fn absolute(&mut self, name: &str) {
        self.target = format!("http://{name}:{}{}", self.port, self.target);
    }

    fn text(&self) -> String {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.method == "POST" && !self.headers.iter().any(|(name, _)| *name == "Transfer-Encoding") {
            text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        text.push_str("\r\n");
        if self.method == "POST" {
            text.push_str(&self.body);
        }
        text
    }
}
