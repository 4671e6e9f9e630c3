//! Parts of texts, what they count, how alike two of them are.

use stepwise_sdk::prelude::*;

/// A text with parts.
#[derive(Inputs)]
pub struct Joined {
    /// The text
    #[argument(max_length = 100000)]
    text: Option<String>,
    /// What stands between its parts
    #[argument(default = ",", max_length = 100)]
    separator: String,
    /// Which part is wanted, from 1; negative ones count from the end
    #[argument(default = 1, min = -1000, max = 1000)]
    number: i64,
}

/// A part of it.
#[derive(Outputs)]
pub struct Part {
    /// The part, without white space at its ends; empty where there are not so many
    part: Option<String>,
    /// What comes after that part, with its separators
    rest: Option<String>,
    /// How many parts there are
    count: u32,
}

/// Takes a part out of a text.
pub struct Split;

impl Step for Split {
    const NAME: &str = "text.split";
    const TITLE: &str = "Part of a text";
    const DESCRIPTION: &str =
        "Splits a text at a separator and gives one part, what comes after it, and how many there are.";
    const ERRORS: &[(&str, &str)] = &[("no-separator", "The separator is empty")];
    const DETERMINISTIC: bool = true;
    type Inputs = Joined;
    type Outputs = Part;

    fn run(_: &Context, joined: Joined) -> Result<Part, Failure> {
        if joined.separator.is_empty() {
            return Err(Failure::invalid_input("no-separator", "`separator` is empty; a line break is `\\n`"));
        }
        let text = joined.text.unwrap_or_default();
        let parts: Vec<&str> = text.split(joined.separator.as_str()).collect();
        let place = match joined.number {
            number if number > 0 => usize::try_from(number - 1).ok(),
            number if number < 0 => usize::try_from(-number).ok().and_then(|back| parts.len().checked_sub(back)),
            _ => None,
        };
        let found = place.filter(|place| *place < parts.len());
        let part = found.map(|place| parts[place].trim().to_owned()).filter(|part| !part.is_empty());
        let rest = found.map(|place| parts[place + 1..].join(&joined.separator));
        Ok(Part { part, rest: rest.filter(|rest| !rest.is_empty()), count: parts.len() as u32 })
    }

    fn examples() -> Vec<Example> {
        let joined = |number| Joined { text: Some("Berlin, Hamburg, Bremen".into()), separator: ",".into(), number };
        let first = Part { part: Some("Berlin".into()), rest: Some(" Hamburg, Bremen".into()), count: 3 };
        let last = Part { part: Some("Bremen".into()), rest: None, count: 3 };
        vec![
            Example::of::<Self>("the first", joined(1)).gives(first),
            Example::of::<Self>("the last", joined(-1)).gives(last),
            Example::of::<Self>("there are not so many", joined(4)).gives(Part { part: None, rest: None, count: 3 }),
            Example::failing("between nothing", attributes! { "text" => "a", "separator" => "" }, "no-separator"),
        ]
    }
}

/// A text with marks in it.
#[derive(Inputs)]
pub struct Marked {
    /// The text
    #[argument(max_length = 100000)]
    text: Option<String>,
    /// The mark before what is wanted; the beginning where it is empty
    #[argument(max_length = 1000)]
    after: Option<String>,
    /// The mark behind it; the end where it is empty
    #[argument(max_length = 1000)]
    before: Option<String>,
}

/// What stands there.
#[derive(Outputs)]
pub struct Inner {
    /// Whether both marks are there, in this order
    found: bool,
    /// What stands between them, without white space at its ends
    text: Option<String>,
}

/// Takes out what stands between two marks.
pub struct Between;

impl Step for Between {
    const NAME: &str = "text.between";
    const TITLE: &str = "Text between two marks";
    const DESCRIPTION: &str = "What stands behind one mark and before another, as in `Reference: 12/7 (please quote)`.";
    const DETERMINISTIC: bool = true;
    type Inputs = Marked;
    type Outputs = Inner;

    fn run(_: &Context, marked: Marked) -> Result<Inner, Failure> {
        let (text, none) = (marked.text.unwrap_or_default(), Inner { found: false, text: None });
        let rest = match marked.after.as_deref().filter(|mark| !mark.is_empty()) {
            None => text.as_str(),
            Some(mark) => match text.split_once(mark) {
                Some((_, rest)) => rest,
                None => return Ok(none),
            },
        };
        let inner = match marked.before.as_deref().filter(|mark| !mark.is_empty()) {
            None => rest,
            Some(mark) => match rest.split_once(mark) {
                Some((inner, _)) => inner,
                None => return Ok(none),
            },
        };
        Ok(Inner { found: true, text: Some(inner.trim().to_owned()) })
    }

