//! A unit of work in the hands of a guest: what the engine answers while a custom step runs (E15).
//!
//! `drive` lends it and takes it back. A fault inside ends the call: the guest is stopped, the reason stays here.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use model::{
    AttributeId, Caller, EntityId, Field, JobId, Outcome, Record, RecordRef, Refusal, Verb,
    query::{Page, Query},
    step::{HostRefusal, LogLevel, StepHost},
};
use smol_str::SmolStr;

use super::Unit;
use crate::{Failure, flows, messages, query, rows};

/// The unit with the caller as whom the guest acts.
pub(crate) struct Borrowed {
    /// The unit.
    pub unit: Box<Unit>,
    /// The guest's verbs stand one operation deeper than its step.
    pub caller: Caller,
    /// What the step may do, by entity and verb, where nobody else checks that: for scripts.
    pub granted: Option<Vec<(SmolStr, Vec<SmolStr>)>>,
    /// The run whose step it is.
    pub parent: Option<JobId>,
    /// What the guest said.
    pub said: Vec<(LogLevel, SmolStr)>,
    /// Set when the run is to stop.
    pub cancelled: Arc<AtomicBool>,
    /// Why the unit cannot go on.
    pub trouble: Option<Failure>,
}

impl Borrowed {
    /// Refuses what the step's manifest does not ask for; `any` stands for every entity.
    fn check_granted(&self, verb: &str, entity: EntityId) -> Result<(), HostRefusal> {
        let Some(granted) = &self.granted else { return Ok(()) };
        let name = self.unit.catalogue.schema.name_of(entity);
        let asked = granted
            .iter()
            .any(|(entity, verbs)| (*entity == name || entity == "any") && verbs.iter().any(|asked| asked == verb));
        if asked {
            return Ok(());
        }
        let why = "the script does not list it under `uses`".into();
        Err(HostRefusal::Refused(Refusal::NotPossible { verb: verb.into(), entity: name, why }))
    }

    /// Runs `ask` on the unit's own time.
    fn ask<T>(&mut self, ask: impl FnOnce(&mut Unit, &Caller) -> Result<T, Failure>) -> Result<T, HostRefusal> {
        if self.trouble.is_some() {
            return Err(HostRefusal::Abort);
        }
        self.unit.resume();
        let answer = ask(&mut self.unit, &self.caller);
        self.unit.pause();
        answer.map_err(|failure| match failure {
            Failure::Refused(refusal) => HostRefusal::Refused(refusal),
            fault => {
                self.trouble = Some(fault);
                HostRefusal::Abort
            }
        })
    }
}

impl StepHost for Borrowed {
    fn apply(&mut self, verb: Verb) -> Result<Outcome, HostRefusal> {
        self.check_granted(verb.word(), verb.entity())?;
        self.ask(|unit, caller| unit.apply(caller, verb))
    }

    fn retrieve(&mut self, target: RecordRef, attributes: Option<&[AttributeId]>) -> Result<Record, HostRefusal> {
        self.check_granted("retrieve", target.entity)?;
        self.ask(|unit, caller| rows::retrieve_in(unit, caller, target, attributes))
    }

    fn query(&mut self, query: &Query) -> Result<Page, HostRefusal> {
        self.check_granted("query", query.entity)?;
        self.ask(|unit, caller| {
            unit.refresh_when_old()?;
            let who = unit.who(caller)?;
            query::run(&unit.catalogue, &unit.overlay.unvalidated(), &who, query)
        })
    }

    fn invoke(
        &mut self,
        name: &str,
        target: Option<RecordRef>,
        arguments: Vec<Field>,
    ) -> Result<Vec<Field>, HostRefusal> {
        if let Some(granted) = &self.granted {
            let of_actions = granted.iter().filter(|(kind, _)| kind == "actions");
            if !of_actions.flat_map(|(_, names)| names).any(|known| known == name) {
                let why = "the script does not list it under `uses: { actions: [...] }`".into();
                let verb = "invoke".into();
                return Err(HostRefusal::Refused(Refusal::NotPossible { verb, entity: name.into(), why }));
            }
        }
        let parent = self.parent;
        self.ask(|unit, caller| {
            if let Some(outputs) = flows::message(unit, caller, name, target, &arguments)? {
                return Ok(outputs);
            }
            let call = messages::Call { name, target, inputs: arguments, parent, awaited: false };
            messages::action(unit, caller, call).map(|answer| answer.outputs)
        })
    }

    fn log(&mut self, level: LogLevel, message: &str) {
        self.said.push((level, message.into()));
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// A unit that keeps its snapshot while the guest computes makes the file grow (E4), and is older than the window when
    /// it is submitted: it would meet a conflict however often it ran.
    fn breathe(&mut self) -> Result<(), HostRefusal> {
        self.ask(|unit, _| unit.refresh_when_old())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
