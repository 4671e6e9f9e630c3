//! Set status: sets state and status together, along the transitions that the entity allows.

use model::{Caller, Message, Outcome, Privilege, RecordRef, Value, starter};
use rules::validate::Modification;

use super::update;
use crate::{Failure, access, unit::Unit};

pub(super) fn set_status(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    state: Option<i32>,
    status: Option<i32>,
) -> Result<Outcome, Failure> {
    let entity = unit.entity(target.entity)?;
    let before = access::expect(unit, caller, &entity, Privilege::Write, target)?;
    let (state, status) = rules::validate::status(&entity, &before, state, status)?;
    let codes = [(starter::STATE, state), (starter::STATUS, status)];
    let change = codes.into_iter().map(|(code, value)| (code, Value::Whole(i64::from(value)))).collect();
    let modification = Modification { change, references: Vec::new() };
    update::stage(unit, caller, &entity, before, modification, Message::SetStatus)
}
