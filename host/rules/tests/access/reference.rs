//! A plain model of who may do what: the sentences of the rule one by one, with no thought of speed. It shares nothing
//! with `rules::access` but the words, so that both can be wrong only in different ways.
//!
//! Used by the tests of the rule itself and by those of the engine, which build the same organisation from records.

use std::collections::BTreeSet;

use model::{Level, Privilege};
use proptest::{collection::vec, prelude::*, test_runner::FileFailurePersistence};

/// An organisation; everybody is known by a place in a list.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// The unit above each; the first has none.
    pub parents: Vec<Option<usize>>,
    pub users: Vec<User>,
    pub teams: Vec<Team>,
    /// What each role grants on the one entity of users and teams, and on the one of the organisation.
    pub roles: Vec<Role>,
    pub records: Vec<Record>,
}

#[derive(Clone, Debug)]
pub struct User {
    pub unit: usize,
    pub roles: BTreeSet<usize>,
    pub disabled: bool,
}

#[derive(Clone, Debug)]
pub struct Team {
    pub unit: usize,
    pub roles: BTreeSet<usize>,
    pub members: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
pub struct Role {
    /// In the order of `Privilege::ALL`.
    pub owned: [Level; 8],
    pub organisations: [Level; 8],
}

/// Who can own a record and be given a share of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    User(usize),
    Team(usize),
}

#[derive(Clone, Debug)]
pub enum Record {
    /// Owned, and shared with some.
    Owned { owner: Principal, shares: Vec<(Principal, BTreeSet<u8>)> },
    /// The organisation's.
    Organisations,
}

impl Organisation {
    /// Whether the user may do that to the record.
    pub fn may(&self, user: usize, privilege: Privilege, record: &Record) -> bool {
        if self.users[user].disabled {
            return false;
        }
        let of_user = self.users[user].roles.iter().any(|role| self.own_role(user, *role, privilege, record));
        let teams = (0..self.teams.len()).filter(|team| self.teams[*team].members.contains(&user));
        let mut of_team = teams.flat_map(|team| self.teams[team].roles.iter().map(move |role| (team, *role)));
        of_user || of_team.any(|(team, role)| self.team_role(team, role, privilege, record))
    }

    /// A role that the user holds himself reaches what is his, his teams', and shared with one of them.
    fn own_role(&self, user: usize, role: usize, privilege: Privilege, record: &Record) -> bool {
        let is_mine = |principal: Principal| match principal {
            Principal::User(other) => other == user,
            Principal::Team(team) => self.teams[team].members.contains(&user),
        };
        self.reaches(self.users[user].unit, role, privilege, record, is_mine)
    }

    /// A role that a team holds reaches what is that team's or shared with it, and counts in the team's unit.
    fn team_role(&self, team: usize, role: usize, privilege: Privilege, record: &Record) -> bool {
        self.reaches(self.teams[team].unit, role, privilege, record, |principal| principal == Principal::Team(team))
    }

    fn reaches(
        &self,
        unit: usize,
        role: usize,
        privilege: Privilege,
        record: &Record,
        is_mine: impl Fn(Principal) -> bool,
    ) -> bool {
        let Record::Owned { owner, shares } = record else {
            return self.roles[role].organisations[privilege as usize] == Level::Organization;
        };
        let of_record = self.unit_of(*owner);
        let is_basic = is_mine(*owner)
            || privilege != Privilege::Create
                && shares.iter().any(|(with, rights)| is_mine(*with) && rights.contains(&(privilege as u8)));
        match self.roles[role].owned[privilege as usize] {
            Level::None => false,
            Level::User => is_basic,
            Level::BusinessUnit => is_basic || of_record == unit,
            Level::ParentChild => is_basic || self.is_within(of_record, unit),
            Level::Organization => true,
        }
    }

    pub fn unit_of(&self, principal: Principal) -> usize {
        match principal {
            Principal::User(user) => self.users[user].unit,
            Principal::Team(team) => self.teams[team].unit,
        }
    }

    pub fn is_within(&self, unit: usize, above: usize) -> bool {
        unit == above || self.parents[unit].is_some_and(|parent| self.is_within(parent, above))
    }
}

fn level() -> impl Strategy<Value = Level> {
    proptest::sample::select(&Level::ALL[..])
}

/// Half of all privileges reach nothing, so that not everything is allowed by some role.
fn levels() -> impl Strategy<Value = [Level; 8]> {
    proptest::array::uniform8(prop_oneof![2 => Just(Level::None), 3 => level()])
}

fn some_of(most: usize, length: usize) -> impl Strategy<Value = BTreeSet<usize>> {
    proptest::collection::btree_set(0..length, 0..=most.min(length))
}

/// Any small organisation with some records.
pub fn organisation() -> impl Strategy<Value = Organisation> {
    let sizes = (1..6_usize, 1..5_usize, 0..4_usize, 1..4_usize);
    sizes.prop_flat_map(|(units, users, teams, roles)| {
        // A unit stands below one that comes before it, so there are no circles.
        let parents: Vec<_> = (0..units)
            .map(|unit| match unit {
                0 => Just(None).boxed(),
                unit => (0..unit).prop_map(Some).boxed(),
            })
            .collect();
        let user = (0..units, some_of(2, roles), proptest::bool::weighted(0.1))
            .prop_map(|(unit, roles, disabled)| User { unit, roles, disabled });
        let team = (0..units, some_of(2, roles), some_of(users, users)).prop_map(|(unit, roles, members)| Team {
            unit,
            roles,
            members,
        });
        let organisations = levels()
            .prop_map(|levels| levels.map(|level| if level > Level::User { Level::Organization } else { Level::None }));
        let role = (levels(), organisations).prop_map(|(owned, organisations)| Role { owned, organisations });
        let principal = (0..users + teams).prop_map(move |place| match place.checked_sub(users) {
            None => Principal::User(place),
            Some(team) => Principal::Team(team),
        });
        let rights = proptest::collection::btree_set(1..8_u8, 1..4);
        let owned = (principal.clone(), vec((principal, rights), 0..3)).prop_map(|(owner, shares)| {
            // One share for each principal, as the store keeps them.
            let mut with = BTreeSet::new();
            let shares = shares.into_iter().filter(|(principal, _)| with.insert(*principal)).collect();
            Record::Owned { owner, shares }
        });
        let record = prop_oneof![5 => owned, 1 => Just(Record::Organisations)];
        (parents, vec(user, users), vec(team, teams), vec(role, roles), vec(record, 1..8))
            .prop_map(|(parents, users, teams, roles, records)| Organisation { parents, users, teams, roles, records })
    })
}

/// How many organisations a run tries: a few hundred, more for a release (`STEPWISE_ORGANISATIONS`).
pub fn cases(usual: u32) -> ProptestConfig {
    let wanted = std::env::var("STEPWISE_ORGANISATIONS").ok().and_then(|text| text.parse().ok());
    // Found counterexamples are kept beside the test and tried first.
    let failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("cases")) as _);
    ProptestConfig { cases: wanted.unwrap_or(usual), failure_persistence, ..ProptestConfig::default() }
}
