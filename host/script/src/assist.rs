//! What an editor asks while a script is written: what could stand at a place, and what stands there already.
//!
//! Texts in the making seldom parse, so what variables hold is read from the text without the word or the line at the
//! cursor. Served by the daemon's API with the entities that the caller may know.

mod place;

use model::{
    Argument, Schema,
    package::StepDefinition,
    schema::{Attribute, Entity},
};
use rhai::AST;

use self::place::{Inside, Place};
use crate::{
    check::{self, Known, Sort, Sorts},
    library::{self, Kind},
    manifest,
};

/// What could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What is written.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// In a few words: a signature, a type.
    pub detail: String,
    /// In a sentence or two.
    pub documentation: String,
}

/// What a completion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionKind {
    /// A function.
    Function,
    /// An input of the script.
    Input,
    /// A variable.
    Variable,
    /// An attribute of a record.
    Attribute,
    /// An entity.
    Entity,
    /// A key of the manifest.
    Key,
}

impl CompletionKind {
    /// The word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Input => "input",
            Self::Variable => "variable",
            Self::Attribute => "attribute",
            Self::Entity => "entity",
            Self::Key => "key",
        }
    }
}

/// What is told of a place in a script.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Assistance {
    /// What could stand there, by name.
    pub completions: Vec<Completion>,
    /// What stands there.
    pub hover: Option<Completion>,
}

/// Keys of a manifest with what they are for.
const KEYS: [(&str, &str); 15] = [
    ("step", "The name of the custom step: `library.name`."),
    ("condition", "The name of the custom condition, instead of `step`; it has one output, a boolean."),
    ("action", "The name of the action, instead of `step`: processes, clients and other scripts call it."),
    ("entity", "The entity whose records an action is called on; without it the action is global."),
    ("privilege", "The task that the roles of who calls an action must list."),
    ("version", "Its version, 1.0.0 where nothing is said."),
    ("title", "What people call it."),
    ("description", "What it is for."),
    ("inputs", "What it takes: a name and a type each."),
    ("outputs", "What it gives: a name and a type each."),
    ("errors", "The codes that `fail` may end it with, each with its sentence."),
    ("uses", "The verbs that it may use, by entity, and the actions that it calls."),
    ("external", "Whether it sends requests to other hosts; it runs between two units of work then."),
    ("limits", "What a call may use up in place of the usual: cpu-ms, wall-ms, memory, verb-calls and others."),
    ("examples", "Calls with what they give; `stepwise script test` makes them."),
];

/// What could stand, and what stands, at a line and a column, both from 1. `step` is the manifest, as far as it could be read.
pub fn at(text: &str, (line, column): (u32, u32), step: Option<&StepDefinition>, schema: &Schema) -> Assistance {
    let in_manifest = manifest::split(text).is_ok_and(|parts| line >= parts.yaml_line && line < parts.body_line);
    if in_manifest {
        let place = Place::of(text, line, column);
        let known = KEYS.iter().map(|(key, help)| Completion {
            label: (*key).to_owned(),
            kind: CompletionKind::Key,
            detail: String::new(),
            documentation: (*help).to_owned(),
        });
        return place.told(known.collect());
    }
    let place = Place::of(text, line, column);
    let program = place.readable(text).iter().find_map(|text| check::parsed(text));
    let nobody = nobody();
    let step = step.unwrap_or(&nobody);
    let sorts = program.as_ref().map(|program| Sorts::of(program, step, schema));
    let known = match &place.inside {
        Inside::Text { call, argument } => in_text(call.as_deref(), *argument, &place, sorts.as_ref(), schema),
        Inside::Behind(root) => behind(root, sorts.as_ref(), step),
        Inside::Code => anywhere(program.as_ref(), step),
    };
    place.told(known)
}

/// All functions, for editors that ask once.
pub fn functions() -> Vec<Completion> {
    let library = library::functions().map(|function| (function.name, function.signature, function.help));
    let host = library::HOST.iter().map(|function| (function.name, function.signature, function.help));
    let told = |(name, signature, help): (&str, &str, &str)| Completion {
        label: name.to_owned(),
        kind: CompletionKind::Function,
        detail: signature.to_owned(),
        documentation: help.to_owned(),
    };
    library.chain(host).map(told).collect()
}

/// The entities of a schema.
pub fn entities(schema: &Schema) -> Vec<Completion> {
    let told = |entity: &std::sync::Arc<Entity>| Completion {
        label: entity.name().to_string(),
        kind: CompletionKind::Entity,
        detail: entity.definition.title.clone(),
        documentation: entity.definition.description.clone(),
    };
    schema.entities().map(told).collect()
}

/// The attributes of an entity.
pub fn attributes(entity: &Entity, schema: &Schema) -> Vec<Completion> {
    let told = |attribute: &Attribute| Completion {
        label: attribute.name().to_string(),
        kind: CompletionKind::Attribute,
        detail: detail_of(attribute, schema),
        documentation: attribute.definition.title.clone(),
    };
    entity.attributes().iter().map(told).collect()
}

