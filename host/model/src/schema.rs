//! The entities of a store with their numbers, names resolved: what verbs, queries and expressions look things up in.
//!
//! Built once for each apply from the definitions and the numbers that the store keeps (E8); immutable, shared by `Arc`.

use std::{collections::HashMap, sync::Arc};

use smol_str::SmolStr;

use crate::{
    AttributeId, AttributeName, ChoiceName, EntityId, EntityName, Refusal, SetName, Value, ValueType,
    entity::{
        AttributeDefinition, AttributeKind, Cascade, ChoiceDefinition, ChoiceOption, ChoiceSource, EntityDefinition,
        OnDelete, Ownership, Requirement, State, Status, Targets, TextKind,
    },
    starter,
};

/// All entities.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    entities: HashMap<EntityId, Arc<Entity>>,
    by_name: HashMap<EntityName, EntityId>,
    by_set: HashMap<SetName, EntityId>,
    choices: HashMap<ChoiceName, Arc<ChoiceDefinition>>,
    /// Lookups that point to an entity, by that entity: what a delete of one of its records has to look at.
    referrers: HashMap<EntityId, Vec<Referrer>>,
    open_referrers: Vec<Referrer>,
}

/// A lookup seen from its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// The entity with the lookup.
    pub entity: EntityId,
    /// The lookup.
    pub attribute: AttributeId,
    /// What the delete of the target does.
    pub on_delete: OnDelete,
    /// What is passed on from the target.
    pub cascade: Cascade,
}

/// An entity with its numbers.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Its number.
    pub id: EntityId,
    /// What its file says.
    pub definition: EntityDefinition,
    /// All attributes, those that every entity has first.
    attributes: Vec<Attribute>,
    by_name: HashMap<AttributeName, usize>,
    by_id: HashMap<AttributeId, usize>,
    /// Its alternate keys.
    pub keys: Vec<Key>,
    /// The attribute that names a record.
    pub primary: AttributeId,
}

/// An attribute with its number.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its number in the entity.
    pub id: AttributeId,
    /// What its file says.
    pub definition: AttributeDefinition,
    /// The options of a choice; empty for other types.
    pub options: Arc<[ChoiceOption]>,
    /// The entities that a lookup may point to; `None` for any, empty for other types.
    pub targets: Option<Vec<EntityId>>,
}

/// An alternate key with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: AttributeName,
    /// Its number among the entity's keys, given once.
    pub number: u16,
    /// Its attributes, in order.
    pub attributes: Vec<AttributeId>,
}

/// The numbers of one entity, as the store keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityNumbers {
    /// The entity's own.
    pub id: EntityId,
    /// Those of its attributes, also of attributes that are gone.
    pub attributes: HashMap<AttributeName, AttributeId>,
    /// Those of its keys, also of keys that are gone.
    pub keys: HashMap<AttributeName, u16>,
}

/// Why definitions do not make a schema. Files are checked before, with places; this is the last line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaProblem {
    /// An entity or attribute has no number.
    #[error("`{0}` has no number yet")]
    Unnumbered(SmolStr),
    /// A definition names what does not exist.
    #[error("`{place}` names `{name}`, which does not exist")]
    Unknown {
        /// Where.
        place: SmolStr,
        /// What.
        name: SmolStr,
    },
    /// Two definitions have one name.
    #[error("`{0}` is defined twice")]
    Twice(SmolStr),
}

