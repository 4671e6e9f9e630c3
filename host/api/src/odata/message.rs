//! Messages: the actions and functions of the dialect, bound to a record, to a set, or to nothing.
//!
//! Each group has a file below with its table, and `find` looks through all of them; before them stand the actions of
//! processes. A function answers; an action gives verbs, which `save` or a batch
//! has done as one unit of work. Arguments come from the path, from aliases in the query, or from the body.

mod actions;
mod flows;
mod given;
mod many;
mod processes;
mod queues;
mod roles;
mod service;
mod sharing;
mod teams;
mod who;

use axum::{
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use engine::Engine;
use model::{Caller, Outcome, RecordRef, Verb, schema::Entity};
use serde_json::{Map, Value as Json};

use super::{
    Call, json,
    url::{Address, Called},
    write::Asked,
};
use crate::{bridge, problem::Denial};

pub use given::Given;

/// What a message is bound to, as the path says it.
#[derive(Clone, Debug, PartialEq)]
pub enum On {
    /// Nothing.
    Nothing,
    /// All records of a set.
    Set(String),
    /// One record.
    Record(Address),
}

/// A message of the dialect.
pub struct Message {
    /// Its name, without the namespace.
    pub name: &'static str,
    /// Whether it may change something.
    pub kind: Kind,
    /// What it is bound to.
    pub binding: Binding,
    /// The names of its parameters.
    pub parameters: &'static [&'static str],
    /// Does it.
    pub run: fn(&Asked<'_>, &Bound<'_>, &Given) -> Result<Effect, Denial>,
}

/// Whether a message may change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only tells: `GET`.
    Function,
    /// It may change something: `POST`.
    Action,
}

/// What a message is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Nothing.
    None,
    /// A record of this entity.
    Record(&'static str),
    /// A user or a team.
    Principal,
    /// A set, whichever it is.
    AnySet,
}

/// What a message is bound to, looked up.
#[derive(Clone, Copy)]
pub struct Bound<'a> {
    /// The entity.
    pub entity: Option<&'a Entity>,
    /// The record.
    pub record: Option<RecordRef>,
}

impl<'a> Bound<'a> {
    /// The record that a message of `Binding::Record` has.
    pub fn record(&self) -> Result<RecordRef, Denial> {
        self.record.ok_or_else(|| Denial::malformed("this is bound to a record"))
    }

    /// The entity that a message of `Binding::AnySet` has.
    pub fn entity(&self) -> Result<&'a Entity, Denial> {
        self.entity.ok_or_else(|| Denial::malformed("this is bound to an entity set"))
    }
}

/// What becomes of a message.
pub enum Effect {
    /// It tells this.
    Answer(Json),
    /// These verbs are to be done as one unit of work; the answer is made of what they did, `null` for none.
    Verbs(Vec<Verb>, Reply),
    /// This is done, in a unit of work of its own: it cannot be part of a changeset.
    Apart(Work),
}

/// Something done on an engine thread, and what it tells.
pub type Work = Box<dyn FnOnce(&Engine, &Caller) -> Result<Json, Denial> + Send>;

/// Makes the answer to an action of what its verbs did.
pub type Reply = Box<dyn FnOnce(&[Outcome]) -> Json + Send>;

impl Effect {
    /// Verbs without an answer.
    pub fn silent(verbs: Vec<Verb>) -> Self {
        Self::Verbs(verbs, Box::new(|_| Json::Null))
    }
}

/// The messages that are known, a table for each group.
const GROUPS: [&[Message]; 9] = [
    who::MESSAGES,
    service::MESSAGES,
    many::MESSAGES,
    teams::MESSAGES,
    sharing::MESSAGES,
    roles::MESSAGES,
    processes::MESSAGES,
    queues::MESSAGES,
    flows::MESSAGES,
];

/// The names of all messages of the dialect, for whoever looks after each of them.
pub fn message_names() -> impl Iterator<Item = &'static str> {
    GROUPS.into_iter().flatten().map(|message| message.name)
}

/// Asks a function.
pub(super) async fn function(call: Call, called: Called, on: On) -> Result<Response, Denial> {
    let (credentials, options) = (call.credentials.clone(), call.options.clone());
    let name = called.name.clone();
    let answer = bridge::ask(&call.app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked::new(engine, &caller, &schema);
        match invoke(&asked, &called, &on, Sent::Query(&options))? {
            Effect::Answer(answer) => Ok(answer),
            Effect::Verbs(..) | Effect::Apart(_) => {
                Err(Denial::malformed(format!("`{}` is an action: send it with POST", called.name)))
            }
        }
    });
    Ok(answered(&call, &name, answer.await?))
}

