//! Numbers as they are rounded, written and read.

use stepwise_sdk::prelude::*;

use crate::{TOO_LARGE, exact};

/// Where a number goes that lies between two.
#[derive(Choice, Clone, Copy)]
pub enum Way {
    /// To the nearer one, a half away from zero
    Half = 1,
    /// To the nearer one, a half to the even one: sums do not drift
    HalfEven = 2,
    /// Away from zero
    Up = 3,
    /// Towards zero
    Down = 4,
    /// To the greater one
    Ceiling = 5,
    /// To the smaller one
    Floor = 6,
}

/// A number to round.
#[derive(Inputs)]
pub struct Rounded {
    /// The number
    number: Decimal,
    /// To what it is rounded: `0.01` to cents, `0.05` to five, `100` to hundreds
    #[argument(default = Decimal::ONE)]
    to: Decimal,
    /// Where it goes that lies between two
    #[argument(default = Way::Half)]
    way: Way,
}

/// A number.
#[derive(Outputs)]
pub struct Number {
    /// The number
    number: Decimal,
}

/// Rounds a number.
pub struct Round;

impl Step for Round {
    const NAME: &str = "numbers.round";
    const TITLE: &str = "Round a number";
    const DESCRIPTION: &str = "To cents, to five, to hundreds, and in the direction that the rule asks for.";
    const ERRORS: &[(&str, &str)] = &[("bad-step", "A number is rounded to what is greater than zero"), TOO_LARGE];
    const DETERMINISTIC: bool = true;
    type Inputs = Rounded;
    type Outputs = Number;

    fn run(_: &Context, asked: Rounded) -> Result<Number, Failure> {
        if asked.to <= Decimal::ZERO {
            return Err(Failure::invalid_input("bad-step", "`to` is not greater than zero"));
        }
        let parts = exact(asked.number.checked_div(asked.to))?;
        let parts = match asked.way {
            Way::Half => half_up(parts),
            Way::HalfEven => parts.round(),
            Way::Down => parts.trunc(),
            Way::Up if parts.is_sign_negative() => parts.floor(),
            Way::Up | Way::Ceiling => parts.ceil(),
            Way::Floor => parts.floor(),
        };
        Ok(Number { number: exact(parts.checked_mul(asked.to))? })
    }

    fn examples() -> Vec<Example> {
        let one = |title, number: Decimal, to: Decimal, way, gives: Decimal| {
            Example::of::<Self>(title, Rounded { number, to, way }).gives(Number { number: gives })
        };
        let of = Decimal::new;
        vec![
            one("to cents", of(12_345, 3), of(1, 2), Way::Half, of(1_235, 2)),
            one("to cents, evenly", of(12_345, 3), of(1, 2), Way::HalfEven, of(1_234, 2)),
            one("to five, upwards", of(1_231, 2), of(5, 2), Way::Up, of(1_235, 2)),
            one("to hundreds, downwards", of(-199, 0), of(100, 0), Way::Down, of(-100, 0)),
            Example::failing("to nothing", attributes! { "number" => Decimal::ONE, "to" => Decimal::ZERO }, "bad-step"),
            Example::failing("too fine", attributes! { "number" => Decimal::MAX, "to" => of(1, 2) }, "too-large"),
        ]
    }
}

/// A half goes away from zero.
pub(crate) fn half_up(number: Decimal) -> Decimal {
    let whole = number.trunc();
    let half = Decimal::new(5, 1);
    let away = (number - whole).abs() >= half;
    match (away, number.is_sign_negative()) {
        (false, _) => whole,
        (true, false) => whole + Decimal::ONE,
        (true, true) => whole - Decimal::ONE,
    }
}

/// A number rounded to so many places, a half away from zero.
pub(crate) fn to_places(number: Decimal, places: u32) -> Decimal {
    let step = Decimal::new(1, places);
    number.checked_div(step).map_or(number, |parts| half_up(parts).checked_mul(step).unwrap_or(number))
}

/// A number to write.
#[derive(Inputs)]
pub struct Written {
    /// The number
    number: Decimal,
    /// How many places behind the mark
    #[argument(default = 2, min = 0, max = 10)]
    places: u32,
    /// What stands before the places
    #[argument(default = ".", max_length = 5)]
    mark: String,
    /// What stands between thousands
    #[argument(default = ",", max_length = 5)]
    thousands: String,
    /// What stands before the number: `€ `
    #[argument(max_length = 20)]
    before: Option<String>,
    /// What stands behind it: ` EUR`
    #[argument(max_length = 20)]
    behind: Option<String>,
}

