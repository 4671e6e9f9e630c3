//! The step library `dates`: calendar arithmetic in a time zone, business days, office hours, reading and writing dates.
//!
//! Moments are read in the solution's time zone unless a step is given another one. Business days are those of the
//! solution's calendar (`business` reads it). `README.md` lists the steps.

pub mod arithmetic;
pub mod business;
pub mod calendar;
pub mod hours;
pub mod writing;
pub mod zone;

stepwise_sdk::export!(
    arithmetic::Add,
    arithmetic::Between,
    arithmetic::Age,
    calendar::Parts,
    calendar::Bounds,
    calendar::Weekday,
    business::IsBusinessDay,
    business::AddBusiness,
    business::BusinessBetween,
    hours::Due,
    hours::Worked,
    writing::Format,
    writing::Parse,
);

#[cfg(test)]
mod tests {
    use super::*;
    use stepwise_sdk::testing::FakeHost;

    #[test]
    fn every_example_holds() {
        let host = FakeHost::new();
        host.check_examples::<arithmetic::Add>();
        host.check_examples::<arithmetic::Between>();
        host.check_examples::<arithmetic::Age>();
        host.check_examples::<calendar::Parts>();
        host.check_examples::<calendar::Bounds>();
        host.check_examples::<calendar::Weekday>();
        host.check_examples::<business::IsBusinessDay>();
        host.check_examples::<business::AddBusiness>();
        host.check_examples::<business::BusinessBetween>();
        host.check_examples::<hours::Due>();
        host.check_examples::<hours::Worked>();
        host.check_examples::<writing::Format>();
        host.check_examples::<writing::Parse>();
    }
}
