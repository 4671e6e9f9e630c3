//! Functions and actions: how they are addressed, what they are given, and what they say.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::{BASE, World};

#[test]
fn a_function_is_asked_with_or_without_parentheses_and_namespace() {
    let world = World::new();
    let user = engine::administrator().id.to_string();
    for path in ["WhoAmI", "WhoAmI()", "Microsoft.Dynamics.CRM.WhoAmI", "Microsoft.Dynamics.CRM.WhoAmI()"] {
        let body = world.get(path).json();
        assert_eq!(body["UserId"], user.as_str(), "{path}");
        assert_eq!(body["@odata.context"], format!("{BASE}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"));
    }
    assert_eq!(
        world
            .get("RetrieveCurrentOrganization(AccessType=@p1)?@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Default'")
            .status,
        StatusCode::OK
    );
}

#[test]
fn arguments_come_as_literals_or_by_aliases_in_any_quotes() {
    let world = World::new();
    world.accounts(&["Ada", "Bea"]);
    for path in [
        "RetrieveTotalRecordCount(EntityNames=@p1)?@p1=['account','contact']",
        "RetrieveTotalRecordCount(EntityNames=@p1)?@p1=%5B%22account%22,%22contact%22%5D",
        "RetrieveTotalRecordCount(EntityNames=['account','contact'])",
    ] {
        let body = world.get(path).json();
        let counts = &body["EntityRecordCountCollection"];
        assert_eq!((&counts["Keys"], &counts["Values"]), (&json!(["account", "contact"]), &json!([2, 0])), "{path}");
    }
}

#[test]
fn a_message_that_cannot_be_understood_is_refused_with_its_place() {
    let world = World::new();
    let account = &world.accounts(&["Ada"])[0];
    let of_account = format!("accounts({account})/Microsoft.Dynamics.CRM.AddMembersTeam");
    for (method, path, body, status, sentence) in [
        ("GET", "Nothing", "", 404, "there is no entity set, function or action `Nothing`"),
        ("POST", "Nothing", "{}", 404, "there is no entity set, function or action `Nothing`"),
        ("GET", "accounts/Nothing", "", 404, "there is no function or action `Nothing` of `accounts`"),
        ("POST", "WhoAmI", "{}", 405, "`WhoAmI` is a function: send it with GET"),
        ("GET", "accounts/CreateMultiple", "", 405, "`CreateMultiple` is an action: send it with POST"),
        ("GET", "WhoAmI(x=1)", "", 400, "`WhoAmI` has no parameters, and so no `x`"),
        ("GET", "WhoAmI(x)", "", 400, "`x` is neither a GUID nor `attribute=value`"),
        ("GET", "RetrieveTotalRecordCount", "", 400, "`RetrieveTotalRecordCount` lacks its `EntityNames`"),
        (
            "GET",
            "RetrieveTotalRecordCount(EntityNames=@p1)",
            "",
            400,
            "`EntityNames` of `RetrieveTotalRecordCount` is `@p1`, which has no value in the query",
        ),
        (
            "GET",
            "RetrieveTotalRecordCount(EntityNames=@p1)?@p1=['account",
            "",
            400,
            "`EntityNames` of `RetrieveTotalRecordCount` cannot be read: `['account`",
        ),
        (
            "GET",
            "RetrieveTotalRecordCount(EntityNames='account')",
            "",
            400,
            "`EntityNames` of `RetrieveTotalRecordCount` is a list",
        ),
        ("GET", "RetrieveTotalRecordCount(EntityNames=['nothing'])", "", 404, "there is no entity `nothing`"),
        (
            "POST",
            "accounts/CreateMultiple",
            r#"{"Goals":[]}"#,
            400,
            "`CreateMultiple` has no parameter `Goals`; it has `Targets`",
        ),
        (
            "POST",
            "accounts/CreateMultiple",
            r#"{"Targets":[{"name":"x"},1]}"#,
            400,
            "`Targets[1]` of `CreateMultiple` is an object",
        ),
        (
            "POST",
            &of_account,
            "{}",
            404,
            "`AddMembersTeam` is bound to a record of `team`, as in `teams(id)/AddMembersTeam`",
        ),
        ("POST", "accounts/WhoAmI", "{}", 404, "`WhoAmI` is bound to nothing: its address is `WhoAmI` alone"),
    ] {
        let path = path.replace('"', "%22");
        let (found, _, message) = world.send(method, &path, &[], body).refusal();
        assert_eq!((found, message.as_str()), (status, sentence), "{method} {path}");
    }
}

