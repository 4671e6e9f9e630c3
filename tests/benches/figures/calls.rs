//! P6: one call of a custom step with eight inputs in a fresh instance, as a component and as a script, and one
//! evaluation of an expression; without the commit. Beside it what a verb called back from a step costs, a thousand rows to a
//! guest and back, and the same call among fifty loaded plugins.

use std::{
    any::Any,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use model::{
    AttributeId, CorrelationId, Digest, Field, Image, Message, Outcome, Record, RecordId, RecordRef, Schema, StepName,
    Timestamp, Value, ValueType, Values, Verb, Version,
    package::{Code, Script},
    query::{Page, Query},
    schema::Attribute,
    starter,
    step::{HostRefusal, Limits, LogLevel, StepCall, StepContext, StepHost, StepRunner},
};
use tests::guests;
use uuid::Uuid;
use wasm::{Runner, RunnerSettings};

use crate::{
    options::Options,
    report::{Figure, Report, Target},
};

/// Calls that are not counted, then calls that are.
const WARM: usize = 200;
const CALLS: usize = 5_000;
/// Plugins that are loaded beside the one that is called, and rows that one reads.
const OTHERS: u8 = 49;
const ROWS: usize = 1_000;

const SCRIPT: &str = r#"/*---
step: bench.sum
inputs: { a: { type: whole }, b: { type: whole }, c: { type: whole }, d: { type: whole }, e: { type: text }, f: { type: text }, g: { type: boolean }, h: { type: date } }
outputs: { sum: { type: whole } }
---*/
let sum = inputs.a + inputs.b + inputs.c + inputs.d;
if inputs.g { sum += 1; }
#{ sum: sum }
"#;

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let cache = tempfile::tempdir()?;
    let settings = RunnerSettings { cache_dir: Some(cache.path().into()), ..RunnerSettings::default() };
    let runner = Runner::new(settings)?;
    runner.prepare_scripts()?;
    let installed = runner.install(guests::evil())?;

    let component = call("evil.echo", Code::Component(installed.digest), echo_inputs())?;
    add(report, "P6 component", &runner, &component, &Shelf::empty(), options, Some(40.0))?;
    back(report, &runner, installed.digest, options)?;
    let others = (0..OTHERS).map(|number| runner.install(&padded(guests::evil(), number)));
    let others = others.collect::<Result<Vec<_>, _>>()?;
    add(report, "P6 component among 50 loaded", &runner, &component, &Shelf::empty(), options, None)?;
    drop(others);
    let script = Script { digest: Digest([7; 32]), file: "scripts/sum.rhai".into(), text: SCRIPT.into() };
    let script = call("bench.sum", Code::Script(Arc::new(script)), script_inputs())?;
    add(report, "P6 script", &runner, &script, &Shelf::empty(), options, Some(120.0))?;
    expressions(options, report)
}

/// What steps cost that ask the host: five verbs, and a thousand rows of twelve attributes that come back as text.
fn back(report: &mut Report, runner: &Runner, digest: Digest, options: &Options) -> Result<()> {
    let step = |name: &str, amount: i64| call(name, Code::Component(digest), vec![field("amount", amount)]);
    let none = add(report, "P6 no verb", runner, &step("evil.storm", 0)?, &Shelf::empty(), options, None)?;
    let shelf = Shelf::of_tasks()?;
    let five = add(report, "P6 five verbs", runner, &step("evil.storm", 5)?, &shelf, options, None)?;
    let each = Figure {
        name: "P6 a verb called back from a step".into(),
        value: (five - none).max(0.0) / 5.0,
        unit: "us",
        target: Some(Target::AtMost(5.0)),
        ceiling: None,
    };
    report.add(each);
    let shelf = Shelf::of_contacts(ROWS)?;
    let names: Vec<&str> = shelf.names.iter().map(String::as_str).collect();
    let inputs = vec![
        field("entity", "contact"),
        field("attributes", names.join(",").as_str()),
        field("amount", i64::try_from(ROWS)?),
    ];
    let rows = call("evil.rows", Code::Component(digest), inputs)?;
    add(report, "P6 1000 rows of 12 to a guest and back", runner, &rows, &shelf, options, None)?;
    Ok(())
}

