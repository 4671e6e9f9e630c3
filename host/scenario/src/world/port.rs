//! The world as a port: the lines of a page, done by the engine itself.
//!
//! Every line goes through the same calls as a request of the web API; what is asked of a user elsewhere is asked here.

use std::collections::HashMap;

use engine::Failure;
use model::{
    AttributeId, JobId, Message, Privilege, ProcessName, RecordId, RecordRef, Refusal, Span, Timestamp, Value, Values,
    Verb, Version,
    job::{Job, JobFilter, LogLine, Order},
    query::{Comparison, Filter, Operand, Query},
    schema::Entity,
    starter,
};
use smol_str::SmolStr;
use store::Fault;
use uuid::Uuid;

use super::{World, fault, log, plugin, value};
use crate::port::{FlowAsk, Given, Imported, Migrating, No, Piece, Port, Question, Shown, ShownJob, Target, TaskAsk};

/// The most jobs of a list: more than any page makes.
const MOST_JOBS: u32 = 10_000;

impl World {
    /// Goes on as the user of this name; `admin` is the one that every store has.
    pub(super) fn become_user(&mut self, user: &str) -> Result<(), No> {
        if user == super::ADMIN {
            self.user = engine::administrator();
            return Ok(());
        }
        let found = self.find("systemuser", user)?;
        let found = found.ok_or_else(|| No::new("page", format!("there is no user `{user}`")))?;
        self.user = RecordRef::new(starter::SYSTEM_USER, RecordId(found.id));
        Ok(())
    }

    pub(super) fn entity(&self, name: &str) -> Result<std::sync::Arc<Entity>, No> {
        let schema = self.engine().schema();
        schema.named(name).cloned().ok_or_else(|| refused(&Refusal::UnknownEntity(name.into())))
    }

    pub(super) fn record(&self, target: &Target) -> Result<RecordRef, No> {
        Ok(RecordRef::new(self.entity(&target.entity)?.id, RecordId(target.id)))
    }

    fn apply_verb(&mut self, verb: Verb) -> Result<model::Outcome, No> {
        let caller = self.caller();
        self.engine().apply(&caller, verb).map_err(no)
    }

    fn values(&self, entity: &Entity, given: &[(SmolStr, Given)]) -> Result<Values, No> {
        let schema = self.engine().schema();
        let value = |(name, given): &(SmolStr, Given)| {
            let attribute = attribute(entity, name)?;
            Ok((attribute.id, value::value(&schema, entity, attribute, given)))
        };
        given.iter().map(value).collect()
    }

    fn attributes(&self, entity: &Entity, names: &[SmolStr]) -> Result<Vec<AttributeId>, No> {
        names.iter().map(|name| Ok(attribute(entity, name)?.id)).collect()
    }

    fn shown(&self, entity: &Entity, record: &model::Record, attributes: &[AttributeId]) -> Shown {
        let schema = self.engine().schema();
        let field = |id: &AttributeId| {
            let attribute = entity.attribute_by_id(*id)?;
            let piece = value::shown(&schema, entity, attribute, record.get(*id));
            Some((SmolStr::from(attribute.name().as_str()), piece))
        };
        let fields = attributes.iter().filter_map(field).collect();
        Shown { target: value::target(&schema, record.reference()), fields }
    }

    /// Why a job waits that waits for a package in quarantine.
    fn rests(&self, job: &Job) -> Option<String> {
        self.engine().catalogue().rests(job).map(|why| why.to_string())
    }

    fn shown_job(&self, job: &Job, processes: &HashMap<model::ProcessId, SmolStr>, log: &[LogLine]) -> ShownJob {
        let schema = self.engine().schema();
        ShownJob {
            id: job.id.0,
            process: processes.get(&job.activation.process).cloned().unwrap_or_default(),
            record: job.record.map(|record| value::target(&schema, record)),
            state: job.state.word().into(),
            reason: job.state.reason().map(str::to_owned).or_else(|| self.rests(job)),
            log: log.iter().filter_map(|line| log::said(&schema, line)).collect(),
        }
    }
}