fn multiple(world: &World, message: &str, targets: &Json) -> super::Answer {
    let body = json!({ "Targets": targets }).to_string();
    world.send("POST", &format!("accounts/Microsoft.Dynamics.CRM.{message}"), &[], &body)
}

#[test]
fn several_records_are_created_updated_and_upserted_at_once() {
    let world = World::new();
    let kind = "Microsoft.Dynamics.CRM.account";
    let made =
        multiple(&world, "CreateMultiple", &json!([{"name": "Ada", "@odata.type": kind}, {"name": "Bea"}])).json();
    let ids: Vec<&str> = made["Ids"].as_array().expect("ids").iter().map(|id| id.as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 2);
    let updated = multiple(
        &world,
        "UpdateMultiple",
        &json!([
            {"accountid": ids[0], "telephone1": "1"},
            {"@odata.id": format!("accounts({})", ids[1]), "telephone1": "2"},
        ]),
    );
    assert_eq!(updated.status, StatusCode::NO_CONTENT, "{}", updated.text);
    assert_eq!(world.get(&format!("accounts({})", ids[1])).json()["telephone1"], "2");
    let new = "0192f5a0-0000-7000-8000-00000000ffff";
    let upserted = multiple(
        &world,
        "UpsertMultiple",
        &json!([
            {"accountid": ids[0], "telephone1": "3"},
            {"accountid": new, "name": "Cid"},
            {"name": "Dan"},
        ]),
    )
    .json();
    let created: Vec<&Json> =
        upserted["Results"].as_array().expect("results").iter().map(|one| &one["RecordCreated"]).collect();
    assert_eq!(created, [false, true, true]);
    assert_eq!(upserted["Results"][1]["Target"]["@odata.id"], format!("accounts({new})"));
    assert_eq!(world.get("accounts/$count").text, "4");
}

#[test]
fn several_records_are_one_unit_of_work() {
    let world = World::new();
    let refused = multiple(&world, "CreateMultiple", &json!([{"name": "Ada"}, {"nme": "Bea"}])).refusal();
    assert_eq!(refused.2, "`Targets[1]`: `account` has no attribute `nme`");
    assert_eq!(multiple(&world, "CreateMultiple", &json!([{"name": "Ada"}, {}])).refusal().1, "required");
    assert_eq!(world.get("accounts/$count").text, "0");
    let unnamed = multiple(&world, "UpdateMultiple", &json!([{"name": "Ada"}])).refusal();
    assert_eq!(unnamed.2, "`Targets[0]`: no record is named: write its `accountid`, or `@odata.id` with its address");
}

#[test]
fn upserts_by_an_alternate_key_find_their_record() {
    let world = World::new().with_tickets();
    let body = json!({"Targets": [{"number": 1, "title": "One"}, {"@odata.id": "tickets(number=2)", "title": "Two"}]})
        .to_string();
    for created in [true, false] {
        let answer = world.send("POST", "tickets/Microsoft.Dynamics.CRM.UpsertMultiple", &[], &body).json();
        assert_eq!(
            (&answer["Results"][0]["RecordCreated"], &answer["Results"][1]["RecordCreated"]),
            (&json!(created), &json!(created))
        );
    }
    assert_eq!(world.get("tickets(number=2)").json()["title"], "Two");
}

