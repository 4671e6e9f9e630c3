//! Filters and orders: what they mean, where their mistakes are, and that no bytes break the parser.

use std::fmt::Write;

use model::{
    Date, Decimal, EntityId, Money, RecordId, RecordRef, Timestamp, Value,
    condition::TextPlace,
    query::{Comparison, Operand},
};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::testing::schema;

const GUID: &str = "0191d4a2-0000-7000-8000-00000000002a";

fn read(text: &str) -> Result<Filter, Diagnostic> {
    let schema = schema();
    let now = Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment");
    let complaint = schema.named("complaint").expect("an entity");
    parse_at(text, complaint, &schema, &Environment::at(now))
}

/// The filter as it is printed again.
#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let filter = read(text).unwrap_or_else(|found| panic!("{text}: {found}"));
        assert_eq!(print(&filter), *expected, "{text}");
        assert_eq!(read(&print(&filter)), Ok(filter), "{text}");
    }
}

#[test]
fn comparisons_are_typed_by_their_attribute() {
    check(&[
        ("title eq 'It''s'", "title eq 'It''s'"),
        ("touched  gt  -5", "touched gt -5"),
        ("weight le 2.50", "weight le 2.50"),
        ("amount ge 10", "amount ge 10"),
        ("urgent eq true", "urgent eq true"),
        ("urgent", "urgent eq true"),
        ("not urgent and urgent", "(not (urgent eq true)) and (urgent eq true)"),
        ("receivedon lt 2026-11-20", "receivedon lt 2026-11-20"),
        ("receivedon lt '2026-11-20T09:00:00Z'", "receivedon lt 2026-11-20"),
        ("senton ge 2026-11-20T10:00:00+01:00", "senton ge 2026-11-20T09:00:00Z"),
        ("severity eq 'high' or severity eq 1", "(severity eq 3) or (severity eq 1)"),
        ("statecode eq 'resolved' and statuscode ne 4", "(statecode eq 1) and (statuscode ne 4)"),
        ("title ne null", "title ne null"),
        ("3 lt touched", "touched gt 3"),
        ("touched in (1, 2,3)", "touched in (1,2,3)"),
        ("weight gt touched", "weight gt touched"),
        ("contains(title,'fee') eq false", "not (contains(title,'fee'))"),
        ("startswith(product, '') and endswith(product,'e')", "(startswith(product,'')) and (endswith(product,'e'))"),
    ]);
}

#[test]
fn records_on_lists_are_asked_by_any_and_all() {
    let list = "complaint_complaint_parentid";
    check(&[
        (&format!("{list}/any()"), &format!("{list}/any()")),
        (
            &format!("{list}/any(c:c/touched eq 1) and urgent"),
            &format!("({list}/any(x:x/touched eq 1)) and (urgent eq true)"),
        ),
        (&format!("not {list}/any(c: c/title eq 'c/x')"), &format!("not ({list}/any(x:x/title eq 'c/x'))")),
    ]);
    let all = read(&format!("{list}/all(c:c/touched eq 1)")).expect("a filter");
    let none = read(&format!("not {list}/any(c:not (c/touched eq 1))")).expect("a filter");
    assert_eq!(all, none);
    for (text, message) in [
        (format!("{list}/any(c:touched eq 1)"), "this is no attribute of the records of the list"),
        (format!("{list}/any(touched eq 1)"), "a name for the records and a colon are missing here"),
        (format!("{list}/all()"), "a name for the records and a colon are missing here"),
        (format!("{list}/any(c:c/touched eq 1"), "`)` is missing here"),
        (format!("{list}/any(c:c/nothing/any(d:d/x eq 1))"), "`complaint` has no list `nothing`"),
        ("contactid/nothing/any()".to_owned(), "`any` has no place here"),
    ] {
        let found = read(&text).expect_err(&text);
        assert_eq!(found.message, message, "{text}");
    }
}

#[test]
fn and_binds_more_than_or() {
    check(&[
        ("urgent or urgent and urgent", "(urgent eq true) or ((urgent eq true) and (urgent eq true))"),
        ("(urgent or urgent) and urgent", "((urgent eq true) or (urgent eq true)) and (urgent eq true)"),
        ("not touched eq 1 and urgent", "(not (touched eq 1)) and (urgent eq true)"),
    ]);
}

