//! Numbers for what is new: entities, attributes and keys get theirs at the first apply and keep them (E8).
//!
//! Numbers of what is gone stay in the table, so that none is used again.

use std::collections::HashMap;

use model::{
    AttributeId, EntityId, EntityName,
    entity::EntityDefinition,
    schema::EntityNumbers,
    starter::{ENTITIES, FIRST_OWN_ATTRIBUTE, FIRST_OWN_ENTITY},
};

/// The numbers of every entity, attribute and key by name.
pub type Numbers = HashMap<EntityName, EntityNumbers>;

/// `numbers` with one for each entity, attribute and key of `definitions` that has none yet, in the order given.
pub fn extend<'d>(numbers: &Numbers, definitions: impl IntoIterator<Item = &'d EntityDefinition>) -> Numbers {
    let mut numbers = numbers.clone();
    for definition in definitions {
        let next = next_entity(&numbers);
        let entity = numbers.entry(definition.name.clone()).or_insert_with(|| EntityNumbers {
            id: fixed(&definition.name).unwrap_or(next),
            attributes: HashMap::new(),
            keys: HashMap::new(),
        });
        for attribute in &definition.attributes {
            let next = entity.attributes.values().map(|id| id.0 + 1).max().unwrap_or(0).max(FIRST_OWN_ATTRIBUTE.0);
            entity.attributes.entry(attribute.name.clone()).or_insert(AttributeId(next));
        }
        for key in &definition.keys {
            let next = entity.keys.values().map(|number| number + 1).max().unwrap_or(1);
            entity.keys.entry(key.name.clone()).or_insert(next);
        }
    }
    numbers
}

fn fixed(name: &EntityName) -> Option<EntityId> {
    ENTITIES.iter().find(|(fixed, _)| *fixed == name.as_str()).map(|(_, id)| *id)
}

fn next_entity(numbers: &Numbers) -> EntityId {
    let highest = numbers.values().map(|entity| entity.id.0 + 1).max().unwrap_or(0);
    EntityId(highest.max(FIRST_OWN_ENTITY.0))
}
