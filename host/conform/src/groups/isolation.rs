//! ISO: one call sees nothing of another.

use super::{counted, shortened};
use crate::{
    bench::{Bench, Setting},
    case::Verdict,
};

/// How often two tenants take turns, over all calls.
const TURNS: usize = 1_000;

/// ISO-1
pub fn tenants_see_nothing_of_each_other(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let calls = bench.good_calls();
    let mut sentences = Vec::new();
    let turns = TURNS.div_ceil(calls.len().max(1));
    for call in &calls {
        let run = |tenant| {
            let trial = bench.make(call, Setting { tenant, ..Setting::default() });
            (trial.result, trial.memory.journal)
        };
        let first = [run(0), run(1)];
        let leak = (0..turns).find(|turn| run((turn % 2) as u8) != first[turn % 2]);
        sentences
            .extend(leak.map(|turn| format!("{}: turn {} differs from the first of its tenant", call.title, turn + 1)));
    }
    Verdict::of(shortened(sentences), format!("{}, {TURNS} turns in all", counted(calls.len(), "call")))
}
