//! Lists of words: a text with a separator between its items. White space around an item does not count, nor do empty ones.

use std::cmp::Ordering;

use stepwise_sdk::prelude::*;

/// The items of a text.
fn items<'t>(text: &'t Option<String>, separator: &str) -> Vec<&'t str> {
    let text = text.as_deref().unwrap_or_default();
    let parts: Vec<&str> = if separator.is_empty() { vec![text] } else { text.split(separator).collect() };
    parts.into_iter().map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// The items as a text; none where there are none.
fn joined(items: &[&str], separator: &str) -> Option<String> {
    // What was split at a comma reads better with a space behind it.
    let between = if separator == "," { ", " } else { separator };
    Some(items.join(between)).filter(|text| !text.is_empty())
}

/// The form in which items are compared.
fn folded(item: &str) -> String {
    item.to_lowercase()
}

fn distinct<'i>(items: impl IntoIterator<Item = &'i str>) -> Vec<&'i str> {
    let mut seen = std::collections::BTreeSet::new();
    items.into_iter().filter(|item| seen.insert(folded(item))).collect()
}

/// A list to sort.
#[derive(Inputs)]
pub struct Unsorted {
    /// The list
    #[argument(max_length = 100000)]
    items: Option<String>,
    /// What stands between its items
    #[argument(default = ",", max_length = 10)]
    separator: String,
    /// Whether the greatest comes first
    #[argument(default = false)]
    descending: bool,
    /// Whether the same item, but for case, is kept once
    #[argument(default = true)]
    distinct: bool,
    /// Whether the list stays in its order
    #[argument(default = false)]
    as_it_is: bool,
}

/// A list.
#[derive(Outputs)]
pub struct List {
    /// The list
    items: Option<String>,
    /// How many items it has
    count: i64,
    /// Its first item
    first: Option<String>,
    /// Its last item
    last: Option<String>,
}

impl List {
    fn of(items: &[&str], separator: &str) -> Self {
        let owned = |item: Option<&&str>| item.map(|item| (*item).to_owned());
        Self {
            items: joined(items, separator),
            count: items.len() as i64,
            first: owned(items.first()),
            last: owned(items.last()),
        }
    }
}

/// Sorts a list.
pub struct Sort;

impl Step for Sort {
    const NAME: &str = "collections.sort";
    const TITLE: &str = "Sort a list";
    const DESCRIPTION: &str =
        "Sorts a list of words or numbers, and keeps each item once. Numbers come before words, by their value.";
    const DETERMINISTIC: bool = true;
    type Inputs = Unsorted;
    type Outputs = List;

    fn run(_: &Context, asked: Unsorted) -> Result<List, Failure> {
        let mut list = items(&asked.items, &asked.separator);
        if asked.distinct {
            list = distinct(list);
        }
        if !asked.as_it_is {
            let mut keyed: Vec<(Option<Decimal>, String, &str)> =
                list.into_iter().map(|item| (item.parse().ok(), folded(item), item)).collect();
            keyed.sort_by(by_value);
            if asked.descending {
                keyed.reverse();
            }
            list = keyed.into_iter().map(|(_, _, item)| item).collect();
        }
        Ok(List::of(&list, &asked.separator))
    }

    fn examples() -> Vec<Example> {
        let asked = |items: &str| Unsorted {
            items: Some(items.into()),
            separator: ",".into(),
            descending: false,
            distinct: true,
            as_it_is: false,
        };
        let list = |items: &str, count, first: &str, last: &str| List {
            items: Some(items.into()),
            count,
            first: Some(first.into()),
            last: Some(last.into()),
        };
        let none = List { items: None, count: 0, first: None, last: None };
        vec![
            Example::of::<Self>("words", asked("red, blue, Red, green")).gives(list(
                "blue, green, red",
                3,
                "blue",
                "red",
            )),
            Example::of::<Self>("numbers", asked("10,9,1.5")).gives(list("1.5, 9, 10", 3, "1.5", "10")),
            Example::of::<Self>("nothing", asked(" , ")).gives(none),
        ]
    }
}

