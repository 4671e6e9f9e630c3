//! How far does a user reach with a privilege, and does that cover this record (processes 7)?
//!
//! The engine gathers a user's seats, one for himself and one for each of his teams that holds roles, and makes a
//! `Profile` of them; every verb, read and query asks it. Nothing here looks anything up: a record comes as its
//! `Standing`, shares come as rows. Privileges add up; nothing takes one away.

mod seat;

use model::{EntityId, Level, Privilege, RecordId, RecordRef, Rights, TaskName, starter};

pub use self::seat::{Granted, Seat};

/// How the records of an entity are held: what a level means for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Each by a user or team, whose business unit owns it too: all levels.
    Owned,
    /// By a business unit: users, teams, roles, and units themselves. All levels; a user is his own record.
    Unit,
    /// By the organisation: the level organization, or none.
    Organization,
}

impl Holding {
    /// How records of the entity are held; `owned` tells whether they have an owner.
    pub fn of(entity: EntityId, owned: bool) -> Self {
        match entity {
            starter::SYSTEM_USER | starter::TEAM | starter::BUSINESS_UNIT | starter::ROLE => Self::Unit,
            _ if owned => Self::Owned,
            _ => Self::Organization,
        }
    }
}

/// What is asked of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The entity.
    pub entity: EntityId,
    /// How its records are held.
    pub holding: Holding,
    /// What is to be done.
    pub privilege: Privilege,
}

/// Where a record stands among users, teams and units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Standing {
    /// Its owner; for a user or team itself.
    pub owner: Option<RecordRef>,
    /// The business unit that it belongs to.
    pub unit: Option<RecordId>,
}

/// What a user may do, compiled once for each state of the organisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The user.
    pub user: RecordRef,
    /// Whether he may nothing at all.
    pub disabled: bool,
    /// Where his roles count: for himself first, then for each team that holds some.
    seats: Vec<Seat>,
}

/// Which records a profile reaches with a privilege.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// None.
    Nothing,
    /// Those of these owners or of these units, and those shared with the owners.
    Some {
        /// Users and teams, in order.
        owners: Vec<RecordRef>,
        /// Business units, in order.
        units: Vec<RecordId>,
    },
    /// All.
    Everything,
}

impl Profile {
    /// The profile of `user` with these seats. A disabled user has none.
    pub fn new(user: RecordRef, disabled: bool, seats: Vec<Seat>) -> Self {
        Self { user, disabled, seats: if disabled { Vec::new() } else { seats } }
    }

    /// The greatest level that any seat has; what it means is the seat's.
    pub fn level(&self, entity: EntityId, privilege: Privilege) -> Level {
        self.seats.iter().map(|seat| seat.level(entity, privilege)).max().unwrap_or_default()
    }

    /// Whether a role allows the task.
    pub fn has_task(&self, task: &TaskName) -> bool {
        self.seats.iter().any(|seat| seat.granted.all_tasks || seat.granted.tasks.contains(task))
    }

    /// Whether the record is reached by whose it is, shares apart.
    pub fn covers(&self, ask: Ask, record: &Standing) -> bool {
        self.seats.iter().any(|seat| seat.covers(ask, record))
    }

    /// Whether the record is reached because it is shared with the user or a team of his.
    pub fn covers_shared(&self, ask: Ask, shares: &[(RecordRef, Rights)]) -> bool {
        self.seats.iter().any(|seat| seat.covers_shared(ask, shares))
    }

    /// Whether a share could make a difference.
    pub fn heeds_shares(&self, ask: Ask) -> bool {
        ask.holding == Holding::Owned && self.level(ask.entity, ask.privilege) != Level::None
    }

    /// Which records are reached.
    pub fn reach(&self, ask: Ask) -> Reach {
        let (mut owners, mut units) = (Vec::new(), Vec::new());
        for seat in &self.seats {
            match (seat.level(ask.entity, ask.privilege), ask.holding) {
                (Level::None, _) => {}
                (Level::Organization, _) => return Reach::Everything,
                (_, Holding::Organization) => {}
                (level, _) => seat.add_to(level, &mut owners, &mut units),
            }
        }
        if owners.is_empty() && units.is_empty() {
            return Reach::Nothing;
        }
        owners.sort_unstable();
        owners.dedup();
        units.sort_unstable();
        units.dedup();
        Reach::Some { owners, units }
    }

    /// What the user may do with a record by all that is known of it. Create is not among it.
    pub fn rights(
        &self,
        entity: EntityId,
        holding: Holding,
        record: &Standing,
        shares: &[(RecordRef, Rights)],
    ) -> Rights {
        let reached = |privilege: &Privilege| {
            let ask = Ask { entity, holding, privilege: *privilege };
            self.covers(ask, record) || self.covers_shared(ask, shares)
        };
        Privilege::ALL.into_iter().filter(reached).collect()
    }

    /// The least level at which a role of the user himself would reach the record; `is_within(unit, above)` tells
    /// whether a unit is another or below it.
    pub fn needed(
        &self,
        holding: Holding,
        record: &Standing,
        own_unit: Option<RecordId>,
        is_within: impl Fn(RecordId, RecordId) -> bool,
    ) -> Level {
        let is_own = |owner| owner == self.user || self.seats.first().is_some_and(|seat| seat.is_for(owner));
        match (holding, record.owner, record.unit.zip(own_unit)) {
            (Holding::Organization, ..) => Level::Organization,
            (_, Some(owner), _) if is_own(owner) => Level::User,
            (_, _, Some((unit, own))) if unit == own => Level::BusinessUnit,
            (_, _, Some((unit, own))) if is_within(unit, own) => Level::ParentChild,
            _ => Level::Organization,
        }
    }

    /// The user and his teams: those whose shares may count.
    pub fn principals(&self) -> impl Iterator<Item = RecordRef> + '_ {
        self.seats.first().into_iter().flat_map(Seat::principals)
    }

    /// The first privilege or task of `role` that this profile does not hold at the same level: nobody gives away what
    /// he lacks.
    pub fn lacks(&self, role: &Granted) -> Option<Lack> {
        for (entity, levels) in &role.entities {
            let short = levels.iter().find(|(privilege, level)| self.level(*entity, *privilege) < *level);
            if let Some((privilege, level)) = short {
                return Some(Lack::Privilege(*entity, privilege, level));
            }
        }
        if role.all_tasks && !self.seats.iter().any(|seat| seat.granted.all_tasks) {
            return Some(Lack::EveryTask);
        }
        role.tasks.iter().find(|task| !self.has_task(task)).cloned().map(Lack::Task)
    }
}

/// Something that a role grants and a profile lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// A privilege at this level.
    Privilege(EntityId, Privilege, Level),
    /// A task.
    Task(TaskName),
    /// Every task, those of solutions too.
    EveryTask,
}
