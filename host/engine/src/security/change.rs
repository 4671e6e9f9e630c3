//! What a role grants, changed by who may write roles; and the shares of a record, told.

use formats::starter::ADMINISTRATOR;
use model::{Caller, Privilege, RecordRef, Refusal, Rights, RolePrivileges, starter};
use rules::access::Granted;
use store::shares;

use super::roles;
use crate::{
    Engine, Failure,
    access::{self, Readable},
};

impl Engine {
    /// Changes what `role` grants, in a unit of work of its own. The caller must be allowed to write the role, and have
    /// whatever is added to it: nobody gives away what he lacks.
    pub fn change_role(
        &self,
        caller: &Caller,
        role: RecordRef,
        change: &dyn Fn(&mut RolePrivileges),
    ) -> Result<(), Failure> {
        self.now(|unit| {
            let entity = unit.entity(starter::ROLE)?;
            access::expect(unit, caller, &entity, Privilege::Write, role)?;
            let before = roles::privileges(unit, role)?;
            let mut granted = before.clone();
            change(&mut granted);
            if granted == before {
                return Ok(());
            }
            if role == roles::default_role(ADMINISTRATOR) {
                let why = "it grants everything, so that there is always somebody who may repair the rest".into();
                return Err(
                    Refusal::NotPossible { verb: "change".into(), entity: entity.name().as_str().into(), why }.into()
                );
            }
            let catalogue = unit.catalogue.clone();
            let added = Granted::resolve(&added(&before, &granted), &catalogue.schema);
            unit.who(caller)?.check_gives(&catalogue, &added)?;
            roles::grant(unit, caller, role, &granted).map(drop)
        })
    }

    /// Which users and teams have which rights on a record by sharing. The caller must be allowed to read it.
    pub fn shares_of(&self, caller: &Caller, target: RecordRef) -> Result<Vec<(RecordRef, Rights)>, Failure> {
        let Readable { snapshot, .. } = self.readable(caller, target)?;
        Ok(shares::of_record(&snapshot, target)?)
    }
}

/// What the role grants then and did not before.
fn added(before: &RolePrivileges, after: &RolePrivileges) -> RolePrivileges {
    let mut added = RolePrivileges::default();
    for (entity, levels) in &after.entities {
        let known = before.entities.get(entity).copied().unwrap_or_default();
        for (privilege, level) in levels.iter().filter(|(privilege, level)| *level > known.get(*privilege)) {
            added.entities.entry(entity.clone()).or_default().set(privilege, level);
        }
    }
    added.tasks = after.tasks.difference(&before.tasks).cloned().collect();
    added
}
