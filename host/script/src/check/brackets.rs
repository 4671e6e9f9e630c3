//! Brackets that have no partner, found in a text that does not parse; texts and notes do not count.

/// A bracket without a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    /// It is opened and never closed.
    Open { sign: char, line: usize, column: usize },
    /// It closes nothing.
    Close { sign: char, line: usize, column: usize },
}

/// The bracket that closes this one.
pub(super) fn closing(sign: char) -> char {
    match sign {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// What the reader is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Code,
    Text,
    /// A text in backticks, which may go on for lines.
    Template,
    Note,
}

/// The first bracket that closes nothing, or else the innermost one that stays open.
pub(super) fn odd(text: &str) -> Option<Odd> {
    let mut open: Vec<(char, usize, usize)> = Vec::new();
    let (mut notes, mut in_template) = (0usize, false);
    for (line, words) in text.lines().enumerate() {
        let mut within = match (notes, in_template) {
            (0, false) => Within::Code,
            (0, true) => Within::Template,
            _ => Within::Note,
        };
        let mut letters = words.chars().enumerate().peekable();
        while let Some((column, letter)) = letters.next() {
            let next = letters.peek().map(|(_, next)| *next);
            match (within, letter, next) {
                (Within::Text, '\\', _) => drop(letters.next()),
                (Within::Text, '"', _) => within = Within::Code,
                (Within::Template, '`', _) => within = Within::Code,
                (Within::Text | Within::Template, ..) => {}
                (Within::Note, '*', Some('/')) => {
                    letters.next();
                    notes -= 1;
                    within = if notes == 0 { Within::Code } else { Within::Note };
                }
                (_, '/', Some('*')) => {
                    letters.next();
                    notes += 1;
                    within = Within::Note;
                }
                (Within::Note, ..) => {}
                (Within::Code, '/', Some('/')) => break,
                (Within::Code, '"', _) => within = Within::Text,
                (Within::Code, '`', _) => within = Within::Template,
                (Within::Code, '(' | '[' | '{', _) => open.push((letter, line + 1, column + 1)),
                (Within::Code, ')' | ']' | '}', _) => match open.pop() {
                    Some((sign, ..)) if closing(sign) == letter => {}
                    // The one inside is the one that was forgotten.
                    Some((sign, line, column)) => return Some(Odd::Open { sign, line, column }),
                    None => return Some(Odd::Close { sign: letter, line: line + 1, column: column + 1 }),
                },
                (Within::Code, ..) => {}
            }
        }
        in_template = within == Within::Template;
    }
    open.pop().map(|(sign, line, column)| Odd::Open { sign, line, column })
}

/// A line without the note at its end.
pub(super) fn code(line: &str) -> &str {
    let (mut in_text, mut escaped) = (false, false);
    for (at, letter) in line.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '/' if !in_text && line[at..].starts_with("//") => return &line[..at],
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bracket_without_a_partner_is_found() {
        for (text, expected) in [
            ("a(1, [2], #{ b: 3 })", None),
            ("if a {\n  b(\"}\"); // }\n", Some(Odd::Open { sign: '{', line: 1, column: 6 })),
            ("b(1;\nc(2)", Some(Odd::Open { sign: '(', line: 1, column: 2 })),
            ("if a { b(1; }", Some(Odd::Open { sign: '(', line: 1, column: 9 })),
            ("a } b", Some(Odd::Close { sign: '}', line: 1, column: 3 })),
            ("/* ( \n /* [ */ { */ a", None),
            ("\"\\\"(\"", None),
            ("`a (\n{ \" `; b", None),
        ] {
            assert_eq!(odd(text), expected, "{text}");
        }
    }

    #[test]
    fn a_note_is_no_code() {
        assert_eq!(code("let a = \"//\"; // why"), "let a = \"//\"; ");
        assert_eq!(code("// why"), "");
    }
}
