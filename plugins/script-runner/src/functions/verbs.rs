//! The verbs: what a script does to records.

use rhai::{Dynamic, Map};
use stepwise_sdk::Reference;

use super::{Arguments, Body, No, host};
use crate::{run, value};

/// The verb of this name.
pub fn body(name: &str) -> Option<Body> {
    Some(match name {
        "retrieve" => retrieve,
        "create" => create,
        "update" => update,
        "delete" => delete,
        "assign" => assign,
        "set_status" => set_status,
        "share" => share,
        "unshare" => unshare,
        "invoke" => invoke,
        _ => return None,
    })
}

fn retrieve(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let names = given.texts(1)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let target = given.record(0)?;
    let record = host().retrieve(&target, &names)?;
    Ok(run::attributes(&target.entity, record.attributes))
}

fn create(given: &Arguments<'_>) -> Result<Dynamic, No> {
    Ok(record(&host().create(&given.text(0)?, given.fields(1)?)?))
}

fn update(given: &Arguments<'_>) -> Result<Dynamic, No> {
    host().update(&given.record(0)?, given.fields(1)?)?;
    Ok(Dynamic::UNIT)
}

fn delete(given: &Arguments<'_>) -> Result<Dynamic, No> {
    host().delete(&given.record(0)?)?;
    Ok(Dynamic::UNIT)
}

fn assign(given: &Arguments<'_>) -> Result<Dynamic, No> {
    host().assign(&given.record(0)?, &given.record(1)?)?;
    Ok(Dynamic::UNIT)
}

fn set_status(given: &Arguments<'_>) -> Result<Dynamic, No> {
    host().set_status(&given.record(0)?, &given.text(1)?)?;
    Ok(Dynamic::UNIT)
}

fn share(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let rights = given.texts(2)?;
    let rights: Vec<&str> = rights.iter().map(String::as_str).collect();
    host().share(&given.record(0)?, &given.record(1)?, &rights)?;
    Ok(Dynamic::UNIT)
}

fn unshare(given: &Arguments<'_>) -> Result<Dynamic, No> {
    host().unshare(&given.record(0)?, &given.record(1)?)?;
    Ok(Dynamic::UNIT)
}

fn invoke(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let target = if given.get(1).is_unit() { None } else { Some(given.record(1)?) };
    let outputs = host().invoke(&given.text(0)?, target.as_ref(), given.fields(2)?)?;
    let map: Map = outputs.into_iter().map(|field| (field.name.into(), value::to_script(field.value))).collect();
    Ok(Dynamic::from_map(map))
}

/// A record as a value of the script.
pub fn record(target: &Reference) -> Dynamic {
    value::reference(target).map_or(Dynamic::UNIT, Dynamic::from)
}
