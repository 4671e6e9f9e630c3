//! What each file of a solution is: by its ending, and for YAML and JSON by its `kind`.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use model::refusal::Problem;
use smol_str::SmolStr;

use crate::{
    header::{kind_of, parts},
    manifest, nearest,
    report::Report,
    source::SourceFile,
    tree::{self, Node, Place},
};

/// The kinds with the directory where each stands.
const KINDS: [(&str, &str); 14] = [
    ("solution", ""),
    ("entity", "entities"),
    ("choice", "choices"),
    ("workflow", "processes"),
    ("action", "processes"),
    ("email-template", "templates"),
    ("business-process-flow", "processes"),
    ("task-flow", "processes"),
    ("import", "data"),
    ("role", "security"),
    ("business-unit", "security"),
    ("team", "security"),
    ("user", "security"),
    ("queue", "security"),
];
/// The kinds that the format has and this version does not.
const LATER: [&str; 1] = ["automated-flow"];

/// The files of a solution, opened.
pub(super) struct Files<'f> {
    sheets: Vec<Sheet<'f>>,
    /// The scripts.
    pub scripts: Vec<SourceFile>,
    /// The components: path and bytes.
    pub plugins: Vec<(SmolStr, Arc<[u8]>)>,
    /// The tables: path and bytes.
    pub tables: Vec<(SmolStr, Arc<[u8]>)>,
    /// The scenario pages: path and text.
    pub cases: Vec<(SmolStr, Arc<str>)>,
}

/// A file with a definition.
pub(super) struct Sheet<'f> {
    /// What is wrong with it.
    pub report: Report<'f>,
    /// Its tree; absent when it cannot be read or its kind is unknown.
    pub tree: Option<Node>,
    /// Its kind.
    pub kind: &'static str,
    /// The file whole, where the definition stands at the head of a script.
    pub whole: Option<&'f str>,
}

impl Sheet<'_> {
    /// Where the value of a key of the definition stands.
    pub fn place_of(&self, key: &str) -> Place {
        self.tree.as_ref().and_then(|tree| tree.get(key)).map_or(Place::START, |node| node.place)
    }

    /// Whether the definition has this scalar at a key.
    pub fn is(&self, key: &str, value: &str) -> bool {
        let node = self.tree.as_ref().and_then(|tree| tree.get(key));
        node.and_then(Node::as_written).is_some_and(|written| written == value)
    }

    /// The name that the definition says it has.
    pub fn name(&self) -> Option<SmolStr> {
        self.tree.as_ref()?.get("name")?.as_written()
    }
}

impl<'f> Files<'f> {
    /// Opens files; what is none of a solution's (pages of prose, pictures) is left alone.
    pub fn open(files: &'f [SourceFile], problems: &mut Vec<Problem>) -> Self {
        let mut opened = Self {
            sheets: Vec::new(),
            scripts: Vec::new(),
            plugins: Vec::new(),
            tables: Vec::new(),
            cases: Vec::new(),
        };
        for file in files {
            let Some((directory, _, ending)) = parts(&file.path) else { continue };
            match (directory, ending) {
                (_, "yaml" | "json") => opened.sheets.extend(sheet(file, problems)),
                (_, "yml") => {
                    let report = Report::new(file.path.clone(), "");
                    report.error(Place::START, "files of a solution end in `.yaml`");
                    problems.extend(report.problems());
                }
                ("scripts", "rhai") => opened.scripts.push(file.clone()),
                ("plugins", "wasm") => opened.plugins.push((file.path.clone(), file.bytes.clone())),
                ("data", "csv") => opened.tables.push((file.path.clone(), file.bytes.clone())),
                ("cases", "md") => {
                    opened.cases.push((file.path.clone(), String::from_utf8_lossy(&file.bytes).as_ref().into()));
                }
                _ => {}
            }
        }
        opened.add_actions(files);
        opened.check_twice();
        opened
    }

    /// The actions that scripts are by themselves. One that a file of `kind: action` has as its body is what that file says.
    fn add_actions(&mut self, files: &'f [SourceFile]) {
        let bodies: HashSet<SmolStr> = self
            .of_kind("action")
            .filter_map(|sheet| sheet.tree.as_ref())
            .flat_map(|tree| ["script", "custom"].into_iter().filter_map(|key| tree.get(key)?.as_written()))
            .collect();
        let scripts = files.iter().filter(|file| matches!(parts(&file.path), Some(("scripts", _, "rhai"))));
        self.sheets.extend(scripts.filter_map(|file| action(file, &bodies)).collect::<Vec<_>>());
    }

