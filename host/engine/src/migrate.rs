//! Moving jobs that rest to another version of their process, with a preview (D11): each stays where it stands, by the
//! identity of its step.
//!
//! A slice of jobs is one unit of work, so a crash leaves some moved and some not, and the same order again does the rest. Jobs
//! in flight, or about to run, are not touched. `rules::workflow::moved` says which can go and what they have then.

use std::sync::Arc;

use model::{
    ActivationId, Caller, JobId, ProcessName, Refusal, StepId,
    job::{Job, JobFilter, JobState, LogEvent},
    step::LogLevel,
};
use rules::workflow::moved;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use store::{definitions, jobs};

use crate::{
    Engine, Failure,
    catalogue::Activation,
    jobs::{accessible, log, user_name},
    load,
    unit::Unit,
};

/// What is to be moved where.
#[derive(Clone, Debug, PartialEq)]
pub struct Migration {
    /// The process.
    pub process: ProcessName,
    /// The version whose jobs are moved; absent: every other one.
    pub from: Option<u32>,
    /// The version that they get; absent: the one that holds now.
    pub to: Option<u32>,
    /// Steps that are called otherwise in the other version: old, new.
    pub map: Vec<(StepId, StepId)>,
}

/// One job of a migration.
#[derive(Clone, Debug, PartialEq)]
pub struct Migrated {
    /// The job.
    pub job: JobId,
    /// The word of its state.
    pub state: SmolStr,
    /// Its version before.
    pub version: u32,
    /// The step at which it stood and the one at which it goes on; absent: it has not begun.
    pub steps: Option<(StepId, StepId)>,
    /// Why it cannot be moved; absent: it can, or was.
    pub why_not: Option<String>,
}

/// What became of a slice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The version that they get.
    pub to: u32,
    /// The jobs that were looked at.
    pub jobs: Vec<Migrated>,
    /// What to give as `cursor` to go on; absent when all were looked at.
    pub next: Option<SmolStr>,
}

/// Jobs that one unit of work moves.
const SLICE: u32 = 200;

impl Engine {
    /// What moving would do to a slice of the jobs, from `cursor` on; nothing is written.
    pub fn plan_migration(
        &self,
        caller: &Caller,
        migration: &Migration,
        cursor: Option<&str>,
    ) -> Result<Outcome, Failure> {
        let (found, next) = self.resting(caller, migration, cursor)?;
        let mut unit = self.begin()?;
        let to = target(&unit, migration)?;
        let jobs = found.into_iter().map(|id| self.moved(&mut unit, caller, migration, to, id).map(|(told, _)| told));
        Ok(Outcome { to: to.version, jobs: jobs.collect::<Result<_, _>>()?, next })
    }

    /// Moves a slice of the jobs, from `cursor` on.
    pub fn migrate(&self, caller: &Caller, migration: &Migration, cursor: Option<&str>) -> Result<Outcome, Failure> {
        let (found, next) = self.resting(caller, migration, cursor)?;
        let (to, jobs) = self.now(|unit| {
            let to = target(unit, migration)?;
            let by = user_name(unit, caller)?;
            let mut told = Vec::with_capacity(found.len());
            for id in &found {
                let (one, change) = self.moved(unit, caller, migration, to, *id)?;
                if let Some((before, after)) = change {
                    write(unit, &before, &after, &one, &by);
                }
                told.push(one);
            }
            Ok((to.version, told))
        })?;
        Ok(Outcome { to, jobs, next })
    }

    /// A slice of the jobs of the process that have not ended, of the version that is to be moved.
    fn resting(
        &self,
        caller: &Caller,
        migration: &Migration,
        cursor: Option<&str>,
    ) -> Result<(Vec<JobId>, Option<SmolStr>), Failure> {
        self.check_reads_process(caller, &migration.process)?;
        let process = self.catalogue().process_named(migration.process.as_str());
        let process = process.ok_or_else(|| Refusal::UnknownProcess(migration.process.as_str().into()))?;
        let to = target(&self.begin()?, migration)?;
        let filter = JobFilter { process: Some(process), ..JobFilter::default() };
        let page = self.jobs(caller, &filter, SLICE, cursor)?;
        let is_meant = |job: &&Job| {
            let version = job.activation.version;
            !job.real_time
                && !job.state.is_completed()
                && version != to.version
                && migration.from.is_none_or(|from| from == version)
        };
        Ok((page.jobs.iter().filter(is_meant).map(|job| job.id).collect(), page.next))
    }

