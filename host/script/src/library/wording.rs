//! More functions of text: cutting it at words and signs, cleaning it up, and writing it for a page, an address or a filter.

use model::{Date, Timestamp};
use rhai::{Dynamic, ImmutableString};
use uuid::Uuid;

use super::{
    Answer, Function, LONGEST_TEXT,
    arguments::{Arguments, bounded, bounded_list, number, show},
};
use crate::dynamic::{Choice, Reference};

about!(Text);

pub(super) const FUNCTIONS: &[Function] = &[
    f("capitalize", "capitalize(text: text) -> text", (1, 1), |call| bounded(capitalized(&call.text(0)?)))
        .help("The text with its first letter in capital.", &[("capitalize(\"late fee\")", "\"Late fee\"")]),
    f("title_case", "title_case(text: text) -> text", (1, 1), |call| {
        let text = call.text(0)?;
        bounded(text.split_inclusive(char::is_whitespace).map(|word| capitalized(&word.to_lowercase())).collect())
    })
    .help("The text with the first letter of each word in capital.", &[("title_case(\"ADA lovelace\")", "\"Ada Lovelace\"")]),
    f("clean", "clean(text: text) -> text", (1, 1), |call| {
        Ok(call.text(0)?.split_whitespace().collect::<Vec<_>>().join(" ").into())
    })
    .help(
        "The text without white space at its ends, and with one space where there was more.",
        &[("clean(\"  Ada \\n Lovelace \")", "\"Ada Lovelace\"")],
    ),
    f("is_blank", "is_blank(text: any) -> boolean", (1, 1), |call| {
        let value = call.value(0);
        let blank = value.read_lock::<ImmutableString>().is_some_and(|text| text.trim().is_empty());
        Ok((value.is_unit() || blank).into())
    })
    .takes_empty()
    .help("Whether there is nothing but white space.", &[("is_blank(\"  \")", "true"), ("is_blank(0)", "false")]),
    f("repeat", "repeat(text: text, count: whole) -> text", (2, 2), |call| {
        let (text, count) = (call.text(0)?, usize::try_from(call.whole(1)?).unwrap_or(0));
        match text.len().saturating_mul(count) <= LONGEST_TEXT {
            true => Ok(text.repeat(count).into()),
            false => Err(format!("would make a text of more than {LONGEST_TEXT} bytes")),
        }
    })
    .help("The text so many times in a row.", &[("repeat(\"ab\", 3)", "\"ababab\"")]),
    f("text_before", "text_before(text: text, part: text) -> text", (2, 2), |call| {
        let (text, part) = (call.text(0)?, call.text(1)?);
        Ok(text.split_once(part.as_str()).map_or(Dynamic::UNIT, |(before, _)| before.into()))
    })
    .help(
        "What stands before the first such part, empty where it is not there.",
        &[("text_before(\"ada@example.org\", \"@\")", "\"ada\"")],
    ),
    f("text_after", "text_after(text: text, part: text) -> text", (2, 2), |call| {
        let (text, part) = (call.text(0)?, call.text(1)?);
        Ok(text.split_once(part.as_str()).map_or(Dynamic::UNIT, |(_, after)| after.into()))
    })
    .help(
        "What stands behind the first such part, empty where it is not there.",
        &[("text_after(\"ada@example.org\", \"@\")", "\"example.org\"")],
    ),
    f("text_between", "text_between(text: text, from: text, to: text) -> text", (3, 3), |call| {
        let (text, from, to) = (call.text(0)?, call.text(1)?, call.text(2)?);
        let inside = text.split_once(from.as_str()).and_then(|(_, rest)| rest.split_once(to.as_str()));
        Ok(inside.map_or(Dynamic::UNIT, |(inside, _)| inside.into()))
    })
    .help(
        "What stands between two parts, empty where one of them is not there.",
        &[("text_between(\"Fee [late] of May\", \"[\", \"]\")", "\"late\"")],
    ),
    f("lines", "lines(text: text) -> list", (1, 1), |call| {
        bounded_list(call.text(0)?.lines().map(|line| line.to_owned().into()).collect())
    })
    .help("The lines of a text, as a list.", &[("lines(\"a\\nb\")", "[\"a\", \"b\"]")]),
    f("words", "words(text: text) -> list", (1, 1), |call| {
        bounded_list(call.text(0)?.split_whitespace().map(|word| word.to_owned().into()).collect())
    })
    .help("The words of a text, as a list.", &[("words(\" late  fee \")", "[\"late\", \"fee\"]")]),
    f("occurrences", "occurrences(text: text, part: text) -> whole", (2, 2), |call| {
        let (text, part) = (folded(&call.text(0)?), folded(&call.text(1)?));
        let count = if part.is_empty() { 0 } else { text.matches(&part).count() };
        Ok((count as i64).into())
    })
    .help(
        "How often the part stands in the text, without regard to case.",
        &[("occurrences(\"Anna\", \"a\")", "2")],
    ),
    f("is_like", "is_like(text: text, pattern: text) -> boolean", (2, 2), |call| {
        Ok(like(&folded(&call.text(0)?), &folded(&call.text(1)?)).into())
    })
    .help(
        "Whether the text looks like the pattern: `*` stands for any text, `?` for one character; without regard to case.",
        &[("is_like(\"INV-0042\", \"inv-*\")", "true"), ("is_like(\"ab\", \"?\")", "false")],
    ),
    f("is_exactly", "is_exactly(text: text, other: text) -> boolean", (2, 2), |call| {
        Ok((call.text(0)? == call.text(1)?).into())
    })
    .help(
        "Whether two texts are the same in each letter, capital or not: `==` does not look at that.",
        &[("is_exactly(\"Ada\", \"ada\")", "false")],
    ),
    f("digits", "digits(text: text) -> text", (1, 1), |call| {
        Ok(call.text(0)?.chars().filter(char::is_ascii_digit).collect::<String>().into())
    })
    .help("The digits of a text, without anything else.", &[("digits(\"+49 (30) 12-34\")", "\"49301234\"")]),
    f("initials", "initials(text: text) -> text", (1, 1), |call| {
        let text = call.text(0)?;
        let first = text.split_whitespace().filter_map(|word| word.chars().next());
        bounded(first.flat_map(char::to_uppercase).collect())
    })
    .help("The first letters of the words.", &[("initials(\"Ada lovelace\")", "\"AL\"")]),
    f("mask", "mask(text: text, shown: whole[, with: text]) -> text", (2, 3), mask).help(
        "The text with all but its last characters hidden by `*`, or by the character given.",
        &[("mask(\"DE893704\", 3)", "\"*****704\"")],
    ),
    f("shorten", "shorten(text: text, count: whole) -> text", (2, 2), |call| {
        let (text, count) = (call.text(0)?, usize::try_from(call.whole(1)?).unwrap_or(0));
        Ok(match text.chars().count() > count {
            false => text.into(),
            true => {
                let kept: String = text.chars().take(count.saturating_sub(1)).collect();
                format!("{}…", kept.trim_end()).into()
            }
        })
    })
    .help(
        "The text, cut to at most so many characters with `…` at its end where it is longer.",
        &[("shorten(\"A late fee\", 7)", "\"A late…\""), ("shorten(\"Fee\", 7)", "\"Fee\"")],
    ),
    f("concatenate", "concatenate(value: any, ...) -> text", (1, 8), |call| {
        let environment = call.environment();
        bounded(call.values().map(|value| show(value, &environment)).collect())
    })
    .takes_empty()
    .help(
        "Up to 8 values as people read them, one after the other; empty ones are left out.",
        &[("concatenate(\"C-\", 17, null, \"!\")", "\"C-17!\"")],
    ),
    f("slug", "slug(text: text) -> text", (1, 1), |call| bounded(slug(&call.text(0)?))).help(
        "The text as a part of an address: small letters and digits with `-` between them.",
        &[("slug(\"Late Fee, May 2026!\")", "\"late-fee-may-2026\"")],
    ),
    f("escape_html", "escape_html(text: text) -> text", (1, 1), |call| bounded(crate::source::escape(&call.text(0)?)))
        .help(
            "The text so that a page or a mail in HTML shows it as it is.",
            &[("escape_html(\"a < b\")", "\"a &lt; b\"")],
        ),
    f("strip_html", "strip_html(text: text) -> text", (1, 1), |call| bounded(strip_html(&call.text(0)?))).help(
        "The text of a page or a mail in HTML, without its marks.",
        &[("strip_html(\"<p>A &amp; <b>B</b></p>\")", "\"A & B\"")],
    ),
    f("url_encode", "url_encode(text: text) -> text", (1, 1), |call| bounded(url_encode(&call.text(0)?))).help(
        "The text as it may stand in a part of an address.",
        &[("url_encode(\"late fee & more\")", "\"late%20fee%20%26%20more\"")],
    ),
    f("quoted", "quoted(value: any) -> text", (1, 1), |call| bounded(quoted(call)?)).takes_empty().help(
        "The value as an OData filter writes it: use it where a filter has a value of an input in it.",
        &[("quoted(\"O'Neill\")", "\"'O''Neill'\""), ("quoted(3)", "\"3\""), ("quoted(null)", "\"null\"")],
    ),
    f("is_email", "is_email(text: text) -> boolean", (1, 1), |call| Ok(is_email(call.text(0)?.trim()).into())).help(
        "Whether the text looks like the address of a mail.",
        &[("is_email(\"ada@example.org\")", "true"), ("is_email(\"ada@org\")", "false")],
    ),
];

