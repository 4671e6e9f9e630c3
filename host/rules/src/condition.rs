//! Conditions, compiled (formats 3, processes 1.10): true or false, never empty.
//!
//! Used by start conditions and by the branches of workflows. A comparison with an empty side is false, also
//! "is not" and "not in"; `not` turns a false one round. What a condition reads is known beforehand: `paths` and
//! `records` are asked of the engine, which answers with facts. Custom conditions are calls, and so are instructions of
//! the machine in `workflow`, not conditions here.

mod under;

use std::{borrow::Cow, cmp::Ordering};

use model::{
    Date, Timestamp, Value,
    condition::{self, Order, TextPlace},
    expression::{Expression, NamedRecord, Path, ValueSource},
};
use script::{Compiled, CompiledSource, Environment, Facts, Known, Problem};

use self::under::Under;
use crate::value;

/// A condition that can be evaluated.
#[derive(Debug)]
pub struct Condition {
    root: Node,
    paths: Vec<Path>,
    records: Vec<NamedRecord>,
}

#[derive(Debug)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Compare { left: Side, test: Test },
    Changed { before: Path, after: Path, wanted: bool },
    Under(Under),
    Expression(Compiled),
}

/// One side of a comparison. A path is not evaluated: its facts also know the name of an option.
#[derive(Debug)]
enum Side {
    Known(Known),
    Path(Path),
    Expression(Compiled),
    Source(CompiledSource),
}

#[derive(Debug)]
enum Test {
    Is { operand: Side, not: bool },
    In { operands: Vec<Side>, not: bool },
    Empty(bool),
    Text { place: TextPlace, not: bool, operand: Side },
    Order { order: Order, operand: Side },
    SameDay(Side),
    Includes { operands: Vec<Side>, all: bool },
}

impl Condition {
    /// The condition compiled, or a sentence that says what cannot be: what formats could not know.
    pub fn compile(condition: &condition::Condition) -> Result<Self, String> {
        let mut compiled = Self { root: node(condition)?, paths: Vec::new(), records: Vec::new() };
        compiled.root.collect(&mut |path| push_new(&mut compiled.paths, path));
        collect_records(condition, &mut compiled.records);
        Ok(compiled)
    }

    /// The paths that it reads, each once.
    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// The records that it names, each once.
    pub fn records(&self) -> &[NamedRecord] {
        &self.records
    }

    /// Whether it holds, given what is known at its paths. A problem where an expression in it has no value, or where
    /// an order is asked of values that have none.
    pub fn evaluate(&self, facts: &Facts, environment: &Environment) -> Result<bool, Problem> {
        self.root.evaluate(&Scope { facts, environment })
    }
}

fn push_new<T: Clone + PartialEq>(known: &mut Vec<T>, one: &T) {
    if !known.contains(one) {
        known.push(one.clone());
    }
}

fn node(condition: &condition::Condition) -> Result<Node, String> {
    use condition::Condition as C;
    Ok(match condition {
        C::All(parts) => Node::All(parts.iter().map(node).collect::<Result<_, _>>()?),
        C::Any(parts) => Node::Any(parts.iter().map(node).collect::<Result<_, _>>()?),
        C::Not(part) => Node::Not(Box::new(node(part)?)),
        C::Compare { value, test: condition::Test::Changed(wanted) } => changed(value, *wanted)?,
        C::Compare { value, test: condition::Test::Under { along, operand, not, or_is } } => {
            Node::Under(Under::compile(value, along, operand, *not, *or_is)?)
        }
        C::Compare { value, test } => Node::Compare { left: side(value)?, test: compile_test(test)? },
        C::Expression(expression) => Node::Expression(compiled(expression)?),
        C::Custom { step, .. } => return Err(format!("the custom condition `{step}` can only stand in an `if` step")),
    })
}

/// Whether the event changed an attribute: its values before and after are compared, whatever was named.
fn changed(value: &Expression, wanted: bool) -> Result<Node, String> {
    let compiled = compiled(value)?;
    let path = compiled.path().filter(|path| path.root == "record" && path.segments.len() == 1).ok_or_else(|| {
        format!("`changed` looks at an attribute of the record itself, as in `record.title`, not at `{}`", value.text)
    })?;
    let at = |root: &str| Path { root: root.into(), segments: path.segments.clone() };
    Ok(Node::Changed { before: at("before"), after: at("after"), wanted })
}

fn compile_test(test: &condition::Test) -> Result<Test, String> {
    use condition::Test as T;
    let sides = |sources: &[ValueSource]| sources.iter().map(source).collect::<Result<Vec<_>, _>>();
    Ok(match test {
        T::Is(operand) => Test::Is { operand: source(operand)?, not: false },
        T::IsNot(operand) => Test::Is { operand: source(operand)?, not: true },
        T::In(operands) => Test::In { operands: sides(operands)?, not: false },
        T::NotIn(operands) => Test::In { operands: sides(operands)?, not: true },
        T::Empty(wanted) => Test::Empty(*wanted),
        T::Text { place, not, operand } => Test::Text { place: *place, not: *not, operand: source(operand)? },
        T::Order { order, operand } => Test::Order { order: *order, operand: source(operand)? },
        T::SameDay(operand) => Test::SameDay(source(operand)?),
        T::Includes(operands) => Test::Includes { operands: sides(operands)?, all: true },
        T::IncludesAny(operands) => Test::Includes { operands: sides(operands)?, all: false },
        T::Under { .. } | T::Changed(_) => return Err("`under` and `changed` stand alone".into()),
    })
}

