//! Lists of records, as `find` gives them and `for-each` goes through them.

use stepwise_sdk::prelude::*;

use crate::words::{Operation, slice};

/// The most records that a step reads one by one, or compares with each other.
const MOST: usize = 200;
/// The most records of two lists that are combined.
const MOST_COMBINED: usize = 500;

const TOO_MANY: (&str, &str) = ("too-many", "More than 200 records would have to be read");

fn too_many() -> Failure {
    Failure::invalid_input(TOO_MANY.0, format!("`records` has more than {MOST} records"))
}

/// A record for examples.
fn example(entity: &str, number: u128) -> Reference {
    Reference::new(entity, Guid::from_u128(number))
}

/// A list of records.
#[derive(Outputs)]
pub struct List {
    /// The records
    records: Option<Vec<Reference>>,
    /// How many there are
    count: i64,
    /// The first one
    first: Option<Reference>,
    /// The last one
    last: Option<Reference>,
}

impl List {
    fn of(records: Vec<Reference>) -> Self {
        let (count, first, last) = (records.len() as i64, records.first().cloned(), records.last().cloned());
        Self { records: Some(records), count, first, last }
    }
}

/// Two lists.
#[derive(Inputs)]
pub struct Two {
    /// The first list
    first: Option<Vec<Reference>>,
    /// The second list
    second: Option<Vec<Reference>>,
    /// What becomes of them
    operation: Operation,
}

/// Combines two lists of records.
pub struct CombineRecords;

impl Step for CombineRecords {
    const NAME: &str = "collections.combine-records";
    const TITLE: &str = "Combine two lists of records";
    const DESCRIPTION: &str = "The records that are in both lists, in one of them, or in the first only; each once.";
    const ERRORS: &[(&str, &str)] = &[("too-many", "A list has more than 500 records")];
    const DETERMINISTIC: bool = true;
    type Inputs = Two;
    type Outputs = List;

    fn run(_: &Context, two: Two) -> Result<List, Failure> {
        let (first, second) = (two.first.unwrap_or_default(), two.second.unwrap_or_default());
        if first.len().max(second.len()) > MOST_COMBINED {
            return Err(Failure::invalid_input("too-many", "lists of up to 500 records can be combined"));
        }
        Ok(List::of(two.operation.of(&first, &second)))
    }

    fn examples() -> Vec<Example> {
        let task = |number| example("task", number);
        let two = Two {
            first: Some(vec![task(1), task(2)]),
            second: Some(vec![task(2), task(3)]),
            operation: Operation::Difference,
        };
        let many: Vec<Reference> = (0..501).map(task).collect();
        let long = attributes! { "first" => many, "operation" => Operation::Union };
        vec![
            Example::of::<Self>("in the first only", two).gives(List::of(vec![task(1)])),
            Example::failing("too long", long, "too-many"),
        ]
    }
}

/// A part of a list.
#[derive(Inputs)]
pub struct Part {
    /// The list
    records: Option<Vec<Reference>>,
    /// From which record on, from 1; negative ones count from the end
    #[argument(default = 1, min = -5000, max = 5000)]
    from: i64,
    /// How many records; all that are left when empty
    #[argument(min = 0, max = 5000)]
    count: Option<i64>,
    /// Whether the list is turned round first
    #[argument(default = false)]
    reversed: bool,
}

/// Takes a part of a list of records.
pub struct SliceRecords;

impl Step for SliceRecords {
    const NAME: &str = "collections.slice-records";
    const TITLE: &str = "Part of a list of records";
    const DESCRIPTION: &str = "The first ten, the last one, all but the first, from the end to the beginning.";
    const DETERMINISTIC: bool = true;
    type Inputs = Part;
    type Outputs = List;

    fn run(_: &Context, part: Part) -> Result<List, Failure> {
        let mut records = part.records.unwrap_or_default();
        if part.reversed {
            records.reverse();
        }
        Ok(List::of(slice(&records, part.from, part.count).to_vec()))
    }

    fn examples() -> Vec<Example> {
        let task = |number| example("task", number);
        let part = Part { records: Some(vec![task(1), task(2), task(3)]), from: 1, count: Some(2), reversed: true };
        vec![Example::of::<Self>("the last two", part).gives(List::of(vec![task(3), task(2)]))]
    }
}

/// A list to sort.
#[derive(Inputs)]
pub struct Unsorted {
    /// The list, up to 200 records
    records: Option<Vec<Reference>>,
    /// The attribute that they are sorted by
    #[argument(max_length = 100)]
    attribute: String,
    /// Whether the greatest comes first
    #[argument(default = false)]
    descending: bool,
}

/// Sorts records.
pub struct SortRecords;

impl Step for SortRecords {
    const NAME: &str = "collections.sort-records";
    const TITLE: &str = "Sort a list of records";
    const DESCRIPTION: &str = "By an attribute that all of them have: numbers and dates by value, texts without regard to case, empty ones first.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Retrieve])];
    const ERRORS: &[(&str, &str)] = &[TOO_MANY];
    const DETERMINISTIC: bool = true;
    type Inputs = Unsorted;
    type Outputs = List;

    fn run(context: &Context, asked: Unsorted) -> Result<List, Failure> {
        let name = asked.attribute.trim();
        let mut keyed =
            read(context, asked.records.unwrap_or_default(), name, |record, value| Some((key(&value), record)))?;
        keyed.sort_by(|left, right| left.0.cmp(&right.0));
        if asked.descending {
            keyed.reverse();
        }
        Ok(List::of(keyed.into_iter().map(|(_, record)| record).collect()))
    }

