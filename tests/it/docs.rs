//! What the documents say is there: links, files, commands and rules.
//!
//! Guides that run something are pages and run by `tests/pages.rs`; here is what can be checked by looking.

use std::{collections::BTreeSet, path::Path, process::Command};

use crate::tidy::source::{Source, files, none, read, root};

/// Every document for people; pages of scenarios have tests of their own.
fn documents() -> Vec<Source> {
    let mut documents: Vec<Source> =
        ["host", "sdk", "plugins", "examples"].iter().flat_map(|folder| files(folder, ".md")).collect();
    for entry in std::fs::read_dir(root()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            documents.push(Source { text: read(&name), path: name });
        }
    }
    documents
}

/// The lines of a document inside fenced blocks of these kinds.
fn fenced<'a>(document: &'a Source, kinds: &'a [&str]) -> impl Iterator<Item = (usize, &'a str)> {
    let mut kind: Option<&str> = None;
    (1..).zip(document.text.lines()).filter(move |(_, line)| match (line.strip_prefix("```"), kind) {
        (Some(info), None) => {
            kind = Some(info.split_whitespace().next().unwrap_or_default());
            false
        }
        (Some(_), Some(_)) => {
            kind = None;
            false
        }
        (None, inside) => inside.is_some_and(|kind| kinds.contains(&kind)),
    })
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for document in documents() {
        let folder = Path::new(&document.path).parent().unwrap_or(Path::new(""));
        for (number, line) in (1..).zip(document.text.lines()) {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let file = link.split('#').next().unwrap_or_default();
                if !file.is_empty() && !link.contains("://") && !root().join(folder).join(file).exists() {
                    wrong.push(format!("{}:{number}: `{link}` leads nowhere", document.path));
                }
            }
        }
    }
    none(wrong);
}

#[test]
fn the_files_that_the_map_names_are_there() {
    let map = Source { text: read("host/ARCHITECTURE.md"), path: "host/ARCHITECTURE.md".into() };
    let mut wrong = Vec::new();
    for (number, line) in (1..).zip(map.text.lines()) {
        for name in line
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| name.contains('/') && (name.ends_with(".rs") || name.ends_with("/src")))
        {
            // A recipe's NAME.rs stands for a file that will be.
            let made_up = name.chars().any(|character| character.is_ascii_uppercase());
            let places = [format!("host/{name}"), name.to_owned(), format!("tests/{name}")];
            if !made_up && !places.iter().any(|place| root().join(place).exists()) {
                wrong.push(format!("{}:{number}: there is no `{name}`", map.path));
            }
        }
    }
    none(wrong);
}

#[test]
fn commands_are_written_as_the_binary_knows_them() {
    let mut commands = BTreeSet::new();
    for document in documents() {
        for (number, line) in fenced(&document, &["sh", "console", "shell", "bash"]) {
            let line = line.trim_start_matches("$ ").trim();
            if let Some(rest) = line.strip_prefix("stepwise ") {
                let words: Vec<_> = rest
                    .split_whitespace()
                    .take_while(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
                    .collect();
                commands.insert((words.join(" "), format!("{}:{number}", document.path)));
            }
        }
    }
    let mut wrong = Vec::new();
    for (command, place) in commands {
        let mut words: Vec<&str> =
            command.split(' ').filter(|word| !word.is_empty() && !word.starts_with('-')).collect();
        // What stands behind the command is an argument of it.
        while !words.is_empty() {
            let helped = Command::new(tests::daemon::binary()).args(&words).arg("--help").output();
            if helped.is_ok_and(|output| output.status.success()) {
                break;
            }
            words.pop();
        }
        if words.is_empty() {
            wrong.push(format!("{place}: there is no command `stepwise {command}`"));
        }
    }
    none(wrong);
}

#[test]
fn the_rules_that_pages_name_stand_in_the_list_of_rules() {
    let rules = read("host/docs/rules.md");
    let mut wrong = Vec::new();
    for page in files("tests/scenarios", ".md") {
        let words = page
            .text
            .lines()
            .take_while(|line| !line.starts_with("```"))
            .flat_map(|line| line.split(|character: char| !character.is_ascii_alphanumeric()));
        for word in words.filter(|word| is_rule(word)) {
            if !rules.contains(&format!("**{word} ")) {
                wrong.push(format!("{}: `{word}` is no rule of host/docs/rules.md", page.path));
            }
        }
    }
    none(wrong);
}

/// `E11`, `D13`
fn is_rule(word: &str) -> bool {
    let number = word.strip_prefix(['E', 'D']);
    number.is_some_and(|number| !number.is_empty() && number.chars().all(|character| character.is_ascii_digit()))
}