fn side(expression: &Expression) -> Result<Side, String> {
    let compiled = compiled(expression)?;
    Ok(match compiled.path() {
        Some(path) => Side::Path(path.clone()),
        None => Side::Expression(compiled),
    })
}

fn source(source: &ValueSource) -> Result<Side, String> {
    match source {
        ValueSource::Literal(value) => Ok(Side::Known(Known::plain(value.clone()))),
        ValueSource::Expression(expression) => side(expression),
        _ => Ok(Side::Source(CompiledSource::new(source).map_err(|problem| problem.to_string())?)),
    }
}

fn compiled(expression: &Expression) -> Result<Compiled, String> {
    Compiled::new(&expression.text).map_err(|problem| format!("`{}`: {problem}", expression.text))
}

fn collect_records(condition: &condition::Condition, records: &mut Vec<NamedRecord>) {
    use condition::Condition as C;
    match condition {
        C::All(parts) | C::Any(parts) => parts.iter().for_each(|part| collect_records(part, records)),
        C::Not(part) => collect_records(part, records),
        C::Compare { test, .. } => test.operands().iter().for_each(|operand| named_records(operand, records)),
        C::Custom { inputs, .. } => inputs.iter().for_each(|(_, input)| named_records(input, records)),
        C::Expression(_) => {}
    }
}

/// The records that `source` names, each once, added to `records`.
pub(crate) fn named_records(source: &ValueSource, records: &mut Vec<NamedRecord>) {
    match source {
        ValueSource::Record(record) => push_new(records, record),
        ValueSource::First(sources) => sources.iter().for_each(|source| named_records(source, records)),
        ValueSource::Literal(_) | ValueSource::Expression(_) | ValueSource::Template(_) => {}
    }
}

impl Node {
    fn collect(&self, note: &mut dyn FnMut(&Path)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect(note)),
            Self::Not(part) => part.collect(note),
            Self::Changed { before, after, .. } => [before, after].into_iter().for_each(note),
            Self::Under(under) => {
                under.way.iter().for_each(&mut *note);
                under.operand.collect(note);
            }
            Self::Expression(expression) => expression.expression().paths.iter().for_each(note),
            Self::Compare { left, test } => {
                left.collect(note);
                test.operands().iter().for_each(|operand| operand.collect(note));
            }
        }
    }

    fn evaluate(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        match self {
            Self::All(parts) => {
                for part in parts {
                    if !part.evaluate(scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.evaluate(scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(part) => part.evaluate(scope).map(|holds| !holds),
            Self::Compare { left, test } => test.holds(&*left.get(scope)?, scope),
            Self::Changed { before, after, wanted } => {
                Ok((scope.facts.get(before).value != scope.facts.get(after).value) == *wanted)
            }
            Self::Expression(expression) => expression.holds(scope.facts, scope.environment),
            Self::Under(under) => under.holds(scope),
        }
    }
}

struct Scope<'a> {
    facts: &'a Facts,
    environment: &'a Environment,
}

impl Side {
    fn collect(&self, note: &mut dyn FnMut(&Path)) {
        match self {
            Self::Known(_) => {}
            Self::Path(path) => note(path),
            Self::Expression(expression) => expression.expression().paths.iter().for_each(note),
            Self::Source(source) => source.paths().into_iter().for_each(note),
        }
    }

    fn get<'a>(&'a self, scope: &Scope<'a>) -> Result<Cow<'a, Known>, Problem> {
        Ok(match self {
            Self::Known(known) => Cow::Borrowed(known),
            Self::Path(path) => Cow::Borrowed(scope.facts.get(path)),
            Self::Expression(expression) => {
                Cow::Owned(Known::plain(expression.evaluate(scope.facts, scope.environment)?))
            }
            Self::Source(source) => Cow::Owned(Known::plain(source.evaluate(scope.facts, scope.environment)?)),
        })
    }
}

impl Test {
    fn operands(&self) -> &[Side] {
        match self {
            Self::Is { operand, .. }
            | Self::Text { operand, .. }
            | Self::Order { operand, .. }
            | Self::SameDay(operand) => std::slice::from_ref(operand),
            Self::In { operands, .. } | Self::Includes { operands, .. } => operands,
            Self::Empty(_) => &[],
        }
    }

    fn holds(&self, left: &Known, scope: &Scope<'_>) -> Result<bool, Problem> {
        match self {
            Self::Empty(wanted) => return Ok(is_empty(&left.value) == *wanted),
            _ if is_empty(&left.value) => return Ok(false),
            _ => {}
        }
        match self {
            Self::Empty(_) => Ok(false),
            Self::Is { operand, not } => {
                let right = operand.get(scope)?;
                Ok(!is_empty(&right.value) && same(left, &right, scope) != *not)
            }
            Self::In { operands, not } => is_among(left, operands, *not, scope),
            Self::Text { place, not, operand } => {
                let right = operand.get(scope)?;
                match (&left.value, &right.value) {
                    (_, right) if is_empty(right) => Ok(false),
                    (Value::Text(left), Value::Text(right)) => Ok(stands(left, *place, right) != *not),
                    (Value::Text(_), other) | (other, _) => {
                        Err(Problem::new(format!("only text can be searched, not {}", value::describe(other))))
                    }
                }
            }
            Self::Order { order, operand } => {
                let right = operand.get(scope)?;
                if is_empty(&right.value) { Ok(false) } else { in_order(&left.value, *order, &right.value, scope) }
            }
            Self::SameDay(operand) => {
                let right = operand.get(scope)?;
                if is_empty(&right.value) {
                    return Ok(false);
                }
                Ok(day(&left.value, scope)? == day(&right.value, scope)?)
            }
            Self::Includes { operands, all } => includes(left, operands, *all, scope),
        }
    }
}

/// A text without a character counts as empty too: what a form gives back for an empty field.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::Choices(options) => options.is_empty(),
        _ => false,
    }
}

