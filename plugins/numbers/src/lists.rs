//! Many numbers: what they come to, and one drawn from a range.

use stepwise_sdk::prelude::*;

use crate::{TOO_LARGE, exact};

/// Numbers as a text.
#[derive(Inputs)]
pub struct Listed {
    /// The numbers, with a point before their places
    #[argument(max_length = 100000)]
    numbers: Option<String>,
    /// What stands between them; a line break when `\n` is given
    #[argument(default = ",", max_length = 5)]
    separator: String,
}

/// What they come to.
#[derive(Outputs)]
pub struct Figures {
    /// How many numbers there are
    count: u32,
    /// All of them together
    sum: Decimal,
    /// The sum by the count, with up to ten places
    average: Option<Decimal>,
    /// The one in the middle when they are sorted; between two of them the mean of both
    median: Option<Decimal>,
    /// The least
    least: Option<Decimal>,
    /// The greatest
    greatest: Option<Decimal>,
}

/// Adds numbers up.
pub struct Statistics;

impl Step for Statistics {
    const NAME: &str = "numbers.statistics";
    const TITLE: &str = "Figures of a list of numbers";
    const DESCRIPTION: &str = "Count, sum, average, median, least and greatest of the numbers in a text.";
    const ERRORS: &[(&str, &str)] = &[("no-number", "Something in the list is no number"), TOO_LARGE];
    const DETERMINISTIC: bool = true;
    type Inputs = Listed;
    type Outputs = Figures;

    fn run(_: &Context, listed: Listed) -> Result<Figures, Failure> {
        let text = listed.numbers.unwrap_or_default();
        let parts = match listed.separator.as_str() {
            "" => vec![text.as_str()],
            separator => text.split(separator).collect(),
        };
        let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
        let read = |part: &str| {
            let shown: String = part.chars().take(40).collect();
            let bad = || Failure::invalid_input("no-number", format!("`{shown}` in `numbers` is no number"));
            part.parse::<Decimal>().map_err(|_| bad())
        };
        let mut numbers = parts.map(read).collect::<Result<Vec<_>, _>>()?;
        numbers.sort();
        let sum = exact(numbers.iter().try_fold(Decimal::ZERO, |sum, number| sum.checked_add(*number)))?;
        let average = match numbers.len() {
            0 => None,
            count => Some(exact(sum.checked_div(Decimal::from(count)))?.round_dp(10).normalize()),
        };
        Ok(Figures {
            count: numbers.len() as u32,
            sum,
            average,
            median: median(&numbers)?,
            least: numbers.first().copied(),
            greatest: numbers.last().copied(),
        })
    }

    fn examples() -> Vec<Example> {
        let of = |number| Some(Decimal::new(number, 1));
        let four = Figures {
            count: 4,
            sum: Decimal::from(12),
            average: of(30),
            median: of(25),
            least: of(10),
            greatest: of(60),
        };
        let none = Figures { count: 0, sum: Decimal::ZERO, average: None, median: None, least: None, greatest: None };
        let large = format!("{0},{0}", Decimal::MAX);
        let listed = |numbers: &str| Listed { numbers: Some(numbers.into()), separator: ",".into() };
        vec![
            Example::of::<Self>("four numbers", listed("2, 6, 1, 3")).gives(four),
            Example::of::<Self>("none", listed(" ")).gives(none),
            Example::failing("a word", attributes! { "numbers" => "1,two" }, "no-number"),
            Example::failing("too large", attributes! { "numbers" => large }, "too-large"),
        ]
    }
}

/// The middle of sorted numbers.
fn median(sorted: &[Decimal]) -> Result<Option<Decimal>, Failure> {
    let middle = sorted.len() / 2;
    Ok(match (sorted.get(middle), sorted.len() % 2) {
        (None, _) => None,
        (Some(number), 1) => Some(number.normalize()),
        (Some(number), _) => {
            let half = Decimal::new(5, 1);
            let (below, above) = (sorted[middle - 1].checked_mul(half), number.checked_mul(half));
            Some(exact(below.and_then(|below| below.checked_add(above?)))?)
        }
    })
}

/// A range.
#[derive(Inputs)]
pub struct Range {
    /// The least number
    #[argument(default = 1)]
    least: i64,
    /// The greatest number
    greatest: i64,
}

/// What was drawn.
#[derive(Outputs)]
pub struct Drawn {
    /// A whole number of the range
    number: i64,
}

/// Draws a number.
pub struct Random;

impl Step for Random {
    const NAME: &str = "numbers.random";
    const TITLE: &str = "Random number";
    const DESCRIPTION: &str = "A whole number of a range, each as likely: for samples and for sharing work out. The same on every try of one run; not for secrets.";
    const ERRORS: &[(&str, &str)] = &[("empty-range", "The least number is greater than the greatest")];
    const DETERMINISTIC: bool = true;
    type Inputs = Range;
    type Outputs = Drawn;

    fn run(context: &Context, range: Range) -> Result<Drawn, Failure> {
        if range.least > range.greatest {
            return Err(Failure::invalid_input("empty-range", "`least` is greater than `greatest`"));
        }
        let wide = (i128::from(range.greatest) - i128::from(range.least) + 1).cast_unsigned();
        let drawn = (u128::from(context.random()) * wide) >> 64;
        let number = i128::from(range.least) + drawn.cast_signed();
        Ok(Drawn { number: i64::try_from(number).unwrap_or(range.greatest) })
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::of::<Self>("a die", Range { least: 1, greatest: 6 }),
            Example::of::<Self>("the only one", Range { least: 7, greatest: 7 }).gives(Drawn { number: 7 }),
            Example::failing("none", attributes! { "least" => 2, "greatest" => 1 }, "empty-range"),
        ]
    }
}
