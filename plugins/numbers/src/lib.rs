//! The step library `numbers`: rounding, writing and reading numbers, shares, taxes, instalments, check digits.
//!
//! Every step computes only, with decimals of 28 digits: cents do not get lost. `README.md` lists them.

pub mod checks;
pub mod lists;
pub mod money;
pub mod writing;

use stepwise_sdk::{Decimal, Failure};

stepwise_sdk::export!(
    writing::Round,
    writing::Format,
    writing::Parse,
    money::Share,
    money::Tax,
    money::Percent,
    money::Convert,
    money::Instalment,
    lists::Statistics,
    lists::Random,
    checks::Check,
    checks::CheckDigit,
);

/// What every step fails with that computes.
pub(crate) const TOO_LARGE: (&str, &str) = ("too-large", "The result has more than 28 digits");

/// A result that may not be a number any more.
pub(crate) fn exact(result: Option<Decimal>) -> Result<Decimal, Failure> {
    result
        .map(|number| number.normalize())
        .ok_or_else(|| Failure::permanent(TOO_LARGE.0, "the result has more than 28 digits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stepwise_sdk::testing::FakeHost;

    #[test]
    fn every_example_holds() {
        let host = FakeHost::new();
        host.check_examples::<writing::Round>();
        host.check_examples::<writing::Format>();
        host.check_examples::<writing::Parse>();
        host.check_examples::<money::Share>();
        host.check_examples::<money::Tax>();
        host.check_examples::<money::Percent>();
        host.check_examples::<money::Convert>();
        host.check_examples::<money::Instalment>();
        host.check_examples::<lists::Statistics>();
        host.check_examples::<lists::Random>();
        host.check_examples::<checks::Check>();
        host.check_examples::<checks::CheckDigit>();
    }
}
