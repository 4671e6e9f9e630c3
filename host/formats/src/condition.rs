//! Conditions (formats 3): all, any, not, comparisons and expressions.

use model::{
    ValueType,
    argument::ArgumentKind,
    condition::{Condition, Order, Test, TextPlace},
    expression::{Expression, Segment, ValueSource},
    schema::{Attribute, Schema},
    starter,
};
use script::{Compiled, SourceKind, source_kind};

use crate::{
    fields::{Fields, Keys},
    literal::in_words,
    report::Report,
    scope::{Scope, Target},
    tree::{Entry, Kind, Node, Place},
    value::{self, Wanted},
};

const ALL: Keys = Keys { what: "a condition with `all`", known: &["all"], later: &[] };
const ANY: Keys = Keys { what: "a condition with `any`", known: &["any"], later: &[] };
const NOT: Keys = Keys { what: "a condition with `not`", known: &["not"], later: &[] };

const CUSTOM: Keys = Keys { what: "a custom condition", known: &["custom", "version", "inputs"], later: &[] };

const COMPARISON: Keys = Keys {
    what: "a comparison",
    known: &[
        "value",
        "is",
        "is-not",
        "in",
        "not-in",
        "empty",
        "contains",
        "starts-with",
        "ends-with",
        "not-contains",
        "not-starts-with",
        "not-ends-with",
        "greater-than",
        "at-least",
        "less-than",
        "at-most",
        "same-day",
        "after",
        "on-or-after",
        "before",
        "on-or-before",
        "includes",
        "includes-any",
        "under",
        "not-under",
        "under-or-is",
        "changed",
    ],
    later: &[],
};

/// The condition that `node` writes; nothing when it is wrong, which is then in the report.
pub(crate) fn read(report: &Report<'_>, node: &Node, scope: &Scope<'_>) -> Option<Condition> {
    match &node.kind {
        Kind::Text(text) => expression(report, node, text, scope).map(Condition::Expression),
        Kind::Map(_) if node.get("all").is_some() => parts(report, node, "all", &ALL, scope).map(Condition::All),
        Kind::Map(_) if node.get("any").is_some() => parts(report, node, "any", &ANY, scope).map(Condition::Any),
        Kind::Map(_) if node.get("not").is_some() => {
            let fields = Fields::open(report, node, node.place, &NOT)?;
            let part = read(report, fields.need("not")?, scope)?;
            Some(Condition::Not(Box::new(part)))
        }
        Kind::Map(entries) if node.get("custom").is_some() => {
            let place = entries.iter().find(|entry| entry.key == "custom").map_or(node.place, |entry| entry.place);
            custom(report, node, place, scope)
        }
        Kind::Map(_) => comparison(report, node, scope),
        _ => {
            let hint = "write `{ value: record.severity, is: high }` or `\"= record.touched > 2\"`".to_owned();
            report.error_with(
                node.place,
                format!("a condition is a map or an expression, not {}", node.in_words()),
                Some(hint),
            );
            None
        }
    }
}

/// A custom condition: only where it is asked once, when a step is reached.
fn custom(report: &Report<'_>, node: &Node, place: Place, scope: &Scope<'_>) -> Option<Condition> {
    if !scope.asks_custom {
        let hint = Some("ask it in an `if` step".to_owned());
        let message = "a custom condition stands in `if` steps only: of what starts, waits or searches it has to be known what it reads";
        report.error_with(place, message, hint);
        return None;
    }
    let fields = Fields::open(report, node, node.place, &CUSTOM)?;
    let (step, version, inputs) = crate::workflow::asked(&fields, scope)?;
    Some(Condition::Custom { step, version, inputs })
}

fn expression(report: &Report<'_>, node: &Node, text: &str, scope: &Scope<'_>) -> Option<Expression> {
    let SourceKind::Expression(inner, at) = source_kind(text) else {
        let hint = Some(format!("an expression begins with `=`: `\"= {}\"`", crate::tree::shortened(text)));
        report.error_with(node.place, format!("a condition is a map or an expression, not {}", node.in_words()), hint);
        return None;
    };
    let (expression, target) = value::expression(report, node, inner, at, scope)?;
    if let Some(kind) = target.as_ref().and_then(type_of).filter(|kind| *kind != ValueType::Boolean) {
        report.error(node.place, format!("a condition is true or false, and this is {}", in_words(kind)));
        return None;
    }
    Some(expression)
}

