//! DET: what a step promises to do the same way, it does the same way.

use super::{counted, shortened};
use crate::{
    bench::{Bench, Setting, Trial, shown},
    calls::Call,
    case::Verdict,
};

/// How often a call is made again.
const RUNS: usize = 10;

/// The calls of steps that promise to be deterministic; a script is, there is nothing in it that could differ.
fn promised(bench: &Bench) -> Result<Vec<Call<'_>>, Verdict> {
    bench.manifest()?;
    let mut calls = bench.good_calls();
    calls.retain(|call| call.step.claims.deterministic || bench.subject.is_script());
    if calls.is_empty() {
        return Err(Verdict::Skipped("no step says `deterministic`".into()));
    }
    Ok(calls)
}

/// Outputs and everything that was asked, in words.
fn story(trial: &Trial) -> String {
    let sent: Vec<String> = trial.sent.iter().map(|request| format!("{} {}", request.method, request.url)).collect();
    let end = match &trial.result {
        Ok(outputs) => shown(outputs),
        Err(failure) => failure.to_string(),
    };
    format!("{}\n{}\n{end}", trial.memory.journal.join("\n"), sent.join("\n"))
}

/// DET-1
pub fn again_is_the_same(bench: &Bench) -> Verdict {
    let calls = match promised(bench) {
        Ok(calls) => calls,
        Err(skipped) => return skipped,
    };
    let mut sentences = Vec::new();
    for call in &calls {
        let first = story(&bench.make(call, Setting::default()));
        let other = (1..RUNS).find(|_| story(&bench.make(call, Setting::default())) != first);
        sentences
            .extend(other.map(|run| format!("{}: run {} does something else than the first", call.title, run + 1)));
    }
    Verdict::of(shortened(sentences), format!("{} {RUNS} times each", counted(calls.len(), "call")))
}

/// DET-2
pub fn the_machine_makes_no_difference(bench: &Bench) -> Verdict {
    let calls = match promised(bench) {
        Ok(calls) => calls,
        Err(skipped) => return skipped,
    };
    let here: Vec<String> = calls.iter().map(|call| story(&bench.make(call, Setting::default()))).collect();
    // A sandbox of its own, on a thread of its own, a while later: other addresses, another processor, another time.
    let there = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let other = bench.again().map_err(|error| error.to_string())?;
            Ok(calls.iter().map(|call| story(&other.make(call, Setting::default()))).collect::<Vec<_>>())
        });
        thread.join().unwrap_or_else(|_| Err("the thread broke down".to_owned()))
    });
    let there = match there {
        Ok(there) => there,
        Err(why) => return Verdict::Failed(vec![format!("a second sandbox does not start: {why}")]),
    };
    let different = calls.iter().zip(here.iter().zip(&there)).filter(|(_, (here, there))| here != there);
    let sentences = different.map(|(call, _)| format!("{}: another sandbox makes it do something else", call.title));
    Verdict::of(shortened(sentences.collect()), format!("{} in two sandboxes", counted(calls.len(), "call")))
}

/// DET-4
pub fn the_version_before_did_the_same(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let Some(previous) = &bench.previous else {
        return Verdict::Skipped("no earlier version was given: `--previous FILE`".into());
    };
    let Some((_, before)) = &previous.callable else {
        return Verdict::Failed(vec!["the earlier version cannot be called".into()]);
    };
    let (mut sentences, mut tried) = (Vec::new(), 0);
    for call in bench.good_calls() {
        if !before.steps.iter().any(|step| step.name == call.step.name) {
            continue;
        }
        tried += 1;
        let records = bench.records(&call);
        let old = story(&bench.make_with(previous, &call, Setting::default(), records));
        if old != story(&bench.make(&call, Setting::default())) {
            sentences.push(format!("{}: version {} did something else", call.title, before.version));
        }
    }
    let now = bench.manifest().map(|manifest| manifest.version.clone()).ok();
    if !sentences.is_empty() && now.as_ref().is_some_and(|now| now.major > before.version.major) {
        let told = format!("a new major version may change what it does, and does: {}", sentences.join("; "));
        return Verdict::Passed(told);
    }
    Verdict::of(shortened(sentences), counted(tried, "call"))
}
