//! A session: does what a line says through a port, and keeps the names that lines gave to records and jobs.
//!
//! `stepwise shell` and pages use the same one. What it answers is text for people: the same in memory and over HTTP.

use std::collections::HashMap;

use smol_str::{SmolStr, format_smolstr};
use uuid::Uuid;

use crate::{
    line::{Command, FlowLine, Name, Setting, TaskLine, Term},
    port::{
        FlowAsk, FlowMove, Given, Imported, Migrating, No, Piece, Port, Question, Shown, ShownJob, Target, TaskAsk,
    },
};

/// A port with the names of one page or one shell.
pub struct Session<P> {
    /// The Stepwise behind it.
    pub port: P,
    names: Names,
}

/// What records and jobs are called.
#[derive(Clone, Debug, Default)]
pub struct Names {
    records: HashMap<(SmolStr, SmolStr), Uuid>,
    called: HashMap<Target, SmolStr>,
    /// How many records of an entity got a number for a name.
    numbered: HashMap<SmolStr, u32>,
    jobs: Vec<Uuid>,
}

impl<P: Port> Session<P> {
    /// A session without names.
    pub fn new(port: P) -> Self {
        Self { port, names: Names::default() }
    }

    /// The names so far.
    pub fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// The port and the names, both to be changed.
    pub fn parts(&mut self) -> (&mut P, &mut Names) {
        (&mut self.port, &mut self.names)
    }

    /// Does what the command says; the answer has a line for each thing to show, none where all is said by "done".
    pub fn run(&mut self, command: &Command) -> Result<Vec<String>, No> {
        match command {
            Command::Create { record, set } => self.create(record, set),
            Command::Update { record, set } => {
                let (target, values) = (self.target(record)?, self.values(set)?);
                self.port.update(&target, record.version, &values).map(|()| Vec::new())
            }
            Command::Delete(record) => {
                let target = self.target(record)?;
                self.port.delete(&target, record.version).map(|()| Vec::new())
            }
            Command::Assign { record, to } => {
                let (target, to) = (self.target(record)?, self.target(to)?);
                self.port.assign(&target, &to).map(|()| Vec::new())
            }
            Command::Share { record, with, rights } => {
                let (target, with) = (self.target(record)?, self.target(with)?);
                self.port.share(&target, &with, rights).map(|()| Vec::new())
            }
            Command::Unshare { record, with } => {
                let (target, with) = (self.target(record)?, self.target(with)?);
                self.port.unshare(&target, &with).map(|()| Vec::new())
            }
            Command::Status { record, to } => {
                let target = self.target(record)?;
                self.port.set_status(&target, to).map(|()| Vec::new())
            }
            Command::Get { record, attributes } => {
                let target = self.target(record)?;
                let shown = self.port.get(&target, attributes)?;
                Ok(vec![self.names.shown(&shown)])
            }
            Command::Query { entity, filter, order, top, attributes } => {
                let (filter, order) = (filter.as_deref(), order.as_deref());
                let found = self.port.query(&Question { entity, filter, order, top: *top, attributes })?;
                Ok(found.iter().map(|shown| self.names.shown(shown)).collect())
            }
            Command::Run { process, record, set } => {
                let (target, inputs) = (self.target(record)?, self.values(set)?);
                let job = self.port.run(process, &target, &inputs)?;
                Ok(vec![self.names.job(job).into()])
            }
            Command::Migrate { process, from, to, map, preview } => {
                let migrating = Migrating { process, from: *from, to: *to, map, preview: *preview };
                let told = self.port.migrate(&migrating)?;
                Ok(told.iter().map(|line| self.names.sentence(line)).collect())
            }
            Command::Try { process, record, set, until, branches } => {
                let (target, inputs) = (self.target(record)?, self.values(set)?);
                let told = self.port.attempt(process, &target, &inputs, *until, branches)?;
                Ok(told.iter().map(|line| self.names.supposed(line)).collect())
            }
            Command::Explain { process, record, event, attributes } => {
                let target = self.target(record)?;
                self.port.explain(process, &target, event.as_deref(), attributes)
            }
            Command::Call { action, record, set } => {
                let target = record.as_ref().map(|record| self.target(record)).transpose()?;
                let inputs = self.values(set)?;
                let outputs = self.port.call(action, target.as_ref(), &inputs)?;
                let told = outputs.iter().map(|(name, value)| format!("{name}: {}", self.names.piece(value)));
                let told = told.collect::<Vec<_>>().join(", ");
                Ok(if told.is_empty() { Vec::new() } else { vec![told] })
            }
            Command::Flow(record, line) => {
                let target = self.target(record)?;
                let asked = self.flow(line)?;
                let told = self.port.flow(&target, &asked)?;
                Ok(told.iter().map(|line| self.names.rename(line)).collect())
            }
            Command::Task(record, line) => {
                let target = self.target(record)?;
                let TaskLine { word, process, set } = line;
                let (word, process, values) = (word.clone(), process.clone(), self.values(set)?);
                let told = self.port.task(&target, &TaskAsk { word, process, version: record.version, values })?;
                Ok(told.iter().map(|line| self.names.rename(line)).collect())
            }
            Command::Import { file, entity, key } => {
                self.port.import(file, entity.as_deref(), key.as_deref()).map(|imported| told(&imported))
            }
            Command::JobList { state, process } => {
                let jobs = self.port.jobs(state.as_deref(), process.as_deref())?;
                Ok(jobs.iter().map(|job| self.names.shown_job(job)).collect())
            }
            Command::JobShow(job) => self.show(job),
            Command::JobOrder(job, order) => {
                let job = self.names.job_called(job)?;
                self.port.order(job, *order).map(|()| Vec::new())
            }
            Command::Plugin { order, library, words } => self.port.plugin(order, library, words),
            Command::Apply => self.port.apply().map(|()| Vec::new()),
            Command::Advance(span) => self.port.advance(*span).map(|()| Vec::new()),
            Command::Restart => self.port.restart().map(|()| Vec::new()),
            Command::FailNext(kind) => self.port.fail_next(kind).map(|()| Vec::new()),
        }
    }

