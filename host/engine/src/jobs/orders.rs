//! The orders that people give to jobs: in which states each is possible, and what becomes of the job (E18, processes 1.6).
//!
//! An order writes the job's row. A unit in flight rests on that row: it meets a conflict, sees the order and gives up.

use model::{
    Caller, JobId, Privilege, Refusal,
    job::{Job, JobFilter, JobState, LogEvent, LogLine, Order, Progress, Retry},
    step::LogLevel,
};
use rules::depth::{self, Limits};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use store::jobs;

use super::{entity_of, missing};
use crate::{
    Engine, Failure, access, load, migrate, rows, settle,
    unit::{Unit, show},
};

/// What became of an order for several jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ordered {
    /// Jobs that it reached.
    pub done: u32,
    /// Jobs in whose state it is not possible, or that the caller may not write.
    pub refused: u32,
    /// What to give as `cursor` to go on; absent when all were looked at.
    pub next: Option<SmolStr>,
}

/// Jobs that one unit of work gives an order to.
const SLICE: u32 = 200;

impl Engine {
    /// Does with the jobs that `filter` wants, a slice of them from `cursor` on, what somebody wants. The newest come
    /// first, so none that is made meanwhile is reached, and none twice.
    pub fn order_some(
        &self,
        caller: &Caller,
        filter: &JobFilter,
        order: Order,
        cursor: Option<&str>,
    ) -> Result<Ordered, Failure> {
        let page = self.jobs(caller, filter, SLICE, cursor)?;
        let (done, refused) = self.now(|unit| {
            let (mut done, mut refused) = (Vec::new(), 0);
            for job in &page.jobs {
                let savepoint = unit.savepoint();
                match give(unit, caller, job.id, order) {
                    Ok(_) => done.push(job.id),
                    Err(Failure::Refused(_)) => {
                        unit.rollback(savepoint);
                        refused += 1;
                    }
                    Err(fault) => return Err(fault),
                }
            }
            Ok((done, refused))
        })?;
        done.iter().for_each(|id| self.interrupt(*id, order));
        Ok(Ordered { done: u32::try_from(done.len()).unwrap_or(u32::MAX), refused, next: page.next })
    }

    /// Does with a job what somebody wants.
    pub fn order(&self, caller: &Caller, id: JobId, order: Order) -> Result<(), Failure> {
        self.now(|unit| give(unit, caller, id, order))?;
        self.interrupt(id, order);
        Ok(())
    }

    /// A unit in flight cannot be committed any more: a guest that still runs in it runs for nothing.
    fn interrupt(&self, id: JobId, order: Order) {
        if matches!(order, Order::Cancel | Order::Terminate | Order::Pause) {
            self.queue.stop(id);
        }
    }

    /// Ends a job before its end.
    pub fn cancel(&self, caller: &Caller, id: JobId) -> Result<(), Failure> {
        self.order(caller, id, Order::Cancel)
    }

    /// Lets a job go on where it stands.
    pub fn resume(&self, caller: &Caller, id: JobId) -> Result<(), Failure> {
        self.order(caller, id, Order::Resume)
    }
}

/// Stages an order; gives the job as it is then.
pub(crate) fn give(unit: &mut Unit, caller: &Caller, id: JobId, order: Order) -> Result<Job, Failure> {
    let before = accessible(unit, caller, id)?;
    let ends = matches!(order, Order::Cancel | Order::Terminate);
    let is_damaged = matches!(before.state, JobState::Suspended(_)) && jobs::damage(&unit.overlay, id)?.is_some();
    let why_not = match refusal(&order, &before.state) {
        _ if is_damaged && !ends => Some("its row cannot be read; it can be canceled"),
        None if before.real_time => Some("it ran in real-time, as a part of an operation that is over"),
        why => why,
    };
    if let Some(why) = why_not {
        let (job, state) = (id.to_smolstr(), before.state.word().into());
        return Err(Refusal::JobState { job, state, why: why.into() }.into());
    }
    if is_damaged {
        jobs::unlist(&mut unit.overlay, id)?;
    }
    let by = user_name(unit, caller)?;
    let mut job = Job { epoch: before.epoch + 1, ..before.clone() };
    let said = change(unit, &mut job, order, &by)?;
    log(unit, &job, said);
    jobs::replace(&mut unit.overlay, &before, &job);
    settle::ended(unit, &job, Vec::new())?;
    match (&job.token, job.state.is_completed()) {
        (Some(token), true) => {
            let next = jobs::of_token(&unit.overlay.unvalidated(), token)?.next().transpose()?;
            unit.ready.extend(next);
        }
        _ => unit.ready.push(id),
    }
    Ok(job)
}

