//! The condition of a `find` or `for-each` as a filter of the engine's query language (E27), so that an index may help.
//!
//! What a filter can say of it is asked of the store; where that is not all of it, the records that are left are looked at
//! one by one, with the condition itself. A filter never leaves out a record for which the condition holds.

use model::{
    AttributeId, Date, EntityId, Schema, Timestamp, Value, ValueType,
    condition::{self, Order, TextPlace},
    expression::{Path, ValueSource},
    query::{Comparison, Filter, Operand},
    schema::Attribute,
};
use script::{Compiled, CompiledSource, Environment, Facts};
use smol_str::SmolStr;

use crate::value::{self, Holder};

/// What a filter can know of a condition.
#[derive(Debug)]
pub(super) enum Wanted {
    All(Vec<Wanted>),
    Any(Vec<Wanted>),
    Not(Box<Wanted>),
    Compare(Asked, Test),
    /// No filter says this.
    Unclear,
}

/// The side of a comparison that is the record's.
#[derive(Debug)]
pub(super) struct Asked {
    operand: Operand,
    kind: Kind,
}

/// What that side holds.
#[derive(Debug)]
enum Kind {
    /// The record itself, of this entity.
    Record(EntityId),
    /// An attribute: its type, and for a choice its options.
    Attribute(Box<Attribute>),
}

#[derive(Debug)]
pub(super) enum Test {
    Is { operand: Side, not: bool },
    In { operands: Vec<CompiledSource>, not: bool },
    Empty(bool),
    Text { place: TextPlace, not: bool, operand: CompiledSource },
    Order { order: Order, operand: Side },
    SameDay(CompiledSource),
    Includes { operands: Vec<CompiledSource>, all: bool },
    Under { entity: EntityId, along: AttributeId, operand: CompiledSource, not: bool, or_is: bool },
}

/// The other side of a comparison: a value, or of the record as well.
#[derive(Debug)]
pub(super) enum Side {
    Value(CompiledSource),
    Own(Asked),
}

/// A filter, with whether it says all that the condition says.
struct Said {
    filter: Filter,
    exactly: bool,
}

/// Nothing fits.
fn never() -> Filter {
    Filter::Any(Vec::new())
}

/// Whether nothing fits, without a look at any record.
pub(super) fn is_never(filter: &Filter) -> bool {
    match filter {
        Filter::Any(parts) => parts.iter().all(is_never),
        Filter::All(parts) => parts.iter().any(is_never),
        _ => false,
    }
}

impl Wanted {
    /// What a filter can know of `condition` over records of `entity`, called `item` in it.
    pub fn compile(condition: &condition::Condition, item: &str, entity: EntityId, schema: &Schema) -> Self {
        Compiler { item, entity, schema }.condition(condition)
    }

    /// The filter, given what is known of all but the records, and whether it says all that the condition says.
    pub fn filter(&self, facts: &Facts, environment: &Environment) -> (Filter, bool) {
        match self.say(facts, environment) {
            Some(Said { filter, exactly }) => (filter, exactly),
            None => (Filter::All(Vec::new()), false),
        }
    }

    fn say(&self, facts: &Facts, environment: &Environment) -> Option<Said> {
        match self {
            Self::All(parts) => {
                let said: Vec<Option<Said>> = parts.iter().map(|part| part.say(facts, environment)).collect();
                let exactly = said.iter().all(|said| said.as_ref().is_some_and(|said| said.exactly));
                let filters = said.into_iter().flatten().map(|said| said.filter).collect();
                Some(Said { filter: Filter::All(filters), exactly })
            }
            Self::Any(parts) => {
                let said: Option<Vec<Said>> = parts.iter().map(|part| part.say(facts, environment)).collect();
                let said = said?;
                let exactly = said.iter().all(|said| said.exactly);
                Some(Said { filter: Filter::Any(said.into_iter().map(|said| said.filter).collect()), exactly })
            }
            Self::Not(part) => {
                let said = part.say(facts, environment).filter(|said| said.exactly)?;
                Some(Said { filter: Filter::Not(Box::new(said.filter)), exactly: true })
            }
            Self::Compare(asked, test) => {
                test.say(asked, facts, environment).map(|filter| Said { filter, exactly: true })
            }
            Self::Unclear => None,
        }
    }
}