#[test]
fn lookups_are_named_in_each_of_their_ways() {
    let schema = schema();
    let complaint = schema.named("complaint").expect("an entity");
    let lookup = |name: &str| complaint.attribute(name).expect(name).id;
    let contact = schema.named("contact").expect("an entity");
    let id = Uuid::parse_str(GUID).expect("a guid");
    let equals = |operand, value| Ok(Filter::Compare { operand, comparison: Comparison::Equal, value });
    let reference = Value::Reference(RecordRef::new(contact.id, RecordId(id)));
    for name in ["contactid", "_contactid_value"] {
        let expected = equals(Operand::Attribute(lookup("contactid")), reference.clone());
        assert_eq!(read(&format!("{name} eq {GUID}")), expected);
        assert_eq!(read(&format!("{name} eq '{GUID}'")), expected);
    }
    // Which entity is meant follows from the id alone.
    let customer = Operand::Attribute(lookup("customerid"));
    assert_eq!(read(&format!("_customerid_value eq {GUID}")), equals(customer, Value::Guid(id)));
    assert_eq!(read(&format!("complaintid eq {GUID}")), equals(Operand::Id, Value::Guid(id)));
    check(&[
        ("contactid/fullname eq 'Ada'", "contactid/fullname eq 'Ada'"),
        ("contactid/parentcustomerid/name eq 'Ada'", "contactid/parentcustomerid/name eq 'Ada'"),
        ("customerid_account/name eq 'Ada'", "customerid_account/name eq 'Ada'"),
        ("regardingobjectid_contact_complaint/fullname eq 'A'", "regardingobjectid_contact/fullname eq 'A'"),
    ]);
}

#[test]
fn functions_of_the_web_api_are_understood() {
    check(&[
        ("Microsoft.Dynamics.CRM.In(PropertyName='statuscode',PropertyValues=['1','2'])", "statuscode in (1,2)"),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='contactid/fullname',PropertyValues=['A'])",
            "contactid/fullname in ('A')",
        ),
        (
            "Microsoft.Dynamics.CRM.NotIn(PropertyName='severity',PropertyValues=['high'])",
            "(severity ne null) and (not (severity in (3)))",
        ),
        (
            "Microsoft.Dynamics.CRM.Between(PropertyName='touched',PropertyValues=[1,'5'])",
            "(touched ge 1) and (touched le 5)",
        ),
        (
            "Microsoft.Dynamics.CRM.LastXDays(PropertyName='receivedon',PropertyValue=7)",
            "(receivedon ge 2026-11-13) and (receivedon le 2026-11-20)",
        ),
        (
            "Microsoft.Dynamics.CRM.Today(PropertyName='senton')",
            "(senton ge 2026-11-20T00:00:00Z) and (senton lt 2026-11-21T00:00:00Z)",
        ),
        (
            "Microsoft.Dynamics.CRM.LastXHours(PropertyName='senton',PropertyValue='3')",
            "(senton ge 2026-11-20T06:00:00Z) and (senton le 2026-11-20T09:00:00Z)",
        ),
        (
            "Microsoft.Dynamics.CRM.NextMonth(PropertyName='receivedon')",
            "(receivedon ge 2026-12-01) and (receivedon le 2026-12-31)",
        ),
    ]);
    let topics = read("Microsoft.Dynamics.CRM.ContainValues(PropertyName='topics',PropertyValues=['1','high'])");
    let Ok(Filter::In { values, .. }) = topics else { panic!("{topics:?}") };
    assert_eq!(values, [Value::Choice(1), Value::Choice(3)]);
    let id = "00000000-0000-0000-0000-000000000007";
    for (function, property, wants) in [
        ("Under", "complaintid", "or_is: false"),
        ("UnderOrEqual", "_parentid_value", "or_is: true"),
        ("NotUnder", "parentid", "Not(Under"),
    ] {
        let text = format!("Microsoft.Dynamics.CRM.{function}(PropertyName='{property}',PropertyValue='{id}')");
        let found = format!("{:?}", read(&text));
        assert!(found.contains("Under {") && found.contains(wants), "{text}: {found}");
    }
    let none = read(&format!("Microsoft.Dynamics.CRM.Under(PropertyName='contactid',PropertyValue='{id}')"));
    assert!(none.is_err_and(|problem| problem.message == "`contact` has no hierarchy"));
}