impl World {
    /// What a line gives a process, by what the process declares.
    fn arguments(&self, process: &str, inputs: &[(SmolStr, Given)]) -> Vec<model::Field> {
        let (catalogue, schema) = (self.engine().catalogue(), self.engine().schema());
        let process = catalogue.process(process).cloned();
        let declared = |name: &str| {
            let inputs = &process.as_ref()?.workflow.inputs;
            inputs.iter().find(|input| input.name.as_str() == name).map(|input| input.kind.value_type)
        };
        let field = |(name, given): &(SmolStr, Given)| {
            let value = value::argument(&schema, declared(name), given);
            model::Field { name: name.clone(), value }
        };
        inputs.iter().map(field).collect()
    }
}

impl World {
    /// `product`, or `severity=high`.
    fn supposed(&self, entity: &Entity, text: &str) -> Result<(SmolStr, Option<Value>), No> {
        let Some((name, given)) = text.split_once('=') else { return Ok((text.into(), None)) };
        let attribute = attribute(entity, name)?;
        let given = if given == "null" { Given::Empty } else { Given::Bare(given.into()) };
        Ok((name.into(), Some(value::value(&self.engine().schema(), entity, attribute, &given))))
    }
}

/// A line for each check, and what it comes to.
fn told_why(why: &engine::Why) -> Vec<String> {
    let mut lines = vec![why.event.clone()];
    for check in &why.checks {
        let mark = if check.passed { "yes" } else { "no " };
        lines.push(format!("{mark} {}: {}", check.name, check.says));
        lines.extend(check.hint.iter().map(|hint| format!("      {hint}")));
    }
    lines.push(match (why.runs.as_slice(), why.starts) {
        ([], true) => "nothing keeps it from starting".to_owned(),
        ([], false) => "it does not start".to_owned(),
        (runs, _) => {
            let runs: Vec<String> = runs.iter().map(|run| format!("{} {}", run.job, run.state)).collect();
            format!("it started: {}", runs.join(", "))
        }
    });
    lines
}

impl Port for World {
    fn create(&mut self, entity: &str, values: &[(SmolStr, Given)]) -> Result<Uuid, No> {
        let entity = self.entity(entity)?;
        let values = self.values(&entity, values)?;
        let made = self.apply_verb(Verb::Create { entity: entity.id, id: None, values })?;
        Ok(made.record.id.0)
    }

    fn update(&mut self, target: &Target, version: Option<u64>, values: &[(SmolStr, Given)]) -> Result<(), No> {
        let entity = self.entity(&target.entity)?;
        let values = self.values(&entity, values)?;
        let target = self.record(target)?;
        self.apply_verb(Verb::Update { target, expected: version.map(Version), values }).map(drop)
    }

    fn delete(&mut self, target: &Target, version: Option<u64>) -> Result<(), No> {
        let target = self.record(target)?;
        self.apply_verb(Verb::Delete { target, expected: version.map(Version) }).map(drop)
    }

    fn assign(&mut self, target: &Target, to: &Target) -> Result<(), No> {
        let (target, owner) = (self.record(target)?, self.record(to)?);
        self.apply_verb(Verb::Assign { target, owner }).map(drop)
    }

    fn share(&mut self, target: &Target, with: &Target, rights: &[SmolStr]) -> Result<(), No> {
        let (target, principal) = (self.record(target)?, self.record(with)?);
        let right = |word: &SmolStr| {
            let why = smol_str::format_smolstr!("`{word}` is none that sharing gives");
            Privilege::from_word(word).ok_or_else(|| refused(&Refusal::Unreadable { what: "the right".into(), why }))
        };
        let rights = rights.iter().map(right).collect::<Result<_, _>>()?;
        self.apply_verb(Verb::Share { target, principal, rights }).map(drop)
    }