struct Compiler<'a> {
    item: &'a str,
    entity: EntityId,
    schema: &'a Schema,
}

impl Compiler<'_> {
    fn condition(&self, condition: &condition::Condition) -> Wanted {
        use condition::Condition as C;
        match condition {
            C::All(parts) => Wanted::All(parts.iter().map(|part| self.condition(part)).collect()),
            C::Any(parts) => Wanted::Any(parts.iter().map(|part| self.condition(part)).collect()),
            C::Not(part) => Wanted::Not(Box::new(self.condition(part))),
            C::Compare { value, test } => {
                let left = Compiled::new(&value.text).ok();
                let asked = left.as_ref().and_then(Compiled::path).and_then(|path| self.asked(path));
                let both = asked.and_then(|asked| self.test(&asked, test).map(|test| (asked, test)));
                both.map_or(Wanted::Unclear, |(asked, test)| Wanted::Compare(asked, test))
            }
            C::Expression(_) | C::Custom { .. } => Wanted::Unclear,
        }
    }

    fn test(&self, asked: &Asked, test: &condition::Test) -> Option<Test> {
        use condition::Test as T;
        let values = |sources: &[ValueSource]| sources.iter().map(|source| self.value(source)).collect::<Option<_>>();
        Some(match test {
            T::Is(operand) => Test::Is { operand: self.side(operand)?, not: false },
            T::IsNot(operand) => Test::Is { operand: self.side(operand)?, not: true },
            T::In(operands) => Test::In { operands: values(operands)?, not: false },
            T::NotIn(operands) => Test::In { operands: values(operands)?, not: true },
            T::Empty(wanted) => Test::Empty(*wanted),
            T::Text { place, not, operand } => Test::Text { place: *place, not: *not, operand: self.value(operand)? },
            T::Order { order, operand } => Test::Order { order: *order, operand: self.side(operand)? },
            T::SameDay(operand) => Test::SameDay(self.value(operand)?),
            T::Includes(operands) => Test::Includes { operands: values(operands)?, all: true },
            T::IncludesAny(operands) => Test::Includes { operands: values(operands)?, all: false },
            T::Under { along, operand, not, or_is } => {
                let entity = asked.looks_to()?;
                let along = self.schema.entity(entity)?.attribute(along.as_str())?.id;
                Test::Under { entity, along, operand: self.value(operand)?, not: *not, or_is: *or_is }
            }
            T::Changed(_) => return None,
        })
    }

    fn side(&self, source: &ValueSource) -> Option<Side> {
        if let ValueSource::Expression(expression) = source {
            let compiled = Compiled::new(&expression.text).ok()?;
            if let Some(path) = compiled.path().filter(|path| path.root == self.item) {
                return self.asked(path).map(Side::Own);
            }
        }
        self.value(source).map(Side::Value)
    }

    /// A value in which nothing is the record's.
    fn value(&self, source: &ValueSource) -> Option<CompiledSource> {
        let compiled = CompiledSource::new(source).ok()?;
        compiled.paths().iter().all(|path| path.root != self.item).then_some(compiled)
    }

    /// What a path asks of the record.
    fn asked(&self, path: &Path) -> Option<Asked> {
        if path.root != self.item {
            return None;
        }
        let (mut entity, mut lookups) = (self.schema.entity(self.entity)?, Vec::new());
        let Some((last, way)) = path.segments.split_last() else {
            return Some(Asked { operand: Operand::Id, kind: Kind::Record(self.entity) });
        };
        for segment in way {
            let lookup = entity.attribute(&segment.name)?;
            let there = match (&segment.target, lookup.targets.as_deref()) {
                (Some(named), _) => self.schema.named(named.as_str())?.id,
                (None, Some([only])) => *only,
                _ => return None,
            };
            lookups.push((lookup.id, there));
            entity = self.schema.entity(there)?;
        }
        // A lookup that is to point to one of several entities is asked for in memory.
        let attribute = entity.attribute(&last.name).filter(|_| last.target.is_none())?;
        let operand = lookups.into_iter().rev().fold(Operand::Attribute(attribute.id), |operand, (lookup, entity)| {
            Operand::Related { lookup, entity, operand: Box::new(operand) }
        });
        Some(Asked { operand, kind: Kind::Attribute(Box::new(attribute.clone())) })
    }
}

