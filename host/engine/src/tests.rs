//! What the engine does, seen through its own front door: a store in memory, a clock that is turned by hand, ids that count.

mod access;
mod audit;
mod conflicts;
mod cost;
mod deploy;
mod disk;
mod export;
mod faults;
mod flows;
mod jobs;
mod loops;
mod organisation;
mod quarantine;
mod queries;
mod schedules;
mod scripts;
mod signin;
mod verbs;
mod waits;

use std::{
    panic::{RefUnwindSafe, UnwindSafe},
    sync::Arc,
};

use model::{
    Caller, Digest, EntityId, Outcome, RecordRef, Refusal, Timestamp, Value, Values, Verb,
    step::{HostFault, Installed, PackageProblem, Returned, StepCall, StepFailure, StepHost, StepRunner, Usage},
};
use store::{Memory, Store};

use crate::{CountingIds, Engine, Failure, ManualClock, Parts, Settings, administrator};

/// What a step of a test does, in place of a guest.
type Body = dyn Fn(&StepCall, &mut dyn StepHost) -> Result<Vec<model::Field>, StepFailure>
    + Send
    + Sync
    + UnwindSafe
    + RefUnwindSafe;

/// Runs steps that are written in the test itself.
#[derive(Default)]
struct Native {
    steps: Vec<(&'static str, Box<Body>)>,
}

impl StepRunner for Native {
    fn run(&self, call: &StepCall, mut host: Box<dyn StepHost>) -> Returned {
        let step = self.steps.iter().find(|(name, _)| *name == call.step.as_str());
        let missing =
            || Err(StepFailure::Host { fault: HostFault::HostError, message: "the test has no such step".into() });
        let result = step.map_or_else(missing, |(_, body)| body(call, &mut *host));
        Returned { host: Some(host), result, usage: Usage::default() }
    }

    fn install(&self, _component: &[u8]) -> Result<Installed, PackageProblem> {
        Err(PackageProblem { sentences: vec!["the test has no components".to_owned()] })
    }

    fn prepare(&self, _digest: Digest, _component: &[u8]) -> Result<(), PackageProblem> {
        Ok(())
    }
}

/// A small world, on a store in memory or one that looks at what is asked of it.
struct World<S = Memory> {
    engine: Arc<Engine>,
    store: S,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        Self::with(Native::default())
    }

    fn with(runner: impl StepRunner + 'static) -> Self {
        Self::with_settings(runner, Settings::default())
    }

    fn with_settings(runner: impl StepRunner + 'static, settings: Settings) -> Self {
        Self::on(Memory::new(), runner, settings)
    }
}

impl<S: Store + Clone + 'static> World<S> {
    fn on(store: S, runner: impl StepRunner + 'static, settings: Settings) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment")));
        let parts = Parts {
            store: Arc::new(store.clone()),
            clock: clock.clone(),
            ids: Arc::new(CountingIds::new()),
            runner: Arc::new(runner),
            settings,
        };
        Self { engine: Engine::open(parts).expect("an empty store opens"), store, clock }
    }

    fn caller(&self) -> Caller {
        self.engine.caller(administrator())
    }

    fn entity(&self, name: &str) -> EntityId {
        self.engine.schema().named(name).unwrap_or_else(|| panic!("`{name}` is an entity")).id
    }

    fn values(&self, entity: &str, named: &[(&str, Value)]) -> Values {
        let schema = self.engine.schema();
        let entity = schema.named(entity).expect("an entity");
        let attribute = |name| entity.attribute(name).unwrap_or_else(|| panic!("`{name}` is an attribute")).id;
        named.iter().map(|(name, value)| (attribute(name), value.clone())).collect()
    }

    fn give_role(&self, user: RecordRef, role: &str) {
        let role = crate::security::roles::default_role(role);
        self.create("systemuserroles", &[("systemuserid", user.into()), ("roleid", role.into())]);
    }

    fn try_create(&self, entity: &str, named: &[(&str, Value)]) -> Result<Outcome, Refusal> {
        let values = self.values(entity, named);
        self.apply(Verb::Create { entity: self.entity(entity), id: None, values })
    }

    fn create(&self, entity: &str, named: &[(&str, Value)]) -> RecordRef {
        self.try_create(entity, named).expect("it can be created").record
    }

    fn updating(&self, target: RecordRef, named: &[(&str, Value)]) -> Verb {
        let entity = self.engine.schema().name_of(target.entity);
        Verb::Update { target, expected: None, values: self.values(&entity, named) }
    }

    fn try_update(&self, target: RecordRef, named: &[(&str, Value)]) -> Result<Outcome, Refusal> {
        self.apply(self.updating(target, named))
    }

    fn try_delete(&self, target: RecordRef) -> Result<Outcome, Refusal> {
        self.apply(Verb::Delete { target, expected: None })
    }

    /// Does a verb; a fault ends the test.
    fn apply(&self, verb: Verb) -> Result<Outcome, Refusal> {
        self.engine.apply(&self.caller(), verb).map_err(|failure| match failure {
            Failure::Refused(refusal) => refusal,
            Failure::Fault(error) => panic!("a fault: {error:?}"),
        })
    }

    fn get(&self, target: RecordRef, attribute: &str) -> Value {
        let schema = self.engine.schema();
        let attribute = schema.entity(target.entity).and_then(|entity| entity.attribute(attribute)).expect("known").id;
        let record = self.engine.retrieve(&self.caller(), target, None).expect("it is there");
        record.get(attribute).clone()
    }

    fn is_there(&self, target: RecordRef) -> bool {
        match self.engine.retrieve(&self.caller(), target, None) {
            Ok(_) => true,
            Err(Failure::Refused(Refusal::NotFound { .. })) => false,
            Err(failure) => panic!("{failure:?}"),
        }
    }

    /// Goes on until there is nothing to do.
    fn settle(&self) {
        while self.engine.pump() {}
    }

    fn batches(&self) -> u64 {
        self.store.stats().batches
    }
}

