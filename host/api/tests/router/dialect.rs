//! What clients' parsers insist on, rule by rule of the dialect.

use api::ApiSettings;
use axum::http::StatusCode;
use serde_json::json;

use super::{BASE, World};

#[test]
fn a_create_says_where_the_record_is_and_the_address_ends_in_its_id() {
    let world = World::new();
    let answer = world.send("POST", "accounts", &[], r#"{"name":"Ada"}"#);
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.text, "");
    let address = answer.header("odata-entityid");
    let id = &address[address.len() - 37..address.len() - 1];
    assert_eq!(address, format!("{BASE}/accounts({id})"));
    assert_eq!(answer.header("location"), address);
    assert!(uuid::Uuid::parse_str(id).is_ok(), "{id}");
}

#[test]
fn json_says_so_and_a_count_is_plain_text() {
    let world = World::new();
    world.accounts(&["Ada", "Bea"]);
    assert!(world.get("accounts").header("content-type").starts_with("application/json"));
    let count = world.get("accounts/$count");
    assert!(count.header("content-type").starts_with("text/plain"));
    assert_eq!(count.text, "2");
    assert_eq!(world.get("accounts/$count?$filter=name%20eq%20'Ada'").text, "1");
}

#[test]
fn etags_are_weak_and_hexadecimal_and_on_every_record() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let record = world.get(&format!("accounts({id})"));
    assert_eq!(record.header("etag"), "W/\"1\"");
    assert_eq!(record.json()["@odata.etag"], "W/\"1\"");
    assert_eq!(world.get("accounts").json()["value"][0]["@odata.etag"], "W/\"1\"");
}

#[test]
fn the_context_of_selected_columns_names_them() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let context = |path: &str| world.get(path).json()["@odata.context"].as_str().expect("text").to_owned();
    let one = context(&format!("accounts({id})?$select=name,revenue"));
    assert_eq!(one, format!("{BASE}/$metadata#accounts(name,revenue)/$entity"));
    assert_eq!(context(&format!("accounts({id})")), format!("{BASE}/$metadata#accounts/$entity"));
    assert_eq!(context("accounts?$select=name"), format!("{BASE}/$metadata#accounts(name)"));
}

#[test]
fn a_refusal_under_the_data_service_is_in_odatas_form_and_never_a_page() {
    let world = World::new();
    for (path, status) in [
        ("nothing", 404),
        ("accounts(1)", 400),
        ("accounts?$filter=nme%20eq%20'x'", 400),
        ("/api/data/v8.2/accounts", 404),
        ("accounts?$apply=aggregate($count%20as%20n)", 501),
    ] {
        let answer = world.get(path);
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        assert!(answer.header("content-type").starts_with("application/json"), "{path}");
        let error = &answer.json()["error"];
        assert!(error["code"].as_str().is_some_and(|code| code.starts_with("0x8") && code.len() == 10), "{path}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{path}");
        assert_eq!(error["innererror"]["message"], error["message"], "{path}");
        assert!(!answer.header("x-ms-service-request-id").is_empty(), "{path}");
    }
}

#[test]
fn moments_have_seconds_and_nothing_finer() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    assert_eq!(world.get(&format!("accounts({id})")).json()["createdon"], "2026-11-20T09:00:00Z");
}

#[test]
fn every_answer_tells_the_version_and_honoured_preferences() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let paths = [format!("accounts({id})"), "nothing".to_owned(), "accounts/$count".to_owned(), String::new()];
    for path in paths {
        assert_eq!(world.get(&path).header("odata-version"), "4.0", "{path}");
    }
    let page = world.send("GET", "accounts", &[("prefer", "odata.maxpagesize=1,odata.include-annotations=\"*\"")], "");
    let applied = page.header("preference-applied");
    assert_eq!(applied, "odata.maxpagesize=1,odata.include-annotations=\"*\"");
}

#[test]
fn a_lookup_is_shown_by_its_id_with_annotations_where_they_are_wanted() {
    let world = World::new();
    let contact = world.create("contacts", &json!({"fullname": "Cid"}));
    let bound = json!({"name": "Ada", "primarycontactid@odata.bind": format!("/contacts({contact})")});
    let account = world.create("accounts", &bound);
    let path = format!("accounts({account})?$select=primarycontactid,statuscode");
    let plain = world.get(&path).json();
    assert_eq!(plain["_primarycontactid_value"], contact.as_str());
    assert_eq!(plain.as_object().map(|object| object.len()), Some(5), "{plain}");
    let annotated = world.send("GET", &path, &[("prefer", "odata.include-annotations=\"*\"")], "").json();
    let value = "_primarycontactid_value";
    assert_eq!(annotated[format!("{value}@OData.Community.Display.V1.FormattedValue")], "Cid");
    assert_eq!(annotated[format!("{value}@Microsoft.Dynamics.CRM.lookuplogicalname")], "contact");
    assert_eq!(annotated[format!("{value}@Microsoft.Dynamics.CRM.associatednavigationproperty")], "primarycontactid");
    assert!(annotated["statuscode@OData.Community.Display.V1.FormattedValue"].is_string(), "{annotated}");
}

