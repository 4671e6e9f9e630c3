//! What the edges call for jobs: lists, one with its run log, on-demand runs, and in `orders` what people want of one (E18).

mod orders;

use std::sync::Arc;

use model::{
    Caller, Field, JobId, Message, Privilege, ProcessName, RecordRef, Refusal, StepId, TaskName, Timestamp,
    fact::Fact,
    job::{Cause, Job, JobFilter, JobState, LogLine},
    process::DefinitionState,
    schema::Entity,
    starter,
};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use store::{counters, jobs};

pub use self::orders::Ordered;
pub(crate) use self::orders::{accessible, give, log, user_name};
use crate::{
    Catalogue, Engine, Failure, JobCounts,
    access::{self, Sight},
    catalogue::{self, Activation},
    packages::compiling,
    realtime, rows, settle,
    unit::{Unit, show},
};

/// Some jobs, the newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// What to give as `cursor` for the next page; absent on the last.
    pub next: Option<SmolStr>,
}

/// What a waiting job waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Waits {
    /// The step.
    pub step: StepId,
    /// What people call the step.
    pub title: Option<SmolStr>,
    /// When it was reached; absent where the run log alone tells.
    pub since: Option<Timestamp>,
    /// When the job looks again by itself; absent: no time is waited for.
    pub until: Option<Timestamp>,
    /// The branches in order, as they were written.
    pub branches: Vec<SmolStr>,
}

impl Waits {
    /// What the job waits for, if it stands in a wait.
    pub(crate) fn of(job: &Job, activation: &Activation) -> Option<Self> {
        let JobState::Waiting(watch) = &job.state else { return None };
        if let Some(package) = compiling::awaited(job) {
            let place = activation.program.place(job.progress.cursor)?;
            let calls =
                activation.pins.all().find(|(_, step)| compiling::is_of(package, catalogue::digest(&step.code)));
            let what = calls.map_or_else(
                || "a plugin that runs within the step".into(),
                |(_, step)| format_smolstr!("`{} {}`", step.definition.name.library(), step.version),
            );
            return Some(Self {
                step: place.step.clone(),
                title: place.title.map(SmolStr::from),
                since: None,
                until: None,
                branches: vec![format_smolstr!("until {what} is compiled")],
            });
        }
        let reached = job.progress.wait.as_ref()?;
        let cursor = job.progress.cursor;
        let place = activation.program.place(cursor)?;
        let branches = activation.program.waits_for(cursor);
        Some(Self {
            step: place.step.clone(),
            title: place.title.map(SmolStr::from),
            since: Some(reached.since),
            until: watch.until,
            branches: branches.into_iter().map(SmolStr::from).collect(),
        })
    }
}

/// Where in its process a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandsAt {
    /// The step.
    pub step: StepId,
    /// The title of the stage around it.
    pub stage: Option<SmolStr>,
}

impl Engine {
    /// Where the job stands, if it has begun and not succeeded: what failed tells where. Nothing where its version cannot
    /// be loaded.
    pub fn stands_at(&self, job: &Job) -> Option<StandsAt> {
        if job.started_on.is_none() || matches!(job.state, JobState::Succeeded(_)) {
            return None;
        }
        let activation = self.activation(&self.begin().ok()?, job.activation).ok()?;
        let place = activation.program.place(job.progress.cursor)?;
        Some(StandsAt { step: place.step.clone(), stage: place.stage.map(SmolStr::from) })
    }

    /// What the job waits for, if it stands in a wait.
    pub fn waits(&self, job: &Job) -> Result<Option<Waits>, Failure> {
        if !matches!(job.state, JobState::Waiting(_)) {
            return Ok(None);
        }
        let activation = self.activation(&self.begin()?, job.activation)?;
        Ok(Waits::of(job, &activation))
    }