impl Asked {
    fn compare(&self, comparison: Comparison, value: Value) -> Filter {
        Filter::Compare { operand: self.operand.clone(), comparison, value }
    }

    fn is_there(&self) -> Filter {
        Filter::Not(Box::new(self.is_empty()))
    }

    /// Text without a character counts as empty too.
    fn is_empty(&self) -> Filter {
        let nothing = self.compare(Comparison::Equal, Value::Null);
        match self.value_type() {
            ValueType::Text => Filter::Any(vec![nothing, self.compare(Comparison::Equal, Value::text(""))]),
            ValueType::Choices => {
                Filter::Any(vec![nothing, self.compare(Comparison::Equal, Value::Choices([].into()))])
            }
            _ => nothing,
        }
    }

    /// The one entity of the record itself, or of those it looks to.
    fn looks_to(&self) -> Option<EntityId> {
        match &self.kind {
            Kind::Record(entity) => Some(*entity),
            Kind::Attribute(attribute) => match attribute.targets.as_deref() {
                Some([only]) => Some(*only),
                _ => None,
            },
        }
    }

    fn value_type(&self) -> ValueType {
        match &self.kind {
            Kind::Record(_) => ValueType::Reference,
            Kind::Attribute(attribute) => attribute.value_type(),
        }
    }

    /// The value as this side holds such values; nothing where no filter can compare them.
    fn fit(&self, value: Value) -> Option<Fit> {
        let attribute = match &self.kind {
            Kind::Record(entity) => {
                return Some(match value {
                    Value::Reference(target) if target.entity == *entity => Fit::Value(Value::Guid(target.id.0)),
                    Value::Reference(_) => Fit::Never,
                    _ => return None,
                });
            }
            Kind::Attribute(attribute) => attribute,
        };
        match (attribute.value_type(), &value) {
            (ValueType::Reference, Value::Reference(_))
            | (ValueType::Text, Value::Text(_))
            | (ValueType::Boolean, Value::Boolean(_))
            | (ValueType::Guid, Value::Guid(_)) => Some(Fit::Value(value)),
            (ValueType::Whole | ValueType::Decimal | ValueType::Money | ValueType::Float, number) => {
                let is_number = matches!(
                    number,
                    Value::Whole(_) | Value::Decimal(_) | Value::Money(_) | Value::Float(_) | Value::Choice(_)
                );
                is_number.then_some(Fit::Value(value))
            }
            (ValueType::Choice, _) => {
                let holder = Holder { closed: false, ..Holder::of(attribute) };
                value::coerce_into(value, &holder, &|_| SmolStr::default()).ok().map(Fit::Value)
            }
            _ => None,
        }
    }
}

/// A value as the other side holds such values.
enum Fit {
    Value(Value),
    /// No record has it.
    Never,
}

impl Test {
    /// The filter; nothing where only the condition itself can tell, as for an expression that has no value.
    fn say(&self, asked: &Asked, facts: &Facts, environment: &Environment) -> Option<Filter> {
        let value = |source: &CompiledSource| source.evaluate(facts, environment).ok();
        let values = |sources: &[CompiledSource]| sources.iter().map(value).collect::<Option<Vec<Value>>>();
        Some(match self {
            Self::Empty(wanted) => {
                if *wanted {
                    asked.is_empty()
                } else {
                    asked.is_there()
                }
            }
            Self::Is { operand: Side::Value(source), not } => is(asked, value(source)?, *not, environment)?,
            Self::Is { operand: Side::Own(other), not } => {
                let comparison = if *not { Comparison::NotEqual } else { Comparison::Equal };
                between(asked, comparison, other)?
            }
            Self::In { operands, not: false } => {
                let any: Option<Vec<Filter>> =
                    values(operands)?.into_iter().map(|value| is(asked, value, false, environment)).collect();
                one_of(asked, any?)
            }
            Self::In { operands, not: true } => {
                let none: Option<Vec<Filter>> =
                    values(operands)?.into_iter().map(|value| is(asked, value, true, environment)).collect();
                Filter::All(none?.into_iter().chain([asked.is_there()]).collect())
            }
            Self::Text { place, not, operand } => text(asked, *place, *not, value(operand)?)?,
            Self::Order { order, operand: Side::Value(source) } => {
                in_order(asked, *order, &value(source)?, environment)?
            }
            Self::Order { order, operand: Side::Own(other) } => {
                between(asked, order_between(*order, asked, other)?, other)?
            }
            Self::Under { entity, along, operand, not, or_is } => {
                let above = match value(operand)? {
                    Value::Null => return Some(never()),
                    Value::Reference(above) if above.entity == *entity => above.id,
                    _ => return None,
                };
                let (operand, entity, along, or_is) = (asked.operand.clone(), *entity, *along, *or_is);
                let below = Filter::Under { operand, entity, along, above, or_is };
                if *not { Filter::All(vec![Filter::Not(Box::new(below)), asked.is_there()]) } else { below }
            }
            Self::SameDay(operand) => match value(operand)? {
                Value::Null => never(),
                other => on_day(asked, day(&other, environment)?, environment)?,
            },
            Self::Includes { operands, all } => {
                let has: Option<Vec<Filter>> =
                    values(operands)?.into_iter().map(|value| includes(asked, value)).collect();
                if *all { Filter::All(has?.into_iter().chain([asked.is_there()]).collect()) } else { Filter::Any(has?) }
            }
        })
    }
}

