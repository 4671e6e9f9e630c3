//! The ways to write a value (formats 2), compiled: plain values, expressions, texts with values in them, the first that
//! is not empty, named records.
//!
//! `formats` cuts texts apart here when it reads a file; `rules` compiles what it got and evaluates it when a step runs.

use model::{
    Value,
    expression::{Expression, NamedRecord, Part, Path, ValueSource},
};
use smol_str::SmolStr;

use crate::{Compiled, Diagnostic, Environment, Facts, Problem, expression::end_of_value, library::LONGEST_TEXT};

/// What a text in a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind<'a> {
    /// It begins with `=`: an expression. The second is the byte at which the expression begins.
    Expression(&'a str, usize),
    /// It has `${` in it: text with values.
    Template,
    /// Text as it stands.
    Plain,
}

/// What `text` is in a place where values are written.
pub fn source_kind(text: &str) -> SourceKind<'_> {
    match text.strip_prefix('=') {
        Some(rest) => {
            let expression = rest.trim_start();
            SourceKind::Expression(expression, text.len() - expression.len())
        }
        None if text.contains("${") => SourceKind::Template,
        None => SourceKind::Plain,
    }
}

/// The pieces of a text with values in it: `Answer ${record.title}`.
pub fn template(text: &str) -> Result<Vec<Part>, Diagnostic> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("${") {
        let (open, from) = (at + open, at + open + 2);
        let end = end_of_value(text, from)
            .ok_or_else(|| Diagnostic::at(text, open, from, "`${` is not closed").hint("write `${record.title}`"))?;
        if open > at {
            parts.push(Part::Text(text[at..open].into()));
        }
        let before = Diagnostic::at(text, from, from, "");
        let inside = Compiled::new(&text[from..end]).map_err(|found| found.moved(before.line, before.column))?;
        parts.push(Part::Value(inside.expression().clone()));
        at = end + 1;
    }
    if at < text.len() {
        parts.push(Part::Text(text[at..].into()));
    }
    Ok(parts)
}

/// A value as a definition writes it, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct CompiledSource(Form);

#[derive(Clone, Debug)]
enum Form {
    Literal(Value),
    Expression(Box<Compiled>),
    Template(Vec<Piece>),
    First(Vec<CompiledSource>),
    Record(NamedRecord),
}

#[derive(Clone, Debug)]
enum Piece {
    Text(SmolStr),
    Value(Box<Compiled>),
}

impl CompiledSource {
    /// The source, with its expressions compiled. Places in a diagnostic are those in the expression that is wrong.
    pub fn new(source: &ValueSource) -> Result<Self, Diagnostic> {
        let compiled = |expression: &Expression| Compiled::new(&expression.text).map(Box::new);
        Ok(Self(match source {
            ValueSource::Literal(value) => Form::Literal(value.clone()),
            ValueSource::Expression(expression) => Form::Expression(compiled(expression)?),
            ValueSource::Template(parts) => {
                let pieces = parts.iter().map(|part| match part {
                    Part::Text(text) => Ok(Piece::Text(text.clone())),
                    Part::Value(expression) => compiled(expression).map(Piece::Value),
                });
                Form::Template(pieces.collect::<Result<_, _>>()?)
            }
            ValueSource::First(sources) => Form::First(sources.iter().map(Self::new).collect::<Result<_, _>>()?),
            ValueSource::Record(named) => Form::Record(named.clone()),
        }))
    }

    /// The value with these facts. A named record is what the facts say it is, empty where there is none.
    pub fn evaluate(&self, facts: &Facts, environment: &Environment) -> Result<Value, Problem> {
        match &self.0 {
            Form::Literal(value) => Ok(value.clone()),
            Form::Expression(expression) => expression.evaluate(facts, environment),
            Form::Template(pieces) => text_of(pieces, facts, environment, |shown| shown).map(Value::text),
            Form::First(sources) => {
                for source in sources {
                    let value = source.evaluate(facts, environment)?;
                    if !matches!(&value, Value::Null) && value.as_text() != Some("") {
                        return Ok(value);
                    }
                }
                Ok(Value::Null)
            }
            Form::Record(named) => Ok(facts.record(named).map_or(Value::Null, Value::Reference)),
        }
    }

