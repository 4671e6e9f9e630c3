//! A value made fit for an attribute or an argument (E11): converted where nothing is lost, bounds checked.
//!
//! Text becomes an option by its name, and a day, moment or identity where it is written as one; numbers of all types
//! become each other; a moment is cut to the second, money to four places. Text never becomes a number by itself, nor
//! a day a moment: that needs a decision that only who writes the value can make.

use std::sync::Arc;

use model::{
    Date, Decimal, EntityId, Money, RecordId, RecordRef, Refusal, Schema, Timestamp, Value, ValueType,
    entity::{AttributeKind, ChoiceOption, NumberKind, TextFormat},
    schema::Attribute,
    value::MOST_REFERENCES,
};
use smol_str::{SmolStr, format_smolstr};
use uuid::Uuid;

/// Gives the name of an entity.
pub type Names<'a> = &'a dyn Fn(EntityId) -> SmolStr;

/// What something can hold: an attribute, an argument, a variable.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// Its name, for refusals.
    pub name: &'a str,
    /// The type of its values.
    pub value_type: ValueType,
    /// The least number.
    pub min: Option<Decimal>,
    /// The greatest number.
    pub max: Option<Decimal>,
    /// The most characters.
    pub max_length: Option<u32>,
    /// The most bytes.
    pub max_bytes: Option<u64>,
    /// What the text is.
    pub format: Option<TextFormat>,
    /// The options of a choice; of an argument without any, every number goes.
    pub options: &'a [ChoiceOption],
    /// Whether a number without an option is refused.
    pub closed: bool,
    /// The entities that a lookup may point to; absent: any.
    pub targets: Option<&'a [EntityId]>,
}

impl<'a> Holder<'a> {
    /// Something of this name and type without bounds.
    pub fn plain(name: &'a str, value_type: ValueType) -> Self {
        Self {
            name,
            value_type,
            min: None,
            max: None,
            max_length: None,
            max_bytes: None,
            format: None,
            options: &[],
            closed: false,
            targets: None,
        }
    }

    /// What `attribute` can hold.
    pub fn of(attribute: &'a Attribute) -> Self {
        let plain = Self {
            options: &attribute.options,
            closed: true,
            targets: attribute.targets.as_deref(),
            ..Self::plain(attribute.name().as_str(), attribute.value_type())
        };
        match &attribute.definition.kind {
            AttributeKind::Text(text) => Self { max_length: Some(text.max_length), format: text.format, ..plain },
            AttributeKind::Whole { min, max } => {
                Self { min: Some(Decimal::from(*min)), max: Some(Decimal::from(*max)), ..plain }
            }
            AttributeKind::Decimal(NumberKind { min, max, .. })
            | AttributeKind::Float(NumberKind { min, max, .. })
            | AttributeKind::Money(NumberKind { min, max, .. }) => Self { min: *min, max: *max, ..plain },
            AttributeKind::File { max_size } => Self { max_bytes: Some(u64::from(*max_size) << 20), ..plain },
            _ => plain,
        }
    }
}

/// `value` as `attribute` keeps it. Text without a character, and options of which there is none, are empty.
pub fn coerce(value: Value, attribute: &Attribute, schema: &Schema) -> Result<Value, Refusal> {
    coerce_into(value, &Holder::of(attribute), &|entity| schema.name_of(entity))
}

/// `value` as `holder` keeps it; `name_of` names entities for refusals.
pub fn coerce_into(value: Value, holder: &Holder<'_>, name_of: Names<'_>) -> Result<Value, Refusal> {
    let value = match holder.value_type {
        _ if value.is_null() => return Ok(value),
        ValueType::Text => text(value, holder)?,
        ValueType::Whole => whole(value, holder)?,
        ValueType::Decimal => bounded(decimal(&value, holder)?, holder).map(Value::Decimal)?,
        ValueType::Money => {
            let money = Money::new(decimal(&value, holder)?);
            bounded(money.amount(), holder)?;
            Value::Money(money)
        }
        ValueType::Float => float(value, holder)?,
        ValueType::Choice => choice(value, holder)?,
        ValueType::Choices => choices(value, holder)?,
        ValueType::Reference => reference(value, holder, name_of)?,
        ValueType::References => references(value, holder, name_of)?,
        ValueType::Date | ValueType::DateTime | ValueType::Guid => written(value, holder)?,
        ValueType::Bytes => bytes(value, holder)?,
        ValueType::Boolean | ValueType::Duration | ValueType::Document => same(value, holder)?,
    };
    Ok(value)
}

