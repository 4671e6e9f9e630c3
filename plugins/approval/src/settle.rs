//! Answering, and what the answers come to.

use stepwise_sdk::prelude::*;

use crate::{APPROVAL, ask::example};

/// What somebody says.
#[derive(Choice, Clone, Copy)]
pub enum Says {
    /// Yes
    Approve = 1,
    /// No
    Reject = 2,
    /// The question is taken back
    Withdraw = 3,
}

/// An answer.
#[derive(Inputs)]
pub struct Given {
    /// The approval
    #[argument(to = "approval")]
    approval: Reference,
    /// The answer
    answer: Says,
    /// What is said besides
    #[argument(max_length = 2000)]
    comment: Option<String>,
}

/// What became of it.
#[derive(Outputs)]
pub struct Answered {
    /// The round that it belongs to, for `approval.settle`; empty where it stands by itself
    #[argument(to = "approval")]
    round: Option<Reference>,
}

/// Answers an approval.
pub struct Answer;

impl Step for Answer {
    const NAME: &str = "approval.answer";
    const TITLE: &str = "Answer an approval";
    const DESCRIPTION: &str = "Notes an answer with its comment and who gave it, and closes the approval. Who opens the record may do the same by hand.";
    const USES: &[(&str, &[Verb])] = &[(APPROVAL, &[Verb::Retrieve, Verb::Update, Verb::SetStatus])];
    const ERRORS: &[(&str, &str)] = &[("already-answered", "The approval is closed")];
    const DETERMINISTIC: bool = true;
    type Inputs = Given;
    type Outputs = Answered;

    fn run(context: &Context, given: Given) -> Result<Answered, Failure> {
        let approval = context.retrieve(&given.approval, &["statecode", "roundid"])?;
        if !is_open(&approval) {
            return Err(Failure::rule_violated("already-answered", "the approval is answered already"));
        }
        let comment: Option<String> = given.comment.map(|text| text.chars().take(2_000).collect());
        let changes = attributes! { "comment" => comment, "answeredby" => context.initiating_user() };
        context.update_expecting(&given.approval, approval.version, changes)?;
        let status = match given.answer {
            Says::Approve => "approved",
            Says::Reject => "rejected",
            Says::Withdraw => "withdrawn",
        };
        context.set_status(&given.approval, status)?;
        Ok(Answered { round: lookup(&approval, "roundid") })
    }

    fn examples() -> Vec<Example> {
        let approval = example(APPROVAL, 0x51);
        let given = Given { approval: approval.clone(), answer: Says::Approve, comment: Some("for once".into()) };
        let again = attributes! { "approval" => &approval, "answer" => Says::Reject };
        vec![
            Example::of::<Self>("yes", given)
                .with(approval.clone(), attributes! { "statecode" => 0 })
                .gives(Answered { round: None }),
            Example::failing("a second time", again, "already-answered")
                .with(approval, attributes! { "statecode" => 1 }),
        ]
    }
}

fn is_open(approval: &Record) -> bool {
    number(approval, "statecode").is_none_or(|state| state == 0)
}

/// A state or a status: records have them as numbers.
fn number(record: &Record, attribute: &str) -> Option<i64> {
    match record.get(attribute) {
        Value::Whole(number) => Some(*number),
        Value::Choice(number) => Some((*number).into()),
        _ => None,
    }
}

fn lookup(record: &Record, attribute: &str) -> Option<Reference> {
    match record.get(attribute) {
        Value::Lookup(target) => Some(target.clone()),
        _ => None,
    }
}

/// A round.
#[derive(Inputs)]
pub struct OfRound {
    /// The approval that stands for the round
    #[argument(to = "approval")]
    approval: Reference,
}

/// How it stands.
#[derive(Outputs)]
pub struct Standing {
    /// Whether it is decided
    decided: bool,
    /// `approved`, `rejected`, `withdrawn` or `open`
    outcome: String,
    /// How many approved
    approved: i64,
    /// How many rejected
    rejected: i64,
    /// How many have not answered
    open: i64,
    /// What was said, a line for each who said something
    comments: Option<String>,
}

/// Closes a round that is decided.
pub struct Settle;

impl Step for Settle {
    const NAME: &str = "approval.settle";
    const TITLE: &str = "Settle a round of approvals";
    const DESCRIPTION: &str = "Counts the answers of a round; where its rule decides by now, the round is closed and those who were not heard are not asked any more.";
    const USES: &[(&str, &[Verb])] = &[(APPROVAL, &[Verb::Retrieve, Verb::Query, Verb::SetStatus])];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = OfRound;
    type Outputs = Standing;

    fn run(context: &Context, asked: OfRound) -> Result<Standing, Failure> {
        let (round, answers) = read(context, &asked.approval)?;
        let standing = counted(&round, &answers);
        if standing.decided && is_open(&round) {
            context.set_status(&asked.approval, &standing.outcome)?;
            for open in answers.iter().filter(|answer| is_open(answer)) {
                context.set_status(&open.target, "withdrawn")?;
            }
        }
        Ok(standing)
    }

