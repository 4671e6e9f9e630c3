//! Amounts: shares that add up, taxes, percentages, other currencies, instalments.

use stepwise_sdk::prelude::*;

use crate::{TOO_LARGE, exact, writing::to_places};

/// The most shares of an amount.
const MOST: usize = 1000;

/// What is shared.
#[derive(Inputs)]
pub struct Whole {
    /// The amount
    amount: Decimal,
    /// In how many equal parts
    #[argument(default = 2, min = 1, max = 1000)]
    parts: u32,
    /// How the amount is weighted instead, as numbers with commas: `50,30,20`
    #[argument(max_length = 4000)]
    weights: Option<String>,
    /// How many places an amount has
    #[argument(default = 2, min = 0, max = 4)]
    places: u32,
}

/// The shares.
#[derive(Outputs)]
pub struct Shares {
    /// The first share; where the amount cannot be shared evenly, the first ones get the cents
    first: Decimal,
    /// The last share
    last: Decimal,
    /// All of them, one in a line; together they are the amount
    amounts: String,
    /// How many there are
    count: u32,
}

/// Shares an amount so that nothing is lost.
pub struct Share;

impl Step for Share {
    const NAME: &str = "numbers.share";
    const TITLE: &str = "Share an amount";
    const DESCRIPTION: &str = "In equal or weighted parts that add up to the amount, to the cent.";
    const ERRORS: &[(&str, &str)] =
        &[("bad-weights", "The weights are no numbers of which one is greater than zero"), TOO_LARGE];
    const DETERMINISTIC: bool = true;
    type Inputs = Whole;
    type Outputs = Shares;

    fn run(_: &Context, whole: Whole) -> Result<Shares, Failure> {
        let weights = match whole.weights.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            None => vec![Decimal::ONE; whole.parts.clamp(1, MOST as u32) as usize],
            Some(text) => weights(text)?,
        };
        let shares = shared(whole.amount, &weights, whole.places.min(4))?;
        let amounts = shares.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let (first, last) = (shares[0], shares[shares.len() - 1]);
        Ok(Shares { first, last, amounts, count: shares.len() as u32 })
    }

    fn examples() -> Vec<Example> {
        let whole = |weights: Option<&str>| Whole {
            amount: Decimal::from(100),
            parts: 3,
            weights: weights.map(Into::into),
            places: 2,
        };
        let thirds = Shares {
            first: Decimal::new(3_334, 2),
            last: Decimal::new(3_333, 2),
            amounts: "33.34\n33.33\n33.33".into(),
            count: 3,
        };
        let weighted =
            Shares { first: Decimal::from(50), last: Decimal::from(20), amounts: "50\n30\n20".into(), count: 3 };
        let huge = attributes! { "amount" => Decimal::MAX, "weights" => "5,7" };
        vec![
            Example::of::<Self>("in three", whole(None)).gives(thirds),
            Example::of::<Self>("weighted", whole(Some("50, 30, 20"))).gives(weighted),
            Example::failing("no numbers", attributes! { "amount" => Decimal::ONE, "weights" => "a,b" }, "bad-weights"),
            Example::failing("too large", huge, "too-large"),
        ]
    }
}

fn weights(text: &str) -> Result<Vec<Decimal>, Failure> {
    let bad = || {
        Failure::invalid_input(
            "bad-weights",
            "`weights` are numbers with commas, none of them below zero, not all zero",
        )
    };
    let read = |part: &str| part.trim().parse::<Decimal>().ok().filter(|weight| !weight.is_sign_negative());
    let weights: Vec<Decimal> = text.split(',').map(read).collect::<Option<_>>().ok_or_else(bad)?;
    match weights.len() <= MOST && weights.iter().any(|weight| !weight.is_zero()) {
        true => Ok(weights),
        false => Err(bad()),
    }
}