impl Schema {
    /// The schema of these definitions with these numbers.
    pub fn build(
        entities: impl IntoIterator<Item = EntityDefinition>,
        choices: impl IntoIterator<Item = ChoiceDefinition>,
        numbers: &HashMap<EntityName, EntityNumbers>,
    ) -> Result<Self, SchemaProblem> {
        let mut schema = Self::default();
        for choice in choices {
            schema.choices.insert(choice.name.clone(), Arc::new(choice));
        }
        let definitions: Vec<_> = entities.into_iter().collect();
        for definition in &definitions {
            let numbers = numbers_of(numbers, &definition.name)?;
            let twice = schema.by_name.insert(definition.name.clone(), numbers.id).is_some()
                || schema.by_set.insert(definition.set.clone(), numbers.id).is_some();
            if twice {
                return Err(SchemaProblem::Twice(definition.name.as_str().into()));
            }
        }
        for definition in definitions {
            let numbers = numbers_of(numbers, &definition.name)?;
            let entity = schema.entity_of(definition, numbers)?;
            schema.note_lookups(&entity);
            schema.entities.insert(entity.id, Arc::new(entity));
        }
        Ok(schema)
    }

    /// The entity with this number.
    pub fn entity(&self, id: EntityId) -> Option<&Arc<Entity>> {
        self.entities.get(&id)
    }

    /// The entity with this number, for whoever cannot go on without it.
    ///
    /// # Errors
    /// There is none.
    pub fn known(&self, id: EntityId) -> Result<&Arc<Entity>, Refusal> {
        self.entity(id).ok_or_else(|| Refusal::UnknownEntity(self.name_of(id)))
    }

    /// The entity of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<Entity>> {
        self.by_name.get(name).and_then(|id| self.entities.get(id))
    }

    /// The entity whose records have this API name.
    pub fn in_set(&self, set: &str) -> Option<&Arc<Entity>> {
        self.by_set.get(set).and_then(|id| self.entities.get(id))
    }

    /// All entities, in no order.
    pub fn entities(&self) -> impl Iterator<Item = &Arc<Entity>> {
        self.entities.values()
    }

    /// The same with some of the entities only: what is told to somebody who may not know all. Lookups still name the
    /// entities that are left out by their numbers.
    #[must_use]
    pub fn only(&self, mut is_known: impl FnMut(&Entity) -> bool) -> Self {
        let mut some = self.clone();
        some.entities.retain(|_, entity| is_known(entity));
        some
    }

    /// The choice of this name.
    pub fn choice(&self, name: &str) -> Option<&Arc<ChoiceDefinition>> {
        self.choices.get(name)
    }

    /// All choices, in no order.
    pub fn choices(&self) -> impl Iterator<Item = &Arc<ChoiceDefinition>> {
        self.choices.values()
    }

    /// The lookups that may point to records of `entity`.
    pub fn referrers(&self, entity: EntityId) -> impl Iterator<Item = Referrer> {
        let own = self.referrers.get(&entity).map_or(&[][..], Vec::as_slice);
        own.iter().chain(&self.open_referrers).copied()
    }

    /// The name of an entity for a message; its number where it is gone.
    pub fn name_of(&self, entity: EntityId) -> SmolStr {
        self.entities
            .get(&entity)
            .map_or_else(|| smol_str::format_smolstr!("#{entity}"), |e| e.definition.name.as_str().into())
    }

    fn entity_of(&self, definition: EntityDefinition, numbers: &EntityNumbers) -> Result<Entity, SchemaProblem> {
        let common = starter::common_attributes(definition.ownership, definition.flows);
        let mut attributes = Vec::with_capacity(common.len() + definition.attributes.len());
        for (id, attribute) in common {
            attributes.push(self.attribute_of(&definition, id, attribute)?);
        }
        for attribute in &definition.attributes {
            let id = numbers.attributes.get(&attribute.name).copied();
            let id = id.ok_or_else(|| SchemaProblem::Unnumbered(place(&definition.name, &attribute.name)))?;
            attributes.push(self.attribute_of(&definition, id, attribute.clone())?);
        }
        let by_name: HashMap<_, _> = attributes
            .iter()
            .enumerate()
            .map(|(place, attribute)| (attribute.definition.name.clone(), place))
            .collect();
        let by_id = attributes.iter().enumerate().map(|(place, attribute)| (attribute.id, place)).collect();
        let find = |name: &AttributeName| {
            by_name.get(name).map(|place| attributes[*place].id).ok_or_else(|| SchemaProblem::Unknown {
                place: definition.name.as_str().into(),
                name: name.as_str().into(),
            })
        };
        let primary = find(&definition.primary)?;
        let keys = definition.keys.iter().map(|key| {
            let number = numbers.keys.get(&key.name).copied();
            let number = number.ok_or_else(|| SchemaProblem::Unnumbered(place(&definition.name, &key.name)))?;
            let attributes = key.attributes.iter().map(find).collect::<Result<_, _>>()?;
            Ok(Key { name: key.name.clone(), number, attributes })
        });
        let keys = keys.collect::<Result<_, _>>()?;
        Ok(Entity { id: numbers.id, attributes, by_name, by_id, keys, primary, definition })
    }

    fn attribute_of(
        &self,
        entity: &EntityDefinition,
        id: AttributeId,
        definition: AttributeDefinition,
    ) -> Result<Attribute, SchemaProblem> {
        let unknown =
            |name: &str| SchemaProblem::Unknown { place: place(&entity.name, &definition.name), name: name.into() };
        let options = match &definition.kind {
            AttributeKind::Choice(source) | AttributeKind::Choices(source) => match source {
                ChoiceSource::Own(options) => options.as_slice().into(),
                ChoiceSource::Named(name) => {
                    self.choices.get(name).ok_or_else(|| unknown(name.as_str()))?.options.as_slice().into()
                }
            },
            _ => Arc::from([]),
        };
        let targets = match &definition.kind {
            AttributeKind::Lookup(lookup) => match &lookup.to {
                Targets::Any => None,
                Targets::Only(names) => {
                    let ids =
                        names.iter().map(|name| self.by_name.get(name).copied().ok_or_else(|| unknown(name.as_str())));
                    Some(ids.collect::<Result<_, _>>()?)
                }
            },
            _ => Some(Vec::new()),
        };
        Ok(Attribute { id, definition, options, targets })
    }

    fn note_lookups(&mut self, entity: &Entity) {
        for attribute in entity.attributes() {
            let AttributeKind::Lookup(lookup) = &attribute.definition.kind else { continue };
            let (on_delete, cascade) = (lookup.on_delete, lookup.cascade);
            let referrer = Referrer { entity: entity.id, attribute: attribute.id, on_delete, cascade };
            match &attribute.targets {
                None => self.open_referrers.push(referrer),
                Some(targets) => {
                    targets.iter().for_each(|target| self.referrers.entry(*target).or_default().push(referrer))
                }
            }
        }
    }
}

