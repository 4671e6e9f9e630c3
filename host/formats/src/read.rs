//! A solution's files become one checked whole (formats 1, 11).
//!
//! In order: what each file is, the solution, choices, entities, the schema as it will be, scripts, processes, imports,
//! security. Each stage goes on with what is right, so that all problems are found in one go.

mod files;
mod schema;

use std::{collections::HashSet, sync::Arc};

use jiff::tz::TimeZone;
use model::{
    EntityId, ProcessName, Schema,
    entity::ChoiceDefinition,
    package::Manifest,
    package::Script,
    process::{
        email::EmailTemplate,
        flow::{Flow, FlowLimits},
        workflow::Workflow,
    },
    refusal::Problem,
    step::Limits,
};
use smol_str::SmolStr;

use crate::{
    definitions::Definitions,
    entity::EntityFile,
    flow,
    import::{self, ImportMap},
    manifest::{self, WithScripts},
    names::{Mention, Names, Steps},
    numbering::Numbers,
    report,
    security::{self, SecurityFile},
    solution::{self, SolutionHeader},
    source::{SourceFile, Sourced},
    template,
    workflow::{self, Callable},
};
use files::{Files, Sheet};

/// The kinds of processes that run as one program of steps.
const PROCESSES: [&str; 3] = ["workflow", "action", "task-flow"];

/// What the store has already.
pub struct Base<'a> {
    /// The numbers of entities, attributes and keys.
    pub numbers: &'a Numbers,
    /// The entities and choices, those of the starter organisation too.
    pub definitions: &'a Definitions,
    /// The custom steps that are installed.
    pub steps: &'a dyn Steps,
    /// The processes.
    pub processes: &'a [KnownProcess],
    /// The roles, units, teams, users and queues that solutions brought.
    pub security: &'a [KnownSecurity],
    /// The time zone of the organisation, for solutions without one.
    pub time_zone: TimeZone,
    /// How much a flow may hold. What was applied before is read whatever it holds.
    pub flow_limits: FlowLimits,
    /// The most that a script may give itself of the limits of a call. What was applied before is read whatever it wants.
    pub script_limits: Limits,
}

/// A process that the store has.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownProcess {
    /// Its name.
    pub name: ProcessName,
    /// Its entity.
    pub entity: Option<EntityId>,
    /// The solution that brought it.
    pub solution: SmolStr,
    /// How those that call it see it.
    pub call: Callable,
}

/// A role, unit, team, user or queue that a solution brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSecurity {
    /// The word of its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: SmolStr,
    /// The solution that brought it.
    pub solution: SmolStr,
}

/// A solution whose files are right.
#[derive(Clone, Debug)]
pub struct Solution {
    /// What `solution.yaml` says.
    pub header: Sourced<SolutionHeader>,
    /// Its entities and its extensions of others.
    pub entities: Vec<Sourced<EntityFile>>,
    /// Its choices.
    pub choices: Vec<Sourced<ChoiceDefinition>>,
    /// Everything that the store will have defined.
    pub definitions: Definitions,
    /// The numbers, those of what is new too.
    pub numbers: Numbers,
    /// The schema as it will be.
    pub schema: Schema,
    /// Its templates of mail.
    pub templates: Vec<Sourced<Arc<EmailTemplate>>>,
    /// Its workflows.
    pub workflows: Vec<Sourced<Workflow>>,
    /// Its business process flows.
    pub flows: Vec<Sourced<Flow>>,
    /// Its scripts with what they say of themselves.
    pub scripts: Vec<(Arc<Script>, Manifest)>,
    /// Its components: path and bytes, looked into by the sandbox.
    pub plugins: Vec<(SmolStr, Arc<[u8]>)>,
    /// Its imports.
    pub imports: Vec<Sourced<ImportMap>>,
    /// Its roles, units, teams, users and queues, each kind after those that it may name.
    pub security: Vec<Sourced<SecurityFile>>,
    /// Its scenario pages: path and text.
    pub cases: Vec<(SmolStr, Arc<str>)>,
    /// The records that its definitions name.
    pub mentions: Vec<Mention>,
    /// What is possible but seldom meant.
    pub warnings: Vec<Problem>,
}

