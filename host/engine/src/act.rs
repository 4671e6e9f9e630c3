//! What the edges call for records: verbs, reads and queries, blocking or queued (E3, E12).
//!
//! A queued unit of work is computed by whoever loops `serve_one`; its answer comes once it is durable. The blocking forms
//! are for the command line, tests and scenarios: with a store in memory they commit by themselves.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use model::{
    AttributeId, Caller, EntityId, Outcome, Privilege, Record, RecordRef, Refusal, Value, Verb,
    query::{Page, Query},
};
use store::{Priority, records};

use crate::{
    Engine, Failure, Progress, Work,
    access::Readable,
    query, realtime,
    settle::{self, Settled, Started},
    unit::Unit,
};

/// What a unit of work does; run again after a conflict.
type Act<T> = Box<dyn FnMut(&mut Unit) -> Result<T, Failure> + Send>;
/// Who is told what came of it.
type Done<T> = Box<dyn FnOnce(Result<T, Failure>) + Send>;

/// A unit of work that somebody waits for.
struct Request<T> {
    act: Act<T>,
    done: Done<T>,
    /// By the clock that never goes back, in microseconds.
    deadline: i64,
    conflicts: u32,
}

impl Engine {
    /// Does these verbs as one unit of work, all or none. `done` is called once it is durable, or refused.
    pub fn submit(
        &self,
        caller: Caller,
        verbs: Vec<Verb>,
        done: impl FnOnce(Result<Vec<Outcome>, Failure>) + Send + 'static,
    ) {
        let act = move |unit: &mut Unit| verbs.iter().map(|verb| unit.apply(&caller, verb.clone())).collect();
        self.enqueue(Box::new(act), Box::new(done));
    }

    /// The same at once, for who is on an engine thread already and would only queue behind himself.
    pub fn submit_here(
        &self,
        caller: Caller,
        verbs: Vec<Verb>,
        done: impl FnOnce(Result<Vec<Outcome>, Failure>) + Send + 'static,
    ) {
        let act = move |unit: &mut Unit| verbs.iter().map(|verb| unit.apply(&caller, verb.clone())).collect();
        match self.desk.len() >= self.parts.settings.backlog {
            true => done(Err(Refusal::Busy.into())),
            false => self.attempt(Request {
                act: Box::new(act),
                done: Box::new(done),
                deadline: self.deadline(),
                conflicts: 0,
            }),
        }
    }

    /// Has `work` done on an engine thread: reads, deployment, whatever takes time.
    pub fn spawn(&self, work: impl FnOnce(&Engine) + Send + 'static) {
        self.desk.push(Box::new(work));
    }

    /// Does one verb and waits until it is durable.
    pub fn apply(&self, caller: &Caller, verb: Verb) -> Result<Outcome, Failure> {
        self.now(|unit| unit.apply(caller, verb.clone()))
    }

    /// Does these verbs as one unit of work, all or none, and waits until it is durable.
    pub fn apply_all(&self, caller: &Caller, verbs: &[Verb]) -> Result<Vec<Outcome>, Failure> {
        self.now(|unit| verbs.iter().map(|verb| unit.apply(caller, verb.clone())).collect())
    }

    /// The record as it is now; `attributes` absent: all.
    pub fn retrieve(
        &self,
        caller: &Caller,
        target: RecordRef,
        attributes: Option<&[AttributeId]>,
    ) -> Result<Record, Failure> {
        let Readable { record, .. } = self.readable(caller, target)?;
        Ok(query::project(record, attributes))
    }

