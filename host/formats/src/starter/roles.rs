//! The default roles: how far each of them reaches on each entity that every store has, measured in an organisation of
//! the platform that they come from, and the tasks of each (D17, E31).
//!
//! A role is made from its row when a store is opened for the first time; a starter entity of a later version adds its
//! levels then. Entities of solutions are for the administrator and the customizer only, until a role says more.

use std::collections::BTreeSet;

use model::{EntityName, Level, Levels, Privilege, TaskName};

/// The role whose holders may do everything; it is neither changed nor taken away.
pub const ADMINISTRATOR: &str = "System Administrator";
/// The role of those who build processes: everything on the entities of solutions.
pub const CUSTOMIZER: &str = "System Customizer";

/// A role that every store has from the start.
#[derive(Clone, Copy, Debug)]
pub struct DefaultRole {
    /// Its name.
    pub name: &'static str,
    row: &'static str,
}

/// The entities of the columns of `ROLES`. `activity` stands for all activities without a column; a column without an
/// entity waits for the version that brings it.
const COLUMNS: [&str; 17] = [
    "workflow",
    "asyncoperation",
    "processsession",
    "account",
    "contact",
    "incident",
    "lead",
    "opportunity",
    "task",
    "activity",
    "email",
    "template",
    "queue",
    "team",
    "businessunit",
    "systemuser",
    "role",
];

/// In each cell create, read, write, delete, append, append-to, assign, share: `-` none, `u` user, `b` business unit, `p`
/// parent: child units, `o` organisation. The administrator has no cells: nothing is out of reach.
#[rustfmt::skip]
const ROLES: [DefaultRole; 13] = [
    DefaultRole { name: ADMINISTRATOR, row: "" },
    DefaultRole { name: CUSTOMIZER,
        row: "oooooooo oooooooo uouuuuuu uuuuuuuu uuuuuuuu uuuuuuuu uuuuuuuu uuuuuuuu uuuuuuuu uuuuuuuu uuuuuuuu oooooouu oooooooo -o------ -o------ -ob-bb-- -o------" },
    DefaultRole { name: "CEO-Business Manager",
        row: "oooooooo -oo--oo- oooooooo oooooooo oooooooo oooooooo oooooooo oooooooo oooooooo oooooooo oooooooo oooooooo oooooooo oooooo-- oooooo-- ooo-oo-- ooooooo-" },
    DefaultRole { name: "Vice President of Marketing",
        row: "popppopp -pp--pp- popppppp poopoopo poopoopo -o--bp-o poopoopo poopoopo pobppppo pobppppo pobppppo pooooooo -u---u-- pooooo-- -o---b-- pop-pp-- pop-oop-" },
    DefaultRole { name: "Vice President of Sales",
        row: "popppopp -pp--pp- popppppp poopoopo poopoopo -o--bp-o poopoopo poopoopo pobppppo pobppppo pobppppo pooooooo -u---u-- pooooo-- -o---b-- pop-pp-- pop-oop-" },
    DefaultRole { name: "Service Manager",
        row: "bobbbobb -bb--bb- bobbbbbb uoouoouo uoouoouo boopoooo uouuuuuo uouuuuuo bopppppo bopppppo bopppppo booobob- pppppppp booooo-- -o---b-- bop-pp-- -o----b-" },
    DefaultRole { name: "Marketing Manager",
        row: "bobbbobb -bb--bb- bobbbbbb booboobo booboobo -o--bb-o booboobo booboobo bobbbbbo bobbbbbo bobbbbbo booopopp pppppppp booooo-- -o------ bop-pp-- -o----b-" },
    DefaultRole { name: "Sales Manager",
        row: "bobbbobb -bb--bb- bobbbbbb booboobo booboobo -o--bb-o booboobo booboobo bobbbbbo bobbbbbo bobbbbbo booopopp pppppppp booooo-- -o------ bop-pp-- -o----b-" },
    DefaultRole { name: "Schedule Manager",
        row: "bobbbobb -bb--bb- bobbbbbb poopoobo poopoobo poppoopo -o---o-- -o---o-- oooooooo oooooooo oooooooo oooooooo pppppppp -o--oo-- -o---b-- -oo-oo-- -b------" },
    DefaultRole { name: "Customer Service Representative",
        row: "uouuuouu -uu--uu- uouuuuuu uoouoouo uoouoouo uoo-oooo uouuuuuo uouuuuuo uobbbbpo uobbbbpo uobbbbpo ubuubub- ubuuubuu -o------ -o------ -o--bb-- -b------" },
    DefaultRole { name: "Marketing Professional",
        row: "uouuuouu -uu--uu- uouuuuuu uoouoouo uoouoouo -o--bb-o uoouoouo uoouoouo uobubbuo uobubbuo uobubbuo uouub-bb -u---u-- -o------ -o------ -o--bb-- -b------" },
    DefaultRole { name: "Salesperson",
        row: "uouuuouu -uu--uu- uouuuuuu uoouoouo uoouoouo -o--bb-o uoouoouo uoouoouo uobubbuo uobubbuo uobubbuo uouub-bb -u---u-- -o------ -o------ -o--bb-- -b------" },
    DefaultRole { name: "Scheduler",
        row: "uouuuouu -uu--uu- uouuuuuu poppoouo poppoouo poppoopo -o---o-- -o---o-- popppopo popppopo popppopo popppo-- ubuuubuu -o------ -o------ -o--oo-- -b------" },
];

