//! Looks at each start while a run goes on: whether the rules allow it at that moment.
//!
//! What is looked at is only what the core tells; what a step waits for is known from the
//! interpreter's report.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use fanfold::graph::{Fan, Graph, Node, NodeId, Scope, ScopeId};
use fanfold::machine::{Config, Want};
use fanfold::{Event, EventKind, Order, Path, StepName, StepRef};

use super::counters::{Counts, Deed, Sight};
use super::drive::{Start, Watch, step_name};
use super::report::{Report, StepName as Name};

/// What is known of a run while it goes on.
pub struct Legal<'a> {
    graph: &'a Graph,
    config: &'a Config,
    expected: &'a Report,
    /// Every op's step that is expected, with its place.
    places: HashMap<&'a str, (NodeId, Vec<String>)>,
    begun: HashSet<Name>,
    ended: HashMap<Name, (NodeId, Vec<String>)>,
    /// When steps that failed may be tried again.
    due: HashMap<Name, Duration>,
    /// The items that were opened, by scope.
    opened: BTreeMap<ScopeId, BTreeSet<Vec<String>>>,
    /// What keeps the items of emitters open, by scope and keys.
    prompt: BTreeMap<(ScopeId, Vec<String>), BTreeSet<&'a str>>,
    /// The steps whose fan-outs have closed.
    closed: HashSet<Name>,
    /// How often something began while nothing else went on: then the budget may be overstepped.
    alone: usize,
    cancelling: bool,
    /// What was met.
    pub deeds: Counts<Deed>,
}

