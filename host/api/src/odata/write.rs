//! Bodies of writes: properties by name, lookups by `@odata.bind`, records within records, into values and verbs.
//!
//! Runs on an engine thread, because an address may name its record by an alternate key. `plan` calls it.

use std::collections::HashMap;

use engine::Engine;
use model::{
    AttributeId, Caller, RecordId, RecordRef, Refusal, Schema, Value, ValueType, Values, Verb, Way,
    schema::{Attribute, Entity},
    starter,
};
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;
use uuid::Uuid;

use super::{
    url::{self, Address, Key, Literal},
    value,
};
use crate::problem::Denial;

/// Who asks what of which schema: what every function here needs.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The engine, to look records up.
    pub engine: &'a Engine,
    /// Who asks.
    pub caller: &'a Caller,
    /// All entities.
    pub schema: &'a Schema,
    /// What earlier requests of the same batch made.
    pub links: Option<&'a Links>,
}

/// The status of a flow's instance where a client writes the number as text, which pages of the vendor tell it to.
fn status_as_text(entity: &Entity, attribute: &Attribute, json: &Json) -> Option<Value> {
    let is_status = [starter::STATE, starter::STATUS].contains(&attribute.id) && entity.is_flow_instance();
    json.as_str().filter(|_| is_status)?.trim().parse().ok().map(Value::Whole)
}

/// Addresses of what requests of a batch made, by their `$` and content id.
pub type Links = HashMap<String, String>;

/// What a body says.
#[derive(Debug, PartialEq)]
pub struct Written<'b> {
    /// The identity, where the body gives one.
    pub id: Option<RecordId>,
    /// The values.
    pub values: Values,
    /// Records to be made with this one or linked to it, in the order written.
    pub within: Vec<(Way, Within<'b>)>,
}

/// What stands under a navigation in a body.
#[derive(Debug, PartialEq)]
pub enum Within<'b> {
    /// A record to be made.
    New(&'b Map<String, Json>),
    /// A record that is there.
    Known(RecordRef),
}

impl<'a> Asked<'a> {
    /// Outside of a batch.
    pub fn new(engine: &'a Engine, caller: &'a Caller, schema: &'a Schema) -> Self {
        Self { engine, caller, schema, links: None }
    }

