//! `mode` and the keys that belong to one mode: to turn a workflow from background to real-time, or back, is to edit these,
//! and what the other mode cannot do is said where it stands (processes 2).

use model::process::workflow::{Mode, RunAs};

use crate::fields::Fields;

const RUN_AS: [(&str, RunAs); 2] = [("owner", RunAs::Owner), ("caller", RunAs::Caller)];
/// The ranks: far more than anybody has workflows at one event.
const RANKS: std::ops::RangeInclusive<i64> = -1_000_000..=1_000_000;

/// The mode; nothing where it cannot be told.
pub(super) fn read(fields: &Fields<'_>) -> Option<Mode> {
    fields.need("mode")?;
    match fields.word("mode", &[("background", false), ("real-time", true)])? {
        false => background(fields),
        true => real_time(fields),
    }
}

fn background(fields: &Fields<'_>) -> Option<Mode> {
    let only_real_time = |key: &str, hint: &str| {
        if fields.entry(key).is_some() {
            let message = format!("`{key}` is for real-time workflows only");
            fields.report.error_with(fields.place_of(key), message, Some(hint.to_owned()));
        }
    };
    only_real_time("run-as", "in the background a run acts as its owner, on demand as the caller");
    only_real_time("rank", "jobs run in no order, but for `in-order-by`");
    Some(Mode::Background)
}

fn real_time(fields: &Fields<'_>) -> Option<Mode> {
    if fields.get("in-order-by").is_some() {
        let message = "`in-order-by` is for background workflows: what runs at once is in order already";
        fields.report.error(fields.place_of("in-order-by"), message);
    }
    if fields.get("run-as").is_none() {
        let hint = Some("`caller` acts as whoever changes the record, `owner` as who owns the workflow".to_owned());
        fields.report.error_with(fields.place_of("mode"), "a real-time workflow needs `run-as`", hint);
    }
    let rank = fields.whole("rank", *RANKS.start(), *RANKS.end()).and_then(|rank| i32::try_from(rank).ok());
    if rank == Some(1) {
        fields.is_default("rank");
    }
    // Without it there is an error already, and the mode is known all the same.
    let run_as = fields.word("run-as", &RUN_AS).unwrap_or(RunAs::Caller);
    Some(Mode::RealTime { run_as, rank: rank.unwrap_or(1) })
}
