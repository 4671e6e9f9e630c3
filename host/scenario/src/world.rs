//! The world of a page: an engine on the store in memory, a clock that stands still, ids that count.
//!
//! Runs until nothing is left to do after each line, so that no test ever waits. `restart` drops the engine and opens
//! another one on the same store. What runs custom steps is handed in, compiled plugins too.

mod flow;
mod import;
mod log;
mod look;
mod mail;
mod play;
mod plugin;
mod port;
mod task;
mod trace;
mod value;

use std::{collections::HashMap, sync::Arc, time::Duration};

use engine::{CountingIds, Engine, ManualClock, Parts, Settings};
use formats::SourceFile;
use indexmap::IndexMap;
use model::{Caller, CorrelationId, JobId, RecordRef, Span, Timestamp, step::StepRunner};
use smol_str::SmolStr;
use store::{Memory, Snapshot, Store};
use uuid::Uuid;

pub use self::play::run;
pub use crate::page::Scene;
use crate::port::No;

/// Where every page begins: a Monday morning.
const START: &str = "2026-01-05T09:00:00Z";

/// The user of a run block that names none: the one that every store has.
const ADMIN: &str = "admin";

/// The most units of work after one line; more is a world that never comes to rest.
const MOST_WORK: u32 = 10_000;

/// A solution's head for pages that bring none.
const HEADER: &str = "kind: solution\nname: page\nversion: 1.0.0\nprefix: pag\n";

/// Where the bytes of compiled plugins come from, by their path in the solution.
pub type Supply = Box<dyn Fn(&str) -> Option<Vec<u8>>>;

/// An engine in memory with everything that a page can turn.
pub struct World {
    store: Arc<Memory>,
    clock: Arc<ManualClock>,
    ids: Arc<CountingIds>,
    runner: Arc<dyn StepRunner>,
    postbox: mail::Postbox,
    /// Absent only while it is restarted.
    engine: Option<Arc<Engine>>,
    supply: Supply,
    /// The files of the page so far.
    files: IndexMap<SmolStr, Arc<[u8]>>,
    /// Whether there are files that were not applied yet.
    fresh: bool,
    user: RecordRef,
    hold_jobs: bool,
    /// The last journal entry that was told.
    entry: Uuid,
    /// How many lines of each job's log were told, and its state then.
    jobs: HashMap<JobId, (usize, SmolStr)>,
}

/// What a page does not bring itself.
pub struct Stage {
    /// What runs custom steps.
    pub runner: Arc<dyn StepRunner>,
    /// Where compiled plugins come from.
    pub supply: Supply,
    /// Files beside those of the page, which come on top.
    pub files: Vec<(String, Vec<u8>)>,
}

impl World {
    /// An empty world with the starter organisation, at nine o'clock.
    pub fn new(stage: Stage) -> Result<World, No> {
        let Stage { runner, supply, files } = stage;
        let start = Timestamp::parse(START).unwrap_or_default();
        let mut world = World {
            store: Arc::new(Memory::new()),
            clock: Arc::new(ManualClock::new(start)),
            ids: Arc::new(CountingIds::new()),
            runner,
            postbox: mail::Postbox::default(),
            engine: None,
            supply,
            files: IndexMap::from([("solution.yaml".into(), HEADER.as_bytes().into())]),
            fresh: !files.is_empty(),
            user: engine::administrator(),
            hold_jobs: false,
            entry: Uuid::nil(),
            jobs: HashMap::new(),
        };
        world.files.extend(files.into_iter().map(|(path, bytes)| (path.into(), bytes.into())));
        world.open()?;
        Ok(world)
    }

    fn open(&mut self) -> Result<(), No> {
        let parts = Parts {
            store: self.store.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            runner: self.runner.clone(),
            settings: Settings::default(),
        };
        self.engine = Some(Engine::open(parts).map_err(|error| fault(&error))?);
        Ok(())
    }

    /// What applying the files that the world stands on would change, or every problem in them.
    pub fn plan(&self) -> Result<engine::Plan, engine::Failure> {
        self.engine().plan(&self.caller(), self.sources(), engine::ApplyOptions::default())
    }

    /// Applies the files that the world stands on, where there are any, and runs the examples of a script as the administrator.
    pub fn test_script(&mut self, script: &SourceFile) -> Result<Vec<engine::TestedExample>, engine::Failure> {
        let (caller, mut solution) = (self.caller(), SmolStr::default());
        if self.fresh {
            let plan = self.engine().apply_solution(&caller, self.sources(), engine::ApplyOptions::default())?;
            (solution, self.fresh) = (plan.solution, false);
        }
        self.engine().test_script(&caller, script, &solution, None)
    }

