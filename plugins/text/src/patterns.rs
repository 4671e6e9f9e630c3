//! Regular expressions. The dialect is that of the crate `regex-lite`: no look-around and no back references, so that no
//! pattern takes more than linear time.

use regex_lite::{Regex, RegexBuilder};
use stepwise_sdk::prelude::*;

/// The one failure of these steps.
const ERRORS: &[(&str, &str)] = &[("bad-pattern", "The pattern is no regular expression")];

/// How much memory a pattern may become.
const SIZE: usize = 256 * 1024;

fn compiled(pattern: &str, ignore_case: bool) -> Result<Regex, Failure> {
    let built = RegexBuilder::new(pattern).case_insensitive(ignore_case).size_limit(SIZE).build();
    built.map_err(|why| Failure::invalid_input("bad-pattern", format!("`pattern` is no regular expression: {why}")))
}

/// What a condition asks.
#[derive(Inputs)]
pub struct Question {
    /// The text to look at
    #[argument(max_length = 100000)]
    text: Option<String>,
    /// A regular expression: `^[A-Z]{2}[0-9]{6}$`
    #[argument(max_length = 1000)]
    pattern: String,
    /// Whether capital and small letters are the same
    #[argument(default = false)]
    ignore_case: bool,
}

/// Yes or no.
#[derive(Outputs)]
pub struct Answer {
    /// Whether the pattern fits somewhere in the text
    matches: bool,
}

/// Asks whether a text fits a pattern.
pub struct Matches;

impl Step for Matches {
    const NAME: &str = "text.matches";
    const KIND: Kind = Kind::Condition;
    const TITLE: &str = "Text matches a pattern";
    const DESCRIPTION: &str =
        "True when a regular expression fits somewhere in the text; `^` and `$` hold it to the ends.";
    const ERRORS: &[(&str, &str)] = ERRORS;
    const DETERMINISTIC: bool = true;
    type Inputs = Question;
    type Outputs = Answer;

    fn run(_: &Context, asked: Question) -> Result<Answer, Failure> {
        let text = asked.text.unwrap_or_default();
        Ok(Answer { matches: compiled(&asked.pattern, asked.ignore_case)?.is_match(&text) })
    }

    fn examples() -> Vec<Example> {
        let question =
            |text: &str| Question { text: Some(text.into()), pattern: "^[A-Z]{2}[0-9]{4}$".into(), ignore_case: false };
        vec![
            Example::of::<Self>("an order number", question("AB1234")).gives(Answer { matches: true }),
            Example::of::<Self>("none", question("AB12345")).gives(Answer { matches: false }),
            Example::failing("a bracket too few", attributes! { "text" => "a", "pattern" => "(" }, "bad-pattern"),
        ]
    }
}

/// What is looked for.
#[derive(Inputs)]
pub struct Wanted {
    /// The text to look at
    #[argument(max_length = 100000)]
    text: Option<String>,
    /// A regular expression: `Order ([0-9]+)`
    #[argument(max_length = 1000)]
    pattern: String,
    /// Which pair of round brackets gives the value, 0 for the whole match
    #[argument(default = 0, min = 0, max = 20)]
    group: u32,
    /// Whether capital and small letters are the same
    #[argument(default = false)]
    ignore_case: bool,
    /// What stands between the values in `all`
    #[argument(default = "\n", max_length = 100)]
    separator: String,
}

/// What was found.
#[derive(Outputs)]
pub struct Found {
    /// Whether there is a match
    found: bool,
    /// The value of the first match, empty where there is none
    value: Option<String>,
    /// At which character the first match begins, from 1; 0 where there is none
    position: u32,
    /// How many matches there are
    count: u32,
    /// The values of all matches, with the separator between them
    all: Option<String>,
}

/// Finds what fits a pattern.
pub struct Find;

impl Step for Find {
    const NAME: &str = "text.find";
    const TITLE: &str = "Find in a text";
    const DESCRIPTION: &str =
        "Finds what fits a regular expression: the first match, where it stands, how many there are.";
    const ERRORS: &[(&str, &str)] = ERRORS;
    const DETERMINISTIC: bool = true;
    type Inputs = Wanted;
    type Outputs = Found;

