//! Reads what comes after `/api/data/v9.x/`: entity sets, keys, members, messages, and the query options.
//!
//! Called by `odata` for each request and by `write` for the addresses in `@odata.bind`. Of the schema it is told only
//! which names are sets; whether there is such a member or key is decided where the entity is known.

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::problem::Denial;

/// What a path names.
#[derive(Clone, Debug, PartialEq)]
pub enum Resource {
    /// The list of entity sets.
    Service,
    /// The description of the schema.
    Metadata,
    /// Several requests in one.
    Batch,
    /// What the schema says of entities, by the segments of the path.
    Definitions(Vec<String>),
    /// All records of a set.
    Set(String),
    /// How many records a set has.
    Count(String),
    /// One record.
    Record(Address),
    /// Something behind a record: a property, a navigation, or a message bound to it.
    Member(Member),
    /// A message that is bound to nothing.
    Message(Called),
    /// A message bound to a set.
    SetMessage(String, Called),
}

/// One record by its set and its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    /// The name of the set.
    pub set: String,
    /// Which record.
    pub key: Key,
}

/// Something behind a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The record.
    pub of: Address,
    /// The name of it, with arguments where it is a message.
    pub called: Called,
    /// What of it is meant.
    pub part: Part,
}

/// What of a navigation is meant.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// The thing itself.
    Whole,
    /// Its value as plain text.
    Value,
    /// How many there are.
    Count,
    /// The link itself, not what it leads to.
    Link,
    /// The link to this one of several.
    LinkTo(Key),
}

/// A name as a path has it, which may be that of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// The name without the namespace of Dynamics.
    pub name: String,
    /// Whether the namespace stood before it, so that it can only be a message.
    pub qualified: bool,
    /// Name and text of each argument; absent without parentheses.
    pub arguments: Option<Vec<(String, String)>>,
}

/// What stands between the parentheses.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// The record's identity.
    Id(Uuid),
    /// Attributes with their values: an alternate key, or the identity by its name.
    Named(Vec<(String, Literal)>),
}

/// A value in a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// It stood in quotes.
    Quoted(String),
    /// It stood as it is: a number, `true`, a GUID, a date.
    Bare(String),
}

impl Literal {
    /// The text, with or without quotes.
    pub fn text(&self) -> &str {
        match self {
            Self::Quoted(text) | Self::Bare(text) => text,
        }
    }
}

/// The namespace that every type and message of the dialect has.
pub const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";

/// Reads a path, still escaped, without the part up to the version. Empty segments are skipped, because one of
/// Microsoft's samples sends them. `is_set` knows the entity sets: what else stands first is a message.
pub fn resource(escaped: &str, is_set: impl Fn(&str) -> bool) -> Result<Resource, Denial> {
    let path = decoded(escaped, "the path")?;
    let segments: Vec<&str> = split(&path, '/').into_iter().filter(|part| !part.is_empty()).collect();
    let unknown = || Denial::no_resource(format!("there is nothing at `{path}`"));
    let (first, rest) = match segments.as_slice() {
        [] => return Ok(Resource::Service),
        ["$metadata"] => return Ok(Resource::Metadata),
        ["$batch"] => return Ok(Resource::Batch),
        [first, rest @ ..] if named(first)?.0 == "EntityDefinitions" => {
            return Ok(Resource::Definitions([first].into_iter().chain(rest).map(|part| (*part).to_owned()).collect()));
        }
        [first, rest @ ..] => (single(first, is_set)?, rest),
    };
    match (first, rest) {
        (resource, []) => Ok(resource),
        (Resource::Set(set), ["$count"]) => Ok(Resource::Count(set)),
        (Resource::Set(set), [name]) if !name.starts_with('$') => Ok(Resource::SetMessage(set, called(name)?)),
        (Resource::Record(of), [name, rest @ ..]) if !name.starts_with('$') => {
            member(of, name, rest)?.map(Resource::Member).ok_or_else(unknown)
        }
        (Resource::Record(of), ["$ref"]) => Ok(Resource::Record(of)),
        _ => Err(unknown()),
    }
}

fn member(of: Address, name: &str, rest: &[&str]) -> Result<Option<Member>, Denial> {
    let (bare, inner) = named(name)?;
    let part = match (rest, inner) {
        ([], _) => Part::Whole,
        (["$value"], None) => Part::Value,
        (["$count"], None) => Part::Count,
        (["$ref"], None) => Part::Link,
        (["$ref"], Some(inner)) => {
            let called = Called { name: bare.to_owned(), qualified: false, arguments: None };
            return Ok(Some(Member { of, called, part: Part::LinkTo(key(inner)?) }));
        }
        _ => return Ok(None),
    };
    Ok(Some(Member { of, called: called(name)?, part }))
}

/// Reads the address of a record as `@odata.bind` has it: relative with or without a leading slash, or absolute.
pub fn address(text: &str) -> Result<Address, Denial> {
    let relative = match text.find("/api/data/v") {
        Some(at) => text[at + "/api/data/v".len()..].split_once('/').map_or("", |(_, rest)| rest),
        None if text.contains("://") => return Err(bad_address(text)),
        None => text,
    };
    match resource(relative, |_| true)? {
        Resource::Record(address) => Ok(address),
        _ => Err(bad_address(text)),
    }
}