/// A text.
#[derive(Outputs)]
pub struct Text {
    /// The number as people read it
    text: String,
}

/// Writes a number for people.
pub struct Format;

impl Step for Format {
    const NAME: &str = "numbers.format";
    const TITLE: &str = "Write a number";
    const DESCRIPTION: &str = "With the places, marks and signs that a country uses: `€ 1.234,50`. A thin space between thousands is an input like any other.";
    const DETERMINISTIC: bool = true;
    type Inputs = Written;
    type Outputs = Text;

    fn run(_: &Context, asked: Written) -> Result<Text, Failure> {
        let places = asked.places.min(10);
        let number = to_places(asked.number, places);
        let digits = format!("{:.*}", places as usize, number.abs());
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        let mut text = String::from(if number.is_sign_negative() && !number.is_zero() { "-" } else { "" });
        text.push_str(asked.before.as_deref().unwrap_or_default());
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                text.push_str(&asked.thousands);
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push_str(&asked.mark);
            text.push_str(fraction);
        }
        text.push_str(asked.behind.as_deref().unwrap_or_default());
        Ok(Text { text })
    }

    fn examples() -> Vec<Example> {
        let written = |number, mark: &str, thousands: &str, before: Option<&str>| Written {
            number,
            places: 2,
            mark: mark.into(),
            thousands: thousands.into(),
            before: before.map(Into::into),
            behind: None,
        };
        let text = |text: &str| Text { text: text.into() };
        vec![
            Example::of::<Self>("in English", written(Decimal::new(-12_345_675, 3), ".", ",", Some("$")))
                .gives(text("-$12,345.68")),
            Example::of::<Self>("in German", written(Decimal::new(12_345, 1), ",", ".", Some("€ ")))
                .gives(text("€ 1.234,50")),
        ]
    }
}

/// A text with a number.
#[derive(Inputs)]
pub struct Read {
    /// What somebody wrote: `EUR 1.234,50`
    #[argument(max_length = 200)]
    text: Option<String>,
    /// What stands before its places
    #[argument(default = ".", max_length = 1)]
    mark: String,
}

/// The number in it.
#[derive(Outputs)]
pub struct Found {
    /// Whether there is a number
    found: bool,
    /// The first number in the text
    number: Option<Decimal>,
}

/// Reads a number that people wrote.
pub struct Parse;

impl Step for Parse {
    const NAME: &str = "numbers.parse";
    const TITLE: &str = "Read a number";
    const DESCRIPTION: &str = "Takes the first number out of a text, with a country's mark before its places; what stands between thousands is left out.";
    const DETERMINISTIC: bool = true;
    type Inputs = Read;
    type Outputs = Found;

    fn run(_: &Context, asked: Read) -> Result<Found, Failure> {
        let number = first_number(&asked.text.unwrap_or_default(), asked.mark.chars().next().unwrap_or('.'));
        Ok(Found { found: number.is_some(), number })
    }

    fn examples() -> Vec<Example> {
        let read = |text: &str, mark: &str| Read { text: Some(text.into()), mark: mark.into() };
        let found = |number| Found { found: true, number: Some(number) };
        vec![
            Example::of::<Self>("in German", read("EUR -1.234,50 net", ",")).gives(found(Decimal::new(-12_345, 1))),
            Example::of::<Self>("in English", read("12,000 pieces", ".")).gives(found(Decimal::from(12_000))),
            Example::of::<Self>("none", read("none", ".")).gives(Found { found: false, number: None }),
        ]
    }
}

fn first_number(text: &str, mark: char) -> Option<Decimal> {
    let start = text.find(|letter: char| letter.is_ascii_digit())?;
    let minus = text[..start].trim_end().ends_with(['-', '\u{2212}']);
    let mut digits = String::from(if minus { "-" } else { "" });
    let mut rest = text[start..].chars().peekable();
    let mut in_places = false;
    while let Some(letter) = rest.next() {
        let before_digit = rest.peek().is_some_and(char::is_ascii_digit);
        match letter {
            digit if digit.is_ascii_digit() => digits.push(digit),
            sign if sign == mark && !in_places && before_digit => {
                in_places = true;
                digits.push('.');
            }
            '.' | ',' | '\'' | '\u{2019}' | '\u{a0}' | '\u{202f}' if !in_places && before_digit => {}
            _ => break,
        }
    }
    digits.parse().ok().map(|number: Decimal| number.normalize())
}
