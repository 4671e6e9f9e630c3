//! TYPE: inputs and outputs are what the manifest says, and nothing that is handed in makes a step fall.

use model::{
    Date, Decimal, Field, RecordId, RecordRef, Timestamp, Value, ValueType,
    starter::SYSTEM_USER,
    step::{GuestErrorKind, HostFault},
    value::Money,
};
use uuid::Uuid;

use super::{counted, error, fault, shortened};
use crate::{
    bench::{Bench, Setting, same, shown},
    calls::{Call, Expects},
    case::Verdict,
};

/// TYPE-1
pub fn examples_work(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let (mut sentences, mut made_up) = (Vec::new(), 0);
    let calls = bench.good_calls();
    for call in &calls {
        let result = bench.make(call, Setting::default()).result;
        match (&call.expects, &result) {
            (Expects::Unknown, _) => {
                made_up += 1;
                sentences.extend(fault(&result).map(|(_, text)| format!("{}: {text}", call.title)));
            }
            (_, Err(failure)) => sentences.push(format!("{}: {failure}", call.title)),
            (Expects::Outputs(Some(told)), Ok(given)) if !same(given, told) => {
                sentences.push(format!(
                    "{}: it gave {}, and its manifest tells {}",
                    call.title,
                    shown(given),
                    shown(told)
                ));
            }
            _ => {}
        }
    }
    let tried = match made_up {
        0 => counted(calls.len(), "example"),
        made_up => format!(
            "{}, of which {made_up} made up, because their steps have no `examples`",
            counted(calls.len(), "call")
        ),
    };
    Verdict::of(shortened(sentences), tried)
}

/// What is not asked of a script: its host looks at its inputs before it runs.
fn by_the_host(bench: &Bench) -> Option<Verdict> {
    bench.manifest().err().or_else(|| {
        let why = "the host compares a script's inputs with its heading before it runs";
        bench.subject.is_script().then(|| Verdict::Skipped(why.into()))
    })
}

/// TYPE-2
pub fn what_is_required_is_missed(bench: &Bench) -> Verdict {
    if let Some(skipped) = by_the_host(bench) {
        return skipped;
    }
    let (mut sentences, mut tried) = (Vec::new(), 0);
    for call in bench.good_calls() {
        for input in call.step.inputs.iter().filter(|input| input.required && input.default.is_null()) {
            tried += 1;
            let name = input.name.as_str();
            let inputs = call.inputs.iter().filter(|field| field.name != name).cloned().collect();
            let told = invalid(bench, &Call { inputs, ..call.clone() }, name, true);
            sentences.extend(told.map(|what| format!("{} without `{name}`: {what}", call.title)));
        }
    }
    match tried {
        0 => Verdict::Skipped("no step has an input that is required".into()),
        tried => Verdict::of(shortened(sentences), counted(tried, "call")),
    }
}

/// TYPE-3
pub fn wrong_types_are_refused(bench: &Bench) -> Verdict {
    if let Some(skipped) = by_the_host(bench) {
        return skipped;
    }
    let (mut sentences, mut tried) = (Vec::new(), 0);
    for call in first_of_each_step(bench) {
        for input in &call.step.inputs {
            for value in wrong_for(input.kind.value_type) {
                tried += 1;
                let name = input.name.as_str();
                let kind = value.value_type();
                let told = invalid(bench, &with(&call, name, value), name, false);
                let given = kind.map_or_else(String::new, |kind| format!(" as {kind}"));
                sentences.extend(told.map(|what| format!("{} with `{name}`{given}: {what}", call.title)));
            }
        }
    }
    match tried {
        0 => Verdict::Skipped("no step has an input".into()),
        tried => Verdict::of(shortened(sentences), counted(tried, "call")),
    }
}

