//! JSON as text and as values of scripts. Numbers are exact both ways; a date becomes text.

use rhai::{Array, Dynamic, ImmutableString, Map};
use rust_decimal::Decimal;

use super::{
    Function, LONGEST_LIST, LONGEST_TEXT,
    arguments::{bounded, number, show, whole_if_possible},
};
use crate::{Environment, dynamic::kind};

/// How deep lists and maps may lie in each other.
const DEEPEST: usize = 32;

about!(Collections, in_scripts);

pub(super) const FUNCTIONS: &[Function] = &[
    f("json", "json(value: any) -> text", (1, 1), |call| {
        let mut text = String::new();
        write(call.value(0), &call.environment(), DEEPEST, &mut text)?;
        bounded(text)
    })
    .takes_empty()
    .help(
        "The value as JSON.",
        &[("json(#{ a: [1, 2.5, \"x\"], b: () })", "\"{\\\"a\\\":[1,2.5,\\\"x\\\"],\\\"b\\\":null}\"")],
    ),
    f("parse_json", "parse_json(text: text) -> any", (1, 1), |call| {
        let text = call.text(0)?;
        let mut reader = Reader { text: &text, at: 0, items: 0 };
        let value = reader.value(DEEPEST)?;
        reader.space();
        if reader.at < text.len() { Err(reader.wrong("something more")) } else { Ok(value) }
    })
    .help(
        "The value that a text in JSON names: maps, lists, texts, exact numbers.",
        &[("parse_json(\"{\\\"rate\\\": 1.0825}\").rate", "1.0825"), ("parse_json(\"[1, null]\")", "[1, ()]")],
    ),
];

/// A value as JSON, with dates in UTC.
pub fn json(value: &Dynamic) -> Result<String, String> {
    let mut text = String::new();
    write(value, &Environment::at(model::Timestamp::default()), DEEPEST, &mut text)?;
    Ok(text)
}

fn write(value: &Dynamic, environment: &Environment, depth: usize, text: &mut String) -> Result<(), String> {
    let deeper = depth.checked_sub(1).ok_or_else(|| format!("takes lists and maps up to {DEEPEST} deep"))?;
    if text.len() > LONGEST_TEXT {
        return Err(format!("would make a text of more than {LONGEST_TEXT} bytes"));
    }
    if value.is_unit() {
        text.push_str("null");
    } else if let Ok(truth) = value.as_bool() {
        text.push_str(if truth { "true" } else { "false" });
    } else if let Some(number) = number(value) {
        text.push_str(&number.normalize().to_string());
    } else if let Some(list) = value.read_lock::<Array>() {
        text.push('[');
        for (place, item) in list.iter().enumerate() {
            text.push_str(if place == 0 { "" } else { "," });
            write(item, environment, deeper, text)?;
        }
        text.push(']');
    } else if let Some(map) = value.read_lock::<Map>() {
        text.push('{');
        for (place, (name, item)) in map.iter().enumerate() {
            text.push_str(if place == 0 { "" } else { "," });
            quote(name, text);
            text.push(':');
            write(item, environment, deeper, text)?;
        }
        text.push('}');
    } else if let Some(moment) = value.read_lock::<model::Timestamp>() {
        quote(&moment.to_string(), text);
    } else if kind(value).contains("language") {
        return Err(format!("finds {}, which JSON has no word for", kind(value)));
    } else {
        quote(&show(value, environment), text);
    }
    Ok(())
}

fn quote(plain: &str, text: &mut String) {
    text.push('"');
    for letter in plain.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if u32::from(control) < 0x20 => text.push_str(&format!("\\u{:04x}", u32::from(control))),
            letter => text.push(letter),
        }
    }
    text.push('"');
}

/// Reads one text.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    items: usize,
}

