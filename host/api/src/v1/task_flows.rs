//! Task flows: which ones a user may fill in on a record, and his sessions (processes 6, formats 8).
//!
//! A session is changed by `page`, `back`, `finish` and a delete, each with `If-Match` where the client wants to be sure;
//! whatever comes of it, `GET` tells where the session stands. Sessions of a browser that is signed in are others.

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::{Engine, FieldView, ItemView, SessionBrief, SessionView, TypedValues};
use model::{Caller, ProcessName, Refusal, Schema, SessionId, ValueType, Version};
use serde_json::{Map, Value, json};

use super::{answer, ask, record, show_record};
use crate::{
    App, body,
    odata::{
        etag::{self, Condition},
        value,
    },
    problem::Denial,
};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/records/{set}/{id}/task-flows", get(list))
        .route("/api/v1/task-flows/{name}/sessions", post(begin))
        .route("/api/v1/task-sessions", get(mine))
        .route("/api/v1/task-sessions/{id}", get(show).delete(discard))
        .route("/api/v1/task-sessions/{id}/{what}", post(change))
}

async fn list(State(app): State<App>, Path((set, id)): Path<(String, String)>, headers: HeaderMap) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let target = record(&format!("{set}/{id}"), &engine.schema())?;
        let choices = engine.task_flows_on(caller, target)?;
        let told = choices.iter().map(|choice| {
            json!({
                "process": choice.process.as_str(),
                "title": choice.title.as_str(),
                "session": choice.session.map(|session| session.to_string()),
            })
        });
        Ok(json!({"value": told.collect::<Vec<_>>()}))
    })
    .await
}

async fn begin(State(app): State<App>, Path(name): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match body::object(body, app.settings.body_limit, &app.settings).await {
        Ok(body) => body,
        Err(denial) => return denial.problem(),
    };
    let begun = answer(&app, &parts.headers, move |engine, caller| {
        let flow = ProcessName::parse(&name).map_err(|_| Refusal::UnknownProcess(name.as_str().into()))?;
        let target = body.get("record").and_then(Value::as_str);
        let target = target.ok_or_else(|| Denial::malformed("the body lacks `record`: ENTITY/ID"))?;
        let (view, new) = engine.begin_session(caller, &flow, record(target, &engine.schema())?)?;
        Ok((told(&view, &engine.schema()), view.brief, new))
    })
    .await;
    match begun {
        Ok((json, brief, new)) => {
            let status = if new { StatusCode::CREATED } else { StatusCode::OK };
            let mut response = (status, tagged(brief.version, json)).into_response();
            let location = HeaderValue::from_str(&format!("/api/v1/task-sessions/{}", brief.id));
            location.into_iter().for_each(|at| drop(response.headers_mut().insert(header::LOCATION, at)));
            response
        }
        Err(denial) => denial.problem(),
    }
}

async fn mine(State(app): State<App>, headers: HeaderMap) -> Response {
    ask(&app, &headers, |engine, caller| {
        let schema = engine.schema();
        let all: Vec<Value> = engine.sessions(caller)?.iter().map(|brief| brief_in_json(brief, &schema)).collect();
        Ok(json!({"value": all}))
    })
    .await
}

async fn show(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let shown = answer(&app, &headers, move |engine, caller| {
        let view = engine.session(caller, session(&id)?)?;
        Ok((view.brief.version, told(&view, &engine.schema())))
    })
    .await;
    shown.map_or_else(Denial::problem, |(version, json)| tagged(version, json).into_response())
}

async fn discard(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let expected = Condition::if_match(&headers).and_then(|condition| condition.expected());
    let expected = match expected {
        Ok(expected) => expected,
        Err(denial) => return denial.problem(),
    };
    let gone =
        answer(&app, &headers, move |engine, caller| Ok(engine.discard_session(caller, session(&id)?, expected)?))
            .await;
    gone.map_or_else(Denial::problem, |()| StatusCode::NO_CONTENT.into_response())
}

async fn change(State(app): State<App>, Path((id, what)): Path<(String, String)>, request: Request) -> Response {
    let changed = changed(app, id, what, request).await;
    changed.map_or_else(Denial::problem, |(version, json)| tagged(version, json).into_response())
}

async fn changed(app: App, id: String, what: String, request: Request) -> Result<(Version, Value), Denial> {
    let (parts, body) = request.into_parts();
    let expected = Condition::if_match(&parts.headers)?.expected()?;
    let body = body::object(body, app.settings.body_limit, &app.settings).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let id = session(&id)?;
        let view = match what.as_str() {
            "page" => engine.submit_page(caller, id, expected, &values(engine, caller, id, &body)?)?,
            "back" => engine.page_back(caller, id, expected)?,
            "finish" => engine.finish_session(caller, id, expected, &values(engine, caller, id, &body)?)?,
            other => {
                let all = "a session takes page, back or finish";
                return Err(Denial::no_resource(format!("{all}, not `{other}`")));
            }
        };
        Ok((view.brief.version, told(&view, &engine.schema())))
    })
    .await
}