fn sources(files: &[(&str, &str)]) -> Vec<formats::SourceFile> {
    files.iter().map(|(path, text)| formats::SourceFile::new(*path, text)).collect()
}

/// The head of the solutions below.
const SOLUTION: (&str, &str) = ("solution.yaml", "kind: solution\nname: complaints\nversion: 1.0.0\nprefix: cmp\n");

/// An entity with a key, a choice, a transition and a lookup.
const COMPLAINT: (&str, &str) = (
    "entities/complaint.yaml",
    "kind: entity
name: complaint
ownership: user-or-team
primary: title
attributes:
  title: { type: text, required: true, max-length: 300 }
  receivedon: { type: date, indexed: true }
  severity: { type: choice, options: { low: { value: 1 }, high: { value: 3, title: Severe } } }
  dueon: { type: date }
  touched: { type: whole, default: 0, min: 0 }
  sourcerow: { type: whole }
  contactid: { type: lookup, to: contact }
keys: { by_row: [sourcerow] }
states:
  active:
    value: 0
    statuses:
      received: { value: 1, next: [answered] }
  resolved:
    value: 1
    statuses:
      answered: { value: 4, next: [] }
",
);

impl<S: Store + Clone + 'static> World<S> {
    fn try_deploy(&self, files: &[(&str, &str)]) -> Result<crate::Plan, Refusal> {
        let options = crate::ApplyOptions::default();
        self.engine.apply_solution(&self.caller(), sources(files), options).map_err(|failure| match failure {
            Failure::Refused(refusal) => refusal,
            Failure::Fault(error) => panic!("a fault: {error:?}"),
        })
    }

    fn deploy(&self, files: &[(&str, &str)]) -> crate::Plan {
        self.try_deploy(files).unwrap_or_else(|refusal| match refusal {
            Refusal::BadSolution(problems) => panic!("{problems:#?}"),
            other => panic!("{other}"),
        })
    }

    /// The jobs, the oldest first, each with its log.
    fn jobs(&self) -> Vec<(model::job::Job, Vec<model::job::LogLine>)> {
        let page = self.engine.jobs(&self.caller(), &Default::default(), 1_000, None).expect("a list");
        let shown = page.jobs.iter().rev().map(|job| self.engine.job(&self.caller(), job.id).expect("a job"));
        shown.collect()
    }

    /// States and reasons of the jobs, the oldest first.
    fn states(&self) -> Vec<(&'static str, String)> {
        let state =
            |(job, _): (model::job::Job, _)| (job.state.word(), job.state.reason().unwrap_or_default().to_owned());
        self.jobs().into_iter().map(state).collect()
    }

    /// The subjects of all tasks.
    fn subjects(&self) -> Vec<Value> {
        let tasks = model::query::Query::all(self.entity("task"));
        let tasks = self.engine.query(&self.caller(), &tasks).expect("a page").records;
        let subject = self.engine.schema().named("task").and_then(|task| task.attribute("subject")).expect("known").id;
        tasks.iter().map(|task| task.get(subject).clone()).collect()
    }

    fn count(&self, entity: &str) -> usize {
        let query = model::query::Query::all(self.entity(entity));
        self.engine.query(&self.caller(), &query).expect("a page").records.len()
    }

    /// Another engine on the same store, as after a crash: nothing but the store is left.
    fn restart(self, runner: Native) -> Self {
        let World { engine, store, clock } = self;
        drop(engine);
        let ids = CountingIds::new();
        // Ids given before the crash are not given again.
        for _ in 0..100_000 {
            crate::Ids::seed(&ids);
        }
        let parts = Parts {
            store: Arc::new(store.clone()),
            clock: clock.clone(),
            ids: Arc::new(ids),
            runner: Arc::new(runner),
            settings: Settings::default(),
        };
        Self { engine: Engine::open(parts).expect("the store opens again"), store, clock }
    }
}

/// A script's file: its body is not looked at here, the step is done by the test.
fn script(step: &str, more: &str) -> String {
    format!("/*---\nstep: {step}\n{more}---*/\n#{{}}\n")
}
