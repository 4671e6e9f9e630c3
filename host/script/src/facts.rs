//! What is known while an expression is evaluated: the value at each path, and how people and files name it.
//!
//! The engine reads what the paths of an expression ask for and puts it here. A path that is not here is empty, so a
//! lookup that leads nowhere is empty and never an error (formats 2).

use std::collections::HashMap;

use model::{
    EntityName, RecordRef, Value,
    expression::{NamedRecord, Path},
};
use smol_str::SmolStr;

/// The values that an evaluation may ask for.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    paths: HashMap<Path, Known>,
    // Few, and with values that cannot be hashed.
    records: Vec<(NamedRecord, Option<RecordRef>)>,
}

/// One value with its names.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Known {
    /// The value.
    pub value: Value,
    /// The value as people read it: an option's title, a record's name, money with its places.
    pub shown: Option<SmolStr>,
    /// Of a choice, a state or a status: the option's name in files.
    pub option: Option<SmolStr>,
    /// Of a lookup: the name of the entity that it points to.
    pub entity: Option<EntityName>,
}

static NOTHING: Known = Known { value: Value::Null, shown: None, option: None, entity: None };

impl Known {
    /// A value without names of its own.
    pub fn plain(value: impl Into<Value>) -> Self {
        Self { value: value.into(), ..Self::default() }
    }
}

impl Facts {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes what is at `path`.
    pub fn insert(&mut self, path: Path, known: Known) {
        self.paths.insert(path, known);
    }

    /// What is at `path`; empty where nothing was noted.
    pub fn get(&self, path: &Path) -> &Known {
        self.paths.get(path).unwrap_or(&NOTHING)
    }

    /// Whether something, even an empty value, was noted for `path`.
    pub fn knows(&self, path: &Path) -> bool {
        self.paths.contains_key(path)
    }

    /// Notes which record `named` is, if there is one.
    pub fn insert_record(&mut self, named: NamedRecord, found: Option<RecordRef>) {
        self.records.retain(|(known, _)| *known != named);
        self.records.push((named, found));
    }

    /// The record noted for `named`; a record that is named by its id is known without being noted.
    pub fn record(&self, named: &NamedRecord) -> Option<RecordRef> {
        match named {
            NamedRecord::Known(record) => Some(*record),
            named => self.records.iter().find(|(known, _)| known == named).and_then(|(_, found)| *found),
        }
    }

    /// All that was noted, in no order.
    pub fn paths(&self) -> impl Iterator<Item = (&Path, &Known)> {
        self.paths.iter()
    }
}
