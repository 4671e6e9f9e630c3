//! The order of values (E11): empty first, text without regard to case, numbers of all types by what they amount to.
//!
//! A floating-point number counts as the shortest decimal that means it, which is what people wrote and read: the
//! float 0.1 equals the decimal 0.1. So numbers of all types stand in one order, and no comparison rounds.

use std::cmp::Ordering;

use model::{Decimal, Span, Value};
use smol_str::format_smolstr;

/// How `left` stands to `right`; nothing where they are of types that have no common order.
///
/// A day and a moment have none: which moment a day begins at depends on a time zone.
pub fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    use Value as V;
    Some(match (left, right) {
        (V::Null, V::Null) => Ordering::Equal,
        (V::Null, _) => Ordering::Less,
        (_, V::Null) => Ordering::Greater,
        (V::Text(left), V::Text(right)) => model::text::compare(left, right),
        (V::Whole(left), V::Whole(right)) => left.cmp(right),
        (V::Choice(left), V::Choice(right)) => left.cmp(right),
        (V::Boolean(left), V::Boolean(right)) => left.cmp(right),
        (V::Date(left), V::Date(right)) => left.cmp(right),
        (V::DateTime(left), V::DateTime(right)) => left.cmp(right),
        (V::Duration(left), V::Duration(right)) => compare_spans(*left, *right),
        (V::Guid(left), V::Guid(right)) => left.cmp(right),
        (V::Choices(left), V::Choices(right)) => left.cmp(right),
        (V::Reference(left), V::Reference(right)) => left.cmp(right),
        (V::Bytes(left), V::Bytes(right)) | (V::Document(left), V::Document(right)) => left.cmp(right),
        _ => Number::of(left)?.compare(Number::of(right)?),
    })
}

/// Whether the two are one value, empty equal to empty; values of unlike types are different. A reference equals the
/// bare id of its record.
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Reference(record), Value::Guid(id)) | (Value::Guid(id), Value::Reference(record)) => record.id.0 == *id,
        _ => compare(left, right) == Some(Ordering::Equal),
    }
}

/// Spans are ordered by their length with months as long as they are on average; then, so that only equal spans are
/// equal, by months and days.
fn compare_spans(left: Span, right: Span) -> Ordering {
    const DAY: i128 = 86_400_000_000;
    const MONTH: i128 = 2_629_746_000_000;
    let length = |span: Span| i128::from(span.months) * MONTH + i128::from(span.days) * DAY + i128::from(span.micros);
    let parts = |span: Span| (length(span), span.months, span.days);
    parts(left).cmp(&parts(right))
}

#[derive(Clone, Copy)]
enum Number {
    Whole(i64),
    Decimal(Decimal),
    Float(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Whole(number) => Self::Whole(*number),
            Value::Choice(number) => Self::Whole(i64::from(*number)),
            Value::Decimal(number) => Self::Decimal(*number),
            Value::Money(money) => Self::Decimal(money.amount()),
            Value::Float(number) => Self::Float(*number),
            _ => return None,
        })
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left.cmp(&right),
            (Self::Decimal(left), Self::Decimal(right)) => left.cmp(&right),
            (Self::Whole(left), Self::Decimal(right)) => Decimal::from(left).cmp(&right),
            (Self::Decimal(left), Self::Whole(right)) => left.cmp(&Decimal::from(right)),
            (Self::Float(left), Self::Float(right)) => (left + 0.0).total_cmp(&(right + 0.0)),
            _ => self.digits().cmp(&other.digits()),
        }
    }

    fn digits(self) -> Digits {
        match self {
            Self::Whole(number) => Digits::new(number < 0, u128::from(number.unsigned_abs()), 0),
            Self::Decimal(number) => {
                Digits::new(number.is_sign_negative(), number.mantissa().unsigned_abs(), -i64::from(number.scale()))
            }
            Self::Float(number) if !number.is_finite() => {
                Digits::new(number.is_sign_negative(), 1, i64::from(i32::MAX))
            }
            Self::Float(number) => {
                let text = format_smolstr!("{:e}", number.abs());
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
                let digits = whole.bytes().chain(fraction.bytes()).filter(u8::is_ascii_digit);
                let digits = digits.fold(0, |sum: u128, digit| sum * 10 + u128::from(digit - b'0'));
                let exponent = exponent.parse::<i64>().unwrap_or(0) - fraction.len() as i64;
                Digits::new(number.is_sign_negative(), digits, exponent)
            }
        }
    }
}

/// A number by its sign and its decimal digits, as far as comparing needs them.
#[derive(PartialEq, Eq)]
struct Digits {
    sign: i8,
    /// The place of the first digit.
    magnitude: i64,
    /// The digits, filled up to 36 with zeros behind.
    digits: u128,
}

impl Digits {
    fn new(negative: bool, mut digits: u128, exponent: i64) -> Self {
        if digits == 0 {
            return Self { sign: 0, magnitude: 0, digits };
        }
        // At most 29 digits come in, so 36 always fit.
        let count = digits.ilog10();
        let magnitude = exponent + i64::from(count);
        digits *= 10_u128.pow(35_u32.saturating_sub(count));
        Self { sign: if negative { -1 } else { 1 }, magnitude, digits }
    }
}

impl Ord for Digits {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = (self.magnitude, self.digits).cmp(&(other.magnitude, other.digits));
        let size = if self.sign < 0 { size.reverse() } else { size };
        self.sign.cmp(&other.sign).then(size)
    }
}

impl PartialOrd for Digits {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
