//! The people of a solution as records (formats 10): business units, teams, users, queues, made or brought up to date by
//! name.
//!
//! What a file does not say stays as it is, so that what an administrator has changed is not taken back.

use formats::security::Security;
use model::{
    Caller, EntityId, RecordId, RecordRef, Refusal, Value, Values, Verb, expression::NamedRecord, schema::Entity,
};
use smol_str::SmolStr;

use crate::{Failure, members, query, resolve::Reading, unit::Unit};

/// Stages them, each after what it may name: two rounds, because units, teams and users name each other in any order.
pub(super) fn write(unit: &mut Unit, caller: &Caller, security: &Security) -> Result<(), Failure> {
    let mut people = People { unit, caller };
    let root = Value::Reference(crate::root_unit());
    for unit in &security.units {
        people.put("businessunit", &unit.name, &[("parentbusinessunitid", root.clone())], false)?;
    }
    for team in &security.teams {
        people.put("team", &team.name, &[("businessunitid", root.clone())], false)?;
    }
    for user in &security.users {
        people.put("systemuser", &user.name, &[("businessunitid", root.clone())], false)?;
    }
    for unit in &security.units {
        let parent = people.find("businessunit", unit.parent.as_ref())?;
        let values = [("parentbusinessunitid", parent), ("description", text(&unit.description))];
        people.put("businessunit", &unit.name, &values, true)?;
    }
    for team in &security.teams {
        let unit = people.find("businessunit", team.business_unit.as_ref())?;
        let values = [("businessunitid", unit), ("description", text(&team.description))];
        people.put("team", &team.name, &values, true)?;
    }
    for user in &security.users {
        let unit = people.find("businessunit", user.business_unit.as_ref())?;
        let manager = people.find("systemuser", user.manager.as_ref())?;
        let disabled = Value::Boolean(!user.enabled);
        let email = Value::Text(user.email.clone());
        let values = [
            ("businessunitid", unit),
            ("parentsystemuserid", manager),
            ("internalemailaddress", email),
            ("isdisabled", disabled),
        ];
        people.put("systemuser", &user.name, &values, true)?;
    }
    people.join(security)?;
    for queue in &security.queues {
        let email = queue.email.clone().map_or(Value::Null, Value::Text);
        let owner = people.owner(queue.owner.as_ref())?;
        let values = [("emailaddress", email), ("description", text(&queue.description)), ("ownerid", owner)];
        people.put("queue", &queue.name, &values, true)?;
    }
    Ok(())
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::text(text) }
}

struct People<'u> {
    unit: &'u mut Unit,
    caller: &'u Caller,
}

impl People<'_> {
    /// Makes the record of this name, or with `update` brings one that is there up to date where a value differs.
    fn put(&mut self, entity: &str, name: &str, values: &[(&str, Value)], update: bool) -> Result<(), Failure> {
        let entity = self.entity(entity)?;
        let named = values.iter().filter(|(_, value)| !value.is_null());
        let mut wanted: Values =
            named.filter_map(|(name, value)| Some((entity.attribute(name)?.id, value.clone()))).collect();
        let verb = match self.named(&entity, name)? {
            None => {
                wanted.insert(entity.primary, Value::text(name));
                let id = Some(RecordId(formats::identity(kind_of(&entity), name)));
                Verb::Create { entity: entity.id, id: self.free(entity.id, id)?, values: wanted }
            }
            Some(_) if !update => return Ok(()),
            Some(target) => {
                let record = self.unit.expect(&entity, target)?;
                let values: Values =
                    wanted.into_iter().filter(|(attribute, value)| record.get(*attribute) != value).collect();
                if values.is_empty() {
                    return Ok(());
                }
                Verb::Update { target, expected: None, values }
            }
        };
        self.unit.apply(self.caller, verb)?;
        Ok(())
    }

    /// Memberships that teams or users name.
    fn join(&mut self, security: &Security) -> Result<(), Failure> {
        let by_team = security.teams.iter().flat_map(|team| team.members.iter().map(move |user| (user, &team.name)));
        let by_user = security.users.iter().flat_map(|user| user.teams.iter().map(move |team| (&user.name, team)));
        for (user, team) in by_team.chain(by_user) {
            let user = self.find("systemuser", Some(user))?.as_reference();
            let team = self.find("team", Some(team))?.as_reference();
            if let (Some(user), Some(team)) = (user, team) {
                members::add(self.unit, self.caller, user, team)?;
            }
        }
        Ok(())
    }

    fn owner(&mut self, owner: Option<&NamedRecord>) -> Result<Value, Failure> {
        let Some(owner) = owner else { return Ok(Value::Null) };
        let found = Reading::new(self.unit).named(owner)?;
        let NamedRecord::Named { entity, name } = owner else { return Ok(found.map_or(Value::Null, Value::Reference)) };
        let missing = || Refusal::NotFound { entity: entity.as_str().into(), record: name.clone() };
        Ok(Value::Reference(found.ok_or_else(missing)?))
    }

    /// The record of this name, which must be there; empty where no name is given.
    fn find(&mut self, entity: &str, name: Option<&SmolStr>) -> Result<Value, Failure> {
        let Some(name) = name else { return Ok(Value::Null) };
        let entity = self.entity(entity)?;
        let found = self.named(&entity, name)?;
        let missing = || Refusal::NotFound { entity: entity.name().as_str().into(), record: name.clone() };
        Ok(Value::Reference(found.ok_or_else(missing)?))
    }

    fn named(&self, entity: &Entity, name: &str) -> Result<Option<RecordRef>, Failure> {
        query::by_name(&self.unit.catalogue, &self.unit.overlay.unvalidated(), entity, name)
    }

    fn entity(&self, name: &str) -> Result<std::sync::Arc<Entity>, Failure> {
        let entity = self.unit.catalogue.schema.named(name).cloned();
        entity.ok_or_else(|| Refusal::UnknownEntity(name.into()).into())
    }

    /// The identity that kind and name make, the same on every machine, unless a renamed record has it.
    fn free(&mut self, entity: EntityId, id: Option<RecordId>) -> Result<Option<RecordId>, Failure> {
        let Some(id) = id else { return Ok(None) };
        Ok(if self.unit.exists(RecordRef::new(entity, id))? { None } else { Some(id) })
    }
}

/// The word of the file's kind.
fn kind_of(entity: &Entity) -> &'static str {
    match entity.name().as_str() {
        "businessunit" => "business-unit",
        "systemuser" => "user",
        "team" => "team",
        _ => "queue",
    }
}