    /// The text for a page of HTML: what stands in the file as it stands, values escaped so that none of them can be markup.
    pub fn evaluate_html(&self, facts: &Facts, environment: &Environment) -> Result<String, Problem> {
        let escaped = |shown: String| escape(&shown);
        match &self.0 {
            Form::Literal(Value::Text(text)) => Ok(text.to_string()),
            Form::Template(pieces) => text_of(pieces, facts, environment, escaped),
            Form::Expression(expression) => expression.show(facts, environment).map(escaped),
            _ => Ok(self.evaluate(facts, environment)?.as_text().map(escape).unwrap_or_default()),
        }
    }

    /// The paths that it reads, with repetition.
    pub fn paths(&self) -> Vec<&Path> {
        match &self.0 {
            Form::Literal(_) | Form::Record(_) => Vec::new(),
            Form::Expression(expression) => expression.expression().paths.iter().collect(),
            Form::Template(pieces) => (pieces.iter())
                .flat_map(|piece| match piece {
                    Piece::Text(_) => [].iter(),
                    Piece::Value(expression) => expression.expression().paths.iter(),
                })
                .collect(),
            Form::First(sources) => sources.iter().flat_map(Self::paths).collect(),
        }
    }

    /// The records that it names, with repetition: what the facts must know beside its paths.
    pub fn records(&self) -> Vec<&NamedRecord> {
        match &self.0 {
            Form::Record(named) => vec![named],
            Form::First(sources) => sources.iter().flat_map(Self::records).collect(),
            Form::Literal(_) | Form::Expression(_) | Form::Template(_) => Vec::new(),
        }
    }

    /// Whether its value depends on when it is evaluated.
    pub fn asks_clock(&self) -> bool {
        match &self.0 {
            Form::Literal(_) | Form::Record(_) => false,
            Form::Expression(expression) => expression.asks_clock(),
            Form::Template(pieces) => {
                pieces.iter().any(|piece| matches!(piece, Piece::Value(expression) if expression.asks_clock()))
            }
            Form::First(sources) => sources.iter().any(Self::asks_clock),
        }
    }
}

fn text_of(
    pieces: &[Piece],
    facts: &Facts,
    environment: &Environment,
    written: impl Fn(String) -> String,
) -> Result<String, Problem> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Value(expression) => text.push_str(&written(expression.show(facts, environment)?)),
        }
        if text.len() > LONGEST_TEXT {
            return Err(Problem::new(format!("the text would be longer than {LONGEST_TEXT} bytes")));
        }
    }
    Ok(text)
}