impl Reader<'_> {
    fn wrong(&self, found: &str) -> String {
        format!("reads no JSON: {found} at character {}", self.text[..self.at].chars().count() + 1)
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn next(&mut self) -> Option<char> {
        self.space();
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, sign: char) -> bool {
        let found = self.next() == Some(sign);
        self.at += if found { sign.len_utf8() } else { 0 };
        found
    }

    fn value(&mut self, depth: usize) -> Result<Dynamic, String> {
        let deeper = depth.checked_sub(1).ok_or_else(|| format!("reads lists and maps up to {DEEPEST} deep"))?;
        self.items += 1;
        // Ten lists as long as they may be: more is no answer of a person's service.
        if self.items > LONGEST_LIST * 10 {
            return Err(format!("reads at most {} values", LONGEST_LIST * 10));
        }
        match self.next() {
            Some('{') => self.map(deeper),
            Some('[') => self.list(deeper),
            Some('"') => Ok(self.quoted()?.into()),
            Some(letter) if letter == '-' || letter.is_ascii_digit() => self.number(),
            Some(_) => {
                let known = [("null", Dynamic::UNIT), ("true", true.into()), ("false", false.into())];
                let found = known.into_iter().find(|(word, _)| self.text[self.at..].starts_with(word));
                let (word, value) = found.ok_or_else(|| self.wrong("something else"))?;
                self.at += word.len();
                Ok(value)
            }
            None => Err(self.wrong("the end")),
        }
    }

    fn map(&mut self, depth: usize) -> Result<Dynamic, String> {
        self.take('{');
        let mut map = Map::new();
        if self.take('}') {
            return Ok(Dynamic::from_map(map));
        }
        loop {
            if self.next() != Some('"') {
                return Err(self.wrong("no name of a value"));
            }
            let name = self.quoted()?;
            if !self.take(':') {
                return Err(self.wrong("no `:`"));
            }
            let value = self.value(depth)?;
            map.insert(name.as_str().into(), value);
            match (self.take(','), self.take('}')) {
                (true, _) => {}
                (false, true) => return Ok(Dynamic::from_map(map)),
                (false, false) => return Err(self.wrong("no `,` or `}`")),
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Dynamic, String> {
        self.take('[');
        let mut list = Array::new();
        if self.take(']') {
            return Ok(Dynamic::from_array(list));
        }
        loop {
            list.push(self.value(depth)?);
            match (self.take(','), self.take(']')) {
                (true, _) => {}
                (false, true) => return Ok(Dynamic::from_array(list)),
                (false, false) => return Err(self.wrong("no `,` or `]`")),
            }
        }
    }

    fn quoted(&mut self) -> Result<ImmutableString, String> {
        self.take('"');
        let mut text = String::new();
        loop {
            let letter = self.text[self.at..].chars().next().ok_or_else(|| self.wrong("a text without end"))?;
            self.at += letter.len_utf8();
            match letter {
                '"' => return Ok(text.into()),
                '\\' => text.push(self.escaped()?),
                control if u32::from(control) < 0x20 => return Err(self.wrong("a control character")),
                letter => text.push(letter),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, String> {
        let letter = self.text[self.at..].chars().next().ok_or_else(|| self.wrong("a text without end"))?;
        self.at += letter.len_utf8();
        Ok(match letter {
            '"' | '\\' | '/' => letter,
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let first = self.hex()?;
                let number = match (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
                    true => {
                        self.at += 2;
                        let second = self.hex()?;
                        0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff)
                    }
                    false => first,
                };
                char::from_u32(number).unwrap_or('\u{fffd}')
            }
            _ => return Err(self.wrong("an unknown sign after `\\`")),
        })
    }

    fn hex(&mut self) -> Result<u32, String> {
        let digits = self.text.get(self.at..self.at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let number = digits.ok_or_else(|| self.wrong("no number of a character"))?;
        self.at += 4;
        Ok(number)
    }

    fn number(&mut self) -> Result<Dynamic, String> {
        let rest = &self.text[self.at..];
        let length =
            rest.find(|sign: char| !matches!(sign, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let digits = &rest[..length];
        let read = digits.parse::<Decimal>().or_else(|_| Decimal::from_scientific(digits));
        let read = read.map_err(|_| self.wrong("no number"))?;
        self.at += length;
        Ok(if digits.contains(['.', 'e', 'E']) { read.into() } else { whole_if_possible(read) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Dynamic, String> {
        let mut reader = Reader { text, at: 0, items: 0 };
        reader.value(DEEPEST)
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        for (text, told) in [
            ("{\"a\" 1}", "no `:` at character 6"),
            ("[1 2]", "no `,` or `]` at character 4"),
            ("nul", "something else at character 1"),
            ("\"a", "a text without end at character 3"),
            ("", "the end at character 1"),
            ("1-2", "no number at character 1"),
        ] {
            assert!(read(text).is_err_and(|error| error.ends_with(told)), "{text}: {:?}", read(text));
        }
        assert!(read(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn escapes_are_read() {
        let text = read("\"\\u00e4\\ud83d\\ude00\\n\\/\"").expect("a text");
        assert_eq!(text.into_immutable_string().expect("a text").as_str(), "ä😀\n/");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fall(text in "[\\[\\]{}\",:0-9a-u\\\\é .-]{0,40}") {
            let _ = read(&text);
        }

        #[test]
        fn what_was_written_is_read_again(words in prop::collection::vec("(?s).{0,10}", 0..5), number: i64) {
            let list: Array = words.iter().map(|word| word.clone().into()).chain([number.into(), Dynamic::UNIT]).collect();
            let value = Dynamic::from_array(list);
            let text = json(&value).expect("JSON");
            let again = read(&text).expect("it is read");
            prop_assert_eq!(json(&again).expect("JSON"), text);
        }
    }
}