/// A value in the words of a refusal: `the text "late"`, `yes`, `a date`.
pub fn describe(value: &Value) -> SmolStr {
    match value {
        Value::Null => "nothing".into(),
        Value::Boolean(true) => "true".into(),
        Value::Boolean(false) => "false".into(),
        Value::Whole(number) => format_smolstr!("the number {number}"),
        Value::Decimal(number) => format_smolstr!("the number {}", number.normalize()),
        Value::Float(number) => format_smolstr!("the number {}", short(*number)),
        Value::Money(money) => format_smolstr!("the amount {money}"),
        Value::Text(text) if text.chars().count() > 40 => {
            format_smolstr!("the text \"{}…\"", text.chars().take(40).collect::<SmolStr>())
        }
        Value::Text(text) => format_smolstr!("the text \"{text}\""),
        Value::Date(date) => format_smolstr!("the date {date}"),
        Value::DateTime(moment) => format_smolstr!("the date-time {moment}"),
        Value::Duration(span) => format_smolstr!("the duration {span}"),
        Value::Guid(id) => format_smolstr!("the guid {id}"),
        Value::Choice(number) => format_smolstr!("option {number}"),
        Value::Choices(_) => "a list of options".into(),
        Value::Reference(_) => "a record".into(),
        Value::References(_) => "a list of records".into(),
        Value::Bytes(_) => "a file".into(),
        Value::Document(_) => "a document".into(),
    }
}

/// A float as people write it, very large and small ones with an exponent.
fn short(number: f64) -> SmolStr {
    let text = format_smolstr!("{number:?}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), SmolStr::from)
}

/// The decimal that people write for this floating-point number, if 28 digits can hold it.
pub(super) fn decimal_of_float(number: f64) -> Option<Decimal> {
    number.is_finite().then(|| format_smolstr!("{number}").parse().ok()).flatten()
}

fn text(value: Value, holder: &Holder<'_>) -> Result<Value, Refusal> {
    let Value::Text(text) = value else { return Err(wrong(&value, holder)) };
    if text.is_empty() {
        return Ok(Value::Null);
    }
    // The bytes are at least as many as the characters: most texts need no count.
    if let Some(most) = holder.max_length.filter(|most| text.len() > *most as usize)
        && text.chars().count() > most as usize
    {
        let count = text.chars().count();
        return Err(out_of_bounds(holder, format_smolstr!("is at most {most} characters long, not {count}")));
    }
    match holder.format {
        Some(TextFormat::Email) if !is_email(&text) => {
            Err(out_of_bounds(holder, format_smolstr!("is an address for mail like `anna@example.com`, not `{text}`")))
        }
        Some(TextFormat::Url) if !is_url(&text) => Err(out_of_bounds(
            holder,
            format_smolstr!("is a web address that begins with `http://` or `https://`, not `{text}`"),
        )),
        _ => Ok(Value::Text(text)),
    }
}

/// One `@` with something on both sides and no blank: what is really an address only a mail server knows.
fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.contains(char::is_whitespace)
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty()) && !text.contains(char::is_whitespace)
}

fn whole(value: Value, holder: &Holder<'_>) -> Result<Value, Refusal> {
    let number = match value {
        Value::Whole(number) => number,
        Value::Choice(number) => i64::from(number),
        _ => {
            let exact = decimal(&value, holder)?;
            let number = exact.is_integer().then(|| i64::try_from(exact).ok()).flatten();
            number.ok_or_else(|| {
                out_of_bounds(
                    holder,
                    format_smolstr!("is a whole number, not {}; `round` makes one", exact.normalize()),
                )
            })?
        }
    };
    bounded(Decimal::from(number), holder)?;
    Ok(Value::Whole(number))
}