    /// The jobs that `filter` wants, the newest first, at most `most` of them from `cursor` on. One call looks at so many jobs
    /// and no more (`Settings::jobs_looked_at`): where few are wanted, or few may be seen, a page may be short and still have
    /// a next one.
    pub fn jobs(
        &self,
        caller: &Caller,
        filter: &JobFilter,
        most: u32,
        cursor: Option<&str>,
    ) -> Result<JobPage, Failure> {
        check_filter(filter)?;
        let after = cursor.map(read_cursor).transpose()?;
        let (catalogue, snapshot) = self.state()?;
        let entity = entity_of(&catalogue)?;
        let who = self.who(&catalogue, &snapshot, caller)?;
        who.check_any(&entity, Privilege::Read)?;
        let mut sight = Sight::new(&catalogue, &snapshot, &entity, &who);
        let wanted = |job: &Job| {
            filter.state.as_ref().is_none_or(|state| job.state.word() == state)
                && filter.process.is_none_or(|process| job.activation.process == process)
                && filter.record.is_none_or(|record| job.record == Some(record))
        };
        let (mut page, mut cut) = (JobPage::default(), None);
        let mut add = |job: Job| -> Result<bool, Failure> {
            if !sight.sees(&rows::job(&catalogue, &job))? {
                return Ok(true);
            }
            if page.jobs.len() == most as usize {
                page.next = page.jobs.last().map(|last| last.id.to_smolstr());
                return Ok(false);
            }
            page.jobs.push(job);
            Ok(true)
        };
        match filter.record {
            Some(record) => {
                for id in jobs::on_record(&snapshot, record, after)? {
                    if let Some(job) = jobs::get(&snapshot, id?)?.filter(wanted)
                        && !add(job)?
                    {
                        break;
                    }
                }
            }
            None => {
                let mut last = None;
                for (looked, job) in jobs::newest(&snapshot, after)?.enumerate() {
                    if looked == self.parts.settings.jobs_looked_at {
                        cut = last;
                        break;
                    }
                    let job = job?;
                    last = Some(job.id);
                    if let Some(job) = Some(job).filter(wanted)
                        && !add(job)?
                    {
                        break;
                    }
                }
            }
        }
        page.next = page.next.or(cut.map(|last| last.to_smolstr()));
        Ok(page)
    }

    /// The job with its run log.
    pub fn job(&self, caller: &Caller, id: JobId) -> Result<(Job, Vec<LogLine>), Failure> {
        let (catalogue, snapshot) = self.state()?;
        let entity = entity_of(&catalogue)?;
        let who = self.who(&catalogue, &snapshot, caller)?;
        who.check_any(&entity, Privilege::Read)?;
        let job = jobs::get(&snapshot, id)?.ok_or_else(|| missing(id))?;
        who.check(&catalogue, &snapshot, &entity, Privilege::Read, &rows::job(&catalogue, &job))?;
        Ok((job, jobs::lines(&snapshot, id)?))
    }

    /// How many jobs there are in each state, in the order of `JobState::WORDS`: the store keeps the sums.
    pub fn job_counts(&self) -> Result<JobCounts, Failure> {
        let (_, snapshot) = self.state()?;
        let mut counts = [0; JobState::WORDS.len()];
        for (place, _, number) in counters::of_jobs(&snapshot)? {
            if let Some(count) = counts.get_mut(place) {
                *count += number;
            }
        }
        Ok(counts)
    }

    /// Whether a worker has the job in hand: it is ready for the store and in progress for people (E18).
    pub fn is_running(&self, id: JobId) -> bool {
        self.queue.is_claimed(id)
    }

    /// Runs a process on a record because somebody wants it; he is the one it runs as (processes 1.5).
    pub fn run_process(&self, caller: &Caller, name: &ProcessName, record: RecordRef) -> Result<JobId, Failure> {
        self.run_process_with(caller, name, record, Vec::new())
    }

    /// The same with inputs, checked against what the process declares.
    pub fn run_process_with(
        &self,
        caller: &Caller,
        name: &ProcessName,
        record: RecordRef,
        inputs: Vec<Field>,
    ) -> Result<JobId, Failure> {
        let job = self.now(|unit| start(unit, caller, name, record, inputs.clone()))?;
        if !job.real_time {
            self.queue.ready([job.id]);
        }
        Ok(job.id)
    }
}