/// Each share rounded towards zero, then the cents that are left from the first one on.
fn shared(amount: Decimal, weights: &[Decimal], places: u32) -> Result<Vec<Decimal>, Failure> {
    let all = exact(weights.iter().try_fold(Decimal::ZERO, |sum, weight| sum.checked_add(*weight)))?;
    let cent = Decimal::new(1, places);
    let mut shares = Vec::with_capacity(weights.len());
    let mut left = amount;
    for weight in weights {
        let share = exact(amount.checked_mul(*weight).and_then(|part| part.checked_div(all)))?.trunc_with_scale(places);
        left = exact(left.checked_sub(share))?;
        shares.push(share.normalize());
    }
    let cent = if left.is_sign_negative() { -cent } else { cent };
    // What is finer than a cent goes to the first share with it.
    for share in shares.iter_mut().zip(weights).filter(|(_, weight)| !weight.is_zero()).map(|(share, _)| share) {
        if left.abs() < cent.abs() {
            break;
        }
        *share = exact(share.checked_add(cent))?;
        left = exact(left.checked_sub(cent))?;
    }
    if let Some(first) = shares.first_mut() {
        *first = exact(first.checked_add(left))?;
    }
    Ok(shares)
}

/// An amount and the rate of a tax.
#[derive(Inputs)]
pub struct Taxed {
    /// The amount
    amount: Decimal,
    /// The rate in percent
    #[argument(min = 0, max = 1000)]
    rate: Decimal,
    /// Whether the tax is in the amount already
    #[argument(default = false)]
    included: bool,
    /// How many places an amount has
    #[argument(default = 2, min = 0, max = 4)]
    places: u32,
}

/// The amounts.
#[derive(Outputs)]
pub struct Amounts {
    /// Without the tax
    net: Decimal,
    /// The tax
    tax: Decimal,
    /// With the tax
    gross: Decimal,
}

/// Adds a tax, or takes it out.
pub struct Tax;

impl Step for Tax {
    const NAME: &str = "numbers.tax";
    const TITLE: &str = "Tax on an amount";
    const DESCRIPTION: &str = "Net, tax and gross of an amount with or without its tax; net and tax add up to gross.";
    const ERRORS: &[(&str, &str)] = &[("bad-rate", "A rate lies between 0 and 1,000 percent"), TOO_LARGE];
    const DETERMINISTIC: bool = true;
    type Inputs = Taxed;
    type Outputs = Amounts;

    fn run(_: &Context, taxed: Taxed) -> Result<Amounts, Failure> {
        let hundred = Decimal::from(100);
        if taxed.rate.is_sign_negative() && !taxed.rate.is_zero() || taxed.rate > Decimal::from(1_000) {
            return Err(Failure::invalid_input("bad-rate", "`rate` lies between 0 and 1,000 percent"));
        }
        let places = taxed.places.min(4);
        let whole = if taxed.included { exact(hundred.checked_add(taxed.rate))? } else { hundred };
        let tax = exact(taxed.amount.checked_mul(taxed.rate).and_then(|part| part.checked_div(whole)))?;
        let tax = to_places(tax, places).normalize();
        let (net, gross) = match taxed.included {
            true => (exact(taxed.amount.checked_sub(tax))?, taxed.amount.normalize()),
            false => (taxed.amount.normalize(), exact(taxed.amount.checked_add(tax))?),
        };
        Ok(Amounts { net, tax, gross })
    }

    fn examples() -> Vec<Example> {
        let taxed = |amount, included| Taxed { amount, rate: Decimal::from(19), included, places: 2 };
        let amounts = |net, tax, gross| Amounts {
            net: Decimal::new(net, 2),
            tax: Decimal::new(tax, 2),
            gross: Decimal::new(gross, 2),
        };
        let large = attributes! { "amount" => Decimal::MAX, "rate" => Decimal::from(19) };
        vec![
            Example::of::<Self>("on top", taxed(Decimal::new(9_999, 2), false)).gives(amounts(9_999, 1_900, 11_899)),
            Example::of::<Self>("included", taxed(Decimal::from(119), true)).gives(amounts(10_000, 1_900, 11_900)),
            Example::failing(
                "less than none",
                attributes! { "amount" => Decimal::ONE, "rate" => Decimal::from(-1) },
                "bad-rate",
            ),
            Example::failing("too large", large, "too-large"),
        ]
    }
}

