//! Calling a custom step: lends the unit of work to the guest and takes it back, whatever the guest did (E15).

use std::hash::{DefaultHasher, Hash, Hasher};

use model::{
    Field, Message, Refusal, StepName,
    job::{Job, LogEvent},
    package::Code,
    step::{HostFault, Returned, StepCall, StepContext, StepFailure, Usage},
};
use rules::{trigger::Organisation, workflow::Command};
use semver::VersionReq;
use smol_str::{ToSmolStr, format_smolstr};
use store::quarantines;

use super::{Drive, event_of};
use crate::{
    Catalogue, Error, Failure, Parts,
    catalogue::{self, Step},
    organisation::Members,
    packages::{Admission, Done, Trial},
    unit::{Borrowed, Savepoint, Slot},
};

/// The most custom steps that are called one within the other: each needs a stack of its own (E13).
const MOST_GUESTS: u32 = 8;

/// A custom step that returned.
pub(super) struct Pending {
    before: Savepoint,
    /// What it did, for the log.
    events: Vec<LogEvent>,
    cpu_micros: u64,
}

impl Pending {
    /// A step that returned and did this.
    pub(super) fn new(before: Savepoint, events: Vec<LogEvent>, usage: Usage) -> Self {
        Self { before, events, cpu_micros: u64::try_from(usage.cpu.as_micros()).unwrap_or(u64::MAX) }
    }
}

/// What became of a call.
pub(super) enum Ran {
    /// It is over.
    Returned(Result<Vec<Field>, StepFailure>),
    /// The run leaves this unit for it.
    Left,
    /// The run waits until the step's package is called again.
    Rests,
}