fn parts(
    report: &Report<'_>,
    node: &Node,
    key: &str,
    keys: &'static Keys,
    scope: &Scope<'_>,
) -> Option<Vec<Condition>> {
    let fields = Fields::open(report, node, node.place, keys)?;
    let items = fields.list(key);
    if items.is_empty() && matches!(fields.get(key).map(|node| &node.kind), Some(Kind::List(_))) {
        report.error(fields.place_of(key), format!("`{key}` has at least one condition"));
    }
    let parts: Vec<_> = items.iter().map(|item| read(report, item, scope)).collect();
    parts.into_iter().collect()
}

/// The left side of a comparison.
struct Left<'a> {
    schema: &'a Schema,
    expression: Expression,
    target: Option<Target<'a>>,
    text: String,
}

fn comparison(report: &Report<'_>, node: &Node, scope: &Scope<'_>) -> Option<Condition> {
    let fields = Fields::open(report, node, node.place, &COMPARISON)?;
    let left = fields.need("value").and_then(|node| left(report, node, scope));
    let known = |entry: &&Entry| COMPARISON.known[1..].contains(&entry.key.as_str());
    let operators: Vec<&Entry> = node.entries()?.iter().filter(known).collect();
    let [operator] = operators.as_slice() else {
        let unknown =
            node.entries()?.iter().any(|entry| entry.key != "value" && !COMPARISON.known.contains(&entry.key.as_str()));
        // An unknown operator is reported already.
        if operators.len() > 1 {
            report.error(operators[1].place, "a comparison has one operator");
        } else if !unknown {
            report.error(fields.place, format!("a comparison needs an operator: {}", COMPARISON.known[1..].join(", ")));
        }
        return None;
    };
    let left = left?;
    let test = test(report, operator, &left, scope)?;
    warn_of_empty(report, operator, &left);
    Some(Condition::Compare { value: left.expression, test })
}

fn left<'a>(report: &Report<'_>, node: &Node, scope: &Scope<'a>) -> Option<Left<'a>> {
    let Some(text) = node.as_text() else {
        report.error(node.place, format!("`value` is a path or an expression, not {}", node.in_words()));
        return None;
    };
    let (inner, at) = match source_kind(text) {
        SourceKind::Expression(inner, at) => (inner, at),
        SourceKind::Plain | SourceKind::Template => (text, 0),
    };
    let (expression, target) = value::expression(report, node, inner, at, scope)?;
    if at == 0 && target.is_none() {
        let hint = Some(format!("an expression begins with `=`: `\"= {}\"`", crate::tree::shortened(text)));
        report.error_with(node.place, format!("`{}` is no path", crate::tree::shortened(text)), hint);
        return None;
    }
    Some(Left { schema: scope.names.schema, expression, target, text: inner.to_owned() })
}

fn test(report: &Report<'_>, operator: &Entry, left: &Left<'_>, scope: &Scope<'_>) -> Option<Test> {
    let node = &operator.value;
    applies(report, operator, left)?;
    let one = || operand(report, node, left, scope);
    let many = || operands(report, node, left, scope);
    let text = |place, not| text_operand(report, node, scope).map(|operand| Test::Text { place, not, operand });
    let order = |order| one().map(|operand| Test::Order { order, operand });
    match operator.key.as_str() {
        "is" => one().map(Test::Is),
        "is-not" => one().map(Test::IsNot),
        "in" => many().map(Test::In),
        "not-in" => many().map(Test::NotIn),
        "empty" => truth(report, operator).map(Test::Empty),
        "changed" => {
            let truth = truth(report, operator)?;
            of_the_record(report, operator, left, scope)?;
            Some(Test::Changed(truth))
        }
        "contains" => text(TextPlace::Contains, false),
        "starts-with" => text(TextPlace::Starts, false),
        "ends-with" => text(TextPlace::Ends, false),
        "not-contains" => text(TextPlace::Contains, true),
        "not-starts-with" => text(TextPlace::Starts, true),
        "not-ends-with" => text(TextPlace::Ends, true),
        "greater-than" => order(Order::Greater),
        "at-least" => order(Order::AtLeast),
        "less-than" => order(Order::Less),
        "at-most" => order(Order::AtMost),
        "same-day" => one().map(Test::SameDay),
        "after" => order(Order::After),
        "on-or-after" => order(Order::OnOrAfter),
        "before" => order(Order::Before),
        "on-or-before" => order(Order::OnOrBefore),
        "under" => under(report, operator, left, one, (false, false)),
        "not-under" => under(report, operator, left, one, (true, false)),
        "under-or-is" => under(report, operator, left, one, (false, true)),
        "includes" => many().map(Test::Includes),
        "includes-any" => many().map(Test::IncludesAny),
        _ => None,
    }
}

