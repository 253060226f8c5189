//! Where the secret is, and where it must never be.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::served::{Served, jobs, record};

#[test]
fn the_printed_address_opens_the_page_and_is_clean_afterwards() {
    let home = tempfile::tempdir().unwrap();
    let run = record(home.path());
    let served = Served::start(home.path(), &[]);
    assert_eq!(served.secret.len(), 32, "128 bits");
    let Served { port, secret, .. } = &served;
    let plain = |target: &str, more: &str| {
        served.send(
            format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{more}\r\n")
                .as_bytes(),
        )
    };
    let locked = plain("/", "");
    assert_eq!(locked.status, 401);
    assert!(locked.body.contains("<h1>") && locked.body.contains("?secret="), "{locked:?}");
    let locked = plain("/api/v1/runs", "");
    assert!(locked.status == 401 && locked.header("content-type") == "application/json", "{locked:?}");

    let opened = plain(&format!("/runs/{run}?view=timeline&secret={secret}"), "Sec-Fetch-Site: none\r\n");
    assert_eq!((opened.status, opened.header("location")), (303, &*format!("/runs/{run}?view=timeline")));
    let cookie = opened.header("set-cookie");
    for word in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let (pair, _) = cookie.split_once(';').unwrap();
    assert!(pair.starts_with(&format!("fanfold-{port}=")), "{pair}");
    let page = plain("/", &format!("Cookie: a=b; {pair}\r\n"));
    assert_eq!(page.status, 200);
    for answer in [&locked, &opened, &page] {
        assert!(!format!("{answer:?}").contains(secret.as_str()), "{answer:?}");
    }
    assert!(!page.body.contains(pair.split_once('=').unwrap().1), "the page holds the cookie");
}

#[test]
fn the_secret_is_in_no_log_no_file_and_no_command_line() {
    let home = tempfile::tempdir().unwrap();
    let run = record(home.path());
    let served = Served::start(home.path(), &[]);
    let secret = served.secret.clone();
    for target in ["/", &format!("/runs/{run}"), "/nowhere", &format!("/?secret={secret}"), "/?secret=wrong"]
    {
        served.get(target);
    }
    #[cfg(target_os = "linux")]
    {
        let words = fs::read(format!("/proc/{}/cmdline", served.child.id())).unwrap();
        assert!(!String::from_utf8_lossy(&words).contains(&secret));
    }
    let (code, out, err) = served.end();
    assert_eq!(code, Some(0));
    assert!(!out.contains(&secret) && !err.contains(&secret), "{out}{err}");
    assert!(!holds(home.path(), &secret), "the secret is in a file");
}

#[test]
fn the_browser_is_led_by_a_file_that_nobody_else_reads() {
    let home = tempfile::tempdir().unwrap();
    // A browser that writes down what it was told to open.
    let opener = home.path().join("xdg-open");
    fs::write(
        &opener,
        "#!/bin/sh\nstat -c %a \"$1\" > mode\nprintf %s \"$*\" > words.part\nmv words.part words\n",
    )
    .unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", home.path().display(), std::env::var("PATH").unwrap());
    let mut command = jobs(home.path(), &["ui", "--port", "0", "--open"]);
    command.env("PATH", path);
    let served = Served::of(command);
    let words = loop {
        if let Ok(words) = fs::read_to_string(home.path().join("words")) {
            break words;
        }
        std::thread::yield_now();
    };
    assert!(!words.contains(&served.secret), "{words}");
    assert_eq!(fs::read_to_string(home.path().join("mode")).unwrap().trim(), "600");
    assert!(fs::read_to_string(&words).unwrap().contains(&served.secret));
    // A file is another site to the browser: it is led on by a page of ours, which may send the cookie.
    let Served { port, secret, .. } = &served;
    let answer = served.send(
        format!(
            "GET /?secret={secret} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nSec-Fetch-Site: cross-site\r\n\
             Connection: close\r\n\r\n"
        )
        .as_bytes(),
    );
    assert!(answer.status == 200 && answer.body.contains("url=/\""), "{answer:?}");
    assert!(!answer.body.contains(secret.as_str()));
    served.end();
    assert!(!Path::new(&words).exists(), "the file is left behind");
}

