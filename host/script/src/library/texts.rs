//! Functions of text. Places count characters from 1, and what looks for text does so without regard to case.

use rhai::Dynamic;

use super::{
    Answer, Function, LONGEST_LIST,
    arguments::{Arguments, bounded, show},
    operators::equal,
};
use crate::dynamic::Choices;

about!(Text);

pub(super) const FUNCTIONS: &[Function] = &[
    f("upper", "upper(text: text) -> text", (1, 1), |call| bounded(call.text(0)?.to_uppercase()))
        .help("The text in capital letters.", &[("upper(\"Ada\") + \"!\"", "\"ADA!\"")]),
    f("lower", "lower(text: text) -> text", (1, 1), |call| bounded(call.text(0)?.to_lowercase()))
        .help("The text in small letters.", &[("lower(\"ADA\")", "\"ada\"")]),
    f("trim", "trim(text: text) -> text", (1, 1), |call| Ok(call.text(0)?.trim().into()))
        .help("The text without white space at its ends.", &[("trim(\"  Ada \")", "\"Ada\"")]),
    f("length", "length(value: any) -> whole", (1, 1), length)
        .help("How many characters a text has, or how many items a list.", &[("length(\"Zoë\")", "3")]),
    f("left", "left(text: text, count: whole) -> text", (2, 2), |call| cut(call, |_, count| (0, count)))
        .help("The first so many characters.", &[("left(\"Mortgage\", 4)", "\"Mort\"")]),
    f("right", "right(text: text, count: whole) -> text", (2, 2), |call| {
        cut(call, |length, count| (length.saturating_sub(count), count))
    })
    .help("The last so many characters.", &[("right(\"C-000017\", 2)", "\"17\"")]),
    f("middle", "middle(text: text, from: whole[, count: whole]) -> text", (2, 3), middle).help(
        "The characters from a place on, counted from 1: so many of them, or all.",
        &[("middle(\"C-000017\", 3)", "\"000017\""), ("middle(\"Mortgage\", 5, 2)", "\"ga\"")],
    ),
    f("contains", "contains(text: any, part: any) -> boolean", (2, 2), contains).help(
        "Whether the text has the part in it, without regard to case; of a list, whether it has the item.",
        &[("contains(\"Late fee\", \"FEE\")", "true"), ("2 in [1, 2]", "true")],
    ),
    f("starts_with", "starts_with(text: text, part: text) -> boolean", (2, 2), |call| {
        Ok(fold(&call.text(0)?).starts_with(&fold(&call.text(1)?)).into())
    })
    .help("Whether the text begins with the part, without regard to case.", &[("starts_with(\"Ada\", \"a\")", "true")]),
    f("ends_with", "ends_with(text: text, part: text) -> boolean", (2, 2), |call| {
        Ok(fold(&call.text(0)?).ends_with(&fold(&call.text(1)?)).into())
    })
    .help("Whether the text ends with the part, without regard to case.", &[("ends_with(\"Ada\", \"D\")", "false")]),
    f("index_of", "index_of(text: text, part: text) -> whole", (2, 2), index_of).help(
        "At which character the part begins, counted from 1; 0 where it is not there.",
        &[("index_of(\"a@b.example\", \"@\")", "2"), ("index_of(\"Ada\", \"x\")", "0")],
    ),
    f("replace", "replace(text: text, part: text, by: text) -> text", (3, 3), replace).help(
        "The text with each occurrence of the part, written just so, replaced.",
        &[("replace(\"a-b-c\", \"-\", \"\")", "\"abc\"")],
    ),
    f("pad_left", "pad_left(text: text, count: whole[, with: text]) -> text", (2, 3), |call| {
        pad(call, |fill, text| fill + text)
    })
    .help(
        "The text filled up at its beginning to so many characters, with spaces or with the character given.",
        &[("pad_left(17, 6, \"0\")", "\"000017\"")],
    ),
    f("pad_right", "pad_right(text: text, count: whole[, with: text]) -> text", (2, 3), |call| {
        pad(call, |fill, text| [text, fill.as_str()].concat())
    })
    .help("The text filled up at its end to so many characters.", &[("pad_right(\"a\", 3, \".\")", "\"a..\"")]),
    f("split", "split(text: text, separator: text) -> list", (2, 2), split)
        .help("The parts of a text, as a list.", &[("split(\"a,b\", \",\")", "[\"a\", \"b\"]")]),
    f("join", "join(list: list, separator: text) -> text", (2, 2), join).help(
        "The items of a list as one text, those that are empty left out.",
        &[("join([\"a\", null, 2], \", \")", "\"a, 2\"")],
    ),
];

