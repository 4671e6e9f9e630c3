//! An engine with three flows and three users, and one record for each history.

use std::cell::RefCell;

use model::{
    Caller, Levels, ProcessName, RecordRef, Refusal, RolePrivileges, Value, Verb,
    process::flow::InstanceState,
    query::{Comparison, Filter, Operand, Query},
    starter,
};

use super::{
    super::{SOLUTION, World},
    Begin, Event, Level, Step,
    account::{Seen, Told},
};
use crate::{Failure, FlowMove, Going, Next};

pub(super) const USERS: usize = 3;
pub(super) const FLOWS: usize = 3;
/// The second and the third are equal: their names decide.
pub(super) const ORDERS: [i32; FLOWS] = [1, 2, 2];
pub(super) const STAGES: [&str; 3] = ["qualify", "approve", "develop"];
const NAMES: [&str; FLOWS] = ["first", "second", "third"];

const OFFER: &str = "kind: entity
name: offer
ownership: user-or-team
primary: title
flows: true
attributes:
  title: { type: text, required: true }
  amount: { type: money }
  reason: { type: text }
";

/// The engine, and what is there of the history that runs.
pub(super) struct Land {
    pub world: World,
    users: Vec<RecordRef>,
    now: RefCell<Now>,
}

#[derive(Default)]
struct Now {
    record: Option<RecordRef>,
    /// Who holds which role, by the record that says so.
    held: Vec<(usize, usize, RecordRef)>,
}