    /// The entity whose records have this set name.
    pub fn entity(&self, set: &str) -> Result<&'a Entity, Denial> {
        let entity = self.schema.in_set(set);
        entity.map(AsRef::as_ref).ok_or_else(|| Denial::no_resource(format!("there is no entity set `{set}`")))
    }

    /// The entity with this number.
    pub fn known(&self, entity: model::EntityId) -> Result<&'a Entity, Denial> {
        Ok(self.schema.known(entity)?)
    }

    /// Reads a body that writes a record of `entity`.
    pub fn written<'b>(&self, entity: &Entity, body: &'b Map<String, Json>) -> Result<Written<'b>, Denial> {
        let mut written = Written { id: None, values: Values::new(), within: Vec::new() };
        for (name, json) in body {
            if let Some(property) = name.strip_suffix("@odata.bind") {
                match json {
                    Json::Array(addresses) => {
                        let way = self.list(entity, property)?;
                        for address in addresses {
                            let target = self.at(address.as_str().unwrap_or_default())?;
                            written.within.push((way, Within::Known(target)));
                        }
                    }
                    json => {
                        let (attribute, target) = self.bound(entity, property, json)?;
                        written.values.insert(attribute, target);
                    }
                }
            } else if name.contains('@') {
                // Other annotations come back from clients that send what they have read.
            } else if *name == entity.id_name().as_str() {
                written.id = id(json)?;
            } else if !self.within(entity, name, json, &mut written)? {
                let attribute = attribute(entity, name)?;
                let value = match status_as_text(entity, attribute, json) {
                    Some(status) => status,
                    None => plain(attribute, json)?,
                };
                written.values.insert(attribute.id, value);
            }
        }
        Ok(written)
    }

    /// Adds the verbs that create a record of `entity`, and with it the records within its body. Gives the place of its
    /// own verb; `named` makes sure that its identity is in it.
    pub fn insert(
        &self,
        entity: &Entity,
        body: &Map<String, Json>,
        named: bool,
        preset: Option<(AttributeId, RecordRef)>,
        verbs: &mut Vec<Verb>,
    ) -> Result<Inserted, Denial> {
        let Written { id, mut values, within } = self.written(entity, body)?;
        let id = id.or_else(|| (named || !within.is_empty()).then(|| self.new_id()));
        for (way, content) in &within {
            if let (Way::To { lookup, entity }, Within::New(body)) = (way, content) {
                let target = self.insert(self.known(*entity)?, body, true, None, verbs)?;
                values.insert(*lookup, target.record.map_or(Value::Null, Value::Reference));
            }
        }
        if let Some((attribute, target)) = preset {
            values.insert(attribute, Value::Reference(target));
        }
        let at = verbs.len();
        verbs.push(Verb::Create { entity: entity.id, id, values });
        let record = id.map(|id| RecordRef::new(entity.id, id));
        for (way, content) in within.iter().filter(|(way, _)| way.is_list()) {
            // There is an identity wherever there is something within.
            let Some(record) = record else { continue };
            match (way, content) {
                (_, Within::Known(target)) => verbs.push(link(*way, record, *target)),
                (Way::From { entity, lookup }, Within::New(body)) => {
                    self.insert(self.known(*entity)?, body, false, Some((*lookup, record)), verbs)?;
                }
                (way, Within::New(body)) => {
                    let target = self.insert(self.known(way.entity())?, body, true, None, verbs)?;
                    verbs.extend(target.record.map(|target| link(*way, record, target)));
                }
            }
        }
        Ok(Inserted { at, record })
    }

    /// The record at an address; nothing where an alternate key names none.
    pub fn find(&self, entity: &Entity, key: &Key) -> Result<Option<RecordRef>, Denial> {
        match key {
            Key::Id(id) => Ok(Some(RecordRef::new(entity.id, RecordId(*id)))),
            Key::Named(parts) => match parts.as_slice() {
                [(name, literal)] if *name == entity.id_name().as_str() => {
                    Ok(Some(RecordRef::new(entity.id, RecordId(guid(literal)?))))
                }
                _ => {
                    let key = alternate(entity, parts)?;
                    let record = self.engine.by_key(self.caller, entity.id, &key)?;
                    Ok(record.map(|record| record.reference()))
                }
            },
        }
    }

    /// The record at the address of this text, which may be `$` and the content id of an earlier request.
    pub fn at(&self, text: &str) -> Result<RecordRef, Denial> {
        let address = self.address(text)?;
        let entity = self.entity(&address.set)?;
        super::read::target(self, entity, &address)
    }

    /// An identity that nobody has.
    pub fn new_id(&self) -> RecordId {
        RecordId(self.engine.ids().id(self.engine.clock().now()))
    }

    fn address(&self, text: &str) -> Result<Address, Denial> {
        let name = text.strip_prefix('/').unwrap_or(text);
        match (name.starts_with('$'), self.links) {
            (true, Some(links)) => match links.get(name) {
                Some(address) => url::address(address),
                None => Err(Denial::malformed(format!("`{text}` names no request before this one"))),
            },
            _ => url::address(text),
        }
    }

    /// Notes the records within a property that is a navigation. False where it is none.
    fn within<'b>(
        &self,
        entity: &Entity,
        name: &str,
        json: &'b Json,
        written: &mut Written<'b>,
    ) -> Result<bool, Denial> {
        let wrong = |expected| Denial::malformed(format!("`{name}` of `{}` is {expected}", entity.name()));
        match json {
            Json::Object(record) => match self.schema.way(entity, name) {
                Some(way @ Way::To { .. }) => written.within.push((way, Within::New(record))),
                Some(_) => return Err(wrong("a list of records")),
                None => return Ok(false),
            },
            Json::Array(records) if entity.attribute(name).is_none() => {
                let Some(way) = self.schema.way(entity, name) else { return Ok(false) };
                for record in records {
                    let record = record.as_object().filter(|_| way.is_list());
                    written.within.push((way, Within::New(record.ok_or_else(|| wrong("a list of records"))?)));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn list(&self, entity: &Entity, name: &str) -> Result<Way, Denial> {
        let way = self.schema.way(entity, name).filter(Way::is_list);
        way.ok_or_else(|| Denial::malformed(format!("`{name}` of `{}` leads to no list of records", entity.name())))
    }

    fn bound(&self, entity: &Entity, property: &str, json: &Json) -> Result<(AttributeId, Value), Denial> {
        let attribute = lookup(entity, self.schema, property)?;
        let text = match json {
            Json::Null => return Ok((attribute.id, Value::Null)),
            Json::String(text) => text,
            _ => return Err(Denial::malformed(format!("`{property}@odata.bind` holds no address"))),
        };
        let address = self.address(text)?;
        let target = self.entity(&address.set)?;
        let found = self.find(target, &address.key)?;
        let found = found.ok_or_else(|| Refusal::BadReference {
            attribute: attribute.name().as_str().into(),
            target: text.as_str().into(),
            why: "no record has this key".into(),
        })?;
        Ok((attribute.id, Value::Reference(found)))
    }
}

/// Where the verb of a create stands, and what it makes if that is known.
#[derive(Clone, Copy, Debug)]
pub struct Inserted {
    /// Its place among the verbs.
    pub at: usize,
    /// The record.
    pub record: Option<RecordRef>,
}

/// The verb that leads `from` by this way to `to` as well.
pub fn link(way: Way, from: RecordRef, to: RecordRef) -> Verb {
    let set = |target, attribute, value| {
        let values = Values::from_iter([(attribute, Value::Reference(value))]);
        Verb::Update { target, expected: None, values }
    };
    match way {
        Way::To { lookup, .. } => set(from, lookup, to),
        Way::From { lookup, .. } => set(to, lookup, from),
        Way::Across { link, here, there, .. } => {
            let values = Values::from_iter([(here, Value::Reference(from)), (there, Value::Reference(to))]);
            Verb::Create { entity: link, id: None, values }
        }
    }
}

/// The values of an alternate key, for a create by that key.
pub fn key_values(entity: &Entity, key: &Key) -> Result<Values, Denial> {
    match key {
        Key::Id(_) => Ok(Values::new()),
        Key::Named(parts) => Ok(alternate(entity, parts)?.into_iter().collect()),
    }
}

/// The attribute of this name, or the refusal that names both.
pub fn attribute<'a>(entity: &'a Entity, name: &str) -> Result<&'a Attribute, Denial> {
    entity.attribute(name).ok_or_else(|| {
        let refusal =
            Refusal::UnknownAttribute { entity: entity.name().as_str().into(), attribute: SmolStr::from(name) };
        refusal.into()
    })
}

fn plain(attribute: &Attribute, json: &Json) -> Result<Value, Denial> {
    if attribute.value_type() == ValueType::Reference && !json.is_null() {
        let name = attribute.name();
        return Err(Denial::malformed(format!("`{name}` is a lookup: write `{name}@odata.bind` with an address")));
    }
    Ok(value::from_json(json, attribute)?)
}

/// The lookup that a property binds: by its name, or by name and entity where it has several targets.
fn lookup<'a>(entity: &'a Entity, schema: &Schema, property: &str) -> Result<&'a Attribute, Denial> {
    let whole = entity.attribute(property);
    let with_target = || {
        let (name, target) = property.rsplit_once('_')?;
        schema.named(target)?;
        entity.attribute(name)
    };
    let found = whole.or_else(with_target).or_else(|| {
        let lower = property.to_lowercase();
        entity.attribute(&lower)
    });
    match found {
        Some(attribute) if attribute.value_type() == ValueType::Reference => Ok(attribute),
        Some(attribute) => Err(Denial::malformed(format!("`{}` is no lookup and cannot be bound", attribute.name()))),
        None => attribute(entity, property),
    }
}

