//! Plugins: installing a component, what is installed, and in `orders` what operators say to it.

mod orders;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::{Compiles, Given, Inspected, NewPlugin, Origin, PluginState, Resting, Signed};
use model::{Digest, Refusal, Timestamp, consent::Consent, package::Manifest};
use serde_json::{Value, json};

use super::{answer, ask};
use crate::{
    App, body,
    odata::options,
    problem::{Denial, place},
};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/plugins", get(list).post(install))
        .route("/api/v1/plugins/{library}", get(show).delete(orders::uninstall))
        .route("/api/v1/plugins/{library}/grant", post(orders::grant))
        .route("/api/v1/plugins/{library}/revoke", post(orders::revoke))
        .route("/api/v1/plugins/{library}/config", post(orders::config))
        .route("/api/v1/plugins/{library}/secrets", post(orders::secret))
        .route("/api/v1/plugins/{library}/rollback", post(orders::roll_back))
        .route("/api/v1/plugins/{library}/quarantine", post(orders::quarantine))
        .route("/api/v1/plugins/{library}/resume", post(orders::resume))
}

async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    ask(&app, &headers, |engine, caller| {
        let plugins = engine.plugins(caller)?;
        let (files, bytes) = engine.compiled_code();
        let value: Vec<_> = plugins.iter().map(state).collect();
        Ok(json!({"value": value, "compiled": {"files": files, "bytes": bytes}}))
    })
    .await
}

async fn show(State(app): State<App>, Path(library): Path<String>, headers: HeaderMap) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let settings = engine.plugin_settings(caller, &library)?;
        let mut plugins = engine.plugins(caller)?;
        plugins.retain(|plugin| plugin.library == library);
        if plugins.is_empty() {
            return Err(Refusal::UnknownPlugin(library.as_str().into()).into());
        }
        let config = settings.config.iter().map(|(key, value)| json!({"key": key.as_str(), "value": value.as_str()}));
        let secrets =
            settings.secrets.iter().map(|(name, on)| json!({"name": name.as_str(), "set_on": on.to_string()}));
        Ok(json!({
            "library": library,
            "versions": plugins.iter().map(state).collect::<Vec<_>>(),
            "config": config.collect::<Vec<_>>(),
            "secrets": secrets.collect::<Vec<_>>(),
        }))
    })
    .await
}

