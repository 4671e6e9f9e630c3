//! Bodies of writes: properties by name, lookups by `@odata.bind`, into values for a verb.
//!
//! Runs on an engine thread, because an address may name its record by an alternate key.

use engine::Engine;
use model::{
    AttributeId, Caller, RecordId, RecordRef, Refusal, Schema, Value, ValueType, Values,
    schema::{Attribute, Entity},
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
}

/// What a body says.
#[derive(Debug, PartialEq)]
pub struct Written {
    /// The identity, where the body gives one.
    pub id: Option<RecordId>,
    /// The values.
    pub values: Values,
}

impl<'a> Asked<'a> {
    /// The entity whose records have this set name.
    pub fn entity(&self, set: &str) -> Result<&'a Entity, Denial> {
        let entity = self.schema.in_set(set);
        entity.map(AsRef::as_ref).ok_or_else(|| Denial::no_resource(format!("there is no entity set `{set}`")))
    }

    /// Reads a body that writes a record of `entity`.
    pub fn written(&self, entity: &Entity, body: &Map<String, Json>) -> Result<Written, Denial> {
        let mut written = Written { id: None, values: Values::new() };
        for (name, json) in body {
            if let Some(property) = name.strip_suffix("@odata.bind") {
                let (attribute, target) = self.bound(entity, property, json)?;
                written.values.insert(attribute, target);
            } else if name.contains('@') {
                // Other annotations come back from clients that send what they have read.
            } else if *name == entity.id_name().as_str() {
                written.id = id(json)?;
            } else {
                let attribute = attribute(entity, name)?;
                written.values.insert(attribute.id, plain(attribute, json)?);
            }
        }
        Ok(written)
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

    fn bound(&self, entity: &Entity, property: &str, json: &Json) -> Result<(AttributeId, Value), Denial> {
        let attribute = lookup(entity, self.schema, property)?;
        let text = match json {
            Json::Null => return Ok((attribute.id, Value::Null)),
            Json::String(text) => text,
            _ => return Err(Denial::malformed(format!("`{property}@odata.bind` holds no address"))),
        };
        let address = url::address(text)?;
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

/// The values of an alternate key, for a create by that key.
pub fn key_values(entity: &Entity, address: &Address) -> Result<Values, Denial> {
    match &address.key {
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
