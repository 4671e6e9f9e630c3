//! A world for the machine: records by reference, answers of custom steps in order, and a trace of what happened.

use std::collections::{HashMap, VecDeque};

use model::{
    ActivationId, CorrelationId, JobId, Outcome, ProcessId, RecordRef, Schema, Values, Verb, Version,
    job::{Cause, Job, LogEvent, Progress},
    parcel::{Letter, Party},
    starter,
};
use script::{Environment, Facts, Known};

use super::{
    super::{Base, Command, Input, Program, Residue, advance},
    *,
};

pub struct World {
    pub schema: Schema,
    pub program: Program,
    pub job: Job,
    pub records: HashMap<RecordRef, Values>,
    /// What custom steps answer, one after the other.
    pub answers: VecDeque<Result<Vec<Field>, StepFailure>>,
    /// What verbs answer, as long as there is something here; then they are done.
    pub refusals: VecDeque<Option<Refusal>>,
    pub now: Timestamp,
    pub trace: Vec<String>,
}

pub fn record() -> RecordRef {
    fixture::record(COMPLAINT, 1)
}

pub fn team() -> RecordRef {
    fixture::record(starter::TEAM, 9)
}

pub fn job(message: Message) -> Job {
    Job {
        id: JobId(Uuid::from_u128(5)),
        activation: ActivationId { process: ProcessId(1), version: 1 },
        record: Some(record()),
        user: fixture::user(1),
        cause: Cause {
            message,
            attributes: Vec::new(),
            change: Values::new(),
            before: Values::new(),
            after: Values::new(),
            initiating_user: fixture::user(2),
            caller: fixture::user(2),
            delegate: None,
            correlation: CorrelationId(Uuid::from_u128(6)),
            depth: 2,
            parent: None,
            awaited: false,
        },
        state: JobState::Ready,
        progress: Progress::default(),
        created_on: Timestamp::default(),
        started_on: None,
        completed_on: None,
        attempts: 0,
        epoch: 0,
        token: None,
        real_time: false,
    }
}

impl World {
    pub fn of(steps: Vec<Step>) -> Self {
        Self::with(&workflow(steps), Message::Create)
    }

    pub fn with(workflow: &Workflow, message: Message) -> Self {
        let schema = fixture::schema();
        let program = Program::compile(workflow, &schema, &library()).expect("a program");
        let contact = fixture::record(fixture::CONTACT, 7);
        let complaint = [
            (id("title"), "Late".into()),
            (id("notes"), "Seen. ".into()),
            (id("touched"), Value::Whole(1)),
            (id("severity"), Value::Choice(2)),
            (id("contactid"), contact.into()),
        ];
        let records = [
            (record(), complaint.into_iter().collect()),
            (contact, [(AttributeId(32), "Ada".into())].into_iter().collect()),
        ];
        Self {
            schema,
            program,
            job: job(message),
            records: records.into(),
            answers: VecDeque::new(),
            refusals: VecDeque::new(),
            now: Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment"),
            trace: Vec::new(),
        }
    }

    pub fn answering(mut self, answers: Vec<Result<Vec<Field>, StepFailure>>) -> Self {
        self.answers = answers.into();
        self
    }

    pub fn refusing(mut self, refusals: Vec<Option<Refusal>>) -> Self {
        self.refusals = refusals.into();
        self
    }

    /// Runs the job until it ends, waits, or is to be tried again.
    pub fn run(&mut self) -> JobState {
        self.drive(Input::Started)
    }

    /// Runs it again, ready once more.
    pub fn again(&mut self) -> JobState {
        self.job.state = JobState::Ready;
        self.drive(Input::Again)
    }