/// Reads a solution. All problems at once, sorted by file and line, if one of them is an error.
pub fn read(files: &[SourceFile], base: &Base<'_>) -> Result<Solution, Vec<Problem>> {
    let mut problems = Vec::new();
    let files = Files::open(files, &mut problems);
    let solution = read_files(&files, base, &mut problems);
    problems.extend(files.into_problems());
    report::sort(&mut problems);
    let wrong = problems.iter().any(|problem| !problem.warning);
    match solution {
        Some(solution) if !wrong => Ok(Solution { warnings: problems, ..solution }),
        _ => Err(problems),
    }
}

fn read_files(files: &Files<'_>, base: &Base<'_>, problems: &mut Vec<Problem>) -> Option<Solution> {
    let header = header(files, problems);
    let name = header.as_ref().map_or_else(SmolStr::default, |header| header.value.name.clone());
    let zone = header.as_ref().map_or(base.time_zone.clone(), |header| header.value.zone(&base.time_zone));
    let prefix = header.as_ref().map_or_else(SmolStr::default, |header| header.value.prefix.clone());
    let next = schema::next(files, base, (&name, &prefix), &zone)?;
    let mut names = Names::new(&next.schema, base.steps, zone);
    names.broken = next.broken;
    names.broken_attributes = next.broken_attributes;
    names.flow_limits = base.flow_limits;
    names.script_limits = base.script_limits;
    let scripts = scripts(files, &names, problems);
    let (mut steps, broken_steps) = steps(&scripts, base, files);
    let templates = templates(files, &names, base, &name);
    names.broken_templates = files.of_kind("email-template").filter_map(Sheet::name).collect();
    for template in &templates {
        names.broken_templates.remove(&template.value.name);
        steps.templates.push(template.value.clone());
    }
    names.steps = &steps;
    names.broken_steps = broken_steps;
    names.callables = callables(files, &names, base, &prefix);
    names.tasks = Some(names.callables.iter().filter_map(|known| known.privilege.clone()).collect());
    let workflows = workflows(files, &names, base, &name);
    let flows = flows(files, &names, base, (&name, &prefix));
    let imports = imports(files, &names);
    let security = security(files, &names, base, &name);
    let mentions = names.mentions.take();
    drop(names);
    Some(Solution {
        header: header?,
        entities: next.entities,
        choices: next.choices,
        definitions: next.definitions,
        numbers: next.numbers,
        templates,
        workflows,
        flows,
        scripts: scripts.into_iter().map(|(script, manifest)| (Arc::new(script), manifest)).collect(),
        plugins: files.plugins.clone(),
        imports,
        security,
        cases: files.cases.clone(),
        mentions,
        warnings: Vec::new(),
        schema: next.schema,
    })
}

fn header(files: &Files<'_>, problems: &mut Vec<Problem>) -> Option<Sourced<SolutionHeader>> {
    let Some(sheet) = files.of_kind("solution").next() else {
        if !files.has("solution.yaml") {
            problems.push(Problem {
                file: "solution.yaml".into(),
                line: 1,
                column: 1,
                length: 0,
                message: "the solution has no `solution.yaml`".to_owned(),
                hint: Some("it begins with `kind: solution`, `name`, `version` and `prefix`".to_owned()),
                warning: false,
            });
        }
        return None;
    };
    let tree = sheet.tree.as_ref()?;
    let header = solution::convert(&sheet.report, tree)?;
    Some(Sourced::new(header, &sheet.report, tree))
}

fn scripts(files: &Files<'_>, names: &Names<'_>, problems: &mut Vec<Problem>) -> Vec<(Script, Manifest)> {
    let mut scripts: Vec<(Script, Manifest)> = Vec::new();
    for file in &files.scripts {
        let Some((script, manifest)) = manifest::convert(file, names, problems) else { continue };
        let twice = scripts.iter().find(|(_, other)| other.steps[0].name == manifest.steps[0].name);
        if let Some((other, _)) = twice {
            problems.push(Problem {
                file: file.path.clone(),
                line: 1,
                column: 1,
                length: 0,
                message: format!("step `{}` is defined in `{}` already", manifest.steps[0].name, other.file),
                hint: None,
                warning: false,
            });
        }
        scripts.push((script, manifest));
    }
    scripts
}

