//! Scripts (formats 10): the manifest in a script's leading comment, and the check of the program behind it.

pub(crate) mod action;
mod example;
mod limits;

use std::sync::Arc;

use model::{
    EntityName, ProcessName, Schema, StepName, ValueType,
    package::{Claims, Manifest, Script, StepDefinition, StepKind},
    process::email::EmailTemplate,
    refusal::Problem,
    step::Limits,
};
use smol_str::SmolStr;

use crate::{
    argument,
    fields::{Fields, Keys, word},
    header::parts,
    names::{Names, Steps},
    report::{self, Report},
    solution::read_version,
    source::{SourceFile, digest},
    tree::{self, Kind, Node, Place, Writing},
};

const SCRIPT: Keys = Keys {
    what: "a script's manifest",
    known: &[
        "step",
        "condition",
        "action",
        "version",
        "title",
        "description",
        "entity",
        "privilege",
        "inputs",
        "outputs",
        "errors",
        "uses",
        "external",
        "limits",
        "examples",
    ],
    later: &[],
};

/// The library of an action whose name says none.
const ACTIONS: &str = "actions";

/// The verbs that a script may say it uses.
const VERBS: [(&str, &str); 8] = [
    ("retrieve", "retrieve"),
    ("query", "query"),
    ("create", "create"),
    ("update", "update"),
    ("delete", "delete"),
    ("assign", "assign"),
    ("set-status", "set-status"),
    ("share", "share"),
];

/// The script in `file`, checked against a schema; all errors if there is one. A script gives itself the limits that
/// a daemon allows whose operator said nothing.
pub fn read_script(file: &SourceFile, schema: &Schema) -> Result<(Script, Manifest), Vec<Problem>> {
    read_script_within(file, schema, Limits::OF_SCRIPTS)
}

/// The same where a script gives itself `most` at most.
pub fn read_script_within(
    file: &SourceFile,
    schema: &Schema,
    most: Limits,
) -> Result<(Script, Manifest), Vec<Problem>> {
    let mut names = Names::new(schema, &NoSteps, jiff::tz::TimeZone::UTC);
    names.script_limits = most;
    let mut problems = Vec::new();
    let script = convert(file, &names, &mut problems);
    problems.retain(|problem| !problem.warning);
    report::sort(&mut problems);
    script.ok_or(problems)
}

/// What a script says of itself, as far as it can be read, and all that is wrong with it or seldom meant.
pub fn check_script(file: &SourceFile, schema: &Schema, most: Limits) -> (Option<Manifest>, Vec<Problem>) {
    let mut names = Names::new(schema, &NoSteps, jiff::tz::TimeZone::UTC);
    names.script_limits = most;
    let mut problems = Vec::new();
    let headed = headed(file, &names, &mut problems);
    let manifest = headed.map(|(text, manifest)| {
        check_program(file, text, &manifest.steps[0], &names, &mut problems);
        manifest
    });
    report::sort(&mut problems);
    (manifest, problems)
}

/// A script that the store has kept: its manifest, and what is wrong with its program by this schema. A program with
/// mistakes is told where it is used and keeps nothing else from running; without a manifest there is nothing to call.
pub fn read_kept_script(file: &SourceFile, schema: &Schema) -> Result<(Script, Manifest, Vec<Problem>), Vec<Problem>> {
    let names = Names::new(schema, &NoSteps, jiff::tz::TimeZone::UTC);
    let mut problems = Vec::new();
    let read = headed(file, &names, &mut problems).filter(|_| problems.iter().all(|problem| problem.warning));
    let Some((text, manifest)) = read else {
        report::sort(&mut problems);
        return Err(problems);
    };
    let mut wrong = Vec::new();
    check_program(file, text, &manifest.steps[0], &names, &mut wrong);
    wrong.retain(|problem| !problem.warning);
    report::sort(&mut wrong);
    Ok((script_of(file, text), manifest, wrong))
}

/// Where nothing is installed.
pub(crate) struct NoSteps;

impl Steps for NoSteps {
    fn step(&self, _: &StepName, _: Option<&semver::VersionReq>) -> Option<&StepDefinition> {
        None
    }

    fn names(&self) -> Vec<StepName> {
        Vec::new()
    }
}

/// The script in `file`; what is wrong with it goes to `problems`.
pub(crate) fn convert(file: &SourceFile, names: &Names<'_>, problems: &mut Vec<Problem>) -> Option<(Script, Manifest)> {
    let (text, manifest) = headed(file, names, problems)?;
    let before = problems.len();
    check_program(file, text, &manifest.steps[0], names, problems);
    if problems[before..].iter().any(|problem| !problem.warning) {
        return None;
    }
    Some((script_of(file, text), manifest))
}