fn by_value(left: &(Option<Decimal>, String, &str), right: &(Option<Decimal>, String, &str)) -> Ordering {
    match (left.0, right.0) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.1.cmp(&right.1),
    }
}

/// What becomes of two lists.
#[derive(Choice, Clone, Copy)]
pub enum Operation {
    /// What is in one of them
    Union = 1,
    /// What is in both
    Intersection = 2,
    /// What is in the first and not in the second
    Difference = 3,
    /// What is in one of them only
    Either = 4,
}

/// Whether an item stays, by whether the other list has it.
type Keeps = fn(bool) -> bool;

impl Operation {
    /// Which of the first and of the second list stay, by whether the other one has them.
    fn keeps(self) -> (Keeps, Keeps) {
        match self {
            Self::Union => (|_| true, |_| true),
            Self::Intersection => (|other| other, |_| false),
            Self::Difference => (|other| !other, |_| false),
            Self::Either => (|other| !other, |other| !other),
        }
    }

    /// Two lists as one; each item once, in the order of the first list and then of the second.
    pub fn of<T: PartialEq + Clone>(self, first: &[T], second: &[T]) -> Vec<T> {
        let (of_first, of_second) = self.keeps();
        let kept = first.iter().filter(|item| of_first(second.contains(item)));
        let kept = kept.chain(second.iter().filter(|item| of_second(first.contains(item))));
        kept.fold(Vec::new(), |mut all, item| {
            if !all.contains(item) {
                all.push(item.clone());
            }
            all
        })
    }
}

/// Two lists.
#[derive(Inputs)]
pub struct Two {
    /// The first list
    #[argument(max_length = 20000)]
    first: Option<String>,
    /// The second list
    #[argument(max_length = 20000)]
    second: Option<String>,
    /// What becomes of them
    operation: Operation,
    /// What stands between their items
    #[argument(default = ",", max_length = 10)]
    separator: String,
}

/// The most items of a list that is combined.
const MOST: usize = 500;

/// Combines two lists.
pub struct Combine;

impl Step for Combine {
    const NAME: &str = "collections.combine";
    const TITLE: &str = "Combine two lists";
    const DESCRIPTION: &str =
        "What is in both, in one of them, or in the first only; without regard to case, each item once.";
    const ERRORS: &[(&str, &str)] = &[("too-many", "A list has more than 500 items")];
    const DETERMINISTIC: bool = true;
    type Inputs = Two;
    type Outputs = List;

    fn run(_: &Context, two: Two) -> Result<List, Failure> {
        let (first, second) = (items(&two.first, &two.separator), items(&two.second, &two.separator));
        if first.len().max(second.len()) > MOST {
            return Err(Failure::invalid_input("too-many", "lists of up to 500 items can be combined"));
        }
        let keys = |items: &[&str]| items.iter().map(|item| folded(item)).collect::<Vec<_>>();
        let kept = two.operation.of(&keys(&first), &keys(&second));
        let all: Vec<&str> = first.iter().chain(&second).copied().collect();
        let written = |key: &String| all.iter().copied().find(|item| folded(item) == *key);
        let kept: Vec<&str> = kept.iter().filter_map(written).collect();
        Ok(List::of(&kept, &two.separator))
    }

    fn examples() -> Vec<Example> {
        let two = |operation| Two {
            first: Some("red, green, blue".into()),
            second: Some("Green, black".into()),
            operation,
            separator: ",".into(),
        };
        let list = |items: &str, count, first: &str, last: &str| List {
            items: Some(items.into()),
            count,
            first: Some(first.into()),
            last: Some(last.into()),
        };
        let long = attributes! { "first" => "x,".repeat(501), "operation" => Operation::Union };
        vec![
            Example::of::<Self>("in both", two(Operation::Intersection)).gives(list("green", 1, "green", "green")),
            Example::of::<Self>("in the first only", two(Operation::Difference)).gives(list(
                "red, blue",
                2,
                "red",
                "blue",
            )),
            Example::of::<Self>("in one of them", two(Operation::Union)).gives(list(
                "red, green, blue, black",
                4,
                "red",
                "black",
            )),
            Example::failing("too long", long, "too-many"),
        ]
    }
}

