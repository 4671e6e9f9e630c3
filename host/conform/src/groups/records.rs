//! REC: all of what a step does to records, or nothing; once, however often it is tried.

use std::collections::BTreeMap;

use model::{Record, RecordRef, step::GuestErrorKind};

use super::{counted, error, fault, is_told, shortened};
use crate::{
    bench::{Bench, Setting},
    case::Verdict,
    memory::{Done, Fault},
};

/// How often an idempotent step is tried.
const TRIES: u32 = 10;

/// REC-1
pub fn a_broken_call_leaves_nothing(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let (mut sentences, mut tried) = (Vec::new(), 0);
    for call in bench.good_calls() {
        let whole = bench.make(&call, Setting::default()).memory;
        for number in 0..whole.journal.len() {
            tried += 1;
            let trial = bench.make(&call, Setting { fault: Some((number, Fault::Abort)), ..Setting::default() });
            if trial.result.is_ok() {
                sentences.push(format!("{}: it ended well although its unit of work was broken off", call.title));
            }
            if !trial.sent.is_empty() && whole.done.iter().any(|done| matches!(done, Done::Created | Done::Changed)) {
                sentences.push(format!(
                    "{}: it sends a request and changes records in one call; what was sent stays when the rest fails",
                    call.title
                ));
                break;
            }
            // A refused verb that is swallowed would leave half of the work.
            let trial = bench.make(&call, Setting { fault: Some((number, Fault::Limit)), ..Setting::default() });
            let writes = trial.memory.done.iter().filter(|done| matches!(done, Done::Created | Done::Changed)).count();
            let all = whole.done.iter().filter(|done| matches!(done, Done::Created | Done::Changed)).count();
            let kept = trial.result.is_ok() && trial.memory.met && writes > 0 && writes < all;
            if kept && trial.memory.log.is_empty() {
                sentences.push(format!(
                    "{}: verb {} was refused, and it ended well with {writes} of {all} changes and without a word in the log",
                    call.title,
                    number + 1
                ));
            }
        }
    }
    match tried {
        0 => Verdict::Skipped("none of its calls uses a verb".into()),
        tried => Verdict::of(shortened(sentences), counted(tried, "point")),
    }
}

/// REC-2
pub fn again_with_the_same_key_is_once(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let mut calls = bench.good_calls();
    calls.retain(|call| call.step.claims.idempotent);
    if calls.is_empty() {
        return Verdict::Skipped("no step says `idempotent`".into());
    }
    let mut sentences = Vec::new();
    for call in &calls {
        let mut records = bench.records(call);
        let mut after_first: Option<BTreeMap<RecordRef, Record>> = None;
        for attempt in 0..TRIES {
            let trial = bench.make_on(call, Setting { attempt, ..Setting::default() }, records.clone());
            if trial.result.is_ok() {
                records = trial.memory.records;
            }
            let key = format!("conformance/{}/0", call.step.name);
            let naked = trial.sent.iter().find(|request| {
                !["GET", "HEAD", "OPTIONS"].contains(&request.method.as_str())
                    && !request.headers.iter().any(|(_, value)| value.contains(&key))
                    && !request.url.contains(&key)
                    && !String::from_utf8_lossy(&request.body).contains(&key)
            });
            if let Some(request) = naked {
                let what = format!("{} {}", request.method, request.url);
                sentences.push(format!("{}: `{what}` does not carry the idempotency key", call.title));
                break;
            }
            match &after_first {
                None => after_first = Some(plain(&records)),
                Some(first) if *first != plain(&records) => {
                    sentences.push(format!("{}: try {} changes records once more", call.title, attempt + 1));
                    break;
                }
                Some(_) => {}
            }
        }
    }
    Verdict::of(shortened(sentences), format!("{} {TRIES} times each", counted(calls.len(), "call")))
}

/// Records without their versions: writing the same once more is no change.
fn plain(records: &BTreeMap<RecordRef, Record>) -> BTreeMap<RecordRef, Record> {
    let same = |(target, record): (&RecordRef, &Record)| {
        (*target, Record { version: model::Version::FIRST, ..record.clone() })
    };
    records.iter().map(same).collect()
}

/// REC-3
pub fn what_others_changed_is_a_conflict(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let (mut sentences, mut tried) = (Vec::new(), 0);
    for call in bench.good_calls() {
        let asked = bench.make(&call, Setting::default()).memory.journal.len();
        for number in 1..asked {
            let setting = Setting { fault: Some((number, Fault::ChangedMeanwhile)), ..Setting::default() };
            let trial = bench.make(&call, setting);
            tried += 1;
            let wrong = match (fault(&trial.result), error(&trial.result)) {
                (Some((_, text)), _) => Some(text),
                (_, Some(error)) if !is_told(&call, error, &[GuestErrorKind::Conflict]) => {
                    Some(format!("it failed with {}, not with conflict", error.kind.code()))
                }
                _ => None,
            };
            sentences.extend(
                wrong.map(|wrong| {
                    format!("{}, what it read was changed before call {}: {wrong}", call.title, number + 1)
                }),
            );
        }
    }
    match tried {
        0 => Verdict::Skipped("none of its calls uses two verbs".into()),
        tried => Verdict::of(shortened(sentences), counted(tried, "moment")),
    }
}

/// REC-4
pub fn a_taken_key_is_no_success(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let (mut sentences, mut tried) = (Vec::new(), 0);
    for call in bench.good_calls() {
        let asked = bench.make(&call, Setting::default()).memory.journal;
        for (number, _) in asked.iter().enumerate().filter(|(_, line)| line.starts_with("create ")) {
            tried += 1;
            let trial = bench.make(&call, Setting { fault: Some((number, Fault::Duplicate)), ..Setting::default() });
            let later = trial.memory.journal.len() > number + 1;
            let kinds = [GuestErrorKind::Conflict, GuestErrorKind::RuleViolated];
            let wrong = match (fault(&trial.result), error(&trial.result)) {
                (Some((_, text)), _) => Some(text),
                (_, Some(error)) if !is_told(&call, error, &kinds) => {
                    Some(format!("it failed with {}, not with conflict or rule-violated", error.kind.code()))
                }
                // Who finds the other record and goes on with it has done something about it.
                (_, None) if !later => Some("it ended well, as if there were no other record".into()),
                _ => None,
            };
            sentences.extend(wrong.map(|wrong| format!("{}, key taken at call {}: {wrong}", call.title, number + 1)));
        }
    }
    match tried {
        0 => Verdict::Skipped("none of its calls makes a record".into()),
        tried => Verdict::of(shortened(sentences), counted(tried, "record")),
    }
}