#[test]
fn an_alias_may_stand_in_a_filter_and_an_order() {
    let world = World::new();
    world.accounts(&["Ada", "Bea"]);
    let body = world.get("accounts?$filter=name%20eq%20@p1&$orderby=@p2&@p1='Bea'&@p2=name").json();
    assert_eq!(body["value"][0]["name"], "Bea");
    let (_, _, message) = world.get("accounts?$filter=name%20eq%20@p1").refusal();
    assert_eq!(message, "`@p1` has no value in the query");
    assert_eq!(
        world.get("accounts?$filter=Microsoft.Dynamics.CRM.Today(PropertyName='createdon')").json()["value"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

/// A world with a global action and one bound to tickets.
fn with_actions() -> World {
    let world = World::new().with_tickets();
    let header = "kind: solution\nname: calls\nversion: 1.0.0\nprefix: cal\n";
    let greet = "kind: action\nname: greet\nentity: none\ninputs: { whom: { type: text, required: true } }\n\
                 outputs: { words: { type: text } }\nsteps:\n  - { assign-value: { outputs.words: \"Hello ${inputs.whom}\" } }\n";
    let close = "kind: action\nname: close\nentity: ticket\ninputs: { instead: { type: lookup, to: ticket } }\n\
                 outputs: { was: { type: lookup, to: ticket } }\nsteps:\n  \
                 - { update: record, set: { title: closed, parentid: \"= inputs.instead\" } }\n  \
                 - { assign-value: { outputs.was: \"= record\" } }\n";
    let gather = "kind: action\nname: gather\nentity: none\ninputs:\n  tickets: { type: records, to: ticket, required: true }\n  \
                  first: { type: record, to: ticket }\noutputs:\n  number: { type: whole }\n  same: { type: records, to: ticket }\n\
                  steps:\n  - id: all\n    for-each: \"= inputs.tickets\"\n    limit: 10\n    steps:\n      \
                  - { update: item, set: { title: \"after ${inputs.first.title}\" } }\n  \
                  - { assign-value: { outputs.number: \"= all.count\", outputs.same: \"= inputs.tickets\" } }\n";
    let count = "/*---\naction: calls.count\ninputs: { prefix: { type: text, required: true } }\n\
                 outputs: { number: { type: whole } }\n---*/\n#{ number: length(inputs.prefix) }\n";
    let reopen = "/*---\naction: calls.reopen\nentity: ticket\nuses: { ticket: [update] }\n---*/\n\
                  update(record(), #{ title: \"open\" });\n";
    let files = [
        ("solution.yaml", header),
        ("processes/greet.yaml", greet),
        ("processes/close.yaml", close),
        ("processes/gather.yaml", gather),
        ("scripts/count.rhai", count),
        ("scripts/reopen.rhai", reopen),
    ];
    let files = files.map(|(path, text)| formats::SourceFile::new(path, text)).to_vec();
    let caller = world.engine.caller(engine::administrator());
    let applied = world.engine.apply_solution(&caller, files, engine::ApplyOptions::default());
    applied.unwrap_or_else(|failure| panic!("{failure:?}"));
    world
}

#[test]
fn the_metadata_lists_the_actions_of_processes() {
    let world = with_actions();
    let answer = world.get("$metadata");
    for expected in [
        "<Action Name=\"cal_close\" IsBound=\"true\"><Parameter Name=\"entity\" Type=\"mscrm.ticket\" Nullable=\"false\"/>\
         <Parameter Name=\"instead\" Type=\"mscrm.ticket\"/><ReturnType Type=\"mscrm.cal_closeResponse\" Nullable=\"false\"/></Action>",
        "<ComplexType Name=\"cal_closeResponse\"><Property Name=\"was\" Type=\"mscrm.ticket\"/></ComplexType>",
        "<Action Name=\"cal_greet\"><Parameter Name=\"whom\" Type=\"Edm.String\" Nullable=\"false\"/>",
        "<ActionImport Name=\"cal_greet\" Action=\"mscrm.cal_greet\"/>",
        // Scripts that are actions are actions like any.
        "<Action Name=\"cal_count\"><Parameter Name=\"prefix\" Type=\"Edm.String\" Nullable=\"false\"/>\
         <ReturnType Type=\"mscrm.cal_countResponse\" Nullable=\"false\"/></Action>",
        "<ActionImport Name=\"cal_count\" Action=\"mscrm.cal_count\"/>",
        "<Action Name=\"cal_reopen\" IsBound=\"true\"><Parameter Name=\"entity\" Type=\"mscrm.ticket\" Nullable=\"false\"/>\
         </Action>",
    ] {
        assert!(answer.text.contains(expected), "{expected} is not in {}", answer.text);
    }
}

#[test]
fn actions_of_processes_are_called_bound_and_unbound() {
    let world = with_actions();
    for path in ["greet", "Microsoft.Dynamics.CRM.greet"] {
        let body = world.send("POST", path, &[], r#"{"whom":"Ada"}"#).json();
        assert_eq!(body["words"], "Hello Ada", "{body}");
    }
    let ids = [1, 2].map(|number| world.create("tickets", &json!({"title": "open", "number": number})));
    let path = format!("tickets({})/Microsoft.Dynamics.CRM.close", ids[0]);
    let instead = json!({"instead": {"@odata.type": "Microsoft.Dynamics.CRM.ticket", "ticketid": ids[1]}});
    let body = world.send("POST", &path, &[], &instead.to_string()).json();
    assert_eq!(body["was"]["ticketid"], ids[0].as_str(), "{body}");
    let ticket = world.get(&format!("tickets({})", ids[0])).json();
    assert_eq!((&ticket["title"], &ticket["_parentid_value"]), (&json!("closed"), &json!(ids[1])));
    for (method, path, body, status, sentence) in [
        ("GET", "greet", "", 405, "`greet` is an action: send it with POST"),
        ("POST", "greet", r#"{"who":"Ada"}"#, 400, "`greet` has no parameter `who`; it has `whom`"),
        ("POST", "greet", r#"{"whom":7}"#, 400, "`whom` holds text, not `7`"),
        (
            "POST",
            "close",
            "{}",
            404,
            "`close` is bound to a record of `ticket`, as in `tickets(id)/Microsoft.Dynamics.CRM.close`",
        ),
    ] {
        let (found, _, message) = world.send(method, path, &[], body).refusal();
        assert_eq!((found, message.as_str()), (status, sentence), "{method} {path} {body}");
    }
}

#[test]
fn records_are_handed_to_an_action_alone_and_in_lists() {
    let world = with_actions();
    let ids =
        [1, 2, 3].map(|number| world.create("tickets", &json!({"title": format!("No {number}"), "number": number})));
    let ticket = |id: &String| json!({"@odata.type": "#Microsoft.Dynamics.CRM.ticket", "ticketid": id});
    let call = |body: Json| world.send("POST", "gather", &[], &body.to_string());
    let by_address = json!({"@odata.id": format!("tickets({})", ids[2])});
    let body = call(json!({"tickets": [ticket(&ids[1]), by_address], "first": ticket(&ids[0])})).json();
    let same: Vec<_> = body["same"].as_array().into_iter().flatten().map(|one| one["ticketid"].clone()).collect();
    assert_eq!((&body["number"], same), (&json!(2), vec![json!(ids[1]), json!(ids[2])]), "{body}");
    assert_eq!(world.get(&format!("tickets({})", ids[2])).json()["title"], "after No 1");
    let account = world.accounts(&["Ada"])[0].clone();
    let account = json!({"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": account});
    for (body, status, sentence) in [
        (json!({"tickets": ticket(&ids[0])}), 400, "`tickets` holds records, not an object"),
        (json!({"tickets": [{"title": "No 1"}]}), 400, "`tickets` of `gather` names no record"),
        (json!({"tickets": [account]}), 400, "`tickets` cannot point to `account`"),
        (json!({"first": ticket(&ids[0])}), 400, "`tickets` of `gather` is required"),
    ] {
        let (found, _, message) = call(body).refusal();
        assert!(found == status && message.starts_with(sentence), "{found} {message}");
    }
}

#[test]
fn queues_are_filled_and_emptied_by_clients() {
    let world = World::new();
    let account = world.accounts(&["Ada"])[0].clone();
    let (calls, letters) =
        (world.create("queues", &json!({"name": "Calls"})), world.create("queues", &json!({"name": "Letters"})));
    let target = json!({"Target": {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": account}}).to_string();
    let add =
        |queue: &str| world.send("POST", &format!("queues({queue})/Microsoft.Dynamics.CRM.AddToQueue"), &[], &target);
    let item = add(&calls).json()["QueueItemId"].as_str().expect("an id").to_owned();
    assert_eq!(add(&letters).json()["QueueItemId"], item.as_str(), "it is moved");
    let read = || world.get(&format!("queueitems({item})")).json();
    assert_eq!((&read()["_queueid_value"], &read()["title"]), (&json!(letters), &json!("Ada")));
    let admin = engine::administrator().id.to_string();
    let user =
        json!({"SystemUser": {"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": admin}}).to_string();
    let send = |message: &str, body: &str| world.send("POST", &format!("queueitems({item})/{message}"), &[], body);
    assert_eq!(send("PickFromQueue", &user).status, 204);
    assert_eq!(read()["_workerid_value"], admin.as_str());
    assert_eq!(send("ReleaseToQueue", "{}").status, 204);
    assert_eq!(read()["_workerid_value"], Json::Null);
    assert_eq!(send("RemoveFromQueue", "{}").status, 204);
    assert_eq!(send("RemoveFromQueue", "{}").refusal().0, 404);
}