fn script_of(file: &SourceFile, text: &str) -> Script {
    Script { digest: digest(&file.bytes), file: file.path.clone(), text: text.into() }
}

/// The text and the manifest at its head.
fn headed<'f>(file: &'f SourceFile, names: &Names<'_>, problems: &mut Vec<Problem>) -> Option<(&'f str, Manifest)> {
    let whole = Report::new(file.path.clone(), "");
    let Ok(text) = std::str::from_utf8(&file.bytes) else {
        let hint = Some("save it as UTF-8".to_owned());
        whole.error_with(Place::START, "the file is not UTF-8 text", hint);
        problems.extend(whole.problems());
        return None;
    };
    // Some editors begin a file with a mark that nobody sees.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > tree::MAX_BYTES {
        whole.error(Place::START, format!("the file has {} bytes; at most {} are read", text.len(), tree::MAX_BYTES));
        problems.extend(whole.problems());
        return None;
    }
    let split = match script::manifest::split(text) {
        Ok(split) => split,
        Err(found) => {
            whole.error_with(at(&found), found.message.clone(), found.hint.clone());
            problems.extend(whole.problems());
            return None;
        }
    };
    let report = Report::inside(file.path.clone(), split.yaml, split.yaml_line);
    let manifest = tree::parse(split.yaml, &report).and_then(|tree| manifest(&report, &tree, names));
    problems.extend(report.problems());
    Some((text, manifest?))
}

/// What is wrong with the program; a script is called like its step.
fn check_program(file: &SourceFile, text: &str, step: &StepDefinition, names: &Names<'_>, problems: &mut Vec<Problem>) {
    let report = Report::new(file.path.clone(), text);
    for found in script::check::check(text, step, names.schema) {
        match found.warning {
            true => report.warn(at(&found), found.message.clone(), found.hint.clone()),
            false => report.error_with(at(&found), found.message.clone(), found.hint.clone()),
        }
    }
    let own = step.name.as_str().split_once('.').map_or("", |(_, own)| own);
    if parts(&file.path).is_some_and(|(directory, stem, _)| !directory.is_empty() && stem != own) {
        let hint = Some(format!("call the file `{own}.rhai`"));
        report.error_with(Place::START, format!("`{}` is defined in a file of another name", step.name), hint);
    }
    problems.extend(report.problems());
}

fn at(found: &script::Diagnostic) -> Place {
    Place { line: found.line, column: found.column, length: found.length, writing: Writing::Other }
}

fn manifest(report: &Report<'_>, node: &Node, names: &Names<'_>) -> Option<Manifest> {
    let fields = Fields::open(report, node, node.place, &SCRIPT)?;
    let (kind, name) = kind_and_name(&fields);
    let entity = bound_to(&fields, kind, names);
    let version = match fields.get("version") {
        None => Some(semver::Version::new(1, 0, 0)),
        Some(node) => read_version(report, node),
    };
    let errors = report.errors();
    let inputs = argument::convert_all(report, fields.map("inputs"), names);
    let outputs = argument::convert_all(report, fields.map("outputs"), names);
    let declared = fields
        .map("errors")
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), crate::fields::text(report, &entry.value, &entry.key)?)));
    let declared = declared.collect();
    let uses = uses(&fields, names);
    let external = fields.boolean("external", false);
    if external && kind != StepKind::Step {
        let message = "only a `step` reaches other hosts: an action and a condition answer at once";
        report.error(fields.place_of("external"), message);
    }
    let limits = limits::read(&fields, name.as_ref().map(StepName::as_str), names.script_limits);
    let examples = example::examples(&fields, (&inputs, &outputs), entity.as_ref(), names);
    if kind == StepKind::Condition && !matches!(outputs.as_slice(), [one] if one.kind.value_type == ValueType::Boolean)
    {
        let hint = Some("write `outputs: { holds: { type: boolean } }`".to_owned());
        report.error_with(fields.place_of("outputs"), "a condition has one output, a boolean", hint);
    }
    let (name, version) = (name?, version?);
    let title = fields.text("title").unwrap_or_else(|| name.to_string());
    let description = fields.text("description").unwrap_or_default();
    if report.errors() > errors {
        return None;
    }
    Some(Manifest {
        library: name.library().into(),
        version,
        title: title.clone(),
        description: description.clone(),
        wants: Default::default(),
        steps: vec![StepDefinition {
            name,
            kind,
            title,
            description,
            inputs,
            outputs,
            errors: declared,
            uses,
            external,
            claims: Claims { examples, entity, limits, ..Claims::default() },
        }],
    })
}