    fn drive(&mut self, first: Input) -> JobState {
        let mut input = first;
        for _ in 0..1_000 {
            let mut job = self.job.clone();
            let environment = Environment { public_url: "https://x.example".into(), ..Environment::at(self.now) };
            let program = &self.program;
            input = match advance(program, &mut job, input, &environment) {
                Command::Read(paths, named) => Input::Read(self.read(&job, paths, named)),
                Command::Apply(verb) => {
                    let (done, line) = (self.refusals.pop_front().flatten(), verb_words(&self.schema, &verb));
                    self.trace.push(line);
                    Input::Done(done.map_or_else(|| Ok(apply(&mut self.records, verb)), Err))
                }
                Command::Send(letter) => {
                    self.trace.push(letter_words(&letter));
                    let record = fixture::record(starter::EMAIL, 1);
                    let sent = Ok(Outcome { record, version: Version::FIRST, created: true });
                    Input::Done(self.refusals.pop_front().flatten().map_or(sent, Err))
                }
                Command::Call { step, inputs, .. } => {
                    self.trace.push(format!("call {step}{}", field_words(&inputs)));
                    Input::Returned(self.answers.pop_front().unwrap_or(Ok(Vec::new())))
                }
                Command::Invoke { callee, inputs, .. } => {
                    self.trace.push(format!("invoke {}{}", callee.name(), field_words(&inputs)));
                    Input::Invoked(Ok(Vec::new()))
                }
                Command::Flow { order, process, of, .. } => {
                    let said = format!("flow {} {process} {}/{}", order.word(), of.entity, of.id.0.as_u128());
                    self.trace.push(said);
                    let record = fixture::record(starter::EMAIL, 2);
                    let moved = Ok(Outcome { record, version: Version::FIRST, created: true });
                    Input::Done(self.refusals.pop_front().flatten().map_or(moved, Err))
                }
                Command::Find { query, residue, most } => {
                    self.trace.push("find".to_owned());
                    Input::Found(Ok(self.find(query, residue, most as usize, &environment)))
                }
                Command::Turn => Input::Again,
                Command::Log(step, event) => {
                    self.trace.push(event_words(step, &event));
                    Input::Again
                }
                Command::Wait { until, is_news, .. } => {
                    let until = until.map_or_else(|| "a change".to_owned(), |until| until.to_string());
                    self.trace.push(format!("wait for {until}{}", if is_news { "" } else { " again" }));
                    self.job = job;
                    return self.job.state.clone();
                }
                Command::Finish(state) => {
                    self.job = job;
                    return state;
                }
                Command::Retry { at, error } => {
                    self.trace.push(format!("again at {at}: {error}"));
                    self.job = job;
                    return self.job.state.clone();
                }
            };
            self.job = job;
        }
        panic!("the job does not end: {:?}", self.trace);
    }

    fn find(
        &self,
        query: model::query::Query,
        residue: Option<Box<Residue<'_>>>,
        most: usize,
        environment: &Environment,
    ) -> Vec<RecordRef> {
        let mut records: Vec<model::Record> = self
            .records
            .iter()
            .filter(|(record, _)| record.entity == query.entity)
            .map(|(record, values)| model::Record {
                entity: record.entity,
                id: record.id,
                version: Version::FIRST,
                values: values.clone(),
            })
            .filter(|record| crate::filter::matches(&query.filter, record, &mut |_| None))
            .collect();
        records.sort_by(|one, other| crate::filter::in_order(&query.order, one, other, &mut |_| None));
        let mut found: Vec<RecordRef> = records.iter().map(model::Record::reference).collect();
        if let Some(mut residue) = residue {
            found.retain(|record| {
                let mut job = self.job.clone();
                let item = residue.paths().first().map_or("item".into(), |path| path.root.clone());
                let item = StepId::parse(&item).expect("a name");
                job.progress.results.push((item, model::job::StepResult::Record(*record)));
                let known = residue.paths().iter().map(|path| (path.clone(), self.known(&job, path))).collect();
                residue.holds(known, environment) == Ok(true)
            });
        }
        found.truncate(most);
        found
    }

    pub fn read(&self, job: &Job, paths: &[Path], named: &[NamedRecord]) -> Facts {
        let mut facts = Facts::new();
        for path in paths {
            facts.insert(path.clone(), self.known(job, path));
        }
        for named in named {
            let NamedRecord::Named { name, .. } = named else { continue };
            facts.insert_record(named.clone(), (name == "Escalations").then(team));
        }
        facts
    }

    fn known(&self, job: &Job, path: &Path) -> Known {
        let (base, rest) = self.program.base(job, path);
        let (mut entity, mut values, mut at) = match base {
            Base::Record(record) => (record.entity, self.records.get(&record).cloned(), Some(record)),
            Base::Before => (COMPLAINT, Some(job.cause.before.clone()), None),
            Base::After => (COMPLAINT, Some(job.cause.after.clone()), None),
            Base::Change => (COMPLAINT, Some(job.cause.change.clone()), None),
            Base::Nothing => return Known::default(),
        };
        let mut value = at.map(Value::Reference).unwrap_or_default();
        for segment in rest {
            if self.schema.entity(entity).is_some_and(|known| known.id_name() == segment.name) {
                let there = at.filter(|record| self.records.contains_key(record));
                return there.map(|record| Known::plain(Value::Guid(record.id.0))).unwrap_or_default();
            }
            let attribute = self.schema.entity(entity).and_then(|known| known.attribute(&segment.name));
            value = attribute.map(|found| values.unwrap_or_default().get(found.id).clone()).unwrap_or_default();
            at = value.as_reference();
            entity = at.map_or(COMPLAINT, |record| record.entity);
            values = at.and_then(|record| self.records.get(&record).cloned());
        }
        let shown = at.and_then(|record| self.records.get(&record)).map(|values| match values.get(AttributeId(32)) {
            Value::Text(name) => name.clone(),
            _ => "nameless".into(),
        });
        Known { shown, ..Known::plain(value) }
    }
}

