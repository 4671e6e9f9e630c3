//! Inputs and outputs as plain structs: what the derives fill in.
//!
//! `#[derive(Inputs)]` reads a struct from fields and describes it; `#[derive(Outputs)]` does the way back;
//! `#[derive(Choice)]` makes an enum of numbered options a type of both.

use crate::{Date, DateTime, Duration, Failure, Field, Guid, Money, Reference, Value};
use rust_decimal::Decimal;

/// One input or output in the manifest.
#[derive(Debug, Clone, Default)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// Its type, by the names of entity files.
    pub kind: &'static str,
    /// True when it must not be empty.
    pub required: bool,
    /// What it is for.
    pub description: &'static str,
    /// The name that people see.
    pub title: &'static str,
    /// Which entities a lookup points to.
    pub to: &'static [&'static str],
    /// The options of a choice: name and number.
    pub options: &'static [(&'static str, i32)],
    /// The longest text.
    pub max_length: Option<u32>,
    /// The smallest number.
    pub min: Option<i64>,
    /// The largest number.
    pub max: Option<i64>,
    /// What stands for an empty input.
    pub default: Option<Value>,
    /// Values that show what it is.
    pub examples: Vec<Value>,
    /// What to use instead, when it should no longer be used.
    pub deprecated: &'static str,
}

/// A struct that can be made from a step's inputs.
///
/// ```
/// use stepwise_sdk::prelude::*;
///
/// #[derive(Inputs)]
/// struct Overdue {
///     /// The record that waits for an answer
///     #[argument(to = "complaint")]
///     complaint: Reference,
///     /// After how many days to call
///     #[argument(default = 3, min = 1, max = 30)]
///     days: i64,
///     /// Words for the caller
///     #[argument(max_length = 200, examples("please"))]
///     note: Option<String>,
/// }
///
/// let complaint = Reference::new("complaint", Guid::from_u128(1));
/// let read = Overdue::read(attributes! { "complaint" => complaint }).unwrap();
/// assert_eq!((read.days, read.note), (3, None));
/// assert_eq!(Overdue::read(Vec::new()).err().unwrap().code(), "missing-input");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no struct of inputs",
    label = "not made from inputs",
    note = "write `#[derive(Inputs)]` above `struct {Self}`, each input a named field; a step without inputs takes `()`"
)]
pub trait Inputs: Sized {
    /// The inputs, in the order of the fields.
    fn arguments() -> Vec<Argument>;

    /// Reads the struct; unknown fields are left alone.
    ///
    /// # Errors
    /// `invalid-input` that names the field which is missing or has the wrong type.
    fn read(fields: Vec<Field>) -> Result<Self, Failure>;

    /// The fields of the struct, for examples and for tests in a component.
    fn fields(self) -> Vec<Field>;
}

/// A struct that becomes a step's outputs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no struct of outputs",
    label = "does not become outputs",
    note = "write `#[derive(Outputs)]` above `struct {Self}`, each output a named field; a step without outputs gives `()`"
)]
pub trait Outputs {
    /// The outputs, in the order of the fields.
    fn arguments() -> Vec<Argument>;

    /// The fields of the struct.
    fn fields(self) -> Vec<Field>;
}

/// A step without inputs.
impl Inputs for () {
    fn arguments() -> Vec<Argument> {
        Vec::new()
    }

    fn read(_: Vec<Field>) -> Result<Self, Failure> {
        Ok(())
    }

    fn fields(self) -> Vec<Field> {
        Vec::new()
    }
}

/// A step without outputs.
impl Outputs for () {
    fn arguments() -> Vec<Argument> {
        Vec::new()
    }

    fn fields(self) -> Vec<Field> {
        Vec::new()
    }
}

/// An enum whose variants are the numbered options of a choice.
///
/// ```
/// use stepwise_sdk::prelude::*;
///
/// #[derive(Choice, Clone, Copy)]
/// enum Severity {
///     Low = 1,
///     VeryHigh = 2,
/// }
///
/// assert_eq!(Severity::OPTIONS, [("low", 1), ("very_high", 2)]);
/// assert!(matches!(Severity::from_number(2), Some(Severity::VeryHigh)));
/// # assert_eq!(Severity::Low.number(), 1);
/// ```
pub trait Choice: Sized {
    /// Name and number of each option.
    const OPTIONS: &'static [(&'static str, i32)];

    /// The option with this number.
    fn from_number(number: i32) -> Option<Self>;

    /// The number of this option.
    fn number(&self) -> i32;
}

