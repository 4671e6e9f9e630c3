//! Other hosts, for scripts that say `external`: requests and what stands for secrets.

use rhai::{Dynamic, ImmutableString, Map};
use script::library::json;
use stepwise_sdk::http::Request;

use super::{Arguments, Body, No, host};
use crate::failure;

/// The function of this name.
pub fn body(name: &str) -> Option<Body> {
    Some(match name {
        "http" => http,
        "secret" => |given| Ok(host().secret(&given.text(0)?).map_or(Dynamic::UNIT, Dynamic::from)),
        _ => return None,
    })
}

fn http(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let mut request = Request::new(given.text(0)?.to_uppercase(), given.text(1)?);
    let body = given.get(2);
    let plain = body.read_lock::<ImmutableString>().map(|text| text.to_string());
    request = match plain {
        Some(text) => request.body(text),
        None if body.is_unit() => request,
        None => request.json(json(&body)?),
    };
    let headers = given.get(3);
    if let Some(headers) = headers.read_lock::<Map>() {
        for (name, value) in headers.iter() {
            request = request.header(name.as_str(), value.to_string());
        }
    } else if !headers.is_unit() {
        return Err(given.wrong(3, "a map of headers"));
    }
    let answer = host()
        .send(&request)
        .map_err(|error| No::Thrown(failure::thrown(error.kind, &error.code, &error.message, None)))?;
    let headers: Map =
        answer.headers.iter().map(|(name, value)| (name.as_str().into(), value.clone().into())).collect();
    let told = [
        ("status", i64::from(answer.status).into()),
        ("url", answer.url.clone().into()),
        ("body", answer.text().into()),
        ("headers", Dynamic::from_map(headers)),
    ];
    Ok(Dynamic::from_map(told.into_iter().map(|(name, value)| (name.into(), value)).collect()))
}
