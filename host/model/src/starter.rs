//! What every store has from the start: fixed entity numbers, and the attributes of every entity.
//!
//! The starter entities themselves are files like anybody's; only their numbers are fixed, because the engine knows
//! users, teams and business units by them.

use crate::{
    AttributeId, AttributeName, EntityId, EntityName, Value,
    entity::{AttributeDefinition, AttributeKind, Cascade, LookupKind, OnDelete, Ownership, Requirement, Targets},
};

/// Entities with a number of their own in every store, by name.
pub const ENTITIES: [(&str, EntityId); 20] = [
    ("systemuser", SYSTEM_USER),
    ("team", TEAM),
    ("businessunit", BUSINESS_UNIT),
    ("queue", QUEUE),
    ("account", EntityId(5)),
    ("contact", EntityId(6)),
    ("incident", EntityId(7)),
    ("task", EntityId(8)),
    ("email", EMAIL),
    ("appointment", EntityId(10)),
    ("phonecall", EntityId(11)),
    ("role", ROLE),
    ("systemuserroles", USER_ROLE),
    ("teamroles", TEAM_ROLE),
    ("asyncoperation", JOB),
    ("workflow", PROCESS),
    ("audit", AUDIT),
    ("privilege", PRIVILEGE),
    ("processstage", STAGE),
    ("queueitem", QUEUE_ITEM),
];

/// People and services that act.
pub const SYSTEM_USER: EntityId = EntityId(1);
/// Groups of users.
pub const TEAM: EntityId = EntityId(2);
/// Parts of the organisation.
pub const BUSINESS_UNIT: EntityId = EntityId(3);
/// Queues.
pub const QUEUE: EntityId = EntityId(4);
/// Roles: what those who hold them may do.
pub const ROLE: EntityId = EntityId(12);
/// The roles that users hold.
pub const USER_ROLE: EntityId = EntityId(13);
/// The roles that teams hold.
pub const TEAM_ROLE: EntityId = EntityId(14);
/// Mail that is sent or was received.
pub const EMAIL: EntityId = EntityId(9);
/// Jobs, seen as records (E9).
pub const JOB: EntityId = EntityId(40);
/// Process definitions, seen as records (E9).
pub const PROCESS: EntityId = EntityId(41);
/// The audit, seen as records (E9).
pub const AUDIT: EntityId = EntityId(42);
/// What roles can allow, seen as records (E9).
pub const PRIVILEGE: EntityId = EntityId(43);
/// Stages of flows, seen as records (E9).
pub const STAGE: EntityId = EntityId(44);
/// What waits in queues.
pub const QUEUE_ITEM: EntityId = EntityId(45);
/// The first number for an entity of a solution.
pub const FIRST_OWN_ENTITY: EntityId = EntityId(64);
/// The first number for an entity's own attribute.
pub const FIRST_OWN_ATTRIBUTE: AttributeId = AttributeId(32);

/// In the journal of a share: with whom. No record has it.
pub const SHARED_WITH: AttributeId = AttributeId(30);
/// In the journal of a share: the words of the rights. No record has it.
pub const SHARED_RIGHTS: AttributeId = AttributeId(31);
/// When the record was created.
pub const CREATED_ON: AttributeId = AttributeId(1);
/// Who created it.
pub const CREATED_BY: AttributeId = AttributeId(2);
/// When it was changed last.
pub const MODIFIED_ON: AttributeId = AttributeId(3);
/// Who changed it last.
pub const MODIFIED_BY: AttributeId = AttributeId(4);
/// Its state.
pub const STATE: AttributeId = AttributeId(5);
/// Its status.
pub const STATUS: AttributeId = AttributeId(6);
/// Who owns it.
pub const OWNER: AttributeId = AttributeId(7);
/// The business unit of the owner when the record was last assigned (E30).
pub const OWNING_BUSINESS_UNIT: AttributeId = AttributeId(8);
/// Where flows may run on the entity: the flow that a create asked for, all zeros for none (T17). Nothing else reads it.
pub const PROCESS_ID: AttributeId = AttributeId(9);

fn name(text: &str) -> AttributeName {
    AttributeName::parse(text).expect("the names below are written in the alphabet of names")
}

fn lookup(targets: &[&str]) -> AttributeKind {
    let parse = |text: &&str| EntityName::parse(text).expect("the names below are written in the alphabet of names");
    AttributeKind::Lookup(LookupKind {
        to: Targets::Only(targets.iter().map(parse).collect()),
        // Users, teams and business units are never deleted while records point to them.
        on_delete: OnDelete::Restrict,
        cascade: Cascade::default(),
        copy: Vec::new(),
        relationship: None,
    })
}

/// The attributes that every entity has, with their numbers. State and status are choices whose options are the
/// entity's states; they are set by the verb set status, read like numbers. `flows`: whether flows may run on it.
pub fn common_attributes(ownership: Ownership, flows: bool) -> Vec<(AttributeId, AttributeDefinition)> {
    let written_by_engine = |text: &str, title: &str, kind| AttributeDefinition {
        read_only: true,
        ..AttributeDefinition::plain(name(text), title, kind)
    };
    let code = || AttributeKind::Whole { min: i64::from(i32::MIN), max: i64::from(i32::MAX) };
    let mut common = vec![
        (CREATED_ON, written_by_engine("createdon", "Created on", AttributeKind::DateTime)),
        (CREATED_BY, written_by_engine("createdby", "Created by", lookup(&["systemuser"]))),
        (MODIFIED_ON, written_by_engine("modifiedon", "Modified on", AttributeKind::DateTime)),
        (MODIFIED_BY, written_by_engine("modifiedby", "Modified by", lookup(&["systemuser"]))),
        (STATE, AttributeDefinition::plain(name("statecode"), "State", code())),
        (STATUS, AttributeDefinition::plain(name("statuscode"), "Status", code())),
    ];
    if ownership == Ownership::UserOrTeam {
        let owner = AttributeDefinition {
            required: Requirement::Required,
            default: Value::Null,
            indexed: true,
            ..AttributeDefinition::plain(name("ownerid"), "Owner", lookup(&["systemuser", "team"]))
        };
        let unit = written_by_engine("owningbusinessunit", "Owning business unit", lookup(&["businessunit"]));
        common.push((OWNER, owner));
        common.push((OWNING_BUSINESS_UNIT, AttributeDefinition { indexed: true, ..unit }));
    }
    if flows {
        common.push((PROCESS_ID, AttributeDefinition::plain(name("processid"), "Process", AttributeKind::Guid)));
    }
    common
}
