//! Several records of one set at once: `CreateMultiple`, `UpdateMultiple`, `UpsertMultiple`, each one unit of work.

use model::{Outcome, Verb};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{Binding, Bound, Effect, Given, Kind, Message};
use crate::{
    odata::{
        plan::Write,
        url::{Key, Literal},
        write::Asked,
    },
    problem::Denial,
};

const fn message(name: &'static str, run: fn(&Asked<'_>, &Bound<'_>, &Given) -> Result<Effect, Denial>) -> Message {
    Message { name, kind: Kind::Action, binding: Binding::AnySet, parameters: &["Targets"], run }
}

/// The messages of this group.
pub const MESSAGES: &[Message] =
    &[message("CreateMultiple", create), message("UpdateMultiple", update), message("UpsertMultiple", upsert)];

/// The bodies of the targets, each with its place for a refusal.
fn targets(given: &Given) -> Result<Vec<&Map<String, Json>>, Denial> {
    let targets = given.list("Targets")?;
    let wrong = |place: usize| given.wrong(&format!("Targets[{place}]"), "an object");
    targets.iter().enumerate().map(|(place, target)| target.as_object().ok_or_else(|| wrong(place))).collect()
}

/// Puts the place of a target into its refusal.
fn placed(place: usize) -> impl Fn(Denial) -> Denial {
    move |denial| Denial { message: format!("`Targets[{place}]`: {}", denial.message), ..denial }
}

fn create(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let entity = bound.entity()?;
    let (mut verbs, mut places) = (Vec::new(), Vec::new());
    for (place, body) in targets(given)?.into_iter().enumerate() {
        places.push(asked.insert(entity, body, false, None, &mut verbs).map_err(placed(place))?.at);
    }
    let ids = move |outcomes: &[Outcome]| {
        let made = places.iter().filter_map(|place| outcomes.get(*place));
        json!({ "Ids": made.map(|outcome| outcome.record.id.to_string()).collect::<Vec<_>>() })
    };
    Ok(Effect::Verbs(verbs, Box::new(ids)))
}

fn update(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let entity = bound.entity()?;
    let unnamed = || {
        let id = entity.id_name();
        Denial::malformed(format!("no record is named: write its `{id}`, or `@odata.id` with its address"))
    };
    let verb = |body: &Map<String, Json>| {
        let key = key(entity, body)?.ok_or_else(unnamed)?;
        let write = Write::of(asked, entity, &key, body)?;
        let target = write.target.ok_or_else(|| Denial::malformed("no record has this key"))?;
        Ok(write.update(target, None))
    };
    let verbs = targets(given)?.into_iter().enumerate().map(|(place, body)| verb(body).map_err(placed(place)));
    Ok(Effect::silent(verbs.collect::<Result<_, Denial>>()?))
}

/// Here it is looked up whether each record is there: believing it and trying would be a try for each that is not.
fn upsert(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let entity = bound.entity()?;
    let mut writes = Vec::new();
    for (place, body) in targets(given)?.into_iter().enumerate() {
        let write = key(entity, body).and_then(|key| {
            let key = key.unwrap_or_else(|| Key::Id(asked.new_id().0));
            Write::of(asked, entity, &key, body)
        });
        writes.push(write.map_err(placed(place))?);
    }
    let named: Vec<_> = writes.iter().filter_map(|write| write.target).collect();
    let mut there = asked.engine.retrieve_several(asked.caller, &named, Some(&[]))?.into_iter();
    let verb = |write: Write| match write.target {
        Some(target) if there.next().flatten().is_some() => write.update(target, None),
        _ => write.create(entity),
    };
    let verbs: Vec<Verb> = writes.into_iter().map(verb).collect();
    let set = entity.definition.set.clone();
    let results = move |outcomes: &[Outcome]| {
        let result = |outcome: &Outcome| {
            json!({
                "RecordCreated": outcome.created,
                "Target": { "@odata.id": format!("{set}({})", outcome.record.id) },
            })
        };
        json!({ "Results": outcomes.iter().map(result).collect::<Vec<_>>() })
    };
    Ok(Effect::Verbs(verbs, Box::new(results)))
}

/// What names the record of a target: its address, its identity, or an alternate key among its values.
fn key(entity: &model::schema::Entity, body: &Map<String, Json>) -> Result<Option<Key>, Denial> {
    let id = entity.id_name();
    match (body.get("@odata.id").and_then(Json::as_str), body.get(id.as_str())) {
        (Some(address), _) => Ok(Some(crate::odata::url::address(address)?.key)),
        (None, Some(value)) => {
            let value = value.as_str().and_then(|text| Uuid::parse_str(text).ok());
            value.map(|id| Some(Key::Id(id))).ok_or_else(|| Denial::malformed(format!("`{id}` is a GUID")))
        }
        (None, None) => Ok(alternate(entity, body)),
    }
}

/// The first alternate key of the entity whose values all stand in the body.
fn alternate(entity: &model::schema::Entity, body: &Map<String, Json>) -> Option<Key> {
    entity.keys.iter().find_map(|key| {
        let part = |attribute: &model::AttributeId| {
            let name = entity.attribute_by_id(*attribute)?.name().as_str();
            let literal = match body.get(name)? {
                Json::Null => return None,
                Json::String(text) => Literal::Quoted(text.clone()),
                other => Literal::Bare(other.to_string()),
            };
            Some((name.to_owned(), literal))
        };
        key.attributes.iter().map(part).collect::<Option<Vec<_>>>().map(Key::Named)
    })
}
