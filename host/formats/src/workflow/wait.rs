//! `wait`: branches that wait for a condition, a time since the wait was reached, or a moment (formats 4, processes 1.8).
//!
//! What is waited for is looked at again when something that it reads changes, so it may not ask what time it is: what
//! to watch is worked out from its paths.

use model::{
    Term, ValueType,
    expression::{Path, ValueSource},
    process::workflow::{Mode, Shift, Step, StepAction, Until, WaitBranch},
    schema::Attribute,
    starter,
};
use script::{SourceKind, source_kind};

use super::steps::{Read, Steps, Ways};
use crate::{
    condition, duration,
    fields::{Fields, Keys},
    literal::{self, Holder, in_words},
    report::Report,
    scope::{Root, Scope, Target},
    tree::{Kind, Node},
    value,
};

const BRANCH: Keys = Keys { what: "a branch of a wait", known: &["until", "for", "at", "then"], later: &[] };
const MOMENT: Keys = Keys { what: "a moment", known: &["before", "after", "of"], later: &[] };
/// What expressions find under the id of a wait.
const RESULT: [(&str, ValueType); 2] = [("branch", ValueType::Whole), ("since", ValueType::DateTime)];

/// The wait with the steps of its branches.
pub(super) fn wait<'a>(
    steps: &mut Steps<'_>,
    fields: &Fields<'_>,
    here: &str,
    scope: &mut Scope<'a>,
    id: Option<&str>,
) -> Option<Read<'a>> {
    let report = steps.report;
    check_mode(steps, fields);
    let nodes = fields.list("wait");
    if nodes.is_empty() && matches!(fields.get("wait").map(|node| &node.kind), Some(Kind::List(_))) {
        report.error(fields.place_of("wait"), "a wait has at least one branch");
    }
    warn_of_ends(report, fields, nodes);
    let before = scope.clone();
    if let Some(id) = id {
        scope.add(id, Root::Given(&RESULT));
    }
    let mut ways = Ways::new(scope);
    steps.branches += 1;
    let branches: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(number, node)| branch(steps, node, &format!("{here}/wait/{}", number + 1), &before, &mut ways))
        .collect();
    let otherwise = otherwise(steps, fields, here, &mut ways);
    steps.branches -= 1;
    let ends = ways.join(scope);
    let branches = branches.into_iter().collect::<Option<Vec<_>>>()?;
    let action = StepAction::Wait { branches, otherwise };
    (!nodes.is_empty()).then_some(Read { action, result: Some(Root::Given(&RESULT)), ends })
}

/// Nobody may wait while a caller waits for him.
fn check_mode(steps: &Steps<'_>, fields: &Fields<'_>) {
    if steps.own.mode.is_some_and(Mode::is_real_time) {
        let hint = "make the workflow `mode: background`, or do the rest in a background child".to_owned();
        let message = "a wait stands in background workflows only: here a caller would wait with it";
        steps.report.error_with(fields.place_of("wait"), message, Some(hint));
    }
}

/// A wait that never waits, and one that may last for ever.
fn warn_of_ends(report: &Report<'_>, fields: &Fields<'_>, nodes: &[Node]) {
    if fields.get("otherwise").is_some() {
        let hint = Some("write an `if` step, or leave `otherwise` out".to_owned());
        report.warn(fields.place_of("otherwise"), "this wait never waits: `otherwise` runs at once", hint);
    } else if !nodes.is_empty() && !nodes.iter().any(|node| node.get("for").is_some() || node.get("at").is_some()) {
        let hint = Some("add a branch as `{ for: 60 days }`".to_owned());
        report.warn(fields.place_of("wait"), "this wait may last for ever: no branch has `for` or `at`", hint);
    }
}

fn otherwise(steps: &mut Steps<'_>, fields: &Fields<'_>, here: &str, ways: &mut Ways<'_>) -> Option<Vec<Step>> {
    fields.get("otherwise")?;
    Some(steps.way(fields.list("otherwise"), &format!("{here}/otherwise"), ways))
}

fn branch(
    steps: &mut Steps<'_>,
    node: &Node,
    here: &str,
    scope: &Scope<'_>,
    ways: &mut Ways<'_>,
) -> Option<WaitBranch> {
    let report = steps.report;
    let fields = Fields::open(report, node, node.place, &BRANCH)?;
    let until = until(report, &fields, scope);
    let then = steps.way(fields.list("then"), &format!("{here}/then"), ways);
    let entry = node.entries()?.iter().find(|entry| entry.key != "then")?;
    let words = format!("{}: {}", entry.key, entry.value.in_one_line()).into();
    Some(WaitBranch { until: until?, words, then })
}

