//! The step library `security`: records shared and not, roles and teams asked for and changed.
//!
//! What a step does here it does with the rights of its user: who may not share, share in the name of a process that runs
//! as him he cannot either. `README.md` lists the steps.

pub mod members;
pub mod rights;
pub mod roles;
pub mod shares;

stepwise_sdk::export!(
    shares::Share,
    shares::Unshare,
    rights::May,
    rights::RightsOf,
    rights::SharedWith,
    members::InTeam,
    members::Members,
    members::Teams,
    members::AddMember,
    members::RemoveMember,
    members::Manager,
    roles::HasRole,
    roles::Roles,
    roles::GiveRole,
    roles::TakeRole,
);

#[cfg(test)]
mod tests {
    use super::*;
    use stepwise_sdk::testing::FakeHost;

    #[test]
    fn every_example_holds() {
        let host = FakeHost::new();
        host.check_examples::<shares::Share>();
        host.check_examples::<shares::Unshare>();
        host.check_examples::<rights::May>();
        host.check_examples::<rights::RightsOf>();
        host.check_examples::<rights::SharedWith>();
        host.check_examples::<members::InTeam>();
        host.check_examples::<members::Members>();
        host.check_examples::<members::Teams>();
        host.check_examples::<members::AddMember>();
        host.check_examples::<members::RemoveMember>();
        host.check_examples::<members::Manager>();
        host.check_examples::<roles::HasRole>();
        host.check_examples::<roles::Roles>();
        host.check_examples::<roles::GiveRole>();
        host.check_examples::<roles::TakeRole>();
    }
}
