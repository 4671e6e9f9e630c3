//! Steps that behave: what the others are measured against.

use crate::Number;
use std::sync::atomic::{AtomicI64, Ordering};
use stepwise_sdk::{Duration, prelude::*};

/// One input of each common type.
#[derive(Inputs)]
pub struct All {
    text: Option<String>,
    whole: Option<i64>,
    decimal: Option<Decimal>,
    money: Option<Money>,
    float: Option<f64>,
    boolean: Option<bool>,
    date: Option<Date>,
    date_time: Option<DateTime>,
    duration: Option<Duration>,
    guid: Option<Guid>,
    lookup: Option<Reference>,
    choice: Option<Size>,
}

/// What came in.
#[derive(Outputs)]
pub struct Same {
    text: Option<String>,
    whole: Option<i64>,
    decimal: Option<Decimal>,
    money: Option<Money>,
    float: Option<f64>,
    boolean: Option<bool>,
    date: Option<Date>,
    date_time: Option<DateTime>,
    duration: Option<Duration>,
    guid: Option<Guid>,
    lookup: Option<Reference>,
    choice: Option<Size>,
}

/// A choice.
#[derive(Choice)]
pub enum Size {
    Small = 1,
    Large = 2,
}

/// Gives back what it gets.
pub struct Echo;

impl Step for Echo {
    const NAME: &str = "evil.echo";
    type Inputs = All;
    type Outputs = Same;

    fn run(_: &Context, all: All) -> Result<Same, Failure> {
        Ok(Same {
            text: all.text,
            whole: all.whole,
            decimal: all.decimal,
            money: all.money,
            float: all.float,
            boolean: all.boolean,
            date: all.date,
            date_time: all.date_time,
            duration: all.duration,
            guid: all.guid,
            lookup: all.lookup,
            choice: all.choice,
        })
    }
}

/// Counts its calls in a static: always 1 when every call has an instance of its own.
pub struct Count;

impl Step for Count {
    const NAME: &str = "evil.count";
    type Inputs = ();
    type Outputs = Number;

    fn run(_: &Context, (): ()) -> Result<Number, Failure> {
        static CALLS: AtomicI64 = AtomicI64::new(0);
        Ok(Number { number: CALLS.fetch_add(1, Ordering::Relaxed) + 1 })
    }
}

/// Which task.
#[derive(Inputs)]
pub struct Which {
    /// Gets a new subject, and a task of its own.
    #[argument(to = "task")]
    task: Reference,
}

/// What was made.
#[derive(Outputs)]
pub struct Made {
    /// The new task.
    task: Reference,
    /// The version of the old one.
    version: i64,
}

/// Uses the verbs.
pub struct Bump;

impl Step for Bump {
    const NAME: &str = "evil.bump";
    const USES: &[(&str, &[Verb])] = &[("task", &[Verb::Retrieve, Verb::Update, Verb::Create])];
    const ERRORS: &[(&str, &str)] = &[("no-subject", "The task has no subject")];
    type Inputs = Which;
    type Outputs = Made;

    fn run(context: &Context, Which { task }: Which) -> Result<Made, Failure> {
        let record = context.retrieve(&task, &["subject"])?;
        let Value::Text(subject) = record.get("subject") else {
            return Err(Failure::rule_violated("no-subject", "the task has no subject"));
        };
        let subject = format!("{subject}!");
        let version = context.update(&task, attributes! { "subject" => subject.clone() })?;
        context.info(format!("now {subject}"));
        let task = context.create("task", attributes! { "subject" => subject, "regardingobjectid" => task })?;
        Ok(Made { task, version: version as i64 })
    }
}

/// What a guest sees of the machine.
#[derive(Outputs)]
pub struct Seen {
    /// The step's clock, and Rust's.
    clocks: String,
    /// Two random numbers.
    random: String,
    /// Environment variables and arguments.
    environment: String,
    /// What the operator set for `greeting`.
    greeting: Option<String>,
}

/// Looks around.
pub struct Surroundings;

impl Step for Surroundings {
    const NAME: &str = "evil.surroundings";
    type Inputs = ();
    type Outputs = Seen;