fn until(report: &Report<'_>, fields: &Fields<'_>, scope: &Scope<'_>) -> Option<Until> {
    let given: Vec<&str> = ["until", "for", "at"].into_iter().filter(|key| fields.get(key).is_some()).collect();
    if let [first, second, ..] = given.as_slice() {
        let message = format!("a branch of a wait has one of until, for, at, and this one has `{first}` too");
        report.error_with(fields.place_of(second), message, Some("make two branches of it".to_owned()));
        return None;
    }
    match given.first() {
        Some(&"until") => condition(report, fields.get("until")?, scope).map(Until::Condition),
        Some(&"for") => term(fields, "for").map(Until::Passed),
        Some(_) => moment(report, fields, scope),
        None => {
            report.error(fields.place, "a branch of a wait has one of until, for, at");
            None
        }
    }
}

fn condition(report: &Report<'_>, node: &Node, scope: &Scope<'_>) -> Option<model::condition::Condition> {
    let condition = condition::read(report, node, scope)?;
    if condition::asks_clock(&condition) {
        let hint = Some("wait for a time in a branch with `for` or `at`".to_owned());
        let message = "`until` is asked when something that it reads changes, so it may not ask what time it is";
        report.error_with(node.place, message, hint);
        return None;
    }
    Some(condition)
}

fn term(fields: &Fields<'_>, key: &str) -> Option<Term> {
    let text = fields.text(key)?;
    let term = duration::term(&text);
    term.map_err(|problem| fields.report.error(fields.value_place(key), problem.to_string())).ok()
}

fn moment(report: &Report<'_>, fields: &Fields<'_>, scope: &Scope<'_>) -> Option<Until> {
    let node = fields.get("at")?;
    let (of, shift) = match &node.kind {
        Kind::Map(_) if node.get("first").is_none() => shifted(report, node, scope)?,
        _ => (date(report, node, scope)?, None),
    };
    Some(Until::Moment { of, shift })
}

/// `{ after: 1 day, of: record.dueon }`
fn shifted(report: &Report<'_>, node: &Node, scope: &Scope<'_>) -> Option<(ValueSource, Option<(Shift, Term)>)> {
    let fields = Fields::open(report, node, node.place, &MOMENT)?;
    let shift = match (fields.get("before"), fields.get("after")) {
        (Some(_), None) => term(&fields, "before").map(|term| (Shift::Before, term)),
        (None, Some(_)) => term(&fields, "after").map(|term| (Shift::After, term)),
        _ => {
            let hint = Some("write `{ after: 1 day, of: record.dueon }`".to_owned());
            report.error_with(node.place, "a moment is `before` or `after` another one", hint);
            None
        }
    };
    let of = fields.need("of").and_then(|node| {
        let (path, target) = value::path(report, node, scope)?;
        check_date(report, node, &path, &target)?;
        let compiled = script::Compiled::new(node.as_text()?).ok()?;
        Some(ValueSource::Expression(compiled.expression().clone()))
    });
    Some((of?, Some(shift?)))
}

/// A date or date-time as it is written, or an expression.
fn date(report: &Report<'_>, node: &Node, scope: &Scope<'_>) -> Option<ValueSource> {
    let text = node.as_text().unwrap_or_default();
    let SourceKind::Expression(inner, at) = source_kind(text) else {
        let kind = match model::Date::parse(text) {
            Some(_) => ValueType::Date,
            None => ValueType::DateTime,
        };
        let kind = model::argument::ArgumentKind::plain(kind);
        return literal::read(report, node, &Holder::argument_kind("at", &kind, &scope.names.zone))
            .map(ValueSource::Literal);
    };
    let (expression, target) = value::expression(report, node, inner, at, scope)?;
    if let (Some(target), Some(path)) = (&target, expression.paths.first()) {
        check_date(report, node, path, target)?;
    }
    let source = ValueSource::Expression(expression);
    if condition::value_asks_clock(&source) {
        let hint = Some("write `for: 3 days`: it counts from when the wait was reached".to_owned());
        let message =
            "`at` is worked out again when something that it reads changes, so it may not ask what time it is";
        report.error_with(node.place, message, hint);
        return None;
    }
    Some(source)
}

/// Only dates and date-times come; one that may be empty may never come.
fn check_date(report: &Report<'_>, node: &Node, path: &Path, target: &Target<'_>) -> Option<()> {
    let Some(kind) = condition::type_of(target) else { return Some(()) };
    if !matches!(kind, ValueType::Date | ValueType::DateTime) {
        let message = format!("`at` takes a date or a date-time, and `{path}` is {}", in_words(kind));
        report.error(node.place, message);
        return None;
    }
    let is_there = |attribute: &Attribute| attribute.is_required() || attribute.id < starter::FIRST_OWN_ATTRIBUTE;
    let may_be_empty = match target {
        Target::Attribute(_, attribute) => !is_there(attribute) || path.segments.len() > 1,
        _ => false,
    };
    if may_be_empty {
        let hint = Some("add a branch with `for`, so that it does not last for ever".to_owned());
        report.warn(node.place, format!("while `{path}` is empty, this moment never comes"), hint);
    }
    Some(())
}
