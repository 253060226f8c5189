//! What happened to a step, and in a run, in words: as `show RUN STEP` and the page tell it.
//!
//! The texts hold what users' code said, as it is. Whoever shows them escapes it.

use std::fmt::Write as _;

#[cfg(feature = "ui")]
use super::words::counted;
use super::words::duration;
use crate::error::OpError;
#[cfg(feature = "ui")]
use crate::event::EventKind;
#[cfg(feature = "ui")]
use crate::graph::NodeId;
use crate::record::reader::Turn;
#[cfg(feature = "ui")]
use crate::shape::Shape;

/// What happened to a step: a line, and the lines of its error after it.
pub(crate) fn turn_text(turn: &Turn) -> String {
    match turn {
        Turn::Started { attempt } => format!("attempt {attempt} began"),
        Turn::Ended { attempt, took, error: None, .. } => {
            format!("attempt {attempt} succeeded, took {}", duration(*took))
        }
        Turn::Ended { attempt, started, took, error: Some(error), due, left_behind } => {
            let mut text = format!("attempt {attempt} failed, took {}", duration(*took));
            if let Some(due) = due {
                let wait = due.saturating_sub(*started + *took);
                let _ = write!(text, ", again in {}", duration(wait));
            }
            if *left_behind {
                text.push_str(", its thread was left behind");
            }
            text + &error_text(error)
        }
        Turn::NotRun { state } => state.words().to_owned(),
        Turn::Reused => "reused: what it gave was copied from the run that is run again".to_owned(),
        Turn::Remade => "made again: its value is never recorded".to_owned(),
        Turn::Superseded => "superseded: its item was not given again, or with another value".to_owned(),
        Turn::Resumed => "the run was resumed: it begins anew".to_owned(),
    }
}

fn error_text(error: &OpError) -> String {
    let mut text = format!("\n{}", error.message());
    error.causes().iter().for_each(|cause| {
        let _ = write!(text, "\ncaused by: {cause}");
    });
    text
}

/// What happened, without the name of the step that it happened to.
#[cfg(feature = "ui")]
pub(crate) fn event_text(shape: &Shape, kind: &EventKind) -> String {
    if let Some(turn) = Turn::of(kind) {
        let cause = match kind {
            EventKind::StepNotRun { cause: Some(cause), .. } => format!(", as {} failed", cause.name(shape)),
            _ => String::new(),
        };
        return turn_text(&turn) + &cause;
    }
    let key = |item: &crate::step::Path| item.key().map(ToString::to_string).unwrap_or_default();
    match kind {
        EventKind::RunStarted { args, .. } => {
            let args: Vec<_> = args.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let with = if args.is_empty() { "" } else { ", with " };
            format!("the run began{with}{}", args.join(" "))
        }
        EventKind::RunResumed { in_hand, .. } if in_hand.is_empty() => "the run goes on".to_owned(),
        EventKind::RunResumed { in_hand, .. } => {
            let names: Vec<_> = in_hand.iter().map(|step| step.name(shape).to_string()).collect();
            format!("the run goes on; in hand when its process died: {}", names.join(", "))
        }
        EventKind::ItemYielded { step, output, item, .. } => {
            format!("gave {}{}", key(item), of_output(shape, step.node, *output))
        }
        EventKind::FanOutClosed { step, output, items } => {
            let items = counted(*items, "item", "items");
            format!("gave {items} in all{}", of_output(shape, step.node, *output))
        }
        EventKind::ItemMoved { item, index, .. } => {
            format!("gave {} again, as item {}", key(item), u64::from(*index) + 1)
        }
        EventKind::ItemSuperseded { item, .. } => {
            format!("{} counts no more: it was not given again, or with another value", key(item))
        }
        EventKind::RunCancelling { reason } => format!("the run is being cancelled: {reason}"),
        EventKind::RunEnded { state } => format!("the run ended: {}", run_state(*state)),
        // The others happen to a step, and were told above.
        _ => String::new(),
    }
}

/// Which of several dynamic outputs is meant.
#[cfg(feature = "ui")]
fn of_output(shape: &Shape, node: NodeId, output: u16) -> String {
    let outputs = &shape.node(node).outputs;
    match outputs.get(usize::from(output)) {
        Some(output) if outputs.len() > 1 => format!(" ({})", output.name),
        _ => String::new(),
    }
}

#[cfg(feature = "ui")]
fn run_state(state: crate::event::RunState) -> &'static str {
    use crate::event::RunState::{Cancelled, Failed, Succeeded};
    match state {
        Succeeded => "succeeded",
        Failed => "failed",
        Cancelled => "cancelled",
    }
}
