//! The same decision for a person: every question that is asked before a workflow starts, each with its answer.
//!
//! `decide` stops at the first "no"; here all that can be asked is asked, so that somebody who mends one thing sees the next
//! at once.

use model::{Message, expression::NamedRecord, expression::Path, fact::Fact, process::workflow::Stage};
use script::{Environment, Facts};

use super::{Organisation, Reason, Trigger};

/// What is asked before a workflow starts, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the record is one of its entity.
    Entity,
    /// Whether it starts on such an event.
    Event,
    /// Whether the request named, or changed, what it looks at.
    Attributes,
    /// Whether the record's owner is in its scope.
    Scope,
    /// Whether its start condition holds.
    Condition,
}

/// A question with its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// What was asked.
    pub question: Question,
    /// Nothing where all is well, or why not.
    pub reason: Option<Reason>,
}

impl Trigger {
    /// Every question about `fact` with its answer, as far as it can be asked: of a record of another entity nothing
    /// more is asked, of an event that it does not start on no attributes, and without a condition none.
    pub fn ask(
        &self,
        fact: &Fact,
        side: Option<Stage>,
        organisation: &dyn Organisation,
        read: &mut dyn FnMut(&[Path], &[NamedRecord]) -> Facts,
        environment: &Environment,
    ) -> Vec<Asked> {
        let asked = |question, reason| Asked { question, reason };
        let looks = self.looks_at(fact, side).err();
        if looks == Some(Reason::OtherEntity) {
            return vec![asked(Question::Entity, looks)];
        }
        let mut all = vec![asked(Question::Entity, None)];
        match looks {
            Some(Reason::OtherMessage(_)) => all.push(asked(Question::Event, looks)),
            attributes => {
                all.push(asked(Question::Event, None));
                if matches!(fact.message, Message::Update | Message::SetStatus | Message::Assign) {
                    all.push(asked(Question::Attributes, attributes));
                }
            }
        }
        all.push(asked(Question::Scope, self.in_scope(fact, organisation).err()));
        if let Some(condition) = &self.condition {
            let reason = match condition.evaluate(&read(condition.paths(), condition.records()), environment) {
                Ok(true) => None,
                Ok(false) => Some(Reason::ConditionFalse),
                Err(problem) => Some(Reason::ConditionFailed(smol_str::format_smolstr!("{problem}"))),
            };
            all.push(asked(Question::Condition, reason));
        }
        all
    }
}
