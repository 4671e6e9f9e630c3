//! Asking: one approval, or a round of them.

use stepwise_sdk::prelude::*;

use crate::APPROVAL;

/// A record for examples.
pub fn example(entity: &str, number: u128) -> Reference {
    Reference::new(entity, Guid::from_u128(number))
}

/// What is asked, and whom.
#[derive(Inputs)]
pub struct Question {
    /// The question, as who is asked reads it
    #[argument(max_length = 200)]
    subject: String,
    /// What it is about, at length
    #[argument(max_length = 2000)]
    description: Option<String>,
    /// The record that it is about
    regarding: Option<Reference>,
    /// The user who is asked, or a team of which anybody may answer
    #[argument(to("systemuser", "team"))]
    approver: Reference,
    /// Until when
    due: Option<DateTime>,
}

/// What was made.
#[derive(Outputs)]
pub struct Asked {
    /// The approval: the process waits until its state is `closed`
    #[argument(to = "approval")]
    approval: Reference,
}

/// Asks somebody.
pub struct Ask;

impl Step for Ask {
    const NAME: &str = "approval.ask";
    const TITLE: &str = "Ask for an approval";
    const DESCRIPTION: &str =
        "Makes an approval that belongs to a user or a team. A process then waits until its state is `closed`.";
    const USES: &[(&str, &[Verb])] = &[(APPROVAL, &[Verb::Create, Verb::Assign])];
    const DETERMINISTIC: bool = true;
    type Inputs = Question;
    type Outputs = Asked;

    fn run(context: &Context, asked: Question) -> Result<Asked, Failure> {
        let approval =
            context.create(APPROVAL, attributes(&asked.subject, &asked.description, &asked.regarding, asked.due))?;
        context.assign(&approval, &asked.approver)?;
        Ok(Asked { approval })
    }

    fn examples() -> Vec<Example> {
        let asked = Question {
            subject: "May Contoso have 30 days?".into(),
            description: None,
            regarding: Some(example("account", 0x51)),
            approver: example("systemuser", 0x71),
            due: None,
        };
        vec![Example::of::<Self>("one question", asked)]
    }
}

fn attributes(
    subject: &str,
    description: &Option<String>,
    regarding: &Option<Reference>,
    due: Option<DateTime>,
) -> Vec<Field> {
    let subject: String = subject.chars().take(200).collect();
    let description: Option<String> = description.as_ref().map(|text| text.chars().take(2_000).collect());
    let mut fields = attributes! {
        "subject" => subject,
        "description" => description,
        "regardingobjectid" => regarding.clone(),
        "scheduledend" => due,
    };
    fields.retain(|field| !field.value.is_null());
    fields
}

/// When a round is decided.
#[derive(Choice, Clone, Copy)]
pub enum Rule {
    /// All have to approve; one who rejects decides
    All = 1,
    /// One who approves decides; all have to reject
    One = 2,
    /// More than half
    Majority = 3,
    /// As many as `needed` says
    Number = 4,
}

impl Rule {
    /// How it is kept in the approval.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::One => "one",
            Self::Majority => "majority",
            Self::Number => "number",
        }
    }
}

/// What is asked, and all who are.
#[derive(Inputs)]
pub struct Round {
    /// The question, as each of them reads it
    #[argument(max_length = 200)]
    subject: String,
    /// What it is about, at length
    #[argument(max_length = 2000)]
    description: Option<String>,
    /// The record that it is about
    regarding: Option<Reference>,
    /// The users who are asked, up to 50
    #[argument(to = "systemuser")]
    approvers: Option<Vec<Reference>>,
    /// The team whose members are asked besides
    #[argument(to = "team")]
    team: Option<Reference>,
    /// When it is decided
    #[argument(default = Rule::All)]
    rule: Rule,
    /// How many have to approve, by the rule `number`
    #[argument(default = 1, min = 1, max = 50)]
    needed: i64,
    /// Until when
    due: Option<DateTime>,
}

/// What was made.
#[derive(Outputs)]
pub struct Rounds {
    /// The round: the process waits until its state is `closed`
    #[argument(to = "approval")]
    approval: Reference,
    /// One approval for each who is asked
    #[argument(to = "approval")]
    approvals: Vec<Reference>,
    /// How many are asked
    count: i64,
}

/// Asks several people.
pub struct AskEach;

/// The most people of a round.
const MOST: usize = 50;

impl Step for AskEach {
    const NAME: &str = "approval.ask-each";
    const TITLE: &str = "Ask several people for an approval";
    const DESCRIPTION: &str = "Makes a round: an approval for each user and each member of a team, and one for the whole that `approval.settle` closes by a rule.";
    const USES: &[(&str, &[Verb])] = &[(APPROVAL, &[Verb::Create, Verb::Assign]), ("teammembership", &[Verb::Query])];
    const ERRORS: &[(&str, &str)] =
        &[("nobody", "Nobody is asked"), ("too-many", "More than 50 people would be asked")];
    const DETERMINISTIC: bool = true;
    type Inputs = Round;
    type Outputs = Rounds;

    fn run(context: &Context, asked: Round) -> Result<Rounds, Failure> {
        let mut people = asked.approvers.unwrap_or_default();
        if let Some(team) = &asked.team {
            let members = Query::of("teammembership").only(["systemuserid"]).filter(format!("teamid eq {}", team.id));
            people.extend(context.query(&members)?.into_records().filter_map(
                |member| match member.get("systemuserid") {
                    Value::Lookup(user) => Some(user.clone()),
                    _ => None,
                },
            ));
        }
        let people = people.into_iter().fold(Vec::new(), |mut once, user| {
            if !once.contains(&user) {
                once.push(user);
            }
            once
        });
        if people.is_empty() {
            return Err(Failure::invalid_input("nobody", "nobody is asked: `approvers` and `team` name no user"));
        }
        if people.len() > MOST {
            return Err(Failure::invalid_input("too-many", format!("more than {MOST} people would be asked")));
        }
        let about = || attributes(&asked.subject, &asked.description, &asked.regarding, asked.due);
        let mut whole = about();
        let needed = if matches!(asked.rule, Rule::Number) { asked.needed } else { 0 };
        whole.extend(attributes! { "rule" => asked.rule.word(), "needed" => needed });
        let approval = context.create(APPROVAL, whole)?;
        let mut approvals = Vec::with_capacity(people.len());
        for user in &people {
            let mut one = about();
            one.extend(attributes! { "roundid" => &approval });
            let made = context.create(APPROVAL, one)?;
            context.assign(&made, user)?;
            approvals.push(made);
        }
        Ok(Rounds { approval, count: approvals.len() as i64, approvals })
    }

    fn examples() -> Vec<Example> {
        let (ada, ben, team) = (example("systemuser", 0x71), example("systemuser", 0x72), example("team", 0x61));
        let round = Round {
            subject: "May Contoso have 30 days?".into(),
            description: Some("They asked twice.".into()),
            regarding: Some(example("account", 0x51)),
            approvers: Some(vec![ada.clone()]),
            team: Some(team.clone()),
            rule: Rule::Majority,
            needed: 1,
            due: None,
        };
        let crowd: Vec<Reference> = (0..51).map(|number| example("systemuser", 0x1_000 + number)).collect();
        vec![
            Example::of::<Self>("a user and the members of a team", round)
                .with(example("teammembership", 0x62), attributes! { "teamid" => &team, "systemuserid" => &ben }),
            Example::failing("nobody", attributes! { "subject" => "Who?" }, "nobody"),
            Example::failing("a crowd", attributes! { "subject" => "Who?", "approvers" => crowd }, "too-many"),
        ]
    }
}
