//! Who may do what, asked and changed over the dialect: sharing, roles, privileges, and requests sent for another.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::{Answer, BASE, World};

/// A user who holds the roles of these names, with a token.
pub fn user(world: &World, name: &str, roles: &[&str]) -> (String, String) {
    let unit = engine::root_unit().id;
    let body = json!({"fullname": name, "businessunitid@odata.bind": format!("/businessunits({unit})")});
    let id = world.create("systemusers", &body);
    for role in roles {
        let role = role_named(world, role);
        let address = json!({"@odata.id": format!("{BASE}/roles({role})")}).to_string();
        let path = format!("systemusers({id})/systemuserroles_association/$ref");
        assert_eq!(world.send("POST", &path, &[], &address).status, StatusCode::NO_CONTENT);
    }
    let user = model::RecordRef::new(model::starter::SYSTEM_USER, model::RecordId(id.parse().expect("an id")));
    (id, world.token_of(user))
}

fn role_named(world: &World, name: &str) -> String {
    let body = world.get(&format!("roles?$select=name&$filter=name%20eq%20'{}'", name.replace(' ', "%20"))).json();
    body["value"][0]["roleid"].as_str().unwrap_or_else(|| panic!("no role `{name}`: {body}")).to_owned()
}

pub fn send(world: &World, token: &str, method: &str, path: &str, body: &str) -> Answer {
    world.send(method, path, &[("authorization", &format!("Bearer {token}"))], body)
}

fn access(world: &World, user: &str, account: &str) -> String {
    let path = format!(
        "systemusers({user})/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@p1)?@p1={{'@odata.id':'accounts({account})'}}"
    );
    world.get(&path).json()["AccessRights"].as_str().expect("a text").to_owned()
}

#[test]
fn a_record_is_shared_and_taken_back() {
    let world = World::new();
    let account = &world.accounts(&["Ada"])[0];
    // Reaches his own records only, so what he sees of this one is by the share.
    let (ida, token) = user(&world, "Ida", &["Salesperson"]);
    let sees = || send(&world, &token, "GET", &format!("accounts({account})"), "").status;
    let principal = json!({"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": ida});
    let target = json!({"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": account});
    let grant = |name: &str, mask: &str| {
        let body = json!({"Target": target, "PrincipalAccess": {"Principal": principal, "AccessMask": mask}});
        world.send("POST", name, &[], &body.to_string()).status
    };
    let before = access(&world, &ida, account);
    assert!(!before.contains("DeleteAccess"), "{before}");
    assert_eq!(grant("GrantAccess", "WriteAccess,DeleteAccess"), StatusCode::NO_CONTENT);
    let with = access(&world, &ida, account);
    assert!(with.contains("WriteAccess") && with.contains("DeleteAccess"), "{with}");
    assert_eq!(grant("ModifyAccess", "ReadAccess"), StatusCode::NO_CONTENT);
    assert_eq!(sees(), StatusCode::OK);
    let path = format!("RetrieveSharedPrincipalsAndAccess(Target=@p1)?@p1={{'@odata.id':'accounts({account})'}}");
    let shares = world.get(&path).json();
    assert_eq!(shares["PrincipalAccesses"][0]["AccessMask"], "ReadAccess");
    assert_eq!(shares["PrincipalAccesses"][0]["Principal"]["systemuserid"], ida.as_str());
    let revoke = json!({"Target": target, "Revokee": principal}).to_string();
    assert_eq!(world.send("POST", "RevokeAccess", &[], &revoke).status, StatusCode::NO_CONTENT);
    assert_eq!(access(&world, &ida, account), before);
}

