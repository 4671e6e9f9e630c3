//! Task flows: which page comes next, what a page lacks, what was typed against what is stored, what is written at the end
//! (processes 6, K1 to K8).
//!
//! A session is data (`model::process::task_flow::Session`); the engine reads what is stored, stages what was typed over it,
//! asks here, and writes what comes back. Where a page leads is decided as for the stages of a flow.

use model::{
    RecordRef, Value, Values,
    expression::ValueSource,
    process::{
        flow::{Onward, StagePlace},
        task_flow::{Draft, Field, Item, Page, Seen, Session, TaskFlow},
    },
};
use script::CompiledSource;

use crate::{condition::Condition, flow::way};

/// The pages of a task flow, ready to be asked.
#[derive(Debug)]
pub struct Pages(Vec<Compiled>);

#[derive(Debug)]
struct Compiled {
    conditions: Vec<Condition>,
    /// The words of each item; absent where it is an attribute.
    words: Vec<Option<CompiledSource>>,
}

impl Pages {
    /// The pages of this task flow; a sentence where that cannot be.
    pub fn compile(flow: &TaskFlow) -> Result<Self, String> {
        flow.pages.iter().map(compiled).collect::<Result<_, _>>().map(Self)
    }

    /// The condition of a branch of a page.
    pub fn condition(&self, page: StagePlace, branch: usize) -> Option<&Condition> {
        self.0.get(page.index())?.conditions.get(branch)
    }

    /// What an item of a page says, where it is words.
    pub fn words(&self, page: StagePlace, item: usize) -> Option<&CompiledSource> {
        self.0.get(page.index())?.words.get(item)?.as_ref()
    }
}

fn compiled(page: &Page) -> Result<Compiled, String> {
    let conditions = page.branches.iter().map(|(condition, _)| Condition::compile(condition));
    let words = page.items.iter().map(|item| match item {
        Item::Section(parts) | Item::Label(parts) => {
            let source = CompiledSource::new(&ValueSource::Template(parts.clone()));
            source.map(Some).map_err(|problem| format!("page `{}`: {problem}", page.id))
        }
        Item::Field(_) => Ok(None),
    });
    Ok(Compiled { conditions: conditions.collect::<Result<_, _>>()?, words: words.collect::<Result<_, _>>()? })
}

/// Where a page leads now.
pub fn onward<E>(flow: &TaskFlow, page: StagePlace, holds: impl FnMut(usize) -> Result<bool, E>) -> Result<Onward, E> {
    match flow.pages.get(page.index()) {
        Some(found) => way(&found.branches, found.next, holds),
        None => Ok(Onward::End),
    }
}

/// The fields of a page that have to be filled first, by what each holds with all that was typed (K3).
pub fn lacking(page: &Page, holds: impl Fn(u16) -> Value) -> Vec<&Field> {
    let is_empty = |value: Value| match value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        _ => false,
    };
    page.fields().filter(|(item, field)| field.required && is_empty(holds(*item))).map(|(_, field)| field).collect()
}

/// Notes what was typed at an item. What is there all the same is no draft, so that nothing is written that does not change.
pub fn take(session: &mut Session, draft: Draft, there: &Value) {
    session.drafts.retain(|known| (known.page, known.item) != (draft.page, draft.item));
    if draft.typed != *there {
        session.drafts.push(draft);
    }
}

/// Whether somebody else wrote another value than the one that was seen and the one that was typed (K5).
pub fn clashes(seen: &Value, typed: &Value, stored: &Value) -> bool {
    stored != seen && stored != typed
}

/// What the page at hand showed at this item of this record.
pub fn seen_at(session: &Session, item: u16, record: RecordRef) -> Option<&Value> {
    session.seen.iter().find(|seen| (seen.item, seen.record) == (item, record)).map(|seen| &seen.value)
}

/// The page at hand is another one now, which shows this.
pub fn go_to(session: &mut Session, page: StagePlace, seen: Vec<Seen>) {
    match session.path.iter().position(|known| *known == page) {
        Some(place) => session.path.truncate(place + 1),
        None => session.path.push(page),
    }
    session.seen = seen;
}

/// What is written at the end: a change for each record, in the order in which the pages meet them. Of two pages with one
/// attribute the later one counts; pages that are not on the path do not (K4).
pub fn writes(session: &Session) -> Vec<(RecordRef, Values)> {
    let mut writes: Vec<(RecordRef, Values)> = Vec::new();
    for draft in session.path.iter().flat_map(|page| session.drafts_of(*page)) {
        let place = writes.iter().position(|(record, _)| *record == draft.record).unwrap_or_else(|| {
            writes.push((draft.record, Values::new()));
            writes.len() - 1
        });
        if let Some((_, values)) = writes.get_mut(place) {
            values.insert(draft.attribute, draft.typed.clone());
        }
    }
    writes
}

#[cfg(test)]
mod tests;
