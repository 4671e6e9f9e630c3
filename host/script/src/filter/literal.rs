//! A value in a filter as the attribute's type has it.

use jiff::tz::TimeZone;
use model::{
    Date, Decimal, Money, RecordId, RecordRef, Timestamp, Value, ValueType,
    schema::{Attribute, Entity},
    starter,
};
use uuid::Uuid;

use super::{
    names::Named,
    words::{Placed, Token},
};
use crate::{Diagnostic, diagnostic::nearest};

/// How a value may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Text, options by name and dates in quotes, the rest without.
    AsTyped,
    /// Everything may be in quotes, as in the lists of functions.
    Anywhere,
}

/// The value that `word` is for `named`.
pub(super) fn value(text: &str, word: &Placed<'_>, named: &Named<'_>, quotes: Quotes) -> Result<Value, Diagnostic> {
    let written: &str = match &word.token {
        Token::Word(written) => written,
        Token::Quoted(written) => written,
        Token::Sign(_) => "",
    };
    let quoted = matches!(word.token, Token::Quoted(_));
    if !quoted && written == "null" {
        return Ok(Value::Null);
    }
    let wanted = named.attribute.map_or(ValueType::Guid, Attribute::value_type);
    let fitting = match (quoted, wanted) {
        (false, ValueType::Text) => None,
        (true, ValueType::Whole | ValueType::Decimal | ValueType::Float | ValueType::Money | ValueType::Boolean)
            if quotes == Quotes::AsTyped && !is_state(named) =>
        {
            None
        }
        _ => typed(written, wanted, named),
    };
    fitting.ok_or_else(|| misfit(text, word, wanted, named))
}

fn is_state(named: &Named<'_>) -> bool {
    named.attribute.is_some_and(|attribute| [starter::STATE, starter::STATUS].contains(&attribute.id))
}

fn typed(written: &str, wanted: ValueType, named: &Named<'_>) -> Option<Value> {
    Some(match wanted {
        ValueType::Text => Value::text(written),
        ValueType::Boolean => Value::Boolean(written.parse().ok()?),
        ValueType::Whole => match written.parse().ok() {
            Some(number) => Value::Whole(number),
            None if is_state(named) => Value::Whole(state(written, named.attribute?, named.entity)?.into()),
            // Half a count is less than one: compared exactly, as a number that no record can have.
            None => Value::Decimal(decimal(written)?),
        },
        ValueType::Decimal => Value::Decimal(decimal(written)?),
        ValueType::Money => match decimal(written)? {
            number if Money::new(number).amount() == number => Value::Money(Money::new(number)),
            number => Value::Decimal(number),
        },
        ValueType::Float => {
            Value::Float(written.parse().ok().filter(|number: &f64| number.is_finite() && is_number(written))?)
        }
        ValueType::Date => Value::Date(match Date::parse(written) {
            Some(date) => date,
            None => Timestamp::parse(written)?.date_in(&TimeZone::UTC),
        }),
        ValueType::DateTime => Value::DateTime(match Timestamp::parse(written) {
            Some(moment) => moment,
            None => Date::parse(written)?.start_in(&TimeZone::UTC),
        }),
        ValueType::Guid => Value::Guid(guid(written)?),
        ValueType::Choice => Value::Choice(option(written, named.attribute?)?),
        ValueType::Choices => {
            let mut options: Vec<i32> =
                written.split(',').map(|part| option(part.trim(), named.attribute?)).collect::<Option<_>>()?;
            options.sort_unstable();
            options.dedup();
            Value::Choices(options.into())
        }
        ValueType::Reference => {
            let id = guid(written)?;
            match named.attribute?.targets.as_deref() {
                Some([target]) => Value::Reference(RecordRef::new(*target, RecordId(id))),
                _ => Value::Guid(id),
            }
        }
        ValueType::Duration | ValueType::References | ValueType::Bytes | ValueType::Document => return None,
    })
}

/// One option of a choice, by number or name.
pub(super) fn option(written: &str, attribute: &Attribute) -> Option<i32> {
    let named = attribute.options.iter().find(|option| option.name.as_str() == written).map(|option| option.value);
    named.or_else(|| written.parse().ok())
}

fn state(written: &str, attribute: &Attribute, entity: &Entity) -> Option<i32> {
    match attribute.id == starter::STATE {
        true => entity.state_named(written).map(|state| state.value),
        false => entity.status_named(written).map(|(_, status)| status.value),
    }
}

fn is_number(written: &str) -> bool {
    written.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
}

fn decimal(written: &str) -> Option<Decimal> {
    let written = written.strip_suffix(['m', 'M', 'd', 'D', 'f', 'F', 'L', 'l']).unwrap_or(written);
    is_number(written).then(|| written.parse().ok().or_else(|| Decimal::from_scientific(written).ok())).flatten()
}

fn guid(written: &str) -> Option<Uuid> {
    (written.len() == 36).then(|| Uuid::try_parse(written).ok()).flatten()
}

fn misfit(text: &str, word: &Placed<'_>, wanted: ValueType, named: &Named<'_>) -> Diagnostic {
    let name = named.attribute.map_or_else(|| named.entity.id_name(), |attribute| attribute.name().as_str().into());
    let message = format!("`{name}` is compared with {}, which this is not", wanted_words(wanted));
    let found = Diagnostic::at(text, word.at.start, word.at.end, message);
    let written = match &word.token {
        Token::Word(written) => *written,
        Token::Quoted(written) => written.as_str(),
        Token::Sign(_) => "",
    };
    let options = named.attribute.map_or(&[][..], |attribute| &attribute.options);
    if let Some(near) = nearest(written, options.iter().map(|option| option.name.as_str())) {
        return found.hint(format!("did you mean '{near}'?"));
    }
    match (wanted, &word.token) {
        (ValueType::Text, Token::Word(written)) => found.hint(format!("write '{written}'")),
        (ValueType::Whole | ValueType::Decimal | ValueType::Money | ValueType::Float, Token::Quoted(_)) => {
            found.hint("write the number without quotes")
        }
        (ValueType::Boolean, _) => found.hint("write true or false"),
        (ValueType::Date, _) => found.hint("such as 2026-11-20"),
        (ValueType::DateTime, _) => found.hint("such as 2026-11-20T09:00:00Z"),
        _ => found,
    }
}

fn wanted_words(wanted: ValueType) -> &'static str {
    match wanted {
        ValueType::Boolean => "true or false",
        ValueType::Whole | ValueType::Decimal | ValueType::Float | ValueType::Money => "a number",
        ValueType::Text => "text in single quotes",
        ValueType::Date => "a date",
        ValueType::DateTime => "a date-time",
        ValueType::Guid | ValueType::Reference => "a guid",
        ValueType::Choice => "one of its options, by number or by name in quotes",
        ValueType::Choices => "its options, by number or by name in quotes",
        ValueType::Duration | ValueType::References | ValueType::Bytes | ValueType::Document => "null only",
    }
}
