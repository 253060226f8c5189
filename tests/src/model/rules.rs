//! The interpreter on small plans written by hand, each for the rule that it names.

use super::counters::Sightings;
use super::harness::Campaign;
use super::interpret::interpret;

#[test]
fn random_plans_meet_every_case_that_must_be_seen() {
    let campaign = Campaign::of(2_000);
    let (mut seen, mut steps, mut lets) = (Sightings::default(), 0, 0);
    campaign.run("random_plans", |plan, _| {
        let report = interpret(plan);
        steps += report.steps.len();
        lets += plan.body.len();
        seen.add(&report.seen);
        Ok::<(), String>(())
    });
    println!(
        "{} cases, {lets} lets, {steps} steps; {seen}",
        campaign.cases
    );
    assert!(seen.missing().is_empty(), "never met: {:?}", seen.missing());
}
