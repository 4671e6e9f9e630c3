//! Activations as the store keeps them: the definition in canonical JSON, its owner, and the custom steps it is pinned to
//! (processes 1.2, D11).
//!
//! Written by `deploy` when a definition, its owner or what it calls has changed; read when a store is opened and for jobs
//! that run an older one.

use std::sync::Arc;

use model::{
    ActivationId, Digest, ProcessName, RecordId, RecordRef, Schema, StepName, package::Code,
    process::workflow::Workflow,
};
use rules::{task_flow::Pages, workflow::Program};
use semver::{Version, VersionReq};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use smol_str::{SmolStr, format_smolstr};
use store::{
    Reader, definitions,
    packages::{Install, Kind},
};

use crate::{
    Error, Parts,
    catalogue::{self, Activation, Directory, Pins, Step, Surroundings},
    load::stored,
    packages::{first_of, steps},
};

/// What an activation says.
pub(crate) struct Kept {
    /// The definition in canonical JSON.
    pub canonical: Vec<u8>,
    /// Who owns it.
    pub owner: RecordRef,
    /// The solution by whose time it lives.
    pub solution: SmolStr,
    pins: Vec<Pin>,
    /// The email templates, by the digests of their canonical JSON.
    templates: Vec<Digest>,
}

struct Pin {
    step: StepName,
    version: Version,
    kind: Kind,
    digest: Digest,
    file: SmolStr,
}

/// The content of an activation: two with one digest run alike. The definition is named by its digest, so that its bytes
/// stay as they are.
pub(crate) fn content(definition: Digest, owner: RecordRef, solution: &str, pins: &Pins) -> (Digest, Vec<u8>) {
    let templates: Vec<Json> = pins.templates().iter().map(|(_, digest)| json!(digest.to_string())).collect();
    let pins: Vec<Json> = pins.all().map(|(range, step)| pin_in_json(range, step)).collect();
    let mut content = json!({
        "owner": { "entity": owner.entity.0, "id": owner.id.to_string() },
        "solution": solution,
        "pins": pins,
        "definition": definition.to_string(),
    });
    // Activations without mail keep the digest that they have always had.
    if !templates.is_empty() {
        content["templates"] = Json::Array(templates);
    }
    let bytes = content.to_string().into_bytes();
    (Digest(Sha256::digest(&bytes).into()), bytes)
}

fn pin_in_json(range: Option<&VersionReq>, step: &Step) -> Json {
    let (kind, file) = match &step.code {
        Code::Component(_) => ("component", SmolStr::default()),
        Code::Script(script) => ("script", script.file.clone()),
    };
    json!({
        "step": step.definition.name.as_str(),
        "range": range.map(ToString::to_string),
        "version": step.version.to_string(),
        "kind": kind,
        "digest": catalogue::digest(&step.code).to_string(),
        "file": file.as_str(),
    })
}

/// What the activation with this content says.
pub(crate) fn read(reader: &dyn Reader, what: &str, digest: Digest) -> Result<Kept, Error> {
    let bytes = definitions::content(reader, digest)?.ok_or_else(|| stored(what, "its content is gone"))?;
    let json: Json = serde_json::from_slice(&bytes).map_err(|error| stored(what, error))?;
    let (mut kept, definition) = parse(&json).ok_or_else(|| stored(what, "it does not look like an activation"))?;
    let canonical = definitions::content(reader, definition)?;
    kept.canonical = canonical.ok_or_else(|| stored(what, "its definition is gone"))?.to_vec();
    Ok(kept)
}

impl Kept {
    /// Whether it calls this code.
    pub fn runs(&self, code: Digest) -> bool {
        self.pins.iter().any(|pin| pin.digest == code)
    }

    /// The components that it calls, by library and version.
    pub fn components(&self) -> impl Iterator<Item = (Digest, SmolStr)> {
        let components = self.pins.iter().filter(|pin| pin.kind == Kind::Plugin);
        components.map(|pin| (pin.digest, format_smolstr!("{} {}", pin.step.library(), pin.version)))
    }

    /// What it runs with, a line for each custom step.
    pub fn steps(&self) -> impl Iterator<Item = String> {
        self.pins.iter().map(|pin| {
            let kind = if pin.kind == Kind::Script { "script" } else { "component" };
            let digest = pin.digest.to_string();
            format!("{} {} ({kind} {})", pin.step, pin.version, digest.get(..12).unwrap_or(&digest))
        })
    }
}

