//! Custom Step: a plugin's or a script's step. Inputs and outputs are what it declares, or the step fails.

use model::{
    Field, Schema, StepName, Value,
    expression::ValueSource,
    package::{StepDefinition, StepKind},
    step::{HostFault, StepFailure},
};
use script::Facts;
use smol_str::{SmolStr, format_smolstr};

use super::{Command, Performed, Run, parameter::Parameter, source::Source};
use crate::{retry::Failure, value};

/// The instruction.
#[derive(Debug)]
pub(super) struct Custom {
    pub name: StepName,
    pub version: Option<semver::VersionReq>,
    /// All that the step takes, in the order declared, with the value where the process gives one.
    inputs: Vec<(Parameter, Option<Source>)>,
    pub outputs: Vec<Parameter>,
}

impl Custom {
    /// The call, or sentences that say what does not fit its declaration.
    pub fn compile(
        definition: &StepDefinition,
        version: Option<&semver::VersionReq>,
        given: &[(SmolStr, ValueSource)],
        schema: &Schema,
    ) -> Result<Self, Vec<String>> {
        let name = &definition.name;
        let mut wrong = Vec::new();
        for (input, _) in given {
            if !definition.inputs.iter().any(|known| known.name.as_str() == input.as_str()) {
                wrong.push(format!("`{name}` has no input `{input}`"));
            }
        }
        let mut inputs = Vec::with_capacity(definition.inputs.len());
        for argument in &definition.inputs {
            let source = given.iter().find(|(input, _)| input.as_str() == argument.name.as_str());
            if source.is_none() && argument.required && argument.default.is_null() {
                wrong.push(format!("`{name}` needs the input `{}`", argument.name));
            }
            let source =
                source.map(|(input, source)| Source::compile(source).map_err(|why| format!("`{input}`: {why}")));
            match (Parameter::resolve(argument, schema), source.transpose()) {
                (Ok(parameter), Ok(source)) => inputs.push((parameter, source)),
                (parameter, source) => wrong.extend(parameter.err().into_iter().chain(source.err())),
            }
        }
        let mut outputs = Vec::with_capacity(definition.outputs.len());
        for argument in &definition.outputs {
            match Parameter::resolve(argument, schema) {
                Ok(parameter) => outputs.push(parameter),
                Err(sentence) => wrong.push(sentence),
            }
        }
        match wrong.is_empty() {
            true => Ok(Self { name: name.clone(), version: version.cloned(), inputs, outputs }),
            false => Err(wrong),
        }
    }

    pub fn perform<'p>(&'p self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for (parameter, source) in &self.inputs {
            let given = match source {
                Some(source) => source.evaluate(&parameter.name, run, facts)?,
                None => Value::Null,
            };
            let given = if given.is_null() { parameter.default.clone() } else { given };
            let value = value::coerce_into(given, &parameter.holder(), &|entity| run.program.entity_name(entity))
                .map_err(|refusal| Failure::fatal("invalid-input", format_smolstr!("`{}`: {refusal}", self.name)))?;
            match value {
                Value::Null if parameter.required => {
                    let sentence = format_smolstr!("`{}` needs `{}`, which is empty", self.name, parameter.name);
                    return Err(Failure::fatal("invalid-input", sentence));
                }
                Value::Null => {}
                value => inputs.push(Field { name: parameter.name.clone(), value }),
            }
        }
        Ok(Performed::Asks(Command::Call { step: &self.name, version: self.version.as_ref(), inputs }))
    }

    /// The outputs as they are declared, or `output-invalid`: a guest may not widen what it promised.
    pub fn check_outputs(&self, run: &Run<'_, '_>, mut given: Vec<Field>) -> Result<Vec<Field>, Failure> {
        let mut checked = Vec::with_capacity(self.outputs.len());
        for output in &self.outputs {
            let found = given.iter().position(|field| field.name == output.name);
            let value = found.map_or_else(|| output.default.clone(), |place| given.swap_remove(place).value);
            let value = value::coerce_into(value, &output.holder(), &|entity| run.program.entity_name(entity))
                .map_err(|refusal| self.output_invalid(format_smolstr!("{refusal}")))?;
            match value {
                Value::Null if output.required => {
                    return Err(self.output_invalid(format_smolstr!("it gave no `{}`", output.name)));
                }
                Value::Null => {}
                value => checked.push(Field { name: output.name.clone(), value }),
            }
        }
        match given.first() {
            Some(other) => {
                Err(self.output_invalid(format_smolstr!("it gave `{}`, which it does not declare", other.name)))
            }
            None => Ok(checked),
        }
    }

    fn output_invalid(&self, why: SmolStr) -> Failure {
        let message = format_smolstr!("the outputs of `{}` are not what it declares: {why}", self.name);
        Failure::from(&StepFailure::Host { fault: HostFault::OutputInvalid, message })
    }
}

/// Whether `definition` may stand where it is called, in words where it may not.
pub(super) fn check_kind(definition: &StepDefinition, wanted: StepKind) -> Result<(), String> {
    let name = &definition.name;
    match (definition.kind, wanted) {
        (kind, wanted) if kind == wanted => Ok(()),
        // The outputs of a condition can be tested like those of a step; an action calls what it is made of.
        (StepKind::Condition, StepKind::Step) | (_, StepKind::Action) => Ok(()),
        (StepKind::Action, _) => Err(format!("`{name}` is an action, not a step")),
        (StepKind::Step, _) => Err(format!("`{name}` is a step, not a condition")),
        (StepKind::Condition, _) => Err(format!("`{name}` is a condition")),
    }
}