    /// The files with definitions.
    pub fn sheets(&self) -> impl Iterator<Item = &Sheet<'f>> {
        self.sheets.iter()
    }

    /// The files with definitions of one kind.
    pub fn of_kind<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Sheet<'f>> {
        self.sheets.iter().filter(move |sheet| sheet.kind == kind)
    }

    /// Whether there is a file at this path.
    pub fn has(&self, path: &str) -> bool {
        self.sheets.iter().any(|sheet| sheet.report.file == path)
    }

    /// What was found wrong in the files with definitions.
    pub fn into_problems(self) -> impl Iterator<Item = Problem> {
        self.sheets.into_iter().flat_map(|sheet| sheet.report.problems())
    }

    fn check_twice(&self) {
        let mut seen: HashMap<(&str, SmolStr), &SmolStr> = HashMap::new();
        for sheet in self.sheets.iter().filter(|sheet| !sheet.kind.is_empty()) {
            let Some(name) = sheet.name().filter(|_| sheet.kind != "solution") else { continue };
            // Processes of all kinds are called by one name.
            let kind = if matches!(sheet.kind, "action" | "business-process-flow" | "task-flow") {
                "workflow"
            } else {
                sheet.kind
            };
            if let Some(first) = seen.insert((kind, name.clone()), &sheet.report.file) {
                let message = format!("{} `{name}` is defined in `{first}` already", sheet.kind);
                sheet.report.error(sheet.place_of("name"), message);
            }
        }
    }
}

fn sheet<'f>(file: &'f SourceFile, problems: &mut Vec<Problem>) -> Option<Sheet<'f>> {
    let Ok(text) = std::str::from_utf8(&file.bytes) else {
        let report = Report::new(file.path.clone(), "");
        report.error(Place::START, "the file is not UTF-8 text");
        problems.extend(report.problems());
        return None;
    };
    let report = Report::new(file.path.clone(), text);
    let tree = tree::parse(text, &report);
    let kind = tree.as_ref().and_then(|tree| kind(&report, tree));
    Some(Sheet { tree: tree.filter(|_| kind.is_some()), kind: kind.unwrap_or_default(), report, whole: None })
}

/// The action that a script is by itself. What is wrong with its manifest is told where the script is read.
fn action<'f>(file: &'f SourceFile, bodies: &HashSet<SmolStr>) -> Option<Sheet<'f>> {
    let text = std::str::from_utf8(&file.bytes).ok().filter(|text| text.len() <= tree::MAX_BYTES)?;
    let split = script::manifest::split(text).ok()?;
    let tree = tree::parse(split.yaml, &Report::new(file.path.clone(), split.yaml))?;
    let (_, name) = manifest::action::named(&tree).filter(|(step, _)| !bodies.contains(step))?;
    // A script in a file of another name is no action until it has moved.
    let is_called_so = parts(&file.path).is_some_and(|(_, stem, _)| stem == name);
    let report = Report::inside(file.path.clone(), split.yaml, split.yaml_line);
    let tree = manifest::action::definition(&tree).filter(|_| is_called_so)?;
    Some(Sheet { report, tree: Some(tree), kind: "action", whole: Some(text) })
}

fn kind(report: &Report<'_>, tree: &Node) -> Option<&'static str> {
    let Some(written) = kind_of(tree) else {
        let place = tree.get("kind").map_or(tree.place, |node| node.place);
        let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        let hint = format!("`kind` is one of {}", kinds.join(", "));
        report.error_with(place, "the file does not say its `kind`", Some(hint));
        return None;
    };
    let place = tree.get("kind").map_or(tree.place, |node| node.place);
    if LATER.contains(&written) {
        report.unsupported(place, &format!("kind: {written}"));
        return None;
    }
    let Some((kind, directory)) = KINDS.iter().find(|(kind, _)| *kind == written) else {
        let hint = nearest::hint(written, KINDS.iter().map(|(kind, _)| *kind));
        report.error_with(place, format!("there is no kind `{written}`"), hint);
        return None;
    };
    check_directory(report, place, kind, directory);
    Some(kind)
}

fn check_directory(report: &Report<'_>, place: Place, kind: &str, directory: &str) {
    let Some((found, stem, _)) = parts(&report.file) else { return };
    match directory {
        "" if found.is_empty() && stem == "solution" => {}
        "" => report.error(place, format!("kind `{kind}` stands in `solution.yaml` only")),
        directory if directory == found => {}
        directory => report.error(place, format!("a file of kind `{kind}` stands in `{directory}/`")),
    }
}
