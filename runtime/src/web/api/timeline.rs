//! `GET /api/v1/runs/{id}/timeline`: what happened in a span of time, op by op.
//!
//! All of it is one pass over the index: each step is a difference at its begin and at its end, so a long
//! one costs no more than a short one.

mod gaps;
mod lanes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::params::{Pairs, Params};
use super::rows::find;
use super::steps::node_of;
use super::types::Timeline;
use crate::graph::NodeId;
use crate::index::OpenRun;
use crate::shape::{Part, outline};
use crate::store::Standing;
use crate::web::App;
use crate::web::refused::Refused;
use gaps::Gaps;
use lanes::Lanes;

/// So many single steps are told: as many bars as a screen can show.
pub(super) const STEPS: usize = 4_000;

/// So many bytes single steps may have, all together: else they are told as buckets.
const STEPS_BYTES: usize = 240 << 10;

/// So many columns a lane has, at least and at most.
const COLUMNS: std::ops::RangeInclusive<u64> = 50..=2_000;

/// So many columns all lanes have together: what they take as JSON stays below the bound of an answer.
const CELLS: u64 = 10_000;

/// What is asked for; times in microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    from: u64,
    /// `None` for the end of the run.
    to: Option<u64>,
    px: u64,
    node: Option<NodeId>,
}

/// Answers with what happened in a span of time.
pub(crate) async fn timeline(
    State(app): State<Arc<App>>,
    Path(run): Path<String>,
    pairs: Pairs,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let asked = Params::of(pairs, &["from", "to", "px", "lanes", "op"])?;
    asked.one_of("lanes", &[("op", ())])?;
    app.blocking(move |app| {
        app.run(&find(app, &run)?.id, |run| {
            let tag = tag(run);
            if let Some(tag) = &tag
                && headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes())
            {
                return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag.clone())]).into_response());
            }
            let answer = Json(told(run, window(run, &asked)?, STEPS));
            Ok(match tag {
                // A run that has ended may be resumed: it is asked for again, and seldom sent again.
                Some(tag) => ([(ETAG, tag), (CACHE_CONTROL, "no-cache".to_owned())], answer).into_response(),
                None => ([(CACHE_CONTROL, "no-store")], answer).into_response(),
            })
        })
    })
    .await
}

/// What an answer about a run that has ended can be known by.
fn tag(run: &OpenRun) -> Option<String> {
    let ended = matches!(run.reader().row().standing, Standing::Ended(_));
    ended.then(|| format!("\"{}-{}\"", env!("CARGO_PKG_VERSION"), run.seq()))
}

pub(super) fn window(run: &OpenRun, asked: &Params) -> Result<Window, Refused> {
    let from = seconds(asked, "from")?.unwrap_or_default();
    let to = seconds(asked, "to")?;
    if to.is_some_and(|to| to <= from) {
        return Err(Refused::malformed("`to` is not after `from`", "give a span of time, in seconds"));
    }
    let px = asked.number("px")?.unwrap_or(1_000);
    Ok(Window { from, to, px, node: node_of(run.reader().shape(), asked.one("op")?)? })
}

/// A number of seconds, in microseconds.
fn seconds(asked: &Params, name: &str) -> Result<Option<u64>, Refused> {
    let Some(text) = asked.one(name)? else { return Ok(None) };
    let seconds = text.parse().ok().filter(|seconds| (0.0..1e12).contains(seconds));
    let Some(seconds) = seconds else {
        let help = format!("write seconds since the run began, such as `{name}=12.5`");
        return Err(Refused::malformed(format!("`{name}` is `{text}`, which is no time of the run"), help));
    };
    Ok(Some((seconds * 1e6_f64) as u64))
}

/// What happened in a window: as single steps, if they are `most` or fewer.
pub(super) fn told(run: &OpenRun, window: Window, most: usize) -> Timeline {
    let (index, shape) = (run.index(), run.reader().shape());
    let nodes: Vec<_> = outline(shape)
        .into_iter()
        .filter_map(|part| match part {
            Part::Step(node) => Some(node),
            Part::Open(_) | Part::Close => None,
        })
        .filter(|node| window.node.is_none_or(|asked| asked == *node))
        .collect();
    let end = index.elapsed();
    let (from, to) = (window.from, window.to.unwrap_or(end).max(window.from + 1));
    let columns = window.px.clamp(*COLUMNS.start(), *COLUMNS.end());
    let columns = columns.min((CELLS / nodes.len().max(1) as u64).max(1));
    let mut lanes = Lanes::new(shape.nodes.len(), &nodes, columns, end, (from, to), most);
    let mut gaps = Gaps::new(end);
    index.each_bar(run.is_driven(), |bar| {
        gaps.add(bar.started, bar.took);
        lanes.add(&bar);
    });
    let (tier, width_us, lanes) = match lanes.steps(index, shape) {
        Some(lanes) => ("steps", 0, lanes),
        None => ("buckets", lanes.width(), lanes.told(shape)),
    };
    Timeline {
        tier: tier.to_owned(),
        from_us: from,
        to_us: to,
        end_us: end,
        width_us,
        gaps: gaps.told(run.summary(), shape),
        lanes,
        seq: run.seq(),
    }
}