fn session(id: &str) -> Result<SessionId, Denial> {
    let wrong = || Denial::malformed(format!("`{id}` is no id of a session"));
    Ok(SessionId(id.parse().map_err(|_| wrong())?))
}

fn tagged(version: Version, json: Value) -> impl IntoResponse {
    ([(header::ETAG, etag::of(version))], Json(json))
}

/// The values of a body, as the attributes of the page at hand read them; what is not on it the engine refuses.
fn values(engine: &Engine, caller: &Caller, id: SessionId, body: &Map<String, Value>) -> Result<TypedValues, Denial> {
    let given = match body.get("values") {
        None | Some(Value::Null) => return Ok(TypedValues::new()),
        Some(Value::Object(given)) => given,
        Some(_) => return Err(Denial::malformed("`values` is an object of attributes and their values")),
    };
    let view = engine.session(caller, id)?;
    let schema = engine.schema();
    let items = view.page.iter().flat_map(|page| &page.items);
    let fields: Vec<&FieldView> = items
        .filter_map(|item| match item {
            ItemView::Field(field) => Some(&**field),
            ItemView::Section(_) | ItemView::Label(_) => None,
        })
        .collect();
    let typed = given.iter().map(|(name, json)| {
        let is = |field: &&&FieldView| field.path == *name || field.path.strip_prefix("record.") == Some(name);
        let value = match fields.iter().find(is) {
            Some(field) => typed(json, field, &schema)?,
            None => model::Value::Null,
        };
        Ok((name.as_str().into(), value))
    });
    typed.collect()
}

/// A value as clients write it; an option, a state or a status also by its name, a record as ENTITY/ID.
fn typed(json: &Value, field: &FieldView, schema: &Schema) -> Result<model::Value, Denial> {
    let found = schema.entity(field.entity).and_then(|entity| entity.attribute_by_id(field.attribute));
    let Some(attribute) = found else { return Ok(model::Value::Null) };
    match (json, value::from_json(json, attribute)) {
        (Value::String(text), _) if attribute.value_type() == ValueType::Reference && text.contains('/') => {
            Ok(record(text, schema)?.into())
        }
        (Value::String(text), Err(_)) => Ok(model::Value::text(text.as_str())),
        (_, read) => Ok(read?),
    }
}

fn brief_in_json(brief: &SessionBrief, schema: &Schema) -> Value {
    json!({
        "session": brief.id.to_string(),
        "etag": etag::of(brief.version),
        "process": brief.process.as_str(),
        "record": show_record(brief.record, schema),
        "state": if brief.finished.is_some() { "finished" } else { "open" },
        "begun_on": brief.begun.to_string(),
        "changed_on": brief.touched.to_string(),
        "finished_on": brief.finished.map(|at| at.to_string()),
    })
}

fn told(view: &SessionView, schema: &Schema) -> Value {
    let mut told = brief_in_json(&view.brief, schema);
    let path = view.path.iter().map(|(id, title)| json!({"id": id.as_str(), "title": title.as_str()}));
    let others = view.others.iter().map(|other| {
        json!({
            "user": other.user.id.to_string(),
            "name": other.name.as_str(),
            "process": other.process.as_str(),
            "begun_on": other.begun.to_string(),
        })
    });
    told["title"] = json!(view.title.as_str());
    told["process_active"] = json!(view.process_active);
    told["path"] = path.collect();
    told["others"] = others.collect();
    told["page"] = match &view.page {
        None => Value::Null,
        Some(page) => json!({
            "id": page.id.as_str(),
            "title": page.title.as_str(),
            "last": page.last,
            "items": page.items.iter().map(|item| item_in_json(item, schema)).collect::<Vec<_>>(),
        }),
    };
    told
}

fn item_in_json(item: &ItemView, schema: &Schema) -> Value {
    let field = match item {
        ItemView::Section(text) => return json!({"section": text.as_str()}),
        ItemView::Label(text) => return json!({"label": text.as_str()}),
        ItemView::Field(field) => field,
    };
    let attribute = schema.entity(field.entity).and_then(|entity| entity.attribute_by_id(field.attribute));
    let shown = match field.value {
        model::Value::Reference(target) => Value::from(show_record(target, schema)),
        ref other => value::to_json(other),
    };
    let options = attribute.map_or(&[][..], |attribute| &attribute.options);
    let options = options
        .iter()
        .map(|option| json!({"value": option.value, "name": option.name.as_str(), "title": option.title.as_str()}));
    json!({
        "attribute": field.path.as_str(),
        "title": field.title.as_str(),
        "entity": schema.name_of(field.entity).as_str(),
        "type": attribute.map(|attribute| attribute.value_type().word()),
        "record": field.record.map(|record| show_record(record, schema)),
        "value": shown,
        "shown": field.shown.as_str(),
        "typed": field.typed,
        "required": field.required,
        "read_only": field.read_only,
        "options": options.collect::<Vec<_>>(),
        "changed": field.changed.as_ref().map(|changed| changed.as_str()),
    })
}
