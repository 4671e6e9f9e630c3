//! `limits` of a script: what it wants in place of the usual limits of a call, by the keys that plugins have for them.
//!
//! How much a script may give itself is an operator's setting; more than that is refused where it is written, or given to
//! the step by `stepwise plugin grant`.

use std::collections::BTreeMap;

use model::{
    consent::{self, LIMITS},
    grant::LimitChanges,
    step::Limits,
};
use smol_str::SmolStr;

use crate::fields::{Fields, Keys};

const KEYS: Keys = Keys {
    what: "`limits`",
    known: &["cpu-ms", "wall-ms", "memory", "input", "output", "log", "verb-calls", "http-calls"],
    later: &[],
};

/// The limits under `limits` of the step that `name` is, each at most what `most` says.
pub(super) fn read(fields: &Fields<'_>, name: Option<&str>, most: Limits) -> LimitChanges {
    let report = fields.report;
    let Some(node) = fields.get("limits") else { return LimitChanges::default() };
    let Some(limits) = Fields::open(report, node, fields.place_of("limits"), &KEYS) else {
        return LimitChanges::default();
    };
    let allowed = consent::limits_of(&most.all());
    let mut wanted: BTreeMap<SmolStr, u64> = BTreeMap::new();
    for (key, greatest) in LIMITS {
        let greatest = i64::try_from(greatest).unwrap_or(i64::MAX);
        let Some(figure) = limits.whole(key, 1, greatest).and_then(|figure| u64::try_from(figure).ok()) else {
            continue;
        };
        let allowed = allowed.get(key).copied().unwrap_or(u64::MAX);
        if figure > allowed {
            let step = name.unwrap_or("library.step");
            let library = step.split('.').next().unwrap_or(step);
            let setting = key.replace('-', "_");
            let hint = format!(
                "leave it out and let an operator give it: `stepwise plugin grant {library} limit:{step}/{key}={figure}`; for all \
                 scripts there is the setting `scripts.{setting}`"
            );
            let message = format!("`{key}` is {figure}, and a script gives itself {allowed} at most");
            report.error_with(limits.value_place(key), message, Some(hint));
        }
        wanted.insert(key.into(), figure);
    }
    consent::changes_of(&wanted)
}
