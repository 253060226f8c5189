//! Random jobs on the engine's core, each held against what the rules say that it must come to.

use std::time::Duration;

use fanfold::Order;
use fanfold::machine::Config;
use fanfold_tests::model::compare::compare;
use fanfold_tests::model::counters::{Counts, Deed, Sightings};
use fanfold_tests::model::drive::{Course, Unwatched, drive};
use fanfold_tests::model::harness::Campaign;
use fanfold_tests::model::interpret::interpret;
use fanfold_tests::model::observe::observe;
use fanfold_tests::model::plan::Plan;
use fanfold_tests::model::to_graph::{limits, to_graph};

#[test]
fn random_jobs_come_to_what_the_rules_say() {
    let campaign = Campaign::of(10_000);
    let (mut seen, mut deeds, mut steps) = (Sightings::default(), Counts::<Deed>::default(), 0);
    campaign.run("--test model", |plan, seed| {
        let expected = interpret(plan);
        let built = to_graph(plan).map_err(|errors| errors.to_string())?;
        let driven = drive(&built.graph, built.args, &course(plan, seed), &mut Unwatched)?;
        let observed = observe(&built.graph, &driven)?;
        compare(plan, &expected, &observed)?;
        steps += observed.steps.len();
        seen.add(&expected.seen);
        deeds.add(&driven.deeds);
        Ok::<(), String>(())
    });
    println!("model: {} jobs, {steps} steps; {seen}; {deeds}", campaign.cases);
    assert!(!campaign.is_whole() || seen.missing().is_empty(), "never met: {:?}", seen.missing());
}

/// A run as it mostly is: room for all items, nothing given back, nothing cancelled.
fn course(plan: &Plan, seed: u64) -> Course {
    Course {
        seed,
        config: Config {
            limits: limits(plan),
            order: if plan.options.breadth_first { Order::BreadthFirst } else { Order::DepthFirst },
            fail_fast: plan.options.fail_fast,
            keep_values: seed.is_multiple_of(2),
            recording: seed.is_multiple_of(3),
            suspects: Default::default(),
            open_items: 1_024,
            workers: 2,
            seed,
        },
        eager: 1.0,
        longest: Duration::from_micros(10),
        gives_back: 0.0,
        pauses: 0.0,
        cancel: None,
        took: |_| None,
    }
}
