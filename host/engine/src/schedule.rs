//! Workflows that start by the clock (formats 5): their jobs are made in the commit that settles their moment, so each moment
//! has them once, whenever the power goes and whatever the clock does (R8).
//!
//! `rules::schedule` decides which moment is due. `each` looks through the records in slices, with its place in the same
//! row. Called by `Engine::keep_house` when the alarm of the queue rings, and by `deploy` for what holds from now on.

use model::{
    Caller, CorrelationId, EntityId, Message, Origin, ProcessName, Record, RecordRef, Timestamp,
    expression::Path,
    job::{Cause, Job, JobState, LogEvent, LogLine},
    process::workflow::Overlap,
    starter,
};
use rules::schedule::{Due, Schedule};
use script::{Facts, Timetable};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use store::{
    Overlay, jobs, records,
    schedules::{self, Settled},
};

use crate::{
    Catalogue, Engine, Error, Failure,
    access::{self, Who},
    catalogue::{Activation, Process, Surroundings},
    load::stored,
    resolve::{Reading, Root},
    settle,
    unit::Unit,
};

/// Records that one slice of `each` looks at.
const SLICE: usize = 200;

/// What a schedule is and where it stands, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduled {
    /// The next moments, the first first; empty while the process is not active.
    pub next: Vec<Timestamp>,
    /// The last moment that had jobs.
    pub last: Option<Timestamp>,
    /// The IANA name of the zone by whose clocks it goes.
    pub zone: SmolStr,
    /// Jobs that it started.
    pub started: u64,
    /// Jobs that it did not start, since an earlier one was not over.
    pub skipped: u64,
}

/// The schedule of a process with its surroundings, ready to be asked; nothing where it has none.
pub(crate) fn compile(
    name: &str,
    workflow: &model::process::workflow::Workflow,
    surroundings: &Surroundings,
) -> Result<Option<Schedule>, Error> {
    let Some(definition) = &workflow.start.schedule else { return Ok(None) };
    let what = || format!("the schedule of process `{name}`");
    let zone = match &definition.time_zone {
        None => surroundings.time_zone.clone(),
        Some(zone) => script::environment::time_zone(zone)
            .ok_or_else(|| stored(&what(), format!("there is no time zone `{zone}`")))?,
    };
    let timetable = Timetable::parse(&definition.cron, zone).map_err(|no| stored(&what(), no))?;
    Schedule::compile(definition, timetable).map(Some).map_err(|sentence| stored(&what(), sentence))
}

/// What a schedule goes by: its expression and its zone.
fn rhythm(process: &Process) -> SmolStr {
    let cron = process.workflow.start.schedule.as_ref().map(|schedule| schedule.cron.as_str()).unwrap_or_default();
    format_smolstr!("{cron} {}", zone_of(process))
}

fn zone_of(process: &Process) -> SmolStr {
    let named = process.workflow.start.schedule.as_ref().and_then(|schedule| schedule.time_zone.clone());
    let own = || process.activation.as_ref().map(|activation| activation.surroundings.zone.clone());
    named.or_else(own).unwrap_or_default()
}

/// Stages what follows for the schedules when `catalogue` holds from now on: a new one begins now, so does one that goes by
/// something else; one that is gone or not active any more is forgotten.
pub(crate) fn arrange(overlay: &mut Overlay, catalogue: &Catalogue, now: Timestamp) -> Result<(), Failure> {
    let known: Vec<Settled> = schedules::all(&*overlay)?.collect::<Result<_, _>>()?;
    for gone in known.iter().filter(|known| catalogue.scheduled().iter().all(|process| process.id != known.process)) {
        schedules::remove(overlay, gone.process);
    }
    for process in catalogue.scheduled() {
        let rhythm = rhythm(process);
        // A point read, so that it is validated against the jobs that are just being made.
        let known = schedules::get(overlay, process.id)?;
        if known.is_none_or(|known| known.rhythm != rhythm) {
            schedules::put(overlay, &Settled::new(process.id, rhythm, now));
        }
    }
    Ok(())
}

impl Engine {
    /// Arranges the schedules of a store that was written before there were any, or by hand.
    pub(crate) fn arrange_schedules(&self) -> Result<(), Failure> {
        self.now(|unit| {
            let catalogue = unit.catalogue.clone();
            arrange(&mut unit.overlay, &catalogue, unit.now)
        })
    }

