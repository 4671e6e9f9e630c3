//! Indexes and keys over records that were there before them: built in slices while everybody writes them too (E10).
//!
//! What is being built is a definition of its own kind whose name tells how far it is, so it goes on after a crash.
//! `Engine::run_one` does a slice when there is one to do. Until it is whole no query uses it.

use std::collections::HashMap;

use model::{
    AttributeId, Digest, EntityId, Record, RecordId, RecordRef, Refusal, Schema, Value, Values,
    schema::{Entity, Key},
};
use smol_str::{SmolStr, format_smolstr};
use store::{
    Reader,
    definitions::{self, Definition, Kind},
    records::{self, Indexes},
};

use crate::{Engine, Failure, catalogue::Building, keys, unit::Unit, verb};

/// Records of one slice: few enough for one unit of work beside its reads of keys.
const SLICE: usize = 500;

/// What is being built, and behind which record it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Task {
    entity: EntityId,
    what: What,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Index(AttributeId),
    Key(u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    Behind(RecordId),
    /// Two records have one key: it stays unused.
    Failed,
}

/// What is being built in this state.
pub(crate) fn building(reader: &dyn Reader) -> Result<Building, store::Error> {
    let mut building = Building::default();
    for task in tasks(reader)? {
        match task.what {
            What::Index(attribute) => building.attributes.insert((task.entity, attribute)),
            What::Key(key) => building.keys.insert((task.entity, key)),
        };
        building.unfinished |= task.at != At::Failed;
    }
    Ok(building)
}

fn tasks(reader: &dyn Reader) -> Result<Vec<Task>, store::Error> {
    Ok(definitions::all(reader, Kind::Building)?.iter().filter_map(|known| Task::parse(&known.name)).collect())
}

/// Stages what has to be built for the step from `unit`'s schema to `next`. A key that two records have is refused.
pub(super) fn begin(unit: &mut Unit, next: &Schema) -> Result<(), Failure> {
    let catalogue = unit.catalogue.clone();
    for old in catalogue.schema.entities() {
        let Some(new) = next.entity(old.id) else { continue };
        let (known, wanted) = (catalogue.indexes(old.id), Indexes::of(new));
        let was_there = |attribute: &AttributeId| old.attribute_by_id(*attribute).is_some();
        let indexes = wanted.attributes.iter().filter(|attribute| was_there(attribute));
        let indexes = indexes.filter(|attribute| !known.attributes.contains(attribute));
        let keys = new.keys.iter().filter(|key| key.attributes.iter().any(was_there));
        let keys: Vec<&Key> = keys.filter(|key| !known.keys.iter().any(|(number, _)| *number == key.number)).collect();
        let tasks: Vec<What> = indexes
            .map(|attribute| What::Index(*attribute))
            .chain(keys.iter().map(|key| What::Key(key.number)))
            .collect();
        if tasks.is_empty() || records::all(&unit.overlay.unvalidated(), old.id, None)?.next().is_none() {
            continue;
        }
        for key in keys {
            refuse_duplicates(unit, new, key)?;
        }
        for what in tasks {
            put(unit, Task { entity: old.id, what, at: At::Start });
        }
    }
    Ok(())
}

/// Refuses a key that two of the records have, naming both.
fn refuse_duplicates(unit: &Unit, entity: &Entity, key: &Key) -> Result<(), Failure> {
    let mut seen: HashMap<Vec<u8>, Record> = HashMap::new();
    for record in records::all(&unit.overlay.unvalidated(), entity.id, None)? {
        let record = record?;
        let values: Vec<&Value> = key.attributes.iter().map(|part| record.get(*part)).collect();
        if values.iter().any(|value| value.is_null()) {
            continue;
        }
        let start = store::key::Tuple::of(store::key::Family::Unique);
        let folded = values.iter().fold(start, |tuple, value| tuple.whole_value(value));
        if let Some(other) = seen.insert(folded.bytes().to_vec(), record.clone()) {
            let why = format_smolstr!(
                "{} and {} have the same values",
                verb::title(entity, &other),
                verb::title(entity, &record)
            );
            let verb = format_smolstr!("key `{}`", key.name);
            return Err(Refusal::NotPossible { verb, entity: entity.name().as_str().into(), why }.into());
        }
    }
    Ok(())
}

