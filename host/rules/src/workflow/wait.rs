//! Wait Condition, Parallel Wait Branch (processes 1.8): the first branch that is true, looked at in order, ends the wait.
//!
//! The machine looks when the wait is reached and whenever the job is woken; it decides by what holds then, not by what
//! woke it. Where nothing is true it says until when there is nothing to see unless something that it reads changes;
//! what that is, down to records and attributes, the engine finds on its way along the paths.

use model::{
    Field, Term, Timestamp, Value,
    job::{Job, JobState, Reached, StepResult, Watch},
    process::workflow::Shift,
};
use script::Facts;
use smol_str::{SmolStr, format_smolstr};

use super::{
    Command, Performed, Program, Run,
    program::{Instruction, Line},
    source::Source,
};
use crate::{condition::Condition, retry::Failure, value};

/// The instruction.
#[derive(Debug)]
pub(super) struct Wait {
    pub branches: Vec<Branch>,
    /// Where the run goes on when nothing is true on arrival; absent: it waits.
    pub otherwise: Option<u32>,
}

/// One way out.
#[derive(Debug)]
pub(super) struct Branch {
    pub until: Until,
    /// As it was written.
    pub words: SmolStr,
    /// Where the run goes on.
    pub to: u32,
}

/// What a branch waits for.
#[derive(Debug)]
pub(super) enum Until {
    Condition(Condition),
    /// The number of the term among those of the wait.
    Passed(usize, Term),
    Moment {
        of: Source,
        shift: Option<(Shift, Term)>,
    },
}

/// What became of a branch.
enum Look {
    True,
    /// Not before this moment, as far as is known now.
    From(Timestamp),
    /// Not as long as nothing changes.
    Never,
}

impl Wait {
    /// Where the run may go on.
    pub fn targets(&mut self) -> impl Iterator<Item = &mut u32> {
        self.branches.iter_mut().map(|branch| &mut branch.to).chain(&mut self.otherwise)
    }

    pub fn perform<'p>(
        &'p self,
        run: &mut Run<'p, '_>,
        line: &'p Line,
        facts: &Facts,
    ) -> Result<Performed<'p>, Failure> {
        let is_fresh = run.job.progress.wait.is_none();
        let reached = run.job.progress.wait.clone().unwrap_or_else(|| self.reach(run));
        // A step that fails here and is repaired goes on with the terms of its first arrival.
        run.job.progress.wait = Some(reached.clone());
        let mut until: Option<Timestamp> = None;
        for (branch, number) in self.branches.iter().zip(1..) {
            match branch.until.look(&reached, run, facts)? {
                Look::True => return Ok(self.leave(run, line, reached.since, number, branch.to)),
                Look::From(due) => until = Some(until.map_or(due, |until| until.min(due))),
                Look::Never => {}
            }
        }
        if let Some(to) = self.otherwise {
            return Ok(self.leave(run, line, reached.since, 0, to));
        }
        let is_news = is_fresh || reached.until != until;
        run.job.progress.wait = Some(Reached { until, ..reached });
        run.job.state = JobState::Waiting(Watch { until, on: Vec::new() });
        Ok(Performed::Asks(Command::Wait { until, watch: &line.reads.paths, is_news }))
    }

    /// The wait as it is when it is reached: its terms begin (E25).
    fn reach(&self, run: &Run<'_, '_>) -> Reached {
        let now = run.environment.now;
        let terms = self.branches.iter().filter_map(|branch| match branch.until {
            Until::Passed(_, term) => Some(end_of(term, now, run)),
            _ => None,
        });
        Reached { since: now, terms: terms.collect(), until: None }
    }

    fn leave<'p>(
        &self,
        run: &mut Run<'p, '_>,
        line: &'p Line,
        since: Timestamp,
        number: i64,
        to: u32,
    ) -> Performed<'p> {
        run.job.progress.wait = None;
        run.keep(line, result(since, number));
        Performed::Jump(to)
    }
}

impl Program {
    /// Lets a job that stands in a wait leave it by its branch of this number, from 1, whether that is true or not: for
    /// trials. False where it stands in none, or there is no such branch.
    pub fn leave_by(&self, job: &mut Job, branch: u16) -> bool {
        let Some(line) = self.line(job.progress.cursor) else { return false };
        let Instruction::Wait(wait) = &line.instruction else { return false };
        let (Some(place), Some(reached)) = (usize::from(branch).checked_sub(1), job.progress.wait.take()) else {
            return false;
        };
        let Some(to) = wait.branches.get(place).map(|branch| branch.to) else {
            job.progress.wait = Some(reached);
            return false;
        };
        if let Some(step) = self.step(line).filter(|step| step.kept) {
            job.progress.results.push((step.id.clone(), result(reached.since, branch.into())));
        }
        job.state = JobState::Ready;
        job.progress.cursor = to;
        true
    }
}

/// What expressions find under the id of a wait.
fn result(since: Timestamp, branch: i64) -> StepResult {
    let field = |name: &str, value| Field { name: name.into(), value };
    StepResult::Fields(vec![field("branch", Value::Whole(branch)), field("since", Value::DateTime(since))])
}

impl Until {
    fn look(&self, reached: &Reached, run: &Run<'_, '_>, facts: &Facts) -> Result<Look, Failure> {
        let environment = run.environment;
        let due = match self {
            Self::Condition(condition) => {
                let holds = condition.evaluate(facts, environment);
                let holds = holds.map_err(|problem| {
                    Failure::repairable("expression", format_smolstr!("the condition: {problem}"))
                })?;
                return Ok(if holds { Look::True } else { Look::Never });
            }
            Self::Passed(number, term) => {
                Some(reached.terms.get(*number).copied().unwrap_or_else(|| end_of(*term, reached.since, run)))
            }
            Self::Moment { of, shift } => match of.evaluate("at", run, facts)? {
                // An empty date never comes.
                Value::Null => None,
                found => {
                    let moment = environment.moment_of(&found).ok_or_else(|| {
                        let found = value::describe(&found);
                        Failure::repairable("wrong-type", format_smolstr!("`at` is {found}, not a date or a date-time"))
                    })?;
                    match shift {
                        None => Some(moment),
                        Some((Shift::After, term)) => environment.after(&found, *term),
                        Some((Shift::Before, term)) => environment.before(&found, *term),
                    }
                }
            },
        };
        Ok(match due {
            None => Look::Never,
            Some(due) if due <= environment.now => Look::True,
            Some(due) => Look::From(due),
        })
    }
}

/// The end of a term; the end of time where it is longer than that.
fn end_of(term: Term, since: Timestamp, run: &Run<'_, '_>) -> Timestamp {
    let end = run.environment.after(&Value::DateTime(since), term);
    end.unwrap_or_else(|| since.plus_micros(i64::MAX))
}
