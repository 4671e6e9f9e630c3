//! The language of `run` blocks and of `stepwise shell`: one command on a line.
//!
//! `parse` reads a line; `session` does what it says. `help` is the whole language, as people read it.

mod flow;
mod task;
mod token;

use model::{
    Span, Timestamp,
    job::{Order, Retry},
};
use smol_str::SmolStr;

use self::token::Token;
pub use self::{flow::FlowLine, task::TaskLine};

/// One line that does something.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its number on the page, from 1.
    pub number: u32,
    /// As it was written, without what is expected of it.
    pub text: String,
    /// What it does.
    pub command: Command,
    /// The code of the refusal that it must meet.
    pub refusal: Option<SmolStr>,
}

/// What a line does.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `create account/a1 name="Ada"`: makes a record and names it.
    Create {
        /// What it is called from now on.
        record: Name,
        /// Its values.
        set: Vec<Setting>,
    },
    /// `update account/a1 creditlimit=5`, or `account/a1@3` where the version must be 3.
    Update {
        /// The record.
        record: Name,
        /// What is named in the request.
        set: Vec<Setting>,
    },
    /// `delete account/a1`
    Delete(Name),
    /// `assign account/a1 team/Escalations`
    Assign {
        /// The record.
        record: Name,
        /// A user or a team.
        to: Name,
    },
    /// `share account/a1 with=systemuser/Anna rights=read,write`
    Share {
        /// The record.
        record: Name,
        /// A user or a team.
        with: Name,
        /// What it may do, by word.
        rights: Vec<SmolStr>,
    },
    /// `unshare account/a1 with=systemuser/Anna`
    Unshare {
        /// The record.
        record: Name,
        /// A user or a team.
        with: Name,
    },
    /// `status account/a1 inactive`: a status, or a state with its first status.
    Status {
        /// The record.
        record: Name,
        /// The status or state.
        to: SmolStr,
    },
    /// `get account/a1 name creditlimit`
    Get {
        /// The record.
        record: Name,
        /// The attributes to show; none: all that are not the engine's.
        attributes: Vec<SmolStr>,
    },
    /// `query account filter="creditlimit gt 5" order="name desc" top=3 show=name,creditlimit`
    Query {
        /// The entity.
        entity: SmolStr,
        /// Which, as the web API writes it.
        filter: Option<SmolStr>,
        /// In which order, as the web API writes it.
        order: Option<SmolStr>,
        /// How many at most.
        top: Option<u32>,
        /// The attributes to show; none: the primary one.
        attributes: Vec<SmolStr>,
    },
    /// `run remind-owner account/a1 days=3`
    Run {
        /// The process.
        process: SmolStr,
        /// The record it runs on.
        record: Name,
        /// Its inputs.
        set: Vec<Setting>,
    },
    /// `migrate remind-owner from=1 to=2 map=old:new preview=true`: moves its resting jobs to another version.
    Migrate {
        /// The process.
        process: SmolStr,
        /// The version whose jobs are moved; absent: every other one.
        from: Option<u32>,
        /// The version that they get; absent: the one that holds now.
        to: Option<u32>,
        /// Steps that are called otherwise now: old, new.
        map: Vec<(SmolStr, SmolStr)>,
        /// Whether it is only told what would happen.
        preview: bool,
    },
    /// `try remind-owner account/a1 days=3 branches=1,2`: what it would do; nothing of it stays.
    Try {
        /// The process.
        process: SmolStr,
        /// The record it runs on.
        record: Name,
        /// Its inputs.
        set: Vec<Setting>,
        /// Up to when time passes where it would wait.
        until: Option<Timestamp>,
        /// The branches by which it leaves its waits.
        branches: Vec<u16>,
    },
    /// `explain remind-owner account/a1 event=update attributes=name`: why it starts, or does not; without an event the
    /// last change of the record is meant.
    Explain {
        /// The process.
        process: SmolStr,
        /// The record.
        record: Name,
        /// What is supposed to happen, by word.
        event: Option<SmolStr>,
        /// What the request is supposed to name.
        attributes: Vec<SmolStr>,
    },
    /// `call escalate-complaint complaint/c1 reason="Late"`: an action, with its record where it is bound to an entity.
    Call {
        /// The action.
        action: SmolStr,
        /// The record.
        record: Option<Name>,
        /// Its inputs.
        set: Vec<Setting>,
    },
    /// `flow view account/a1`, `flow next account/a1`: what a person does with the flows of a record.
    Flow(Name, FlowLine),
    /// `task begin account/a1 process=after-the-call`, `task page account/a1 phone="555"`: what he does with task flows.
    Task(Name, TaskLine),
    /// `import complaints.csv` by the import file of the solution that names it, or `entity=complaint key=by_row`.
    Import {
        /// The file with the rows.
        file: SmolStr,
        /// The entity where no import file says it.
        entity: Option<SmolStr>,
        /// The alternate key that tells rows apart.
        key: Option<SmolStr>,
    },
    /// `job list state=failed process=remind-owner`
    JobList {
        /// Only those in this state.
        state: Option<SmolStr>,
        /// Only those of this process.
        process: Option<SmolStr>,
    },
    /// `job show 2`: the second job of the page with its run log.
    JobShow(SmolStr),
    /// `job cancel 2`, `job retry 2 from=start`: what a person wants of it.
    JobOrder(SmolStr, Order),
    /// `plugin grant evil task:create`, `plugin resume evil`: what an operator says to a library.
    Plugin {
        /// `grant`, `revoke`, `rollback`, `uninstall`, `quarantine`, `resume`, `list`.
        order: SmolStr,
        /// The library.
        library: SmolStr,
        /// Grants, or a version.
        words: Vec<SmolStr>,
    },
    /// `apply`: the files of the page so far. A run block begins with it where new files stand before the block.
    Apply,
    /// `advance 3 days`
    Advance(Span),
    /// `restart`: everything but the store is dropped and opened again.
    Restart,
    /// `fail-next sync`: the next operation of that kind on the store fails; `fail-next mail`: the next delivery does.
    FailNext(SmolStr),
}

