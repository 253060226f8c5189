//! Server-sent events, as a browser reads them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::served::Served;

/// A stream that is open.
pub(crate) struct Stream(BufReader<TcpStream>);

impl Stream {
    /// That of a run.
    pub(crate) fn open(page: &Served, run: &str, query: &str) -> Self {
        Self::with(page, &format!("/api/v1/runs/{run}/live{query}"), "")
    }

    /// That of an address, asked for with these headers.
    pub(crate) fn with(page: &Served, target: &str, headers: &str) -> Self {
        let mut stream = page.connect();
        stream.write_all(format!("{}{headers}\r\n", page.head("GET", target)).as_bytes()).unwrap();
        let mut stream = Self(BufReader::new(stream));
        let status = stream.line().unwrap();
        assert!(status.contains(" 200 "), "{status}");
        while stream.line().is_some_and(|line| !line.is_empty()) {}
        stream
    }

    /// The next event and its data; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<(String, String)> {
        let (mut event, mut data) = (String::new(), String::new());
        loop {
            let line = self.line()?;
            if let Some(name) = line.strip_prefix("event: ") {
                event = name.to_owned();
            } else if let Some(text) = line.strip_prefix("data: ") {
                data = text.to_owned();
            } else if line.is_empty() && !event.is_empty() {
                return Some((event, data));
            }
        }
    }

    /// The data of the next event of a name.
    pub(crate) fn until(&mut self, name: &str) -> Value {
        loop {
            let (event, data) = self.next().unwrap_or_else(|| panic!("it ended before `{name}`"));
            if event == name {
                return serde_json::from_str(&data).unwrap();
            }
        }
    }

    /// The next state that is so.
    pub(crate) fn state(&mut self, is_so: impl Fn(&Value) -> bool) -> Value {
        loop {
            let state = self.until("state");
            if is_so(&state) {
                return state;
            }
        }
    }

    /// A line; those that say how long a chunk is do no harm.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}
