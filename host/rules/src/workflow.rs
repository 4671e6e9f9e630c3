//! The machine that runs workflows (processes 1, 4): it never acts, it asks.
//!
//! `Program::compile` makes flat instructions of a definition once for each activation. `advance` takes what happened
//! last and says what is to be done next; between two calls everything it knows is in the job, so a job may rest in
//! the store as long as it likes, and a unit of work may be run again from its beginning. It is total: whatever comes,
//! in whatever order, it answers, and a job that is not ready does not move.
//!
//! The engine does the commands, keeps the savepoints (E14) and writes the log: of verbs, tries and ends it knows all
//! that is to be told, of branches and answers the machine tells it.

mod assign;
mod assign_value;
mod branch;
mod change_status;
mod compile;
mod create;
mod custom;
mod delete;
mod email;
mod fail;
mod find;
mod flow;
mod invoke;
mod moving;
mod parameter;
mod paths;
mod program;
mod share;
mod source;
mod stop;
mod update;
mod wait;
mod wanted;

pub use find::Residue;
pub use invoke::Callee;
use model::{
    Field, JobId, Outcome, ProcessName, RecordRef, Refusal, StageId, StepId, StepName, Timestamp, Value, Verb,
    expression::{NamedRecord, Path},
    job::{Awaited, Job, JobState, LogEvent, Reached, StepResult, Watch},
    parcel::Letter,
    process::flow::FlowOrder,
    query::Query,
    step::StepFailure,
};
pub use moving::{Moved, moved};
pub use parameter::bind_command;
pub use paths::Base;
pub use program::{Images, Place, Program, Steps};
use program::{Instruction, Line};
use script::{Environment, Facts};
use smol_str::{SmolStr, ToSmolStr};

use crate::retry::Failure;

/// What happened last.
#[derive(Debug)]
pub enum Input {
    /// The job is run for the first time.
    Started,
    /// What was asked for was read. A path that is absent is empty.
    Read(Facts),
    /// What was asked for may not be read by the job's user.
    Barred(Refusal),
    /// The verb was done, or refused and undone.
    Done(Result<Outcome, Refusal>),
    /// The custom step returned, or failed and what it did was undone.
    Returned(Result<Vec<Field>, StepFailure>),
    /// The other process was called or started, or refused and undone.
    Invoked(Result<Vec<Field>, Refusal>),
    /// What was looked for was found, or it could not be looked for.
    Found(Result<Vec<RecordRef>, Failure>),
    /// The job goes on where it stands: after a log line, a pause or a conflict.
    Again,
}

