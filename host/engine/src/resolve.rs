//! What stands at the end of a path: from a record, an image or a reference through lookups to a value and the names
//! that people and files have for it (formats 2).
//!
//! Called by `drive` for the paths that a step reads and by `settle` for start conditions. A lookup that leads nowhere is
//! empty, never an error. Records are read once for each reading.

use std::{collections::HashMap, sync::Arc};

use model::{
    AttributeId, EntityId, Privilege, Record, RecordRef, Value, Values,
    entity::AttributeKind,
    expression::{NamedRecord, Segment},
    job::{ANY_CHANGE, EXISTENCE},
    schema::{Attribute, Entity},
    starter,
};
use script::Known;
use smol_str::{SmolStr, ToSmolStr};

use crate::{Failure, access::Who, keys, query, rows, unit::Unit};

/// One reading: what was read so far.
pub(crate) struct Reading<'u> {
    unit: &'u mut Unit,
    /// As whom.
    who: Who,
    seen: HashMap<RecordRef, Option<Arc<Record>>>,
    /// What was met on the way, where that is asked for.
    noted: Option<Vec<(RecordRef, AttributeId)>>,
    /// Whether nothing rests on what is read, and what may not be read is empty: the way of queries (E2).
    glances: bool,
}

/// Where a path begins.
#[derive(Clone, Debug)]
pub(crate) enum Root<'r> {
    /// A value that is there already.
    Value(Value),
    /// Values of a record of this entity, as they were at some moment.
    Image(EntityId, &'r Values),
}

impl<'u> Reading<'u> {
    /// Begins to read as `who`: a record that he may not read is a refusal and not empty, because a decision by what
    /// only looks empty is a wrong one.
    pub fn new(unit: &'u mut Unit, who: Who) -> Self {
        Self { unit, who, seen: HashMap::new(), noted: None, glances: false }
    }

    /// Begins to read as a query does: nothing rests on it, and a record that `who` may not read is empty.
    pub fn glancing(unit: &'u mut Unit, who: Who) -> Self {
        Self { glances: true, ..Self::new(unit, who) }
    }

    /// Takes a record as it was read already.
    pub fn known(&mut self, record: Record) {
        self.seen.insert(record.reference(), Some(Arc::new(record)));
    }

    /// Begins to look which attributes of which records decide what is found: what they hold is for nobody.
    pub fn noting(unit: &'u mut Unit) -> Self {
        Self { noted: Some(Vec::new()), ..Self::new(unit, Who::Engine) }
    }

    /// What was noted, as often as it was met.
    pub fn noted(self) -> Vec<(RecordRef, AttributeId)> {
        self.noted.unwrap_or_default()
    }

    /// What `segments` lead to from `root`.
    pub fn follow(&mut self, root: Root<'_>, segments: &[Segment]) -> Result<Known, Failure> {
        let mut at = match (root, segments) {
            (Root::Value(value), segments) => (value, segments),
            (Root::Image(entity, values), [first, rest @ ..]) => {
                let Some(entity) = self.unit.catalogue.schema.entity(entity).cloned() else { return Ok(nothing()) };
                let Some(attribute) = entity.attribute(&first.name) else { return Ok(nothing()) };
                let value = self.meant(values.get(attribute.id).clone(), first);
                if rest.is_empty() {
                    return self.name(&entity, attribute, value);
                }
                (value, rest)
            }
            (Root::Image(..), []) => return Ok(nothing()),
        };
        loop {
            let (value, segments) = at;
            let [first, rest @ ..] = segments else { return self.name_plain(value) };
            let Some(target) = value.as_reference() else { return Ok(nothing()) };
            let Some(record) = self.record(target)? else {
                self.note(target, EXISTENCE);
                return Ok(nothing());
            };
            let Some(entity) = self.unit.catalogue.schema.entity(target.entity).cloned() else { return Ok(nothing()) };
            let Some(attribute) = entity.attribute(&first.name) else {
                self.note(target, if first.name == entity.id_name() { EXISTENCE } else { ANY_CHANGE });
                return Ok(own_column(&entity, &record, &first.name).map(Known::plain).unwrap_or_default());
            };
            self.note(target, attribute.id);
            let value = self.meant(record.get(attribute.id).clone(), first);
            if rest.is_empty() {
                return self.name(&entity, attribute, value);
            }
            at = (value, rest);
        }
    }

    /// The record that a definition names, if there is exactly one.
    pub fn named(&mut self, named: &NamedRecord) -> Result<Option<RecordRef>, Failure> {
        let catalogue = self.unit.catalogue.clone();
        match named {
            NamedRecord::Known(target) => Ok(Some(*target)),
            NamedRecord::Named { entity, name } => {
                let Some(entity) = catalogue.schema.named(entity.as_str()) else { return Ok(None) };
                query::by_name(&catalogue, &self.unit.overlay.unvalidated(), entity, name)
            }
            NamedRecord::Keyed { entity, key } => {
                let Some(entity) = catalogue.schema.named(entity.as_str()) else { return Ok(None) };
                let parts: Option<Vec<_>> =
                    key.iter().map(|(name, value)| Some((entity.attribute(name)?, value))).collect();
                let Some(parts) = parts else { return Ok(None) };
                let ids: Vec<_> = parts.iter().map(|(attribute, _)| attribute.id).collect();
                let Some(key) = entity.key_over(&ids) else { return Ok(None) };
                let mut values = Vec::with_capacity(parts.len());
                for wanted in &key.attributes {
                    let part = parts.iter().find(|(attribute, _)| attribute.id == *wanted);
                    let Some((attribute, value)) = part else { return Ok(None) };
                    values.push(rules::value::coerce((*value).clone(), attribute, &catalogue.schema)?);
                }
                keys::holder(self.unit, entity, key, &values.iter().collect::<Vec<_>>())
            }
        }
    }