#[test]
fn a_mistake_is_told_with_its_place() {
    for (text, column, message, hint) in [
        ("titel eq 'x'", 1, "`complaint` has no attribute `titel`", Some("did you mean `title`?")),
        ("title == 'x'", 7, "a comparison is missing here", Some("such as `eq 3`")),
        ("title = 'x'", 7, "a comparison is missing here", Some("such as `eq 3`")),
        ("title > 'x'", 7, "`>` has no place here", Some("write eq, ne, gt, ge, lt or le")),
        ("title equals 'x'", 7, "`equals` is no comparison", Some("write eq, ne, gt, ge, lt, le or in")),
        ("title eq x", 10, "`complaint` has no attribute `x`", None),
        ("title eq 5", 10, "`title` is compared with text in single quotes, which this is not", Some("write '5'")),
        (
            "touched eq '5'",
            12,
            "`touched` is compared with a number, which this is not",
            Some("write the number without quotes"),
        ),
        (
            "severity eq 'hgh'",
            13,
            "`severity` is compared with one of its options, by number or by name in quotes, which this is not",
            Some("did you mean 'high'?"),
        ),
        (
            "title eq 'x",
            10,
            "the text has no closing quote",
            Some("a quote inside of a text is written twice: 'it''s'"),
        ),
        ("title eq \"x\"", 10, "`\"` has no place here", Some("text stands in single quotes: 'text'")),
        ("(urgent", 8, "`)` is missing here", None),
        ("urgent)", 7, "this bracket closes nothing", None),
        ("urgent urgent", 8, "`urgent` is no comparison", Some("write eq, ne, gt, ge, lt, le or in")),
        ("title eq 'a' title eq 'b'", 14, "`and` or `or` is missing before this", None),
        ("", 1, "an attribute or a value is missing here", None),
        ("urgent and", 11, "an attribute or a value is missing here", None),
        (
            "customerid/name eq 'x'",
            1,
            "`customerid` can point to records of several entities",
            Some("name the one that is meant: `customerid_account/...`"),
        ),
        ("title/name eq 'x'", 1, "`title` is no lookup, so nothing lies behind it", None),
        ("contains(touched,'x')", 10, "only text can be searched so", None),
        ("contians(title,'x')", 1, "there is no function `contians`", Some("did you mean `contains`?")),
        ("parentid/any(o:o/touched eq 1)", 1, "`complaint` has no list `parentid`", None),
        ("1 eq 1", 1, "one side of a comparison must be an attribute", None),
        ("title gt touched", 1, "attributes of these types do not compare", None),
        (
            "receivedon gt soon-ish",
            15,
            "`receivedon` is compared with a date, which this is not",
            Some("such as 2026-11-20"),
        ),
        (
            "Microsoft.Dynamics.CRM.Inn(PropertyName='x')",
            1,
            "the function `Inn` is not known",
            Some("did you mean `In`?"),
        ),
    ] {
        let found = read(text).expect_err(text);
        let shown = (found.column, found.message.as_str(), found.hint.as_deref());
        assert_eq!(shown, (column, message, hint), "{text}");
    }
}

#[test]
fn depth_and_size_are_limited() {
    let deep = |depth: usize| format!("{}urgent{}", "(".repeat(depth), ")".repeat(depth));
    assert!(read(&deep(DEEPEST - 1)).is_ok());
    assert!(read(&deep(DEEPEST)).is_err());
    assert!(read(&format!("{}urgent", "not ".repeat(5_000))).is_err());
    assert!(read(&format!("title eq '{}'", "x".repeat(LONGEST))).is_err());
    assert!(read(&format!("{}name eq 'x'", "parentid/".repeat(9))).is_err());
}

