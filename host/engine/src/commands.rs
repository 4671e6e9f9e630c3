//! Commands: what every store can do by a name, as the caller and in the unit of work of who calls it.
//!
//! `model::command` says what each is called, takes and gives; steps, guests and the Web API come here through
//! `messages`. A command is done whole or not at all.

mod queues;
mod sharing;

use model::{
    Caller, Command, CommandTarget, Field, RecordRef, Refusal, Value,
    schema::{Attribute, Entity},
};

use crate::{Engine, Error, Failure, load::stored, members, unit::Unit, verb};

impl Engine {
    /// Does a command and waits until it is durable.
    pub fn command(
        &self,
        caller: &Caller,
        command: Command,
        target: RecordRef,
        inputs: Vec<Field>,
    ) -> Result<Vec<Field>, Failure> {
        self.now(|unit| run(unit, caller, command, Some(target), inputs.clone()))
    }
}

/// Does a command in the unit.
pub(crate) fn run(
    unit: &mut Unit,
    caller: &Caller,
    command: Command,
    target: Option<RecordRef>,
    inputs: Vec<Field>,
) -> Result<Vec<Field>, Failure> {
    verb::check_depth(unit, caller)?;
    let missing = || Refusal::Required { entity: command.name().into(), attribute: "target".into() };
    let target = target.ok_or_else(missing)?;
    check_target(unit, command, target)?;
    let inputs = rules::workflow::bind_command(command, inputs, &unit.catalogue.schema)?;
    let savepoint = unit.savepoint();
    let done = perform(unit, caller, command, target, &inputs);
    if done.is_err() {
        unit.rollback(savepoint);
    }
    done
}

fn perform(
    unit: &mut Unit,
    caller: &Caller,
    command: Command,
    target: RecordRef,
    inputs: &[Value],
) -> Result<Vec<Field>, Failure> {
    match (command, inputs) {
        (Command::AddToQueue, [queue, ..]) => {
            let queue = queue.as_reference().ok_or_else(|| stored("the input `queue`", "it is no record"))?;
            let item = queues::add(unit, caller, target, queue)?;
            Ok(vec![Field { name: "item".into(), value: Value::Reference(item) }])
        }
        (Command::RemoveFromQueue, _) => queues::remove(unit, caller, target).map(|()| Vec::new()),
        (Command::PickFromQueue, [worker, remove, ..]) => {
            let worker = worker.as_reference().unwrap_or(caller.user);
            queues::pick(unit, caller, target, worker)?;
            if *remove == Value::Boolean(true) {
                queues::remove(unit, caller, target)?;
            }
            Ok(Vec::new())
        }
        (Command::ReleaseToQueue, _) => queues::release(unit, caller, target).map(|()| Vec::new()),
        (Command::AddMembersTeam, [Value::References(users), ..]) => {
            users.iter().try_for_each(|user| members::add(unit, caller, *user, target).map(drop))?;
            Ok(Vec::new())
        }
        (Command::RemoveMembersTeam, [Value::References(users), ..]) => {
            users.iter().try_for_each(|user| members::remove(unit, caller, *user, target).map(drop))?;
            Ok(Vec::new())
        }
        (Command::RetrievePrincipalAccess, [principal, ..]) => {
            let principal =
                principal.as_reference().ok_or_else(|| stored("the input `principal`", "it is no record"))?;
            sharing::rights_of(unit, caller, target, principal)
        }
        (Command::RetrieveSharedPrincipalsAndAccess, _) => sharing::shared_with(unit, caller, target),
        (command, _) => Err(stored(command.name(), "its inputs are not those that it declares").into()),
    }
}

fn check_target(unit: &Unit, command: Command, target: RecordRef) -> Result<(), Refusal> {
    if command.fits(target.entity) {
        return Ok(());
    }
    let schema = &unit.catalogue.schema;
    let why = match command.target() {
        CommandTarget::Of(wanted) => format!("it is done to a record of `{}`", schema.name_of(wanted)),
        CommandTarget::Any | CommandTarget::Waiting | CommandTarget::Queued => {
            "it is done to the record that waits".to_owned()
        }
    };
    let (verb, entity) = (command.name().into(), schema.name_of(target.entity));
    Err(Refusal::NotPossible { verb, entity, why: why.into() })
}

/// An attribute that the starter organisation has.
fn attribute<'e>(entity: &'e Entity, name: &str) -> Result<&'e Attribute, Error> {
    entity.attribute(name).ok_or_else(|| stored(entity.name().as_str(), format!("it has no `{name}`")))
}
