//! What may be asked about the rights on one record: `RetrievePrincipalAccess`, `RetrieveSharedPrincipalsAndAccess`.
//!
//! Both see what the unit of work has staged, change nothing, and are for whoever may read the record. The Web API asks the
//! same outside of a unit (`access/who`, `security/change`).

use model::{Caller, Field, Privilege, Record, RecordRef, Rights, Value, schema::Entity};
use std::sync::Arc;
use store::shares;

use crate::{Failure, access, unit::Unit};

/// What a user or a team may do with the record, by roles and shares together.
pub(super) fn rights_of(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    principal: RecordRef,
) -> Result<Vec<Field>, Failure> {
    let (entity, record) = readable(unit, caller, target)?;
    let whose = unit.entity(principal.entity)?;
    unit.expect(&whose, principal)?;
    let rights = access::rights_in(unit, principal, &entity, &record)?;
    Ok(vec![field("rights", Value::text(words(rights)))])
}

/// With whom the record is shared, and what each of them was given.
pub(super) fn shared_with(unit: &mut Unit, caller: &Caller, target: RecordRef) -> Result<Vec<Field>, Failure> {
    readable(unit, caller, target)?;
    let shares = shares::of_record(&unit.overlay, target)?;
    let lines: Vec<String> = shares.iter().map(|(_, rights)| words(*rights)).collect();
    let principals = shares.into_iter().map(|(principal, _)| principal).collect();
    Ok(vec![field("principals", Value::References(principals)), field("rights", Value::text(lines.join("\n")))])
}

fn readable(unit: &mut Unit, caller: &Caller, target: RecordRef) -> Result<(Arc<Entity>, Record), Failure> {
    let entity = unit.entity(target.entity)?;
    let record = unit.expect(&entity, target)?;
    access::check(unit, caller, &entity, Privilege::Read, &record)?;
    Ok((entity, record))
}

fn field(name: &str, value: Value) -> Field {
    Field { name: name.into(), value }
}

/// `read, write`, in the words of a share.
fn words(rights: Rights) -> String {
    rights.iter().map(Privilege::word).collect::<Vec<_>>().join(", ")
}
