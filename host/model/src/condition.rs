//! Conditions (formats 3): true or false, never empty.

use smol_str::SmolStr;

use crate::{
    AttributeName, StepName,
    expression::{Expression, Path, ValueSource},
};

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All are true; true when there is none.
    All(Vec<Condition>),
    /// At least one is true.
    Any(Vec<Condition>),
    /// It is not true.
    Not(Box<Condition>),
    /// A comparison; false when a side is empty, `Empty` apart.
    Compare {
        /// The left side: a path is an expression of itself.
        value: Expression,
        /// How it is compared, with what.
        test: Test,
    },
    /// The expression is true.
    Expression(Expression),
    /// The custom condition says so.
    Custom {
        /// The condition's name.
        step: StepName,
        /// The versions that will do.
        version: Option<semver::VersionReq>,
        /// Its inputs.
        inputs: Vec<(SmolStr, ValueSource)>,
    },
}

/// An operator with its operand.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal; text without regard to case.
    Is(ValueSource),
    /// Not equal, both present.
    IsNot(ValueSource),
    /// One of these.
    In(Vec<ValueSource>),
    /// None of these, and present.
    NotIn(Vec<ValueSource>),
    /// Empty (`true`) or present (`false`).
    Empty(bool),
    /// A test of text.
    Text {
        /// Where the operand stands in the text.
        place: TextPlace,
        /// Whether the test is turned round.
        not: bool,
        /// The text looked for.
        operand: ValueSource,
    },
    /// A test of order between numbers, or between dates and date-times.
    Order {
        /// Which order.
        order: Order,
        /// What it is compared with.
        operand: ValueSource,
    },
    /// The same day in the solution's time zone.
    SameDay(ValueSource),
    /// The options include all of these.
    Includes(Vec<ValueSource>),
    /// The options include at least one of these.
    IncludesAny(Vec<ValueSource>),
    /// Below a record in its hierarchy. The left side is a path.
    Under {
        /// The lookup of the hierarchy.
        along: AttributeName,
        /// The record above.
        operand: ValueSource,
        /// Whether the test is turned round.
        not: bool,
        /// Whether the record itself counts.
        or_is: bool,
    },
    /// Whether the event changed the attribute.
    Changed(bool),
}

/// The most records that lie one above the other in a hierarchy.
pub const DEEPEST_HIERARCHY: usize = 32;

/// Where a text is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextPlace {
    /// Anywhere.
    Contains,
    /// At the beginning.
    Starts,
    /// At the end.
    Ends,
}

/// An order between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `greater-than`
    Greater,
    /// `at-least`
    AtLeast,
    /// `less-than`
    Less,
    /// `at-most`
    AtMost,
    /// `after`
    After,
    /// `on-or-after`: in days, by the solution's time zone
    OnOrAfter,
    /// `before`
    Before,
    /// `on-or-before`: in days, by the solution's time zone
    OnOrBefore,
}

impl Test {
    /// The values that it compares with.
    pub fn operands(&self) -> &[ValueSource] {
        match self {
            Self::Is(one) | Self::IsNot(one) | Self::SameDay(one) => std::slice::from_ref(one),
            Self::Text { operand, .. } | Self::Order { operand, .. } | Self::Under { operand, .. } => {
                std::slice::from_ref(operand)
            }
            Self::In(many) | Self::NotIn(many) | Self::Includes(many) | Self::IncludesAny(many) => many,
            Self::Empty(_) | Self::Changed(_) => &[],
        }
    }
}

impl Condition {
    /// The paths that it reads, with repetition.
    pub fn paths(&self) -> Box<dyn Iterator<Item = &Path> + '_> {
        match self {
            Self::All(parts) | Self::Any(parts) => Box::new(parts.iter().flat_map(Self::paths)),
            Self::Not(part) => part.paths(),
            Self::Compare { value, test } => {
                Box::new(value.paths.iter().chain(test.operands().iter().flat_map(ValueSource::paths)))
            }
            Self::Expression(expression) => Box::new(expression.paths.iter()),
            Self::Custom { inputs, .. } => Box::new(inputs.iter().flat_map(|(_, value)| value.paths())),
        }
    }
}
