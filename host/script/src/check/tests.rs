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

/// What is found in a script with these lines, from line 4 on.
fn findings(lines: &str) -> Vec<String> {
    check(&format!("{HEAD}{lines}"), &step(), &schema()).iter().map(ToString::to_string).collect()
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
        ("let c = 1;\nif c > {", "5:9: "),
        ("let c = 1;\nuper(c)", "5:1: there is no function `uper` (did you mean `upper`?)"),
        ("\"a\".uper()", "4:5: there is no function `uper` (did you mean `upper`?)"),
        ("fn tripled(x) { x * 3 } triple(3)", "4:25: there is no function `triple` (did you mean `tripled`?)"),
        ("add_days(1)", "4:1: `add_days` does not take 1 arguments (write `add_days(when, days)`)"),
        ("fail(\"x\")", "4:1: `fail` does not take 1 arguments (write `fail(code, message)`)"),
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
            "let c = retrieve(inputs.complaint, [\"title\"]);\nc.severity",
            "5:3: `severity` was not retrieved, so it is empty here (list \"severity\" in the call of `retrieve`)",
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
        let found = findings(lines);
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
            "add_days(today(), \"x\")",
            "4:19: `add_days` takes a whole number as `days`, not text (write `add_days(when, days)`)",
        ),
        ("add_days(\"soon\", 1)", "4:10: `soon` is no date such as 2026-11-20"),
        ("upper(today())", "4:7: `upper` takes text as `text`, not a date"),
        ("sum(5)", "4:5: `sum` takes a list as `list`, not a whole number"),
        ("retrieve(\"complaint\")", "4:10: `retrieve` takes a record as `record`, not text"),
        (
            "retrieve(retrieve(inputs.complaint))",
            "4:10: `retrieve` takes a record as `record`, not the map of a record's attributes",
        ),
        ("[1, 2].contains(2); \"ab\".contains(\"a\"); sum([1]); upper(5); add_days(\"2026-11-20\", 1 + 2)", ""),
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
        let found = findings(lines);
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