fn detail_of(attribute: &Attribute, schema: &Schema) -> String {
    let word = attribute.value_type().word();
    let targets = attribute.targets.as_deref().unwrap_or_default();
    let options: Vec<_> = attribute.options.iter().map(|option| option.name.to_string()).collect();
    match (targets, options.is_empty()) {
        ([], true) => word.to_owned(),
        ([], false) => format!("{word}: {}", options.join(", ")),
        (targets, _) => {
            // An entity that is not there is one of which the reader knows nothing.
            let known = targets.iter().filter_map(|target| schema.entity(*target));
            let names: Vec<_> = known.map(|entity| entity.name().as_str()).collect();
            if names.is_empty() { word.to_owned() } else { format!("{word} to {}", names.join(", ")) }
        }
    }
}

fn inputs(step: &StepDefinition) -> Vec<Completion> {
    let told = |argument: &Argument| Completion {
        label: argument.name.to_string(),
        kind: CompletionKind::Input,
        detail: argument.kind.value_type.word().to_owned(),
        documentation: if argument.description.is_empty() {
            argument.title.clone()
        } else {
            argument.description.clone()
        },
    };
    step.inputs.iter().map(told).collect()
}

/// What may stand behind the dot after a name.
fn behind(root: &str, sorts: Option<&Sorts<'_>>, step: &StepDefinition) -> Vec<Completion> {
    if root == "inputs" {
        return inputs(step);
    }
    let sort = sorts.and_then(|sorts| sorts.variable(root));
    let mut known = match (sort, sorts) {
        (Some(Sort::Attributes(Known(entity), _)), Some(sorts)) => attributes(entity, sorts.schema),
        (Some(Sort::Record(_)), _) => ["id", "entity"].map(of_record).into(),
        _ => Vec::new(),
    };
    if known.is_empty() {
        let takes = |completion: &Completion| {
            let signature =
                library::function(&completion.label).and_then(|function| library::Signature::parse(function.signature));
            let first = signature.and_then(|signature| signature.parameter(0).map(|parameter| parameter.kind));
            first.is_some_and(|kind| sort.is_none_or(|sort| sort.is_taken_as(kind, false)))
        };
        known = functions().into_iter().filter(takes).collect();
    }
    known
}

fn of_record(name: &str) -> Completion {
    let documentation = if name == "id" { "The guid of the record." } else { "The name of its entity." };
    let detail = if name == "id" { "guid" } else { "text" };
    let kind = CompletionKind::Attribute;
    Completion { label: name.to_owned(), kind, detail: detail.to_owned(), documentation: documentation.to_owned() }
}