/// Equal: an option also by its name, a day and a moment when the moment is on that day.
fn same(left: &Known, right: &Known, scope: &Scope<'_>) -> bool {
    match (&left.value, &right.value) {
        (Value::Text(left), Value::Text(right)) => model::text::compare(left, right).is_eq(),
        (_, Value::Text(name)) if left.option.is_some() => left.option.as_ref() == Some(name),
        (Value::Text(name), _) if right.option.is_some() => right.option.as_ref() == Some(name),
        (Value::Date(_), Value::DateTime(_)) | (Value::DateTime(_), Value::Date(_)) => {
            day(&left.value, scope).ok() == day(&right.value, scope).ok()
        }
        (left, right) => value::equal(left, right),
    }
}

/// `in` is "is" one of them; `not-in` is "is not" each of them, so that an empty one makes it false.
fn is_among(left: &Known, operands: &[Side], not: bool, scope: &Scope<'_>) -> Result<bool, Problem> {
    for operand in operands {
        let right = operand.get(scope)?;
        let empty = is_empty(&right.value);
        if (empty && not) || (!empty && same(left, &right, scope)) {
            return Ok(!not);
        }
    }
    Ok(not)
}

fn stands(text: &str, place: TextPlace, part: &str) -> bool {
    match place {
        TextPlace::Contains => value::contains(text, part),
        TextPlace::Starts => value::starts_with(text, part),
        TextPlace::Ends => value::ends_with(text, part),
    }
}

fn in_order(left: &Value, order: Order, right: &Value, scope: &Scope<'_>) -> Result<bool, Problem> {
    let found = match order {
        Order::OnOrAfter | Order::OnOrBefore => day(left, scope)?.cmp(&day(right, scope)?),
        Order::After | Order::Before => match (left, right) {
            (Value::DateTime(left), Value::DateTime(right)) => left.cmp(right),
            _ => day(left, scope)?.cmp(&day(right, scope)?),
        },
        Order::Greater | Order::AtLeast | Order::Less | Order::AtMost => {
            value::compare(left, right).ok_or_else(|| {
                let (left, right) = (value::describe(left), value::describe(right));
                Problem::new(format!("{left} and {right} have no order"))
            })?
        }
    };
    Ok(match order {
        Order::Greater | Order::After => found == Ordering::Greater,
        Order::AtLeast | Order::OnOrAfter => found != Ordering::Less,
        Order::Less | Order::Before => found == Ordering::Less,
        Order::AtMost | Order::OnOrBefore => found != Ordering::Greater,
    })
}

/// The day of a date or, in the solution's time zone, of a moment; a date may also be written as text.
fn day(value: &Value, scope: &Scope<'_>) -> Result<Date, Problem> {
    let in_zone = |moment: Timestamp| moment.date_in(&scope.environment.time_zone);
    let found = match value {
        Value::Date(date) => Some(*date),
        Value::DateTime(moment) => Some(in_zone(*moment)),
        Value::Text(text) => Date::parse(text).or_else(|| Timestamp::parse(text).map(in_zone)),
        _ => None,
    };
    found.ok_or_else(|| Problem::new(format!("only dates stand before or after, not {}", value::describe(value))))
}

fn includes(left: &Known, operands: &[Side], all: bool, scope: &Scope<'_>) -> Result<bool, Problem> {
    let Value::Choices(options) = &left.value else {
        return Err(Problem::new(format!(
            "only a list of options includes some, not {}",
            value::describe(&left.value)
        )));
    };
    for operand in operands {
        let right = operand.get(scope)?;
        let has = match &right.value {
            Value::Choices(wanted) => !wanted.is_empty() && wanted.iter().all(|option| options.contains(option)),
            Value::Choice(option) => options.contains(option),
            Value::Whole(option) => i32::try_from(*option).is_ok_and(|option| options.contains(&option)),
            _ => false,
        };
        if has != all {
            return Ok(has);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
