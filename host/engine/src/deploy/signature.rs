//! What others call may change only so that their calls stay right (formats 6): while a process uses an action or a child,
//! its signature may gain optional inputs and outputs, and what is required may become optional.

use formats::Solution;
use model::{Argument, process::DefinitionState, process::workflow::Workflow, refusal::Problem};

use super::problem;
use crate::catalogue::{Catalogue, Process};

/// What the solution changes in signatures that other processes use.
pub(super) fn changed(catalogue: &Catalogue, solution: &Solution) -> Vec<Problem> {
    let mut problems = Vec::new();
    for workflow in &solution.workflows {
        let (file, next) = (&workflow.file, &workflow.value);
        let Some(known) = catalogue.process(next.header.name.as_str()) else { continue };
        let Some(user) = user_of(catalogue, known) else { continue };
        for sentence in differences(&known.workflow, next) {
            problems.push(problem(file, format!("`{}` is used by `{}`: {sentence}", known.name, user.name)));
        }
    }
    problems
}

/// An active process that calls this one.
fn user_of<'c>(catalogue: &'c Catalogue, process: &Process) -> Option<&'c Process> {
    let uses = |other: &&Process| {
        let active = other.activation.as_ref().filter(|_| other.id != process.id);
        active.is_some_and(|active| active.program.invokes().any(|called| *called == process.name))
    };
    let mut users: Vec<&Process> = catalogue.processes().map(|other| &**other).filter(uses).collect();
    users.sort_by(|one, other| one.name.cmp(&other.name));
    users.first().copied()
}

fn differences(known: &Workflow, next: &Workflow) -> Vec<String> {
    let mut sentences = Vec::new();
    if next.header.state != DefinitionState::Active {
        sentences.push("it cannot be switched off".to_owned());
    }
    let of = |list: &[Argument], wanted: &Argument| list.iter().find(|one| one.name == wanted.name).cloned();
    for (what, was, is) in [("input", &known.inputs, &next.inputs), ("output", &known.outputs, &next.outputs)] {
        for argument in was {
            match of(is, argument) {
                None => sentences.push(format!("the {what} `{}` cannot go", argument.name)),
                Some(new) if new.kind.value_type != argument.kind.value_type => {
                    let (was, is) = (argument.kind.value_type.word(), new.kind.value_type.word());
                    sentences.push(format!("the {what} `{}` cannot become {is}, it is {was}", argument.name));
                }
                Some(new) if what == "input" && needed(&new) && !needed(argument) => {
                    sentences.push(format!("the {what} `{}` cannot become required", argument.name));
                }
                Some(_) => {}
            }
        }
    }
    for new in next.inputs.iter().filter(|new| needed(new) && of(&known.inputs, new).is_none()) {
        sentences.push(format!("a new input has to be optional, and `{}` is required", new.name));
    }
    sentences
}

fn needed(argument: &Argument) -> bool {
    argument.required && argument.default.is_null()
}