impl<'a> Legal<'a> {
    /// A run that has not begun.
    pub fn new(graph: &'a Graph, config: &'a Config, expected: &'a Report) -> Self {
        let nodes: HashMap<&str, NodeId> =
            (0..).zip(&graph.nodes).map(|(id, node)| (&*node.name, NodeId(id))).collect();
        let place = |name: &'a String| {
            let parsed: StepName = name.parse().expect("every name parses back");
            (name.as_str(), (nodes[parsed.op()], parsed.keys().iter().map(ToString::to_string).collect()))
        };
        Self {
            graph,
            config,
            expected,
            places: expected.needs.keys().map(place).collect(),
            begun: HashSet::new(),
            ended: HashMap::new(),
            due: HashMap::new(),
            opened: BTreeMap::new(),
            prompt: BTreeMap::new(),
            closed: HashSet::new(),
            alone: 0,
            cancelling: false,
            deeds: Counts::default(),
        }
    }

    /// §3.1: every input is there.
    fn inputs_are_there(&self, name: &Name, before: Option<&Name>) -> Result<(), String> {
        let mut needs = self.expected.needs.get(name).into_iter().flatten();
        let is_missing =
            |need: &&Name| !self.ended.contains_key(*need) && Some(*need) != before && !self.gives_list(need);
        let missing = needs.find(is_missing);
        missing.map_or(Ok(()), |need| Err(format!("`{name}` begins before `{need}` has ended")))
    }

    /// Whether an emitter gives the items of a list: then its function has returned, though the
    /// step may not have ended.
    fn gives_list(&self, emitter: &Name) -> bool {
        self.places.get(emitter.as_str()).is_some_and(|(node, keys)| {
            let opens = |scope: &ScopeId| self.graph.scope(*scope).fan.is_some_and(|fan| fan.node() == *node);
            let mut opened = self.opened.iter().filter(|(scope, _)| opens(scope));
            self.graph.node(*node).options.streaming
                && opened.any(|(_, items)| items.iter().any(|item| item.starts_with(keys)))
        })
    }

    /// §3.5: `max_concurrent`, pools and tags.
    fn limits_are_kept(&mut self, started: NodeId, others: &[Vec<NodeId>]) -> Result<(), String> {
        let name = &self.graph.node(started).name;
        let limits = &self.config.limits;
        if others.len() >= limits.max_concurrent as usize {
            return Err(format!("`{name}` begins beside {} others", others.len()));
        }
        let node = self.graph.node(started);
        for (limit, bound) in self.bounds(node) {
            let among = |nodes: &&Vec<NodeId>| nodes.iter().any(|node| bound(self.graph.node(*node)));
            let others = others.iter().filter(among).count();
            if others >= limit as usize {
                return Err(format!("`{name}` begins beside {others} others of a limit of {limit}"));
            }
            self.deeds.note_if(others + 1 == limit as usize, Deed::LimitReached);
        }
        Ok(())
    }

    /// The limits that a node's steps count against, and who else does.
    #[expect(clippy::type_complexity, reason = "a limit and who counts against it")]
    fn bounds<'n>(&self, node: &'n Node) -> Vec<(u32, Box<dyn Fn(&Node) -> bool + 'n>)> {
        let limits = &self.config.limits;
        let mut bounds: Vec<(u32, Box<dyn Fn(&Node) -> bool>)> = Vec::new();
        let pool = node.options.pool.as_ref();
        if let Some(max) = pool.and_then(|pool| limits.pools.get(&**pool)?.max) {
            bounds.push((max, Box::new(move |other| other.options.pool.as_ref() == pool)));
        }
        for tag in &node.options.tags {
            if let Some(max) = limits.tags.get(&(tag.0.to_string(), tag.1.to_string())) {
                bounds.push((*max, Box::new(move |other| other.options.tags.contains(tag))));
            }
        }
        bounds
    }

    /// §3.4: what begins comes before all else that could begin now.
    fn is_first(&mut self, started: NodeId, others: &[Vec<NodeId>], want: Want) -> Result<(), String> {
        for (name, (node, keys)) in &self.places {
            let op = self.graph.node(*node);
            let waits = |need: &Name| !self.ended.contains_key(need);
            if self.rank(*node) >= self.rank(started)
                || self.expected.steps[*name].attempts == 0
                || self.begun.contains(*name)
                || op.op().is_none_or(|op| matches!(op.run, fanfold::define::Run::Emitter(_)))
                || want == Want::Async && !is_async(op)
                || op.scope != ScopeId::ROOT
                    && !self.opened.get(&op.scope).is_some_and(|items| items.contains(keys))
                || self.expected.needs[*name].iter().any(waits)
            {
                continue;
            }
            let full = self.bounds(op).into_iter().any(|(limit, bound)| {
                let among = |nodes: &&Vec<NodeId>| nodes.iter().any(|node| bound(self.graph.node(*node)));
                others.iter().filter(among).count() >= limit as usize
            });
            if !full {
                return Err(format!("`{}` begins before `{name}`", self.graph.node(started).name));
            }
        }
        let waits = |name: &&str| !self.begun.contains(*name);
        self.deeds.note_if(self.places.keys().any(waits), Deed::ChosenAmong);
        Ok(())
    }

    /// Lower begins first.
    fn rank(&self, node: NodeId) -> (i64, i64) {
        let node = self.graph.node(node);
        let depth = i64::from(node.depth);
        let along = if self.config.order == Order::DepthFirst { -depth } else { depth };
        (-i64::from(node.options.priority), along)
    }

    /// §3.3: an item was opened; so many may be.
    fn budget_is_kept(&mut self, scope: ScopeId) -> Result<(), String> {
        let is_open = |steps: &BTreeSet<&str>| steps.iter().any(|step| !self.ended.contains_key(*step));
        let items = self.prompt.iter().filter(|((at, _), steps)| *at == scope && is_open(steps));
        let open: Vec<_> = items.map(|((_, keys), _)| keys).collect();
        let fans: HashSet<_> = open.iter().map(|keys| &keys[..keys.len() - 1]).collect();
        let budget = self.config.open_items as usize;
        let allowed = if fans.len() > 1 { budget + fans.len() } else { budget } + self.alone;
        self.deeds.note_if(open.len() == budget, Deed::BudgetUsedUp);
        match open.len() > allowed {
            true => Err(format!("{} items are open, {open:?}, allowed are {allowed}", open.len())),
            false => Ok(()),
        }
    }

    /// The frame of an item is there: its steps keep the item open, and those around it that come
    /// out of emitters too, unless they wait for the closing of a fan-out outside of it.
    fn open(&mut self, scope: ScopeId, keys: &[String]) {
        let at_place = |(_, (node, at)): &(&&'a str, &(NodeId, Vec<String>))| {
            self.graph.node(*node).scope == scope && at == keys
        };
        let steps: Vec<_> = self.places.iter().filter(at_place).map(|(name, _)| *name).collect();
        let (mut at, mut parts) = (scope, keys.len());
        while let Scope { parent: Some(parent), fan: Some(Fan::Emitter { .. }), .. } = self.graph.scope(at) {
            let item = &keys[..parts];
            let prompt = steps.iter().filter(|step| !self.waits_outside(step, item, &mut HashSet::new()));
            let prompt: Vec<_> = prompt.copied().collect();
            self.prompt.entry((at, item.to_vec())).or_default().extend(prompt);
            (at, parts) = (*parent, parts - 1);
        }
    }

    /// Whether a step has ended and, if it emits, its fan-out has closed.
    fn is_over(&self, name: &Name) -> bool {
        let emits = |node: NodeId| {
            self.graph.scopes.iter().any(|scope| scope.fan.is_some_and(|fan| fan.node() == node))
        };
        let ended = self.ended.get(name);
        ended.is_some_and(|(node, _)| !emits(*node) || self.closed.contains(name))
    }

    fn waits_outside(&self, name: &'a str, item: &[String], seen: &mut HashSet<&'a str>) -> bool {
        let Some(needs) = self.expected.needs.get(name) else {
            // A fold or a zip: what it waits for is not known here.
            return true;
        };
        needs.iter().filter(|need| !self.is_over(need)).any(|need| {
            let closes = self.places.get(need.as_str()).is_none_or(|(node, keys)| {
                let opens = |scope: &Scope| scope.fan.is_some_and(|fan| fan.node() == *node);
                let at = self.graph.node(*node).scope;
                let outside = !keys.starts_with(item) && self.graph.scopes.iter().any(opens);
                let emitted = |scope| matches!(self.graph.scope(scope).fan, None | Some(Fan::Emitter { .. }));
                let is_there = self.opened.get(&at).is_some_and(|items| items.contains(keys));
                // When the items of a list that is held come is not known here.
                outside || !is_there && !self.graph.outwards(at).all(emitted)
            });
            closes || seen.insert(need) && self.waits_outside(need, item, seen)
        })
    }

    fn supersede(&mut self, step: &StepRef, output: u16, item: &Path) {
        // Some of these may be of the item.
        self.due.clear();
        let keys = keys(item);
        let fan = Fan::Emitter { node: step.node, output };
        let scope = self.scope_of(|other| other == fan);
        let (graph, below) =
            (self.graph, |scope, at: ScopeId, graph: &Graph| graph.outwards(at).any(|outer| outer == scope));
        self.ended.retain(|_, (node, path)| {
            !(path.starts_with(&keys) && below(scope, graph.node(*node).scope, graph))
        });
        for (at, items) in &mut self.opened {
            if below(scope, *at, graph) {
                items.retain(|path| !path.starts_with(&keys));
            }
        }
    }

    fn scope_of(&self, fits: impl Fn(Fan) -> bool) -> ScopeId {
        let found = self.graph.scopes.iter().position(|scope| scope.fan.is_some_and(&fits));
        ScopeId(found.expect("it opens a scope") as u32)
    }

    /// Whether what is expected of single steps is known at any time: nothing is superseded.
    fn is_plain(&self) -> bool {
        self.expected.seen.count(Sight::RetriedEmitter) == 0
    }

    fn end(&mut self, step: &StepRef) {
        self.ended.insert(step_name(self.graph, step), (step.node, keys(&step.path)));
    }
}

