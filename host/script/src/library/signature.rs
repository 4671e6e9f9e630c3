//! Signatures: what a function takes and gives, written once as people read it and taken apart for checks, editors and
//! help.
//!
//! `round(number: number[, places: whole]) -> number`: brackets hold what may be left out, `...` says that the last
//! argument may stand there again.

use std::fmt::Write;

/// What an argument or a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any value.
    Any,
    /// Text.
    Text,
    /// A number, whole or not.
    Number,
    /// A whole number.
    Whole,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A moment on the clock.
    DateTime,
    /// A day or a moment on the clock.
    Moment,
    /// A length of time.
    Duration,
    /// A list.
    List,
    /// Values by name: scripts only.
    Map,
    /// A record, as lookups hold it.
    Record,
    /// A list of maps, as `query` gives them: scripts only.
    Rows,
    /// The name of an entity.
    Entity,
    /// An OData filter over the entity that stands before it.
    Filter,
    /// The name of an attribute of the entity that stands before it.
    Attribute,
    /// A list of such names.
    Attributes,
    /// A map of values for the entity or the record that stands before it.
    Values,
    /// Nothing: what a call gives that only does something.
    Nothing,
}

impl Kind {
    /// All kinds with their words in signatures, and what each means.
    pub const WORDS: [(Self, &'static str, &'static str); 19] = [
        (Self::Any, "any", "any value"),
        (Self::Text, "text", "text"),
        (Self::Number, "number", "a number, whole or not, money too"),
        (Self::Whole, "whole", "a whole number"),
        (Self::Boolean, "boolean", "true or false"),
        (Self::Date, "date", "a day"),
        (Self::DateTime, "date-time", "a day with its time"),
        (Self::Moment, "moment", "a date or a date-time; may be written as text, such as \"2026-11-20\""),
        (Self::Duration, "duration", "a length of time"),
        (Self::List, "list", "values in an order"),
        (Self::Map, "map", "values by name, such as #{ days: 3 }"),
        (Self::Record, "record", "a record, as a lookup holds it"),
        (Self::Rows, "rows", "a list of maps, as `query` gives them"),
        (Self::Entity, "entity", "the name of an entity"),
        (Self::Filter, "filter", "an OData filter, such as \"statuscode eq 'open'\""),
        (Self::Attribute, "attribute", "the name of an attribute"),
        (Self::Attributes, "attributes", "a list of names of attributes"),
        (Self::Values, "values", "a map of attributes with their new values"),
        (Self::Nothing, "nothing", "no value"),
    ];

    /// The word in signatures.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(kind, ..)| *kind == self).map_or("any", |(_, word, _)| word)
    }

    /// With its article, for sentences.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Text => "text",
            Self::Number => "a number",
            Self::Whole => "a whole number",
            Self::Boolean => "true or false",
            Self::Date => "a date",
            Self::DateTime => "a date-time",
            Self::Moment => "a date or a date-time",
            Self::Duration => "a duration",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Record => "a record",
            Self::Rows => "a list of maps",
            Self::Entity => "the name of an entity",
            Self::Filter => "a filter",
            Self::Attribute => "the name of an attribute",
            Self::Attributes => "a list of names of attributes",
            Self::Values => "a map of values",
            Self::Nothing => "nothing",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known, _)| *known == word).map(|(kind, ..)| *kind)
    }
}

/// One argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether it may be left out.
    pub optional: bool,
}

/// A signature, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The function's name.
    pub name: &'static str,
    /// Its arguments.
    pub parameters: Vec<Parameter>,
    /// Whether the last argument may stand there again.
    pub repeats: bool,
    /// What it gives.
    pub gives: Kind,
}

impl Signature {
    /// The signature in `text`, or nothing where it is none.
    pub fn parse(text: &'static str) -> Option<Self> {
        let (head, gives) = text.split_once(" -> ")?;
        let (name, inside) = head.strip_suffix(')')?.split_once('(')?;
        let mut signature = Self { name, parameters: Vec::new(), repeats: false, gives: Kind::parse(gives)? };
        let mut optional = false;
        for piece in inside.split(", ").filter(|piece| !piece.is_empty()) {
            let (opens, piece) = (piece.ends_with('['), piece.trim_end_matches('['));
            let (closes, piece) = (piece.contains(']'), piece.trim_end_matches(']'));
            match piece {
                "..." => signature.repeats = true,
                piece => {
                    let (name, kind) = piece.split_once(": ")?;
                    signature.parameters.push(Parameter { name, kind: Kind::parse(kind)?, optional });
                }
            }
            optional = (optional || opens) && !closes;
        }
        Some(signature)
    }

    /// The argument at this place, from 0.
    pub fn parameter(&self, place: usize) -> Option<&Parameter> {
        self.parameters.get(place).or_else(|| self.parameters.last().filter(|_| self.repeats))
    }

    /// How it is called, without the kinds: `round(number[, places])`.
    pub fn usage(&self) -> String {
        let mut text = format!("{}(", self.name);
        let mut open = 0;
        for (place, parameter) in self.parameters.iter().enumerate() {
            if parameter.optional {
                text.push('[');
                open += 1;
            }
            // Writing into a string cannot fail.
            let _ = write!(text, "{}{}", if place == 0 { "" } else { ", " }, parameter.name);
        }
        if self.repeats {
            text.push_str(", ...");
        }
        text.extend(std::iter::repeat_n(']', open));
        text.push(')');
        text
    }
}

/// How a function with this signature is called, without the kinds.
pub fn usage(text: &'static str) -> String {
    Signature::parse(text).map_or_else(|| text.to_owned(), |signature| signature.usage())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_taken_apart() {
        let signature = Signature::parse("round(number: number[, places: whole]) -> number").expect("a signature");
        assert_eq!(signature.name, "round");
        assert_eq!(signature.usage(), "round(number[, places])");
        assert_eq!(signature.parameter(1).map(|one| (one.kind, one.optional)), Some((Kind::Whole, true)));
        assert_eq!(signature.parameter(2), None);
        let signature = Signature::parse("min(value: any, ...) -> any").expect("a signature");
        assert_eq!(signature.usage(), "min(value, ...)");
        assert_eq!(signature.parameter(7).map(|one| one.name), Some("value"));
        let signature = Signature::parse("f(a: text[, b: text[, c: text]]) -> nothing").expect("a signature");
        assert_eq!(signature.usage(), "f(a[, b[, c]])");
        assert_eq!(Signature::parse("today() -> date").map(|one| one.usage()).as_deref(), Some("today()"));
    }

    #[test]
    fn what_is_no_signature_is_none() {
        for text in ["round", "round(number)", "round(number: many) -> number", "round(number: number) -> much"] {
            assert_eq!(Signature::parse(text), None, "{text}");
        }
    }
}