/// The same component under another digest: with a section that says nothing.
fn padded(component: &[u8], number: u8) -> Vec<u8> {
    let name = b"bench";
    let mut padded = component.to_vec();
    padded.extend([0, name.len() as u8 + 2, name.len() as u8]);
    padded.extend(name);
    padded.push(number);
    padded
}

fn add(
    report: &mut Report,
    name: &str,
    runner: &Runner,
    call: &StepCall,
    shelf: &Shelf,
    options: &Options,
    target: Option<f64>,
) -> Result<f64> {
    let mut host: Box<dyn StepHost> = Box::new(shelf.clone());
    for _ in 0..options.times(WARM) {
        host = answer(runner, call, host)?;
    }
    let mut taken: Vec<Duration> = Vec::with_capacity(CALLS);
    for _ in 0..options.times(CALLS) {
        let begin = Instant::now();
        host = answer(runner, call, host)?;
        taken.push(begin.elapsed());
    }
    taken.sort_unstable();
    let micros = |place: usize| taken[place.min(taken.len() - 1)].as_secs_f64() * 1e6;
    let figure = |name: String, value, target| Figure { name, value, unit: "us", target, ceiling: None };
    report.add(figure(format!("{name}, median"), micros(taken.len() / 2), target.map(Target::AtMost)));
    report.add(figure(format!("{name}, 99 of 100"), micros(taken.len() * 99 / 100), None));
    Ok(micros(taken.len() / 2))
}

fn answer(runner: &Runner, call: &StepCall, host: Box<dyn StepHost>) -> Result<Box<dyn StepHost>> {
    let returned = runner.run(call, host);
    if let Err(failure) = returned.result {
        bail!("`{}` failed: {failure}", call.step);
    }
    returned.host.context("the runner kept the host")
}

fn expressions(options: &Options, report: &mut Report) -> Result<()> {
    let cases = script::bench::cases().map_err(|diagnostic| anyhow::anyhow!("{}", diagnostic.message))?;
    for mut case in cases {
        let times = options.times(100_000);
        let begin = Instant::now();
        (0..times).for_each(|_| (case.run)());
        let value = begin.elapsed().as_secs_f64() * 1e6 / times as f64;
        // What is only done when something is deployed has no target.
        let target = (!case.name.starts_with("compiling")).then_some(Target::AtMost(5.0));
        let name = case.name.split_once(':').map_or(case.name, |(kind, _)| kind);
        report.add(Figure { name: format!("P6 expression, {name}"), value, unit: "us", target, ceiling: None });
    }
    Ok(())
}

fn field(name: &str, value: impl Into<Value>) -> Field {
    Field { name: name.into(), value: value.into() }
}

fn echo_inputs() -> Vec<Field> {
    vec![
        field("text", "Loan modification, collection, foreclosure"),
        field("whole", 42),
        field("decimal", Value::Decimal(model::Decimal::new(12_345, 2))),
        field("money", Value::Money(model::Money::new(model::Decimal::new(99_990, 2)))),
        field("float", Value::Float(0.5)),
        field("boolean", true),
        field("date", model::Date::default()),
        field("date_time", Timestamp::default()),
    ]
}

fn script_inputs() -> Vec<Field> {
    let text = "Loan modification, collection, foreclosure";
    vec![
        field("a", 1),
        field("b", 2),
        field("c", 3),
        field("d", 4),
        field("e", text),
        field("f", text),
        field("g", true),
        field("h", model::Date::default()),
    ]
}

fn schema() -> Result<Schema> {
    let solution = formats::starter();
    let numbers = formats::numbering::extend(&Default::default(), &solution.entities);
    Ok(Schema::build(solution.entities, solution.choices, &numbers)?)
}

