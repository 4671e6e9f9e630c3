//! Moves and views, one test for each rule; the histories of views against a plain account of them stand in
//! `rules/tests/flow.rs`.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
};

use model::{
    AttributeId, EntityId, EntityName, ProcessName, StageId,
    condition::Condition,
    process::{
        DefinitionState, Header,
        flow::{
            Display, Flow, FlowWorkflows, InstanceState, OnFinish, Onward, Stage, StagePlace, StageStep, StageStepKind,
        },
    },
};
use uuid::Uuid;

use super::*;

const INTAKE: StagePlace = StagePlace(0);
const INVESTIGATE: StagePlace = StagePlace(1);
const RESPOND: StagePlace = StagePlace(2);
const CLOSE: StagePlace = StagePlace(3);
const ANSWER: AttributeId = AttributeId(70);

fn stage(id: &str, branches: Vec<(Condition, Onward)>, next: Onward) -> Stage {
    Stage {
        id: StageId::parse(id).expect("an id"),
        title: id.to_owned(),
        category: None,
        entity: EntityId(64),
        via: None,
        steps: Vec::new(),
        on_entry: Vec::new(),
        on_exit: Vec::new(),
        branches,
        next,
    }
}

/// Intake leads to Investigate on a condition, else to Respond, where both meet; then Close.
fn flow() -> Flow {
    let holds = Condition::All(Vec::new());
    let mut stages = vec![
        stage("intake", vec![(holds, Onward::Stage(INVESTIGATE))], Onward::Stage(RESPOND)),
        stage("investigate", Vec::new(), Onward::Stage(RESPOND)),
        stage("respond", Vec::new(), Onward::Stage(CLOSE)),
        stage("close", Vec::new(), Onward::End),
    ];
    stages[2].steps =
        vec![StageStep { title: "Answer".into(), kind: StageStepKind::Attribute(ANSWER), required: true }];
    Flow {
        header: Header {
            name: ProcessName::parse("complaint-handling").expect("a name"),
            id: Uuid::nil(),
            title: "Complaint handling".into(),
            description: String::new(),
            state: DefinitionState::Active,
        },
        entity: EntityId(64),
        instance: EntityName::parse("cmp_complainthandling").expect("a name"),
        owner: None,
        order: 100,
        roles: Vec::new(),
        display: Display::PerUser,
        on_finish: OnFinish::Nothing,
        stages,
        workflows: FlowWorkflows::default(),
    }
}

/// Records around an instance.
#[derive(Default)]
struct Around {
    severe: bool,
    empty: HashMap<StagePlace, Vec<AttributeId>>,
    missing: HashSet<StagePlace>,
}

impl Surroundings for Around {
    type Error = Infallible;

    fn holds(&mut self, _: StagePlace, _: usize) -> Result<bool, Infallible> {
        Ok(self.severe)
    }

    fn empty(&mut self, stage: StagePlace) -> Result<Vec<AttributeId>, Infallible> {
        Ok(self.empty.get(&stage).cloned().unwrap_or_default())
    }

    fn has_record(&mut self, stage: StagePlace) -> Result<bool, Infallible> {
        Ok(!self.missing.contains(&stage))
    }
}

fn at(path: &[StagePlace]) -> Standing {
    let (active, before) = path.split_last().expect("a path");
    Standing::at(InstanceState::Active, before.iter().copied(), *active)
}

fn go(standing: &Standing, wanted: Move, around: &mut Around) -> Verdict {
    let Ok(verdict) = decide(&flow(), true, standing, wanted, around);
    verdict
}

fn moved(verdict: Verdict) -> Moved {
    match verdict {
        Verdict::Moved(moved) => moved,
        other => panic!("expected a move, not {other:?}"),
    }
}

#[test]
fn next_follows_the_branches_as_they_stand_now() {
    let mut around = Around::default();
    assert_eq!(moved(go(&Standing::new(), Move::Next, &mut around)).entered, Some(RESPOND));
    around.severe = true;
    assert_eq!(moved(go(&Standing::new(), Move::Next, &mut around)).entered, Some(INVESTIGATE));
    assert_eq!(ahead(&flow(), INTAKE, &mut around), Ok(vec![INVESTIGATE, RESPOND, CLOSE]));
}

#[test]
fn the_gate_keeps_next_finish_and_set_stage_forward_but_nothing_else() {
    let mut around = Around { empty: HashMap::from([(RESPOND, vec![ANSWER])]), ..Around::default() };
    let standing = at(&[INTAKE, RESPOND]);
    let gate = Verdict::No(No::StageGate(vec![ANSWER]));
    assert_eq!(go(&standing, Move::Next, &mut around), gate);
    assert_eq!(go(&standing, Move::SetStage(CLOSE), &mut around), gate);
    assert_eq!(moved(go(&standing, Move::Back, &mut around)).standing, at(&[INTAKE]));
    assert_eq!(moved(go(&standing, Move::Abandon, &mut around)).standing.state, InstanceState::Aborted);
    around.empty = HashMap::from([(CLOSE, vec![ANSWER])]);
    assert_eq!(go(&at(&[INTAKE, RESPOND, CLOSE]), Move::Finish, &mut around), gate);
}