/// What the script is, and its name.
fn kind_and_name(fields: &Fields<'_>) -> (StepKind, Option<StepName>) {
    const KINDS: [(&str, StepKind); 3] =
        [("step", StepKind::Step), ("condition", StepKind::Condition), ("action", StepKind::Action)];
    let said: Vec<_> = KINDS.into_iter().filter(|(key, _)| fields.get(key).is_some()).collect();
    match said.as_slice() {
        [] => (StepKind::Step, fields.need_name("step")),
        [("action", kind)] => (*kind, action_name(fields)),
        [(key, kind)] => (*kind, fields.need_name(key)),
        [_, (key, kind), ..] => {
            let message = "a script is a `step`, a `condition` or an `action`, one of them";
            fields.report.error(fields.place_of(key), message);
            (*kind, None)
        }
    }
}

/// `grace`, or `lending.grace` with a library as steps have one.
fn action_name(fields: &Fields<'_>) -> Option<StepName> {
    let text = fields.text("action")?;
    if text.contains('.') {
        return fields.name("action");
    }
    let name: ProcessName = fields.name("action")?;
    name_of_action(name.as_str())
}

/// The step behind the action of this name.
pub(crate) fn name_of_action(written: &str) -> Option<StepName> {
    match written.contains('.') {
        true => StepName::parse(written).ok(),
        false => StepName::parse(&format!("{ACTIONS}.{written}")).ok(),
    }
}

/// The entity that an action is bound to, and that only an action says what belongs to one.
fn bound_to(fields: &Fields<'_>, kind: StepKind, names: &Names<'_>) -> Option<EntityName> {
    for key in ["entity", "privilege"] {
        if kind != StepKind::Action && fields.get(key).is_some() {
            let hint = (key == "entity").then(|| "what a step works on is one of its `inputs`".to_owned());
            fields.report.error_with(fields.place_of(key), format!("`{key}` is for actions only"), hint);
        }
    }
    let node = fields.get("entity").filter(|node| node.as_text() != Some("none"))?;
    let name: EntityName = fields.name("entity")?;
    names.entity(fields.report, name.as_str(), node.place).one().map(|entity| entity.name().clone())
}

fn uses(fields: &Fields<'_>, names: &Names<'_>) -> Vec<(SmolStr, Vec<SmolStr>)> {
    let report = fields.report;
    let mut uses = Vec::new();
    for entry in fields.map("uses") {
        if entry.key == "actions" {
            let Kind::List(items) = &entry.value.kind else {
                let message = format!("`actions` names a list of actions, not {}", entry.value.in_words());
                report.error(entry.value.place, message);
                continue;
            };
            // An action may come from another solution, later: whether it is there is asked when it is called.
            let actions = items.iter().filter_map(|item| crate::fields::text(report, item, "actions"));
            uses.push((entry.key.clone(), actions.map(SmolStr::from).collect()));
            continue;
        }
        names.is_entity(report, &entry.key, entry.place);
        let Kind::List(items) = &entry.value.kind else {
            report.error(entry.value.place, format!("`uses` names a list of verbs, not {}", entry.value.in_words()));
            continue;
        };
        let verbs = items.iter().filter_map(|item| word(report, item, "a verb", &VERBS).map(SmolStr::new_static));
        uses.push((entry.key.clone(), verbs.collect()));
    }
    uses
}

/// The custom steps of a solution's own scripts, before those that are installed.
pub(crate) struct WithScripts<'a> {
    /// The steps of the scripts, with their versions.
    pub scripts: Vec<(semver::Version, StepDefinition)>,
    /// The templates of mail.
    pub templates: Vec<Arc<EmailTemplate>>,
    /// Those that are installed.
    pub installed: &'a dyn Steps,
}

impl Steps for WithScripts<'_> {
    fn step(&self, name: &StepName, version: Option<&semver::VersionReq>) -> Option<&StepDefinition> {
        let fits = |known: &&(semver::Version, StepDefinition)| {
            known.1.name == *name && version.is_none_or(|range| range.matches(&known.0))
        };
        let own = self.scripts.iter().find(fits).map(|(_, definition)| definition);
        own.or_else(|| self.installed.step(name, version))
    }

    fn names(&self) -> Vec<StepName> {
        let own = self.scripts.iter().map(|(_, definition)| definition.name.clone());
        own.chain(self.installed.names()).collect()
    }

    fn templates(&self) -> Vec<Arc<EmailTemplate>> {
        let is_replaced = |known: &Arc<EmailTemplate>| self.templates.iter().any(|own| own.name == known.name);
        let mut all = self.installed.templates();
        all.retain(|known| !is_replaced(known));
        all.extend(self.templates.iter().cloned());
        all
    }
}

/// A script with its manifest, as a solution brings it.
pub type Scripted = (Arc<Script>, Manifest);
