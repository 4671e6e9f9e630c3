//! Opening a store: the starter organisation where there is none, and the catalogue of what holds.
//!
//! Nothing is repaired here: what was acknowledged is in the store, what was not is not. Unfinished jobs are found by the
//! first look for work (E19).

use std::sync::Arc;

use arc_swap::ArcSwap;
use formats::starter::ADMINISTRATOR;
use model::{Caller, CorrelationId, Origin, RecordId, RecordRef, Value, Values, Verb, starter};
use parking_lot::{Mutex, RwLock};
use store::{Overlay, counters, definitions, jobs};

use crate::{
    Catalogue, Engine, Error, Failure, Parts, background::queue::Queue, interactive::Desk, load, members,
    security::roles, unit::Unit, verb,
};

/// The user that every store has from the start.
pub fn administrator() -> RecordRef {
    RecordRef::new(starter::SYSTEM_USER, RecordId(formats::identity("user", "administrator")))
}

/// The business unit at the root.
pub fn root_unit() -> RecordRef {
    RecordRef::new(starter::BUSINESS_UNIT, RecordId(formats::identity("business-unit", "organisation")))
}

impl Engine {
    /// An engine over this store. An empty store gets the starter organisation.
    pub fn open(parts: Parts) -> Result<Arc<Self>, Error> {
        let parts = Arc::new(parts);
        number_starter(&parts)?;
        count_once(&parts)?;
        let snapshot = parts.store.snapshot()?;
        let catalogue = load::catalogue(&parts, &snapshot)?;
        let settings = &parts.settings;
        let queue = Queue::new(settings.queue, settings.in_flight);
        let engine = Arc::new_cyclic(|me| Self {
            catalogue: ArcSwap::from_pointee(catalogue),
            swapping: RwLock::new(()),
            deploying: Mutex::new(()),
            building: Mutex::new(()),
            older: Mutex::default(),
            desk: Desk::new(),
            queue,
            sweeps: crate::retention::Sweeps::default(),
            notes: crate::audit::Notes::default(),
            signin: crate::signin::SignIn::default(),
            outbox: Default::default(),
            outside: Default::default(),
            me: me.clone(),
            parts,
        });
        let made = engine.found().and_then(|()| engine.arrange_schedules()).and_then(|()| engine.note_missing());
        made.map_err(|failure| match failure {
            Failure::Fault(error) => error,
            Failure::Refused(refusal) => {
                Error::Stored { what: "the starter organisation".to_owned(), why: refusal.to_string() }
            }
        })?;
        Ok(engine)
    }

    /// Makes the root business unit, the administrator and the default roles, if they are not there.
    fn found(&self) -> Result<(), Failure> {
        let (admin, caller) = (administrator(), self.system());
        self.now(|unit| {
            let root = [("name", Value::text("Organisation"))];
            create_once(unit, &caller, root_unit(), &root)?;
            let user = [
                ("fullname", Value::text("Administrator")),
                ("domainname", Value::text("administrator")),
                ("businessunitid", Value::Reference(root_unit())),
            ];
            create_once(unit, &caller, admin, &user)?;
            let schema = unit.catalogue.schema.clone();
            let is_new = !unit.exists(roles::default_role(ADMINISTRATOR))?;
            roles::complete(unit, &caller, &schema)?;
            if is_new {
                members::give_role(unit, &caller, admin, roles::default_role(ADMINISTRATOR))?;
            }
            Ok(())
        })
    }

    /// The engine itself at the beginning of a new chain, acting for the administrator.
    pub(crate) fn system(&self) -> Caller {
        let admin = administrator();
        let correlation = CorrelationId(self.parts.ids.id(self.parts.clock.now()));
        Caller { origin: Origin::System, ..Caller::outside(admin, correlation) }
    }
}

/// Gives the starter entities of this version the numbers that they keep.
fn number_starter(parts: &Parts) -> Result<(), Error> {
    let mut overlay = Overlay::new(parts.store.snapshot()?);
    let known = definitions::numbers(&overlay)?;
    let entities = load::starter().whole_entities();
    let numbers = formats::numbering::extend(&known, &entities);
    if numbers == known {
        return Ok(());
    }
    for (name, numbers) in numbers.iter().filter(|(name, numbers)| known.get(*name) != Some(*numbers)) {
        definitions::put_numbers(&mut overlay, name, numbers);
    }
    definitions::touch_schema(&mut overlay);
    parts.store.commit(overlay.into_batch(store::Priority::Interactive))?;
    Ok(())
}

/// Counts the jobs of a store whose jobs were written before they were counted.
fn count_once(parts: &Parts) -> Result<(), Error> {
    let mut overlay = Overlay::new(parts.store.snapshot()?);
    if !counters::of_jobs(&overlay)?.is_empty() || jobs::newest(&overlay, None)?.next().is_none() {
        return Ok(());
    }
    counters::count_all(&mut overlay)?;
    parts.store.commit(overlay.into_batch(store::Priority::Interactive))?;
    Ok(())
}

fn create_once(unit: &mut Unit, caller: &Caller, target: RecordRef, values: &[(&str, Value)]) -> Result<(), Failure> {
    if unit.exists(target)? {
        return Ok(());
    }
    let entity = unit.entity(target.entity)?;
    let named = values.iter().filter_map(|(name, value)| Some((entity.attribute(name)?.id, value.clone())));
    let values: Values = named.collect();
    // The budget of a unit is for what people ask for.
    verb::apply(unit, caller, Verb::Create { entity: target.entity, id: Some(target.id), values })?;
    Ok(())
}

impl Engine {
    /// The newest state, for reading, with the catalogue that belongs to it.
    pub(crate) fn state(&self) -> Result<(Arc<Catalogue>, Arc<dyn store::Snapshot>), Failure> {
        let _not_swapping = self.swapping.read();
        Ok((self.catalogue.load_full(), self.parts.store.snapshot()?))
    }
}
