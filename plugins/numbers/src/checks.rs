//! Check digits: whether a number of a card, an account or an article can be right.

use stepwise_sdk::prelude::*;

/// How a number is checked.
#[derive(Choice, Clone, Copy)]
pub enum Rule {
    /// Luhn: cards, IMEI
    Luhn = 1,
    /// ISO 7064 modulo 97 with the check digits moved to the end: IBAN
    Iban = 2,
    /// GS1: EAN-13, EAN-8, GTIN, SSCC
    Gtin = 3,
    /// ISBN with ten digits
    Isbn10 = 4,
}

/// A number to check.
#[derive(Inputs)]
pub struct Numbered {
    /// The number, with spaces and hyphens as people write it
    #[argument(max_length = 100)]
    number: Option<String>,
    /// The rule that it follows
    rule: Rule,
}

/// Yes or no.
#[derive(Outputs)]
pub struct Answer {
    /// Whether its check digit is right
    valid: bool,
}

/// Asks whether a number can be right.
pub struct Check;

impl Step for Check {
    const NAME: &str = "numbers.check";
    const KIND: Kind = Kind::Condition;
    const TITLE: &str = "Check digit is right";
    const DESCRIPTION: &str = "True when the check digit of a card, an IBAN, an article or a book is right.";
    const DETERMINISTIC: bool = true;
    type Inputs = Numbered;
    type Outputs = Answer;

    fn run(_: &Context, asked: Numbered) -> Result<Answer, Failure> {
        Ok(Answer { valid: is_valid(&bare(asked.number.as_deref().unwrap_or_default()), asked.rule) })
    }

    fn examples() -> Vec<Example> {
        let one = |title, number: &str, rule, valid| {
            Example::of::<Self>(title, Numbered { number: Some(number.into()), rule }).gives(Answer { valid })
        };
        vec![
            one("a card", "4111 1111 1111 1111", Rule::Luhn, true),
            one("a slip of the pen", "4111 1111 1111 1112", Rule::Luhn, false),
            one("an account", "DE89 3704 0044 0532 0130 00", Rule::Iban, true),
            one("an article", "4006381333931", Rule::Gtin, true),
            one("a book", "0-306-40615-2", Rule::Isbn10, true),
            one("nothing", "", Rule::Gtin, false),
        ]
    }
}

/// A number that wants its check digit.
#[derive(Inputs)]
pub struct Bare {
    /// The number without its check digit; of an IBAN with `00` in their place
    #[argument(max_length = 100)]
    number: String,
    /// The rule that it follows
    rule: Rule,
}

/// What is missing.
#[derive(Outputs)]
pub struct Completed {
    /// The check digit, or the two of an IBAN
    digit: String,
    /// The number with it
    number: String,
}

/// Works out a check digit.
pub struct CheckDigit;

impl Step for CheckDigit {
    const NAME: &str = "numbers.check-digit";
    const TITLE: &str = "Work out a check digit";
    const DESCRIPTION: &str = "Completes a number by its check digit, for numbers that you give out yourself.";
    const ERRORS: &[(&str, &str)] =
        &[("bad-number", "The number has signs that the rule does not know, or none at all")];
    const DETERMINISTIC: bool = true;
    type Inputs = Bare;
    type Outputs = Completed;

    fn run(_: &Context, asked: Bare) -> Result<Completed, Failure> {
        let text = bare(&asked.number);
        completed(&text, asked.rule).ok_or_else(|| {
            Failure::invalid_input("bad-number", "`number` has signs that the rule does not know, or none at all")
        })
    }

    fn examples() -> Vec<Example> {
        let one = |title, number: &str, rule, digit: &str, gives: &str| {
            Example::of::<Self>(title, Bare { number: number.into(), rule })
                .gives(Completed { digit: digit.into(), number: gives.into() })
        };
        vec![
            one("a customer's number", "7992739871", Rule::Luhn, "3", "79927398713"),
            one("an account", "DE00 3704 0044 0532 0130 00", Rule::Iban, "89", "DE89370400440532013000"),
            one("an article", "400638133393", Rule::Gtin, "1", "4006381333931"),
            one("a book", "080442957", Rule::Isbn10, "X", "080442957X"),
            Example::failing("letters", attributes! { "number" => "ABC", "rule" => Rule::Luhn }, "bad-number"),
        ]
    }
}

