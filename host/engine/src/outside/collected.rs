//! What an external step sees of the records: always as they are now, with its own verbs done to them, and nothing kept.
//!
//! Each question opens a unit of work, does in it what was ordered so far, answers, and drops it: no snapshot is held while
//! somebody waits for another host (E4), and what would be refused is refused at once. What an action or a command answers is
//! not known before it is really done: so those whose answer is their purpose are refused.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use model::{
    AttributeId, Caller, EntityId, Field, JobId, Outcome, Record, RecordRef, Refusal, Verb,
    audit::Through,
    grant::Uses,
    query::{Page, Query},
    step::{HostRefusal, LogLevel, StepHost},
};
use smol_str::SmolStr;

use super::{Leaving, Order};
use crate::{Engine, Failure, flows, query, rows, unit::Unit};

/// The host of one external step.
pub(crate) struct Collected {
    engine: Arc<Engine>,
    caller: Caller,
    through: Through,
    granted: Option<Uses>,
    /// What it wants done, in its order.
    pub orders: Vec<Order>,
    /// The run that it belongs to.
    job: JobId,
    /// What it said.
    pub said: Vec<(LogLevel, SmolStr)>,
    /// Why it cannot go on.
    pub trouble: Option<Failure>,
    cancelled: Arc<AtomicBool>,
    closing: Arc<AtomicBool>,
}

impl Collected {
    /// A host without orders.
    pub fn new(engine: Arc<Engine>, leaving: &Leaving, cancelled: Arc<AtomicBool>, closing: Arc<AtomicBool>) -> Self {
        Self {
            engine,
            caller: leaving.caller,
            through: leaving.through.clone(),
            granted: leaving.granted.clone(),
            orders: Vec::new(),
            job: leaving.job,
            said: Vec::new(),
            trouble: None,
            cancelled,
            closing,
        }
    }

    /// Asks a unit in which all orders so far are done.
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
        // The guest that asks stands on this thread, too (E13).
        unit.guests = 1;
        unit.go_through(Some(self.through.clone()));
        for order in &self.orders {
            order.apply(&mut unit, &self.caller, self.job)?;
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

    /// Refuses what the script does not ask for, and an action that is called for what it answers.
    fn check_invoked(&self, name: &str) -> Result<(), HostRefusal> {
        let no = |why| HostRefusal::Refused(Refusal::NotPossible { verb: "invoke".into(), entity: name.into(), why });
        if let Some(granted) = &self.granted {
            let of_actions = granted.iter().filter(|(kind, _)| kind == "actions");
            if !of_actions.flat_map(|(_, names)| names).any(|known| known == name) {
                return Err(no("the script does not list it under `uses: { actions: [...] }`".into()));
            }
        }
        let catalogue = self.engine.catalogue();
        match catalogue.action(name).and_then(|process| process.workflow.outputs.first()) {
            None => Ok(()),
            Some(output) => Err(no(smol_str::format_smolstr!(
                "it answers with `{}`, and what an external step orders is done after the step has ended; call it in a step \
                 of its own",
                output.name
            ))),
        }
    }
}

impl StepHost for Collected {
    fn apply(&mut self, verb: Verb) -> Result<Outcome, HostRefusal> {
        self.check_granted(verb.word(), verb.entity())?;
        let outcome = self.ask(|unit, caller| unit.apply(caller, verb.clone()))?;
        self.orders.push(Order::Verb(match verb {
            // What the guest was told its record is called must be true later.
            Verb::Create { entity, id: None, values } => Verb::Create { entity, id: Some(outcome.record.id), values },
            verb => verb,
        }));
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

    fn invoke(
        &mut self,
        name: &str,
        target: Option<RecordRef>,
        arguments: Vec<Field>,
    ) -> Result<Vec<Field>, HostRefusal> {
        self.check_invoked(name)?;
        if flows::is_question(name) {
            return self.ask(|unit, caller| {
                flows::message(unit, caller, name, target, &arguments).map(Option::unwrap_or_default)
            });
        }
        let order = Order::Invoke { name: name.into(), target, arguments };
        let job = self.job;
        self.ask(|unit, caller| order.apply(unit, caller, job))?;
        self.orders.push(order);
        Ok(Vec::new())
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