    fn unshare(&mut self, target: &Target, with: &Target) -> Result<(), No> {
        let (target, principal) = (self.record(target)?, self.record(with)?);
        self.apply_verb(Verb::Unshare { target, principal }).map(drop)
    }

    fn set_status(&mut self, target: &Target, to: &str) -> Result<(), No> {
        let entity = self.entity(&target.entity)?;
        let target = self.record(target)?;
        let status = entity.status_named(to).map(|(_, status)| status.value);
        let (state, status) = match (status, entity.state_named(to)) {
            (Some(status), _) => (None, Some(status)),
            (None, Some(state)) => (Some(state.value), None),
            (None, None) => (None, Some(to.parse().map_err(|_| no_status(&entity, to))?)),
        };
        self.apply_verb(Verb::SetStatus { target, state, status }).map(drop)
    }

    fn get(&mut self, target: &Target, attributes: &[SmolStr]) -> Result<Shown, No> {
        let entity = self.entity(&target.entity)?;
        let mut wanted = self.attributes(&entity, attributes)?;
        let record = self.record(target)?;
        let caller = self.caller();
        let record = self.engine().retrieve(&caller, record, None).map_err(no)?;
        if wanted.is_empty() {
            let own = entity.attributes().iter().map(|attribute| attribute.id);
            wanted = own.filter(|id| *id >= starter::FIRST_OWN_ATTRIBUTE && !record.get(*id).is_null()).collect();
        }
        Ok(self.shown(&entity, &record, &wanted))
    }

    fn query(&mut self, question: &Question<'_>) -> Result<Vec<Shown>, No> {
        let entity = self.entity(question.entity)?;
        let schema = self.engine().schema();
        let mut query = Query { top: question.top, ..Query::all(entity.id) };
        if let Some(filter) = question.filter {
            query.filter =
                script::filter::parse(filter, &entity, &schema).map_err(|at| unreadable("the filter", &at))?;
        }
        if let Some(order) = question.order {
            query.order = script::filter::order(order, &entity, &schema).map_err(|at| unreadable("the order", &at))?;
        }
        let mut wanted = self.attributes(&entity, question.attributes)?;
        if wanted.is_empty() {
            wanted.push(entity.primary);
        }
        let caller = self.caller();
        let page = self.engine().query(&caller, &query).map_err(no)?;
        Ok(page.records.iter().map(|record| self.shown(&entity, record, &wanted)).collect())
    }

    fn find(&mut self, entity: &str, name: &str) -> Result<Option<Target>, No> {
        let entity = self.entity(entity)?;
        let filter = Filter::Compare {
            operand: Operand::Attribute(entity.primary),
            comparison: Comparison::Equal,
            value: Value::text(name),
        };
        // A page names records for its readers: whoever acts on it need not be allowed to look them up.
        let caller = self.engine().caller(engine::administrator());
        let page = self.engine().query(&caller, &Query { filter, ..Query::all(entity.id) }).map_err(no)?;
        match page.records.as_slice() {
            [] => Ok(None),
            [record] => Ok(Some(value::target(&self.engine().schema(), record.reference()))),
            several => {
                Err(No::new("page", format!("{} records of `{}` are called `{name}`", several.len(), entity.name())))
            }
        }
    }

    fn run(&mut self, process: &str, record: &Target, inputs: &[(SmolStr, Given)]) -> Result<Uuid, No> {
        let record = self.record(record)?;
        let unknown = || refused(&Refusal::UnknownProcess(process.into()));
        let name = process.parse().map_err(|_| unknown())?;
        let caller = self.caller();
        let inputs = self.arguments(process, inputs);
        let job = self.engine().run_process_with(&caller, &name, record, inputs).map_err(no)?;
        Ok(job.0)
    }

