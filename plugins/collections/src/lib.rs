//! The step library `collections`: lists of words in a text, and lists of records as `find` gives them.
//!
//! `words` holds the steps for texts, `lists` those for records. `README.md` lists them.

pub mod lists;
pub mod words;

stepwise_sdk::export!(
    words::Sort,
    words::Combine,
    words::Slice,
    words::Contains,
    words::Tally,
    words::Range,
    lists::CombineRecords,
    lists::SliceRecords,
    lists::SortRecords,
    lists::Gather,
    lists::HasRecord,
);

#[cfg(test)]
mod tests {
    use super::*;
    use stepwise_sdk::testing::FakeHost;

    #[test]
    fn every_example_holds() {
        let host = FakeHost::new();
        host.check_examples::<words::Sort>();
        host.check_examples::<words::Combine>();
        host.check_examples::<words::Slice>();
        host.check_examples::<words::Contains>();
        host.check_examples::<words::Tally>();
        host.check_examples::<words::Range>();
        host.check_examples::<lists::CombineRecords>();
        host.check_examples::<lists::SliceRecords>();
        host.check_examples::<lists::SortRecords>();
        host.check_examples::<lists::Gather>();
        host.check_examples::<lists::HasRecord>();
    }
}
