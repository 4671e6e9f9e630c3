//! Imports: a row of a table becomes a record, changes the one with the same key, or leaves it alone (formats 10).
//!
//! What is there is compared inside the unit of work, so a second import starts nothing and two imports at once make no
//! record twice.

use formats::ImportMap;
use model::{Caller, Privilege, RecordRef, Refusal, Value, Values, Verb, schema::Entity, starter};
use smol_str::{SmolStr, format_smolstr};

use crate::{Engine, Failure, access, catalogue::Catalogue, keys, unit::Unit};

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It made this record.
    Created(RecordRef),
    /// It changed this record.
    Updated(RecordRef),
    /// This record was so already.
    Unchanged(RecordRef),
}

impl Imported {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created(_) => "created",
            Self::Updated(_) => "updated",
            Self::Unchanged(_) => "unchanged",
        }
    }
}

impl Engine {
    /// Imports one row and waits until it is durable. `number` counts from 1 behind the heading; cells stand under their
    /// headings.
    pub fn import_row(
        &self,
        caller: &Caller,
        map: &ImportMap,
        number: u64,
        cells: &[(&str, &str)],
    ) -> Result<Imported, Failure> {
        let catalogue = self.catalogue();
        let values = self.values_of(&catalogue, map, number, cells)?;
        self.now(|unit| import(unit, caller, map, values.clone()))
    }

    /// Has one row imported by an engine thread; `done` is called once it is durable, or refused.
    pub fn submit_row(
        &self,
        caller: Caller,
        map: std::sync::Arc<ImportMap>,
        number: u64,
        cells: &[(&str, &str)],
        done: impl FnOnce(Result<Imported, Failure>) + Send + 'static,
    ) {
        let catalogue = self.catalogue();
        match self.values_of(&catalogue, &map, number, cells) {
            Err(failure) => done(Err(failure)),
            Ok(values) => {
                let act = move |unit: &mut Unit| import(unit, &caller, &map, values.clone());
                self.enqueue(Box::new(act), Box::new(done));
            }
        }
    }

    /// The map of this name that a solution brought.
    pub fn import_map(&self, name: &str) -> Result<Option<ImportMap>, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let kind = store::definitions::Kind::Import;
        let Some(definition) = store::definitions::get(&snapshot, kind, name)? else { return Ok(None) };
        let canonical = crate::load::content(&snapshot, &definition)?;
        let file = formats::SourceFile::new(definition.file.clone(), &*canonical);
        let flows = catalogue.known_flows();
        let map = formats::import::read_map(&file, &catalogue.schema, &catalogue.steps, &flows);
        Ok(Some(map.map_err(Refusal::BadSolution)?))
    }

    /// The values that a row makes, or what is wrong with its cells.
    fn values_of(
        &self,
        catalogue: &Catalogue,
        map: &ImportMap,
        number: u64,
        cells: &[(&str, &str)],
    ) -> Result<Values, Failure> {
        let solution = catalogue.schema.entity(map.entity).map(|entity| entity.definition.solution.clone());
        let surroundings = catalogue.surroundings_of(&solution.unwrap_or_default());
        let environment = surroundings.at(self.parts.clock.now());
        let values = map.row(number, cells, &catalogue.schema, &environment);
        values.map_err(|wrong| {
            let sentences = wrong.iter().map(|(column, message)| format!("`{column}`: {message}"));
            let why = sentences.collect::<Vec<_>>().join("; ").into();
            Refusal::Unreadable { what: format_smolstr!("row {number}"), why }.into()
        })
    }
}

fn import(unit: &mut Unit, caller: &Caller, map: &ImportMap, mut values: Values) -> Result<Imported, Failure> {
    let entity = unit.entity(map.entity)?;
    let Some(target) = holder(unit, &entity, map.key.as_ref().map(|name| name.as_str()), &values)? else {
        if let Some(flow) = map.flow {
            values.insert(starter::PROCESS_ID, Value::Guid(flow));
        }
        let outcome = unit.apply(caller, Verb::Create { entity: entity.id, id: None, values })?;
        return Ok(Imported::Created(outcome.record));
    };
    let record = access::expect(unit, caller, &entity, Privilege::Read, target)?;
    let schema = unit.catalogue.schema.clone();
    let mut change = Values::new();
    for (id, value) in values {
        let Some(attribute) = entity.attribute_by_id(id) else { continue };
        let value = rules::value::coerce(value, attribute, &schema)?;
        if record.get(id) != &value {
            change.insert(id, value);
        }
    }
    if change.is_empty() {
        return Ok(Imported::Unchanged(target));
    }
    unit.apply(caller, Verb::Update { target, expected: None, values: change })?;
    Ok(Imported::Updated(target))
}

/// The record that has the row's key already.
fn holder(unit: &mut Unit, entity: &Entity, key: Option<&str>, values: &Values) -> Result<Option<RecordRef>, Failure> {
    let Some(name) = key else { return Ok(None) };
    let Some(key) = entity.keys.iter().find(|key| key.name.as_str() == name) else { return Ok(None) };
    let schema = unit.catalogue.schema.clone();
    let mut wanted: Vec<Value> = Vec::with_capacity(key.attributes.len());
    for part in &key.attributes {
        let Some(attribute) = entity.attribute_by_id(*part) else { return Ok(None) };
        let value = rules::value::coerce(values.get(*part).clone(), attribute, &schema)?;
        if value.is_null() {
            let attribute = SmolStr::from(attribute.name().as_str());
            return Err(Refusal::Required { entity: entity.name().as_str().into(), attribute }.into());
        }
        wanted.push(value);
    }
    keys::holder(unit, entity, key, &wanted.iter().collect::<Vec<_>>())
}