    fn call(
        &mut self,
        action: &str,
        target: Option<&Target>,
        inputs: &[(SmolStr, Given)],
    ) -> Result<Vec<(SmolStr, Piece)>, No> {
        let target = target.map(|target| self.record(target)).transpose()?;
        let (caller, inputs) = (self.caller(), self.arguments(action, inputs));
        let outputs = self.engine().invoke(&caller, action, target, inputs).map_err(no)?;
        let schema = self.engine().schema();
        Ok(outputs.into_iter().map(|field| (field.name, value::plain(&schema, &field.value))).collect())
    }

    fn flow(&mut self, record: &Target, asked: &FlowAsk) -> Result<Vec<String>, No> {
        self.ask_flow(record, asked)
    }

    fn task(&mut self, record: &Target, asked: &TaskAsk) -> Result<Vec<String>, No> {
        self.ask_task(record, asked)
    }

    fn import(&mut self, file: &str, entity: Option<&str>, key: Option<&str>) -> Result<Imported, No> {
        self.import_table(file, entity, key)
    }

    fn jobs(&mut self, state: Option<&str>, process: Option<&str>) -> Result<Vec<ShownJob>, No> {
        let processes = self.processes()?;
        let process = match process {
            None => None,
            Some(name) => {
                let found = processes.iter().find(|(_, known)| *known == name).map(|(id, _)| *id);
                Some(found.ok_or_else(|| refused(&Refusal::UnknownProcess(name.into())))?)
            }
        };
        let filter = JobFilter { state: state.map(SmolStr::from), process, record: None };
        let caller = self.caller();
        let mut jobs = self.engine().jobs(&caller, &filter, MOST_JOBS, None).map_err(no)?.jobs;
        jobs.sort_by_key(|job| job.id);
        Ok(jobs.iter().map(|job| self.shown_job(job, &processes, &[])).collect())
    }

    fn job(&mut self, id: Uuid) -> Result<ShownJob, No> {
        let processes = self.processes()?;
        let caller = self.caller();
        let (job, log) = self.engine().job(&caller, JobId(id)).map_err(no)?;
        let waits = self.engine().waits(&job).map_err(no)?;
        let mut shown = self.shown_job(&job, &processes, &log);
        let branches = waits.iter().flat_map(|waits| &waits.branches).zip(1..);
        shown.log.extend(branches.map(|(branch, number)| log::waited_for(number, branch)));
        Ok(shown)
    }

    fn migrate(&mut self, migrating: &Migrating<'_>) -> Result<Vec<Vec<Piece>>, No> {
        let caller = self.caller();
        let Migrating { process, from, to, map, preview } = *migrating;
        let step = |text: &SmolStr| {
            model::StepId::parse(text).map_err(|problem| No::new("page", format!("`{text}`: {problem}")))
        };
        let map = map.iter().map(|(old, new)| Ok((step(old)?, step(new)?))).collect::<Result<_, No>>()?;
        let process = ProcessName::parse(process).map_err(|_| refused(&Refusal::UnknownProcess(process.into())))?;
        let migration = engine::Migration { process, from, to, map };
        let (mut lines, mut cursor) = (Vec::new(), None);
        loop {
            let engine = self.engine();
            let outcome = match preview {
                true => engine.plan_migration(&caller, &migration, cursor.as_deref()),
                false => engine.migrate(&caller, &migration, cursor.as_deref()),
            };
            let outcome = outcome.map_err(no)?;
            lines.extend(outcome.jobs.iter().map(|job| log::migrated(job, outcome.to)));
            cursor = outcome.next;
            if cursor.is_none() {
                return Ok(lines);
            }
        }
    }

    fn attempt(
        &mut self,
        process: &str,
        record: &Target,
        inputs: &[(SmolStr, Given)],
        until: Option<Timestamp>,
        branches: &[u16],
    ) -> Result<Vec<Vec<Piece>>, No> {
        let (caller, target) = (self.caller(), self.record(record)?);
        let inputs = self.arguments(process, inputs);
        let beyond = engine::Beyond { until, branches: branches.to_vec(), answers: Vec::new() };
        let name = ProcessName::parse(process).map_err(|_| refused(&Refusal::UnknownProcess(process.into())))?;
        let trial = self.engine().try_process(&caller, &name, Some(target), &inputs, &beyond).map_err(no)?;
        Ok(log::tried(&self.engine().schema(), &trial))
    }