fn folded(text: &str) -> String {
    model::text::folded(text).collect()
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Whether `text` fits a pattern of `*` and `?`. Goes back to the last `*` only, so it is never slow.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut place, mut star) = (0, 0, None);
    while at < text.len() {
        match pattern.get(place) {
            Some('*') => {
                star = Some((place, at));
                place += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[at] => (at, place) = (at + 1, place + 1),
            _ => match &mut star {
                None => return false,
                Some((after, from)) => {
                    *from += 1;
                    (at, place) = (*from, *after + 1);
                }
            },
        }
    }
    pattern[place..].iter().all(|letter| *letter == '*')
}

fn mask(call: &Arguments<'_>) -> Answer {
    let text = call.text(0)?;
    let shown = usize::try_from(call.whole(1)?).unwrap_or(0);
    let with = match call.len() {
        2 => '*',
        _ => call.text(2)?.chars().next().ok_or_else(|| call.wants("a character", 2))?,
    };
    let hidden = text.chars().count().saturating_sub(shown);
    bounded(text.chars().enumerate().map(|(place, letter)| if place < hidden { with } else { letter }).collect())
}

fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.to_lowercase().chars() {
        match letter.is_alphanumeric() {
            true => slug.push(letter),
            false if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            false => {}
        }
    }
    slug.trim_end_matches('-').to_owned()
}