/// A test of a hierarchy: of a record, given by a path, whose entity has one. `(not, or_is)`
fn under(
    report: &Report<'_>,
    operator: &Entry,
    left: &Left<'_>,
    operand: impl FnOnce() -> Option<ValueSource>,
    (not, or_is): (bool, bool),
) -> Option<Test> {
    let key = &operator.key;
    let ids = match &left.target {
        Some(Target::Record(ids)) => ids.as_deref(),
        Some(Target::Unknown) => return None,
        _ => {
            let message =
                format!("`{key}` is asked of a path to a record, as `record.parentid`, not of `{}`", left.text);
            report.error(operator.place, message);
            return None;
        }
    };
    let Some([id]) = ids else {
        let first = ids.and_then(|ids| ids.first()).map(|id| left.schema.name_of(*id));
        let first = first.unwrap_or_else(|| "account".into());
        let hint = Some(format!("say which one is meant, as in `{}[{first}]`", left.text));
        report.error_with(operator.place, format!("`{}` may be a record of several entities", left.text), hint);
        return None;
    };
    let entity = left.schema.entity(*id)?;
    let Some(along) = entity.definition.hierarchy.clone() else {
        let hint = Some("write `hierarchy: parentid` in its file: a lookup to itself".to_owned());
        let message = format!("`{key}` is for entities with a hierarchy, and `{}` has none", entity.name());
        report.error_with(operator.place, message, hint);
        return None;
    };
    Some(Test::Under { along, operand: operand()?, not, or_is })
}

/// Whether the operator is for values of the left side's type, as far as that is known.
fn applies(report: &Report<'_>, operator: &Entry, left: &Left<'_>) -> Option<()> {
    use ValueType::{Choices, Date, DateTime, Decimal, Float, Money, Reference, Text, Whole};
    let Some(kind) = left.target.as_ref().and_then(type_of) else { return Some(()) };
    let (types, words): (&[ValueType], _) = match operator.key.as_str() {
        "contains" | "starts-with" | "ends-with" | "not-contains" | "not-starts-with" | "not-ends-with" => {
            (&[Text], "text")
        }
        "greater-than" | "at-least" | "less-than" | "at-most" => (&[Whole, Decimal, Float, Money], "numbers"),
        "same-day" | "after" | "on-or-after" | "before" | "on-or-before" => (&[Date, DateTime], "dates and date-times"),
        "includes" | "includes-any" => (&[Choices], "choices"),
        "under" | "not-under" | "under-or-is" => (&[Reference], "records"),
        _ => return Some(()),
    };
    if !types.contains(&kind) {
        let message = format!("`{}` is for {words}, and `{}` is {}", operator.key, left.text, in_words(kind));
        report.error(operator.place, message);
        return None;
    }
    Some(())
}

/// What the left side is compared with, of the left side's type where that is known.
fn operand(report: &Report<'_>, node: &Node, left: &Left<'_>, scope: &Scope<'_>) -> Option<ValueSource> {
    let names = scope.names;
    let (name, plain);
    let wanted = match &left.target {
        Some(Target::Attribute(entity, attribute)) => Wanted::attribute(entity, attribute, names),
        Some(Target::Argument(argument, kind)) => {
            (name, plain) = (argument.clone(), kind.clone());
            Wanted::argument(&name, &plain, names)
        }
        Some(Target::Record(targets)) => {
            plain = ArgumentKind::plain(ValueType::Reference);
            let wanted = Wanted::plain(&left.text, &plain, names);
            match targets {
                Some(targets) => wanted.record(targets.clone()),
                None => wanted,
            }
        }
        Some(Target::Plain(kind)) => {
            plain = ArgumentKind::plain(*kind);
            Wanted::plain(&left.text, &plain, names)
        }
        Some(Target::Unknown) | None => {
            plain = ArgumentKind::plain(guess(node));
            Wanted::plain(&left.text, &plain, names)
        }
    };
    let mut wanted = wanted;
    // What is compared need not fit into the attribute.
    (wanted.holder.min, wanted.holder.max, wanted.holder.max_length) = (None, None, None);
    match day_for_moment(node, &mut wanted) {
        true => crate::literal::read(report, node, &wanted.holder).map(ValueSource::Literal),
        false => value::read(report, node, &wanted, scope),
    }
}

/// A day may be compared with a moment and a moment with a day.
fn day_for_moment(node: &Node, wanted: &mut Wanted<'_>) -> bool {
    let text = node.as_text().unwrap_or_default();
    match wanted.holder.value_type {
        ValueType::DateTime if model::Date::parse(text).is_some() => wanted.holder.value_type = ValueType::Date,
        ValueType::Date if model::Timestamp::parse(text).is_some() && model::Date::parse(text).is_none() => {
            wanted.holder.value_type = ValueType::DateTime;
        }
        _ => return false,
    }
    true
}

