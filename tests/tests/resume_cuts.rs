//! Random jobs whose processes die, whose steps are made to fail, that are cancelled, and that are
//! resumed again and again: what they come to at last is what they would have come to without (§5.1,
//! §5.2).

use std::sync::Arc;
use std::time::Duration;

use fanfold::machine::Config;
use fanfold::{Order, RunState};
use fanfold_tests::model::compare::compare;
use fanfold_tests::model::counters::{Counts, Feat};
use fanfold_tests::model::drive::{Cancel, Course, Driven, Unwatched, drive_session};
use fanfold_tests::model::harness::Campaign;
use fanfold_tests::model::interpret::interpret;
use fanfold_tests::model::observe::observe;
use fanfold_tests::model::plan::{Expr, Form, Let, Plan};
use fanfold_tests::model::report::Report;
use fanfold_tests::model::session::Session;
use fanfold_tests::model::story::Story;
use fanfold_tests::model::to_graph::{Besides, Built, limits, to_graph_with};

#[test]
fn s5_2_whatever_is_cut_and_resumed_comes_to_the_same() {
    let campaign = Campaign::of(10_000);
    let (mut feats, mut steps, mut sessions, mut deaths) = (Counts::<Feat>::default(), 0, 0, 0);
    campaign.run("--test resume_cuts", |plan, seed| {
        let mut told = Told::new(plan, seed)?;
        let driven = told.tell()?;
        let expected = expected(plan);
        let observed = observe(&told.built.graph, &told.story.whole(driven)?)?;
        compare(plan, &expected, &observed)?;
        steps += observed.steps.len();
        sessions += told.sessions;
        deaths += told.deaths;
        feats.add(&told.story.feats);
        Ok::<(), String>(())
    });
    println!("cuts: {} runs, {sessions} sessions, {deaths} deaths, {steps} steps; {feats}", campaign.cases);
    assert!(!campaign.is_whole() || feats.missing().is_empty(), "never met: {:?}", feats.missing());
}

/// What a plan comes to, where each step may have been tried any number of times more.
fn expected(plan: &Plan) -> Report {
    let mut expected = interpret(plan);
    expected.steps.values_mut().for_each(|outcome| outcome.restarted = true);
    expected
}

/// A run that is cut and resumed as a seed says.
struct Told<'a> {
    plan: &'a Plan,
    built: Built,
    story: Story,
    random: fastrand::Rng,
    /// Whether attempts may be made to fail: what a tolerant collect gave then would be another value.
    may_sabotage: bool,
    sessions: u32,
    deaths: u32,
}

/// How a session is to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    ByItself,
    Sabotaged,
    Cancelled,
    Dead,
}

impl<'a> Told<'a> {
    fn new(plan: &'a Plan, seed: u64) -> Result<Self, String> {
        let mut random = fastrand::Rng::with_seed(seed ^ 0xc075);
        let besides = Besides { transient: random.u8(0..3) == 0, ..Besides::default() };
        let built = to_graph_with(plan, besides).map_err(|errors| errors.to_string())?;
        let story = Story::new(&built.graph);
        let may_sabotage = !takes_failures(&plan.body);
        Ok(Self { plan, built, story, random, may_sabotage, sessions: 0, deaths: 0 })
    }

    /// Tells the run to its end; gives the last session.
    fn tell(&mut self) -> Result<Driven, String> {
        let sessions = self.random.u32(1..=4);
        let mut died_before = false;
        loop {
            let end = match self.random.u8(0..8) {
                _ if self.sessions == sessions => End::ByItself,
                0 => End::ByItself,
                1 => End::Cancelled,
                2 | 3 if self.may_sabotage => End::Sabotaged,
                _ => End::Dead,
            };
            let driven = self.session(end)?;
            let over = self.sessions > sessions || driven.state == RunState::Succeeded && !driven.died;
            if over {
                return Ok(driven);
            }
            self.story.note_end(driven.died, died_before)?;
            died_before = driven.died;
        }
    }

    fn session(&mut self, end: End) -> Result<Driven, String> {
        let graph = &Arc::clone(&self.built.graph);
        let mut session = match self.story.is_empty() {
            true => Session::first(graph),
            false => Session::after(graph, Arc::new(self.story.past()?)),
        };
        session.prompt = *self.random.choice(&[1.0, 0.5, 0.1]).expect("some");
        if end == End::Sabotaged {
            session.sabotage = *self.random.choice(&[0.5, 0.1, 0.02]).expect("some");
        }
        session.dies = (end == End::Dead).then(|| {
            let most = *self.random.choice(&[3, 15, 60]).expect("some");
            self.random.u32(0..most)
        });
        let course = self.course(end);
        let driven =
            drive_session(graph, self.built.args.clone(), &course, &mut Unwatched, Some(&mut session))?;
        let all = session.commits.len();
        let survive = match driven.died {
            true if self.random.bool() => self.random.usize(0..=all),
            _ => all,
        };
        self.sessions += 1;
        self.deaths += u32::from(driven.died);
        self.story.take(session, &driven, survive)?;
        Ok(driven)
    }

    fn course(&mut self, end: End) -> Course {
        let random = &mut self.random;
        let seed = random.u64(..);
        let grace = *random.choice(&[0, 1_000, 1_000_000, 1_000_000_000]).expect("some");
        let options = &self.plan.options;
        Course {
            seed,
            config: Config {
                limits: limits(self.plan),
                order: if options.breadth_first { Order::BreadthFirst } else { Order::DepthFirst },
                fail_fast: options.fail_fast,
                keep_values: false,
                recording: true,
                suspects: Default::default(),
                open_items: *random.choice(&[1, 2, 3, 16, 1_024]).expect("some"),
                workers: random.u32(1..4),
                seed,
            },
            eager: *random.choice(&[1.0, 0.8, 0.3]).expect("some"),
            longest: Duration::from_nanos(
                *random.choice(&[10, 1_000, 5_000_000, 100_000_000]).expect("some"),
            ),
            gives_back: if random.bool() { 0.3 } else { 0.0 },
            pauses: if random.bool() { 0.2 } else { 0.0 },
            cancel: (end == End::Cancelled)
                .then(|| Cancel { after: random.u32(0..60), grace: Duration::from_nanos(grace) }),
            took: |_| None,
        }
    }
}

/// Whether a tolerant collect is among these.
fn takes_failures(lets: &[Let]) -> bool {
    lets.iter().any(|Let { expr, .. }| match expr {
        Expr::Collect { form: Form::Results, .. } => true,
        Expr::Map(map) => takes_failures(&map.body),
        Expr::Graph { body, .. } => takes_failures(body),
        _ => false,
    })
}
