//! Jobs: what starts them, what they do, what they keep when something fails, and that nothing happens twice.

use model::{
    Field, ProcessName, Value, Verb,
    job::{JobFilter, LogEvent, Order, Retry},
    step::{GuestError, GuestErrorKind, LogLevel, StepFailure},
};

use store::{
    Store,
    key::{Family, Tuple},
};

use super::{COMPLAINT, Native, SOLUTION, World, script};

pub(super) const HANDLE: (&str, &str) = (
    "processes/handle.yaml",
    "kind: workflow
name: handle
entity: complaint
mode: background
scope: organization
start: { create: true }
steps:
  - { update: record, set: { severity: high, dueon: \"= add_days(record.receivedon, 15)\" } }
  - id: answer
    create: task
    set: { subject: \"Answer ${record.title}, ${record.severity}\", regardingobjectid: \"= record\" }
  - { change-status: record, to: answered }
",
);

fn complaint(world: &World, title: &str) -> model::RecordRef {
    let day = Value::Date(model::Date::parse("2026-11-02").expect("a day"));
    world.create("complaint", &[("title", title.into()), ("receivedon", day)])
}

#[test]
fn a_create_and_the_job_it_starts_are_one_batch_and_three_steps_are_another() {
    let world = World::new();
    world.deploy(&[SOLUTION, COMPLAINT, HANDLE]);
    let before = world.batches();
    let record = complaint(&world, "Late");
    assert_eq!(world.batches() - before, 1);
    world.settle();
    assert_eq!(world.batches() - before, 2);
    assert_eq!(world.states(), [("succeeded", String::new())]);
    assert_eq!(world.get(record, "severity"), Value::Choice(3));
    assert_eq!(world.get(record, "dueon").value_type(), Some(model::ValueType::Date));
    assert_eq!(world.get(record, "statuscode"), Value::Whole(4));
    assert_eq!(world.count("task"), 1);
    assert_eq!(world.subjects(), ["Answer Late, Severe".into()]);
}

#[test]
fn the_run_log_tells_what_each_step_did() {
    let world = World::new();
    world.deploy(&[SOLUTION, COMPLAINT, HANDLE]);
    complaint(&world, "Late");
    world.settle();
    let jobs = world.jobs();
    let (_, log) = &jobs[0];
    let told: Vec<&str> = log
        .iter()
        .map(|line| match line.event {
            LogEvent::Started => "started",
            LogEvent::Updated { .. } => "updated",
            LogEvent::Created { .. } => "created",
            LogEvent::StatusSet { .. } => "status",
            LogEvent::Ended { .. } => "ended",
            _ => "other",
        })
        .collect();
    assert_eq!(told, ["started", "updated", "created", "status", "ended"]);
    assert_eq!(log[2].step.as_ref().map(|step| step.as_str()), Some("answer"));
}

fn refusing(kind: GuestErrorKind) -> StepFailure {
    StepFailure::Guest(GuestError {
        kind,
        code: "no".into(),
        message: "not today".into(),
        retry_after: None,
        details: Vec::new(),
    })
}

const CALLING: (&str, &str) = (
    "processes/handle.yaml",
    "kind: workflow
name: handle
entity: complaint
mode: background
scope: organization
start: { create: true }
on-demand: true
steps:
  - { update: record, increment: { touched: 1 } }
  - id: think
    title: Think hard
    custom: complaints.think
    inputs: { text: \"${record.title}\" }
  - { update: record, set: { severity: \"= think.severity\" } }
",
);

const THINK: &str = "uses: { contact: [create] }\ninputs: { text: { type: text, required: true } }\noutputs: { severity: { type: whole } }\n";

fn calling(
    body: impl Fn(&model::step::StepCall, &mut dyn model::step::StepHost) -> Result<Vec<Field>, StepFailure>
    + Send
    + Sync
    + std::panic::UnwindSafe
    + std::panic::RefUnwindSafe
    + 'static,
) -> (Native, String) {
    (Native { steps: vec![("complaints.think", Box::new(body))] }, script("complaints.think", THINK))
}

#[test]
fn a_custom_step_gets_its_inputs_and_its_outputs_go_on() {
    let (runner, think) = calling(|call, host| {
        assert_eq!(call.inputs, [Field { name: "text".into(), value: "Late".into() }]);
        host.log(LogLevel::Info, "thinking");
        Ok(vec![Field { name: "severity".into(), value: Value::Whole(3) }])
    });
    let world = World::with(runner);
    world.deploy(&[SOLUTION, COMPLAINT, CALLING, ("scripts/think.rhai", &think)]);
    let record = complaint(&world, "Late");
    world.settle();
    assert_eq!(world.states(), [("succeeded", String::new())]);
    assert_eq!(world.get(record, "severity"), Value::Choice(3));
    assert!(
        world.jobs()[0]
            .1
            .iter()
            .any(|line| matches!(&line.event, LogEvent::Said { message, .. } if message == "thinking"))
    );
}

#[test]
fn a_failed_step_names_process_step_and_record_and_undoes_only_itself() {
    let (runner, think) = calling(|call, host| {
        let contact = call.schema.named("contact").expect("contacts").id;
        let lastname = call.schema.named("contact").and_then(|entity| entity.attribute("lastname")).expect("known").id;
        let values = [(lastname, "Gone".into())].into_iter().collect();
        host.apply(Verb::Create { entity: contact, id: None, values }).expect("a contact");
        host.log(LogLevel::Warn, "this will not do");
        Err(refusing(GuestErrorKind::RuleViolated))
    });
    let world = World::with(runner);
    world.deploy(&[SOLUTION, COMPLAINT, CALLING, ("scripts/think.rhai", &think)]);
    let record = complaint(&world, "Late");
    world.settle();
    let states = world.states();
    assert_eq!(states[0].0, "failed");
    for part in ["`handle`", "think", "Think hard", "complaint", "`Late`", &record.id.to_string(), "not today"] {
        assert!(states[0].1.contains(part), "`{part}` is missing in: {}", states[0].1);
    }
    assert_eq!(world.get(record, "touched"), Value::Whole(1), "the step before is kept");
    assert_eq!(world.count("contact"), 0, "what the failed step did is undone");
    assert!(world.jobs()[0].1.iter().any(|line| matches!(line.event, LogEvent::Said { .. })), "what it said is kept");
}

#[test]
fn what_may_pass_is_tried_again_at_its_time() {
    let tries = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = tries.clone();
    let (runner, think) = calling(move |call, _| {
        let before = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(call.context.attempt, before + 1);
        match before {
            0 => Err(refusing(GuestErrorKind::Transient)),
            _ => Ok(vec![Field { name: "severity".into(), value: Value::Whole(1) }]),
        }
    });
    let world = World::with(runner);
    world.deploy(&[SOLUTION, COMPLAINT, CALLING, ("scripts/think.rhai", &think)]);
    let record = complaint(&world, "Late");
    world.settle();
    assert_eq!(world.states()[0].0, "postponed");
    world.clock.advance(9_000_000);
    world.settle();
    assert_eq!(world.states()[0].0, "postponed");
    world.clock.advance(2_000_000);
    world.settle();
    assert_eq!(world.states()[0].0, "succeeded");
    assert_eq!(world.get(record, "touched"), Value::Whole(1), "no step is done twice");
    assert_eq!(tries.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[test]
fn after_a_crash_the_job_goes_on_and_nothing_happens_twice() {
    let world = World::new();
    world.deploy(&[SOLUTION, COMPLAINT, HANDLE]);
    let record = complaint(&world, "Late");
    // The worker has computed the unit and handed it to the store, which never commits it.
    world.engine.run_one(std::time::Duration::ZERO);
    world.store.fail(store::Fault::Write, 1);
    // The group is lost; then the store opens again.
    store::Store::pump(&world.store);
    store::Store::pump(&world.store);
    assert_eq!(world.count("task"), 0);
    let world = world.restart(Native::default());
    world.settle();
    assert_eq!(world.states(), [("succeeded", String::new())]);
    assert_eq!(world.count("task"), 1);
    assert_eq!(world.get(record, "statuscode"), Value::Whole(4));
}

#[test]
fn a_job_whose_record_is_deleted_is_canceled() {
    let world = World::new();
    world.deploy(&[SOLUTION, COMPLAINT, HANDLE]);
    let record = complaint(&world, "Late");
    world.try_delete(record).expect("a delete");
    world.settle();
    assert_eq!(world.states()[0].0, "canceled");
    assert_eq!(world.count("task"), 0);
}

#[test]
fn a_workflow_on_delete_sees_the_record_as_it_was() {
    let world = World::new();
    let remember = "kind: workflow
name: remember
entity: complaint
mode: background
scope: organization
start: { delete: true }
steps:
  - { create: task, set: { subject: \"Gone: ${record.title}\" } }
";
    world.deploy(&[SOLUTION, COMPLAINT, ("processes/remember.yaml", remember)]);
    let record = complaint(&world, "Late");
    world.try_delete(record).expect("a delete");
    world.settle();
    assert_eq!(world.states(), [("succeeded", String::new())]);
    assert_eq!(world.subjects(), ["Gone: Late".into()]);
}

#[test]
fn a_workflow_that_starts_itself_is_stopped_and_named() {
    let world = World::new();
    let circle = "kind: workflow
name: circle
entity: complaint
mode: background
scope: organization
start: { update: [touched], if: { value: after.touched, at-least: 1 } }
steps:
  - { update: record, increment: { touched: 1 } }
";
    world.deploy(&[SOLUTION, COMPLAINT, ("processes/circle.yaml", circle)]);
    let record = complaint(&world, "Round");
    world.try_update(record, &[("touched", Value::Whole(1))]).expect("an update");
    world.settle();
    let states = world.states();
    let (last, others) = states.split_last().expect("jobs");
    assert_eq!(last.0, "failed");
    assert!(last.1.contains("`circle`") && last.1.contains("starts itself"), "{}", last.1);
    assert!(others.iter().all(|(state, _)| *state == "succeeded"));
    assert_eq!(others.len(), 15, "operations 2 to 16 of the chain");
}

#[test]
fn an_update_of_another_attribute_starts_nothing() {
    let world = World::new();
    let watch = "kind: workflow
name: watch
entity: complaint
mode: background
scope: organization
start: { update: [severity] }
steps:
  - { create: task, set: { subject: Seen } }
";
    world.deploy(&[SOLUTION, COMPLAINT, ("processes/watch.yaml", watch)]);
    let record = complaint(&world, "Late");
    world.try_update(record, &[("title", "Later".into())]).expect("an update");
    world.settle();
    assert_eq!(world.states(), []);
    world.try_update(record, &[("severity", "high".into())]).expect("an update");
    world.settle();
    assert_eq!(world.states().len(), 1);
}

#[test]
fn a_person_runs_a_process_and_it_runs_as_him() {
    let (runner, think) = calling(|_, _| Ok(vec![Field { name: "severity".into(), value: Value::Whole(1) }]));
    let world = World::with(runner);
    world.deploy(&[SOLUTION, COMPLAINT, CALLING, ("scripts/think.rhai", &think)]);
    let record = complaint(&world, "Late");
    world.settle();
    let anna = world.create("systemuser", &[("fullname", "Anna".into())]);
    let name = ProcessName::parse("handle").expect("a name");
    let refused = world.engine.run_process(&world.engine.caller(anna), &name, record);
    assert!(matches!(refused, Err(crate::Failure::Refused(model::Refusal::MissingTask(_)))), "{refused:?}");
    world.give_role(anna, "System Administrator");
    world.engine.run_process(&world.engine.caller(anna), &name, record).expect("a job");
    world.settle();
    assert_eq!(world.states().len(), 2);
    assert_eq!(world.jobs()[1].0.user, anna);
    assert_eq!(world.get(record, "modifiedby"), Value::Reference(anna));
}

#[test]
fn jobs_of_one_value_run_in_the_order_of_their_events() {
    let (runner, think) = calling(|call, _| match call.inputs[0].value.as_text() {
        Some("first") if call.context.attempt == 1 => Err(refusing(GuestErrorKind::Transient)),
        _ => Ok(vec![Field { name: "severity".into(), value: Value::Whole(1) }]),
    });
    let ordered = CALLING.1.replace("on-demand: true", "in-order-by: \"= record.receivedon\"");
    let world = World::with(runner);
    world.deploy(&[SOLUTION, COMPLAINT, (CALLING.0, &ordered), ("scripts/think.rhai", &think)]);
    complaint(&world, "first");
    complaint(&world, "second");
    world.settle();
    let states: Vec<_> = world.states().into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["postponed", "ready"], "the second waits for the first");
    world.clock.advance(11_000_000);
    world.settle();
    let states: Vec<_> = world.states().into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["succeeded", "succeeded"]);
}

#[test]
fn a_canceled_job_does_nothing_more_and_the_next_of_its_token_goes_on() {
    let (runner, think) = calling(|call, _| match call.inputs[0].value.as_text() {
        Some("first") => Err(refusing(GuestErrorKind::Transient)),
        _ => Ok(vec![Field { name: "severity".into(), value: Value::Whole(1) }]),
    });
    let ordered = CALLING.1.replace("on-demand: true", "in-order-by: \"= record.receivedon\"");
    let world = World::with(runner);
    world.deploy(&[SOLUTION, COMPLAINT, (CALLING.0, &ordered), ("scripts/think.rhai", &think)]);
    complaint(&world, "first");
    complaint(&world, "second");
    world.settle();
    let first = world.jobs()[0].0.id;
    world.engine.cancel(&world.caller(), first).expect("it is not completed");
    world.settle();
    let states: Vec<_> = world.states().into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["canceled", "succeeded"]);
    assert!(world.engine.cancel(&world.caller(), first).is_err(), "it is completed");
}

#[test]
fn a_script_may_do_what_it_lists_under_uses_and_nothing_else() {
    let (runner, think) = calling(|call, host| {
        let account = call.schema.named("account").expect("accounts").id;
        let verb = Verb::Create { entity: account, id: None, values: model::Values::new() };
        let refusal = host.apply(verb).expect_err("it lists contacts only");
        let text = match refusal {
            model::step::HostRefusal::Refused(refusal) => refusal.to_string(),
            model::step::HostRefusal::Abort => "abort".to_owned(),
        };
        assert!(text.contains("`uses`"), "{text}");
        Ok(vec![Field { name: "severity".into(), value: Value::Whole(3) }])
    });
    let world = World::with(runner);
    world.deploy(&[SOLUTION, COMPLAINT, CALLING, ("scripts/think.rhai", &think)]);
    complaint(&world, "Late");
    world.settle();
    assert_eq!(world.states(), [("succeeded", String::new())]);
}

#[test]
fn a_step_that_panics_leaves_its_job_to_a_person_and_the_others_go_on() {
    let (runner, think) = calling(|call, _| match call.inputs[0].value.as_text() {
        Some("bad") => panic!("a bug of the host"),
        _ => Ok(vec![Field { name: "severity".into(), value: Value::Whole(3) }]),
    });
    let world = World::with(runner);
    world.deploy(&[SOLUTION, COMPLAINT, CALLING, ("scripts/think.rhai", &think)]);
    complaint(&world, "bad");
    complaint(&world, "good");
    world.settle();
    let states = world.states();
    assert_eq!(states[0].0, "suspended");
    assert!(states[0].1.starts_with("internal: "), "{}", states[0].1);
    assert_eq!(states[1].0, "succeeded");
    let first = world.jobs()[0].0.id;
    world.engine.resume(&world.caller(), first).expect("a person may try it again");
    world.settle();
    assert_eq!(world.states()[0].0, "suspended");
}

#[test]
fn a_run_that_outgrows_a_unit_goes_on_in_another_one() {
    let settings = crate::Settings {
        budget: crate::Budget { verbs: 2, ..crate::Budget::default() },
        ..crate::Settings::default()
    };
    let world = World::with_settings(Native::default(), settings);
    world.deploy(&[SOLUTION, COMPLAINT, HANDLE]);
    let record = complaint(&world, "Late");
    let before = world.batches();
    world.settle();
    assert_eq!(world.batches() - before, 3, "each of the three steps is a unit of its own");
    assert_eq!(world.states(), [("succeeded", String::new())]);
    assert_eq!(world.count("task"), 1);
    assert_eq!(world.get(record, "statuscode"), Value::Whole(4));
    let (job, log) = world.jobs().remove(0);
    assert_eq!(log.len(), 5);
    assert_eq!(job.epoch, 3);
}

/// A runner that does not give back what it was lent.
struct Keeper;

impl model::step::StepRunner for Keeper {
    fn run(&self, _: &model::step::StepCall, _: Box<dyn model::step::StepHost>) -> model::step::Returned {
        model::step::Returned { host: None, result: Ok(Vec::new()), usage: model::step::Usage::default() }
    }

    fn install(&self, _: &[u8]) -> Result<model::step::Installed, model::step::PackageProblem> {
        Err(model::step::PackageProblem { sentences: vec!["it has no components".to_owned()] })
    }

    fn prepare(&self, _: model::Digest, _: &[u8]) -> Result<(), model::step::PackageProblem> {
        Ok(())
    }
}

#[test]
fn a_unit_that_is_kept_suspends_its_job_and_nothing_of_it_is_written() {
    let world = World::with(Keeper);
    world.deploy(&[SOLUTION, COMPLAINT, CALLING, ("scripts/think.rhai", &script("complaints.think", THINK))]);
    let record = complaint(&world, "Late");
    world.settle();
    assert_eq!(world.states()[0].0, "suspended");
    assert!(world.states()[0].1.starts_with("internal: "));
    assert_eq!(world.get(record, "touched"), Value::Whole(0));
}

#[test]
fn a_job_whose_row_cannot_be_read_is_seen_as_suspended_and_can_be_ended() {
    for order in [Order::Cancel, Order::Terminate] {
        let (runner, think) = calling(|_, _| Err(refusing(GuestErrorKind::Transient)));
        let world = World::with(runner);
        world.deploy(&[SOLUTION, COMPLAINT, CALLING, ("scripts/think.rhai", &think)]);
        complaint(&world, "Late");
        world.settle();
        let id = world.jobs()[0].0.id;
        damage(&world, id);
        world.clock.advance(3_600_000_000);
        world.settle();
        let states = world.states();
        assert_eq!(states[0].0, "suspended");
        assert!(states[0].1.contains("its row cannot be read"), "{}", states[0].1);
        for refused in [Order::Resume, Order::Retry(Retry::Start), Order::Retry(Retry::Newest)] {
            assert!(world.engine.order(&world.caller(), id, refused).is_err(), "{refused:?}");
        }
        world.engine.order(&world.caller(), id, order).expect("always possible");
        world.settle();
        assert_eq!(world.states()[0].0, "canceled");
        let snapshot = world.store.snapshot().expect("a snapshot");
        assert_eq!(store::jobs::due(&snapshot).expect("a scan").count(), 0, "it stands in no order");
    }
}

#[test]
fn a_list_looks_at_so_many_jobs_and_tells_where_to_go_on() {
    let settings = crate::Settings { jobs_looked_at: 4, ..crate::Settings::default() };
    let (runner, think) = calling(|_, _| Err(refusing(GuestErrorKind::NotFound)));
    let world = World::with_settings(runner, settings);
    world.deploy(&[SOLUTION, COMPLAINT, CALLING, ("scripts/think.rhai", &think)]);
    for number in 0..10 {
        complaint(&world, &format!("complaint {number}"));
    }
    world.settle();
    let none = JobFilter { state: Some("failed".into()), ..JobFilter::default() };
    let (mut cursor, mut pages) = (None::<smol_str::SmolStr>, 0);
    loop {
        let page = world.engine.jobs(&world.caller(), &none, 5, cursor.as_deref()).expect("a page");
        assert_eq!(page.jobs.len(), 0);
        pages += 1;
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, 3, "ten jobs, four at a time");
}

#[test]
fn an_order_reaches_all_jobs_that_a_filter_wants_slice_by_slice() {
    let (runner, think) = calling(|_, _| Err(refusing(GuestErrorKind::NotFound)));
    let world = World::with(runner);
    world.deploy(&[SOLUTION, COMPLAINT, CALLING, ("scripts/think.rhai", &think)]);
    let all = 450;
    for number in 0..all {
        complaint(&world, &format!("complaint {number}"));
    }
    world.settle();
    let suspended = JobFilter { state: Some("suspended".into()), ..JobFilter::default() };
    let (mut done, mut slices, mut cursor) = (0, 0, None);
    loop {
        let order = (Order::Cancel, cursor.as_deref());
        let ordered = world.engine.order_some(&world.caller(), &suspended, order.0, order.1).expect("a slice");
        assert_eq!(ordered.refused, 0);
        (done, slices) = (done + ordered.done, slices + 1);
        cursor = ordered.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((done, slices), (all, 3));
    assert!(world.states().iter().all(|(state, _)| *state == "canceled"));
    let again = world.engine.order_some(&world.caller(), &JobFilter::default(), Order::Pause, None).expect("a slice");
    assert_eq!((again.done, again.refused), (0, 200), "what has ended is left as it is");
}

/// Writes a row of a version to come over the job's progress: what it had got so far cannot be read.
fn damage(world: &World, id: model::JobId) {
    let key = Tuple::of(Family::Job).job(id).key();
    let snapshot = world.store.snapshot().expect("a snapshot");
    let row = snapshot.get(&key).expect("read").expect("it is there");
    let mut row = row.to_vec();
    // Field 4, the state, gets a kind that this version does not know.
    let place = row.windows(3).position(|bytes| bytes == [0x04, 0x82, 0x03]).expect("it is postponed");
    row[place + 2] = 0x17;
    let mut batch = store::Batch::new(snapshot.seq());
    batch.put(key, &row[..]);
    world.store.commit(batch).expect("written");
}