/// The job, which the caller may write. Who may write none does not learn whether it is there.
pub(crate) fn accessible(unit: &mut Unit, caller: &Caller, id: JobId) -> Result<Job, Failure> {
    let catalogue = unit.catalogue.clone();
    let entity = entity_of(&catalogue)?;
    let who = unit.who(caller)?;
    who.check_any(&entity, Privilege::Write)?;
    let job = jobs::get(&unit.overlay, id)?.ok_or_else(|| missing(id))?;
    who.check(&catalogue, &unit.overlay.unvalidated(), &entity, Privilege::Write, &rows::job(&catalogue, &job))?;
    Ok(job)
}

/// Why the order is not possible in this state.
fn refusal(order: &Order, state: &JobState) -> Option<&'static str> {
    use JobState as S;
    let (is_possible, why) = match order {
        Order::Cancel => (!state.is_completed(), "it cannot be canceled"),
        Order::Terminate => (!state.is_completed(), "it cannot be terminated"),
        Order::Pause => (
            matches!(state, S::Ready | S::Postponed(_) | S::Waiting(_)),
            "only what runs, waits or would run can be paused",
        ),
        // A job in a wait looks at its branches again.
        Order::Resume => (
            matches!(state, S::Suspended(_) | S::Paused | S::Postponed(_) | S::Waiting(_)),
            "only what waits can be resumed",
        ),
        Order::Postpone(_) => (matches!(state, S::Ready | S::Postponed(_)), "only what would run can be postponed"),
        Order::Retry(_) => (
            matches!(state, S::Suspended(_) | S::Failed(_) | S::Canceled(_)),
            "only what failed, was canceled or waits for a person can be tried again",
        ),
    };
    (!is_possible).then_some(why)
}

/// Changes the job; gives what its log tells.
fn change(unit: &mut Unit, job: &mut Job, order: Order, by: &str) -> Result<LogEvent, Failure> {
    match order {
        Order::Cancel | Order::Terminate => {
            let word = if order == Order::Cancel { "canceled" } else { "terminated" };
            let reason = format_smolstr!("{word} by {by}");
            job.state = JobState::Canceled(reason.clone());
            job.completed_on = Some(unit.now);
            return Ok(LogEvent::Ended { state: job.state.word().into(), reason: Some(reason) });
        }
        Order::Pause => job.state = JobState::Paused,
        Order::Postpone(until) => job.state = JobState::Postponed(until),
        Order::Resume => go_on(unit, job)?,
        Order::Retry(retry) => {
            // Tried again is started again. What is gone has nobody to ask.
            if let Some(process) = unit.catalogue.process_by_id(job.activation.process).cloned() {
                access::owner::check(unit, &process)?;
            }
            match retry {
                Retry::Step => {}
                Retry::Start => job.progress = anew(unit, job)?,
                Retry::Newest => renew(unit, job)?,
                Retry::StepOnNewest => migrate::to_newest(unit, job)?,
            }
            go_on(unit, job)?;
        }
    }
    let told = match order {
        Order::Postpone(until) => format_smolstr!("postponed until {until} by {by}"),
        Order::Pause => format_smolstr!("paused by {by}"),
        Order::Retry(Retry::Step) => format_smolstr!("tried again by {by}"),
        Order::Retry(Retry::Start) => format_smolstr!("tried again from the start by {by}"),
        Order::Retry(Retry::Newest) => {
            format_smolstr!("tried again from the start, on version {}, by {by}", job.activation.version)
        }
        Order::Retry(Retry::StepOnNewest) => {
            format_smolstr!("tried again on version {}, by {by}", job.activation.version)
        }
        _ => format_smolstr!("resumed by {by}"),
    };
    Ok(LogEvent::Said { level: LogLevel::Info, message: told })
}

