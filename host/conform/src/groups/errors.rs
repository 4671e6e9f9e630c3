//! ERR: failures are said in the contract's words, so that the engine does the right thing next.

use model::step::GuestErrorKind;

use super::{counted, error, fault, is_told, shortened};
use crate::{
    bench::{Bench, Setting},
    calls::Expects,
    case::Verdict,
    memory::Fault,
    web::Weather,
};

/// ERR-1
pub fn declared_errors_have_examples(bench: &Bench) -> Verdict {
    let manifest = match bench.manifest() {
        Ok(manifest) => manifest,
        Err(skipped) => return skipped,
    };
    let (mut sentences, mut tried) = (Vec::new(), 0);
    for call in bench.calls() {
        let Expects::Error(code) = &call.expects else { continue };
        tried += 1;
        let result = bench.make(&call, Setting::default()).result;
        match error(&result) {
            Some(error) if error.code == code.as_str() => {}
            Some(error) => {
                sentences.push(format!("{}: it failed with `{}`, not with `{code}`", call.title, error.code))
            }
            None => {
                let how = fault(&result).map_or_else(|| "it did not fail".into(), |(_, text)| text);
                sentences.push(format!("{}: it should fail with `{code}`: {how}", call.title));
            }
        }
    }
    let codes = manifest.steps.iter().flat_map(|step| step.errors.iter().map(move |(code, _)| (step, code)));
    let mut codes = codes.peekable();
    if codes.peek().is_none() && tried == 0 {
        return Verdict::Skipped("no step declares an error".into());
    }
    // A script's heading has no examples yet.
    if !bench.subject.is_script() {
        let shown = |step: &model::package::StepDefinition, code: &str| {
            step.claims.examples.iter().any(|example| example.error.as_deref() == Some(code))
        };
        let silent = codes.filter(|(step, code)| !shown(step, code));
        sentences
            .extend(silent.map(|(step, code)| format!("`{}` declares `{code}`, and no example shows it", step.name)));
    } else if tried == 0 {
        return Verdict::Skipped("a script's heading has no examples of its errors".into());
    }
    Verdict::of(shortened(sentences), counted(tried, "example"))
}

/// What the verbs can refuse, and the kinds that a step may make of it.
const REFUSALS: [(Fault, &[GuestErrorKind]); 4] = [
    (Fault::NotFound, &[GuestErrorKind::NotFound]),
    (Fault::VersionMismatch, &[GuestErrorKind::Conflict]),
    (Fault::Denied, &[GuestErrorKind::Denied, GuestErrorKind::RuleViolated]),
    (Fault::Limit, &[GuestErrorKind::Permanent]),
];

/// ERR-2
pub fn refusals_are_passed_on(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let (mut sentences, mut tried) = (Vec::new(), 0);
    for call in bench.good_calls() {
        let asked = bench.make(&call, Setting::default()).memory.journal;
        for (number, line) in asked.iter().enumerate() {
            for (refusal, kinds) in REFUSALS {
                let trial = bench.make(&call, Setting { fault: Some((number, refusal)), ..Setting::default() });
                if !trial.memory.met {
                    continue;
                }
                tried += 1;
                let wrong = match (fault(&trial.result), error(&trial.result)) {
                    (Some((_, text)), _) => Some(text),
                    (_, Some(error)) if !is_told(&call, error, kinds) => {
                        Some(format!("it failed with {} ({})", error.kind.code(), error.code))
                    }
                    _ => None,
                };
                let what = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
                sentences
                    .extend(wrong.map(|wrong| format!("{}, `{what}` refused as {refusal:?}: {wrong}", call.title)));
            }
        }
    }
    match tried {
        0 => Verdict::Skipped("none of its calls uses a verb".into()),
        tried => Verdict::of(shortened(sentences), counted(tried, "refusal")),
    }
}

/// What the outside can say, and the kinds that a step may make of it.
const ANSWERS: [(Weather, &[GuestErrorKind]); 5] = [
    (Weather::Status(429), &[GuestErrorKind::Throttled, GuestErrorKind::Transient]),
    (Weather::Status(503), &[GuestErrorKind::Transient, GuestErrorKind::Throttled]),
    (Weather::TimedOut, &[GuestErrorKind::Transient]),
    (Weather::Status(400), LASTING),
    (Weather::Status(404), LASTING),
];

const LASTING: &[GuestErrorKind] =
    &[GuestErrorKind::Permanent, GuestErrorKind::InvalidInput, GuestErrorKind::NotFound, GuestErrorKind::RuleViolated];

/// ERR-3
pub fn what_the_outside_says_is_passed_on(bench: &Bench) -> Verdict {
    let manifest = match bench.manifest() {
        Ok(manifest) => manifest,
        Err(skipped) => return skipped,
    };
    if !manifest.steps.iter().any(|step| step.external) {
        return Verdict::Skipped("no step is external".into());
    }
    let (mut sentences, mut tried) = (Vec::new(), 0);
    for call in bench.good_calls() {
        if bench.make(&call, Setting::default()).sent.is_empty() {
            continue;
        }
        for (weather, kinds) in ANSWERS {
            tried += 1;
            let result = bench.make(&call, Setting { weather, ..Setting::default() }).result;
            let wrong = match (fault(&result), error(&result)) {
                (Some((_, text)), _) => Some(text),
                (_, Some(error)) if !kinds.contains(&error.kind) => {
                    Some(format!("it failed with {} ({})", error.kind.code(), error.code))
                }
                (_, None) if weather == Weather::TimedOut => Some("it took no answer for one".into()),
                _ => None,
            };
            sentences.extend(wrong.map(|wrong| format!("{}, answered with {weather:?}: {wrong}", call.title)));
        }
    }
    match tried {
        0 => Verdict::Skipped("none of its calls sends a request".into()),
        tried => Verdict::of(shortened(sentences), counted(tried, "answer")),
    }
}