    /// The record with these values of an alternate key, if there is one. The values are as people give them.
    pub fn by_key(
        &self,
        caller: &Caller,
        entity: EntityId,
        values: &[(AttributeId, Value)],
    ) -> Result<Option<Record>, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let entity = catalogue.schema.known(entity)?;
        let who = self.who(&catalogue, &snapshot, caller)?;
        who.check_any(entity, Privilege::Read)?;
        let attributes: Vec<AttributeId> = values.iter().map(|(attribute, _)| *attribute).collect();
        let key = entity.key_over(&attributes).filter(|key| catalogue.is_key_built(entity.id, key.number));
        let no_key = || Refusal::Unreadable {
            what: "the key".into(),
            why: format!("`{}` has no alternate key over these attributes", entity.name()).into(),
        };
        let key = key.ok_or_else(no_key)?;
        let mut wanted = Vec::with_capacity(values.len());
        for part in &key.attributes {
            let value = values.iter().find(|(attribute, _)| attribute == part).map(|(_, value)| value.clone());
            let attribute = entity.attribute_by_id(*part);
            if let (Some(value), Some(attribute)) = (value, attribute) {
                wanted.push(rules::value::coerce(value, attribute, &catalogue.schema)?);
            }
        }
        let id = records::by_key(&snapshot, entity.id, key.number, &wanted.iter().collect::<Vec<_>>())?;
        let record = id.map(|id| records::get(&snapshot, RecordRef::new(entity.id, id))).transpose()?.flatten();
        if let Some(record) = &record {
            who.check(&catalogue, &snapshot, entity, Privilege::Read, record)?;
        }
        Ok(record)
    }

    /// One page of the answer to a query.
    pub fn query(&self, caller: &Caller, query: &Query) -> Result<Page, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let who = self.who(&catalogue, &snapshot, caller)?;
        query::run(&catalogue, &snapshot, &who, query)
    }

    /// Does one piece of queued work, waiting up to `wait` for one. Tells whether there was any.
    pub fn serve_one(&self, wait: Duration) -> bool {
        let work: Option<Work> = self.desk.next(wait, || self.parts.store.stats().groups);
        let Some(work) = work else { return false };
        // Whoever waits sees that his answer never comes; the thread is the owner's and goes on.
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            tracing::error!("a piece of interactive work panicked");
        }
        true
    }

    /// Does one thing that is to be done, for an owner without threads: commits, else serves, else runs a job. False
    /// when there is nothing to do until time passes or somebody comes.
    pub fn pump(&self) -> bool {
        self.parts.store.pump() > 0
            || self.serve_one(Duration::ZERO)
            || self.run_one(Duration::ZERO) == Progress::Worked
    }

    /// Runs a unit of work and waits until it is durable.
    pub(crate) fn now<T>(&self, act: impl FnMut(&mut Unit) -> Result<T, Failure>) -> Result<T, Failure> {
        self.now_as(Priority::Interactive, act)
    }

    /// The same where nobody waits for it.
    pub(crate) fn in_background<T>(&self, act: impl FnMut(&mut Unit) -> Result<T, Failure>) -> Result<T, Failure> {
        self.now_as(Priority::Background, act)
    }

    fn now_as<T>(
        &self,
        priority: Priority,
        mut act: impl FnMut(&mut Unit) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let deadline = self.deadline();
        loop {
            let computed = self.compute(priority, &mut act).and_then(|(value, settled)| {
                match settled {
                    Some(settled) if settled.next.is_some() => self.commit_redefining(settled)?,
                    Some(Settled { batch, started, .. }) => {
                        self.parts.store.commit(batch)?;
                        self.follow(&started);
                    }
                    None => {}
                }
                Ok(value)
            });
            match computed {
                Err(failure) if failure.is_conflict() && self.parts.clock.elapsed_micros() < deadline => {
                    metrics::counter!("stepwise_conflicts_total", "work" => "interactive").increment(1);
                }
                Err(failure) if failure.is_conflict() => return Err(Refusal::Busy.into()),
                other => return other,
            }
        }
    }

    /// What follows a commit: jobs that can run, and mail that can go.
    pub(crate) fn follow(&self, started: &Started) {
        self.queue.started(started);
        if started.posted {
            self.outbox.ring();
        }
    }

    /// Has a unit of work run by an engine thread; `done` is called once it is durable, or refused.
    pub(crate) fn enqueue<T: Send + 'static>(&self, act: Act<T>, done: Done<T>) {
        if self.desk.len() >= self.parts.settings.backlog {
            return done(Err(Refusal::Busy.into()));
        }
        let request = Request { act, done, deadline: self.deadline(), conflicts: 0 };
        self.desk.push(Box::new(move |engine: &Engine| engine.attempt(request)));
    }

    fn attempt<T: Send + 'static>(&self, mut request: Request<T>) {
        let (value, settled) = match self.compute(Priority::Interactive, &mut request.act) {
            Err(failure) if failure.is_conflict() => return self.attempt_again(request),
            Err(failure) => return (request.done)(Err(failure)),
            Ok((value, None)) => return (request.done)(Ok(value)),
            // Seldom, and nothing may begin meanwhile: waited for on this thread.
            Ok((value, Some(settled))) if settled.next.is_some() => {
                return match self.commit_redefining(settled) {
                    Err(error) if error.is_conflict() => self.attempt_again(request),
                    committed => (request.done)(committed.map(|()| value).map_err(Failure::from)),
                };
            }
            Ok((value, Some(settled))) => (value, settled),
        };
        let engine = self.me.clone();
        let Settled { batch, started, .. } = settled;
        let done = move |outcome: Result<store::Seq, store::Error>| match (outcome, engine.upgrade()) {
            (Ok(_), engine) => {
                engine.iter().for_each(|engine| engine.follow(&started));
                (request.done)(Ok(value));
            }
            (Err(error), Some(engine)) if error.is_conflict() => engine.attempt_again(request),
            (Err(error), _) => (request.done)(Err(error.into())),
        };
        self.parts.store.submit(batch, Box::new(done));
    }

    /// Runs a request again after a conflict: at once, from the third time after up to two groups (E3).
    fn attempt_again<T: Send + 'static>(&self, mut request: Request<T>) {
        metrics::counter!("stepwise_conflicts_total", "work" => "interactive").increment(1);
        if self.parts.clock.elapsed_micros() >= request.deadline {
            return (request.done)(Err(Refusal::Busy.into()));
        }
        request.conflicts += 1;
        let groups = match request.conflicts {
            ..3 => 0,
            _ => self.parts.store.stats().groups + self.parts.ids.seed() % 3,
        };
        self.desk.push_later(groups, Box::new(move |engine: &Engine| engine.attempt(request)));
    }

    fn compute<T>(
        &self,
        priority: Priority,
        act: &mut dyn FnMut(&mut Unit) -> Result<T, Failure>,
    ) -> Result<(T, Option<Settled>), Failure> {
        let mut unit = self.begin()?;
        let value = match act(&mut unit) {
            Ok(value) => value,
            Err(failure) => {
                if matches!(failure, Failure::Refused(_)) {
                    realtime::keep_dropped(&mut unit);
                }
                return Err(failure);
            }
        };
        Ok((value, settle::settle(unit, priority, None)?))
    }

    fn deadline(&self) -> i64 {
        let patience = i64::try_from(self.parts.settings.deadline.as_micros()).unwrap_or(i64::MAX);
        self.parts.clock.elapsed_micros().saturating_add(patience)
    }
}