/// The default roles, the administrator first.
pub fn default_roles() -> &'static [DefaultRole] {
    &ROLES
}

impl DefaultRole {
    /// How far it reaches on an entity of the starter organisation, which may be an activity.
    pub fn levels(&self, entity: &EntityName, activity: bool) -> Levels {
        if self.name == ADMINISTRATOR {
            return Levels::all(Level::Organization);
        }
        let on = |entity: &str, privilege| self.cell(entity).map_or(Level::None, |cell| level(cell, privilege));
        match (self.cell(entity.as_str()), entity.as_str()) {
            (Some(cell), _) => levels(cell),
            // Who belongs to what is for everybody to see, and to be changed by those who may change what it joins.
            (_, "teammembership") => joined(on("team", Privilege::Append)),
            (_, "systemuserroles" | "teamroles") => joined(on("role", Privilege::Assign)),
            // What waits in a queue is seen by who sees the queue, and is for those who may add to it.
            (_, "queueitem") => queued(self.cell("queue").map(levels).unwrap_or_default()),
            _ if activity => self.cell("activity").map(levels).unwrap_or_default(),
            (_, "audit") if self.is_of_organization() => Levels::default().with(Privilege::Read, Level::Organization),
            _ if self.name == CUSTOMIZER => Levels::all(Level::Organization),
            _ => Levels::default(),
        }
    }

    /// How far it reaches on an entity of a solution (E31).
    pub fn levels_on_new(&self) -> Levels {
        match self.name {
            ADMINISTRATOR | CUSTOMIZER => Levels::all(Level::Organization),
            _ => Levels::default(),
        }
    }

    /// The tasks: all for those that reach the whole organisation, on demand for everybody (D17).
    pub fn tasks(&self) -> BTreeSet<TaskName> {
        match self.is_of_organization() {
            true => TaskName::KNOWN.iter().cloned().collect(),
            false => [TaskName::EXECUTE_WORKFLOW_JOB].into(),
        }
    }

    fn is_of_organization(&self) -> bool {
        self.cell("workflow").is_none_or(|cell| level(cell, Privilege::Create) == Level::Organization)
    }

    fn cell(&self, entity: &str) -> Option<&'static str> {
        let column = COLUMNS.iter().position(|column| *column == entity)?;
        self.row.split(' ').nth(column).filter(|cell| !cell.is_empty())
    }
}

fn levels(cell: &str) -> Levels {
    Privilege::ALL
        .into_iter()
        .fold(Levels::default(), |levels, privilege| levels.with(privilege, level(cell, privilege)))
}

fn level(cell: &str, privilege: Privilege) -> Level {
    match cell.as_bytes().get(privilege as usize) {
        Some(b'u') => Level::User,
        Some(b'b') => Level::BusinessUnit,
        Some(b'p') => Level::ParentChild,
        Some(b'o') => Level::Organization,
        _ => Level::None,
    }
}

/// What those who may `change` what a record joins may do with it.
fn joined(change: Level) -> Levels {
    match change {
        Level::None => Levels::default().with(Privilege::Read, Level::Organization),
        _ => Levels::all(Level::Organization),
    }
}

/// What those who reach so far on queues may do with what waits there.
fn queued(queues: Levels) -> Levels {
    let add = queues.get(Privilege::AppendTo);
    Levels::all(add).with(Privilege::Read, queues.get(Privilege::Read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_cell_of_eight_letters_for_each_column() {
        for role in default_roles().iter().filter(|role| role.name != ADMINISTRATOR) {
            let cells: Vec<&str> = role.row.split(' ').collect();
            assert_eq!(cells.len(), COLUMNS.len(), "{}", role.name);
            for cell in cells {
                assert!(
                    cell.len() == 8 && cell.chars().all(|letter| "-ubpo".contains(letter)),
                    "{}: {cell}",
                    role.name
                );
            }
        }
    }

    /// The table of the first source: how far each role's processes reach.
    #[test]
    fn roles_reach_as_far_with_processes_as_their_rank() {
        let workflow = EntityName::parse("workflow").expect("a name");
        let expected = [(Level::Organization, 3), (Level::ParentChild, 2), (Level::BusinessUnit, 4), (Level::User, 4)];
        for (level, roles) in expected {
            let reaching = |role: &&DefaultRole| role.levels(&workflow, false).get(Privilege::Create) == level;
            assert_eq!(default_roles().iter().filter(reaching).count(), roles, "{level:?}");
        }
        for role in default_roles() {
            assert_eq!(role.levels(&workflow, false).get(Privilege::Read), Level::Organization, "{}", role.name);
            let all = role.tasks().len() == TaskName::KNOWN.len();
            assert_eq!(all, role.is_of_organization(), "{}", role.name);
            assert!(role.tasks().contains(&TaskName::EXECUTE_WORKFLOW_JOB), "{}", role.name);
        }
    }
}
