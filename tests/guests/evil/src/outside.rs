//! Steps that reach for other hosts: as they may, as they may not, too often.

use crate::{Amount, Number};
use stepwise_sdk::prelude::*;

const LOCAL: &[(&str, &str)] = &[("http://localhost:80 private", "a server of the test")];

/// What is asked for.
#[derive(Inputs)]
pub struct Asked {
    /// Where.
    url: String,
    /// The secret that goes along in a header and in the body.
    secret: Option<String>,
    /// How many redirects are followed.
    redirects: Option<i64>,
}

/// What came back.
#[derive(Outputs)]
pub struct Answered {
    /// The status; nothing when there was no answer.
    status: Option<i64>,
    /// The answer, or why there was none.
    text: String,
    /// What the step has of the secret.
    held: Option<String>,
}

fn ask(context: &Context, asked: &Asked) -> Answered {
    let held = asked.secret.as_deref().and_then(|name| context.secret(name));
    let basic = asked.secret.as_deref().and_then(|name| context.basic("ada", name));
    let mut request = Request::post(&asked.url);
    if let Some(count) = asked.redirects {
        request = request.redirects(count as u8);
    }
    if let Some((held, basic)) = held.as_ref().zip(basic) {
        request = request.header("authorization", basic).header("x-key", held).body(format!("key={held}"));
    }
    match context.send(&request) {
        Ok(answer) => Answered { status: Some(answer.status.into()), text: answer.text(), held },
        Err(error) => Answered { status: None, text: error.code, held },
    }
}

/// Asks another host.
pub struct Fetch;

impl Step for Fetch {
    const NAME: &str = "evil.fetch";
    const EXTERNAL: bool = true;
    const HOSTS: &[(&str, &str)] = LOCAL;
    const SECRETS: &[(&str, &str)] = &[("key", "what the other host knows it by")];
    type Inputs = Asked;
    type Outputs = Answered;

    fn run(context: &Context, asked: Asked) -> Result<Answered, Failure> {
        let answered = ask(context, &asked);
        context.info(format!("held {:?}, told {}", answered.held, answered.text));
        Ok(answered)
    }
}

/// Asks another host without saying that it does.
pub struct Sneak;

impl Step for Sneak {
    const NAME: &str = "evil.sneak";
    type Inputs = Asked;
    type Outputs = Answered;

    fn run(context: &Context, asked: Asked) -> Result<Answered, Failure> {
        Ok(ask(context, &asked))
    }
}

/// Asks so many times.
pub struct Pester;

impl Step for Pester {
    const NAME: &str = "evil.pester";
    const EXTERNAL: bool = true;
    type Inputs = Amount;
    type Outputs = Number;

    fn run(context: &Context, Amount { amount }: Amount) -> Result<Number, Failure> {
        let refused = (0..amount).filter(|_| context.send(&Request::get("http://nowhere.invalid/")).is_err());
        Ok(Number { number: refused.count() as i64 })
    }
}

/// Asks for so many placeholders of one secret.
pub struct Hoard;

impl Step for Hoard {
    const NAME: &str = "evil.hoard";
    const EXTERNAL: bool = true;
    type Inputs = Amount;
    type Outputs = Number;

    fn run(context: &Context, Amount { amount }: Amount) -> Result<Number, Failure> {
        let held = (0..amount).filter(|number| context.basic(&format!("user {number}"), "key").is_some());
        Ok(Number { number: held.count() as i64 })
    }
}

/// Tells in one line where it runs, between two units of work.
pub struct WhereOutside;

impl Step for WhereOutside {
    const NAME: &str = "evil.where-outside";
    const EXTERNAL: bool = true;
    type Inputs = ();
    type Outputs = crate::honest::Told;

    fn run(context: &Context, (): ()) -> Result<crate::honest::Told, Failure> {
        Ok(crate::honest::Told { lines: crate::honest::whereabouts(context) })
    }
}

/// Whose work it is.
#[derive(Inputs)]
pub struct Work {
    /// Gets a new subject.
    #[argument(to = "task")]
    task: Reference,
    /// Fail with this code when all is done.
    fail: Option<String>,
}

/// What was made.
#[derive(Outputs)]
pub struct Worked {
    /// The new task.
    #[argument(to = "task")]
    task: Reference,
    /// What it is called.
    subject: String,
}

/// Uses verbs from outside of any unit of work, and sees what they did.
pub struct WorkOutside;

impl Step for WorkOutside {
    const NAME: &str = "evil.work-outside";
    const USES: &[(&str, &[Verb])] = &[("task", &[Verb::Retrieve, Verb::Update, Verb::Create, Verb::Query])];
    const ACTIONS: &[&str] = &["anything"];
    const ERRORS: &[(&str, &str)] = &[("told-so", "It was told to fail")];
    const EXTERNAL: bool = true;
    type Inputs = Work;
    type Outputs = Worked;

    fn run(context: &Context, work: Work) -> Result<Worked, Failure> {
        let before = context.retrieve(&work.task, &["subject"])?;
        let Value::Text(subject) = before.get("subject") else {
            return Err(Failure::rule_violated("told-so", "the task has no subject"));
        };
        let subject = format!("{subject}, attempt {}", context.attempt());
        context.update_expecting(&work.task, before.version, attributes! { "subject" => subject.clone() })?;
        let made = context.create("task", attributes! { "subject" => subject, "regardingobjectid" => &work.task })?;
        let seen = context.retrieve(&made, &["subject"])?;
        let Value::Text(subject) = seen.get("subject") else {
            return Err(Failure::rule_violated("told-so", "its own task is not there"));
        };
        let refused = context.invoke("anything", None, Vec::new()).expect_err("nobody answers");
        context.info(format!("invoke: {}", refused.message));
        match work.fail.as_deref() {
            Some("transient") if context.attempt() < 2 => Err(Failure::transient("told-so", "told to fail")),
            Some("permanent") => Err(Failure::permanent("told-so", "told to fail")),
            _ => Ok(Worked { task: made, subject: subject.clone() }),
        }
    }
}
