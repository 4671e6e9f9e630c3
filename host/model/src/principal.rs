//! Who may do what, as nouns: privileges, access levels, what a role grants, what sharing grants (processes 7).
//!
//! Files and the API have words of their own for them, given here so that every edge says the same. Nothing decides
//! here: `rules::access` does.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::{SmolStr, SmolStrBuilder};

use crate::EntityName;

/// One of the eight things that may be done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Privilege {
    /// Make one.
    Create,
    /// See one.
    Read,
    /// Change one.
    Write,
    /// Take one away.
    Delete,
    /// Let one look to another: needed on the record that gets the lookup.
    Append,
    /// Let others look to one: needed on the record that they look to.
    AppendTo,
    /// Give one another owner.
    Assign,
    /// Let others have part in one.
    Share,
}

impl Privilege {
    /// All of them, in the order of rows and files.
    pub const ALL: [Self; 8] =
        [Self::Create, Self::Read, Self::Write, Self::Delete, Self::Append, Self::AppendTo, Self::Assign, Self::Share];

    /// Its word in files: `append-to`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Append => "append",
            Self::AppendTo => "append-to",
            Self::Assign => "assign",
            Self::Share => "share",
        }
    }

    /// The privilege of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|privilege| privilege.word() == word)
    }

    /// Its name on `entity` as clients of Dynamics know it: `prvAppendToIncident`.
    pub fn api_name(self, entity: &str) -> SmolStr {
        let mut name = SmolStrBuilder::new();
        name.push_str("prv");
        name.push_str(self.camel());
        push_capitalised(&mut name, entity);
        name.finish()
    }

    /// The privilege and the entity's name, in lower case, that such a name is made of.
    pub fn from_api_name(name: &str) -> Option<(Self, SmolStr)> {
        let rest = name.strip_prefix("prv")?;
        let of = |privilege: Self| {
            let entity = rest.strip_prefix(privilege.camel()).filter(|entity| !entity.is_empty())?;
            Some((privilege, SmolStr::from(entity.to_ascii_lowercase())))
        };
        // `AppendTo` begins with `Append`: the longer one is asked first.
        of(Self::AppendTo).or_else(|| Self::ALL.into_iter().find_map(of))
    }

    fn camel(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Delete => "Delete",
            Self::Append => "Append",
            Self::AppendTo => "AppendTo",
            Self::Assign => "Assign",
            Self::Share => "Share",
        }
    }
}

/// How far a privilege reaches; a higher level includes the lower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// Nowhere.
    #[default]
    None,
    /// Own records, those of one's teams, and what is shared with one or with them.
    User,
    /// Those of one's business unit too.
    BusinessUnit,
    /// Those of the units below it too.
    ParentChild,
    /// All.
    Organization,
}

impl Level {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [Self::None, Self::User, Self::BusinessUnit, Self::ParentChild, Self::Organization];

    /// Its word in files: `business-unit`.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::User => "user",
            Self::BusinessUnit => "business-unit",
            Self::ParentChild => "parent-child",
            Self::Organization => "organization",
        }
    }

    /// The level of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }

    /// The depth that clients know it by: 0 for a user's own, 3 for the organisation; none for none.
    pub fn depth(self) -> Option<u8> {
        (self as u8).checked_sub(1)
    }

    /// The level of such a depth.
    pub fn from_depth(depth: u8) -> Option<Self> {
        Self::ALL.get(usize::from(depth) + 1).copied()
    }
}

/// How far each privilege reaches on one entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Levels([Level; 8]);

impl Levels {
    /// The same level for every privilege.
    pub const fn all(level: Level) -> Self {
        Self([level; 8])
    }

    /// The level of `privilege`.
    pub fn get(&self, privilege: Privilege) -> Level {
        self.0[privilege as usize]
    }

    /// Sets the level of `privilege`.
    pub fn set(&mut self, privilege: Privilege, level: Level) {
        self.0[privilege as usize] = level;
    }

    /// The same with this level for `privilege`.
    #[must_use]
    pub fn with(mut self, privilege: Privilege, level: Level) -> Self {
        self.set(privilege, level);
        self
    }

    /// The higher of both levels for each privilege: roles add up.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let mut both = self;
        for (level, more) in both.0.iter_mut().zip(other.0) {
            *level = (*level).max(more);
        }
        both
    }

    /// Each privilege with its level, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Privilege, Level)> + '_ {
        Privilege::ALL.into_iter().zip(self.0)
    }

    /// Whether nothing is granted.
    pub fn is_none(&self) -> bool {
        self.0.iter().all(|level| *level == Level::None)
    }
}

/// The name of something that may be done with no record in particular: `execute-workflow-job`, or the privilege that
/// an action asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskName(SmolStr);

