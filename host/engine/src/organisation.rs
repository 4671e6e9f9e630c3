//! Users, teams and business units as scope sees them (D3): read from the unit's snapshot, not validated (E2).

use model::RecordRef;
use rules::trigger::Organisation;

use crate::unit::Unit;

/// The organisation as one unit of work sees it.
pub(crate) struct Members<'u>(pub &'u Unit);

/// The most business units from one up to the root; a longer chain is a circle.
const DEEPEST: usize = 64;

impl Members<'_> {
    /// What the lookup `attribute` of `record` points to. A fault reads like an empty lookup: nothing starts by it, and
    /// the unit's own reads meet the same fault and say so.
    fn lookup(&self, record: RecordRef, attribute: &str) -> Option<RecordRef> {
        let entity = self.0.catalogue.schema.entity(record.entity)?;
        let attribute = entity.attribute(attribute)?;
        self.0.glance(record).ok()??.get(attribute.id).as_reference()
    }
}

impl Organisation for Members<'_> {
    fn unit_of(&self, principal: RecordRef) -> Option<RecordRef> {
        self.lookup(principal, "businessunitid")
    }

    fn is_member(&self, user: RecordRef, team: RecordRef) -> bool {
        // As with lookups: nothing starts by what cannot be read.
        crate::members::is_member(self.0, user, team).unwrap_or_default()
    }

    fn is_within(&self, unit: RecordRef, above: RecordRef) -> bool {
        let mut at = Some(unit);
        for _ in 0..DEEPEST {
            match at {
                Some(unit) if unit == above => return true,
                Some(unit) => at = self.lookup(unit, "parentbusinessunitid"),
                None => return false,
            }
        }
        false
    }
}