fn parse(json: &Json) -> Option<(Kept, Digest)> {
    let owner = &json["owner"];
    let entity = model::EntityId(u32::try_from(owner["entity"].as_u64()?).ok()?);
    let id = RecordId(owner["id"].as_str()?.parse().ok()?);
    let pins = json["pins"].as_array()?.iter().map(parse_pin).collect::<Option<_>>()?;
    let templates = match &json["templates"] {
        Json::Array(digests) => digests.iter().map(|digest| digest.as_str()?.parse().ok()).collect::<Option<_>>()?,
        _ => Vec::new(),
    };
    let solution = json["solution"].as_str()?.into();
    let kept = Kept { canonical: Vec::new(), owner: RecordRef::new(entity, id), solution, pins, templates };
    Some((kept, json["definition"].as_str()?.parse().ok()?))
}

fn parse_pin(json: &Json) -> Option<Pin> {
    let text = |name: &str| json[name].as_str();
    Some(Pin {
        step: StepName::parse(text("step")?).ok()?,
        version: Version::parse(text("version")?).ok()?,
        kind: if text("kind")? == "script" { Kind::Script } else { Kind::Plugin },
        digest: text("digest")?.parse().ok()?,
        file: text("file")?.into(),
    })
}

/// What an activation runs by.
pub(crate) struct Compiled {
    pub workflow: Workflow,
    pub activation: Activation,
}

/// Makes a kept activation one that can run, with exactly the steps it is pinned to.
pub(crate) fn compile(
    parts: &Parts,
    reader: &dyn Reader,
    schema: &Schema,
    (installed, callables): (&Directory, &[formats::Callable]),
    id: ActivationId,
    kept: &Kept,
    surroundings: Surroundings,
) -> Result<Compiled, Error> {
    let what = format!("activation {} of process {}", id.version, id.process);
    let mut pinned = Directory::default();
    for pin in &kept.pins {
        match pinned_step(parts, reader, schema, installed, pin) {
            Ok(Some(step)) => pinned.add(step),
            Ok(None) => return Err(stored(&what, format!("custom step `{}` {} is gone", pin.step, pin.version))),
            Err(error) => return Err(error),
        }
    }
    for digest in &kept.templates {
        let json = definitions::content(reader, *digest)?.ok_or_else(|| stored(&what, "an email template is gone"))?;
        let template = formats::template_from_json(&json, schema, surroundings.time_zone.clone(), &kept.solution);
        let template = template.map_err(|problems| stored(&what, first_of(&problems)))?;
        pinned.add_template(Arc::new(template), *digest);
    }
    let workflow =
        formats::workflow_in_zone(&kept.canonical, schema, &pinned, callables, surroundings.time_zone.clone());
    let workflow = workflow.map_err(|problems| stored(&what, first_of(&problems)))?;
    let program = Program::compile(&workflow, schema, &pinned);
    let program = program.map_err(|sentences| stored(&what, sentences.join("; ")))?;
    let pages = workflow.task_flow.as_ref().map(Pages::compile).transpose();
    let pages = pages.map_err(|sentence| stored(&what, sentence))?;
    let pins = Pins::choose(&program, &pinned);
    Ok(Compiled { workflow, activation: Activation { id, program, pages, pins, surroundings } })
}

/// The step that a pin means: the installed one where it is the same, else from the bytes that were kept.
fn pinned_step(
    parts: &Parts,
    reader: &dyn Reader,
    schema: &Schema,
    installed: &Directory,
    pin: &Pin,
) -> Result<Option<Step>, Error> {
    let is_meant = |step: &&Step| step.definition.name == pin.step && catalogue::digest(&step.code) == pin.digest;
    if let Some(step) = installed.all().find(is_meant) {
        return Ok(Some(step.clone()));
    }
    let install = Install {
        library: pin.step.as_str().into(),
        version: pin.version.to_string().into(),
        kind: pin.kind,
        package: pin.digest,
        file: pin.file.clone(),
        solution: SmolStr::default(),
        installed_on: model::Timestamp::default(),
        quarantined: None,
        withdrawn: None,
        origin: SmolStr::default(),
        signed_by: SmolStr::default(),
    };
    Ok(steps(parts, reader, &install, schema)?.into_iter().find(|step| step.definition.name == pin.step))
}

/// The process's definition where it has no activation: a draft or a template.
pub(crate) fn draft(
    canonical: &[u8],
    name: &ProcessName,
    schema: &Schema,
    (installed, callables): (&Directory, &[formats::Callable]),
    surroundings: &Surroundings,
) -> Result<Arc<Workflow>, Error> {
    let workflow = formats::workflow_in_zone(canonical, schema, installed, callables, surroundings.time_zone.clone());
    workflow.map(Arc::new).map_err(|problems| stored(&format!("process `{name}`"), first_of(&problems)))
}