impl Watch for Legal<'_> {
    fn begins(
        &mut self,
        now: Duration,
        starts: &[Start<'_>],
        others: &[Vec<NodeId>],
        want: Want,
    ) -> Result<(), String> {
        if self.cancelling {
            return Err("something begins in a run that is being cancelled".to_owned());
        }
        self.alone += usize::from(others.is_empty());
        let first = starts[0].step.node;
        self.limits_are_kept(first, others)?;
        let plain = self.is_plain();
        // What waits for items that are held, or not opened for want of room, is not known here.
        let all_opened = self.config.open_items >= 1_024 && self.expected.seen.count(Sight::Product) == 0;
        let mut before = None;
        for Start { step, fed } in starts {
            let name = step_name(self.graph, step);
            if plain && !fed && all_opened {
                self.is_first(step.node, others, want)?;
            }
            if self.due.remove(&name).is_some_and(|due| now < due) {
                return Err(format!("`{name}` is tried again too early"));
            }
            self.inputs_are_there(&name, before.as_ref().filter(|_| *fed))?;
            self.begun.insert(name.clone());
            before = Some(name);
        }
        Ok(())
    }

    fn told(&mut self, event: &Event) -> Result<(), String> {
        match &event.kind {
            EventKind::StepSucceeded { step, .. }
            | EventKind::StepFailed { step, .. }
            | EventKind::StepNotRun { step, .. } => self.end(step),
            EventKind::AttemptFailed { step, due, .. } => {
                self.due.insert(step_name(self.graph, step), *due);
            }
            EventKind::ItemYielded { step, output, item, .. } => {
                let scope = self.scope_of(|fan| match fan {
                    Fan::Emitter { node, output: of } => node == step.node && of == *output,
                    Fan::Held(node) | Fan::Zip(node) => node == step.node,
                });
                self.opened.entry(scope).or_default().insert(keys(item));
                // The items of an emitter that holds them back are told together, and opened later.
                let node = self.graph.node(step.node);
                let streams = node.options.streaming || !matches!(node.kind, fanfold::graph::NodeKind::Op(_));
                if self.config.open_items <= 16 && streams && self.is_plain() {
                    self.open(scope, &keys(item));
                    self.budget_is_kept(scope)?;
                }
            }
            EventKind::ItemSuperseded { step, output, item, .. } => self.supersede(step, *output, item),
            EventKind::FanOutClosed { step, .. } => drop(self.closed.insert(step_name(self.graph, step))),
            EventKind::RunCancelling { .. } => self.cancelling = true,
            _ => {}
        }
        Ok(())
    }
}

fn is_async(node: &Node) -> bool {
    node.op().is_some_and(|op| matches!(op.run, fanfold::define::Run::Async(_)))
}

fn keys(path: &Path) -> Vec<String> {
    path.keys().iter().map(ToString::to_string).collect()
}
