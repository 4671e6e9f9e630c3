//! What expressions compile to, what they give, and what they refuse.

use model::{Date, EntityId, EntityName, Money, RecordId, RecordRef, Timestamp, Value, expression::Segment};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::Known;

fn environment() -> Environment {
    let now = Timestamp::parse("2026-11-20T03:00:00Z").expect("a moment");
    let time_zone = crate::environment::time_zone("America/New_York").expect("a zone");
    Environment { time_zone, ..Environment::at(now) }
}

fn path(text: &str) -> Path {
    let mut names = text.split('.');
    let root = names.next().unwrap_or_default().into();
    let segments = names.map(|name| match name.split_once('[') {
        None => Segment { name: name.into(), target: None },
        Some((name, target)) => {
            Segment { name: name.into(), target: EntityName::parse(target.trim_end_matches(']')).ok() }
        }
    });
    Path { root, segments: segments.collect() }
}

fn facts() -> Facts {
    let mut facts = Facts::new();
    let decimal = |text: &str| text.parse::<model::Decimal>().expect("a number");
    let user = RecordRef::new(EntityId(1), RecordId(Uuid::from_u128(5)));
    let choice = Known {
        value: Value::Choice(3),
        option: Some("high".into()),
        shown: Some("Severe".into()),
        ..Known::default()
    };
    let status = Known { value: Value::Whole(2), option: Some("investigating".into()), ..Known::default() };
    let owner = Known { value: user.into(), shown: Some("Anna".into()), ..Known::default() };
    for (place, known) in [
        ("record.title", Known::plain("Mortgage: late fee")),
        (
            "record.amount",
            Known { shown: Some("$10.50".into()), ..Known::plain(Value::Money(Money::new(decimal("10.5")))) },
        ),
        ("record.touched", Known::plain(Value::Whole(7))),
        ("record.ratio", Known::plain(Value::Float(0.1))),
        ("record.receivedon", Known::plain(Value::Date(Date::parse("2026-11-19").expect("a date")))),
        ("record.createdon", Known::plain(Timestamp::parse("2026-11-20T02:00:00Z").expect("a moment"))),
        ("record.urgent", Known::plain(true)),
        ("record.severity", choice),
        ("record.statuscode", status),
        ("record.ownerid", owner.clone()),
        ("caller", owner),
        ("record.default", Known::plain("d")),
        ("record.customerid[account].name", Known::plain("Ada Ltd")),
        ("class.reason", Known::plain("why")),
    ] {
        facts.insert(path(place), known);
    }
    facts
}

fn value(text: &str) -> Result<Value, String> {
    let compiled = Compiled::new(text).map_err(|found| found.to_string())?;
    compiled.evaluate(&facts(), &environment()).map_err(|problem| problem.to_string())
}

#[track_caller]
fn check(cases: &[(&str, Value)]) {
    for (text, expected) in cases {
        assert_eq!(value(text).as_ref(), Ok(expected), "{text}");
    }
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse().expect("a number"))
}

// The four tests that follow are E35, the text among them E11.

#[test]
fn numbers_mix_exactly() {
    check(&[
        ("7 / 2", decimal("3.5")),
        ("6 / 2", Value::Whole(3)),
        ("record.amount * 0.2", decimal("2.10")),
        ("record.ratio + 0.2", decimal("0.3")),
        ("record.touched % 4", Value::Whole(3)),
        ("0.1 + 0.2 == 0.3", true.into()),
        ("9223372036854775807 + 1", decimal("9223372036854775808")),
        ("2 ** 10", Value::Whole(1024)),
        ("1e3", decimal("1000")),
        ("-record.amount", decimal("-10.5")),
        ("-0.5 - -1", decimal("0.5")),
        ("1 + 2 * 3", Value::Whole(7)),
        ("(1 + 2) * 3", Value::Whole(9)),
    ]);
}

#[test]
fn empty_sides_are_harmless() {
    check(&[
        ("record.missing + 1", Value::Null),
        ("-record.missing", Value::Null),
        ("record.missing.name.again", Value::Null),
        ("record.missing > 1", false.into()),
        ("record.missing < 1", false.into()),
        ("record.missing == null", true.into()),
        ("record.title == null", false.into()),
        ("record.missing != null", false.into()),
        ("record.missing == 5", false.into()),
        ("null", Value::Null),
        ("upper(record.missing)", Value::Null),
        ("record.missing.upper()", Value::Null),
        ("record.missing and true", false.into()),
        ("record.missing or record.urgent", true.into()),
        ("not record.missing", true.into()),
        ("if record.missing { 1 } else { 2 }", Value::Whole(2)),
        ("record.missing ?? record.touched", Value::Whole(7)),
        ("\"\" == null", true.into()),
    ]);
}

