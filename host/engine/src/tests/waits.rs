//! Waits against changes: a job that parks and whoever changes what it watches never miss each other, in whatever order
//! they begin and commit (E1); and how the many that watch one record are woken.

use std::{mem, sync::Arc, time::Duration};

use model::{JobId, RecordRef, Verb, job::JobState};
use parking_lot::Mutex;
use store::{Batch, Completion, Error, Fingerprint, Memory, Seq, Snapshot, Stats, Store};

use super::{Native, SOLUTION, World};
use crate::{Engine, Settings};

/// A batch that was submitted, with who is told of it.
type Submitted = (Batch, Completion);

/// A store that keeps batches back until the test lets them go.
#[derive(Clone, Default)]
struct Held {
    store: Memory,
    held: Arc<Mutex<Option<Vec<Submitted>>>>,
}

impl Store for Held {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, Error> {
        self.store.snapshot()
    }

    fn submit(&self, batch: Batch, done: Completion) {
        match &mut *self.held.lock() {
            Some(held) => held.push((batch, done)),
            None => self.store.submit(batch, done),
        }
    }

    fn validate(&self, as_of: Seq, read: &[Fingerprint]) -> Result<(), Error> {
        self.store.validate(as_of, read)
    }

    fn pump(&self) -> usize {
        self.store.pump()
    }

    fn stats(&self) -> Stats {
        self.store.stats()
    }
}

const PARCEL: (&str, &str) = (
    "entities/parcel.yaml",
    "kind: entity
name: parcel
ownership: user-or-team
primary: name
attributes:
  name: { type: text }
  contactid: { type: lookup, to: contact }
",
);

const FOLLOW: (&str, &str) = (
    "processes/follow.yaml",
    "kind: workflow
name: follow
entity: parcel
mode: background
scope: organization
start: { create: true }
steps:
  - wait: [{ until: { value: record.contactid.jobtitle, is: done } }, { for: 1 year }]
  - { create: task, set: { subject: Followed } }
",
);

impl World<Held> {
    fn following() -> Self {
        let world = Self::on(Held::default(), Native::default(), Settings::default());
        world.deploy(&[SOLUTION, PARCEL, FOLLOW]);
        world.settle();
        world
    }

    /// Computes what `work` asks for and keeps its batch back.
    fn begin(&self, work: impl Fn(&Engine) -> bool) -> Option<Submitted> {
        *self.store.held.lock() = Some(Vec::new());
        while work(&self.engine) && self.store.held.lock().as_ref().is_some_and(Vec::is_empty) {}
        let mut held = mem::take(&mut *self.store.held.lock()).expect("it is being held");
        assert!(held.len() <= 1);
        held.pop()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// The job looks at its wait.
    Park,
    /// The first contact is done.
    Update,
    /// The parcel goes.
    Delete,
    /// The lookup of the parcel moves to the second contact.
    Move,
}

/// The records of one order.
struct Case {
    parcel: RecordRef,
    first: RecordRef,
    second: RecordRef,
    job: JobId,
}

impl Case {
    fn new(world: &World<Held>) -> Self {
        let first = world.create("contact", &[("lastname", "First".into())]);
        let second = world.create("contact", &[("lastname", "Second".into())]);
        let parcel = world.create("parcel", &[("contactid", first.into())]);
        let filter = model::job::JobFilter { record: Some(parcel), ..Default::default() };
        let jobs = world.engine.jobs(&world.caller(), &filter, 9, None).expect("a list").jobs;
        Self { parcel, first, second, job: jobs[0].id }
    }

    fn begin(&self, world: &World<Held>, unit: Unit) -> Option<Submitted> {
        let verb = match unit {
            Unit::Park => return world.begin(|engine| engine.run_one(Duration::ZERO) == crate::Progress::Worked),
            Unit::Update => world.updating(self.first, &[("jobtitle", "done".into())]),
            Unit::Delete => Verb::Delete { target: self.parcel, expected: None },
            Unit::Move => world.updating(self.parcel, &[("contactid", self.second.into())]),
        };
        // The parcel may be gone already.
        world.engine.submit(world.caller(), vec![verb], |_| {});
        world.begin(|engine| engine.serve_one(Duration::ZERO))
    }