/// Reads the query part: `$` may be escaped, `+` is a space.
pub fn options(escaped: Option<&str>) -> Result<Vec<(String, String)>, Denial> {
    let mut options: Vec<(String, String)> = Vec::new();
    for pair in escaped.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(&name.replace('+', " "), "the query")?;
        let value = decoded(&value.replace('+', " "), "the query")?;
        if options.iter().any(|(known, _)| *known == name) {
            return Err(Denial::malformed(format!("`{name}` stands twice in the query")));
        }
        options.push((name, value));
    }
    Ok(options)
}

fn single(segment: &str, is_set: impl Fn(&str) -> bool) -> Result<Resource, Denial> {
    let (name, inner) = named(segment)?;
    match inner {
        None if is_set(name) => Ok(Resource::Set(name.to_owned())),
        Some(inner) if is_set(name) && !inner.trim().is_empty() => {
            Ok(Resource::Record(Address { set: name.to_owned(), key: key(inner)? }))
        }
        // Nothing but a record is named by one value alone.
        Some(inner) if !inner.trim().is_empty() && !outside_quotes(inner).any(|(_, letter)| letter == '=') => {
            Ok(Resource::Record(Address { set: name.to_owned(), key: key(inner)? }))
        }
        _ => called(segment).map(Resource::Message),
    }
}

/// The name before the parentheses, and what stands between them.
fn named(segment: &str) -> Result<(&str, Option<&str>), Denial> {
    match segment.split_once('(') {
        None => Ok((segment, None)),
        Some((name, rest)) => match rest.strip_suffix(')') {
            Some(inner) => Ok((name, Some(inner))),
            None => Err(Denial::malformed(format!("`{segment}` lacks its closing parenthesis"))),
        },
    }
}

fn called(segment: &str) -> Result<Called, Denial> {
    let (name, inner) = named(segment)?;
    let argument = |part: &str| match part.split_once('=') {
        Some((name, text)) => Ok((name.trim().to_owned(), text.trim().to_owned())),
        None => Err(Denial::malformed(format!("the argument `{part}` of `{name}` is not `name=value`"))),
    };
    let arguments = inner.map(|inner| match inner.trim().is_empty() {
        true => Ok(Vec::new()),
        false => split(inner, ',').into_iter().map(argument).collect::<Result<_, _>>(),
    });
    let bare = name.strip_prefix(NAMESPACE);
    let arguments = arguments.transpose()?;
    Ok(Called { name: bare.unwrap_or(name).to_owned(), qualified: bare.is_some(), arguments })
}

fn key(text: &str) -> Result<Key, Denial> {
    let parts = split(text, ',');
    if let [one] = parts.as_slice()
        && !outside_quotes(one).any(|(_, letter)| letter == '=')
    {
        let literal = literal(one)?;
        return Uuid::parse_str(literal.text())
            .map(Key::Id)
            .map_err(|_| Denial::malformed(format!("`{one}` is neither a GUID nor `attribute=value`")));
    }
    let named = parts.iter().map(|part| {
        let at = outside_quotes(part).find(|(_, letter)| *letter == '=').map(|(at, _)| at);
        let at = at.ok_or_else(|| Denial::malformed(format!("`{part}` in a key is not `attribute=value`")))?;
        Ok((part[..at].trim().to_owned(), literal(&part[at + 1..])?))
    });
    named.collect::<Result<_, _>>().map(Key::Named)
}

fn literal(text: &str) -> Result<Literal, Denial> {
    let text = text.trim();
    match text.strip_prefix('\'') {
        None if text.is_empty() => Err(Denial::malformed("a key has an empty value")),
        None => Ok(Literal::Bare(text.to_owned())),
        Some(rest) => match rest.strip_suffix('\'') {
            Some(inner) => Ok(Literal::Quoted(inner.replace("''", "'"))),
            None => Err(Denial::malformed(format!("{text} lacks its closing quote"))),
        },
    }
}

/// Every character that is not within quotes, with its place; a doubled quote closes and opens again.
pub fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quoted = false;
    text.char_indices().filter(move |(_, letter)| {
        quoted ^= *letter == '\'';
        !quoted && *letter != '\''
    })
}