/// The answer of a message: `204` where it has nothing to say.
pub(super) fn answered(call: &Call, name: &str, answer: Json) -> Response {
    let context = call.base.context(&format!("#Microsoft.Dynamics.CRM.{name}Response"));
    match answer {
        Json::Object(mut answer) => {
            let mut body = Map::from_iter([("@odata.context".to_owned(), Json::from(context))]);
            body.append(&mut answer);
            json(StatusCode::OK, &Json::Object(body))
        }
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

/// What came with the name of a message.
pub(super) enum Sent<'a> {
    /// A request for a function: the options of the query.
    Query(&'a [(String, String)]),
    /// An order for an action: the body.
    Body(&'a Map<String, Json>),
}

/// Finds the message and does it.
pub(super) fn invoke(asked: &Asked<'_>, called: &Called, on: &On, sent: Sent<'_>) -> Result<Effect, Denial> {
    if let Some(effect) = actions::call(asked, called, on, &sent)? {
        return Ok(effect);
    }
    let message = find(asked, called, on)?;
    let given = match (message.kind, sent) {
        (Kind::Function, Sent::Query(options)) => {
            Given::of_function(message.name, called.arguments.as_deref().unwrap_or_default(), options)?
        }
        (Kind::Action, Sent::Body(body)) => Given::of_action(message.name, body)?,
        (Kind::Function, _) => return Err(Denial::wrong_method_for(message.name, "function", &Method::GET)),
        (Kind::Action, _) => return Err(Denial::wrong_method_for(message.name, "action", &Method::POST)),
    };
    given.check_names(message.parameters)?;
    let bound = bind(asked, on)?;
    (message.run)(asked, &bound, &given)
}

fn bind<'a>(asked: &Asked<'a>, on: &On) -> Result<Bound<'a>, Denial> {
    Ok(match on {
        On::Nothing => Bound { entity: None, record: None },
        On::Set(set) => Bound { entity: Some(asked.entity(set)?), record: None },
        On::Record(address) => {
            let entity = asked.entity(&address.set)?;
            Bound { entity: Some(entity), record: Some(super::read::target(asked, entity, address)?) }
        }
    })
}

/// The message of this name with this binding, or the refusal that says what is near.
fn find(asked: &Asked<'_>, called: &Called, on: &On) -> Result<&'static Message, Denial> {
    let name = called.name.as_str();
    let entity = match on {
        On::Record(address) => Some(asked.entity(&address.set)?.name().as_str()),
        _ => None,
    };
    let fits = |binding: Binding| match binding {
        Binding::None => *on == On::Nothing,
        Binding::Record(wanted) => entity == Some(wanted),
        Binding::Principal => matches!(entity, Some("systemuser" | "team")),
        Binding::AnySet => matches!(on, On::Set(_)),
    };
    let known = || GROUPS.iter().flat_map(|group| group.iter()).filter(|message| message.name == name);
    if let Some(message) = known().find(|message| fits(message.binding)) {
        return Ok(message);
    }
    Err(match known().next().map(|message| message.binding) {
        Some(Binding::None) => {
            Denial::no_resource(format!("`{name}` is bound to nothing: its address is `{name}` alone"))
        }
        Some(Binding::Record(entity)) => {
            Denial::no_resource(format!("`{name}` is bound to a record of `{entity}`, as in `{entity}s(id)/{name}`"))
        }
        Some(Binding::Principal) => {
            Denial::no_resource(format!("`{name}` is bound to a user or a team, as in `systemusers(id)/{name}`"))
        }
        Some(Binding::AnySet) => Denial::no_resource(format!(
            "`{name}` is bound to an entity set, as in `accounts/Microsoft.Dynamics.CRM.{name}`"
        )),
        None => match on {
            On::Nothing => Denial::no_resource(format!("there is no entity set, function or action `{name}`")),
            On::Set(set) => Denial::no_resource(format!("there is no function or action `{name}` of `{set}`")),
            On::Record(address) => Denial::no_resource(format!(
                "`{}` has no attribute, navigation, function or action `{name}`",
                entity.unwrap_or(&address.set)
            )),
        },
    })
}