#[test]
fn what_cannot_be_shared_is_refused_with_its_place() {
    let world = World::new();
    let account = &world.accounts(&["Ada"])[0];
    let target = json!({"@odata.id": format!("accounts({account})")});
    let principal = json!({"systemuserid": engine::administrator().id.to_string()});
    for (body, sentence) in [
        (json!({"PrincipalAccess": {}}), "`GrantAccess` lacks its `Target`".to_owned()),
        (json!({"Target": 7}), "`Target` of `GrantAccess` names no record: write `{\"@odata.id\": \"accounts(id)\"}` or `{\"@odata.type\": \"Microsoft.Dynamics.CRM.account\", \"accountid\": id}`".to_owned()),
        (json!({"Target": {"@odata.type": "Microsoft.Dynamics.CRM.account"}}), "`Target` of `GrantAccess` lacks `accountid`, the GUID of the record".to_owned()),
        (json!({"Target": target}), "`GrantAccess` lacks its `PrincipalAccess`".to_owned()),
        (json!({"Target": target, "PrincipalAccess": {"Principal": principal}}), "`PrincipalAccess` lacks its `AccessMask`".to_owned()),
        (
            json!({"Target": target, "PrincipalAccess": {"Principal": principal, "AccessMask": "AllAccess"}}),
            "there is no right `AllAccess` to share: there are ReadAccess, WriteAccess, DeleteAccess, AppendAccess, \
             AppendToAccess, AssignAccess, ShareAccess"
                .to_owned(),
        ),
    ] {
        let answer = world.send("POST", "GrantAccess", &[], &body.to_string());
        assert_eq!(answer.refusal(), (400, "malformed".to_owned(), sentence), "{body}");
    }
}

#[test]
fn privileges_are_found_by_name_and_given_to_roles() {
    let world = World::new();
    let unit = engine::root_unit().id;
    let role = world
        .create("roles", &json!({"name": "Readers", "businessunitid@odata.bind": format!("/businessunits({unit})")}));
    let (_, token) = user(&world, "Ida", &["Readers"]);
    let account = &world.accounts(&["Ada"])[0];
    let path = format!("accounts({account})");
    let refused = send(&world, &token, "GET", &path, "").refusal();
    assert_eq!((refused.0, refused.1.as_str()), (403, "missing-privilege"), "{}", refused.2);
    let found = world.get("privileges?$select=name&$filter=name%20eq%20'prvReadAccount'").json();
    let id = found["value"][0]["privilegeid"].as_str().expect("an id").to_owned();
    let change = |name: &str, body: Json| {
        world.send("POST", &format!("roles({role})/Microsoft.Dynamics.CRM.{name}"), &[], &body.to_string())
    };
    let one = json!({"Depth": "Global", "PrivilegeId": id, "BusinessUnitId": unit.to_string(), "PrivilegeName": "prvReadAccount"});
    assert_eq!(change("AddPrivilegesRole", json!({"Privileges": [one]})).status, StatusCode::NO_CONTENT);
    assert_eq!(send(&world, &token, "GET", &path, "").status, StatusCode::OK);
    let granted = world.get(&format!("RetrieveRolePrivilegesRole(RoleId={role})")).json();
    assert_eq!(granted["RolePrivileges"], json!([one]));
    let other = json!({"Depth": 1, "PrivilegeName": "prvReadContact"});
    assert_eq!(change("ReplacePrivilegesRole", json!({"Privileges": [other]})).status, StatusCode::NO_CONTENT);
    assert_eq!(send(&world, &token, "GET", &path, "").status, StatusCode::FORBIDDEN);
    let contact = engine::privilege_id("prvReadContact").to_string();
    assert_eq!(change("RemovePrivilegeRole", json!({"PrivilegeId": contact})).status, StatusCode::NO_CONTENT);
    let granted = world.get(&format!("RetrieveRolePrivilegesRole(RoleId={role})")).json();
    assert_eq!(granted["RolePrivileges"], json!([]));
    for (body, sentence) in [
        (
            json!({"Privileges": [{"PrivilegeName": "prvReadContact"}]}),
            "`Privileges[0]`: `Depth` is Basic, Local, Deep or Global",
        ),
        (
            json!({"Privileges": [{"Depth": "Basic", "PrivilegeName": "prvNothing"}]}),
            "`Privileges[0]`: there is no privilege `prvNothing`",
        ),
        (
            json!({"Privileges": [{"Depth": "Basic"}]}),
            "`Privileges[0]`: no privilege is named: write its `PrivilegeId` or `PrivilegeName`",
        ),
        (json!({"Privileges": [1]}), "`Privileges[0]` of `AddPrivilegesRole` is an object"),
    ] {
        assert_eq!(change("AddPrivilegesRole", body).refusal().2, sentence);
    }
}

