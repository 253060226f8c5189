//! What streams tell: all of it, in bounded messages, and only what changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::difference::{MESSAGE, Told};
use super::follow::Follow;
use super::state::State;
use super::watcher::Seen;
use crate::event::{EventKind, RunState, StepRef};
use crate::graph::{NodeId, ScopeId};
use crate::report::fixture::{at, failed, millis, run_started, succeeded};
use crate::shape::{Shape, ShapeKind, ShapeNode, ShapeScope};
use crate::step::Path;
use crate::store::{MemoryStore, NewCommit, NewRun, RunRow, Standing, Store};
use crate::summary::Summary;
use crate::web::App;
use crate::web::api::types::Live;

/// A job of so many ops without fan-outs.
fn wide(ops: u32) -> Shape {
    let node = |number| ShapeNode {
        name: format!("op_{number}").into(),
        scope: ScopeId::ROOT,
        kind: ShapeKind::Op,
        op: String::new(),
        retries: 0,
        reads: Vec::new(),
        after: Vec::new(),
        takes: Vec::new(),
        outputs: Vec::new(),
        pool: None,
        priority: 0,
        tags: Vec::new(),
    };
    let scopes = vec![ShapeScope { parent: None, fan: None }];
    Shape { job: "wide".to_owned(), nodes: (0..ops).map(node).collect(), scopes }
}

fn the_step(node: u32) -> StepRef {
    StepRef { node: NodeId(node), path: Path::root() }
}

