//! One job, as far as one unit of work goes: claim, drive, commit (E14, E18).
//!
//! Effects, cursor, run log and state are one batch, so each step's effect happens exactly once, also after a crash. The
//! worker does not wait for the disk: what follows a commit is told by its completion.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use model::{
    JobId, Message,
    job::{Job, JobState, LogEvent, LogLine},
    step::LogLevel,
};
use rules::depth::Limits;
use smol_str::SmolStr;
use store::{Priority, jobs};

use super::queue::Claim;
use crate::{
    Engine, Error, Failure,
    catalogue::Activation,
    drive::Drive,
    outside::Leaving,
    packages::{Missing, compiling},
    settle::{self, Settled, Started},
    unit::{Slot, Unit},
};

/// What one stretch of work came to.
enum Stretch {
    /// The job cannot run now: it is not ready, not due, not the first of its token, or gone.
    Nothing,
    /// This is to be committed.
    Commit(Box<Commit>),
    /// Nothing is to be committed before this has run.
    Outside(Box<Leaving>),
}

struct Commit {
    settled: Settled,
    after: After,
}

/// What follows once it is committed.
struct After {
    job: JobId,
    state: JobState,
    /// The next job of the same token, when this one has ended.
    next: Option<JobId>,
}

impl Engine {
    /// Runs a claimed job and gives it back.
    pub(super) fn work(&self, claim: &Claim) {
        let stretch = match self.stretch(claim) {
            Err(Failure::Fault(Error::Lent)) => self.suspend(claim, "a custom step did not give the unit of work back"),
            Err(Failure::Fault(Error::Compiling(missing))) => self.await_package(claim, &missing),
            other => other,
        };
        match stretch {
            Ok(Stretch::Nothing) => {
                self.outside.forget(claim.job);
                self.queue.release(claim, false);
            }
            Ok(Stretch::Commit(commit)) => self.commit(claim.clone(), *commit),
            Ok(Stretch::Outside(leaving)) => self.leave(claim, *leaving),
            Err(failure) => self.failed(claim, &failure),
        }
    }

    /// Works on a job whose external step is back.
    pub(crate) fn work_on(&self, claim: &Claim) {
        if catch_unwind(AssertUnwindSafe(|| self.work(claim))).is_err() {
            self.after_panic(claim);
        }
    }

    /// Gives back a job whose external step could not be called.
    pub(crate) fn give_up(&self, claim: &Claim, failure: &Failure) {
        self.failed(claim, failure);
    }

    fn stretch(&self, claim: &Claim) -> Result<Stretch, Failure> {
        let mut unit = self.begin()?;
        let Some(before) = self.claimable(&unit, claim.job)? else { return Ok(Stretch::Nothing) };
        let activation = match self.activation(&unit, before.activation) {
            Ok(activation) => activation,
            Err(failure @ Failure::Fault(Error::Stored { .. })) => {
                let reason = SmolStr::from(failure.to_string());
                return self.set_aside(unit, before, reason).map(Stretch::Commit);
            }
            Err(failure) => return Err(failure),
        };
        let span = tracing::info_span!(
            "job",
            job = %claim.job,
            process = %activation.program.name(),
            record = before.record.map(|record| tracing::field::display(record.id)),
            correlation = %before.cause.correlation,
        );
        let _in_job = span.enter();
        let mut job = before.clone();
        job.state = JobState::Ready;
        job.epoch += 1;
        if let Some(reached) = &job.progress.wait {
            let limits = Limits { window: self.parts.settings.depth_window, ..Limits::default() };
            job.cause.depth = rules::depth::after_pause(job.cause.depth, reached.since, unit.now, &limits);
        }
        if is_orphan(&mut unit, &job)? {
            let reason = SmolStr::new_static("the record it runs on was deleted");
            return self.end(unit, before, JobState::Canceled(reason)).map(Stretch::Commit);
        }
        unit.stop = claim.stop.clone();
        let mut slot = Slot::Here(Box::new(unit));
        let fused = claim.tries < self.parts.settings.job_tries;
        let mut drive = Drive::new(&mut slot, &activation, &mut job, claim.stop.clone(), fused)?;
        drive.answer = self.outside.answer(claim.job, before.epoch + 1);
        drive.run()?;
        if let Some(leaving) = drive.leaving.take() {
            return Ok(Stretch::Outside(leaving));
        }
        let lines = std::mem::take(&mut drive.lines);
        let Slot::Here(mut unit) = slot else { return Err(Error::Lent.into()) };
        if job.cause.awaited && job.state.is_completed() {
            settle::ended(&mut unit, &job, activation.program.outputs(&job))?;
        }
        self.close(*unit, &before, &job, lines).map(Stretch::Commit)
    }

