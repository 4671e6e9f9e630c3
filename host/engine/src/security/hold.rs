//! What must hold among users, teams, business units and roles, whoever changes them.
//!
//! `Unit::apply` asks after each verb, with the facts that it made; a refusal takes the verb back. Deleting what is in use
//! is refused by the lookups to it (`on-delete: restrict`), deleting a user by the verb itself.

use formats::starter::ADMINISTRATOR;
use model::{Caller, Message, Origin, Record, RecordRef, Refusal, Value, fact::Fact, schema::Entity, starter};
use smol_str::{SmolStr, format_smolstr};
use store::records;

use super::{moves, roles};
use crate::{Failure, root_unit, unit::Unit, verb};

/// The longest way up through units or managers.
const DEEPEST: usize = 64;

/// Looks at the facts from `from` on: refuses what must not be, and adds what follows.
pub(crate) fn hold(unit: &mut Unit, from: usize) -> Result<(), Failure> {
    for place in from..unit.facts.len() {
        let entity = unit.facts[place].record.entity;
        let concerns = matches!(
            entity,
            starter::SYSTEM_USER
                | starter::TEAM
                | starter::BUSINESS_UNIT
                | starter::ROLE
                | starter::USER_ROLE
                | starter::TEAM_ROLE
        );
        if concerns {
            let (fact, entity) = (unit.facts[place].clone(), unit.entity(entity)?);
            look(unit, &entity, &fact)?;
        }
    }
    Ok(())
}

fn look(unit: &mut Unit, entity: &Entity, fact: &Fact) -> Result<(), Failure> {
    match entity.id {
        starter::BUSINESS_UNIT => business_unit(unit, entity, fact),
        starter::SYSTEM_USER => {
            in_a_unit(unit, entity, fact)?;
            user(unit, entity, fact)
        }
        starter::TEAM => in_a_unit(unit, entity, fact),
        starter::ROLE => role(entity, fact),
        _ => joined(unit, entity, fact),
    }
}

fn business_unit(unit: &mut Unit, entity: &Entity, fact: &Fact) -> Result<(), Failure> {
    let parent = value(entity, fact.after.as_ref(), "parentbusinessunitid");
    if fact.record == root_unit() {
        return match fact.message {
            Message::Delete => Err(refuse(entity, fact, "it is the root of the organisation")),
            _ if !parent.is_null() => Err(refuse(entity, fact, "the root of the organisation stands above all units")),
            _ => Ok(()),
        };
    }
    let Some(after) = &fact.after else { return Ok(()) };
    if parent.is_null() {
        return match fact.message {
            Message::Create => put_into_root(unit, entity, &fact.caller, after, "parentbusinessunitid"),
            _ => Err(refuse(entity, fact, "every unit but the root lies in another")),
        };
    }
    match changed(entity, fact, "parentbusinessunitid") {
        true => no_circle(unit, entity, fact, "parentbusinessunitid"),
        false => Ok(()),
    }
}

/// Users and teams lie in a unit; their records follow them into another (E30).
fn in_a_unit(unit: &mut Unit, entity: &Entity, fact: &Fact) -> Result<(), Failure> {
    let Some(after) = &fact.after else { return Ok(()) };
    if value(entity, Some(after), "businessunitid").is_null() {
        return match fact.message {
            Message::Create => put_into_root(unit, entity, &fact.caller, after, "businessunitid"),
            _ => Err(refuse(entity, fact, "it lies in a business unit: name another one")),
        };
    }
    if fact.before.is_some() && changed(entity, fact, "businessunitid") {
        moves::begin(unit, fact.record);
    }
    Ok(())
}

fn user(unit: &mut Unit, entity: &Entity, fact: &Fact) -> Result<(), Failure> {
    let Some(before) = &fact.before else { return Ok(()) };
    if fact.after.as_ref().is_some_and(|after| after.get(starter::STATE) != before.get(starter::STATE)) {
        return Err(refuse(entity, fact, "a user is disabled by `isdisabled`"));
    }
    if changed(entity, fact, "parentsystemuserid") {
        no_circle(unit, entity, fact, "parentsystemuserid")?;
    }
    let disabled = *value(entity, fact.after.as_ref(), "isdisabled") == Value::Boolean(true);
    if disabled && changed(entity, fact, "isdisabled") && is_administrator(unit, fact.record)? {
        an_administrator_is_left(unit, entity, fact)?;
    }
    Ok(())
}

/// The administrator's role stays what it is; the engine alone adds the entities of solutions to it.
fn role(entity: &Entity, fact: &Fact) -> Result<(), Failure> {
    let is_administrators = fact.record == roles::default_role(ADMINISTRATOR);
    match fact.message {
        Message::Delete if is_administrators => Err(refuse(entity, fact, "somebody must be able to do everything")),
        Message::Create => Ok(()),
        _ if is_administrators && fact.caller.origin != Origin::System => {
            Err(refuse(entity, fact, "who holds it may do everything, and that stays so"))
        }
        _ => Ok(()),
    }
}

