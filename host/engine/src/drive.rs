//! Driving a run: does what the machine in `rules::workflow` commands and tells it what happened (E14).
//!
//! Called by `background::work` with a job in a unit of work. Every verb and every custom step is a savepoint, so a failed
//! step takes nothing of the steps before it along. It ends when the run ends or rests, or when the unit has done enough.

mod call;
mod external;
mod find;
mod park;
mod read;
mod send;

use std::sync::{Arc, atomic::AtomicBool};

use model::{
    Caller, Field, Message, Origin, RecordRef, Refusal, StepId, Value, Verb,
    audit::Through,
    fact::Fact,
    job::{Job, JobState, LogEvent, LogLine},
    starter,
};
use rules::workflow::{Callee, Command, Input};
use script::Environment;
use smol_str::{SmolStr, ToSmolStr};

use self::call::{Pending, Ran};
pub(crate) use self::{
    call::{lend, note},
    park::own_record,
};
use crate::{
    Failure,
    catalogue::Activation,
    flows,
    messages::{self, Call},
    outside::{Answer, Leaving},
    unit::{Slot, Unit},
};

/// A job being driven.
pub(crate) struct Drive<'a> {
    pub slot: &'a mut Slot,
    pub activation: &'a Arc<Activation>,
    pub job: &'a mut Job,
    /// What the run log gets.
    pub lines: Vec<LogLine>,
    /// Set when a person wants the run to stop.
    pub stop: Arc<AtomicBool>,
    /// Whether steps may share a unit of work.
    pub fused: bool,
    environment: Environment,
    /// A custom step that returned, until the machine has accepted its outputs.
    pending: Option<Pending>,
    /// Processor time of the step that was answered last, in microseconds.
    answered_in: u64,
    /// What was refused, while that is what happened last.
    refused: Option<Refusal>,
    /// What the external step that the run stands at answered.
    pub answer: Option<Arc<Answer>>,
    /// The external step for which the run left this unit.
    pub leaving: Option<Box<Leaving>>,
}

impl<'a> Drive<'a> {
    /// A drive of `job` from where it stands.
    pub fn new(
        slot: &'a mut Slot,
        activation: &'a Arc<Activation>,
        job: &'a mut Job,
        stop: Arc<AtomicBool>,
        fused: bool,
    ) -> Result<Self, Failure> {
        let environment = activation.surroundings.at(slot.unit()?.now);
        Ok(Self {
            slot,
            activation,
            job,
            lines: Vec::new(),
            stop,
            fused,
            environment,
            pending: None,
            answered_in: 0,
            refused: None,
            answer: None,
            leaving: None,
        })
    }

    /// Goes on until the run rests, which the job's state tells, or until the unit has done enough and the job is still
    /// ready.
    pub fn run(&mut self) -> Result<(), Failure> {
        let activation = self.activation.clone();
        let mut input = if self.job.started_on.is_none() { Input::Started } else { Input::Again };
        let (mut steps, cursor) = (0, self.job.progress.cursor);
        loop {
            let command = rules::workflow::advance(&activation.program, self.job, input, &self.environment);
            self.accept_outputs(&command)?;
            // What runs in somebody else's unit of work is not cut.
            let may_rest = !self.job.real_time && steps > 0 && is_step(&command);
            if may_rest && (!self.fused || self.slot.unit()?.is_spent()) {
                return Ok(());
            }
            if !matches!(command, Command::Finish(_)) {
                self.refused = None;
            }
            steps += usize::from(is_step(&command));
            input = match command {
                Command::Read(paths, records) => self.read(paths, records)?,
                Command::Apply(verb) => Input::Done(self.apply(verb)?),
                Command::Send(letter) => Input::Done(self.send(*letter)?),
                Command::Call { step, version, inputs } => {
                    let fresh = steps == 1 && self.job.progress.cursor == cursor;
                    match self.call(step, version, inputs, fresh)? {
                        Ran::Returned(result) => Input::Returned(result),
                        Ran::Left | Ran::Rests => return Ok(()),
                    }
                }
                Command::Invoke { callee, target, inputs } => Input::Invoked(self.invoke(callee, target, inputs)?),
                Command::Flow { order, process, of, stage, to } => {
                    let ask = flows::Ask { order, process: process.as_str(), stage: stage.map(|id| id.as_str()), to };
                    Input::Done(self.flow(of, &ask)?)
                }
                Command::Find { query, residue, most } => Input::Found(self.find(query, residue, most)?),
                Command::Turn => Input::Again,
                Command::Log(step, LogEvent::Tried { error, again }) => {
                    let error = self.with_name(&error)?;
                    self.tell(step, LogEvent::Tried { error, again });
                    Input::Again
                }
                Command::Log(step, event) => {
                    self.tell(step, call::with_cpu(event, self.answered_in));
                    Input::Again
                }
                Command::Wait { until, watch, is_news } => return self.park(until, watch, is_news),
                Command::Finish(_) => return self.finish(),
                Command::Retry { at, error } => {
                    let error = self.with_name(&error)?;
                    self.tell_here(LogEvent::Tried { error, again: Some(at) });
                    return Ok(());
                }
            };
            if self.rests(&input)? {
                return Ok(());
            }
        }
    }