#[test]
fn words_of_people_are_understood() {
    check(&[
        ("not record.touched == 7", false.into()),
        ("not (record.touched == 7) or true", true.into()),
        ("record.urgent and not record.touched > 10", true.into()),
        ("record.touched in [1, 7]", true.into()),
        ("record.touched not in [1, 7]", false.into()),
        ("record.default", "d".into()),
        ("record.default + record.case.switch", Value::Null),
        ("\"and or not null\"", "and or not null".into()),
        ("record.touched > 5 && !(record.urgent) || false", false.into()),
        ("if record.touched > 5 and record.urgent { \"a\" } else if true { \"b\" } else { \"c\" }", "a".into()),
        ("record.title.left(8).upper()", "MORTGAGE".into()),
        ("split(\"a,b\", \",\")[1]", "b".into()),
        ("record\n  .touched // how often\n  + 1", Value::Whole(8)),
        ("\"a\\\"b\\n\"", "a\"b\n".into()),
    ]);
}

#[test]
fn kinds_compare_as_people_mean_it() {
    check(&[
        ("record.title == \"MORTGAGE: LATE FEE\"", true.into()),
        ("record.severity == \"High\"", true.into()),
        ("\"high\" == record.severity", true.into()),
        ("record.severity == 3", true.into()),
        ("record.severity in [\"low\", \"high\"]", true.into()),
        ("record.severity >= 2", true.into()),
        ("record.statuscode == \"investigating\"", true.into()),
        ("record.ownerid == caller", true.into()),
        ("record.receivedon == \"2026-11-19\"", true.into()),
        // At three in the morning in UTC it is still the evening before in New York.
        ("record.receivedon == today()", true.into()),
        ("record.createdon >= record.receivedon", true.into()),
        ("record.createdon < \"2026-11-20T02:00:01Z\"", true.into()),
        ("record.touched == \"7\"", false.into()),
        ("duration(0, 2, 0) > duration(0, 0, 36)", true.into()),
        ("duration(1, 0, 0) == duration(1, 0, 0)", true.into()),
    ]);
}

#[test]
fn a_path_keeps_the_type_of_its_value() {
    check(&[
        ("record.amount", Value::Money(Money::new("10.5".parse().expect("a number")))),
        ("record.statuscode", Value::Whole(2)),
        ("record.customerid[account].name", "Ada Ltd".into()),
    ]);
}

#[test]
fn paths_are_known_before_the_evaluation() {
    let compiled = Compiled::new("add_days(record.a.b, 1) > now() and record.a.b != class.reason + upper(caller.name)");
    let compiled = compiled.expect("an expression");
    let paths: Vec<String> = compiled.expression().paths.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["record.a.b", "class.reason", "caller.name"]);
    assert!(compiled.asks_clock());
    assert_eq!(compiled.path(), None);
    let compiled = Compiled::new(" record.customerid[account].name ").expect("a path");
    assert_eq!(compiled.path().map(ToString::to_string).as_deref(), Some("record.customerid[account].name"));
}

#[test]
fn people_read_titles_and_names() {
    for (text, shown) in [
        ("record.severity", "Severe"),
        ("record.ownerid", "Anna"),
        ("record.amount", "$10.50"),
        ("record.missing", ""),
        ("record.createdon", "2026-11-19 21:00"),
        ("record.amount * 2", "21"),
        ("record.severity ?? 1", "Severe"),
    ] {
        let compiled = Compiled::new(text).expect(text);
        assert_eq!(compiled.show(&facts(), &environment()).as_deref(), Ok(shown), "{text}");
    }
}

