//! What lies behind records: expanded, followed, linked and unlinked, created together.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::{BASE, World};

/// An account with two contacts and a task on each, the first contact its primary one.
fn world() -> (World, String, Vec<String>) {
    let world = World::new();
    let account = world.create("accounts", &json!({"name": "Ada"}));
    let mut contacts = Vec::new();
    for name in ["Bea", "Cid"] {
        let bound = json!({"fullname": name, "parentcustomerid_account@odata.bind": format!("/accounts({account})")});
        let contact = world.create("contacts", &bound);
        let task = json!({"subject": format!("Call {name}"), "regardingobjectid_contact@odata.bind": format!("/contacts({contact})")});
        world.create("tasks", &task);
        contacts.push(contact);
    }
    let bind = json!({"primarycontactid@odata.bind": format!("/contacts({})", contacts[0])});
    world.send("PATCH", &format!("accounts({account})"), &[], &bind.to_string());
    (world, account, contacts)
}

fn texts<'a>(list: &'a Json, name: &str) -> Vec<&'a str> {
    list.as_array().unwrap_or_else(|| panic!("{list}")).iter().map(|item| item[name].as_str().expect("text")).collect()
}

#[test]
fn a_lookup_is_expanded_with_what_is_selected_there() {
    let (world, account, contacts) = world();
    let body =
        world.get(&format!("accounts({account})?$select=name&$expand=primarycontactid($select=fullname)")).json();
    assert_eq!(body["@odata.context"], format!("{BASE}/$metadata#accounts(name,primarycontactid(fullname))/$entity"));
    let contact = &body["primarycontactid"];
    assert_eq!((&contact["fullname"], &contact["contactid"]), (&json!("Bea"), &json!(contacts[0])));
    assert!(contact["@odata.etag"].is_string() && contact.get("lastname").is_none(), "{contact}");
    assert!(body.get("_primarycontactid_value").is_none(), "{body}");
    world.create("accounts", &json!({"name": "Without"}));
    let page = world.get("accounts?$orderby=name&$expand=primarycontactid").json();
    assert!(page["value"][1]["primarycontactid"].is_null(), "{page}");
}

#[test]
fn a_list_is_expanded_filtered_sorted_and_cut() {
    let (world, account, _) = world();
    let path = |inner: &str| format!("accounts({account})?$select=name&$expand=contact_customer_accounts({inner})");
    let list = |inner: &str| world.get(&path(inner)).json()["contact_customer_accounts"].clone();
    assert_eq!(texts(&list("$select=fullname;$orderby=fullname%20desc"), "fullname"), ["Cid", "Bea"]);
    assert_eq!(texts(&list("$filter=contains(fullname,'d');$top=5"), "fullname"), ["Cid"]);
    assert_eq!(texts(&list("$orderby=fullname;$top=1"), "fullname"), ["Bea"]);
    let counted = world.get(&path("$count=true;$top=1")).json();
    assert_eq!(counted["contact_customer_accounts@odata.count"], 2);
    let cut = world.send("GET", &path("$select=fullname"), &[("prefer", "odata.maxpagesize=1")], "").json();
    let next = cut["contact_customer_accounts@odata.nextLink"].as_str().expect("a link");
    let rest = world.get(next.strip_prefix(BASE).expect("absolute").trim_start_matches('/')).json();
    let mut both = texts(&cut["contact_customer_accounts"], "fullname");
    both.extend(texts(&rest["value"], "fullname"));
    assert_eq!(both, ["Bea", "Cid"]);
}

#[test]
fn expansions_lie_within_each_other() {
    let (world, _, _) = world();
    let tasks = "Contact_Tasks($select=subject;$expand=regardingobjectid_contact_task($select=fullname))";
    let body =
        world.get(&format!("accounts?$expand=contact_customer_accounts($orderby=fullname;$expand={tasks})")).json();
    let task = &body["value"][0]["contact_customer_accounts"][1]["Contact_Tasks"][0];
    assert_eq!(task["subject"], "Call Cid");
    assert_eq!(task["regardingobjectid_contact_task"]["fullname"], "Cid");
}

