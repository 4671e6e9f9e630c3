//! What a guest answered, checked: outputs against their declaration, failures cut to what a reader can use.

use std::time::Duration;

use model::{
    Argument, Field, Value, ValueType,
    package::StepDefinition,
    step::{GuestError, GuestErrorKind, HostFault, StepCall, StepFailure},
};

use crate::{
    abi::v1::{
        self, Invalid, StepError,
        types::{self, ErrorKind},
    },
    fault::{LONGEST_TEXT, Stop, bytes, shortened},
};

/// The most details of a failure, and the longest text among them.
const DETAILS: usize = 32;
const DETAIL: usize = 1_000;

/// A finding of the host as the engine gets it.
pub fn fault(stop: Stop) -> StepFailure {
    StepFailure::Host { fault: stop.fault, message: stop.text.into() }
}

/// Reads the answer. Without a declaration, as for scripts, whoever has it checks the types.
pub fn read(
    said: Result<Vec<types::Field>, StepError>,
    call: &StepCall,
    declared: Option<&StepDefinition>,
) -> Result<Vec<Field>, StepFailure> {
    let fields = said.map_err(|error| StepFailure::Guest(guest_error(error, call)))?;
    if fields.iter().map(size).sum::<usize>() > call.limits.output {
        let text = format!("its outputs are larger than {}", bytes(call.limits.output));
        return Err(fault(Stop::new(HostFault::HostLimit, text)));
    }
    let outputs = outputs(fields, call, declared);
    outputs.map_err(|Invalid(text)| fault(Stop::new(HostFault::OutputInvalid, text)))
}

fn outputs(
    fields: Vec<types::Field>,
    call: &StepCall,
    declared: Option<&StepDefinition>,
) -> Result<Vec<Field>, Invalid> {
    let mut outputs: Vec<Field> = Vec::with_capacity(fields.len());
    for field in fields {
        let field =
            v1::field_from_wire(field, &call.schema).map_err(|Invalid(why)| Invalid(format!("its output {why}")))?;
        if outputs.iter().any(|other| other.name == field.name) {
            return Err(Invalid(format!("it gave `{}` twice", shortened(&field.name, 60))));
        }
        if let Some(step) = declared {
            fits(&field, &step.outputs)?;
        }
        outputs.push(field);
    }
    let missing = declared.into_iter().flat_map(|step| &step.outputs).find(|output| {
        let given = outputs.iter().find(|field| field.name == output.name.as_str());
        output.required && given.is_none_or(|field| field.value.is_null())
    });
    match missing {
        Some(output) => Err(Invalid(format!("it did not give `{}`, which it declares as required", output.name))),
        None => Ok(outputs),
    }
}

fn fits(field: &Field, declared: &[Argument]) -> Result<(), Invalid> {
    let Some(output) = declared.iter().find(|output| field.name == output.name.as_str()) else {
        return Err(Invalid(format!("it gave `{}`, which it does not declare", shortened(&field.name, 60))));
    };
    let (Some(given), wanted) = (field.value.value_type(), output.kind.value_type) else { return Ok(()) };
    if given != wanted && !widens(given, wanted) {
        return Err(Invalid(format!("its output `{}` should be {wanted} and is {given}", field.name)));
    }
    match field.value {
        Value::Choice(number) if !output.kind.options.is_empty() => {
            let known = output.kind.options.iter().any(|option| option.value == number);
            known.then_some(()).ok_or_else(|| Invalid(format!("its output `{}` has no option {number}", field.name)))
        }
        _ => Ok(()),
    }
}

/// Whether every value of one type is one of the other.
fn widens(given: ValueType, wanted: ValueType) -> bool {
    matches!(
        (given, wanted),
        (ValueType::Whole, ValueType::Decimal | ValueType::Money | ValueType::Float)
            | (ValueType::Decimal, ValueType::Money)
            | (ValueType::Money, ValueType::Decimal)
    )
}

fn guest_error(error: StepError, call: &StepCall) -> GuestError {
    let details = error.details.into_iter().take(DETAILS);
    let details = details.filter_map(|detail| v1::field_from_wire(detail, &call.schema).ok()).map(|detail| Field {
        name: shortened(&detail.name, 60).into(),
        value: match detail.value {
            Value::Text(text) => Value::text(shortened(&text, DETAIL)),
            Value::Bytes(_) | Value::Document(_) => Value::Null,
            value => value,
        },
    });
    GuestError {
        kind: match error.kind {
            ErrorKind::InvalidInput => GuestErrorKind::InvalidInput,
            ErrorKind::RuleViolated => GuestErrorKind::RuleViolated,
            ErrorKind::NotFound => GuestErrorKind::NotFound,
            ErrorKind::Conflict => GuestErrorKind::Conflict,
            ErrorKind::Denied => GuestErrorKind::Denied,
            ErrorKind::Transient => GuestErrorKind::Transient,
            ErrorKind::Throttled => GuestErrorKind::Throttled,
            ErrorKind::Permanent => GuestErrorKind::Permanent,
            ErrorKind::Cancelled => GuestErrorKind::Cancelled,
            ErrorKind::Other => GuestErrorKind::Other,
        },
        code: shortened(&error.code, 100).into(),
        message: shortened(&error.message, LONGEST_TEXT).into(),
        retry_after: error.retry_after_ms.map(Duration::from_millis),
        details: details.collect(),
    }
}

/// Roughly the bytes of a field: what its name and its value hold.
pub fn size(field: &types::Field) -> usize {
    let value = match &field.value {
        types::Value::Text(text) | types::Value::Decimal(text) | types::Value::Money(text) => text.len(),
        types::Value::Bytes(bytes) | types::Value::Json(bytes) => bytes.len(),
        types::Value::Extended((name, bytes)) => name.len() + bytes.len(),
        types::Value::Choices(numbers) => numbers.len() * size_of::<i32>(),
        types::Value::Lookups(references) => references.iter().map(|one| one.entity.len() + 16).sum(),
        types::Value::Lookup(reference) => reference.entity.len() + 16,
        _ => 8,
    };
    field.name.len() + value
}