#[test]
fn a_mistake_is_told_with_its_place() {
    for (text, column, message, hint) in [
        ("", 1, "an expression is missing", Some("such as `record.title`")),
        ("record.title == 'x'", 17, "`'` has no place in an expression", Some("text stands in double quotes: \"...\"")),
        ("record.title = \"x\"", 14, "`=` has no place in an expression", Some("write `==` to compare")),
        ("uper(record.title)", 1, "there is no function `uper`", Some("did you mean `upper`?")),
        ("record.title.uper()", 14, "there is no function `uper`", Some("did you mean `upper`?")),
        ("add_days(today())", 1, "`add_days` does not take 1 arguments", Some("write `add_days(when, days)`")),
        ("(1 + 2", 1, "`(` is not closed", None),
        ("1 + 2)", 6, "this bracket closes nothing", None),
        ("(1 + 2]", 7, "`(` is open here and must be closed first", None),
        ("\"ab", 1, "the text has no closing `\"`", None),
        ("1 and", 6, "a value is missing here", None),
        ("upper(1,)", 9, "a value is missing here", None),
        ("record.", 7, "the name of an attribute is missing after this", None),
        ("(record).title", 10, "`.title` can follow a path only", None),
        (
            "while true { }",
            1,
            "`while` has no place in an expression",
            Some("an expression is a single value: longer work belongs into a script"),
        ),
        (
            "let x",
            1,
            "`let` has no place in an expression",
            Some("an expression is a single value: longer work belongs into a script"),
        ),
        ("if true", 1, "the `{` of this `if` is missing", Some("write `if condition { value } else { other }`")),
        (
            "record.customerid[Account].name",
            19,
            "`Account` is no name of an entity: a lower-case letter, then lower-case letters, digits and `_`, at most 50 characters, and none of any, default, end, new, none",
            None,
        ),
    ] {
        let found = Compiled::new(text).expect_err(text);
        let shown = (found.column, found.message.as_str(), found.hint.as_deref());
        assert_eq!(shown, (column, message, hint), "{text}");
    }
    let found = Compiled::new("record.a record.b").expect_err("two values");
    assert_eq!(found.column, 10, "{found}");
}

#[test]
fn what_goes_wrong_is_told_in_words() {
    for (text, message) in [
        (
            "record.receivedon + \"x\"",
            "`+` does not go between a date and text; text joins text only: write `text(...)` around the other side, in `record.receivedon + \"x\"` at character 19",
        ),
        (
            "1 + record.receivedon * 2",
            "`*` does not go between a date and a whole number, in `1 + record.receivedon * 2` at character 23",
        ),
        (
            "record.touched / (7 - record.touched)",
            "a number cannot be divided by 0, in `record.touched / (7 - record.touched)` at character 16",
        ),
        ("upper(record.receivedon)", "`upper` takes text, not a date, in `upper(record.receivedon)` at character 1"),
        ("record.title and true", "true or false is wanted here, not text, in `record.title and true` at character 1"),
        (
            "record.ownerid == \"Anna\"",
            "a lookup does not compare with text: name an attribute of its record, such as `.name`, in `record.ownerid == \"Anna\"` at character 16",
        ),
        (
            "record.receivedon < \"soon\"",
            "`soon` is no date such as 2026-11-20 or 2026-11-20T09:00:00Z, in `record.receivedon < \"soon\"` at character 19",
        ),
        (
            "split(\"a\", \",\")",
            "the result is a list, which no attribute can hold, in `split(\"a\", \",\")` at character 1",
        ),
    ] {
        assert_eq!(value(text), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn an_expression_is_not_endless() {
    let long = format!("1{}", " + 1".repeat(600));
    assert!(Compiled::new(&long).is_err());
    assert!(Compiled::new(&"(".repeat(1_000)).is_err());
    assert!(Compiled::new(&"not ".repeat(400)).is_err());
    assert!(Compiled::new(&format!("{}1", "-".repeat(1_900))).is_err());
    assert!(Compiled::new(&format!("{}1", "1+".repeat(900))).is_err());
    assert_eq!(value(&format!("{}1", "1+".repeat(50))), Ok(Value::Whole(51)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_it_fall(text in "(?s).{0,60}") {
        if let Ok(compiled) = Compiled::new(&text) {
            let _ = compiled.evaluate(&facts(), &environment());
        }
    }

    #[test]
    fn no_order_of_words_makes_it_fall(words in prop::collection::vec(prop::sample::select(vec![
        "record.title", "record.touched", "record.missing", "caller", "not", "and", "or", "if", "else", "in", "null", "true", "(", ")", "[", "]",
        "{", "}", ",", ".", "?.", "??", "+", "-", "*", "/", "%", "**", "==", "!=", "<", ">=", "!", "1", "2.5", "1e400", "\"x\"", "upper(", "min(", "today()", "add_days(",
        "is_true(", "record.severity", "record.receivedon", "split(", "&&", "||", "\n", "//", "/*", "*/",
    ]), 0..14)) {
        let text = words.join(" ");
        if let Ok(compiled) = Compiled::new(&text) {
            let _ = compiled.evaluate(&facts(), &environment());
            let _ = compiled.show(&facts(), &environment());
        }
    }
}