fn decimal(value: &Value, holder: &Holder<'_>) -> Result<Decimal, Refusal> {
    match value {
        Value::Whole(number) => Ok(Decimal::from(*number)),
        Value::Decimal(number) => Ok(*number),
        Value::Money(money) => Ok(money.amount()),
        Value::Float(number) => decimal_of_float(*number).ok_or_else(|| {
            out_of_bounds(holder, format_smolstr!("has at most 28 digits, and {} has more", short(*number)))
        }),
        _ => Err(wrong(value, holder)),
    }
}

fn float(value: Value, holder: &Holder<'_>) -> Result<Value, Refusal> {
    let number = match value {
        Value::Float(number) => number,
        _ => {
            let exact = decimal(&value, holder)?;
            // By way of its text: the nearest float, not one beside it.
            format_smolstr!("{exact}").parse().unwrap_or(f64::NAN)
        }
    };
    if !number.is_finite() {
        return Err(out_of_bounds(holder, "is a number, neither NaN nor infinite".into()));
    }
    let compare = |bound: Decimal| super::compare(&Value::Float(number), &Value::Decimal(bound));
    check_bounds(holder, |bound| compare(bound).unwrap_or(std::cmp::Ordering::Equal))?;
    Ok(Value::Float(number + 0.0))
}

fn bounded(number: Decimal, holder: &Holder<'_>) -> Result<Decimal, Refusal> {
    check_bounds(holder, |bound| number.cmp(&bound)).map(|()| number)
}

fn check_bounds(holder: &Holder<'_>, stands_to: impl Fn(Decimal) -> std::cmp::Ordering) -> Result<(), Refusal> {
    if let Some(min) = holder.min.filter(|min| stands_to(*min).is_lt()) {
        return Err(out_of_bounds(holder, format_smolstr!("is at least {}", min.normalize())));
    }
    match holder.max.filter(|max| stands_to(*max).is_gt()) {
        Some(max) => Err(out_of_bounds(holder, format_smolstr!("is at most {}", max.normalize()))),
        None => Ok(()),
    }
}

fn choice(value: Value, holder: &Holder<'_>) -> Result<Value, Refusal> {
    option_number(&value, holder).map(Value::Choice)
}

