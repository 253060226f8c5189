use super::*;
use crate::report::fixture::{self, failed, failing_letters, run_started, step, succeeded, yielded};
use crate::web::api::recording::Recording;
use axum::extract::Query;
use expect_test::expect;

fn params(text: &str) -> Params {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Params::of(Query(pairs), &PARAMS).unwrap()
}

fn ask(run: &OpenRun, text: &str) -> EventPage {
    told(run, &params(text), &|| true).unwrap()
}

fn refused(run: &OpenRun, text: &str) -> String {
    let refused = told(run, &params(text), &|| true).unwrap_err();
    format!("{} {} ({})", refused.status.as_u16(), refused.error, refused.help.unwrap_or_default())
}

fn lines(page: &EventPage) -> String {
    let line = |row: &EventRow| {
        let step = row.step.as_deref().unwrap_or("-");
        format!("{:5.3} {} {step}: {}", row.at, row.level.as_deref().unwrap_or(&row.kind), row.text)
    };
    fixture::framed(&page.events.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// A run of letters in some commits, with lines in between.
fn letters() -> Recording {
    let (shape, events) = failing_letters();
    let mut recording = Recording::new(&shape, |_| ());
    let compute = step(&shape, "compute_piece", None).node.0;
    recording.log((0, 0), 5, 4, "loading");
    for (number, events) in events.chunks(4).enumerate() {
        recording.tell(events.iter().cloned());
        recording.log((2, compute), 100 * number as u64, 2, "it is late").commit();
    }
    recording
}

#[test]
fn events_and_lines_come_by_time() {
    let run = letters().open();
    expect![[r#"
        --
        0.000 run_started -: the run began, with from=a to=z
        0.000 step_started load_pieces: attempt 1 began
        0.005 debug load_pieces: loading
        0.000 warn compute_piece[b]: it is late
        0.010 item_yielded load_pieces: gave a
        0.020 step_succeeded clean[a]: attempt 1 succeeded, took 5 ms
        0.030 step_started compute_piece[a]: attempt 1 began
        0.010 item_yielded load_pieces: gave b
        0.020 step_succeeded clean[b]: attempt 1 succeeded, took 5 ms
        0.030 step_started compute_piece[b]: attempt 1 began
        0.010 item_yielded load_pieces: gave c
        0.020 step_succeeded clean[c]: attempt 1 succeeded, took 5 ms
        0.030 step_started compute_piece[c]: attempt 1 began
        0.100 warn compute_piece[b]: it is late
        0.200 warn compute_piece[b]: it is late
        0.300 warn compute_piece[b]: it is late
        0.400 step_succeeded compute_piece[a]: attempt 1 succeeded, took 370 ms
        0.400 warn compute_piece[b]: it is late
        0.500 attempt_failed compute_piece[b]: attempt 1 failed, took 470 ms, again in 2.00 s
        api time out after 470 ms
        0.600 fan_out_closed load_pieces: gave 3 items in all
        0.600 step_succeeded load_pieces: attempt 1 succeeded, took 600 ms
        0.900 step_succeeded compute_piece[c]: attempt 1 succeeded, took 870 ms
        3.000 step_failed compute_piece[b]: attempt 3 failed, took 500 ms
        api time out after 500 ms
        3.000 step_not_run merge: upstream failed, as compute_piece[b] failed
        3.001 run_ended -: the run ended: failed"#]]
    .assert_eq(&lines(&ask(&run, "")));
}

#[test]
fn filters_are_applied_before_the_cut() {
    let run = letters().open();
    let texts = |query: &str| {
        ask(&run, query)
            .events
            .iter()
            .map(|row| row.text.lines().next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts("kind=run_started&limit=1"), ["the run began, with from=a to=z"]);
    assert_eq!(texts("kind=run_started,run_ended").len(), 2);
    assert_eq!(texts("kind=step_failed"), ["attempt 3 failed, took 500 ms"]);
    assert_eq!(texts("op=merge"), ["upstream failed, as compute_piece[b] failed"]);
    assert_eq!(texts("step=clean[a]"), ["attempt 1 succeeded, took 5 ms"]);
    assert_eq!(texts("step=compute_piece[b]&kind=attempt_failed").len(), 1);
    assert_eq!(texts("kind=log&limit=1"), ["it is late"]);
    assert_eq!(texts("level=debug").len(), 6);
    assert!(texts("level=warn").iter().all(|text| text == "it is late"));
    assert_eq!(texts("step=load_pieces&kind=log"), ["loading"]);
    assert_eq!(texts("kind=item_yielded&q=GAVE b"), ["gave b"]);
    assert_eq!(texts("q=time out").len(), 2);
    assert!(texts("q=nothing like this").is_empty());
}

#[test]
fn what_cannot_be_asked_is_refused_in_words() {
    let run = letters().open();
    expect![[r#"
        --
        400 the run has no op `merg` (did you mean `merge`?)
        400 the run has no op `completely_else` (it has load_pieces, clean, compute_piece, merge)
        400 `clean[` is not a step's name: write `op`, `op[key]` or `op[outer][inner]`, with `\` before `[`, `]` and `\` in a key (the table of steps has the names of all)
        404 run 7k2mabcd has no step `clean[nobody]` (the table of steps lists those of `clean`)
        404 run 7k2mabcd has no step `claen[a]` (did you mean `clean`?)
        400 `step` is of another op than `op` (leave one of the two out)
        400 there is no kind `step_filed` of events (the kinds are log, run_started, run_resumed, step_started, step_succeeded, attempt_failed, step_failed, step_reused, step_remade, step_not_run, item_yielded, fan_out_closed, item_moved, item_superseded, run_cancelling, run_ended)
        400 there is no level `loud` (the levels are error, warn, info, debug, trace)
        400 `limit` is `-1`, which is no whole number (write a whole number, such as `limit=50`)
        400 `before=1-2` is no place among the events (take it from `older` or `newer` of a page, or leave it out for the newest page)
        400 `after=0-0-0` is no place among the events (take it from `older` or `newer` of a page, or leave it out for the newest page)
        400 `before` and `after` are both given (ask for what came before a place, or for what came after it)
        400 `after=<script>` is no place among the events (take it from `older` or `newer` of a page, or leave it out for the newest page)"#]].assert_eq(&fixture::framed(
        &[
            "op=merg",
            "op=completely_else",
            "step=clean[",
            "step=clean[nobody]",
            "step=claen[a]",
            "step=clean[a]&op=merge",
            "kind=step_filed",
            "level=loud",
            "limit=-1",
            "before=1-2",
            "after=0-0-0",
            "before=1-0-0&after=1-0-0",
            "after=<script>",
        ]
        .map(|query| refused(&run, query))
        .join("\n"),
    ));
}

/// A run with many events and lines in many commits, not quite in the order of time.
fn random_run(random: &mut fastrand::Rng) -> Recording {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |_| ());
    recording.tell([run_started()]);
    let (mut item, mut at) = (0, 10);
    for _ in 0..random.u32(2..30) {
        for _ in 0..random.u32(0..12) {
            at += random.u64(0..3);
            let key = format!("k{item}");
            recording.tell([yielded(&shape, at, &key, item)]);
            item += 1;
            let clean = step(&shape, "clean", Some((&key, item - 1)));
            let (node, early) = (clean.node.0, at.saturating_sub(random.u64(0..3)));
            if random.bool() {
                recording.log((item, node), early, random.u8(1..=5), &format!("line of {key}"));
            }
            recording.tell([succeeded(clean, at, 1)]);
        }
        recording.commit();
    }
    recording
}

/// All pages on one way: their rows, oldest first, as text; each is asked with little time.
fn walk(run: &OpenRun, query: &str, way: &str, random: &mut fastrand::Rng) -> Vec<String> {
    let (mut rows, mut cursor) = (Vec::new(), (way == "after").then(|| "1-0-0".to_owned()));
    for _ in 0..10_000 {
        let place = cursor.as_ref().map(|cursor| format!("&{way}={cursor}")).unwrap_or_default();
        let asked = format!("limit={}&{query}{place}", random.u32(1..9));
        let left = std::cell::Cell::new(random.u32(0..4));
        let may_go_on = || left.replace(left.get().saturating_sub(1)) > 0;
        let page = told(run, &params(&asked), &may_go_on).unwrap();
        assert!((0.0..=1.0).contains(&page.looked_at), "{}", page.looked_at);
        let said = page.events.iter().map(|row| format!("{row:?}"));
        if way == "after" {
            rows.extend(said);
            if cursor.as_ref() == Some(&page.newer) {
                return rows;
            }
            cursor = Some(page.newer);
        } else {
            rows.splice(0..0, said);
            let Some(older) = page.older else { return rows };
            assert_ne!(cursor.as_ref(), Some(&older), "it came no further");
            cursor = Some(older);
        }
    }
    panic!("there is no end of pages");
}

#[test]
fn pages_on_either_way_have_everything_once() {
    let seed = std::env::var("FANFOLD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("FANFOLD_SEED={seed}");
    for round in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed + round);
        let run = random_run(&mut random).open();
        for query in ["", "q=k1", "kind=log", "op=clean", "kind=item_yielded,log&q=3", "level=warn", "q=none"]
        {
            let mut back = walk(&run, query, "before", &mut random);
            let mut forwards = walk(&run, query, "after", &mut random);
            let count = back.len();
            back.sort();
            forwards.sort();
            assert_eq!(back, forwards, "FANFOLD_SEED={seed}, round {round}, {query}");
            back.dedup();
            assert_eq!(back.len(), count, "FANFOLD_SEED={seed}, round {round}, {query}");
            if query.is_empty() {
                let lines = run.reader().store().logs("7k2mabcd", &LogFilter::default(), 0, 9_999).unwrap();
                let events = run.reader().batches(0).map(|batch| batch.unwrap().1.events.len());
                assert_eq!(count, lines.len() + events.sum::<usize>(), "FANFOLD_SEED={seed}, {round}");
            }
        }
    }
}

#[test]
fn a_page_leads_back_to_the_one_it_was_reached_from() {
    let run = letters().open();
    let newest = ask(&run, "limit=5");
    let older = ask(&run, &format!("limit=5&before={}", newest.older.as_ref().unwrap()));
    let back = ask(&run, &format!("limit=5&after={}", older.newer));
    assert_eq!(lines(&back), lines(&newest));
    assert!(ask(&run, &format!("after={}", newest.newer)).events.is_empty());
    assert_eq!(ask(&run, "limit=200").older, None);
}

#[test]
fn what_comes_later_is_after_the_newest_page() {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |_| ());
    recording.tell([run_started()]).commit();
    let newest = ask(&recording.open(), "");
    recording.tell([yielded(&shape, 7, "a", 0)]).log((0, 0), 6, 3, "more").commit();
    let more = ask(&recording.open(), &format!("after={}", newest.newer));
    expect![[r#"
        --
        0.006 info load_pieces: more
        0.007 item_yielded load_pieces: gave a"#]]
    .assert_eq(&lines(&more));
}

#[test]
fn a_search_says_how_far_it_came_and_goes_on() {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |_| ());
    recording.tell([run_started()]).commit();
    for item in 0..50 {
        recording.tell([yielded(&shape, u64::from(item) + 1, &format!("k{item}"), item)]).commit();
    }
    let run = recording.open();
    let (mut query, mut looked) = ("q=k0".to_owned(), vec![]);
    loop {
        let page = told(&run, &params(&query), &|| false).unwrap();
        looked.push(page.looked_at);
        if let Some(row) = page.events.first() {
            assert_eq!((&*row.text, looked.len()), ("gave k0", 50));
            break;
        }
        query = format!("q=k0&before={}", page.older.unwrap());
    }
    assert!(looked.is_sorted() && looked[0] < 0.1, "{looked:?}");
}

#[test]
fn hostile_texts_stay_as_they_are_and_are_cut_between_characters() {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |_| ());
    let key = "<b onload=x>\u{202e}[é]";
    recording.tell([run_started(), yielded(&shape, 1, key, 0)]);
    let compute = step(&shape, "compute_piece", Some((key, 0)));
    recording.log((1, compute.node.0), 2, 1, "</script>\u{1b}[2J\n\u{0}");
    recording.tell([failed(compute, 3, 1, &"é".repeat(100_000))]).commit();
    let run = recording.open();
    let page = ask(&run, "");
    let texts: Vec<_> = page.events.iter().map(|row| row.text.as_str()).collect();
    assert_eq!(texts[1..3], [&*format!("gave {key}"), "</script>\u{1b}[2J\n\u{0}"]);
    assert!(texts[3].ends_with("é…") && texts[3].len() < 17_000);
    assert_eq!(
        page.events[2].step.as_deref(),
        Some(r"compute_piece[<b onload=x>".to_owned() + "\u{202e}\\[é\\]]").as_deref()
    );
}

#[test]
fn a_page_of_long_lines_ends_before_it_is_too_long() {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |_| ());
    recording.tell([run_started()]);
    for at in 0..100 {
        recording.log((0, 0), at, 3, &"x".repeat(16_000));
    }
    let run = recording.commit().open();
    let page = ask(&run, "limit=200");
    assert!(serde_json::to_string(&page).unwrap().len() < 256 << 10);
    assert!(page.events.len() >= 10 && page.older.is_some() && page.looked_at == 1.0);
}
