//! What access costs: a query by somebody who may see 100 records of a large table beside one on a table of 100, and what
//! the check adds to a read by a user with ten roles and five teams.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use model::{Caller, Origin, RecordRef, Value, query::Query};

use crate::{
    options::Options,
    report::{Figure, Report, Target},
    world::World,
};

/// Records of the large table, and how many of them the user may see.
const RECORDS: usize = 1_000_000;
const SEEN: usize = 100;
/// Records that are made in one unit of work.
const SLICE: usize = 500;

const ENTITIES: [(&str, &str); 2] = [
    (
        "entities/parcel.yaml",
        "kind: entity\nname: parcel\nownership: user-or-team\nprimary: name\nattributes: { name: { type: text } }\n",
    ),
    (
        "entities/crate.yaml",
        "kind: entity\nname: crate\nownership: user-or-team\nprimary: name\nattributes: { name: { type: text } }\n",
    ),
];

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let files = files();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let world = World::with(&files)?;
    let anna = user(&world, "anna")?;
    let all = options.times(RECORDS).max(SEEN * 10);
    fill(&world, "parcel", all, all / SEEN, anna)?;
    fill(&world, "crate", SEEN, 1, anna)?;
    let caller = world.engine.caller(anna);
    let times = options.times(2_000);
    let few = query(&world, "crate", &caller, times)?;
    let many = query(&world, "parcel", &caller, times)?;
    let add = |report: &mut Report, name: &str, value, unit, target| {
        report.add(Figure { name: name.to_owned(), value, unit, target, ceiling: None });
    };
    add(report, "access, query of a table of 100", few, "us", None);
    add(report, "access, query of 100 in a large table", many, "us", None);
    add(report, "access, the second as so many of the first", many / few, "x", Some(Target::AtMost(2.0)));
    let checked = read(&world, &caller, options.times(100_000))?;
    let engine = Caller { origin: Origin::System, ..caller };
    let unchecked = read(&world, &engine, options.times(100_000))?;
    add(report, "access, what a check adds to a read", checked - unchecked, "us", Some(Target::AtMost(20.0)));
    Ok(())
}

/// Two entities, ten roles, five teams, and a user who has them all.
fn files() -> Vec<(String, String)> {
    let mut files =
        vec![("solution.yaml".to_owned(), "kind: solution\nname: bench\nversion: 1.0.0\nprefix: ben\n".to_owned())];
    files.extend(ENTITIES.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let roles: Vec<String> = (0..10).map(|number| format!("Role {number}")).collect();
    for role in &roles {
        let text =
            format!("kind: role\nname: {role}\nprivileges:\n  parcel: {{ all: user }}\n  crate: {{ all: user }}\n");
        files.push((format!("security/{}.yaml", role.to_lowercase().replace(' ', "-")), text));
    }
    for number in 0..5 {
        let text = format!("kind: team\nname: Team {number}\nroles: [Role {number}]\nmembers: [anna]\n");
        files.push((format!("security/team-{number}.yaml"), text));
    }
    let text = format!("kind: user\nname: anna\nemail: anna@example.com\nroles: [{}]\n", roles.join(", "));
    files.push(("security/anna.yaml".to_owned(), text));
    files
}

fn user(world: &World, name: &str) -> Result<RecordRef> {
    let caller = world.caller();
    let schema = world.engine.schema();
    let users = schema.named("systemuser").context("every store has users")?;
    let page = world.engine.query(&caller, &Query::all(users.id)).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let found = page.records.iter().find(|record| record.get(users.primary).as_text() == Some(name));
    found.map(model::Record::reference).with_context(|| format!("there is no `{name}`"))
}

/// So many records, every `nth` of them the user's.
fn fill(world: &World, entity: &str, records: usize, nth: usize, user: RecordRef) -> Result<()> {
    let caller = world.caller();
    for from in (0..records).step_by(SLICE) {
        let slice = from..(from + SLICE).min(records);
        let verbs = slice.map(|place| {
            let owner = if place % nth == 0 { user } else { engine::administrator() };
            world.create(entity, &[("name", Value::text(format!("{place}"))), ("ownerid", owner.into())])
        });
        let verbs = verbs.collect::<Result<Vec<_>>>()?;
        world.engine.apply_all(&caller, &verbs).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        world.recorded();
    }
    Ok(())
}

/// Microseconds of one query of everything that the caller may see.
fn query(world: &World, entity: &str, caller: &Caller, times: usize) -> Result<f64> {
    let entity = world.engine.schema().named(entity).context("an entity of the bench")?.id;
    let query = Query::all(entity);
    let mut found = 0;
    let begin = Instant::now();
    for _ in 0..times {
        let page = world.engine.query(caller, &query).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        found += page.records.len();
    }
    let taken = begin.elapsed().as_secs_f64() * 1e6 / times as f64;
    ensure!(found == times * SEEN, "{found} records were found by {times} queries");
    Ok(taken)
}

/// Microseconds of one read of a record that the user owns.
fn read(world: &World, caller: &Caller, times: usize) -> Result<f64> {
    let entity = world.engine.schema().named("crate").context("an entity of the bench")?.id;
    let page = world.engine.query(&world.caller(), &Query { page_size: 1, ..Query::all(entity) });
    let page = page.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let target = page.records.first().context("a record")?.reference();
    let begin = Instant::now();
    for _ in 0..times {
        world.engine.retrieve(caller, target, None).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    }
    Ok(begin.elapsed().as_secs_f64() * 1e6 / times as f64)
}
