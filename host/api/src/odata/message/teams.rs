//! Who belongs to a team: members by the lists of their records.

use model::{RecordRef, Value, Verb, Way, starter};

use super::{Binding, Bound, Effect, Given, Kind, Message, given};
use crate::{
    odata::write::{Asked, link},
    problem::Denial,
};

const fn message(name: &'static str, run: fn(&Asked<'_>, &Bound<'_>, &Given) -> Result<Effect, Denial>) -> Message {
    Message { name, kind: Kind::Action, binding: Binding::Record("team"), parameters: &["Members"], run }
}

/// The messages of this group.
pub const MESSAGES: &[Message] = &[message("AddMembersTeam", add), message("RemoveMembersTeam", remove)];

/// Who is a member already stays one.
fn add(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let (team, way) = (bound.record()?, way(asked)?);
    let mut verbs = Vec::new();
    for user in members(asked, given)? {
        if membership(asked, way, team, user)?.is_none() {
            verbs.push(link(way, team, user));
        }
    }
    Ok(Effect::silent(verbs))
}

/// Who is no member stays none.
fn remove(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let (team, way) = (bound.record()?, way(asked)?);
    let mut verbs = Vec::new();
    for user in members(asked, given)? {
        let membership = membership(asked, way, team, user)?;
        verbs.extend(membership.map(|target| Verb::Delete { target, expected: None }));
    }
    Ok(Effect::silent(verbs))
}

fn way(asked: &Asked<'_>) -> Result<Way, Denial> {
    let way = asked.schema.way(asked.known(starter::TEAM)?, "teammembership_association");
    way.ok_or_else(|| Denial::malformed("teams have no members here"))
}

/// The users, each once.
fn members(asked: &Asked<'_>, given: &Given) -> Result<Vec<RecordRef>, Denial> {
    let mut users = Vec::new();
    for (place, member) in given.list("Members")?.iter().enumerate() {
        let place = format!("Members[{place}]");
        let user = given::record(asked, member, &format!("`{place}`"))?;
        if user.entity != starter::SYSTEM_USER {
            return Err(given.wrong(&place, "a user"));
        }
        if !users.contains(&user) {
            users.push(user);
        }
    }
    Ok(users)
}

fn membership(asked: &Asked<'_>, way: Way, team: RecordRef, user: RecordRef) -> Result<Option<RecordRef>, Denial> {
    let Way::Across { link, here, there, .. } = way else { return Ok(None) };
    let key = [(here, Value::Reference(team)), (there, Value::Reference(user))];
    Ok(asked.engine.by_key(asked.caller, link, &key)?.map(|record| record.reference()))
}