/// The tries of the step are counted anew, and after a long rest the depth as well (D1).
fn go_on(unit: &Unit, job: &mut Job) -> Result<(), Failure> {
    let rested_since = jobs::lines(&unit.overlay.unvalidated(), job.id)?.last().map_or(job.created_on, |line| line.at);
    let settings = &unit.parts.settings;
    let limits = Limits { depth: settings.max_depth, window: settings.depth_window, ..Limits::default() };
    job.cause.depth = depth::after_pause(job.cause.depth, rested_since, unit.now, &limits);
    job.state = JobState::Ready;
    job.attempts = 0;
    job.completed_on = None;
    Ok(())
}

/// Gives the job the activation that holds now. It may read no more of the event than the job kept (E20).
fn renew(unit: &Unit, job: &mut Job) -> Result<(), Failure> {
    let catalogue = &unit.catalogue;
    let process = catalogue.process_by_id(job.activation.process);
    let refuse = |why: &str| Refusal::NotStartable {
        process: process.map_or_else(|| "the process".into(), |process| process.name.as_str().into()),
        why: why.into(),
    };
    let Some(newest) = process.and_then(|process| process.activation.as_ref()) else {
        return Err(refuse("it is not active").into());
    };
    if newest.id == job.activation {
        job.progress = anew(unit, job)?;
        return Ok(());
    }
    let Ok(kept) = load::activation(&unit.parts, catalogue, &unit.overlay.unvalidated(), job.activation) else {
        return Err(refuse("the version that the job ran cannot be loaded, so nobody knows what it kept").into());
    };
    let given = kept.program.given(&job.progress.slots);
    let (kept, wanted) = (kept.program.images(), newest.program.images());
    let lists = [(&wanted.before, &kept.before), (&wanted.after, &kept.after), (&wanted.change, &kept.change)];
    let reads_more = lists.iter().any(|(wanted, kept)| wanted.iter().any(|attribute| !kept.contains(attribute)));
    if reads_more {
        return Err(refuse("its newest version reads more of the event than the job kept").into());
    }
    let slots = newest.program.first_values(newest.program.bind(given)?);
    job.progress = Progress { slots, ..Progress::default() };
    job.activation = newest.id;
    Ok(())
}

/// What a job has that begins anew: the inputs that it was given.
fn anew(unit: &Unit, job: &Job) -> Result<Progress, Failure> {
    let kept = load::activation(&unit.parts, &unit.catalogue, &unit.overlay.unvalidated(), job.activation);
    let kept = kept.map_err(|_| Refusal::NotStartable {
        process: job.activation.process.to_smolstr(),
        why: "the version that the job ran cannot be loaded, so nobody knows which inputs it was given".into(),
    })?;
    let slots = kept.program.first_values(kept.program.bind(kept.program.given(&job.progress.slots))?);
    Ok(Progress { slots, ..Progress::default() })
}

/// Adds a line to the log. One that cannot be read keeps nobody from ending the job: the line stands behind all.
pub(crate) fn log(unit: &mut Unit, job: &Job, event: LogEvent) {
    let written = jobs::lines(&unit.overlay.unvalidated(), job.id).map_or(u32::MAX as usize, |lines| lines.len());
    let line = LogLine { at: unit.now, step: None, event };
    jobs::append(&mut unit.overlay, job.id, u32::try_from(written).unwrap_or(u32::MAX), &[line]);
}

pub(crate) fn user_name(unit: &Unit, caller: &Caller) -> Result<SmolStr, Failure> {
    let entity = unit.catalogue.schema.entity(caller.user.entity);
    let user = unit.glance(caller.user)?;
    let name = entity.zip(user).and_then(|(entity, user)| user.get(entity.primary).as_text().map(SmolStr::from));
    Ok(name.unwrap_or_else(|| show(caller.user)))
}
