//! Clients that are broken, or would like the server to be: others are answered all the same, and memory
//! stays what it was.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::served::{Served, read_head, record};

/// How much its memory may grow by all of it, in KiB.
#[cfg(target_os = "linux")]
const GROWTH: u64 = 100 << 10;

/// Runs an attack: the server must be there afterwards, and no larger than it may be.
fn survives(what: &str, attack: impl FnOnce(&Served, &str)) {
    let home = tempfile::tempdir().unwrap();
    let run = record(home.path());
    let served = Served::start(home.path(), &[]);
    assert_eq!(served.get("/").status, 200);
    #[cfg(target_os = "linux")]
    let before = served.memory();
    attack(&served, &run);
    assert_eq!(served.get("/").status, 200, "{what}: the next one is not answered");
    #[cfg(target_os = "linux")]
    {
        let growth = served.memory().saturating_sub(before);
        println!("page: {what}: memory +{growth} KiB");
        assert!(growth <= GROWTH, "{what}: memory grew by {growth} KiB");
    }
}

/// Refused, or closed without a word.
fn is_refused(status: u16) -> bool {
    status == 0 || (400..500).contains(&status)
}

#[test]
fn a_head_has_a_bound() {
    survives("long heads", |served, _| {
        let long = format!("{}X-Long: {}\r\n\r\n", served.head("GET", "/"), "x".repeat(4 << 20));
        assert!(is_refused(served.send(long.as_bytes()).status));
        let many = format!("{}{}\r\n", served.head("GET", "/"), "X-Many: 1\r\n".repeat(100_000));
        assert!(is_refused(served.send(many.as_bytes()).status));
        let path = format!("{}\r\n", served.head("GET", &format!("/{}", "x".repeat(1 << 20))));
        assert!(is_refused(served.send(path.as_bytes()).status));
    });
}

