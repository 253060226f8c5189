//! Recorded runs: begun, resumed, run again, cancelled and read through one handle on a store. The
//! binary's commands use nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::changes::{Change, changes};
use crate::check::JobError;
use crate::crash::crash_point;
use crate::define::{ArgForm, JobDef};
use crate::engine::{RunHandle, Session, StartError, from_hand, run_id, start_session};
use crate::event::{RunState, StepRef};
use crate::graph::{Graph, NodeId};
use crate::machine::{Recall, Suspects};
use crate::record::facts::{FACTS_VERSION, RunFacts};
use crate::record::{Facts, FactsError, Past, ReadError, Reader, RecordError};
use crate::run::{RunOptions, Sink};
use crate::select::{Count, Expr, Missing, SelectError, Selection};
use crate::shape::Shape;
use crate::store::{Commit, Drive, NewRun, RunFilter, RunRow, Standing, Store, StoreError};
use crate::summary::Summary;
use crate::value::AnyValue;

/// The recorded runs of a store.
///
/// ```
/// use std::sync::Arc;
/// use fanfold::{prelude::*, runs::Runs, store::MemoryStore};
///
/// #[op]
/// fn greet(name: &str) -> String {
///     format!("hello {name}")
/// }
///
/// #[job]
/// fn greeting(name: Out<String>) -> Out<String> {
///     greet(name)
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runs = Runs::of(Arc::new(MemoryStore::new()));
/// let text = greeting::job().args(("you".to_string(),)).record(&runs).run().await?;
/// assert_eq!(text, "hello you");
/// assert_eq!(runs.list(&Default::default())?.len(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Runs {
    store: Arc<dyn Store>,
}

/// How a recorded run is begun, or goes on.
#[derive(Default)]
pub struct Begin {
    /// Limits and the like: what is said here beats what the run was begun with.
    pub options: RunOptions,
    /// Who is told what happens.
    pub sinks: Vec<Box<dyn Sink>>,
    /// Tags of the run: name and value. For a new run.
    pub tags: Vec<(String, String)>,
    /// The id of a new run; a random one if `None`.
    pub id: Option<String>,
    /// The values of secret arguments, by name: they are recorded nowhere. For a run that goes on.
    pub secrets: BTreeMap<&'static str, AnyValue>,
    /// Takes the run from a process that lives and has not moved for a while.
    pub take_over: bool,
    /// Runs steps again that were found to kill the process.
    pub retry_poison: bool,
}

/// Why a recorded run could not be begun, resumed or run again.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RunsError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is recorded of the run cannot be read.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The record is not what was written.
    #[error("the record of run {run} cannot be read: {error}; `doctor` says more")]
    Record {
        /// The run.
        run: String,
        /// What is wrong.
        error: RecordError,
    },
    /// The record cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The program has no such job.
    #[error("run {run} is of job `{job}`, which this program does not have")]
    NoJob {
        /// The run.
        run: String,
        /// The job.
        job: String,
    },
    /// The graph of the job cannot be built.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The job has changed since the run was begun.
    #[error("job `{job}` has changed since run {run} was begun, so it cannot be resumed:{}\nhelp: `rerun {run}` makes a new run and takes from this one what still fits", lines(.changes))]
    Changed {
        /// The run.
        run: String,
        /// The job.
        job: String,
        /// What differs.
        changes: Vec<Change>,
    },
    /// The run has nothing to resume.
    #[error("run {run} has succeeded: there is nothing to resume; `rerun {run}` runs it again")]
    Succeeded {
        /// The run.
        run: String,
    },
    /// An argument cannot be read any more, or a secret one was not given.
    #[error("argument `{name}` of run {run}: {why}")]
    Argument {
        /// The run.
        run: String,
        /// The argument.
        name: String,
        /// Why.
        why: String,
    },
    /// A selection.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A selected step needs what the run before did not give.
    #[error("{}", missing(.run, .steps))]
    Missing {
        /// The run before.
        run: String,
        /// The steps that did not succeed in it.
        steps: Vec<Missing>,
    },
    /// The run did not begin.
    #[error(transparent)]
    Start(#[from] StartError),
}

fn lines(changes: &[Change]) -> String {
    changes.iter().map(|change| format!("\n  {change}")).collect()
}

/// How many missing steps an error names.
const NAMED: usize = 5;

fn missing(run: &str, steps: &[Missing]) -> String {
    let named: String = steps.iter().map(|step| format!("\n  {step}")).collect();
    format!("what is selected needs steps that did not succeed in run {run}:{named}")
}