impl Engine {
    /// Does one slice of what is being built, if nobody else does. Tells whether there was one to do.
    pub(crate) fn build(&self) -> Result<bool, Failure> {
        if !self.catalogue.load().is_building() {
            return Ok(false);
        }
        let Some(_alone) = self.building.try_lock() else { return Ok(false) };
        let (_, snapshot) = self.state()?;
        let Some(task) = tasks(&snapshot)?.into_iter().find(|task| task.at != At::Failed) else { return Ok(false) };
        drop(snapshot);
        if self.now(|unit| slice(unit, task))? {
            // Whole, or failed for good: either way the catalogue is another.
            let _alone = self.deploying.lock();
            self.deploy(|unit| {
                let finished: Vec<Task> = tasks(&unit.overlay)?;
                for task in finished.into_iter().filter(|known| known.same(&task) && known.at != At::Failed) {
                    definitions::remove(&mut unit.overlay, Kind::Building, &task.name());
                }
                Ok(())
            })?;
        }
        Ok(true)
    }
}

/// Builds over the next records; tells whether there are no more.
fn slice(unit: &mut Unit, task: Task) -> Result<bool, Failure> {
    let entity = unit.entity(task.entity)?;
    let after = match task.at {
        At::Start => None,
        At::Behind(id) => Some(id),
        At::Failed => return Ok(true),
    };
    let rows = unit.overlay.unvalidated();
    let next = records::all(&rows, task.entity, after)?.take(SLICE);
    let ids: Vec<RecordId> = next.map(|record| record.map(|record| record.id)).collect::<Result<_, _>>()?;
    for id in &ids {
        // The unit rests on the row: who changes it meanwhile has written the entry of the new value himself.
        let Some(record) = unit.record(RecordRef::new(task.entity, *id))? else { continue };
        if let Err(refusal) = enter(unit, &entity, task.what, &record)? {
            tracing::error!(entity = entity.name().as_str(), %refusal, "failed to build a key: it stays unused");
            move_on(unit, task, At::Failed);
            return Ok(true);
        }
    }
    let Some(last) = ids.last().filter(|_| ids.len() == SLICE) else { return Ok(true) };
    move_on(unit, task, At::Behind(*last));
    Ok(false)
}

fn enter(unit: &mut Unit, entity: &Entity, what: What, record: &Record) -> Result<Result<(), Refusal>, Failure> {
    let number = match what {
        What::Index(attribute) => {
            records::add_to_index(&mut unit.overlay, record, attribute);
            return Ok(Ok(()));
        }
        What::Key(number) => number,
    };
    let Some(key) = entity.keys.iter().find(|key| key.number == number) else { return Ok(Ok(())) };
    let values: Vec<&Value> = key.attributes.iter().map(|part| record.get(*part)).collect();
    if let Some(other) = keys::holder(unit, entity, key, &values)?.filter(|other| other.id != record.id) {
        return Ok(Err(keys::taken(unit, entity, key, other)?));
    }
    let empty = Record { values: Values::new(), ..record.clone() };
    let only = Indexes { attributes: Vec::new(), keys: vec![(number, key.attributes.clone())] };
    records::replace(&mut unit.overlay, &empty, record, &only);
    Ok(Ok(()))
}

fn move_on(unit: &mut Unit, task: Task, at: At) {
    definitions::remove(&mut unit.overlay, Kind::Building, &task.name());
    put(unit, Task { at, ..task });
}

fn put(unit: &mut Unit, task: Task) {
    let definition = Definition {
        kind: Kind::Building,
        name: task.name(),
        // Its name says it all.
        content: Digest([0; 32]),
        text: None,
        file: SmolStr::default(),
        solution: SmolStr::default(),
        applied_on: unit.now,
        process: None,
        owner: None,
    };
    definitions::put(&mut unit.overlay, &definition);
}

impl Task {
    fn same(&self, other: &Task) -> bool {
        self.entity == other.entity && self.what == other.what
    }

    /// `64 index 40 start`
    fn name(&self) -> SmolStr {
        let (word, number) = match self.what {
            What::Index(attribute) => ("index", attribute.0),
            What::Key(number) => ("key", number),
        };
        match self.at {
            At::Start => format_smolstr!("{} {word} {number} start", self.entity),
            At::Behind(id) => format_smolstr!("{} {word} {number} {id}", self.entity),
            At::Failed => format_smolstr!("{} {word} {number} failed", self.entity),
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let mut words = name.split(' ');
        let entity = EntityId(words.next()?.parse().ok()?);
        let what = match (words.next()?, words.next()?.parse().ok()?) {
            ("index", number) => What::Index(AttributeId(number)),
            ("key", number) => What::Key(number),
            _ => return None,
        };
        let at = match words.next()? {
            "start" => At::Start,
            "failed" => At::Failed,
            id => At::Behind(RecordId(id.parse().ok()?)),
        };
        Some(Self { entity, what, at })
    }
}
