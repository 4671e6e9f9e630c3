//! How groups are made (E5) and how long touches are remembered (E1).

use std::time::Duration;

use crate::{
    Batch, Fingerprint, Priority, Seq,
    queue::{GROUP_ROWS, Queue, Request, check},
    window::{CAPACITY, Window},
};

fn request(priority: Priority, rows: u32) -> Request {
    let mut batch = Batch::new(Seq(0)).with_priority(priority);
    (0..rows).for_each(|row| batch.put(row.to_be_bytes(), &b""[..]));
    Request { batch, done: Box::new(|_| {}) }
}

/// The rows of each group, as (priority, rows) of its batches.
fn groups(submitted: &[(Priority, u32)]) -> Vec<Vec<(Priority, usize)>> {
    let mut queue = Queue::default();
    submitted.iter().for_each(|(priority, rows)| queue.push(request(*priority, *rows)));
    let mut groups = Vec::new();
    while !queue.is_empty() {
        let group = queue.take_group();
        groups.push(group.iter().map(|request| (request.batch.priority, request.batch.rows())).collect());
    }
    groups
}

use Priority::{Background as Job, Interactive as Person};

#[test]
fn a_group_closes_at_two_thousand_rows() {
    assert_eq!(GROUP_ROWS, 2_000);
    let taken = groups(&[(Person, 900); 5]);
    assert_eq!(taken, [vec![(Person, 900); 2], vec![(Person, 900); 2], vec![(Person, 900)]]);
    assert_eq!(groups(&[(Person, 1_000), (Person, 1_000)]).len(), 1);
}

#[test]
fn a_batch_larger_than_a_group_goes_alone() {
    assert_eq!(groups(&[(Job, 5_000), (Job, 1)]), [vec![(Job, 5_000)], vec![(Job, 1)]]);
}

#[test]
fn people_go_first_and_jobs_are_not_starved() {
    let rush: Vec<_> = std::iter::repeat_n((Person, 100), 60).chain(std::iter::repeat_n((Job, 100), 12)).collect();
    let taken = groups(&rush);
    let of = |group: &[(Priority, usize)], priority| group.iter().filter(|batch| batch.0 == priority).count();
    assert_eq!((of(&taken[0], Person), of(&taken[0], Job)), (15, 5));
    assert_eq!((of(&taken[1], Person), of(&taken[1], Job)), (15, 5));
    assert!(taken[0].is_sorted_by_key(|batch| batch.0 == Job));
    // Without people the jobs have the whole group, and the other way round.
    assert_eq!(groups(&[(Job, 500); 4]).len(), 1);
    assert_eq!(groups(&[(Person, 500); 4]).len(), 1);
}

#[test]
fn riders_go_along_and_make_no_group_by_themselves() {
    use Priority::Rider;
    assert!(groups(&[(Rider, 1), (Rider, 2)]).is_empty());
    assert_eq!(groups(&[(Rider, 1), (Person, 2), (Job, 3)]), [vec![(Person, 2), (Job, 3), (Rider, 1)]]);
    // Many of them do, so that they do not fill the memory; and so do the last ones before a store closes.
    assert_eq!(groups(&[(Rider, 1); 500]).len(), 1);
    let mut queue = Queue::default();
    queue.push(request(Rider, 1));
    queue.release_riders();
    assert_eq!(queue.take_group().len(), 1);
}

#[test]
fn rows_of_a_group_come_in_key_order_each_key_once() {
    let mut first = Batch::new(Seq(0));
    first.put(&b"b"[..], &b"1"[..]);
    first.put(&b"a"[..], &b"1"[..]);
    let mut second = Batch::new(Seq(0));
    second.put(&b"c"[..], &b"2"[..]);
    second.delete(&b"b"[..]);
    let group = [first, second].map(|batch| Request { batch, done: Box::new(|_| {}) });
    let checked = check(group.into(), Seq(1), Duration::ZERO, &mut Window::default());
    let rows: Vec<_> = checked.writes.iter().map(|(key, value)| (&**key, value.as_deref())).collect();
    assert_eq!(rows, [(&b"a"[..], Some(&b"1"[..])), (b"b", None), (b"c", Some(b"2"))]);
    assert_eq!((checked.accepted.len(), checked.refused.len()), (2, 0));
}

fn print(number: usize) -> Fingerprint {
    Fingerprint::key(&number.to_be_bytes())
}

#[test]
fn a_touch_is_remembered_for_ten_seconds() {
    let mut window = Window::default();
    let second = Duration::from_secs;
    window.touch(Seq(1), second(0), &[print(1)]);
    window.touch(Seq(2), second(8), &[print(1), print(2)]);
    window.forget(second(10));
    assert!(window.check(Seq(0), &[print(3)]).is_ok());
    window.forget(second(11));
    // Nobody knows any more what a unit of group 0 has missed; one of group 1 is still told.
    assert!(window.check(Seq(0), &[print(3)]).is_err() && window.check(Seq(0), &[]).is_ok());
    assert!(window.check(Seq(1), &[print(1)]).is_err() && window.check(Seq(1), &[print(3)]).is_ok());
    assert!(window.check(Seq(2), &[print(1), print(2)]).is_ok());
    assert_eq!(window.empty_at(), Some(second(18) + Duration::from_millis(1)));
    window.forget(second(30));
    assert_eq!((window.len(), window.empty_at()), (0, None));
}

#[test]
fn touches_beyond_the_capacity_are_forgotten_early() {
    let mut window = Window::default();
    let group = 1 << 16;
    for number in 0..20 {
        window.forget(Duration::ZERO);
        let touched: Vec<_> = (number * group..(number + 1) * group).map(print).collect();
        window.touch(Seq(number as u64 + 1), Duration::ZERO, &touched);
    }
    window.forget(Duration::ZERO);
    assert!(window.len() <= CAPACITY, "{}", window.len());
    let unknown = print(usize::MAX);
    assert!(window.check(Seq(1), &[unknown]).is_err() && window.check(Seq(19), &[unknown]).is_ok());
    assert!(window.check(Seq(19), &[print(20 * group - 1)]).is_err());
}