    #[expect(clippy::disallowed_methods, reason = "what the machine's clock says to a guest is the question")]
    fn run(context: &Context, (): ()) -> Result<Seen, Failure> {
        let system = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_err(|error| Failure::permanent("clock", error.to_string()))?;
        Ok(Seen {
            clocks: format!("{} {}", context.now().0, system.as_micros()),
            random: format!("{} {}", context.random(), context.random()),
            environment: format!("{} {}", std::env::vars().count(), std::env::args().count()),
            greeting: context.config("greeting"),
        })
    }
}

/// What the host tells.
#[derive(Outputs)]
pub struct Told {
    /// One line for each thing.
    pub lines: String,
}

/// Asks for everything that a context has.
pub struct Ask;

impl Step for Ask {
    const NAME: &str = "evil.ask";
    type Inputs = ();
    type Outputs = Told;

    fn run(context: &Context, (): ()) -> Result<Told, Failure> {
        let described = context.describe_entity("task")?;
        let unknown = context.describe_entity("nothing").map_err(|error| error.code);
        let lines = [
            format!("user {}", context.user()),
            format!("initiating {}", context.initiating_user()),
            format!("unit {:?}", context.business_unit().map(|unit| unit.to_string())),
            format!("record {:?}", context.record().map(|record| record.to_string())),
            format!("message {}", context.message()),
            format!("images {:?} {:?}", context.pre_image(), context.post_image()),
            format!("depth {} attempt {}", context.depth(), context.attempt()),
            format!("correlation {}", context.correlation()),
            format!("mode {:?} stage {:?}", context.mode(), context.stage()),
            format!("key {}", context.idempotency_key()),
            format!("time left {}", context.deadline().0 - context.now().0),
            format!("zone {} cancelled {}", context.time_zone(), context.is_cancelled()),
            format!("more {:?}", context.attribute("weather")),
            format!("entity {described}"),
            format!("unknown {unknown:?}"),
        ];
        Ok(Told { lines: lines.join("\n") })
    }
}

/// Tells in one line where it runs.
pub struct Where;

impl Step for Where {
    const NAME: &str = "evil.where";
    type Inputs = ();
    type Outputs = Told;

    fn run(context: &Context, (): ()) -> Result<Told, Failure> {
        Ok(Told { lines: whereabouts(context) })
    }
}

/// What a context says that is the same each time.
pub fn whereabouts(context: &Context) -> String {
    let entity = |reference: Option<Reference>| reference.map_or("none".to_owned(), |one| one.entity);
    let image = |fields: Vec<Field>| {
        let fields = fields.iter().map(|field| match &field.value {
            Value::Text(text) => format!("{} {text}", field.name),
            value => format!("{} {value:?}", field.name),
        });
        fields.collect::<Vec<_>>().join(", ")
    };
    let same = if context.user() == context.initiating_user() { "the same" } else { "another" };
    let key = context.idempotency_key();
    [
        format!("{:?} {:?} by `{}`", context.mode(), context.stage(), context.message()),
        format!("as {} and {same}", context.user().entity),
        format!("unit {}", entity(context.business_unit())),
        format!("record {}", entity(context.record())),
        format!("before ({}) after ({})", image(context.pre_image()), image(context.post_image())),
        format!("depth {} attempt {}", context.depth(), context.attempt()),
        format!("key ..{}", key.split_once(':').map_or("", |(_, step)| step)),
        format!("{} s left", (context.deadline().0 - context.now().0) / 1_000_000),
        format!("cancelled {}", context.is_cancelled()),
    ]
    .join("; ")
}

/// Which task, and which colleague.
#[derive(Inputs)]
pub struct Handed {
    /// What is handed on.
    #[argument(to = "task")]
    task: Reference,
    /// Who gets it.
    #[argument(to = "systemuser")]
    to: Reference,
}

/// Uses the verbs that `Bump` does not.
pub struct HandOn;

impl Step for HandOn {
    const NAME: &str = "evil.hand-on";
    const USES: &[(&str, &[Verb])] =
        &[("any", &[Verb::Assign, Verb::SetStatus, Verb::Query, Verb::Delete, Verb::Share, Verb::Update])];
    type Inputs = Handed;
    type Outputs = Told;

