//! A trial of a process on a record: it runs for real in a unit of work that is never committed, and everything it did, would
//! start and would wait for is told.
//!
//! Nothing persists, not even a number that counts up; no job, log line or audit tells of it. Custom steps run in their
//! sandbox with the unit lent to them, but for those that reach the outside. It runs as who asks, never as the owner:
//! nobody sees by a trial what he may not read.

use std::sync::{Arc, atomic::AtomicBool};

use model::{
    Caller, EntityId, Field, JobId, Message, Privilege, ProcessName, RecordRef, Refusal, TaskName, Timestamp,
    fact::Fact,
    job::{Job, JobState, LogLine},
    process::workflow::{Start, UpdateTrigger, Workflow},
    starter,
};
use rules::workflow::Program;
use smol_str::SmolStr;
use store::{jobs, outbox};

use crate::{
    Engine, Failure, Process, Waits, access,
    catalogue::{Activation, Pins},
    drive::Drive,
    explain::event,
    load,
    realtime::Ran,
    settle::{self, start},
    unit::{self, Slot, Unit, show},
};

/// How a trial goes on where a run would wait.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Beyond {
    /// Up to this moment time passes in no time at all.
    pub until: Option<Timestamp>,
    /// The branches by which the waits are left, in the order in which they are met; a wait behind them ends the trial.
    pub branches: Vec<u16>,
    /// What steps that reach the outside are taken to answer: step and output.
    pub answers: Vec<(SmolStr, Field)>,
}

/// What a trial showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The version that was tried; absent: a draft.
    pub version: Option<u32>,
    /// What was taken to start it.
    pub message: Message,
    /// The user as whom it ran.
    pub user: RecordRef,
    /// The user as whom it would run by its event, where that is another one.
    pub owner: Option<RecordRef>,
    /// What would stand in its run log.
    pub log: Vec<LogLine>,
    /// How it stands at the end of the trial.
    pub state: JobState,
    /// What it would wait for then.
    pub waits: Option<Waits>,
    /// What it would give back.
    pub outputs: Vec<Field>,
    /// Runs within its operations, in the order of their ends.
    pub within: Vec<Within>,
    /// Jobs that it would start.
    pub starts: Vec<Would>,
    /// Mail that would go.
    pub mails: Vec<Mail>,
    /// Whether it stopped because it does more than one unit of work can hold: the rest was not tried.
    pub is_cut: bool,
}

/// A run that was part of the trial: a real-time process or an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Within {
    /// The run.
    pub job: JobId,
    /// Its process.
    pub process: SmolStr,
    /// Its record.
    pub record: Option<RecordRef>,
    /// How it ended.
    pub state: JobState,
    /// What would stand in its run log.
    pub log: Vec<LogLine>,
}

/// A mail that would go.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    /// Whom it reaches.
    pub to: Vec<String>,
    /// Its subject.
    pub subject: SmolStr,
}

/// A job that would start.
#[derive(Clone, Debug, PartialEq)]
pub struct Would {
    /// Its process.
    pub process: SmolStr,
    /// Its record.
    pub record: Option<RecordRef>,
    /// What starts it.
    pub message: Message,
    /// Why it would not get anywhere, where that is known.
    pub reason: Option<SmolStr>,
}

/// So often a trial is begun again because somebody changed what it rests on.
const TRIES: u32 = 4;

impl Engine {
    /// Tries the process on the record, as the caller. He needs what running a process needs, and read on the record.
    pub fn try_process(
        &self,
        caller: &Caller,
        name: &ProcessName,
        record: Option<RecordRef>,
        inputs: &[Field],
        beyond: &Beyond,
    ) -> Result<Trial, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_once(caller, name, record, inputs, beyond) {
                Err(failure) if failure.is_conflict() && tries < TRIES => {}
                Err(failure) if failure.is_conflict() => return Err(Refusal::Busy.into()),
                other => return other,
            }
        }
    }

    fn try_once(
        &self,
        caller: &Caller,
        name: &ProcessName,
        record: Option<RecordRef>,
        inputs: &[Field],
        beyond: &Beyond,
    ) -> Result<Trial, Failure> {
        self.check_task(caller, &TaskName::EXECUTE_WORKFLOW_JOB)?;
        self.check_reads_process(caller, name)?;
        let mut unit = self.begin()?;
        unit.trial = Some(unit::Trial { ahead: 0, answers: beyond.answers.clone() });
        let process = unit.catalogue.process(name.as_str()).cloned();
        let process = process.ok_or_else(|| Refusal::UnknownProcess(name.as_str().into()))?;
        let activation = activation(&unit, &process)?;
        check_record(&mut unit, caller, &process, record)?;
        let job = job(&mut unit, caller, &process, &activation, record, inputs)?;
        let mut run = Run { caller, process: &process, activation, beyond, job, log: Vec::new(), is_cut: false };
        run.until_it_rests(unit)
    }
}