#[test]
fn what_cannot_be_expanded_is_refused_with_its_place() {
    let (world, _, _) = world();
    for (expand, part) in [
        ("nothing", "`$expand`: `account` has no navigation `nothing`; it has "),
        ("primarycontactid($select=nme)", "in `primarycontactid` of `$expand`: `contact` has no attribute `nme`"),
        ("primarycontactid($top=1)", "`$expand`: `$top` is not possible in `primarycontactid`, which is a lookup"),
        ("primarycontactid(", "`$expand`: `primarycontactid(` lacks its closing parenthesis"),
        (
            "contact_customer_accounts($filter=nme%20eq%201)",
            "in `contact_customer_accounts` of `$expand`: `$filter`, column 1: ",
        ),
        ("contact_customer_accounts($top)", "`$expand`: `$top` in `contact_customer_accounts` is not `$option=value`"),
        ("contact_customer_accounts($top=1;$top=2)", "`$expand`: `$top` stands twice in `contact_customer_accounts`"),
    ] {
        let (status, _, message) = world.get(&format!("accounts?$expand={expand}")).refusal();
        assert_eq!(status, 400, "{expand}");
        assert!(message.starts_with(part), "{expand}: {message}");
    }
    let (_, _, message) = world.get("contacts?$expand=parentcustomerid").refusal();
    assert_eq!(
        message,
        "`$expand`: `parentcustomerid` leads to records of several entities: expand `parentcustomerid_account` or \
         `parentcustomerid_contact`"
    );
    let deep = (0..12).fold(String::from("parentaccountid"), |inner, _| format!("parentaccountid($expand={inner})"));
    let (_, _, message) = world.get(&format!("accounts?$expand={deep}")).refusal();
    assert!(message.ends_with("`$expand` goes more than 10 levels deep"), "{message}");
}

#[test]
fn a_path_follows_lookups_and_lists() {
    let (world, account, contacts) = world();
    let at = |rest: &str| world.get(&format!("accounts({account})/{rest}"));
    assert_eq!(at("primarycontactid?$select=fullname").json()["fullname"], "Bea");
    assert_eq!(
        texts(&at("contact_customer_accounts?$filter=fullname%20eq%20'Cid'").json()["value"], "fullname"),
        ["Cid"]
    );
    assert_eq!(at("contact_customer_accounts/$count").text, "2");
    assert_eq!(at("name/$value").text, "Ada");
    assert_eq!(at("primarycontactid/$ref").json()["@odata.id"], format!("{BASE}/contacts({})", contacts[0]));
    assert_eq!(at("contact_customer_accounts/$ref").json()["value"].as_array().map(Vec::len), Some(2));
    assert_eq!(at("parentaccountid").status, StatusCode::NO_CONTENT);
    assert_eq!(at("nothing").status, StatusCode::NOT_FOUND);
    let nobody = "0192f5a0-0000-7000-8000-00000000ffff";
    assert_eq!(world.get(&format!("accounts({nobody})/contact_customer_accounts")).status, StatusCode::NOT_FOUND);
}

#[test]
fn links_are_made_and_taken_away_by_reference() {
    let (world, account, contacts) = world();
    let reference = |id: &str| json!({"@odata.id": format!("{BASE}//contacts({id})")}).to_string();
    let send =
        |method: &str, path: &str, body: &str| world.send(method, &format!("accounts({account})/{path}"), &[], body);
    let primary = || world.get(&format!("accounts({account})")).json()["_primarycontactid_value"].clone();
    assert_eq!(send("PUT", "primarycontactid/$ref", &reference(&contacts[1])).status, StatusCode::NO_CONTENT);
    assert_eq!(primary(), json!(contacts[1]));
    assert_eq!(send("DELETE", "primarycontactid/$ref", "").status, StatusCode::NO_CONTENT);
    assert!(primary().is_null());
    let list = "contact_customer_accounts";
    assert_eq!(send("DELETE", &format!("{list}({})/$ref", contacts[0]), "").status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&format!("accounts({account})/{list}/$count")).text, "1");
    assert_eq!(send("DELETE", &format!("{list}({})/$ref", contacts[0]), "").status, StatusCode::NOT_FOUND);
    assert_eq!(send("POST", &format!("{list}/$ref"), &reference(&contacts[0])).status, StatusCode::NO_CONTENT);
    let by_option = format!("{list}/$ref?$id=contacts({})", contacts[1]);
    assert_eq!(send("DELETE", &by_option, "").status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&format!("accounts({account})/{list}/$count")).text, "1");
    for (method, path, body, sentence) in [
        (
            "POST",
            format!("{list}/$ref"),
            "{}".to_owned(),
            "the body lacks `@odata.id`, the address of the record".to_owned(),
        ),
        (
            "DELETE",
            format!("{list}/$ref"),
            String::new(),
            format!("`{list}` leads to several records: say which, as in `{list}(id)/$ref`"),
        ),
        (
            "PUT",
            "primarycontactid/$ref".to_owned(),
            json!({"@odata.id": format!("accounts({account})")}).to_string(),
            "`primarycontactid` leads to records of `contact`, not of `account`".to_owned(),
        ),
    ] {
        assert_eq!(send(method, &path, &body).refusal().2, sentence);
    }
}

