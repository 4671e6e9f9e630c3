//! The step `email`: who sends a mail, who gets it, and what it says (formats 4).

use std::sync::Arc;

use model::{
    EntityId, Value, ValueType,
    argument::ArgumentKind,
    expression::{Expression, Path, ValueSource},
    parcel::Address,
    process::{
        email::{Content, Email, EmailTemplate, PartySource},
        workflow::StepAction,
    },
    schema::Entity,
    starter,
};
use script::{SourceKind, source_kind};

use super::steps::Steps;
use crate::{
    fields::{Fields, Keys},
    names::Found,
    nearest,
    scope::{Root, Scope, Target},
    tree::{Kind, Node},
    value::{self, Wanted},
};

const ADDRESS: Keys = Keys { what: "an address", known: &["address"], later: &[] };
/// Instead of the name of a template: the step itself says what the mail says.
const NEW: &str = "new";

/// A mail is sent; its result is the email record.
pub(super) fn email<'a>(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<(StepAction, Root<'a>)> {
    let report = steps.report;
    let errors = report.errors();
    let from = sender(steps, fields, scope);
    fields.need("to");
    let [to, cc, bcc] = ["to", "cc", "bcc"].map(|key| parties(steps, fields, key, scope));
    let regarding = regarding(steps, fields, scope);
    let content = content(steps, fields, scope, regarding.as_ref());
    let email: &Entity = scope.names.schema.entity(starter::EMAIL)?;
    steps.check_create(fields.place_of("email"), starter::EMAIL);
    if report.errors() > errors {
        return None;
    }
    let regarding = regarding.map(|(path, _)| path);
    let email_step = Email { from, to, cc, bcc, content: content?, regarding };
    Some((StepAction::Email(Box::new(email_step)), Root::Record(email)))
}

/// One sends it; without the key it is the user as whom the process runs.
fn sender(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'_>) -> Option<PartySource> {
    let mut senders = parties(steps, fields, "from", scope);
    if senders.len() > 1 {
        steps.report.error(fields.value_place("from"), "a mail has one sender");
    }
    senders.pop()
}

/// The parties under a key: one, or a list.
fn parties(steps: &Steps<'_>, fields: &Fields<'_>, key: &str, scope: &Scope<'_>) -> Vec<PartySource> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    match &node.kind {
        Kind::List(items) if items.is_empty() => {
            steps.report.error(node.place, format!("`{key}` names nobody"));
            Vec::new()
        }
        Kind::List(items) => items.iter().filter_map(|item| party(steps, item, key, scope)).collect(),
        _ => party(steps, node, key, scope).into_iter().collect(),
    }
}

fn party(steps: &Steps<'_>, node: &Node, key: &str, scope: &Scope<'_>) -> Option<PartySource> {
    let report = steps.report;
    if node.get("address").is_some() {
        return address(steps, node, scope);
    }
    if key == "from" && node.get("team").is_some() {
        let hint = Some("send from a queue, a user or an address".to_owned());
        report.error_with(node.place, "a team cannot send a mail", hint);
        return None;
    }
    let kind = ArgumentKind::plain(ValueType::Reference);
    let wanted = Wanted::plain(key, &kind, scope.names).record(reachable(scope));
    let text = node.as_text().filter(|text| source_kind(text) == SourceKind::Plain);
    let Some(text) = text else { return value::read(report, node, &wanted, scope).map(PartySource::Record) };
    if text.contains('@') {
        report.error_with(node.place, format!("`{text}` is no record"), Some(format!("write `{{ address: {text} }}`")));
        return None;
    }
    // A path may stand without `=`, as it does where a step names a record.
    let (path, target) = value::path(report, node, scope)?;
    value::fits(report, node.place, &wanted, Some(&target), scope)?;
    let expression = Expression { text: text.into(), paths: vec![path] };
    Some(PartySource::Record(ValueSource::Expression(expression)))
}

/// `{ address: a@b.example }`, also with values in it.
fn address(steps: &Steps<'_>, node: &Node, scope: &Scope<'_>) -> Option<PartySource> {
    let report = steps.report;
    let fields = Fields::open(report, node, node.place, &ADDRESS)?;
    let kind = ArgumentKind::plain(ValueType::Text);
    let inner = fields.need("address")?;
    let source = value::read(report, inner, &Wanted::plain("address", &kind, scope.names), scope)?;
    if let ValueSource::Literal(Value::Text(text)) = &source
        && let Err(why) = Address::parse(text)
    {
        report.error(inner.place, format!("`{text}` is no address: {why}"));
        return None;
    }
    Some(PartySource::Address(source))
}

