//! Arguments: what actions, custom steps and scripts take and give (formats 6).

use smol_str::SmolStr;

use crate::{AttributeName, EntityName, Value, ValueType, entity::ChoiceOption};

/// A value under its name, as it is handed to and taken from a custom step.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The argument's name.
    pub name: SmolStr,
    /// Its value.
    pub value: Value,
}

/// A declared argument or variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: AttributeName,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// What it holds.
    pub kind: ArgumentKind,
    /// Whether it must be given.
    pub required: bool,
    /// The value when it is not given.
    pub default: Value,
}

/// What an argument holds, with its bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct ArgumentKind {
    /// The type of the value.
    pub value_type: ValueType,
    /// For a lookup: the entities it may name; empty for any.
    pub to: Vec<EntityName>,
    /// For a choice: its options; empty when any number goes.
    pub options: Vec<ChoiceOption>,
    /// The least number.
    pub min: Option<crate::Decimal>,
    /// The greatest number.
    pub max: Option<crate::Decimal>,
    /// The most characters.
    pub max_length: Option<u32>,
}

impl ArgumentKind {
    /// A value of this type without bounds.
    pub fn plain(value_type: ValueType) -> Self {
        Self { value_type, to: Vec::new(), options: Vec::new(), min: None, max: None, max_length: None }
    }
}
