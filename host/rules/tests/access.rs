//! Who may do what, asked in every way: a table of each privilege, level and relation, and random organisations against
//! a plain model of the rule.

#[path = "access/reference.rs"]
mod reference;

use std::collections::{BTreeSet, HashMap};

use model::{EntityId, Level, Levels, Privilege, RecordId, RecordRef, Rights, starter};
use proptest::prelude::*;
use reference::{Organisation, Principal, Record, Role, Team, User};
use rules::access::{Ask, Granted, Holding, Profile, Reach, Seat, Standing};
use uuid::Uuid;

/// An entity whose records have owners.
const OWNED: EntityId = EntityId(64);
/// One whose records are the organisation's.
const ORGANISATIONS: EntityId = EntityId(65);

fn unit_id(unit: usize) -> RecordId {
    RecordId(Uuid::from_u128(0x1_0000 + unit as u128))
}

fn reference(principal: Principal) -> RecordRef {
    match principal {
        Principal::User(user) => RecordRef::new(starter::SYSTEM_USER, RecordId(Uuid::from_u128(user as u128))),
        Principal::Team(team) => RecordRef::new(starter::TEAM, RecordId(Uuid::from_u128(team as u128))),
    }
}

fn granted(organisation: &Organisation, roles: &BTreeSet<usize>) -> Granted {
    let levels = |levels: [Level; 8]| {
        Privilege::ALL
            .into_iter()
            .fold(Levels::default(), |all, privilege| all.with(privilege, levels[privilege as usize]))
    };
    let mut sum = Granted::default();
    for role in roles {
        let Role { owned, organisations } = &organisation.roles[*role];
        let entities = HashMap::from([(OWNED, levels(*owned)), (ORGANISATIONS, levels(*organisations))]);
        sum.add(&Granted { entities, ..Granted::default() });
    }
    sum
}

fn profile(organisation: &Organisation, user: usize) -> Profile {
    let units = 0..organisation.parents.len();
    let below = |above: usize| units.clone().filter(|unit| organisation.is_within(*unit, above)).map(unit_id).collect();
    let User { unit, roles, disabled } = &organisation.users[user];
    let me = reference(Principal::User(user));
    let teams = || organisation.teams.iter().enumerate().filter(|(_, team)| team.members.contains(&user));
    let mine = std::iter::once(me).chain(teams().map(|(team, _)| reference(Principal::Team(team)))).collect();
    let own = Seat::new(me, mine, Some(unit_id(*unit)), granted(organisation, roles)).with_units_below(below(*unit));
    let seats = teams().map(|(team, Team { unit, roles, .. })| {
        let team = reference(Principal::Team(team));
        Seat::new(team, vec![team], Some(unit_id(*unit)), granted(organisation, roles)).with_units_below(below(*unit))
    });
    Profile::new(me, *disabled, std::iter::once(own).chain(seats).collect())
}

/// What is asked of a record, where it stands, and with whom it is shared.
fn question(
    organisation: &Organisation,
    privilege: Privilege,
    record: &Record,
) -> (Ask, Standing, Vec<(RecordRef, Rights)>) {
    let rights = |rights: &BTreeSet<u8>| rights.iter().map(|place| Privilege::ALL[usize::from(*place)]).collect();
    match record {
        Record::Organisations => {
            let ask = Ask { entity: ORGANISATIONS, holding: Holding::Organization, privilege };
            (ask, Standing::default(), Vec::new())
        }
        Record::Owned { owner, shares } => {
            let standing =
                Standing { owner: Some(reference(*owner)), unit: Some(unit_id(organisation.unit_of(*owner))) };
            let shares = shares.iter().map(|(with, granted)| (reference(*with), rights(granted))).collect();
            (Ask { entity: OWNED, holding: Holding::Owned, privilege }, standing, shares)
        }
    }
}

