//! Solutions as people write them: a good one converts, a bad one is reported whole, and no bytes make it fall.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, LazyLock},
};

use formats::{Base, Definitions, Kept, Solution, SourceFile, Steps, numbering::Numbers};
use model::{
    Argument, AttributeName, StepName, Value, ValueType,
    argument::ArgumentKind,
    package::{StepDefinition, StepKind},
    process::workflow::StepAction,
    refusal::Problem,
};
use proptest::prelude::*;
use script::Environment;

/// The plugin of the example, as it describes itself, in version 1.2.0.
struct Installed(StepDefinition);

impl Installed {
    fn new() -> Self {
        let argument = |name: &str, required| Argument {
            name: AttributeName::parse(name).expect("a name"),
            title: name.to_owned(),
            description: String::new(),
            kind: ArgumentKind::plain(ValueType::Text),
            required,
            default: Value::Null,
        };
        Self(StepDefinition {
            name: StepName::parse("complaints.classify").expect("a name"),
            kind: StepKind::Step,
            title: "Classify a complaint".to_owned(),
            description: String::new(),
            inputs: vec![argument("product", false), argument("issue", true)],
            outputs: vec![argument("severity", true), argument("reason", true)],
            errors: Vec::new(),
            uses: Vec::new(),
            external: false,
            claims: Default::default(),
        })
    }
}

impl Steps for Installed {
    fn step(&self, name: &StepName, version: Option<&semver::VersionReq>) -> Option<&StepDefinition> {
        let fits = version.is_none_or(|range| range.matches(&semver::Version::new(1, 2, 0)));
        (*name == self.0.name && fits).then_some(&self.0)
    }

    fn names(&self) -> Vec<StepName> {
        vec![self.0.name.clone()]
    }
}

/// A store that has nothing but the starter organisation.
static STARTER: LazyLock<(Definitions, Numbers)> = LazyLock::new(|| {
    let definitions = formats::starter();
    let numbers = formats::numbering::extend(&HashMap::new(), &definitions.whole_entities());
    (definitions, numbers)
});

fn read_on(files: &[SourceFile], definitions: &Definitions, numbers: &Numbers) -> Result<Solution, Vec<Problem>> {
    let base = Base {
        numbers,
        definitions,
        steps: &Installed::new(),
        processes: &[],
        security: &[],
        time_zone: jiff::tz::TimeZone::UTC,
        flow_limits: model::process::flow::FlowLimits::default(),
        script_limits: model::step::Limits::OF_SCRIPTS,
    };
    formats::read(files, &base)
}

fn read(files: &[SourceFile]) -> Result<Solution, Vec<Problem>> {
    read_on(files, &STARTER.0, &STARTER.1)
}

/// The files under a directory.
fn files_in(directory: &Path) -> Vec<SourceFile> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(directory).expect("inside").to_string_lossy().replace('\\', "/");
            files.push(SourceFile::new(name.as_str(), std::fs::read(&path).expect("a file")));
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn example() -> Vec<SourceFile> {
    files_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/complaints"))
}

fn shown(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| {
        let length = if problem.length == 0 { String::new() } else { format!("+{}", problem.length) };
        let grade = if problem.warning { "warning: " } else { "" };
        let hint = problem.hint.as_ref().map(|hint| format!("\n    {hint}")).unwrap_or_default();
        format!("{}:{}:{}{length}: {grade}{}{hint}\n", problem.file, problem.line, problem.column, problem.message)
    });
    lines.collect()
}

