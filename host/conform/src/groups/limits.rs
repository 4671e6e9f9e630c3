//! LIM: a step stays within what it asks for, and does not grow unseen.

use model::step::HostFault;

use super::{counted, fault, shortened};
use crate::{
    bench::{Bench, Setting, limits},
    case::Verdict,
    expectations::Figures,
};

/// How much more than at the last release is growth, in percent.
const GROWTH: usize = 20;

/// LIM-8
pub fn examples_stay_within_limits(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let (mut sentences, mut told) = (Vec::new(), Vec::new());
    let calls = bench.good_calls();
    for call in &calls {
        let trial = bench.make(call, Setting::default());
        let limits = limits(call.step);
        let broken = fault(&trial.result).filter(|(found, _)| {
            matches!(
                found,
                HostFault::TimedOut | HostFault::MemoryLimit | HostFault::HostLimit | HostFault::StackOverflow
            )
        });
        sentences.extend(broken.map(|(_, text)| format!("{}: {text}", call.title)));
        told.push(format!(
            "{}: {:?} of {:?}, {} KiB of {} KiB, {} of {} verbs",
            call.title,
            trial.usage.cpu,
            limits.cpu,
            trial.usage.memory >> 10,
            limits.memory >> 10,
            trial.usage.verb_calls,
            limits.verb_calls,
        ));
        if let Some(before) = bench.figures.get(call.step.name.as_str()) {
            let now = Figures { memory: trial.usage.memory, verb_calls: trial.usage.verb_calls };
            sentences.extend(grown(before, &now).map(|what| format!("{}: {what}", call.title)));
        }
    }
    Verdict::of(shortened(sentences), format!("{}; {}", counted(calls.len(), "call"), told.join("; ")))
}

fn grown(before: &Figures, now: &Figures) -> Option<String> {
    let more = |before: usize, now: usize| now > before + before * GROWTH / 100;
    if more(before.memory, now.memory) {
        return Some(format!("it takes {} KiB of memory, and {} KiB before", now.memory >> 10, before.memory >> 10));
    }
    let (calls, before) = (now.verb_calls as usize, before.verb_calls as usize);
    more(before, calls).then(|| format!("it calls {calls} verbs, and {before} before"))
}
