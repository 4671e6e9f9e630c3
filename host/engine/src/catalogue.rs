//! What holds now: entities, processes with what starts them, custom steps. Read by every unit, swapped as a whole.
//!
//! Built by `deploy` from the store's definitions; nothing in it changes afterwards. Older activations, which only running
//! jobs need, are loaded when one of them asks.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use model::{AttributeId, EntityId, Schema};
use store::records::Indexes;

/// What holds now.
pub struct Catalogue {
    /// All entities.
    pub schema: Arc<Schema>,
    /// Which entries the records of each entity have.
    indexes: HashMap<EntityId, Indexes>,
    /// Indexes and keys that do not hold all records yet (E10).
    building: Building,
}

/// Indexes and keys that are being built: written by everybody, used by nobody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Building {
    pub attributes: HashSet<(EntityId, AttributeId)>,
    pub keys: HashSet<(EntityId, u16)>,
}

static NO_INDEXES: Indexes = Indexes { attributes: Vec::new(), keys: Vec::new() };

impl Catalogue {
    /// A catalogue of these entities and nothing else.
    pub(crate) fn of_schema(schema: Schema, building: Building) -> Self {
        let indexes = schema.entities().map(|entity| (entity.id, Indexes::of(entity))).collect();
        Self { schema: Arc::new(schema), indexes, building }
    }

    /// The entries that a record of `entity` has.
    pub(crate) fn indexes(&self, entity: EntityId) -> &Indexes {
        self.indexes.get(&entity).unwrap_or(&NO_INDEXES)
    }

    /// Whether a query may use an index over `attribute`.
    pub(crate) fn is_indexed(&self, entity: EntityId, attribute: AttributeId) -> bool {
        self.indexes(entity).attributes.contains(&attribute)
            && !self.building.attributes.contains(&(entity, attribute))
    }

    /// Whether a query may use this key.
    pub(crate) fn is_key_built(&self, entity: EntityId, key: u16) -> bool {
        !self.building.keys.contains(&(entity, key))
    }
}