    fn note(&mut self, record: RecordRef, attribute: AttributeId) {
        if let Some(noted) = &mut self.noted {
            noted.push((record, attribute));
        }
    }

    /// The record, read once; the unit rests on it.
    fn record(&mut self, target: RecordRef) -> Result<Option<Arc<Record>>, Failure> {
        if let Some(seen) = self.seen.get(&target) {
            return Ok(seen.clone());
        }
        if self.glances {
            let reader = self.unit.overlay.unvalidated();
            let record = rows::get(&self.unit.catalogue, &reader, target)?;
            let entity = self.unit.catalogue.schema.entity(target.entity);
            let sees = |record: &Record| match entity {
                Some(entity) => self.who.sees(&self.unit.catalogue, &reader, entity, record),
                None => Ok(false),
            };
            let seen = match record {
                Some(record) if sees(&record)? => Some(Arc::new(record)),
                _ => None,
            };
            self.seen.insert(target, seen.clone());
            return Ok(seen);
        }
        let record = rows::read(self.unit, target)?;
        if let (Some(record), Some(entity)) = (&record, self.unit.catalogue.schema.entity(target.entity)) {
            let reader = self.unit.overlay.unvalidated();
            self.who.check(&self.unit.catalogue, &reader, entity, Privilege::Read, record)?;
        }
        let record = record.map(Arc::new);
        self.seen.insert(target, record.clone());
        Ok(record)
    }

    /// The value, unless the path means another of the lookup's targets than it points to.
    fn meant(&self, value: Value, segment: &Segment) -> Value {
        let (Some(target), Some(wanted)) = (value.as_reference(), &segment.target) else { return value };
        let is_meant = self.unit.catalogue.schema.entity(target.entity).is_some_and(|entity| entity.name() == wanted);
        if is_meant { value } else { Value::Null }
    }

    /// A value with the names that its attribute gives it.
    pub fn name(&mut self, entity: &Entity, attribute: &Attribute, value: Value) -> Result<Known, Failure> {
        let mut known = match &value {
            Value::Reference(_) => return self.name_plain(value),
            _ => Known::plain(value),
        };
        match (&attribute.definition.kind, &known.value) {
            (_, Value::Choice(number)) => {
                if let Some(option) = attribute.option(*number) {
                    (known.shown, known.option) =
                        (Some(option.title.as_str().into()), Some(option.name.as_str().into()));
                }
            }
            (_, Value::Choices(numbers)) => {
                let titles = numbers.iter().filter_map(|number| attribute.option(*number)).map(|option| &*option.title);
                known.shown = Some(titles.collect::<Vec<_>>().join(", ").into());
            }
            (AttributeKind::Boolean { no, yes }, Value::Boolean(is)) => {
                known.shown = Some(if *is { yes } else { no }.to_smolstr());
            }
            (_, Value::Whole(number)) if attribute.id == starter::STATE || attribute.id == starter::STATUS => {
                (known.option, known.shown) = code_names(entity, attribute, *number);
            }
            _ => {}
        }
        Ok(known)
    }

    /// A value that no attribute holds: a reference is shown by the record's name.
    fn name_plain(&mut self, value: Value) -> Result<Known, Failure> {
        let Some(target) = value.as_reference() else { return Ok(Known::plain(value)) };
        let catalogue = self.unit.catalogue.clone();
        let Some(entity) = catalogue.schema.entity(target.entity) else { return Ok(Known::plain(value)) };
        // The name is for the eye: nothing is decided by it, and whoever sees a lookup sees what it is called.
        let record = match self.seen.get(&target) {
            Some(seen) => seen.clone(),
            None => rows::get(&catalogue, &self.unit.overlay.unvalidated(), target)?.map(Arc::new),
        };
        let shown = record.and_then(|record| record.get(entity.primary).as_text().map(SmolStr::from));
        Ok(Known { shown, entity: Some(entity.name().clone()), ..Known::plain(value) })
    }
}

fn nothing() -> Known {
    Known::default()
}

/// The columns that are no attributes: the identity and the version.
fn own_column(entity: &Entity, record: &Record, name: &str) -> Option<Value> {
    match name {
        "versionnumber" => i64::try_from(record.version.0).ok().map(Value::Whole),
        name if name == entity.id_name() => Some(Value::Guid(record.id.0)),
        _ => None,
    }
}

/// Name and title of a state or status.
fn code_names(entity: &Entity, attribute: &Attribute, number: i64) -> (Option<SmolStr>, Option<SmolStr>) {
    let Ok(number) = i32::try_from(number) else { return (None, None) };
    let found = match attribute.id {
        starter::STATE => entity.state(number).map(|state| (state.name.as_str(), &*state.title)),
        _ => entity.status(number).map(|(_, status)| (status.name.as_str(), &*status.title)),
    };
    found.map_or((None, None), |(name, title)| (Some(name.into()), Some(title.into())))
}