/// What may stand in a text that is an argument of a call.
fn in_text(
    call: Option<&str>,
    argument: usize,
    place: &Place<'_>,
    sorts: Option<&Sorts<'_>>,
    schema: &Schema,
) -> Vec<Completion> {
    let Some(signature) = call.and_then(check::signature) else { return Vec::new() };
    let Some(parameter) = signature.parameter(argument) else { return Vec::new() };
    match parameter.kind {
        Kind::Entity => entities(schema),
        Kind::Attribute | Kind::Attributes | Kind::Filter => {
            let by_name = signature.parameters.iter().position(|parameter| parameter.kind == Kind::Entity);
            let entity = match by_name {
                Some(number) => place.argument(number).and_then(|name| schema.named(name.trim_matches('"')).cloned()),
                None => place.argument(0).and_then(|name| entity_of(name, sorts?)),
            };
            entity.map(|entity| attributes(&entity, schema)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The entity of the record that a word such as `inputs.complaint` or `made` names.
fn entity_of(written: &str, sorts: &Sorts<'_>) -> Option<std::sync::Arc<Entity>> {
    match written.split_once('.') {
        Some(("inputs", name)) => {
            let input = sorts.step.inputs.iter().find(|input| input.name.as_str() == name.trim())?;
            match input.kind.to.as_slice() {
                [only] => sorts.schema.named(only.as_str()).cloned(),
                _ => None,
            }
        }
        Some((root, name)) => match sorts.variable(root)? {
            Sort::Attributes(Known(entity), _) => match entity.attribute(name.trim())?.targets.as_deref() {
                Some([only]) => sorts.schema.entity(*only).cloned(),
                _ => None,
            },
            _ => None,
        },
        None => match sorts.variable(written)? {
            Sort::Record(Some(Known(entity))) => Some(entity.clone()),
            _ => None,
        },
    }
}

fn anywhere(program: Option<&AST>, step: &StepDefinition) -> Vec<Completion> {
    let mut known = functions();
    let variable = |label: String, detail: String, documentation: &str| Completion {
        label,
        kind: CompletionKind::Variable,
        detail,
        documentation: documentation.to_owned(),
    };
    let names: Vec<_> = step.inputs.iter().map(|input| input.name.to_string()).collect();
    known.push(variable("inputs".to_owned(), names.join(", "), "What the script was given, by name."));
    let mut own = program.map(check::variables).unwrap_or_default();
    own.sort();
    own.dedup();
    known.extend(own.into_iter().map(|name| variable(name, String::new(), "")));
    known
}

fn nobody() -> StepDefinition {
    StepDefinition {
        name: model::StepName::parse("unnamed.script").expect("a name"),
        kind: model::package::StepKind::Step,
        title: String::new(),
        description: String::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        errors: Vec::new(),
        uses: Vec::new(),
        external: false,
        claims: Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::schema;

    const HEAD: &str = "/*---\nstep: complaints.days-open\n\n---*/\n";

    fn step() -> StepDefinition {
        let to = vec![model::EntityName::parse("complaint").expect("a name")];
        let kind =
            model::argument::ArgumentKind { to, ..model::argument::ArgumentKind::plain(model::ValueType::Reference) };
        let complaint = Argument {
            name: model::AttributeName::parse("complaint").expect("a name"),
            title: "The complaint".into(),
            description: String::new(),
            kind,
            required: true,
            default: model::Value::Null,
        };
        StepDefinition { inputs: vec![complaint], ..nobody() }
    }

    /// What is told at the mark `|` in a script with these lines.
    fn asked(lines: &str) -> Assistance {
        let whole = format!("{HEAD}{lines}");
        let mark = whole.find('|').expect("a mark");
        let line = whole[..mark].matches('\n').count() + 1;
        let column = whole[..mark].rsplit('\n').next().map_or(0, |before| before.chars().count()) + 1;
        at(&whole.replacen('|', "", 1), (line as u32, column as u32), Some(&step()), &schema())
    }

    fn labels(lines: &str) -> Vec<String> {
        asked(lines).completions.into_iter().map(|completion| completion.label).collect()
    }

    #[test]
    fn what_could_stand_at_a_place_is_told() {
        for (lines, expected) in [
            ("let d = add_bus|", &["add_business_days"][..]),
            ("let d = inputs.|", &["complaint"]),
            ("let d = inputs.co|\nlet e = 1;", &["complaint"]),
            ("let c = retrieve(inputs.complaint);\nc.rec|", &["receivedon"]),
            ("let c = retrieve(inputs.complaint);\nif c.sev| == 3 {\n  log(\"x\");\n}", &["severity"]),
            ("for row in query(\"complaint\", \"\") {\n  row.tit|\n}", &["title"]),
            ("query(\"compl|", &["complaint"]),
            ("query(\"complaint\", \"sever|\")", &["severity"]),
            ("retrieve(inputs.complaint, [\"title\", \"rec|\"])", &["receivedon"]),
            ("related(inputs.complaint, \"complaint\", \"paren|\")", &["parentid"]),
            ("let made = create(\"complaint\", #{});\nretrieve(made, [\"tit|\"])", &["title"]),
            ("let elapsed = 1;\nelaps|", &["elapsed"]),
            ("let r = inputs.complaint; r.ent|", &["entity"]),
        ] {
            assert_eq!(labels(lines), expected, "{lines}");
        }
        assert!(labels("let s = \"ab\"; s.up|").contains(&"upper".to_owned()));
        assert!(labels("let l = [1]; l.|").iter().all(|name| name != "add_days"), "a list is no date");
        assert_eq!(labels("// nothing |").len(), labels("|").len());
    }

    #[test]
    fn what_stands_at_a_place_is_told() {
        for (lines, detail) in [
            ("let d = add_d|ays(today(), 3);", "add_days(when: moment, days: whole) -> moment"),
            ("let d = inputs.compl|aint;", "lookup"),
            ("let c = retrieve(inputs.complaint);\nc.sever|ity", "choice: low, normal, high"),
            ("query(\"compl|aint\", \"\")", "complaint"),
        ] {
            let hover = asked(lines).hover;
            assert_eq!(hover.map(|hover| hover.detail).as_deref(), Some(detail), "{lines}");
        }
        assert_eq!(asked("let nothing = 5 |+ 1;").hover, None);
    }

    #[test]
    fn keys_of_the_manifest_are_told() {
        let told = at("/*---\nstep: a.b\nexam\n---*/\n", (3, 5), None, &schema());
        assert_eq!(told.completions.iter().map(|known| known.label.as_str()).collect::<Vec<_>>(), ["examples"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fall(text in "(?s)[a-z.\"(){}\\[\\]#:;ä\n ]{0,60}", line in 0..8u32, column in 0..40u32) {
            let _ = at(&text, (line, column), None, &schema());
            let _ = at(&format!("{HEAD}{text}"), (line, column), Some(&step()), &schema());
        }
    }
}