    fn create(&mut self, record: &Name, set: &[Setting]) -> Result<Vec<String>, No> {
        let values = self.values(set)?;
        let id = self.port.create(&record.entity, &values)?;
        self.names.call(Target { entity: record.entity.clone(), id }, record.name.clone());
        Ok(Vec::new())
    }

    fn flow(&mut self, line: &FlowLine) -> Result<FlowAsk, No> {
        Ok(match line {
            FlowLine::Look => FlowAsk::Look,
            FlowLine::View => FlowAsk::View,
            FlowLine::Switch(to) => FlowAsk::Switch(to.clone()),
            FlowLine::Start { process, stage } => FlowAsk::Start { process: process.clone(), stage: stage.clone() },
            FlowLine::Move { wanted, process, stage, to, create } => FlowAsk::Move(FlowMove {
                wanted: wanted.clone(),
                process: process.clone(),
                stage: stage.clone(),
                to: to.as_ref().map(|to| self.target(to)).transpose()?,
                create: create.as_ref().map(|set| self.values(set)).transpose()?,
            }),
        })
    }

    fn show(&mut self, job: &str) -> Result<Vec<String>, No> {
        let id = self.names.job_called(job)?;
        let shown = self.port.job(id)?;
        let mut lines = vec![self.names.shown_job(&shown)];
        lines.extend(shown.log.iter().map(|line| format!("  {}", self.names.sentence(line))));
        Ok(lines)
    }

    fn values(&mut self, set: &[Setting]) -> Result<Vec<(SmolStr, Given)>, No> {
        set.iter()
            .map(|Setting { attribute, value }| {
                let given = match value {
                    Term::Empty => Given::Empty,
                    Term::Bare(text) => Given::Bare(text.clone()),
                    Term::Text(text) => Given::Text(text.clone()),
                    Term::Record(name) => Given::Record(self.target(name)?),
                };
                Ok((attribute.clone(), given))
            })
            .collect()
    }

    /// The record of this name: as the session called it, by its id, or by its primary name.
    fn target(&mut self, name: &Name) -> Result<Target, No> {
        if let Some(id) = self.names.records.get(&(name.entity.clone(), name.name.clone())) {
            return Ok(Target { entity: name.entity.clone(), id: *id });
        }
        if let Ok(id) = name.name.parse() {
            return Ok(Target { entity: name.entity.clone(), id });
        }
        let found = self.port.find(&name.entity, &name.name)?;
        found.ok_or_else(|| No::new("not-found", format!("there is no `{}` called `{}`", name.entity, name.name)))
    }
}

impl Names {
    /// Gives a record a name; an older record of that name keeps it in what is shown.
    pub fn call(&mut self, target: Target, name: SmolStr) {
        self.records.insert((target.entity.clone(), name.clone()), target.id);
        self.called.insert(target, name);
    }

    /// Gives a record a name unless it has one, or another record has that name.
    pub fn call_unless_called(&mut self, target: Target, name: SmolStr) {
        let taken = self.records.contains_key(&(target.entity.clone(), name.clone()));
        if !taken && !self.called.contains_key(&target) {
            self.call(target, name);
        }
    }