/// What a rerun would do.
#[derive(Debug)]
pub struct Rerun {
    runs: Runs,
    parent: String,
    graph: Arc<Graph>,
    facts: Facts,
    past: Arc<Past>,
    selection: Arc<Selection>,
    count: Count,
}

impl Runs {
    /// The runs of a store.
    pub fn of(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn list(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        self.store.runs(filter)
    }

    /// Asks whoever drives a run to cancel it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn cancel(&self, run: &str, reason: &str) -> Result<(), StoreError> {
        self.store.request_cancel(run, reason)
    }

    /// Begins a recorded run in the tokio runtime of the caller.
    ///
    /// # Errors
    /// The store cannot be written, or the run cannot begin.
    pub(crate) async fn begin(
        &self,
        graph: Arc<Graph>,
        args: Vec<AnyValue>,
        begin: Begin,
    ) -> Result<RunHandle, RunsError> {
        let drive = self.enter(&graph, &args, &begin, None)?;
        let session =
            Session { drive, recall: None, summary: None, in_hand: vec![], suspects: Suspects::default() };
        Ok(start_session(graph, args, begin.options, begin.sinks, Some(session)).await?)
    }

    /// Enters a new run into the catalogue.
    fn enter(
        &self,
        graph: &Graph,
        args: &[AnyValue],
        begin: &Begin,
        parent: Option<&str>,
    ) -> Result<Arc<dyn Drive>, StoreError> {
        let defs = graph.job.args;
        let secret = |form| form == ArgForm::Secret;
        let facts = Facts {
            version: FACTS_VERSION,
            program: std::env::args().next().unwrap_or_default(),
            shape: graph.shape(),
            args: defs.iter().zip(args).map(|(def, arg)| (def.name.to_owned(), (def.to_json)(arg))).collect(),
            secrets: defs.iter().filter(|def| secret(def.form)).map(|def| def.name.to_owned()).collect(),
            options: run_facts(graph, &begin.options),
        };
        self.store.create(NewRun {
            id: begin.id.clone().unwrap_or_else(run_id),
            job: graph.job.name.to_owned(),
            started: SystemTime::now(),
            parent: parent.map(str::to_owned),
            facts: facts.to_json(),
            tags: begin.tags.clone(),
        })
    }

    /// What is known of a run from the first.
    ///
    /// # Errors
    /// There is no such run, or it cannot be read.
    pub fn facts(&self, run: &str) -> Result<Facts, RunsError> {
        Ok(Facts::read(run, &self.store.run(run)?.facts)?)
    }

    /// Goes on with a run that has failed, was cancelled, or whose process died: everything that has
    /// not succeeded runs again (§5.2). `run` is its whole id.
    ///
    /// # Errors
    /// There is no such run, another process drives it, it has succeeded, or its job has changed.
    pub async fn resume(&self, run: &str, mut begin: Begin) -> Result<RunHandle, RunsError> {
        let (facts, graph) = self.resumable(run)?;
        let args = args_of(run, &facts, graph.job, &mut begin.secrets)?;
        let drive = self.store.drive(run, begin.take_over)?;
        crash_point!("resume_taken");
        let mut past = self.past(run, &facts)?;
        past.goes_on_at(SystemTime::now());
        let past = Arc::new(past);
        let summary = self.summary(run, &facts)?;
        crash_point!("resume_known");
        let in_hand = in_hand(&drive, &past);
        let suspects = suspects(&past, &in_hand, begin.retry_poison);
        let recall = Recall { past, selection: None };
        let recall = Some((recall, Arc::clone(&self.store), run.to_owned()));
        let session = Session { drive, recall, summary: Some(summary), in_hand, suspects };
        let options = options_of(&facts.options, begin.options);
        Ok(start_session(graph, args, options, begin.sinks, Some(session)).await?)
    }

    /// Whether a run can go on, as far as is known without taking it.
    ///
    /// # Errors
    /// As of [`resume`](Self::resume).
    pub fn check_resume(&self, run: &str) -> Result<(), RunsError> {
        let row = self.store.run(run)?;
        if row.standing == Standing::Running {
            return Err(StoreError::Held { run: run.to_owned(), holder: row.holder }.into());
        }
        self.resumable(run).map(|_| ())
    }

