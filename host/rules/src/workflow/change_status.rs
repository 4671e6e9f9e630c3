//! Change Status: sets state and status by the name of a status or of a state of the target's entity.

use model::{EntityId, Schema, Verb, schema::Entity};
use script::Facts;
use smol_str::{SmolStr, format_smolstr};

use super::{Command, Performed, Run, update::Target};
use crate::retry::Failure;

/// The instruction.
#[derive(Debug)]
pub(super) struct ChangeStatus {
    pub target: Target,
    pub name: SmolStr,
    /// State and status of that name, for each entity that the target can be of.
    pub codes: Vec<(EntityId, i32, i32)>,
}

impl ChangeStatus {
    /// The codes of `name` in the entities that the target can be of; a sentence where none has it.
    pub fn codes(name: &str, target: &Target, schema: &Schema) -> Result<Vec<(EntityId, i32, i32)>, String> {
        let possible = |entity: &Entity| target.entities.as_ref().is_none_or(|known| known.contains(&entity.id));
        let entities = schema.entities().filter(|entity| possible(entity));
        let mut codes: Vec<_> = entities
            .filter_map(|entity| code(entity, name).map(|(state, status)| (entity.id, state, status)))
            .collect();
        codes.sort_unstable();
        if codes.is_empty() {
            return Err(format!("`{}` is of no entity with a status or state `{name}`", target.path));
        }
        Ok(codes)
    }

    pub fn perform<'p>(&self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let target = self.target.find(facts)?;
        let code = self.codes.iter().find(|(entity, _, _)| *entity == target.entity);
        let Some((_, state, status)) = code else {
            let entity = run.program.entity_name(target.entity);
            let message = format_smolstr!("`{entity}` has no status or state `{}`", self.name);
            return Err(Failure::repairable("bad-status", message));
        };
        let verb = Verb::SetStatus { target, state: Some(*state), status: Some(*status) };
        Ok(Performed::Asks(Command::Apply(verb)))
    }
}

/// A status fixes its state; a state means its first status.
fn code(entity: &Entity, name: &str) -> Option<(i32, i32)> {
    match entity.status_named(name) {
        Some((state, status)) => Some((state.value, status.value)),
        None => {
            let state = entity.state_named(name)?;
            Some((state.value, state.statuses.first()?.value))
        }
    }
}
