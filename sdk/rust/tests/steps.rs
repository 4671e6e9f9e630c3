//! Steps as an author writes them: derives, failures, verbs and the fake host, natively.

use stepwise_sdk::{
    Inputs as _, Verb, manifest,
    prelude::*,
    testing::{Did, FakeHost},
};

/// How pressing something is.
#[derive(Choice, Debug, PartialEq)]
enum Urgency {
    Low = 1,
    VeryHigh = 9,
}

/// What the step is told.
#[derive(Inputs)]
struct Told {
    /// The record
    /// that waits.
    #[argument(to("complaint", "incident"), title = "Waiting record")]
    about: Reference,
    #[argument(default = 3, min = 1, max = 10)]
    days: i64,
    price: Option<Money>,
    urgency: Urgency,
    #[argument(name = "type", max_length = 20, default = "call")]
    kind: String,
}

/// What it did.
#[derive(Outputs, Debug, PartialEq)]
struct Made {
    task: Reference,
    due: Date,
    total: Option<Decimal>,
}

/// Makes a task.
struct Remind;

impl Step for Remind {
    const NAME: &str = "tests.remind";
    const USES: &[(&str, &[Verb])] = &[("task", &[Verb::Create, Verb::SetStatus])];
    const ERRORS: &[(&str, &str)] = &[("too-late", "It is \"too\" late")];
    const ACTIONS: &[&str] = &["close"];
    type Inputs = Told;
    type Outputs = Made;

    fn run(context: &Context, told: Told) -> Result<Made, Failure> {
        if told.urgency == Urgency::VeryHigh {
            return Err(Failure::rule_violated("too-late", "it is too late"));
        }
        let subject = format!("{} within {} days", told.kind, told.days);
        let task = context.create("task", attributes! { "subject" => subject, "regardingobjectid" => &told.about })?;
        context.update(&task, attributes! { "urgency" => told.urgency })?;
        context.info("made");
        let due = context.now().date().plus_days(told.days as i32);
        Ok(Made { task, due, total: told.price.map(|price| price.0 * Decimal::TWO) })
    }
}

fn about() -> Reference {
    Reference::new("complaint", Guid::from_u128(1))
}

fn told(more: Vec<Field>) -> Vec<Field> {
    let mut fields = attributes! { "about" => about(), "urgency" => Urgency::Low };
    fields.extend(more);
    fields
}

/// The failure of untyped inputs.
fn failure(fields: Vec<Field>) -> (ErrorKind, String) {
    let failure = FakeHost::new().execute::<Remind>(fields).expect_err("a failure");
    (failure.kind(), failure.message().to_owned())
}

#[test]
fn a_step_reads_its_inputs_and_uses_the_verbs() {
    let host = FakeHost::new();
    let fields = told(attributes! { "price" => Money(Decimal::new(125, 2)), "type" => "write" });
    let outputs = host.execute::<Remind>(fields).expect("outputs");
    let [Did::Created(task, attributes), Did::Updated(changed, _), Did::Logged(line)] = &host.did()[..] else {
        panic!("{:?}", host.did())
    };
    assert_eq!(attributes[0].value, Value::Text("write within 3 days".into()));
    assert_eq!((task, line.as_str()), (changed, "made"));
    assert_eq!(host.read(task).expect("it is there").version, 2);
    let expected = attributes! { "task" => task, "due" => Date::new(2026, 1, 4), "total" => Decimal::new(250, 2) };
    assert_eq!(outputs, expected);
}

#[test]
fn wrong_inputs_are_named() {
    for (fields, message) in [
        (attributes! { "urgency" => Urgency::Low }, "input `about` is empty"),
        (attributes! { "about" => about(), "urgency" => 1_i64 }, "input `urgency` should be choice and is whole"),
        (
            vec![
                Field { name: "about".into(), value: about().into() },
                Field { name: "urgency".into(), value: Value::Choice(5) },
            ],
            "input `urgency` is a choice that cannot be read or is out of range",
        ),
        (told(attributes! { "days" => "three" }), "input `days` should be whole and is text"),
        (
            told(vec![Field { name: "price".into(), value: Value::Money("many".into()) }]),
            "input `price` is a money that cannot be read or is out of range",
        ),
    ] {
        assert_eq!(failure(fields), (ErrorKind::InvalidInput, message.to_owned()));
    }
}

#[test]
fn a_refused_verb_is_passed_on_as_it_is() {
    let host = FakeHost::new();
    host.fail_next(ErrorKind::Throttled, "slow-down");
    let failure = host.execute::<Remind>(told(Vec::new())).expect_err("a failure");
    assert_eq!((failure.kind(), failure.code()), (ErrorKind::Throttled, "slow-down"));
}

#[test]
fn the_manifest_says_what_the_types_say() {
    let document = manifest::document("1.2.3", &[manifest::step::<Remind>()]);
    let expected = concat!(
        r#"{"schema":1,"contract":"1.0","library":"tests","version":"1.2.3","sdk":"rust 0.1.0","steps":[{"#,
        r#""step":"tests.remind","inputs":{"#,
        r#""about":{"type":"lookup","required":true,"title":"Waiting record","description":"The record that waits.","to":["complaint","incident"]},"#,
        r#""days":{"type":"whole","min":1,"max":10,"default":3},"#,
        r#""price":{"type":"money"},"#,
        r#""urgency":{"type":"choice","required":true,"options":{"low":{"value":1},"very_high":{"value":9}}},"#,
        r#""type":{"type":"text","max-length":20,"default":"call"}},"#,
        r#""outputs":{"task":{"type":"lookup","required":true},"due":{"type":"date","required":true},"total":{"type":"decimal"}},"#,
        r#""errors":{"too-late":"It is \"too\" late"},"uses":{"task":["create","set-status"],"actions":["close"]}}]}"#,
    );
    assert_eq!(String::from_utf8(document).expect("text"), expected);
    assert_eq!(Told::arguments().len(), 5);
}

#[test]
fn days_are_counted_over_leap_years() {
    for (date, days) in [
        ((1970, 1, 1), 0),
        ((1969, 12, 31), -1),
        ((2000, 2, 29), 11_016),
        ((2026, 11, 20), 20_777),
        ((1, 1, 1), -719_162),
        ((9999, 12, 31), 2_932_896),
    ] {
        assert_eq!(Date::new(date.0, date.1, date.2), Date(days));
        assert_eq!(Date(days).parts(), date);
    }
    assert_eq!(Date::new(2026, 11, 20).to_string(), "2026-11-20");
}

#[test]
fn a_guid_is_written_and_read() {
    let text = "0123abcd-4567-89ab-cdef-0123456789ab";
    assert_eq!(text.parse::<Guid>().map(|guid| guid.to_string()).as_deref(), Ok(text));
    for wrong in ["", "0123abcd456789abcdef0123456789ab", "0123abcd-4567-89ab-cdef-0123456789a+"] {
        assert!(wrong.parse::<Guid>().is_err(), "{wrong}");
    }
}