/// `account/a1`, `account/a1@3`: a record by the name that the page gave it, or else by its primary name or id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The entity.
    pub entity: SmolStr,
    /// The name.
    pub name: SmolStr,
    /// The version that is expected.
    pub version: Option<u64>,
}

/// `creditlimit=5`
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The attribute.
    pub attribute: SmolStr,
    /// The value.
    pub value: Term,
}

/// A value as a line writes it; its attribute decides what it becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// `null`
    Empty,
    /// `5`, `true`, `high`, `2026-11-20`: whatever the attribute makes of it.
    Bare(SmolStr),
    /// `"Ada"`: text.
    Text(SmolStr),
    /// `account/a1`
    Record(Name),
}

/// The language, one line for each command.
pub const HELP: &str = "\
create ENTITY/NAME attribute=value ...   make a record and call it NAME
update ENTITY/NAME attribute=value ...   change it; ENTITY/NAME@3 wants version 3; null clears
delete ENTITY/NAME
assign ENTITY/NAME systemuser/NAME       or team/NAME
share ENTITY/NAME with=systemuser/NAME rights=read,write
                                         or team/NAME; append, append-to, delete, assign, share
unshare ENTITY/NAME with=systemuser/NAME takes all of it back
status ENTITY/NAME STATUS                a status, or a state with its first status
get ENTITY/NAME [attribute ...]
query ENTITY [filter=\"...\"] [order=\"...\"] [top=N] [show=a,b]
run PROCESS ENTITY/NAME                  start a process on a record
try PROCESS ENTITY/NAME [input=value ...] [until=MOMENT] [branches=1,2]
                                         what it would do; nothing of it stays
explain PROCESS ENTITY/NAME              why it started by the last change, or did not
explain PROCESS ENTITY/NAME event=update attributes=a,b
                                         why it would start, or would not
migrate PROCESS [from=N] [to=N] [map=old:new,...] [preview=true]
                                         move its resting jobs to another version
flow look ENTITY/NAME                    what a view would show; `flow view` is one
flow switch ENTITY/NAME to=FLOW          flow start ENTITY/NAME process=FLOW [stage=S]
flow next ENTITY/NAME [process=FLOW]     also back, set-stage stage=S, finish, abandon, reactivate
flow next ENTITY/NAME to=ENTITY/NAME     with the record of the next stage, or `create attribute=value ...`
task list ENTITY/NAME                    which task flows can be filled in
task begin ENTITY/NAME process=FLOW      also show, back, discard
task page ENTITY/NAME [attribute=value ...]
                                         what is typed on the page at hand; `task finish` writes all of it
import FILE.csv [entity=E] [key=K]
job list [state=S] [process=P]           job show N
job cancel N                             also terminate, pause, resume
job postpone N until=MOMENT
job retry N [from=start] [version=newest] from the step that failed, or from the start
plugin grant LIBRARY GRANT ...           also revoke; task:create, action:close, host:NAME
plugin rollback LIBRARY [VERSION]        also uninstall, quarantine, resume, list
apply                                    the files of the page
advance 3 days                           let time pass
restart                                  drop everything but the store and open it again
fail-next KIND                           let the next operation of the store fail, or the next mail
line ! code                              the line must be refused with this code
";

impl Line {
    /// The command on a line, nothing on an empty line or a comment (`# ...`), or what is wrong with it.
    pub fn parse(number: u32, text: &str) -> Result<Option<Line>, String> {
        let mut tokens = token::split(text)?;
        if tokens.first().is_none_or(Token::is_comment) {
            return Ok(None);
        }
        let refusal = match tokens.iter().position(|token| token.is_bare("!")) {
            None => None,
            Some(place) => {
                let behind = tokens.split_off(place);
                let [_, code] = behind.as_slice() else { return Err("behind `!` stands the code of a refusal".into()) };
                Some(code.word()?)
            }
        };
        let written = match &refusal {
            Some(_) => text.rsplit_once('!').map_or(text, |(line, _)| line).trim().to_owned(),
            None => text.trim().to_owned(),
        };
        let command = command(&tokens)?;
        Ok(Some(Line { number, text: written, command, refusal }))
    }
}

fn command(tokens: &[Token]) -> Result<Command, String> {
    let [verb, rest @ ..] = tokens else { return Err("a line begins with a command".into()) };
    let verb = verb.word()?;
    Ok(match (verb.as_str(), rest) {
        ("create", [record, set @ ..]) => Command::Create { record: record.name()?, set: settings(set)? },
        ("update", [record, set @ ..]) => Command::Update { record: record.name()?, set: settings(set)? },
        ("delete", [record]) => Command::Delete(record.name()?),
        ("assign", [record, to]) => Command::Assign { record: record.name()?, to: to.name()? },
        ("share", [record, options @ ..]) => share(record.name()?, options)?,
        ("unshare", [record, with]) => match with.setting()? {
            (key, value) if key == "with" => Command::Unshare { record: record.name()?, with: principal(&value)? },
            (key, _) => return Err(format!("`{key}` is not `with`")),
        },
        ("status", [record, to]) => Command::Status { record: record.name()?, to: to.word()? },
        ("get", [record, attributes @ ..]) => Command::Get {
            record: record.name()?,
            attributes: attributes.iter().map(Token::word).collect::<Result<_, _>>()?,
        },
        ("query", [entity, options @ ..]) => query(entity.word()?, options)?,
        ("run", [process, record, set @ ..]) => {
            Command::Run { process: process.word()?, record: record.name()?, set: settings(set)? }
        }
        ("migrate", [process, options @ ..]) => migrate(process.word()?, options)?,
        ("try", [process, record, rest @ ..]) => attempt(process.word()?, record.name()?, rest)?,
        ("explain", [process, record, options @ ..]) => {
            let [event, attributes] = choices(options, ["event", "attributes"])?;
            let attributes = attributes.iter().flat_map(|names| names.split(',')).map(SmolStr::from).collect();
            Command::Explain { process: process.word()?, record: record.name()?, event, attributes }
        }
        ("call", [action, rest @ ..]) => match rest {
            [record, set @ ..] if record.setting().is_err() => {
                Command::Call { action: action.word()?, record: Some(record.name()?), set: settings(set)? }
            }
            set => Command::Call { action: action.word()?, record: None, set: settings(set)? },
        },
        ("flow", rest) => {
            let (record, line) = flow::parse(rest)?;
            Command::Flow(record, line)
        }
        ("task", rest) => {
            let (record, line) = task::parse(rest)?;
            Command::Task(record, line)
        }
        ("import", [file, options @ ..]) => {
            let [entity, key] = choices(options, ["entity", "key"])?;
            Command::Import { file: file.word()?, entity, key }
        }
        ("job", [list, options @ ..]) if list.is_bare("list") => {
            let [state, process] = choices(options, ["state", "process"])?;
            Command::JobList { state, process }
        }
        ("job", [show, job]) if show.is_bare("show") => Command::JobShow(job.word()?),
        ("job", [word, job, options @ ..]) => Command::JobOrder(job.word()?, order(&word.word()?, options)?),
        ("job", _) => return Err("it is `job list`, `job show N` or `job ORDER N`".into()),
        ("plugin", [order, library, words @ ..]) => Command::Plugin {
            order: order.word()?,
            library: library.word()?,
            words: words.iter().map(Token::word).collect::<Result<_, _>>()?,
        },
        ("apply", []) => Command::Apply,
        ("advance", [number, unit]) => Command::Advance(duration(&number.word()?, &unit.word()?)?),
        ("restart", []) => Command::Restart,
        ("fail-next", [kind]) => Command::FailNext(kind.word()?),
        (known, _) => match HELP.lines().find(|line| line.split_whitespace().next() == Some(known)) {
            Some(usage) => return Err(format!("`{known}` is written so: {}", usage.trim())),
            None => return Err(format!("there is no command `{known}`")),
        },
    })
}

fn order(word: &str, options: &[Token]) -> Result<Order, String> {
    match (word, options) {
        ("cancel", []) => Ok(Order::Cancel),
        ("terminate", []) => Ok(Order::Terminate),
        ("pause", []) => Ok(Order::Pause),
        ("resume", []) => Ok(Order::Resume),
        ("postpone", options) => {
            let [until] = choices(options, ["until"])?;
            let moment = until.as_deref().and_then(Timestamp::parse);
            moment.map(Order::Postpone).ok_or_else(|| "it is `job postpone N until=2026-01-05T10:00:00Z`".into())
        }
        ("retry", options) => {
            let [from, version] = choices(options, ["from", "version"])?;
            match (from.as_deref(), version.as_deref()) {
                (None | Some("step"), None | Some("same")) => Ok(Order::Retry(Retry::Step)),
                (Some("start"), None | Some("same")) => Ok(Order::Retry(Retry::Start)),
                (Some("start"), Some("newest")) => Ok(Order::Retry(Retry::Newest)),
                (None | Some("step"), Some("newest")) => Ok(Order::Retry(Retry::StepOnNewest)),
                _ => Err("it is `job retry N`, with `from=start` and `version=newest` or without".into()),
            }
        }
        _ => Err("the orders are cancel, terminate, pause, resume, postpone and retry".into()),
    }
}

fn migrate(process: SmolStr, options: &[Token]) -> Result<Command, String> {
    let [from, to, map, preview] = choices(options, ["from", "to", "map", "preview"])?;
    let number = |text: Option<SmolStr>| {
        text.map(|text| text.parse().map_err(|_| format!("`{text}` is no number of a version"))).transpose()
    };
    let pair = |pair: &str| {
        let (old, new) = pair.split_once(':').ok_or_else(|| format!("`{pair}` is no pair: it is written old:new"))?;
        Ok((SmolStr::from(old), SmolStr::from(new)))
    };
    let map = map.iter().flat_map(|map| map.split(',')).map(pair).collect::<Result<_, String>>()?;
    let preview = preview.as_deref() == Some("true");
    Ok(Command::Migrate { process, from: number(from)?, to: number(to)?, map, preview })
}

/// `until` and `branches` say how it goes on behind its waits, all else are inputs.
fn attempt(process: SmolStr, record: Name, rest: &[Token]) -> Result<Command, String> {
    let (mut until, mut branches, mut set) = (None, Vec::new(), Vec::new());
    for token in rest {
        let (attribute, value) = token.setting()?;
        match attribute.as_str() {
            "until" => {
                let moment = Timestamp::parse(&value.word()?);
                until = Some(moment.ok_or("`until` is a moment such as 2026-01-05T10:00:00Z")?);
            }
            "branches" => {
                let numbers: Result<_, _> = value.word()?.split(',').map(str::parse).collect();
                branches = numbers.map_err(|_| "`branches` are numbers: `branches=1,2`")?;
            }
            _ => set.push(Setting { attribute, value: value.term()? }),
        }
    }
    Ok(Command::Try { process, record, set, until, branches })
}

fn settings(tokens: &[Token]) -> Result<Vec<Setting>, String> {
    tokens
        .iter()
        .map(|token| {
            let (attribute, value) = token.setting()?;
            Ok(Setting { attribute, value: value.term()? })
        })
        .collect()
}

fn share(record: Name, options: &[Token]) -> Result<Command, String> {
    let (mut with, mut rights) = (None, Vec::new());
    for option in options {
        match option.setting()? {
            (key, value) if key == "with" => with = Some(principal(&value)?),
            (key, value) if key == "rights" => rights = value.word()?.split(',').map(SmolStr::from).collect(),
            (key, _) => return Err(format!("`{key}` is not one of with, rights")),
        }
    }
    let with = with.ok_or("it is said with whom: `with=systemuser/NAME`")?;
    Ok(Command::Share { record, with, rights })
}

fn principal(value: &Token) -> Result<Name, String> {
    match value.term()? {
        Term::Record(name) => Ok(name),
        _ => Err("a record is shared `with=systemuser/NAME` or `with=team/NAME`".into()),
    }
}

fn query(entity: SmolStr, options: &[Token]) -> Result<Command, String> {
    let [filter, order, top, show] = choices(options, ["filter", "order", "top", "show"])?;
    let top = top.map(|top| top.parse().map_err(|_| format!("`{top}` is no number of records"))).transpose()?;
    let attributes = show.iter().flat_map(|show| show.split(',')).map(SmolStr::from).collect();
    Ok(Command::Query { entity, filter, order, top, attributes })
}

/// The values of `key=value` options, in the order of `known`.
fn choices<const N: usize>(tokens: &[Token], known: [&str; N]) -> Result<[Option<SmolStr>; N], String> {
    let mut found = [const { None }; N];
    for token in tokens {
        let (key, value) = token.setting()?;
        let place = known.iter().position(|name| *name == key);
        let place = place.ok_or_else(|| format!("`{key}` is not one of {}", known.join(", ")))?;
        found[place] = Some(value.word()?);
    }
    Ok(found)
}

const SECOND: i64 = 1_000_000;

fn duration(number: &str, unit: &str) -> Result<Span, String> {
    let number: i32 = number.parse().map_err(|_| format!("`{number}` is no whole number"))?;
    let exact = |seconds: i64| Span::from_micros(i64::from(number) * seconds * SECOND);
    Ok(match unit.trim_end_matches('s') {
        "second" => exact(1),
        "minute" => exact(60),
        "hour" => exact(3_600),
        "day" => Span::from_days(number),
        "week" => Span::from_days(number.saturating_mul(7)),
        "month" => Span::from_months(number),
        "year" => Span::from_months(number.saturating_mul(12)),
        _ => return Err(format!("`{unit}` is none of seconds, minutes, hours, days, weeks, months, years")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Line {
        Line::parse(1, text).expect("a good line").expect("a command")
    }

    fn name(entity: &str, name: &str) -> Name {
        Name { entity: entity.into(), name: name.into(), version: None }
    }

    #[test]
    fn values_are_what_they_look_like() {
        let line =
            parsed(r#"create account/a1 name="Ada \"the first\"" creditlimit=-5 parent=account/"B C" mail=null"#);
        let Command::Create { record, set } = line.command else { panic!("a create") };
        assert_eq!(record, name("account", "a1"));
        let values: Vec<_> = set.into_iter().map(|setting| (setting.attribute.to_string(), setting.value)).collect();
        assert_eq!(
            values,
            [
                ("name".into(), Term::Text(r#"Ada "the first""#.into())),
                ("creditlimit".into(), Term::Bare("-5".into())),
                ("parent".into(), Term::Record(name("account", "B C"))),
                ("mail".into(), Term::Empty),
            ]
        );
    }

    #[test]
    fn a_line_may_expect_a_refusal() {
        let line = parsed("delete account/a1@3 ! version-mismatch");
        assert_eq!(line.refusal.as_deref(), Some("version-mismatch"));
        assert_eq!(line.text, "delete account/a1@3");
        assert_eq!(line.command, Command::Delete(Name { version: Some(3), ..name("account", "a1") }));
    }

    #[test]
    fn empty_lines_and_comments_do_nothing() {
        assert_eq!(Line::parse(1, "  "), Ok(None));
        assert_eq!(Line::parse(1, "# delete account/a1"), Ok(None));
    }

    #[test]
    fn a_wrong_line_says_how_it_is_written() {
        for (text, expected) in [
            (
                "create",
                "`create` is written so: create ENTITY/NAME attribute=value ...   make a record and call it NAME",
            ),
            ("create a1", "`a1` is no record: it is written ENTITY/NAME"),
            ("update account/a1 5", "`5` is no setting: it is written attribute=value"),
            ("create account/a1 name=\"Ada", "the text that begins with `\"Ada` is not closed"),
            ("advance soon days", "`soon` is no whole number"),
            ("advance 3 moons", "`moons` is none of seconds, minutes, hours, days, weeks, months, years"),
            ("query account limit=3", "`limit` is not one of filter, order, top, show"),
            ("restart !", "behind `!` stands the code of a refusal"),
            ("delete account/a1@x", "`x` is no version"),
        ] {
            assert_eq!(Line::parse(1, text), Err(expected.to_owned()), "{text}");
        }
    }
}