/// A trial on its way.
struct Run<'r> {
    caller: &'r Caller,
    process: &'r Process,
    activation: Arc<Activation>,
    beyond: &'r Beyond,
    job: Job,
    log: Vec<LogLine>,
    is_cut: bool,
}

impl Run<'_> {
    fn until_it_rests(&mut self, unit: Unit) -> Result<Trial, Failure> {
        let mut slot = Slot::Here(Box::new(unit));
        let mut branches = self.beyond.branches.iter();
        loop {
            let mut drive =
                Drive::new(&mut slot, &self.activation, &mut self.job, Arc::new(AtomicBool::new(false)), true)?;
            drive.run()?;
            self.log.append(&mut drive.lines);
            let unit = slot.unit()?;
            if self.job.state == JobState::Ready {
                self.is_cut = true;
                break;
            }
            if !self.goes_on(unit, &mut branches)? {
                break;
            }
        }
        let Slot::Here(unit) = slot else { return Err(crate::Error::Lent.into()) };
        self.told(*unit)
    }

    /// Lets the job leave its rest, as far as whoever tries it wants that.
    fn goes_on<'b>(&mut self, unit: &mut Unit, branches: &mut impl Iterator<Item = &'b u16>) -> Result<bool, Failure> {
        if matches!(self.job.state, JobState::Waiting(_))
            && let Some(branch) = branches.next()
        {
            let most = self.activation.program.waits_for(self.job.progress.cursor).len();
            if !self.activation.program.leave_by(&mut self.job, *branch) {
                let why = smol_str::format_smolstr!("the wait has {most} branch(es), and none has the number {branch}");
                return Err(Refusal::Unreadable { what: "the choice of a branch".into(), why }.into());
            }
            return Ok(true);
        }
        let Some(due) = self.job.state.due().filter(|due| self.beyond.until.is_some_and(|until| *due <= until)) else {
            return Ok(false);
        };
        if let Some(trial) = &mut unit.trial {
            trial.ahead += (due.as_micros() - unit.now.as_micros()).max(0);
        }
        unit.tick();
        self.job.state = JobState::Ready;
        Ok(true)
    }

    fn told(&mut self, mut unit: Unit) -> Result<Trial, Failure> {
        let facts: Vec<Fact> = std::mem::take(&mut unit.facts);
        let mut ids = settle::background(&mut unit, &facts)?;
        ids.append(&mut unit.ready);
        let (starts, mails) = (would(&unit, &ids)?, mails(&unit, &facts)?);
        let catalogue = unit.catalogue.clone();
        let within = |ran: Ran| Within {
            job: ran.job.id,
            process: catalogue.process_name(ran.job.activation.process),
            record: ran.job.record,
            state: ran.job.state,
            log: ran.lines,
        };
        let runs = std::mem::take(&mut unit.runs).into_iter().chain(std::mem::take(&mut unit.dropped));
        let owner = Some(self.process.owner).filter(|owner| {
            *owner != self.caller.user && !self.process.is_action() && self.job.cause.message != Message::OnDemand
        });
        Ok(Trial {
            version: Some(self.activation.id.version).filter(|version| *version > 0),
            message: self.job.cause.message,
            user: self.caller.user,
            owner,
            log: std::mem::take(&mut self.log),
            waits: Waits::of(&self.job, &self.activation),
            outputs: self.activation.program.outputs(&self.job),
            state: self.job.state.clone(),
            within: runs.map(within).collect(),
            starts,
            mails,
            is_cut: self.is_cut,
        })
    }
}

/// The jobs that the trial has staged, each once.
fn would(unit: &Unit, ids: &[JobId]) -> Result<Vec<Would>, Failure> {
    let mut starts: Vec<Would> = Vec::new();
    for id in ids {
        let Some(job) = jobs::get(&unit.overlay.unvalidated(), *id)? else { continue };
        // What was there before was woken, not started.
        if jobs::get(unit.overlay.base(), *id)?.is_none() {
            starts.push(Would {
                process: unit.catalogue.process_name(job.activation.process),
                record: job.record,
                message: job.cause.message,
                reason: job.state.reason().map(SmolStr::from),
            });
        }
    }
    Ok(starts)
}