    /// A run that has not succeeded, and whose job is still the one that it was.
    fn resumable(&self, run: &str) -> Result<(Facts, Arc<Graph>), RunsError> {
        let row = self.store.run(run)?;
        let facts = Facts::read(run, &row.facts)?;
        if row.standing == Standing::Ended(RunState::Succeeded) {
            return Err(RunsError::Succeeded { run: run.to_owned() });
        }
        let graph = graph_of(run, &facts)?;
        let changes = changes(&facts.shape, &graph.shape());
        if !changes.is_empty() {
            return Err(RunsError::Changed { run: run.to_owned(), job: facts.shape.job, changes });
        }
        Ok((facts, graph))
    }

    /// What a rerun of the steps that `expr` selects, or of all, would do: a new run, which takes from `run` what
    /// it needs besides (§5.3).
    ///
    /// # Errors
    /// There is no such run, or the selection does not fit it.
    pub fn plan_rerun(&self, run: &str, expr: Option<&Expr>) -> Result<Rerun, RunsError> {
        let facts = self.facts(run)?;
        let graph = graph_of(run, &facts)?;
        let shape = graph.shape();
        let mut past = self.past(run, &facts)?;
        past.read_as(&shape);
        let selection = match expr {
            Some(expr) => Selection::resolve(expr, &shape, &past)?,
            None => Selection::all(&shape),
        };
        let steps = selection.missing(&shape, &past, NAMED);
        if !steps.is_empty() {
            return Err(RunsError::Missing { run: run.to_owned(), steps });
        }
        let count = selection.count(&shape, &past);
        let (past, selection) = (Arc::new(past), Arc::new(selection));
        Ok(Rerun { runs: self.clone(), parent: run.to_owned(), graph, facts, past, selection, count })
    }

    /// All that is known of a run.
    fn past(&self, run: &str, facts: &Facts) -> Result<Past, RunsError> {
        /// How many commits are read at once.
        const AT_ONCE: usize = 256;
        let wrong = |error| RunsError::Record { run: run.to_owned(), error };
        let mut past = Past::new(&facts.shape);
        let mut after = 0;
        loop {
            let commits = self.store.commits(run, after, AT_ONCE)?;
            let Some(last) = commits.last() else { return Ok(past) };
            after = last.head.seq;
            for Commit { block, .. } in commits {
                past.take(block).map_err(wrong)?;
            }
        }
    }

    fn summary(&self, run: &str, facts: &Facts) -> Result<Summary, RunsError> {
        let reader = Reader::open(Arc::clone(&self.store), run)?;
        debug_assert_eq!(reader.shape().job, facts.shape.job, "the facts of the run");
        Ok(reader.summary()?)
    }
}

impl Rerun {
    /// How many steps would run, and how many would be taken from the run before.
    pub fn count(&self) -> Count {
        self.count
    }

    /// The run that would be run again.
    pub fn parent(&self) -> &str {
        &self.parent
    }

    /// The shape of the job, as it is today.
    pub fn shape(&self) -> Shape {
        self.graph.shape()
    }

    /// Begins the new run in the tokio runtime of the caller.
    ///
    /// # Errors
    /// A secret argument is not given, the store cannot be written, or the run cannot begin.
    pub async fn start(self, mut begin: Begin) -> Result<RunHandle, RunsError> {
        let Self { runs, parent, graph, facts, past, selection, .. } = self;
        let args = args_of(&parent, &facts, graph.job, &mut begin.secrets)?;
        begin.options = options_of(&facts.options, begin.options);
        let drive = runs.enter(&graph, &args, &begin, Some(&parent))?;
        let recall = Recall { past, selection: Some(selection) };
        let recall = Some((recall, runs.store, parent));
        let session =
            Session { drive, recall, summary: None, in_hand: vec![], suspects: Suspects::default() };
        Ok(start_session(graph, args, begin.options, begin.sinks, Some(session)).await?)
    }
}

/// The graph that the job of a run has today.
fn graph_of(run: &str, facts: &Facts) -> Result<Arc<Graph>, RunsError> {
    let name = &facts.shape.job;
    let job = crate::define::jobs().into_iter().find(|job| job.name == name);
    let job = job.ok_or_else(|| RunsError::NoJob { run: run.to_owned(), job: name.clone() })?;
    Ok(Arc::new(crate::check::build(job)?))
}