/// Who holds which role is given and taken, never turned into something else.
fn joined(unit: &mut Unit, entity: &Entity, fact: &Fact) -> Result<(), Failure> {
    match fact.message {
        Message::Update => Err(refuse(entity, fact, "a role is given and taken: delete this and create another")),
        Message::Delete if entity.id == starter::USER_ROLE => {
            let taken = value(entity, fact.before.as_ref(), "roleid").as_reference();
            match taken == Some(roles::default_role(ADMINISTRATOR)) {
                true => an_administrator_is_left(unit, entity, fact),
                false => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Refuses to leave the organisation without an enabled user who holds the administrator's role himself. The unit rests
/// on who holds it and on those users, so of two who go at once one is refused.
fn an_administrator_is_left(unit: &mut Unit, entity: &Entity, fact: &Fact) -> Result<(), Failure> {
    let users = unit.entity(starter::SYSTEM_USER)?;
    for user in administrators(unit)? {
        let Some(record) = unit.record(user)? else { continue };
        if *value(&users, Some(&record), "isdisabled") != Value::Boolean(true) {
            return Ok(());
        }
    }
    Err(refuse(
        entity,
        fact,
        "the organisation would be left without an administrator: give somebody else the role first",
    ))
}

fn is_administrator(unit: &mut Unit, user: RecordRef) -> Result<bool, Failure> {
    Ok(administrators(unit)?.contains(&user))
}

/// The users who hold the administrator's role themselves.
fn administrators(unit: &mut Unit) -> Result<Vec<RecordRef>, Failure> {
    let entity = unit.entity(starter::USER_ROLE)?;
    let (Some(role), Some(user)) = (entity.attribute("roleid"), entity.attribute("systemuserid")) else {
        return Ok(Vec::new());
    };
    let held = Value::Reference(roles::default_role(ADMINISTRATOR));
    let most = unit.parts.settings.budget.reads;
    let rows = records::with_value(&unit.overlay, entity.id, role.id, &held, most)?;
    let mut users = Vec::new();
    for id in rows {
        let row = unit.record(RecordRef::new(entity.id, id))?;
        users.extend(row.and_then(|row| row.get(user.id).as_reference()));
    }
    Ok(users)
}

/// Refuses a record that stands above itself. The unit rests on the whole way up.
fn no_circle(unit: &mut Unit, entity: &Entity, fact: &Fact, attribute: &str) -> Result<(), Failure> {
    let mut at = value(entity, fact.after.as_ref(), attribute).as_reference();
    let mut way: Vec<SmolStr> = Vec::new();
    while let Some(above) = at {
        let Some(record) = unit.record(above)? else { break };
        way.push(verb::title(entity, &record));
        if above == fact.record {
            let why = format_smolstr!("it would stand above itself: {}", way.join(", "));
            return Err(refuse(entity, fact, &why));
        }
        if way.len() > DEEPEST {
            let why = format_smolstr!("more than {DEEPEST} stand above it");
            return Err(refuse(entity, fact, &why));
        }
        at = value(entity, Some(&record), attribute).as_reference();
    }
    Ok(())
}

/// What names no unit lies in the root.
fn put_into_root(
    unit: &mut Unit,
    entity: &Entity,
    caller: &Caller,
    record: &Record,
    attribute: &str,
) -> Result<(), Failure> {
    let Some(attribute) = entity.attribute(attribute) else { return Ok(()) };
    let values = [(attribute.id, Value::Reference(root_unit()))].into_iter().collect();
    verb::keep(unit, caller, record.reference(), values)?;
    Ok(())
}

fn value<'r>(entity: &Entity, record: Option<&'r Record>, attribute: &str) -> &'r Value {
    let attribute = entity.attribute(attribute);
    record.zip(attribute).map_or(&Value::Null, |(record, attribute)| record.get(attribute.id))
}

fn changed(entity: &Entity, fact: &Fact, attribute: &str) -> bool {
    value(entity, fact.before.as_ref(), attribute) != value(entity, fact.after.as_ref(), attribute)
}

fn refuse(entity: &Entity, fact: &Fact, why: &str) -> Failure {
    let record = fact.before.as_ref().or(fact.after.as_ref());
    let verb = match (fact.message, record) {
        (message, Some(record)) => format_smolstr!("{} of {}", message.word(), verb::title(entity, record)),
        (message, None) => message.word().into(),
    };
    Refusal::NotPossible { verb, entity: entity.name().as_str().into(), why: why.into() }.into()
}