    fn run(context: &Context, Handed { task, to }: Handed) -> Result<Told, Failure> {
        let versions = [context.assign(&task, &to)?, context.set_status(&task, "done")?];
        let stale = context.update_expecting(&task, 1, attributes! { "subject" => "x" }).map_err(|error| error.kind);
        let query = Query::of("task").only(["subject"]).filter("subject eq 'call'").order_descending("subject");
        let page = context.query(&query.page_size(10))?;
        let found: Vec<_> = page.records().map(|record| format!("{:?}", record.get("subject"))).collect();
        let broken = context.query(&Query::of("task").filter("subject equals 5")).map_err(|error| error.message);
        let later = [
            context.share(&task, &to, &["read"]).map_err(|error| error.code),
            context.unshare(&task, &to).map_err(|error| error.code),
            context.invoke("close", Some(&task), Vec::new()).map(|_| ()).map_err(|error| error.code),
        ];
        let wrong = context.update(&task, attributes! { "colour" => "red" }).map_err(|error| error.message);
        context.delete_expecting(&task, versions[1])?;
        let lines = [
            format!("versions {versions:?} stale {stale:?}"),
            format!("found {found:?}"),
            format!("broken {:?}", broken.map(|page| page.rows.len())),
            format!("later {later:?}"),
            format!("wrong {wrong:?}"),
        ];
        Ok(Told { lines: lines.join("\n") })
    }
}

/// Which rows, and what of them.
#[derive(Inputs)]
pub struct Wanted {
    /// The entity.
    entity: String,
    /// Names of attributes, with commas between.
    attributes: String,
    /// The most rows.
    amount: i64,
}

/// What rows say.
#[derive(Outputs)]
pub struct Sheet {
    /// One line for each row.
    lines: String,
    /// How many there are.
    rows: i64,
}

/// Reads rows at once and gives back what they say.
pub struct Rows;

impl Step for Rows {
    const NAME: &str = "evil.rows";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Query])];
    type Inputs = Wanted;
    type Outputs = Sheet;

    fn run(context: &Context, wanted: Wanted) -> Result<Sheet, Failure> {
        let names: Vec<&str> = wanted.attributes.split(',').collect();
        let query = Query::of(wanted.entity).page_size(u32::try_from(wanted.amount).unwrap_or(1));
        let page = context.query(&names.iter().fold(query, |query, name| query.and(*name)))?;
        let (mut lines, mut rows) = (String::new(), 0);
        for record in page.records() {
            rows += 1;
            for name in &names {
                match record.get(name) {
                    Value::Text(text) => lines.push_str(text),
                    other => lines.push_str(&format!("{other:?}")),
                }
                lines.push(';');
            }
            lines.push('\n');
        }
        Ok(Sheet { lines, rows })
    }
}

/// Which flow on which record is to go where.
#[derive(Inputs)]
pub struct Led {
    /// The record.
    record: Reference,
    /// The flow.
    process: String,
    /// The move.
    order: String,
}

/// Moves a business process flow as its user may, and tells where it stands.
pub struct Lead;

impl Step for Lead {
    const NAME: &str = "evil.lead";
    const ACTIONS: &[&str] = &["MoveFlow", "ReadFlow"];
    type Inputs = Led;
    type Outputs = Told;

    fn run(context: &Context, Led { record, process, order }: Led) -> Result<Told, Failure> {
        let of_flow = || attributes! { "process" => process.as_str() };
        let before = context.invoke("ReadFlow", Some(&record), of_flow())?;
        let mut wanted = of_flow();
        wanted.extend(attributes! { "move" => order.as_str() });
        let moved = context.invoke("MoveFlow", Some(&record), wanted).map_err(|error| error.code);
        let after = context.invoke("ReadFlow", Some(&record), of_flow())?;
        let stage = |fields: &[Field]| {
            let found = fields.iter().find(|field| field.name == "stage");
            found.map(|field| format!("{:?}", field.value)).unwrap_or_default()
        };
        let lines = [stage(&before), format!("{:?}", moved.map(|_| ())), stage(&after)];
        Ok(Told { lines: lines.join("\n") })
    }
}
