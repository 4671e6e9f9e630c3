//! What the look over a script finds and what it lets pass.

use model::{
    Argument, AttributeName, EntityName, StepName, Value, ValueType,
    argument::ArgumentKind,
    package::{StepDefinition, StepKind},
};
use proptest::prelude::*;

use super::check;
use crate::testing::schema;

const HEAD: &str = "/*---\nstep: complaints.days-open\n---*/\n";

fn argument(name: &str, value_type: ValueType, to: &[&str]) -> Argument {
    let to = to.iter().map(|name| EntityName::parse(name).expect("a name")).collect();
    Argument {
        name: AttributeName::parse(name).expect("a name"),
        title: String::new(),
        description: String::new(),
        kind: ArgumentKind { to, ..ArgumentKind::plain(value_type) },
        required: false,
        default: Value::Null,
    }
}

fn step() -> StepDefinition {
    StepDefinition {
        name: StepName::parse("complaints.days-open").expect("a name"),
        kind: StepKind::Step,
        title: String::new(),
        description: String::new(),
        inputs: vec![
            argument("complaint", ValueType::Reference, &["complaint"]),
            argument("days", ValueType::Whole, &[]),
        ],
        outputs: vec![argument("days", ValueType::Whole, &[])],
        errors: Vec::new(),
        uses: vec![
            ("complaint".into(), ["retrieve", "query", "create"].map(Into::into).to_vec()),
            ("actions".into(), vec!["escalate".into()]),
            ("contact".into(), vec!["retrieve".into()]),
        ],
        external: false,
        claims: Default::default(),
    }
}

/// What is wrong in a script with these lines, from line 4 on.
fn findings(lines: &str) -> Vec<String> {
    let found = check(&format!("{HEAD}{lines}"), &step(), &schema());
    found.iter().filter(|found| !found.warning).map(ToString::to_string).collect()
}

/// What is wrong before its end: these lines are no whole script.
fn within(lines: &str) -> Vec<String> {
    findings(lines).into_iter().filter(|found| !found.contains("the script ends with")).collect()
}

/// What is seldom meant in it.
fn warnings(lines: &str) -> Vec<String> {
    let inputs = "/*---\ninputs: { complaint: {}, days: {} }\n---*/\n";
    let found = check(&format!("{inputs}{lines}"), &step(), &schema());
    found.iter().filter(|found| found.warning).map(ToString::to_string).collect()
}

#[test]
fn a_good_script_has_no_findings() {
    for lines in [
        "let c = retrieve(inputs.complaint, [\"receivedon\", \"contactid\"]);\n\
         if c.receivedon == () { fail(\"no-date\", \"no date of receipt\"); }\n\
         let late = [1, 2].filter(|x| x > 1).len() + c.receivedon.add_days(1).year();\n\
         let person = retrieve(c.contactid);\n\
         log(`${person.fullname} ${late}`);\n\
         #{ days: days_between(c.receivedon, today()) }",
        "fn double(x) { x * 2 }\nlet m = #{ a: 1 };\nfor key in m.keys() { print(key); }\nlet y = null;\n#{ days: double(inputs.days) }",
        "let found = query(\"complaint\", \"severity eq 'high'\", [\"title\"]);\nreturn #{ days: found.len() };",
        "",
    ] {
        assert_eq!(findings(lines), [""; 0], "{lines}");
    }
}