fn numbers_of<'a>(
    numbers: &'a HashMap<EntityName, EntityNumbers>,
    name: &EntityName,
) -> Result<&'a EntityNumbers, SchemaProblem> {
    numbers.get(name).ok_or_else(|| SchemaProblem::Unnumbered(name.as_str().into()))
}

fn place(entity: &EntityName, attribute: &AttributeName) -> SmolStr {
    smol_str::format_smolstr!("{entity}.{attribute}")
}

impl Entity {
    /// Its name.
    pub fn name(&self) -> &EntityName {
        &self.definition.name
    }

    /// All attributes, those that every entity has first. The record's own id and version are not among them.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.by_name.get(name).map(|place| &self.attributes[*place])
    }

    /// The attribute with this number.
    pub fn attribute_by_id(&self, id: AttributeId) -> Option<&Attribute> {
        self.by_id.get(&id).map(|place| &self.attributes[*place])
    }

    /// The API name of the record's identity: `complaintid`; of an instance of a flow the one that clients know.
    pub fn id_name(&self) -> SmolStr {
        match self.is_flow_instance() {
            true => SmolStr::new_static("businessprocessflowinstanceid"),
            false => smol_str::format_smolstr!("{}id", self.definition.name),
        }
    }

    /// Whether its records are instances of a business process flow: only entities that are made from flows have this.
    pub fn is_flow_instance(&self) -> bool {
        let order = self.attribute("laststatuschange");
        order.is_some_and(|order| order.definition.read_only && self.attribute("traversedpath").is_some())
    }

    /// Whether records have an owner of their own.
    pub fn is_owned(&self) -> bool {
        self.definition.ownership == Ownership::UserOrTeam
    }

    /// The alternate key over exactly these attributes, in any order.
    pub fn key_over(&self, attributes: &[AttributeId]) -> Option<&Key> {
        self.keys.iter().find(|key| {
            key.attributes.len() == attributes.len() && key.attributes.iter().all(|part| attributes.contains(part))
        })
    }

    /// The state with this number.
    pub fn state(&self, value: i32) -> Option<&State> {
        self.definition.states.iter().find(|state| state.value == value)
    }

    /// The state of this name.
    pub fn state_named(&self, name: &str) -> Option<&State> {
        self.definition.states.iter().find(|state| state.name.as_str() == name)
    }

    /// The status with this number and its state.
    pub fn status(&self, value: i32) -> Option<(&State, &Status)> {
        self.statuses().find(|(_, status)| status.value == value)
    }

    /// The status of this name and its state.
    pub fn status_named(&self, name: &str) -> Option<(&State, &Status)> {
        self.statuses().find(|(_, status)| status.name.as_str() == name)
    }

    fn statuses(&self) -> impl Iterator<Item = (&State, &Status)> {
        self.definition.states.iter().flat_map(|state| state.statuses.iter().map(move |status| (state, status)))
    }
}

