//! Why a step stands as it does, where that is not plain.

use std::time::Duration;

use super::near::{NAMED, Near, Region};
use crate::event::{RunState, StepState};
use crate::record::reader::{Told, Turn};
use crate::report::words::{count, duration};
use crate::shape::ShapeNode;
use crate::store::Standing;
use crate::web::api::types::Why;

/// Why a step stands so; `None` where that is plain. `resume` is the command that lets the run go on.
pub(super) fn why(near: &Near<'_>, told: &Told, state: Option<StepState>, resume: &str) -> Option<Why> {
    match state {
        None => Some(said("is no part of this run: nothing that was run needed it")),
        Some(StepState::Waiting) => Some(waits(near, told, resume)),
        Some(StepState::UpstreamFailed) => Some(failed(near, told)),
        Some(StepState::Skipped) => Some(skipped(near)),
        Some(StepState::Cancelled) => Some(match near.run.summary().cancelling() {
            Some(reason) => said(format!("was stopped with the run: {reason}")),
            None => said("was stopped with the run"),
        }),
        Some(StepState::Succeeded | StepState::Failed | StepState::Running) => None,
    }
}

fn said(text: impl Into<String>) -> Why {
    Why { text: text.into(), steps: Vec::new(), due: None }
}

fn failed(near: &Near<'_>, told: &Told) -> Why {
    let Some(cause) = &told.cause else { return said("something that it needs failed") };
    let index = near.run.index();
    let place = index.place_of(cause.node, cause.path.number());
    let link = place.and_then(|place| Some(near.link(place, index.state_of(place, near.run.is_driven())?)));
    let text = format!("needs what {} was to give, which failed", cause.name(near.shape()));
    Why { steps: link.into_iter().collect(), ..said(text) }
}

fn skipped(near: &Near<'_>) -> Why {
    let mut steps = Vec::new();
    for region in near.upstream() {
        let skipped = near.steps(&region).filter(|(_, state)| *state == StepState::Skipped);
        steps.extend(skipped.take(NAMED - steps.len()).map(|(place, state)| near.link(place, state)));
    }
    Why { steps, ..said("something that it needs gave nothing") }
}

fn waits(near: &Near<'_>, told: &Told, resume: &str) -> Why {
    let summary = near.run.summary();
    match near.run.reader().row().standing {
        Standing::Interrupted if matches!(told.turns.last(), Some((_, Turn::Started { .. }))) => {
            return said(format!("ran when the run's process died: `{resume}` runs it again"));
        }
        Standing::Interrupted => {
            return said(format!("nobody drives the run: `{resume}` lets it go on"));
        }
        Standing::Ended(RunState::Cancelled) => return said("the run ended before it could begin"),
        Standing::Running | Standing::Ended(_) => {}
    }
    if let Some(reason) = summary.cancelling() {
        return said(format!("does not begin, as the run is being cancelled: {reason}"));
    }
    match next_attempt(told) {
        Some(due) if due > summary.elapsed() => {
            return Why { due: Some(due.as_secs_f64()), ..said("waits for its next attempt") };
        }
        Some(_) => {}
        None => {
            if let Some(why) = inputs(near) {
                return why;
            }
        }
    }
    limit(near).unwrap_or_else(|| said("can begin, and is about to"))
}

/// When the next attempt is due, if one failed.
fn next_attempt(told: &Told) -> Option<Duration> {
    match told.turns.last() {
        Some((_, Turn::Ended { due, .. })) => *due,
        _ => None,
    }
}

/// The steps that it waits for, if there are any.
fn inputs(near: &Near<'_>) -> Option<Why> {
    let mut regions = near.upstream();
    // An item is there before what gives it has ended.
    regions.retain(|region| !near.is_opened_by(region.node));
    regions.extend(near.emitters());
    let (mut texts, mut steps) = (Vec::new(), Vec::new());
    for region in &regions {
        let Some(text) = waited_for(near, region).filter(|text| !texts.contains(text)) else { continue };
        texts.push(text);
        let open = near.steps(region).filter(|(_, state)| !is_over(*state));
        steps.extend(open.take(NAMED - steps.len()).map(|(place, state)| near.link(place, state)));
    }
    let text = format!("waits for {}", texts.join(", and for "));
    (!texts.is_empty()).then_some(Why { steps, ..said(text) })
}

/// `3 of 12 steps of clean`; `None` if all have ended, and no more can come.
fn waited_for(near: &Near<'_>, region: &Region) -> Option<String> {
    let counts = near.counts(region);
    let total: u64 = counts.iter().sum();
    let states = StepState::ALL.into_iter().zip(counts);
    let open: u64 = states.filter(|(state, _)| !is_over(*state)).map(|(_, steps)| steps).sum();
    let growing = near.is_growing(region);
    let op = &near.shape().node(region.node).name;
    match (open, total) {
        (0, _) if growing => Some(format!("steps of {op} that are yet to come")),
        (0, _) => None,
        (1, 1) if !growing => near.steps(region).next().map(|(place, _)| near.run.index().name(place)),
        _ => {
            let least = if growing { "≥ " } else { "" };
            Some(format!("{} of {least}{} steps of {op}", count(open), count(total)))
        }
    }
}

fn is_over(state: StepState) -> bool {
    !matches!(state, StepState::Waiting | StepState::Running)
}

/// The limit that is reached, if one is: of its pool, of its tags, of the run.
fn limit(near: &Near<'_>) -> Option<Why> {
    let (shape, options) = (near.shape(), &near.run.reader().facts().options);
    let node = shape.node(near.node);
    let full = |what: String, max: u32, counts: &dyn Fn(&ShapeNode) -> bool| {
        let nodes = shape.steps().filter(|id| counts(shape.node(*id)));
        let used: u64 = nodes.map(|id| near.run.summary().count(id, StepState::Running)).sum();
        let text = format!("waits for {what} ({} of {} in use)", count(used), count(u64::from(max)));
        (used >= u64::from(max)).then(|| said(text))
    };
    let pool = node.pool.as_ref().and_then(|pool| options.pools.iter().find(|(name, _)| name == pool));
    let by_pool = || {
        let (name, limit) = pool?;
        full(format!("pool {name}"), limit.max?, &|node| node.pool.as_ref() == Some(name))
    };
    let by_tag = || {
        options.tag_limits.iter().find_map(|(name, value, max)| {
            let has = |node: &ShapeNode| node.tags.iter().any(|(own, says)| own == name && says == value);
            if has(node) { full(format!("tag {name}:{value}"), *max, &has) } else { None }
        })
    };
    let by_worker = || full("a free worker".to_owned(), options.max_concurrent, &|_| true);
    // When the last ones began is known to the run alone.
    let by_rate = || {
        let (name, limit) = pool?;
        let rate = limit.rate?;
        let begin = format!("at most {} begin in {}", count(u64::from(rate.starts)), duration(rate.per));
        Some(said(format!("waits for pool {name} ({begin})")))
    };
    by_pool().or_else(by_tag).or_else(by_worker).or_else(by_rate)
}