/// A part and the whole.
#[derive(Inputs)]
pub struct Part {
    /// The part
    part: Decimal,
    /// The whole
    whole: Decimal,
    /// How many places the percentage has
    #[argument(default = 1, min = 0, max = 10)]
    places: u32,
}

/// Percent.
#[derive(Outputs)]
pub struct Percentage {
    /// The part of the whole in percent; empty where the whole is nothing
    percent: Option<Decimal>,
    /// What is missing to a hundred
    rest: Option<Decimal>,
}

/// Tells a part of a whole in percent.
pub struct Percent;

impl Step for Percent {
    const NAME: &str = "numbers.percent";
    const TITLE: &str = "Percentage";
    const DESCRIPTION: &str = "A part of a whole in percent, and what is missing to a hundred.";
    const ERRORS: &[(&str, &str)] = &[TOO_LARGE];
    const DETERMINISTIC: bool = true;
    type Inputs = Part;
    type Outputs = Percentage;

    fn run(_: &Context, Part { part, whole, places }: Part) -> Result<Percentage, Failure> {
        if whole.is_zero() {
            return Ok(Percentage { percent: None, rest: None });
        }
        let hundred = Decimal::from(100);
        let percent = exact(part.checked_div(whole).and_then(|share| share.checked_mul(hundred)))?;
        let percent = to_places(percent, places.min(10)).normalize();
        Ok(Percentage { percent: Some(percent), rest: Some(exact(hundred.checked_sub(percent))?) })
    }

    fn examples() -> Vec<Example> {
        let part = |whole| Part { part: Decimal::ONE, whole: Decimal::from(whole), places: 1 };
        let third = Percentage { percent: Some(Decimal::new(333, 1)), rest: Some(Decimal::new(667, 1)) };
        let tiny = attributes! { "part" => Decimal::MAX, "whole" => Decimal::new(1, 10) };
        vec![
            Example::of::<Self>("a third", part(3)).gives(third),
            Example::of::<Self>("of nothing", part(0)).gives(Percentage { percent: None, rest: None }),
            Example::failing("of next to nothing", tiny, "too-large"),
        ]
    }
}

/// An amount and a rate.
#[derive(Inputs)]
pub struct Exchanged {
    /// The amount
    amount: Decimal,
    /// What one of its currency is worth in the other
    rate: Decimal,
    /// Whether the rate is told the other way round, and is divided by
    #[argument(default = false)]
    inverse: bool,
    /// How many places an amount has
    #[argument(default = 2, min = 0, max = 4)]
    places: u32,
}

/// An amount.
#[derive(Outputs)]
pub struct Amount {
    /// The amount
    amount: Decimal,
}

/// Converts an amount into another currency.
pub struct Convert;

impl Step for Convert {
    const NAME: &str = "numbers.convert";
    const TITLE: &str = "Convert an amount";
    const DESCRIPTION: &str = "Into another currency or unit at a rate, rounded to its places.";
    const ERRORS: &[(&str, &str)] = &[("no-rate", "The rate is not greater than zero"), TOO_LARGE];
    const DETERMINISTIC: bool = true;
    type Inputs = Exchanged;
    type Outputs = Amount;

    fn run(_: &Context, asked: Exchanged) -> Result<Amount, Failure> {
        if asked.rate <= Decimal::ZERO {
            return Err(Failure::invalid_input("no-rate", "`rate` is not greater than zero"));
        }
        let amount = match asked.inverse {
            true => asked.amount.checked_div(asked.rate),
            false => asked.amount.checked_mul(asked.rate),
        };
        Ok(Amount { amount: to_places(exact(amount)?, asked.places.min(4)).normalize() })
    }