#[test]
fn the_example_converts_without_a_problem() {
    let solution = read(&example()).map_err(|problems| shown(&problems)).expect("a solution");
    assert_eq!(shown(&solution.warnings), "");
    assert_eq!(solution.header.value.name, "complaints");
    let complaint = solution.schema.named("complaint").expect("complaints");
    assert_eq!(complaint.definition.set.as_str(), "complaints");
    assert_eq!(complaint.id, model::EntityId(64));
    let handles = |one: &&formats::Sourced<_>| one.file == "processes/handle-complaint.yaml";
    let workflow = &solution.workflows.iter().find(handles).expect("the workflow").value;
    assert_eq!(workflow.steps.len(), 2);
    let StepAction::Stage { steps, .. } = &workflow.steps[1].action else { panic!("a stage") };
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[0].id.as_str(), "steps/2/steps/1");
    assert_eq!(solution.scripts[0].1.steps[0].name.as_str(), "complaints.due-date");
    let names: Vec<&str> = solution.security.iter().map(|file| file.value.name().as_str()).collect();
    assert_eq!(names, ["Complaint Handler", "Escalations"]);
    assert_eq!(solution.mentions.len(), 3);
}

#[test]
fn the_rows_of_the_example_become_records() {
    let solution = read(&example()).expect("a solution");
    let bytes =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/complaints/data/complaints.csv"))
            .expect("the table");
    let table = formats::import::table(&bytes, "data/complaints.csv").expect("a table");
    assert_eq!(table.rows.len(), 280);
    let environment = Environment::at(model::Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment"));
    let complaint = solution.schema.named("complaint").expect("complaints");
    let id = |name: &str| complaint.attribute(name).expect(name).id;
    for (number, row) in table.rows.iter().enumerate() {
        let cells: Vec<_> = table.headers.iter().map(String::as_str).zip(row.iter().map(String::as_str)).collect();
        let values = solution.imports[0].value.row(number as u64 + 1, &cells, &solution.schema, &environment);
        let values = values.expect("values");
        assert_eq!(values.get(id("sourcerow")), &Value::Whole(number as i64 + 1));
        assert_eq!(values.get(id("title")), &Value::text(format!("{}: {}", row[1], row[2])));
        let received = model::Date::parse(&row[0]).expect("a date");
        assert_eq!(values.get(id("receivedon")), &Value::Date(received));
    }
}

#[test]
fn a_cell_of_the_wrong_type_is_told_with_its_column() {
    let solution = read(&example()).expect("a solution");
    let environment = Environment::at(model::Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment"));
    let cells =
        [("date_received", "soon"), ("product", "Mortgage"), ("issue", "x"), ("state", "AZ"), ("colour", "red")];
    let wrong = solution.imports[0].value.row(1, &cells, &solution.schema, &environment).expect_err("wrong");
    let wrong: Vec<String> = wrong.iter().map(|(column, message)| format!("{column}: {message}")).collect();
    assert_eq!(
        wrong,
        [
            "receivedon: `receivedon` takes a date as `2026-11-20`, not the text `soon`",
            "colour: `complaint` has no attribute `colour` and no expression reads this column",
        ]
    );
}

#[test]
fn canonical_json_is_read_back_as_the_same_definition() {
    let solution = read(&example()).expect("a solution");
    for workflow in &solution.workflows {
        let scripts = solution.scripts.iter().map(|(_, manifest)| manifest.steps[0].clone()).collect::<Vec<_>>();
        let steps = Both(Installed::new(), scripts);
        let back = formats::workflow_from_json(&workflow.canonical, &solution.schema, &steps);
        assert_eq!(back.as_ref(), Ok(&workflow.value));
    }
    let kept = solution.entities.iter().map(|entity| &entity.canonical);
    let kept = kept.chain(solution.choices.iter().map(|choice| &choice.canonical));
    let kept: Vec<Kept> =
        kept.map(|canonical| Kept { solution: "complaints".into(), canonical: canonical.clone() }).collect();
    let mut kept_with_starter = formats::starter();
    let back = Definitions::load(&kept, &kept_with_starter).map_err(|problems| shown(&problems)).expect("definitions");
    back.choices.into_iter().for_each(|choice| kept_with_starter.put_choice(choice));
    assert_eq!(kept_with_starter.choices, solution.definitions.choices);
    back.entities.into_iter().for_each(|entity| kept_with_starter.put(formats::EntityFile::Whole(entity)));
    assert_eq!(kept_with_starter.entities, solution.definitions.entities);
    let header = formats::solution_from_json(&solution.header.canonical);
    assert_eq!(header.as_ref(), Ok(&solution.header.value));
}

struct Both(Installed, Vec<StepDefinition>);

impl Steps for Both {
    fn step(&self, name: &StepName, version: Option<&semver::VersionReq>) -> Option<&StepDefinition> {
        self.0.step(name, version).or_else(|| self.1.iter().find(|step| step.name == *name))
    }

    fn names(&self) -> Vec<StepName> {
        self.0.names()
    }
}

#[test]
fn the_same_definition_in_another_layout_has_the_same_digest() {
    let file = |text: &str| SourceFile::new("choices/colour.yaml", text);
    let digest = |text: &str| {
        let files =
            [SourceFile::new("solution.yaml", "{ kind: solution, name: s, version: 1.0.0, prefix: ab }"), file(text)];
        read(&files).map_err(|problems| shown(&problems)).expect("a solution").choices[0].digest
    };
    let one = digest("kind: choice\nname: colour\noptions: { red: { value: 1 }, blue: { value: 2 } }\n");
    let same =
        "# a comment\noptions:\n  red: {value: 1, title: red}\n  blue:\n    value: 2\nname: 'colour'\nkind: choice\n";
    assert_eq!(digest(same), one);
    let json = r#"{"kind":"choice","name":"colour","title":"colour","options":{"red":{"value":1},"blue":{"value":2}}}"#;
    assert_eq!(digest(json), one);
    assert_ne!(digest("kind: choice\nname: colour\noptions: { red: { value: 1 }, blue: { value: 3 } }\n"), one);
}

#[test]
fn json_may_write_a_character_as_two_escapes() {
    let json = r#"{"kind":"choice","name":"face","options":{"smile":{"value":1,"title":"\ud83d\ude00 \\ud83d"}}}"#;
    let header = SourceFile::new("solution.yaml", "{ kind: solution, name: s, version: 1.0.0, prefix: ab }");
    let solution = read(&[header, SourceFile::new("choices/face.json", json)]).map_err(|found| shown(&found));
    assert_eq!(solution.expect("a solution").choices[0].value.options[0].title, "\u{1f600} \\ud83d");
}

#[test]
fn a_file_full_of_mistakes_is_told_of_in_bounded_time_and_length() {
    let states: String = (0..8_000).map(|n| format!("    s{n}: {{ value: {n}, next: [t{n}] }}\n")).collect();
    let text = format!(
        "kind: entity\nname: x\nownership: organization\nprimary: a\nattributes: {{ a: {{ type: text }} }}\nstates:\n  on:\n   value: 0\n   statuses:\n{states}"
    );
    let problems = read(&[SourceFile::new("entities/x.yaml", text)]).expect_err("problems");
    assert_eq!(problems.iter().filter(|problem| problem.file == "entities/x.yaml").count(), 501);
}

#[test]
fn numbers_stay_when_a_solution_is_applied_again() {
    let files = example();
    let first = read(&files).expect("a solution");
    let mut second = files.clone();
    let entity = second.iter_mut().find(|file| file.path == "entities/complaint.yaml").expect("the entity");
    let text =
        String::from_utf8_lossy(&entity.bytes).replace("attributes:\n", "attributes:\n  first: { type: text }\n");
    entity.bytes = Arc::from(text.as_bytes());
    let again =
        read_on(&second, &first.definitions, &first.numbers).map_err(|found| shown(&found)).expect("a solution");
    let id = |solution: &Solution, name: &str| {
        solution.schema.named("complaint").and_then(|entity| entity.attribute(name)).expect(name).id
    };
    assert_eq!(id(&again, "title"), id(&first, "title"));
    assert_eq!(id(&again, "sourcerow"), id(&first, "sourcerow"));
    assert!(id(&again, "first") > id(&first, "sourcerow"), "a new attribute has a new number");
}

/// Each page in `tests/bad` is a few files over the example and the whole report that they give. `UPDATE_EXPECT=1`
/// writes the reports anew.
#[test]
fn bad_files_are_reported_whole() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut pages: Vec<_> =
        std::fs::read_dir(&directory).expect("pages").map(|page| page.expect("a page").path()).collect();
    pages.sort();
    assert!(!pages.is_empty());
    let mut differ = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("a page");
        let (files, expected) = text.split_once("\n=== report\n").expect("a report at the end of the page");
        let mut all = example();
        let mut parts = files.split("\n=== ");
        parts.next();
        for part in parts {
            let (path, text) = part.split_once('\n').unwrap_or((part, ""));
            all.retain(|file| file.path != path);
            if text.trim() != "(no such file)" {
                all.push(SourceFile::new(path, format!("{text}\n")));
            }
        }
        let report = match read(&all) {
            Ok(solution) => shown(&solution.warnings),
            Err(problems) => shown(&problems),
        };
        if report != expected {
            if std::env::var_os("UPDATE_EXPECT").is_some() {
                std::fs::write(&page, format!("{files}\n=== report\n{report}")).expect("a page");
            }
            differ.push(format!("{}:\n{report}", page.display()));
        }
    }
    assert!(differ.is_empty() || std::env::var_os("UPDATE_EXPECT").is_some(), "{}", differ.join("\n"));
}

