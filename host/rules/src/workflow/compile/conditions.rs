//! Branches and their conditions. A condition without a custom one in it is one test; else it becomes tests and calls
//! with jumps between them, so that no call is made whose answer does not matter.

use model::{condition, package::StepKind, process::workflow::Step};

use super::{Compiler, Label};
use crate::{
    condition::Condition,
    workflow::{
        branch::{Ask, Test},
        program::Instruction,
        source::{Reads, paths_of},
    },
};

impl<'a> Compiler<'a> {
    /// The branches of an `if` step in order, then what happens otherwise.
    pub(super) fn branches(
        &mut self,
        step: Option<u16>,
        branches: &'a [(condition::Condition, Vec<Step>)],
        otherwise: &'a [Step],
    ) {
        let end = self.label();
        for ((condition, steps), number) in branches.iter().zip(1..) {
            let next = self.label();
            self.test(step, condition, false, next);
            self.emit(step, Reads::default(), Instruction::Branch(number));
            self.block(steps);
            self.jump(step, end);
            self.place(next);
        }
        self.emit(step, Reads::default(), Instruction::Branch(0));
        self.block(otherwise);
        self.place(end);
    }

    /// Code that jumps to `to` when the condition is `when`, and goes on when it is not.
    fn test(&mut self, step: Option<u16>, condition: &'a condition::Condition, when: bool, to: Label) {
        use condition::Condition as C;
        match condition {
            C::Custom { step: name, version, inputs } => {
                let mut reads = Reads::default();
                let Some(definition) = self.definition(name, version.as_ref(), StepKind::Condition) else { return };
                if let Some(custom) = self.custom(definition, version.as_ref(), inputs, &mut reads) {
                    self.emit(step, reads, Instruction::Ask(Box::new(Ask { custom, when, to })));
                }
            }
            condition if !has_custom(condition) => self.plain_test(step, condition, when, to),
            C::Not(part) => self.test(step, part, !when, to),
            C::All(parts) => self.parts(step, parts, false, when, to),
            C::Any(parts) => self.parts(step, parts, true, when, to),
            C::Compare { .. } | C::Expression(_) => self.plain_test(step, condition, when, to),
        }
    }

    /// `all` is decided by the first false part, `any` by the first true one.
    fn parts(&mut self, step: Option<u16>, parts: &'a [condition::Condition], decisive: bool, when: bool, to: Label) {
        if when == decisive {
            parts.iter().for_each(|part| self.test(step, part, decisive, to));
            return;
        }
        let decided = self.label();
        parts.iter().for_each(|part| self.test(step, part, decisive, decided));
        self.jump(step, to);
        self.place(decided);
    }

    fn plain_test(&mut self, step: Option<u16>, condition: &'a condition::Condition, when: bool, to: Label) {
        let mut reads = Reads::default();
        let Some(compiled) = self.read_condition(condition, &mut reads) else { return };
        reads.local.retain(|path| !reads.paths.contains(path));
        self.emit(step, reads, Instruction::Test(Box::new(Test { condition: compiled, when, to })));
    }

    /// A condition compiled, what it reads noted.
    pub(super) fn read_condition(&mut self, condition: &condition::Condition, reads: &mut Reads) -> Option<Condition> {
        let compiled = self.or_say(Condition::compile(condition))?;
        compiled.paths().iter().for_each(|path| self.read(path, false, reads));
        self.shown(condition, reads);
        for named in compiled.records() {
            if !reads.records.contains(named) {
                reads.records.push(named.clone());
            }
        }
        Some(compiled)
    }

    /// Texts with values in them compare as people see them.
    fn shown(&mut self, condition: &condition::Condition, reads: &mut Reads) {
        use condition::Condition as C;
        match condition {
            C::All(parts) | C::Any(parts) => parts.iter().for_each(|part| self.shown(part, reads)),
            C::Not(part) => self.shown(part, reads),
            C::Compare { test, .. } => {
                let shown = test.operands().iter().flat_map(paths_of).filter(|(_, shown)| *shown);
                shown.for_each(|(path, _)| self.read(path, true, reads));
            }
            C::Expression(_) | C::Custom { .. } => {}
        }
    }
}

fn has_custom(condition: &condition::Condition) -> bool {
    use condition::Condition as C;
    match condition {
        C::All(parts) | C::Any(parts) => parts.iter().any(has_custom),
        C::Not(part) => has_custom(part),
        C::Custom { .. } => true,
        C::Compare { .. } | C::Expression(_) => false,
    }
}