/// `text` as a page of HTML shows it, inside an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use model::{EntityId, EntityName, RecordId, RecordRef, Timestamp, expression::Segment};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::Known;

    fn facts() -> Facts {
        let mut facts = Facts::new();
        let path =
            |name: &str| Path { root: "record".into(), segments: vec![Segment { name: name.into(), target: None }] };
        facts.insert(path("title"), Known::plain("Mortgage"));
        let severity = Known { shown: Some("Severe".into()), ..Known::plain(Value::Choice(3)) };
        facts.insert(path("severity"), severity);
        facts
    }

    fn environment() -> Environment {
        Environment::at(Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment"))
    }

    #[track_caller]
    fn check(source: &ValueSource, expected: Value) {
        let compiled = CompiledSource::new(source).expect("a value");
        assert_eq!(compiled.evaluate(&facts(), &environment()), Ok(expected), "{source:?}");
    }

    #[test]
    fn values_in_html_are_escaped_and_what_stands_around_them_is_not() {
        let title = Path { root: "record".into(), segments: vec![Segment { name: "title".into(), target: None }] };
        let parts = template("<b title=\"${record.title}\">${upper(record.title)}</b>").expect("a text");
        let compiled = CompiledSource::new(&ValueSource::Template(parts)).expect("a value");
        let mut facts = Facts::new();
        facts.insert(title, Known::plain("<i>\"Tom\" & 'Jo'</i>"));
        let html = compiled.evaluate_html(&facts, &environment()).expect("a text");
        let value = "&lt;i&gt;&quot;Tom&quot; &amp; &#39;Jo&#39;&lt;/i&gt;";
        assert!(html.starts_with(&format!("<b title=\"{value}\">&lt;I&gt;")) && html.ends_with("</b>"), "{html}");
    }

    #[test]
    fn a_text_in_a_file_says_what_it_is() {
        assert_eq!(source_kind("= record.title"), SourceKind::Expression("record.title", 2));
        assert_eq!(source_kind("=1"), SourceKind::Expression("1", 1));
        assert_eq!(source_kind("Answer ${record.title}"), SourceKind::Template);
        assert_eq!(source_kind("5 $ {each}"), SourceKind::Plain);
    }

    #[test]
    fn values_in_a_text_are_shown_as_people_read_them() {
        for (text, expected) in [
            ("${record.title}: ${record.severity}!", "Mortgage: Severe!"),
            ("due ${today() + duration(0, 15, 0)}", "due 2026-12-05"),
            ("${if record.severity == 3 { \"}\" } else { \"{\" }}", "}"),
            ("${record.missing}", ""),
            ("$5 and {braces}", "$5 and {braces}"),
            ("", ""),
        ] {
            check(&ValueSource::Template(template(text).expect(text)), expected.into());
        }
    }

    #[test]
    fn a_mistake_in_a_text_is_told_with_its_place_in_the_text() {
        for (text, line, column, message) in [
            ("Hello ${record.title", 1, 7, "`${` is not closed"),
            ("ä ${ uper(1) }", 1, 6, "there is no function `uper`"),
            ("a\nb ${1 +* 2}", 2, 8, "unexpected `*`"),
            ("${}", 1, 3, "an expression is missing"),
        ] {
            let found = template(text).expect_err(text);
            assert_eq!((found.line, found.column), (line, column), "{text}: {found}");
            assert!(found.message == message || message.starts_with("unexpected"), "{found}");
        }
    }

    #[test]
    fn the_first_value_that_is_not_empty_wins() {
        let expression = |text: &str| ValueSource::Expression(Compiled::new(text).expect(text).expression().clone());
        let team =
            NamedRecord::Named { entity: EntityName::parse("team").expect("a name"), name: "Escalations".into() };
        let sources =
            vec![expression("record.missing"), ValueSource::Record(team), expression("\"\""), expression("7")];
        check(&ValueSource::First(sources), Value::Whole(7));
        check(&ValueSource::First(Vec::new()), Value::Null);
    }

    #[test]
    fn a_named_record_is_what_the_facts_say() {
        let team =
            NamedRecord::Named { entity: EntityName::parse("team").expect("a name"), name: "Escalations".into() };
        let record = RecordRef::new(EntityId(2), RecordId(Uuid::from_u128(1)));
        let compiled = CompiledSource::new(&ValueSource::Record(team.clone())).expect("a value");
        assert_eq!(compiled.records(), [&team]);
        let mut facts = facts();
        assert_eq!(compiled.evaluate(&facts, &environment()), Ok(Value::Null));
        facts.insert_record(team, Some(record));
        assert_eq!(compiled.evaluate(&facts, &environment()), Ok(record.into()));
        check(&ValueSource::Record(NamedRecord::Known(record)), record.into());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fall(text in "(?s)[${}a\" .\\\\ä]{0,40}") {
            let _ = template(&text);
        }
    }
}
