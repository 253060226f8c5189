//! Where the page is served, beside what, and for how long.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use super::served::{Served, jobs, record};

#[test]
fn a_port_that_is_taken_is_told() {
    let home = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    let output = jobs(home.path(), &["ui", "--port", &port]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(&format!("port {port} is taken")) && said.contains("leave `--port` out"), "{said}");
}

#[test]
fn without_a_port_the_next_free_one_is_taken_and_told() {
    let home = tempfile::tempdir().unwrap();
    // Whoever has the usual port keeps it: the page, this test or a stranger.
    let usual = TcpListener::bind("127.0.0.1:3000");
    let served = Served::of(jobs(home.path(), &["ui"]));
    assert!((3001..=3020).contains(&served.port), "{}", served.port);
    let port = served.port;
    let (_, _, err) = served.end();
    assert!(err.contains(&format!("port 3000 is taken: serving at port {port}")), "{err}");
    drop(usual);
}

#[test]
fn two_pages_on_one_store_are_both_right() {
    let home = tempfile::tempdir().unwrap();
    let first = Served::start(home.path(), &[]);
    let run = record(home.path());
    let second = Served::start(home.path(), &[]);
    assert_ne!((first.port, &first.secret), (second.port, &second.secret));
    for served in [&first, &second] {
        assert_eq!(served.get("/").status, 200);
        assert_eq!(served.get(&format!("/runs/{run}")).status, 200);
        let runs = served.get("/api/v1/runs");
        assert!(runs.status == 200 && runs.body.contains(&run), "{runs:?}");
    }
    // The secret of one opens no other.
    let mut stranger = second.head("GET", "/");
    stranger = stranger.replace(&second.secret, &first.secret);
    assert_eq!(second.send(format!("{stranger}\r\n").as_bytes()).status, 401);
}

#[test]
fn a_page_without_a_store_makes_none_and_reads_it_when_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("later");
    let mut command = jobs(folder.path(), &["ui", "--port", "0"]);
    command.env("FANFOLD_HOME", &home);
    let served = Served::of(command);
    let empty = served.get("/api/v1/runs");
    assert!(empty.status == 200 && empty.body.contains(r#""runs":[]"#), "{empty:?}");
    assert!(!home.exists(), "looking made a store");
    std::fs::create_dir(&home).unwrap();
    let run = record(&home);
    assert!(served.get("/api/v1/runs").body.contains(&run));
    // A store that was thrown away and made anew is another one.
    std::fs::remove_dir_all(&home).unwrap();
    std::fs::create_dir(&home).unwrap();
    let other = record(&home);
    let runs = served.get("/api/v1/runs").body;
    assert!(runs.contains(&other) && !runs.contains(&run), "{runs}");
    let (code, _, err) = served.end();
    assert!(code == Some(0) && err.contains("there is no store yet"), "{err}");
}

#[test]
fn a_page_is_served_though_nobody_reads_what_it_prints() {
    let home = tempfile::tempdir().unwrap();
    let (gone, stdout) = std::io::pipe().unwrap();
    drop(gone);
    let mut command = jobs(home.path(), &["ui", "--port", "0"]);
    let mut child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut address = String::new();
    stderr.read_line(&mut address).unwrap();
    let (origin, secret) = address.trim().split_once("/?secret=").unwrap();
    let port = origin.rsplit(':').next().unwrap().parse().unwrap();
    // From here on its other pipe has no reader either.
    drop(stderr);
    let served = Served::at(std::io::empty(), child, port, secret);
    assert_eq!(served.get("/").status, 200);
}

#[test]
fn an_address_that_is_no_store_is_refused() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("notes.txt"), "these are notes").unwrap();
    for address in ["memory", "runs.db", "sqlite:notes.txt"] {
        let output = jobs(home.path(), &["ui", "--port", "0", "--store", address]).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{address}: {output:?}");
    }
}

#[test]
fn a_run_with_its_page_gives_its_value_and_serves_until_it_is_asked_to_end() {
    let home = tempfile::tempdir().unwrap();
    let mut command = jobs(home.path(), &["run", "letters", "--to", "c", "--ui"]);
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut value = String::new();
    BufReader::new(run.stdout.as_mut().unwrap()).read_line(&mut value).unwrap();
    assert_eq!(value, "ABC\n");
    let mut told = BufReader::new(run.stderr.take().unwrap()).lines().map(Result::unwrap);
    let page = told.find(|line| line.contains("Page http://127.0.0.1:")).unwrap();
    told.find(|line| line.contains("until Ctrl-C")).unwrap();
    let (origin, rest) = page.split_once("/runs/").unwrap();
    let (id, secret) = rest.split_once("?secret=").unwrap();
    let port = origin.rsplit_once(':').unwrap().1.parse().unwrap();
    let served = Served::at(run.stdout.take().unwrap(), run, port, secret);
    assert_eq!(served.get(&format!("/runs/{id}")).status, 200);
    // The run is over: another process may have it.
    let again = jobs(home.path(), &["rerun", id, "--quiet"]).output().unwrap();
    assert!(again.status.success(), "{again:?}");
    let pid = rustix::process::Pid::from_child(&served.child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let mut served = served;
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_run_whose_value_nobody_reads_keeps_its_page() {
    let home = tempfile::tempdir().unwrap();
    let (gone, stdout) = std::io::pipe().unwrap();
    drop(gone);
    let mut command = jobs(home.path(), &["run", "letters", "--to", "c", "--ui"]);
    let mut run = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(run.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(told.any(|line| line.contains("until Ctrl-C")));
    let pid = rustix::process::Pid::from_child(&run);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0));
}