    /// The job, if it can run now.
    fn claimable(&self, unit: &Unit, id: JobId) -> Result<Option<Job>, Failure> {
        let Some(job) = jobs::get(&unit.overlay, id)? else { return Ok(None) };
        match job.state.due() {
            _ if job.state == JobState::Ready => {}
            Some(due) if due <= unit.now => {}
            Some(due) => {
                self.queue.at(due, id);
                return Ok(None);
            }
            None => return Ok(None),
        }
        if let Some(token) = &job.token {
            let first = jobs::of_token(&unit.overlay, token)?.next().transpose()?;
            if first != Some(id) {
                return Ok(None);
            }
        }
        Ok(Some(job))
    }

    /// Stages the job as it is now with its log, and makes a batch of the unit.
    fn close(&self, mut unit: Unit, before: &Job, job: &Job, lines: Vec<LogLine>) -> Result<Box<Commit>, Failure> {
        // Whoever changes a job, and so may have written to its log, raises the epoch.
        let written = match before.epoch {
            0 => 0,
            _ => jobs::lines(&unit.overlay.unvalidated(), job.id)?.len(),
        };
        jobs::append(&mut unit.overlay, job.id, u32::try_from(written).unwrap_or(u32::MAX), &lines);
        jobs::replace(&mut unit.overlay, before, job);
        let next = match &job.token {
            Some(token) if job.state.is_completed() => {
                jobs::of_token(&unit.overlay.unvalidated(), token)?.next().transpose()?
            }
            _ => None,
        };
        let after = After { job: job.id, state: job.state.clone(), next };
        // The job's row was replaced, so there is something to commit.
        let settled = settle::settle(unit, Priority::Background, Some(job.id))?.ok_or(Error::Lent)?;
        Ok(Box::new(Commit { settled, after }))
    }

    fn commit(&self, claim: Claim, Commit { settled, after }: Commit) {
        let engine = self.me.clone();
        let Settled { batch, started, .. } = settled;
        let done = move |outcome: Result<store::Seq, store::Error>| {
            let Some(engine) = engine.upgrade() else { return };
            match outcome {
                Ok(_) => engine.committed(&claim, after, &started),
                Err(error) => engine.failed(&claim, &Failure::from(error)),
            }
        };
        self.parts.store.submit(batch, Box::new(done));
    }

    /// What follows a committed stretch. Called by the store's writer: it only fills queues.
    fn committed(&self, claim: &Claim, after: After, started: &Started) {
        self.outside.forget(claim.job);
        if let Some(due) = after.state.due() {
            self.queue.at(due, after.job);
        }
        self.queue.release(claim, after.state == JobState::Ready);
        self.follow(started);
        self.queue.ready(after.next);
        if after.state != JobState::Ready {
            metrics::counter!("stepwise_job_stretches_total", "state" => after.state.word()).increment(1);
        }
    }

    /// A conflict runs the job again; a fault lets it rest, since it will not pass at once.
    fn failed(&self, claim: &Claim, failure: &Failure) {
        if failure.is_conflict() {
            metrics::counter!("stepwise_conflicts_total", "work" => "background").increment(1);
            self.queue.conflicted(claim, self.parts.settings.job_tries);
            return;
        }
        tracing::error!(job = %claim.job, error = model::fault::with_causes(failure), "failed to run a job");
        // A row that cannot be read will not be readable in a second; the next start looks again.
        if !matches!(failure, Failure::Fault(Error::Store(store::Error::Row { .. }))) {
            self.rest(claim.job);
        }
        self.queue.release(claim, false);
    }