/// The arguments of a run as values.
fn args_of(
    run: &str,
    facts: &Facts,
    job: &JobDef,
    secrets: &mut BTreeMap<&'static str, AnyValue>,
) -> Result<Vec<AnyValue>, RunsError> {
    let wrong =
        |name: &str, why: String| RunsError::Argument { run: run.to_owned(), name: name.to_owned(), why };
    job.args
        .iter()
        .map(|arg| {
            if let Some(value) = secrets.remove(arg.name) {
                return Ok(value);
            }
            if facts.secrets.iter().any(|secret| secret == arg.name) {
                let why =
                    "it is secret, so it was not recorded: give it again, in the environment or at a prompt";
                return Err(wrong(arg.name, why.to_owned()));
            }
            match facts.args.iter().find(|(name, _)| name == arg.name) {
                Some((_, json)) => (arg.from_json)(json).map_err(|why| wrong(arg.name, why)),
                None => match arg.default {
                    Some(default) => Ok(default()),
                    None => Err(wrong(arg.name, "the job did not have it then: give a new run".to_owned())),
                },
            }
        })
        .collect()
}

/// What the options, the job and the defaults come to: recorded, so that a resume is run alike.
fn run_facts(graph: &Graph, options: &RunOptions) -> RunFacts {
    let job = &graph.job.options;
    let mut pools: BTreeMap<_, _> =
        job.pools.iter().map(|(name, limit)| ((*name).to_owned(), *limit)).collect();
    pools.extend(options.pools.clone());
    let mut tags: BTreeMap<_, _> = job
        .tag_limits
        .iter()
        .map(|(name, value, max)| (((*name).to_owned(), (*value).to_owned()), *max))
        .collect();
    tags.extend(options.tag_limits.clone());
    RunFacts {
        max_concurrent: options
            .max_concurrent
            .or(job.max_concurrent)
            .unwrap_or(crate::options::DEFAULT_MAX_CONCURRENT),
        order: options.order.or(job.order).unwrap_or_default(),
        fail_fast: options.fail_fast.unwrap_or(job.fail_fast),
        pools: pools.into_iter().collect(),
        tag_limits: tags.into_iter().map(|((name, value), max)| (name, value, max)).collect(),
    }
}

/// What is said now, else what the run was begun with.
fn options_of(facts: &RunFacts, said: RunOptions) -> RunOptions {
    let mut pools: BTreeMap<_, _> = facts.pools.iter().cloned().collect();
    pools.extend(said.pools);
    let mut tag_limits: BTreeMap<_, _> =
        facts.tag_limits.iter().cloned().map(|(name, value, max)| ((name, value), max)).collect();
    tag_limits.extend(said.tag_limits);
    RunOptions {
        max_concurrent: said.max_concurrent.or(Some(facts.max_concurrent)),
        order: said.order.or(Some(facts.order)),
        fail_fast: said.fail_fast.or(Some(facts.fail_fast)),
        pools,
        tag_limits,
        ..said
    }
}

/// The steps that the last holder had in hand when it died; none if it ended well.
fn in_hand(drive: &Arc<dyn Drive>, past: &Past) -> Vec<StepRef> {
    let known = |(item, node): &(u32, NodeId)| past.has_step(*item, *node);
    let steps = drive.left_in_hand().iter().flat_map(|bytes| from_hand(bytes)).filter(known);
    let not_done = steps.filter(|(item, node)| !past.state().succeeded(*item, *node));
    not_done.map(|(item, node)| StepRef { node, path: past.path(item) }).collect()
}

/// The steps that may have killed the process (§4.10): those in hand at both of the last two deaths
/// run alone; one that was alone in hand at the next is named.
fn suspects(past: &Past, in_hand: &[StepRef], retry_poison: bool) -> Suspects {
    let ids =
        |steps: &[StepRef]| steps.iter().map(|step| (step.path.number(), step.node)).collect::<Vec<_>>();
    // The deaths without a pause between them, latest last.
    let mut deaths: Vec<Vec<(u32, NodeId)>> = past.deaths().iter().map(|steps| ids(steps)).collect();
    if in_hand.is_empty() {
        deaths.clear();
    } else {
        deaths.push(ids(in_hand));
    }
    let both = |a: &[(u32, NodeId)], b: &[(u32, NodeId)]| -> Vec<_> {
        a.iter().copied().filter(|step| b.contains(step)).collect()
    };
    let mut suspects = Suspects::default();
    if let [.., before, last] = deaths.as_slice() {
        suspects.alone = both(before, last).into_iter().collect();
    }
    if retry_poison {
        return suspects;
    }
    suspects.poison = past.poisoned().into_iter().collect();
    // A step that was named stays so, whatever else the process died of since.
    for deaths in deaths.windows(3) {
        if let [named] = both(&both(&deaths[0], &deaths[1]), &deaths[2])[..] {
            suspects.poison.insert(named);
        }
    }
    suspects
}
