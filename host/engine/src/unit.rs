//! The unit of work: everything that one request or one stretch of a job does, seen as one (E2, E3, E14).
//!
//! It reads from one snapshot, stages what is written, and notes what its decisions rested on; `settle` makes a batch of
//! it. It holds no lock, so it may be lent to a guest (`unit/lend.rs`). Whoever runs one runs it again on a conflict.

mod lend;
mod pending;

use std::sync::{Arc, atomic::AtomicBool};

use model::{
    Caller, EntityId, Outcome, Record, RecordRef, Refusal, Timestamp, Verb, audit::Through, fact::Fact,
    process::workflow::Stage, schema::Entity,
};
use smol_str::SmolStr;
use store::{Overlay, records};

pub(crate) use self::{lend::Borrowed, pending::Pending};
use crate::{Error, Failure, Parts, catalogue::Catalogue, realtime::Ran, security, verb};

/// Staged changes over a snapshot, with the facts that they are.
pub(crate) struct Unit {
    pub parts: Arc<Parts>,
    pub catalogue: Arc<Catalogue>,
    pub overlay: Overlay,
    /// What the verbs did, in order.
    pub facts: Vec<Fact>,
    /// Through what they were done: from which fact on, until the next mark.
    through: Vec<(usize, Option<Through>)>,
    /// The real-time runs that belong to what is staged, in the order of their ends.
    pub runs: Vec<Ran>,
    /// Those whose effects were taken back; they are told all the same (E14).
    pub dropped: Vec<Ran>,
    /// How many actions are being done, one within the other, and whether the outermost keeps what failed has done (D16).
    pub actions: u32,
    pub keeps_partial: bool,
    /// Set when whoever runs the unit is to stop.
    pub stop: Arc<AtomicBool>,
    /// How many guests have the unit, one within the other (E13).
    pub guests: u32,
    /// On which side of its change the run stands that is being driven: jobs come after it.
    pub stage: Stage,
    /// The changes that wait for their before-stage to end, the innermost last (E21).
    pending: Vec<Pending>,
    /// How those changes were altered, newest last.
    altered: Vec<pending::Alteration>,
    /// Jobs to be looked at once it is committed, beside those that its facts start.
    pub ready: Vec<model::JobId>,
    /// Whether definitions were staged: memory has to follow when it is committed.
    pub redefines: bool,
    /// Whether records have to follow an owner once it is committed (E30).
    pub moving: bool,
    /// Whether something was put into the outbox, so that who empties it is to look.
    pub posted: bool,
    /// The time of the step: it does not move while one verb or one step runs (E14).
    pub now: Timestamp,
    /// What is tried and never committed, with what that asks of the steps.
    pub trial: Option<Trial>,
    /// By whose right the verb that is being done is done.
    pub authority: Authority,
    /// Profiles that were asked for already.
    pub known: crate::access::Known,
    verbs: u32,
    /// By the clock that never goes back.
    refreshed: i64,
    /// The engine's own time until `resumed`, and since when it runs.
    worked: i64,
    resumed: i64,
}

/// What makes a unit a trial: nothing of it is ever committed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trial {
    /// How far its time is ahead of the clock, by waits that were passed, in microseconds.
    pub ahead: i64,
    /// What steps that reach the outside are taken to answer, by step: they are not called.
    pub answers: Vec<(SmolStr, model::Field)>,
}

/// By whose right a verb is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// The caller's own: his privileges are asked.
    Caller,
    /// That of the verb which brings it about: a cascade asks nothing more.
    Parent,
}

/// A point to which a unit can be taken back: its rows and its facts; what was read stays listed.
#[derive(Clone, Copy)]
pub(crate) struct Savepoint {
    overlay: store::Savepoint,
    facts: usize,
    runs: usize,
    altered: usize,
    ready: usize,
}