fn alternate(entity: &Entity, parts: &[(String, Literal)]) -> Result<Vec<(AttributeId, Value)>, Denial> {
    let key = parts.iter().map(|(name, literal)| {
        let attribute = attribute(entity, name)?;
        let json = match literal {
            Literal::Quoted(text) => Json::from(text.as_str()),
            Literal::Bare(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::from(text.as_str())),
        };
        Ok((attribute.id, value::from_json(&json, attribute)?))
    });
    let key = key.collect::<Result<Vec<_>, Denial>>()?;
    let attributes: Vec<AttributeId> = key.iter().map(|(attribute, _)| *attribute).collect();
    match entity.key_over(&attributes) {
        Some(_) => Ok(key),
        None => {
            let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
            Err(Denial::malformed(format!("`{}` has no alternate key over {}", entity.name(), names.join(", "))))
        }
    }
}

fn id(json: &Json) -> Result<Option<RecordId>, Denial> {
    let text = match json {
        Json::Null => return Ok(None),
        Json::String(text) => text.as_str(),
        _ => "",
    };
    Uuid::parse_str(text).map(|id| Some(RecordId(id))).map_err(|_| Denial::malformed(format!("{json} is no GUID")))
}

fn guid(literal: &Literal) -> Result<Uuid, Denial> {
    Uuid::parse_str(literal.text()).map_err(|_| Denial::malformed(format!("`{}` is no GUID", literal.text())))
}
