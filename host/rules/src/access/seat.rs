//! A place from which roles count: a user's own, or that of a team that he belongs to.
//!
//! A level means something else in each: `user` is what the seat's principals own or have been given a share of, a unit
//! is the one of whoever holds the roles.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use model::{EntityId, Level, Levels, Privilege, RecordId, RecordRef, Rights, RolePrivileges, Schema, TaskName};

use super::{Ask, Holding, Standing};

/// What roles grant, by entity numbers.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Granted {
    /// The levels of each entity.
    pub entities: HashMap<EntityId, Levels>,
    /// The tasks.
    pub tasks: BTreeSet<TaskName>,
    /// Whether it grants every task, also those that solutions bring.
    pub all_tasks: bool,
}

impl Granted {
    /// What a role grants in this schema. Entities that are not there are not reached.
    pub fn resolve(role: &RolePrivileges, schema: &Schema) -> Self {
        let known = role.entities.iter().filter_map(|(name, levels)| Some((schema.named(name.as_str())?.id, *levels)));
        Self { entities: known.collect(), tasks: role.tasks.clone(), all_tasks: false }
    }

    /// Adds what another role grants.
    pub fn add(&mut self, role: &Granted) {
        for (entity, levels) in &role.entities {
            let sum = self.entities.entry(*entity).or_default();
            *sum = sum.union(*levels);
        }
        self.tasks.extend(role.tasks.iter().cloned());
        self.all_tasks |= role.all_tasks;
    }

    /// Whether any privilege reaches units below.
    pub fn reaches_below(&self) -> bool {
        self.entities.values().any(|levels| levels.iter().any(|(_, level)| level == Level::ParentChild))
    }
}

/// A place from which roles count.
#[derive(Clone, Debug, PartialEq)]
pub struct Seat {
    /// Who holds the roles: the user, or a team of his.
    pub holder: RecordRef,
    /// What the roles grant together.
    pub granted: Granted,
    /// Whose records the level user reaches: for the user himself he and all his teams, for a team that team.
    principals: Vec<RecordRef>,
    /// The holder's business unit.
    unit: Option<RecordId>,
    /// That unit and all below it, in order.
    below: Arc<[RecordId]>,
}

impl Seat {
    /// A seat of `holder` in `unit`, where `user` reaches the records of `principals`.
    pub fn new(holder: RecordRef, principals: Vec<RecordRef>, unit: Option<RecordId>, granted: Granted) -> Self {
        Self { holder, granted, principals, unit, below: Arc::default() }
    }

    /// The same with the units that `parent-child` reaches, the holder's own among them.
    #[must_use]
    pub fn with_units_below(mut self, mut below: Vec<RecordId>) -> Self {
        below.sort_unstable();
        below.dedup();
        self.below = below.into();
        self
    }

    /// Whose records the level user means.
    pub fn principals(&self) -> impl Iterator<Item = RecordRef> + '_ {
        self.principals.iter().copied()
    }

    /// How far the seat's roles reach.
    pub fn level(&self, entity: EntityId, privilege: Privilege) -> Level {
        self.granted.entities.get(&entity).map_or(Level::None, |levels| levels.get(privilege))
    }

    /// Whether the level user reaches records of `owner`.
    pub fn is_for(&self, owner: RecordRef) -> bool {
        self.principals.contains(&owner)
    }

    /// Whether the record is reached by whose it is.
    pub fn covers(&self, ask: Ask, record: &Standing) -> bool {
        let level = self.level(ask.entity, ask.privilege);
        match (level, ask.holding) {
            (Level::None, _) => false,
            (Level::Organization, _) => true,
            (_, Holding::Organization) => false,
            _ => {
                record.owner.is_some_and(|owner| self.is_for(owner))
                    || level >= Level::BusinessUnit && record.unit.is_some() && record.unit == self.unit
                    || level >= Level::ParentChild
                        && record.unit.is_some_and(|unit| self.below.binary_search(&unit).is_ok())
            }
        }
    }

    /// Whether the record is reached because it is shared with one of the seat's principals.
    pub fn covers_shared(&self, ask: Ask, shares: &[(RecordRef, Rights)]) -> bool {
        ask.holding == Holding::Owned
            && self.level(ask.entity, ask.privilege) != Level::None
            && shares.iter().any(|(principal, rights)| rights.has(ask.privilege) && self.is_for(*principal))
    }

    /// Adds the owners and units whose records `level` reaches.
    pub(super) fn add_to(&self, level: Level, owners: &mut Vec<RecordRef>, units: &mut Vec<RecordId>) {
        owners.extend(&self.principals);
        if level >= Level::BusinessUnit {
            units.extend(self.unit);
        }
        if level >= Level::ParentChild {
            units.extend(self.below.iter());
        }
    }
}
