//! Records in JSON: properties, lookups as `_name_value`, ETags and annotations.
//!
//! Called by reads, and by writes that answer with the record. Runs on an engine thread, because the annotations of a
//! lookup need the name of its target.

use std::collections::HashMap;

use engine::Engine;
use model::{
    AttributeId, Caller, Record, RecordRef, Schema, Value, ValueType,
    entity::AttributeKind,
    schema::{Attribute, Entity},
    starter,
};
use serde_json::{Map, Value as Json};

use super::{
    etag,
    prefer::{Annotations, FORMATTED, LOGICAL_NAME, NAVIGATION},
    value,
};

/// Shows records of one entity.
pub struct Shape<'a> {
    /// The entity.
    pub entity: &'a Entity,
    /// All entities.
    pub schema: &'a Schema,
    /// The attributes asked for; absent: all.
    pub selected: Option<&'a [AttributeId]>,
    /// Which annotations.
    pub annotations: &'a Annotations,
    /// Names of records that lookups point to, each read once.
    names: HashMap<RecordRef, Option<String>>,
}

impl<'a> Shape<'a> {
    /// Shows these attributes of records of `entity`.
    pub fn new(
        entity: &'a Entity,
        schema: &'a Schema,
        selected: Option<&'a [AttributeId]>,
        annotations: &'a Annotations,
    ) -> Self {
        Self { entity, schema, selected, annotations, names: HashMap::new() }
    }

    /// The record; empty attributes are `null`, its id is always there.
    pub fn show(&mut self, engine: &Engine, caller: &Caller, record: &Record) -> Map<String, Json> {
        let mut shown = Map::new();
        shown.insert("@odata.etag".into(), etag::of(record.version).into());
        for attribute in self.entity.attributes() {
            if self.selected.is_none_or(|selected| selected.contains(&attribute.id)) {
                self.property(engine, caller, attribute, record.get(attribute.id), &mut shown);
            }
        }
        shown.insert(self.entity.id_name().into(), record.id.to_string().into());
        if self.selected.is_none() {
            shown.insert("versionnumber".into(), record.version.0.into());
        }
        shown
    }

    fn property(
        &mut self,
        engine: &Engine,
        caller: &Caller,
        attribute: &Attribute,
        value: &Value,
        shown: &mut Map<String, Json>,
    ) {
        let name = property_name(attribute);
        if let Some(text) = self.formatted(engine, caller, attribute, value) {
            shown.insert(format!("{name}@{FORMATTED}"), text.into());
        }
        if let Value::Reference(target) = value {
            if self.annotations.wants(LOGICAL_NAME) {
                shown.insert(format!("{name}@{LOGICAL_NAME}"), self.schema.name_of(target.entity).as_str().into());
            }
            if self.annotations.wants(NAVIGATION) {
                let property = navigation(attribute, self.schema, *target);
                shown.insert(format!("{name}@{NAVIGATION}"), property.into());
            }
        }
        shown.insert(name, value::to_json(value));
    }

    /// The value as people read it, where that is not the value itself.
    fn formatted(&mut self, engine: &Engine, caller: &Caller, attribute: &Attribute, value: &Value) -> Option<String> {
        if !self.annotations.wants(FORMATTED) {
            return None;
        }
        match value {
            Value::Reference(target) => self.name(engine, caller, *target),
            value => label(self.entity, attribute, value),
        }
    }

    /// The primary name of a record, as far as the caller may see it.
    fn name(&mut self, engine: &Engine, caller: &Caller, target: RecordRef) -> Option<String> {
        let schema = self.schema;
        let read = || {
            let primary = schema.entity(target.entity)?.primary;
            let record = engine.retrieve(caller, target, Some(&[primary])).ok()?;
            record.get(primary).as_text().map(str::to_owned)
        };
        self.names.entry(target).or_insert_with(read).clone()
    }
}

/// The property of an attribute: lookups show the id of their target as `_name_value`.
pub fn property_name(attribute: &Attribute) -> String {
    match attribute.value_type() {
        ValueType::Reference => format!("_{}_value", attribute.name()),
        _ => attribute.name().to_string(),
    }
}

/// The property that a lookup is bound with: one for each target where there are several, but for the owner.
pub fn navigation(attribute: &Attribute, schema: &Schema, target: RecordRef) -> String {
    let several = attribute.targets.as_ref().is_none_or(|targets| targets.len() > 1);
    match several && attribute.id != starter::OWNER {
        true => format!("{}_{}", attribute.name(), schema.name_of(target.entity)),
        false => attribute.name().to_string(),
    }
}

fn label(entity: &Entity, attribute: &Attribute, value: &Value) -> Option<String> {
    let title = |number: i32| attribute.option(number).map(|option| option.title.clone());
    match (value, &attribute.definition.kind) {
        (Value::Whole(number), _) if attribute.id == starter::STATE => {
            entity.state(i32::try_from(*number).ok()?).map(|state| state.title.clone())
        }
        (Value::Whole(number), _) if attribute.id == starter::STATUS => {
            entity.status(i32::try_from(*number).ok()?).map(|(_, status)| status.title.clone())
        }
        (Value::Choice(number), _) => title(*number),
        (Value::Choices(numbers), _) => {
            Some(numbers.iter().filter_map(|number| title(*number)).collect::<Vec<_>>().join("; "))
        }
        (Value::Boolean(value), AttributeKind::Boolean { no, yes }) => Some(if *value { yes } else { no }.clone()),
        (Value::Money(money), _) => Some(money.to_string()),
        (Value::Whole(_) | Value::Decimal(_) | Value::Float(_) | Value::Date(_) | Value::DateTime(_), _) => {
            match value::to_json(value) {
                Json::String(text) => Some(text),
                number => Some(number.to_string()),
            }
        }
        _ => None,
    }
}
