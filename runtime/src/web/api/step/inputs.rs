//! What a step read: which step, item or argument gave it, and what it was.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::near::{Near, Region};
use super::shown::{PREVIEW, Room};
use crate::event::StepState;
use crate::given::given;
use crate::graph::{Graph, NodeId, NodeKind, ScopeId, Source, build};
use crate::index::Ending;
use crate::record::values;
use crate::report::words::counted;
use crate::web::api::rows::job;
use crate::web::api::types::Input;
use crate::web::refused::Refused;

/// How many inputs are told: a job's body may have a list of any length.
const MOST: usize = 50;

/// How long commits are read for values of inputs.
const READING: Duration = Duration::from_millis(20);

/// Something that a node reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    /// An output of a node, where it is known which.
    Output(NodeId, Option<u16>),
    /// The item that the step lies in.
    Item(ScopeId),
    Argument(usize),
    /// A value that stands in the job's body.
    Constant,
}

/// What gave an input.
struct Given {
    regions: Vec<Region>,
    /// The step, if it is a single one.
    place: Option<u32>,
}

/// What a step read.
pub(super) fn inputs(near: &Near<'_>, room: &mut Room) -> Result<Vec<Input>, Refused> {
    let mut reads = reads(near);
    reads.truncate(MOST);
    let given: Vec<_> = reads.iter().map(|read| given_by(near, *read)).collect();
    let places: Vec<_> = given.iter().filter_map(|given| given.place).collect();
    let endings = near.run.endings(&places, Instant::now() + READING)?;
    let input = |(read, given): (Read, Given)| match read {
        Read::Output(_, output) => of_step(near, &given, output, &endings, room),
        Read::Item(scope) => of_item(near, &given, scope, room),
        Read::Argument(number) => Ok(of_argument(near, number, room)),
        Read::Constant => Ok(plain("a value in the job's body")),
    };
    reads.into_iter().zip(given).map(input).collect()
}

fn plain(from: impl Into<String>) -> Input {
    Input { from: from.into(), step: None, value: None }
}

/// What the node reads: as its job says, if the program has it as it was; else as far as is recorded.
fn reads(near: &Near<'_>) -> Vec<Read> {
    let graph = job(&near.shape().job).and_then(|job| build::build(job).ok());
    match graph.filter(|graph| graph.shape() == *near.shape()) {
        Some(graph) => reads_of_graph(near, &graph),
        None => near.reads().iter().map(|read| near_read(near, *read)).collect(),
    }
}

fn reads_of_graph(near: &Near<'_>, graph: &Graph) -> Vec<Read> {
    let node = graph.node(near.node);
    let mut sources: Vec<_> = node.inputs.iter().flat_map(|input| input.sources()).copied().collect();
    match &node.kind {
        NodeKind::Op(_) => {}
        NodeKind::Gather { items, .. } => sources.extend(items),
        NodeKind::Zip { left, right } => sources.extend([left.item, right.item]),
    }
    let read = |source: &Source| match *source {
        Source::Output(node, output) => Read::Output(node, Some(output)),
        Source::Item(scope, _) => {
            let opener = near.shape().scope(scope).fan.map(|(node, _)| node);
            opener.map_or(Read::Constant, |opener| near_read(near, opener))
        }
        Source::Argument(number) => Read::Argument(number as usize),
        Source::Constant(_) => Read::Constant,
    };
    let mut reads: Vec<_> = sources.iter().map(read).collect();
    reads.dedup();
    reads
}

/// What is read of a node of which only that is known: the item that it opened, if the step lies in one.
fn near_read(near: &Near<'_>, read: NodeId) -> Read {
    let shape = near.shape();
    let mut around = shape.outwards(shape.node(near.node).scope);
    let opened = around.find(|scope| shape.scope(*scope).fan.is_some_and(|(opener, _)| opener == read));
    opened.map_or(Read::Output(read, None), Read::Item)
}

fn given_by(near: &Near<'_>, read: Read) -> Given {
    let node = match read {
        Read::Output(node, _) => Some(node),
        Read::Item(scope) => near.shape().scope(scope).fan.map(|(node, _)| node),
        Read::Argument(_) | Read::Constant => None,
    };
    let Some(node) = node else { return Given { regions: Vec::new(), place: None } };
    let regions = near.behind(node);
    let mut place = None;
    if let [region] = regions.as_slice()
        && region.node == node
        && !near.is_growing(region)
    {
        let mut steps = near.steps(region).map(|(place, _)| place);
        place = steps.next().filter(|_| steps.next().is_none());
    }
    Given { regions, place }
}

fn of_step(
    near: &Near<'_>,
    Given { regions, place }: &Given,
    output: Option<u16>,
    endings: &HashMap<u32, Ending>,
    room: &mut Room,
) -> Result<Input, Refused> {
    let Some(place) = *place else {
        let all = regions.iter().map(|region| {
            let steps = near.counts(region).iter().sum();
            format!("{} of {}", counted(steps, "step", "steps"), near.shape().node(region.node).name)
        });
        return Ok(plain(all.collect::<Vec<_>>().join(", ")));
    };
    let index = near.run.index();
    let node = near.shape().node(index.numbers(place).0);
    let record = endings.get(&place).map(|ending| ending.record.as_slice()).unwrap_or_default();
    let given = given(node, record).map_err(|error| Refused::broken(error.to_string()))?;
    let mut singles = given.outputs.iter().enumerate().filter(|(_, (output, _))| !output.dynamic);
    let found = match output {
        Some(number) => singles.find(|(place, _)| *place == usize::from(number)),
        None => singles.next().filter(|_| singles.next().is_none()),
    };
    let name = index.name(place);
    let from = match found {
        Some((_, (output, _))) if node.outputs.len() > 1 => format!("{name}: {}", output.name),
        _ => name,
    };
    let value = found.and_then(|(_, (_, value))| *value);
    let value = value.map(|value| room.show(near.run.reader(), value, PREVIEW)).transpose()?.flatten();
    Ok(Input { from, step: Some(link(near, place)), value })
}

fn of_item(near: &Near<'_>, given: &Given, scope: ScopeId, room: &mut Room) -> Result<Input, Refused> {
    let (index, shape, reader) = (near.run.index(), near.shape(), near.run.reader());
    let item = index.around(near.item, scope).unwrap_or_default();
    let key = index.path(item).key().map(ToString::to_string).unwrap_or_default();
    let opener = shape.scope(scope).fan.map(|(node, _)| shape.node(node).name.to_string());
    let name = given.place.map(|place| index.name(place)).or(opener).unwrap_or_default();
    let record = reader.item_record(near.run.heads(), item)?;
    let parts = values::read(&record).map_err(|error| Refused::broken(error.to_string()))?;
    let value = parts.values.first().map(|value| room.show(reader, *value, PREVIEW)).transpose()?.flatten();
    let step = given.place.map(|place| link(near, place));
    Ok(Input { from: format!("item {key} of {name}"), step, value })
}

fn link(near: &Near<'_>, place: u32) -> crate::web::api::types::StepLink {
    let state = near.run.index().state_of(place, near.run.is_driven());
    near.link(place, state.unwrap_or(StepState::Waiting))
}

fn of_argument(near: &Near<'_>, number: usize, room: &mut Room) -> Input {
    let facts = near.run.reader().facts();
    let Some((name, value)) = facts.args.get(number) else { return plain("an argument") };
    if facts.secrets.contains(name) {
        return plain(format!("argument {name}, which is secret"));
    }
    let value = room.cut(value.to_string().as_bytes(), PREVIEW);
    Input { from: format!("argument {name}"), step: None, value: Some(value) }
}