    /// Where the schedule of a process stands, with the next `most` moments; nothing where it has none. The caller must be
    /// allowed to read the process.
    pub fn schedule(&self, caller: &Caller, name: &ProcessName, most: usize) -> Result<Option<Scheduled>, Failure> {
        self.check_reads_process(caller, name)?;
        let (catalogue, snapshot) = self.state()?;
        let Some(process) = catalogue.process(name.as_str()) else { return Ok(None) };
        let Some(schedule) = &process.schedule else { return Ok(None) };
        let settled = schedules::get(&snapshot, process.id)?;
        let next = settled.as_ref().map(|settled| schedule.upcoming(settled.until, most)).unwrap_or_default();
        Ok(Some(Scheduled {
            next,
            zone: zone_of(process),
            last: settled.as_ref().and_then(|settled| settled.last),
            started: settled.as_ref().map_or(0, |settled| settled.started),
            skipped: settled.as_ref().map_or(0, |settled| settled.skipped),
        }))
    }

    /// When the next schedule is due, as the store knows it: past moments are due now.
    pub fn next_scheduled(&self) -> Result<Option<Timestamp>, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let mut next = None;
        for process in catalogue.scheduled() {
            let (Some(schedule), Some(settled)) = (&process.schedule, schedules::get(&snapshot, process.id)?) else {
                continue;
            };
            let moment = match settled.at {
                Some((moment, _)) => Some(moment),
                None => schedule.timetable.next(settled.until),
            };
            next = next.into_iter().chain(moment).min();
        }
        Ok(next)
    }

    /// Does one slice of each schedule that is due.
    pub(crate) fn run_schedules(&self) -> Result<(), Failure> {
        let due: Vec<_> = {
            let (catalogue, snapshot) = self.state()?;
            let now = self.parts.clock.now();
            let mut due = Vec::new();
            for process in catalogue.scheduled() {
                let (Some(schedule), Some(settled)) = (&process.schedule, schedules::get(&snapshot, process.id)?)
                else {
                    continue;
                };
                if settled.at.is_some() || schedule.due(settled.until, now) != Due::Nothing {
                    due.push(process.id);
                }
            }
            due
        };
        for process in due {
            let (started, skipped) = self.in_background(|unit| slice(unit, process))?;
            metrics::counter!("stepwise_scheduled_total", "outcome" => "started").increment(started);
            metrics::counter!("stepwise_scheduled_total", "outcome" => "skipped").increment(skipped);
        }
        Ok(())
    }
}

/// Settles what is due of the schedule of `process`, or goes on with it. Tells how many jobs it started, and how many not.
fn slice(unit: &mut Unit, process: model::ProcessId) -> Result<(u64, u64), Failure> {
    let catalogue = unit.catalogue.clone();
    let Some(process) = catalogue.process_by_id(process) else { return Ok((0, 0)) };
    let (Some(schedule), Some(activation)) = (&process.schedule, &process.activation) else { return Ok((0, 0)) };
    let Some(before) = schedules::get(&unit.overlay, process.id)? else { return Ok((0, 0)) };
    let mut settled = before.clone();
    let moment = match settled.at {
        Some((moment, _)) => moment,
        None => match schedule.due(settled.until, unit.now) {
            Due::Nothing => return Ok((0, 0)),
            Due::Missed(until) => {
                tracing::info!(process = process.name.as_str(), %until, "moments of a schedule were missed");
                settled.until = until;
                schedules::put(&mut unit.overlay, &settled);
                return Ok((0, 0));
            }
            Due::At(moment) => moment,
        },
    };
    let run = Run { process, schedule, activation, moment };
    match access::owner::check(unit, process) {
        // Nobody is there to hear it: a job says why.
        Err(Failure::Refused(refusal)) => {
            settled.at = None;
            run.one(unit, &mut settled, None, Err(refusal.to_smolstr()))?;
        }
        Err(fault) => return Err(fault),
        Ok(()) => match process.workflow.entity {
            None => run.one(unit, &mut settled, None, Ok(()))?,
            Some(entity) => run.next_records(unit, &mut settled, entity)?,
        },
    }
    if settled.at.is_none() {
        settled.until = moment;
    }
    schedules::put(&mut unit.overlay, &settled);
    Ok((settled.started - before.started, settled.skipped - before.skipped))
}

/// One moment of one schedule.
struct Run<'a> {
    process: &'a Process,
    schedule: &'a Schedule,
    activation: &'a Activation,
    moment: Timestamp,
}

