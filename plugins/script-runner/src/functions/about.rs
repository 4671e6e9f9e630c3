//! What a script may ask about its run, and how it ends, logs and draws numbers.

use model::EntityName;
use rhai::Dynamic;
use script::dynamic::Reference;
use stepwise_sdk::{ErrorKind, Field, context::Level};
use uuid::Uuid;

use super::{Arguments, Body, No, host, throw, verbs::record};
use crate::run;

/// The function of this name.
pub fn body(name: &str) -> Option<Body> {
    Some(match name {
        "reference" => reference,
        "fail" => fail,
        "retry_later" => retry_later,
        "log" => log,
        "user" => |_| Ok(record(&host().user())),
        "initiating_user" => |_| Ok(record(&host().initiating_user())),
        "business_unit" => |_| Ok(host().business_unit().as_ref().map_or(Dynamic::UNIT, record)),
        "record" => |_| Ok(host().record().as_ref().map_or(Dynamic::UNIT, record)),
        "message" => |_| Ok(host().message().into()),
        "before" => |_| Ok(image(host().pre_image())),
        "after" => |_| Ok(image(host().post_image())),
        "depth" => |_| Ok(i64::from(host().depth()).into()),
        "attempt" => |_| Ok(i64::from(host().attempt()).into()),
        "idempotency_key" => |_| Ok(host().idempotency_key().into()),
        "config" => config,
        "random" => random,
        _ => return None,
    })
}

/// An image of the record of the run.
fn image(fields: Vec<Field>) -> Dynamic {
    match host().record() {
        Some(record) => run::attributes(&record.entity, fields),
        None => run::fields(fields),
    }
}

fn reference(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let entity = EntityName::parse(&given.text(0)?).map_err(|problem| problem.to_string())?;
    let id = given.get(1);
    let known = id.read_lock::<Uuid>().map(|id| *id);
    let id = match known {
        Some(id) => id,
        None => Uuid::parse_str(&given.text(1)?).map_err(|_| format!("got `{id}`, which is no guid"))?,
    };
    Ok(Dynamic::from(Reference::named(entity, id)))
}

fn fail(given: &Arguments<'_>) -> Result<Dynamic, No> {
    throw(ErrorKind::RuleViolated, &given.text(0)?, &given.text(1)?, None)
}

fn retry_later(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let later = if given.get(1).is_unit() { None } else { Some(given.whole(1)?.clamp(0, 31_536_000) * 1_000) };
    throw(ErrorKind::Transient, "retry-later", &given.text(0)?, later)
}

fn log(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let level = if given.get(1).is_unit() { "info".to_owned() } else { given.text(1)? };
    let level = match level.as_str() {
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warning" => Level::Warning,
        "error" => Level::Error,
        other => return Err(format!("knows debug, info, warning and error, not `{other}`").into()),
    };
    host().log(level, &given.get(0).to_string(), &[]);
    Ok(Dynamic::UNIT)
}

fn config(given: &Arguments<'_>) -> Result<Dynamic, No> {
    Ok(host().config(&given.text(0)?).map_or(Dynamic::UNIT, Dynamic::from))
}

fn random(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let (from, to) = (given.whole(0)?, given.whole(1)?);
    let count = i128::from(to) - i128::from(from) + 1;
    if count < 1 {
        return Err(format!("wants a range, and {to} is less than {from}").into());
    }
    let drawn = i128::from(from) + i128::from(host().random()) % count;
    Ok(i64::try_from(drawn).unwrap_or(from).into())
}
