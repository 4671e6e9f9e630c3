//! CAN: a step that nobody waits for any more ends soon.

use std::time::{Duration, Instant};

use super::{counted, shortened};
use crate::{
    bench::{Bench, Setting},
    case::Verdict,
};

/// How long a cancelled call may go on.
const GRACE: Duration = Duration::from_secs(2);

/// How many verbs a cancelled call may still use.
const MORE: usize = 50;

/// CAN-1
pub fn a_cancelled_call_ends_soon(bench: &Bench) -> Verdict {
    if let Err(skipped) = bench.manifest() {
        return skipped;
    }
    let (mut sentences, mut tried) = (Vec::new(), 0);
    for call in bench.good_calls() {
        let asked = bench.make(&call, Setting::default()).memory.journal.len();
        for number in 0..=asked {
            tried += 1;
            let since = Instant::now();
            let trial = bench.make(&call, Setting { cancel_from: Some(number), ..Setting::default() });
            let took = since.elapsed();
            if took > GRACE {
                sentences.push(format!("{}, cancelled at call {}: it went on for {took:?}", call.title, number + 1));
            }
            if trial.memory.calls_when_cancelled > MORE {
                let more = trial.memory.calls_when_cancelled;
                sentences.push(format!("{}, cancelled at call {}: it used {more} verbs more", call.title, number + 1));
            }
        }
    }
    Verdict::of(shortened(sentences), counted(tried, "moment"))
}
