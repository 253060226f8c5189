//! The binary's face, as whole transcripts: what stands on stdout and on stderr, and the exit code.
//!
//! Times and run ids are blanked. Progress is plain, since stderr is no terminal here; what is drawn
//! on one is tested beside the code that draws it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use expect_test::{Expect, expect};

fn jobs(words: &[&str]) -> Command {
    program(env!("CARGO_BIN_EXE_jobs"), words)
}

fn program(path: &str, words: &[&str]) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FANFOLD_")) {
        command.env_remove(name);
    }
    // No steady lines: whether one is due depends on how busy the machine is.
    command.args(words).env("FANFOLD_PROGRESS", "none");
    command.env("FANFOLD_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cli"));
    command.env("LC_ALL", "C.UTF-8").env("COLUMNS", "100").env("NO_COLOR", "1");
    command
}

/// Runs a command and compares what it wrote.
fn check(mut command: Command, expected: &Expect) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let stderr: String = stderr.lines().map(|line| format!("! {}\n", redact(line))).collect();
    let code = output.status.code().map_or("none".to_owned(), |code| code.to_string());
    assert!(
        !stderr.chars().chain(stdout.chars()).any(|c| c.is_control() && c != '\n'),
        "control characters in {stdout}{stderr}"
    );
    expected.assert_eq(&format!("{stdout}{stderr}exit {code}\n"));
}

fn transcript(words: &[&str], expected: &Expect) {
    check(jobs(words), expected);
}

/// A line without what differs from run to run: run ids, times, and the spaces that times move.
fn redact(line: &str) -> String {
    if line.trim_start().starts_with("slowest:") || line.trim_start().starts_with("time:") {
        return line.split_inclusive(':').next().unwrap_or_default().to_owned() + " …";
    }
    let indent = line.len() - line.trim_start().len();
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        let number = word.trim_end_matches([':', 's', ']', ',']);
        let unit = matches!(word.trim_end_matches([':', ',']), "ns" | "µs" | "ms" | "s");
        if unit && kept.last().is_some_and(|last| last.parse::<f64>().is_ok()) {
            let end = word.trim_start_matches(char::is_alphabetic);
            *kept.last_mut().unwrap() = format!("TIME{end}");
        } else if kept.last().is_some_and(|last| last == "[") && number.parse::<f64>().is_ok() {
            *kept.last_mut().unwrap() = "[TIME]".to_owned();
        } else if is_after_job(&kept) || is_after_command(&kept) {
            kept.push("RUN".to_owned());
        } else {
            kept.push(word.to_owned());
        }
    }
    format!("{}{}", &line[..indent], kept.join(" "))
}

/// `Failed letters RUN`.
fn is_after_job(kept: &[String]) -> bool {
    kept.len() == 2 && matches!(&*kept[0], "Running" | "Succeeded" | "Failed" | "Cancelled")
}

/// `jobs resume RUN`.
fn is_after_command(kept: &[String]) -> bool {
    matches!(kept, [.., program, command] if program == "jobs" && matches!(&**command, "resume" | "show"))
}

