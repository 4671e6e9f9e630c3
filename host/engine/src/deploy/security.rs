//! The security files of a solution as records (formats 10): roles, business units, teams, users, queues, made or brought
//! up to date by name.
//!
//! A file that did not change since it was applied writes nothing. What a file does not say stays as it is, so that what an
//! administrator has changed is not taken back; what it said before and says no more is taken back.

use formats::{SecurityFile, Sourced};
use model::{
    Caller, Origin, RecordId, RecordRef, Refusal, Value, Values, Verb, expression::NamedRecord, refusal::Problem,
    schema::Entity,
};
use smol_str::SmolStr;
use store::definitions::{self, Kind};

use super::{Action, Plan, Read};
use crate::{
    Failure,
    access::Who,
    catalogue::{Catalogue, Directory},
    load, members, query,
    resolve::Reading,
    security::roles,
    unit::Unit,
};

/// The kinds of definitions of security files, in the order of `formats::security::KINDS`.
pub(super) const KINDS: [Kind; 5] = [Kind::Role, Kind::BusinessUnit, Kind::Team, Kind::User, Kind::Queue];

/// The kind of definition of a security file.
pub(super) fn kind_of(file: &SecurityFile) -> Kind {
    match file {
        SecurityFile::Role(_) => Kind::Role,
        SecurityFile::Unit(_) => Kind::BusinessUnit,
        SecurityFile::Team(_) => Kind::Team,
        SecurityFile::User(_) => Kind::User,
        SecurityFile::Queue(_) => Kind::Queue,
    }
}

/// The entity of the records of such a definition.
pub(super) fn entity_of(kind: Kind) -> Option<&'static str> {
    let place = KINDS.iter().position(|known| *known == kind)?;
    Some(formats::security::KINDS[place].1)
}

/// Reports users, teams, roles and the like that files name and neither they nor the store have.
pub(super) fn check_names(
    catalogue: &Catalogue,
    reader: &dyn store::Reader,
    solution: &formats::Solution,
) -> Result<Vec<Problem>, Failure> {
    let mut problems = Vec::new();
    for mention in &solution.mentions {
        let NamedRecord::Named { entity, name } = &mention.record else { continue };
        let own = || solution.security.iter().map(|file| &file.value).filter(|file| file.entity() == entity.as_str());
        let Some((word, _)) = formats::security::KINDS.iter().find(|(_, known)| *known == entity.as_str()) else {
            continue;
        };
        if own().any(|file| file.name() == name) {
            continue;
        }
        let Some(known) = catalogue.schema.named(entity.as_str()) else { continue };
        if query::by_name(catalogue, reader, known, name)?.is_some() {
            continue;
        }
        let names = own().map(|file| file.name().as_str());
        problems.push(Problem {
            file: mention.file.clone(),
            line: mention.line,
            column: mention.column,
            length: mention.length,
            message: format!("there is no {} `{name}`", word.replace('-', " ")),
            hint: formats::hint(name, names),
            warning: false,
        });
    }
    Ok(problems)
}

/// Stages what the plan says of them: first all records, because they name each other in any order, then what is in them.
pub(super) fn write(unit: &mut Unit, caller: &Caller, read: &Read, plan: &Plan) -> Result<(), Failure> {
    let changed = |file: &&Sourced<SecurityFile>| {
        plan.changes.iter().any(|change| change.kind == file.value.kind() && change.name == *file.value.name())
    };
    let files: Vec<_> = read.solution.security.iter().filter(changed).collect();
    // Who may apply was asked before: these are the engine's own writes in his name.
    let caller = Caller { origin: Origin::System, ..*caller };
    let mut people = People { unit, caller: &caller };
    for file in &files {
        people.make(&file.value)?;
    }
    for file in &files {
        let before = people.before(&file.value, &read.steps)?;
        people.bring_up_to_date(&file.value, before.as_ref())?;
    }
    for kind in KINDS.into_iter().rev() {
        for gone in plan.changes.iter().filter(|change| change.action == Action::Remove) {
            if super::plan::word(kind) == gone.kind {
                people.remove(kind, &gone.name, &read.steps)?;
            }
        }
    }
    Ok(())
}

/// What a file says of an attribute; nothing where it says nothing.
type Said = (&'static str, Option<Value>);

struct People<'u> {
    unit: &'u mut Unit,
    caller: &'u Caller,
}

