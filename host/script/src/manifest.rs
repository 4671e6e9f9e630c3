//! A script's file in its two parts: the leading comment with the manifest, and the program.
//!
//! `formats` reads the YAML, the script runner runs the whole text: lines count as written everywhere.

use crate::Diagnostic;

const OPENING: &str = "/*---";
const CLOSING: &str = "---*/";

/// The parts of a script's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split<'a> {
    /// The YAML between the marks, from the line after the opening one.
    pub yaml: &'a str,
    /// The line of the file on which the YAML begins, from 1.
    pub yaml_line: u32,
    /// The program after the closing mark.
    pub body: &'a str,
    /// The line of the file on which the program begins, from 1: the line of the closing mark.
    pub body_line: u32,
}

/// Takes a script's file apart. The comment must be the first thing in it; each mark stands on a line of its own.
pub fn split(text: &str) -> Result<Split<'_>, Diagnostic> {
    let missing = |place: usize, message: &str| {
        let example = "a script begins with a line `/*---`, its manifest as YAML, and a line `---*/`";
        Diagnostic::at(text, place, place, message).hint(example)
    };
    let start = text.len() - text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).len();
    if !text[start..].starts_with(OPENING) {
        return Err(missing(start, "the manifest is missing"));
    }
    let mut place = start;
    let mut yaml = None;
    for line in text[start..].split_inclusive('\n') {
        let bare = line.trim();
        match yaml {
            None if bare != OPENING => return Err(missing(place, "only `/*---` may stand on the first line")),
            None => yaml = Some(place + line.len()),
            Some(from) if bare == CLOSING => {
                if let Some(second) = second(&text[place..]) {
                    let at = place + second;
                    let found = Diagnostic::at(text, at, at + OPENING.len(), "a second heading begins here");
                    return Err(found.hint("each script has a file of its own"));
                }
                return Ok(Split {
                    yaml: &text[from..place],
                    yaml_line: line_of(text, from),
                    body: &text[place + line.find(CLOSING).unwrap_or(0) + CLOSING.len()..],
                    body_line: line_of(text, place),
                });
            }
            Some(_) => {}
        }
        place += line.len();
    }
    Err(missing(start, "the comment with the manifest has no end"))
}

/// The byte at which another heading begins.
fn second(rest: &str) -> Option<usize> {
    let mut place = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim() == OPENING {
            return Some(place + line.len() - line.trim_start().len());
        }
        place += line.len();
    }
    None
}

fn line_of(text: &str, place: usize) -> u32 {
    u32::try_from(text[..place].matches('\n').count() + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_script_is_taken_apart_with_its_lines() {
        let parts = split("\n/*---\nstep: a.b\ntitle: x\n---*/\nlet a = 1;\n").expect("a script");
        assert_eq!(parts.yaml, "step: a.b\ntitle: x\n");
        assert_eq!(parts.yaml_line, 3);
        assert_eq!(parts.body, "\nlet a = 1;\n");
        assert_eq!(parts.body_line, 5);
    }

    #[test]
    fn windows_line_ends_do_not_matter() {
        let parts = split("/*---\r\nstep: a.b\r\n---*/\r\n1").expect("a script");
        assert_eq!((parts.yaml, parts.body), ("step: a.b\r\n", "\r\n1"));
    }

    #[test]
    fn what_is_missing_is_told_with_its_place() {
        for (text, line, message) in [
            ("let a = 1;", 1, "the manifest is missing"),
            ("", 1, "the manifest is missing"),
            ("\n/*--- step: x\n---*/", 2, "only `/*---` may stand on the first line"),
            ("/*---\nstep: a.b\n", 1, "the comment with the manifest has no end"),
            ("/*---\nstep: a.b\n---*/\n1\n/*---\nstep: a.c\n---*/\n2", 5, "a second heading begins here"),
        ] {
            let found = split(text).expect_err(text);
            assert_eq!((found.line, found.message.as_str()), (line, message), "{text}");
            assert!(found.hint.is_some());
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fall(text in "(?s).{0,80}", inside in "(?s).{0,80}") {
            let _ = split(&text);
            let _ = split(&format!("/*---\n{text}\n---*/{inside}"));
        }
    }
}
