//! Random values, records and jobs.

use std::sync::Arc;

use model::{
    ActivationId, AttributeId, CorrelationId, Date, Decimal, EntityId, Field, JobId, Message, Money, ProcessId, Record,
    RecordId, RecordRef, Span, StepId, Timestamp, Value, Values, Version,
    job::{Cause, Job, JobState, LogEvent, LogLine, Progress, Reached, StepResult, Watch},
    step::LogLevel,
};
use proptest::{collection::vec, option, prelude::*};
use smol_str::SmolStr;
use uuid::Uuid;

pub fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

pub fn record_ref() -> impl Strategy<Value = RecordRef> {
    (any::<u32>(), uuid()).prop_map(|(entity, id)| RecordRef::new(EntityId(entity), RecordId(id)))
}

pub fn decimal() -> impl Strategy<Value = Decimal> {
    let digits = prop_oneof![-1_000..1_000i128, any::<i64>().prop_map(i128::from), any::<i128>().prop_map(|n| n >> 32)];
    (digits, 0..=28u32).prop_map(|(digits, scale)| Decimal::from_i128_with_scale(digits, scale))
}

pub fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_filter_map("a moment of the calendar", |micros| Timestamp::from_micros(micros >> 6))
}

pub fn text() -> impl Strategy<Value = SmolStr> {
    prop_oneof!["[a-cA-C\u{0}\u{1} ]{0,6}", "\\PC{0,40}", "[äÄßσΣς\u{0}-\u{2}]{0,5}"].prop_map(SmolStr::from)
}

pub fn value() -> impl Strategy<Value = Value> {
    let bytes = || vec(any::<u8>(), 0..20).prop_map(Arc::<[u8]>::from);
    let numbers = prop_oneof![
        any::<i64>().prop_map(Value::Whole),
        decimal().prop_map(Value::Decimal),
        decimal().prop_map(|amount| Value::Money(Money::new(amount))),
        any::<f64>().prop_filter("a number", |number| number.is_finite()).prop_map(Value::Float),
        any::<i32>().prop_map(Value::Choice),
        vec(any::<i32>(), 0..5).prop_map(|options| Value::Choices(options.into())),
    ];
    let times = prop_oneof![
        (-3_000_000..2_900_000i32).prop_filter_map("a day", Date::from_days).prop_map(Value::Date),
        time().prop_map(Value::DateTime),
        (any::<i32>(), any::<i32>(), any::<i64>()).prop_map(|(months, days, micros)| Value::Duration(Span {
            months,
            days,
            micros
        })),
    ];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        numbers,
        times,
        text().prop_map(Value::Text),
        uuid().prop_map(Value::Guid),
        record_ref().prop_map(Value::Reference),
        vec(record_ref(), 0..4).prop_map(|records| Value::References(records.into())),
        bytes().prop_map(Value::Bytes),
        bytes().prop_map(Value::Document),
    ]
}

pub fn values() -> impl Strategy<Value = Values> {
    vec((any::<u16>().prop_map(AttributeId), value()), 0..8).prop_map(Values::from_iter)
}

pub fn record() -> impl Strategy<Value = Record> {
    (record_ref(), any::<u64>(), values()).prop_map(|(record, version, values)| Record {
        entity: record.entity,
        id: record.id,
        version: Version(version),
        values,
    })
}

fn step() -> impl Strategy<Value = StepId> {
    prop_oneof!["[a-d]{1,5}", "steps/[0-9]{1,2}"].prop_filter_map("a step", |name| StepId::parse(&name).ok())
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    vec((text(), value()).prop_map(|(name, value)| Field { name, value }), 0..4)
}

fn message() -> impl Strategy<Value = Message> {
    proptest::sample::select(Message::ALL.to_vec())
}

fn state() -> impl Strategy<Value = JobState> {
    let reason = || "[a-z]{1,9}".prop_map(SmolStr::from);
    prop_oneof![
        Just(JobState::Ready),
        Just(JobState::Paused),
        reason().prop_map(JobState::Suspended),
        time().prop_map(JobState::Postponed),
        (option::of(time()), vec((record_ref(), any::<u16>().prop_map(AttributeId)), 0..3))
            .prop_map(|(until, on)| JobState::Waiting(Watch { until, on })),
        option::of(reason()).prop_map(JobState::Succeeded),
        reason().prop_map(JobState::Failed),
        reason().prop_map(JobState::Canceled),
    ]
}

fn progress() -> impl Strategy<Value = Progress> {
    let result = prop_oneof![record_ref().prop_map(StepResult::Record), fields().prop_map(StepResult::Fields)];
    let wait = (time(), vec(time(), 0..3), option::of(time()));
    let wait = wait.prop_map(|(since, terms, until)| Reached { since, terms, until });
    let turns = (any::<[u32; 4]>(), vec(uuid().prop_map(model::RecordId), 0..4));
    let turns = turns.prop_map(|([at, begun, visited, entity], left)| {
        let entity = model::EntityId(entity);
        model::job::Turns { at, begun, visited, entity, left }
    });
    let child =
        (uuid().prop_map(JobId), option::of(fields())).prop_map(|(job, ended)| model::job::Awaited { job, ended });
    let standing = (option::of(wait), any::<bool>(), vec(turns, 0..3), option::of(child));
    (any::<u32>(), vec((any::<u16>(), value()), 0..4), vec((step(), result), 0..4), standing).prop_map(
        |(cursor, slots, results, (wait, deleted_own, loops, child))| Progress {
            cursor,
            slots,
            results,
            wait,
            deleted_own,
            loops,
            child,
        },
    )
}