/// The steps as they will be, and the names of those whose scripts have errors.
fn steps<'a>(
    scripts: &[(Script, Manifest)],
    base: &Base<'a>,
    files: &Files<'_>,
) -> (WithScripts<'a>, HashSet<SmolStr>) {
    let own = scripts
        .iter()
        .flat_map(|(_, manifest)| manifest.steps.iter().map(|step| (manifest.version.clone(), step.clone())));
    let read: HashSet<&str> = scripts.iter().map(|(script, _)| script.file.as_str()).collect();
    let broken = files.scripts.iter().filter(|file| !read.contains(file.path.as_str()));
    let named = broken.filter_map(|file| step_in(&String::from_utf8_lossy(&file.bytes)));
    (WithScripts { scripts: own.collect(), templates: Vec::new(), installed: base.steps }, named.collect())
}

/// The step that a script with errors probably defines: its name, so that its users are not reported too.
fn step_in(text: &str) -> Option<SmolStr> {
    let (key, line) = text.lines().take(20).find_map(|line| {
        let (key, name) = line.trim().split_once(':')?;
        ["step", "condition", "action"].contains(&key).then_some((key, name))
    })?;
    let name = line.trim().trim_matches('"');
    match key {
        "action" => manifest::name_of_action(name).map(|name| name.as_str().into()),
        _ => Some(name.into()),
    }
}

/// What processes may call, start or move: those of the files, and those that the store has.
fn callables(files: &Files<'_>, names: &Names<'_>, base: &Base<'_>, prefix: &str) -> Vec<Callable> {
    let sheets = files.sheets().filter(|sheet| PROCESSES.contains(&sheet.kind));
    let mut all: Vec<Callable> = sheets.filter_map(|sheet| workflow::signature(sheet.tree.as_ref()?, names)).collect();
    let flows = files.of_kind("business-process-flow");
    all.extend(flows.filter_map(|sheet| flow::signature(sheet.tree.as_ref()?, names, prefix)));
    let known = base.processes.iter().map(|known| &known.call);
    let others: Vec<Callable> = known.filter(|known| all.iter().all(|own| own.name != known.name)).cloned().collect();
    all.extend(others);
    all
}

fn templates(
    files: &Files<'_>,
    names: &Names<'_>,
    base: &Base<'_>,
    solution: &SmolStr,
) -> Vec<Sourced<Arc<EmailTemplate>>> {
    let known = base.steps.templates();
    let read = files.of_kind("email-template").filter_map(|sheet| {
        let tree = sheet.tree.as_ref()?;
        let template = template::convert(&sheet.report, tree, names, solution)?;
        let taken = known.iter().find(|known| known.name == template.name && known.solution != *solution);
        if let Some(known) = taken {
            let message = format!("solution `{}` has an email template `{}` already", known.solution, known.name);
            sheet.report.error(sheet.place_of("name"), message);
        }
        Some(Sourced::new(Arc::new(template), &sheet.report, tree))
    });
    read.collect()
}

fn workflows(files: &Files<'_>, names: &Names<'_>, base: &Base<'_>, solution: &SmolStr) -> Vec<Sourced<Workflow>> {
    let read = files.sheets().filter(|sheet| PROCESSES.contains(&sheet.kind)).filter_map(|sheet| {
        let tree = sheet.tree.as_ref()?;
        let workflow = workflow::convert(&sheet.report, tree, names)?;
        check_known(sheet, &workflow.header.name, workflow.entity, base, solution);
        let sourced = Sourced::new(workflow, &sheet.report, tree);
        Some(match sheet.whole {
            None => sourced,
            Some(whole) => Sourced { text: whole.into(), ..sourced },
        })
    });
    read.collect()
}

