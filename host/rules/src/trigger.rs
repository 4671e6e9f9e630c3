//! Which workflows does a fact start, and why not the others (processes 1.3, 1.4, D3, D13)?
//!
//! Called by `engine::settle` for each fact of a unit of work, before its commit, by `engine::realtime` around each verb,
//! and by the explanation of a run that did not come. Starts nothing: it answers for one workflow at a time, so there is one start for each process and
//! change, however many of its triggers the change meets.

mod explain;

use std::fmt;

use model::{
    AttributeId, EntityId, Message, ProcessId, Record, RecordRef,
    expression::{NamedRecord, Path},
    fact::Fact,
    process::workflow::{Scope, Stage, Stages, UpdateTrigger, Workflow},
    starter,
};
use script::{Environment, Facts};
use smol_str::SmolStr;

pub use self::explain::{Asked, Question};
use crate::condition::Condition;

/// What starts one active workflow by itself, ready to be asked often.
#[derive(Debug)]
pub struct Trigger {
    /// The workflow.
    pub process: ProcessId,
    /// The entity whose records it runs on; triggers are worth asking only for facts about these.
    pub entity: Option<EntityId>,
    /// Its owner, whom scope compares with.
    pub owner: RecordRef,
    create: bool,
    delete: bool,
    update: Option<UpdateTrigger>,
    status: bool,
    assign: bool,
    only_when_changed: bool,
    stages: Stages,
    scope: Scope,
    condition: Option<Condition>,
}

/// What scope has to know of users, teams and business units (D3).
pub trait Organisation {
    /// The business unit of a user or a team.
    fn unit_of(&self, principal: RecordRef) -> Option<RecordRef>;
    /// Whether the user belongs to the team.
    fn is_member(&self, user: RecordRef, team: RecordRef) -> bool;
    /// Whether the unit is `above` or stands below it.
    fn is_within(&self, unit: RecordRef, above: RecordRef) -> bool;
}

/// Whether a workflow starts.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It does, as far as the event goes.
    Starts,
    /// It does not.
    No(Reason),
}

/// Why a workflow does not start.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// It runs on records of another entity.
    OtherEntity,
    /// It does not start on such an event.
    OtherMessage(Message),
    /// None of the attributes it looks at was named in the request.
    NotNamed,
    /// Attributes it looks at were named but not changed, and it asks for changes.
    NotChanged,
    /// The record's owner is out of its scope.
    OutOfScope(Scope),
    /// Its start condition is false.
    ConditionFalse,
    /// Its start condition could not be decided.
    ConditionFailed(SmolStr),
}

impl Trigger {
    /// What starts `workflow`, which belongs to `owner`; a sentence where its start condition cannot be compiled.
    pub fn compile(process: ProcessId, workflow: &Workflow, owner: RecordRef) -> Result<Self, String> {
        let start = &workflow.start;
        let condition = start.condition.as_ref().map(Condition::compile).transpose();
        Ok(Self {
            process,
            entity: workflow.entity,
            owner,
            create: start.create,
            delete: start.delete,
            update: start.update.clone(),
            status: start.status,
            assign: start.assign,
            only_when_changed: start.only_when_changed,
            stages: start.stages,
            scope: workflow.scope,
            condition: condition.map_err(|sentence| format!("`start.if`: {sentence}"))?,
        })
    }

    /// What its start condition reads, for the images that are kept with the job.
    pub fn paths(&self) -> &[Path] {
        self.condition.as_ref().map_or(&[], Condition::paths)
    }

    /// Whether `fact` starts the workflow, on this side of the change where it runs in real-time. `read` answers the paths and records that the start condition names; it is
    /// asked last, and only when all else says yes.
    pub fn decide(
        &self,
        fact: &Fact,
        side: Option<Stage>,
        organisation: &dyn Organisation,
        read: &mut dyn FnMut(&[Path], &[NamedRecord]) -> Facts,
        environment: &Environment,
    ) -> Verdict {
        let cheap = self.looks_at(fact, side).and_then(|()| self.in_scope(fact, organisation));
        let decided = cheap.and_then(|()| match &self.condition {
            None => Ok(()),
            Some(condition) => match condition.evaluate(&read(condition.paths(), condition.records()), environment) {
                Ok(true) => Ok(()),
                Ok(false) => Err(Reason::ConditionFalse),
                Err(problem) => Err(Reason::ConditionFailed(smol_str::format_smolstr!("{problem}"))),
            },
        });
        decided.map_or_else(Verdict::No, |()| Verdict::Starts)
    }