#[test]
fn links_follow_the_public_address_and_a_trusted_proxy() {
    let proxied = [("x-forwarded-host", "p.example"), ("x-forwarded-proto", "https"), ("x-forwarded-prefix", "/crm")];
    let link = |settings: ApiSettings| {
        let world = World::with(settings);
        world.accounts(&["Ada", "Bea"]);
        let headers = [&[("prefer", "odata.maxpagesize=1")], &proxied[..]].concat();
        let body = world.send("GET", "accounts", &headers, "").json();
        body["@odata.nextLink"].as_str().expect("a link").split('?').next().expect("an address").to_owned()
    };
    let public = ApiSettings { public_url: Some("https://x.example/sub/".into()), ..ApiSettings::default() };
    assert_eq!(link(public), "https://x.example/sub/api/data/v9.2/accounts");
    let trusted = ApiSettings { behind_proxy: true, ..ApiSettings::default() };
    assert_eq!(link(trusted), "https://p.example/crm/api/data/v9.2/accounts");
    assert_eq!(link(ApiSettings::default()), format!("{BASE}/accounts"));
}

#[test]
fn pages_of_allowed_origins_may_read_the_headers_they_need() {
    let world = World::with(ApiSettings { cors_origins: vec!["https://app.example".into()], ..ApiSettings::default() });
    let answer = world.send("GET", "accounts", &[("origin", "https://app.example")], "");
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
    let exposed = answer.header("access-control-expose-headers");
    for name in ["OData-EntityId", "ETag", "Preference-Applied", "Location"] {
        assert!(exposed.contains(name), "{exposed}");
    }
    let asked = world.send("OPTIONS", "accounts", &[("origin", "https://app.example"), ("authorization", "")], "");
    assert_eq!(asked.status, StatusCode::NO_CONTENT);
    let stranger = world.send("GET", "accounts", &[("origin", "https://evil.example")], "");
    assert!(stranger.headers.get("access-control-allow-origin").is_none());
}

#[test]
fn without_a_good_token_nothing_is_said() {
    let world = World::new();
    for authorization in ["", "Bearer ", "Bearer swt_00", "Basic eDp5"] {
        let answer = world.send("GET", "accounts", &[("authorization", authorization)], "");
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{authorization}");
        assert_eq!(answer.header("www-authenticate"), "Bearer, Basic realm=\"stepwise\"");
        assert!(answer.json()["error"]["message"].is_string());
    }
}

#[test]
fn any_ninth_version_is_served_and_double_slashes_collapse() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    for path in [
        format!("/api/data/v9.0/accounts({id})"),
        format!("/api/data/v9.17/accounts({id})"),
        format!("/api/data/v9.2//accounts({id})"),
    ] {
        assert_eq!(world.get(&path).json()["name"], "Ada", "{path}");
    }
    let context = world.get(&format!("/api/data/v9.0/accounts({id})")).json()["@odata.context"].clone();
    assert_eq!(context, "http://crm.example/api/data/v9.0/$metadata#accounts/$entity");
}

#[test]
fn the_service_document_lists_the_sets_and_who_am_i_tells_the_user() {
    let world = World::new();
    let sets = world.get("").json();
    let names: Vec<&str> =
        sets["value"].as_array().expect("a list").iter().filter_map(|set| set["name"].as_str()).collect();
    assert!(names.contains(&"accounts") && names.contains(&"tasks"), "{names:?}");
    for path in ["WhoAmI", "WhoAmI()"] {
        let me = world.get(path).json();
        let user = me["UserId"].as_str().expect("an id");
        assert_eq!(world.get(&format!("systemusers({user})?$select=fullname")).json()["fullname"], "Administrator");
        assert!(me["BusinessUnitId"].is_string() && me["OrganizationId"].is_string(), "{me}");
    }
}

#[test]
fn the_metadata_is_xml_with_every_entity() {
    let world = World::new();
    let answer = world.get("$metadata");
    assert!(answer.header("content-type").starts_with("application/xml"));
    for part in [
        "<EntityType Name=\"account\"><Key><PropertyRef Name=\"accountid\"/></Key>",
        "<Property Name=\"_primarycontactid_value\" Type=\"Edm.Guid\"/>",
        "<NavigationProperty Name=\"primarycontactid\" Type=\"mscrm.contact\">",
        "<EntitySet Name=\"accounts\" EntityType=\"mscrm.account\">",
    ] {
        assert!(answer.text.contains(part), "{part}");
    }
}

#[test]
fn links_follow_the_address_where_there_is_no_header_for_the_host() {
    let world = World::new();
    // As it comes over HTTP/2.
    let address = "http://crm.example:8443/api/data/v9.2/WhoAmI";
    let request =
        axum::http::Request::builder().uri(address).header("authorization", format!("Bearer {}", world.token));
    let answer = world.answer(request.body(axum::body::Body::empty()).expect("a request"));
    let context = answer.json()["@odata.context"].as_str().map(str::to_owned).expect("a context");
    assert!(context.starts_with("http://crm.example:8443/api/data/v9.2/$metadata"), "{context}");
}
