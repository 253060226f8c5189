//! The tables that a graph is run by: made once, so that a step costs only its own edges.
//!
//! Each scope becomes a template of a frame: **slots** for the values that its instances hold, and
//! **tasks** for what is done in them. A task is a node of the scope, or the delivery of an
//! instance's value to a gather further out.

mod absorb;
mod late;

use std::sync::Arc;

use crate::define::{OpDef, OutputKind, Run};
use crate::graph::{Fan, Gather, Graph, Input, Node, NodeId, NodeKind, ScopeId, Source, ZipSide};
use crate::options::Order;

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) graph: Arc<Graph>,
    pub(crate) scopes: Vec<ScopePlan>,
    /// Where each node's task stands in its scope.
    pub(crate) task_of: Vec<u32>,
    /// In which order ready steps of each node start: lower first.
    pub(crate) rank_of: Vec<u32>,
    /// How many ranks there are.
    pub(crate) ranks: u32,
    /// Whether something that reads a node has a higher priority: it must not wait for other steps
    /// of the node.
    pub(crate) hurried: Vec<bool>,
    /// Whether a failure of each node is taken, on every way on from it, by a `collect_results`.
    pub(crate) absorbed: Vec<bool>,
    /// The scopes whose items may be given again, with other values, by another attempt.
    pub(crate) again: Vec<bool>,
    /// Those scopes and all below them.
    pub(crate) pinned: Vec<bool>,
}

#[derive(Debug, Default)]
pub(crate) struct ScopePlan {
    /// The slots of an instance: those of its item first.
    pub(crate) slots: Vec<SlotPlan>,
    pub(crate) items: u32,
    pub(crate) tasks: Vec<TaskPlan>,
    pub(crate) children: Vec<ScopeId>,
    /// How many gathers and how many zips an instance holds.
    pub(crate) gathers: u32,
    pub(crate) zips: u32,
    /// Who is told when a fan-out of this scope has all its items.
    pub(crate) counted_by: Vec<Counted>,
    /// The slots of the frame around that a fan-out over this scope keeps until it has ended.
    pub(crate) keeps: Vec<u32>,
    /// Values from further out that come only when some fan-out has closed. An instance that still
    /// waits for one of them is not open once all else in it has ended.
    pub(crate) late_values: Vec<Place>,
    /// Which of these each of `children` waits for before it opens its first item.
    pub(crate) late_children: Vec<Vec<u32>>,
}

/// A gather, or one side of a zip, that counts the instances of a scope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    /// How many frames out it lies from the frame that holds the fan-out.
    pub(crate) up: u32,
    pub(crate) target: Target,
    /// Which level of its chain the fan-out is.
    pub(crate) level: u32,
}

/// Where a delivery goes, within a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A gather: its task, and its place among the frame's gathers.
    Gather { task: u32, index: u32 },
    /// One side of a zip.
    Zip { task: u32, index: u32, right: bool },
}

#[derive(Debug, Default, Clone)]
pub(crate) struct SlotPlan {
    /// The tasks of the same frame that wait for it; once for each time that they read it.
    pub(crate) readers: Vec<u32>,
    /// The tasks of frames below that wait for it.
    pub(crate) below: Vec<Below>,
    /// How many readers keep the value: tasks of the frame, fan-outs below, the job's result.
    pub(crate) uses: u32,
}

/// A task some frames below.
#[derive(Debug, Clone)]
pub(crate) struct Below {
    /// The way down, as places among each frame's children.
    pub(crate) way: Vec<u32>,
    pub(crate) task: u32,
}

/// Where a value is read from, seen from a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Slot { up: u32, slot: u32 },
    Constant(u32),
    Argument(u32),
}

