//! What activation warns of once a whole workflow was read (formats 11): a start of its own that no condition may end, and
//! identities that only one store knows.
//!
//! `loops` knows the steps that start their own workflow; here the conditions around them are looked at together.

use model::{
    AttributeId,
    condition::{Condition, Test},
    expression::{Path, ValueSource},
    process::workflow::{Start, Step, StepAction, Until},
    schema::Entity,
    starter,
};

use super::steps::Steps;
use crate::{
    report::Report,
    tree::{Kind, Node, Place},
};

/// Warns of steps that start their own workflow again where no condition reads what the workflow itself changes: nothing
/// that a run does makes the next one stop.
pub(super) fn warn_of_endless(steps: &Steps<'_>, all: &[Step], entity: Option<&Entity>) {
    let suspects = steps.suspects.take();
    let Some(entity) = entity.filter(|_| !suspects.is_empty()) else { return };
    let mut known = Known::of(&steps.own.start);
    known.look_at(all, entity);
    let may_end = known.opaque || known.read.iter().any(|path| known.changes(path, entity));
    if may_end {
        return;
    }
    for (place, what) in suspects {
        let hint = "let a condition read what the workflow sets, or write `only-when-changed: true`".to_owned();
        let message = format!(
            "{what} starts the workflow again, and no condition reads what the workflow changes: it may not end"
        );
        steps.report.warn(place, message, Some(hint));
    }
}

/// What the conditions of a workflow read and what its steps change of records of its own entity.
#[derive(Default)]
struct Known {
    read: Vec<Path>,
    /// Whether a condition decides by what nobody can see: a custom one.
    opaque: bool,
    changed: Vec<AttributeId>,
}

impl Known {
    fn of(start: &Start) -> Self {
        let mut known = Self::default();
        start.condition.iter().for_each(|condition| known.condition(condition));
        known
    }

    fn changes(&self, path: &Path, entity: &Entity) -> bool {
        let of_record = ["record", "before", "after", "change"].contains(&path.root.as_str());
        let first = path.segments.first().and_then(|first| entity.attribute(&first.name));
        of_record && first.is_some_and(|attribute| self.changed.contains(&attribute.id))
    }

    fn look_at(&mut self, steps: &[Step], entity: &Entity) {
        for step in steps {
            match &step.action {
                StepAction::Stage { steps, .. } | StepAction::ForEach { steps, .. } => self.look_at(steps, entity),
                StepAction::If { branches, otherwise } => {
                    for (condition, steps) in branches {
                        self.condition(condition);
                        self.look_at(steps, entity);
                    }
                    self.look_at(otherwise, entity);
                }
                StepAction::Wait { branches, otherwise } => {
                    for branch in branches {
                        if let Until::Condition(condition) = &branch.until {
                            self.condition(condition);
                        }
                        self.look_at(&branch.then, entity);
                    }
                    otherwise.iter().for_each(|steps| self.look_at(steps, entity));
                }
                StepAction::Create { entity: of, set } if *of == entity.id => {
                    self.changed.extend(set.iter().map(|(attribute, _)| *attribute));
                }
                StepAction::Update { target, changes } if is_own(target) => {
                    self.changed.extend(changes.iter().map(|(attribute, _)| *attribute));
                }
                StepAction::Assign { target, .. } if is_own(target) => self.changed.push(starter::OWNER),
                StepAction::ChangeStatus { target, .. } if is_own(target) => {
                    self.changed.extend([starter::STATE, starter::STATUS]);
                }
                // What a step of another kind does to the record is not known here.
                StepAction::Custom { .. } | StepAction::Action { .. } | StepAction::Flow { .. } => self.opaque = true,
                _ => {}
            }
        }
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| self.condition(part)),
            Condition::Not(part) => self.condition(part),
            Condition::Expression(expression) => self.read.extend(expression.paths.iter().cloned()),
            Condition::Custom { .. } => self.opaque = true,
            Condition::Compare { value, test } => {
                self.read.extend(value.paths.iter().cloned());
                let operands: &[ValueSource] = match test {
                    Test::In(all) | Test::NotIn(all) | Test::Includes(all) | Test::IncludesAny(all) => all,
                    Test::Is(one) | Test::IsNot(one) | Test::SameDay(one) => std::slice::from_ref(one),
                    Test::Text { operand, .. } | Test::Order { operand, .. } | Test::Under { operand, .. } => {
                        std::slice::from_ref(operand)
                    }
                    Test::Empty(_) | Test::Changed(_) => &[],
                };
                self.read.extend(operands.iter().flat_map(ValueSource::paths).cloned());
            }
        }
    }
}

fn is_own(target: &Path) -> bool {
    target.root == "record" && target.segments.is_empty()
}

/// Warns of identities in texts and expressions; `id` of a named record is warned of where it is read.
pub(super) fn warn_of_guids(report: &Report<'_>, node: &Node) {
    match &node.kind {
        Kind::Text(text) if has_guid(text) => warn_of_guid(report, node.place),
        Kind::List(items) => items.iter().for_each(|item| warn_of_guids(report, item)),
        Kind::Map(entries) => {
            // The identity of a step is a name like any other.
            let named = |key: &str| key == "id";
            entries.iter().filter(|entry| !named(&entry.key)).for_each(|entry| warn_of_guids(report, &entry.value));
        }
        _ => {}
    }
}

/// The warning, wherever such an identity stands.
pub(crate) fn warn_of_guid(report: &Report<'_>, place: Place) {
    let hint = "name the record by `name` or `key`: another store has other GUIDs".to_owned();
    report.warn(place, "a fixed GUID", Some(hint));
}

/// The lengths of a GUID's parts.
const PARTS: [usize; 5] = [8, 4, 4, 4, 12];

fn has_guid(text: &str) -> bool {
    let pieces: Vec<&str> = text.split(|c: char| !c.is_ascii_hexdigit() && c != '-').collect();
    pieces.iter().any(|piece| {
        let lengths = piece.split('-').map(str::len);
        lengths.eq(PARTS)
    })
}

#[cfg(test)]
mod tests {
    use super::has_guid;

    #[test]
    fn a_guid_is_found_wherever_it_stands() {
        for (text, expected) in [
            ("0191b3c4-7d2e-7f00-8a1b-0123456789ab", true),
            ("= record.accountid == \"0191b3c4-7d2e-7f00-8a1b-0123456789ab\"", true),
            ("see {0191b3c4-7d2e-7f00-8a1b-0123456789ab}.", true),
            ("0191b3c4-7d2e-7f00-8a1b", false),
            ("2026-11-20T09:00:00Z", false),
            ("a-b-c-d-e", false),
        ] {
            assert_eq!(has_guid(text), expected, "{text}");
        }
    }
}