    fn examples() -> Vec<Example> {
        let marked = |before: &str| Marked {
            text: Some("Reference: 12/7 (please quote)".into()),
            after: Some("Reference:".into()),
            before: Some(before.into()),
        };
        vec![
            Example::of::<Self>("a reference", marked("(")).gives(Inner { found: true, text: Some("12/7".into()) }),
            Example::of::<Self>("a mark that is not there", marked("[")).gives(Inner { found: false, text: None }),
        ]
    }
}

/// A text.
#[derive(Inputs)]
pub struct Counted {
    /// The text
    #[argument(max_length = 100000)]
    text: Option<String>,
}

/// What it counts.
#[derive(Outputs)]
pub struct Counts {
    /// How many characters it has
    characters: u32,
    /// How many words
    words: u32,
    /// How many lines
    lines: u32,
    /// Whether there is nothing but white space
    blank: bool,
}

/// Counts characters, words and lines.
pub struct Count;

impl Step for Count {
    const NAME: &str = "text.count";
    const TITLE: &str = "Count a text";
    const DESCRIPTION: &str = "How many characters, words and lines a text has, and whether it is blank.";
    const DETERMINISTIC: bool = true;
    type Inputs = Counted;
    type Outputs = Counts;

    fn run(_: &Context, counted: Counted) -> Result<Counts, Failure> {
        let text = counted.text.unwrap_or_default();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let words = text.split_whitespace().count();
        Ok(Counts {
            characters: count(text.chars().count()),
            words: count(words),
            lines: count(text.lines().count()),
            blank: words == 0,
        })
    }

    fn examples() -> Vec<Example> {
        let counts = Counts { characters: 17, words: 4, lines: 2, blank: false };
        vec![Example::of::<Self>("two lines", Counted { text: Some("Dear Ada,\nso long".into()) }).gives(counts)]
    }
}

/// Two texts.
#[derive(Inputs)]
pub struct Pair {
    /// One text
    #[argument(max_length = 500)]
    first: Option<String>,
    /// The other one
    #[argument(max_length = 500)]
    second: Option<String>,
}

/// How alike they are.
#[derive(Outputs)]
pub struct Likeness {
    /// From 0 (nothing in common) to 100 (the same but for case and white space)
    likeness: u32,
    /// Whether they are the same but for case and white space
    same: bool,
    /// How many characters have to be changed, added or taken out
    distance: u32,
}

/// Compares two texts as people do.
pub struct Compare;

impl Step for Compare {
    const NAME: &str = "text.compare";
    const TITLE: &str = "Compare two texts";
    const DESCRIPTION: &str = "How alike two names or addresses are, without regard to case and white space: for duplicates. Up to 500 characters.";
    const ERRORS: &[(&str, &str)] = &[("too-long", "One of the texts has more than 500 characters")];
    const DETERMINISTIC: bool = true;
    type Inputs = Pair;
    type Outputs = Likeness;

    fn run(_: &Context, pair: Pair) -> Result<Likeness, Failure> {
        let letters = |text: Option<String>| -> Vec<char> {
            let text = text.unwrap_or_default();
            text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase().chars().collect()
        };
        let (first, second) = (letters(pair.first), letters(pair.second));
        if first.len().max(second.len()) > 500 {
            return Err(Failure::invalid_input("too-long", "texts of up to 500 characters can be compared"));
        }
        let (distance, longest) = (distance(&first, &second), first.len().max(second.len()));
        let likeness = (longest - distance) * 100 / longest.max(1);
        let likeness = if longest == 0 { 100 } else { likeness };
        Ok(Likeness { likeness: likeness as u32, same: distance == 0, distance: distance as u32 })
    }

    fn examples() -> Vec<Example> {
        let pair = |first: &str, second: &str| Pair { first: Some(first.into()), second: Some(second.into()) };
        let long = attributes! { "first" => "x".repeat(501), "second" => "y" };
        vec![
            Example::of::<Self>("a slip of the pen", pair("Müller & Sons", "muller & sons")).gives(Likeness {
                likeness: 92,
                same: false,
                distance: 1,
            }),
            Example::of::<Self>("the same", pair("Ada  Lovelace", "ada lovelace")).gives(Likeness {
                likeness: 100,
                same: true,
                distance: 0,
            }),
            Example::failing("a whole letter", long, "too-long"),
        ]
    }
}

/// How many letters differ, by Levenshtein's measure; one row of the table is kept.
fn distance(first: &[char], second: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=second.len()).collect();
    for (number, letter) in first.iter().enumerate() {
        let mut corner = row[0];
        row[0] = number + 1;
        for (place, other) in second.iter().enumerate() {
            let changed = corner + usize::from(letter != other);
            corner = row[place + 1];
            row[place + 1] = changed.min(corner + 1).min(row[place] + 1);
        }
    }
    row[second.len()]
}