fn is(asked: &Asked, value: Value, not: bool, environment: &Environment) -> Option<Filter> {
    let equal = match (asked.value_type(), &value) {
        (_, Value::Null) => return Some(never()),
        (_, Value::Text(text)) if text.is_empty() => return Some(never()),
        // A day and a moment are equal when the moment is on that day.
        (ValueType::DateTime, Value::Date(day)) => on_day(asked, *day, environment)?,
        (ValueType::DateTime, Value::DateTime(_)) | (ValueType::Date, Value::Date(_)) => {
            asked.compare(Comparison::Equal, value)
        }
        (ValueType::Date, Value::DateTime(_)) => {
            asked.compare(Comparison::Equal, Value::Date(day(&value, environment)?))
        }
        _ => match asked.fit(value)? {
            Fit::Value(value) => asked.compare(Comparison::Equal, value),
            Fit::Never => never(),
        },
    };
    Some(if not { Filter::All(vec![Filter::Not(Box::new(equal)), asked.is_there()]) } else { equal })
}

/// One list where all parts compare one attribute, which an index can serve.
fn one_of(asked: &Asked, parts: Vec<Filter>) -> Filter {
    let value = |part: &Filter| match part {
        Filter::Compare { comparison: Comparison::Equal, value, .. } => Some(value.clone()),
        _ => None,
    };
    let values: Option<Vec<Value>> = parts.iter().filter(|part| !is_never(part)).map(value).collect();
    match values {
        Some(values) if !values.is_empty() => Filter::In { operand: asked.operand.clone(), values },
        _ => Filter::Any(parts),
    }
}

/// A comparison of two attributes of the record, both of them there.
fn between(left: &Asked, comparison: Comparison, right: &Asked) -> Option<Filter> {
    let comparable = left.value_type() == right.value_type() || (is_number(left) && is_number(right));
    // The names of options and the days of moments are the condition's own matter.
    let plain = |asked: &Asked| matches!(asked.kind, Kind::Attribute(_));
    if !comparable || !plain(left) || !plain(right) || left.value_type() == ValueType::Choices {
        return None;
    }
    let compared = Filter::Between { left: left.operand.clone(), comparison, right: right.operand.clone() };
    Some(Filter::All(vec![compared, left.is_there(), right.is_there()]))
}

fn is_number(asked: &Asked) -> bool {
    matches!(asked.value_type(), ValueType::Whole | ValueType::Decimal | ValueType::Money | ValueType::Float)
}

fn order_between(order: Order, left: &Asked, right: &Asked) -> Option<Comparison> {
    let days = left.value_type() == ValueType::Date && right.value_type() == ValueType::Date;
    Some(match order {
        Order::Greater | Order::After => Comparison::Greater,
        Order::Less | Order::Before => Comparison::Less,
        Order::AtLeast => Comparison::AtLeast,
        Order::AtMost => Comparison::AtMost,
        Order::OnOrAfter if days => Comparison::AtLeast,
        Order::OnOrBefore if days => Comparison::AtMost,
        Order::OnOrAfter | Order::OnOrBefore => return None,
    })
}

