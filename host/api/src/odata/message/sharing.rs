//! Sharing: what a user or a team may do with one record beside what roles give.

use model::{Privilege, RecordRef, Rights, Verb};
use serde_json::{Value as Json, json};

use super::{Binding, Bound, Effect, Given, Kind, Message, given};
use crate::{
    odata::{url::NAMESPACE, write::Asked},
    problem::Denial,
};

const fn action(
    name: &'static str,
    parameters: &'static [&'static str],
    run: fn(&Asked<'_>, &Bound<'_>, &Given) -> Result<Effect, Denial>,
) -> Message {
    Message { name, kind: Kind::Action, binding: Binding::None, parameters, run }
}

/// The messages of this group.
pub const MESSAGES: &[Message] = &[
    action("GrantAccess", &["Target", "PrincipalAccess"], grant),
    action("ModifyAccess", &["Target", "PrincipalAccess"], modify),
    action("RevokeAccess", &["Target", "Revokee"], revoke),
    Message {
        name: "RetrievePrincipalAccess",
        kind: Kind::Function,
        binding: Binding::Principal,
        parameters: &["Target"],
        run: access,
    },
    Message {
        name: "RetrieveSharedPrincipalsAndAccess",
        kind: Kind::Function,
        binding: Binding::None,
        parameters: &["Target"],
        run: shared,
    },
];

/// Names and numbers of rights, in the order of the privileges.
const MASKS: [(&str, u32, Privilege); 7] = [
    ("ReadAccess", 1, Privilege::Read),
    ("WriteAccess", 2, Privilege::Write),
    ("DeleteAccess", 65_536, Privilege::Delete),
    ("AppendAccess", 4, Privilege::Append),
    ("AppendToAccess", 16, Privilege::AppendTo),
    ("AssignAccess", 524_288, Privilege::Assign),
    ("ShareAccess", 262_144, Privilege::Share),
];

/// On top of what the principal has by sharing.
fn grant(asked: &Asked<'_>, _: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let target = given.record(asked, "Target")?;
    let (principal, rights) = principal_access(asked, given)?;
    Ok(Effect::silent(vec![Verb::Share { target, principal, rights }]))
}

/// In place of what the principal has by sharing.
fn modify(asked: &Asked<'_>, _: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let target = given.record(asked, "Target")?;
    let (principal, rights) = principal_access(asked, given)?;
    let mut verbs = vec![Verb::Unshare { target, principal }];
    if !rights.is_empty() {
        verbs.push(Verb::Share { target, principal, rights });
    }
    Ok(Effect::silent(verbs))
}

fn revoke(asked: &Asked<'_>, _: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let (target, principal) = (given.record(asked, "Target")?, given.record(asked, "Revokee")?);
    Ok(Effect::silent(vec![Verb::Unshare { target, principal }]))
}

fn access(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let rights = asked.engine.rights_of(asked.caller, bound.record()?, given.record(asked, "Target")?)?;
    Ok(Effect::Answer(json!({ "AccessRights": words(rights) })))
}

fn shared(asked: &Asked<'_>, _: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let shares = asked.engine.shares_of(asked.caller, given.record(asked, "Target")?)?;
    let one = |(principal, rights): &(RecordRef, Rights)| {
        let name = asked.schema.name_of(principal.entity);
        json!({
            "AccessMask": words(*rights),
            "Principal": {
                "@odata.type": format!("#{NAMESPACE}{name}"),
                format!("{name}id"): principal.id.to_string(),
            },
        })
    };
    Ok(Effect::Answer(json!({ "PrincipalAccesses": shares.iter().map(one).collect::<Vec<_>>() })))
}

/// `ReadAccess, WriteAccess`; `None` for nothing.
fn words(rights: Rights) -> String {
    let held = MASKS.iter().filter(|(_, _, privilege)| rights.has(*privilege)).map(|(name, _, _)| *name);
    let held: Vec<&str> = held.collect();
    if held.is_empty() { "None".to_owned() } else { held.join(", ") }
}

/// `{"Principal": record, "AccessMask": "ReadAccess, WriteAccess"}`
fn principal_access(asked: &Asked<'_>, given: &Given) -> Result<(RecordRef, Rights), Denial> {
    let fields = given.object("PrincipalAccess")?;
    let lacks = |name: &str| Denial::malformed(format!("`PrincipalAccess` lacks its `{name}`"));
    let principal = fields.get("Principal").ok_or_else(|| lacks("Principal"))?;
    let principal = given::record(asked, principal, "`Principal` of `PrincipalAccess`")?;
    Ok((principal, mask(fields.get("AccessMask").ok_or_else(|| lacks("AccessMask"))?)?))
}

/// Rights by their names with commas between, or as the sum of their numbers.
fn mask(json: &Json) -> Result<Rights, Denial> {
    let unknown = |word: &str| {
        let known: Vec<&str> = MASKS.iter().map(|(name, _, _)| *name).collect();
        Denial::malformed(format!("there is no right `{word}` to share: there are {}", known.join(", ")))
    };
    match json {
        Json::Number(number) => {
            let sum = number.as_u64().and_then(|sum| u32::try_from(sum).ok());
            let all = MASKS.iter().fold(0, |all, (_, bit, _)| all | bit);
            let sum = sum.filter(|sum| sum & !all == 0).ok_or_else(|| unknown(&number.to_string()))?;
            Ok(MASKS.iter().filter(|(_, bit, _)| sum & bit != 0).map(|(_, _, privilege)| *privilege).collect())
        }
        Json::String(words) => {
            let words = words.split(',').map(str::trim).filter(|word| !word.is_empty() && *word != "None");
            let right = |word: &str| {
                let known = MASKS.iter().find(|(name, _, _)| *name == word);
                known.map(|(_, _, privilege)| *privilege).ok_or_else(|| unknown(word))
            };
            words.map(right).collect()
        }
        _ => Err(Denial::malformed("`AccessMask` is a text such as `ReadAccess, WriteAccess`, or a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_named_or_summed_and_read_back() {
        let both: Rights = [Privilege::Read, Privilege::Delete].into_iter().collect();
        assert_eq!(mask(&json!("ReadAccess,DeleteAccess")).expect("rights"), both);
        assert_eq!(mask(&json!(65_537)).expect("rights"), both);
        assert_eq!(words(both), "ReadAccess, DeleteAccess");
        assert_eq!((words(Rights::NONE), mask(&json!("None")).expect("rights")), ("None".to_owned(), Rights::NONE));
        assert!(mask(&json!("CreateAccess")).is_err() && mask(&json!(32)).is_err() && mask(&json!(true)).is_err());
    }
}
