//! Reads what comes after `/api/data/v9.x/`: entity sets, keys, properties, and the query options.
//!
//! Called by `odata` for each request and by `write` for the addresses in `@odata.bind`. It knows names only as text:
//! whether there is such a set or key is decided where the schema is.

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
    /// A function without parameters, such as `WhoAmI`.
    Function(String),
    /// All records of a set.
    Set(String),
    /// How many records a set has.
    Count(String),
    /// One record.
    Record(Address),
    /// One property of a record.
    Property(Address, String),
}

/// One record by its set and its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    /// The name of the set.
    pub set: String,
    /// Which record.
    pub key: Key,
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

const QUERY_FUNCTIONS: [&str; 1] = ["WhoAmI"];

/// Reads a path, still escaped, without the part up to the version. Empty segments are skipped, because one of
/// Microsoft's samples sends them.
pub fn resource(escaped: &str) -> Result<Resource, Denial> {
    let path = decoded(escaped, "the path")?;
    let segments: Vec<&str> = split_outside_quotes(&path, '/').into_iter().filter(|part| !part.is_empty()).collect();
    match segments.as_slice() {
        [] => Ok(Resource::Service),
        ["$metadata"] => Ok(Resource::Metadata),
        [one] => single(one),
        [set, "$count"] if !set.contains('(') => Ok(Resource::Count((*set).to_owned())),
        [record, property] if !property.contains(['(', '$']) => match single(record)? {
            Resource::Record(address) => Ok(Resource::Property(address, (*property).to_owned())),
            _ => Err(unknown_path(&path)),
        },
        _ => Err(unknown_path(&path)),
    }
}

/// Reads the address of a record as `@odata.bind` has it: relative with or without a leading slash, or absolute.
pub fn address(text: &str) -> Result<Address, Denial> {
    let relative = match text.find("/api/data/v") {
        Some(at) => text[at + "/api/data/v".len()..].split_once('/').map_or("", |(_, rest)| rest),
        None if text.contains("://") => return Err(bad_address(text)),
        None => text,
    };
    match resource(relative)? {
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

fn single(segment: &str) -> Result<Resource, Denial> {
    let Some(open) = segment.find('(') else {
        return Ok(match QUERY_FUNCTIONS.contains(&segment) {
            true => Resource::Function(segment.to_owned()),
            false => Resource::Set(segment.to_owned()),
        });
    };
    let Some(inner) = segment[open + 1..].strip_suffix(')') else {
        return Err(Denial::malformed(format!("`{segment}` lacks its closing parenthesis")));
    };
    let set = segment[..open].to_owned();
    if inner.is_empty() {
        return Ok(Resource::Function(set));
    }
    Ok(Resource::Record(Address { set, key: key(inner)? }))
}

fn key(text: &str) -> Result<Key, Denial> {
    let parts = split_outside_quotes(text, ',');
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
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quoted = false;
    text.char_indices().filter(move |(_, letter)| {
        quoted ^= *letter == '\'';
        !quoted && *letter != '\''
    })
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, letter) in outside_quotes(text) {
        if letter == separator {
            parts.push(&text[start..at]);
            start = at + letter.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

fn decoded(escaped: &str, what: &str) -> Result<String, Denial> {
    let text = percent_decode_str(escaped).decode_utf8();
    text.map(Into::into).map_err(|_| Denial::malformed(format!("{what} is not UTF-8 after unescaping")))
}

fn unknown_path(path: &str) -> Denial {
    Denial::no_resource(format!("there is nothing at `{path}`"))
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

    #[track_caller]
    fn check(path: &str, expected: Resource) {
        assert_eq!(resource(path).expect(path), expected, "{path}");
    }

    #[test]
    fn a_path_names_a_set_a_record_a_count_or_a_property() {
        let address = || Address { set: "accounts".into(), key: id() };
        check("", Resource::Service);
        check("$metadata", Resource::Metadata);
        check("%24metadata", Resource::Metadata);
        check("WhoAmI", Resource::Function("WhoAmI".into()));
        check("WhoAmI()", Resource::Function("WhoAmI".into()));
        check("accounts", Resource::Set("accounts".into()));
        check("accounts/$count", Resource::Count("accounts".into()));
        check(&format!("accounts({ID})"), Resource::Record(address()));
        check(&format!("accounts('{ID}')"), Resource::Record(address()));
        check(&format!("accounts({ID})/name"), Resource::Property(address(), "name".into()));
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
        for path in ["accounts(", "accounts(1", "accounts(17)", "a/b/c", "accounts/name", "accounts('x)", "%ff"] {
            assert!(resource(path).is_err(), "{path}");
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