    /// As whom the run acts. Where it runs as who caused it, and he was impersonated, both must be allowed; where it runs as
    /// its owner, his rights count alone.
    fn caller(&self) -> Caller {
        Caller {
            user: self.job.user,
            initiating_user: self.job.cause.initiating_user,
            delegate: self.job.cause.delegate.filter(|_| self.job.user == self.job.cause.caller),
            origin: Origin::Process(self.job.activation.process),
            correlation: self.job.cause.correlation,
            depth: self.job.cause.depth,
        }
    }

    /// The same on every try of the step that the run stands at, and for no other step and no other turn of a loop (E17).
    fn idempotency_key(&self) -> SmolStr {
        let place = self.activation.program.place(self.job.progress.cursor).map(|place| place.step.as_str());
        let (job, step) = (self.job.id, place.unwrap_or_default());
        match self.job.progress.iteration() {
            Some(turn) => smol_str::format_smolstr!("{job}:{step}:{turn}"),
            None => smol_str::format_smolstr!("{job}:{step}"),
        }
    }

    /// Does a verb; what it did goes into the log.
    fn apply(&mut self, verb: Verb) -> Result<Result<model::Outcome, Refusal>, Failure> {
        let told = told_of(&verb);
        self.act(told, |unit, caller| unit.apply(caller, verb))
    }

    /// Whether the run waits now, because what ran within its step came to a package in quarantine.
    fn rests(&mut self, input: &Input) -> Result<bool, Failure> {
        let (Input::Done(Err(refusal)) | Input::Invoked(Err(refusal))) = input else { return Ok(false) };
        let Refusal::Quarantined { package, .. } = refusal.root() else { return Ok(false) };
        if self.job.real_time || self.slot.unit()?.trial.is_some() {
            return Ok(false);
        }
        self.refused = None;
        self.wait_for(*package, refusal.to_smolstr())?;
        Ok(true)
    }

    /// Starts or moves a flow; that goes into the log as what became of its instance.
    fn flow(&mut self, record: RecordRef, ask: &flows::Ask<'_>) -> Result<Result<model::Outcome, Refusal>, Failure> {
        self.act(None, |unit, caller| flows::order(unit, caller, record, ask))
    }

