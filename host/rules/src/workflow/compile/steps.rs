//! One function for each kind of step; mail has a room of its own.

use model::{
    Argument, AttributeId, EntityId, StepName,
    expression::{Path, Segment, ValueSource},
    package::{StepDefinition, StepKind},
    principal::Rights,
    process::workflow::{self, Slot, Step, StepAction},
    schema::{Attribute, Entity},
    starter,
};
use smol_str::SmolStr;

use super::{Compiler, Label};
use crate::{
    value,
    workflow::{
        assign::Assign,
        assign_value::AssignValue,
        change_status::ChangeStatus,
        create::Create,
        custom::{Custom, check_kind},
        delete::Delete,
        flow::Flow,
        invoke::{Callee, Invoke},
        parameter::Parameter,
        paths::{Gives, Leads},
        program::{Instruction, Root},
        share::Share,
        source::{Reads, Source},
        stop::Stop,
        update::{Change, Operator, Target, Update},
    },
};

impl<'a> Compiler<'a> {
    /// One step with what follows when it fails.
    pub(super) fn step(&mut self, step: &'a Step) {
        let outer = std::mem::replace(&mut self.at, smol_str::format_smolstr!("step `{}`", step.id));
        match &step.action {
            StepAction::Stage { title, steps } => self.stage_step(step, title, steps),
            _ => self.acting_step(step),
        }
        self.at = outer;
    }

    fn stage_step(&mut self, step: &'a Step, title: &str, steps: &'a [Step]) {
        if step.retry.is_some() || step.on_error != workflow::OnError::ByKind {
            self.say("a stage does nothing that can fail: `retry` and `on-error` belong to its steps");
        }
        let outer = self.stage.replace(title.into());
        self.block(steps);
        self.stage = outer;
    }

    fn acting_step(&mut self, step: &'a Step) {
        let after = self.label();
        let (on_error, handler) = self.on_error(step, after);
        let number = self.info(step, on_error);
        match &step.action {
            StepAction::If { branches, otherwise } => self.branches(number, branches, otherwise),
            StepAction::Wait { branches, otherwise } => self.wait(number, step, branches, otherwise.as_deref()),
            StepAction::ForEach { over, steps } => self.for_each(number, step, over, steps),
            action => {
                let mut reads = Reads::default();
                if let Some(instruction) = self.instruction(step, action, &mut reads) {
                    reads.local.retain(|path| !reads.paths.contains(path));
                    self.emit(number, reads, instruction);
                }
            }
        }
        if let (Some(handler), workflow::OnError::Steps(steps)) = (handler, &step.on_error) {
            self.emit(number, Reads::default(), Instruction::Jump(after));
            self.place(handler);
            self.block(steps);
        }
        self.place(after);
    }

    fn instruction(&mut self, step: &'a Step, action: &'a StepAction, reads: &mut Reads) -> Option<Instruction> {
        match action {
            StepAction::Create { entity, set } => self.create(step, *entity, set, reads),
            StepAction::Update { target, changes } => self.update(step, target, changes, reads),
            StepAction::Assign { target, to } => {
                let (target, to) = (self.target(target, reads), self.source("to", to, reads));
                Some(Instruction::Assign(Assign { target: target?, to: to? }))
            }
            StepAction::Delete { target } => Some(Instruction::Delete(Delete { target: self.target(target, reads)? })),
            StepAction::Share { target, with, rights } => self.share(target, with, Some(*rights), reads),
            StepAction::Unshare { target, with } => self.share(target, with, None, reads),
            StepAction::ChangeStatus { target, to } => {
                let target = self.target(target, reads)?;
                let name = SmolStr::from(to.0.as_str());
                let codes = self.or_say(ChangeStatus::codes(&name, &target, self.schema))?;
                Some(Instruction::ChangeStatus(ChangeStatus { target, name, codes }))
            }
            StepAction::Email(email) => self.email(step, email, reads),
            StepAction::AssignValue { set } => self.assign_value(set, reads),
            StepAction::Custom { step: name, version, inputs } => {
                let definition = self.definition(name, version.as_ref(), self.called_as())?;
                let custom = self.custom(definition, version.as_ref(), inputs, reads)?;
                let fields = custom.outputs.iter().map(|output| (output.name.clone(), Leads::of(output))).collect();
                self.gives(&step.id, step.named, Gives::Fields(fields));
                Some(Instruction::Custom(Box::new(custom)))
            }
            StepAction::Action { action, target, inputs, outputs } => {
                self.invoke(step, Callee::Action(action.clone()), target.as_ref(), inputs, outputs, reads)
            }
            StepAction::StartChild { workflow, record, inputs, outputs, wait } => {
                let callee = Callee::Child { workflow: workflow.clone(), wait: *wait };
                self.invoke(step, callee, Some(record), inputs, outputs, reads)
            }
            StepAction::Flow { order, process, instance, of, stage, to } => {
                let of = self.target(of, reads)?;
                let to = match to {
                    Some(to) => Some(self.target(to, reads)?),
                    None => None,
                };
                self.gives(&step.id, step.named, Gives::Record(Some(vec![*instance])));
                let (order, process, stage) = (*order, process.clone(), stage.clone());
                Some(Instruction::Flow(Box::new(Flow { order, process, of, stage, to })))
            }
            StepAction::Find(find) => self.find_step(step, find, reads),
            StepAction::Stop { outcome, message } => {
                let message = match message {
                    Some(message) => Some(self.source("message", message, reads)?),
                    None => None,
                };
                let title = step.title.as_deref().map(SmolStr::from);
                Some(Instruction::Stop(Stop { outcome: *outcome, message, title }))
            }
            // These are no single instruction; `step` and `acting_step` have seen to them.
            StepAction::Stage { .. } | StepAction::If { .. } | StepAction::Wait { .. } | StepAction::ForEach { .. } => {
                None
            }
        }
    }