async fn install(State(app): State<App>, request: Request) -> Response {
    serve(app, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn serve(app: App, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let wanted = wanted(parts.uri.query())?;
    let component = body::read(body, app.settings.upload_limit).await?;
    let caller = answer(&app, &parts.headers, |_, caller| Ok(*caller)).await?;
    // Compiling takes long: neither the engine's threads nor those of the web wait for it.
    let engine = Arc::clone(&app.engine);
    let looked_at = app.looking.run(move || {
        let looked_at = engine.look_at_plugin(&caller, &wanted.of(&component));
        looked_at.map(|()| (wanted, component))
    });
    let (wanted, component) = looked_at.await??;
    answer(&app, &parts.headers, move |engine, caller| {
        let new = wanted.of(&component);
        if wanted.dry_run {
            return Ok(inspected(&engine.inspect_plugin(caller, &new)?));
        }
        let installed = engine.install_plugin(caller, &new)?;
        let mut shown = said(&installed.found.manifest);
        shown["digest"] = json!(installed.found.digest.to_string());
        shown["used_by"] = json!(installed.used_by.iter().map(|name| name.as_str()).collect::<Vec<_>>());
        signed(&mut shown, &installed.signed);
        Ok(shown)
    })
    .await
}

/// What the query of an installation says.
#[derive(Default)]
struct Wanted {
    dry_run: bool,
    given: Given,
    origin: Origin,
    digest: Option<Digest>,
    signature: Option<String>,
    replace: bool,
}

impl Wanted {
    fn of<'w>(&'w self, component: &'w [u8]) -> NewPlugin<'w> {
        let (origin, given) = (&self.origin, &self.given);
        let (digest, signature) = (self.digest, self.signature.as_deref());
        NewPlugin { component, origin, given, digest, signature, replace: self.replace }
    }
}

/// `dry_run=true`, `grant=asked` or items of grants, a line each, `origin=https://...` or a file, `digest=sha256:...`,
/// `signature=` with the text of a signature, `replace=true`.
fn wanted(query: Option<&str>) -> Result<Wanted, Denial> {
    let mut wanted = Wanted::default();
    for (name, value) in options(query)? {
        match (name.as_str(), value.as_str()) {
            ("dry_run", "true") => wanted.dry_run = true,
            ("replace", "true") => wanted.replace = true,
            ("dry_run" | "replace", "false") => {}
            ("grant", "asked") => wanted.given = Given::Asked,
            ("grant", items) => wanted.given = Given::Items(consent(items.lines())?),
            ("origin", origin) if origin.contains("://") => wanted.origin = Origin::Address(origin.into()),
            ("origin", origin) => wanted.origin = Origin::File(origin.into()),
            ("digest", digest) => {
                let hexadecimal = digest.strip_prefix("sha256:").unwrap_or(digest);
                let no = |_| Denial::malformed(format!("`{digest}` is no digest: it is `sha256:` and 64 digits"));
                wanted.digest = Some(hexadecimal.parse().map_err(no)?);
            }
            ("signature", text) => wanted.signature = Some(text.to_owned()),
            _ => return Err(Denial::malformed(format!("an installation takes no `{name}={value}`"))),
        }
    }
    Ok(wanted)
}

/// Grants as they are typed.
fn consent<'i>(items: impl IntoIterator<Item = &'i str>) -> Result<Consent, Denial> {
    Consent::from_items(items).map_err(Denial::malformed)
}

fn said(manifest: &Manifest) -> Value {
    json!({
        "library": manifest.library.as_str(),
        "version": manifest.version.to_string(),
        "title": manifest.title,
        "steps": manifest.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(),
    })
}

/// The same as items for programs and as sentences for people.
fn told(consent: &Consent) -> Value {
    let items: Vec<_> = consent.items().iter().map(ToString::to_string).collect();
    json!({"items": items, "words": consent.sentences()})
}

/// Who signed it; or why nobody who is trusted answers for it.
fn signed(shown: &mut Value, signed: &Signed) {
    shown["signed_by"] = json!(signed.by.as_str());
    shown["not_trusted"] = json!(signed.warning.as_deref());
}

fn inspected(inspected: &Inspected) -> Value {
    let mut shown = said(&inspected.found.manifest);
    shown["digest"] = json!(inspected.found.digest.to_string());
    shown["known"] = json!(inspected.is_known);
    shown["differs"] = json!(inspected.differs);
    signed(&mut shown, &inspected.signed);
    shown["asks"] = told(&inspected.asked);
    shown["lacks"] = told(&inspected.lacking);
    shown["replaces"] = json!(inspected.replaces.as_ref().map(ToString::to_string));
    shown["changes"] = json!(inspected.changes);
    shown["used_by"] = json!(inspected.used_by.iter().map(|name| name.as_str()).collect::<Vec<_>>());
    shown["problems"] = inspected.problems.iter().map(place).collect();
    shown
}

fn state(plugin: &PluginState) -> Value {
    let mut shown = match &plugin.manifest {
        Some(manifest) => said(manifest),
        None => json!({"library": plugin.library.as_str(), "version": plugin.version.to_string(), "steps": []}),
    };
    let figures = &plugin.figures;
    let failures: serde_json::Map<String, Value> =
        figures.failures.iter().map(|(code, count)| (code.to_string(), json!(count))).collect();
    shown["state"] = json!(word(plugin));
    shown["digest"] = json!(plugin.digest.to_string());
    shown["origin"] = json!(plugin.origin.as_str());
    shown["solution"] = json!(plugin.solution.as_str());
    shown["signed_by"] = json!(plugin.signed_by.as_str());
    shown["installed_on"] = json!(plugin.installed_on.to_string());
    shown["quarantined"] = json!(plugin.quarantined.as_deref());
    shown["quarantine"] = plugin.resting.as_ref().map(quarantine).unwrap_or_default();
    shown["withdrawn_on"] = json!(plugin.withdrawn.map(|on| on.to_string()));
    shown["not_compiled"] = json!(match &plugin.compiles {
        Some(Compiles::Failed(why)) => Some(why.as_str()),
        Some(Compiles::Underway) | None => None,
    });
    shown["asks"] = told(&plugin.asked);
    shown["granted"] = told(&plugin.granted);
    shown["lacks"] = told(&plugin.lacking);
    shown["used_by"] = json!(plugin.used_by.iter().map(|name| name.as_str()).collect::<Vec<_>>());
    shown["figures"] = json!({
        "calls": figures.calls,
        "failures": failures,
        "p50_micros": figures.p50_micros,
        "p99_micros": figures.p99_micros,
        "cpu_p50_micros": figures.cpu_p50_micros,
        "cpu_p99_micros": figures.cpu_p99_micros,
        "memory_bytes": figures.memory,
        "last_failure": figures.last_failure.as_ref().map(|(at, why)| json!({"at": at.to_string(), "text": why.as_str()})),
    });
    shown
}

/// How a version stands that is not called, or called on probation.
fn quarantine(resting: &Resting) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "reason": resting.why.as_str(),
        "since": time(resting.since),
        "next_trial_on": time(resting.trial.filter(|_| resting.probation.is_none())),
        "failed_trials": resting.failed,
        "on_probation_since": time(resting.probation),
        "waiting_jobs": resting.jobs,
    })
}

/// How a version stands, in one word.
fn word(plugin: &PluginState) -> &'static str {
    match plugin {
        PluginState { quarantined: Some(_), .. } => "quarantined",
        PluginState { resting: Some(_), .. } => "on-probation",
        PluginState { compiles: Some(Compiles::Underway), .. } => "compiling",
        PluginState { compiles: Some(Compiles::Failed(_)), .. } => "not-compiled",
        PluginState { manifest: None, .. } => "broken",
        PluginState { withdrawn: Some(_), .. } => "withdrawn",
        PluginState { lacking, .. } if !lacking.is_empty() => "lacks-grants",
        _ => "ready",
    }
}
