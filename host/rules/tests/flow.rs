//! What users see on a record, over random histories: the pins as `rules::flow` keeps them against a plain account that
//! reads the whole history anew for each question (processes 5.5).

use proptest::prelude::*;
use rules::flow::{Candidate, Shown, shown};

const USERS: usize = 3;
const FLOWS: usize = 3;

/// Something that happens to one record. Users and flows are numbers; each flow has one instance at most.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Start, Next, Back, Set Stage, Finish, Abandon, Reactivate: a change of status; pins nobody (T1, T19).
    Change(usize),
    /// The user opens the form.
    View(usize),
    /// Switch Process: starts the flow if it never was, pins the user (T10, T11).
    Switch(usize, usize),
    /// The user gains or loses the right to see a flow.
    Grant(usize, usize, bool),
    /// The instance is deleted.
    Delete(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..FLOWS).prop_map(Event::Change),
        4 => (0..USERS).prop_map(Event::View),
        2 => (0..USERS, 0..FLOWS).prop_map(|(user, flow)| Event::Switch(user, flow)),
        2 => (0..USERS, 0..FLOWS, any::<bool>()).prop_map(|(user, flow, may)| Event::Grant(user, flow, may)),
        1 => (0..FLOWS).prop_map(Event::Delete),
    ]
}

/// The state as the engine keeps it: pins, last changes, access.
#[derive(Default)]
struct Kept {
    /// Which life of a flow's instance is pinned: an instance that is started again is another one.
    pins: [Option<(usize, usize)>; USERS],
    lives: [usize; FLOWS],
    changed: [Option<u128>; FLOWS],
    may: [[bool; FLOWS]; USERS],
    tick: u128,
}

impl Kept {
    fn ask(&self, user: usize) -> Shown<(usize, usize)> {
        let there = (0..FLOWS).filter_map(|flow| {
            let last_change = self.changed[flow]?;
            Some(Candidate { instance: (flow, self.lives[flow]), last_change, visible: self.may[user][flow] })
        });
        shown(self.pins[user], there)
    }

    fn happen(&mut self, event: Event) {
        self.tick += 1;
        match event {
            Event::Change(flow) => self.change(flow),
            Event::View(user) => self.pins[user] = self.ask(user).instance(),
            Event::Switch(user, flow) if self.may[user][flow] => {
                if self.changed[flow].is_none() {
                    self.change(flow);
                }
                self.pins[user] = Some((flow, self.lives[flow]));
            }
            Event::Switch(..) => {}
            Event::Grant(user, flow, may) => self.may[user][flow] = may,
            Event::Delete(flow) => self.changed[flow] = None,
        }
    }

    fn change(&mut self, flow: usize) {
        if self.changed[flow].is_none() {
            self.lives[flow] += 1;
        }
        self.changed[flow] = Some(self.tick);
    }
}

/// What `user` would see after `history`, by the words of the rules: the last thing that decided for him, else the newest.
fn account(history: &[Event], user: usize) -> Option<usize> {
    let may = |history: &[Event], flow: usize| {
        let of_flow = |event: &&Event| matches!(event, Event::Grant(u, f, _) if *u == user && *f == flow);
        matches!(history.iter().rev().find(of_flow), Some(Event::Grant(_, _, true)))
    };
    // Where the flow's present instance began; nothing where there is none.
    let began = |history: &[Event], flow: usize| {
        let deleted = history.iter().rposition(|event| matches!(event, Event::Delete(f) if *f == flow));
        let from = deleted.map_or(0, |at| at + 1);
        (from..history.len()).find(|at| starts(&history[..*at], history[*at], flow))
    };
    let newest = |history: &[Event]| {
        let alive = (0..FLOWS).filter(|flow| may(history, *flow)).filter_map(|flow| {
            let from = began(history, flow)?;
            let changes = |at: &usize| *at == from || matches!(history[*at], Event::Change(changed) if changed == flow);
            Some(((from..history.len()).rev().find(changes)?, flow))
        });
        alive.max().map(|(_, flow)| flow)
    };
    let mut decided: Option<(usize, usize)> = None;
    for at in 0..=history.len() {
        let past = &history[..at];
        let is_view = history.get(at).is_none_or(|event| matches!(event, Event::View(viewer) if *viewer == user));
        if is_view {
            let holds = decided.filter(|(flow, from)| may(past, *flow) && began(past, *flow) == Some(*from));
            decided = holds.or_else(|| newest(past).and_then(|flow| Some((flow, began(past, flow)?))));
        }
        if let Some(Event::Switch(switcher, flow)) = history.get(at)
            && *switcher == user
            && may(past, *flow)
        {
            decided = began(&history[..=at], *flow).map(|from| (*flow, from));
        }
    }
    decided.map(|(flow, _)| flow)
}

/// Whether `event` makes an instance of `flow` where there was none.
fn starts(before: &[Event], event: Event, flow: usize) -> bool {
    match event {
        Event::Change(changed) => changed == flow,
        Event::Switch(user, to) if to == flow => {
            let of_flow = |event: &&Event| matches!(event, Event::Grant(u, f, _) if *u == user && *f == flow);
            matches!(before.iter().rev().find(of_flow), Some(Event::Grant(_, _, true)))
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_view_shows_what_the_history_says(history in prop::collection::vec(event(), 0..24)) {
        let mut kept = Kept::default();
        history.iter().for_each(|event| kept.happen(*event));
        for user in 0..USERS {
            prop_assert_eq!(kept.ask(user).instance().map(|(flow, _)| flow), account(&history, user), "user {}", user);
        }
    }
}

const C: usize = 0;
const U: usize = 1;
const V: usize = 2;

fn seen(history: &[Event], user: usize) -> Option<usize> {
    let mut kept = Kept::default();
    let everybody = (0..USERS).flat_map(|user| [Event::Grant(user, 0, true), Event::Grant(user, 1, true)]);
    everybody.chain(history.iter().copied()).for_each(|event| kept.happen(event));
    kept.ask(user).instance().map(|(flow, _)| flow)
}

#[test]
fn history_a_a_switch_of_another_user_does_not_move_a_pin() {
    let history = [Event::Change(0), Event::View(C), Event::View(U), Event::Switch(V, 1)];
    assert_eq!(seen(&history, U), Some(0));
    assert_eq!(seen(&history, V), Some(1));
}

#[test]
fn history_b_access_to_a_newer_flow_does_not_move_a_pin() {
    let history = [
        Event::Grant(U, 1, false),
        Event::Change(0),
        Event::View(C),
        Event::View(U),
        Event::Switch(V, 1),
        Event::Grant(U, 1, true),
    ];
    assert_eq!(seen(&history, U), Some(0));
}

#[test]
fn history_c_who_never_opened_the_record_sees_the_newest() {
    assert_eq!(seen(&[Event::Change(0), Event::Switch(V, 1)], C), Some(1));
}