    fn create(
        &mut self,
        step: &Step,
        entity: EntityId,
        set: &[(AttributeId, ValueSource)],
        reads: &mut Reads,
    ) -> Option<Instruction> {
        let Some(known) = self.schema.entity(entity) else {
            self.say(format_args!("there is no entity #{entity}"));
            return None;
        };
        let known = std::sync::Arc::clone(known);
        self.gives(&step.id, step.named, Gives::Record(Some(vec![entity])));
        let set: Vec<_> =
            set.iter().map(|(attribute, source)| self.set_attribute(&known, *attribute, source, reads)).collect();
        Some(Instruction::Create(Create { entity, set: set.into_iter().collect::<Option<_>>()? }))
    }

    fn set_attribute(
        &mut self,
        entity: &Entity,
        attribute: AttributeId,
        source: &ValueSource,
        reads: &mut Reads,
    ) -> Option<(AttributeId, SmolStr, Source)> {
        let attribute = self.attribute(entity, attribute)?;
        let name = SmolStr::from(attribute.name().as_str());
        // State and status may be given by name, which the verb knows to read.
        let is_status = [starter::STATE, starter::STATUS].contains(&attribute.id);
        if let (ValueSource::Literal(literal), false) = (source, is_status) {
            let fits = value::coerce(literal.clone(), attribute, self.schema);
            self.or_say(fits.map_err(|refusal| refusal.to_string()))?;
        }
        let source = self.source(&name, source, reads)?;
        Some((attribute.id, name, source))
    }