impl Land {
    pub fn new() -> Self {
        let world = World::new();
        let mut files = vec![(SOLUTION.0.to_owned(), SOLUTION.1.to_owned())];
        files.push(("entities/offer.yaml".to_owned(), OFFER.to_owned()));
        for (name, order) in NAMES.iter().zip(ORDERS) {
            let (uses, views) = (format!("{name}-use"), format!("{name}-view"));
            for role in [&uses, &views] {
                files.push((format!("security/{role}.yaml"), format!("kind: role\nname: {role}\nprivileges: {{}}\n")));
            }
            let stages = "stages:\n  - id: qualify\n    steps: [{ attribute: amount, required: true }]\n    \
                          branches: [{ if: { value: record.amount, greater-than: 100 }, next: approve }]\n    \
                          next: develop\n  - { id: approve, next: develop }\n  \
                          - { id: develop, steps: [{ attribute: reason, required: true }] }\n";
            let head = format!(
                "kind: business-process-flow\nname: {name}\nentity: offer\norder: {order}\n\
                 roles: {{ {uses}: use, {views}: view }}\n"
            );
            files.push((format!("processes/{name}.yaml"), format!("{head}{stages}")));
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        world.deploy(&files);
        let sells = world.create("role", &[("name", "Sells".into())]);
        let entity = "offer".parse().expect("a name");
        let all = [(entity, Levels::all(model::Level::Organization))].into();
        let privileges = RolePrivileges { entities: all, ..RolePrivileges::default() };
        let system = world.engine.system();
        world
            .engine
            .now(|unit| crate::security::roles::grant(unit, &system, sells, &privileges))
            .expect("it is granted");
        let users = (0..USERS).map(|user| {
            let values =
                [("fullname", Value::text(format!("User {user}"))), ("businessunitid", crate::root_unit().into())];
            let made = world.create("systemuser", &values);
            world.create("systemuserroles", &[("systemuserid", made.into()), ("roleid", sells.into())]);
            made
        });
        let users = users.collect();
        Self { world, users, now: RefCell::default() }
    }

    pub fn caller(&self, user: usize) -> Caller {
        self.world.engine.caller(self.users[user])
    }

    /// A new history: users may do this, and all flows are active.
    pub fn reset(&self, levels: &[[Level; FLOWS]; USERS]) {
        for (_, _, held) in std::mem::take(&mut self.now.borrow_mut().held) {
            self.world.try_delete(held).expect("a role is taken away");
        }
        for (user, of_user) in levels.iter().enumerate() {
            for (flow, level) in of_user.iter().enumerate() {
                self.grant(user, flow, *level);
            }
        }
        (0..FLOWS).for_each(|flow| self.activate(flow, true));
    }

    pub fn create(&self, user: usize, begin: Begin) -> Told {
        let mut values = vec![("title", "A".into())];
        match begin {
            Begin::Default => {}
            Begin::Nothing => values.push(("processid", Value::Guid(uuid::Uuid::nil()))),
            Begin::This(flow) => {
                let catalogue = self.world.engine.catalogue();
                let id = catalogue.flow(NAMES[flow]).expect("a flow").flow.header.id;
                values.push(("processid", Value::Guid(id)));
            }
        }
        let verb = |values| Verb::Create { entity: self.world.entity("offer"), id: None, values };
        let made = self.world.engine.apply(&self.caller(user), verb(self.world.values("offer", &values)));
        match told(made) {
            Ok(outcome) => {
                self.now.borrow_mut().record = Some(outcome.record);
                Ok(())
            }
            // Refused as a whole: the history goes on with a record without a flow.
            Err(code) => {
                let nothing =
                    self.world.values("offer", &[("title", "A".into()), ("processid", Value::Guid(uuid::Uuid::nil()))]);
                let made = self.world.engine.apply(&self.caller(user), verb(nothing)).expect("a record");
                self.now.borrow_mut().record = Some(made.record);
                Err(code)
            }
        }
    }

    pub fn record(&self) -> RecordRef {
        self.now.borrow().record.expect("a record")
    }

    pub fn happen(&self, event: Event) -> Told {
        let (engine, record) = (&self.world.engine, self.record());
        match event {
            Event::View(user) => told(engine.shown_flow(&self.caller(user), record)).map(drop),
            Event::Switch(user, flow) => told(engine.switch_flow(&self.caller(user), record, &name(flow))).map(drop),
            Event::Start(user, flow) => {
                told(engine.start_flow(&self.caller(user), record, &name(flow), None)).map(drop)
            }
            Event::Go(user, flow, step) => match self.instance(flow) {
                None => Ok(()),
                Some(instance) => {
                    let going = Going { wanted: wanted(step), next: Next::Known };
                    told(engine.move_flow(&self.caller(user), instance, None, &going)).map(drop)
                }
            },
            Event::Grant(user, flow, level) => {
                self.grant(user, flow, level);
                Ok(())
            }
            Event::Amount(amount) => {
                let amount = [Value::Null, Value::Whole(5), Value::Whole(500)][usize::from(amount)].clone();
                self.world.try_update(record, &[("amount", amount)]).expect("an update");
                Ok(())
            }
            Event::Reason(reason) => {
                let reason = if reason { "because".into() } else { Value::Null };
                self.world.try_update(record, &[("reason", reason)]).expect("an update");
                Ok(())
            }
            Event::Delete(flow) => {
                self.instance(flow).into_iter().for_each(|instance| {
                    self.world.try_delete(instance).expect("gone");
                });
                Ok(())
            }
            Event::Activate(flow, active) => {
                self.activate(flow, active);
                Ok(())
            }
        }
    }

    /// What a view would show the user: the way that looks at everything and the quick one say the same.
    pub fn look(&self, user: usize) -> Seen {
        let sight = self.world.engine.flow_on(&self.caller(user), self.record()).expect("he may read the record");
        let shown = sight.shown?;
        let flow = NAMES.iter().position(|name| *name == shown.process)?;
        let path = shown.path.iter().take(shown.active + 1).map(|stage| usize::from(stage.place.0)).collect();
        let status = InstanceState::status(shown.state);
        assert!(sight.started.iter().any(|one| one.instance == Some(shown.instance)), "what is shown is started");
        Some((flow, path, status, sight.pinned))
    }

    fn instance(&self, flow: usize) -> Option<RecordRef> {
        let catalogue = self.world.engine.catalogue();
        let process = catalogue.flow(NAMES[flow]).expect("a flow");
        let schema = self.world.engine.schema();
        let lookup = schema.entity(process.instance)?.attribute("bpf_offerid")?.id;
        let of = Value::Reference(self.record());
        let filter = Filter::Compare { operand: Operand::Attribute(lookup), comparison: Comparison::Equal, value: of };
        let query = Query { filter, ..Query::all(process.instance) };
        let page = self.world.engine.query(&self.world.caller(), &query).expect("a page");
        page.records.first().map(model::Record::reference)
    }

    fn grant(&self, user: usize, flow: usize, level: Level) {
        let mut now = self.now.borrow_mut();
        now.held.retain(|(holder, of, held)| {
            let keeps = (*holder, *of) != (user, flow);
            if !keeps {
                self.world.try_delete(*held).expect("a role is taken away");
            }
            keeps
        });
        let role = match level {
            Level::Nothing => return,
            Level::View => self.role(&format!("{}-view", NAMES[flow])),
            Level::Use => self.role(&format!("{}-use", NAMES[flow])),
        };
        let values = [("systemuserid", self.users[user].into()), ("roleid", role.into())];
        let held = self.world.create("systemuserroles", &values);
        now.held.push((user, flow, held));
    }

    fn role(&self, name: &str) -> RecordRef {
        let schema = self.world.engine.schema();
        let attribute = schema.entity(starter::ROLE).and_then(|role| role.attribute("name")).expect("it has").id;
        let value = Value::text(name);
        let filter = Filter::Compare { operand: Operand::Attribute(attribute), comparison: Comparison::Equal, value };
        let query = Query { filter, ..Query::all(starter::ROLE) };
        let page = self.world.engine.query(&self.world.caller(), &query).expect("a page");
        page.records.first().map(model::Record::reference).unwrap_or_else(|| panic!("there is a role `{name}`"))
    }

    fn activate(&self, flow: usize, active: bool) {
        let is = self.world.engine.catalogue().flow(NAMES[flow]).expect("a flow").active;
        if is != active {
            self.world.engine.switch_process(&self.world.caller(), &name(flow), active).expect("it is switched");
        }
    }
}

fn name(flow: usize) -> ProcessName {
    NAMES[flow].parse().expect("a name")
}

fn wanted(step: Step) -> FlowMove {
    match step {
        Step::Next => FlowMove::Next,
        Step::Back => FlowMove::Back,
        Step::Set(stage) => FlowMove::SetStage(model::process::flow::StagePlace(u8::try_from(stage).expect("few"))),
        Step::Finish => FlowMove::Finish,
        Step::Abandon => FlowMove::Abandon,
        Step::Reactivate => FlowMove::Reactivate,
    }
}

/// Done, or the code of the refusal; a fault ends the test.
fn told<T>(done: Result<T, Failure>) -> Result<T, &'static str> {
    done.map_err(|failure| match failure {
        Failure::Refused(Refusal::NotFound { .. }) => panic!("everything is there"),
        Failure::Refused(refusal) => refusal.code(),
        Failure::Fault(error) => panic!("a fault: {error:?}"),
    })
}
