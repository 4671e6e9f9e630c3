//! The catalogue from what the store holds: definitions are kept as canonical JSON and compiled when they are loaded (E7).
//!
//! Called when a store is opened, after each deployment, and for an activation that only a running job still needs.

use std::collections::HashSet;

use formats::{Definitions, EntityFile, Kept};
use store::{
    Reader,
    definitions::{self, Kind},
};

use crate::{
    Error, Parts,
    catalogue::{Building, Catalogue, Directory},
    rows,
};

/// The entities that every store has: files like anybody's, and those whose rows are kept otherwise.
pub(crate) fn starter() -> Definitions {
    let mut starter = formats::starter();
    for entity in rows::entities() {
        starter.put(EntityFile::Whole(entity));
    }
    starter
}

/// What holds in this state.
pub(crate) fn catalogue(parts: &Parts, reader: &dyn Reader) -> Result<Catalogue, Error> {
    let definitions = entities(reader)?;
    let numbers = definitions::numbers(reader)?;
    let schema = definitions.schema(&numbers).map_err(|problem| stored("the entities", problem))?;
    let steps = Directory::default();
    let _ = parts;
    Ok(Catalogue::new(schema, steps, Vec::new(), HashSet::new(), Building::default()))
}

/// The starter's entities and choices, and those of solutions.
pub(crate) fn entities(reader: &dyn Reader) -> Result<Definitions, Error> {
    let mut kept = Vec::new();
    for kind in [Kind::Choice, Kind::Entity] {
        for definition in definitions::all(reader, kind)? {
            let canonical = definitions::content(reader, definition.content)?;
            let canonical =
                canonical.ok_or_else(|| stored(&format!("`{}`", definition.name), "its content is gone"))?;
            kept.push(Kept { solution: definition.solution, canonical });
        }
    }
    let loaded = Definitions::load(&kept).map_err(|problems| {
        let first = problems.first().map_or_else(String::new, ToString::to_string);
        stored("the entities", first)
    })?;
    let mut all = starter();
    loaded.entities.into_iter().for_each(|entity| all.put(EntityFile::Whole(entity)));
    loaded.extensions.into_iter().for_each(|extension| all.put(EntityFile::Extension(extension)));
    loaded.choices.into_iter().for_each(|choice| all.put_choice(choice));
    Ok(all)
}

/// What is in the store is not what this version can read.
pub(crate) fn stored(what: &str, why: impl ToString) -> Error {
    Error::Stored { what: what.to_owned(), why: why.to_string() }
}

/// An activation that a job was started with.
pub(crate) fn activation(
    _catalogue: &Catalogue,
    _reader: &dyn Reader,
    id: model::ActivationId,
) -> Result<crate::catalogue::Activation, Error> {
    Err(stored(&format!("activation {} of process {}", id.version, id.process), "it is gone"))
}