fn call(step: &str, code: Code, inputs: Vec<Field>) -> Result<StepCall> {
    let user = RecordRef::new(starter::SYSTEM_USER, RecordId(Uuid::from_u128(1)));
    let schema = schema()?;
    let context = StepContext {
        user,
        initiating_user: user,
        business_unit: None,
        record: None,
        message: Message::Create,
        action: None,
        stage: Some(model::process::workflow::Stage::After),
        before: Image::new(),
        after: Image::new(),
        depth: 2,
        correlation: CorrelationId(Uuid::from_u128(2)),
        background: true,
        attempt: 1,
        idempotency_key: "bench".into(),
        now: Timestamp::default(),
        time_zone: "UTC".into(),
        calendar: "mon,tue,wed,thu,fri".into(),
        public_url: "http://127.0.0.1:8420".into(),
        seed: 7,
    };
    let limits = Limits::default();
    Ok(StepCall {
        step: StepName::parse(step)?,
        code,
        inputs,
        context,
        schema: Arc::new(schema),
        limits,
        grants: Default::default(),
        external: false,
    })
}

/// A host that answers every read with what it has, at no cost to speak of but that of a copy.
#[derive(Clone)]
struct Shelf {
    record: Option<Record>,
    page: Page,
    /// The attributes of the rows that are known.
    names: Vec<String>,
}

impl Shelf {
    fn empty() -> Self {
        Self { record: None, page: Page::default(), names: Vec::new() }
    }

    /// One task.
    fn of_tasks() -> Result<Self> {
        let schema = schema()?;
        let task = schema.named("task").context("every store has tasks")?;
        let subject = task.attribute("subject").context("a task has a subject")?.id;
        let values = [(subject, Value::from("Call back"))].into_iter().collect();
        let record = Record { entity: task.id, id: RecordId(Uuid::from_u128(1)), version: Version::FIRST, values };
        Ok(Self { record: Some(record), ..Self::empty() })
    }

    /// So many contacts of which twelve attributes are known.
    fn of_contacts(rows: usize) -> Result<Self> {
        let schema = schema()?;
        let contact = schema.named("contact").context("every store has contacts")?;
        let is_text = |attribute: &&Attribute| {
            attribute.id >= starter::FIRST_OWN_ATTRIBUTE && attribute.value_type() == ValueType::Text
        };
        let texts: Vec<&Attribute> = contact.attributes().iter().filter(is_text).take(12).collect();
        let values: Values =
            texts.iter().map(|attribute| (attribute.id, Value::from("Twelve or so characters"))).collect();
        let one = |row: usize| Record {
            entity: contact.id,
            id: RecordId(Uuid::from_u128(row as u128)),
            version: Version::FIRST,
            values: values.clone(),
        };
        let page = Page { records: (0..rows).map(one).collect(), next: None, count: None };
        Ok(Self { record: None, page, names: texts.iter().map(|text| text.name().to_string()).collect() })
    }
}

impl StepHost for Shelf {
    fn apply(&mut self, _: Verb) -> Result<Outcome, HostRefusal> {
        Err(HostRefusal::Abort)
    }

    fn retrieve(&mut self, _: RecordRef, _: Option<&[AttributeId]>) -> Result<Record, HostRefusal> {
        self.record.clone().ok_or(HostRefusal::Abort)
    }

    fn query(&mut self, _: &Query) -> Result<Page, HostRefusal> {
        Ok(self.page.clone())
    }

    fn invoke(&mut self, _: &str, _: Option<RecordRef>, _: Vec<Field>) -> Result<Vec<Field>, HostRefusal> {
        Err(HostRefusal::Abort)
    }

    fn log(&mut self, _: LogLevel, _: &str) {}

    fn is_cancelled(&self) -> bool {
        false
    }

    fn breathe(&mut self) -> Result<(), HostRefusal> {
        Ok(())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