/// TYPE-4
pub fn extremes_do_not_trap(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let (mut sentences, mut tried) = (Vec::new(), 0);
    for call in first_of_each_step(bench) {
        for input in &call.step.inputs {
            for value in extremes(input.kind.value_type, input.kind.max_length) {
                tried += 1;
                let name = input.name.as_str();
                let shown = format!("{value:?}").chars().take(60).collect::<String>();
                let result = bench.make(&with(&call, name, value), Setting::default()).result;
                let found = fault(&result).filter(|(found, _)| *found != HostFault::HostLimit);
                sentences.extend(found.map(|(_, text)| format!("{} with `{name}` as {shown}: {text}", call.title)));
            }
        }
    }
    match tried {
        0 => Verdict::Skipped("no step has an input".into()),
        tried => Verdict::of(shortened(sentences), counted(tried, "call")),
    }
}

/// TYPE-5
pub fn more_inputs_than_declared(bench: &Bench) -> Verdict {
    if let Some(skipped) = by_the_host(bench) {
        return skipped;
    }
    let mut sentences = Vec::new();
    let calls = first_of_each_step(bench);
    for call in &calls {
        let plain = bench.make(call, Setting::default()).result;
        let more = with(call, "zz_of_conformance", Value::text("more"));
        let result = bench.make(&more, Setting::default()).result;
        let is_refused = error(&result).is_some_and(|error| error.kind == GuestErrorKind::InvalidInput);
        match call.step.claims.strict {
            true if !is_refused => {
                sentences.push(format!("{}: it says `strict` and takes an input that it does not declare", call.title));
            }
            false if result != plain => {
                let why = fault(&result).map_or_else(String::new, |(_, text)| format!(": {text}"));
                sentences.push(format!("{}: an input that it does not declare changes what it does{why}", call.title));
            }
            _ => {}
        }
    }
    Verdict::of(shortened(sentences), counted(calls.len(), "call"))
}

/// TYPE-6
pub fn outputs_are_those_declared(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let calls = bench.calls();
    let mut sentences = Vec::new();
    for call in &calls {
        let result = bench.make(call, Setting::default()).result;
        let found = fault(&result).filter(|(found, _)| *found == HostFault::OutputInvalid);
        sentences.extend(found.map(|(_, text)| format!("{}: {text}", call.title)));
        // Nobody but the engine looks at what a script gives.
        if let (true, Ok(outputs)) = (bench.subject.is_script(), &result) {
            let declared = |field: &&Field| call.step.outputs.iter().any(|output| field.name == output.name.as_str());
            let strange = outputs.iter().filter(|field| !declared(field));
            sentences.extend(
                strange.map(|field| {
                    format!("{}: it gave `{}`, which its heading does not declare", call.title, field.name)
                }),
            );
        }
    }
    Verdict::of(shortened(sentences), counted(calls.len(), "call"))
}

/// One call that works of each step.
fn first_of_each_step(bench: &Bench) -> Vec<Call<'_>> {
    let mut calls = bench.good_calls();
    calls.dedup_by(|later, earlier| later.step.name == earlier.step.name);
    calls
}

/// The call with another value of one input.
fn with<'a>(call: &Call<'a>, name: &str, value: Value) -> Call<'a> {
    let mut inputs = call.inputs.clone();
    inputs.retain(|field| field.name != name);
    inputs.push(Field { name: name.into(), value });
    Call { inputs, ..call.clone() }
}

/// Why the call was not refused as it should be: `invalid-input`, by the input's name.
fn invalid(bench: &Bench, call: &Call<'_>, name: &str, named: bool) -> Option<String> {
    let result = bench.make(call, Setting::default()).result;
    if let Some((_, text)) = fault(&result) {
        return Some(text);
    }
    let Some(error) = error(&result) else { return Some("it was taken".into()) };
    let names = error.message.contains(name) || error.details.iter().any(|detail| detail.name == name);
    match error.kind {
        GuestErrorKind::InvalidInput if named && !names => Some(format!("`{}` does not name the input", error.message)),
        GuestErrorKind::InvalidInput => None,
        kind => Some(format!("it failed with {}, not with invalid-input: {}", kind.code(), error.message)),
    }
}