fn row(standing: Standing) -> RunRow {
    RunRow {
        id: "7k2m".to_owned(),
        number: 1,
        job: "wide".to_owned(),
        started: UNIX_EPOCH,
        changed: UNIX_EPOCH + millis(900),
        standing,
        parent: None,
        facts: String::new(),
        tags: Vec::new(),
        counts: String::new(),
        head: 1,
        holder: String::new(),
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(2)
}

/// A run of many ops, before and after all of them began, and after all of them failed.
struct Wide {
    shape: Shape,
    summary: Summary,
    seq: u64,
}

impl Wide {
    fn new(ops: u32) -> Self {
        let shape = wide(ops);
        let mut summary = Summary::new(&shape);
        summary.apply(&shape, &[run_started()]);
        Self { shape, summary, seq: 1 }
    }

    fn state(&self, standing: Standing, before: Option<&State>) -> State {
        State::new(&row(standing), self.seq, &self.summary, &self.shape, before)
    }

    fn does(&mut self, event: impl Fn(StepRef) -> crate::event::Event) {
        let nodes = 0..self.shape.nodes.len() as u32;
        let events: Vec<_> = nodes.map(|node| event(the_step(node))).collect();
        self.summary.apply(&self.shape, &events);
        self.seq += 1;
    }
}

/// All messages until nothing more is to be told; each is bounded.
fn messages(told: &mut Told, state: &State) -> Vec<Live> {
    let mut all = Vec::new();
    while !told.is_all_of(state) {
        let live = told.next(state, now());
        let bytes = serde_json::to_string(&live).unwrap().len();
        assert!(bytes + 64 <= MESSAGE, "{bytes} bytes in message {}", all.len());
        assert!(all.len() < 1_000, "it comes to an end");
        assert_eq!(told.known() == state.seq, !live.more, "only who was told all knows it");
        all.push(live);
    }
    let more: Vec<_> = all.iter().map(|live| live.more).collect();
    assert_eq!(more.iter().filter(|more| !**more).count(), 1, "{more:?}");
    all
}

#[test]
fn three_hundred_ops_that_change_at_once_all_arrive_in_bounded_messages() {
    let mut wide = Wide::new(300);
    let mut told = Told::after(None, &wide.state(Standing::Running, None));
    let first = wide.state(Standing::Running, None);
    let ops: BTreeMap<_, _> = messages(&mut told, &first).into_iter().flat_map(|live| live.ops).collect();
    assert_eq!(ops.len(), 300);

    let text = "\u{1}\"äö".repeat(2_000);
    wide.does(|step| at(10, EventKind::StepStarted { step, attempt: 1 }));
    wide.does(|step| failed(step, 800, 400, &text));
    let all = messages(&mut told, &wide.state(Standing::Running, Some(&first)));
    let ops: BTreeMap<_, _> = all.iter().flat_map(|live| live.ops.clone()).collect();
    assert_eq!(ops.len(), 300);
    assert!(ops.values().all(|op| op.counts.failed == 1));
    let failures = all.iter().flat_map(|live| &live.failures);
    assert_eq!(failures.count() as u64 + wide.summary.ungrouped_errors(), 300);
    assert!(all.iter().all(|live| live.failures.len() <= 20));
}

#[test]
fn only_what_changed_is_told_again() {
    let mut wide = Wide::new(40);
    let first = wide.state(Standing::Running, None);
    let mut told = Told::after(None, &first);
    messages(&mut told, &first);
    wide.summary.apply(&wide.shape, &[succeeded(the_step(7), 500, 100)]);
    wide.seq += 1;
    let second = wide.state(Standing::Running, Some(&first));
    let kept = first.ops.iter().zip(&second.ops).filter(|(a, b)| Arc::ptr_eq(a, b));
    assert_eq!(kept.count(), 39, "what did not change is shared");
    let live = messages(&mut told, &second);
    assert_eq!(live.len(), 1);
    assert_eq!(live[0].ops.keys().collect::<Vec<_>>(), [&7]);
    assert!(told.is_all_of(&second));
}

#[test]
fn an_op_that_changes_all_the_time_keeps_no_other_from_being_told() {
    let mut wide = Wide::new(60);
    let mut state = wide.state(Standing::Running, None);
    let mut told = Told::after(None, &state);
    let mut seen = BTreeMap::new();
    for _ in 0..4 {
        seen.extend(told.next(&state, now()).ops);
        wide.does(|step| at(10, EventKind::StepStarted { step, attempt: 1 }));
        state = wide.state(Standing::Running, Some(&state));
    }
    assert_eq!(seen.len(), 60);
}

#[test]
fn who_knows_the_last_commit_is_told_no_ops_unless_the_run_was_interrupted() {
    let mut wide = Wide::new(5);
    wide.does(|step| at(10, EventKind::StepStarted { step, attempt: 1 }));
    let running = wide.state(Standing::Running, None);
    let ops = |after, state: &State| messages(&mut Told::after(after, state), state)[0].ops.len();
    assert_eq!((ops(Some(2), &running), ops(Some(1), &running), ops(None, &running)), (0, 5, 5));
    let dead = wide.state(Standing::Interrupted, None);
    let live = &messages(&mut Told::after(Some(2), &dead), &dead)[0];
    assert_eq!((live.ops.len(), live.steps.running, live.steps.waiting), (5, 0, 5));
    assert!(live.running.is_empty());
}

#[test]
fn a_run_that_goes_on_is_told_from_the_beginning() {
    let mut wide = Wide::new(3);
    wide.does(|step| failed(step, 100, 50, "no"));
    let ended = wide.state(Standing::Ended(RunState::Failed), None);
    let mut told = Told::after(None, &ended);
    assert_eq!(messages(&mut told, &ended)[0].failures.len(), 3);
    let resumed = EventKind::RunResumed { resumed: UNIX_EPOCH, in_hand: Vec::new() };
    wide.summary.apply(&wide.shape, &[at(200, resumed), failed(the_step(2), 300, 50, "no")]);
    wide.seq += 1;
    let again = wide.state(Standing::Running, Some(&ended));
    let live = messages(&mut told, &again);
    assert_eq!(live[0].ops.len(), 3);
    assert_eq!(live[0].failures.iter().map(|group| group.node).collect::<Vec<_>>(), [2]);
}

fn app(store: &MemoryStore) -> Arc<App> {
    Arc::new(App::new(Arc::new(store.clone()), "memory".to_owned(), "wide", "wide".into(), false))
}

fn enter(store: &MemoryStore, id: &str) -> Arc<dyn crate::store::Drive> {
    use crate::record::Facts;
    use crate::record::facts::{FACTS_VERSION, RunFacts};
    let facts = Facts {
        version: FACTS_VERSION,
        program: "wide".to_owned(),
        shape: wide(2),
        args: Vec::new(),
        secrets: Vec::new(),
        options: RunFacts::default(),
    };
    let run = NewRun {
        id: id.to_owned(),
        job: "wide".to_owned(),
        started: UNIX_EPOCH,
        parent: None,
        facts: facts.to_json(),
        tags: Vec::new(),
    };
    store.create(run).unwrap()
}

fn append(drive: &dyn crate::store::Drive, encoder: &mut crate::record::Encoder, event: crate::event::Event) {
    let mut block = Vec::new();
    let batch = crate::event::Batch { events: vec![event], data: Vec::new() };
    let index = encoder.encode(&wide(2), &batch, &mut block);
    drive.append(NewCommit { block: &block, index, follows: drive.head().1, ..Default::default() }).unwrap();
}

#[test]
fn a_run_is_followed_commit_by_commit_and_past_its_end() {
    let store = MemoryStore::new();
    let drive = enter(&store, "aaaa");
    let mut encoder = crate::record::Encoder::new();
    let mut follow = Follow::new(app(&store), "aaaa");
    assert_eq!(follow.look().unwrap().unwrap().seq, 0);
    assert!(follow.look().unwrap().is_none(), "nothing changed");
    append(&*drive, &mut encoder, run_started());
    append(&*drive, &mut encoder, at(5, EventKind::StepStarted { step: the_step(1), attempt: 1 }));
    let state = follow.look().unwrap().unwrap();
    assert_eq!((state.seq, state.steps.running), (2, 1));
    drop(drive);
    store.remove("aaaa", false).unwrap();
    assert!(follow.look().is_err());
}

#[tokio::test(start_paused = true)]
async fn one_watcher_serves_all_who_listen_and_ends_with_the_last() {
    let store = MemoryStore::new();
    let drive = enter(&store, "aaaa");
    let app = app(&store);
    let watchers = &app.watchers;
    let mut first = watchers.run(&app, "aaaa");
    let second = watchers.run(&app, "aaaa");
    assert!(first.same_channel(&second), "one watcher for both");
    first.wait_for(Option::is_some).await.unwrap();
    drop(drive);
    // Nothing is committed, and yet it is seen.
    let dead = |seen: &Option<Seen>| matches!(seen, Some(Seen::Run(state)) if state.standing == Standing::Interrupted);
    first.wait_for(dead).await.unwrap();
    store.remove("aaaa", false).unwrap();
    first.wait_for(|seen| matches!(seen, Some(Seen::Gone))).await.unwrap();
    assert!(first.changed().await.is_err(), "nobody watches what is gone");
    drop((first, second));
    assert!(watchers.is_idle());
}

/// The events that a stream gives until it waits for something new, and whether it has ended.
async fn taken(events: &mut super::Events) -> (Vec<String>, bool) {
    let mut all = Vec::new();
    loop {
        let next = std::future::poll_fn(|task| {
            futures_core::Stream::poll_next(std::pin::Pin::new(&mut *events), task)
        });
        match tokio::time::timeout(Duration::from_secs(1), next).await {
            Ok(Some(Ok(event))) => all.push(format!("{event:?}")),
            Ok(None) => return (all, true),
            Err(_) => return (all, false),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_reads_slowly_skips_to_the_newest_state() {
    let mut wide = Wide::new(3);
    let (sender, receiver) = tokio::sync::watch::channel(None);
    let mut events = super::of_run(receiver, None);
    for attempt in 1..=500 {
        wide.does(|step| at(attempt, EventKind::StepStarted { step, attempt: attempt as u32 }));
        let state = Arc::new(wide.state(Standing::Running, None));
        sender.send_replace(Some(Seen::Run(state)));
        tokio::time::advance(millis(100)).await;
    }
    let begun = tokio::time::Instant::now();
    let (all, ended) = taken(&mut events).await;
    let states: Vec<_> = all.iter().filter(|event| event.contains("state")).collect();
    assert!(states.len() <= 3, "{} states wait", states.len());
    assert!(states.last().unwrap().contains(&wide.seq.to_string()), "{states:?}");
    assert!(begun.elapsed() < Duration::from_secs(3) && !ended);
    let state = wide.state(Standing::Ended(RunState::Failed), None);
    sender.send_replace(Some(Seen::Run(Arc::new(state))));
    let (all, ended) = taken(&mut events).await;
    assert!(ended && all.last().unwrap().contains("end"), "{all:?}");
}
