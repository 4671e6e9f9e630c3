//! What an external step sees of the records: always as they are now, with its own verbs done to them, and nothing kept.
//!
//! Each question opens a unit of work, does the verbs so far in it, answers, and drops it: no snapshot is held while
//! somebody waits for another host (E4), and a verb that would be refused is refused at once.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use model::{
    AttributeId, Caller, EntityId, Field, Outcome, Record, RecordRef, Refusal, Verb,
    audit::Through,
    grant::Uses,
    query::{Page, Query},
    step::{HostRefusal, LogLevel, StepHost},
};
use smol_str::SmolStr;

use super::Leaving;
use crate::{Engine, Failure, query, rows, unit::Unit};

/// The host of one external step.
pub(crate) struct Collected {
    engine: Arc<Engine>,
    caller: Caller,
    through: Through,
    granted: Option<Uses>,
    /// What it wants done, in its order; records that it makes have their identity.
    pub verbs: Vec<Verb>,
    /// What it said.
    pub said: Vec<(LogLevel, SmolStr)>,
    /// Why it cannot go on.
    pub trouble: Option<Failure>,
    cancelled: Arc<AtomicBool>,
    closing: Arc<AtomicBool>,
}

impl Collected {
    /// A host without verbs.
    pub fn new(engine: Arc<Engine>, leaving: &Leaving, cancelled: Arc<AtomicBool>, closing: Arc<AtomicBool>) -> Self {
        Self {
            engine,
            caller: leaving.caller,
            through: leaving.through.clone(),
            granted: leaving.granted.clone(),
            verbs: Vec::new(),
            said: Vec::new(),
            trouble: None,
            cancelled,
            closing,
        }
    }

    /// Asks a unit in which all verbs so far are done.
    fn ask<T>(&mut self, ask: impl FnOnce(&mut Unit, &Caller) -> Result<T, Failure>) -> Result<T, HostRefusal> {
        if self.trouble.is_some() {
            return Err(HostRefusal::Abort);
        }
        self.asked(ask).map_err(|failure| match failure {
            Failure::Refused(refusal) => HostRefusal::Refused(refusal),
            fault => {
                self.trouble = Some(fault);
                HostRefusal::Abort
            }
        })
    }

    fn asked<T>(&self, ask: impl FnOnce(&mut Unit, &Caller) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut unit = self.engine.begin()?;
        unit.go_through(Some(self.through.clone()));
        for verb in &self.verbs {
            unit.apply(&self.caller, verb.clone())?;
        }
        ask(&mut unit, &self.caller)
    }

    /// Refuses what the step's manifest does not ask for; `any` stands for every entity.
    fn check_granted(&self, verb: &str, entity: EntityId) -> Result<(), HostRefusal> {
        let Some(granted) = &self.granted else { return Ok(()) };
        let name = self.engine.schema().name_of(entity);
        let asked = granted
            .iter()
            .any(|(entity, verbs)| (*entity == name || entity == "any") && verbs.iter().any(|asked| asked == verb));
        if asked {
            return Ok(());
        }
        let why = "the script does not list it under `uses`".into();
        Err(HostRefusal::Refused(Refusal::NotPossible { verb: verb.into(), entity: name, why }))
    }
}

impl StepHost for Collected {
    fn apply(&mut self, verb: Verb) -> Result<Outcome, HostRefusal> {
        self.check_granted(verb.word(), verb.entity())?;
        let outcome = self.ask(|unit, caller| unit.apply(caller, verb.clone()))?;
        self.verbs.push(match verb {
            // What the guest was told its record is called must be true later.
            Verb::Create { entity, id: None, values } => Verb::Create { entity, id: Some(outcome.record.id), values },
            verb => verb,
        });
        Ok(outcome)
    }

    fn retrieve(&mut self, target: RecordRef, attributes: Option<&[AttributeId]>) -> Result<Record, HostRefusal> {
        self.check_granted("retrieve", target.entity)?;
        self.ask(|unit, caller| rows::retrieve_in(unit, caller, target, attributes))
    }

    fn query(&mut self, query: &Query) -> Result<Page, HostRefusal> {
        self.check_granted("query", query.entity)?;
        self.ask(|unit, caller| {
            let who = unit.who(caller)?;
            query::run(&unit.catalogue, &unit.overlay.unvalidated(), &who, query)
        })
    }

    fn invoke(&mut self, name: &str, _: Option<RecordRef>, _: Vec<Field>) -> Result<Vec<Field>, HostRefusal> {
        let why =
            "an external step's work is written after it has ended, so it cannot be told what an action answers; \
                   call the action in a step of its own"
                .into();
        Err(HostRefusal::Refused(Refusal::NotPossible { verb: "invoke".into(), entity: name.into(), why }))
    }

    fn log(&mut self, level: LogLevel, message: &str) {
        self.said.push((level, message.into()));
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.closing.load(Ordering::Relaxed)
    }

    /// It holds nothing.
    fn breathe(&mut self) -> Result<(), HostRefusal> {
        Ok(())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