fn flows(
    files: &Files<'_>,
    names: &Names<'_>,
    base: &Base<'_>,
    (solution, prefix): (&SmolStr, &SmolStr),
) -> Vec<Sourced<Flow>> {
    let read = files.of_kind("business-process-flow").filter_map(|sheet| {
        let tree = sheet.tree.as_ref()?;
        let flow = flow::convert(&sheet.report, tree, names, prefix)?;
        check_known(sheet, &flow.header.name, Some(flow.entity), base, solution);
        Some(Sourced::new(flow, &sheet.report, tree))
    });
    read.collect()
}

/// What the store has under the process's name belongs to the same solution and runs on the same entity.
fn check_known(sheet: &Sheet<'_>, name: &ProcessName, entity: Option<EntityId>, base: &Base<'_>, solution: &SmolStr) {
    let Some(known) = base.processes.iter().find(|known| known.name == *name) else { return };
    if known.solution != *solution {
        let message = format!("solution `{}` has a process `{}` already", known.solution, known.name);
        sheet.report.error(sheet.place_of("name"), message);
    } else if known.entity != entity {
        let message = format!("the entity of `{}` is fixed since it was applied", known.name);
        sheet.report.error(sheet.place_of("entity"), message);
    }
}

fn imports(files: &Files<'_>, names: &Names<'_>) -> Vec<Sourced<ImportMap>> {
    let read = files.of_kind("import").filter_map(|sheet| {
        let tree = sheet.tree.as_ref()?;
        let heading = |table: &str| {
            let path = import::beside(&sheet.report.file, table);
            let bytes = files.tables.iter().find(|(known, _)| *known == path).map(|(_, bytes)| bytes)?;
            import::table(bytes, &path).ok().map(|table| table.headers)
        };
        let map = import::convert(&sheet.report, tree, names, &heading)?;
        Some(Sourced::new(map, &sheet.report, tree))
    });
    read.collect()
}

fn security(files: &Files<'_>, names: &Names<'_>, base: &Base<'_>, solution: &SmolStr) -> Vec<Sourced<SecurityFile>> {
    let mut read = Vec::new();
    for (kind, _) in security::KINDS {
        for sheet in files.of_kind(kind) {
            let Some(tree) = &sheet.tree else { continue };
            let Some(file) = SecurityFile::convert(kind, &sheet.report, tree, names) else { continue };
            let known = base.security.iter().find(|known| known.kind == kind && known.name == *file.name());
            if let Some(other) = known.filter(|known| known.solution != *solution) {
                let message = format!("solution `{}` has a {kind} `{}` already", other.solution, other.name);
                sheet.report.error(sheet.place_of("name"), message);
            }
            read.push((sheet, Sourced::new(file, &sheet.report, tree)));
        }
    }
    check_circles(&read);
    read.into_iter().map(|(_, file)| file).collect()
}