#[derive(Debug)]
pub(crate) struct TaskPlan {
    /// The node; for a delivery, the gather's or the zip's.
    pub(crate) node: NodeId,
    pub(crate) kind: TaskKind,
    /// What its parameters read.
    pub(crate) params: Vec<Param>,
    /// What it waits for and does not read as a parameter.
    pub(crate) after: Vec<Place>,
    /// Its slots: one for each output, from here on.
    pub(crate) slot: u32,
    pub(crate) slots: u32,
    /// How many reads of its own frame it waits for at the start.
    pub(crate) missing: u32,
    /// The slots of its own frame that it reads, once for each read.
    pub(crate) own: Vec<u32>,
    /// Places further out that it waits for, once for each read.
    pub(crate) outer: Vec<Place>,
    /// A task of the same frame that a worker may go on with at once.
    pub(crate) next: Option<u32>,
    /// Which of the scope's late values the task waits for.
    pub(crate) late: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(crate) enum Param {
    One { place: Place, optional: bool },
    List(Vec<Place>),
    Nothing,
}

impl Param {
    pub(crate) fn places(&self) -> &[Place] {
        match self {
            Self::One { place, .. } => std::slice::from_ref(place),
            Self::List(places) => places,
            Self::Nothing => &[],
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum TaskKind {
    /// Runs an op.
    Op { op: &'static OpDef, single: bool },
    /// Fires when all that it gathers has come.
    Gather { index: u32, gather: Gather },
    /// Pairs two dynamic outputs.
    Zip { index: u32 },
    /// Hands what it reads to a gather or a zip some frames out.
    Deliver { up: u32, target: Target },
    /// Opens the items of a held list as a fan-out: number `child` of the frame.
    Open { child: u32 },
}

impl TaskPlan {
    /// The parameter that reads a slot of the task's own frame, alone.
    pub(crate) fn parameter_of(&self, slot: u32) -> Option<u32> {
        let reads = |param: &Param| matches!(param, Param::One { place: Place::Slot { up: 0, slot: read }, .. } if *read == slot);
        self.params.iter().position(reads).map(|parameter| parameter as u32)
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        self.params.iter().flat_map(Param::places).chain(&self.after).copied()
    }
}

impl Plan {
    pub(crate) fn new(graph: Arc<Graph>, order: Order) -> Self {
        let mut plan = Self {
            scopes: graph
                .scopes
                .iter()
                .map(|scope| ScopePlan {
                    items: scope.items.len() as u32,
                    slots: vec![SlotPlan::default(); scope.items.len()],
                    children: scope.children.clone(),
                    ..ScopePlan::default()
                })
                .collect(),
            task_of: vec![0; graph.nodes.len()],
            rank_of: Vec::new(),
            ranks: 0,
            hurried: vec![false; graph.nodes.len()],
            absorbed: Vec::new(),
            again: Vec::new(),
            pinned: Vec::new(),
            graph: Arc::clone(&graph),
        };
        plan.rank(order);
        plan.find_hurried();
        plan.pin();
        plan.allot_slots();
        plan.add_tasks();
        plan.add_deliveries();
        plan.add_openers();
        plan.link();
        late::find(&mut plan);
        plan.absorbed = absorb::find(&plan);
        if order == Order::DepthFirst {
            plan.find_next();
        }
        plan
    }

    pub(crate) fn scope(&self, scope: ScopeId) -> &ScopePlan {
        &self.scopes[scope.index()]
    }

    pub(crate) fn node(&self, node: NodeId) -> &Node {
        self.graph.node(node)
    }

    /// Ready steps start by rank: priority first, then how far along they are.
    fn rank(&mut self, order: Order) {
        let key = |node: &Node| {
            let depth = i64::from(node.depth);
            let along = match order {
                Order::DepthFirst => -depth,
                Order::BreadthFirst => depth,
            };
            (-i64::from(node.options.priority), along)
        };
        let mut keys: Vec<_> = self.graph.nodes.iter().map(key).collect();
        let all = keys.clone();
        keys.sort_unstable();
        keys.dedup();
        self.ranks = keys.len() as u32;
        self.rank_of = all.iter().map(|key| keys.binary_search(key).unwrap_or_default() as u32).collect();
    }

    fn find_hurried(&mut self) {
        let graph = Arc::clone(&self.graph);
        for node in &graph.nodes {
            for source in node.inputs.iter().flat_map(Input::sources).chain(&node.after) {
                if let Source::Output(read, _) = source {
                    self.hurried[read.index()] |= node.options.priority > graph.node(*read).options.priority;
                }
            }
        }
    }

    /// Below an emitter that may be tried again nothing is final before it has ended.
    fn pin(&mut self) {
        for scope in &self.graph.scopes {
            let outer = scope.parent.is_some_and(|parent| self.pinned[parent.index()]);
            let own = scope.fan.is_some_and(|fan| {
                matches!(fan, Fan::Emitter { .. }) && super::emit::tries_again(self.graph.node(fan.node()))
            });
            self.again.push(own);
            self.pinned.push(outer || own);
        }
    }

    fn allot_slots(&mut self) {
        let graph = Arc::clone(&self.graph);
        for (index, node) in graph.nodes.iter().enumerate() {
            let scope = &mut self.scopes[node.scope.index()];
            self.task_of[index] = scope.tasks.len() as u32;
            let (kind, outputs) = match &node.kind {
                NodeKind::Op(op) => {
                    let single = op.outputs.len() <= 1;
                    (TaskKind::Op { op, single }, op.outputs.len().max(1))
                }
                NodeKind::Gather { gather, .. } => {
                    scope.gathers += 1;
                    (TaskKind::Gather { index: scope.gathers - 1, gather: *gather }, 1)
                }
                NodeKind::Zip { .. } => {
                    scope.zips += 1;
                    (TaskKind::Zip { index: scope.zips - 1 }, 1)
                }
            };
            scope.tasks.push(TaskPlan {
                node: NodeId(index as u32),
                kind,
                params: Vec::new(),
                after: Vec::new(),
                slot: scope.slots.len() as u32,
                slots: outputs as u32,
                missing: 0,
                own: Vec::new(),
                outer: Vec::new(),
                next: None,
                late: Vec::new(),
            });
            scope.slots.resize(scope.slots.len() + outputs, SlotPlan::default());
        }
    }

    /// Where `source` is, seen from a frame of `scope`.
    pub(crate) fn place(&self, scope: ScopeId, source: Source) -> Place {
        let (at, slot) = match source {
            Source::Constant(index) => return Place::Constant(index),
            Source::Argument(index) => return Place::Argument(index),
            Source::Item(at, part) => (at, u32::from(part)),
            Source::Output(node, output) => {
                let at = self.node(node).scope;
                let task = &self.scope(at).tasks[self.task_of[node.index()] as usize];
                (at, task.slot + u32::from(output))
            }
        };
        Place::Slot { up: self.up(scope, at), slot }
    }

    /// How many scopes `outer` lies around `inner`.
    fn up(&self, inner: ScopeId, outer: ScopeId) -> u32 {
        self.graph
            .outwards(inner)
            .position(|scope| scope == outer)
            .expect("sources lie in scopes around their readers") as u32
    }

    fn add_tasks(&mut self) {
        let graph = Arc::clone(&self.graph);
        for (index, node) in graph.nodes.iter().enumerate() {
            let optional = |parameter: usize| match node.kind {
                NodeKind::Op(op) => op.params.get(parameter).is_some_and(|param| param.optional),
                _ => false,
            };
            let params = node
                .inputs
                .iter()
                .enumerate()
                .map(|(parameter, input)| match input {
                    Input::One(source) => {
                        Param::One { place: self.place(node.scope, *source), optional: optional(parameter) }
                    }
                    Input::List(sources) => {
                        Param::List(sources.iter().map(|source| self.place(node.scope, *source)).collect())
                    }
                    Input::Nothing => Param::Nothing,
                })
                .collect();
            let after = node.after.iter().map(|source| self.place(node.scope, *source)).collect();
            let task = self.task_of[index] as usize;
            let task = &mut self.scopes[node.scope.index()].tasks[task];
            task.params = params;
            task.after = after;
        }
    }

    fn add_deliveries(&mut self) {
        let graph = Arc::clone(&self.graph);
        for (index, node) in graph.nodes.iter().enumerate() {
            let id = NodeId(index as u32);
            let task = self.task_of[index];
            match (&node.kind, self.scope(node.scope).tasks[task as usize].kind) {
                (NodeKind::Gather { chain, items, .. }, TaskKind::Gather { index, .. }) => {
                    self.deliver(id, chain, items, Target::Gather { task, index });
                }
                (NodeKind::Zip { left, right }, TaskKind::Zip { index }) => {
                    for (side, right) in [(left, false), (right, true)] {
                        self.deliver_side(id, node.scope, side, Target::Zip { task, index, right });
                    }
                }
                _ => {}
            }
        }
    }

    fn deliver_side(&mut self, zip: NodeId, scope: ScopeId, side: &ZipSide, target: Target) {
        if side.chain.is_empty() {
            // The side is held: it comes whole, to the frame of the zip itself.
            let params = vec![Param::One { place: self.place(scope, side.item), optional: false }];
            self.push_delivery(scope, zip, 0, target, params);
        } else {
            self.deliver(zip, &side.chain, &[side.item], target);
        }
    }

    fn deliver(&mut self, node: NodeId, chain: &[ScopeId], items: &[Source], target: Target) {
        for (level, scope) in (0..).zip(chain) {
            self.scopes[scope.index()].counted_by.push(Counted { up: level, target, level });
        }
        let innermost = *chain.last().expect("a dynamic output lies in a fan-out");
        let params = items
            .iter()
            .map(|source| Param::One { place: self.place(innermost, *source), optional: false })
            .collect();
        self.push_delivery(innermost, node, chain.len() as u32, target, params);
    }

    fn push_delivery(&mut self, scope: ScopeId, node: NodeId, up: u32, target: Target, params: Vec<Param>) {
        self.push_task(scope, node, TaskKind::Deliver { up, target }, params);
    }

    /// One task in each frame that opens a held list.
    fn add_openers(&mut self) {
        let graph = Arc::clone(&self.graph);
        for (index, scope) in graph.scopes.iter().enumerate() {
            if let (Some(Fan::Held(held)), Some(parent)) = (scope.fan, scope.parent) {
                let child = graph.scope(parent).children.iter().position(|child| child.index() == index);
                let child = child.expect("a scope is a child of its parent") as u32;
                let place = self.place(parent, Source::Output(held, 0));
                self.push_task(
                    parent,
                    held,
                    TaskKind::Open { child },
                    vec![Param::One { place, optional: false }],
                );
            }
        }
    }

    fn push_task(&mut self, scope: ScopeId, node: NodeId, kind: TaskKind, params: Vec<Param>) {
        self.scopes[scope.index()].tasks.push(TaskPlan {
            node,
            kind,
            params,
            after: Vec::new(),
            slot: 0,
            slots: 0,
            missing: 0,
            own: Vec::new(),
            outer: Vec::new(),
            next: None,
            late: Vec::new(),
        });
    }

    /// Tells every slot who reads it.
    fn link(&mut self) {
        for scope in 0..self.scopes.len() {
            for task in 0..self.scopes[scope].tasks.len() {
                let places: Vec<_> = self.scopes[scope].tasks[task].places().collect();
                for place in places {
                    self.link_read(scope, task, place);
                }
            }
        }
        for result in self.graph.results.clone() {
            if let Some(source @ (Source::Output(..) | Source::Item(..))) = result.source
                && let Place::Slot { slot, .. } = self.place(ScopeId::ROOT, source)
            {
                self.scopes[0].slots[slot as usize].uses += 1;
            }
        }
    }

    fn link_read(&mut self, scope: usize, task: usize, place: Place) {
        let Place::Slot { up, slot } = place else { return };
        if up == 0 {
            let plan = &mut self.scopes[scope];
            let target = &mut plan.slots[slot as usize];
            target.uses += 1;
            target.readers.push(task as u32);
            plan.tasks[task].own.push(slot);
            // An item is there from the first.
            plan.tasks[task].missing += u32::from(slot >= plan.items);
            return;
        }
        self.scopes[scope].tasks[task].outer.push(place);
        let inner = ScopeId(scope as u32);
        let outer = self.graph.outwards(inner).nth(up as usize).expect("a place lies in a scope around");
        let way = self.way(inner, up);
        self.scopes[outer.index()].slots[slot as usize].below.push(Below { way, task: task as u32 });
        self.use_from_below(inner, up, slot);
    }

    /// The value is kept until the fan-out, in its own frame, that the reader lies under has ended.
    fn use_from_below(&mut self, inner: ScopeId, up: u32, slot: u32) {
        let outer = self.graph.outwards(inner).nth(up as usize).expect("a place lies in a scope around");
        let child = self.graph.outwards(inner).nth(up as usize - 1).expect("a place lies in a scope around");
        let plan = &mut self.scopes[child.index()];
        if !plan.keeps.contains(&slot) {
            plan.keeps.push(slot);
            self.scopes[outer.index()].slots[slot as usize].uses += 1;
        }
    }

    /// The scope at the end of a way down from `scope`.
    pub(crate) fn way_down(&self, scope: ScopeId, way: &[u32]) -> ScopeId {
        way.iter().fold(scope, |scope, child| self.scope(scope).children[*child as usize])
    }

    /// The way from the scope `up` scopes out down to `inner`, as places among children.
    fn way(&self, inner: ScopeId, up: u32) -> Vec<u32> {
        let mut way: Vec<_> = self
            .graph
            .outwards(inner)
            .take(up as usize)
            .map(|scope| {
                let parent =
                    self.graph.scope(scope).parent.expect("a scope that is passed on the way has a parent");
                let child = self.graph.scope(parent).children.iter().position(|child| *child == scope);
                child.expect("a scope is a child of its parent") as u32
            })
            .collect();
        way.reverse();
        way
    }

    /// A worker that has ended a step goes on with the one step that only waited for it: an item
    /// is finished while it is warm, and nobody is asked in between.
    fn find_next(&mut self) {
        for scope in 0..self.scopes.len() {
            let plan = &self.scopes[scope];
            let nexts: Vec<_> = plan.tasks.iter().map(|task| self.next_of(plan, task)).collect();
            for (task, next) in self.scopes[scope].tasks.iter_mut().zip(nexts) {
                task.next = next;
            }
        }
    }

    fn next_of(&self, plan: &ScopePlan, task: &TaskPlan) -> Option<u32> {
        let node = self.node(task.node);
        if !matches!(task.kind, TaskKind::Op { single: true, .. }) || !runs_in_batches(node) {
            return None;
        }
        let mut steps = plan.slots[task.slot as usize]
            .readers
            .iter()
            .copied()
            .filter(|reader| matches!(plan.tasks[*reader as usize].kind, TaskKind::Op { .. }));
        let (next, others) = (steps.next()?, steps.next());
        let reader = self.node(plan.tasks[next as usize].node);
        let alike = runs_in_batches(reader) && reader.options.priority == node.options.priority;
        (others.is_none() && alike).then_some(next)
    }
}

/// Whether a worker may run steps of this node one after another, without asking in between.
pub(crate) fn runs_in_batches(node: &Node) -> bool {
    let NodeKind::Op(op) = node.kind else { return false };
    let plain = node.options.pool.is_none() && node.options.tags.is_empty() && node.options.timeout.is_none();
    plain && matches!(op.run, Run::Sync(_))
}

/// Whether an op has a dynamic output.
pub(crate) fn is_emitter(op: &OpDef) -> bool {
    op.outputs.iter().any(|output| output.kind == OutputKind::Dynamic)
}
