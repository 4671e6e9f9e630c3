//! Bodies of requests: read up to a limit, and JSON only to a depth that cannot hurt.
//!
//! Called by every handler that takes a body. What the JSON means is the handler's.

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use serde_json::{Map, Value as Json};

use crate::{problem::Denial, settings::ApiSettings};

/// The whole body, up to `limit` bytes.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, Denial> {
    to_bytes(body, limit).await.map_err(|error| {
        let too_large =
            std::error::Error::source(&error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        match too_large {
            true => Denial::too_large(limit),
            false => Denial::malformed("the body broke off"),
        }
    })
}

/// A JSON object of up to `limit` bytes; an empty body is an empty one.
pub async fn object(body: Body, limit: usize, settings: &ApiSettings) -> Result<Map<String, Json>, Denial> {
    let bytes = read(body, limit).await?;
    parse(&bytes, settings.depth_limit)
}

/// A JSON object up to this depth; nothing but blanks is an empty one.
pub fn parse(bytes: &[u8], depth_limit: usize) -> Result<Map<String, Json>, Denial> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let depth = depth(bytes);
    if depth > depth_limit {
        return Err(Denial::malformed(format!("the JSON is {depth} levels deep, the limit here is {depth_limit}")));
    }
    match serde_json::from_slice(bytes) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(Denial::malformed("the body is JSON but not an object")),
        Err(error) => Err(Denial::malformed(format!("the body is no JSON: {error}"))),
    }
}

/// How deep brackets stand within each other, outside of strings.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert_eq!(depth(br#"{"a":[{"b":"[[[[\"{"}]}"#), 3);
        assert_eq!(depth(b"17"), 0);
    }

    #[test]
    fn json_that_is_too_deep_or_no_object_is_refused_in_words() {
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        for (body, sentence) in [
            (deep.as_str(), "the JSON is 40 levels deep, the limit here is 32"),
            ("[1]", "the body is JSON but not an object"),
            ("{", "the body is no JSON: EOF while parsing an object at line 1 column 1"),
        ] {
            assert_eq!(parse(body.as_bytes(), 32).expect_err(body).message, sentence);
        }
        assert!(parse(b" ", 32).is_ok_and(|object| object.is_empty()));
    }
}