    fn examples() -> Vec<Example> {
        let round = example(APPROVAL, 0x51);
        let asked = || OfRound { approval: round.clone() };
        let one = |status: i32| {
            let state = i32::from(status != 1);
            attributes! {
                "roundid" => &round,
                "statecode" => state,
                "statuscode" => status,
                "comment" => Value::Null,
            }
        };
        let whole = || attributes! { "statecode" => 0, "rule" => "majority" };
        let standing = |decided, outcome: &str, approved, rejected, open| Standing {
            decided,
            outcome: outcome.into(),
            approved,
            rejected,
            open,
            comments: None,
        };
        vec![
            Example::of::<Self>("two of three approve", asked())
                .with(round.clone(), whole())
                .with(example(APPROVAL, 0x61), one(2))
                .with(example(APPROVAL, 0x62), one(2))
                .with(example(APPROVAL, 0x63), one(1))
                .gives(standing(true, "approved", 2, 0, 1)),
            Example::of::<Self>("one of three", asked())
                .with(round.clone(), whole())
                .with(example(APPROVAL, 0x61), one(3))
                .with(example(APPROVAL, 0x62), one(1))
                .with(example(APPROVAL, 0x63), one(1))
                .gives(standing(false, "open", 0, 1, 2)),
        ]
    }
}

/// Tells how an approval or a round stands.
pub struct Outcome;

impl Step for Outcome {
    const NAME: &str = "approval.outcome";
    const TITLE: &str = "Outcome of an approval";
    const DESCRIPTION: &str =
        "How an approval or a round stands, what was said, and whether it is decided; it changes nothing.";
    const USES: &[(&str, &[Verb])] = &[(APPROVAL, &[Verb::Retrieve, Verb::Query])];
    const DETERMINISTIC: bool = true;
    type Inputs = OfRound;
    type Outputs = Standing;

    fn run(context: &Context, asked: OfRound) -> Result<Standing, Failure> {
        let (round, answers) = read(context, &asked.approval)?;
        if answers.is_empty() {
            // It stands by itself: what it says is what it is.
            return Ok(tally(&round, std::slice::from_ref(&round)));
        }
        Ok(counted(&round, &answers))
    }

    fn examples() -> Vec<Example> {
        let approval = example(APPROVAL, 0x51);
        let closed = attributes! {
            "statecode" => 1,
            "statuscode" => 3,
            "comment" => "not twice",
        };
        let standing = Standing {
            decided: true,
            outcome: "rejected".into(),
            approved: 0,
            rejected: 1,
            open: 0,
            comments: Some("not twice".into()),
        };
        vec![Example::of::<Self>("no", OfRound { approval: approval.clone() }).with(approval, closed).gives(standing)]
    }
}

/// A round with its answers.
fn read(context: &Context, approval: &Reference) -> Result<(Record, Vec<Record>), Failure> {
    let round = context.retrieve(approval, &["statecode", "statuscode", "rule", "needed", "comment"])?;
    let answers =
        Query::of(APPROVAL).only(["statecode", "statuscode", "comment"]).filter(format!("roundid eq {}", approval.id));
    Ok((round, context.query(&answers)?.into_records().collect()))
}

const APPROVED: i64 = 2;
const REJECTED: i64 = 3;
const WITHDRAWN: i64 = 4;

/// The answers of a round by its rule; a round that is closed stays as it is.
fn counted(round: &Record, answers: &[Record]) -> Standing {
    let mut standing = tally(round, answers);
    if !is_open(round) || answers.is_empty() {
        return standing;
    }
    let people = answers.len() as i64;
    let needed = match round.get("rule") {
        Value::Text(rule) if rule == "one" => 1,
        Value::Text(rule) if rule == "majority" => people / 2 + 1,
        Value::Text(rule) if rule == "number" => match round.get("needed") {
            Value::Whole(needed) => (*needed).clamp(1, people),
            _ => 1,
        },
        _ => people,
    };
    let outcome = if standing.approved >= needed {
        "approved"
    } else if standing.approved + standing.open < needed {
        "rejected"
    } else {
        "open"
    };
    standing.outcome = outcome.into();
    standing.decided = outcome != "open";
    standing
}

/// What was said, and how often; as the round itself stands.
fn tally(round: &Record, answers: &[Record]) -> Standing {
    let with = |status| answers.iter().filter(|answer| number(answer, "statuscode") == Some(status)).count() as i64;
    let comments = answers.iter().filter_map(|answer| match answer.get("comment") {
        Value::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
        _ => None,
    });
    let comments = comments.collect::<Vec<_>>().join("\n");
    let outcome = match (is_open(round), number(round, "statuscode")) {
        (true, _) => "open",
        (false, Some(APPROVED)) => "approved",
        (false, Some(WITHDRAWN)) => "withdrawn",
        (false, _) => "rejected",
    };
    Standing {
        decided: outcome != "open",
        outcome: outcome.into(),
        approved: with(APPROVED),
        rejected: with(REJECTED),
        open: answers.iter().filter(|answer| is_open(answer)).count() as i64,
        comments: Some(comments).filter(|text| !text.is_empty()),
    }
}
