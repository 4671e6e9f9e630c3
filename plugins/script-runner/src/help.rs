//! The page that lists what a script may call, written from the tables that the runner and the checker use.

use std::fmt::Write;

use script::library::{HOST, Kind, Topic, functions};

const HEAD: &str = "# What a script may call

A script is one file: a heading in a comment with its name, inputs, outputs and the verbs it `uses`, then the program.
Its inputs are the map `inputs`; it ends with a map of its outputs, or with nothing. A complete one:

```rhai
/*---
step: complaints.days-open
title: Days a complaint has been open
inputs: { complaint: { type: lookup, required: true, to: complaint } }
outputs: { days: { type: whole } }
errors: { no-date: The complaint has no date of receipt }
uses: { complaint: [retrieve] }
---*/
let c = retrieve(inputs.complaint, [\"receivedon\"]);
if c.receivedon == () { fail(\"no-date\", \"no date of receipt\"); }
#{ days: days_between(c.receivedon, today()) }
```

What is empty is `()`. `try` and `catch (e)` work: what a verb refuses is a map with `e.code`, `e.message` and `e.kind`.
A mistake is told with file, line and column. Days begin in the solution's time zone, and business days are those of its
calendar. Examples of records are about a task called `Call Ada`.

This page is written by `UPDATE_EXPECT=1 cargo test -p script-runner`.
";

/// A function of the page: its signature, its help, its examples with their values.
type Row<'r> = (&'r str, &'r str, &'r [(&'r str, &'r str)]);

/// The page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut section = |title: &str, rows: &[Row<'_>]| {
        let _ = write!(page, "\n## {title}\n\n| call | what it does | for example |\n|---|---|---|\n");
        for (signature, help, examples) in rows {
            let example =
                examples.first().map(|(example, value)| format!("`{example}` is `{value}`")).unwrap_or_default();
            let _ =
                writeln!(page, "| `{signature}` | {} | {} |", help.replace('|', "\\|"), example.replace('|', "\\|"));
        }
    };
    let host: Vec<_> = HOST.iter().map(|function| (function.signature, function.help, function.examples)).collect();
    section("Records and the run", &host);
    for (topic, title) in Topic::ALL {
        let of_topic = functions().filter(|function| function.topic == topic);
        let rows: Vec<_> = of_topic.map(|function| (function.signature, function.help, function.examples)).collect();
        section(title, &rows);
    }
    let _ = write!(page, "\n## Words of the table\n\n| word | means |\n|---|---|\n");
    for (_, word, meaning) in Kind::WORDS {
        let _ = writeln!(page, "| `{word}` | {meaning} |");
    }
    page
}

#[test]
fn the_page_says_what_the_runner_does() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/rhai/README.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, page()).expect("written");
    }
    let written = std::fs::read_to_string(&path).expect("the page is there");
    assert_eq!(written, page(), "run UPDATE_EXPECT=1 cargo test -p script-runner");
}