impl Attribute {
    /// Its name.
    pub fn name(&self) -> &AttributeName {
        &self.definition.name
    }

    /// The type of its values.
    pub fn value_type(&self) -> ValueType {
        self.definition.kind.value_type()
    }

    /// Whether a record must have it.
    pub fn is_required(&self) -> bool {
        self.definition.required == Requirement::Required
    }

    /// Whether this lookup may point to records of `entity`.
    pub fn may_target(&self, entity: EntityId) -> bool {
        self.targets.as_ref().is_none_or(|targets| targets.contains(&entity))
    }

    /// The option of this name.
    pub fn option_named(&self, name: &str) -> Option<&ChoiceOption> {
        self.options.iter().find(|option| option.name.as_str() == name)
    }

    /// The option with this number.
    pub fn option(&self, value: i32) -> Option<&ChoiceOption> {
        self.options.iter().find(|option| option.value == value)
    }
}

impl AttributeKind {
    /// The type of the values it holds.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Text(_) => ValueType::Text,
            Self::Whole { .. } => ValueType::Whole,
            Self::Decimal(_) => ValueType::Decimal,
            Self::Float(_) => ValueType::Float,
            Self::Money(_) => ValueType::Money,
            Self::Boolean { .. } => ValueType::Boolean,
            Self::Date => ValueType::Date,
            Self::DateTime => ValueType::DateTime,
            Self::Duration => ValueType::Duration,
            Self::Choice(_) => ValueType::Choice,
            Self::Choices(_) => ValueType::Choices,
            Self::Guid => ValueType::Guid,
            Self::File { .. } => ValueType::Bytes,
            Self::Lookup(_) => ValueType::Reference,
        }
    }
}

impl AttributeDefinition {
    /// An optional attribute of this kind whose title is its name: how starters are written down.
    pub fn plain(name: AttributeName, title: &str, kind: AttributeKind) -> Self {
        Self {
            name,
            title: title.to_owned(),
            description: String::new(),
            kind,
            required: Requirement::Optional,
            default: Value::Null,
            indexed: false,
            read_only: false,
        }
    }
}

impl AttributeKind {
    /// Text of at most `max_length` characters on one line.
    pub fn text(max_length: u32) -> Self {
        Self::Text(TextKind { max_length, ..TextKind::default() })
    }
}