#[test]
fn places_count_in_the_whole_file() {
    for (lines, expected) in [
        ("let x = ;", "4:9: unexpected ';'"),
        ("let x = 1", ""),
        ("let c = 1;\nif c > {", "5:8: this `{` is never closed"),
        ("let c = 1;\nuper(c)", "5:1: there is no function `uper` (did you mean `upper`?)"),
        ("\"a\".uper()", "4:5: there is no function `uper` (did you mean `upper`?)"),
        ("fn tripled(x) { x * 3 } triple(3)", "4:25: there is no function `triple` (did you mean `tripled`?)"),
        ("add_days(1)", "4:1: `add_days` does not take 1 argument (write `add_days(when, days)`)"),
        ("fail(\"x\")", "4:1: `fail` does not take 1 argument (write `fail(code, message)`)"),
        ("let total = 1;\ntotl + 1", "5:1: there is no variable `totl` (did you mean `total`?)"),
        ("fn f() { inputs }", "4:10: a function sees only its own arguments, not `inputs`"),
        ("record.title", "4:1: there is no variable `record` (write `record()`)"),
        ("inputs.complain", "4:8: `inputs` of the manifest has no `complain` (did you mean `complaint`?)"),
        ("#{ day: 1 }", "4:4: `outputs` of the manifest has no `day` (did you mean `days`?)"),
        ("if true { return #{ x: 1 }; }", "4:21: `outputs` of the manifest has no `x`"),
        (
            "retrieve(inputs.complaint, [\"title\", \"receivedno\"]);",
            "4:39: `complaint` has no attribute `receivedno` (did you mean `receivedon`?)",
        ),
        (
            "let c = retrieve(inputs.complaint);\nc.titel",
            "5:3: `complaint` has no attribute `titel` (did you mean `title`?)",
        ),
        (
            "let c = retrieve(inputs.complaint, [\"title\"]);\nlog(c.severity);",
            "5:7: `severity` was not retrieved, so it is empty here (list \"severity\" in the call of `retrieve`)",
        ),
        ("query(\"complain\", \"\")", "4:8: there is no entity `complain` (did you mean `complaint`?)"),
        (
            "query(\"complaint\", \"severty eq 3\")",
            "4:21: `complaint` has no attribute `severty` (did you mean `severity`?)",
        ),
        (
            "update(inputs.complaint, #{ title: \"x\" })",
            "4:1: `uses` of the manifest does not list `update` of `complaint` (write `uses: { complaint: [update] }`)",
        ),
        ("eval(\"1\")", "4:1: "),
        ("import \"x\" as y;", "4:1: "),
    ] {
        let found = within(lines);
        let first = found.first().map_or("", String::as_str);
        assert!(if expected.is_empty() { first.is_empty() } else { first.starts_with(expected) }, "{lines}: {found:?}");
    }
}