/// Whether the profile reaches the record, asked directly and by the reach that queries use; both must agree.
fn reached(organisation: &Organisation, user: usize, privilege: Privilege, record: &Record) -> bool {
    let profile = profile(organisation, user);
    let (ask, standing, shares) = question(organisation, privilege, record);
    let direct = profile.covers(ask, &standing) || profile.covers_shared(ask, &shares);
    if let Record::Owned { owner, shares } = record {
        let by_reach = match profile.reach(ask) {
            Reach::Nothing => false,
            Reach::Everything => true,
            Reach::Some { owners, units } => {
                owners.contains(&reference(*owner))
                    || standing.unit.is_some_and(|unit| units.contains(&unit))
                    || shares.iter().any(|(with, granted)| {
                        owners.contains(&reference(*with)) && granted.contains(&(privilege as u8))
                    })
            }
        };
        assert_eq!(direct, by_reach, "a query would not see what a read does");
    }
    if privilege != Privilege::Create {
        let rights = profile.rights(ask.entity, ask.holding, &standing, &shares);
        assert_eq!(rights.has(privilege), direct, "the rights told are those that hold");
    }
    direct
}

proptest! {
    #![proptest_config(reference::cases(300))]

    #[test]
    fn random_organisations_agree_with_the_plain_model(organisation in reference::organisation()) {
        for user in 0..organisation.users.len() {
            for privilege in Privilege::ALL {
                for record in &organisation.records {
                    let expected = organisation.may(user, privilege, record);
                    let found = reached(&organisation, user, privilege, record);
                    prop_assert_eq!(found, expected, "user {}, {:?}, {:?}", user, privilege, record);
                }
            }
        }
    }
}

/// Units: 0 the root, 1 the user's, 2 below it, 3 below that, 4 beside it, 5 below 4.
const PARENTS: [Option<usize>; 6] = [None, Some(0), Some(1), Some(2), Some(0), Some(4)];

/// Users: 0 who asks, then one in each unit. Team 0 is his and sits in unit 4, team 1 is not his.
fn small(own: Level, of_team: Level) -> Organisation {
    let user = |unit, roles: &[usize]| User { unit, roles: roles.iter().copied().collect(), disabled: false };
    let team = |unit, roles: &[usize], members: &[usize]| Team {
        unit,
        roles: roles.iter().copied().collect(),
        members: members.iter().copied().collect(),
    };
    let role = |level| Role { owned: [level; 8], organisations: [level; 8] };
    Organisation {
        parents: PARENTS.to_vec(),
        users: std::iter::once(user(1, &[0])).chain((0..6).map(|unit| user(unit, &[]))).collect(),
        teams: vec![team(4, &[1], &[0]), team(1, &[], &[1])],
        roles: vec![role(own), role(of_team)],
        records: Vec::new(),
    }
}

fn owned_by(owner: Principal, shared_with: Option<Principal>) -> Record {
    let all = (1..8).collect::<BTreeSet<u8>>();
    Record::Owned { owner, shares: shared_with.map(|with| (with, all)).into_iter().collect() }
}

/// Somebody else, in this unit.
fn of_unit(unit: usize) -> Record {
    owned_by(Principal::User(unit + 1), None)
}

