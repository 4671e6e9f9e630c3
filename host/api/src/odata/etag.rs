//! ETags and the conditions that clients make with them.
//!
//! The version of a record in hexadecimal digits, weak: Microsoft's samples check exactly that form.

use axum::http::{HeaderMap, HeaderName, header};
use model::Version;

use crate::problem::Denial;

/// The ETag of a version: `W/"1f"`.
pub fn of(version: Version) -> String {
    format!("W/\"{:x}\"", version.0)
}

/// What `If-Match` or `If-None-Match` asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// There is none.
    Absent,
    /// `*`: any version.
    Any,
    /// One of these versions.
    Versions(Vec<Version>),
}

impl Condition {
    /// `If-Match`.
    pub fn if_match(headers: &HeaderMap) -> Result<Self, Denial> {
        Self::read(headers, &header::IF_MATCH)
    }

    /// `If-None-Match`. One of Microsoft's samples sends the word `null`, which means nothing.
    pub fn if_none_match(headers: &HeaderMap) -> Result<Self, Denial> {
        Self::read(headers, &header::IF_NONE_MATCH)
    }

    /// Whether `version` is meant.
    pub fn names(&self, version: Version) -> bool {
        match self {
            Self::Absent => false,
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }

    /// The version that a write is to find; absent where any will do.
    pub fn expected(&self) -> Result<Option<Version>, Denial> {
        match self {
            Self::Absent | Self::Any => Ok(None),
            Self::Versions(versions) => match versions.as_slice() {
                [version] => Ok(Some(*version)),
                _ => Err(Denial::malformed("a write takes one ETag in `If-Match`")),
            },
        }
    }

    fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Self, Denial> {
        let Some(value) = headers.get(name) else { return Ok(Self::Absent) };
        let unreadable = || Denial::malformed(format!("`{name}` holds no ETag of ours: they look like W/\"1f\""));
        match value.to_str().map_err(|_| unreadable())?.trim() {
            "" | "null" => Ok(Self::Absent),
            "*" => Ok(Self::Any),
            list => {
                let versions = list.split(',').map(|tag| version(tag.trim()).ok_or_else(unreadable));
                versions.collect::<Result<_, _>>().map(Self::Versions)
            }
        }
    }
}

fn version(tag: &str) -> Option<Version> {
    let digits = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
    u64::from_str_radix(digits, 16).ok().map(Version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[track_caller]
    fn check(text: &'static str, expected: Option<Condition>) {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(text))]);
        assert_eq!(Condition::if_match(&headers).ok(), expected, "{text}");
    }

    #[test]
    fn a_condition_is_a_star_or_etags() {
        check("*", Some(Condition::Any));
        check("W/\"1f\"", Some(Condition::Versions(vec![Version(31)])));
        check("\"1f\", W/\"2\"", Some(Condition::Versions(vec![Version(31), Version(2)])));
        check("null", Some(Condition::Absent));
        check("W/1f", None);
        check("\"xyz\"", None);
    }

    #[test]
    fn an_etag_is_weak_and_hexadecimal_and_reads_back() {
        assert_eq!(of(Version(31)), "W/\"1f\"");
        assert_eq!(version(&of(Version(31))), Some(Version(31)));
    }
}