    /// Leaves a job whose run panicked to a person: the same run would panic again.
    pub(super) fn after_panic(&self, claim: &Claim) {
        tracing::error!(job = %claim.job, "the run of a job panicked");
        match self.suspend(claim, "the engine panicked while it ran the job") {
            Ok(Stretch::Nothing) => self.queue.release(claim, false),
            Ok(Stretch::Commit(commit)) => self.commit(claim.clone(), *commit),
            // Whoever suspends a job does not drive it.
            Ok(Stretch::Outside(_)) => self.queue.release(claim, false),
            Err(failure) => self.failed(claim, &failure),
        }
    }

    /// Leaves the job to a person, from a unit of its own.
    fn suspend(&self, claim: &Claim, why: &str) -> Result<Stretch, Failure> {
        let unit = self.begin()?;
        match self.claimable(&unit, claim.job)? {
            None => Ok(Stretch::Nothing),
            Some(before) => {
                self.set_aside(unit, before, smol_str::format_smolstr!("internal: {why}")).map(Stretch::Commit)
            }
        }
    }

    /// Leaves the job waiting, where it stood before this stretch, until a package is compiled: something that runs within
    /// its steps came to that, or its own version does.
    fn await_package(&self, claim: &Claim, missing: &Missing) -> Result<Stretch, Failure> {
        let unit = self.begin()?;
        let Some(before) = self.claimable(&unit, claim.job)? else { return Ok(Stretch::Nothing) };
        compiling::rest_on(&unit, missing.digest)?;
        let state = match self.parts.runner.is_ready(missing.digest) {
            // It came meanwhile.
            true => JobState::Ready,
            false => JobState::Waiting(compiling::watch(&before, missing)),
        };
        let job = Job { epoch: before.epoch + 1, state, ..before.clone() };
        let event = LogEvent::Said { level: LogLevel::Info, message: missing.waits() };
        let lines = vec![LogLine { at: unit.now, step: None, event }];
        self.close(unit, &before, &job, lines).map(Stretch::Commit)
    }

    fn set_aside(&self, unit: Unit, before: Job, reason: SmolStr) -> Result<Box<Commit>, Failure> {
        self.end(unit, before, JobState::Suspended(reason))
    }

    /// Ends or suspends the job without driving it.
    fn end(&self, mut unit: Unit, before: Job, state: JobState) -> Result<Box<Commit>, Failure> {
        let now = unit.now;
        let mut job = Job { epoch: before.epoch + 1, ..before.clone() };
        job.started_on.get_or_insert(now);
        if state.is_completed() {
            job.completed_on = Some(now);
        }
        let event = LogEvent::Ended { state: state.word().into(), reason: state.reason().map(SmolStr::from) };
        job.state = state;
        settle::ended(&mut unit, &job, Vec::new())?;
        self.close(unit, &before, &job, vec![LogLine { at: now, step: None, event }])
    }
}

/// Whether the job's record is gone, so that nothing is left to do (E24).
fn is_orphan(unit: &mut Unit, job: &Job) -> Result<bool, Failure> {
    match job.record {
        Some(record) if job.cause.message != Message::Delete && !job.progress.deleted_own => Ok(!unit.exists(record)?),
        _ => Ok(false),
    }
}

impl Engine {
    /// The activation with this id: what holds now, or an older one that a running job keeps.
    pub(crate) fn activation(&self, unit: &Unit, id: model::ActivationId) -> Result<Arc<Activation>, Failure> {
        let current = unit.catalogue.process_by_id(id.process).and_then(|process| process.activation.as_ref());
        match current {
            Some(current) if current.id == id => Ok(current.clone()),
            _ => self.older_activation(unit, id),
        }
    }

    /// An activation that does not hold any more, loaded once.
    fn older_activation(&self, unit: &Unit, id: model::ActivationId) -> Result<Arc<Activation>, Failure> {
        if let Some(known) = self.older.lock().get(&id) {
            return Ok(known.clone());
        }
        crate::load::check_described(&self.parts, &unit.catalogue, &unit.overlay.unvalidated(), id)?;
        let loaded = Arc::new(crate::load::activation(&self.parts, &unit.catalogue, &unit.overlay.unvalidated(), id)?);
        self.older.lock().insert(id, loaded.clone());
        Ok(loaded)
    }
}