#[test]
fn members_of_a_team_are_a_list_on_both_sides() {
    let world = World::new();
    let team = world.create("teams", &json!({"name": "Escalations"}));
    let user = world.create("systemusers", &json!({"fullname": "Ada"}));
    let members = format!("teams({team})/teammembership_association");
    let address = json!({"@odata.id": format!("{BASE}/systemusers({user})")}).to_string();
    assert_eq!(world.send("POST", &format!("{members}/$ref"), &[], &address).status, StatusCode::NO_CONTENT);
    let users = world.get(&format!("{members}?$select=fullname")).json();
    assert_eq!(texts(&users["value"], "fullname"), ["Ada"]);
    let teams = world.get(&format!("systemusers({user})?$expand=teammembership_association($select=name)")).json();
    assert_eq!(texts(&teams["teammembership_association"], "name"), ["Escalations"]);
    let everybody =
        world.get("systemusers?$select=fullname&$orderby=fullname%20desc&$expand=teammembership_association").json();
    assert_eq!(everybody["value"][0]["teammembership_association"], json!([]));
    let member = format!("{members}({user})/$ref");
    assert_eq!(world.send("DELETE", &member, &[], "").status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&format!("{members}/$count")).text, "0");
    let action = format!("teams({team})/Microsoft.Dynamics.CRM.AddMembersTeam");
    let body =
        json!({"Members": [{"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": user}]}).to_string();
    for path in [&action, &action] {
        assert_eq!(world.send("POST", path, &[], &body).status, StatusCode::NO_CONTENT);
        assert_eq!(world.get(&format!("{members}/$count")).text, "1");
    }
    let action = format!("teams({team})/Microsoft.Dynamics.CRM.RemoveMembersTeam");
    assert_eq!(world.send("POST", &action, &[], &body).status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&format!("{members}/$count")).text, "0");
}

#[test]
fn records_within_a_record_are_created_with_it_or_not_at_all() {
    let world = World::new();
    let deep = json!({
        "name": "Ada",
        "primarycontactid": {"fullname": "Bea", "Contact_Tasks": [{"subject": "Call"}, {"subject": "Write"}]},
        "contact_customer_accounts": [{"fullname": "Cid"}],
    });
    let account = world.create("accounts", &deep);
    let tasks = "primarycontactid($expand=Contact_Tasks($orderby=subject))";
    let body = world.get(&format!("accounts({account})?$expand={tasks},contact_customer_accounts")).json();
    assert_eq!(texts(&body["primarycontactid"]["Contact_Tasks"], "subject"), ["Call", "Write"]);
    assert_eq!(texts(&body["contact_customer_accounts"], "fullname"), ["Cid"]);
    let broken = json!({"name": "Dan", "primarycontactid": {"fullname": "Eve", "Contact_Tasks": [{"subject": null}]}});
    assert_eq!(world.send("POST", "accounts", &[], &broken.to_string()).refusal().1, "required");
    assert_eq!(world.get("contacts/$count").text, "2");
    let bound = world.get("contacts?$select=fullname&$filter=fullname%20eq%20'Cid'").json();
    let bound = format!("/contacts({})", bound["value"][0]["contactid"].as_str().expect("an id"));
    let other = world.create("accounts", &json!({"name": "Fay", "contact_customer_accounts@odata.bind": [bound]}));
    assert_eq!(world.get(&format!("accounts({other})/contact_customer_accounts/$count")).text, "1");
    for (body, sentence) in [
        (json!([1]), "`contact_customer_accounts` of `account` is a list of records"),
        (json!({}), "`contact_customer_accounts` of `account` is a list of records"),
    ] {
        let body = json!({"name": "x", "contact_customer_accounts": body}).to_string();
        assert_eq!(world.send("POST", "accounts", &[], &body).refusal().2, sentence);
    }
    let within = json!({"primarycontactid": {"fullname": "x"}}).to_string();
    let refused = world.send("PATCH", &format!("accounts({account})"), &[], &within).refusal();
    assert_eq!(refused.2, "records within a record are written with a create only");
}
