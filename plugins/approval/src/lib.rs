//! The step library `approval`: somebody is asked, a process waits, somebody answers.
//!
//! An approval is a record of the entity that `solution/entities` brings; several of them, one for each who is asked, make a
//! round, which is an approval itself. A process waits until its state is `closed`. `README.md` lists the steps.

pub mod ask;
pub mod settle;

/// The entity of approvals.
pub(crate) const APPROVAL: &str = "approval";

stepwise_sdk::export!(ask::Ask, ask::AskEach, settle::Answer, settle::Settle, settle::Outcome);

#[cfg(test)]
mod tests {
    use super::*;
    use stepwise_sdk::testing::FakeHost;

    #[test]
    fn every_example_holds() {
        let host = FakeHost::new();
        host.check_examples::<ask::Ask>();
        host.check_examples::<ask::AskEach>();
        host.check_examples::<settle::Answer>();
        host.check_examples::<settle::Settle>();
        host.check_examples::<settle::Outcome>();
    }
}