/// The mail that the trial has put into the outbox.
fn mails(unit: &Unit, facts: &[Fact]) -> Result<Vec<Mail>, Failure> {
    let mut mails = Vec::new();
    let made = |fact: &&Fact| fact.record.entity == starter::EMAIL && fact.message == Message::Create;
    for fact in facts.iter().filter(made) {
        if let Some(posted) = outbox::get(&unit.overlay.unvalidated(), fact.record)? {
            let parcel = posted.parcel;
            let to = parcel.to.iter().chain(&parcel.cc).chain(&parcel.bcc).map(|mailbox| mailbox.address.to_string());
            mails.push(Mail { to: to.collect(), subject: parcel.subject.as_str().into() });
        }
    }
    Ok(mails)
}

/// What new runs get; of a draft the definition as it is.
fn activation(unit: &Unit, process: &Process) -> Result<Arc<Activation>, Failure> {
    if let Some(activation) = &process.activation {
        return Ok(activation.clone());
    }
    let catalogue = &unit.catalogue;
    let program = Program::compile(&process.workflow, &catalogue.schema, &catalogue.steps);
    let program = program.map_err(|sentences| load::stored(process.name.as_str(), sentences.join("; ")))?;
    let pins = Pins::choose(&program, &catalogue.steps);
    let id = model::ActivationId { process: process.id, version: 0 };
    let surroundings = catalogue.surroundings_of(&process.solution).clone();
    Ok(Arc::new(Activation { id, program, pages: None, pins, surroundings }))
}

fn check_record(unit: &mut Unit, caller: &Caller, process: &Process, record: Option<RecordRef>) -> Result<(), Failure> {
    let refuse = |why: String| Refusal::NotStartable { process: process.name.as_str().into(), why: why.into() };
    let name = |unit: &Unit, entity: EntityId| unit.catalogue.schema.name_of(entity);
    match (process.workflow.entity, record) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(refuse("it runs on no record".to_owned()).into()),
        (Some(entity), Some(record)) if record.entity == entity => {
            let known = unit.entity(entity)?;
            access::check_any(unit, caller, &known, Privilege::Read)?;
            if !unit.exists(record)? {
                return Err(Refusal::NotFound { entity: name(unit, entity), record: show(record) }.into());
            }
            access::check_at(unit, caller, &known, Privilege::Read, record)
        }
        (Some(entity), _) => Err(refuse(format!("it runs on records of `{}`", name(unit, entity))).into()),
    }
}

/// The job as it would be made: on demand where that is allowed, else by the first event that starts it, in which all that
/// it looks at was named.
fn job(
    unit: &mut Unit,
    caller: &Caller,
    process: &Process,
    activation: &Arc<Activation>,
    record: Option<RecordRef>,
    inputs: &[Field],
) -> Result<Job, Failure> {
    let message = message_of(&process.workflow);
    let fact = match record {
        Some(record) => {
            let named = named(unit, &process.workflow, message);
            event::supposed(unit, caller, record, message, &named)?.fact
        }
        // Without a record there is no event: the fact is only what a cause is made of.
        None => Fact {
            message,
            record: caller.user,
            before: None,
            after: None,
            change: model::Values::new(),
            caller: *caller,
        },
    };
    let slots = activation.program.bind(inputs.to_vec())?;
    let cause = start::cause_of(&fact, activation);
    let mut job = settle::new_job(unit, activation, record, caller.user, cause);
    job.real_time = process.is_action() || process.workflow.mode.is_real_time();
    job.progress.slots = slots;
    Ok(job)
}

fn message_of(workflow: &Workflow) -> Message {
    let Start { create, update, status, assign, delete, .. } = &workflow.start;
    match () {
        () if workflow.action.is_some() => Message::Action,
        () if workflow.on_demand => Message::OnDemand,
        () if *create => Message::Create,
        () if update.is_some() => Message::Update,
        () if *status => Message::SetStatus,
        () if *assign => Message::Assign,
        () if *delete => Message::Delete,
        () => Message::Child,
    }
}

/// The attributes that the supposed request names: all that start the process.
fn named(unit: &Unit, workflow: &Workflow, message: Message) -> Vec<(SmolStr, Option<model::Value>)> {
    let entity = workflow.entity.and_then(|entity| unit.catalogue.schema.entity(entity));
    let (Some(entity), Message::Update, Some(UpdateTrigger::Attributes(attributes))) =
        (entity, message, &workflow.start.update)
    else {
        return Vec::new();
    };
    let known = attributes.iter().filter_map(|id| entity.attribute_by_id(*id));
    known.map(|attribute| (attribute.name().as_str().into(), None)).collect()
}
