//! Who belongs to which team and who holds which role: records of N:N entities, with two lookups and a key over both (E10).
//!
//! Scope asks here; security files write here.

use model::{
    AttributeName, Caller, EntityName, RecordRef, SetName, Value, Values, Verb,
    entity::{
        AttributeDefinition, AttributeKind, Cascade, EntityDefinition, KeyDefinition, LookupKind, OnDelete, Ownership,
        State, Status, Targets,
    },
    schema::{Entity, Key},
    starter,
};
use store::records;

use crate::{Failure, keys, unit::Unit};

const ENTITY: &str = "teammembership";

/// The entity of memberships.
pub(crate) fn entity() -> EntityDefinition {
    let name = |text: &str| AttributeName::parse(text).expect("the names below are written in the alphabet of names");
    let lookup = |to: &str| {
        AttributeKind::Lookup(LookupKind {
            to: Targets::Only(vec![EntityName::parse(to).expect("a name in the alphabet of names")]),
            on_delete: OnDelete::Cascade,
            cascade: Cascade::default(),
            copy: Vec::new(),
            relationship: None,
        })
    };
    let state = |word: &str, value, status| State {
        name: name(word),
        value,
        title: word.to_owned(),
        statuses: vec![Status { name: name(word), value: status, title: word.to_owned(), next: None }],
    };
    EntityDefinition {
        name: EntityName::parse(ENTITY).expect("a name in the alphabet of names"),
        id: formats::identity("entity", ENTITY),
        title: "Membership".to_owned(),
        title_plural: "Memberships".to_owned(),
        description: "A user who belongs to a team.".to_owned(),
        set: SetName::parse("teammemberships").expect("a name in the alphabet of names"),
        ownership: Ownership::Organization,
        activity: false,
        primary: name("name"),
        email: None,
        flows: false,
        audit: true,
        attributes: vec![
            AttributeDefinition::plain(name("name"), "Name", AttributeKind::text(100)),
            AttributeDefinition::plain(name("systemuserid"), "User", lookup("systemuser")),
            AttributeDefinition::plain(name("teamid"), "Team", lookup("team")),
        ],
        hierarchy: None,
        keys: vec![KeyDefinition {
            name: name("user_and_team"),
            attributes: vec![name("systemuserid"), name("teamid")],
        }],
        many_to_many: indexmap::IndexMap::new(),
        states: vec![state("active", 0, 1), state("inactive", 1, 2)],
        solution: formats::starter::SOLUTION.into(),
    }
}

/// Whether the user belongs to the team, without the unit resting on it (E2).
pub(crate) fn is_member(unit: &Unit, user: RecordRef, team: RecordRef) -> Result<bool, Failure> {
    let catalogue = unit.catalogue.clone();
    let Some((entity, key)) = place(&catalogue.schema, ENTITY) else { return Ok(false) };
    let values = [Value::Reference(user), Value::Reference(team)];
    let found = records::by_key(&unit.overlay.unvalidated(), entity.id, key.number, &[&values[0], &values[1]])?;
    Ok(found.is_some())
}

/// The members of a team who may act, in the order in which they joined; read without the unit resting on it (E2).
pub(crate) fn of_team(unit: &Unit, team: RecordRef) -> Result<Vec<RecordRef>, Failure> {
    let catalogue = unit.catalogue.clone();
    let rows = unit.overlay.unvalidated();
    let Some((entity, key)) = place(&catalogue.schema, ENTITY) else { return Ok(Vec::new()) };
    let [user, of] = key.attributes[..] else { return Ok(Vec::new()) };
    let users = unit.entity(starter::SYSTEM_USER)?;
    let disabled = users.attribute("isdisabled").map(|disabled| disabled.id);
    let mut members = Vec::new();
    let team = records::Stretch::Equal(Value::Reference(team));
    for row in records::by_index(&rows, entity.id, of, &team, false, None)? {
        let membership = records::get(&rows, RecordRef::new(entity.id, row?.0))?;
        let Some(member) = membership.and_then(|membership| membership.get(user).as_reference()) else { continue };
        let Some(record) = records::get(&rows, member)? else { continue };
        if disabled.is_none_or(|disabled| *record.get(disabled) != Value::Boolean(true)) {
            members.push(member);
        }
    }
    Ok(members)
}

/// Makes the user a member of the team, if he is not. Tells whether he was not.
pub(crate) fn add(unit: &mut Unit, caller: &Caller, user: RecordRef, team: RecordRef) -> Result<bool, Failure> {
    join(unit, caller, ENTITY, user, team)
}

/// Gives the user or team the role, if it has it not. Tells whether it had not.
pub(crate) fn give_role(unit: &mut Unit, caller: &Caller, to: RecordRef, role: RecordRef) -> Result<bool, Failure> {
    let entity = if to.entity == starter::TEAM { "teamroles" } else { "systemuserroles" };
    join(unit, caller, entity, to, role)
}

/// Ends the user's membership of the team. Tells whether there was one.
pub(crate) fn remove(unit: &mut Unit, caller: &Caller, user: RecordRef, team: RecordRef) -> Result<bool, Failure> {
    part(unit, caller, ENTITY, user, team)
}

/// Takes the role from the user or team. Tells whether it had it.
pub(crate) fn take_role(unit: &mut Unit, caller: &Caller, from: RecordRef, role: RecordRef) -> Result<bool, Failure> {
    let entity = if from.entity == starter::TEAM { "teamroles" } else { "systemuserroles" };
    part(unit, caller, entity, from, role)
}

/// Takes away the record of an N:N entity that joins these two, if it is there. Tells whether it was.
fn part(unit: &mut Unit, caller: &Caller, entity: &str, one: RecordRef, other: RecordRef) -> Result<bool, Failure> {
    let catalogue = unit.catalogue.clone();
    let Some((entity, key)) = place(&catalogue.schema, entity) else { return Ok(false) };
    let values = [Value::Reference(one), Value::Reference(other)];
    let Some(target) = keys::holder(unit, entity, key, &[&values[0], &values[1]])? else { return Ok(false) };
    unit.apply(caller, Verb::Delete { target, expected: None })?;
    Ok(true)
}

/// Makes the record of an N:N entity that joins these two, if it is not there. Tells whether it was not.
fn join(unit: &mut Unit, caller: &Caller, entity: &str, one: RecordRef, other: RecordRef) -> Result<bool, Failure> {
    let catalogue = unit.catalogue.clone();
    let Some((entity, key)) = place(&catalogue.schema, entity) else { return Ok(false) };
    let values = [Value::Reference(one), Value::Reference(other)];
    if keys::holder(unit, entity, key, &[&values[0], &values[1]])?.is_some() {
        return Ok(false);
    }
    let values: Values = key.attributes.iter().copied().zip(values).collect();
    unit.apply(caller, Verb::Create { entity: entity.id, id: None, values })?;
    Ok(true)
}

fn place<'s>(schema: &'s model::Schema, entity: &str) -> Option<(&'s Entity, &'s Key)> {
    let entity = schema.named(entity)?;
    Some((entity, entity.keys.first()?))
}
