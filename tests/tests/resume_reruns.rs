//! Random selections over recorded runs of random jobs: what is selected runs, what it needs is taken
//! from the run before, nothing else has a state, and all of it is as in a full run (§5.3).

use std::sync::Arc;
use std::time::Duration;

use fanfold::graph::NodeId;
use fanfold::machine::Config;
use fanfold::record::Past;
use fanfold::select::{Expr, Part, Reach, Selection, Target, Term};
use fanfold::{Order, StepName};
use fanfold_tests::model::drive::{Course, Driven, Unwatched, drive_session};
use fanfold_tests::model::harness::Campaign;
use fanfold_tests::model::interpret::interpret;
use fanfold_tests::model::observe::observe;
use fanfold_tests::model::plan::Plan;
use fanfold_tests::model::report::{Report, State};
use fanfold_tests::model::session::{Session, is_transient};
use fanfold_tests::model::story::Story;
use fanfold_tests::model::to_graph::{Besides, Built, limits, to_graph_with};
use fanfold_tests::model::value::Value;

/// What became of the selections.
#[derive(Debug, Default)]
struct Figures {
    reruns: u64,
    refused: u64,
    missing: u64,
    ran: u64,
    reused: u64,
    absent: u64,
    alone: u64,
}

#[test]
fn s5_3_what_is_selected_runs_again_and_comes_to_the_same() {
    let campaign = Campaign::of(2_000);
    let mut figures = Figures::default();
    campaign.run("--test resume_reruns", |plan, seed| {
        let mut random = fastrand::Rng::with_seed(seed ^ 0x5e1ec7);
        let mut plan = plan.clone();
        plan.options.fail_fast = false;
        let besides = Besides { transient: random.u8(0..3) == 0, ..Besides::default() };
        let built = to_graph_with(&plan, besides).map_err(|errors| errors.to_string())?;
        let expected = interpret(&plan);
        let (parent, _) = tell(&plan, &built, Story::new(&built.graph), Session::first(&built.graph), seed)?;
        for _ in 0..3 {
            let seed = random.u64(..);
            let expr = expression(&mut random, &expected);
            let mut past = parent.past()?;
            past.read_as(&built.graph.shape());
            rerun(&plan, &built, &expected, past, &expr, seed, &mut figures)
                .map_err(|error| format!("{expr}: {error}"))?;
        }
        Ok::<(), String>(())
    });
    println!("reruns: {} runs, {figures:?}", campaign.cases);
    let all =
        [figures.reruns, figures.refused, figures.missing, figures.reused, figures.absent, figures.alone];
    assert!(!campaign.is_whole() || !all.contains(&0), "something was never met");
}

/// One or two terms, each about a step that there is.
fn expression(random: &mut fastrand::Rng, expected: &Report) -> Expr {
    let names: Vec<_> = expected.steps.keys().collect();
    let reach = |random: &mut fastrand::Rng| {
        *random.choice(&[Reach::Nothing, Reach::Nothing, Reach::Direct, Reach::All]).expect("some")
    };
    let terms: Vec<_> = (0..random.usize(1..=2))
        .filter_map(|_| {
            let name: StepName = random.choice(&names)?.parse().expect("names parse back");
            let keys = name.keys()[..random.usize(0..=name.keys().len())].to_vec();
            let target = Target::Steps { op: name.op().into(), keys };
            Some(Term { before: reach(random), target, after: reach(random) }.to_string())
        })
        .collect();
    let text = if terms.is_empty() { "state:failed".to_owned() } else { terms.join(", ") };
    text.parse().expect("a term reads back")
}