/// A part of a list.
#[derive(Inputs)]
pub struct Part {
    /// The list
    #[argument(max_length = 100000)]
    items: Option<String>,
    /// From which item on, from 1; negative ones count from the end
    #[argument(default = 1, min = -100000, max = 100000)]
    from: i64,
    /// How many items; all that are left when empty
    #[argument(min = 0, max = 100000)]
    count: Option<i64>,
    /// What stands between its items
    #[argument(default = ",", max_length = 10)]
    separator: String,
}

/// Takes a part of a list.
pub struct Slice;

impl Step for Slice {
    const NAME: &str = "collections.slice";
    const TITLE: &str = "Part of a list";
    const DESCRIPTION: &str = "The first three, the last one, all but the first: some items of a list, in their order.";
    const DETERMINISTIC: bool = true;
    type Inputs = Part;
    type Outputs = List;

    fn run(_: &Context, part: Part) -> Result<List, Failure> {
        let list = items(&part.items, &part.separator);
        Ok(List::of(slice(&list, part.from, part.count), &part.separator))
    }

    fn examples() -> Vec<Example> {
        let part = |from, count| Part { items: Some("a, b, c, d".into()), from, count, separator: ",".into() };
        let list = |items: &str, count, first: &str, last: &str| List {
            items: Some(items.into()),
            count,
            first: Some(first.into()),
            last: Some(last.into()),
        };
        vec![
            Example::of::<Self>("the first two", part(1, Some(2))).gives(list("a, b", 2, "a", "b")),
            Example::of::<Self>("all but the first", part(2, None)).gives(list("b, c, d", 3, "b", "d")),
            Example::of::<Self>("the last", part(-1, None)).gives(list("d", 1, "d", "d")),
        ]
    }
}

/// Some items in their order; `from` counts from 1, or from the end.
pub fn slice<T>(list: &[T], from: i64, count: Option<i64>) -> &[T] {
    let length = list.len() as i64;
    let start = if from < 0 { length.saturating_add(from) } else { from.saturating_sub(1) }.clamp(0, length);
    let end = count.map_or(length, |count| start.saturating_add(count.max(0))).clamp(start, length);
    &list[start as usize..end as usize]
}

/// A list and an item.
#[derive(Inputs)]
pub struct Question {
    /// The list
    #[argument(max_length = 100000)]
    items: Option<String>,
    /// The item that is looked for
    #[argument(max_length = 10000)]
    item: Option<String>,
    /// What stands between its items
    #[argument(default = ",", max_length = 10)]
    separator: String,
}

/// Yes or no.
#[derive(Outputs)]
pub struct Answer {
    /// Whether the list has the item
    contains: bool,
}

/// Asks whether a list has an item.
pub struct Contains;

impl Step for Contains {
    const NAME: &str = "collections.contains";
    const KIND: Kind = Kind::Condition;
    const TITLE: &str = "List contains an item";
    const DESCRIPTION: &str = "True when a list has an item, without regard to case: a whole item, not a part of one.";
    const DETERMINISTIC: bool = true;
    type Inputs = Question;
    type Outputs = Answer;

    fn run(_: &Context, asked: Question) -> Result<Answer, Failure> {
        let wanted = folded(asked.item.as_deref().unwrap_or_default().trim());
        let contains = items(&asked.items, &asked.separator).iter().any(|item| folded(item) == wanted);
        Ok(Answer { contains })
    }

    fn examples() -> Vec<Example> {
        let asked =
            |item: &str| Question { items: Some("red, green".into()), item: Some(item.into()), separator: ",".into() };
        vec![
            Example::of::<Self>("there", asked("Green")).gives(Answer { contains: true }),
            Example::of::<Self>("a part of one", asked("gree")).gives(Answer { contains: false }),
        ]
    }
}

/// A list.
#[derive(Inputs)]
pub struct Counted {
    /// The list
    #[argument(max_length = 100000)]
    items: Option<String>,
    /// What stands between its items
    #[argument(default = ",", max_length = 10)]
    separator: String,
}

