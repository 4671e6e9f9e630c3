//! Queries: what is selected, filtered, sorted, counted, and page by page.

use axum::http::StatusCode;
use serde_json::json;

use super::World;

fn world() -> World {
    let world = World::new();
    for (name, employees) in [("Ada", 5), ("Bea & Cid", 3), ("Dan", 9), ("Eve", 1), ("Fay", 7)] {
        world.create("accounts", &json!({"name": name, "numberofemployees": employees}));
    }
    world
}

fn names(world: &World, path: &str) -> Vec<String> {
    let answer = world.get(path);
    let body = answer.json();
    let records = body["value"].as_array().unwrap_or_else(|| panic!("{path}: {body}")).iter();
    records.map(|record| record["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn records_are_filtered_and_sorted_however_the_client_escapes() {
    let world = world();
    let expected = ["Dan", "Fay"];
    for path in [
        "accounts?$filter=numberofemployees%20gt%205&$orderby=numberofemployees%20desc",
        "accounts?%24filter=numberofemployees+gt+5&%24orderby=numberofemployees+desc",
    ] {
        assert_eq!(names(&world, path), expected, "{path}");
    }
    assert_eq!(names(&world, "accounts?$filter=contains(name,'%26')"), ["Bea & Cid"]);
    assert_eq!(names(&world, "accounts?$orderby=name&$top=2"), ["Ada", "Bea & Cid"]);
}

#[test]
fn a_count_is_of_all_that_fit() {
    let world = world();
    let body = world.get("accounts?$count=true&$top=1&$filter=numberofemployees%20lt%208").json();
    assert_eq!(body["@odata.count"], 4);
    assert_eq!(body["value"].as_array().map(Vec::len), Some(1));
}

#[test]
fn pages_lead_to_each_other_until_the_last() {
    let world = world();
    let prefer = [("prefer", "odata.maxpagesize=2")];
    let mut path = "accounts?$select=name&$orderby=name&$filter=contains(name,'a')%20or%20name%20ge%20'B'".to_owned();
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        let body = world.send("GET", &path, &prefer, "").json();
        let records = body["value"].as_array().unwrap_or_else(|| panic!("{path}: {body}"));
        found.extend(records.iter().map(|record| record["name"].as_str().expect("a name").to_owned()));
        pages += 1;
        let Some(link) = body["@odata.nextLink"].as_str() else { break };
        // As one client does it: its own prefix off, the rest as it is.
        path = link.strip_prefix("http://crm.example/api/data/v9.2/").expect("the client's own prefix").to_owned();
    }
    assert_eq!(found, ["Ada", "Bea & Cid", "Dan", "Eve", "Fay"]);
    assert_eq!(pages, 3);
}

#[test]
fn selected_columns_come_with_the_id_and_nothing_else() {
    let world = world();
    let body = world.get("accounts?$select=name&$top=1&$orderby=name").json();
    let keys: Vec<&str> = body["value"][0].as_object().expect("a record").keys().map(String::as_str).collect();
    assert_eq!(keys, ["@odata.etag", "name", "accountid"]);
}

#[test]
fn records_are_found_by_what_is_on_their_lists() {
    let world = world();
    let id = |name: &str| {
        let body = world.get(&format!("accounts?$select=name&$filter=name%20eq%20'{name}'")).json();
        body["value"][0]["accountid"].as_str().expect("an id").to_owned()
    };
    for (company, name) in [("Ada", "Gil"), ("Ada", "Hal"), ("Dan", "Ina")] {
        let bound = format!("/accounts({})", id(company));
        world.create("contacts", &json!({"fullname": name, "parentcustomerid_account@odata.bind": bound}));
    }
    let list = "contact_customer_accounts";
    for (filter, expected) in [
        (format!("{list}/any()"), vec!["Ada", "Dan"]),
        (format!("{list}/any(c:c/fullname eq 'Gil')"), vec!["Ada"]),
        (format!("{list}/any() and not {list}/any(c:c/fullname eq 'Gil')"), vec!["Dan"]),
        (format!("{list}/all(c:c/fullname eq 'Ina') and numberofemployees gt 5"), vec!["Dan", "Fay"]),
    ] {
        let filter = filter.replace(' ', "%20");
        assert_eq!(names(&world, &format!("accounts?$orderby=name&$filter={filter}")), expected, "{filter}");
    }
    let team = world.create("teams", &json!({"name": "Escalations"}));
    let user = engine::administrator().id;
    let member = json!({"systemuserid@odata.bind": format!("/systemusers({user})"), "teamid@odata.bind": format!("/teams({team})")});
    world.create("teammemberships", &member);
    let filter = "teammembership_association/any(t:t/name%20eq%20'Escalations')";
    assert_eq!(world.get(&format!("systemusers/$count?$filter={filter}")).text, "1");
}

#[test]
fn what_a_query_cannot_mean_is_refused_with_its_place() {
    let world = world();
    for (path, part) in [
        ("accounts?$filter=nme%20eq%20'x'", "`$filter`, column 1: "),
        ("accounts?$orderby=nme", "`$orderby`, column 1: "),
        ("accounts?$select=nme", "`account` has no attribute `nme`"),
        ("accounts?$top=few", "`$top` is a whole number, not `few`"),
        ("accounts?$nothing=1", "there is no query option `$nothing`"),
        ("accounts?$top=1&%24top=2", "`$top` stands twice in the query"),
    ] {
        let (status, _, message) = world.get(path).refusal();
        assert_eq!(status, 400, "{path}");
        assert!(message.starts_with(part), "{path}: {message}");
    }
}

#[test]
fn a_method_that_an_address_does_not_know_is_refused() {
    let world = world();
    for (method, path) in [("PUT", "accounts"), ("POST", "accounts/$count"), ("POST", "$metadata")] {
        assert_eq!(world.send(method, path, &[], "").status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    }
}