#[test]
fn values_of_another_kind_are_found_before_they_run() {
    let mut wrong = Vec::new();
    for (lines, expected) in [
        // What attributes hold.
        (
            "create(\"complaint\", #{ title: 5 });",
            "4:31: attribute `title` holds text, not a whole number (write `text(...)` around it)",
        ),
        (
            "create(\"complaint\", #{ touched: \"often\" });",
            "4:33: attribute `touched` holds a whole number, not text (write `number(...)` around it)",
        ),
        ("create(\"complaint\", #{ urgent: 1 > 0, amount: 2.5, touched: inputs.days + 1 });", ""),
        (
            "create(\"complaint\", #{ urgent: \"yes\" });",
            "4:32: attribute `urgent` holds true or false, not text (write `boolean(...)` around it)",
        ),
        (
            "create(\"complaint\", #{ receivedon: now() });",
            "4:36: attribute `receivedon` holds a date, not a date-time (write `date(...)` around it)",
        ),
        (
            "create(\"complaint\", #{ receivedon: \"tomorrow\" });",
            "4:36: attribute `receivedon` holds a date such as 2026-11-20, not the text \"tomorrow\"",
        ),
        ("create(\"complaint\", #{ receivedon: add_days(today(), 3), senton: add_hours(now(), 1) });", ""),
        (
            "create(\"complaint\", #{ severity: \"hgih\" });",
            "4:34: attribute `severity` has no option `hgih` (did you mean `high`?)",
        ),
        ("create(\"complaint\", #{ severity: \"high\", statuscode: \"received\" });", ""),
        (
            "create(\"complaint\", #{ contactid: inputs.complaint });",
            "4:35: attribute `contactid` points to `contact`, not to `complaint`",
        ),
        (
            "create(\"complaint\", #{ parentid: inputs.complaint, contactid: retrieve(inputs.complaint).contactid });",
            "",
        ),
        (
            "create(\"complaint\", #{ parentid: retrieve(inputs.complaint) });",
            "4:34: attribute `parentid` holds a record, not the map of a record's attributes",
        ),
        (
            "let n = \"a\"; create(\"complaint\", #{ touched: n });",
            "4:46: attribute `touched` holds a whole number, not text",
        ),
        ("let n = \"a\"; n = 5; create(\"complaint\", #{ touched: n });", ""),
        // What outputs hold.
        ("#{ days: \"three\" }", "4:10: output `days` holds a whole number, not text"),
        (
            "let c = retrieve(inputs.complaint); #{ days: c.title }",
            "4:46: output `days` holds a whole number, not text",
        ),
        ("let c = retrieve(inputs.complaint); #{ days: c.touched }", ""),
        // What functions take.
        (
            "add_days(today(), \"x\");",
            "4:19: `add_days` takes a whole number as `days`, not text (write `add_days(when, days)`)",
        ),
        ("add_days(\"soon\", 1);", "4:10: `soon` is no date such as 2026-11-20"),
        ("upper(today());", "4:7: `upper` takes text as `text`, not a date"),
        ("sum(5);", "4:5: `sum` takes a list as `list`, not a whole number"),
        ("retrieve(\"complaint\")", "4:10: `retrieve` takes a record as `record`, not text"),
        (
            "retrieve(retrieve(inputs.complaint))",
            "4:10: `retrieve` takes a record as `record`, not the map of a record's attributes",
        ),
        ("[1, 2].contains(2); \"ab\".contains(\"a\"); sum([1]); upper(5); add_days(\"2026-11-20\", 1 + 2);", ""),
        // What is evident further on.
        ("for row in query(\"complaint\", \"\") { row.titel }", "4:41: `complaint` has no attribute `titel`"),
        (
            "let r = query(\"complaint\", \"\"); first(r).title; let f = r[0]; f.titel",
            "4:65: `complaint` has no attribute `titel`",
        ),
        ("let f = find_one(\"complaint\", \"touched eq 1\"); f.titel", "4:50: `complaint` has no attribute `titel`"),
        ("find_one(\"complaint\", \"tuched eq 1\")", "4:24: `complaint` has no attribute `tuched`"),
        (
            "related(inputs.complaint, \"complaint\", \"parenid\")",
            "4:41: `complaint` has no attribute `parenid` (did you mean `parentid`?)",
        ),
        (
            "follow(inputs.complaint, \"contactid.fulname\")",
            "4:37: `contact` has no attribute `fulname` (did you mean `fullname`?)",
        ),
        ("follow(inputs.complaint, \"contactid.parentcustomerid.name\")", ""),
        (
            "let r = inputs.complaint; r.title",
            "4:29: `r` is a record; its attributes are read with `retrieve` (write `retrieve(r, [\"title\"]).title`)",
        ),
        (
            "invoke(\"close\", (), #{})",
            "4:9: `uses` of the manifest does not list the action `close` (write `uses: { actions: [close] }`)",
        ),
        ("invoke(\"escalate\", (), #{})", ""),
        (
            "http(\"GET\", \"https://a.example\")",
            "4:1: `http` reaches other hosts, which only an external script does (write `external: true` into the manifest)",
        ),
        (
            "update_all(\"complaint\", \"\", #{ title: \"x\" })",
            "4:1: `uses` of the manifest does not list `update` of `complaint`",
        ),
    ] {
        let found = within(lines);
        let first = found.first().map_or("", String::as_str);
        if expected.is_empty() != first.is_empty() || !first.starts_with(expected) {
            wrong.push(format!("{lines}: {found:#?}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_findings_are_told_at_once() {
    let found = findings("let c = retrieve(inputs.complaint, [\"titel\"]);\nuper(c.titel);\nlwoer(c.nothing)");
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn a_file_without_a_manifest_is_told_so() {
    let found = check("let x = 1;", &step(), &schema());
    assert_eq!(found.first().map(|found| found.message.as_str()), Some("the manifest is missing"));
}

proptest! {
    #[test]
    fn no_text_makes_it_fall(text in "(?s).{0,60}") {
        let _ = findings(&text);
    }

    #[test]
    fn no_order_of_words_makes_it_fall(words in prop::collection::vec(prop::sample::select(vec![
        "let", "c", "=", "retrieve(", "inputs", ".", "complaint", ")", "[", "\"title\"", "]", ";", "{", "}", "if", "for", "x", "in", "fn", "f(", "|", "#{", ":",
        "query(", "\"complaint\"", ",", "\"severity eq\"", "update(", "return", "1", "+", "`${", "switch", "=>", "while", "loop", "throw",
    ]), 0..20)) {
        let _ = findings(&words.join(" "));
    }
}

/// What somebody writes who knows spreadsheets, or another language, and what he is told: whole, with its place and what to
/// do. Nothing: it is right.
const HABITS: [(&str, &str); 66] = [
    (
        "let d = days_between(c.receivdon, today());\n#{ days: d }",
        "5:24: `complaint` has no attribute `receivdon` (did you mean `receivedon`?)",
    ),
    (
        "let d = days_between(c.receivedon, today())\n#{ days: d }",
        "5:44: the statement has no `;` at its end (write `;` here)",
    ),
    (
        "if c.touched = 3 { fail(\"no-date\", \"x\"); }\n#{ days: 1 }",
        "5:14: `=` gives a value; a question is asked with `==` (write `==`)",
    ),
    (
        "if c.touched > 3 then fail(\"no-date\", \"x\");\n#{ days: 1 }",
        "5:18: `then` is no word of this language (write `if condition { ... }`)",
    ),
    (
        "if c.touched > 3 then\n fail(\"no-date\", \"x\")\nend if\n#{ days: 1 }",
        "5:18: `then` is no word of this language (write `if condition { ... }`)",
    ),
    (
        "let x = IF(c.touched > 3, 1, 2);\n#{ days: x }",
        "5:9: there is no function `IF` (write `if condition { value } else { other }`)",
    ),
    ("let x = 'late';\n#{ note: x }", "5:9: text stands in double quotes (write \"late\")"),
    (
        "let x = “late”;\n#{ note: x }",
        "5:9: text stands in straight double quotes (write \"...\"; word processors like to make other quotes of them)",
    ),
    ("let x = \"late;\n#{ note: x }", "5:9: the text has no closing `\"` (write one where it ends, on the same line)"),
    (
        "if c.title > 3 { log(\"x\"); }\n#{ days: 1 }",
        "5:12: text is compared with a whole number, which it never is (write `number(...)` around the text)",
    ),
    (
        "if c.touched == \"3\" { log(\"x\"); }\n#{ days: 1 }",
        "5:14: a whole number is compared with text, which it never is (write 3 without quotes)",
    ),
    (
        "if c.receivedon < \"01/02/2026\" { log(\"x\"); }\n#{ days: 1 }",
        "5:19: `01/02/2026` is no date such as 2026-11-20 (a date is written year, month, day)",
    ),
    (
        "let d = days_between(\"01.02.2026\", today());\n#{ days: d }",
        "5:22: `01.02.2026` is no date such as 2026-11-20 or 2026-11-20T09:00:00Z (a date is written year, month, day)",
    ),
    ("if c.receivedon < \"2026-02-01\" { log(\"x\"); }\n#{ days: 1 }", ""),
    (
        "let d = days_between(c.receivedon, today());\nd",
        "6:1: the script ends with a whole number, not with its outputs by name (end with `#{ days: ... }`)",
    ),
    (
        "let d = days_between(c.receivedon, today());",
        "5:1: the script ends without any of its outputs (end with `#{ days: ... }`)",
    ),
    ("let d = 1;\n#{ days: d };", ""),
    ("#{ dayz: 1 }", "5:4: `outputs` of the manifest has no `dayz` (did you mean `days`?)"),
    ("#{ days: c.title }", "5:10: output `days` holds a whole number, not text (write `number(...)` around it)"),
    ("{ days: 1 }", "5:1: values by name begin with `#{` (write `#{ days: ... }`)"),
    ("return { \"days\": 1 };", "5:8: values by name begin with `#{` (write `#{ days: ... }`)"),
    (
        "let x = datediff(c.receivedon, today());\n#{ days: x }",
        "5:9: there is no function `datediff` (write `days_between(from, to)`)",
    ),
    (
        "let x = networkdays(c.receivedon, today());\n#{ days: x }",
        "5:9: there is no function `networkdays` (write `business_days_between(from, to)`)",
    ),
    (
        "let x = CONCATENATE(\"a\", \"b\");\n#{ note: x }",
        "5:9: there is no function `CONCATENATE` (did you mean `concatenate`?)",
    ),
    ("let x = Upper(c.title);\n#{ note: x }", "5:9: there is no function `Upper` (did you mean `upper`?)"),
    ("let x = add_days(c.title, 3);\n#{ when: x }", ""),
    ("create(\"task\", #{ subject: \"x\" });\n#{ days: 1 }", "5:9: there is no entity `task`"),
    (
        "c.touched = 5;\n#{ days: 1 }",
        "5:3: this changes `c` only, not the record that it was read from (write `update(record, #{ touched: ... })`)",
    ),
    (
        "let x = \"days: \" + 5;\n#{ note: x }",
        "5:18: `+` does not go between text and a whole number (write `text(...)` around the other side)",
    ),
    (
        "let x = \"days: \" & c.title;\n#{ note: x }",
        "5:18: `&` neither joins texts nor means `and` (write `+` between texts, `&&` between conditions)",
    ),
    ("if c.touched <> 3 { log(\"x\"); }\n#{ days: 1 }", "5:14: `<>` is no sign of this language (write `!=`)"),
    ("if c.touched > 3 and not (c.title == \"x\") or c.touched == 1 { log(\"x\"); }\n#{ days: 1 }", ""),
    ("if c.receivedon == null { log(\"x\"); }\n#{ days: 1 }", ""),
    (
        "if c.receivedon == nil { log(\"x\"); }\n#{ days: 1 }",
        "5:20: there is no variable `nil` (what is empty is written `()`)",
    ),
    (
        "if ISBLANK(c.receivedon) { log(\"x\"); }\n#{ days: 1 }",
        "5:4: there is no function `ISBLANK` (did you mean `is_blank`?)",
    ),
    ("total = 5;\n#{ days: total }", "5:1: there is no variable `total` (write `let total = ...;` where it begins)"),
    (
        "if c.touched > 3 { log(\"x\"); } elseif c.touched == 1 { log(\"y\"); }\n#{ days: 1 }",
        "5:32: `elseif` is no word of this language (write `else if condition { ... }`)",
    ),
    (
        "if c.touched > 3 { log(\"x\"); } elif c.touched == 1 { log(\"y\"); }\n#{ days: 1 }",
        "5:32: `elif` is no word of this language (write `else if condition { ... }`)",
    ),
    ("if c.touched > 3 { log(\"x\");\n#{ days: 1 }", "5:18: this `{` is never closed (write `}` where its block ends)"),
    (
        "if c.touched > 3 { log(\"x\"); } }\n#{ days: 1 }",
        "5:32: this `}` closes nothing (take it away, or write what it closes)",
    ),
    ("let x = add_days(today(), 3;\n#{ when: x }", "5:17: this `(` is never closed (write `)` where it ends)"),
    (
        "for (let i = 0; i < 3; i++) { log(\"x\"); }\n#{ days: 1 }",
        "5:6: `for` takes each item of a list or of a range (write `for number in 1..=3 { ... }`)",
    ),
    ("let i = 0; i++;\n#{ days: i }", "5:13: `++` is no sign of this language (write `i += 1`)"),
    ("var i = 0;\n#{ days: i }", "5:1: `var` is no word of this language (write `let name = value;`)"),
    (
        "function f(x) { return x; }\n#{ days: f(1) }",
        "5:1: `function` is no word of this language (write `fn name(argument) { ... }`)",
    ),
    ("# a note\n#{ days: 1 }", "5:1: a note for people begins with `//` (write `// ...`)"),
    ("-- a note\n#{ days: 1 }", "5:1: a note for people begins with `//` (write `// ...`)"),
    ("let x = 1,5;\n#{ days: 1 }", "5:10: a number is written with a point (write `1.5`)"),
    (
        "let x = c.amount * 5%;\n#{ days: 1 }",
        "5:21: `%` is what a division leaves over, no part of a hundred (write `percent_of(5, amount)` for 5 % of an amount)",
    ),
    ("let x = 2^3;\n#{ days: x }", "5:10: `^` raises nothing (write `**`: 2 ** 3 is 8)"),
    (
        "if c.severity == \"hihg\" { log(\"x\"); }\n#{ days: 1 }",
        "5:18: there is no option `hihg` (did you mean `high`?)",
    ),
    ("if c.severity == \"high\" { log(\"x\"); }\n#{ days: 1 }", ""),
    (
        "#{ note: inputs.complaint.title }",
        "5:27: `inputs.complaint` is a record; its attributes are read with `retrieve` (write `retrieve(inputs.complaint, [\"title\"]).title`)",
    ),
    ("fail(\"no date\");\n#{ days: 1 }", "5:1: `fail` does not take 1 argument (write `fail(code, message)`)"),
    ("#{ note: record.title }", "5:10: there is no variable `record` (write `record()`)"),
    (
        "let x = c.title * 2;\n#{ days: x }",
        "5:17: `*` does not go between text and a whole number (write `number(...)` around the text)",
    ),
    (
        "let x = today() - c.receivedon;\n#{ days: x }",
        "5:17: `-` does not go between a date and a date (write `days_between(from, to)`)",
    ),
    (
        "let x = today() + 3;\n#{ when: x }",
        "5:17: `+` does not go between a date and a whole number (write `add_days(day, number)`)",
    ),
    (
        "let größe = 5;\n#{ days: größe }",
        "5:7: names are written with the letters a to z, digits and `_` (text in quotes may hold any letter)",
    ),
    (
        "fn f() { c.title }\n#{ note: f() }",
        "5:10: there is no variable `c` (a function sees only its own arguments, and a block what stands before it or in it)",
    ),
    (
        "return #{ days: 1 };\nlog(\"x\");",
        "6:1: the script ends without any of its outputs (end with `#{ days: ... }`)",
    ),
    (
        "log(\"days: ${c.touched}\");\n#{ days: 1 }",
        "5:5: `${` is no value between double quotes (write the text between backticks: `Dear ${name}`)",
    ),
    (
        "update(inputs.complaint, #{ touchd: 5 });\n#{ days: 1 }",
        "5:1: `uses` of the manifest does not list `update` of `complaint` (write `uses: { complaint: [update] }`)",
    ),
    (
        "update(inputs.complaint, { touched: 5 });\n#{ days: 1 }",
        "5:26: values by name begin with `#{` (write `#{ touched: ... }`)",
    ),
    (
        "update(inputs.complaint, #{ touched = 5 });\n#{ days: 1 }",
        "5:37: a name and its value are joined by `:` (write `touched: value`)",
    ),
    ("#{ days: 1; note: \"x\" }", "5:11: values by name are separated by commas (write `,`)"),
];

#[test]
fn habits_of_other_places_are_met_with_what_to_write_here() {
    let mut wrong = Vec::new();
    for (lines, expected) in HABITS {
        let lines = format!("let c = retrieve(inputs.complaint); log(inputs.days);\n{lines}\n");
        // An output that this step does not have is another story.
        let others =
            |found: &String| !found.contains("`outputs` of the manifest has no `note`") && !found.contains("`when`");
        let found: Vec<_> = findings(&lines).into_iter().filter(others).chain(warnings(&lines)).collect();
        if found.first().map_or("", String::as_str) != expected {
            wrong.push(format!("{lines}: {found:#?}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_never_read_is_told() {
    let found = warnings("#{ days: inputs.days };");
    assert_eq!(
        found,
        [
            "2:11: the script never reads its input `complaint` (write `inputs.complaint` where it is wanted, or take it away)"
        ]
    );
    // Whoever hands them on as a whole reads all.
    assert_eq!(warnings("log(inputs.days); #{ days: length(inputs.keys()) }"), [""; 0]);
}

#[test]
fn what_other_places_call_otherwise_is_there_under_its_name_here() {
    for (name, instead) in super::calls::ELSEWHERE {
        assert!(super::signature(name).is_none(), "{name} is there");
        let called = instead.trim_matches('`').split_once('(').map(|(called, _)| called).filter(|called| {
            !called.is_empty() && called.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
        });
        if let Some(called) = called {
            assert!(super::signature(called).is_some(), "{name}: {called} is not there");
        }
    }
}