    fn attribute<'e>(&mut self, entity: &'e Entity, id: AttributeId) -> Option<&'e Attribute> {
        match entity.attribute_by_id(id) {
            Some(attribute) if attribute.definition.read_only => {
                self.say(format_args!("`{}` is written by the engine only", attribute.name()));
                None
            }
            Some(attribute) => Some(attribute),
            None => {
                self.say(format_args!("`{}` has no attribute #{id}", entity.name()));
                None
            }
        }
    }

    fn update(
        &mut self,
        step: &Step,
        target: &Path,
        changes: &[(AttributeId, workflow::Change)],
        reads: &mut Reads,
    ) -> Option<Instruction> {
        let target = self.target(target, reads)?;
        let Some([entity]) = target.entities.as_deref() else {
            self.say(format_args!(
                "`{}` may be a record of several entities: name one, as in `record.customerid[account]`",
                target.path
            ));
            return None;
        };
        let entity = std::sync::Arc::clone(self.schema.entity(*entity)?);
        let changes: Vec<_> = changes
            .iter()
            .map(|(attribute, change)| self.change(&entity, &target.path, *attribute, change, reads))
            .collect();
        self.gives(&step.id, step.named, Gives::Record(target.entities.clone()));
        Some(Instruction::Update(Update { target, changes: changes.into_iter().collect::<Option<_>>()? }))
    }

    fn change(
        &mut self,
        entity: &Entity,
        target: &Path,
        attribute: AttributeId,
        change: &workflow::Change,
        reads: &mut Reads,
    ) -> Option<(AttributeId, SmolStr, Change)> {
        let (operator, source) = match change {
            workflow::Change::Clear => {
                let attribute = self.attribute(entity, attribute)?;
                return Some((attribute.id, attribute.name().as_str().into(), Change::Clear));
            }
            workflow::Change::Set(source) => {
                let (id, name, source) = self.set_attribute(entity, attribute, source, reads)?;
                return Some((id, name, Change::Set(source)));
            }
            workflow::Change::Append(source) => (Operator::Append, source),
            workflow::Change::Increment(source) => (Operator::Increment, source),
            workflow::Change::Decrement(source) => (Operator::Decrement, source),
            workflow::Change::Multiply(source) => (Operator::Multiply, source),
        };
        let attribute = self.attribute(entity, attribute)?;
        let name = SmolStr::from(attribute.name().as_str());
        let mut old = target.clone();
        old.segments.push(Segment { name: name.clone(), target: None });
        self.read(&old, false, reads);
        let source = self.source(&name, source, reads)?;
        Some((attribute.id, name, Change::Operate(operator, old, source)))
    }

    fn share(
        &mut self,
        target: &Path,
        with: &ValueSource,
        rights: Option<Rights>,
        reads: &mut Reads,
    ) -> Option<Instruction> {
        let (target, with) = (self.target(target, reads), self.source("with", with, reads));
        Some(Instruction::Share(Share { target: target?, with: with?, rights }))
    }

    fn assign_value(&mut self, set: &[(Slot, ValueSource)], reads: &mut Reads) -> Option<Instruction> {
        let set: Vec<_> = set
            .iter()
            .map(|(slot, source)| {
                let (root, word, name) = match slot {
                    Slot::Variable(name) => (Root::Variables, "variables", name),
                    Slot::Output(name) => (Root::Outputs, "outputs", name),
                };
                let written = smol_str::format_smolstr!("{word}.{name}");
                let Some(number) = self.program.slot(root, name.as_str()).map(|(number, _)| number) else {
                    self.say(format_args!("`{written}` is not declared"));
                    return None;
                };
                let source = self.source(&written, source, reads)?;
                Some((number, written, source))
            })
            .collect();
        Some(Instruction::AssignValue(AssignValue { set: set.into_iter().collect::<Option<_>>()? }))
    }

    fn invoke(
        &mut self,
        step: &Step,
        callee: Callee,
        target: Option<&Path>,
        inputs: &[(SmolStr, ValueSource)],
        outputs: &[Argument],
        reads: &mut Reads,
    ) -> Option<Instruction> {
        let target = match target {
            Some(path) => Some(self.target(path, reads)?),
            None => None,
        };
        let inputs: Vec<_> =
            inputs.iter().map(|(name, source)| Some((name.clone(), self.source(name, source, reads)?))).collect();
        let outputs: Vec<_> = outputs.iter().map(|output| Parameter::resolve(output, self.schema)).collect();
        let outputs = self.or_say(outputs.into_iter().collect::<Result<Vec<_>, _>>())?;
        let fields = outputs.iter().map(|output| (output.name.clone(), Leads::of(output))).collect();
        self.gives(&step.id, step.named, Gives::Fields(fields));
        let inputs = inputs.into_iter().collect::<Option<_>>()?;
        let words = smol_str::format_smolstr!("the end of `{}`", callee.name());
        Some(Instruction::Invoke(Box::new(Invoke { callee, target, inputs, outputs, words })))
    }

    /// What a custom step that the process calls has to be.
    fn called_as(&self) -> StepKind {
        if self.workflow.action.is_some() { StepKind::Action } else { StepKind::Step }
    }

    /// The definition of an installed step of the wanted kind.
    pub(super) fn definition(
        &mut self,
        name: &StepName,
        version: Option<&semver::VersionReq>,
        wanted: StepKind,
    ) -> Option<&'a StepDefinition> {
        let Some(definition) = self.installed.step(name, version) else {
            match version {
                Some(version) => self.say(format_args!("no installed version of `{name}` is {version}")),
                None => self.say(format_args!("there is no custom step `{name}`")),
            }
            return None;
        };
        self.or_say(check_kind(definition, wanted))?;
        Some(definition)
    }

    /// A call of a custom step or condition, its inputs noted among the reads.
    pub(super) fn custom(
        &mut self,
        definition: &StepDefinition,
        version: Option<&semver::VersionReq>,
        inputs: &[(SmolStr, ValueSource)],
        reads: &mut Reads,
    ) -> Option<Custom> {
        inputs.iter().for_each(|(_, source)| self.read_source(source, reads));
        match Custom::compile(definition, version, inputs, self.schema) {
            Ok(custom) => Some(custom),
            Err(sentences) => {
                sentences.into_iter().for_each(|sentence| self.say(sentence));
                None
            }
        }
    }

    /// A value compiled, what it reads noted.
    pub(super) fn source(&mut self, what: &str, source: &ValueSource, reads: &mut Reads) -> Option<Source> {
        self.read_source(source, reads);
        let compiled = Source::compile(source).map_err(|why| format!("`{what}`: {why}"));
        self.or_say(compiled)
    }

    /// The record that a step changes.
    fn target(&mut self, path: &Path, reads: &mut Reads) -> Option<Target> {
        let leads = self.leads(path);
        self.read(path, false, reads);
        match self.or_say(leads)? {
            Leads::Record(entities) => Some(Target { path: path.clone(), entities }),
            Leads::Unknown => Some(Target { path: path.clone(), entities: None }),
            Leads::Value => {
                self.say(format_args!("`{path}` is no record: a step changes records"));
                None
            }
        }
    }

    /// A branch's jump target: for `branches`.
    pub(super) fn jump(&mut self, step: Option<u16>, to: Label) {
        self.emit(step, Reads::default(), Instruction::Jump(to));
    }
}
