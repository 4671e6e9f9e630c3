//! The guide of `sdk/README.md`: its snippets as they stand there, compiled and run. The last test compares the two.

use stepwise_sdk::prelude::*;

stepwise_sdk::export!(Remind);

/// What the step is told.
#[derive(Inputs)]
pub struct Overdue {
    /// The record that waits for an answer.
    #[argument(to = "complaint")]
    complaint: Reference,
    /// After how many days to call.
    #[argument(default = 3, min = 1)]
    days: i64,
}

/// What it did.
#[derive(Outputs)]
pub struct Reminder {
    /// The new task.
    task: Reference,
}

/// Makes a task that reminds of an answer.
pub struct Remind;

impl Step for Remind {
    const NAME: &str = "greetings.remind";
    const USES: &[(&str, &[Verb])] = &[("task", &[Verb::Create])];
    type Inputs = Overdue;
    type Outputs = Reminder;

    fn run(context: &Context, overdue: Overdue) -> Result<Reminder, Failure> {
        let subject = format!("Call within {} days", overdue.days);
        let task =
            context.create("task", attributes! { "subject" => subject, "regardingobjectid" => overdue.complaint })?;
        Ok(Reminder { task })
    }
}

use stepwise_sdk::testing::{Did, FakeHost};

#[test]
fn a_reminder_is_a_task() {
    let host = FakeHost::new();
    let complaint = host.with_record("complaint", attributes! { "title" => "Card lost" });
    let reminder = host.run::<Remind>(Overdue { complaint, days: 3 }).expect("a reminder");
    assert!(matches!(&host.did()[..], [Did::Created(made, _)] if *made == reminder.task));
}

/// In which currency.
#[derive(Inputs)]
pub struct Currency {
    /// Three letters.
    #[argument(max_length = 3, examples("EUR"))]
    currency: String,
}

/// What it is worth.
#[derive(Outputs)]
pub struct Rate {
    /// In the organisation's currency.
    rate: Decimal,
}

/// Asks for today's rate.
pub struct Today;

impl Step for Today {
    const NAME: &str = "greetings.rate";
    const EXTERNAL: bool = true;
    const HOSTS: &[(&str, &str)] = &[("rates.example.com", "today's rates")];
    const SECRETS: &[(&str, &str)] = &[("api-key", "the key that the provider gives you")];
    const ERRORS: &[(&str, &str)] = &[("no-rate", "The provider has no rate for this currency")];
    type Inputs = Currency;
    type Outputs = Rate;

    fn run(context: &Context, wanted: Currency) -> Result<Rate, Failure> {
        let key =
            context.secret("api-key").ok_or_else(|| Failure::permanent("no-key", "the secret `api-key` is not set"))?;
        let request = Request::get(format!("https://rates.example.com/{}", wanted.currency)).header("x-key", key);
        let answer = context.send(&request)?.good()?;
        let rate = answer.text().trim().parse();
        rate.map(|rate| Rate { rate }).map_err(|_| Failure::permanent("no-rate", "the provider gave no number"))
    }

    fn examples() -> Vec<Example> {
        vec![Example::of::<Self>("the euro", Currency { currency: "EUR".into() })]
    }
}

#[test]
fn a_rate_is_asked_for_with_the_key() {
    let mut host = FakeHost::new();
    host.secrets.push("api-key".into());
    host.answer_http(200, "1.0825");
    let rate = host.run::<Today>(Currency { currency: "EUR".into() }).expect("a rate");
    assert_eq!(rate.rate.to_string(), "1.0825");
    host.answer_http(200, "1.0825");
    host.check_examples::<Today>();
}

#[test]
fn the_guide_is_what_stands_here() {
    let here: String = include_str!("guide.rs").split_whitespace().collect();
    let guide = include_str!("../../README.md");
    let snippets: Vec<&str> = guide.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(snippets.len(), 3);
    for snippet in snippets {
        let snippet: String = snippet.split_whitespace().collect();
        assert!(here.contains(&snippet), "{snippet}");
    }
}
