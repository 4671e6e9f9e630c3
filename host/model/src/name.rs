//! Names that people give to what they define, each with its own alphabet (formats 1).
//!
//! A name is checked once, where text comes in; whoever holds one need not check it again.

use std::{borrow::Borrow, fmt, str::FromStr};

use smol_str::SmolStr;

/// Why a text is not a name of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no name of {kind}: {rule}")]
pub struct NameProblem {
    /// The text as it was given.
    pub text: String,
    /// What it should name, in words: "an entity".
    pub kind: &'static str,
    /// The rule it breaks, in words.
    pub rule: &'static str,
}

/// Words that cannot be names because the language of the files uses them.
const TAKEN: [&str; 5] = ["any", "default", "end", "new", "none"];

const IDENTIFIER: &str = "a lower-case letter, then lower-case letters, digits and `_`, at most 50 characters, \
                          and none of any, default, end, new, none";
const HYPHENATED: &str = "a lower-case letter, then lower-case letters, digits and `-`, at most 100 characters, \
                          and none of any, default, end, new, none";
const DOTTED: &str = "`library.step-name`: two hyphenated names with a dot between them";

fn is_identifier(text: &str) -> bool {
    text.len() <= 50 && !TAKEN.contains(&text) && starts_and_goes_on(text, b'_')
}

fn is_hyphenated(text: &str) -> bool {
    text.len() <= 100 && !TAKEN.contains(&text) && starts_and_goes_on(text, b'-')
}

fn is_dotted(text: &str) -> bool {
    text.split_once('.').is_some_and(|(library, step)| is_hyphenated(library) && is_hyphenated(step))
}

fn starts_and_goes_on(text: &str, joint: u8) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == joint)
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:expr, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// The name in `text`, or the rule that it breaks.
            pub fn parse(text: &str) -> Result<Self, NameProblem> {
                match $check(text) {
                    true => Ok(Self(text.into())),
                    false => Err(NameProblem { text: text.to_owned(), kind: $kind, rule: $rule }),
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameProblem;

            fn from_str(text: &str) -> Result<Self, NameProblem> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name! {
    /// The name of an entity: `complaint`.
    EntityName, "an entity", is_identifier, IDENTIFIER
}
name! {
    /// The name of an attribute, an argument or a variable: `receivedon`.
    AttributeName, "an attribute", is_identifier, IDENTIFIER
}
name! {
    /// The API name of an entity's records: `complaints`.
    SetName, "an entity set", is_identifier, IDENTIFIER
}
name! {
    /// The name of a process: `handle-complaint`.
    ProcessName, "a process", is_hyphenated, HYPHENATED
}
name! {
    /// The name of a choice: `severity`.
    ChoiceName, "a choice", is_hyphenated, HYPHENATED
}
name! {
    /// The name of a custom step: `complaints.classify`.
    StepName, "a custom step", is_dotted, DOTTED
}
name! {
    /// The identity of a step in its process: the `id` that was given, or its place (`steps/2/then/1`, in a task flow `finish/1`).
    StepId, "a step", |text: &str| is_identifier(text) || text.starts_with("steps/") || text.starts_with("finish/"), IDENTIFIER
}
name! {
    /// The identity of a stage in its flow: `investigate`.
    StageId, "a stage", is_identifier, IDENTIFIER
}

impl StepName {
    /// The library that the step belongs to: `complaints` of `complaints.classify`.
    pub fn library(&self) -> &str {
        self.0.split_once('.').map_or("", |(library, _)| library)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_its_own_alphabet() {
        for good in ["a", "complaint", "new_field2"] {
            assert!(EntityName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "1a", "a-b", "ä", "new", &"a".repeat(51)] {
            assert!(EntityName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_custom_step_names_its_library() {
        assert_eq!(
            StepName::parse("complaints.classify").map(|name| name.library().to_owned()).as_deref(),
            Ok("complaints")
        );
        for bad in ["classify", "a.b.c", ".b", "a."] {
            assert!(StepName::parse(bad).is_err(), "{bad}");
        }
    }
}
