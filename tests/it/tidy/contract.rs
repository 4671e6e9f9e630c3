//! The contract does not break its promise: what is released in `sdk/wit/released/VERSION` is still in `sdk/wit/v1`.
//!
//! Inside a major version functions and interfaces of the host may be added. A new case, field or parameter would break
//! every compiled plugin, and so would a new function of what plugins export: they do not have it.

use std::collections::BTreeMap;

use super::source::{folders, read};

/// The interface that plugins export.
const EXPORTED: &str = "interface step";

/// What a text declares: interfaces and worlds, each with its items by name, written without comments and white space.
type Declared = BTreeMap<String, BTreeMap<String, String>>;

fn declared(text: &str) -> Declared {
    let bare: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    let mut found = Declared::new();
    let mut rest = bare.as_str();
    while let Some((head, body, after)) = block(rest) {
        let head = head.rsplit(';').next().unwrap_or_default().trim().to_owned();
        found.insert(head, items(body));
        rest = after;
    }
    found
}

/// What stands before, inside and behind the first pair of braces.
fn block(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find('{')?;
    let mut depth = 0_usize;
    for (place, letter) in text[start..].char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => {
                return Some((&text[..start], &text[start + 1..start + place], &text[start + place + 1..]));
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The items of an interface: types with their braces, functions and the rest up to their semicolons.
fn items(body: &str) -> BTreeMap<String, String> {
    let mut items = BTreeMap::new();
    let mut rest = body.trim();
    while !rest.is_empty() {
        // `use types.{a, b};` has braces and ends with a semicolon.
        let is_block =
            ["record ", "variant ", "enum ", "flags ", "resource "].iter().any(|word| rest.starts_with(word));
        let end = match is_block {
            true => block(rest).map_or(rest.len(), |(_, _, after)| rest.len() - after.len()),
            false => rest.find(';').map_or(rest.len(), |end| end + 1),
        };
        let (item, after) = rest.split_at(end);
        let written: String = item.split_whitespace().collect::<String>().replace(",}", "}").replace(",)", ")");
        let name = written.split(['{', ':', '(']).next().unwrap_or_default().to_owned();
        items.insert(name, written);
        rest = after.trim();
    }
    items
}

/// What the newer text breaks of the older one.
fn broken(older: &Declared, newer: &Declared) -> Vec<String> {
    let mut broken = Vec::new();
    for (head, items) in older {
        let Some(now) = newer.get(head) else {
            broken.push(format!("`{head}` is gone"));
            continue;
        };
        for (name, written) in items {
            match now.get(name) {
                // What is used of another interface counts there.
                _ if name.starts_with("use") => {}
                None => broken.push(format!("`{name}` of `{head}` is gone")),
                Some(now) if now != written => {
                    broken.push(format!("`{name}` of `{head}` was `{written}` and is `{now}`"))
                }
                Some(_) => {}
            }
        }
        if head == EXPORTED {
            let added = now.keys().filter(|name| !items.contains_key(*name));
            broken
                .extend(added.map(|name| format!("`{name}` is new in `{head}`, which released plugins do not export")));
        }
    }
    broken
}

fn texts(folder: &str) -> String {
    ["types.wit", "host.wit", "step.wit", "world.wit"].map(|file| read(&format!("{folder}/{file}"))).join("\n")
}

#[test]
fn the_contract_keeps_what_was_released() {
    let now = declared(&texts("sdk/wit/v1"));
    assert!(now.len() >= 12 && now["interface types"].len() >= 9, "{:?}", now.keys());
    let releases = folders("sdk/wit/released");
    assert!(releases.contains(&"1.0.0".to_owned()), "{releases:?}");
    for release in releases.iter().filter(|release| release.starts_with("1.")) {
        let before = declared(&texts(&format!("sdk/wit/released/{release}")));
        assert_eq!(broken(&before, &now), Vec::<String>::new(), "since {release}");
    }
}

#[test]
fn every_breaking_change_is_seen() {
    let before = texts("sdk/wit/released/1.0.0");
    for (what, change, expected) in [
        ("boolean(bool),", "boolean(bool), number(u8),", "variantvalue"),
        ("invalid-input,", "", "enumerror-kind"),
        (
            "entity: string,\n        id: guid,",
            "entity: string,\n        id: guid,\n        name: string,",
            "recordreference",
        ),
        ("now: func() -> s64;", "now: func(zone: string) -> s64;", "`now` of `interface clock`"),
        ("now: func() -> s64;", "", "`now` of `interface clock` is gone"),
        ("describe: func() -> list<u8>;", "describe: func() -> list<u8>;\nmore: func();", "`more` is new"),
        ("import clock;", "", "`importclock;` of `world plugin` is gone"),
    ] {
        let after = before.replacen(what, change, 1);
        assert_ne!(before, after, "{what}");
        let found = broken(&declared(&before), &declared(&after));
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
    }
    // What may grow.
    for (what, change) in [
        ("now: func() -> s64;", "now: func() -> s64;\n    later: func() -> s64;"),
        ("/// The step's time", "interface more { more: func(); }\n/// The step's time"),
        ("/// Empty.", "/// Nothing."),
    ] {
        let after = before.replacen(what, change, 1);
        assert_ne!(before, after, "{what}");
        assert_eq!(broken(&declared(&before), &declared(&after)), Vec::<String>::new());
    }
}