impl People<'_> {
    /// Makes the record of this name, if there is none.
    fn make(&mut self, file: &SecurityFile) -> Result<(), Failure> {
        let entity = self.entity(file.entity())?;
        if self.named(&entity, file.name())?.is_some() {
            return Ok(());
        }
        let mut values: Values = [(entity.primary, Value::text(file.name().as_str()))].into_iter().collect();
        let unit = match file {
            SecurityFile::Unit(_) => Some("parentbusinessunitid"),
            SecurityFile::Role(_) | SecurityFile::Team(_) | SecurityFile::User(_) => Some("businessunitid"),
            SecurityFile::Queue(_) => None,
        };
        if let Some(unit) = unit.and_then(|unit| entity.attribute(unit)) {
            values.insert(unit.id, Value::Reference(crate::root_unit()));
        }
        let id = RecordId(file.id());
        // A renamed record may have the identity that kind and name make.
        let id = Some(id).filter(|_| !matches!(self.unit.exists(RecordRef::new(entity.id, id)), Ok(true)));
        self.unit.apply(self.caller, Verb::Create { entity: entity.id, id, values })?;
        Ok(())
    }

    /// The file as it was applied last.
    fn before(&mut self, file: &SecurityFile, steps: &Directory) -> Result<Option<SecurityFile>, Failure> {
        self.kept(kind_of(file), file.name(), steps)
    }

    fn kept(&mut self, kind: Kind, name: &str, steps: &Directory) -> Result<Option<SecurityFile>, Failure> {
        let Some(known) = definitions::get(&self.unit.overlay, kind, name)? else { return Ok(None) };
        let canonical = load::content(&self.unit.overlay, &known)?;
        // What it says of things that are gone by now need not be taken back.
        Ok(formats::security_from_json(&canonical, &self.unit.catalogue.schema, steps).ok())
    }

    /// Writes what the file says, and takes back what it said before and says no more.
    fn bring_up_to_date(&mut self, file: &SecurityFile, before: Option<&SecurityFile>) -> Result<(), Failure> {
        let entity = self.entity(file.entity())?;
        let target = self.find(file.entity(), file.name())?;
        let said = self.said(file)?;
        let said_before = before.map(|before| self.said(before)).transpose().unwrap_or_default().unwrap_or_default();
        let record = self.unit.expect(&entity, target)?;
        let mut values = Values::new();
        for (name, value) in said {
            let Some(attribute) = entity.attribute(name) else { continue };
            let was_said = said_before.iter().any(|(known, value)| *known == name && value.is_some());
            let value = match value {
                Some(value) => value,
                None if was_said => unsaid(name),
                None => continue,
            };
            if *record.get(attribute.id) != value {
                values.insert(attribute.id, value);
            }
        }
        if !values.is_empty() {
            self.unit.apply(self.caller, Verb::Update { target, expected: None, values })?;
        }
        if let SecurityFile::Role(role) = file {
            roles::grant(self.unit, self.caller, target, &role.privileges)?;
        }
        self.join(file, before)
    }

    fn said(&mut self, file: &SecurityFile) -> Result<Vec<Said>, Failure> {
        let text = |text: &str| Some(Value::text(text)).filter(|_| !text.is_empty());
        Ok(match file {
            SecurityFile::Role(role) => vec![("description", text(&role.description))],
            SecurityFile::Unit(unit) => vec![
                ("description", text(&unit.description)),
                ("parentbusinessunitid", self.lookup("businessunit", unit.parent.as_ref())?),
            ],
            SecurityFile::Team(team) => vec![
                ("description", text(&team.description)),
                ("businessunitid", self.lookup("businessunit", team.business_unit.as_ref())?),
            ],
            SecurityFile::User(user) => vec![
                ("internalemailaddress", Some(Value::Text(user.email.clone()))),
                ("businessunitid", self.lookup("businessunit", user.business_unit.as_ref())?),
                ("parentsystemuserid", self.lookup("systemuser", user.manager.as_ref())?),
                ("isdisabled", Some(Value::Boolean(true)).filter(|_| !user.enabled)),
            ],
            SecurityFile::Queue(queue) => vec![
                ("description", text(&queue.description)),
                ("emailaddress", queue.email.clone().map(Value::Text)),
                ("ownerid", self.owner(queue.owner.as_ref())?),
            ],
        })
    }

    /// The memberships and roles that the file names: those that are new are made, those that it names no more go.
    fn join(&mut self, file: &SecurityFile, before: Option<&SecurityFile>) -> Result<(), Failure> {
        let (now, before) = (joined(file), before.map(joined).unwrap_or_default());
        let own = self.find(file.entity(), file.name())?;
        for (join, name) in &now {
            let other = self.find(join.other(), name)?;
            match join {
                Join::Member => members::add(self.unit, self.caller, other, own)?,
                Join::Team => members::add(self.unit, self.caller, own, other)?,
                Join::Role => members::give_role(self.unit, self.caller, own, other)?,
            };
        }
        for (join, name) in before.iter().filter(|gone| !now.contains(gone)) {
            let entity = self.entity(join.other())?;
            let Some(other) = self.named(&entity, name)? else { continue };
            match join {
                Join::Member => members::remove(self.unit, self.caller, other, own)?,
                Join::Team => members::remove(self.unit, self.caller, own, other)?,
                Join::Role => members::take_role(self.unit, self.caller, own, other)?,
            };
        }
        Ok(())
    }

    /// Takes away what a solution brought. A user stays, because records keep his name: he is disabled, and what his file
    /// gave him is taken back.
    fn remove(&mut self, kind: Kind, name: &SmolStr, steps: &Directory) -> Result<(), Failure> {
        let before = self.kept(kind, name, steps)?;
        definitions::remove(&mut self.unit.overlay, kind, name);
        let Some(entity) = entity_of(kind) else { return Ok(()) };
        let entity = self.entity(entity)?;
        let Some(target) = self.named(&entity, name)? else { return Ok(()) };
        if kind != Kind::User {
            self.unit.apply(self.caller, Verb::Delete { target, expected: None })?;
            return Ok(());
        }
        if let Some(SecurityFile::User(user)) = before {
            let nothing =
                SecurityFile::User(formats::security::User { roles: Vec::new(), teams: Vec::new(), ..user.clone() });
            self.join(&nothing, Some(&SecurityFile::User(user)))?;
        }
        let Some(disabled) = entity.attribute("isdisabled") else { return Ok(()) };
        let values = [(disabled.id, Value::Boolean(true))].into_iter().collect();
        self.unit.apply(self.caller, Verb::Update { target, expected: None, values })?;
        Ok(())
    }

    fn owner(&mut self, owner: Option<&NamedRecord>) -> Result<Option<Value>, Failure> {
        let Some(owner) = owner else { return Ok(None) };
        let found = Reading::new(self.unit, Who::Engine).named(owner)?;
        let NamedRecord::Named { entity, name } = owner else { return Ok(found.map(Value::Reference)) };
        let missing = || Refusal::NotFound { entity: entity.as_str().into(), record: name.clone() };
        Ok(Some(Value::Reference(found.ok_or_else(missing)?)))
    }

    fn lookup(&mut self, entity: &str, name: Option<&SmolStr>) -> Result<Option<Value>, Failure> {
        name.map(|name| Ok(Value::Reference(self.find(entity, name)?))).transpose()
    }

    /// The record of this name, which must be there.
    fn find(&mut self, entity: &str, name: &SmolStr) -> Result<RecordRef, Failure> {
        let entity = self.entity(entity)?;
        let found = self.named(&entity, name)?;
        let missing = || Refusal::NotFound { entity: entity.name().as_str().into(), record: name.clone() };
        found.ok_or_else(|| missing().into())
    }

    fn named(&self, entity: &Entity, name: &str) -> Result<Option<RecordRef>, Failure> {
        query::by_name(&self.unit.catalogue, &self.unit.overlay.unvalidated(), entity, name)
    }

    fn entity(&self, name: &str) -> Result<std::sync::Arc<Entity>, Failure> {
        let entity = self.unit.catalogue.schema.named(name).cloned();
        entity.ok_or_else(|| Refusal::UnknownEntity(name.into()).into())
    }
}

/// What an attribute is when a file says nothing of it any more.
fn unsaid(attribute: &str) -> Value {
    match attribute {
        "businessunitid" | "parentbusinessunitid" => Value::Reference(crate::root_unit()),
        "isdisabled" => Value::Boolean(false),
        _ => Value::Null,
    }
}

/// How a file joins its record to another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    /// A user belongs to this team.
    Member,
    /// This user belongs to a team.
    Team,
    /// This user or team holds a role.
    Role,
}

impl Join {
    fn other(self) -> &'static str {
        match self {
            Self::Member => "systemuser",
            Self::Team => "team",
            Self::Role => "role",
        }
    }
}

fn joined(file: &SecurityFile) -> Vec<(Join, SmolStr)> {
    let all = |join: Join, names: &[SmolStr]| names.iter().map(move |name| (join, name.clone())).collect::<Vec<_>>();
    match file {
        SecurityFile::Team(team) => [all(Join::Member, &team.members), all(Join::Role, &team.roles)].concat(),
        SecurityFile::User(user) => [all(Join::Team, &user.teams), all(Join::Role, &user.roles)].concat(),
        SecurityFile::Role(_) | SecurityFile::Unit(_) | SecurityFile::Queue(_) => Vec::new(),
    }
}
