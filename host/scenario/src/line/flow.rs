//! `flow ...`: what a person does with the flows of a record.

use smol_str::SmolStr;

use super::{Name, Setting, choices, settings, token::Token};

/// What a person does with the flows of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum FlowLine {
    /// `flow look account/a1`: what a view would show, without being one.
    Look,
    /// `flow view account/a1`: the form opens.
    View,
    /// `flow switch account/a1 to=selling`
    Switch(SmolStr),
    /// `flow start account/a1 process=selling stage=develop`
    Start {
        /// The flow.
        process: SmolStr,
        /// The stage where it begins; absent: its first.
        stage: Option<SmolStr>,
    },
    /// `flow next account/a1`, of the flow that is shown or of `process=selling`.
    Move {
        /// `next`, `back`, `set-stage`, `finish`, `abandon`, `reactivate`.
        wanted: SmolStr,
        /// The flow; absent: the one that is shown.
        process: Option<SmolStr>,
        /// The stage of `set-stage`.
        stage: Option<SmolStr>,
        /// `to=task/t1`: the record of the next stage.
        to: Option<Name>,
        /// What stands behind `create`: the values of a new record for the next stage.
        create: Option<Vec<Setting>>,
    },
}

const MOVES: [&str; 6] = ["next", "back", "set-stage", "finish", "abandon", "reactivate"];

/// The command behind `flow`, with its record.
pub(super) fn parse(tokens: &[Token]) -> Result<(Name, FlowLine), String> {
    let [word, record, options @ ..] = tokens else { return Err(usage()) };
    let (word, record) = (word.word()?, record.name()?);
    let line = match word.as_str() {
        "look" => FlowLine::Look,
        "view" => FlowLine::View,
        "switch" => {
            let [to] = choices(options, ["to"])?;
            FlowLine::Switch(to.ok_or("it is said to which flow: `to=FLOW`")?)
        }
        "start" => {
            let [process, stage] = choices(options, ["process", "stage"])?;
            FlowLine::Start { process: process.ok_or("it is said which flow: `process=FLOW`")?, stage }
        }
        wanted if MOVES.contains(&wanted) => moved(wanted, options)?,
        _ => return Err(usage()),
    };
    Ok((record, line))
}

fn moved(wanted: &str, options: &[Token]) -> Result<FlowLine, String> {
    let place = options.iter().position(|token| token.is_bare("create"));
    let (options, made) = match place {
        None => (options, None),
        Some(place) => (&options[..place], Some(settings(&options[place + 1..])?)),
    };
    let (mut process, mut stage, mut to) = (None, None, None);
    for option in options {
        match option.setting()? {
            (key, value) if key == "to" => to = Some(value.name()?),
            (key, value) if key == "process" => process = Some(value.word()?),
            (key, value) if key == "stage" => stage = Some(value.word()?),
            (key, _) => return Err(format!("`{key}` is not one of process, stage, to")),
        }
    }
    if (wanted == "set-stage") != stage.is_some() {
        return Err("a stage is named by `flow set-stage ENTITY/NAME stage=STAGE` only".into());
    }
    Ok(FlowLine::Move { wanted: wanted.into(), process, stage, to, create: made })
}

fn usage() -> String {
    format!("it is `flow look|view|switch|start|{} ENTITY/NAME`", MOVES.join("|"))
}
