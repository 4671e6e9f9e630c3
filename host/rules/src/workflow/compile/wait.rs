//! Waits: one instruction that looks at all branches, then the steps of each as those of an `if` stand.

use model::process::workflow::{self, Step, WaitBranch};

use super::Compiler;
use crate::workflow::{
    paths::{Gives, Leads},
    program::Instruction,
    source::Reads,
    wait::{Branch, Until, Wait},
};

impl<'a> Compiler<'a> {
    /// The wait, the steps of its branches in order, then what happens otherwise.
    pub(super) fn wait(
        &mut self,
        number: Option<u16>,
        step: &'a Step,
        branches: &'a [WaitBranch],
        otherwise: Option<&'a [Step]>,
    ) {
        let end = self.label();
        let mut reads = Reads::default();
        let (mut compiled, mut terms) = (Vec::with_capacity(branches.len()), 0);
        for branch in branches {
            let to = self.label();
            let Some(until) = self.until(&branch.until, &mut terms, &mut reads) else { continue };
            compiled.push(Branch { until, words: branch.words.clone(), to });
        }
        let elsewhere = otherwise.map(|_| self.label());
        reads.local.retain(|path| !reads.paths.contains(path));
        let places: Vec<_> = compiled.iter().map(|branch| branch.to).collect();
        self.emit(number, reads, Instruction::Wait(Box::new(Wait { branches: compiled, otherwise: elsewhere })));
        let fields = ["branch", "since"].map(|name| (name.into(), Leads::Value));
        self.gives(&step.id, step.named, Gives::Fields(fields.into()));
        for ((branch, place), which) in branches.iter().zip(places).zip(1..) {
            self.place(place);
            self.emit(number, Reads::default(), Instruction::Branch(which));
            self.block(&branch.then);
            self.jump(number, end);
        }
        if let (Some(place), Some(steps)) = (elsewhere, otherwise) {
            self.place(place);
            self.emit(number, Reads::default(), Instruction::Branch(0));
            self.block(steps);
        }
        self.place(end);
    }

    fn until(&mut self, until: &workflow::Until, terms: &mut usize, reads: &mut Reads) -> Option<Until> {
        Some(match until {
            workflow::Until::Condition(condition) => Until::Condition(self.read_condition(condition, reads)?),
            workflow::Until::Passed(term) => {
                *terms += 1;
                Until::Passed(*terms - 1, *term)
            }
            workflow::Until::Moment { of, shift } => Until::Moment { of: self.source("at", of, reads)?, shift: *shift },
        })
    }
}
