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
        let (package, head) = head.rsplit_once(';').unwrap_or(("", head));
        if let Some((name, version)) = package.trim().strip_prefix("package ").and_then(|named| named.split_once('@')) {
            let major = version.split('.').next().unwrap_or_default();
            found.insert(format!("package {name}@{major}"), BTreeMap::new());
        }
        found.insert(head.trim().to_owned(), items(body));
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
            let why = if head.starts_with("package ") { "another major version" } else { "gone" };
            broken.push(format!("`{head}` is {why}"));
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
        if head.contains("world ") {
            let added = now.keys().filter(|name| name.starts_with("export") && !items.contains_key(*name));
            broken.extend(added.map(|name| format!("`{name}` is new in `{head}`: released plugins do not export it")));
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
    assert!(now.len() >= 13 && now["interface types"].len() >= 9, "{:?}", now.keys());
    let releases = folders("sdk/wit/released");
    assert!(releases.contains(&"1.0.0".to_owned()), "{releases:?}");
    for release in releases.iter().filter(|release| release.starts_with("1.")) {
        let before = declared(&texts(&format!("sdk/wit/released/{release}")));
        assert_eq!(broken(&before, &now), Vec::<String>::new(), "since {release}");
    }
}

/// A change of the text, and what is said of it.
const BREAKING: [(&str, &str, &str); 27] = [
    // A value: cases and what they carry. A case more breaks whoever was built without it.
    ("boolean(bool),", "boolean(bool), number(u8),", "`variantvalue` of `interface types` was"),
    ("boolean(bool),", "", "`variantvalue`"),
    ("whole(s64),", "whole(s32),", "`variantvalue`"),
    ("whole(s64),", "integer(s64),", "`variantvalue`"),
    ("date(s32),", "date,", "`variantvalue`"),
    // Enumerations.
    ("invalid-input,", "", "`enumerror-kind`"),
    ("not-found,", "not-found,\n        gone,", "`enumerror-kind`"),
    ("background,\n        real-time,", "real-time,\n        background,", "`enumrun-mode` of `interface context`"),
    // Records: a field more, less, renamed, of another type, in another order.
    ("id: guid,", "id: guid,\n        name: string,", "`recordreference` of `interface types`"),
    ("months: s32,", "", "`recordduration`"),
    ("attribute: string,\n        descending: bool,", "descending: bool,\n        attribute: string,", "`recordorder`"),
    ("version: u64,", "revision: u64,", "`record%record`"),
    ("page-size: option<u32>", "page-size: u32", "`recordquery`"),
    ("body: list<u8>,", "body: string,", "`recordrequest` of `interface http`"),
    ("retry-after-ms: option<u64>,", "", "`recordstep-error` of `interface step`"),
    // Functions of the host: gone, renamed, parameters and results changed.
    ("now: func() -> s64;", "", "`now` of `interface clock` is gone"),
    ("now: func() -> s64;", "present: func() -> s64;", "`now` of `interface clock` is gone"),
    ("now: func() -> s64;", "now: func(zone: string) -> s64;", "`now` of `interface clock`"),
    ("now: func() -> s64;", "now: func() -> u64;", "`now` of `interface clock`"),
    ("get: func(key: string)", "get: func(name: string)", "`get` of `interface config`"),
    (
        "assign: func(target: reference, owner: reference)",
        "assign: func(owner: reference, target: reference)",
        "`assign`",
    ),
    ("delete: func(target: reference, expected: option<u64>)", "delete: func(target: reference)", "`delete`"),
    // What plugins export: it may not grow either, for those that are built have no more.
    (
        "describe: func() -> list<u8>;",
        "describe: func() -> list<u8>;\n    more: func();",
        "`more` is new in `interface step`",
    ),
    ("describe: func() -> list<u8>;", "describe: func() -> string;", "`describe` of `interface step`"),
    ("export step;", "export step;\n    export more;", "`exportmore;` is new in `world plugin`"),
    ("import clock;", "", "`importclock;` of `world plugin` is gone"),
    ("package stepwise:plugin@1.0.0;", "package stepwise:plugin@2.0.0;", "another major version"),
];

/// What may come inside a major version.
const GROWING: [(&str, &str); 5] = [
    ("now: func() -> s64;", "now: func() -> s64;\n    later: func() -> s64;"),
    ("/// The step's time", "interface more { more: func(); }\n/// The step's time"),
    ("import clock;", "import clock;\n    import more;"),
    ("package stepwise:plugin@1.0.0;", "package stepwise:plugin@1.1.0;"),
    ("/// Empty.", "/// Nothing."),
];

#[test]
fn every_breaking_change_is_seen() {
    let before = texts("sdk/wit/released/1.0.0");
    for (what, change, expected) in BREAKING {
        let after = changed(&before, what, change);
        let found = broken(&declared(&before), &declared(&after));
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
    }
    // An interface that goes takes the worlds that name it along.
    let after = changed(&before, "interface clock {", "interface watch {");
    assert_eq!(broken(&declared(&before), &declared(&after)), ["`interface clock` is gone"]);
}

#[test]
fn what_may_grow_is_let_through() {
    let before = texts("sdk/wit/released/1.0.0");
    for (what, change) in GROWING {
        let after = changed(&before, what, change);
        assert_eq!(broken(&declared(&before), &declared(&after)), Vec::<String>::new(), "{change}");
    }
}

fn changed(before: &str, what: &str, change: &str) -> String {
    let after = before.replacen(what, change, 1);
    assert_ne!(before, after, "{what}");
    after
}
