//! The step `email`, compiled: its parties, and its texts or those of its template.
//!
//! A template reads the record that the mail is about as `record`. Its paths are noted under the step's own path to that
//! record, so they are read like any other; the instruction hands them to the template under the names that it uses.

use model::{
    expression::{Path, ValueSource},
    process::{
        email::{self, Content, EmailTemplate, PartySource},
        workflow::Step,
    },
    starter,
};
use script::CompiledSource;
use smol_str::SmolStr;

use super::Compiler;
use crate::workflow::{
    email::{Email, Party, Says, Template},
    paths::Gives,
    program::Instruction,
    source::{Reads, paths_of},
};

impl Compiler<'_> {
    pub(super) fn email(&mut self, step: &Step, email: &email::Email, reads: &mut Reads) -> Option<Instruction> {
        if let Some(regarding) = &email.regarding {
            self.read(regarding, false, reads);
        }
        let from = match &email.from {
            Some(from) => Some(self.party("from", from, reads)?),
            None => None,
        };
        let [to, cc, bcc] = [("to", &email.to), ("cc", &email.cc), ("bcc", &email.bcc)].map(|(what, parties)| {
            let parties: Vec<_> = parties.iter().map(|party| self.party(what, party, reads)).collect();
            parties.into_iter().collect::<Option<Vec<_>>>()
        });
        let says = match &email.content {
            Content::New { subject, body } => {
                Says::New { subject: self.source("subject", subject, reads)?, body: self.source("body", body, reads)? }
            }
            Content::Template(template) => Says::Template(self.template(template, email.regarding.as_ref(), reads)?),
        };
        self.gives(&step.id, step.named, Gives::Record(Some(vec![starter::EMAIL])));
        let regarding = email.regarding.clone();
        Some(Instruction::Email(Box::new(Email { from, to: to?, cc: cc?, bcc: bcc?, says, regarding })))
    }

    fn party(&mut self, what: &str, party: &PartySource, reads: &mut Reads) -> Option<Party> {
        let (source, is_address) = match party {
            PartySource::Record(source) => (source, false),
            PartySource::Address(source) => (source, true),
        };
        let written = match source {
            ValueSource::Expression(expression) => smol_str::format_smolstr!("`{what}`: `{}`", expression.text),
            _ => smol_str::format_smolstr!("`{what}`"),
        };
        Some(Party { written, source: self.source(what, source, reads)?, is_address })
    }

    fn template(&mut self, template: &EmailTemplate, regarding: Option<&Path>, reads: &mut Reads) -> Option<Template> {
        let mut read = Vec::new();
        for source in [&template.subject, &template.body] {
            for (path, shown) in paths_of(source) {
                let here = match (path.root.as_str(), regarding) {
                    ("record", Some(regarding)) => behind(regarding, path),
                    ("record", None) => {
                        self.say(format_args!(
                            "template `{}` reads a record, and the mail is about none",
                            template.name
                        ));
                        return None;
                    }
                    _ => path.clone(),
                };
                self.read(&here, shown, reads);
                if !read.iter().any(|(known, _)| known == path) {
                    read.push((path.clone(), here));
                }
            }
        }
        Some(Template {
            name: template.name.clone(),
            subject: self.text_of_template(template, "subject", &template.subject)?,
            body: self.text_of_template(template, "body", &template.body)?,
            markup: template.markup,
            read,
        })
    }

    fn text_of_template(
        &mut self,
        template: &EmailTemplate,
        what: &str,
        source: &ValueSource,
    ) -> Option<CompiledSource> {
        let compiled = CompiledSource::new(source);
        self.or_say(compiled.map_err(|why| format!("template `{}`, `{what}`: {why}", template.name)))
    }
}

/// The template's path, from the step's path to the record.
fn behind(regarding: &Path, path: &Path) -> Path {
    let segments = regarding.segments.iter().chain(&path.segments).cloned().collect();
    Path { root: SmolStr::clone(&regarding.root), segments }
}