impl Drive<'_> {
    /// Calls the step that the activation is pinned to. What a failed call did is undone; what it said is kept.
    /// `fresh`: nothing was done in this unit yet.
    pub(super) fn call(
        &mut self,
        step: &StepName,
        version: Option<&VersionReq>,
        inputs: Vec<Field>,
        fresh: bool,
    ) -> Result<Ran, Failure> {
        let activation = self.activation.clone();
        let Some(pinned) = activation.pins.find(step, version) else {
            let message = format_smolstr!("custom step `{step}` is not installed");
            return Ok(Ran::Returned(Err(StepFailure::Host { fault: HostFault::AbiMismatch, message })));
        };
        if self.slot.unit()?.guests >= MOST_GUESTS {
            let message = format_smolstr!(
                "`{step}` would be custom step {} within another one, {MOST_GUESTS} are allowed",
                MOST_GUESTS + 1
            );
            return Ok(Ran::Returned(Err(StepFailure::Host { fault: HostFault::HostLimit, message })));
        }
        // What an external step did outside is not asked about again.
        if self.answer.is_none() {
            let unit = self.slot.unit()?;
            match unit.catalogue.standing.compiled(&unit.parts, pinned) {
                Ok(None) => {}
                Ok(Some(missing)) if self.job.real_time || unit.trial.is_some() => {
                    return Err(Error::Compiling(Box::new(missing)).into());
                }
                Ok(Some(missing)) => return self.await_package(&missing).map(|()| Ran::Rests),
                Err(failure) => return Ok(Ran::Returned(Err(failure))),
            }
        }
        let trial = match self.answer.is_none().then(|| self.admitted(pinned)).transpose()? {
            None => None,
            Some(Ok(trial)) => trial,
            Some(Err(ran)) => return Ok(ran),
        };
        if pinned.definition.external
            && let Some(answer) = self.supposed_answer()?
        {
            self.tell_here(LogEvent::Called { inputs, micros: 0 });
            let message = "it reaches the outside, so a trial does not call it".into();
            self.tell_here(LogEvent::Said { level: model::step::LogLevel::Warn, message });
            return Ok(Ran::Returned(Ok(answer)));
        }
        if pinned.definition.external {
            return self.call_external(pinned, inputs, fresh, trial);
        }
        let call = self.step_call(pinned, inputs.clone())?;
        let unit = self.slot.unit()?;
        let (before, first) = (unit.savepoint(), unit.facts.len());
        let deeper = self.deeper();
        let granted = match &pinned.code {
            Code::Script(_) => Some(pinned.definition.uses.clone()),
            // The sandbox checks what a component asks for.
            Code::Component(_) => None,
        };
        let through = self.through(pinned);
        let before_it = self.slot.unit()?.go_through(Some(through));
        let unit = self.slot.lend()?;
        let host = Borrowed {
            unit,
            caller: deeper,
            granted,
            parent: Some(self.job.id),
            said: Vec::new(),
            cancelled: self.stop.clone(),
            trouble: None,
        };
        let parts = host.unit.parts.clone();
        let begun = parts.clock.elapsed_micros();
        let (mut borrowed, Returned { result, usage, .. }) = lend(&call, host)?;
        let micros = u64::try_from(parts.clock.elapsed_micros() - begun).unwrap_or_default();
        self.tell_here(LogEvent::Called { inputs, micros });
        for (level, message) in borrowed.said {
            self.tell_here(LogEvent::Said { level, message });
        }
        borrowed.unit.go_through(before_it);
        *self.slot = Slot::Here(borrowed.unit);
        if let Some(trouble) = borrowed.trouble {
            return Err(trouble);
        }
        note(&parts, &self.slot.unit()?.catalogue, pinned, (&result, usage, micros), trial);
        count(pinned, &result, usage);
        let unit = self.slot.unit()?;
        if let Err(failure) = &result {
            unit.rollback(before);
            // What a guest says no with is what whoever waits for a real-time run is told.
            if let StepFailure::Guest(error) = failure {
                self.refused = Some(Refusal::Stopped { by: step.as_str().into(), message: error.message.clone() });
            }
            return Ok(Ran::Returned(result));
        }
        let events = unit.facts[first..].iter().filter(|fact| fact.caller.depth == deeper.depth).filter_map(event_of);
        self.pending = Some(Pending::new(before, events.collect(), usage));
        Ok(Ran::Returned(result))
    }

    /// Whether the step may be called now, and whether it is the call that tries its package again; else what becomes of the
    /// run: a job of its own waits for a package in quarantine.
    fn admitted(&mut self, pinned: &Step) -> Result<Result<Option<Trial>, Ran>, Failure> {
        let is_own = !self.job.real_time;
        let unit = self.slot.unit()?;
        let catalogue = unit.catalogue.clone();
        if let Err(failure) = catalogue.standing.check(pinned) {
            return Ok(Err(Ran::Returned(Err(failure))));
        }
        let package = catalogue::digest(&pinned.code);
        // Before it is asked: whoever ends the quarantine from then on meets this.
        if catalogue.standing.resting(package).is_some() {
            quarantines::get(&unit.overlay, package)?;
        }
        let resting = match catalogue.standing.admit(pinned, unit.parts.clock.now()) {
            Admission::Free => return Ok(Ok(None)),
            // What is only tried by a person does not decide for the others.
            Admission::Trial(trial) if unit.trial.is_none() => return Ok(Ok(Some(trial))),
            Admission::Trial(_) => return Ok(Ok(None)),
            Admission::Resting(resting) => resting,
        };
        let message = catalogue.standing.told_resting(pinned, &resting);
        if is_own && unit.trial.is_none() {
            self.wait_for(package, message)?;
            return Ok(Err(Ran::Rests));
        }
        self.refused = Some(Refusal::Quarantined { package, message: message.clone() });
        Ok(Err(Ran::Returned(Err(StepFailure::Host { fault: HostFault::Quarantined, message }))))
    }

    /// What the step is taken to answer, where the run is only tried.
    fn supposed_answer(&mut self) -> Result<Option<Vec<Field>>, Failure> {
        let activation = self.activation.clone();
        let place = activation.program.place(self.job.progress.cursor);
        let is_its = |step: &str| place.is_some_and(|place| place.step.as_str() == step);
        let Some(trial) = &self.slot.unit()?.trial else { return Ok(None) };
        let answers = trial.answers.iter().filter(|(step, _)| is_its(step));
        Ok(Some(answers.map(|(_, field)| field.clone()).collect()))
    }

    pub(super) fn step_call(&mut self, pinned: &Step, inputs: Vec<Field>) -> Result<StepCall, Failure> {
        let idempotency_key = self.idempotency_key();
        let (job, activation) = (&*self.job, &self.activation);
        let unit = self.slot.unit()?;
        let context = StepContext {
            user: job.user,
            initiating_user: job.cause.initiating_user,
            business_unit: Members(unit).unit_of(job.user),
            record: job.record,
            message: job.cause.message,
            action: (job.cause.message == Message::Action).then(|| activation.program.name().as_str().into()),
            stage: is_event(job.cause.message).then_some(unit.stage),
            before: job.cause.before.clone(),
            after: job.cause.after.clone(),
            depth: job.cause.depth,
            correlation: job.cause.correlation,
            background: !job.real_time,
            attempt: job.attempts.saturating_add(1),
            idempotency_key,
            now: unit.now,
            time_zone: activation.surroundings.zone.clone(),
            calendar: activation.surroundings.days.clone(),
            public_url: activation.surroundings.public_url.clone(),
            seed: seed(job),
        };
        let grants = unit.catalogue.standing.grants(pinned);
        Ok(StepCall {
            step: pinned.definition.name.clone(),
            code: pinned.code.clone(),
            inputs,
            context,
            schema: unit.catalogue.schema.clone(),
            limits: unit.catalogue.standing.limits(pinned, &unit.parts.settings),
            grants,
            external: false,
        })
    }

    /// Once the machine has looked at a step's outputs: logs what the step did, or undoes it where they will not do.
    pub(super) fn accept_outputs(&mut self, command: &Command<'_>) -> Result<(), Failure> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        match command {
            Command::Log(step, LogEvent::Answered { .. }) => {
                self.answered_in = pending.cpu_micros;
                for event in pending.events {
                    self.tell(*step, event);
                }
            }
            _ => self.slot.unit()?.rollback(pending.before),
        }
        self.next_moment()
    }
}

