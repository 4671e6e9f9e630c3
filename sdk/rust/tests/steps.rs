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
    #[argument(default = 3, min = 1, max = 10, examples(1, 5))]
    days: i64,
    price: Option<Money>,
    urgency: Urgency,
    #[argument(name = "type", max_length = 20, default = "call", deprecated = "it is always a call")]
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
    const EXTERNAL: bool = true;
    const HOSTS: &[(&str, &str)] = &[("api.example.com", "today's rates")];
    const SECRETS: &[(&str, &str)] = &[("api-key", "from the provider")];
    const CONFIG: &[Setting] =
        &[Setting { name: "region", description: "which rates", required: false, default: Some("eu") }];
    const IDEMPOTENT: bool = true;
    const LIMITS: Limits = Limits { wall_ms: Some(60_000), ..Limits::USUAL };
    const DEPRECATED: &str = "use `tests.recall`";
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

    fn examples() -> Vec<Example> {
        let told = Told { about: about(), days: 2, price: None, urgency: Urgency::Low, kind: "call".into() };
        let made = Made { task: about(), due: Date::new(2026, 1, 3), total: None };
        vec![
            Example::of::<Self>("in two days", told).gives(made),
            Example::failing("too late", attributes! { "urgency" => Urgency::VeryHigh }, "too-late"),
        ]
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
        r#"{"schema":1,"contract":"1.0","library":"tests","version":"1.2.3","sdk":"rust 0.1.0","#,
        r#""hosts":{"api.example.com":"today's rates"},"secrets":{"api-key":"from the provider"},"#,
        r#""config":{"region":{"description":"which rates","default":"eu"}},"steps":[{"#,
        r#""step":"tests.remind","inputs":{"#,
        r#""about":{"type":"lookup","required":true,"title":"Waiting record","description":"The record that waits.","to":["complaint","incident"]},"#,
        r#""days":{"type":"whole","min":1,"max":10,"default":3,"examples":[1,5]},"#,
        r#""price":{"type":"money"},"#,
        r#""urgency":{"type":"choice","required":true,"options":{"low":{"value":1},"very_high":{"value":9}}},"#,
        r#""type":{"type":"text","max-length":20,"default":"call","deprecated":"it is always a call"}},"#,
        r#""outputs":{"task":{"type":"lookup","required":true},"due":{"type":"date","required":true},"total":{"type":"decimal"}},"#,
        r#""errors":{"too-late":"It is \"too\" late"},"uses":{"task":["create","set-status"],"actions":["close"]},"#,
        r#""external":true,"idempotent":true,"limits":{"wall-ms":60000},"deprecated":"use `tests.recall`","examples":["#,
        r#"{"title":"in two days","inputs":{"about":{"entity":"complaint","id":"00000000-0000-0000-0000-000000000001"},"#,
        r#""days":2,"price":null,"urgency":1,"type":"call"},"#,
        r#""outputs":{"task":{"entity":"complaint","id":"00000000-0000-0000-0000-000000000001"},"#,
        r#""due":"2026-01-03","total":null}},"#,
        r#"{"title":"too late","inputs":{"urgency":9},"error":"too-late"}]}]}"#,
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

/// The answer of a request that a step sends, and the failure that a bad one becomes.
#[test]
fn a_request_is_answered_by_the_test() {
    let mut host = FakeHost::new();
    host.secrets.push("api-key".into());
    host.answer_http(200, "12.5");
    host.answer_http(429, "");
    host.fail_http(ErrorKind::Transient, "no-connection");
    let context = Context::new(&host);
    let key = context.secret("api-key").expect("it is set");
    assert_eq!(context.secret("other"), None);
    let request = || Request::get("https://api.example.com/rates").header("authorization", format!("Bearer {key}"));
    let answer = context.send(&request()).expect("an answer").good().expect("a good one");
    assert_eq!((answer.text().as_str(), answer.url.as_str()), ("12.5", "https://api.example.com/rates"));
    let failure = context.send(&request()).expect("an answer").good().expect_err("too often");
    assert_eq!((failure.kind(), failure.0.retry_after_ms), (ErrorKind::Throttled, Some(30_000)));
    let failure = Failure::from(context.send(&request()).expect_err("nobody"));
    assert_eq!((failure.kind(), failure.code()), (ErrorKind::Transient, "no-connection"));
    assert_eq!(host.did()[0], Did::Sent(request()));
}

#[test]
fn every_kind_of_bad_answer_has_its_kind_of_failure() {
    let host = FakeHost::new();
    for (status, kind) in [
        (404, ErrorKind::Permanent),
        (401, ErrorKind::Permanent),
        (302, ErrorKind::Permanent),
        (408, ErrorKind::Transient),
        (500, ErrorKind::Transient),
        (503, ErrorKind::Throttled),
    ] {
        host.answer_http(status, "");
        let answer = Context::new(&host).send(&Request::post("https://api.example.com/")).expect("an answer");
        assert_eq!(answer.good().expect_err("a failure").kind(), kind, "{status}");
    }
}
