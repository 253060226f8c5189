//! An event, or a line of a log, as a row.

use std::time::Duration;

use crate::event::{Event, EventKind};
use crate::graph::NodeId;
use crate::index::OpenRun;
use crate::report::turns::event_text;
use crate::store::LogRow;
use crate::web::api::rows::cut;
use crate::web::api::types::EventRow;

/// How much of a text is told, in bytes: a line of a log fits, an error may be of any length.
const TEXT: usize = 16 << 10;

/// Makes rows of what happened in a run.
pub(super) struct Rows<'a> {
    pub(super) run: &'a OpenRun,
}

impl Rows<'_> {
    pub(super) fn of_event(&self, event: &Event) -> EventRow {
        let shape = self.run.reader().shape();
        EventRow {
            at: event.at.as_secs_f64(),
            kind: event.kind.name().to_owned(),
            level: None,
            step: event.kind.step().map(|step| step.name(shape).to_string()),
            attempt: attempt(&event.kind),
            text: cut(&event_text(shape, &event.kind), TEXT),
            target: None,
            fields: None,
        }
    }

    pub(super) fn of_line(&self, line: &LogRow) -> EventRow {
        let index = self.run.index();
        // A line may be there before the commit that has its item is known.
        let step = index.place_of(NodeId(line.node), line.item).map(|place| index.name(place));
        EventRow {
            at: Duration::from_micros(line.at).as_secs_f64(),
            kind: "log".to_owned(),
            level: Some(line.level_name().to_owned()),
            step,
            attempt: Some(line.attempt),
            text: cut(&line.text, TEXT),
            target: Some(line.target.clone()),
            fields: serde_json::from_str(&line.fields).ok(),
        }
    }
}

fn attempt(kind: &EventKind) -> Option<u32> {
    match kind {
        EventKind::StepStarted { attempt, .. }
        | EventKind::StepSucceeded { attempt, .. }
        | EventKind::AttemptFailed { attempt, .. }
        | EventKind::StepFailed { attempt, .. } => Some(*attempt),
        _ => None,
    }
}

/// About how many bytes a row takes in an answer.
pub(super) fn size(row: &EventRow) -> usize {
    let texts = [Some(&row.text), row.step.as_ref(), row.target.as_ref()];
    let fields = row.fields.as_ref().map_or(0, |fields| fields.to_string().len());
    100 + fields + texts.into_iter().flatten().map(String::len).sum::<usize>()
}