/// The type of a plain value that is compared with an expression of unknown type.
fn guess(node: &Node) -> ValueType {
    match &node.kind {
        Kind::Boolean(_) => ValueType::Boolean,
        Kind::Number(text) if text.parse::<i64>().is_ok() => ValueType::Whole,
        Kind::Number(_) => ValueType::Decimal,
        Kind::Text(text) if model::Date::parse(text).is_some() => ValueType::Date,
        Kind::Text(text) if model::Timestamp::parse(text).is_some() => ValueType::DateTime,
        Kind::Map(_) => ValueType::Reference,
        _ => ValueType::Text,
    }
}

fn operands(report: &Report<'_>, node: &Node, left: &Left<'_>, scope: &Scope<'_>) -> Option<Vec<ValueSource>> {
    let items = match &node.kind {
        Kind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let values: Vec<_> = items.iter().map(|item| operand(report, item, left, scope)).collect();
    values.into_iter().collect()
}

fn text_operand(report: &Report<'_>, node: &Node, scope: &Scope<'_>) -> Option<ValueSource> {
    let kind = ArgumentKind::plain(ValueType::Text);
    value::read(report, node, &Wanted::plain("the operand", &kind, scope.names), scope)
}

fn truth(report: &Report<'_>, operator: &Entry) -> Option<bool> {
    match operator.value.kind {
        Kind::Boolean(truth) => Some(truth),
        _ => {
            let message = format!("`{}` is `true` or `false`, not {}", operator.key, operator.value.in_words());
            report.error(operator.value.place, message);
            None
        }
    }
}

/// `changed` asks for an attribute of the process's own record, in a process that an event starts.
fn of_the_record(report: &Report<'_>, operator: &Entry, left: &Left<'_>, scope: &Scope<'_>) -> Option<()> {
    let path = left.target.as_ref().and_then(|_| left.expression.paths.first());
    let direct =
        path.is_some_and(|path| path.root == "record" && matches!(&path.segments[..], [Segment { target: None, .. }]));
    if !direct {
        report.error(operator.place, "`changed` asks for an attribute of `record`, as `record.product`");
        return None;
    }
    if scope.root("before").is_none() {
        report.error(operator.place, "`changed` can only be asked in a process that an event starts");
        return None;
    }
    Some(())
}

/// A comparison with an empty side is false, also `is-not` and `not-in`: people seldom expect that.
fn warn_of_empty(report: &Report<'_>, operator: &Entry, left: &Left<'_>) {
    if !matches!(operator.key.as_str(), "is-not" | "not-in") {
        return;
    }
    let may_be_empty = match &left.target {
        Some(Target::Attribute(_, attribute)) => {
            !attribute.is_required() && !is_always_there(attribute) || left.expression.paths[0].segments.len() > 1
        }
        Some(Target::Record(_)) => !left.expression.paths[0].segments.is_empty(),
        _ => false,
    };
    if may_be_empty {
        let positive = if operator.key == "is-not" { "is" } else { "in" };
        let message = format!("`{}` is false while `{}` is empty", operator.key, left.text);
        let hint = format!("`{{ not: {{ value: {}, {positive}: … }} }}` counts empty as different", left.text);
        report.warn(operator.place, message, Some(hint));
    }
}

fn is_always_there(attribute: &Attribute) -> bool {
    attribute.id < starter::FIRST_OWN_ATTRIBUTE
}

/// The type of what a path leads to.
pub(crate) fn type_of(target: &Target<'_>) -> Option<ValueType> {
    match target {
        Target::Record(_) => Some(ValueType::Reference),
        Target::Attribute(_, attribute) => Some(attribute.value_type()),
        Target::Argument(_, kind) => Some(kind.value_type),
        Target::Plain(kind) => Some(*kind),
        Target::Unknown => None,
    }
}

/// Whether what the condition says depends on when it is asked.
pub(crate) fn asks_clock(condition: &Condition) -> bool {
    let text_asks = |text: &str| Compiled::new(text).is_ok_and(|compiled| compiled.asks_clock());
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(asks_clock),
        Condition::Not(part) => asks_clock(part),
        Condition::Expression(expression) => text_asks(&expression.text),
        Condition::Compare { value, test } => text_asks(&value.text) || test.operands().iter().any(value_asks_clock),
        Condition::Custom { inputs, .. } => inputs.iter().any(|(_, value)| value_asks_clock(value)),
    }
}

/// Whether the value depends on when it is worked out.
pub(crate) fn value_asks_clock(value: &ValueSource) -> bool {
    script::CompiledSource::new(value).is_ok_and(|compiled| compiled.asks_clock())
}
