//! What related records come to: how many, how much, which.

use stepwise_sdk::prelude::*;

use crate::which::{NO_LOOKUP, Which, example};

/// Which records are counted.
#[derive(Inputs)]
pub struct Counted {
    /// The entity of the records: `task`
    #[argument(max_length = 100)]
    entity: String,
    /// The lookup by which they are related to `record`: `regardingobjectid`
    #[argument(max_length = 100)]
    lookup: Option<String>,
    /// The record to which they are related
    record: Option<Reference>,
    /// An OData filter for those that count: `statecode eq 0`
    #[argument(max_length = 4000)]
    filter: Option<String>,
}

/// How many.
#[derive(Outputs)]
pub struct Number {
    /// How many there are
    count: i64,
    /// Whether there is one
    found: bool,
}

/// Counts records.
pub struct Count;

impl Step for Count {
    const NAME: &str = "records.count";
    const TITLE: &str = "Count records";
    const DESCRIPTION: &str = "How many records of an entity are related to a record, or are described by a filter.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Query])];
    const ERRORS: &[(&str, &str)] = &[NO_LOOKUP];
    const DETERMINISTIC: bool = true;
    type Inputs = Counted;
    type Outputs = Number;

    fn run(context: &Context, asked: Counted) -> Result<Number, Failure> {
        let which = Which::of(&asked.entity, asked.lookup.as_deref(), asked.record.as_ref(), asked.filter.as_deref())?;
        let mut count = 0;
        which.each(context, &[], None, |_| {
            count += 1;
            Ok(true)
        })?;
        Ok(Number { count, found: count > 0 })
    }

    fn examples() -> Vec<Example> {
        let account = example("account", 0x51);
        let counted = Counted {
            entity: "task".into(),
            lookup: Some("regardingobjectid".into()),
            record: Some(account.clone()),
            filter: None,
        };
        let lonely = attributes! { "entity" => "task", "record" => account.clone() };
        vec![
            Example::of::<Self>("the tasks of an account", counted)
                .with(example("task", 0x61), attributes! { "regardingobjectid" => &account })
                .with(example("task", 0x62), attributes! { "regardingobjectid" => &account })
                .with(example("task", 0x63), attributes! { "regardingobjectid" => example("account", 0x52) })
                .gives(Number { count: 2, found: true }),
            Example::failing("no lookup", lonely, "no-lookup"),
        ]
    }
}

/// How numbers are put together.
#[derive(Choice, Clone, Copy)]
pub enum Function {
    /// Added up
    Sum = 1,
    /// Their mean
    Average = 2,
    /// The least
    Least = 3,
    /// The greatest
    Greatest = 4,
}

/// Which numbers.
#[derive(Inputs)]
pub struct Rolled {
    /// The entity of the records
    #[argument(max_length = 100)]
    entity: String,
    /// The attribute with the numbers
    #[argument(max_length = 100)]
    attribute: String,
    /// What is done with them
    #[argument(default = Function::Sum)]
    function: Function,
    /// The lookup by which the records are related to `record`
    #[argument(max_length = 100)]
    lookup: Option<String>,
    /// The record to which they are related
    record: Option<Reference>,
    /// An OData filter for those that count
    #[argument(max_length = 4000)]
    filter: Option<String>,
}

/// What they come to.
#[derive(Outputs)]
pub struct Total {
    /// The result; of no numbers 0 as a sum, else empty
    value: Option<Decimal>,
    /// How many records have a number there
    count: i64,
}

/// Rolls numbers up.
pub struct RollUp;

impl Step for RollUp {
    const NAME: &str = "records.roll-up";
    const TITLE: &str = "Roll up a number";
    const DESCRIPTION: &str =
        "Sum, average, least or greatest of a number on related records. Empty ones do not count.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Query])];
    const ERRORS: &[(&str, &str)] = &[NO_LOOKUP, ("no-number", "The attribute holds no numbers")];
    const DETERMINISTIC: bool = true;
    type Inputs = Rolled;
    type Outputs = Total;

    fn run(context: &Context, asked: Rolled) -> Result<Total, Failure> {
        let which = Which::of(&asked.entity, asked.lookup.as_deref(), asked.record.as_ref(), asked.filter.as_deref())?;
        let mut rolled = RolledUp::default();
        let name = asked.attribute.trim();
        which.each(context, &[name], None, |record| {
            if let Some(number) = number(record.get(name), name)? {
                rolled.take(number)?;
            }
            Ok(true)
        })?;
        let value = match asked.function {
            Function::Sum => Some(rolled.sum),
            Function::Average => rolled.sum.checked_div(Decimal::from(rolled.count)).map(|mean| mean.round_dp(10)),
            Function::Least => rolled.least,
            Function::Greatest => rolled.greatest,
        };
        Ok(Total { value: value.map(|value| value.normalize()), count: rolled.count })
    }

    fn examples() -> Vec<Example> {
        let account = example("account", 0x51);
        let rolled = |function| Rolled {
            entity: "task".into(),
            attribute: "percentcomplete".into(),
            function,
            lookup: Some("regardingobjectid".into()),
            record: Some(account.clone()),
            filter: None,
        };
        let task = |number, percent: i64| {
            (example("task", number), attributes! { "regardingobjectid" => &account, "percentcomplete" => percent })
        };
        let shown = |title, function, value| {
            let [first, second] = [task(0x61, 40), task(0x62, 60)];
            let example = Example::of::<Self>(title, rolled(function));
            example.with(first.0, first.1).with(second.0, second.1).gives(Total { value: Some(value), count: 2 })
        };
        let text = attributes! { "entity" => "task", "attribute" => "subject" };
        let lonely = attributes! { "entity" => "task", "attribute" => "subject", "lookup" => "regardingobjectid" };
        vec![
            shown("the sum", Function::Sum, Decimal::from(100)),
            shown("the mean", Function::Average, Decimal::from(50)),
            shown("the greatest", Function::Greatest, Decimal::from(60)),
            Example::failing("a text", text, "no-number")
                .with(example("task", 0x61), attributes! { "subject" => "call" }),
            Example::failing("no record", lonely, "no-lookup"),
        ]
    }
}

