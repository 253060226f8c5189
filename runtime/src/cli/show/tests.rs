use super::*;
use crate::cli::fixture::{Ends, shelf};
use crate::report::fixture::{framed, millis};
use expect_test::{Expect, expect};

fn check(ends: Ends, expected: &Expect, text: impl Fn(&View<'_>) -> String) {
    let (store, _drives) = shelf(&[("7k2mabcd", ends)]);
    let reader = Reader::open(Arc::clone(&store), "7k2mabcd").unwrap();
    let summary = reader.summary().unwrap();
    let now = reader.row().started + millis(84_000);
    let again = &Again::at("letters", &StoreFlags { store: None }, &store);
    let (zone, paint) = (TimeZone::UTC, Paint::PLAIN);
    let view = View { reader: &reader, summary: &summary, again, now, zone, paint };
    // When a store in memory took a commit is the time of day.
    let process = format!("process {}", std::process::id());
    let text = text(&view).replace(&process, "process 7");
    let took = took(reader.row(), now);
    expected.assert_eq(&framed(&if ends == Ends::Not { text } else { text.replace(&took, "TIME") }));
}

#[test]
fn a_failed_run_says_what_failed_and_what_may_be_done() {
    check(
        Ends::Failed,
        &expect![[r#"
            --
               letters 7k2mabcd  failed
               started   2027-01-15 08:00:00, took TIME
               with      from=a to=z

               op               succeeded  failed  not run  retries   total     p50     p95     max
               load_pieces              1       -        -        -  600 ms       -       -       -
                 clean                  3       -        -        -   15 ms    5 ms    5 ms    5 ms
                 compute_piece          2       1        -        1  2.21 s  474 ms  870 ms  870 ms
               merge                    -       -        1        -       -       -       -       -

               errors
                    1 × api time out after 500 ms
                        compute_piece[b]

               slowest: compute_piece[c] 870 ms · load_pieces 600 ms · compute_piece[b] 500 ms · compute_piece[a] 370 ms · clean[a] 5 ms
               time: 2.83 s working, 2.00 s waiting to retry
               6 succeeded, 1 failed, 1 upstream failed
               resume:  letters resume 7k2m          inspect:  letters show 7k2m --failures
        "#]],
        text,
    );
}

#[test]
fn a_run_that_goes_on_says_how_far_it_is() {
    check(
        Ends::Not,
        &expect![[r#"
            --
               letters 7k2mabcd  running
               started   2027-01-15 08:00:00, 1m 24s ago
               driven    by taking 1 in process 7
               with      from=a to=z

               op               succeeded  failed  not run  retries   total     p50     p95     max
               load_pieces              -       -        -        -       -       -       -       -
                 clean                  3       -        -        -   15 ms    5 ms    5 ms    5 ms
                 compute_piece          1       -        -        1  840 ms  373 ms  470 ms  470 ms
               merge                    -       -        -        -       -       -       -       -
               time: 855 ms working, 2.00 s waiting to retry
               00:01:24  4/≥8 steps  3/min  2 running
               stop:  letters cancel 7k2m
        "#]],
        text,
    );
}

#[test]
fn a_run_whose_process_died_can_be_resumed() {
    check(
        Ends::Lost,
        &expect![[r#"
            --
               letters 7k2mabcd  interrupted
               started   2027-01-15 08:00:00, and last heard of after TIME
               with      from=a to=z

               op               succeeded  failed  not run  retries   total     p50     p95     max
               load_pieces              -       -        -        -       -       -       -       -
                 clean                  3       -        -        -   15 ms    5 ms    5 ms    5 ms
                 compute_piece          1       -        -        1  840 ms  373 ms  470 ms  470 ms
               merge                    -       -        -        -       -       -       -       -
               time: 855 ms working, 2.00 s waiting to retry
               4 succeeded, 4 waiting
               resume:  letters resume 7k2m
        "#]],
        text,
    );
}

#[test]
fn failures_are_shown_in_full() {
    check(
        Ends::Failed,
        &expect![[r#"
            --
               letters 7k2mabcd  failed
               started   2027-01-15 08:00:00, took TIME
               with      from=a to=z

               1 × compute_piece
                 first  compute_piece[b], after 3 attempts, at 3.00 s
                   api time out after 500 ms
                 all of them:  letters show 7k2m --steps --state failed --op compute_piece

        "#]],
        failures::text,
    );
}

#[test]
fn a_step_shows_its_attempts_and_errors() {
    let shown = |name: &'static str| {
        move |view: &View<'_>| step::text(view, name).unwrap_or_else(|error| error.to_string())
    };
    check(
        Ends::Failed,
        &expect![[r#"
            --
               compute_piece[b]  failed
               of run 7k2mabcd of job letters
               00:00:00  attempt 1 failed, took 470 ms, again in 2.00 s
                         api time out after 470 ms
               00:00:03  attempt 3 failed, took 500 ms
                         api time out after 500 ms
        "#]],
        shown("compute_piece[b]"),
    );
    check(
        Ends::Failed,
        &expect![[r#"
            --
               merge  upstream failed, as compute_piece[b] failed
               of run 7k2mabcd of job letters
               00:00:03  upstream failed
        "#]],
        shown("merge"),
    );
    check(
        Ends::Failed,
        &expect![[r#"
            --
            run 7k2mabcd has no step `clean[z]`: `letters show 7k2m --steps --op clean` lists those of `clean`"#]],
        shown("clean[z]"),
    );
    check(
        Ends::Failed,
        &expect![[r#"
        --
        run 7k2mabcd has no step `cleam[a]`: did you mean `clean`?"#]],
        shown("cleam[a]"),
    );
    check(
        Ends::Failed,
        &expect![[r#"
        --
        `clean[a` is not a step's name: write `op`, `op[key]` or `op[outer][inner]`, with `\` before `[`, `]` and `\` in a key"#]],
        shown("clean[a"),
    );
}

#[test]
fn steps_are_listed_a_page_at_a_time() {
    use clap::FromArgMatches as _;
    let list = |words: &'static [&'static str]| {
        move |view: &View<'_>| {
            let command = steps::ListFlags::augment_args(clap::Command::new("show"));
            let matches = command.try_get_matches_from([&["show", "--steps"], words].concat()).unwrap();
            let flags = steps::ListFlags::from_arg_matches(&matches).unwrap();
            steps::list(view, &flags, false).unwrap_or_else(|error| error.to_string())
        }
    };
    check(
        Ends::Failed,
        &expect![[r#"
        --
        ended     state            took    step
        00:00:00  succeeded        5 ms    clean[a]
        00:00:00  succeeded        5 ms    clean[b]
        00:00:00  succeeded        5 ms    clean[c]
        00:00:00  succeeded        370 ms  compute_piece[a]
        00:00:00  succeeded        600 ms  load_pieces
        00:00:00  succeeded        870 ms  compute_piece[c]
        00:00:03  failed           500 ms  compute_piece[b]  attempt 3, api time out after 500 ms
        00:00:03  upstream failed  -       merge             as compute_piece[b] failed
    "#]],
        list(&[]),
    );
    check(
        Ends::Failed,
        &expect![[r#"
        --
        ended     state      took    step
        00:00:00  succeeded  600 ms  load_pieces
        00:00:00  succeeded  870 ms  compute_piece[c]
        … and more: --page 4
    "#]],
        list(&["--limit", "2", "--page", "3"]),
    );
    check(
        Ends::Failed,
        &expect![[r#"
        --
        ended     state      took    step
        00:00:00  succeeded  5 ms    clean[b]
        00:00:03  failed     500 ms  compute_piece[b]  attempt 3, api time out after 500 ms
    "#]],
        list(&["--key", "b"]),
    );
    check(
        Ends::Failed,
        &expect![[r#"
        --
        no such steps
    "#]],
        list(&["--op", "clean", "--state", "failed"]),
    );
    check(
        Ends::Failed,
        &expect![[r#"
        --
        unknown op `claen`: did you mean `clean`?"#]],
        list(&["--op", "claen"]),
    );
    check(
        Ends::Not,
        &expect![[r#"
        --
        began     step
        00:00:00  load_pieces
        00:00:00  compute_piece[c]
    "#]],
        list(&["--state", "running"]),
    );
}

#[test]
fn all_of_it_is_json_too() {
    check(Ends::Failed, &expect!["--\ntrue"], |view| {
        let document: serde_json::Value = serde_json::from_str(&json(view)).unwrap();
        let step: serde_json::Value = serde_json::from_str(&step::json(view, "clean[a]").unwrap()).unwrap();
        assert_eq!((&step["state"], &step["turns"][0]["attempt"]), (&"succeeded".into(), &1.into()));
        assert_eq!(document["ops"][2]["steps"]["failed"], 1);
        assert_eq!(document["failures"][0]["steps"][0], "compute_piece[b]");
        (document["state"] == "failed").to_string()
    });
}

#[cfg(feature = "ui")]
#[test]
fn a_step_that_waits_says_for_what() {
    check(
        Ends::Not,
        &expect![[r#"
            --
               merge  waiting
               of run 7k2mabcd of job letters
               waits for 2 of ≥ 3 steps of compute_piece, and for load_pieces
        "#]],
        |view| step::text(view, "merge").unwrap(),
    );
    check(
        Ends::Lost,
        &expect![[r#"
            --
               merge  waiting
               of run 7k2mabcd of job letters
               nobody drives the run: `letters resume 7k2m` lets it go on
        "#]],
        |view| step::text(view, "merge").unwrap(),
    );
}