    /// What becomes of one job: what is told of it, and the row before and after where it can be moved.
    fn moved(
        &self,
        unit: &mut Unit,
        caller: &Caller,
        migration: &Migration,
        to: ActivationId,
        id: JobId,
    ) -> Result<(Migrated, Option<(Job, Job)>), Failure> {
        let job = match accessible(unit, caller, id) {
            Ok(job) => job,
            Err(Failure::Refused(refusal)) => {
                let why_not = Some(refusal.to_string());
                let state = SmolStr::default();
                return Ok((Migrated { job: id, state, version: 0, steps: None, why_not }, None));
            }
            Err(fault) => return Err(fault),
        };
        let mut told = Migrated {
            job: id,
            state: job.state.word().into(),
            version: job.activation.version,
            steps: None,
            why_not: None,
        };
        // It may have gone on, or been moved, since it was found.
        if job.state.is_completed() || job.activation == to {
            told.why_not = Some("it has ended or was moved meanwhile".to_owned());
            return Ok((told, None));
        }
        if job.state == JobState::Ready || self.is_running(id) {
            told.why_not = Some("it is running or about to run; it can be moved when it rests".to_owned());
            return Ok((told, None));
        }
        let (old, new) = match (self.activation(unit, job.activation), self.activation(unit, to)) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(failure), _) | (_, Err(failure)) => {
                told.why_not = Some(format!("one of the versions cannot be loaded: {failure}"));
                return Ok((told, None));
            }
        };
        match after(&old, &new, &job, &migration.map) {
            Ok((after, steps)) => {
                told.steps = steps;
                Ok((told, Some((job, after))))
            }
            Err(why) => {
                told.why_not = Some(why);
                Ok((told, None))
            }
        }
    }
}

type Steps = Option<(StepId, StepId)>;

/// The job as it is in the other version.
fn after(
    old: &Arc<Activation>,
    new: &Arc<Activation>,
    job: &Job,
    map: &[(StepId, StepId)],
) -> Result<(Job, Steps), String> {
    let moved = moved(&old.program, &new.program, job, map)?;
    let mut after = Job { activation: new.id, progress: moved.progress, epoch: job.epoch + 1, ..job.clone() };
    // It looks at the branches of the other version, and waits by those.
    if matches!(after.state, JobState::Waiting(_)) {
        after.state = JobState::Ready;
    }
    Ok((after, moved.from.zip(moved.to)))
}

fn write(unit: &mut Unit, before: &Job, after: &Job, told: &Migrated, by: &str) {
    let at = told.steps.as_ref().map(|(_, to)| format!(", at step `{to}`")).unwrap_or_default();
    let (from, to) = (before.activation.version, after.activation.version);
    let message = format_smolstr!("moved from version {from} to version {to}{at}, by {by}");
    log(unit, after, LogEvent::Said { level: LogLevel::Info, message });
    jobs::replace(&mut unit.overlay, before, after);
    unit.ready.push(after.id);
}

/// The version that the jobs get.
fn target(unit: &Unit, migration: &Migration) -> Result<ActivationId, Failure> {
    let name = &migration.process;
    let process = unit.catalogue.process(name.as_str()).ok_or_else(|| Refusal::UnknownProcess(name.as_str().into()))?;
    let current = process.activation.as_ref().map(|activation| activation.id.version);
    let version = migration.to.or(current).ok_or_else(|| {
        let why = "it has no version that holds now; name one".into();
        Refusal::NotStartable { process: name.as_str().into(), why }
    })?;
    let id = ActivationId { process: process.id, version };
    match definitions::activation(&unit.overlay.unvalidated(), id)? {
        Some(_) => Ok(id),
        None => {
            let record = format_smolstr!("{version} of process `{name}`");
            Err(Refusal::NotFound { entity: "version".into(), record }.into())
        }
    }
}

/// Gives a job that failed, or waits for a person, the version that holds now, at the step where it stands.
pub(crate) fn to_newest(unit: &Unit, job: &mut Job) -> Result<(), Failure> {
    let catalogue = &unit.catalogue;
    let process = catalogue.process_by_id(job.activation.process);
    let name = || process.map_or_else(|| job.activation.process.to_smolstr(), |process| process.name.as_str().into());
    let refuse = |why: String| Refusal::NotStartable { process: name(), why: why.into() };
    let newest = process.and_then(|process| process.activation.as_ref());
    let newest = newest.ok_or_else(|| refuse("it is not active".to_owned()))?;
    if newest.id == job.activation {
        return Ok(());
    }
    let old = load::activation(&unit.parts, catalogue, &unit.overlay.unvalidated(), job.activation);
    let old =
        old.map_err(|_| refuse("the version that the job ran cannot be loaded; try it from its start".to_owned()))?;
    let moved = moved(&old.program, &newest.program, job, &[]).map_err(refuse)?;
    job.progress = moved.progress;
    job.activation = newest.id;
    Ok(())
}