#[test]
fn a_body_has_a_bound() {
    survives("long bodies", |served, run| {
        for path in posts(run) {
            let deep = "[".repeat(1 << 19);
            assert!(is_refused(served.post(&path, &deep).status), "{path}");
            let deep = format!(r#"{{"args":{}1{}}}"#, r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
            assert!(is_refused(served.post(&path, &deep).status), "{path}");
            let long = format!(r#"{{"args":{{"from":"{}"}}}}"#, "x".repeat(4 << 20));
            assert!(is_refused(served.post(&path, &long).status), "{path}");
            // It says that there is more than will ever come, or more than can be.
            let head = served.head("POST", &path);
            let head = format!("{head}Content-Type: application/json\r\nX-Fanfold: 1\r\n");
            for length in ["18446744073709551615", "99999999999999999999", "-1", "1, 2", "4294967296"] {
                let request = format!("{head}Content-Length: {length}\r\n\r\n{{}}");
                let mut stream = served.connect();
                stream.write_all(request.as_bytes()).unwrap();
                stream.shutdown(std::net::Shutdown::Write).unwrap();
                let status = read_head(&mut stream).status;
                assert!(is_refused(status), "{path}, length {length}: {status}");
            }
        }
    });
}

#[test]
fn where_one_request_ends_and_the_next_begins_is_beyond_doubt() {
    survives("smuggling", |served, _| {
        let inner = served.head("GET", "/app.js");
        let head = served.head("POST", "/").replace("Connection: close\r\n", "");
        let head = format!("{head}Content-Type: application/json\r\nX-Fanfold: 1\r\n");
        let chunk = "Transfer-Encoding: chunked\r\n";
        let length = format!("Content-Length: {}\r\n", inner.len() + 7);
        for request in [
            format!("{head}{length}{chunk}\r\n0\r\n\r\n{inner}\r\n"),
            format!("{head}{chunk}{length}\r\n0\r\n\r\n{inner}\r\n"),
            format!("{head}{chunk}\r\nZZZ\r\n{inner}\r\n"),
            format!("{head}{chunk}\r\nffffffffffffffff1\r\n{inner}\r\n"),
            format!("{head}{chunk}\r\n-1\r\n{inner}\r\n"),
            format!("{head}Transfer-Encoding: identity\r\n\r\n{inner}\r\n"),
            format!("{head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{inner}\r\n"),
            format!("{head}Content-Length: 0\r\nContent-Length: 5\r\n\r\n{inner}\r\n"),
            format!("{head} Content-Length: 5\r\n\r\n{inner}\r\n"),
        ] {
            let answer = served.send(request.as_bytes());
            assert!(is_refused(answer.status), "{request}: {answer:?}");
            assert!(!answer.body.contains("HTTP/1.1"), "two answers to {request}: {answer:?}");
        }
        let reading = format!("{}Content-Length: 3\r\n\r\nabc", served.head("GET", "/"));
        assert_eq!(served.send(reading.as_bytes()).status, 400);
    });
}

#[test]
fn what_is_no_http_is_closed() {
    survives("no HTTP", |served, _| {
        let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
        let settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        let nul = b"GET /\0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
        let bare = b"GET / HTTP/0.9\r\n\r\n";
        for bytes in [&hello[..], settings, nul, bare, b"\r\n\r\n\r\n", b"\0\0\0\0", &[0xff; 4096]] {
            let mut stream = served.connect();
            stream.write_all(bytes).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let status = read_head(&mut stream).status;
            assert!(is_refused(status) || status == 505, "{bytes:?}: {status}");
        }
    });
}

#[test]
fn who_says_nothing_keeps_nobody_waiting() {
    survives("300 half requests", |served, _| {
        let half = |_| {
            let mut stream = served.connect();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: 127").unwrap();
            stream
        };
        let mut halves: Vec<TcpStream> = (0..300).map(half).collect();
        assert_eq!(served.get("/").status, 200);
        // They are given up, long before the test's own patience ends.
        for stream in &mut halves {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
        }
    });
}

#[test]
fn who_takes_nothing_keeps_nobody_waiting() {
    survives("slow readers", |served, _| {
        let ask = format!("{}\r\n", served.head("GET", "/app.js").replace("Connection: close\r\n", ""));
        let greedy = |_| {
            let mut stream = served.connect();
            stream.set_nonblocking(true).unwrap();
            // Until the server takes no more, since its answers are not taken.
            for _ in 0..200 {
                if stream.write_all(ask.as_bytes()).is_err() {
                    break;
                }
            }
            stream
        };
        let all: Vec<TcpStream> = (0..50).map(greedy).collect();
        assert_eq!(served.get("/").status, 200);
        drop(all);
    });
}

#[test]
fn a_thousand_idle_streams_keep_nobody_waiting() {
    let Some((_, path)) = fanfold::__private::page_routes().find(|(_, path)| path.ends_with("/live")) else {
        panic!("there is no stream");
    };
    // A thousand sockets on either side.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let more = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, more).unwrap();
    survives("1 000 idle streams", |served, run| {
        let ask = format!("{}\r\n", served.head("GET", &path.replace("{id}", run)));
        let idle = |_| {
            let mut stream = served.connect();
            stream.write_all(ask.as_bytes()).unwrap();
            stream
        };
        let streams: Vec<TcpStream> = (0..1_000).map(idle).collect();
        let opened = |mut stream: &TcpStream| read_head(&mut stream).status == 200;
        let open = streams.iter().filter(|stream| opened(stream)).count();
        println!("page: {open} of 1 000 streams are open");
        assert!(open > 0);
        assert_eq!(served.get("/app.js").status, 200);
    });
}

/// What no parameter means, or more than any should.
const ODD: [&str; 16] = [
    "-1",
    "0",
    "1",
    "1e300",
    "-0.0",
    "NaN",
    "inf",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775808",
    "18446744073709551615-4294967295-18446744073709551615",
    "1-1-1",
    "%00",
    "%F0%9F%A6%80%5B%5D%5C",
    "last",
    "%ff",
];

/// How long an answer may be, but for a value.
const LONGEST_ANSWER: usize = 256 << 10;

#[test]
fn no_parameter_breaks_an_answer_or_makes_it_long() {
    survives("odd parameters", |served, run| {
        let document: serde_json::Value =
            serde_json::from_str(&served.get("/api/v1/openapi.json").body).unwrap();
        let mut asked = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            let Some(parameters) = methods["get"]["parameters"].as_array() else { continue };
            // A stream has no end.
            if path.ends_with("/live") {
                continue;
            }
            let (names, places): (Vec<_>, Vec<_>) = parameters
                .iter()
                .map(|parameter| (parameter["name"].as_str().unwrap(), &parameter["in"]))
                .partition(|(_, place)| *place == "query");
            let right = |path: &str| super::attacks::filled(path, run);
            let in_query =
                names.iter().flat_map(|(name, _)| ODD.map(|odd| format!("{}?{name}={odd}", right(path))));
            let in_path = places
                .iter()
                .flat_map(|(name, _)| ODD.map(|odd| right(&path.replace(&format!("{{{name}}}"), odd))));
            for target in in_query.chain(in_path) {
                let answer = served.get(&target);
                assert!(matches!(answer.status, 200 | 400 | 404), "{target}: {answer:?}");
                let bounded = answer.body.len() <= LONGEST_ANSWER || target.contains("/value/");
                assert!(bounded, "{target}: {} bytes", answer.body.len());
                asked += 1;
            }
        }
        assert!(asked > 500, "{asked}");
    });
}

#[test]
fn whatever_bytes_come_the_next_one_is_answered() {
    let seed = std::env::var("FANFOLD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("FANFOLD_SEED={seed}");
    survives("bytes at random", |served, run| {
        let mut random = fastrand::Rng::with_seed(seed);
        let routes: Vec<_> = fanfold::__private::page_routes().collect();
        for _ in 0..1_000 {
            let (method, path) = *random.choice(&routes).unwrap();
            let head = served.head(method, &super::attacks::filled(path, run));
            // Nothing that acts understands it.
            let body = r#"{"no such field": 1}"#;
            let mut request = format!(
                "{head}Content-Type: application/json\r\nX-Fanfold: 1\r\nContent-Length: {}\r\n\r\n{body}",
                if method == "POST" { body.len() } else { 0 }
            )
            .into_bytes();
            for _ in 0..random.usize(1..8) {
                if request.is_empty() {
                    break;
                }
                let at = random.usize(..request.len());
                match random.u8(..4) {
                    0 => request[at] = random.u8(..),
                    1 => request.insert(at, *random.choice(b"\r\n %/?&=:\0\xff[]{}").unwrap()),
                    2 => drop(request.remove(at)),
                    _ => request.truncate(at.max(1)),
                }
            }
            let mut stream = served.connect();
            // Who is refused early reads no further.
            let _ = stream.write_all(&request);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let status = read_head(&mut stream).status;
            assert!(status != 500, "{:?}", String::from_utf8_lossy(&request));
        }
    });
}

/// The addresses that act.
fn posts(run: &str) -> Vec<String> {
    let posts = fanfold::__private::page_routes().filter(|(method, _)| *method == "POST");
    posts.map(|(_, path)| path.replace("{id}", run).replace("{job}", "letters")).collect()
}