/// What is to be done next.
#[derive(Debug, PartialEq)]
pub enum Command<'p> {
    /// Read these paths and find these records, at the moment as it is now; then `Read`. `Program::base` tells where a
    /// path begins.
    Read(&'p [Path], &'p [NamedRecord]),
    /// Do this verb as the job's user, at the job's depth, with a savepoint before; then `Done`.
    Apply(Verb),
    /// Make an email record of this and put it into the outbox, with a savepoint before; then `Done`.
    Send(Box<Letter>),
    /// Call this custom step with a savepoint before; then `Returned`. Inputs are checked and empty ones left out.
    Call {
        /// Its name.
        step: &'p StepName,
        /// The versions that will do; absent: the newest at activation.
        version: Option<&'p semver::VersionReq>,
        /// Its inputs.
        inputs: Vec<Field>,
    },
    /// The job waits: its state is set already, the engine adds which attributes of which records it meets on these paths
    /// and parks it. Then, ready again, `Again`.
    Wait {
        /// When it looks again, if nothing that it watches changes before.
        until: Option<Timestamp>,
        /// What it watches.
        watch: &'p [Path],
        /// Whether that is to be told: not when it looked again and nothing is new.
        is_news: bool,
    },
    /// Call this action or command, or start this child, as the job's user, with a savepoint before; then `Invoked`.
    Invoke {
        /// What is called.
        callee: &'p Callee,
        /// The record it runs on.
        target: Option<RecordRef>,
        /// Its inputs, which are checked by who does this; empty ones are left out.
        inputs: Vec<Field>,
    },
    /// Start or move this flow on a record as the job's user, with a savepoint before; then `Done`, of the instance.
    Flow {
        /// What is wanted of it.
        order: FlowOrder,
        /// Its name.
        process: &'p ProcessName,
        /// The record.
        of: RecordRef,
        /// The stage where it begins, or to which it goes.
        stage: Option<&'p StageId>,
        /// The record that it takes along to its next stage.
        to: Option<RecordRef>,
    },
    /// Look for these records, as the job's user may read them; then `Found`.
    Find {
        /// The question.
        query: Query,
        /// What is to be asked of each record of the answer, where the question does not say it all.
        residue: Option<Box<Residue<'p>>>,
        /// The most records to give.
        most: u32,
    },
    /// A loop begins its next turn: a good place to commit what was done. Then `Again`.
    Turn,
    /// Keep this line for the run log; then `Again`. Of `Answered` the engine knows the processor time.
    Log(Option<&'p StepId>, LogEvent),
    /// The job has ended or waits for a person: its state is set already.
    Finish(JobState),
    /// The try failed and is repeated: the job's state is set to postponed already. Then, ready again, `Again`.
    Retry {
        /// When.
        at: Timestamp,
        /// Why it failed.
        error: SmolStr,
    },
}

/// What the job does next, now that `input` happened. The job is changed: cursor, results, attempts, state.
pub fn advance<'p>(program: &'p Program, job: &mut Job, input: Input, environment: &Environment) -> Command<'p> {
    if job.state != JobState::Ready {
        return Command::Finish(job.state.clone());
    }
    let mut run = Run { program, job, environment };
    match input {
        Input::Started => run.start(),
        Input::Read(facts) => run.proceed(Some(facts)),
        Input::Barred(refusal) => run.barred(&refusal),
        Input::Again => run.proceed(None),
        Input::Done(result) => run.done(result),
        Input::Returned(result) => run.returned(result),
        Input::Invoked(result) => run.invoked(result),
        Input::Found(found) => run.looked(found),
    }
}

/// A job on its way, and what surrounds it.
struct Run<'p, 'a> {
    program: &'p Program,
    job: &'a mut Job,
    environment: &'a Environment,
}

/// What an instruction came to.
enum Performed<'p> {
    /// The engine has to do something; the cursor stays until it is done.
    Asks(Command<'p>),
    /// The next instruction is next.
    Next,
    /// Another one is.
    Jump(u32),
    /// It ended the run.
    Ends(JobState),
    /// Something is to be told, then the next instruction is next.
    Tells(LogEvent),
    /// Something is to be told, then another one is next.
    TellsAndJumps(LogEvent, u32),
    /// There is nothing to look for: this was found.
    Found(Vec<RecordRef>),
    /// The job's row does not fit its program.
    Lost,
    /// The child has ended and gave this.
    Returns(Vec<Field>),
    /// The child is waited for; whether that is to be told.
    Waits(bool),
}

