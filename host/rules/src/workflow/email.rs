//! Send Email: makes a letter of the step's parties and texts; the result is the email record.
//!
//! Who is behind a party and where mail reaches him is the engine's to find. A party that is empty, or a text that is no
//! address, is for a person to repair (D15).

use model::{
    Value,
    expression::Path,
    parcel::{self, Address, Letter, Markup},
};
use script::{CompiledSource, Facts};
use smol_str::{SmolStr, format_smolstr};

use super::{Command, Performed, Run, source::Source};
use crate::{retry::Failure, value};

/// The instruction.
#[derive(Debug)]
pub(super) struct Email {
    /// Absent: the user as whom the process runs.
    pub from: Option<Party>,
    pub to: Vec<Party>,
    pub cc: Vec<Party>,
    pub bcc: Vec<Party>,
    pub says: Says,
    pub regarding: Option<Path>,
}

/// A party as the step writes it.
#[derive(Debug)]
pub(super) struct Party {
    /// The key it stands under, and the expression, if it is one.
    pub written: SmolStr,
    pub source: Source,
    /// Whether it gives the text of an address, not a record.
    pub is_address: bool,
}

/// What the mail says.
#[derive(Debug)]
pub(super) enum Says {
    New { subject: Source, body: Source },
    Template(Template),
}

/// The texts of a template.
#[derive(Debug)]
pub(super) struct Template {
    pub name: SmolStr,
    pub subject: CompiledSource,
    pub body: CompiledSource,
    pub markup: Markup,
    /// Each path that it reads, with where that begins in the process.
    pub read: Vec<(Path, Path)>,
}

impl Email {
    /// The template that it uses.
    pub fn template(&self) -> Option<&SmolStr> {
        match &self.says {
            Says::New { .. } => None,
            Says::Template(template) => Some(&template.name),
        }
    }

    pub fn perform<'p>(&self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let parties =
            |list: &[Party]| list.iter().map(|party| party.evaluate(run, facts)).collect::<Result<Vec<_>, _>>();
        let from = match &self.from {
            Some(from) => from.evaluate(run, facts)?,
            None => parcel::Party::Record(run.job.user),
        };
        let (subject, body, markup) = self.says.evaluate(run, facts)?;
        let regarding = self.regarding.as_ref().and_then(|path| facts.get(path).value.as_reference());
        let (to, cc, bcc) = (parties(&self.to)?, parties(&self.cc)?, parties(&self.bcc)?);
        let letter = Letter { from, to, cc, bcc, subject: one_line(&subject), body: body.into(), markup, regarding };
        Ok(Performed::Asks(Command::Send(Box::new(letter))))
    }
}

impl Party {
    fn evaluate(&self, run: &Run<'_, '_>, facts: &Facts) -> Result<parcel::Party, Failure> {
        let written = &self.written;
        match (self.source.evaluate(written, run, facts)?, self.is_address) {
            (Value::Reference(record), false) => Ok(parcel::Party::Record(record)),
            (Value::Text(text), true) => Address::parse(&text).map(parcel::Party::Address).map_err(|why| {
                Failure::repairable("bad-address", format_smolstr!("{written}: `{text}` is no address, {why}"))
            }),
            (Value::Null, _) => {
                let message = format_smolstr!("the mail has no way to go: {written} is empty, there is nobody");
                Err(Failure::repairable("no-address", message))
            }
            (other, is_address) => {
                let wanted = if is_address { "an address" } else { "somebody who gets mail" };
                let message = format_smolstr!("{written} is {}, not {wanted}", value::describe(&other));
                Err(Failure::repairable("wrong-type", message))
            }
        }
    }
}

impl Says {
    fn evaluate(&self, run: &Run<'_, '_>, facts: &Facts) -> Result<(String, String, Markup), Failure> {
        match self {
            Self::New { subject, body } => {
                let text = |what, source: &Source| source.evaluate(what, run, facts).map(in_words);
                Ok((text("subject", subject)?, text("body", body)?, Markup::Text))
            }
            Self::Template(template) => template.evaluate(run, facts),
        }
    }
}

impl Template {
    fn evaluate(&self, run: &Run<'_, '_>, facts: &Facts) -> Result<(String, String, Markup), Failure> {
        let mut own = Facts::new();
        for (path, here) in &self.read {
            own.insert(path.clone(), facts.get(here).clone());
        }
        let environment = run.environment;
        let wrong = |what: &'static str| {
            move |problem: script::Problem| Failure::repairable("expression", format_smolstr!("`{what}`: {problem}"))
        };
        let subject = self.subject.evaluate(&own, environment).map_err(wrong("subject"))?;
        let body = match self.markup {
            Markup::Html => self.body.evaluate_html(&own, environment).map_err(wrong("body"))?,
            Markup::Text => in_words(self.body.evaluate(&own, environment).map_err(wrong("body"))?),
        };
        Ok((in_words(subject), body, self.markup))
    }
}

/// The text that a value is; an empty one is an empty text.
fn in_words(value: Value) -> String {
    match value {
        Value::Text(text) => text.into(),
        Value::Null => String::new(),
        other => value::describe(&other).into(),
    }
}

/// A subject is one line, whatever the values in it are.
fn one_line(text: &str) -> SmolStr {
    let words = text.split(char::is_control).filter(|words| !words.is_empty());
    words.collect::<Vec<_>>().join(" ").into()
}
