//! What a caller sees of the records that a query looks at: each candidate is checked, whichever way it came.
//!
//! Whose a record is stands in it. Shares are looked up by record for the first few that need it, then all that are
//! shared with the caller are read at once, so that a long scan does not ask the store for each of its records.

use std::collections::HashMap;

use model::{Privilege, Record, RecordId, RecordRef, Rights, schema::Entity};
use rules::access::Profile;
use store::{Reader, shares};

use super::{Who, ask, standing};
use crate::{Catalogue, Failure};

/// So many records are asked for their shares one by one.
const ONE_BY_ONE: u32 = 32;

/// A caller's sight of the records of one entity.
pub(crate) struct Sight<'a> {
    catalogue: &'a Catalogue,
    reader: &'a dyn Reader,
    entity: &'a Entity,
    who: &'a Who,
    sees_all: bool,
    asked: u32,
    shared: HashMap<RecordRef, HashMap<RecordId, Rights>>,
}

impl<'a> Sight<'a> {
    /// The sight of `who` on the records of `entity`.
    pub fn new(catalogue: &'a Catalogue, reader: &'a dyn Reader, entity: &'a Entity, who: &'a Who) -> Self {
        let sees_all = who.has_all(entity, Privilege::Read);
        Self { catalogue, reader, entity, who, sees_all, asked: 0, shared: HashMap::new() }
    }

    /// Whether the record may be read.
    pub fn sees(&mut self, record: &Record) -> Result<bool, Failure> {
        if self.sees_all {
            return Ok(true);
        }
        let Who::Users(user, delegate) = self.who else { return Ok(true) };
        for profile in std::iter::once(user).chain(delegate) {
            if !self.reaches(profile, record)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn reaches(&mut self, profile: &Profile, record: &Record) -> Result<bool, Failure> {
        let asked = ask(self.entity, Privilege::Read);
        if profile.covers(asked, &standing(self.catalogue, self.reader, self.entity, record)?) {
            return Ok(true);
        }
        if !profile.heeds_shares(asked) {
            return Ok(false);
        }
        Ok(profile.covers_shared(asked, &self.shares_of(profile, record)?))
    }

    fn shares_of(&mut self, profile: &Profile, record: &Record) -> Result<Vec<(RecordRef, Rights)>, Failure> {
        self.asked = self.asked.saturating_add(1);
        if self.asked <= ONE_BY_ONE {
            return super::shares(self.reader, self.entity.id, record);
        }
        let mut found = Vec::new();
        for principal in profile.principals() {
            let (reader, entity) = (self.reader, self.entity.id);
            let shared = match self.shared.entry(principal) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(free) => {
                    let rows = shares::with_principal(reader, principal, entity, None)?;
                    free.insert(rows.collect::<Result<_, _>>()?)
                }
            };
            found.extend(shared.get(&record.id).map(|rights| (principal, *rights)));
        }
        Ok(found)
    }
}
