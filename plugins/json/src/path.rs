//! A place in a document: `orders[0].lines[-1].price`, or `/orders/0/lines` as JSON Pointer (RFC 6901) writes it.

use serde_json::Value as Json;
use stepwise_sdk::Failure;

/// What a step fails with whose path cannot be read.
pub const BAD_PATH: (&str, &str) = ("bad-path", "The path cannot be read");

/// One part of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// The value of a key
    Key(String),
    /// An item of a list; negative ones count from the end
    Item(i64),
}

/// The parts of a path; none for an empty one, which names the whole document.
pub fn parse(text: &str) -> Result<Vec<Part>, Failure> {
    let text = text.trim();
    let bad = || {
        let shown: String = text.chars().take(60).collect();
        Failure::invalid_input(BAD_PATH.0, format!("`path` is `{shown}`; one is `orders[0].price`"))
    };
    if let Some(pointer) = text.strip_prefix('/') {
        let parts = pointer.split('/').map(|part| part.replace("~1", "/").replace("~0", "~"));
        return Ok(parts.map(|part| part.parse().map_or(Part::Key(part), Part::Item)).collect());
    }
    let (mut parts, mut rest) = (Vec::new(), text.strip_prefix('$').unwrap_or(text));
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (inside, behind) = inside.split_once(']').ok_or_else(bad)?;
            let quoted = inside.strip_prefix(['"', '\'']).and_then(|inside| inside.strip_suffix(['"', '\'']));
            parts.push(match quoted {
                Some(key) => Part::Key(key.to_owned()),
                None => Part::Item(inside.trim().parse().map_err(|_| bad())?),
            });
            rest = behind;
            continue;
        }
        let name = rest.strip_prefix('.').unwrap_or(rest);
        let end = name.find(['.', '[']).unwrap_or(name.len());
        if end == 0 {
            return Err(bad());
        }
        parts.push(Part::Key(name[..end].to_owned()));
        rest = &name[end..];
    }
    Ok(parts)
}

/// The place of an item in a list of this length.
pub fn place(item: i64, length: usize) -> Option<usize> {
    match item < 0 {
        true => length.checked_sub(usize::try_from(item.unsigned_abs()).ok()?),
        false => usize::try_from(item).ok(),
    }
}

/// What stands there.
pub fn find<'j>(document: &'j Json, path: &[Part]) -> Option<&'j Json> {
    path.iter().try_fold(document, |at, part| match (at, part) {
        (Json::Object(object), Part::Key(key)) => object.get(key),
        // JSON Pointer cannot tell a key of digits from an item.
        (Json::Object(object), Part::Item(item)) => object.get(&item.to_string()),
        (Json::Array(items), Part::Item(item)) => items.get(place(*item, items.len())?),
        (Json::Array(_), Part::Key(_)) | (_, _) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read() {
        let key = |name: &str| Part::Key(name.into());
        assert_eq!(parse("orders[0].price").expect("a path"), [key("orders"), Part::Item(0), key("price")]);
        assert_eq!(parse("$['a.b'][-1]").expect("a path"), [key("a.b"), Part::Item(-1)]);
        assert_eq!(parse("/a~1b/1").expect("a path"), [key("a/b"), Part::Item(1)]);
        assert_eq!(parse(" ").expect("a path"), []);
        for bad in ["a..b", "a[", "a[x]", "."] {
            assert_eq!(parse(bad).expect_err("no path").code(), "bad-path", "{bad}");
        }
    }
}