    /// Does something that is done to a record whole or not at all.
    fn act(
        &mut self,
        told: Option<LogEvent>,
        act: impl FnOnce(&mut Unit, &Caller) -> Result<model::Outcome, Failure>,
    ) -> Result<Result<model::Outcome, Refusal>, Failure> {
        let caller = self.caller();
        let unit = self.slot.unit()?;
        let (first, alterations) = (unit.facts.len(), unit.alterations());
        let before = unit.go_through(Some(Through { activation: self.job.activation.version, step: None }));
        let outcome = act(unit, &caller);
        unit.go_through(before);
        match outcome {
            Ok(outcome) => {
                let made = unit.facts[first..].iter().find(|fact| fact.record == outcome.record).and_then(event_of);
                let altered = unit.altered_since(alterations).cloned();
                let altered = altered.map(|change| LogEvent::Updated { record: outcome.record, change });
                let done = made.or(altered).or(told);
                if let Some(event) = done {
                    self.tell_here(event);
                }
                self.next_moment()?;
                Ok(Ok(outcome))
            }
            Err(Failure::Refused(refusal)) => {
                self.refused = Some(refusal.clone());
                Ok(Err(refusal))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Calls an action or a command, or starts a child; its run goes into the log.
    fn invoke(
        &mut self,
        callee: &Callee,
        target: Option<RecordRef>,
        inputs: Vec<Field>,
    ) -> Result<Result<Vec<Field>, Refusal>, Failure> {
        let (caller, parent) = (self.caller(), Some(self.job.id));
        let call = Call { name: callee.name(), target, inputs: inputs.clone(), parent, awaited: callee.waits() };
        let unit = self.slot.unit()?;
        let begun = unit.parts.clock.elapsed_micros();
        let answer = match callee {
            Callee::Child { .. } => messages::start_child(unit, &caller, call),
            Callee::Action(_) => messages::action(unit, &caller, call),
        };
        let micros = u64::try_from(unit.parts.clock.elapsed_micros() - begun).unwrap_or_default();
        self.tell_here(LogEvent::Called { inputs, micros });
        match answer {
            Ok(messages::Answer { job, outputs }) => {
                job.into_iter().for_each(|job| self.tell_here(LogEvent::Ran(job)));
                self.next_moment()?;
                Ok(Ok(outputs))
            }
            Err(Failure::Refused(refusal)) => {
                self.refused = Some(refusal.clone());
                Ok(Err(refusal))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Tells how the run ended or why it rests.
    fn finish(&mut self) -> Result<(), Failure> {
        let mut state = self.job.state.clone();
        if let JobState::Suspended(reason) | JobState::Failed(reason) | JobState::Canceled(reason) = &mut state {
            *reason = self.with_name(reason)?;
        }
        let reason = state.reason().map(SmolStr::from);
        self.tell_here(LogEvent::Ended { state: state.word().into(), reason });
        self.job.state = state;
        Ok(())
    }

    /// A sentence of the machine, which names the record by its id, with the record's name: people know records by it.
    fn with_name(&mut self, sentence: &str) -> Result<SmolStr, Failure> {
        let Some(record) = self.job.record else { return Ok(sentence.into()) };
        let unit = self.slot.unit()?;
        let Some(entity) = unit.catalogue.schema.entity(record.entity).cloned() else { return Ok(sentence.into()) };
        let by_id = format!("on `{}` {}", entity.name(), record.id);
        if !sentence.contains(&by_id) {
            return Ok(sentence.into());
        }
        let found = unit.glance(record)?;
        let name = found.as_ref().and_then(|found| found.get(entity.primary).as_text());
        let by_name = name.map(|name| format!("on `{}` `{name}` ({})", entity.name(), record.id));
        Ok(by_name.map_or_else(|| sentence.into(), |by_name| sentence.replacen(&by_id, &by_name, 1).into()))
    }

    /// What whoever waits for the run is told, where it did not succeed.
    pub fn refusal(&mut self) -> Option<Refusal> {
        let process = SmolStr::from(self.activation.program.name().as_str());
        match (self.refused.take(), &self.job.state) {
            (_, JobState::Succeeded(_)) => None,
            // These are the same wherever they come from.
            (
                Some(refusal @ (Refusal::Stopped { .. } | Refusal::TooDeep { .. } | Refusal::Busy | Refusal::Full)),
                _,
            ) => Some(refusal),
            (Some(refusal), _) => {
                let place = self.activation.program.place(self.job.progress.cursor);
                let place = place.map(|place| format!(", {place}")).unwrap_or_default();
                let place = smol_str::format_smolstr!("`{process}`{place}");
                Some(Refusal::InProcess { place, refusal: Box::new(refusal) })
            }
            (None, JobState::Canceled(message)) => Some(Refusal::Stopped { by: process, message: message.clone() }),
            (None, _) => None,
        }
    }

    /// A step is over: the time moves on, but for a run within another one's step (E14).
    fn next_moment(&mut self) -> Result<(), Failure> {
        if self.job.real_time {
            return Ok(());
        }
        let unit = self.slot.unit()?;
        unit.tick();
        self.environment.now = unit.now;
        Ok(())
    }

    fn tell_here(&mut self, event: LogEvent) {
        let activation = self.activation.clone();
        let place = activation.program.place(self.job.progress.cursor);
        self.tell(place.map(|place| place.step), event);
    }

    fn tell(&mut self, step: Option<&StepId>, event: LogEvent) {
        self.lines.push(LogLine { at: self.environment.now, step: step.cloned(), event });
    }
}

/// Whether a command is a step's work, or a turn of a loop, before which a unit may be cut.
fn is_step(command: &Command<'_>) -> bool {
    use Command as C;
    matches!(command, C::Apply(_) | C::Send(_) | C::Call { .. } | C::Invoke { .. } | C::Flow { .. } | C::Turn)
}

/// What the run log says of a verb that leaves no fact of a change.
fn told_of(verb: &Verb) -> Option<LogEvent> {
    Some(match *verb {
        Verb::Delete { target, .. } => LogEvent::Deleted(target),
        Verb::Share { target, principal, rights } => LogEvent::Shared { record: target, principal, rights },
        Verb::Unshare { target, principal } => LogEvent::Unshared { record: target, principal },
        _ => return None,
    })
}

/// What a fact is in a run log.
pub(crate) fn event_of(fact: &Fact) -> Option<LogEvent> {
    let record: RecordRef = fact.record;
    let code = |attribute| match fact.change.get(attribute) {
        Value::Whole(number) => i32::try_from(*number).ok(),
        _ => None,
    };
    Some(match fact.message {
        Message::Create => LogEvent::Created { record, change: fact.change.clone() },
        Message::Update => LogEvent::Updated { record, change: fact.change.clone() },
        Message::Assign => LogEvent::Assigned { record, owner: fact.change.get(starter::OWNER).as_reference()? },
        Message::SetStatus => {
            LogEvent::StatusSet { record, state: code(starter::STATE)?, status: code(starter::STATUS)? }
        }
        _ => return None,
    })
}