    /// `account/a1`; a record without a name gets the next number of its entity.
    pub fn record(&mut self, target: &Target) -> SmolStr {
        if let Some(name) = self.called.get(target) {
            return format_smolstr!("{}/{}", target.entity, quoted_where_needed(name));
        }
        loop {
            let number = self.numbered.entry(target.entity.clone()).or_default();
            *number += 1;
            let name = format_smolstr!("{number}");
            if !self.records.contains_key(&(target.entity.clone(), name.clone())) {
                self.call(target.clone(), name.clone());
                return format_smolstr!("{}/{name}", target.entity);
            }
        }
    }

    /// `job/1`, by the order in which the session met them.
    pub fn job(&mut self, id: Uuid) -> SmolStr {
        let place = self.jobs.iter().position(|known| *known == id).unwrap_or_else(|| {
            self.jobs.push(id);
            self.jobs.len() - 1
        });
        format_smolstr!("job/{}", place + 1)
    }

    fn job_called(&self, name: &str) -> Result<Uuid, No> {
        let number = name.strip_prefix("job/").unwrap_or(name);
        let known = number.parse::<usize>().ok().and_then(|number| self.jobs.get(number.checked_sub(1)?)).copied();
        known.or_else(|| number.parse().ok()).ok_or_else(|| No::new("not-found", format!("there is no job `{name}`")))
    }

    /// The text with names in the place of ids: a person knows `account/a1`, and two runs of a page must agree.
    pub fn rename(&mut self, text: &str) -> String {
        let mut renamed = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((place, id)) = first_id(rest) {
            renamed.push_str(&rest[..place]);
            rest = &rest[place + LENGTH_OF_ID..];
            match self.called.iter().find(|(target, _)| target.id == id) {
                Some((_, name)) => renamed.push_str(&quoted_where_needed(name)),
                None if self.jobs.contains(&id) => renamed.push_str(&self.job(id)),
                None => renamed.push_str("(id)"),
            }
        }
        renamed + rest
    }

    /// The pieces as one text.
    pub fn sentence(&mut self, pieces: &[Piece]) -> String {
        pieces.iter().map(|piece| self.piece(piece)).collect()
    }

    /// The same of what is not there: a record that nobody has named is a new one, and a run gets no number.
    fn supposed(&self, pieces: &[Piece]) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Record(target) => match self.called.get(target) {
                Some(name) => format!("{}/{}", target.entity, quoted_where_needed(name)),
                None => format!("{}/new", target.entity),
            },
            Piece::Job(_) => "a run".to_owned(),
        };
        pieces.iter().map(piece).collect()
    }

    fn piece(&mut self, piece: &Piece) -> String {
        match piece {
            Piece::Text(text) => text.clone(),
            Piece::Record(target) => self.record(target).into(),
            Piece::Job(id) => self.job(*id).into(),
        }
    }

    fn shown(&mut self, shown: &Shown) -> String {
        let fields: Vec<_> =
            shown.fields.iter().map(|(name, value)| format!("{name}: {}", self.piece(value))).collect();
        let record = self.record(&shown.target);
        if fields.is_empty() { record.into() } else { format!("{record}  {}", fields.join(", ")) }
    }

    fn shown_job(&mut self, job: &ShownJob) -> String {
        let mut line = format!("{} {}", self.job(job.id), job.process);
        if let Some(record) = &job.record {
            line.push_str(&format!(" on {}", self.record(record)));
        }
        line.push_str(&format!(" {}", job.state));
        if let Some(reason) = &job.reason {
            line.push_str(&format!(": {reason}"));
        }
        line
    }
}

/// The characters of a written id.
const LENGTH_OF_ID: usize = 36;

fn first_id(text: &str) -> Option<(usize, Uuid)> {
    let hyphens = text.match_indices('-').map(|(hyphen, _)| hyphen);
    hyphens.filter_map(|hyphen| hyphen.checked_sub(8)).find_map(|place| {
        let id = text.get(place..place + LENGTH_OF_ID)?.parse().ok()?;
        Some((place, id))
    })
}

fn quoted_where_needed(name: &str) -> String {
    match name.contains(|character: char| character.is_whitespace() || character == '"') {
        true => format!("{name:?}"),
        false => name.to_owned(),
    }
}

fn told(imported: &Imported) -> Vec<String> {
    let Imported { created, updated, unchanged, refused } = imported;
    let sum = format!("{created} created, {updated} updated, {unchanged} unchanged, {} refused", refused.len());
    std::iter::once(sum).chain(refused.iter().map(|(line, why)| format!("line {line}: {why}"))).collect()
}
