//! From a definition to a program: nested steps become flat instructions with jumps that only go forward.
//!
//! Files are checked by `formats`, with places. What is said here, in sentences that name the step, is what only shows
//! when types meet: paths that lead nowhere, targets of several entities, inputs that a step does not take.

mod conditions;
mod email;
mod loops;
mod reading;
mod steps;
mod wait;

use model::{
    EntityId, Schema, StepId,
    process::workflow::{self, Step, Workflow},
};
use smol_str::SmolStr;

use super::{
    find::Then,
    parameter::Parameter,
    paths::Gives,
    program::{Images, Instruction, Line, OnError, Program, Root, Slot, StepInfo, Steps},
    source::Reads,
};
use crate::condition::Condition;

impl Program {
    /// The program of `workflow`, or all that keeps it from being one.
    pub fn compile(workflow: &Workflow, schema: &Schema, steps: &dyn Steps) -> Result<Self, Vec<String>> {
        let mut compiler = Compiler::new(workflow, schema, steps);
        compiler.slots();
        compiler.start();
        compiler.block(&workflow.steps);
        compiler.emit(None, Reads::default(), Instruction::End);
        compiler.finish()
    }
}

/// A place in the code that is known later. Until `finish`, jumps hold labels.
type Label = u32;

struct Compiler<'a> {
    workflow: &'a Workflow,
    schema: &'a Schema,
    installed: &'a dyn Steps,
    program: Program,
    /// The results of the named steps so far.
    results: Vec<(SmolStr, Gives)>,
    /// The steps whose results are asked for.
    asked: Vec<SmolStr>,
    /// Those of which all records are asked for that they found.
    asked_all: Vec<SmolStr>,
    labels: Vec<u32>,
    stage: Option<SmolStr>,
    /// What stands before a sentence: the step.
    at: SmolStr,
    wrong: Vec<String>,
}

impl<'a> Compiler<'a> {
    fn new(workflow: &'a Workflow, schema: &'a Schema, installed: &'a dyn Steps) -> Self {
        let header = &workflow.header;
        let entities = schema.entities().map(|entity| (entity.id, entity.name().clone())).collect();
        Self {
            workflow,
            schema,
            installed,
            program: Program {
                name: header.name.clone(),
                title: header.title.as_str().into(),
                real_time: workflow.mode.is_real_time(),
                slots: Vec::new(),
                steps: Vec::new(),
                code: Vec::new(),
                images: Images::default(),
                order: None,
                entities,
            },
            results: Vec::new(),
            asked: Vec::new(),
            asked_all: Vec::new(),
            labels: Vec::new(),
            stage: None,
            at: header.name.as_str().into(),
            wrong: Vec::new(),
        }
    }

    /// Notes what is wrong, in a sentence that begins with the place.
    fn say(&mut self, sentence: impl std::fmt::Display) {
        self.wrong.push(format!("{}: {sentence}", self.at));
    }

    /// The value, or nothing and a sentence more.
    fn or_say<T>(&mut self, result: Result<T, String>) -> Option<T> {
        result.map_err(|sentence| self.say(sentence)).ok()
    }

    fn slots(&mut self) {
        let workflow = self.workflow;
        for (root, arguments) in [
            (Root::Inputs, &workflow.inputs),
            (Root::Variables, &workflow.variables),
            (Root::Outputs, &workflow.outputs),
        ] {
            for argument in arguments {
                if let Some(parameter) = self.or_say(Parameter::resolve(argument, self.schema)) {
                    self.program.slots.push(Slot { root, parameter });
                }
            }
        }
    }

    /// What start condition and order read, so that the images kept with a job have it.
    fn start(&mut self) {
        if let Some(condition) = &self.workflow.start.condition
            && let Some(condition) = self.or_say(Condition::compile(condition))
        {
            let mut reads = Reads::default();
            condition.paths().iter().for_each(|path| self.read(path, false, &mut reads));
        }
        if let Some(order) = &self.workflow.in_order_by {
            let compiled = script::Compiled::new(&order.text).map_err(|problem| format!("`in-order-by`: {problem}"));
            let mut reads = Reads::default();
            order.paths.iter().for_each(|path| self.read(path, false, &mut reads));
            self.program.order = self.or_say(compiled);
        }
    }

    fn block(&mut self, steps: &'a [Step]) {
        steps.iter().for_each(|step| self.step(step));
    }

    /// Adds what is known of a step while it runs, and gives its number.
    fn info(&mut self, step: &Step, on_error: OnError) -> Option<u16> {
        let Ok(number) = u16::try_from(self.program.steps.len()) else {
            self.say("a process has at most 65,535 steps");
            return None;
        };
        self.program.steps.push(StepInfo {
            id: step.id.clone(),
            title: step.title.as_deref().map(SmolStr::from),
            stage: self.stage.clone(),
            retry: step.retry.unwrap_or_default(),
            on_error,
            kept: false,
        });
        Some(number)
    }

    fn emit(&mut self, step: Option<u16>, reads: Reads, instruction: Instruction) {
        self.program.code.push(Line { step, reads, instruction });
    }

    fn label(&mut self) -> Label {
        self.labels.push(u32::MAX);
        self.labels.len() as Label - 1
    }

    fn place(&mut self, label: Label) {
        let here = u32::try_from(self.program.code.len()).unwrap_or(u32::MAX);
        if let Some(place) = self.labels.get_mut(label as usize) {
            *place = here;
        }
    }

    fn finish(mut self) -> Result<Program, Vec<String>> {
        if !self.wrong.is_empty() {
            self.wrong.dedup();
            return Err(self.wrong);
        }
        let labels = self.labels;
        let placed = |label: &mut u32| *label = labels.get(*label as usize).copied().unwrap_or(u32::MAX);
        for line in &mut self.program.code {
            match &mut line.instruction {
                Instruction::Jump(to) => placed(to),
                Instruction::Test(test) => placed(&mut test.to),
                Instruction::Ask(ask) => placed(&mut ask.to),
                Instruction::Wait(wait) => wait.targets().for_each(placed),
                Instruction::Next(next) => placed(&mut next.end),
                Instruction::Check(check) => placed(&mut check.next),
                Instruction::Find(find) => match &mut find.then {
                    Then::Loop(to) => placed(to),
                    Then::Keep { all } => {
                        let step = line.step.and_then(|step| self.program.steps.get(usize::from(step)));
                        *all = step.is_some_and(|step| self.asked_all.iter().any(|asked| asked == step.id.as_str()));
                    }
                },
                _ => {}
            }
        }
        for step in &mut self.program.steps {
            match &mut step.on_error {
                OnError::Continue(to) | OnError::Steps(to) => placed(to),
                OnError::ByKind | OnError::Suspend | OnError::Fail => {}
            }
            step.kept = self.asked.iter().any(|asked| asked == step.id.as_str());
        }
        Ok(self.program)
    }

    fn entity(&self) -> Option<EntityId> {
        self.workflow.entity
    }

    fn on_error(&mut self, step: &Step, after: Label) -> (OnError, Option<Label>) {
        match &step.on_error {
            workflow::OnError::ByKind => (OnError::ByKind, None),
            workflow::OnError::Suspend => (OnError::Suspend, None),
            workflow::OnError::Fail => (OnError::Fail, None),
            workflow::OnError::Continue => (OnError::Continue(after), None),
            workflow::OnError::Steps(_) => {
                let handler = self.label();
                (OnError::Steps(handler), Some(handler))
            }
        }
    }

    fn gives(&mut self, id: &StepId, named: bool, gives: Gives) {
        if named {
            self.results.push((id.as_str().into(), gives));
        }
    }
}
