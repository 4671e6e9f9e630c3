//! Where a stage leads, and where a page of a task flow does: `branches` and `next` (formats 7 and 8).
//!
//! Ways lead further down only, so a flow always ends; what shape they make together is `graph`'s.

use std::collections::HashMap;

use model::{
    condition::Condition,
    process::flow::{Onward, StagePlace},
};
use smol_str::SmolStr;

use crate::{
    condition,
    fields::{Fields, Keys},
    nearest,
    report::Report,
    scope::Scope,
    tree::Node,
};

const BRANCH: Keys = Keys { what: "a branch", known: &["if", "next"], later: &[] };

/// Where ways can lead to.
pub(crate) struct Known<'p> {
    /// What the places are called: a stage, a page.
    pub noun: &'static str,
    /// The places by their ids.
    pub places: &'p HashMap<SmolStr, StagePlace>,
}

/// The branches of what stands at `from`, and where it leads else: to what stands below it, if it does not say.
pub(crate) fn read(
    fields: &Fields<'_>,
    known: &Known<'_>,
    from: StagePlace,
    scope: &Scope<'_>,
) -> Option<(Vec<(Condition, Onward)>, Onward)> {
    let branches: Vec<_> =
        fields.list("branches").iter().map(|node| branch(fields.report, node, known, from, scope)).collect();
    let below = match known.places.len() > from.index() + 1 {
        true => Onward::Stage(StagePlace(from.0 + 1)),
        false => Onward::End,
    };
    let next = match fields.get("next") {
        Some(_) => onward(fields, known, from)?,
        None => below,
    };
    Some((branches.into_iter().collect::<Option<_>>()?, next))
}

fn branch(
    report: &Report<'_>,
    node: &Node,
    known: &Known<'_>,
    from: StagePlace,
    scope: &Scope<'_>,
) -> Option<(Condition, Onward)> {
    let fields = Fields::open(report, node, node.place, &BRANCH)?;
    let asked = fields.need("if").and_then(|node| {
        let read = condition::read(report, node, scope)?;
        if condition::asks_clock(&read) {
            report.error(node.place, "a branch of a flow does not ask the clock: it follows what its records hold");
            return None;
        }
        Some(read)
    });
    fields.need("next")?;
    let onward = onward(&fields, known, from)?;
    Some((asked?, onward))
}

/// A later place, or `end`.
fn onward(fields: &Fields<'_>, Known { noun, places }: &Known<'_>, from: StagePlace) -> Option<Onward> {
    let text = fields.text("next")?;
    if text == "end" {
        return Some(Onward::End);
    }
    let at = fields.value_place("next");
    match places.get(text.as_str()) {
        Some(to) if *to > from => Some(Onward::Stage(*to)),
        Some(_) => {
            let hint = Some(format!("users go back by themselves; a way leads to a {noun} further below"));
            fields.report.error_with(at, format!("`{text}` does not stand behind this {noun}"), hint);
            None
        }
        None => {
            let hint = nearest::hint(&text, places.keys().map(SmolStr::as_str).chain(["end"]));
            fields.report.error_with(at, format!("there is no {noun} `{text}`"), hint);
            None
        }
    }
}