macro_rules! tasks {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $api:literal;)*) => {
        impl TaskName {
            $($(#[$doc])* pub const $name: Self = Self(SmolStr::new_static($word));)*

            /// The tasks that the engine itself asks for.
            pub const KNOWN: &[Self] = &[$(Self::$name),*];

            /// The names of the known ones as clients of Dynamics know them.
            const API_NAMES: &[&str] = &[$($api),*];
        }
    };
}

tasks! {
    /// Activate business process flows and task flows.
    ACTIVATE_FLOWS = "activate-business-process-flows", "prvActivateBusinessProcessFlow";
    /// Activate real-time workflows and actions.
    ACTIVATE_REAL_TIME = "activate-real-time-processes", "prvActivateSynchronousWorkflow";
    /// Start processes on demand.
    EXECUTE_WORKFLOW_JOB = "execute-workflow-job", "prvWorkflowExecution";
    /// Do something as another user; activate and deactivate the processes of others.
    ACT_ON_BEHALF = "act-on-behalf-of-another-user", "prvActOnBehalfOfAnotherUser";
    /// Apply solutions.
    APPLY_SOLUTIONS = "apply-solutions", "prvApplySolutions";
    /// Install, upgrade and take away plugins.
    INSTALL_PLUGINS = "install-plugins", "prvInstallPlugins";
    /// Make roles, give them, and issue tokens for others.
    MANAGE_SECURITY = "manage-security", "prvManageSecurity";
}

impl TaskName {
    /// The name in `text`: a lower-case letter, then lower-case letters, digits and `-`, at most 100 characters.
    pub fn parse(text: &str) -> Option<Self> {
        crate::ProcessName::parse(text).ok().map(|name| Self(name.as_str().into()))
    }

    /// What the roles of a task flow stand for: filling it in. No file can write this name.
    pub fn of_task_flow(flow: &crate::ProcessName) -> Self {
        Self(smol_str::format_smolstr!("task-flow:{flow}"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as clients know it: `prvWorkflowExecution`; `prv` and the words joined for those of actions.
    pub fn api_name(&self) -> SmolStr {
        if let Some(place) = Self::KNOWN.iter().position(|known| known == self) {
            return SmolStr::new_static(Self::API_NAMES[place]);
        }
        let mut name = SmolStrBuilder::new();
        name.push_str("prv");
        self.0.split('-').for_each(|word| push_capitalised(&mut name, word));
        name.finish()
    }
}

impl std::fmt::Display for TaskName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn push_capitalised(name: &mut SmolStrBuilder, word: &str) {
    let mut letters = word.chars();
    if let Some(first) = letters.next() {
        name.push(first.to_ascii_uppercase());
        name.push_str(letters.as_str());
    }
}

/// What a role grants to those who hold it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RolePrivileges {
    /// The levels by entity; an entity that is not named is out of reach.
    pub entities: BTreeMap<EntityName, Levels>,
    /// Tasks.
    pub tasks: BTreeSet<TaskName>,
}

/// What sharing a record grants: a set of privileges, create not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub struct Rights(u8);

impl Rights {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything that sharing can grant.
    pub const ALL: Self = Self(!Self::bit(Privilege::Create));

    const fn bit(privilege: Privilege) -> u8 {
        1 << privilege as u8
    }

    /// The right to `privilege`; nothing for create, which no record can grant.
    pub const fn of(privilege: Privilege) -> Self {
        Self(Self::bit(privilege) & Self::ALL.0)
    }

    /// The set in a stored byte; bits that mean nothing are left out.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// The set as a byte, a bit for each privilege in their order.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether `privilege` is in the set.
    pub const fn has(self, privilege: Privilege) -> bool {
        self.0 & Self::bit(privilege) != 0
    }

    /// Whether all of `other` is in the set.
    pub const fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their words: `read, write`.
    pub fn words(self) -> String {
        self.iter().map(Privilege::word).collect::<Vec<_>>().join(", ")
    }

    /// The privileges in the set, in their order.
    pub fn iter(self) -> impl Iterator<Item = Privilege> {
        Privilege::ALL.into_iter().filter(move |privilege| self.has(*privilege))
    }
}

impl FromIterator<Privilege> for Rights {
    fn from_iter<I: IntoIterator<Item = Privilege>>(privileges: I) -> Self {
        privileges.into_iter().map(Self::of).fold(Self::NONE, Self::union)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_privilege_has_a_name_that_leads_back_to_it() {
        for privilege in Privilege::ALL {
            assert_eq!(Privilege::from_word(privilege.word()), Some(privilege));
            assert_eq!(
                Privilege::from_api_name(&privilege.api_name("incident")),
                Some((privilege, SmolStr::new("incident")))
            );
        }
        assert_eq!(Privilege::AppendTo.api_name("incident"), "prvAppendToIncident");
        assert_eq!(Privilege::from_api_name("prvWrite"), None);
    }

    #[test]
    fn levels_are_ordered_and_have_their_depths() {
        let depths: Vec<_> = Level::ALL.into_iter().map(Level::depth).collect();
        assert_eq!(depths, [None, Some(0), Some(1), Some(2), Some(3)]);
        assert!(Level::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Level::from_depth(3), Some(Level::Organization));
        assert_eq!(Level::from_depth(4), None);
    }

    #[test]
    fn tasks_have_the_names_that_clients_know() {
        assert_eq!(TaskName::KNOWN.len(), TaskName::API_NAMES.len());
        assert_eq!(TaskName::EXECUTE_WORKFLOW_JOB.api_name(), "prvWorkflowExecution");
        assert_eq!(TaskName::parse("approve-credit").map(|task| task.api_name()).as_deref(), Some("prvApproveCredit"));
        assert_eq!(TaskName::parse("Approve credit"), None);
    }

    #[test]
    fn sharing_grants_no_create() {
        assert!(Rights::of(Privilege::Create).is_empty());
        assert!(!Rights::from_bits(0xff).has(Privilege::Create));
        let read_and_write: Rights = [Privilege::Read, Privilege::Write].into_iter().collect();
        assert_eq!(read_and_write.iter().collect::<Vec<_>>(), [Privilege::Read, Privilege::Write]);
        assert!(Rights::ALL.includes(read_and_write) && !read_and_write.includes(Rights::ALL));
    }

    #[test]
    fn roles_add_up() {
        let reader = Levels::default().with(Privilege::Read, Level::Organization);
        let clerk = Levels::all(Level::User);
        let both = reader.union(clerk);
        assert_eq!((both.get(Privilege::Read), both.get(Privilege::Write)), (Level::Organization, Level::User));
    }
}