    fn run(_: &Context, wanted: Wanted) -> Result<Found, Failure> {
        let pattern = compiled(&wanted.pattern, wanted.ignore_case)?;
        let (text, group, mut all) = (wanted.text.unwrap_or_default(), wanted.group as usize, String::new());
        let mut found = Found { found: false, value: None, position: 0, count: 0, all: None };
        for captures in pattern.captures_iter(&text) {
            let value = captures.get(group).map_or("", |part| part.as_str());
            if found.count == 0 {
                let start = captures.get(0).map_or(0, |whole| whole.start());
                found.position = text[..start].chars().count() as u32 + 1;
                found.value = Some(value.to_owned()).filter(|value| !value.is_empty());
                found.found = true;
            } else {
                all.push_str(&wanted.separator);
            }
            all.push_str(value);
            found.count += 1;
        }
        found.all = Some(all).filter(|all| !all.is_empty());
        Ok(found)
    }

    fn examples() -> Vec<Example> {
        let wanted = |text: &str| Wanted {
            text: Some(text.into()),
            pattern: "order ([0-9]+)".into(),
            group: 1,
            ignore_case: true,
            separator: ", ".into(),
        };
        let two = Found { found: true, value: Some("17".into()), position: 4, count: 2, all: Some("17, 21".into()) };
        let none = Found { found: false, value: None, position: 0, count: 0, all: None };
        vec![
            Example::of::<Self>("two orders", wanted("My order 17 and order 21")).gives(two),
            Example::of::<Self>("none", wanted("nothing here")).gives(none),
            Example::failing("a bracket too few", attributes! { "text" => "a", "pattern" => "(" }, "bad-pattern"),
        ]
    }
}

/// What becomes of what.
#[derive(Inputs)]
pub struct Change {
    /// The text to change
    #[argument(max_length = 100000)]
    text: Option<String>,
    /// A regular expression: `([0-9]{4})-([0-9]{2})`
    #[argument(max_length = 1000)]
    pattern: String,
    /// What stands there instead; `$1` is what the first pair of round brackets matched, `$$` a dollar
    #[argument(default = "", max_length = 10000)]
    replacement: String,
    /// Whether capital and small letters are the same
    #[argument(default = false)]
    ignore_case: bool,
    /// Whether only the first match is replaced
    #[argument(default = false)]
    first_only: bool,
}

/// The changed text.
#[derive(Outputs)]
pub struct Changed {
    /// The text with what matched replaced
    text: Option<String>,
    /// How many matches were replaced
    count: u32,
}

/// Replaces what fits a pattern.
pub struct Replace;

impl Step for Replace {
    const NAME: &str = "text.replace";
    const TITLE: &str = "Replace in a text";
    const DESCRIPTION: &str = "Replaces what fits a regular expression, with parts of the match where wanted.";
    const ERRORS: &[(&str, &str)] =
        &[("bad-pattern", "The pattern is no regular expression"), ("too-long", "The text would become too long")];
    const DETERMINISTIC: bool = true;
    type Inputs = Change;
    type Outputs = Changed;

    fn run(_: &Context, change: Change) -> Result<Changed, Failure> {
        let pattern = compiled(&change.pattern, change.ignore_case)?;
        let (given, mut text, mut count, mut end) = (change.text.unwrap_or_default(), String::new(), 0, 0);
        for captures in pattern.captures_iter(&given).take(if change.first_only { 1 } else { usize::MAX }) {
            let Some(whole) = captures.get(0) else { continue };
            text.push_str(&given[end..whole.start()]);
            captures.expand(&change.replacement, &mut text);
            if text.len() > LONGEST {
                return Err(Failure::permanent(
                    "too-long",
                    format!("the text would become longer than {LONGEST} bytes"),
                ));
            }
            end = whole.end();
            count += 1;
        }
        text.push_str(&given[end..]);
        Ok(Changed { text: Some(text), count })
    }

    fn examples() -> Vec<Example> {
        let change = Change {
            text: Some("2026-11-20 and 2026-12-24".into()),
            pattern: "([0-9]{4})-([0-9]{2})-([0-9]{2})".into(),
            replacement: "$3.$2.$1".into(),
            ignore_case: false,
            first_only: false,
        };
        let long = attributes! { "text" => "x".repeat(600), "pattern" => "x", "replacement" => "y".repeat(1000) };
        vec![
            Example::of::<Self>("days as people write them", change)
                .gives(Changed { text: Some("20.11.2026 and 24.12.2026".into()), count: 2 }),
            Example::failing("a bracket too few", attributes! { "text" => "a", "pattern" => "(" }, "bad-pattern"),
            Example::failing("a text that explodes", long, "too-long"),
        ]
    }
}

/// The longest text that comes out.
const LONGEST: usize = 500_000;
