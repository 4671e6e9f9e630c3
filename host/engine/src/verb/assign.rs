//! Assign: gives a record another owner.

use model::{Caller, Message, Outcome, Privilege, RecordRef, Value, starter};
use rules::validate::Modification;

use super::update;
use crate::{Failure, access, unit::Unit};

pub(super) fn assign(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    owner: RecordRef,
) -> Result<Outcome, Failure> {
    let entity = unit.entity(target.entity)?;
    let reference = rules::validate::assign(&entity, &unit.catalogue.schema, owner)?;
    let before = access::expect(unit, caller, &entity, Privilege::Assign, target)?;
    let change = [(starter::OWNER, Value::Reference(owner))].into_iter().collect();
    let modification = Modification { change, references: vec![reference] };
    update::stage(unit, caller, &entity, before, modification, Message::Assign)
}
