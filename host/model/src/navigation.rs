//! Names by which a record leads to others: its lookups, the lists of records that look to it, and N:N through an entity
//! with two lookups and a key over both (E10).
//!
//! The data service expands, associates and describes by them; nothing is stored under them, so a list may be renamed.

use smol_str::{SmolStr, format_smolstr};

use crate::{
    AttributeId, EntityId, Schema, ValueType, entity::AttributeKind, schema::Attribute, schema::Entity, starter,
};

/// How a record leads to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a lookup of its own to the one record there, if that is of this entity.
    To {
        /// The lookup.
        lookup: AttributeId,
        /// The entity meant.
        entity: EntityId,
    },
    /// To all records that look to it.
    From {
        /// Their entity.
        entity: EntityId,
        /// Their lookup.
        lookup: AttributeId,
    },
    /// To all records that are linked to it.
    Across {
        /// The entity that links.
        link: EntityId,
        /// Its lookup to this side.
        here: AttributeId,
        /// Its lookup to the other side.
        there: AttributeId,
        /// The entity of the other side.
        entity: EntityId,
    },
}

impl Way {
    /// The entity that it leads to.
    pub fn entity(&self) -> EntityId {
        match self {
            Self::To { entity, .. } | Self::From { entity, .. } | Self::Across { entity, .. } => *entity,
        }
    }

    /// Whether it leads to any number of records.
    pub fn is_list(&self) -> bool {
        !matches!(self, Self::To { .. })
    }
}

impl Schema {
    /// The way of this name from records of `entity`. Names of lists are compared without regard to case, because
    /// Dynamics writes some of its own in capitals (`Account_Tasks`).
    pub fn way(&self, entity: &Entity, name: &str) -> Option<Way> {
        if let Some(way) = self.by_lookup(entity, name) {
            return Some(way);
        }
        let ways = self.ways(entity);
        let exact = ways.iter().find(|(known, _)| known == name);
        let found =
            exact.or_else(|| ways.iter().find(|(known, way)| way.is_list() && known.eq_ignore_ascii_case(name)));
        found.map(|(_, way)| *way)
    }

    /// All ways from records of `entity` with their names, lookups first. Lookups to any entity are not among them.
    pub fn ways(&self, entity: &Entity) -> Vec<(SmolStr, Way)> {
        let mut ways = Vec::new();
        for lookup in entity.attributes().iter().filter(|attribute| attribute.value_type() == ValueType::Reference) {
            for target in lookup.targets.iter().flatten().filter_map(|target| self.entity(*target)) {
                ways.push((to_name(lookup, target), Way::To { lookup: lookup.id, entity: target.id }));
            }
        }
        let mut lists = Vec::new();
        for referrer in self.referrers(entity.id) {
            let Some(from) = self.entity(referrer.entity) else { continue };
            if let Some(lookup) = from.attribute_by_id(referrer.attribute) {
                lists.push((list_name(from, lookup, entity), Way::From { entity: from.id, lookup: lookup.id }));
                lists.extend(self.across(from, lookup, entity));
            }
        }
        // The entities come in no order.
        lists.sort_by(|(one, _), (other, _)| one.cmp(other));
        ways.extend(lists);
        ways
    }

    /// The ways of lookups, also by the names that are only understood: `regardingobjectid_account_task`, `owninguser`.
    fn by_lookup(&self, entity: &Entity, name: &str) -> Option<Way> {
        let owner =
            |target| entity.attribute_by_id(starter::OWNER).map(|_| Way::To { lookup: starter::OWNER, entity: target });
        match name {
            "owninguser" => return owner(starter::SYSTEM_USER),
            "owningteam" => return owner(starter::TEAM),
            _ => {}
        }
        if let Some(lookup) = entity.attribute(name) {
            return match lookup.targets.as_deref() {
                Some([target]) => Some(Way::To { lookup: lookup.id, entity: *target }),
                _ => None,
            };
        }
        let bare = name.strip_suffix(entity.name().as_str()).and_then(|name| name.strip_suffix('_')).unwrap_or(name);
        bare.match_indices('_').find_map(|(at, _)| {
            let lookup = entity.attribute(&bare[..at]).filter(|lookup| lookup.value_type() == ValueType::Reference)?;
            let target = self.named(&bare[at + 1..])?;
            lookup.may_target(target.id).then_some(Way::To { lookup: lookup.id, entity: target.id })
        })
    }

    /// The way across `link`, whose lookup `here` leads to `entity`, if linking is what that entity is for.
    fn across(&self, link: &Entity, here: &Attribute, entity: &Entity) -> Option<(SmolStr, Way)> {
        let other = link.keys.iter().find_map(|key| match key.attributes.as_slice() {
            // From an entity to itself there is one direction: that of the key.
            [first, second] if *first == here.id => Some(*second),
            [first, second] if *second == here.id && link.attribute_by_id(*first)?.targets != here.targets => {
                Some(*first)
            }
            _ => None,
        })?;
        let there = link.attribute_by_id(other).filter(|there| there.value_type() == ValueType::Reference)?;
        let target = match (here.targets.as_deref(), there.targets.as_deref()) {
            (Some([own]), Some([target])) if *own == entity.id => *target,
            _ => return None,
        };
        let name = format_smolstr!("{}_association", link.name());
        Some((name, Way::Across { link: link.id, here: here.id, there: there.id, entity: target }))
    }
}

/// The name of a lookup on the way to one of its targets: its own, or with the target where there are several.
fn to_name(lookup: &Attribute, target: &Entity) -> SmolStr {
    let several = lookup.targets.as_ref().is_some_and(|targets| targets.len() > 1);
    match (several, lookup.id, target.id) {
        (true, starter::OWNER, starter::SYSTEM_USER) => "owninguser".into(),
        (true, starter::OWNER, starter::TEAM) => "owningteam".into(),
        (true, ..) => format_smolstr!("{}_{}", lookup.name(), target.name()),
        (false, ..) => lookup.name().as_str().into(),
    }
}

/// The name of the list on `target`: what the lookup says, with `{to}` for the target's name and `{set}` for the set of
/// its own entity; else `<to>_<entity>_<attribute>`.
fn list_name(from: &Entity, lookup: &Attribute, target: &Entity) -> SmolStr {
    let given = match &lookup.definition.kind {
        AttributeKind::Lookup(kind) => kind.relationship.as_deref(),
        _ => None,
    };
    let Some(given) = given else { return format_smolstr!("{}_{}_{}", target.name(), from.name(), lookup.name()) };
    let name = given.replace("{to}", target.name().as_str()).replace("{set}", from.definition.set.as_str());
    let several = lookup.targets.as_ref().is_none_or(|targets| targets.len() > 1);
    match several && !given.contains("{to}") {
        true => format_smolstr!("{name}_{}", target.name()),
        false => name.into(),
    }
}
