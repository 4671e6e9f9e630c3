//! The world of a page: an engine on the store in memory, a clock that stands still, ids that count.
//!
//! Runs until nothing is left to do after each line, so that no test ever waits. `restart` drops the engine and opens
//! another one on the same store. What runs custom steps is handed in, compiled plugins too.

mod import;
mod log;
mod port;
mod rows;
mod trace;
mod value;

use std::{collections::HashMap, sync::Arc, time::Duration};

use engine::{CountingIds, Engine, ManualClock, Parts, Settings};
use formats::SourceFile;
use indexmap::IndexMap;
use model::{
    Caller, CorrelationId, EntityId, JobId, ProcessId, RecordRef, Span, Timestamp,
    job::{Job, LogLine},
    query::Query,
    starter,
    step::StepRunner,
};
use smol_str::SmolStr;
use store::{Memory, Snapshot, Store, definitions, journal, key};
use uuid::Uuid;

use crate::{
    line::{Command, Line},
    page::{Mistake, Page},
    port::{No, Target},
    session::{Names, Session},
};

pub use crate::page::Scene;

/// Where every page begins: a Monday morning.
const START: &str = "2026-01-05T09:00:00Z";

/// The user of a run block that names none: the one that every store has.
const ADMIN: &str = "admin";

/// Whom pages know by name.
const PEOPLE: [EntityId; 4] = [starter::SYSTEM_USER, starter::TEAM, starter::BUSINESS_UNIT, starter::QUEUE];

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
    /// The files of the solution around the page; the page's own come on top.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Runs a page from its beginning and gives the trace of each of its scenes, or why it cannot be run as it stands.
pub fn run(page: &Page, stage: Stage) -> Result<Vec<String>, Mistake> {
    let world = World::new(stage);
    let mistake = |line, no: &No| Mistake { page: page.path.clone(), line, message: told(no) };
    let mut session = Session::new(world.map_err(|no| mistake(1, &no))?);
    let mut traces = Vec::with_capacity(page.scenes.len());
    for scene in &page.scenes {
        let trace = play(&mut session, scene).map_err(|(line, no)| mistake(line, &no))?;
        traces.push(trace);
    }
    Ok(traces)
}

fn told(no: &No) -> String {
    std::iter::once(no.to_string()).chain(no.details.iter().map(|detail| format!("\n    {detail}"))).collect()
}

fn play(session: &mut Session<World>, scene: &Scene) -> Result<String, (u32, No)> {
    let at = |line: u32| move |no: No| (line, no);
    session.port.take_files(scene).map_err(at(scene.line))?;
    session.port.hold_jobs = scene.hold_jobs;
    let applies = scene.lines.iter().any(|line| line.command == Command::Apply);
    let mut lines = Vec::new();
    if std::mem::take(&mut session.port.fresh) && !applies {
        session.port.become_user(ADMIN).map_err(at(scene.line))?;
        session.run(&Command::Apply).map_err(at(scene.line))?;
    }
    session.meet_people().map_err(at(scene.line))?;
    session.port.become_user(&scene.user).map_err(at(scene.line))?;
    session.told(&mut lines).map_err(at(scene.line))?;
    for line in &scene.lines {
        line_of(session, line, &mut lines)?;
    }
    // A message of several lines stays inside its paragraph.
    Ok(lines.into_iter().map(|line| line.replace('\n', "\n      ") + "\n").collect())
}

fn line_of(session: &mut Session<World>, line: &Line, lines: &mut Vec<String>) -> Result<(), (u32, No)> {
    let answer = session.run(&line.command);
    let shows = !matches!(
        line.command,
        Command::Create { .. }
            | Command::Update { .. }
            | Command::Delete(_)
            | Command::Assign { .. }
            | Command::Status { .. }
    );
    match (answer, &line.refusal) {
        (Ok(answer), None) => {
            if shows {
                lines.push(line.text.clone());
            }
            lines.extend(answer.into_iter().map(|shown| format!("  {}", session.names().rename(&shown))));
        }
        (Err(no), Some(code)) if no.code == *code => {
            lines.push(line.text.clone());
            lines.push(format!("  ! {code}: {}", session.names().rename(&no.message)));
            lines.extend(no.details.iter().map(|detail| format!("    {}", session.names().rename(detail))));
        }
        (Ok(_), Some(code)) => {
            return Err((line.number, No::new("page", format!("the line was done, a refusal `{code}` was expected"))));
        }
        (Err(no), _) => return Err((line.number, no)),
    }
    session.told(lines).map_err(|no| (line.number, no))
}

