//! `retry` and `on-error`: what happens when a step fails.

use model::{
    ValueType,
    process::workflow::{OnError, Retry},
};

use super::steps::Steps;
use crate::{
    duration,
    fields::{Fields, Keys},
    scope::{Root, Scope},
    tree::Kind,
};

const RETRY: Keys = Keys { what: "`retry`", known: &["attempts", "first", "factor", "longest"], later: &[] };
const ERROR: [(&str, ValueType); 3] =
    [("code", ValueType::Text), ("message", ValueType::Text), ("step", ValueType::Text)];

/// The figures of `retry`; nothing where the kind of error decides alone.
pub(super) fn retry(steps: &Steps<'_>, fields: &Fields<'_>) -> Option<Retry> {
    let node = fields.get("retry")?;
    let usual = Retry::default();
    if steps.own.is_real_time() {
        let message = "`retry` is for the background only: who waits for a real-time run is told at once";
        fields.report.error(fields.place_of("retry"), message);
        return None;
    }
    if node.as_text() == Some("none") {
        return Some(Retry { attempts: 1, ..usual });
    }
    let parts = Fields::open(fields.report, node, fields.place_of("retry"), &RETRY)?;
    let attempts = parts.whole("attempts", 1, 100).and_then(|tries| u32::try_from(tries).ok());
    Some(Retry {
        attempts: attempts.unwrap_or(usual.attempts),
        first: pause(&parts, "first").unwrap_or(usual.first),
        factor: factor(&parts).unwrap_or(usual.factor),
        longest: pause(&parts, "longest").unwrap_or(usual.longest),
    })
}

fn pause(parts: &Fields<'_>, key: &str) -> Option<i64> {
    let text = parts.text(key)?;
    let exact = match duration::parse(&text) {
        Ok(span) => duration::exact(span).ok_or_else(|| format!("`{key}` is in seconds to weeks, not in months")),
        Err(problem) => Err(problem.to_string()),
    };
    exact.map_err(|message| parts.report.error(parts.value_place(key), message)).ok()
}

fn factor(parts: &Fields<'_>) -> Option<f64> {
    let node = parts.get("factor")?;
    let factor = match &node.kind {
        Kind::Number(text) => text.parse::<f64>().ok().filter(|factor| (1.0..=10.0).contains(factor)),
        _ => None,
    };
    if factor.is_none() {
        parts.report.error(node.place, format!("`factor` is a number from 1 to 10, not {}", node.in_words()));
    }
    factor
}

/// What happens when the step fails for good. Steps under it may read `error` and what was known before the step.
pub(super) fn on_error(steps: &mut Steps<'_>, fields: &Fields<'_>, here: &str, scope: &Scope<'_>) -> OnError {
    let Some(node) = fields.get("on-error") else { return OnError::ByKind };
    let Kind::List(nodes) = &node.kind else {
        let words = [("suspend", 1), ("fail", 2), ("continue", 3)];
        return match fields.word("on-error", &words) {
            Some(1) if steps.own.is_real_time() => {
                let hint = Some("`fail` refuses the operation, `continue` and steps go on".to_owned());
                let message =
                    "`suspend` is for the background only: nobody can wait for a person in the middle of a change";
                fields.report.error_with(node.place, message, hint);
                OnError::ByKind
            }
            Some(1) => OnError::Suspend,
            Some(2) => OnError::Fail,
            Some(_) => OnError::Continue,
            None => OnError::ByKind,
        };
    };
    if nodes.is_empty() {
        fields.report.error(node.place, "`on-error` has at least one step; `continue` goes on without any");
    }
    let mut scope = scope.clone();
    scope.add("error", Root::Given(&ERROR));
    steps.branches += 1;
    let list = steps.list(nodes, &format!("{here}/on-error"), &mut scope, false);
    steps.branches -= 1;
    OnError::Steps(list.steps)
}