    fn explain(
        &mut self,
        process: &str,
        record: &Target,
        event: Option<&str>,
        attributes: &[SmolStr],
    ) -> Result<Vec<String>, No> {
        let (caller, entity, target) = (self.caller(), self.entity(&record.entity)?, self.record(record)?);
        let event = match event {
            None => engine::Event::Last,
            Some(word) => {
                let message = Message::from_word(word).ok_or_else(|| No::new("page", format!("no event `{word}`")))?;
                let named = attributes.iter().map(|text| self.supposed(&entity, text)).collect::<Result<_, _>>()?;
                engine::Event::Supposed { message, named }
            }
        };
        let name = ProcessName::parse(process).map_err(|_| refused(&Refusal::UnknownProcess(process.into())))?;
        let why = self.engine().explain(&caller, &name, target, &event).map_err(no)?;
        Ok(told_why(&why))
    }

    fn order(&mut self, job: Uuid, order: Order) -> Result<(), No> {
        let caller = self.caller();
        self.engine().order(&caller, JobId(job), order).map_err(no)
    }

    fn plugin(&mut self, order: &str, library: &str, words: &[SmolStr]) -> Result<Vec<String>, No> {
        plugin::say(self.engine(), &self.caller(), order, library, words)
    }

    fn act_as(&mut self, user: &str) -> Result<(), No> {
        self.become_user(user)
    }

    fn apply(&mut self) -> Result<(), No> {
        let (caller, files) = (self.caller(), self.sources());
        self.engine().apply_solution(&caller, files, engine::ApplyOptions::default()).map(drop).map_err(no)
    }

    fn advance(&mut self, span: Span) -> Result<(), No> {
        self.pass(span)
    }

    fn restart(&mut self) -> Result<(), No> {
        self.reopen()
    }

    fn fail_next(&mut self, kind: &str) -> Result<(), No> {
        if self.postbox.fail_next(kind) {
            return Ok(());
        }
        let fault: Fault = kind
            .parse()
            .map_err(|message: String| No::new("page", format!("{message}, mail, mail-refused, mail-cut")))?;
        self.store.fail(fault, 1);
        Ok(())
    }
}

pub(super) fn attribute<'e>(entity: &'e Entity, name: &str) -> Result<&'e model::schema::Attribute, No> {
    let unknown = || Refusal::UnknownAttribute { entity: entity.name().as_str().into(), attribute: name.into() };
    entity.attribute(name).ok_or_else(|| refused(&unknown()))
}

fn no_status(entity: &Entity, status: &str) -> No {
    refused(&Refusal::BadStatus {
        entity: entity.name().as_str().into(),
        state: None,
        status: Some(smol_str::format_smolstr!("or state `{status}`")),
    })
}

fn unreadable(what: &str, at: &script::Diagnostic) -> No {
    let why = smol_str::format_smolstr!("{} at column {}", at.message, at.column);
    refused(&Refusal::Unreadable { what: what.into(), why })
}

pub(super) fn no(failure: Failure) -> No {
    match failure {
        Failure::Refused(refusal) => refused(&refusal),
        Failure::Fault(error) => fault(&error),
    }
}

pub(super) fn refused(refusal: &Refusal) -> No {
    let details = match refusal {
        Refusal::BadSolution(problems) => problems.iter().map(problem).collect(),
        _ => Vec::new(),
    };
    No { details, ..No::new(refusal.code(), refusal.to_string()) }
}

fn problem(problem: &model::refusal::Problem) -> String {
    let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{problem}{hint}")
}
