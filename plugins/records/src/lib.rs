//! The step library `records`: related records counted, rolled up, listed, changed, given away, copied and linked.
//!
//! Which records are meant is said by an entity, a lookup to a record, and a filter (`which`). Everything is read and
//! written with the rights of the step's user, in the step's unit of work. `README.md` lists the steps.

pub mod change;
pub mod copy;
pub mod figures;
pub mod link;
pub mod schema;
pub mod which;

stepwise_sdk::export!(
    figures::Count,
    figures::RollUp,
    figures::Concatenate,
    change::Set,
    change::Update,
    change::SetStatus,
    change::Assign,
    change::Delete,
    copy::Clone,
    copy::CloneRelated,
    link::Associate,
    link::Disassociate,
);

#[cfg(test)]
mod tests {
    use super::*;
    use stepwise_sdk::testing::FakeHost;

    #[test]
    fn every_example_holds() {
        let host = FakeHost::new();
        host.describe("task", schema::TASK);
        host.describe("teammembership", schema::TEAMMEMBERSHIP);
        host.check_examples::<figures::Count>();
        host.check_examples::<figures::RollUp>();
        host.check_examples::<figures::Concatenate>();
        host.check_examples::<change::Set>();
        host.check_examples::<change::Update>();
        host.check_examples::<change::SetStatus>();
        host.check_examples::<change::Assign>();
        host.check_examples::<change::Delete>();
        host.check_examples::<copy::Clone>();
        host.check_examples::<copy::CloneRelated>();
        host.check_examples::<link::Associate>();
        host.check_examples::<link::Disassociate>();
    }
}
