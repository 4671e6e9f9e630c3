//! Does a step start its own workflow again, with nothing that could end that? (formats 11)

use model::{
    AttributeId, EntityId,
    process::workflow::{Mode, Stage, Start, UpdateTrigger},
};

use super::steps::Steps;
use crate::tree::Place;

/// The triggers of the workflow that is being read.
pub(super) struct Own {
    /// Its entity.
    pub entity: Option<EntityId>,
    /// Its mode, where that can be told.
    pub mode: Option<Mode>,
    /// What starts it.
    pub start: Start,
}

impl Own {
    /// Whether it runs in the caller's transaction.
    pub fn is_real_time(&self) -> bool {
        self.mode.is_some_and(Mode::is_real_time)
    }
}

impl Steps<'_> {
    /// Reports an update of the workflow's own record that names an attribute on which it starts.
    pub(super) fn check_update(&self, place: Place, own_record: bool, attributes: &[AttributeId]) {
        let fires = match &self.own.start.update {
            Some(UpdateTrigger::Any) => !attributes.is_empty(),
            Some(UpdateTrigger::Attributes(watched)) => attributes.iter().any(|named| watched.contains(named)),
            None => false,
        };
        // `only-when-changed` ends it as soon as a value repeats; before a change an update alters that change, and is none
        // of its own.
        let is_after = self.own.start.stages.update == Stage::After;
        if own_record && fires && is_after && !self.own.start.only_when_changed {
            self.report_loop(place, "this update");
        }
    }

    /// The same for a create of the workflow's own entity.
    pub(super) fn check_create(&self, place: Place, entity: EntityId) {
        if self.own.start.create && self.own.entity == Some(entity) {
            self.report_loop(place, "this create");
        }
    }

    /// The same for an assign of its own record.
    pub(super) fn check_assign(&self, place: Place, own_record: bool) {
        if own_record && self.own.start.assign && self.own.start.stages.assign == Stage::After {
            self.report_loop(place, "this assign");
        }
    }

    /// The same for a change of its own record's status.
    pub(super) fn check_status(&self, place: Place, own_record: bool) {
        if own_record && self.own.start.status && self.own.start.stages.status == Stage::After {
            self.report_loop(place, "this change of status");
        }
    }

    fn report_loop(&self, place: Place, what: &'static str) {
        let can_end = self.branches > 0 || self.may_end || self.own.start.condition.is_some();
        if can_end {
            // Whether it may is seen once all conditions are known.
            self.suspects.borrow_mut().push((place, what));
        } else {
            let hint = "put the step under an `if`, or give `start` an `if`".to_owned();
            let message = format!("{what} starts the workflow again each time, and no condition can end that");
            self.report.error_with(place, message, Some(hint));
        }
    }
}