fn strip_html(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        plain.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('>') else { break };
        let tag = rest[open + 1..open + close].trim_start_matches('/').to_ascii_lowercase();
        if ["br", "p", "div", "li", "tr"].iter().any(|block| tag.split([' ', '/']).next() == Some(block)) {
            plain.push('\n');
        }
        rest = &rest[open + close + 1..];
    }
    if !rest.starts_with('<') {
        plain.push_str(rest);
    }
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")];
    let plain = known.iter().fold(plain, |text, (mark, letter)| text.replace(mark, letter));
    let lines: Vec<_> = plain.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn url_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// A literal of OData.
fn quoted(call: &Arguments<'_>) -> Result<String, String> {
    let value = call.value(0);
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(format!("'{}'", text.replace('\'', "''")));
    }
    if let Some(moment) = value.read_lock::<Timestamp>() {
        return Ok(moment.to_string());
    }
    if let Some(choice) = value.read_lock::<Choice>() {
        return Ok(choice.number.to_string());
    }
    if let Some(record) = value.read_lock::<Reference>() {
        return Ok(record.id.to_string());
    }
    let as_shown = number(value).is_some() || value.is::<Date>() || value.is::<Uuid>();
    match (value.is_unit(), value.as_bool()) {
        (true, _) => Ok("null".to_owned()),
        (_, Ok(truth)) => Ok(truth.to_string()),
        _ if as_shown => Ok(show(value, &call.environment())),
        _ => Err(call.wants("a single value", 0)),
    }
}

fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    let sane = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    let no_space = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    no_space && text.len() <= 254 && sane(name) && !name.contains('@') && sane(host) && host.contains('.')
}