/// What it counts.
#[derive(Outputs)]
pub struct Counts {
    /// How many items there are
    count: i64,
    /// How many different ones
    different: i64,
    /// The item that is there most often; the first of them where it is more than one
    most: Option<String>,
    /// How often that is
    times: i64,
    /// Each item with how often it is there, one in a line, the most frequent first
    table: Option<String>,
}

/// Counts the items of a list.
pub struct Tally;

impl Step for Tally {
    const NAME: &str = "collections.tally";
    const TITLE: &str = "Tally a list";
    const DESCRIPTION: &str = "How often each item is there, and which most: for votes and reasons.";
    const DETERMINISTIC: bool = true;
    type Inputs = Counted;
    type Outputs = Counts;

    fn run(_: &Context, asked: Counted) -> Result<Counts, Failure> {
        let list = items(&asked.items, &asked.separator);
        let mut places = std::collections::BTreeMap::new();
        let mut counts: Vec<(&str, i64)> = Vec::new();
        for item in &list {
            let place = *places.entry(folded(item)).or_insert(counts.len());
            match counts.get_mut(place) {
                Some((_, times)) => *times += 1,
                None => counts.push((item, 1)),
            }
        }
        let different = counts.len() as i64;
        counts.sort_by_key(|(_, times)| -times);
        let table: Vec<String> = counts.iter().map(|(item, times)| format!("{item}: {times}")).collect();
        let first = counts.first();
        Ok(Counts {
            count: list.len() as i64,
            different,
            most: first.map(|(item, _)| (*item).to_owned()),
            times: first.map_or(0, |(_, times)| *times),
            table: Some(table.join("\n")).filter(|table| !table.is_empty()),
        })
    }

    fn examples() -> Vec<Example> {
        let asked = Counted { items: Some("yes, no, Yes".into()), separator: ",".into() };
        let counts =
            Counts { count: 3, different: 2, most: Some("yes".into()), times: 2, table: Some("yes: 2\nno: 1".into()) };
        vec![Example::of::<Self>("votes", asked).gives(counts)]
    }
}

/// A range of numbers.
#[derive(Inputs)]
pub struct Numbers {
    /// The first number
    #[argument(default = 1)]
    from: i64,
    /// The last number, if the step meets it
    to: i64,
    /// The step; negative ones count down
    #[argument(default = 1)]
    step: i64,
    /// What stands between the numbers
    #[argument(default = ",", max_length = 10)]
    separator: String,
}

/// Makes a list of numbers.
pub struct Range;

impl Step for Range {
    const NAME: &str = "collections.range";
    const TITLE: &str = "List of numbers";
    const DESCRIPTION: &str = "The numbers from one to another, for months, instalments and reminders. Up to 1,000.";
    const ERRORS: &[(&str, &str)] = &[("endless", "The numbers are more than 1,000, or the step is 0")];
    const DETERMINISTIC: bool = true;
    type Inputs = Numbers;
    type Outputs = List;

    fn run(_: &Context, asked: Numbers) -> Result<List, Failure> {
        let endless = || Failure::invalid_input("endless", "the numbers are more than 1,000, or `step` is 0");
        let (mut numbers, mut next) = (Vec::new(), Some(asked.from));
        if asked.step == 0 {
            return Err(endless());
        }
        while let Some(number) =
            next.filter(|number| if asked.step > 0 { *number <= asked.to } else { *number >= asked.to })
        {
            if numbers.len() == 1_000 {
                return Err(endless());
            }
            numbers.push(number.to_string());
            next = number.checked_add(asked.step);
        }
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        Ok(List::of(&numbers, &asked.separator))
    }

    fn examples() -> Vec<Example> {
        let asked = |from, to, step| Numbers { from, to, step, separator: ",".into() };
        let list = |items: &str, count, first: &str, last: &str| List {
            items: Some(items.into()),
            count,
            first: Some(first.into()),
            last: Some(last.into()),
        };
        vec![
            Example::of::<Self>("quarters", asked(1, 12, 3)).gives(list("1, 4, 7, 10", 4, "1", "10")),
            Example::of::<Self>("downwards", asked(3, 1, -1)).gives(list("3, 2, 1", 3, "3", "1")),
            Example::failing("for ever", attributes! { "to" => 5, "step" => 0 }, "endless"),
        ]
    }
}
