//! Scripts (formats 10): the manifest in a script's leading comment, and the check of the program behind it.

mod example;

use std::sync::Arc;

use model::{
    Schema, StepName, ValueType,
    package::{Claims, Manifest, Script, StepDefinition, StepKind},
    process::email::EmailTemplate,
    refusal::Problem,
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
        "version",
        "title",
        "description",
        "inputs",
        "outputs",
        "errors",
        "uses",
        "external",
        "examples",
    ],
    // An action names a script as its body; limits an operator raises by `plugin grant`.
    later: &["action", "entity", "limits"],
};

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

/// The script in `file`, checked against a schema; all problems if there is an error.
pub fn read_script(file: &SourceFile, schema: &Schema) -> Result<(Script, Manifest), Vec<Problem>> {
    let names = Names::new(schema, &NoSteps, jiff::tz::TimeZone::UTC);
    let mut problems = Vec::new();
    let script = convert(file, &names, &mut problems);
    report::sort(&mut problems);
    script.ok_or(problems)
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
    let errors = problems.len();
    check_program(file, text, &manifest.steps[0], names, problems);
    if problems.len() > errors {
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
        whole.error(Place::START, "the file is not UTF-8 text");
        problems.extend(whole.problems());
        return None;
    };
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
        report.error_with(at(&found), found.message.clone(), found.hint.clone());
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
    let (kind, name) = kind_and_name(&fields, node);
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
    let examples = example::examples(&fields, (&inputs, &outputs), names);
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
            claims: Claims { examples, ..Claims::default() },
        }],
    })
}

/// What the script is, and its name.
fn kind_and_name(fields: &Fields<'_>, node: &Node) -> (StepKind, Option<StepName>) {
    match (node.get("action"), fields.get("condition"), fields.get("step")) {
        // Reported already, and no step is wanted then.
        (Some(_), ..) => (StepKind::Action, None),
        (None, Some(_), None) => (StepKind::Condition, fields.need_name("condition")),
        (None, Some(_), Some(_)) => {
            fields.report.error(fields.place_of("condition"), "a script is a `step` or a `condition`, one of them");
            (StepKind::Condition, None)
        }
        (None, None, _) => (StepKind::Step, fields.need_name("step")),
    }
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