fn cause() -> impl Strategy<Value = Cause> {
    let images = (values(), values(), values());
    let who = (record_ref(), (record_ref(), option::of(record_ref())), uuid(), any::<u16>(), option::of(uuid()));
    (message(), vec(any::<u16>().prop_map(AttributeId), 0..4), images, who).prop_map(
        |(
            message,
            attributes,
            (change, before, after),
            (initiating_user, (caller, delegate), chain, depth, parent),
        )| Cause {
            message,
            attributes,
            change,
            before,
            after,
            initiating_user,
            caller,
            delegate,
            correlation: CorrelationId(chain),
            depth,
            parent: parent.map(JobId),
            awaited: depth % 2 == 1,
        },
    )
}

pub fn job() -> impl Strategy<Value = Job> {
    let what = (uuid(), any::<u32>(), any::<u32>(), option::of(record_ref()), record_ref());
    let how = (cause(), state(), progress());
    let when =
        (time(), option::of(time()), option::of(time()), any::<u32>(), any::<u64>(), option::of(text()), any::<bool>());
    (what, how, when).prop_map(|(what, how, when)| Job {
        id: JobId(what.0),
        activation: ActivationId { process: ProcessId(what.1), version: what.2 },
        record: what.3,
        user: what.4,
        cause: how.0,
        state: how.1,
        progress: how.2,
        created_on: when.0,
        started_on: when.1,
        completed_on: when.2,
        attempts: when.3,
        epoch: when.4,
        token: when.5,
        real_time: when.6,
    })
}

pub fn line() -> impl Strategy<Value = LogLine> {
    let level = proptest::sample::select(vec![LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error]);
    let records = prop_oneof![
        (record_ref(), values()).prop_map(|(record, change)| LogEvent::Created { record, change }),
        (record_ref(), values()).prop_map(|(record, change)| LogEvent::Updated { record, change }),
        (record_ref(), record_ref()).prop_map(|(record, owner)| LogEvent::Assigned { record, owner }),
        record_ref().prop_map(LogEvent::Deleted),
        (record_ref(), record_ref(), any::<u8>()).prop_map(|(record, principal, bits)| LogEvent::Shared {
            record,
            principal,
            rights: model::principal::Rights::from_bits(bits)
        }),
        (record_ref(), record_ref()).prop_map(|(record, principal)| LogEvent::Unshared { record, principal }),
        (record_ref(), any::<i32>(), any::<i32>()).prop_map(|(record, state, status)| LogEvent::StatusSet {
            record,
            state,
            status
        }),
    ];
    let event = prop_oneof![
        Just(LogEvent::Started),
        time().prop_map(LogEvent::Due),
        records,
        any::<u16>().prop_map(LogEvent::Branched),
        option::of(time()).prop_map(|until| LogEvent::Waits { until }),
        (fields(), any::<u64>()).prop_map(|(inputs, micros)| LogEvent::Called { inputs, micros }),
        (fields(), any::<u64>()).prop_map(|(outputs, cpu_micros)| LogEvent::Answered { outputs, cpu_micros }),
        (level, text()).prop_map(|(level, message)| LogEvent::Said { level, message }),
        (text(), option::of(time())).prop_map(|(error, again)| LogEvent::Tried { error, again }),
        (text(), option::of(text())).prop_map(|(state, reason)| LogEvent::Ended { state, reason }),
    ];
    (time(), option::of(step()), event).prop_map(|(at, step, event)| LogLine { at, step, event })
}

pub fn entry() -> impl Strategy<Value = crate::journal::Entry> {
    let origin = prop_oneof![
        Just(model::Origin::Outside),
        Just(model::Origin::System),
        any::<u32>().prop_map(|process| model::Origin::Process(ProcessId(process))),
    ];
    let caller = (record_ref(), record_ref(), option::of(record_ref()), origin, uuid(), any::<u16>()).prop_map(
        |(user, initiating_user, delegate, origin, chain, depth)| model::Caller {
            user,
            initiating_user,
            delegate,
            origin,
            correlation: CorrelationId(chain),
            depth,
        },
    );
    let changes = vec((any::<u16>().prop_map(AttributeId), value(), value()), 0..4);
    let through = option::of((any::<u32>(), option::of((text(), text()))));
    let through =
        through.prop_map(|through| through.map(|(activation, step)| model::audit::Through { activation, step }));
    (uuid(), record_ref(), time(), message(), caller, through, any::<u64>(), changes).prop_map(
        |(id, record, at, message, caller, through, version, changes)| crate::journal::Entry {
            id,
            record,
            at,
            message,
            caller,
            through,
            version: Version(version),
            changes,
        },
    )
}