impl Session<World> {
    /// Calls users, teams and the like by the names that people know, and keeps what an apply made of them untold: files are
    /// the page's own words.
    fn meet_people(&mut self) -> Result<(), No> {
        let (world, names) = self.parts();
        names.call(value::target(&world.engine().schema(), engine::administrator()), ADMIN.into());
        for (target, name) in world.people()? {
            names.call_unless_called(target, name);
        }
        world.entry = world.entries()?.last().map_or(world.entry, |entry| entry.id);
        Ok(())
    }

    /// Lets everything run that can, and tells what happened since the last time.
    fn told(&mut self, lines: &mut Vec<String>) -> Result<(), No> {
        self.port.run_until_idle()?;
        let (world, names) = self.parts();
        let told = world.tell(names)?;
        lines.extend(told.iter().map(|line| names.rename(line)));
        Ok(())
    }
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
                false => engine.pump(),
            };
            if !worked {
                return Ok(());
            }
        }
        Err(No::new("page", format!("the world does not come to rest: {MOST_WORK} units of work after one line")))
    }

    /// Lets time pass, stopping wherever a job comes due.
    fn pass(&mut self, span: Span) -> Result<(), No> {
        let until = later(self.now(), span)?;
        while let Some(due) = self.next_due()?.filter(|due| *due <= until && !self.hold_jobs) {
            self.turn(due);
            let before = self.next_due()?;
            self.run_until_idle()?;
            if self.next_due()? == before {
                return Err(No::new("page", format!("a job that came due at {due} does not go on")));
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

    fn next_due(&self) -> Result<Option<Timestamp>, No> {
        let snapshot = self.snapshot()?;
        let mut due = store::jobs::due(&snapshot).map_err(|error| fault(&error))?;
        let first = due.next().transpose().map_err(|error| fault(&error))?;
        Ok(first.map(|(at, _)| at))
    }

    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, No> {
        self.store.snapshot().map_err(|error| fault(&error))
    }

    /// What happened since the last time.
    fn tell(&mut self, names: &mut Names) -> Result<Vec<String>, No> {
        let entries = self.entries()?;
        if let Some(last) = entries.last() {
            self.entry = last.id;
        }
        let progress = trace::progress(self.all_jobs()?, &mut self.jobs);
        let (schema, processes) = (self.engine().schema(), self.processes()?);
        let mut teller = trace::Teller { schema: &schema, processes: &processes, names, lines: Vec::new() };
        teller.tell(&entries, &progress);
        Ok(teller.lines)
    }

    /// Users, teams, business units and queues with their names.
    fn people(&self) -> Result<Vec<(Target, SmolStr)>, No> {
        let (caller, schema) = (self.caller(), self.engine().schema());
        let mut people = Vec::new();
        for entity in PEOPLE.into_iter().filter_map(|id| schema.entity(id)) {
            let page = self.engine().query(&caller, &Query::all(entity.id)).map_err(port::no)?;
            people.extend(page.records.iter().filter_map(|record| {
                let name = record.get(entity.primary).as_text()?;
                Some((value::target(&schema, record.reference()), SmolStr::from(name)))
            }));
        }
        Ok(people)
    }

    /// The journal's entries that were not told yet, in the order in which they were made.
    fn entries(&self) -> Result<Vec<journal::Entry>, No> {
        let snapshot = self.snapshot()?;
        let mut records: Vec<RecordRef> = Vec::new();
        let prefix = key::Tuple::of(key::Family::Journal);
        for row in
            store::Reader::scan(&snapshot, &store::Range::prefix(prefix.bytes())).map_err(|error| fault(&error))?
        {
            let (key, _) = row.map_err(|error| fault(&error))?;
            let record = rows::record_of(&key).ok_or_else(|| No::new("fault", "a key of the journal is too short"))?;
            if records.last() != Some(&record) {
                records.push(record);
            }
        }
        let mut entries = Vec::new();
        for record in records {
            for entry in journal::of_record(&snapshot, record, None).map_err(|error| fault(&error))? {
                let entry = entry.map_err(|error| fault(&error))?;
                if entry.id <= self.entry {
                    break;
                }
                entries.push(entry);
            }
        }
        entries.sort_by_key(|entry| entry.id);
        Ok(entries)
    }

    fn all_jobs(&self) -> Result<Vec<(Job, Vec<LogLine>)>, No> {
        let snapshot = self.snapshot()?;
        let jobs = store::jobs::newest(&snapshot, None).map_err(|error| fault(&error))?;
        jobs.map(|job| {
            let job = job.map_err(|error| fault(&error))?;
            let log = store::jobs::lines(&snapshot, job.id).map_err(|error| fault(&error))?;
            Ok((job, log))
        })
        .collect()
    }

    fn processes(&self) -> Result<HashMap<ProcessId, SmolStr>, No> {
        let snapshot = self.snapshot()?;
        let all = definitions::all(&snapshot, definitions::Kind::Workflow).map_err(|error| fault(&error))?;
        Ok(all.into_iter().filter_map(|definition| Some((definition.process?.0, definition.name))).collect())
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

#[cfg(test)]
mod tests {
    use model::{
        Digest,
        step::{HostFault, Installed, PackageProblem, Returned, StepCall, StepFailure, StepHost, Usage},
    };

    use super::*;

    /// A sandbox for pages without custom steps.
    struct NoSteps;

    impl StepRunner for NoSteps {
        fn run(&self, _: &StepCall, host: Box<dyn StepHost>) -> Returned {
            let failure = StepFailure::Host { fault: HostFault::HostError, message: "no steps here".into() };
            Returned { host: Some(host), result: Err(failure), usage: Usage::default() }
        }

        fn install(&self, _: &[u8]) -> Result<Installed, PackageProblem> {
            Err(PackageProblem { sentences: vec!["no plugins here".into()] })
        }

        fn prepare(&self, _: Digest, _: &[u8]) -> Result<(), PackageProblem> {
            Ok(())
        }
    }

    fn traces(text: &str) -> Result<Vec<String>, Mistake> {
        let page = Page::parse("p.md", text).expect("a well-formed page");
        run(&page, Stage { runner: Arc::new(NoSteps), supply: Box::new(|_| None), files: Vec::new() })
    }

    #[test]
    fn a_page_is_told_by_names() {
        let told = traces(
            "# T\n```run\ncreate account/ada name=\"Ada\" creditlimit=100\nupdate account/ada creditlimit=-5\n\
             create account/b name=\"B\" parentaccountid=account/ada\nget account/b name parentaccountid ownerid\n\
             advance 1 month\ndelete account/ada\nget account/ada ! not-found\n```\n",
        );
        let expected = "\
admin create account/ada  name: \"Ada\", creditlimit: 100, creditonhold: false, donotemail: false
admin update account/ada  creditlimit: 100 → -5
admin create account/b  name: \"B\", parentaccountid: account/ada, creditonhold: false, donotemail: false
get account/b name parentaccountid ownerid
  account/b  name: \"B\", parentaccountid: account/ada, ownerid: systemuser/admin
advance 1 month
admin delete account/ada
admin update account/b  parentaccountid: account/ada → null
get account/ada
  ! not-found: there is no `account` ada
";
        assert_eq!(told.expect("a trace"), [expected]);
    }

    #[test]
    fn what_was_not_expected_stops_the_page_at_its_line() {
        for (line, expected) in [
            ("create account/a name=5", "p.md:3: `name` holds text, not the number 5 (wrong-type)"),
            ("create account/a name=\"A\" ! required", "p.md:3: the line was done, a refusal `required` was expected"),
            ("create nothing/a ! required", "p.md:3: there is no entity `nothing` (unknown-entity)"),
            ("fail-next weather", "p.md:3: `weather` is none of read, write, sync, sync-kept, full (page)"),
        ] {
            let stopped = traces(&format!("# T\n```run\n{line}\n```\n")).expect_err(line);
            assert!(stopped.to_string().starts_with(expected), "{line} gave {stopped}");
        }
    }
}