/// Stages an on-demand job, or runs the process to its end where it runs in real-time.
fn start(
    unit: &mut Unit,
    caller: &Caller,
    name: &ProcessName,
    record: RecordRef,
    inputs: Vec<Field>,
) -> Result<Job, Failure> {
    unit.who(caller)?.check_task(&TaskName::EXECUTE_WORKFLOW_JOB)?;
    run_with(unit, caller, name, record, inputs)
}

/// Runs a process on demand because something else that the caller does brings it about.
pub(crate) fn run_in(unit: &mut Unit, caller: &Caller, name: &ProcessName, record: RecordRef) -> Result<Job, Failure> {
    run_with(unit, caller, name, record, Vec::new())
}

fn run_with(
    unit: &mut Unit,
    caller: &Caller,
    name: &ProcessName,
    record: RecordRef,
    inputs: Vec<Field>,
) -> Result<Job, Failure> {
    let catalogue = unit.catalogue.clone();
    let process = catalogue.process(name.as_str()).ok_or_else(|| Refusal::UnknownProcess(name.as_str().into()))?;
    let refuse = |why: &str| Refusal::NotStartable { process: name.as_str().into(), why: why.into() };
    let activation = process.activation.as_ref().filter(|_| process.state == DefinitionState::Active);
    let activation = activation.ok_or_else(|| refuse("it is not active"))?;
    if !process.workflow.on_demand {
        return Err(refuse("it does not say `on-demand: true`").into());
    }
    access::owner::check(unit, process)?;
    if process.workflow.entity != Some(record.entity) {
        let entity = process.workflow.entity.map(|entity| catalogue.schema.name_of(entity)).unwrap_or_default();
        return Err(refuse(&format!("it runs on records of `{entity}`")).into());
    }
    let entity = unit.entity(record.entity)?;
    if !unit.exists(record)? {
        return Err(Refusal::NotFound { entity: entity.name().as_str().into(), record: show(record) }.into());
    }
    access::check_at(unit, caller, &entity, Privilege::Read, record)?;
    let cause = Cause { depth: caller.depth, ..Cause::of(caller, Message::OnDemand) };
    let slots = activation.program.bind(inputs)?;
    if process.workflow.mode.is_real_time() {
        let mut job = settle::new_job(unit, activation, Some(record), caller.user, cause);
        job.progress.slots = slots;
        return realtime::finish(unit, activation, Job { real_time: true, ..job });
    }
    let asked = Fact {
        message: Message::OnDemand,
        record,
        before: None,
        after: None,
        change: model::Values::new(),
        caller: *caller,
    };
    let token = settle::token(unit, process, activation, &asked)?;
    let mut job = Job { token, ..settle::new_job(unit, activation, Some(record), caller.user, cause) };
    job.progress.slots = slots;
    jobs::insert(&mut unit.overlay, &job);
    Ok(job)
}

fn check_filter(filter: &JobFilter) -> Result<(), Refusal> {
    match &filter.state {
        Some(state) if !JobState::WORDS.contains(&state.as_str()) => Err(Refusal::Unreadable {
            what: "the state".into(),
            why: format_smolstr!("`{state}` is none of {}", JobState::WORDS.join(", ")),
        }),
        _ => Ok(()),
    }
}

fn read_cursor(text: &str) -> Result<JobId, Refusal> {
    let why = "it is not one that a page gave".into();
    text.parse().map(JobId).map_err(|_| Refusal::Unreadable { what: "the cursor".into(), why })
}

/// The entity that jobs are seen as: its privileges are those of jobs.
fn entity_of(catalogue: &Catalogue) -> Result<Arc<Entity>, Failure> {
    Ok(catalogue.schema.known(starter::JOB).cloned()?)
}

fn missing(id: JobId) -> Refusal {
    Refusal::NotFound { entity: "job".into(), record: id.to_smolstr() }
}