    /// Whether the job stands as it must by what holds now; else how it stands.
    fn check(&self, world: &World<Held>) -> Result<(), JobState> {
        let caller = world.caller();
        let (job, _) = world.engine.job(&caller, self.job).expect("a job");
        let value = |record: RecordRef, attribute: &str| {
            let record = world.engine.retrieve(&caller, record, None).ok()?;
            let schema = world.engine.schema();
            let attribute = schema.entity(record.entity).and_then(|entity| entity.attribute(attribute))?.id;
            Some((attribute, record.get(attribute).clone()))
        };
        let Some((lookup, parent)) = value(self.parcel, "contactid") else {
            let right = match &job.state {
                JobState::Canceled(_) => true,
                JobState::Succeeded(_) => self.was_done(world),
                _ => false,
            };
            return right.then_some(()).ok_or(job.state);
        };
        let parent = parent.as_reference().expect("it has a contact");
        let (title, done) = value(parent, "jobtitle").expect("it is there");
        let right = match &job.state {
            JobState::Succeeded(_) => done.as_text() == Some("done") || self.was_done(world),
            JobState::Waiting(watch) => {
                let mut on = [(self.parcel, lookup), (parent, title)];
                on.sort_unstable();
                done.is_null() && watch.on == on
            }
            _ => false,
        };
        right.then_some(()).ok_or(job.state)
    }

    /// The job may have gone on while the parcel still looked to the contact that is done.
    fn was_done(&self, world: &World<Held>) -> bool {
        let caller = world.caller();
        let contact = world.engine.retrieve(&caller, self.first, None).expect("it is there");
        contact.values.iter().any(|(_, value)| value.as_text() == Some("done"))
    }
}

fn each_order(left: &mut [(Unit, u8)], order: &mut Vec<(Unit, bool)>, visit: &mut impl FnMut(&[(Unit, bool)])) {
    if left.iter().all(|(_, steps)| *steps == 0) {
        return visit(order);
    }
    for place in 0..left.len() {
        let (unit, steps) = left[place];
        if steps > 0 {
            left[place].1 -= 1;
            order.push((unit, steps == 2));
            each_order(left, order, visit);
            order.pop();
            left[place].1 += 1;
        }
    }
}

#[test]
fn no_order_of_park_update_delete_and_move_loses_a_wake() {
    let world = World::following();
    let mut orders = 0;
    let sets: [&[Unit]; 4] = [
        &[Unit::Park, Unit::Update],
        &[Unit::Park, Unit::Delete],
        &[Unit::Park, Unit::Move, Unit::Update],
        &[Unit::Park, Unit::Update, Unit::Delete, Unit::Move],
    ];
    for set in sets {
        let mut left: Vec<(Unit, u8)> = set.iter().map(|unit| (*unit, 2)).collect();
        each_order(&mut left, &mut Vec::new(), &mut |order| {
            orders += 1;
            let case = Case::new(&world);
            let mut begun = Vec::new();
            for (unit, begins) in order {
                if *begins {
                    begun.push((*unit, case.begin(&world, *unit)));
                    continue;
                }
                let place = begun.iter().position(|(known, _)| known == unit).expect("it began");
                // What the unit could not do, or what was done already, has no batch.
                if let Some((batch, done)) = begun.swap_remove(place).1 {
                    world.store.submit(batch, done);
                    world.store.pump();
                }
                // One that is refused runs again at once; the job only if it was it.
                match unit {
                    Unit::Park => {}
                    _ => while world.engine.serve_one(Duration::ZERO) || world.store.pump() > 0 {},
                }
            }
            world.settle();
            assert_eq!(case.check(&world), Ok(()), "in this order of (unit, begins): {order:?}");
        });
    }
    // 6 orders of two units, 90 of three, 2,520 of four.
    assert_eq!(orders, 2 * 6 + 90 + 2_520);
}

#[test]
fn the_many_that_watch_one_record_are_woken_in_slices() {
    let world = World::following();
    let contact = world.create("contact", &[("lastname", "Busy".into())]);
    for _ in 0..1_250 {
        world.create("parcel", &[("contactid", contact.into())]);
    }
    world.settle();
    let caller = world.caller();
    let counts = || {
        let counts = world.engine.job_counts().expect("counts");
        let count = |state| counts[JobState::WORDS.iter().position(|word| *word == state).expect("a state")];
        [count("ready"), count("waiting"), count("succeeded")]
    };
    assert_eq!(counts(), [0, 1_250, 0]);
    let rows = world.engine.figures().store.rows;
    world.engine.apply(&caller, world.updating(contact, &[("jobtitle", "nearly".into())])).expect("it changes");
    world.engine.apply(&caller, world.updating(contact, &[("jobtitle", "done".into())])).expect("it changes");
    assert!(world.engine.figures().store.rows - rows < 20, "the change itself does not pay for those who wait");
    world.settle();
    assert_eq!(counts(), [0, 0, 1_250]);
}
