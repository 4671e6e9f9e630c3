//! The actions of processes as messages: bound to a record of their entity or to nothing, by the name that clients know.
//!
//! They are no table: each store has its own. What an action does is a unit of work of its own, so none stands in a
//! changeset.

use model::{Argument, Field, RecordRef, Value, ValueType};
use serde_json::{Map, Value as Json, json};

use super::{Effect, On, Sent, given};
use crate::{
    odata::{
        read,
        url::{Called, NAMESPACE},
        value,
        write::Asked,
    },
    problem::Denial,
};

/// The call of an action; nothing where no process has this name.
pub fn call(asked: &Asked<'_>, called: &Called, on: &On, sent: &Sent<'_>) -> Result<Option<Effect>, Denial> {
    let catalogue = asked.engine.catalogue();
    let Some(action) = catalogue.action(&called.name) else { return Ok(None) };
    let Sent::Body(body) = sent else {
        return Err(Denial::wrong_method_for(&called.name, "action", &axum::http::Method::POST));
    };
    let target = match on {
        On::Nothing => None,
        On::Set(_) => return Ok(None),
        On::Record(address) => Some(read::target(asked, asked.entity(&address.set)?, address)?),
    };
    if let (Some(wanted), None) = (action.workflow.entity, target) {
        let entity = asked.known(wanted)?;
        let set = &entity.definition.set;
        return Err(Denial::no_resource(format!(
            "`{0}` is bound to a record of `{1}`, as in `{set}(id)/{NAMESPACE}{0}`",
            called.name,
            entity.name()
        )));
    }
    let inputs = inputs(asked, &called.name, &action.workflow.inputs, body)?;
    let name = action.name.to_string();
    Ok(Some(Effect::Apart(Box::new(move |engine, caller| {
        let outputs = engine.invoke(caller, &name, target, inputs)?;
        let schema = engine.schema();
        let shown = outputs.iter().map(|field| (field.name.to_string(), shown(&field.value, &schema)));
        let shown: Map<String, Json> = shown.collect();
        Ok(if shown.is_empty() { Json::Null } else { Json::Object(shown) })
    }))))
}

fn inputs(
    asked: &Asked<'_>,
    action: &str,
    declared: &[Argument],
    body: &Map<String, Json>,
) -> Result<Vec<Field>, Denial> {
    let named = body.iter().filter(|(name, _)| !name.contains('@'));
    let field = |(name, json): (&String, &Json)| {
        let argument = declared.iter().find(|argument| argument.name.as_str() == name);
        let argument = argument.ok_or_else(|| {
            let known: Vec<String> = declared.iter().map(|argument| format!("`{}`", argument.name)).collect();
            Denial::malformed(match known.is_empty() {
                true => format!("`{action}` has no parameters, and so no `{name}`"),
                false => format!("`{action}` has no parameter `{name}`; it has {}", known.join(", ")),
            })
        })?;
        let value = match (argument.kind.value_type, json) {
            (_, Json::Null) => Value::Null,
            (ValueType::Reference, json) => {
                Value::Reference(given::record(asked, json, &format!("`{name}` of `{action}`"))?)
            }
            (ValueType::References, Json::Array(items)) => {
                let what = format!("`{name}` of `{action}`");
                let targets = items.iter().map(|item| given::record(asked, item, &what));
                Value::References(targets.collect::<Result<Vec<_>, _>>()?.into())
            }
            (expected, json) => value::from_json_as(json, name, expected)?,
        };
        Ok(Field { name: name.as_str().into(), value })
    };
    named.map(field).collect()
}

/// A record by its type and id, as actions of Dynamics give it; any other value as records show it.
fn shown(value: &Value, schema: &model::Schema) -> Json {
    match value {
        Value::Reference(target) => reference(*target, schema),
        Value::References(targets) => targets.iter().map(|target| reference(*target, schema)).collect(),
        value => value::to_json(value),
    }
}

fn reference(target: RecordRef, schema: &model::Schema) -> Json {
    let name = schema.name_of(target.entity);
    json!({ "@odata.type": format!("#{NAMESPACE}{name}"), format!("{name}id"): target.id.to_string() })
}