/// Whether a change of a record started the run.
fn is_event(message: Message) -> bool {
    match message {
        Message::Create | Message::Update | Message::SetStatus | Message::Assign | Message::Delete => true,
        Message::Share | Message::Unshare => true,
        Message::OnDemand | Message::Child | Message::Action | Message::Schedule => false,
    }
}

/// Notes a call in the account of its package.
pub(crate) fn note(
    parts: &Parts,
    catalogue: &Catalogue,
    pinned: &Step,
    (result, usage, micros): (&Result<Vec<Field>, StepFailure>, Usage, u64),
    trial: Option<Trial>,
) {
    let (standing, digest) = (&catalogue.standing, catalogue::digest(&pinned.code));
    let done = Done { failure: result.as_ref().err(), usage, micros, now: parts.clock.now(), trial };
    match standing.label(digest) {
        Some(label) => standing.health.note(digest, label, done),
        // Another build took its place, and a running job is still pinned to it.
        None => {
            let label = (pinned.definition.name.library().into(), pinned.version.to_smolstr());
            standing.health.note(digest, &label, done);
        }
    }
}

/// Counts a call for `/metrics`.
pub(super) fn count(pinned: &Step, result: &Result<Vec<Field>, StepFailure>, usage: Usage) {
    let outcome = if result.is_ok() { "answered" } else { "failed" };
    metrics::counter!("stepwise_step_calls_total", "kind" => kind_of(pinned), "result" => outcome).increment(1);
    metrics::histogram!("stepwise_step_cpu_seconds", "kind" => kind_of(pinned)).record(usage.cpu.as_secs_f64());
}

/// Hands the unit to the runner and gets it back. A runner that keeps it breaks its word: the run cannot go on.
pub(crate) fn lend(call: &StepCall, mut host: Borrowed) -> Result<(Borrowed, Returned), Failure> {
    host.unit.pause();
    host.unit.guests += 1;
    let runner = host.unit.parts.runner.clone();
    let mut returned = runner.run(call, Box::new(host));
    let host = returned.host.take().map(|host| host.into_any().downcast::<Borrowed>());
    let Some(Ok(mut borrowed)) = host else { return Err(Error::Lent.into()) };
    borrowed.unit.resume();
    borrowed.unit.guests = borrowed.unit.guests.saturating_sub(1);
    Ok((*borrowed, returned))
}

/// The same on every try of a step, and for no other step and turn (E14).
fn seed(job: &Job) -> u64 {
    let mut hasher = DefaultHasher::new();
    (job.id, job.progress.cursor).hash(&mut hasher);
    if let Some(turn) = job.progress.iteration() {
        turn.hash(&mut hasher);
    }
    hasher.finish()
}

fn kind_of(step: &Step) -> &'static str {
    match step.code {
        Code::Component(_) => "component",
        Code::Script(_) => "script",
    }
}

/// The line that tells a step's outputs, with the processor time that only the engine knows.
pub(super) fn with_cpu(event: LogEvent, micros: u64) -> LogEvent {
    match event {
        LogEvent::Answered { outputs, .. } => LogEvent::Answered { outputs, cpu_micros: micros },
        other => other,
    }
}