#[test]
fn nobody_gives_a_role_what_he_lacks_nor_takes_from_the_administrators() {
    let world = World::new();
    let unit = engine::root_unit().id;
    let role = world
        .create("roles", &json!({"name": "Writers", "businessunitid@odata.bind": format!("/businessunits({unit})")}));
    let (ida, token) = user(&world, "Ida", &["Writers"]);
    let add = |token: &str, role: &str, name: &str| {
        let body = json!({"Privileges": [{"Depth": "Global", "PrivilegeName": name}]}).to_string();
        send(&world, token, "POST", &format!("roles({role})/AddPrivilegesRole"), &body)
    };
    for name in ["prvReadRole", "prvWriteRole"] {
        assert_eq!(add(&world.token, &role, name).status, StatusCode::NO_CONTENT);
    }
    let refused = add(&token, &role, "prvDeleteAccount").refusal();
    assert_eq!((refused.0, refused.1.as_str()), (403, "missing-privilege"), "{}", refused.2);
    let administrators = role_named(&world, "System Administrator");
    let path = format!("roles({administrators})/ReplacePrivilegesRole");
    let refused = world.send("POST", &path, &[], r#"{"Privileges":[]}"#).refusal();
    assert_eq!((refused.0, refused.1.as_str()), (400, "not-possible"), "{}", refused.2);
    let privileges = world.get(&format!("systemusers({ida})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()")).json();
    let names: Vec<&Json> =
        privileges["RolePrivileges"].as_array().expect("a list").iter().map(|one| &one["PrivilegeName"]).collect();
    assert_eq!(names, ["prvReadRole", "prvWriteRole"]);
    let alone = format!(
        "--b\r\nContent-Type: multipart/mixed;boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\n\r\nPOST roles({role})/AddPrivilegesRole HTTP/1.1\r\n\r\n{{\"Privileges\":[]}}\r\n--c--\r\n--b--\r\n"
    );
    let answer = world.send("POST", "$batch", &[("content-type", "multipart/mixed;boundary=b")], &alone);
    assert!(
        answer.text.contains("`AddPrivilegesRole` is a unit of work of its own: put it outside of the changeset"),
        "{}",
        answer.text
    );
}

#[test]
fn a_request_is_sent_for_another_by_who_may_and_both_must_be_allowed() {
    let world = World::new();
    let (ida, token) = user(&world, "Ida", &["Salesperson"]);
    for header in ["MSCRMCallerID", "CallerObjectId"] {
        let as_ida = [(header, ida.as_str())];
        assert_eq!(world.send("GET", "WhoAmI", &as_ida, "").json()["UserId"], ida.as_str());
        let id = world.send("POST", "accounts", &as_ida, r#"{"name":"Ada"}"#);
        assert_eq!(id.status, StatusCode::NO_CONTENT, "{}", id.text);
        // She may not do that, so nobody may for her.
        let refused = world.send("POST", "roles", &as_ida, r#"{"name":"Mine"}"#).refusal();
        assert_eq!((refused.0, refused.1.as_str()), (403, "missing-privilege"), "{}", refused.2);
    }
    let created = world.get("accounts?$select=_createdby_value,_ownerid_value&$top=1").json();
    assert_eq!(created["value"][0]["_ownerid_value"], ida.as_str());
    let admin = engine::administrator().id.to_string();
    let bearer = format!("Bearer {token}");
    let nobody = "0192f5a0-0000-7000-8000-00000000ffff";
    for (headers, status, code, sentence) in [
        (vec![("authorization", bearer.as_str()), ("mscrmcallerid", &admin)], 403, "missing-task", None),
        (vec![("mscrmcallerid", nobody)], 403, "forbidden", Some(format!("there is no user {nobody} to act for"))),
        (
            vec![("mscrmcallerid", "ida")],
            400,
            "malformed",
            Some("the header `mscrmcallerid` is the GUID of a user".to_owned()),
        ),
        (
            vec![("mscrmcallerid", ida.as_str()), ("callerobjectid", nobody)],
            400,
            "malformed",
            Some("`MSCRMCallerID` and `CallerObjectId` name two users".to_owned()),
        ),
    ] {
        let refused = world.send("GET", "WhoAmI", &headers, "").refusal();
        assert_eq!((refused.0, refused.1.as_str()), (status, code), "{}", refused.2);
        assert!(sentence.is_none_or(|sentence| sentence == refused.2), "{}", refused.2);
    }
    let path = format!("systemusers({ida})");
    assert_eq!(world.send("PATCH", &path, &[], r#"{"isdisabled":true}"#).status, StatusCode::NO_CONTENT);
    assert_eq!(world.send("GET", "WhoAmI", &[("mscrmcallerid", &ida)], "").status, StatusCode::FORBIDDEN);
}

#[test]
fn lists_counts_and_expansions_show_only_what_the_caller_may_read() {
    let world = World::new();
    let (_, token) = user(&world, "Ida", &[]);
    let unit = engine::root_unit().id;
    let role = world.create(
        "roles",
        &json!({"name": "Own contacts", "businessunitid@odata.bind": format!("/businessunits({unit})")}),
    );
    let body = json!({"Privileges": [
        {"Depth": "Global", "PrivilegeName": "prvReadAccount"},
        {"Depth": "Basic", "PrivilegeName": "prvReadContact"},
    ]});
    assert_eq!(
        world.send("POST", &format!("roles({role})/AddPrivilegesRole"), &[], &body.to_string()).status,
        StatusCode::NO_CONTENT
    );
    let (id, own) = user(&world, "Jan", &["Own contacts"]);
    let account = &world.accounts(&["Ada"])[0];
    for (name, owner) in [("Bea", None), ("Cid", Some(&id))] {
        let mut contact =
            json!({"fullname": name, "parentcustomerid_account@odata.bind": format!("/accounts({account})")});
        if let Some(owner) = owner {
            contact["ownerid@odata.bind"] = json!(format!("/systemusers({owner})"));
        }
        let contact = world.create("contacts", &contact);
        if owner.is_none() {
            let bind = json!({"primarycontactid@odata.bind": format!("/contacts({contact})")}).to_string();
            assert_eq!(world.send("PATCH", &format!("accounts({account})"), &[], &bind).status, StatusCode::NO_CONTENT);
        }
    }
    let get = |path: &str| send(&world, &own, "GET", path, "");
    let list = "contact_customer_accounts";
    let body =
        get(&format!("accounts({account})?$expand={list}($count=true),primarycontactid($select=fullname)")).json();
    assert_eq!(body[list].as_array().map(Vec::len), Some(1), "{body}");
    assert_eq!((&body[list][0]["fullname"], &body[format!("{list}@odata.count")]), (&json!("Cid"), &json!(1)));
    assert!(body["primarycontactid"].is_null(), "{body}");
    assert_eq!(get(&format!("accounts({account})/{list}/$count")).text, "1");
    assert_eq!(get("contacts/$count").text, "1");
    assert_eq!(get(&format!("accounts/$count?$filter={list}/any(c:c/fullname%20eq%20'Bea')")).text, "0");
    let counts = get("RetrieveTotalRecordCount(EntityNames=['contact'])").json();
    assert_eq!(counts["EntityRecordCountCollection"]["Values"], json!([1]));
    assert_eq!(send(&world, &token, "GET", "accounts", "").status, StatusCode::FORBIDDEN);
}