    fn examples() -> Vec<Example> {
        let asked =
            |inverse| Exchanged { amount: Decimal::from(100), rate: Decimal::new(10_825, 4), inverse, places: 2 };
        let large = attributes! { "amount" => Decimal::MAX, "rate" => Decimal::from(2) };
        vec![
            Example::of::<Self>("into dollars", asked(false)).gives(Amount { amount: Decimal::new(10_825, 2) }),
            Example::of::<Self>("and back", asked(true)).gives(Amount { amount: Decimal::new(9_238, 2) }),
            Example::failing("no rate", attributes! { "amount" => Decimal::ONE, "rate" => Decimal::ZERO }, "no-rate"),
            Example::failing("too large", large, "too-large"),
        ]
    }
}

/// A loan.
#[derive(Inputs)]
pub struct Loan {
    /// What is lent
    amount: Decimal,
    /// Interest of a year in percent
    #[argument(min = 0, max = 100)]
    rate: Decimal,
    /// How many monthly instalments
    #[argument(min = 1, max = 600)]
    months: u32,
}

/// What is paid.
#[derive(Outputs)]
pub struct Payments {
    /// What is paid each month, in cents
    instalment: Decimal,
    /// What is paid in all, before the last instalment is trimmed to the cent
    total: Decimal,
    /// The interest in it
    interest: Decimal,
}

/// Works out the instalments of a loan.
pub struct Instalment;

impl Step for Instalment {
    const NAME: &str = "numbers.instalment";
    const TITLE: &str = "Instalments of a loan";
    const DESCRIPTION: &str = "The same amount each month, paid at its end, for a loan at a yearly rate of interest.";
    const ERRORS: &[(&str, &str)] = &[("bad-loan", "Rate or months are out of range"), TOO_LARGE];
    const DETERMINISTIC: bool = true;
    type Inputs = Loan;
    type Outputs = Payments;

    fn run(_: &Context, loan: Loan) -> Result<Payments, Failure> {
        let fits = !loan.rate.is_sign_negative() && loan.rate <= Decimal::from(100);
        if !fits || !(1..=600).contains(&loan.months) {
            return Err(Failure::invalid_input("bad-loan", "`rate` is 0 to 100 percent, `months` 1 to 600"));
        }
        let months = Decimal::from(loan.months);
        let monthly = exact(loan.rate.checked_div(Decimal::from(1_200)))?;
        let instalment = match monthly.is_zero() {
            true => exact(loan.amount.checked_div(months))?,
            false => {
                // amount * r / (1 - (1 + r)^-n), the power by multiplication so that it is the same everywhere.
                let mut grown = Decimal::ONE;
                for _ in 0..loan.months {
                    grown = exact(grown.checked_mul(Decimal::ONE + monthly))?;
                }
                let kept = exact(Decimal::ONE.checked_div(grown))?;
                let interest = exact(loan.amount.checked_mul(monthly))?;
                exact(interest.checked_div(Decimal::ONE - kept))?
            }
        };
        let instalment = to_places(instalment, 2).normalize();
        let total = exact(instalment.checked_mul(months))?;
        Ok(Payments { instalment, total, interest: exact(total.checked_sub(loan.amount))? })
    }

    fn examples() -> Vec<Example> {
        let loan = |rate| Loan { amount: Decimal::from(10_000), rate: Decimal::from(rate), months: 24 };
        let payments = |instalment, total, interest| Payments {
            instalment: Decimal::new(instalment, 2),
            total: Decimal::new(total, 2),
            interest: Decimal::new(interest, 2),
        };
        let endless = attributes! { "amount" => Decimal::ONE, "rate" => Decimal::ONE, "months" => 0 };
        let large = attributes! { "amount" => Decimal::MAX, "rate" => Decimal::from(50), "months" => 600 };
        vec![
            Example::of::<Self>("six percent", loan(6)).gives(payments(44_321, 1_063_704, 63_704)),
            Example::of::<Self>("without interest", loan(0)).gives(payments(41_667, 1_000_008, 8)),
            Example::failing("no instalments", endless, "bad-loan"),
            Example::failing("too large", large, "too-large"),
        ]
    }
}
