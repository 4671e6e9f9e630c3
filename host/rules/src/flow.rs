//! Business process flows: where one may go, what a view shows, which flow a new record gets (processes 5.4, 5.5, T1 to T20).
//!
//! An instance is looked at as its `Standing`, what is around it is asked through `Surroundings`: which branch holds, what
//! is still empty, which records it has. `moves` decides a navigation, `path` what lies ahead, `view` what a user is
//! shown, `pick` what is started. The engine reads, asks, and writes what comes back.

mod moves;
mod path;
mod pick;
mod view;

use model::{
    AttributeId,
    process::flow::{InstanceState, StagePlace},
};

pub use self::{
    moves::{Move, Moved, No, Verdict, decide},
    path::{ahead, onward, restore, way},
    pick::{Startable, pick},
    view::{Candidate, Shown, shown},
};

/// Where an instance stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it goes on.
    pub state: InstanceState,
    /// The stages it has gone through, in their order; the last one is the active stage.
    traversed: Vec<StagePlace>,
}

impl Standing {
    /// A new instance, on its first stage.
    pub fn new() -> Self {
        Self { state: InstanceState::Active, traversed: vec![StagePlace::FIRST] }
    }

    /// An instance that went through `before` and stands at `active`.
    pub fn at(state: InstanceState, before: impl IntoIterator<Item = StagePlace>, active: StagePlace) -> Self {
        let mut traversed: Vec<_> = before.into_iter().filter(|stage| *stage != active).collect();
        traversed.push(active);
        Self { state, traversed }
    }

    /// The stage where it stands.
    pub fn active(&self) -> StagePlace {
        self.traversed.last().copied().unwrap_or(StagePlace::FIRST)
    }

    /// The stages it has gone through, the active one last.
    pub fn traversed(&self) -> &[StagePlace] {
        &self.traversed
    }
}

impl Default for Standing {
    fn default() -> Self {
        Self::new()
    }
}

/// What a decision has to know of the records around an instance; asked only where it matters.
pub trait Surroundings {
    /// What asking may come to: a store that cannot be read, a condition that cannot be decided.
    type Error;

    /// Whether the condition of a branch of a stage holds now.
    fn holds(&mut self, stage: StagePlace, branch: usize) -> Result<bool, Self::Error>;

    /// Which of the required attributes of a stage are empty now.
    fn empty(&mut self, stage: StagePlace) -> Result<Vec<AttributeId>, Self::Error>;

    /// Whether the instance has a record of the stage's entity.
    fn has_record(&mut self, stage: StagePlace) -> Result<bool, Self::Error>;
}

#[cfg(test)]
mod tests;
