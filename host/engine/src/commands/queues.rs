//! Queues: what waits where, and who works on it.
//!
//! A record waits in one queue at most; its queue item says in which, since when and who took it. The item belongs to
//! whoever owns the queue. Who may add to the queue (`append to`) may do all of this, and must see the record.

use model::{
    Caller, Privilege, Record, RecordRef, Refusal, Value, Values, Verb,
    schema::Entity,
    starter::{OWNER, QUEUE, QUEUE_ITEM},
};

use super::attribute;
use crate::{
    Error, Failure, access, keys,
    load::stored,
    unit::{Unit, show},
};

/// Puts the record into the queue, or moves it there; gives its item. Where it waits there already, nothing changes.
pub(super) fn add(unit: &mut Unit, caller: &Caller, object: RecordRef, queue: RecordRef) -> Result<RecordRef, Failure> {
    let record = seen(unit, caller, object)?;
    let queues = unit.entity(QUEUE)?;
    let owner = access::expect(unit, caller, &queues, Privilege::AppendTo, queue)?.get(OWNER).clone();
    let items = unit.entity(QUEUE_ITEM)?;
    let now = Value::DateTime(unit.now.to_second());
    let mut values = values_of(&items, [("queueid", Value::Reference(queue)), ("enteredon", now)])?;
    if let Some(item) = item_of(unit, &items, object)? {
        let current = unit.expect(&items, item)?;
        let from = current.get(attribute(&items, "queueid")?.id).as_reference();
        if from == Some(queue) {
            return Ok(item);
        }
        // Who takes it from another queue must be one of those who may add there.
        if let Some(from) = from {
            access::check_at(unit, caller, &queues, Privilege::AppendTo, from)?;
        }
        values.insert(attribute(&items, "workerid")?.id, Value::Null);
        values.insert(attribute(&items, "workeridmodifiedon")?.id, Value::Null);
        unit.apply_for_parent(caller, Verb::Update { target: item, expected: None, values })?;
        if *current.get(OWNER) != owner
            && let Some(owner) = owner.as_reference()
        {
            unit.apply_for_parent(caller, Verb::Assign { target: item, owner })?;
        }
        return Ok(item);
    }
    let title = unit.entity(object.entity)?.primary;
    values.insert(attribute(&items, "title")?.id, shortened(record.get(title)));
    values.insert(attribute(&items, "objectid")?.id, Value::Reference(object));
    values.insert(OWNER, owner);
    Ok(unit.apply_for_parent(caller, Verb::Create { entity: QUEUE_ITEM, id: None, values })?.record)
}

/// Takes the record out of its queue.
pub(super) fn remove(unit: &mut Unit, caller: &Caller, object: RecordRef) -> Result<(), Failure> {
    let item = waiting(unit, caller, object, "RemoveFromQueue")?;
    unit.apply_for_parent(caller, Verb::Delete { target: item, expected: None })?;
    Ok(())
}

/// Notes that `worker` works on the record. One that somebody else works on is refused: it must be released first.
pub(super) fn pick(unit: &mut Unit, caller: &Caller, object: RecordRef, worker: RecordRef) -> Result<(), Failure> {
    let item = waiting(unit, caller, object, "PickFromQueue")?;
    let items = unit.entity(QUEUE_ITEM)?;
    let by = attribute(&items, "workerid")?.id;
    let before = unit.expect(&items, item)?.get(by).as_reference();
    match before {
        Some(other) if other != worker => {
            let who = unit.glance(other)?;
            let users = unit.entity(other.entity)?;
            let who = who.map_or_else(|| show(other), |record| crate::verb::title(&users, &record));
            let why = smol_str::format_smolstr!("{who} works on it; it can be picked once that is released");
            Err(Refusal::NotPossible { verb: "PickFromQueue".into(), entity: "queueitem".into(), why }.into())
        }
        Some(_) => Ok(()),
        None => {
            let since = Value::DateTime(unit.now.to_second());
            let values = [("workerid", Value::Reference(worker)), ("workeridmodifiedon", since)];
            let values = values_of(&items, values)?;
            unit.apply_for_parent(caller, Verb::Update { target: item, expected: None, values })?;
            Ok(())
        }
    }
}

/// Takes back who works on it.
pub(super) fn release(unit: &mut Unit, caller: &Caller, object: RecordRef) -> Result<(), Failure> {
    let item = waiting(unit, caller, object, "ReleaseToQueue")?;
    let items = unit.entity(QUEUE_ITEM)?;
    let values = values_of(&items, [("workerid", Value::Null), ("workeridmodifiedon", Value::Null)])?;
    unit.apply_for_parent(caller, Verb::Update { target: item, expected: None, values })?;
    Ok(())
}

/// The item by which the record waits, in a queue to which the caller may add. The item itself may be given too.
fn waiting(unit: &mut Unit, caller: &Caller, object: RecordRef, command: &str) -> Result<RecordRef, Failure> {
    seen(unit, caller, object)?;
    let items = unit.entity(QUEUE_ITEM)?;
    let item = match object.entity == QUEUE_ITEM {
        true => Some(object),
        false => item_of(unit, &items, object)?,
    };
    let Some(item) = item else {
        let entity = unit.catalogue.schema.name_of(object.entity);
        let why = "the record waits in no queue".into();
        return Err(Refusal::NotPossible { verb: command.into(), entity, why }.into());
    };
    let queue = unit.expect(&items, item)?.get(attribute(&items, "queueid")?.id).as_reference();
    let queues = unit.entity(QUEUE)?;
    queue.map_or(Ok(()), |queue| access::check_at(unit, caller, &queues, Privilege::AppendTo, queue))?;
    Ok(item)
}

/// The record, which the caller may read.
fn seen(unit: &mut Unit, caller: &Caller, object: RecordRef) -> Result<Record, Failure> {
    let entity = unit.entity(object.entity)?;
    access::expect(unit, caller, &entity, Privilege::Read, object)
}

fn item_of(unit: &mut Unit, items: &Entity, object: RecordRef) -> Result<Option<RecordRef>, Failure> {
    let key = items.keys.first().ok_or_else(|| stored("queueitem", "it has no key"))?;
    keys::holder(unit, items, key, &[&Value::Reference(object)])
}

fn values_of<const N: usize>(items: &Entity, values: [(&str, Value); N]) -> Result<Values, Error> {
    values.into_iter().map(|(name, value)| Ok((attribute(items, name)?.id, value))).collect()
}

/// As much of a name as fits into a title.
fn shortened(name: &Value) -> Value {
    name.as_text().map_or(Value::Null, |name| Value::from(name.chars().take(300).collect::<String>().as_str()))
}