impl Unit {
    /// Nothing staged over the newest state. `catalogue` has to be the one of that state: `Engine::begin` sees to it.
    pub fn new(parts: Arc<Parts>, catalogue: Arc<Catalogue>, overlay: Overlay) -> Self {
        let (now, elapsed) = (parts.clock.now(), parts.clock.elapsed_micros());
        Self {
            parts,
            catalogue,
            overlay,
            facts: Vec::new(),
            through: Vec::new(),
            runs: Vec::new(),
            actions: 0,
            keeps_partial: false,
            dropped: Vec::new(),
            stop: Arc::default(),
            guests: 0,
            stage: Stage::After,
            pending: Vec::new(),
            altered: Vec::new(),
            ready: Vec::new(),
            redefines: false,
            moving: false,
            posted: false,
            now,
            trial: None,
            authority: Authority::Caller,
            known: crate::access::Known::default(),
            verbs: 0,
            refreshed: elapsed,
            worked: 0,
            resumed: elapsed,
        }
    }

    /// Does `verb`, whole or not at all: after a refusal nothing of it is staged (E14).
    pub fn apply(&mut self, caller: &Caller, verb: Verb) -> Result<Outcome, Failure> {
        self.apply_by(Authority::Caller, caller, verb)
    }

    /// The same for a verb that another one brings about: who may do that one may do this (D18).
    pub fn apply_for_parent(&mut self, caller: &Caller, verb: Verb) -> Result<Outcome, Failure> {
        self.apply_by(Authority::Parent, caller, verb)
    }

    fn apply_by(&mut self, authority: Authority, caller: &Caller, verb: Verb) -> Result<Outcome, Failure> {
        self.count_verb()?;
        verb::check_depth(self, caller)?;
        let savepoint = self.savepoint();
        let outer = std::mem::replace(&mut self.authority, authority);
        let made = self.facts.len();
        let outcome = verb::apply(self, caller, verb);
        self.authority = outer;
        let outcome = outcome.and_then(|outcome| security::hold::hold(self, made).map(|()| outcome));
        if outcome.is_err() {
            self.rollback(savepoint);
        }
        outcome
    }

    /// The entity with this number.
    pub fn entity(&self, id: EntityId) -> Result<Arc<Entity>, Failure> {
        Ok(self.catalogue.schema.known(id).cloned()?)
    }

    /// The record, if it is there; the unit rests on it.
    pub fn record(&mut self, target: RecordRef) -> Result<Option<Record>, Failure> {
        self.refresh_when_old()?;
        Ok(records::get(&self.overlay, target)?)
    }

    /// The record as it is now, without the unit resting on it (E2).
    pub fn glance(&self, target: RecordRef) -> Result<Option<Record>, Failure> {
        Ok(records::get(&self.overlay.unvalidated(), target)?)
    }

    /// Whether the record is there; the unit rests on that and not on its values.
    pub fn exists(&mut self, target: RecordRef) -> Result<bool, Failure> {
        self.refresh_when_old()?;
        Ok(records::exists(&self.overlay, target)?)
    }

    /// The record, or the refusal that it is not there.
    pub fn expect(&mut self, entity: &Entity, target: RecordRef) -> Result<Record, Failure> {
        let missing = || Refusal::NotFound { entity: entity.name().as_str().into(), record: show(target) };
        self.record(target)?.ok_or_else(|| missing().into())
    }

    /// A point to come back to.
    pub fn savepoint(&self) -> Savepoint {
        let (overlay, altered) = (self.overlay.savepoint(), self.altered.len());
        Savepoint { overlay, facts: self.facts.len(), runs: self.runs.len(), altered, ready: self.ready.len() }
    }

    /// Forgets what was done since `savepoint`; of the runs that belonged to it is told that they are taken back.
    pub fn rollback(&mut self, savepoint: Savepoint) {
        self.overlay.rollback(savepoint.overlay);
        self.facts.truncate(savepoint.facts);
        self.ready.truncate(savepoint.ready);
        self.dropped.extend(self.runs.drain(savepoint.runs..));
        self.restore_pending(savepoint.altered);
        self.through.iter_mut().for_each(|(from, _)| *from = savepoint.facts.min(*from));
    }

