//! Privileges as the entity set `privileges` (E9): what there is for roles to allow, made from the entities and the tasks.
//!
//! Nothing is stored: the id of a privilege is made of its name, so it is the same in every store.

use model::{
    Caller, Outcome, Privilege, Record, RecordId, Refusal, TaskName, Value, Values, Verb, Version, schema::Entity,
    starter,
};
use store::Reader;
use uuid::Uuid;

use super::Rows;
use crate::{Failure, catalogue::Catalogue, query::Candidates, unit::Unit};

/// The privileges.
pub(super) struct Privileges;

/// The id by which clients know the privilege of this name: `prvReadAccount`.
pub fn privilege_id(name: &str) -> Uuid {
    formats::identity("privilege", name)
}

impl Rows for Privileges {
    fn get(&self, catalogue: &Catalogue, _: &dyn Reader, id: RecordId) -> Result<Option<Record>, Failure> {
        Ok(all(catalogue).find(|record| record.id == id))
    }

    fn scan<'a>(&self, catalogue: &'a Catalogue, _: &'a dyn Reader) -> Result<Candidates<'a>, Failure> {
        Ok(Box::new(all(catalogue).map(Ok)))
    }

    fn apply(&self, unit: &mut Unit, _caller: &Caller, verb: Verb) -> Result<Outcome, Failure> {
        let entity = unit.catalogue.schema.name_of(starter::PRIVILEGE);
        let why = "there is one for each entity and each thing that may be done with its records".into();
        Err(Refusal::NotPossible { verb: verb.word().into(), entity, why }.into())
    }
}

/// Those of all entities, then the tasks.
fn all(catalogue: &Catalogue) -> impl Iterator<Item = Record> + '_ {
    let own = catalogue.schema.entity(starter::PRIVILEGE).map(AsRef::as_ref);
    let of_entities = catalogue.schema.entities().flat_map(move |entity| {
        Privilege::ALL.into_iter().filter_map(move |privilege| Some(of_entity(own?, entity, privilege)))
    });
    of_entities.chain(TaskName::KNOWN.iter().filter_map(move |task| Some(of_task(own?, task))))
}

fn of_entity(own: &Entity, entity: &Entity, privilege: Privilege) -> Record {
    let name = privilege.api_name(entity.name().as_str());
    let right = match privilege {
        Privilege::Read => 1,
        Privilege::Write => 2,
        Privilege::Append => 4,
        Privilege::AppendTo => 16,
        Privilege::Create => 32,
        Privilege::Delete => 65_536,
        Privilege::Share => 262_144,
        Privilege::Assign => 524_288,
    };
    // Records without owners of their own are all as far away.
    let levels = Value::Boolean(entity.is_owned());
    let columns = [
        ("name", Value::Text(name.clone())),
        ("accessright", Value::Whole(right)),
        ("entityname", Value::text(entity.name().as_str())),
        ("canbebasic", levels.clone()),
        ("canbelocal", levels.clone()),
        ("canbedeep", levels),
        ("canbeglobal", Value::Boolean(true)),
    ];
    record(own, &name, columns)
}

fn of_task(own: &Entity, task: &TaskName) -> Record {
    let name = task.api_name();
    record(own, &name, [("name", Value::Text(name.clone())), ("canbeglobal", Value::Boolean(true))])
}

fn record(own: &Entity, name: &str, columns: impl IntoIterator<Item = (&'static str, Value)>) -> Record {
    let named = columns.into_iter().filter_map(|(name, value)| Some((own.attribute(name)?.id, value)));
    let states = [(starter::STATE, Value::Whole(0)), (starter::STATUS, Value::Whole(1))];
    let values: Values = named.chain(states).collect();
    Record { entity: starter::PRIVILEGE, id: RecordId(privilege_id(name)), version: Version(1), values }
}
