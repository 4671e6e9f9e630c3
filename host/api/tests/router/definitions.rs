//! What the schema says of itself, as clients ask before they write.

use serde_json::json;

use super::World;

#[test]
fn entities_are_found_by_name_and_cut_to_what_is_asked() {
    let world = World::new();
    // As one client asks before it writes anything.
    let path =
        "EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName+eq+'account'";
    let body = world.get(path).json();
    let found = body["value"].as_array().expect("a list");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["EntitySetName"], &found[0]["PrimaryIdAttribute"]),
        (&json!("accounts"), &json!("accountid"))
    );
    let keys: Vec<&String> = found[0].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["MetadataId", "LogicalName", "EntitySetName", "PrimaryIdAttribute"]);
    let by_id = world
        .get(&format!("EntityDefinitions({})?$select=LogicalName", found[0]["MetadataId"].as_str().expect("an id")))
        .json();
    assert_eq!(by_id["LogicalName"], "account");
    let all = world.get("EntityDefinitions?$filter=IsPrivate%20eq%20false&$select=LogicalName&$count=true").json();
    assert_eq!(Some(all["value"].as_array().expect("a list").len() as u64), all["@odata.count"].as_u64());
    assert!(all["@odata.count"].as_u64() > Some(10), "{all}");
}

#[test]
fn choices_come_with_their_options_by_the_cast_to_their_kind() {
    let world = World::new();
    let kind = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata";
    let path = format!(
        "EntityDefinitions(LogicalName='account')/Attributes/{kind}?$select=LogicalName&$expand=OptionSet($select=Options)"
    );
    let body = world.get(&path).json();
    let choices = body["value"].as_array().expect("a list");
    let category = choices.iter().find(|one| one["LogicalName"] == "accountcategorycode").expect("a choice");
    assert_eq!(category["OptionSet"]["Options"][0]["Value"], 1);
    assert_eq!(category["OptionSet"]["Options"][0]["Label"]["UserLocalizedLabel"]["Label"], "Preferred customer");
    assert!(choices.iter().all(|one| one["@odata.type"] == format!("#{kind}").as_str()));
    let one = world
        .get("EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')?$select=MaxLength,AttributeType")
        .json();
    assert_eq!((&one["MaxLength"], &one["AttributeType"]), (&json!(160), &json!("String")));
    let expanded = world.get("EntityDefinitions(LogicalName='contact')?$select=LogicalName&$expand=Attributes($select=LogicalName;$filter=AttributeType%20eq%20'Lookup'),Keys").json();
    let lookups: Vec<_> =
        expanded["Attributes"].as_array().expect("a list").iter().map(|one| one["LogicalName"].clone()).collect();
    assert!(lookups.contains(&json!("parentcustomerid")) && !lookups.contains(&json!("fullname")), "{lookups:?}");
}

#[test]
fn navigations_are_described_from_both_sides() {
    let world = World::new();
    let of = |entity: &str, kind: &str| {
        world.get(&format!("EntityDefinitions(LogicalName='{entity}')/{kind}")).json()["value"].clone()
    };
    let lists = of("account", "OneToManyRelationships");
    let contacts = lists
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["SchemaName"] == "contact_customer_accounts")
        .expect("one");
    assert_eq!(contacts["ReferencingEntityNavigationPropertyName"], "parentcustomerid_account");
    let lookups = of("contact", "ManyToOneRelationships");
    let back = lookups.as_array().expect("a list").iter().find(|one| one["SchemaName"] == "contact_customer_accounts");
    assert_eq!(back, Some(contacts));
    let many = of("team", "ManyToManyRelationships");
    assert!(many.as_array().expect("a list").iter().any(|one| one["Entity2LogicalName"] == "systemuser"), "{many}");
}

#[test]
fn what_is_not_described_is_refused_in_words() {
    let world = World::new().with_tickets();
    assert_eq!(
        world.get("EntityDefinitions(LogicalName='ticket')/Keys").json()["value"][0]["KeyAttributes"],
        json!(["number"])
    );
    for (path, status, sentence) in [
        ("EntityDefinitions(LogicalName='nothing')", 404, "there is no entity `LogicalName='nothing'`"),
        ("EntityDefinitions(nothing)", 400, "`nothing` is neither a GUID nor `LogicalName='name'`"),
        (
            "EntityDefinitions(LogicalName='account')/Nothing",
            404,
            "there is nothing at `EntityDefinitions(LogicalName='account')/Nothing`",
        ),
        (
            "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='nme')",
            404,
            "`account` has nothing at `Attributes(LogicalName='nme')`",
        ),
        (
            "EntityDefinitions(LogicalName='account')/Attributes/Microsoft.Dynamics.CRM.Nothing",
            404,
            "there is no kind of attribute `Nothing`",
        ),
        ("EntityDefinitions?$orderby=LogicalName", 501, "`$orderby` of definitions is not supported by this version"),
        ("EntityDefinitions?$filter=Nothing%20eq%201", 400, "definitions have no `Nothing` here"),
        (
            "EntityDefinitions?$filter=contains(LogicalName,'a')",
            400,
            "`$filter` of definitions compares by `eq` and `ne`, joined by `and` and `or`; not `contains(LogicalName,'a')`",
        ),
        ("EntityDefinitions?$expand=Nothing", 400, "definitions have no `Nothing` here"),
    ] {
        let (found, _, message) = world.get(path).refusal();
        assert_eq!((found, message.as_str()), (status, sentence), "{path}");
    }
    assert_eq!(world.send("POST", "EntityDefinitions", &[], "{}").status.as_u16(), 405);
}