/// A type that an input may have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type of an input or an output",
    label = "no value of the contract is of this type",
    note = "there are `bool`, `i64`, `i32`, `u32`, `f64`, `Decimal`, `Money`, `String`, `Date`, `DateTime`, `Duration`, `Guid`, `Reference`, `Vec<Reference>`, `Vec<i32>`, `Vec<u8>` and an `Option` of each",
    note = "an enum of numbered options derives `Choice`; what is nested goes as JSON in a `String`"
)]
pub trait FromValue: Sized {
    /// Its name in manifests.
    const KIND: &'static str;
    /// False when empty is fine.
    const REQUIRED: bool = true;
    /// The options, for a choice.
    const OPTIONS: &'static [(&'static str, i32)] = &[];

    /// Reads the value, or gives it back.
    ///
    /// # Errors
    /// The value, when it is of another type.
    fn from_value(value: Value) -> Result<Self, Value>;
}

impl<T: FromValue> FromValue for Option<T> {
    const KIND: &'static str = T::KIND;
    const REQUIRED: bool = false;
    const OPTIONS: &'static [(&'static str, i32)] = T::OPTIONS;

    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// One `FromValue` for each type: its name in manifests, then the patterns it is read from.
macro_rules! readable {
    ($($type:ty, $kind:literal: { $($pattern:pat => $made:expr),* $(,)? })*) => {
        $(impl FromValue for $type {
            const KIND: &'static str = $kind;

            fn from_value(value: Value) -> Result<Self, Value> {
                let made = match &value {
                    $($pattern => $made,)*
                    _ => None,
                };
                made.ok_or(value)
            }
        })*
    };
}

readable! {
    bool, "boolean": { Value::Boolean(value) => Some(*value) }
    i64, "whole": { Value::Whole(value) => Some(*value) }
    i32, "whole": { Value::Whole(value) => i32::try_from(*value).ok() }
    u32, "whole": { Value::Whole(value) => u32::try_from(*value).ok() }
    f64, "float": { Value::Float(value) => Some(*value), Value::Whole(value) => Some(*value as f64) }
    Date, "date": { Value::Date(value) => Some(Self(*value)) }
    DateTime, "date-time": { Value::DateTime(value) => Some(Self(*value)) }
    Duration, "duration": { Value::Duration(value) => Some(*value) }
    Guid, "guid": { Value::Guid(value) => Some(*value) }
    Decimal, "decimal": {
        Value::Decimal(text) | Value::Money(text) => text.parse().ok(),
        Value::Whole(value) => Some(Self::from(*value)),
    }
    Money, "money": {
        Value::Decimal(text) | Value::Money(text) => text.parse().ok().map(Self),
        Value::Whole(value) => Some(Self(Decimal::from(*value))),
    }
    Vec<u8>, "file": { Value::Bytes(bytes) => Some(bytes.clone()) }
    Vec<i32>, "choices": { Value::Choices(numbers) => Some(numbers.clone()) }
    Vec<Reference>, "records": { Value::Lookups(targets) => Some(targets.clone()) }
}

impl FromValue for String {
    const KIND: &'static str = "text";

    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(other),
        }
    }
}

impl FromValue for Reference {
    const KIND: &'static str = "lookup";

    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Lookup(reference) => Ok(reference),
            other => Err(other),
        }
    }
}

/// Takes one input out of the fields; the derive calls this for each field of a struct.
///
/// # Errors
/// `invalid-input` when it is missing and required, or of another type.
#[doc(hidden)]
pub fn take<T: FromValue>(fields: &mut [Field], name: &str, default: Option<Value>) -> Result<T, Failure> {
    let given = fields
        .iter_mut()
        .find(|field| field.name == name)
        .map(|field| std::mem::replace(&mut field.value, Value::Null))
        .filter(|value| !value.is_null());
    let value = given.or(default).unwrap_or(Value::Null);
    if T::REQUIRED && value.is_null() {
        return Err(Failure::invalid_input("missing-input", format!("input `{name}` is empty")));
    }
    T::from_value(value).map_err(|value| {
        let (wanted, got) = (T::KIND, value.kind());
        let message = if wanted == got {
            format!("input `{name}` is a {wanted} that cannot be read or is out of range")
        } else {
            format!("input `{name}` should be {wanted} and is {got}")
        };
        Failure::invalid_input("wrong-type", message)
    })
}

/// Describes a type for the manifest; the derives start from this.
#[doc(hidden)]
#[must_use]
pub fn argument<T: FromValue>(name: &'static str) -> Argument {
    Argument { name, kind: T::KIND, required: T::REQUIRED, options: T::OPTIONS, ..Argument::default() }
}