/// Text that looks a little like a definition.
fn fragments() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "kind: ",
        "workflow",
        "entity",
        "\n",
        "  ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "&a ",
        "*a",
        "!!str ",
        "<<: ",
        "? ",
        "steps:",
        "if: ",
        "value: ",
        "record.title",
        "= ",
        "${",
        "}",
        "\\u12",
        "\t",
        "ä",
        "\u{85}",
        "null",
        "1e9",
        "---\n",
        "...\n",
        "#",
        ",",
        "%YAML 1.2\n",
        "set: ",
        "name: ",
        "complaint",
        "then:\n",
        "\r\n",
    ]);
    prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_reported(bytes in prop::collection::vec(any::<u8>(), 0..200), text in fragments()) {
        for path in ["solution.yaml", "processes/x.yaml", "entities/x.json", "scripts/x.rhai", "data/x.yaml"] {
            for content in [&bytes[..], text.as_bytes()] {
                let _ = read(&[SourceFile::new(path, content)]);
            }
        }
    }

    #[test]
    fn a_torn_definition_is_read_or_reported(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), text in fragments()) {
        let mut files = example();
        files.retain(|file| !file.path.ends_with(".csv"));
        let file = &mut files[which.index(8)];
        let mut content = String::from_utf8_lossy(&file.bytes).into_owned();
        let at = at.index(content.len());
        if content.is_char_boundary(at) {
            content.insert_str(at, &text);
        }
        file.bytes = Arc::from(content.as_bytes());
        let _ = read(&files);
    }
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_at_once() {
    let deep = format!("kind: {}", "[".repeat(100_000));
    let wide = format!("kind: choice\nname: x\noptions: {{{}}}", "a: 1, ".repeat(100_000));
    for (text, message) in [
        (deep.as_str(), "more than 40 levels deep"),
        (&"x".repeat((1 << 20) + 1), "the file has 1048577 bytes; at most 1048576 are read"),
        (&wide, "`a` stands here again; the first is on line 3"),
    ] {
        let problems = read(&[SourceFile::new("choices/x.yaml", text)]).expect_err("problems");
        assert!(
            problems.iter().any(|problem| problem.message == message),
            "{}",
            shown(&problems[..problems.len().min(3)])
        );
    }
}
