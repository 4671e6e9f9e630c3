//! Task flows of a record, as a page asks for them.

use engine::{FieldView, ItemView, SessionView, TypedValues};
use model::{ProcessName, RecordRef, Refusal, SessionId, Version};

use super::{
    World,
    port::{no, refused},
    value,
};
use crate::port::{Given, No, Target, TaskAsk};

impl World {
    pub(super) fn ask_task(&mut self, record: &Target, asked: &TaskAsk) -> Result<Vec<String>, No> {
        let (caller, target) = (self.caller(), self.record(record)?);
        let engine = self.engine();
        match asked.word.as_str() {
            "list" => {
                let choices = engine.task_flows_on(&caller, target).map_err(no)?;
                Ok(choices.iter().map(|choice| choice.process.to_string()).collect())
            }
            "begin" => {
                let name = asked.process.as_deref().unwrap_or_default();
                let flow = ProcessName::parse(name).map_err(|_| refused(&Refusal::UnknownProcess(name.into())))?;
                engine.begin_session(&caller, &flow, target).map(|(view, _)| told(&view)).map_err(no)
            }
            _ => self.change_session(target, asked),
        }
    }

    fn change_session(&mut self, record: RecordRef, asked: &TaskAsk) -> Result<Vec<String>, No> {
        let (caller, id) = (self.caller(), self.open_session(record, asked)?);
        let expected = asked.version.map(Version);
        let given = self.typed(id, &asked.values)?;
        let engine = self.engine();
        let view = match asked.word.as_str() {
            "show" => engine.session(&caller, id),
            "page" => engine.submit_page(&caller, id, expected, &given),
            "back" => engine.page_back(&caller, id, expected),
            "finish" => engine.finish_session(&caller, id, expected, &given),
            _ => return engine.discard_session(&caller, id, expected).map(|()| Vec::new()).map_err(no),
        };
        view.map(|view| told(&view)).map_err(no)
    }

    /// The newest session of the user about the record, of this task flow where one is named.
    fn open_session(&self, record: RecordRef, asked: &TaskAsk) -> Result<SessionId, No> {
        let all = self.engine().sessions(&self.caller()).map_err(no)?;
        let is = |name: &str| asked.process.as_ref().is_none_or(|wanted| wanted == name);
        let found = all.iter().find(|one| one.record == record && is(&one.process));
        let missing = || Refusal::NotFound { entity: "session".into(), record: "of this user on this record".into() };
        found.map(|one| one.id).ok_or_else(|| refused(&missing()))
    }

    /// What is typed, as the attributes of the page at hand read it.
    fn typed(&self, id: SessionId, values: &[(smol_str::SmolStr, Given)]) -> Result<TypedValues, No> {
        if values.is_empty() {
            return Ok(TypedValues::new());
        }
        let view = self.engine().session(&self.caller(), id).map_err(no)?;
        let schema = self.engine().schema();
        let typed = values.iter().map(|(name, given)| {
            let is = |field: &&FieldView| field.path == *name || field.path.strip_prefix("record.") == Some(name);
            let field = fields(&view).find(is);
            let known = field.and_then(|field| {
                let entity = schema.entity(field.entity)?;
                Some((entity, entity.attribute_by_id(field.attribute)?))
            });
            let value = known.map(|(entity, attribute)| value::value(&schema, entity, attribute, given));
            (name.clone(), value.unwrap_or_default())
        });
        Ok(typed.collect())
    }
}

fn fields(view: &SessionView) -> impl Iterator<Item = &FieldView> {
    let items = view.page.iter().flat_map(|page| &page.items);
    items.filter_map(|item| match item {
        ItemView::Field(field) => Some(&**field),
        ItemView::Section(_) | ItemView::Label(_) => None,
    })
}

/// `after-the-call: call > [next_step], the last page`, then a line for each item.
fn told(view: &SessionView) -> Vec<String> {
    let Some(page) = &view.page else { return vec![format!("{}: finished", view.brief.process)] };
    let last = view.path.len().saturating_sub(1);
    let path = view.path.iter().enumerate().map(|(place, (id, _))| match place == last {
        true => format!("[{id}]"),
        false => id.to_string(),
    });
    let mut head = format!("{}: {}", view.brief.process, path.collect::<Vec<_>>().join(" > "));
    if page.last {
        head.push_str(", the last page");
    }
    if !view.process_active {
        head.push_str(", the task flow is not active");
    }
    let mut lines = vec![head];
    lines.extend(page.items.iter().map(|item| match item {
        ItemView::Section(text) => format!("  == {text}"),
        ItemView::Label(text) => format!("  {text}"),
        ItemView::Field(field) => line(field),
    }));
    lines.extend(view.others.iter().map(|other| format!("  {} is at {} too", other.name, other.process)));
    lines
}

/// `  answer: "We called", typed, required`
fn line(field: &FieldView) -> String {
    let path = field.path.strip_prefix("record.").unwrap_or(&field.path);
    let mut line = format!("  {path}: ");
    match (field.record, field.shown.as_str()) {
        (None, _) => line.push_str("no record"),
        (_, "") => line.push_str("empty"),
        (_, shown) => line.push_str(&format!("\"{shown}\"")),
    }
    for (is, word) in [(field.typed, ", typed"), (field.required, ", required"), (field.read_only, ", only shown")] {
        if is {
            line.push_str(word);
        }
    }
    if let Some(changed) = &field.changed {
        line.push_str(&format!(", meanwhile {changed}"));
    }
    line
}