#[test]
fn list_shows_jobs_and_their_arguments() {
    transcript(
        &["list"],
        &expect![[r#"
            bad_keys   Gives a key that no step can have.
                       --kind <String>
            blocking   Holds every thread of tokio's, and yields none.
            deaf       Ends not even then.
            failing    Fails for every second item.
                       [--n <u64>]
            folding    Doubles and adds any number of numbers, holding none.
                       [--n <u64>]
            forms      Takes an argument of every form.
                       --small <u8> [--long-one] [--volume <Volume>] [--words <String>]… [--pause <Duration>] FANFOLD_ARG_TOKEN=…
            hostile    Keys and errors that would like to own the terminal.
            letters    Upper-cases a range of letters.
                       [--from <char>] [--to <char>]
            many       Doubles many numbers, in a pool.
                       [--n <u64>]
            panicking  Panics in each step.
                       [--n <u64>]
            several    Gives several values, one of them skipped.
                       [--n <u64>]
            shapes     Has a fan-out of every shape, and a name that would like to be markup.
                       [--n <u64>]
            stuck      Takes a resource that is never built.
            waiting    Ends only when it is asked to.
            exit 0
        "#]],
    );
}

#[test]
fn a_run_gives_its_value_on_stdout() {
    transcript(
        &["run", "letters", "--to", "e"],
        &expect![[r#"
        ABCDE
        !    op succeeded failed not run retries total p50 p95 max
        !    load 1 - - - TIME - - -
        !      upper 5 - - - TIME TIME TIME TIME
        !    concat 1 - - - TIME - - -
        ! 
        !    slowest: …
        !  Succeeded letters RUN in TIME: 7 succeeded
        exit 0
    "#]],
    );
    transcript(
        &["run", "letters", "--to", "e", "--quiet"],
        &expect![[r#"
        ABCDE
        exit 0
    "#]],
    );
}

#[test]
fn a_value_that_is_no_text_is_json_in_its_own_order() {
    let mut command = jobs(&["run", "forms", "-q", "--small", "7", "--words", "a", "--words", "b"]);
    command.args(["--volume", "loud", "--long-one", "--pause", "500ms"]).env("FANFOLD_ARG_TOKEN", "x");
    check(
        command,
        &expect![[r#"
        {
          "zebra": 7,
          "words": [
            "a-Loud-true-Some(500ms)",
            "b-Loud-true-Some(500ms)"
          ],
          "token": true,
          "empty": []
        }
        exit 0
    "#]],
    );
}

#[test]
fn a_failed_run_groups_its_errors() {
    transcript(
        &["run", "failing", "--max-concurrent", "1"],
        &expect![[r#"
            !       FAIL [TIME] odd_fails[1] attempt 2/2: item 1 is odd
            !            … 1 more like odd_fails[1]
            !    op succeeded failed not run retries total p50 p95 max
            !    count 1 - - - TIME - - -
            !      odd_fails 3 2 - 2 TIME TIME TIME TIME
            !    sum - - 1 - - - - -
            ! 
            !    errors
            !         2 × item … is odd
            !             odd_fails[1], odd_fails[3]
            ! 
            !    slowest: …
            !    time: …
            !     Failed failing RUN in TIME: 4 succeeded, 2 failed, 1 upstream failed
            !    resume: jobs resume RUN inspect: jobs show RUN --failures
            exit 1
        "#]],
    );
    transcript(
        &["run", "failing", "--max-concurrent", "1", "-q"],
        &expect![[r#"
        !       FAIL [TIME] odd_fails[1] attempt 2/2: item 1 is odd
        !            … 1 more like odd_fails[1]
        !     Failed failing RUN in TIME: 4 succeeded, 2 failed, 1 upstream failed
        exit 1
    "#]],
    );
    transcript(
        &["run", "failing", "--max-concurrent", "1", "--progress", "lines", "-vvv"],
        &expect![[r#"
            !    Running failing RUN n=5
            !       PASS [TIME] count
            !       PASS [TIME] odd_fails[0]
            !      RETRY [TIME] odd_fails[1] attempt 1/2, again in TIME: item 1 is odd
            !       PASS [TIME] odd_fails[2]
            !      RETRY [TIME] odd_fails[3] attempt 1/2, again in TIME: item 3 is odd
            !       PASS [TIME] odd_fails[4]
            !       FAIL [TIME] odd_fails[1] attempt 2/2: item 1 is odd
            !       FAIL [TIME] odd_fails[3] attempt 2/2: item 3 is odd
            !    NOT RUN sum upstream failed: odd_fails[1]
            !    op succeeded failed not run retries total p50 p95 max
            !    count 1 - - - TIME - - -
            !      odd_fails 3 2 - 2 TIME TIME TIME TIME
            !    sum - - 1 - - - - -
            ! 
            !    errors
            !         2 × item … is odd
            !             odd_fails[1], odd_fails[3]
            ! 
            !    slowest: …
            !    time: …
            !     Failed failing RUN in TIME: 4 succeeded, 2 failed, 1 upstream failed
            !    resume: jobs resume RUN inspect: jobs show RUN --failures
            exit 1
        "#]],
    );
}

#[test]
fn hostile_keys_and_errors_are_inert() {
    transcript(
        &["run", "hostile", "--max-concurrent", "1"],
        &expect![[r#"
            !       FAIL [TIME] refuse[a\u{202e}b]: \u{1b}[2Ja\u{202e}b
            !            second line\u{7}
            !       FAIL [TIME] refuse[\[0\]\[1\]]: \u{1b}[2J[0][1]
            !            second line\u{7}
            !       FAIL [TIME] refuse[<script>]: \u{1b}[2J<script>
            !            second line\u{7}
            !       FAIL [TIME] refuse[';--]: \u{1b}[2J';--
            !            second line\u{7}
            !       FAIL [TIME] refuse[..]: \u{1b}[2J..
            !            second line\u{7}
            !       FAIL [TIME] refuse[é]: \u{1b}[2Jé
            !            second line\u{7}
            !    op succeeded failed not run retries total p50 p95 max
            !    hostile_keys 1 - - - TIME - - -
            !      refuse - 6 - - TIME TIME TIME TIME
            ! 
            !    errors
            !         1 × \u{1b}[2Ja\u{202e}b
            !             refuse[a\u{202e}b]
            !         1 × \u{1b}[2J[0][1]
            !             refuse[\[0\]\[1\]]
            !         1 × \u{1b}[2J<script>
            !             refuse[<script>]
            !         1 × \u{1b}[2J';--
            !             refuse[';--]
            !         1 × \u{1b}[2J..
            !             refuse[..]
            !         1 × \u{1b}[2Jé
            !             refuse[é]
            ! 
            !    slowest: …
            !     Failed hostile RUN in TIME: 1 succeeded, 6 failed
            !    resume: jobs resume RUN inspect: jobs show RUN --failures
            exit 1
        "#]],
    );
}

#[test]
fn wrong_names_get_the_nearest() {
    transcript(
        &["run", "leters"],
        &expect![[r#"
        ! error: unknown job `leters`: did you mean `letters`?
        exit 2
    "#]],
    );
    transcript(
        &["graph", "nothing-like-it"],
        &expect![[r#"
            ! error: unknown job `nothing-like-it`: there is `bad_keys`, `blocking`, `deaf`, `failing`, `folding`, `forms`, `hostile`, `letters`, `many`, `panicking`, `several`, `shapes`, `stuck`, `waiting`
            exit 2
        "#]],
    );
    transcript(
        &["rum", "letters"],
        &expect![[r#"
            ! error: unrecognized subcommand 'rum'
            ! 
            !   tip: some similar subcommands exist: 'runs', 'run', 'resume'
            ! 
            ! Usage: jobs [OPTIONS] <COMMAND>
            ! 
            ! For more information, try '--help'.
            exit 2
        "#]],
    );
    transcript(
        &["run", "letters", "--form", "a"],
        &expect![[r#"
        ! error: unexpected argument '--form' found
        ! 
        !   tip: a similar argument exists: '--from'
        ! 
        ! Usage: jobs run letters --from <char>
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
    transcript(
        &["run", "letters", "--args", r#"{"form": "a"}"#],
        &expect![[r#"
        ! error: `--args`: job `letters` has no argument `form`: did you mean `from`?
        exit 2
    "#]],
    );
    transcript(
        &["run", "many", "--pool", "apo=3"],
        &expect![[r#"
        ! error: --pool: unknown pool `apo`: did you mean `api`?
        exit 2
    "#]],
    );
}

#[test]
fn wrong_values_name_flag_and_type() {
    transcript(
        &["run", "forms", "--small", "300"],
        &expect![[r#"
        ! error: invalid value '300' for '--small <u8>': `300` is not a u8: number too large to fit in target type
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
    transcript(
        &["run", "forms", "--volume", "lout"],
        &expect![[r#"
        ! error: invalid value 'lout' for '--volume <Volume>'
        !   [possible values: quiet, loud]
        ! 
        !   tip: a similar value exists: 'loud'
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
    transcript(
        &["run", "letters", "--args", r#"{"to": "ab"}"#],
        &expect![[r#"
        ! error: --args: `to` takes `char`: invalid value: string "ab", expected a character
        exit 2
    "#]],
    );
    transcript(
        &["run", "forms"],
        &expect![[r#"
        ! error: job `forms` needs a value for
        !   --small <u8> A small number
        !   FANFOLD_ARG_TOKEN=… (environment), or `token` in a config file What opens the door
        exit 2
    "#]],
    );
    transcript(
        &["run", "forms", "--token", "x"],
        &expect![[r#"
        ! error: `--token` is secret, and never given on the command line: set FANFOLD_ARG_TOKEN in the environment, or write `token` in a config file
        exit 2
    "#]],
    );
    transcript(
        &["run", "forms", "--args", r#"{"token": "hunter2"}"#],
        &expect![[r#"
        ! error: `--args`: `token` is secret, and never given on the command line: set FANFOLD_ARG_TOKEN in the environment, or write `token` in a config file
        exit 2
    "#]],
    );
}

#[test]
fn limits_of_zero_are_refused() {
    transcript(
        &["run", "many", "--max-concurrent", "0"],
        &expect![[r#"
        ! error: invalid value '0' for '--max-concurrent <N>': a limit is at least 1
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
    transcript(
        &["run", "many", "--pool", "api=0"],
        &expect![[r#"
        ! error: invalid value 'api=0' for '--pool <NAME=N>': a limit is at least 1
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
    transcript(
        &["run", "many", "--tag-limit", "team:red=0"],
        &expect![[r#"
        ! error: invalid value 'team:red=0' for '--tag-limit <NAME:VALUE=N>': a limit is at least 1
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
}

#[test]
fn a_config_file_gives_arguments_and_limits_and_says_where_it_is_wrong() {
    let file = std::env::temp_dir().join(format!("fanfold-cli-{}.toml", std::process::id()));
    let with = |text: &str, expected: &Expect| {
        std::fs::write(&file, text).unwrap();
        let mut command = jobs(&["run", "letters", "-q", "--config"]);
        let output = command.arg(&file).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap().replace(file.to_str().unwrap(), "run.toml");
        expected.assert_eq(&text);
    };
    with(
        "to = 'd'\nmax_concurrent = 1\norder = 'breadth-first'\n",
        &expect![[r#"
        ABCD
    "#]],
    );
    with(
        "to = 'd'\nmax_concurrent = 4 5\n",
        &expect![[r#"
            error: run.toml:2:18: string values must be quoted, expected literal string
               2 | max_concurrent = 4 5
                 |                  ^
        "#]],
    );
    with(
        "[args]\nto = 'de'\n",
        &expect![[r#"
        error: run.toml:2:6: `to` takes `char`: invalid value: string "de", expected a character
    "#]],
    );
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn events_are_lines_of_json_and_the_result_is_the_last() {
    let output = jobs(&["run", "letters", "--json", "--quiet"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(text.lines().all(|line| line.starts_with(r#"{"version":1,"event":""#)), "{text}");
    let ends = lines.iter().filter(|line| line["event"] == "step_succeeded").count();
    assert_eq!((lines[0]["event"].as_str(), ends), (Some("run_started"), 5));
    let last = lines.last().unwrap();
    assert_eq!((&last["event"], &last["state"]), (&"result".into(), &"succeeded".into()));
    assert_eq!(last["outputs"], serde_json::json!(["ABC"]));
    assert_eq!(last["steps"], serde_json::json!({"succeeded": 5}));
}

#[test]
fn graphs_are_printed() {
    transcript(
        &["graph", "letters"],
        &expect![[r#"
        flowchart TD
            a0(["from"])
            a1(["to"])
            n0["load"]
            subgraph s1["each item of load"]
                n1["upper"]
            end
            n3["concat"]
            a0 --> n0
            a1 --> n0
            n0 --> n1
            n1 ==>|"collect"| n3
        exit 0
    "#]],
    );
    transcript(
        &["graph", "many", "--format", "text"],
        &expect![[r#"
        many(n)
          count(n) → many
          └ for each item of count
              double(item of count)  [pool api · team:red]
          sum(collect double)
          gives sum
        exit 0
    "#]],
    );
}

#[test]
fn each_fan_out_is_one_box_and_hostile_names_are_inert() {
    transcript(
        &["graph", "shapes", "--format", "text"],
        &expect![[r#"
        shapes(n)
          count(n) → many
          └ for each item of count
              inner(item of count) → many
              └ for each item of inner
                  double(item of inner)  [pool api · team:red]
              a "b" <c> --> d(collect double)
              └ for each item of count, held whole
                  add(item of count, held item of count)
          add_2(a constant, fold add)
          split(n) → many
          └ for each item of split.low: items are held without bound, since share waits for collect item of split.high
              share(item of split.low, collect item of split.high)
          zip(item of split.low, item of split.high) → many
          └ for each pair of zip
              add_3(left of zip, right of zip)
          sum(collect a "b" <c> --> d)
          sum_2(collect add_3)
          sum_3(collect share)
          sum_4([sum, add_2, split.size, sum_2, sum_3])
          clean_up() after sum_4
          gives sum_4, the end of its steps
        exit 0
    "#]],
    );
    transcript(
        &["graph", "shapes", "--format", "mermaid"],
        &expect![[r#"
        flowchart TD
            a0(["n"])
            n0["count"]
            subgraph s1["each item of count"]
                n1["inner"]
                subgraph s2["each item of inner"]
                    n2["double"]
                end
                n4["a #34;b#34; #60;c#62; --#62; d"]
                subgraph s3["each item of count, held whole"]
                    n7["add"]
                end
            end
            n8[/"add_2"\]
            n9["split"]
            subgraph s4["each item of split.low, held without bound"]
                n13["share"]
            end
            n10{{"zip"}}
            subgraph s6["each pair of zip"]
                n11["add_3"]
            end
            n14["sum"]
            n16["sum_2"]
            n18["sum_3"]
            n19["sum_4"]
            n20["clean_up"]
            a0 --> n0
            n0 --> n1
            n1 --> n2
            n2 ==>|"collect"| n4
            n0 --> n7
            n7 ==>|"fold"| n8
            a0 --> n9
            n9 ==>|"high zip"| n10
            n9 ==>|"low zip"| n10
            n10 --> n11
            n9 -->|"low"| n13
            n9 ==>|"high collect"| n13
            n4 ==>|"collect"| n14
            n11 ==>|"collect"| n16
            n13 ==>|"collect"| n18
            n8 --> n19
            n9 -->|"size"| n19
            n14 --> n19
            n16 --> n19
            n18 --> n19
            n19 -.->|"after"| n20
        exit 0
    "#]],
    );
    transcript(
        &["graph", "shapes", "--format", "dot"],
        &expect![[r#"
        digraph "shapes" {
            node [shape=box, style=rounded];
            a0 [label="n", shape=plaintext];
            n0 [label="count"];
            subgraph cluster_1 {
                label="each item of count";
                n1 [label="inner"];
                subgraph cluster_2 {
                    label="each item of inner";
                    n2 [label="double"];
                }
                n4 [label="a \"b\" <c> --> d"];
                subgraph cluster_3 {
                    label="each item of count, held whole";
                    n7 [label="add"];
                }
            }
            n8 [label="add_2", shape=invtrapezium];
            n9 [label="split"];
            subgraph cluster_4 {
                label="each item of split.low, held without bound";
                n13 [label="share"];
            }
            n10 [label="zip", shape=hexagon];
            subgraph cluster_6 {
                label="each pair of zip";
                n11 [label="add_3"];
            }
            n14 [label="sum"];
            n16 [label="sum_2"];
            n18 [label="sum_3"];
            n19 [label="sum_4"];
            n20 [label="clean_up"];
            a0 -> n0;
            n0 -> n1;
            n1 -> n2;
            n2 -> n4 [label="collect", color="black:invis:black"];
            n0 -> n7;
            n7 -> n8 [label="fold", color="black:invis:black"];
            a0 -> n9;
            n9 -> n10 [label="high zip", color="black:invis:black"];
            n9 -> n10 [label="low zip", color="black:invis:black"];
            n10 -> n11;
            n9 -> n13 [label="low"];
            n9 -> n13 [label="high collect", color="black:invis:black"];
            n4 -> n14 [label="collect", color="black:invis:black"];
            n11 -> n16 [label="collect", color="black:invis:black"];
            n13 -> n18 [label="collect", color="black:invis:black"];
            n8 -> n19;
            n9 -> n19 [label="size"];
            n14 -> n19;
            n16 -> n19;
            n18 -> n19;
            n19 -> n20 [label="after", style=dotted];
        }
        exit 0
    "#]],
    );
    let output = jobs(&["graph", "shapes", "--format", "json"]).output().unwrap();
    let graph: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ids: Vec<_> = graph["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()).collect();
    for edge in graph["edges"].as_array().unwrap() {
        assert!(ids.contains(&edge["to"]), "{edge}");
        assert!(ids.contains(&edge["from"]) || edge["from"]["argument"] == "n", "{edge}");
    }
    let held = graph["scopes"].as_array().unwrap().iter().filter(|scope| scope["held_without_bound"] == true);
    assert_eq!(held.count(), 1);
}

#[test]
fn a_job_of_every_shape_runs() {
    transcript(
        &["run", "shapes"],
        &expect![[r#"
        341
        !    op succeeded failed not run retries total p50 p95 max
        !    count 1 - - - TIME - - -
        !      inner 3 - - - TIME TIME TIME TIME
        !        double 3 - - - TIME TIME TIME TIME
        !      a "b" <c> --> d 3 - - - TIME TIME TIME TIME
        !        add 9 - - - TIME TIME TIME TIME
        !    add_2 1 - - - TIME - - -
        !    split 1 - - - TIME - - -
        !      share 3 - - - TIME TIME TIME TIME
        !    zip 1 - - - - - - -
        !      add_3 3 - - - TIME TIME TIME TIME
        !    sum 1 - - - TIME - - -
        !    sum_2 1 - - - TIME - - -
        !    sum_3 1 - - - TIME - - -
        !    sum_4 1 - - - TIME - - -
        !    clean_up 1 - - - TIME - - -
        ! 
        !    slowest: …
        !  Succeeded shapes RUN in TIME: 33 succeeded
        exit 0
    "#]],
    );
}

#[test]
fn completions_know_the_jobs() {
    let output = jobs(&["completions", "bash"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("letters") && text.contains("--max-concurrent"));
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    for words in [&["list"][..], &["run", "many", "--json", "--n", "50000"], &["completions", "bash"]] {
        let mut child = jobs(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        child.wait().unwrap();
        assert!(!line.is_empty());
        assert_eq!(stderr, "", "{words:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for words in [&["run", "letters", "-q"][..], &["run", "letters", "--json", "-q"], &["list"]] {
        let output = jobs(words).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(5), "{words:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("error: cannot write to stdout: No space left"), "{stderr}");
    }
    // A stderr that takes nothing is no reason to fail.
    assert_eq!(jobs(&["run", "letters"]).stderr(full()).output().unwrap().status.code(), Some(0));
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let done = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(done.success());
}

/// Whether the tests were started with `nohup`, which a job inherits and respects.
#[cfg(unix)]
fn hang_up_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Starts a job with its events on stdout, and waits for its first step.
#[cfg(unix)]
fn started(words: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = jobs(words).arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut events = BufReader::new(child.stdout.take().unwrap());
    wait_for(&mut events, "step_started");
    (child, events)
}

#[cfg(unix)]
fn wait_for(events: &mut impl std::io::BufRead, kind: &str) {
    let mut line = String::new();
    while !line.contains(&format!(r#""event":"{kind}""#)) {
        line.clear();
        assert_ne!(events.read_line(&mut line).unwrap(), 0, "no {kind} came");
    }
}

#[cfg(unix)]
#[test]
fn s4_11_a_signal_cancels_gracefully() {
    for name in ["INT", "TERM", "HUP"] {
        if name == "HUP" && hang_up_is_ignored() {
            continue;
        }
        let (mut child, mut events) = started(&["run", "waiting"]);
        signal(&child, name);
        let mut rest = String::new();
        events.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{name}");
        assert!(rest.contains(r#""event":"run_cancelling""#), "{rest}");
        assert!(rest.lines().last().unwrap().contains(r#""state":"cancelled""#), "{rest}");
    }
}

#[cfg(unix)]
#[test]
fn s4_11_a_second_signal_ends_at_once() {
    let (mut child, mut events) = started(&["run", "deaf", "--grace", "1h"]);
    signal(&child, "INT");
    wait_for(&mut events, "run_cancelling");
    signal(&child, "INT");
    let mut rest = String::new();
    events.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(rest.lines().last().unwrap().contains(r#""event":"result""#), "{rest}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_run_that_has_not_begun() {
    let mut child = jobs(&["run", "stuck"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "building\n");
    signal(&child, "INT");
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    expect![[r#"
        cancelled before anything began (Ctrl-C)
    "#]]
    .assert_eq(&stderr);
}

#[cfg(unix)]
#[test]
fn s4_11_signals_are_heard_although_no_op_yields() {
    let (mut child, mut events) = started(&["run", "blocking"]);
    signal(&child, "INT");
    wait_for(&mut events, "run_cancelling");
    signal(&child, "INT");
    let mut rest = String::new();
    events.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn of_several_values_a_skipped_one_is_null() {
    transcript(
        &["run", "several", "-q"],
        &expect![[r#"
        [
          3,
          null
        ]
        exit 0
    "#]],
    );
}

#[test]
fn a_panic_is_a_failure_with_its_place() {
    transcript(
        &["run", "panicking", "--max-concurrent", "1", "-q"],
        &expect![[r#"
        !       FAIL [TIME] panics[0]: it panicked: no more than 0, at tests/src/bin/jobs.rs:203:5
        !            … 1 more like panics[0]
        !     Failed panicking RUN in TIME: 1 succeeded, 2 failed, 1 upstream failed
        exit 1
    "#]],
    );
}

#[test]
fn help_is_made_of_doc_comments() {
    transcript(
        &["--help"],
        &expect![[r#"
            Runs the jobs of this program

            Usage: jobs [OPTIONS] <COMMAND>

            Commands:
              list         List the jobs and their arguments
              run          Run a job
              resume       Go on with a run
              rerun        Run steps of a run again, as a new run
              runs         List the runs that were recorded
              show         Show a run, or one of its steps
              logs         Print what steps logged
              export       Write a run for other programs
              cancel       Ask a run to stop
              prune        Remove runs that nobody needs
              doctor       Look for what is wrong
              ui           Serve a page of the runs
              graph        Print the graph of a job
              completions  Print a script that completes commands, jobs and flags

            Options:
                  --color <WHEN>  When to write in colours [default: auto] [possible values: auto, always,
                                  never]
              -h, --help          Print help
              -V, --version       Print version

            Environment:
              FANFOLD_LOG       Which logs are shown and recorded: `debug`, or `warn,my_crate=trace` [default:
              info]
              FANFOLD_HOME      The folder that runs are recorded in [default: .fanfold]
              FANFOLD_PROGRESS  How progress is shown, as --progress
              FANFOLD_ARG_NAME  The argument `name` of the job that is run
              FANFOLD_UI_TOKEN  The token that opens the page; a new secret each time if there is none
              NO_COLOR          No colours; CLICOLOR_FORCE for colours in spite of a pipe
            exit 0
        "#]],
    );
    transcript(
        &["run"],
        &expect![[r#"
            ! Run a job
            ! 
            ! Usage: jobs run [OPTIONS] <JOB>
            ! 
            ! Jobs:
            !   bad_keys Gives a key that no step can have.
            !   blocking Holds every thread of tokio's, and yields none.
            !   deaf Ends not even then.
            !   failing Fails for every second item.
            !   folding Doubles and adds any number of numbers, holding none.
            !   forms Takes an argument of every form.
            !   hostile Keys and errors that would like to own the terminal.
            !   letters Upper-cases a range of letters.
            !   many Doubles many numbers, in a pool.
            !   panicking Panics in each step.
            !   several Gives several values, one of them skipped.
            !   shapes Has a fan-out of every shape, and a name that would like to be markup.
            !   stuck Takes a resource that is never built.
            !   waiting Ends only when it is asked to.
            ! 
            ! Options:
            !       --color <WHEN> When to write in colours [default: auto] [possible values: auto, always,
            !                       never]
            !   -h, --help Print help
            exit 2
        "#]],
    );
    transcript(
        &["run", "forms", "-h"],
        &expect![[r#"
            Takes an argument of every form.

            Usage: jobs run forms [OPTIONS]

            Options:
                  --color <WHEN>  When to write in colours [default: auto] [possible values: auto, always,
                                  never]
              -h, --help          Print help (see more with '--help')

            Arguments of forms:
                  --small <u8>         A small number
                  --long-one[=<BOOL>]  Whether to go on
                  --volume <Volume>    [default: quiet] [possible values: quiet, loud]
                  --words <String>     
                  --pause <Duration>   

            Run options:
                  --config <FILE>     Read arguments and limits from a TOML file; flags beat it
                  --args <JSON>       Arguments as a JSON object; flags beat it, and it beats the file
                  --tag <NAME=VALUE>  A tag of the run, to find it by (name=value); repeatable

            Limits:
                  --max-concurrent <N>        At most so many steps in flight
                  --pool <NAME=N>             At most so many steps of a pool in flight (api=3), or starts in a
                                              time (api=10/s); repeatable
                  --tag-limit <NAME:VALUE=N>  At most so many steps with a tag in flight (team:red=2);
                                              repeatable
                  --order <ORDER>             Finish an item before opening the next, or a level before
                                              beginning the next [possible values: depth-first, breadth-first]
                  --fail-fast                 Start nothing more after the first failure
                  --no-fail-fast              Go on after failures, whatever the job or the file says
                  --grace <TIME>              How long running steps may go on after the run was cancelled
                                              [default: 10s]
                  --seed <N>                  The seed of all randomness, such as the jitter of retries
                  --store <ADDRESS>           Where runs are recorded: `sqlite:PATH`, or `memory` [default:
                                              .fanfold/runs.db, or in FANFOLD_HOME]

            Output:
                  --json                  One event a line on stdout, as JSON; the last line is the result
              -q, --quiet                 Show neither progress nor a summary: only failures, and the result
              -v, --verbose...            Show retries (-v), steps that succeeded (-vv), steps that did not run
                                          (-vvv)
                  --progress <FORM>       How progress is shown on stderr [env: FANFOLD_PROGRESS] [default:
                                          auto] [possible values: auto, bar, lines, plain, none]
                  --status-level <LEVEL>  Which ends of steps are shown, each level with those before it
                                          [possible values: fail, retry, slow, pass, all]
                  --ui                    Serve the page beside the run, and after it until Ctrl-C
                  --max-running <N>       How many running steps are named [default: 8]

            An argument also comes from the environment (FANFOLD_ARG_SMALL), from --args and from --config:
            the first that has it wins, a flag before all.

            Secrets, never given as flags:
              FANFOLD_ARG_TOKEN  What opens the door
            exit 0
        "#]],
    );
}

#[test]
fn s2_2_a_bad_key_fails_the_emitter_naming_op_and_key() {
    for (kind, expected) in [
        (
            "empty",
            expect![[r#"
            !       FAIL [TIME] bad_key: `bad_key`: a mapping key is empty
            !     Failed bad_keys RUN in TIME: 1 succeeded, 1 failed
            exit 1
        "#]],
        ),
        (
            "long",
            expect![[r#"
            !       FAIL [TIME] bad_key: `bad_key`: the mapping key that begins "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" has 300 bytes; at most 255 are allowed
            !     Failed bad_keys RUN in TIME: 1 succeeded, 1 failed
            exit 1
        "#]],
        ),
        (
            "control",
            expect![[r#"
            !       FAIL [TIME] bad_key: `bad_key`: the mapping key "a\u{1b}[2J" holds a control character
            !     Failed bad_keys RUN in TIME: 1 succeeded, 1 failed
            exit 1
        "#]],
        ),
        (
            "twice",
            expect![[r#"
            !       FAIL [TIME] bad_key: `bad_key`: the mapping key "good" was given twice
            !     Failed bad_keys RUN in TIME: 1 succeeded, 1 failed
            exit 1
        "#]],
        ),
    ] {
        transcript(&["run", "bad_keys", "-q", "--max-concurrent", "1", "--kind", kind], &expected);
    }
}

#[test]
fn a_program_without_jobs_says_what_to_write() {
    let empty = env!("CARGO_BIN_EXE_empty");
    check(
        program(empty, &["list"]),
        &expect![[r#"
        ! error: this program has no jobs: mark a function with `#[job]`; the jobs of a library that the program never mentions are not linked, so write `use my_jobs as _;`
        exit 3
    "#]],
    );
    check(
        program(empty, &["run", "letters"]),
        &expect![[r#"
        ! error: this program has no jobs: mark a function with `#[job]`; the jobs of a library that the program never mentions are not linked, so write `use my_jobs as _;`
        exit 3
    "#]],
    );
}

#[test]
fn two_jobs_of_one_name_are_refused() {
    let twins = env!("CARGO_BIN_EXE_twins");
    check(
        program(twins, &["list"]),
        &expect![[r#"
        ! error: two jobs are named `twin`, at tests/src/bin/twins.rs:18 and at tests/src/bin/twins.rs:28: rename one
        exit 3
    "#]],
    );
    check(
        program(twins, &["run", "twin"]),
        &expect![[r#"
        ! error: two jobs are named `twin`, at tests/src/bin/twins.rs:18 and at tests/src/bin/twins.rs:28: rename one
        exit 3
    "#]],
    );
}

#[test]
fn s1_16_all_graphs_are_built_before_anything_runs() {
    let broken = env!("CARGO_BIN_EXE_broken");
    check(
        program(broken, &["run", "good"]),
        &expect![[r#"
        ! error: the graph of job `panicking` at tests/src/bin/broken.rs:36 cannot be built: it panicked: no graph today, at tests/src/bin/broken.rs:38:5
        ! the graph of job `wrong` cannot be built
        !   `priority` at tests/src/bin/broken.rs:31: it is given after the handle was used: say it at the call
        !   `one` at tests/src/bin/broken.rs:29: another step is named "same" already: give each a name of its own
        exit 3
    "#]],
    );
    check(
        program(broken, &["graph", "wrong"]),
        &expect![[r#"
        ! error: the graph of job `wrong` cannot be built
        !   `priority` at tests/src/bin/broken.rs:31: it is given after the handle was used: say it at the call
        !   `one` at tests/src/bin/broken.rs:29: another step is named "same" already: give each a name of its own
        exit 3
    "#]],
    );
}
