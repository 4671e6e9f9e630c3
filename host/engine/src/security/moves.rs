//! Users and teams that went to another business unit: their records follow, in slices (E30).
//!
//! The move is a row that tells how far it is, so it goes on after a crash; `Engine::run_one` does a slice when a unit of work
//! leaves one to be done. Until a record is reached it keeps its old unit. What follows changes no attribute that anybody named: it starts
//! no process and is in no journal; the journal tells the move of its owner.

use model::{Caller, EntityId, Record, RecordId, RecordRef, Value, starter};
use store::{
    moves::{self, Move},
    records::{self, Stretch},
};

use rules::trigger::Organisation;

use crate::{Engine, Failure, organisation::Members, unit::Unit, verb};

/// Records of one slice.
const SLICE: usize = 200;

/// Notes that the records of `owner` have to follow him. Who moves again before they have starts anew.
pub(super) fn begin(unit: &mut Unit, owner: RecordRef) {
    let now = unit.now;
    moves::put(&mut unit.overlay, &Move { owner, since: now, at: None, moved: 0 });
    unit.moving = true;
}

impl Engine {
    /// The moves that are not over, for those who may read the users and teams.
    pub fn moves(&self, caller: &Caller) -> Result<Vec<Move>, Failure> {
        let snapshot = self.parts.store.snapshot()?;
        let moving: Vec<Move> = moves::all(&snapshot)?.collect::<Result<_, _>>()?;
        drop(snapshot);
        let mut seen = Vec::new();
        for one in moving {
            match self.retrieve(caller, one.owner, Some(&[])) {
                Ok(_) => seen.push(one),
                Err(Failure::Refused(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(seen)
    }

    /// Does one slice of the first move, if there is one. Tells whether something is left to do.
    pub(crate) fn follow_movers(&self) -> Result<bool, Failure> {
        // Whoever holds it does the moves, and sees what is left behind his slice.
        let Some(_alone) = self.building.try_lock() else { return Ok(false) };
        let first = || -> Result<_, Failure> { Ok(moves::all(&self.parts.store.snapshot()?)?.next().transpose()?) };
        let Some(moving) = first()? else { return Ok(false) };
        self.now(|unit| slice(unit, moving.owner))?;
        Ok(first()?.is_some())
    }
}

/// Lets the next records of `owner` follow.
fn slice(unit: &mut Unit, owner: RecordRef) -> Result<(), Failure> {
    // Read again: the owner may have moved on meanwhile.
    let Some(mut moving) = moves::get(&unit.overlay, owner)? else { return Ok(()) };
    let business_unit = Members(unit).unit_of(owner).map_or(Value::Null, Value::Reference);
    let reached = moving.at;
    let mut room = SLICE;
    for entity in owned(unit).into_iter().filter(|entity| reached.is_none_or(|(at, _)| *entity >= at)) {
        let after = reached.filter(|(at, _)| *at == entity).and_then(|(_, id)| id);
        let ids = behind(unit, entity, owner, after, room)?;
        for id in &ids {
            if follow(unit, RecordRef::new(entity, *id), owner, &business_unit)? {
                moving.moved += 1;
            }
        }
        room -= ids.len();
        if room == 0 {
            moves::put(&mut unit.overlay, &Move { at: Some((entity, ids.last().copied())), ..moving });
            return Ok(());
        }
    }
    moves::remove(&mut unit.overlay, owner);
    tracing::info!(owner = %owner.id, records = moving.moved, "the records of a user or team have followed");
    Ok(())
}

/// Puts a record into the unit of its owner, if it still is his and not there yet.
fn follow(unit: &mut Unit, target: RecordRef, owner: RecordRef, business_unit: &Value) -> Result<bool, Failure> {
    let Some(before) = unit.record(target)? else { return Ok(false) };
    let is_his = *before.get(starter::OWNER) == Value::Reference(owner);
    if !is_his || before.get(starter::OWNING_BUSINESS_UNIT) == business_unit {
        return Ok(false);
    }
    let mut after = Record { version: before.version.next(), ..before.clone() };
    after.values.store(starter::OWNING_BUSINESS_UNIT, business_unit.clone());
    verb::replace(unit, &before, &after)?;
    Ok(true)
}

/// The entities whose records have owners, by number.
fn owned(unit: &Unit) -> Vec<EntityId> {
    let entities = unit.catalogue.schema.entities().filter(|entity| entity.is_owned());
    let kept = entities.filter(|entity| crate::rows::special(entity.id).is_none());
    let mut ids: Vec<EntityId> = kept.map(|entity| entity.id).collect();
    ids.sort_unstable();
    ids
}

/// The next records of `owner`, `most` of them, by id. A record that he gets meanwhile has his new unit at once.
fn behind(
    unit: &Unit,
    entity: EntityId,
    owner: RecordRef,
    after: Option<RecordId>,
    most: usize,
) -> Result<Vec<RecordId>, Failure> {
    let owner = Value::Reference(owner);
    let rows = unit.overlay.unvalidated();
    let after = after.map(|after| records::place_in_index(entity, starter::OWNER, &owner, after));
    let found = records::by_index(&rows, entity, starter::OWNER, &Stretch::Equal(owner), false, after.as_deref())?;
    Ok(found.take(most).map(|row| row.map(|(id, _)| id)).collect::<Result<_, _>>()?)
}