/// Without what people write between digits.
fn bare(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect::<String>().to_ascii_uppercase()
}

fn digits(text: &str) -> Option<Vec<u32>> {
    let digits: Option<Vec<u32>> = text.chars().map(|letter| letter.to_digit(10)).collect();
    digits.filter(|digits| !digits.is_empty())
}

fn is_valid(text: &str, rule: Rule) -> bool {
    match rule {
        Rule::Luhn => digits(text).is_some_and(|digits| digits.len() > 1 && luhn(&digits, 1).is_multiple_of(10)),
        Rule::Gtin => digits(text).is_some_and(|digits| {
            [8, 12, 13, 14, 18].contains(&digits.len()) && weighted(&digits, [1, 3]).is_multiple_of(10)
        }),
        Rule::Isbn10 => isbn(text).is_some_and(|digits| digits.len() == 10 && falling(&digits).is_multiple_of(11)),
        Rule::Iban => (15..=34).contains(&text.len()) && is_iban(text) && remainder(text) == Some(1),
    }
}

fn completed(text: &str, rule: Rule) -> Option<Completed> {
    let behind = |digit: String| Completed { number: format!("{text}{digit}"), digit };
    Some(match rule {
        Rule::Luhn => behind(((10 - luhn(&digits(text)?, 2) % 10) % 10).to_string()),
        Rule::Gtin => behind(((10 - weighted(&digits(text)?, [3, 1]) % 10) % 10).to_string()),
        Rule::Isbn10 => {
            let mut digits = digits(text).filter(|digits| digits.len() == 9)?;
            digits.push(0);
            match (11 - falling(&digits) % 11) % 11 {
                10 => behind("X".into()),
                digit => behind(digit.to_string()),
            }
        }
        Rule::Iban => {
            let text = (is_iban(text) && text.len() > 4).then(|| format!("{}00{}", &text[..2], &text[4..]))?;
            let digit = format!("{:02}", 98 - remainder(&text)?);
            Completed { number: format!("{}{digit}{}", &text[..2], &text[4..]), digit }
        }
    })
}

/// The sum of Luhn's rule; `first` is what the last digit counts, 1 or 2.
fn luhn(digits: &[u32], first: u32) -> u32 {
    let counts = digits.iter().rev().zip([first, 3 - first].into_iter().cycle());
    counts.map(|(digit, count)| digit * count).map(|number| number / 10 + number % 10).sum()
}

/// The digits from the last one on, by these two weights in turn.
fn weighted(digits: &[u32], weights: [u32; 2]) -> u32 {
    digits.iter().rev().zip(weights.into_iter().cycle()).map(|(digit, weight)| digit * weight).sum()
}

fn isbn(text: &str) -> Option<Vec<u32>> {
    match text.strip_suffix('X') {
        None => digits(text),
        Some(text) => digits(text).map(|mut digits| {
            digits.push(10);
            digits
        }),
    }
}

/// The first digit ten times, the last one once.
fn falling(digits: &[u32]) -> u32 {
    digits.iter().rev().zip(1..).map(|(digit, weight)| digit * weight).sum()
}

fn is_iban(text: &str) -> bool {
    let mut letters = text.bytes();
    text.is_ascii()
        && letters.by_ref().take(2).all(|letter| letter.is_ascii_uppercase())
        && letters.by_ref().take(2).all(|letter| letter.is_ascii_digit())
        && letters.all(|letter| letter.is_ascii_alphanumeric())
}

/// What modulo 97 leaves of an IBAN, its first four signs at the end, letters as numbers from 10 on.
fn remainder(text: &str) -> Option<u32> {
    let (head, rest) = text.split_at_checked(4)?;
    rest.chars().chain(head.chars()).try_fold(0, |rest, letter| {
        let number = letter.to_digit(36)?;
        Some(if number < 10 { (rest * 10 + number) % 97 } else { (rest * 100 + number) % 97 })
    })
}