#[test]
fn a_token_that_somebody_chose_is_printed_nowhere() {
    let home = tempfile::tempdir().unwrap();
    let token = "correct-horse-battery-staple";
    fs::write(home.path().join("token"), format!("{token}\n")).unwrap();
    let mut served = Served::start(home.path(), &["--token-file", "token"]);
    assert_eq!(served.secret, "");
    served.secret = token.to_owned();
    assert_eq!(served.get("/").status, 200);
    let (_, out, err) = served.end();
    assert!(!out.contains(token) && !err.contains(token), "{out}{err}");
    assert!(err.contains("it asks for the token"), "{err}");

    let refused = |words: &[&str], variable: &str| {
        let words = [&["ui", "--port", "0"], words].concat();
        let output = jobs(home.path(), &words).env("FANFOLD_UI_TOKEN", variable).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&[], "short").contains("5 bytes"));
    assert!(refused(&["--token-file", "nowhere"], token).contains("cannot read nowhere"));
    let output = jobs(home.path(), &["ui", "--host", "127.0.0.1"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("--token-file"), "{said}");
}

#[test]
fn a_page_for_others_is_called_by_the_name_it_was_given() {
    let home = tempfile::tempdir().unwrap();
    let token = "correct-horse-battery-staple";
    let mut start = jobs(home.path(), &["ui", "--port", "0", "--host", "https://runs.example.org"]);
    start.env("FANFOLD_UI_TOKEN", token);
    let mut child =
        start.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let port = listening_port(child.id());
    let served = Served::at(child.stdout.take().unwrap(), child, port, token);
    let answer = |host: &str, origin: &str| {
        served
            .send(
                format!(
                    "GET /?secret={token} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"
                )
                .as_bytes(),
            )
    };
    let ours = answer("runs.example.org", "https://runs.example.org");
    assert!(ours.status == 303 && ours.header("set-cookie").ends_with("; Secure"), "{ours:?}");
    assert_eq!(answer(&format!("127.0.0.1:{port}"), "https://runs.example.org").status, 421);
    assert_eq!(answer("runs.example.org", "http://runs.example.org").status, 403);
}

#[test]
fn others_are_let_in_with_a_token_that_somebody_chose_alone_and_are_told_of_tls() {
    let home = tempfile::tempdir().unwrap();
    for host in ["0.0.0.0", "::", "127.0.0.1", "https://runs.example.org"] {
        let output = jobs(home.path(), &["ui", "--port", "0", "--host", host]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains("needs a token"), "{host}: {said}");
    }
    let mut open = jobs(home.path(), &["ui", "--port", "0", "--host", "127.0.0.1"]);
    open.env("FANFOLD_UI_TOKEN", "correct-horse-battery-staple");
    let (_, _, told) = Served::of(open).end();
    assert!(told.contains("there is no TLS"), "{told}");
}

/// The port that a process listens at.
fn listening_port(process: u32) -> u16 {
    loop {
        let sockets: Vec<_> = fs::read_dir(format!("/proc/{process}/fd"))
            .into_iter()
            .flatten()
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .filter_map(|to| Some(to.to_str()?.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
            .collect();
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        let port = table.lines().skip(1).find_map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let listens = words.get(3) == Some(&"0A") && sockets.iter().any(|socket| socket == words[9]);
            listens.then(|| u16::from_str_radix(words[1].split_once(':')?.1, 16).ok()).flatten()
        });
        if let Some(port) = port {
            return port;
        }
        std::thread::yield_now();
    }
}

/// Whether any file of a folder has a text.
fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, text);
        }
        let bytes = fs::read(path).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}