/// The table: for each relation of record to user, whether the levels none, user, business unit, parent-child and
/// organisation reach it; `s`: but for create, which no share can give.
fn check(table: &[(&str, &str)], organisation: impl Fn(Level) -> Organisation) {
    for (relation, expected) in table {
        let record = match *relation {
            "own" => owned_by(Principal::User(0), None),
            "of my team" => owned_by(Principal::Team(0), None),
            "of a team in my unit" => owned_by(Principal::Team(1), None),
            "of my unit" => of_unit(1),
            "of the unit below" => of_unit(2),
            "of the one below that" => of_unit(3),
            "of the unit beside" => of_unit(4),
            "of the one below that beside" => of_unit(5),
            "of the unit above" => of_unit(0),
            "shared with me" => owned_by(Principal::User(1), Some(Principal::User(0))),
            "shared with my team" => owned_by(Principal::User(1), Some(Principal::Team(0))),
            "shared with others" => owned_by(Principal::User(1), Some(Principal::User(2))),
            "of the organisation" => Record::Organisations,
            other => panic!("there is no relation `{other}`"),
        };
        for (level, mark) in Level::ALL.into_iter().zip(expected.chars()) {
            for privilege in Privilege::ALL {
                let organisation = organisation(level);
                let expected = mark == 'x' || mark == 's' && privilege != Privilege::Create;
                let found = reached(&organisation, 0, privilege, &record);
                assert_eq!(found, expected, "{} {} at {level:?}", privilege.word(), relation);
                assert_eq!(organisation.may(0, privilege, &record), expected, "the plain model: {relation} {level:?}");
            }
        }
    }
}

#[test]
fn each_level_of_an_own_role_reaches_so_far() {
    let table = [
        ("own", "-xxxx"),
        ("of my team", "-xxxx"),
        ("of a team in my unit", "--xxx"),
        ("of my unit", "--xxx"),
        ("of the unit below", "---xx"),
        ("of the one below that", "---xx"),
        ("of the unit beside", "----x"),
        ("of the one below that beside", "----x"),
        ("of the unit above", "----x"),
        ("shared with me", "-sssx"),
        ("shared with my team", "-sssx"),
        ("shared with others", "----x"),
        ("of the organisation", "----x"),
    ];
    check(&table, |level| small(level, Level::None));
}

#[test]
fn each_level_of_a_teams_role_reaches_so_far_from_the_teams_unit() {
    let table = [
        ("own", "----x"),
        ("of my team", "-xxxx"),
        ("of a team in my unit", "----x"),
        ("of my unit", "----x"),
        ("of the unit below", "----x"),
        ("of the unit beside", "--xxx"),
        ("of the one below that beside", "---xx"),
        ("of the unit above", "----x"),
        ("shared with me", "----x"),
        ("shared with my team", "-sssx"),
        ("shared with others", "----x"),
        ("of the organisation", "----x"),
    ];
    check(&table, |level| small(Level::None, level));
}

#[test]
fn roles_add_up_and_a_disabled_user_may_nothing() {
    let mut organisation = small(Level::User, Level::BusinessUnit);
    let (mine, beside) = (owned_by(Principal::User(0), None), of_unit(4));
    for record in [&mine, &beside] {
        assert!(reached(&organisation, 0, Privilege::Write, record));
    }
    organisation.users[0].disabled = true;
    for record in [&mine, &beside] {
        assert!(!reached(&organisation, 0, Privilege::Write, record));
    }
}

#[test]
fn users_teams_and_units_are_held_by_units() {
    let mut organisation = small(Level::User, Level::None);
    organisation.roles[0].organisations = [Level::None; 8];
    let me = reference(Principal::User(0));
    let holding = Holding::of(starter::SYSTEM_USER, false);
    let standing = |who: RecordRef, unit| Standing { owner: Some(who), unit: Some(unit_id(unit)) };
    let ask = Ask { entity: starter::SYSTEM_USER, holding, privilege: Privilege::Write };
    for (level, expected) in [(Level::User, [true, false, false]), (Level::BusinessUnit, [true, true, false])] {
        let entities = HashMap::from([(starter::SYSTEM_USER, Levels::all(level))]);
        let seat = Seat::new(me, vec![me], Some(unit_id(1)), Granted { entities, ..Granted::default() });
        let profile = Profile::new(me, false, vec![seat]);
        let (near, far) = (reference(Principal::User(2)), reference(Principal::User(5)));
        let found = [(me, 1), (near, 1), (far, 4)].map(|(who, unit)| profile.covers(ask, &standing(who, unit)));
        assert_eq!(found, expected, "{level:?}");
    }
}