#[test]
fn t14_of_a_deactivated_flow_only_abandon_is_left() {
    let mut around = Around::default();
    for wanted in [Move::Next, Move::Back, Move::SetStage(INTAKE), Move::Finish, Move::Reactivate] {
        let Ok(verdict) = decide(&flow(), false, &at(&[INTAKE, RESPOND]), wanted, &mut around);
        assert_eq!(verdict, Verdict::No(No::ProcessInactive), "{wanted:?}");
    }
    let Ok(verdict) = decide(&flow(), false, &at(&[INTAKE]), Move::Abandon, &mut around);
    assert_eq!(moved(verdict).standing.state, InstanceState::Aborted);
}

#[test]
fn t16_an_ended_instance_is_only_reactivated_where_it_stood() {
    let mut around = Around::default();
    let ended = Standing { state: InstanceState::Finished, ..at(&[INTAKE, RESPOND, CLOSE]) };
    for wanted in [Move::Next, Move::Back, Move::SetStage(INTAKE), Move::Finish, Move::Abandon] {
        let no = Verdict::No(No::InstanceNotActive(InstanceState::Finished));
        assert_eq!(go(&ended, wanted, &mut around), no, "{wanted:?}");
    }
    assert_eq!(moved(go(&ended, Move::Reactivate, &mut around)).standing, at(&[INTAKE, RESPOND, CLOSE]));
    assert_eq!(go(&at(&[INTAKE]), Move::Reactivate, &mut around), Verdict::Unchanged);
}

#[test]
fn t19_a_stage_is_set_to_one_gone_through_or_to_the_next_one() {
    let mut around = Around::default();
    let standing = at(&[INTAKE, RESPOND]);
    assert_eq!(moved(go(&standing, Move::SetStage(INTAKE), &mut around)).standing, at(&[INTAKE]));
    assert_eq!(moved(go(&standing, Move::SetStage(CLOSE), &mut around)).standing, at(&[INTAKE, RESPOND, CLOSE]));
    assert_eq!(go(&standing, Move::SetStage(INVESTIGATE), &mut around), Verdict::No(No::NotAdjacent));
    assert_eq!(go(&standing, Move::SetStage(RESPOND), &mut around), Verdict::Unchanged);
    assert_eq!(go(&standing, Move::Finish, &mut around), Verdict::No(No::NotAdjacent));
    assert_eq!(go(&at(&[INTAKE]), Move::Back, &mut around), Verdict::No(No::Beginning));
    assert_eq!(go(&at(&[INTAKE, RESPOND, CLOSE]), Move::Next, &mut around), Verdict::No(No::End));
}

#[test]
fn t20_after_back_the_path_ends_at_the_active_stage_and_follows_the_branches_again() {
    let mut around = Around { severe: true, ..Around::default() };
    let back = moved(go(&at(&[INTAKE, INVESTIGATE, RESPOND]), Move::SetStage(INTAKE), &mut around)).standing;
    assert_eq!(back, at(&[INTAKE]));
    around.severe = false;
    assert_eq!(go(&back, Move::SetStage(INVESTIGATE), &mut around), Verdict::No(No::NotAdjacent));
    assert_eq!(moved(go(&back, Move::Next, &mut around)).standing, at(&[INTAKE, RESPOND]));
}

#[test]
fn a_stage_whose_record_is_missing_asks_for_it_after_the_gate() {
    let mut around =
        Around { severe: true, missing: HashSet::from([INVESTIGATE]), empty: HashMap::from([(INTAKE, vec![ANSWER])]) };
    assert_eq!(go(&at(&[INTAKE]), Move::Next, &mut around), Verdict::No(No::StageGate(vec![ANSWER])));
    around.empty.clear();
    assert_eq!(go(&at(&[INTAKE]), Move::Next, &mut around), Verdict::No(No::CrossEntity(INVESTIGATE)));
}

#[test]
fn t1_the_lowest_order_that_may_be_started_equal_ones_by_name() {
    let [a, b, c] = ["alpha", "beta", "gamma"].map(|name| ProcessName::parse(name).expect("a name"));
    let flow = |name, order, may_start| Startable { name, order, may_start };
    assert_eq!(pick([flow(&c, 1, true), flow(&b, 1, true), flow(&a, 2, true)]), Some(&b));
    assert_eq!(pick([flow(&b, 1, false), flow(&a, 2, true)]), Some(&a));
    assert_eq!(pick([flow(&a, 2, false)]), None);
}

#[test]
fn a_path_kept_by_name_survives_stages_that_are_gone() {
    let id = |text: &str| StageId::parse(text).expect("an id");
    let kept = [id("intake"), id("triage"), id("respond")];
    assert_eq!(restore(&flow(), InstanceState::Active, &kept, Some(&id("respond"))), at(&[INTAKE, RESPOND]));
    assert_eq!(restore(&flow(), InstanceState::Active, &kept[..2], Some(&id("triage"))), at(&[INTAKE]));
    assert_eq!(restore(&flow(), InstanceState::Active, &[], None), at(&[INTAKE]));
}