    /// The definitions among the files in canonical form; with `ids` each step has one.
    pub fn format(&self, ids: bool) -> Result<Vec<engine::Formatted>, engine::Failure> {
        self.engine().format(&self.sources(), ids)
    }

    fn engine(&self) -> &Arc<Engine> {
        self.engine.as_ref().expect("an engine is absent only inside `reopen`")
    }

    /// Drops the engine and opens another one on the same store.
    fn reopen(&mut self) -> Result<(), No> {
        self.engine = None;
        self.open()
    }

    /// The acting user at the beginning of a chain.
    fn caller(&self) -> Caller {
        use engine::Ids;
        Caller::outside(self.user, CorrelationId(self.ids.id(self.now())))
    }

    fn now(&self) -> Timestamp {
        use engine::Clock;
        self.clock.now()
    }

    fn take_files(&mut self, scene: &Scene) -> Result<(), No> {
        for file in &scene.files {
            let bytes = match &file.text {
                Some(text) => text.as_bytes().into(),
                None => {
                    let bytes = (self.supply)(&file.path);
                    let missing = || No::new("page", format!("nobody has the compiled `{}`", file.path));
                    bytes.ok_or_else(missing)?.into()
                }
            };
            self.files.insert(file.path.clone(), bytes);
            self.fresh = true;
        }
        Ok(())
    }

    fn sources(&self) -> Vec<SourceFile> {
        let files = self.files.iter();
        files.map(|(path, bytes)| SourceFile { path: path.clone(), bytes: bytes.clone() }).collect()
    }

    /// Does all work that is there: callers' and the store's always, jobs unless they are held.
    fn run_until_idle(&mut self) -> Result<(), No> {
        let engine = self.engine().clone();
        for _ in 0..MOST_WORK {
            let worked = match self.hold_jobs {
                true => self.store.pump() > 0 || engine.serve_one(Duration::ZERO),
                false => engine.pump() || engine.carry_one(&self.postbox, Duration::ZERO),
            };
            if !worked {
                return Ok(());
            }
        }
        Err(No::new("page", format!("the world does not come to rest: {MOST_WORK} units of work after one line")))
    }

    /// Lets time pass, stopping wherever a job or a mail comes due.
    fn pass(&mut self, span: Span) -> Result<(), No> {
        let until = later(self.now(), span)?;
        while let Some(due) = self.next_due()?.filter(|due| *due <= until && !self.hold_jobs) {
            self.turn(due);
            let before = self.next_due()?;
            self.run_until_idle()?;
            if self.next_due()? == before {
                return Err(No::new("page", format!("what came due at {due} does not go on")));
            }
        }
        self.turn(until);
        self.run_until_idle()
    }

    fn turn(&self, moment: Timestamp) {
        if moment > self.now() {
            self.clock.set(moment);
        }
        let start = Timestamp::parse(START).unwrap_or_default();
        let passed = self.now().as_micros() - start.as_micros();
        self.store.set_time(Duration::from_micros(passed.unsigned_abs()));
    }

    /// When the next job comes due, the next moment of a schedule, or the next look at a package in quarantine.
    fn next_due(&self) -> Result<Option<Timestamp>, No> {
        let snapshot = self.snapshot()?;
        let mut due = store::jobs::due(&snapshot).map_err(|error| fault(&error))?;
        let first = due.next().transpose().map_err(|error| fault(&error))?;
        let mail = self.engine().next_mail().map_err(port::no)?;
        let scheduled = self.engine().next_scheduled().map_err(port::no)?;
        let trial = self.engine().next_trial();
        Ok(first.map(|(at, _)| at).into_iter().chain(mail).chain(scheduled).chain(trial).min())
    }

    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, No> {
        self.store.snapshot().map_err(|error| fault(&error))
    }
}

/// The moment `span` after `moment`, by the calendar of UTC.
fn later(moment: Timestamp, span: Span) -> Result<Timestamp, No> {
    let zoned = moment.to_jiff().to_zoned(jiff::tz::TimeZone::UTC);
    let span = jiff::Span::new()
        .try_months(span.months)
        .and_then(|jiff| jiff.try_days(span.days)?.try_microseconds(span.micros));
    let later = span.and_then(|span| zoned.checked_add(span));
    later.map(|later| Timestamp::from_jiff(later.timestamp())).map_err(|error| No::new("page", error.to_string()))
}

/// A fault as a "no": nothing that the caller could help.
fn fault(error: &dyn std::error::Error) -> No {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        message.push_str(&format!(": {deeper}"));
        source = deeper.source();
    }
    No::new("fault", message)
}