    fn looks_at(&self, fact: &Fact, side: Option<Stage>) -> Result<(), Reason> {
        if self.entity != Some(fact.record.entity) {
            return Err(Reason::OtherEntity);
        }
        match fact.message {
            // A create is met after it, a delete before it (E21).
            Message::Create if self.create && side != Some(Stage::Before) => Ok(()),
            Message::Delete if self.delete && side != Some(Stage::After) => Ok(()),
            // To assign and to set the status are updates of the attributes that they set (processes 1.3).
            Message::Update | Message::SetStatus | Message::Assign => self.looks_at_update(fact, side),
            other => Err(Reason::OtherMessage(other)),
        }
    }

    fn looks_at_update(&self, fact: &Fact, side: Option<Stage>) -> Result<(), Reason> {
        if self.update.is_none() && !self.status && !self.assign {
            return Err(Reason::OtherMessage(fact.message));
        }
        let of_message: &[AttributeId] = match fact.message {
            Message::SetStatus => &[starter::STATE, starter::STATUS],
            Message::Assign => &[starter::OWNER],
            _ => &[],
        };
        let extra = of_message.iter().copied().filter(|attribute| !fact.change.names(*attribute));
        let mut reason = Err(Reason::NotNamed);
        for attribute in fact.change.attributes().chain(extra).filter(|attribute| self.wants(*attribute, side)) {
            if !self.only_when_changed || has_changed(fact, attribute) {
                return Ok(());
            }
            reason = Err(Reason::NotChanged);
        }
        reason
    }

    fn wants(&self, attribute: AttributeId, side: Option<Stage>) -> bool {
        let here = |stage: Stage| side.is_none_or(|side| side == stage);
        let is_status = attribute == starter::STATE || attribute == starter::STATUS;
        let listed = match &self.update {
            None => false,
            Some(UpdateTrigger::Any) => true,
            Some(UpdateTrigger::Attributes(attributes)) => attributes.contains(&attribute),
        };
        (listed && here(self.stages.update))
            || (self.status && is_status && here(self.stages.status))
            || (self.assign && attribute == starter::OWNER && here(self.stages.assign))
    }

    fn in_scope(&self, fact: &Fact, organisation: &dyn Organisation) -> Result<(), Reason> {
        if self.scope == Scope::Organization {
            return Ok(());
        }
        let record = fact.after.as_ref().or(fact.before.as_ref());
        if record.is_some_and(|record| self.covers(record, organisation)) {
            return Ok(());
        }
        Err(Reason::OutOfScope(self.scope))
    }

    fn covers(&self, record: &Record, organisation: &dyn Organisation) -> bool {
        let Some(owner) = record.get(starter::OWNER).as_reference() else { return false };
        let units = || {
            let of_record = record.get(starter::OWNING_BUSINESS_UNIT).as_reference();
            Some((of_record.or_else(|| organisation.unit_of(owner))?, organisation.unit_of(self.owner)?))
        };
        match self.scope {
            Scope::Organization => true,
            Scope::User => {
                owner == self.owner || (owner.entity == starter::TEAM && organisation.is_member(self.owner, owner))
            }
            Scope::BusinessUnit => units().is_some_and(|(of_record, own)| of_record == own),
            Scope::ParentChild => units().is_some_and(|(of_record, own)| organisation.is_within(of_record, own)),
        }
    }
}

fn has_changed(fact: &Fact, attribute: AttributeId) -> bool {
    let value = |record: &Option<Record>| record.as_ref().map(|record| record.get(attribute).clone());
    value(&fact.before).unwrap_or_default() != value(&fact.after).unwrap_or_default()
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherEntity => f.write_str("it runs on records of another entity"),
            Self::OtherMessage(message) => write!(f, "it does not start on {message}"),
            Self::NotNamed => f.write_str("none of the attributes that start it was named in the request"),
            Self::NotChanged => {
                f.write_str("the attributes that start it were named, not changed, and it has `only-when-changed`")
            }
            Self::OutOfScope(scope) => {
                write!(f, "its scope is {}, and the record's owner is outside", scope_in_words(*scope))
            }
            Self::ConditionFalse => f.write_str("its start condition is false"),
            Self::ConditionFailed(why) => write!(f, "its start condition could not be decided: {why}"),
        }
    }
}

/// A scope with what it covers.
pub fn scope_in_words(scope: Scope) -> &'static str {
    match scope {
        Scope::User => "`user`: records of the workflow's owner and of his teams",
        Scope::BusinessUnit => "`business-unit`: records of the unit of the workflow's owner",
        Scope::ParentChild => "`parent-child`: records of the unit of the workflow's owner and of units below",
        Scope::Organization => "`organization`: all records",
    }
}

#[cfg(test)]
mod tests;
