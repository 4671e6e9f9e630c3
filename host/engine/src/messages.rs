//! Calls by name: the actions of processes, commands, and children (processes 3 and 4, D5, D16).
//!
//! One place for people, clients, steps, scripts and plugins. An action runs to its end in the unit of work of who calls it,
//! as he; a child runs so where it is a real-time workflow, else it becomes a job that is committed with the unit.

use std::sync::Arc;

use model::{
    Caller, Command, Field, JobId, Message, RecordRef, Refusal, Value,
    job::{Cause, Job, LogEvent, LogLine},
    process::workflow::{Mode, RunAs},
};
use store::jobs;

use crate::{
    Engine, Failure, access,
    catalogue::{Activation, Process},
    commands, realtime,
    settle::new_job,
    unit::{Unit, show},
    verb,
};

/// A call of another process.
pub(crate) struct Call<'c> {
    /// Its name; of an action also the one that clients know.
    pub name: &'c str,
    /// The record it runs on.
    pub target: Option<RecordRef>,
    pub inputs: Vec<Field>,
    /// The run that calls it.
    pub parent: Option<JobId>,
    /// Whether that run waits for the end of a child that is a job.
    pub awaited: bool,
}

/// What came of a call.
pub(crate) struct Answer {
    /// Its run; a command has none.
    pub job: Option<JobId>,
    pub outputs: Vec<Field>,
}

impl Engine {
    /// Calls an action by its name, with its record where it is bound to an entity, and waits until what it did is durable.
    pub fn invoke(
        &self,
        caller: &Caller,
        name: &str,
        target: Option<RecordRef>,
        inputs: Vec<Field>,
    ) -> Result<Vec<Field>, Failure> {
        let called = self.now(|unit| call(unit, caller, name, target, inputs.clone()))?;
        Ok(called?)
    }

    /// The same, done on an engine thread; `done` is called once it is durable, or refused.
    pub fn submit_invoke(
        &self,
        caller: Caller,
        (name, target): (String, Option<RecordRef>),
        inputs: Vec<Field>,
        done: impl FnOnce(Result<Vec<Field>, Failure>) + Send + 'static,
    ) {
        let act = move |unit: &mut Unit| call(unit, &caller, &name, target, inputs.clone());
        self.enqueue(Box::new(act), Box::new(|called| done(called.and_then(|called| Ok(called?)))));
    }
}

/// A call from outside. What a refused action without rollback has done is committed all the same (D16): so its refusal is
/// a value here.
fn call(
    unit: &mut Unit,
    caller: &Caller,
    name: &str,
    target: Option<RecordRef>,
    inputs: Vec<Field>,
) -> Result<Result<Vec<Field>, Refusal>, Failure> {
    match action(unit, caller, Call { name, target, inputs, parent: None, awaited: false }) {
        Ok(answer) => Ok(Ok(answer.outputs)),
        Err(Failure::Refused(refusal)) if !unit.overlay.is_empty() => Ok(Err(refusal)),
        Err(failure) => Err(failure),
    }
}

/// Calls an action in the unit. Where it does not succeed, what it did is taken back, unless the outermost action has no
/// rollback.
pub(crate) fn action(unit: &mut Unit, caller: &Caller, call: Call<'_>) -> Result<Answer, Failure> {
    verb::check_depth(unit, caller)?;
    let catalogue = unit.catalogue.clone();
    let found = catalogue.action(call.name).or_else(|| catalogue.process(call.name));
    if let (None, Some(command)) = (found, Command::named(call.name)) {
        let outputs = commands::run(unit, caller, command, call.target, call.inputs)?;
        return Ok(Answer { job: None, outputs });
    }
    let process = found.ok_or_else(|| Refusal::UnknownProcess(call.name.into()))?;
    let action = process.workflow.action.as_ref().ok_or_else(|| not_startable(process, "it is no action"))?;
    if let Some(task) = &action.privilege {
        unit.who(caller)?.check_task(task)?;
    }
    let activation = active(process)?;
    access::owner::check(unit, process)?;
    let target = on(unit, process, call.target)?;
    let slots = activation.program.bind(call.inputs)?;
    let mut job = job_of(unit, activation, caller, (Message::Action, target, call.parent), caller.user);
    job.progress.slots = slots;
    let savepoint = unit.savepoint();
    if unit.actions == 0 {
        unit.keeps_partial = !action.rollback;
    }
    unit.actions += 1;
    let ended = realtime::finish(unit, activation, job);
    unit.actions = unit.actions.saturating_sub(1);
    match ended {
        Ok(job) => Ok(Answer { job: Some(job.id), outputs: activation.program.outputs(&job) }),
        Err(failure) => {
            if !unit.keeps_partial {
                unit.rollback(savepoint);
            }
            Err(failure)
        }
    }
}