/// Reports units, and users with their managers, that stand above themselves.
fn check_circles(files: &[(&Sheet<'_>, Sourced<SecurityFile>)]) {
    fn above(file: &SecurityFile) -> Option<(&'static str, &SmolStr)> {
        match file {
            SecurityFile::Unit(unit) => Some(("parent", unit.parent.as_ref()?)),
            SecurityFile::User(user) => Some(("manager", user.manager.as_ref()?)),
            _ => None,
        }
    }
    let find = |kind: &str, name: &SmolStr| {
        files.iter().map(|(_, file)| &file.value).find(|file| file.kind() == kind && file.name() == name)
    };
    for (sheet, file) in files {
        let Some((key, first)) = above(&file.value) else { continue };
        let (kind, name) = (file.value.kind(), file.value.name());
        let mut way: Vec<&SmolStr> = vec![first];
        while let Some((_, next)) = way.last().and_then(|last| find(kind, last)).and_then(above) {
            match way.contains(&next) {
                true => break,
                false => way.push(next),
            }
        }
        // One that stands above itself at once is reported where it is read.
        if way.len() > 1 && way.contains(&name) {
            let message = format!(
                "`{name}` stands above itself: {name}, {}",
                way.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
            );
            sheet.report.error(sheet.place_of(key), message);
        }
    }
}

/// A role, unit, team, user or queue in canonical JSON, as it was kept.
pub fn security_from_json(bytes: &[u8], schema: &Schema, steps: &dyn Steps) -> Result<SecurityFile, Vec<Problem>> {
    let text = String::from_utf8_lossy(bytes);
    let report = report::Report::new("a kept definition", &text);
    let names = Names::new(schema, steps, TimeZone::UTC);
    let file = crate::tree::parse(&text, &report)
        .and_then(|tree| SecurityFile::convert(crate::header::kind_of(&tree)?, &report, &tree, &names));
    file.ok_or_else(|| report.problems())
}

/// The process in canonical JSON, as it was kept, against the schema as it is: how activations are compiled again.
pub fn workflow_from_json(bytes: &[u8], schema: &Schema, steps: &dyn Steps) -> Result<Workflow, Vec<Problem>> {
    workflow_in_zone(bytes, schema, steps, &[], TimeZone::UTC)
}

/// The same for a solution whose days begin in `zone`, beside processes that it may call.
pub fn workflow_in_zone(
    bytes: &[u8],
    schema: &Schema,
    steps: &dyn Steps,
    callables: &[Callable],
    zone: TimeZone,
) -> Result<Workflow, Vec<Problem>> {
    let text = String::from_utf8_lossy(bytes);
    let report = report::Report::new("a kept workflow", &text);
    let mut names = Names::new(schema, steps, zone);
    names.callables = callables.to_vec();
    let workflow = crate::tree::parse(&text, &report).and_then(|tree| workflow::convert(&report, &tree, &names));
    workflow.ok_or_else(|| report.problems())
}

/// The flow in canonical JSON, as it was kept, of a solution with this prefix whose days begin in `zone`.
pub fn flow_from_json(
    bytes: &[u8],
    schema: &Schema,
    steps: &dyn Steps,
    callables: &[Callable],
    (prefix, zone): (&str, TimeZone),
) -> Result<Flow, Vec<Problem>> {
    let text = String::from_utf8_lossy(bytes);
    let report = report::Report::new("a kept flow", &text);
    let mut names = Names::new(schema, steps, zone);
    names.callables = callables.to_vec();
    let flow = crate::tree::parse(&text, &report).and_then(|tree| flow::convert(&report, &tree, &names, prefix));
    flow.ok_or_else(|| report.problems())
}

/// What a kept process shows to those that call it; nothing where it cannot be read.
pub fn callable_from_json(bytes: &[u8], schema: &Schema, steps: &dyn Steps) -> Option<Callable> {
    let text = String::from_utf8_lossy(bytes);
    let report = report::Report::new("a kept workflow", &text);
    let names = Names::new(schema, steps, TimeZone::UTC);
    workflow::signature(&crate::tree::parse(&text, &report)?, &names)
}

/// What a kept flow of a solution with this prefix shows to steps; nothing where it cannot be read.
pub fn called_flow_from_json(bytes: &[u8], schema: &Schema, steps: &dyn Steps, prefix: &str) -> Option<Callable> {
    let text = String::from_utf8_lossy(bytes);
    let report = report::Report::new("a kept flow", &text);
    let names = Names::new(schema, steps, TimeZone::UTC);
    flow::signature(&crate::tree::parse(&text, &report)?, &names, prefix)
}

/// An email template in canonical JSON, as it was kept.
pub fn template_from_json(
    bytes: &[u8],
    schema: &Schema,
    zone: TimeZone,
    solution: &SmolStr,
) -> Result<EmailTemplate, Vec<Problem>> {
    let text = String::from_utf8_lossy(bytes);
    let report = report::Report::new("a kept template", &text);
    let names = Names::new(schema, &manifest::NoSteps, zone);
    let tree = crate::tree::parse(&text, &report);
    let template = tree.and_then(|tree| template::convert(&report, &tree, &names, solution));
    template.ok_or_else(|| report.problems())
}

/// The head of a solution in canonical JSON, as it was kept.
pub fn solution_from_json(bytes: &[u8]) -> Result<SolutionHeader, Vec<Problem>> {
    let text = String::from_utf8_lossy(bytes);
    let report = report::Report::new("a kept solution", &text);
    let header = crate::tree::parse(&text, &report).and_then(|tree| solution::convert(&report, &tree));
    header.ok_or_else(|| report.problems())
}