    fn examples() -> Vec<Example> {
        let task = |number| example("task", number);
        let asked =
            Unsorted { records: Some(vec![task(1), task(2)]), attribute: "percentcomplete".into(), descending: false };
        let many: Vec<Reference> = (0..201).map(task).collect();
        vec![
            Example::of::<Self>("by how far they are", asked)
                .with(task(1), attributes! { "percentcomplete" => 50 })
                .with(task(2), attributes! { "percentcomplete" => 10 })
                .gives(List::of(vec![task(2), task(1)])),
            Example::failing("too many", attributes! { "records" => many, "attribute" => "subject" }, "too-many"),
        ]
    }
}

/// Something of one attribute of each record.
fn read<T>(
    context: &Context,
    records: Vec<Reference>,
    name: &str,
    keep: impl Fn(Reference, Value) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    if records.len() > MOST {
        return Err(too_many());
    }
    let mut kept = Vec::with_capacity(records.len());
    for (number, record) in records.into_iter().enumerate() {
        if number % 16 == 0 && context.is_cancelled() {
            return Err(Failure::new(ErrorKind::Cancelled, "cancelled", "nobody waits for it any more"));
        }
        let value = context.retrieve(&record, &[name])?.get(name).clone();
        kept.extend(keep(record, value));
    }
    Ok(kept)
}

/// What values are sorted by: a number where there is one, then a text.
fn key(value: &Value) -> (u8, Decimal, String) {
    let number = |number: Decimal| (1, number, String::new());
    match value {
        Value::Null => (0, Decimal::ZERO, String::new()),
        Value::Boolean(flag) => number(Decimal::from(u8::from(*flag))),
        Value::Whole(whole) | Value::DateTime(whole) => number(Decimal::from(*whole)),
        Value::Date(whole) | Value::Choice(whole) => number(Decimal::from(*whole)),
        Value::Decimal(text) | Value::Money(text) => number(text.parse().unwrap_or_default()),
        Value::Float(float) => number(Decimal::try_from(*float).unwrap_or_default()),
        Value::Text(text) => (2, Decimal::ZERO, text.to_lowercase()),
        Value::Lookup(target) => (3, Decimal::ZERO, target.id.to_string()),
        _ => (4, Decimal::ZERO, String::new()),
    }
}

/// Records and the way from them.
#[derive(Inputs)]
pub struct From {
    /// The list, up to 200 records
    records: Option<Vec<Reference>>,
    /// The lookup that is followed from each
    #[argument(max_length = 100)]
    lookup: String,
}

/// Gathers what records point to.
pub struct Gather;

impl Step for Gather {
    const NAME: &str = "collections.gather";
    const TITLE: &str = "Follow a lookup from each record";
    const DESCRIPTION: &str = "The records that a lookup of each record names, each once: the accounts of some contacts, the owners of some tasks.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Retrieve])];
    const ERRORS: &[(&str, &str)] = &[TOO_MANY];
    const DETERMINISTIC: bool = true;
    type Inputs = From;
    type Outputs = List;

    fn run(context: &Context, from: From) -> Result<List, Failure> {
        let name = from.lookup.trim();
        let named = read(context, from.records.unwrap_or_default(), name, |_, value| match value {
            Value::Lookup(target) => Some(target),
            _ => None,
        })?;
        Ok(List::of(Operation::Union.of(&named, &[])))
    }

    fn examples() -> Vec<Example> {
        let (task, account) = (|number| example("task", number), example("account", 0x51));
        let from = From { records: Some(vec![task(1), task(2)]), lookup: "regardingobjectid".into() };
        let many: Vec<Reference> = (0..201).map(task).collect();
        vec![
            Example::of::<Self>("the account of two tasks", from)
                .with(task(1), attributes! { "regardingobjectid" => &account })
                .with(task(2), attributes! { "regardingobjectid" => &account })
                .gives(List::of(vec![account])),
            Example::failing("too many", attributes! { "records" => many, "lookup" => "ownerid" }, "too-many"),
        ]
    }
}

/// A list and a record.
#[derive(Inputs)]
pub struct Question {
    /// The list
    records: Option<Vec<Reference>>,
    /// The record that is looked for
    record: Option<Reference>,
}

/// Yes or no.
#[derive(Outputs)]
pub struct Answer {
    /// Whether the list has the record
    contains: bool,
}

/// Asks whether a list has a record.
pub struct HasRecord;

impl Step for HasRecord {
    const NAME: &str = "collections.has-record";
    const KIND: Kind = Kind::Condition;
    const TITLE: &str = "List contains a record";
    const DESCRIPTION: &str = "True when a list of records has a record in it.";
    const DETERMINISTIC: bool = true;
    type Inputs = Question;
    type Outputs = Answer;

    fn run(_: &Context, asked: Question) -> Result<Answer, Failure> {
        let records = asked.records.unwrap_or_default();
        Ok(Answer { contains: asked.record.is_some_and(|record| records.contains(&record)) })
    }

    fn examples() -> Vec<Example> {
        let task = |number| example("task", number);
        let asked = |record| Question { records: Some(vec![task(1), task(2)]), record: Some(record) };
        vec![
            Example::of::<Self>("there", asked(task(2))).gives(Answer { contains: true }),
            Example::of::<Self>("not there", asked(task(3))).gives(Answer { contains: false }),
        ]
    }
}