#[derive(Default)]
struct RolledUp {
    sum: Decimal,
    count: i64,
    least: Option<Decimal>,
    greatest: Option<Decimal>,
}

impl RolledUp {
    fn take(&mut self, number: Decimal) -> Result<(), Failure> {
        let sum = self.sum.checked_add(number);
        self.sum = sum.ok_or_else(|| Failure::permanent("too-large", "the sum has more than 28 digits"))?;
        self.count += 1;
        self.least = Some(self.least.map_or(number, |least| least.min(number)));
        self.greatest = Some(self.greatest.map_or(number, |greatest| greatest.max(number)));
        Ok(())
    }
}

fn number(value: &Value, name: &str) -> Result<Option<Decimal>, Failure> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Whole(number) => Some(Decimal::from(*number)),
        Value::Decimal(text) | Value::Money(text) => text.parse().ok(),
        Value::Float(number) => Decimal::try_from(*number).ok(),
        _ => None,
    };
    let kind = value.kind();
    number
        .map(Some)
        .ok_or_else(|| Failure::invalid_input("no-number", format!("`{name}` holds {kind}, which is no number")))
}

/// Which texts.
#[derive(Inputs)]
pub struct Listed {
    /// The entity of the records
    #[argument(max_length = 100)]
    entity: String,
    /// The attribute that is listed
    #[argument(max_length = 100)]
    attribute: String,
    /// What stands between two values
    #[argument(default = ", ", max_length = 100)]
    separator: String,
    /// The lookup by which the records are related to `record`
    #[argument(max_length = 100)]
    lookup: Option<String>,
    /// The record to which they are related
    record: Option<Reference>,
    /// An OData filter for those that are listed
    #[argument(max_length = 4000)]
    filter: Option<String>,
    /// The attribute that they are ordered by; that which is listed when empty
    #[argument(max_length = 100)]
    order: Option<String>,
    /// Whether the order is turned round
    #[argument(default = false)]
    descending: bool,
    /// Whether the same value is listed once
    #[argument(default = true)]
    distinct: bool,
    /// The longest text; a value that would not fit is left out, and so are those behind it
    #[argument(default = 2000, min = 1, max = 100000)]
    length: u32,
}

/// The list.
#[derive(Outputs)]
pub struct Text {
    /// The values with the separator between them
    text: Option<String>,
    /// How many values it has
    count: i64,
    /// Whether all of them are in it
    complete: bool,
}

/// Lists a value of related records.
pub struct Concatenate;

impl Step for Concatenate {
    const NAME: &str = "records.concatenate";
    const TITLE: &str = "List related records";
    const DESCRIPTION: &str =
        "A text of one value of each related record, in order: the products of an order, the names of a team.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Query])];
    const ERRORS: &[(&str, &str)] = &[NO_LOOKUP];
    const DETERMINISTIC: bool = true;
    type Inputs = Listed;
    type Outputs = Text;

    fn run(context: &Context, asked: Listed) -> Result<Text, Failure> {
        let which = Which::of(&asked.entity, asked.lookup.as_deref(), asked.record.as_ref(), asked.filter.as_deref())?;
        let name = asked.attribute.trim();
        let order = asked.order.as_deref().map(str::trim).filter(|order| !order.is_empty()).unwrap_or(name);
        let (mut values, mut length, mut complete) = (Vec::new(), 0, true);
        let most = asked.length as usize;
        which.each(context, &[name], Some((order, asked.descending)), |record| {
            let value = shown(record.get(name));
            if value.is_empty() || asked.distinct && values.contains(&value) {
                return Ok(true);
            }
            let with =
                length + value.chars().count() + if values.is_empty() { 0 } else { asked.separator.chars().count() };
            complete = with <= most;
            if complete {
                length = with;
                values.push(value);
            }
            Ok(complete)
        })?;
        let text = values.join(&asked.separator);
        Ok(Text { text: Some(text).filter(|text| !text.is_empty()), count: values.len() as i64, complete })
    }

    fn examples() -> Vec<Example> {
        let account = example("account", 0x51);
        let listed = Listed {
            entity: "task".into(),
            attribute: "category".into(),
            separator: ", ".into(),
            lookup: Some("regardingobjectid".into()),
            record: Some(account.clone()),
            filter: None,
            order: None,
            descending: false,
            distinct: true,
            length: 2000,
        };
        let task = |category: &str| attributes! { "regardingobjectid" => &account, "category" => category };
        let lonely = attributes! { "entity" => "task", "attribute" => "subject", "record" => &account };
        vec![
            Example::of::<Self>("the categories of an account's tasks", listed)
                .with(example("task", 0x61), task("call"))
                .with(example("task", 0x62), task("call"))
                .with(example("task", 0x63), task("visit"))
                .gives(Text { text: Some("call, visit".into()), count: 2, complete: true }),
            Example::failing("no lookup", lonely, "no-lookup"),
        ]
    }
}

/// A value as people read it; what has no words is left out.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Decimal(text) | Value::Money(text) => text.trim().to_owned(),
        Value::Whole(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Choice(number) => number.to_string(),
        Value::Date(day) => Date(*day).to_string(),
        Value::DateTime(moment) => DateTime(*moment).to_string(),
        Value::Guid(id) => id.to_string(),
        Value::Lookup(target) => target.id.to_string(),
        _ => String::new(),
    }
}
