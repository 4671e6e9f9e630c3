//! The jobs that a unit's facts start: rows in the same batch, so none is lost and none starts by what was taken back.
//!
//! `rules::trigger` decides for each workflow and fact. A job keeps of the event what its activation reads (E20).

use std::cell::RefCell;

use model::{
    AttributeId, Caller, Image, JobId, Message, Origin, RecordRef, Refusal, Timestamp, Value, Values,
    expression::{NamedRecord, Path},
    fact::Fact,
    job::{Cause, Job, JobState, LogEvent, LogLine, Progress},
    process::workflow::Stage,
};
use rules::{
    depth::{Limits, Start},
    trigger::{Asked, Organisation, Trigger, Verdict},
};
use script::{Compiled, Environment, Facts};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use store::jobs;

use crate::{
    Failure,
    access::{self, Who},
    catalogue::{Activation, Process, Surroundings},
    organisation::Members,
    resolve::{Reading, Root},
    unit::Unit,
};

/// Stages the jobs that these facts start, and gives those that can run.
pub(crate) fn background(unit: &mut Unit, facts: &[Fact]) -> Result<Vec<JobId>, Failure> {
    let mut started = Vec::new();
    for fact in facts {
        let catalogue = unit.catalogue.clone();
        for process in catalogue.starting(fact.record.entity) {
            let verdict = decide(unit, process, fact, None);
            // Its owner is asked about last: most changes start nothing.
            let verdict = verdict.and_then(|starts| match starts {
                true => access::owner::check(unit, process).map(|()| true),
                false => Ok(false),
            });
            match verdict {
                Ok(false) => {}
                Ok(true) => started.extend(start(unit, process, fact, None)?),
                // Whoever made the change cannot help it: the process does not run, and its job says why.
                Err(Failure::Refused(refusal)) => drop(start(unit, process, fact, Some(refusal))?),
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(started)
}

/// Whether `fact` starts `process`, on this side of the change where it runs in real-time.
pub(crate) fn decide(unit: &mut Unit, process: &Process, fact: &Fact, side: Option<Stage>) -> Result<bool, Failure> {
    let (Some(trigger), Some(activation)) = (&process.trigger, &process.activation) else { return Ok(false) };
    let environment = activation.surroundings.at(unit.now);
    let unit = RefCell::new(unit);
    let mut trouble = None;
    let mut read = |paths: &[Path], records: &[NamedRecord]| {
        read_event(&mut unit.borrow_mut(), process.owner, fact, paths, records).unwrap_or_else(|failure| {
            trouble = Some(failure);
            Facts::new()
        })
    };
    let verdict = trigger.decide(fact, side, &Shared(&unit), &mut read, &environment);
    trouble.map_or(Ok(verdict == Verdict::Starts), Err)
}

/// The same for a person: every question with its answer.
pub(crate) fn ask(
    unit: &mut Unit,
    trigger: &Trigger,
    surroundings: &Surroundings,
    fact: &Fact,
) -> Result<Vec<Asked>, Failure> {
    let environment = surroundings.at(unit.now);
    let unit = RefCell::new(unit);
    let mut trouble = None;
    let mut read = |paths: &[Path], records: &[NamedRecord]| {
        read_event(&mut unit.borrow_mut(), trigger.owner, fact, paths, records).unwrap_or_else(|failure| {
            trouble = Some(failure);
            Facts::new()
        })
    };
    let asked = trigger.ask(fact, None, &Shared(&unit), &mut read, &environment);
    trouble.map_or(Ok(asked), Err)
}

/// The organisation, asked while the unit may also be read.
struct Shared<'c, 'u>(&'c RefCell<&'u mut Unit>);

impl Organisation for Shared<'_, '_> {
    fn unit_of(&self, principal: RecordRef) -> Option<RecordRef> {
        Members(&self.0.borrow()).unit_of(principal)
    }

    fn is_member(&self, user: RecordRef, team: RecordRef) -> bool {
        Members(&self.0.borrow()).is_member(user, team)
    }

    fn is_within(&self, unit: RecordRef, above: RecordRef) -> bool {
        Members(&self.0.borrow()).is_within(unit, above)
    }
}

/// What paths lead to at the moment of the event, before there is a job.
pub(crate) fn read_event(
    unit: &mut Unit,
    owner: RecordRef,
    fact: &Fact,
    paths: &[Path],
    records: &[NamedRecord],
) -> Result<Facts, Failure> {
    let entity = fact.record.entity;
    let image = |values| Some(Root::Image(entity, values));
    // The change itself is the engine's to look at; what it leads to is read as the process's owner.
    let owners = Caller { user: owner, delegate: None, origin: Origin::Outside, ..fact.caller };
    let who = if paths.iter().all(|path| path.segments.is_empty()) { Who::Engine } else { unit.who(&owners)? };
    let mut reading = Reading::new(unit, who);
    let mut facts = Facts::new();
    for path in paths {
        let root = match path.root.as_str() {
            // What was deleted is seen as it was (D16).
            "record" if fact.message == Message::Delete && !path.segments.is_empty() => {
                fact.before.as_ref().and_then(|before| image(&before.values))
            }
            "record" => Some(Root::Value(fact.record.into())),
            "before" => fact.before.as_ref().and_then(|before| image(&before.values)),
            "after" => fact.after.as_ref().and_then(|after| image(&after.values)),
            "change" => image(&fact.change),
            "user" => Some(Root::Value(owner.into())),
            "caller" => Some(Root::Value(fact.caller.user.into())),
            _ => None,
        };
        if let Some(root) = root {
            facts.insert(path.clone(), reading.follow(root, &path.segments)?);
        }
    }
    for named in records {
        facts.insert_record(named.clone(), reading.named(named)?);
    }
    Ok(facts)
}

/// Stages the job of `process` for `fact`; gives it where it can run.
fn start(
    unit: &mut Unit,
    process: &Process,
    fact: &Fact,
    mut barred: Option<Refusal>,
) -> Result<Option<JobId>, Failure> {
    let Some(activation) = &process.activation else { return Ok(None) };
    let token = match barred.is_none().then(|| token(unit, process, activation, fact)) {
        Some(Err(Failure::Refused(refusal))) => {
            barred = Some(refusal);
            None
        }
        Some(token) => token?,
        None => None,
    };
    let cause = cause_of(fact, activation);
    let mut job = new_job(unit, activation, Some(fact.record), process.owner, cause);
    job.token = token;
    let loops = check_loops(unit, process, fact, &job)?;
    if let Some(refusal) = barred.or(loops.err()) {
        job.state = JobState::Failed(match refusal {
            // It names the process itself.
            Refusal::ProcessOwner { .. } => refusal.to_smolstr(),
            _ => format_smolstr!("`{}`: {refusal}", process.name),
        });
        job.completed_on = Some(unit.now);
        let event = LogEvent::Ended { state: job.state.word().into(), reason: job.state.reason().map(SmolStr::from) };
        jobs::append(&mut unit.overlay, job.id, 0, &[LogLine { at: unit.now, step: None, event }]);
    }
    jobs::insert(&mut unit.overlay, &job);
    Ok((job.state == JobState::Ready).then_some(job.id))
}

/// The token of a job that `fact` starts, where its process says `in-order-by`.
pub(crate) fn token(
    unit: &mut Unit,
    process: &Process,
    activation: &Activation,
    fact: &Fact,
) -> Result<Option<SmolStr>, Failure> {
    let Some(order) = activation.program.order() else { return Ok(None) };
    let facts = read_event(unit, process.owner, fact, &order.expression().paths, &[])?;
    Ok(token_of(process, order, &facts, &activation.surroundings.at(unit.now)))
}

/// A job that is ready to run for the first time.
pub(crate) fn new_job(
    unit: &Unit,
    activation: &Activation,
    record: Option<RecordRef>,
    user: RecordRef,
    cause: Cause,
) -> Job {
    Job {
        id: JobId(unit.parts.ids.id(unit.now)),
        activation: activation.id,
        record,
        user,
        cause,
        state: JobState::Ready,
        progress: Progress::default(),
        created_on: unit.now,
        started_on: None,
        completed_on: None,
        attempts: 0,
        epoch: 0,
        token: None,
        real_time: false,
    }
}

/// What of the event the job keeps: exactly what its activation reads.
pub(crate) fn cause_of(fact: &Fact, activation: &Activation) -> Cause {
    let images = activation.program.images();
    let record = |record: &Option<model::Record>, wanted: &[AttributeId]| {
        record.as_ref().map(|record| only(&record.values, wanted)).unwrap_or_default()
    };
    let mut before = record(&fact.before, &images.before);
    if fact.message == Message::Delete {
        record(&fact.before, &images.record).into_iter().for_each(|(name, value)| before.store(name, value));
    }
    Cause {
        attributes: fact.change.attributes().collect(),
        change: only(&fact.change, &images.change),
        before,
        after: record(&fact.after, &images.after),
        ..Cause::of(&fact.caller, fact.message)
    }
}

fn only(values: &Values, wanted: &[AttributeId]) -> Image {
    let present = wanted.iter().filter_map(|name| values.named(*name).map(|value| (*name, value.clone())));
    present.collect()
}

/// The value for which jobs run one at a time; each process has tokens of its own. An empty value orders nothing.
fn token_of(process: &Process, order: &Compiled, facts: &Facts, environment: &Environment) -> Option<SmolStr> {
    let value = match order.evaluate(facts, environment) {
        Ok(value) => value,
        // A value that cannot be computed is one value: in order is the safe side.
        Err(problem) => Value::Text(problem.to_smolstr()),
    };
    let text = match value {
        Value::Null => return None,
        Value::Text(text) => rules::value::fold(&text),
        Value::Reference(target) => format_smolstr!("{}:{}", target.entity, target.id),
        other => rules::value::describe(&other),
    };
    Some(format_smolstr!("{}:{text}", process.id))
}

/// Refuses a start that is too deep in its chain, or one too many on its record by the process's own effects (D1).
pub(crate) fn check_loops(
    unit: &Unit,
    process: &Process,
    fact: &Fact,
    job: &Job,
) -> Result<Result<(), model::Refusal>, Failure> {
    let settings = &unit.parts.settings;
    let limits = Limits { depth: settings.max_depth, window: settings.depth_window, ..Limits::default() };
    let caller = Caller {
        user: job.user,
        initiating_user: job.cause.initiating_user,
        delegate: None,
        origin: Origin::Process(process.id),
        correlation: job.cause.correlation,
        depth: job.cause.depth,
    };
    if let Err(refusal) = rules::depth::check(&caller, Some(process.name.as_str()), &limits) {
        return Ok(Err(refusal));
    }
    if fact.caller.depth <= 1 {
        return Ok(Ok(()));
    }
    let this = Start { correlation: caller.correlation, depth: caller.depth };
    let starts = starts_on(unit, process, fact.record, this, unit.now.plus_micros(-limits.window))?;
    Ok(rules::depth::check_starts(&caller, process.name.as_str(), rules::depth::own_starts(&starts), &limits))
}

/// So many of a record's newest jobs are looked at: a brake must not cost more than what it stops.
const LOOKED_AT: usize = 1_000;

/// The starts of the process on the record since then, the newest first, `this` one before all.
fn starts_on(
    unit: &Unit,
    process: &Process,
    record: RecordRef,
    this: Start,
    since: Timestamp,
) -> Result<Vec<Start>, Failure> {
    let mut starts = vec![this];
    let here = |job: &Job| job.activation.process == process.id && job.record == Some(record);
    let runs = unit.runs.iter().rev().map(|ran| &ran.job).filter(|job| here(job));
    starts.extend(runs.map(|job| Start { correlation: job.cause.correlation, depth: job.cause.depth }));
    for id in jobs::on_record(&unit.overlay, record, None)?.take(LOOKED_AT) {
        // Other jobs of the record come and go: the count is a brake and needs no conflict.
        let Some(job) = jobs::get(&unit.overlay.unvalidated(), id?)? else { continue };
        if job.created_on < since {
            break;
        }
        if job.activation.process == process.id {
            starts.push(Start { correlation: job.cause.correlation, depth: job.cause.depth });
        }
    }
    Ok(starts)
}