    /// What is done from now on is done through this; gives what it was before, to go back to.
    pub fn go_through(&mut self, through: Option<Through>) -> Option<Through> {
        let before = self.through.last().and_then(|(_, through)| through.clone());
        if before != through {
            self.through.push((self.facts.len(), through));
        }
        before
    }

    /// Through what the fact at this place was done.
    pub fn through(&self, fact: usize) -> Option<&Through> {
        let mark = self.through.iter().rev().find(|(from, _)| *from <= fact);
        mark.and_then(|(_, through)| through.as_ref())
    }

    /// Takes the unit out and leaves a marker from which nothing can be read (E15).
    pub fn take(&mut self) -> Box<Unit> {
        let marker = Unit::new(self.parts.clone(), self.catalogue.clone(), Overlay::lent());
        Box::new(std::mem::replace(self, marker))
    }

    /// Begins a step: the time moves on.
    pub fn tick(&mut self) {
        let ahead = self.trial.as_ref().map_or(0, |trial| trial.ahead);
        self.now = self.parts.clock.now().plus_micros(ahead);
    }

    /// Whether the unit has done so much that it should be committed before more is done (E3).
    pub fn is_spent(&self) -> bool {
        let budget = &self.parts.settings.budget;
        self.verbs >= budget.verbs / 2 || self.overlay.reads() >= budget.reads / 2 || self.micros() >= budget.micros / 2
    }

    /// Checks what was read and takes a new snapshot when the one of the unit is old (E3).
    pub fn refresh_when_old(&mut self) -> Result<(), Failure> {
        let now = self.parts.clock.elapsed_micros();
        if now - self.refreshed >= self.parts.settings.budget.refresh_micros {
            self.overlay.refresh(&*self.parts.store)?;
            self.refreshed = now;
        }
        Ok(())
    }

    /// Stops the clock of the budget while a guest runs.
    pub fn pause(&mut self) {
        self.worked = self.micros();
        self.resumed = i64::MAX;
    }

    /// Lets it run again.
    pub fn resume(&mut self) {
        self.resumed = self.parts.clock.elapsed_micros();
    }

    fn micros(&self) -> i64 {
        self.worked + (self.parts.clock.elapsed_micros() - self.resumed).max(0)
    }

    fn count_verb(&mut self) -> Result<(), Failure> {
        let budget = &self.parts.settings.budget;
        let over = |what: &str, limit: u64| Err(Refusal::Limit { what: SmolStr::new(what), limit }.into());
        if self.verbs >= budget.verbs {
            return over("the number of verbs in one unit of work", u64::from(budget.verbs));
        }
        if self.overlay.reads() > budget.reads {
            return over("the number of reads in one unit of work", budget.reads as u64);
        }
        if self.micros() > budget.micros {
            return over("the time of one unit of work, in milliseconds,", (budget.micros / 1_000).unsigned_abs());
        }
        self.verbs += 1;
        Ok(())
    }
}

/// A unit, or the marker that a guest has it (E15).
pub(crate) enum Slot {
    /// It is here.
    Here(Box<Unit>),
    /// A guest has it.
    Lent,
}

impl Slot {
    /// The unit.
    pub fn unit(&mut self) -> Result<&mut Unit, Error> {
        match self {
            Self::Here(unit) => Ok(unit),
            Self::Lent => Err(Error::Lent),
        }
    }

    /// Takes the unit out and leaves the marker.
    pub fn lend(&mut self) -> Result<Box<Unit>, Error> {
        match std::mem::replace(self, Self::Lent) {
            Self::Here(unit) => Ok(unit),
            Self::Lent => Err(Error::Lent),
        }
    }
}

/// A record for a message, where nothing better is known than its id.
pub(crate) fn show(target: RecordRef) -> SmolStr {
    smol_str::format_smolstr!("{}", target.id)
}
