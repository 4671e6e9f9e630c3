//! `find` and `for-each`: what is looked for, then the turns, one instruction that begins each and one that looks again.

use model::{
    EntityId, StepId,
    expression::{Path, Segment},
    process::workflow::{self, Step},
};
use smol_str::SmolStr;

use super::{Compiler, reading::RECORDS};
use crate::{
    condition::Condition,
    workflow::{
        find::{Check, Find, Next, Then},
        paths::{Gives, Leads},
        program::Instruction,
        source::Reads,
        wanted::Wanted,
    },
};

impl<'a> Compiler<'a> {
    /// The one instruction of a `find`.
    pub(super) fn find_step(&mut self, step: &Step, find: &workflow::Find, reads: &mut Reads) -> Option<Instruction> {
        let found = self.find(find, None, Then::Keep { all: false }, reads)?;
        let first = Leads::Record(Some(vec![find.entity]));
        let fields = [("first", first), ("count", Leads::Value), (RECORDS, Leads::Value)];
        self.gives(&step.id, step.named, Gives::Fields(fields.map(|(name, leads)| (name.into(), leads)).into()));
        Some(Instruction::Find(Box::new(found)))
    }

    /// The records, then turn after turn.
    pub(super) fn for_each(
        &mut self,
        number: Option<u16>,
        step: &'a Step,
        over: &'a workflow::Over,
        steps: &'a [Step],
    ) {
        let (next, end) = (self.label(), self.label());
        let mut reads = Reads::default();
        if let Some(path) = &over.list {
            self.read(path, false, &mut reads);
        }
        if let Some(found) = self.find(&over.find, over.list.as_ref(), Then::Loop(next), &mut reads) {
            reads.local.retain(|path| !reads.paths.contains(path));
            self.emit(number, reads, Instruction::Find(Box::new(found)));
        }
        self.place(next);
        let first = self.program.steps.len();
        let begin = self.program.code.len();
        let Ok(item) = StepId::parse(over.find.item.as_str()) else {
            self.say(format_args!("`{}` is no name for the record of a turn", over.find.item));
            return;
        };
        self.emit(number, Reads::default(), Instruction::Next(Box::new(Next { item, body: 0..0, end })));
        self.results.push((over.find.item.as_str().into(), Gives::Record(Some(vec![over.find.entity]))));
        self.check(number, &over.find, next);
        self.block(steps);
        self.jump(number, next);
        let name = SmolStr::from(over.find.item.as_str());
        self.results.retain(|(known, _)| *known != name);
        self.place(end);
        let numbers = u16::try_from(first).ok().zip(u16::try_from(self.program.steps.len()).ok());
        if let (Some((first, behind)), Some(line)) = (numbers, self.program.code.get_mut(begin))
            && let Instruction::Next(next) = &mut line.instruction
        {
            next.body = first..behind;
        }
        self.gives(&step.id, step.named, Gives::Fields(vec![("count".into(), Leads::Value)]));
    }

    /// What is looked for, without what the condition reads of a record among the reads.
    fn find(&mut self, find: &workflow::Find, list: Option<&Path>, then: Then, reads: &mut Reads) -> Option<Find> {
        let item = SmolStr::from(find.item.as_str());
        self.results.push((item.clone(), Gives::Record(Some(vec![find.entity]))));
        let mut asked = Reads::default();
        let condition = find.condition.as_ref().map(|condition| self.read_condition(condition, &mut asked));
        self.results.pop();
        let condition = match condition {
            None => None,
            Some(compiled) => {
                let wanted = Wanted::compile(find.condition.as_ref()?, &item, find.entity, self.schema);
                Some((compiled?, wanted))
            }
        };
        let of_item = |path: &Path| path.root == item;
        let item_paths = asked.paths.iter().chain(&asked.local).filter(|path| of_item(path)).cloned().collect();
        for (list, more) in [(&mut reads.paths, asked.paths), (&mut reads.local, asked.local)] {
            for path in more.into_iter().filter(|path| !of_item(path)) {
                if !list.contains(&path) {
                    list.push(path);
                }
            }
        }
        for named in asked.records {
            if !reads.records.contains(&named) {
                reads.records.push(named);
            }
        }
        let order = find.order.clone();
        Some(Find { entity: find.entity, condition, item_paths, order, limit: find.limit, list: list.cloned(), then })
    }

    /// The second look at the record of a turn.
    fn check(&mut self, number: Option<u16>, find: &workflow::Find, next: super::Label) {
        let Some(identity) = self.identity(&find.item, find.entity) else { return };
        let mut reads = Reads { paths: vec![identity.clone()], ..Reads::default() };
        let condition: Option<Option<Condition>> =
            find.condition.as_ref().map(|condition| self.read_condition(condition, &mut reads));
        let Some(condition) = condition.map_or(Some(None), |compiled| compiled.map(Some)) else { return };
        reads.local.retain(|path| !reads.paths.contains(path));
        self.emit(number, reads, Instruction::Check(Box::new(Check { condition, identity, next })));
    }

    /// The path to a record's identity: empty when the record is gone.
    fn identity(&mut self, item: &model::AttributeName, entity: EntityId) -> Option<Path> {
        let Some(entity) = self.schema.entity(entity) else {
            self.say(format_args!("there is no entity #{entity}"));
            return None;
        };
        let name = entity.id_name();
        Some(Path { root: item.as_str().into(), segments: vec![Segment { name, target: None }] })
    }
}