/// Splits at separators that stand neither in quotes nor in brackets of any kind.
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (at, letter) in outside_quotes(text) {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ if letter == separator && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn decoded(escaped: &str, what: &str) -> Result<String, Denial> {
    let text = percent_decode_str(escaped).decode_utf8();
    text.map(Into::into).map_err(|_| Denial::malformed(format!("{what} is not UTF-8 after unescaping")))
}

fn bad_address(text: &str) -> Denial {
    Denial::malformed(format!("`{text}` is no address of a record: write `/set(id)` or `/set(key=value)`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0192f5a0-0000-7000-8000-000000000001";

    fn id() -> Key {
        Key::Id(Uuid::parse_str(ID).expect("a GUID"))
    }

    fn named(name: &str, literal: Literal) -> Key {
        Key::Named(vec![(name.into(), literal)])
    }

    fn read(path: &str) -> Result<Resource, Denial> {
        resource(path, |name| matches!(name, "accounts" | "complaints" | "systemusers"))
    }

    #[track_caller]
    fn check(path: &str, expected: Resource) {
        assert_eq!(read(path).expect(path), expected, "{path}");
    }

    fn account() -> Address {
        Address { set: "accounts".into(), key: id() }
    }

    fn call(name: &str, arguments: Option<&[(&str, &str)]>) -> Called {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let arguments = arguments.map(|list| list.iter().map(owned).collect());
        Called { name: name.into(), qualified: false, arguments }
    }

    fn behind(called: Called, part: Part) -> Resource {
        Resource::Member(Member { of: account(), called, part })
    }

    #[test]
    fn a_path_names_a_set_a_record_a_count_or_a_member() {
        check("", Resource::Service);
        check("$metadata", Resource::Metadata);
        check("%24metadata", Resource::Metadata);
        check("$batch", Resource::Batch);
        check("accounts", Resource::Set("accounts".into()));
        check("accounts/$count", Resource::Count("accounts".into()));
        check(&format!("accounts({ID})"), Resource::Record(account()));
        check(&format!("accounts('{ID}')"), Resource::Record(account()));
        check(&format!("accounts({ID})/name"), behind(call("name", None), Part::Whole));
        check(&format!("accounts({ID})/contacts/$count"), behind(call("contacts", None), Part::Count));
        check(&format!("accounts({ID})/contacts/$ref"), behind(call("contacts", None), Part::Link));
        check(&format!("accounts({ID})/contacts({ID})/$ref"), behind(call("contacts", None), Part::LinkTo(id())));
        let one = |name: &str| Resource::Definitions(vec![name.to_owned(), "Attributes".into()]);
        check("EntityDefinitions(LogicalName='account')/Attributes", one("EntityDefinitions(LogicalName='account')"));
    }

    #[test]
    fn what_is_no_set_is_a_message_with_or_without_parentheses_and_namespace() {
        check("WhoAmI", Resource::Message(call("WhoAmI", None)));
        check("WhoAmI()", Resource::Message(call("WhoAmI", Some(&[]))));
        let names = call("RetrieveTotalRecordCount", Some(&[("EntityNames", "['a','b']")]));
        check("RetrieveTotalRecordCount(EntityNames=['a','b'])", Resource::Message(names));
        let access = call("RetrievePrincipalAccess", Some(&[("Target", "@p1")]));
        check(&format!("accounts({ID})/RetrievePrincipalAccess(Target=@p1)"), behind(access, Part::Whole));
        let several = Called { qualified: true, ..call("CreateMultiple", None) };
        check("accounts/Microsoft.Dynamics.CRM.CreateMultiple", Resource::SetMessage("accounts".into(), several));
    }

    #[test]
    fn double_slashes_collapse() {
        check(&format!("/accounts({ID})"), Resource::Record(Address { set: "accounts".into(), key: id() }));
        check("accounts//$count", Resource::Count("accounts".into()));
    }

    #[test]
    fn an_alternate_key_may_hold_quotes_slashes_and_commas() {
        let record = |key| Resource::Record(Address { set: "accounts".into(), key });
        check("complaints(sourcerow=17)", {
            let key = named("sourcerow", Literal::Bare("17".into()));
            Resource::Record(Address { set: "complaints".into(), key })
        });
        let quoted = named("accountnumber", Literal::Quoted("O'Neil/A,1=2".into()));
        check("accounts(accountnumber='O''Neil%2FA%2C1=2')", record(quoted));
        let two = Key::Named(vec![("a".into(), Literal::Quoted("1".into())), ("b".into(), Literal::Bare("2".into()))]);
        check("accounts(a='1',b=2)", record(two));
    }

    #[test]
    fn what_names_nothing_is_refused_with_its_text() {
        for path in
            ["accounts(", "accounts(1", "accounts(17)", "a/b/c", "accounts/$x", "accounts('x)", "%ff", "x(1=2)/y"]
        {
            assert!(read(path).is_err(), "{path}");
        }
    }

    #[test]
    fn an_address_is_relative_or_absolute() {
        let expected = Address { set: "contacts".into(), key: id() };
        for text in [
            format!("/contacts({ID})"),
            format!("contacts({ID})"),
            format!("https://crm.example/sub/api/data/v9.2/contacts({ID})"),
            format!("http://localhost:8420/api/data/v9.2//contacts({ID})"),
        ] {
            assert_eq!(address(&text).expect(&text), expected, "{text}");
        }
        for text in ["https://crm.example/contacts", "/contacts", ""] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_query_decodes_plus_and_escaped_dollars() {
        let options = options(Some("%24filter=contains(name,+'A%2BB')&$top=5&$select=name")).expect("options");
        let expected = [("$filter", "contains(name, 'A+B')"), ("$top", "5"), ("$select", "name")];
        assert_eq!(options, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(super::options(Some("$top=1&%24top=2")).is_err());
    }
}