fn length(call: &Arguments<'_>) -> Answer {
    let value = call.value(0);
    let count = match (value.read_lock::<rhai::Array>(), value.read_lock::<Choices>()) {
        (Some(list), _) => list.len(),
        (None, Some(choices)) => choices.0.len(),
        (None, None) => call.text(0)?.chars().count(),
    };
    Ok((count as i64).into())
}

/// Part of the first argument: `part` tells from the length and the second argument where it begins and how long it is.
fn cut(call: &Arguments<'_>, part: fn(usize, usize) -> (usize, usize)) -> Answer {
    let text = call.text(0)?;
    let count = usize::try_from(call.whole(1)?).unwrap_or(0);
    let (from, count) = part(text.chars().count(), count);
    Ok(text.chars().skip(from).take(count).collect::<String>().into())
}

fn middle(call: &Arguments<'_>) -> Answer {
    let text = call.text(0)?;
    let from = usize::try_from(call.whole(1)?.saturating_sub(1)).unwrap_or(0);
    let count = match call.len() {
        2 => usize::MAX,
        _ => usize::try_from(call.whole(2)?).unwrap_or(0),
    };
    Ok(text.chars().skip(from).take(count).collect::<String>().into())
}

fn contains(call: &Arguments<'_>) -> Answer {
    if let Some(list) = call.value(0).read_lock::<rhai::Array>() {
        for item in list.iter() {
            if equal(item, call.value(1), &|| call.environment())? {
                return Ok(true.into());
            }
        }
        return Ok(false.into());
    }
    if let Some(choices) = call.value(0).read_lock::<Choices>() {
        let wanted = call.whole(1)?;
        return Ok(choices.0.iter().any(|choice| i64::from(*choice) == wanted).into());
    }
    Ok(fold(&call.text(0)?).contains(&fold(&call.text(1)?)).into())
}

fn index_of(call: &Arguments<'_>) -> Answer {
    let (text, part) = (fold(&call.text(0)?), fold(&call.text(1)?));
    let place = text.find(&part).map_or(0, |place| text[..place].chars().count() + 1);
    Ok((place as i64).into())
}

fn replace(call: &Arguments<'_>) -> Answer {
    let (text, part, by) = (call.text(0)?, call.text(1)?, call.text(2)?);
    if part.is_empty() {
        return Ok(text.into());
    }
    let grown = text.matches(part.as_str()).count().saturating_mul(by.len());
    match grown <= super::LONGEST_TEXT {
        true => bounded(text.replace(part.as_str(), &by)),
        false => Err(format!("would make a text of more than {} bytes", super::LONGEST_TEXT)),
    }
}

fn pad(call: &Arguments<'_>, joined: fn(String, &str) -> String) -> Answer {
    let text = call.text(0)?;
    let with = match call.len() {
        2 => ' ',
        _ => call.text(2)?.chars().next().ok_or_else(|| call.wants("a character", 2))?,
    };
    let wanted = usize::try_from(call.whole(1)?).unwrap_or(0);
    if wanted > super::LONGEST_TEXT / 4 {
        return Err(format!("would make a text of more than {} characters", super::LONGEST_TEXT / 4));
    }
    let fill: String = std::iter::repeat_n(with, wanted.saturating_sub(text.chars().count())).collect();
    bounded(joined(fill, &text))
}

fn split(call: &Arguments<'_>) -> Answer {
    let (text, separator) = (call.text(0)?, call.text(1)?);
    if separator.is_empty() {
        return Err(call.wants("a text with at least one character", 1));
    }
    let parts: Vec<Dynamic> =
        text.split(separator.as_str()).map(str::to_owned).take(LONGEST_LIST + 1).map(Dynamic::from).collect();
    match parts.len() <= LONGEST_LIST {
        true => Ok(Dynamic::from_array(parts)),
        false => Err(format!("would make a list of more than {LONGEST_LIST} items")),
    }
}

fn join(call: &Arguments<'_>) -> Answer {
    let separator = call.text(1)?;
    let value = call.value(0);
    let list = value.read_lock::<rhai::Array>().ok_or_else(|| call.wants("a list", 0))?;
    let environment = call.environment();
    let mut joined = String::new();
    for item in list.iter().filter(|item| !item.is_unit()) {
        if !joined.is_empty() {
            joined.push_str(&separator);
        }
        joined.push_str(&show(item, &environment));
        if joined.len() > super::LONGEST_TEXT {
            return Err(format!("would make a text of more than {} bytes", super::LONGEST_TEXT));
        }
    }
    bounded(joined)
}

fn fold(text: &str) -> String {
    model::text::folded(text).collect()
}