#[test]
fn an_order_names_attributes_and_directions() {
    let schema = schema();
    let complaint = schema.named("complaint").expect("an entity");
    let sorts = order("severity desc, contactid/fullname asc,title", complaint, &schema).expect("an order");
    let printed: Vec<_> = sorts.iter().map(|sort| (name_of(&sort.by), sort.descending)).collect();
    let expected = [("severity", true), ("contactid/fullname", false), ("title", false)];
    assert_eq!(printed, expected.map(|(name, descending)| (name.to_owned(), descending)));
    for (text, column) in [("severity down", 10), ("", 1), ("title,", 7), ("titel", 1)] {
        let found = order(text, complaint, &schema).expect_err(text);
        assert_eq!(found.column, column, "{text}: {found}");
    }
    assert!(order(&["title"; 17].join(","), complaint, &schema).is_err());
}

// A printer for the round trip: filters as text, in brackets wherever two parts meet.

fn print(filter: &Filter) -> String {
    let parts = |parts: &[Filter], joint: &str| -> String {
        parts.iter().map(|part| format!("({})", print(part))).collect::<Vec<_>>().join(joint)
    };
    match filter {
        Filter::All(inside) => parts(inside, " and "),
        Filter::Any(inside) => parts(inside, " or "),
        Filter::Not(inside) => format!("not ({})", print(inside)),
        Filter::Compare { operand, comparison, value } => {
            format!("{} {} {}", name_of(operand), sign(*comparison), literal(value))
        }
        Filter::Between { left, comparison, right } => {
            format!("{} {} {}", name_of(left), sign(*comparison), name_of(right))
        }
        Filter::In { operand, values } => {
            format!("{} in ({})", name_of(operand), values.iter().map(literal).collect::<Vec<_>>().join(","))
        }
        Filter::Text { operand, place, text } => {
            let function = match place {
                TextPlace::Contains => "contains",
                TextPlace::Starts => "startswith",
                TextPlace::Ends => "endswith",
            };
            format!("{function}({},{})", name_of(operand), literal(&Value::Text(text.clone())))
        }
        Filter::Under { .. } => panic!("no test prints a hierarchy"),
        Filter::Listed { filter, .. } => match &**filter {
            Filter::All(parts) if parts.is_empty() => "complaint_complaint_parentid/any()".to_owned(),
            Filter::Compare { operand, comparison, value } => {
                let (name, sign) = (name_of(operand), sign(*comparison));
                format!("complaint_complaint_parentid/any(x:x/{name} {sign} {})", literal(value))
            }
            other => panic!("no test has {other:?} within a list"),
        },
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "eq",
        Comparison::NotEqual => "ne",
        Comparison::Greater => "gt",
        Comparison::AtLeast => "ge",
        Comparison::Less => "lt",
        Comparison::AtMost => "le",
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Boolean(value) => value.to_string(),
        Value::Whole(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::Money(value) => value.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Date(date) => date.to_string(),
        Value::DateTime(moment) => moment.to_string(),
        Value::Guid(guid) => guid.to_string(),
        Value::Choice(number) => number.to_string(),
        Value::Reference(record) => record.id.to_string(),
        other => panic!("{other:?}"),
    }
}

fn name_of(operand: &Operand) -> String {
    fn write(operand: &Operand, entity: EntityId, schema: &Schema, text: &mut String) {
        let entity = schema.entity(entity).expect("an entity");
        let name = |attribute| entity.attribute_by_id(attribute).expect("an attribute");
        match operand {
            Operand::Id => text.push_str(&entity.id_name()),
            Operand::Attribute(attribute) => text.push_str(name(*attribute).name().as_str()),
            Operand::Related { lookup, entity, operand } => {
                let lookup = name(*lookup);
                let several = lookup.targets.as_ref().is_none_or(|targets| targets.len() > 1);
                let _ = match several {
                    true => write!(text, "{}_{}/", lookup.name(), schema.name_of(*entity)),
                    false => write!(text, "{}/", lookup.name()),
                };
                write(operand, *entity, schema, text);
            }
        }
    }
    let schema = schema();
    let mut text = String::new();
    write(operand, schema.named("complaint").expect("an entity").id, &schema, &mut text);
    text
}

fn any_comparison() -> impl Strategy<Value = Comparison> {
    use Comparison as C;
    prop::sample::select(vec![C::Equal, C::NotEqual, C::Greater, C::AtLeast, C::Less, C::AtMost])
}

/// An operand with a value of its type.
fn any_pair() -> impl Strategy<Value = (Operand, Value)> {
    let schema = schema();
    let complaint = schema.named("complaint").expect("an entity").clone();
    let contact = schema.named("contact").expect("an entity").clone();
    let own = move |name: &str| Operand::Attribute(complaint.attribute(name).expect(name).id);
    let Operand::Attribute(lookup) = own("contactid") else { panic!("an attribute") };
    let fullname = contact.attribute("fullname").expect("an attribute").id;
    let behind = Operand::Related { lookup, entity: contact.id, operand: Box::new(Operand::Attribute(fullname)) };
    let guid = any::<u128>().prop_map(Uuid::from_u128);
    let (id, target) = (guid.clone(), contact.id);
    let date = (-200_000..200_000i32).prop_map(|days| Value::Date(Date::from_days(days).expect("a date")));
    let second = (-9_000_000_000..9_000_000_000i64).prop_map(|second| second * 1_000_000);
    let moment = second.prop_map(|micros| Value::DateTime(Timestamp::from_micros(micros).expect("a moment")));
    let decimal = (any::<i64>(), 0..10u32).prop_map(|(digits, scale)| Decimal::new(digits, scale));
    let money = (any::<i32>(), 0..4u32)
        .prop_map(|(digits, scale)| Value::Money(Money::new(Decimal::new(digits.into(), scale))));
    let with =
        |operand: Operand, value: BoxedStrategy<Value>| value.prop_map(move |value| (operand.clone(), value)).boxed();
    let text = || ".{0,12}".prop_map(Value::text).boxed();
    prop::strategy::Union::new([
        with(own("title"), text()),
        with(behind, text()),
        with(own("touched"), any::<i64>().prop_map(Value::Whole).boxed()),
        with(own("weight"), decimal.prop_map(Value::Decimal).boxed()),
        with(own("amount"), money.boxed()),
        with(own("urgent"), any::<bool>().prop_map(Value::Boolean).boxed()),
        with(own("receivedon"), date.boxed()),
        with(own("senton"), moment.boxed()),
        with(own("severity"), any::<i32>().prop_map(Value::Choice).boxed()),
        with(own("token"), guid.clone().prop_map(Value::Guid).boxed()),
        with(Operand::Id, guid.prop_map(Value::Guid).boxed()),
        with(own("contactid"), id.prop_map(move |id| Value::Reference(RecordRef::new(target, RecordId(id)))).boxed()),
    ])
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let compare = (any_pair(), any_comparison(), any::<bool>()).prop_map(|((operand, value), comparison, empty)| {
        let value = if empty { Value::Null } else { value };
        Filter::Compare { operand, comparison, value }
    });
    let several = (any_pair(), 1..4usize)
        .prop_map(|((operand, value), count)| Filter::In { operand, values: vec![value; count] });
    let search = any_pair().prop_filter_map("text only", |(operand, value)| match value {
        Value::Text(text) => Some(Filter::Text { operand, place: TextPlace::Starts, text }),
        _ => None,
    });
    let leaf = prop_oneof![4 => compare, 1 => several, 1 => search];
    leaf.prop_recursive(4, 24, 3, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 2..4).prop_map(Filter::All),
            prop::collection::vec(inside.clone(), 2..4).prop_map(Filter::Any),
            inside.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #[test]
    fn a_filter_survives_being_printed_and_read(filter in any_filter()) {
        let text = print(&filter);
        prop_assert_eq!(read(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn no_text_makes_it_fall(text in "(?s).{0,80}") {
        let _ = read(&text);
    }

    #[test]
    fn no_order_of_words_makes_it_fall(words in prop::collection::vec(prop::sample::select(vec![
        "title", "touched", "contactid", "/", "fullname", "eq", "ne", "in", "and", "or", "not", "(", ")", "[", "]", ",", "'x'", "5", "-1.5", "null",
        "true", "contains(", "Microsoft.Dynamics.CRM.In(", "PropertyName", "PropertyValues", "=", "'touched'", "Microsoft.Dynamics.CRM.LastXDays(", "any(", "2026-11-20", GUID,
    ]), 0..16), spaced: bool) {
        let text = words.join(if spaced { " " } else { "" });
        let schema = schema();
        let complaint = schema.named("complaint").expect("an entity");
        let _ = read(&text);
        let _ = order(&text, complaint, &schema);
    }
}
