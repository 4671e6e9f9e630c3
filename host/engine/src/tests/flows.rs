//! Business process flows over random histories, through the engine: several users, several flows, one record. What the
//! engine answers and what each user is shown is compared, after each event, with a small account of the rules T1 to T20
//! that knows neither rows nor units.

mod account;
mod cost;
mod land;
mod report;
mod versions;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use self::{
    account::Account,
    land::{FLOWS, Land, USERS},
};

/// What may be done to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Next,
    Back,
    Set(usize),
    Finish,
    Abandon,
    Reactivate,
}

/// What a role gives of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Level {
    #[default]
    Nothing,
    View,
    Use,
}

/// Something that happens. Users and flows are numbers; each flow has one instance at most, since there is one record.
#[derive(Clone, Copy, Debug)]
enum Event {
    View(usize),
    Switch(usize, usize),
    Start(usize, usize),
    Go(usize, usize, Step),
    Grant(usize, usize, Level),
    /// Nothing, little, or so much that the branch holds.
    Amount(u8),
    Reason(bool),
    Delete(usize),
    Activate(usize, bool),
}

/// Which flow the new record gets.
#[derive(Clone, Copy, Debug)]
enum Begin {
    Default,
    Nothing,
    This(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let step = prop_oneof![
        5 => Just(Step::Next),
        2 => Just(Step::Back),
        2 => (0..land::STAGES.len()).prop_map(Step::Set),
        2 => Just(Step::Finish),
        1 => Just(Step::Abandon),
        1 => Just(Step::Reactivate),
    ];
    let level = prop_oneof![1 => Just(Level::Nothing), 1 => Just(Level::View), 3 => Just(Level::Use)];
    prop_oneof![
        60 => (0..USERS).prop_map(Event::View),
        40 => (0..USERS, 0..FLOWS).prop_map(|(user, flow)| Event::Switch(user, flow)),
        30 => (0..USERS, 0..FLOWS).prop_map(|(user, flow)| Event::Start(user, flow)),
        120 => (0..USERS, 0..FLOWS, step).prop_map(|(user, flow, step)| Event::Go(user, flow, step)),
        30 => (0..USERS, 0..FLOWS, level).prop_map(|(user, flow, level)| Event::Grant(user, flow, level)),
        40 => (0..3u8).prop_map(Event::Amount),
        20 => any::<bool>().prop_map(Event::Reason),
        12 => (0..FLOWS).prop_map(Event::Delete),
        2 => (0..FLOWS, any::<bool>()).prop_map(|(flow, active)| Event::Activate(flow, active)),
    ]
}

fn begin() -> impl Strategy<Value = Begin> {
    prop_oneof![4 => Just(Begin::Default), 1 => Just(Begin::Nothing), 2 => (0..FLOWS).prop_map(Begin::This)]
}

fn levels() -> impl Strategy<Value = [[Level; FLOWS]; USERS]> {
    let level = prop_oneof![1 => Just(Level::Nothing), 1 => Just(Level::View), 4 => Just(Level::Use)];
    prop::array::uniform3(prop::array::uniform3(level))
}

#[test]
fn what_users_see_and_are_answered_is_what_the_rules_say() {
    let land = Land::new();
    let history = (levels(), 0..USERS, begin(), prop::collection::vec(event(), 1..28));
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let searched = runner.run(&history, |(levels, user, begin, events)| {
        let mut account = Account::new(levels);
        land.reset(&levels);
        let told = account.create(user, begin);
        prop_assert_eq!(land.create(user, begin), told, "create by {} for {:?}", user, begin);
        for (place, event) in events.iter().enumerate() {
            let (by_engine, by_rules) = (land.happen(*event), account.happen(*event));
            prop_assert_eq!(by_engine, by_rules, "event {} is {:?}", place, event);
            for user in 0..USERS {
                prop_assert_eq!(
                    land.look(user),
                    account.look(user),
                    "user {} after event {}, {:?}",
                    user,
                    place,
                    event
                );
            }
        }
        Ok(())
    });
    searched.unwrap_or_else(|problem| panic!("{problem}"));
}