fn text(asked: &Asked, place: TextPlace, not: bool, value: Value) -> Option<Filter> {
    if asked.value_type() != ValueType::Text {
        return None;
    }
    let text = match value {
        Value::Null => return Some(never()),
        Value::Text(text) if text.is_empty() => return Some(never()),
        Value::Text(text) => text,
        _ => return None,
    };
    let found = Filter::Text { operand: asked.operand.clone(), place, text };
    Some(if not { Filter::All(vec![Filter::Not(Box::new(found)), asked.is_there()]) } else { found })
}

fn in_order(asked: &Asked, order: Order, value: &Value, environment: &Environment) -> Option<Filter> {
    if value.is_null() {
        return Some(never());
    }
    let comparison = match order {
        Order::Greater => Comparison::Greater,
        Order::AtLeast => Comparison::AtLeast,
        Order::Less => Comparison::Less,
        Order::AtMost => Comparison::AtMost,
        order => return by_date(asked, order, value, environment),
    };
    match asked.fit(value.clone())? {
        Fit::Value(value) if is_number(asked) => Some(asked.compare(comparison, value)),
        _ => None,
    }
}

fn by_date(asked: &Asked, order: Order, value: &Value, environment: &Environment) -> Option<Filter> {
    let compare = |comparison, value| Some(asked.compare(comparison, value));
    let begin = |date: Date| Value::DateTime(date.start_in(&environment.time_zone));
    match asked.value_type() {
        ValueType::Date => {
            let day = Value::Date(day(value, environment)?);
            match order {
                Order::After => compare(Comparison::Greater, day),
                Order::OnOrAfter => compare(Comparison::AtLeast, day),
                Order::Before => compare(Comparison::Less, day),
                Order::OnOrBefore => compare(Comparison::AtMost, day),
                _ => None,
            }
        }
        ValueType::DateTime => {
            let exact = matches!((order, value), (Order::After | Order::Before, Value::DateTime(_)));
            let date = day(value, environment)?;
            match order {
                Order::After if exact => compare(Comparison::Greater, value.clone()),
                Order::Before if exact => compare(Comparison::Less, value.clone()),
                Order::After => compare(Comparison::AtLeast, begin(next(date)?)),
                Order::OnOrAfter => compare(Comparison::AtLeast, begin(date)),
                Order::Before => compare(Comparison::Less, begin(date)),
                Order::OnOrBefore => compare(Comparison::Less, begin(next(date)?)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn on_day(asked: &Asked, date: Date, environment: &Environment) -> Option<Filter> {
    let begin = |date: Date| Value::DateTime(date.start_in(&environment.time_zone));
    match asked.value_type() {
        ValueType::Date => Some(asked.compare(Comparison::Equal, Value::Date(date))),
        ValueType::DateTime => Some(Filter::All(vec![
            asked.compare(Comparison::AtLeast, begin(date)),
            asked.compare(Comparison::Less, begin(next(date)?)),
        ])),
        _ => None,
    }
}

fn next(date: Date) -> Option<Date> {
    Date::from_days(date.as_days().checked_add(1)?)
}

/// The day of a date, of a moment, or of a date written as text.
fn day(value: &Value, environment: &Environment) -> Option<Date> {
    let in_zone = |moment: Timestamp| moment.date_in(&environment.time_zone);
    match value {
        Value::Date(date) => Some(*date),
        Value::DateTime(moment) => Some(in_zone(*moment)),
        Value::Text(text) => Date::parse(text).or_else(|| Timestamp::parse(text).map(in_zone)),
        _ => None,
    }
}

/// Whether options include one or, given as a list, all of some.
fn includes(asked: &Asked, value: Value) -> Option<Filter> {
    if asked.value_type() != ValueType::Choices {
        return None;
    }
    let has = |option: i32| Filter::In { operand: asked.operand.clone(), values: vec![Value::Choice(option)] };
    match value {
        Value::Choice(option) => Some(has(option)),
        Value::Whole(option) => Some(i32::try_from(option).map_or_else(|_| never(), has)),
        Value::Choices(options) if !options.is_empty() => {
            Some(Filter::All(options.iter().map(|option| has(*option)).collect()))
        }
        _ => Some(never()),
    }
}

/// One part of an order.
pub(super) fn sorted_by(attribute: AttributeId, descending: bool) -> model::query::Sort {
    model::query::Sort { by: Operand::Attribute(attribute), descending }
}