fn choices(value: Value, holder: &Holder<'_>) -> Result<Value, Refusal> {
    let mut numbers = match &value {
        Value::Choices(numbers) => numbers.to_vec(),
        _ => vec![option_number(&value, holder)?],
    };
    if let Some(unknown) = numbers.iter().find(|number| !has_option(**number, holder)) {
        return Err(no_option(holder, format_smolstr!("{unknown}")));
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(if numbers.is_empty() { Value::Null } else { Value::Choices(numbers.into()) })
}

fn option_number(value: &Value, holder: &Holder<'_>) -> Result<i32, Refusal> {
    let number = match value {
        Value::Choice(number) => Some(*number),
        Value::Text(name) => {
            let option = holder.options.iter().find(|option| option.name.as_str() == name.as_str());
            return option.map(|option| option.value).ok_or_else(|| no_option(holder, format_smolstr!("`{name}`")));
        }
        Value::Whole(number) => i32::try_from(*number).ok(),
        Value::Decimal(number) if number.is_integer() => i32::try_from(*number).ok(),
        _ => return Err(wrong(value, holder)),
    };
    number.filter(|number| has_option(*number, holder)).ok_or_else(|| no_option(holder, describe(value)))
}

fn has_option(number: i32, holder: &Holder<'_>) -> bool {
    (!holder.closed && holder.options.is_empty()) || holder.options.iter().any(|option| option.value == number)
}

fn no_option(holder: &Holder<'_>, found: SmolStr) -> Refusal {
    let mut names: Vec<_> = holder.options.iter().take(12).map(|option| option.name.as_str()).collect();
    if holder.options.len() > names.len() {
        names.push("…");
    }
    out_of_bounds(holder, format_smolstr!("has no option {found}; its options are {}", names.join(", ")))
}

fn reference(value: Value, holder: &Holder<'_>, name_of: Names<'_>) -> Result<Value, Refusal> {
    let target = match &value {
        Value::Reference(target) => *target,
        // A bare id will do where there is only one entity that it can mean.
        Value::Guid(id) => match holder.targets {
            Some([only]) => RecordRef::new(*only, RecordId(*id)),
            _ => return Err(wrong(&value, holder)),
        },
        _ => return Err(wrong(&value, holder)),
    };
    match holder.targets {
        Some(targets) if !targets.contains(&target.entity) => {
            let names: Vec<_> = targets.iter().map(|entity| format!("`{}`", name_of(*entity))).collect();
            Err(Refusal::BadReference {
                attribute: holder.name.into(),
                target: format_smolstr!("`{}` {}", name_of(target.entity), target.id),
                why: format_smolstr!("it points to records of {}", names.join(" or ")),
            })
        }
        _ => Ok(Value::Reference(target)),
    }
}

/// One record will do for a list of one.
fn references(value: Value, holder: &Holder<'_>, name_of: Names<'_>) -> Result<Value, Refusal> {
    let targets: Vec<RecordRef> = match &value {
        Value::References(targets) => targets.to_vec(),
        Value::Reference(target) => vec![*target],
        _ => return Err(wrong(&value, holder)),
    };
    if targets.len() > MOST_REFERENCES {
        let rule = format_smolstr!("has at most {MOST_REFERENCES} records, not {}", targets.len());
        return Err(out_of_bounds(holder, rule));
    }
    for target in &targets {
        reference(Value::Reference(*target), holder, name_of)?;
    }
    Ok(Value::References(targets.into()))
}

fn written(value: Value, holder: &Holder<'_>) -> Result<Value, Refusal> {
    let converted = match (&value, holder.value_type) {
        (Value::Date(_), ValueType::Date) | (Value::Guid(_), ValueType::Guid) => return Ok(value),
        (Value::DateTime(moment), ValueType::DateTime) => Some(Value::DateTime(moment.to_second())),
        (Value::Text(text), _) if text.is_empty() => Some(Value::Null),
        (Value::Text(text), ValueType::Date) => Date::parse(text).map(Value::Date),
        (Value::Text(text), ValueType::DateTime) => {
            Timestamp::parse(text).map(|moment| Value::DateTime(moment.to_second()))
        }
        (Value::Text(text), ValueType::Guid) => Uuid::parse_str(text).ok().map(Value::Guid),
        (Value::Reference(target), ValueType::Guid) => Some(Value::Guid(target.id.0)),
        _ => None,
    };
    converted.ok_or_else(|| wrong(&value, holder))
}

fn bytes(value: Value, holder: &Holder<'_>) -> Result<Value, Refusal> {
    let Value::Bytes(bytes) = value else { return Err(wrong(&value, holder)) };
    match holder.max_bytes.filter(|most| bytes.len() as u64 > *most) {
        Some(most) => Err(out_of_bounds(holder, format_smolstr!("is at most {} MiB large", most >> 20))),
        None => Ok(Value::Bytes(Arc::clone(&bytes))),
    }
}

fn same(value: Value, holder: &Holder<'_>) -> Result<Value, Refusal> {
    if value.value_type() == Some(holder.value_type) { Ok(value) } else { Err(wrong(&value, holder)) }
}

fn wrong(value: &Value, holder: &Holder<'_>) -> Refusal {
    Refusal::WrongType { attribute: holder.name.into(), expected: holder.value_type, found: describe(value) }
}

fn out_of_bounds(holder: &Holder<'_>, rule: SmolStr) -> Refusal {
    Refusal::OutOfBounds { attribute: holder.name.into(), rule }
}
