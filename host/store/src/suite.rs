//! What every backend must do, as checks that panic with the sentence that was broken.
//!
//! A backend passes when `conformance!(name, || store)` passes. Also here, for the fault tests of other crates: a disk
//! that can lose power (`power`) and one whose nth access fails (`faulty`). Compiled for tests only.

mod basics;
mod conflicts;
mod faulty;
mod interleavings;
mod model;
mod power;

use std::sync::Arc;

pub use self::{
    basics::*,
    conflicts::*,
    faulty::{Access, Faulty},
    interleavings::no_order_of_park_update_delete_and_move_loses_a_wake,
    model::any_history_reads_like_a_plain_map,
    power::{Power, replay_every_crash},
};
use crate::{Batch, Range, Reader, Row, Seq, Snapshot, Store};

/// Makes a new, empty store of the backend under test.
pub type Make<'a> = &'a dyn Fn() -> Arc<dyn Store>;

/// One test for each check, in a module of this name.
#[macro_export]
macro_rules! conformance {
    ($name:ident, $make:expr) => {
        $crate::conformance!(@ $name, $make,
            a_committed_row_is_read,
            a_deleted_row_is_gone,
            the_last_of_two_writes_to_a_key_in_one_batch_stays,
            a_snapshot_does_not_move,
            a_range_walks_both_ways_and_continues_behind_a_cursor,
            an_empty_range_has_no_rows,
            prefixes_of_ff_bytes_end_where_the_keys_do,
            every_batch_of_a_burst_is_answered_once_and_in_order,
            large_values_come_back_whole,
            many_rows_among_many_others_are_all_there,
            a_batch_that_read_a_changed_key_is_refused,
            a_batch_that_read_an_absent_key_is_refused_when_it_appears,
            a_batch_that_scanned_a_touched_bucket_is_refused,
            a_virtual_bucket_costs_no_row,
            a_write_that_read_nothing_always_passes,
            a_refused_batch_leaves_nothing,
            of_two_batches_in_one_group_that_read_each_other_the_first_wins,
            a_re_run_on_a_new_snapshot_passes,
            a_unit_refreshes_only_while_nothing_it_read_was_touched,
            a_touch_without_rows_is_older_than_the_next_snapshot,
            interactive_batches_go_first,
            increments_of_many_threads_are_never_lost,
            no_order_of_park_update_delete_and_move_loses_a_wake,
            any_history_reads_like_a_plain_map,
        );
    };
    (@ $name:ident, $make:expr, $($check:ident,)*) => {
        mod $name {
            use super::*;
            $(
                #[test]
                fn $check() {
                    $crate::suite::$check(&$make);
                }
            )*
        }
    };
}

/// Commits puts and deletes without having read anything.
pub fn write(store: &dyn Store, rows: &[(&[u8], Option<&[u8]>)]) -> Seq {
    let mut batch = Batch::new(Seq(0));
    for (key, value) in rows {
        match value {
            Some(value) => batch.put(*key, *value),
            None => batch.delete(*key),
        }
    }
    store.commit(batch).expect("a batch that read nothing is committed")
}

/// All rows of `range`, owned.
pub fn rows(reader: &(impl Reader + ?Sized), range: &Range) -> Vec<Row> {
    reader.scan(range).expect("a scan begins").map(|row| row.expect("a row is read")).collect()
}

/// The newest snapshot.
pub fn snapshot(store: &dyn Store) -> Arc<dyn Snapshot> {
    store.snapshot().expect("an open store gives a snapshot")
}
