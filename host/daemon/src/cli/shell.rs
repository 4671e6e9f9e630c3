//! `stepwise shell`: the language of scenario pages, typed or from a file, against a daemon.
//!
//! A file ends at the first line that goes wrong; somebody who types goes on.

mod entities;
mod flow;
mod port;
mod task;

use std::{
    io::{BufRead, BufReader, IsTerminal, Read},
    path::PathBuf,
};

use clap::Args;
use scenario::{Line, Session, line::HELP};

use super::Connection;
use crate::{
    client::Client,
    output::{self, say},
    trouble::{Exit, Trouble},
};

/// Type the language of scenario pages.
#[derive(Debug, Args)]
pub struct Shell {
    /// A file of lines; without one they are read from stdin
    file: Option<PathBuf>,
}

impl Shell {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let client = Client::new(connection)?;
        let session = Session::new(port::Http::new(client)?);
        let typed = self.file.is_none() && std::io::stdin().is_terminal();
        let input: Box<dyn Read> = match &self.file {
            None => Box::new(std::io::stdin()),
            Some(file) => {
                let opened = std::fs::File::open(file);
                Box::new(opened.map_err(|error| Trouble::new(Exit::NotFound, format!("{}: {error}", file.display())))?)
            }
        };
        if typed {
            say("one command on a line; `help` lists them, Ctrl-D ends");
        }
        read(session, BufReader::new(input), typed)
    }
}

fn read(mut session: Session<port::Http>, lines: impl BufRead, typed: bool) -> Result<(), Trouble> {
    for (place, text) in lines.lines().enumerate() {
        let text = text?;
        if text.trim() == "help" {
            output::line(HELP.trim_end())?;
            continue;
        }
        match done(&mut session, place + 1, &text) {
            Ok(answers) => answers.iter().try_for_each(|answer| output::line(answer))?,
            Err(why) if typed => say(&why),
            Err(why) => return Err(Trouble::failed(format!("line {}: {why}", place + 1))),
        }
    }
    Ok(())
}

/// What a line answers, or why it went wrong: a refusal that it expects is what it answers.
fn done(session: &mut Session<port::Http>, number: usize, text: &str) -> Result<Vec<String>, String> {
    let Some(line) = Line::parse(u32::try_from(number).unwrap_or(u32::MAX), text)? else { return Ok(Vec::new()) };
    match (session.run(&line.command), &line.refusal) {
        (Ok(answers), None) => Ok(answers),
        (Ok(_), Some(code)) => Err(format!("it was to be refused with `{code}` and was not")),
        (Err(no), Some(code)) if no.code == *code => Ok(vec![format!("! {no}")]),
        (Err(no), _) => Err(no.to_string()),
    }
}