fn rerun(
    plan: &Plan,
    built: &Built,
    expected: &Report,
    past: Past,
    expr: &Expr,
    seed: u64,
    figures: &mut Figures,
) -> Result<(), String> {
    let shape = built.graph.shape();
    let Ok(selection) = Selection::resolve(expr, &shape, &past) else {
        figures.refused += 1;
        return Ok(());
    };
    if !selection.missing(&shape, &past, 1).is_empty() {
        figures.missing += 1;
        return Ok(());
    }
    figures.reruns += 1;
    let (past, selection) = (Arc::new(past), Arc::new(selection));
    let session = Session::rerun(&built.graph, past, Arc::clone(&selection));
    let (mut story, driven) = tell(plan, built, Story::new(&built.graph), session, seed)?;
    // The new record stands alone: its own past is read, whatever became of its parent.
    let own = story.past()?;
    let state = driven.state;
    figures.alone += u64::from(own.ended() == Some(state));
    check(built, expected, &selection, story.whole(driven)?, figures)
}

/// Each step of the new run is as in a full one; no other is there.
fn check(
    built: &Built,
    expected: &Report,
    selection: &Selection,
    whole: Driven,
    figures: &mut Figures,
) -> Result<(), String> {
    let observed = observe(&built.graph, &whole)?;
    let node = |op: &str| {
        (0..).zip(&built.graph.nodes).find(|(_, node)| &*node.name == op).map(|(id, _)| NodeId(id))
    };
    let part = |name: &str| {
        let parsed: StepName = name.parse().expect("names parse back");
        selection.step(node(parsed.op()).expect("a step has a node"), parsed.keys())
    };
    // Of what was never recorded only the keys are copied.
    let is_unrecorded = |name: &str| {
        let op = name.parse::<StepName>().expect("names parse back");
        is_transient(&built.graph, node(op.op()).expect("a step has a node"))
    };
    for (name, step) in &observed.steps {
        let outcome = expected.steps.get(name).ok_or_else(|| format!("`{name}` is no step"))?;
        let same = step.state.as_ref() == Some(&outcome.state);
        let copied = part(name) == Part::Reuse
            && (are_some_of(step.state.as_ref(), &outcome.state) || is_unrecorded(name));
        if !same && !copied {
            return Err(format!("`{name}` {step:?}, expected {outcome:?}"));
        }
    }
    for (name, outcome) in &expected.steps {
        let there = observed.steps.contains_key(name);
        match part(name) {
            Part::Run => figures.ran += 1,
            Part::Reuse => figures.reused += 1,
            Part::Absent => figures.absent += 1,
        }
        let wanted = match part(name) {
            Part::Run => true,
            // A skipped one is skipped again, and was not copied.
            Part::Reuse => matches!(outcome.state, State::Succeeded(_)),
            Part::Absent => false,
        };
        if there != wanted {
            return Err(format!("`{name}` is {:?}, there: {there}, {outcome:?}", part(name)));
        }
    }
    Ok(())
}

/// Whether these are some of the items of an emitter: only those that are needed are copied.
fn are_some_of(state: Option<&State>, all: &State) -> bool {
    match (state, all) {
        (Some(State::Succeeded(Some(Value::Keyed(some)))), State::Succeeded(Some(Value::Keyed(all)))) => {
            some.iter().all(|item| all.contains(item))
        }
        _ => false,
    }
}

/// One session to its end.
fn tell(
    plan: &Plan,
    built: &Built,
    mut story: Story,
    mut session: Session,
    seed: u64,
) -> Result<(Story, Driven), String> {
    session.prompt = 0.3;
    let course = course(plan, seed);
    let driven =
        drive_session(&built.graph, built.args.clone(), &course, &mut Unwatched, Some(&mut session))?;
    let all = session.commits.len();
    story.take(session, &driven, all)?;
    Ok((story, driven))
}

fn course(plan: &Plan, seed: u64) -> Course {
    let order = if plan.options.breadth_first { Order::BreadthFirst } else { Order::DepthFirst };
    Course {
        seed,
        config: Config {
            limits: limits(plan),
            order,
            fail_fast: false,
            keep_values: false,
            recording: true,
            suspects: Default::default(),
            open_items: if seed.is_multiple_of(2) { 2 } else { 1_024 },
            workers: 2,
            seed,
        },
        eager: 0.8,
        longest: Duration::from_micros(10),
        gives_back: 0.1,
        pauses: 0.1,
        cancel: None,
        took: |_| None,
    }
}
