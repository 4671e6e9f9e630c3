//! Every address that the sources have, asked by somebody without a role: none answers without a check.
//!
//! The list of addresses is read from the sources, so a new one is not forgotten: it must be put into the table here.

use std::{collections::BTreeSet, fs, path::Path};

use model::{Caller, Value, Values, Verb};

use super::World;

/// What somebody without a role gets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    /// A refusal with this code.
    Code(&'static str),
    /// An answer, and why that is right.
    Open(&'static str),
}

use Expected::{Code, Open};

const PRIVILEGE: Expected = Code("missing-privilege");
const TASK: Expected = Code("missing-task");
const OWN: Expected = Open("everybody has a say in his own tokens and sessions, and sees no others");
const KNOWN: Expected = Open("whoever signs in may know what there is, not what is in it");
const UNSIGNED: Expected = Open("it comes before signing in, and tells nothing of records");

/// Method, address as the sources write it, address with values, body, what is expected.
const ADDRESSES: &[(&str, &str, &str, &str, Expected)] = &[
    ("GET", "/api/v1/access/explain", "/api/v1/access/explain?record=account/ACCOUNT&user=ADMIN", "", PRIVILEGE),
    ("GET", "/api/v1/actions", "/api/v1/actions", "", PRIVILEGE),
    // What an action does is asked of its caller verb by verb.
    ("POST", "/api/v1/actions/{name}", "/api/v1/actions/any-one", "{}", Code("unknown-process")),
    ("GET", "/api/v1/records/{set}/{id}/flow", "/api/v1/records/accounts/ACCOUNT/flow", "", PRIVILEGE),
    ("POST", "/api/v1/records/{set}/{id}/flow/{what}", "/api/v1/records/accounts/ACCOUNT/flow/view", "", PRIVILEGE),
    // An instance is asked of its own entity; there is none here.
    ("GET", "/api/v1/flows/{instance}", "/api/v1/flows/00000000-0000-0000-0000-000000000001", "", Code("not-found")),
    (
        "POST",
        "/api/v1/flows/{instance}/{move}",
        "/api/v1/flows/00000000-0000-0000-0000-000000000001/next",
        "{}",
        Code("not-found"),
    ),
    ("GET", "/api/v1/records/{set}/{id}/task-flows", "/api/v1/records/accounts/ACCOUNT/task-flows", "", PRIVILEGE),
    (
        "POST",
        "/api/v1/task-flows/{name}/sessions",
        "/api/v1/task-flows/any-one/sessions",
        r#"{"record": "account/ACCOUNT"}"#,
        Code("unknown-process"),
    ),
    // A session is its user's only: there is none of his here.
    ("GET", "/api/v1/task-sessions", "/api/v1/task-sessions", "", Open("one's own sessions, and nobody else's")),
    ("GET", "/api/v1/task-sessions/{id}", "/api/v1/task-sessions/ACCOUNT", "", Code("not-found")),
    ("DELETE", "/api/v1/task-sessions/{id}", "/api/v1/task-sessions/ACCOUNT", "", Code("not-found")),
    ("POST", "/api/v1/task-sessions/{id}/{what}", "/api/v1/task-sessions/ACCOUNT/page", "{}", Code("not-found")),
    ("POST", "/api/v1/jobs/bulk", "/api/v1/jobs/bulk", r#"{"operation": "cancel", "filter": {}}"#, PRIVILEGE),
    ("GET", "/api/v1/entities", "/api/v1/entities", "", KNOWN),
    ("GET", "/api/v1/jobs", "/api/v1/jobs", "", PRIVILEGE),
    ("GET", "/api/v1/jobs/counts", "/api/v1/jobs/counts", "", PRIVILEGE),
    ("GET", "/api/v1/jobs/{id}", "/api/v1/jobs/ACCOUNT", "", PRIVILEGE),
    ("POST", "/api/v1/jobs/{id}/{order}", "/api/v1/jobs/ACCOUNT/cancel", "", PRIVILEGE),
    ("GET", "/api/v1/plugins", "/api/v1/plugins", "", KNOWN),
    ("POST", "/api/v1/plugins", "/api/v1/plugins", "x", TASK),
    ("GET", "/api/v1/plugins/{library}", "/api/v1/plugins/any-one", "", TASK),
    ("DELETE", "/api/v1/plugins/{library}", "/api/v1/plugins/any-one", "", TASK),
    ("POST", "/api/v1/plugins/{library}/grant", "/api/v1/plugins/any-one/grant", "{}", TASK),
    ("POST", "/api/v1/plugins/{library}/revoke", "/api/v1/plugins/any-one/revoke", "{}", TASK),
    ("POST", "/api/v1/plugins/{library}/config", "/api/v1/plugins/any-one/config", r#"{"key": "k"}"#, TASK),
    ("POST", "/api/v1/plugins/{library}/secrets", "/api/v1/plugins/any-one/secrets", r#"{"name": "k"}"#, TASK),
    ("POST", "/api/v1/plugins/{library}/rollback", "/api/v1/plugins/any-one/rollback", "{}", TASK),
    ("POST", "/api/v1/plugins/{library}/quarantine", "/api/v1/plugins/any-one/quarantine", "{}", TASK),
    ("POST", "/api/v1/plugins/{library}/resume", "/api/v1/plugins/any-one/resume", "{}", TASK),
    ("GET", "/api/v1/processes", "/api/v1/processes", "", PRIVILEGE),
    ("GET", "/api/v1/processes/{name}", "/api/v1/processes/any-one", "", PRIVILEGE),
    ("GET", "/api/v1/processes/{name}/versions", "/api/v1/processes/any-one/versions", "", PRIVILEGE),
    ("GET", "/api/v1/processes/{name}/diff", "/api/v1/processes/any-one/diff", "", PRIVILEGE),
    ("GET", "/api/v1/processes/{name}/report", "/api/v1/processes/any-one/report", "", PRIVILEGE),
    (
        "GET",
        "/api/v1/processes/{name}/explain",
        "/api/v1/processes/any-one/explain?record=account/ACCOUNT",
        "",
        PRIVILEGE,
    ),
    ("POST", "/api/v1/processes/{name}/copy", "/api/v1/processes/any-one/copy", r#"{"name": "another"}"#, PRIVILEGE),
    ("POST", "/api/v1/processes/{name}/migrate", "/api/v1/processes/any-one/migrate", "{}", PRIVILEGE),
    ("POST", "/api/v1/processes/{name}/try", "/api/v1/processes/any-one/try", r#"{"record": "account/ACCOUNT"}"#, TASK),
    ("POST", "/api/v1/processes/{name}/activate", "/api/v1/processes/any-one/activate", "", PRIVILEGE),
    ("POST", "/api/v1/processes/{name}/deactivate", "/api/v1/processes/any-one/deactivate", "", PRIVILEGE),
    ("POST", "/api/v1/processes/{name}/run", "/api/v1/processes/any-one/run", r#"{"record": "account/ACCOUNT"}"#, TASK),
    ("GET", "/api/v1/scripts", "/api/v1/scripts", "", KNOWN),
    ("POST", "/api/v1/scripts/check", "/api/v1/scripts/check", r#"{"text": "x"}"#, KNOWN),
    ("POST", "/api/v1/scripts/test", "/api/v1/scripts/test", r#"{"text": "x"}"#, TASK),
    ("GET", "/api/v1/scripts/completions", "/api/v1/scripts/completions", "", KNOWN),
    (
        "POST",
        "/api/v1/scripts/completions",
        "/api/v1/scripts/completions",
        r#"{"text": "x", "line": 1, "column": 1}"#,
        KNOWN,
    ),
    ("GET", "/api/v1/solutions", "/api/v1/solutions", "", TASK),
    ("GET", "/api/v1/solutions/{name}/export", "/api/v1/solutions/page/export", "", TASK),
    ("POST", "/api/v1/solutions/plan", "/api/v1/solutions/plan", "", TASK),
    ("POST", "/api/v1/solutions/apply", "/api/v1/solutions/apply", "", TASK),
    ("GET", "/api/v1/store", "/api/v1/store", "", PRIVILEGE),
    ("GET", "/api/v1/tokens", "/api/v1/tokens", "", OWN),
    ("POST", "/api/v1/tokens", "/api/v1/tokens", r#"{"user": "ADMIN"}"#, TASK),
    ("DELETE", "/api/v1/tokens/{id}", "/api/v1/tokens/0123456789ab", "", Code("not-found")),
    ("GET", "/api/v1/sessions", "/api/v1/sessions", "", OWN),
    ("POST", "/api/v1/sessions", "/api/v1/sessions", "{}", UNSIGNED),
    ("DELETE", "/api/v1/sessions", "/api/v1/sessions?user=ADMIN", "", TASK),
    ("GET", "/api/v1/sessions/current", "/api/v1/sessions/current", "", OWN),
    ("DELETE", "/api/v1/sessions/current", "/api/v1/sessions/current", "", OWN),
    ("DELETE", "/api/v1/sessions/{id}", "/api/v1/sessions/0123456789ab", "", Code("not-found")),
    (
        "PUT",
        "/api/v1/passwords",
        "/api/v1/passwords",
        r#"{"user": "ADMIN", "password": "long enough to be one"}"#,
        TASK,
    ),
    (
        "POST",
        "/api/v1/imports",
        "/api/v1/imports",
        r#"{"entity": "account", "columns": ["name"], "rows": [{"number": 1, "line": 2, "cells": ["x"]}]}"#,
        Code("missing-privilege"),
    ),
    ("GET", "/api/v1/mail", "/api/v1/mail", "", Code("missing-privilege")),
    ("GET", "/api/v1/mail/{id}", "/api/v1/mail/00000000-0000-0000-0000-000000000001", "", Code("missing-privilege")),
    (
        "POST",
        "/api/v1/mail/{id}/{order}",
        "/api/v1/mail/00000000-0000-0000-0000-000000000001/retry",
        "",
        Code("missing-privilege"),
    ),
    ("GET", "/healthz", "/healthz", "", UNSIGNED),
    ("GET", "/readyz", "/readyz", "", UNSIGNED),
    ("GET", "/metrics", "/metrics", "", UNSIGNED),
    ("GET", "/version", "/version", "", UNSIGNED),
    ("POST", "/oauth2/v2.0/token", "/oauth2/v2.0/token", "", UNSIGNED),
    ("POST", "/{tenant}/oauth2/v2.0/token", "/x/oauth2/v2.0/token", "", UNSIGNED),
    ("GET", "/signin/oidc", "/signin/oidc", "", UNSIGNED),
    ("GET", "/signin/oidc/callback", "/signin/oidc/callback", "", UNSIGNED),
    ("GET", "/setup", "/setup", "", UNSIGNED),
    ("POST", "/api/v1/setup", "/api/v1/setup", "{}", UNSIGNED),
];

/// What the data service has behind its one address.
const DATA: &[(&str, &str, &str, Expected)] = &[
    ("GET", "", "", KNOWN),
    ("GET", "$metadata", "", KNOWN),
    ("GET", "EntityDefinitions", "", KNOWN),
    ("GET", "accounts", "", PRIVILEGE),
    ("GET", "accounts/$count", "", PRIVILEGE),
    ("GET", "accounts(ACCOUNT)", "", PRIVILEGE),
    ("GET", "accounts(ACCOUNT)/name", "", PRIVILEGE),
    ("GET", "accounts(00000000-0000-0000-0000-000000000001)", "", PRIVILEGE),
    ("POST", "accounts", r#"{"name": "x"}"#, PRIVILEGE),
    ("PATCH", "accounts(ACCOUNT)", r#"{"name": "x"}"#, PRIVILEGE),
    ("PATCH", "accounts(00000000-0000-0000-0000-000000000001)", r#"{"name": "x"}"#, PRIVILEGE),
    ("DELETE", "accounts(ACCOUNT)", "", PRIVILEGE),
    ("GET", "asyncoperations", "", PRIVILEGE),
    ("GET", "workflows", "", PRIVILEGE),
    ("GET", "audits", "", PRIVILEGE),
    ("GET", "roles", "", PRIVILEGE),
    ("GET", "systemusers", "", PRIVILEGE),
];

/// The messages of the data service. What a caller is told of himself needs nothing.
const MESSAGES: &[(&str, &str, &str, &str, Expected)] = &[
    ("WhoAmI", "GET", "WhoAmI()", "", Open("who he is")),
    ("RetrieveVersion", "GET", "RetrieveVersion()", "", KNOWN),
    ("RetrieveCurrentOrganization", "GET", "RetrieveCurrentOrganization(AccessType='Default')", "", KNOWN),
    (
        "RetrieveProcessInstances",
        "GET",
        "RetrieveProcessInstances(EntityId=ACCOUNT,EntityLogicalName='account')",
        "",
        PRIVILEGE,
    ),
    ("RetrieveActivePath", "GET", "RetrieveActivePath(ProcessInstanceId=ACCOUNT)", "", Code("not-found")),
    ("RetrieveTotalRecordCount", "GET", "RetrieveTotalRecordCount(EntityNames=@n)?@n=['account']", "", PRIVILEGE),
    ("GrantAccess", "POST", "GrantAccess", SHARE, PRIVILEGE),
    ("ModifyAccess", "POST", "ModifyAccess", SHARE, PRIVILEGE),
    ("RevokeAccess", "POST", "RevokeAccess", REVOKE, PRIVILEGE),
    (
        "RetrievePrincipalAccess",
        "GET",
        "systemusers(ADMIN)/RetrievePrincipalAccess(Target=@t)?@t={'@odata.id':'accounts(ACCOUNT)'}",
        "",
        PRIVILEGE,
    ),
    (
        "RetrieveSharedPrincipalsAndAccess",
        "GET",
        "RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={'@odata.id':'accounts(ACCOUNT)'}",
        "",
        PRIVILEGE,
    ),
    ("CreateMultiple", "POST", "accounts/CreateMultiple", TARGETS, PRIVILEGE),
    ("UpdateMultiple", "POST", "accounts/UpdateMultiple", TARGETS, PRIVILEGE),
    ("UpsertMultiple", "POST", "accounts/UpsertMultiple", TARGETS, PRIVILEGE),
    ("AddMembersTeam", "POST", "teams(TEAM)/AddMembersTeam", MEMBERS, PRIVILEGE),
    ("RemoveMembersTeam", "POST", "teams(TEAM)/RemoveMembersTeam", MEMBERS, PRIVILEGE),
    ("AddToQueue", "POST", "queues(ACCOUNT)/AddToQueue", QUEUED, PRIVILEGE),
    ("RemoveFromQueue", "POST", "queueitems(ACCOUNT)/RemoveFromQueue", "{}", PRIVILEGE),
    ("PickFromQueue", "POST", "queueitems(ACCOUNT)/PickFromQueue", WORKER, PRIVILEGE),
    ("ReleaseToQueue", "POST", "queueitems(ACCOUNT)/ReleaseToQueue", "{}", PRIVILEGE),
    ("AddPrivilegesRole", "POST", "roles(ROLE)/AddPrivilegesRole", GRANTS, PRIVILEGE),
    ("ReplacePrivilegesRole", "POST", "roles(ROLE)/ReplacePrivilegesRole", GRANTS, PRIVILEGE),
    ("RemovePrivilegeRole", "POST", "roles(ROLE)/RemovePrivilegeRole", TAKEN, PRIVILEGE),
    ("RetrieveRolePrivilegesRole", "GET", "RetrieveRolePrivilegesRole(RoleId=ROLE)", "", PRIVILEGE),
    ("RetrieveUserPrivileges", "GET", "systemusers(ADMIN)/RetrieveUserPrivileges()", "", PRIVILEGE),
    ("ExecuteWorkflow", "POST", "workflows(ACCOUNT)/ExecuteWorkflow", r#"{"EntityId": "ACCOUNT"}"#, PRIVILEGE),
];

const TARGETS: &str = r##"{"Targets": [{"@odata.type": "#Microsoft.Dynamics.CRM.account", "accountid": "ACCOUNT",
    "name": "x"}]}"##;
const MEMBERS: &str =
    r##"{"Members": [{"@odata.type": "#Microsoft.Dynamics.CRM.systemuser", "systemuserid": "ADMIN"}]}"##;
const QUEUED: &str = r##"{"Target": {"@odata.type": "#Microsoft.Dynamics.CRM.account", "accountid": "ACCOUNT"}}"##;
const WORKER: &str =
    r##"{"SystemUser": {"@odata.type": "#Microsoft.Dynamics.CRM.systemuser", "systemuserid": "ADMIN"}}"##;
const GRANTS: &str = r#"{"Privileges": [{"PrivilegeId": "PRIVILEGE", "Depth": "Global"}]}"#;
const TAKEN: &str = r#"{"PrivilegeId": "PRIVILEGE"}"#;

const SHARE: &str = r##"{"Target": {"@odata.type": "#Microsoft.Dynamics.CRM.account", "accountid": "ACCOUNT"},
    "PrincipalAccess": {"Principal": {"@odata.type": "#Microsoft.Dynamics.CRM.systemuser", "systemuserid": "ADMIN"},
    "AccessMask": "ReadAccess"}}"##;
const REVOKE: &str = r##"{"Target": {"@odata.type": "#Microsoft.Dynamics.CRM.account", "accountid": "ACCOUNT"},
    "Revokee": {"@odata.type": "#Microsoft.Dynamics.CRM.systemuser", "systemuserid": "ADMIN"}}"##;

/// A world with an account, and a token of somebody without a role.
struct Nobody {
    world: World,
    token: String,
    account: String,
    team: String,
    role: String,
}

impl Nobody {
    fn new() -> Self {
        let world = World::new();
        let caller: Caller = world.engine.caller(engine::administrator());
        let schema = world.engine.schema();
        let made = |entity: &str, named: &[(&str, Value)]| {
            let entity = schema.named(entity).expect("an entity");
            let value = |(name, value): &(&str, Value)| (entity.attribute(name).expect("it").id, value.clone());
            let values: Values = named.iter().map(value).collect();
            let verb = Verb::Create { entity: entity.id, id: None, values };
            world.engine.apply(&caller, verb).map_err(|failure| failure.to_string()).expect("a record").record
        };
        let unit_of = || Value::Reference(engine::root_unit());
        let nobody = made("systemuser", &[("fullname", "Nobody".into()), ("businessunitid", unit_of())]);
        let account = made("account", &[("name", "Ada".into())]).id.to_string();
        let team = made("team", &[("name", "Clerks".into()), ("businessunitid", unit_of())]).id.to_string();
        let roles = model::query::Query::all(schema.named("role").expect("roles").id);
        let role = world.engine.query(&caller, &roles).map_err(|failure| failure.to_string()).expect("roles");
        let role = role.records.last().expect("a role").id.to_string();
        let token = world.engine.create_token(nobody, "nobody's", None).map_err(|failure| failure.to_string());
        Self { token: token.expect("a token"), account, team, role, world }
    }

    fn check(&self, method: &str, path: &str, body: &str, expected: Expected) {
        let filled = |text: &str| {
            text.replace("ACCOUNT", &self.account)
                .replace("ADMIN", &engine::administrator().id.to_string())
                .replace("TEAM", &self.team)
                .replace("ROLE", &self.role)
                .replace("PRIVILEGE", &engine::privilege_id("prvReadAccount").to_string())
        };
        let authorization = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", authorization.as_str())];
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        let answer = self.world.send(method, &filled(path), &headers, &filled(body));
        match expected {
            Code(code) => assert!(
                answer.text.contains(&format!("\"{code}\"")),
                "{method} {path} should be refused as {code}: {} {}",
                answer.status,
                answer.text
            ),
            Open(_) => assert!(
                !answer.text.contains("\"Ada\"") && !answer.status.is_server_error(),
                "{method} {path}: {} {}",
                answer.status,
                answer.text
            ),
        }
    }
}

#[test]
fn no_address_answers_without_a_check() {
    let nobody = Nobody::new();
    for (method, _, path, body, expected) in ADDRESSES {
        // One of them ends the very session that asks.
        match *method {
            "DELETE" => Nobody::new().check(method, path, body, *expected),
            _ => nobody.check(method, path, body, *expected),
        }
    }
    for (method, route, path, body, expected) in ADDRESSES {
        if *expected != UNSIGNED && !path.contains("sessions/current") {
            let answer = nobody.world.send(method, path, &[("authorization", "")], body);
            assert_eq!(answer.status.as_u16(), 401, "{method} {route} without a token: {}", answer.text);
        }
    }
}

#[test]
fn nothing_of_the_data_service_answers_without_a_check() {
    let nobody = Nobody::new();
    for (method, path, body, expected) in DATA {
        nobody.check(method, path, body, *expected);
    }
    for (_, method, path, body, expected) in MESSAGES {
        nobody.check(method, path, body, *expected);
    }
}

#[test]
fn the_table_has_every_message_of_the_sources() {
    let found: BTreeSet<&str> = api::message_names().collect();
    let known: BTreeSet<&str> = MESSAGES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(found, known, "each message is asked by somebody without a role");
}

#[test]
fn the_tables_have_every_address_of_the_sources() {
    let found = addresses();
    assert!(found.len() > 25, "{found:?}");
    let known: BTreeSet<(String, String)> =
        ADDRESSES.iter().map(|(method, route, ..)| ((*method).to_owned(), (*route).to_owned())).collect();
    assert_eq!(found.difference(&known).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "not in the table");
    assert_eq!(known.difference(&found).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "no longer there");
}

/// Method and address of every route that the sources of the crate write down.
fn addresses() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for text in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for part in text.split(".route(").skip(1) {
            let Some(address) = part.split('"').nth(1).filter(|address| !address.starts_with("/api/data")) else {
                continue;
            };
            let handlers = part.split_once(',').map_or("", |(_, rest)| rest);
            let end = handlers.find("\n").unwrap_or(handlers.len());
            for method in ["get", "post", "put", "patch", "delete"] {
                let handlers = &handlers[..end];
                if handlers.contains(&format!(" {method}(")) || handlers.contains(&format!(").{method}(")) {
                    found.insert((method.to_uppercase(), address.to_owned()));
                }
            }
        }
    }
    found
}

fn sources(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("sources") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(sources(&path)),
            false => found.extend(fs::read_to_string(&path)),
        }
    }
    found
}