/// The entities whose records can be written to: teams, by their members, and those with an attribute for the address.
fn reachable(scope: &Scope<'_>) -> Vec<EntityId> {
    let entities = scope.names.schema.entities();
    let reachable = entities.filter(|entity| entity.id == starter::TEAM || entity.definition.email.is_some());
    let mut reachable: Vec<EntityId> = reachable.map(|entity| entity.id).collect();
    reachable.sort_unstable();
    reachable
}

/// The record that the mail is about: the one at the path, else the process's own.
fn regarding<'a>(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<(Path, Target<'a>)> {
    let report = steps.report;
    let Some(node) = fields.get("regarding") else {
        let Some(Root::Record(entity)) = scope.root("record") else { return None };
        let path = Path { root: "record".into(), segments: Vec::new() };
        return Some((path, Target::Record(Some(vec![entity.id]))));
    };
    let (path, target) = value::path(report, node, scope)?;
    if !matches!(target, Target::Record(_) | Target::Unknown) {
        report.error(node.place, format!("`{path}` is no record"));
        return None;
    }
    Some((path, target))
}

fn content(
    steps: &Steps<'_>,
    fields: &Fields<'_>,
    scope: &Scope<'_>,
    regarding: Option<&(Path, Target<'_>)>,
) -> Option<Content> {
    let report = steps.report;
    let name = fields.need("email").and_then(|_| fields.text("email"))?;
    if name == NEW {
        let text = |key: &str| {
            let kind = ArgumentKind::plain(ValueType::Text);
            value::read(report, fields.need(key)?, &Wanted::plain(key, &kind, scope.names), scope)
        };
        let (subject, body) = (text("subject"), text("body"));
        return Some(Content::New { subject: subject?, body: body? });
    }
    for key in ["subject", "body"] {
        if fields.get(key).is_some() {
            let hint = Some("write `email: new` for a mail without a template".to_owned());
            report.error_with(fields.place_of(key), format!("the template says the `{key}`"), hint);
        }
    }
    let template = template(steps, fields, &name, scope)?;
    is_of_its_entity(steps, fields, &template, scope, regarding).then_some(Content::Template(template))
}

fn template(steps: &Steps<'_>, fields: &Fields<'_>, name: &str, scope: &Scope<'_>) -> Option<Arc<EmailTemplate>> {
    match scope.names.template(name) {
        Found::One(template) => Some(template),
        Found::Broken => None,
        Found::Nothing => {
            let known = scope.names.steps.templates();
            let hint = nearest::hint(name, known.iter().map(|template| template.name.as_str()));
            let hint = hint.unwrap_or_else(|| "write `new` for a mail without a template".to_owned());
            let message = format!("there is no email template `{name}`");
            steps.report.error_with(fields.value_place("email"), message, Some(hint));
            None
        }
    }
}

/// A template reads the record that the mail is about, so that has to be one of its entity.
fn is_of_its_entity(
    steps: &Steps<'_>,
    fields: &Fields<'_>,
    template: &EmailTemplate,
    scope: &Scope<'_>,
    regarding: Option<&(Path, Target<'_>)>,
) -> bool {
    let wanted = scope.names.schema.name_of(template.entity);
    let is_for = format!("template `{}` is for records of `{wanted}`", template.name);
    let (message, hint) = match regarding {
        Some((_, Target::Record(Some(found)))) if **found == [template.entity] => return true,
        Some((_, Target::Unknown)) => return true,
        Some((path, Target::Record(found))) if found.as_ref().is_none_or(|found| found.contains(&template.entity)) => (
            format!("{is_for}, and `{path}` may be one of several entities"),
            format!("write `regarding: {path}[{wanted}]`"),
        ),
        Some((path, Target::Record(Some(found)))) => {
            let found: Vec<_> = found.iter().map(|id| format!("`{}`", scope.names.schema.name_of(*id))).collect();
            let hint =
                format!("say with `regarding` which `{wanted}` it is about: a path from `record`, or an earlier step");
            (format!("{is_for}, and `{path}` is one of {}", found.join(" or ")), hint)
        }
        // A broken path is reported already.
        _ if fields.get("regarding").is_some() => return false,
        _ => (format!("{is_for}, and this mail is about none"), "say with `regarding` which".to_owned()),
    };
    let place =
        if fields.get("regarding").is_some() { fields.value_place("regarding") } else { fields.value_place("email") };
    steps.report.error_with(place, message, Some(hint));
    false
}
