//! Random jobs on the engine's core, driven as unkindly as the seed says: small budgets, steps that
//! end in any order, batches given back in part, emitters that wait, runs that are cancelled.

use std::time::Duration;

use fanfold::machine::Config;
use fanfold::{Event, EventKind, Order};
use fanfold_tests::model::compare::compare;
use fanfold_tests::model::counters::{Counts, Deed, Sight, Sightings};
use fanfold_tests::model::drive::{Cancel, Course, Unwatched, drive};
use fanfold_tests::model::harness::Campaign;
use fanfold_tests::model::interpret::interpret;
use fanfold_tests::model::legal::Legal;
use fanfold_tests::model::observe::observe;
use fanfold_tests::model::plan::{Backoff, Form, Plan, Retry, Rule};
use fanfold_tests::model::to_graph::{Besides, limits, to_graph, to_graph_with};
use fanfold_tests::model::write::Body;

#[test]
fn whatever_happens_the_rules_hold() {
    let campaign = Campaign::of(10_000);
    let (mut seen, mut deeds, mut steps) = (Sightings::default(), Counts::<Deed>::default(), 0);
    campaign.run("--test simulation", |plan, seed| {
        let expected = interpret(plan);
        let built = to_graph(plan).map_err(|errors| errors.to_string())?;
        let course = course(plan, seed);
        let mut legal = Legal::new(&built.graph, &course.config, &expected);
        let driven = drive(&built.graph, built.args, &course, &mut legal)?;
        let observed = observe(&built.graph, &driven)?;
        compare(plan, &expected, &observed)?;
        steps += observed.steps.len();
        seen.add(&expected.seen);
        deeds.add(&driven.deeds);
        deeds.add(&legal.deeds);
        Ok::<(), String>(())
    });
    println!("simulation: {} runs, {steps} steps; {seen}; {deeds}", campaign.cases);
    assert!(!campaign.is_whole() || seen.missing().is_empty(), "never met: {:?}", seen.missing());
    assert!(!campaign.is_whole() || deeds.missing().is_empty(), "never met: {:?}", deeds.missing());
    assert!(!campaign.is_whole() || seen.count(Sight::FailFast) > 0);
}

/// A run with everything that can go wrong around it.
fn course(plan: &Plan, seed: u64) -> Course {
    let mut random = fastrand::Rng::with_seed(seed ^ 0x5eed);
    let open_items = *random.choice([1, 2, 3, 4, 16, 1_024].iter()).expect("some");
    let nanos = *random.choice([10, 1_000, 5_000_000, 100_000_000].iter()).expect("some");
    let grace = *random.choice([0, 1, 1_000_000, 1_000_000_000].iter()).expect("some");
    Course {
        seed,
        config: Config {
            limits: limits(plan),
            order: if plan.options.breadth_first { Order::BreadthFirst } else { Order::DepthFirst },
            fail_fast: plan.options.fail_fast,
            keep_values: random.bool(),
            recording: random.bool(),
            suspects: fanfold::machine::Suspects::default(),
            open_items,
            workers: random.u32(1..4),
            seed,
        },
        eager: *random.choice([1.0, 0.8, 0.3].iter()).expect("some"),
        longest: Duration::from_nanos(nanos),
        gives_back: if random.bool() { 0.3 } else { 0.0 },
        pauses: if random.bool() { 0.2 } else { 0.0 },
        cancel: (random.u8(0..4) == 0)
            .then(|| Cancel { after: random.u32(0..60), grace: Duration::from_nanos(grace) }),
        took: |_| None,
    }
}

/// What a job with timeouts comes to depends on time; but it ends, and each of its steps ends once.
#[test]
fn jobs_with_timeouts_end_whatever_takes_too_long() {
    let campaign = Campaign::of(3_000);
    let (mut deeds, mut left_behind) = (Counts::<Deed>::default(), 0);
    campaign.run("--test simulation timeouts", |plan, seed| {
        let course = course(plan, seed);
        let timeout = course.longest * 2 / 3;
        let built = to_graph_with(plan, Besides { timeout: Some(timeout), ..Besides::default() })
            .map_err(|errors| errors.to_string())?;
        let driven = drive(&built.graph, built.args, &course, &mut Unwatched)?;
        observe(&built.graph, &driven)?;
        deeds.add(&driven.deeds);
        let is_left = |event: &&Event| matches!(event.kind, EventKind::StepFailed { left_behind: true, .. });
        left_behind += driven.events.iter().filter(is_left).count();
        Ok::<(), String>(())
    });
    println!("timeouts: {} runs, {left_behind} steps that were left behind; {deeds}", campaign.cases);
    assert!(!campaign.is_whole() || left_behind > 100);
}

/// Batches and chains form only among many copies that are known to be short.
#[test]
fn many_short_steps_are_batched_and_come_to_the_same() {
    let seeds = Campaign::of(300);
    let mut deeds = Counts::<Deed>::default();
    for seed in seeds.first..seeds.first + seeds.cases {
        let plan = many_copies(seed);
        let expected = interpret(&plan);
        let built = to_graph(&plan).expect("the plan is right");
        let mut course = course(&plan, seed);
        course.longest = Duration::from_nanos(20);
        course.config.keep_values = seed % 4 == 0;
        let mut checked = || {
            let mut legal = Legal::new(&built.graph, &course.config, &expected);
            let driven = drive(&built.graph, built.args.clone(), &course, &mut legal)?;
            deeds.add(&driven.deeds);
            compare(&plan, &expected, &observe(&built.graph, &driven)?)
        };
        checked().unwrap_or_else(|difference: String| panic!("{difference}\nFANFOLD_SEED={seed}\n{plan}"));
    }
    println!("simulation: {} runs of many copies; {deeds}", seeds.cases);
    let met = [Deed::Chained, Deed::PassedOn, Deed::Batched, Deed::Split, Deed::GivenBack];
    let missing: Vec<_> = met.iter().filter(|deed| deeds.count(**deed) < 100).collect();
    assert!(seeds.cases < 300 || missing.is_empty(), "hardly met: {missing:?}");
}

/// `emit(60) → f → g → h → fold`, where some copies fail, are tried again or give nothing.
fn many_copies(seed: u64) -> Plan {
    let mut random = fastrand::Rng::with_seed(seed);
    let rule = |random: &mut fastrand::Rng| Some(Rule { modulus: random.i64(7..90), rest: random.i64(0..7) });
    let keys: Vec<_> = (0..60).map(|key| key.to_string()).collect();
    let mut job = Body::default();
    let items = job.emit(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    let copies = job.map(items, |inside, item| {
        let first = inside.op_with("f", &[item], |op| op.failing.when = rule(&mut random));
        let second = inside.op_with("g", &[first], |op| {
            op.failing.first = u32::from(random.u8(0..8) == 0);
            op.retry = Some(Retry { max: random.u32(0..3), delay: 1, backoff: Backoff::None });
        });
        let read = [second, first];
        inside.op("h", &read[..1 + usize::from(random.u8(0..4) == 0)])
    });
    job.collect(copies, Form::Results);
    job.fold(copies);
    job.plan()
}
