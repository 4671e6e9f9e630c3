//! Changes that are decided and not yet written, because their before-stage is running (E21).
//!
//! While it runs, the record is read as it is stored, and whatever updates it alters the change that is about to be written:
//! what is named then counts as named in the request, and there is one row, one version and one event.

use model::{Message, Outcome, Record, RecordRef, Values};
use rules::validate::Modification;

use super::Unit;

/// A change that is about to be written.
pub(crate) struct Pending {
    /// The record as it is stored.
    pub before: Record,
    /// What the request asked for.
    pub message: Message,
    /// What is about to be written.
    pub modification: Modification,
}

/// One alteration of a change that waits.
pub(super) struct Alteration {
    /// Of which one.
    place: usize,
    /// What it was before.
    before: Modification,
    /// What was named.
    named: Values,
}

impl Pending {
    /// The record as it will be.
    pub fn after(&self) -> Record {
        let mut after = self.before.clone();
        for (attribute, value) in self.modification.change.iter() {
            after.values.store(attribute, value.clone());
        }
        after
    }
}

impl Unit {
    /// From here on, changes of the record alter this one.
    pub fn await_before_stage(&mut self, pending: Pending) {
        self.pending.push(pending);
    }

    /// The change as its before-stage left it.
    pub fn end_before_stage(&mut self) -> Option<Pending> {
        let pending = self.pending.pop();
        let open = self.pending.len();
        self.altered.retain(|alteration| alteration.place < open);
        pending
    }

    /// The change of this record that is about to be written, if there is one.
    pub fn pending(&self, record: RecordRef) -> Option<&Pending> {
        self.pending.iter().rev().find(|pending| pending.before.reference() == record)
    }

    /// Adds `more` to the change of this record that is about to be written; nothing where there is none.
    pub fn alter_pending(&mut self, record: RecordRef, more: &Modification) -> Option<Outcome> {
        let place = self.pending.iter().rposition(|pending| pending.before.reference() == record)?;
        let pending = self.pending.get_mut(place)?;
        let (before, named) = (pending.modification.clone(), more.change.clone());
        self.altered.push(Alteration { place, before, named });
        for (attribute, value) in more.change.iter() {
            pending.modification.references.retain(|reference| reference.attribute != attribute);
            pending.modification.change.insert(attribute, value.clone());
        }
        pending.modification.references.extend(more.references.iter().copied());
        Some(Outcome { record, version: pending.before.version, created: false })
    }

    /// What the last alteration named, if there was one since there were `since` of them.
    pub fn altered_since(&self, since: usize) -> Option<&Values> {
        self.altered.get(since..)?.last().map(|alteration| &alteration.named)
    }

    /// How often a change that waits was altered so far.
    pub fn alterations(&self) -> usize {
        self.altered.len()
    }

    pub(super) fn restore_pending(&mut self, altered: usize) {
        while self.altered.len() > altered
            && let Some(Alteration { place, before, .. }) = self.altered.pop()
        {
            if let Some(pending) = self.pending.get_mut(place) {
                pending.modification = before;
            }
        }
    }
}