/// Starts a workflow as a child of the run that calls.
pub(crate) fn start_child(unit: &mut Unit, caller: &Caller, call: Call<'_>) -> Result<Answer, Failure> {
    verb::check_depth(unit, caller)?;
    let catalogue = unit.catalogue.clone();
    let process = catalogue.process(call.name).ok_or_else(|| Refusal::UnknownProcess(call.name.into()))?;
    if !process.workflow.child {
        return Err(not_startable(process, "it does not say `child: true`").into());
    }
    let activation = active(process)?;
    access::owner::check(unit, process)?;
    let target = on(unit, process, call.target)?;
    let slots = activation.program.bind(call.inputs)?;
    let user = match process.workflow.mode {
        Mode::RealTime { run_as: RunAs::Owner, .. } => process.owner,
        _ => caller.user,
    };
    let mut job = job_of(unit, activation, caller, (Message::Child, target, call.parent), user);
    job.progress.slots = slots;
    if !process.workflow.mode.is_real_time() {
        job.real_time = false;
        job.cause.awaited = call.awaited;
        jobs::insert(&mut unit.overlay, &job);
        unit.ready.push(job.id);
        let outputs = vec![Field { name: "job".into(), value: Value::Guid(job.id.0) }];
        return Ok(Answer { job: Some(job.id), outputs });
    }
    let savepoint = unit.savepoint();
    match realtime::finish(unit, activation, job) {
        Ok(job) => {
            let mut outputs = activation.program.outputs(&job);
            outputs.push(Field { name: "status".into(), value: Value::Text(job.state.word().into()) });
            Ok(Answer { job: Some(job.id), outputs })
        }
        Err(failure) => {
            unit.rollback(savepoint);
            Err(failure)
        }
    }
}

/// Runs the steps at the end of a task flow on its record, as who finishes it. What they call succeeds with it or not at all.
/// The run's log begins with what was `written` before them.
pub(crate) fn end_task_flow(
    unit: &mut Unit,
    caller: &Caller,
    activation: &Arc<Activation>,
    record: RecordRef,
    written: Vec<LogLine>,
) -> Result<(), Failure> {
    verb::check_depth(unit, caller)?;
    let job = job_of(unit, activation, caller, (Message::OnDemand, Some(record), None), caller.user);
    if unit.actions == 0 {
        unit.keeps_partial = false;
    }
    unit.actions += 1;
    let ended = realtime::finish(unit, activation, job);
    unit.actions = unit.actions.saturating_sub(1);
    let job = ended?;
    if let Some(ran) = unit.runs.iter_mut().find(|ran| ran.job.id == job.id) {
        let begun = ran.lines.iter().take_while(|line| matches!(line.event, LogEvent::Started)).count();
        ran.lines.splice(begun..begun, written);
    }
    Ok(())
}

fn active(process: &Process) -> Result<&Arc<Activation>, Refusal> {
    process.activation.as_ref().ok_or_else(|| not_startable(process, "it is not active"))
}

fn not_startable(process: &Process, why: &str) -> Refusal {
    Refusal::NotStartable { process: process.name.as_str().into(), why: why.into() }
}

/// The record that the process runs on, there and of its entity; none where it runs on none.
fn on(unit: &mut Unit, process: &Process, target: Option<RecordRef>) -> Result<Option<RecordRef>, Failure> {
    let name = || process.name.as_str().into();
    match (process.workflow.entity, target) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(not_startable(process, "it is global and has no target").into()),
        (Some(_), None) => Err(Refusal::Required { entity: name(), attribute: "target".into() }.into()),
        (Some(entity), Some(target)) if entity == target.entity => match unit.exists(target)? {
            true => Ok(Some(target)),
            false => {
                let entity = unit.catalogue.schema.name_of(entity);
                Err(Refusal::NotFound { entity, record: show(target) }.into())
            }
        },
        (Some(entity), Some(_)) => {
            let why = format!("it runs on records of `{}`", unit.catalogue.schema.name_of(entity));
            Err(not_startable(process, &why).into())
        }
    }
}

/// A run that `caller` causes; it stands one operation deeper than what causes it.
fn job_of(
    unit: &Unit,
    activation: &Arc<Activation>,
    caller: &Caller,
    (message, record, parent): (Message, Option<RecordRef>, Option<JobId>),
    user: RecordRef,
) -> Job {
    let cause = Cause { parent, ..Cause::of(caller, message) };
    Job { real_time: true, ..new_job(unit, activation, record, user, cause) }
}
