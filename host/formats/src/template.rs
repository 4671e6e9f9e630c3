//! `kind: email-template` (formats 10): a mail with places for values of one record.
//!
//! Whether the record that a step's mail is about is of the template's entity is checked where the step stands. The same
//! conversion reads files and the canonical JSON that activations are pinned to.

use model::{
    EntityName, ProcessName, ValueType, argument::ArgumentKind, expression::ValueSource, parcel::Markup,
    process::email::EmailTemplate, schema::Entity,
};
use smol_str::SmolStr;

use crate::{
    fields::{Fields, Keys},
    header::Header,
    keys_with_header,
    names::Names,
    report::Report,
    scope::{Root, Scope},
    tree::Node,
    value::{self, Wanted},
    workflow::OF_JOB,
};

const TEMPLATE: Keys = Keys {
    what: "an email template",
    known: keys_with_header!["entity", "subject", "format", "body"],
    later: &["renamed-from", "language"],
};

/// The template that `node` defines.
pub(crate) fn convert<'a>(
    report: &Report<'_>,
    node: &Node,
    names: &'a Names<'a>,
    solution: &SmolStr,
) -> Option<EmailTemplate> {
    let errors = report.errors();
    let fields = Fields::open(report, node, node.place, &TEMPLATE)?;
    let header = Header::<ProcessName>::read(&fields, "email-template");
    let entity = entity(&fields, names);
    let scope = scope(entity, names);
    let subject = text(&fields, "subject", &scope);
    let markup = fields.word_or_first("format", &[("html", Markup::Html), ("text", Markup::Text)]);
    let body = text(&fields, "body", &scope);
    if report.errors() > errors {
        return None;
    }
    let Header { name, title, description, .. } = header?;
    let name = name.as_str().into();
    let (entity, solution) = (entity?.id, solution.clone());
    Some(EmailTemplate { name, title, description, entity, subject: subject?, markup, body: body?, solution })
}

fn entity<'a>(fields: &Fields<'_>, names: &'a Names<'a>) -> Option<&'a Entity> {
    let name: EntityName = fields.need_name("entity")?;
    names.entity(fields.report, name.as_str(), fields.value_place("entity")).one().map(|entity| &**entity)
}

/// What a template may read: its record, and what is there everywhere. Steps and variables belong to a process.
fn scope<'a>(entity: Option<&'a Entity>, names: &'a Names<'a>) -> Scope<'a> {
    let mut scope = Scope::new(names);
    // Without an entity there is an error already.
    scope.add("record", entity.map_or(Root::Broken, Root::Record));
    let users = names.schema.named("systemuser");
    for who in ["user", "caller"] {
        scope.add(who, users.map_or(Root::Broken, |users| Root::Record(users)));
    }
    scope.add("job", Root::Given(&OF_JOB));
    for image in ["before", "after", "change"] {
        scope.add_elsewhere(image, "a template reads `record`, `user`, `caller` and `job`");
    }
    for process in ["inputs", "outputs", "variables", "item", "error", "row"] {
        scope.add_elsewhere(process, "it belongs to a process, and a template to all that use it");
    }
    scope
}

fn text(fields: &Fields<'_>, key: &str, scope: &Scope<'_>) -> Option<ValueSource> {
    let kind = ArgumentKind::plain(ValueType::Text);
    value::read(fields.report, fields.need(key)?, &Wanted::plain(key, &kind, scope.names), scope)
}