impl Run<'_> {
    /// The next records of `each`; those that were made after the moment are none of them.
    fn next_records(&self, unit: &mut Unit, settled: &mut Settled, entity: EntityId) -> Result<(), Failure> {
        let behind = settled.at.and_then(|(_, behind)| behind);
        let rows = unit.overlay.unvalidated();
        let found: Vec<Record> = records::all(&rows, entity, behind)?.take(SLICE).collect::<Result<_, _>>()?;
        let last = found.last().map(|record| record.id);
        let who = unit.who(&self.owner(unit))?;
        let definition = unit.entity(entity)?;
        for record in found.iter().filter(|record| self.was_there(record)) {
            let sees = who.sees(&unit.catalogue, &unit.overlay.unvalidated(), &definition, record)?;
            if !sees {
                continue;
            }
            match self.meets(unit, &who, record) {
                Ok(false) => {}
                Ok(true) => self.one(unit, settled, Some(record.reference()), Ok(()))?,
                Err(Failure::Refused(refusal)) => {
                    self.one(unit, settled, Some(record.reference()), Err(refusal.to_smolstr()))?;
                }
                Err(fault) => return Err(fault),
            }
        }
        settled.at = last.filter(|_| found.len() == SLICE).map(|last| (self.moment, Some(last)));
        Ok(())
    }

    fn was_there(&self, record: &Record) -> bool {
        match record.get(starter::CREATED_ON) {
            model::Value::DateTime(made) => *made <= self.moment,
            _ => true,
        }
    }

    /// Whether the record meets `each`, seen as the owner.
    fn meets(&self, unit: &mut Unit, who: &Who, record: &Record) -> Result<bool, Failure> {
        let Some(each) = &self.schedule.each else { return Ok(true) };
        let environment = self.activation.surroundings.at(unit.now);
        let owner = self.process.owner;
        let mut reading = Reading::new(unit, who.clone());
        let mut facts = Facts::new();
        let root = |path: &Path| match path.root.as_str() {
            "item" | "record" => Some(Root::Value(record.reference().into())),
            "user" | "caller" => Some(Root::Value(owner.into())),
            _ => None,
        };
        for path in each.paths() {
            if let Some(root) = root(path) {
                facts.insert(path.clone(), reading.follow(root, &path.segments)?);
            }
        }
        for named in each.records() {
            facts.insert_record(named.clone(), reading.named(named)?);
        }
        each.evaluate(&facts, &environment).map_err(|problem| {
            let why = format_smolstr!("`each` could not be decided: {problem}");
            model::Refusal::NotStartable { process: self.process.name.as_str().into(), why }.into()
        })
    }

    /// Stages the job of a record, or the one without; `barred`: it has failed before it begins.
    fn one(
        &self,
        unit: &mut Unit,
        settled: &mut Settled,
        record: Option<RecordRef>,
        barred: Result<(), SmolStr>,
    ) -> Result<(), Failure> {
        let token = self.token(unit, record)?;
        let earlier = match &token {
            Some(token) if self.schedule.overlap == Overlap::Skip => {
                jobs::of_token(&unit.overlay, token)?.next().transpose()?
            }
            _ => None,
        };
        if earlier.is_some() {
            settled.skipped += 1;
            return Ok(());
        }
        let mut job = Job { token, epoch: 1, ..self.job(unit, record) };
        let mut lines = vec![LogLine { at: unit.now, step: None, event: LogEvent::Due(self.moment) }];
        if let Err(why) = barred {
            job.state = JobState::Failed(why);
            job.completed_on = Some(unit.now);
            let event =
                LogEvent::Ended { state: job.state.word().into(), reason: job.state.reason().map(SmolStr::from) };
            lines.push(LogLine { at: unit.now, step: None, event });
        } else {
            unit.ready.push(job.id);
        }
        jobs::insert(&mut unit.overlay, &job);
        jobs::append(&mut unit.overlay, job.id, 0, &lines);
        settled.started += 1;
        settled.last = Some(self.moment);
        Ok(())
    }

    fn job(&self, unit: &Unit, record: Option<RecordRef>) -> Job {
        let owner = self.owner(unit);
        let cause = Cause { delegate: None, depth: 1, ..Cause::of(&owner, Message::Schedule) };
        settle::new_job(unit, self.activation, record, self.process.owner, cause)
    }

    /// By what the jobs of this schedule, and of this record, know of each other.
    fn token(&self, unit: &mut Unit, record: Option<RecordRef>) -> Result<Option<SmolStr>, Failure> {
        match (self.schedule.overlap, record) {
            (Overlap::Parallel, None) => Ok(None),
            (Overlap::Parallel, Some(record)) => {
                let fact = model::fact::Fact {
                    message: Message::Schedule,
                    record,
                    before: None,
                    after: None,
                    change: model::Values::new(),
                    caller: self.owner(unit),
                };
                settle::token(unit, self.process, self.activation, &fact)
            }
            (_, None) => Ok(Some(format_smolstr!("{}@", self.process.id))),
            (_, Some(record)) => Ok(Some(format_smolstr!("{}@{}:{}", self.process.id, record.entity, record.id))),
        }
    }

    /// The owner at the beginning of a chain: as him it runs, and by his rights it finds records (D1).
    fn owner(&self, unit: &Unit) -> Caller {
        let correlation = CorrelationId(unit.parts.ids.id(unit.now));
        Caller { origin: Origin::Outside, ..Caller::outside(self.process.owner, correlation) }
    }
}
