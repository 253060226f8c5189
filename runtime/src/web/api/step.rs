//! All that is known of one step.

use crate::index::OpenRun;
use crate::step::StepName;
use crate::text::nearest;
use crate::web::refused::Refused;

/// The place of the step of a name.
pub(super) fn place_of(run: &OpenRun, name: &str) -> Result<u32, Refused> {
    let parsed: StepName = name.parse().map_err(|error: crate::step::StepNameError| {
        Refused::malformed(error.to_string(), "the table of steps has the names of all")
    })?;
    run.place(&parsed).ok_or_else(|| none(run, &parsed))
}

fn none(run: &OpenRun, name: &StepName) -> Refused {
    let shape = run.reader().shape();
    let ops = || shape.steps().map(|node| &*shape.node(node).name);
    let help = if ops().any(|op| op == name.op()) {
        format!("the table of steps lists those of `{}`", name.op())
    } else {
        let near = nearest(name.op(), ops()).map(|near| format!("did you mean `{near}`?"));
        near.unwrap_or_else(|| "the run's own page lists its ops".to_owned())
    };
    Refused::not_found(format!("run {} has no step `{name}`", run.reader().row().id), help)
}