/// A value of every type that does not stand for one of this type.
fn wrong_for(wanted: ValueType) -> Vec<Value> {
    let date = Date::parse("2026-01-15").map_or(Value::Null, Value::Date);
    let moment = Timestamp::parse("2026-01-15T09:30:00Z").map_or(Value::Null, Value::DateTime);
    let all = [
        Value::Boolean(true),
        Value::Whole(7),
        Value::Decimal(Decimal::new(75, 1)),
        Value::Money(Money::new(Decimal::from(7))),
        Value::Float(0.5),
        Value::text("wrong"),
        date,
        moment,
        Value::Guid(Uuid::from_u128(7)),
        Value::Choice(1),
        Value::Choices([1].into()),
        Value::Reference(RecordRef::new(SYSTEM_USER, RecordId(Uuid::from_u128(0x10)))),
        Value::Bytes([1].into()),
    ];
    let kin = |kind: ValueType| match kind {
        ValueType::Whole | ValueType::Decimal | ValueType::Money | ValueType::Float | ValueType::Choice => 1,
        ValueType::Date | ValueType::DateTime => 2,
        ValueType::Choices => 3,
        ValueType::Boolean => 4,
        ValueType::Text => 5,
        ValueType::Guid | ValueType::Reference => 6,
        ValueType::References => 10,
        ValueType::Duration => 7,
        ValueType::Bytes => 8,
        ValueType::Document => 9,
    };
    // Values of one kin may stand for each other: a whole number for a decimal, a day for its midnight.
    all.into_iter().filter(|value| value.value_type().is_some_and(|kind| kin(kind) != kin(wanted))).collect()
}

/// The far ends of a type, and emptiness.
fn extremes(kind: ValueType, max_length: Option<u32>) -> Vec<Value> {
    let mut values = vec![Value::Null];
    match kind {
        ValueType::Whole => values.extend([i64::MIN, -1, 0, i64::MAX].map(Value::Whole)),
        ValueType::Decimal => {
            values.extend([Decimal::MIN, Decimal::ZERO, Decimal::MAX, Decimal::new(1, 28)].map(Value::Decimal));
        }
        ValueType::Money => {
            let far = Decimal::new(9_223_372_036_854_775_807, 4);
            values.extend([-far, Decimal::ZERO, far].map(|amount| Value::Money(Money::new(amount))));
        }
        ValueType::Float => values.extend([f64::MIN, -0.0, f64::MIN_POSITIVE, f64::MAX].map(Value::Float)),
        ValueType::Text => {
            let longest = max_length.unwrap_or(100_000).min(100_000) as usize;
            values.extend(
                [String::new(), " ".into(), "\0\u{202e}\u{1f469}\u{200d}\u{1f680}".into(), "x".repeat(longest)]
                    .map(Value::text),
            );
        }
        ValueType::Date => {
            values.extend(
                ["0001-01-01", "1970-01-01", "2000-02-29", "9999-12-31"]
                    .iter()
                    .filter_map(|text| Date::parse(text).map(Value::Date)),
            );
        }
        ValueType::DateTime => values.extend(
            ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-30T22:00:00Z"]
                .iter()
                .filter_map(|text| Timestamp::parse(text).map(Value::DateTime)),
        ),
        ValueType::Choice => values.extend([i32::MIN, 0, i32::MAX].map(Value::Choice)),
        ValueType::Choices => values.extend([Value::Choices([].into()), Value::Choices([i32::MIN, i32::MAX].into())]),
        ValueType::Guid => values.extend([0, u128::MAX].map(|bits| Value::Guid(Uuid::from_u128(bits)))),
        ValueType::Reference => {
            values.push(Value::Reference(RecordRef::new(SYSTEM_USER, RecordId(Uuid::from_u128(u128::MAX)))));
        }
        ValueType::Bytes => values.extend([Value::Bytes([].into()), Value::Bytes(vec![0xff; 100_000].into())]),
        ValueType::References => values.push(Value::References([].into())),
        ValueType::Boolean | ValueType::Duration | ValueType::Document => {}
    }
    values
}