impl<'p> Run<'p, '_> {
    fn start(&mut self) -> Command<'p> {
        if self.job.progress.cursor != 0 {
            return self.proceed(None);
        }
        self.job.started_on.get_or_insert(self.environment.now);
        // Inputs that were given stand there already.
        let given = std::mem::take(&mut self.job.progress.slots);
        self.job.progress.slots = self.program.first_values(given);
        Command::Log(None, LogEvent::Started)
    }

    /// Runs instructions until one of them needs the engine. Jumps only go forward but for the turns of a loop, each of which
    /// asks the engine, so this ends.
    fn proceed(&mut self, mut read: Option<Facts>) -> Command<'p> {
        let mut fresh = read.is_some();
        loop {
            let Some(line) = self.line() else { return self.lost() };
            let known = read.take().filter(|facts| fresh || line.reads.are_in(facts));
            fresh = false;
            let mut facts = match known {
                None if line.reads.need_engine() => return Command::Read(&line.reads.paths, &line.reads.records),
                known => known.unwrap_or_default(),
            };
            self.add_local(line, &mut facts);
            match self.perform(line, &facts) {
                Ok(Performed::Asks(command)) => return command,
                Ok(Performed::Next) => self.go_on(),
                Ok(Performed::Jump(to)) => self.jump(to),
                Ok(Performed::Ends(state)) => return self.end(state),
                Ok(Performed::Tells(event)) => {
                    self.go_on();
                    return Command::Log(self.step_id(line), event);
                }
                Ok(Performed::TellsAndJumps(event, to)) => {
                    self.jump(to);
                    return Command::Log(self.step_id(line), event);
                }
                Ok(Performed::Found(records)) => return self.found(line, records),
                Ok(Performed::Lost) => return self.lost(),
                Ok(Performed::Returns(fields)) => return self.answered(line, fields),
                Ok(Performed::Waits(is_news)) => return self.await_child(is_news),
                Err(failure) => return self.fail(line, failure),
            }
            // What a condition was decided by also decides the next one; all else may have changed what is known.
            read = matches!(line.instruction, Instruction::Test(_) | Instruction::Jump(_)).then_some(facts);
        }
    }

    fn perform(&mut self, line: &'p Line, facts: &Facts) -> Result<Performed<'p>, Failure> {
        match &line.instruction {
            Instruction::Create(create) => create.perform(self, facts),
            Instruction::Update(update) => update.perform(self, facts),
            Instruction::Assign(assign) => assign.perform(self, facts),
            Instruction::Delete(delete) => delete.perform(facts),
            Instruction::Share(share) => share.perform(self, facts),
            Instruction::ChangeStatus(change) => change.perform(self, facts),
            Instruction::Email(email) => email.perform(self, facts),
            Instruction::AssignValue(assign) => assign.perform(self, facts),
            Instruction::Custom(custom) => custom.perform(self, facts),
            Instruction::Ask(ask) => ask.custom.perform(self, facts),
            Instruction::Invoke(invoke) => invoke.perform(self, facts),
            Instruction::Flow(flow) => flow.perform(facts),
            Instruction::Test(test) => test.perform(self, facts),
            Instruction::Find(find) => find.perform(self, facts),
            Instruction::Next(next) => Ok(next.perform(self, line)),
            Instruction::Check(check) => check.perform(self, facts),
            Instruction::Wait(wait) => wait.perform(self, line, facts),
            Instruction::Branch(number) => Ok(Performed::Tells(LogEvent::Branched(*number))),
            Instruction::Jump(to) => Ok(Performed::Jump(*to)),
            Instruction::Stop(stop) => stop.perform(self, facts),
            Instruction::End => Ok(Performed::Ends(JobState::Succeeded(None))),
        }
    }

    fn barred(&mut self, refusal: &Refusal) -> Command<'p> {
        let Some(line) = self.line() else { return self.lost() };
        match &line.instruction {
            Instruction::Check(check) => self.pass_over(line, check, refusal.to_smolstr()),
            _ => self.fail(line, Failure::from(refusal)),
        }
    }

    fn looked(&mut self, found: Result<Vec<RecordRef>, Failure>) -> Command<'p> {
        let Some(line) = self.line() else { return self.lost() };
        match found {
            Ok(records) => self.found(line, records),
            Err(failure) => self.fail(line, failure),
        }
    }

    fn done(&mut self, result: Result<Outcome, Refusal>) -> Command<'p> {
        let Some(line) = self.line().filter(|line| line.instruction.is_verb()) else { return self.proceed(None) };
        match result {
            Ok(outcome) => {
                let deletes = matches!(line.instruction, Instruction::Delete(_));
                self.job.progress.deleted_own |= deletes && self.job.record == Some(outcome.record);
                self.keep(line, StepResult::Record(outcome.record));
                self.go_on();
                self.proceed(None)
            }
            Err(refusal) => self.fail(line, self.refused(line, &refusal)),
        }
    }

    fn returned(&mut self, result: Result<Vec<Field>, StepFailure>) -> Command<'p> {
        let Some(line) = self.line() else { return self.lost() };
        let outputs = |custom: &'p custom::Custom| {
            result.map_err(|failure| Failure::from(&failure)).and_then(|fields| custom.check_outputs(self, fields))
        };
        match &line.instruction {
            Instruction::Custom(custom) => match outputs(custom) {
                Ok(fields) => {
                    self.keep(line, StepResult::Fields(fields.clone()));
                    self.go_on();
                    Command::Log(self.step_id(line), LogEvent::Answered { outputs: fields, cpu_micros: 0 })
                }
                Err(failure) => self.fail(line, failure),
            },
            Instruction::Ask(ask) => match outputs(&ask.custom) {
                Ok(fields) => {
                    self.go_on();
                    if ask.jumps_on(&fields) {
                        self.job.progress.cursor = ask.to;
                    }
                    Command::Log(self.step_id(line), LogEvent::Answered { outputs: fields, cpu_micros: 0 })
                }
                Err(failure) => self.fail(line, failure),
            },
            _ => self.proceed(None),
        }
    }

    fn invoked(&mut self, result: Result<Vec<Field>, Refusal>) -> Command<'p> {
        let Some(line) = self.line() else { return self.proceed(None) };
        let Instruction::Invoke(invoke) = &line.instruction else { return self.proceed(None) };
        let waits = invoke.callee.waits();
        match result {
            Ok(fields) => match fields.as_slice() {
                [Field { name, value: Value::Guid(job) }] if waits && name == "job" => {
                    self.job.progress.child = Some(Awaited { job: JobId(*job), ended: None });
                    self.await_child(true)
                }
                _ => self.answered(line, fields),
            },
            Err(refusal) => self.fail(line, self.refused(line, &refusal)),
        }
    }

    /// Another process has answered, at once or by now.
    fn answered(&mut self, line: &'p Line, fields: Vec<Field>) -> Command<'p> {
        self.job.progress.child = None;
        self.job.progress.wait = None;
        self.keep(line, StepResult::Fields(fields.clone()));
        self.go_on();
        Command::Log(self.step_id(line), LogEvent::Answered { outputs: fields, cpu_micros: 0 })
    }

    /// The job rests until its child ends: that child's last commit wakes it.
    fn await_child(&mut self, is_news: bool) -> Command<'p> {
        let now = self.environment.now;
        self.job.progress.wait.get_or_insert(Reached { since: now, terms: Vec::new(), until: None });
        self.job.state = JobState::Waiting(Watch::default());
        Command::Wait { until: None, watch: &[], is_news }
    }

    fn line(&self) -> Option<&'p Line> {
        self.program.line(self.job.progress.cursor)
    }

    fn step_id(&self, line: &Line) -> Option<&'p StepId> {
        self.program.step(line).map(|step| &step.id)
    }

    fn go_on(&mut self) {
        self.jump(self.job.progress.cursor + 1);
    }

    fn jump(&mut self, to: u32) {
        self.job.attempts = 0;
        self.job.progress.cursor = to;
    }

    /// Keeps the result of a step, where some expression will ask for it; one of a turn before goes.
    fn keep(&mut self, line: &Line, result: StepResult) {
        let Some(step) = self.program.step(line).filter(|step| step.kept) else { return };
        self.job.progress.results.retain(|(known, _)| *known != step.id);
        self.job.progress.results.push((step.id.clone(), result));
    }

    fn end(&mut self, state: JobState) -> Command<'p> {
        self.job.state = state.clone();
        self.job.attempts = 0;
        if state.is_completed() {
            self.job.completed_on = Some(self.environment.now);
        }
        Command::Finish(state)
    }
}

#[cfg(test)]
mod tests;
