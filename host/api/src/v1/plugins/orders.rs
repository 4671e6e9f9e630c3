//! What operators say to a plugin: grants, settings, secrets, back, out, into quarantine.

use axum::{
    Json,
    extract::{Path, RawQuery, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use engine::Engine;
use model::Caller;
use semver::Version;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{answer, ask, consent, told};
use crate::{App, body, odata::options, problem::Denial};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Items {
    /// `task:create,update`, `action:close`, `host:api.example.com`, `limit:STEP/cpu-ms=500`
    #[serde(default)]
    items: Vec<String>,
    /// For a revocation: everything.
    #[serde(default)]
    all: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    key: String,
    /// Absent: the setting is taken back.
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    name: String,
    /// Absent: the secret is forgotten.
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meant {
    /// Absent: all versions; for a rollback the one before.
    version: Option<String>,
    /// Why it goes into quarantine.
    reason: Option<String>,
}

pub(super) async fn grant(State(app): State<App>, Path(library): Path<String>, request: Request) -> Response {
    order(app, request, move |engine, caller, wanted: Items| {
        let more = consent(wanted.items.iter().map(String::as_str))?;
        Ok(json!({"granted": told(&engine.grant_plugin(caller, &library, &more)?)}))
    })
    .await
}

pub(super) async fn revoke(State(app): State<App>, Path(library): Path<String>, request: Request) -> Response {
    order(app, request, move |engine, caller, wanted: Items| {
        let less = consent(wanted.items.iter().map(String::as_str))?;
        let less = (!wanted.all).then_some(&less);
        Ok(json!({"granted": told(&engine.revoke_plugin(caller, &library, less)?)}))
    })
    .await
}

pub(super) async fn config(State(app): State<App>, Path(library): Path<String>, request: Request) -> Response {
    order(app, request, move |engine, caller, wanted: Setting| {
        engine.set_plugin_config(caller, &library, &wanted.key, wanted.value.as_deref())?;
        Ok(json!({"key": wanted.key, "set": wanted.value.is_some()}))
    })
    .await
}

pub(super) async fn secret(State(app): State<App>, Path(library): Path<String>, request: Request) -> Response {
    order(app, request, move |engine, caller, wanted: Secret| {
        engine.set_plugin_secret(caller, &library, &wanted.name, wanted.value.as_deref().map(str::as_bytes))?;
        Ok(json!({"name": wanted.name, "set": wanted.value.is_some()}))
    })
    .await
}

pub(super) async fn roll_back(State(app): State<App>, Path(library): Path<String>, request: Request) -> Response {
    order(app, request, move |engine, caller, wanted: Meant| {
        let done = engine.roll_back_plugin(caller, &library, version(wanted.version.as_deref())?.as_ref())?;
        Ok(json!({
            "from": texts(&done.from),
            "to": done.to.to_string(),
            "used_by": done.used_by.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        }))
    })
    .await
}

pub(super) async fn quarantine(State(app): State<App>, Path(library): Path<String>, request: Request) -> Response {
    order(app, request, move |engine, caller, wanted: Meant| {
        let why = wanted.reason.as_deref().unwrap_or("an operator said so");
        let versions = engine.quarantine_plugin(caller, &library, version(wanted.version.as_deref())?.as_ref(), why)?;
        Ok(json!({"library": library, "versions": texts(&versions), "reason": why}))
    })
    .await
}

pub(super) async fn resume(State(app): State<App>, Path(library): Path<String>, request: Request) -> Response {
    order(app, request, move |engine, caller, wanted: Meant| {
        let versions = engine.resume_plugin(caller, &library, version(wanted.version.as_deref())?.as_ref())?;
        Ok(json!({"library": library, "versions": texts(&versions)}))
    })
    .await
}

pub(super) async fn uninstall(
    State(app): State<App>,
    Path(library): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let mut wanted = None;
        for (name, value) in options(query.as_deref())? {
            match name.as_str() {
                "version" => wanted = version(Some(&value))?,
                _ => return Err(Denial::malformed(format!("nothing here is called `{name}`"))),
            }
        }
        let gone = engine.uninstall_plugin(caller, &library, wanted.as_ref())?;
        Ok(json!({"library": library, "versions": texts(&gone.versions), "gone": gone.is_gone}))
    })
    .await
}

async fn order<T: DeserializeOwned + Send + 'static>(
    app: App,
    request: Request,
    work: impl FnOnce(&Engine, &Caller, T) -> Result<Value, Denial> + Send + 'static,
) -> Response {
    let serve = async {
        let (parts, body) = request.into_parts();
        let body = body::object(body, app.settings.body_limit, &app.settings).await?;
        // A value that does not fit may be a secret: the sentence names the key and the type only.
        let wanted: T = serde_json::from_value(Value::Object(body)).map_err(|error| {
            let known = error.to_string();
            let safe = if known.starts_with("invalid") { "a value has the wrong type".to_owned() } else { known };
            Denial::malformed(format!("the body cannot be read: {safe}"))
        })?;
        answer(&app, &parts.headers, move |engine, caller| work(engine, caller, wanted)).await
    };
    serve.await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

/// A version as it is written.
fn version(text: Option<&str>) -> Result<Option<Version>, Denial> {
    let parsed = text.map(|text| Version::parse(text).map_err(|why| (text, why))).transpose();
    parsed.map_err(|(text, why)| Denial::malformed(format!("`{text}` is no version: {why}")))
}

fn texts(versions: &[Version]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