fn apply(records: &mut HashMap<RecordRef, Values>, verb: Verb) -> Outcome {
    let (record, created) = match verb {
        Verb::Create { entity, values, .. } => {
            let record = fixture::record(entity, 1_000 + records.len() as u128);
            records.insert(record, values);
            (record, true)
        }
        Verb::Update { target, values, .. } => {
            let kept = records.entry(target).or_default();
            values.into_iter().for_each(|(attribute, value)| kept.store(attribute, value));
            (target, false)
        }
        Verb::Assign { target, owner } => {
            records.entry(target).or_default().store(starter::OWNER, owner.into());
            (target, false)
        }
        Verb::SetStatus { target, status, .. } => {
            let status = status.map(|status| Value::Whole(i64::from(status))).unwrap_or_default();
            records.entry(target).or_default().store(starter::STATUS, status);
            (target, false)
        }
        Verb::Delete { target, .. } | Verb::Share { target, .. } | Verb::Unshare { target, .. } => (target, false),
    };
    Outcome { record, version: Version::FIRST, created }
}

fn short(record: RecordRef) -> String {
    format!("{}/{}", record.entity, record.id.0.as_u128())
}

fn value_words(value: &Value) -> String {
    match value {
        Value::Reference(record) => short(*record),
        Value::Text(text) => format!("\"{text}\""),
        Value::Null => "null".to_owned(),
        other => crate::value::describe(other).trim_start_matches("the number ").to_owned(),
    }
}

fn verb_words(schema: &Schema, verb: &Verb) -> String {
    let values = |entity: EntityId, values: &Values| {
        let entity = schema.entity(entity).expect("an entity");
        let pairs = values.iter().map(|(attribute, value)| {
            let attribute = entity.attribute_by_id(attribute).expect("an attribute");
            format!(" {}={}", attribute.name(), value_words(value))
        });
        pairs.collect::<String>()
    };
    match verb {
        Verb::Create { entity, values: given, .. } => format!("create {entity}{}", values(*entity, given)),
        Verb::Update { target, values: given, .. } => {
            format!("update {}{}", short(*target), values(target.entity, given))
        }
        Verb::Assign { target, owner } => format!("assign {} to {}", short(*target), short(*owner)),
        Verb::SetStatus { target, state, status } => format!("status {} {state:?} {status:?}", short(*target)),
        Verb::Delete { target, .. } => format!("delete {}", short(*target)),
        Verb::Share { target, principal, .. } => format!("share {} with {}", short(*target), short(*principal)),
        Verb::Unshare { target, principal } => format!("unshare {} with {}", short(*target), short(*principal)),
    }
}

fn letter_words(letter: &Letter) -> String {
    let one = |party: &Party| match party {
        Party::Record(record) => short(*record),
        Party::Address(address) => address.to_string(),
    };
    let list = |parties: &[Party]| parties.iter().map(one).collect::<Vec<_>>().join(",");
    let Letter { from, to, cc, bcc, subject, body, markup, regarding } = letter;
    let about = regarding.map(short).unwrap_or_default();
    let (from, to, cc, bcc) = (one(from), list(to), list(cc), list(bcc));
    format!("send {from} to={to} cc={cc} bcc={bcc} about={about} {} {subject:?} {body:?}", markup.mime())
}

fn field_words(fields: &[Field]) -> String {
    fields.iter().map(|field| format!(" {}={}", field.name, value_words(&field.value))).collect()
}

fn event_words(step: Option<&StepId>, event: &LogEvent) -> String {
    let step = step.map_or(String::new(), |step| format!("{step}: "));
    match event {
        LogEvent::Started => "started".to_owned(),
        LogEvent::Branched(number) => format!("{step}branch {number}"),
        LogEvent::Waits { .. } => format!("{step}waits"),
        LogEvent::Answered { outputs, .. } => format!("{step}answered{}", field_words(outputs)),
        LogEvent::Tried { error, .. } => format!("{step}failed: {error}"),
        other => format!("{step}{other:?}"),
    }
}
