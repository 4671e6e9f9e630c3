//! What a process or a command takes and gives, its names resolved, and given values checked against it.

use model::{Argument, Command, EntityId, Field, Refusal, Schema, Value, ValueType, entity::ChoiceOption};
use smol_str::SmolStr;

use crate::value::{self, Holder};

/// A declared argument with its names resolved.
#[derive(Debug)]
pub(super) struct Parameter {
    pub name: SmolStr,
    pub required: bool,
    pub default: Value,
    pub value_type: ValueType,
    min: Option<model::Decimal>,
    max: Option<model::Decimal>,
    max_length: Option<u32>,
    pub options: Vec<ChoiceOption>,
    pub targets: Option<Vec<EntityId>>,
}

impl Parameter {
    /// The argument, or a sentence where it names an entity that is not there.
    pub fn resolve(argument: &Argument, schema: &Schema) -> Result<Self, String> {
        let kind = &argument.kind;
        let targets = kind.to.iter().map(|name| {
            let entity = schema.named(name.as_str());
            entity
                .map(|entity| entity.id)
                .ok_or_else(|| format!("`{}` points to `{name}`, which is no entity", argument.name))
        });
        let targets: Vec<_> = targets.collect::<Result<_, _>>()?;
        Ok(Self {
            name: argument.name.as_str().into(),
            required: argument.required,
            default: argument.default.clone(),
            value_type: kind.value_type,
            min: kind.min,
            max: kind.max,
            max_length: kind.max_length,
            options: kind.options.clone(),
            targets: (!targets.is_empty()).then_some(targets),
        })
    }

    /// What it can hold.
    pub fn holder(&self) -> Holder<'_> {
        Holder {
            min: self.min,
            max: self.max,
            max_length: self.max_length,
            options: &self.options,
            targets: self.targets.as_deref(),
            ..Holder::plain(&self.name, self.value_type)
        }
    }
}

/// The values for these parameters in their order, empty where nothing was given: each known, of its type, and none missing
/// that is required. `of` is whose parameters they are.
pub(super) fn fill(
    of: &str,
    parameters: &[&Parameter],
    given: Vec<Field>,
    name_of: &dyn Fn(EntityId) -> SmolStr,
) -> Result<Vec<Value>, Refusal> {
    let unknown = given.iter().find(|field| parameters.iter().all(|known| known.name != field.name));
    if let Some(unknown) = unknown {
        return Err(Refusal::UnknownAttribute { entity: of.into(), attribute: unknown.name.clone() });
    }
    let one = |parameter: &&Parameter| {
        let value = given.iter().find(|field| field.name == parameter.name).map(|field| field.value.clone());
        let value = value::coerce_into(value.unwrap_or_default(), &parameter.holder(), name_of)?;
        match value.is_null() && parameter.required && parameter.default.is_null() {
            true => Err(Refusal::Required { entity: of.into(), attribute: parameter.name.clone() }),
            false => Ok(value),
        }
    };
    parameters.iter().map(one).collect()
}

/// The values of what a command takes, in the order in which it declares them.
///
/// # Errors
/// A refusal that names the input which is unknown, missing or of another type.
pub fn bind_command(command: Command, given: Vec<Field>, schema: &Schema) -> Result<Vec<Value>, Refusal> {
    let resolved =
        command.inputs().iter().map(|input| Parameter::resolve(input, schema)).collect::<Result<Vec<_>, _>>();
    let resolved = resolved.map_err(|why| Refusal::Unreadable { what: command.name().into(), why: why.into() })?;
    let parameters: Vec<&Parameter> = resolved.iter().collect();
    fill(command.name(), &parameters, given, &|entity| schema.name_of(entity))
}
