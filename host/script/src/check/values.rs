//! Do the values of a script go together: what is compared, what is calculated, what it ends with?
//!
//! Only what is evident is judged. What would be refused, or never be true, when it runs is an error; what is possible and
//! seldom meant, a warning.

use model::{Date, Schema, Timestamp, package::StepDefinition};
use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::{
    at,
    sort::{Known, Sort, Sorts},
    tree::{self, literal},
};
use crate::Diagnostic;

pub(super) fn check(text: &str, program: &AST, step: &StepDefinition, schema: &Schema) -> Vec<Diagnostic> {
    let mut check = Check { text, sorts: Sorts::of(program, step, schema), found: Vec::new() };
    tree::walk(program, |node| check.look_at(node));
    check.end(program);
    check.unused(program);
    check.found
}

struct Check<'a> {
    text: &'a str,
    sorts: Sorts<'a>,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    fn look_at(&mut self, node: &ASTNode<'_>) {
        if let Some(called) = tree::call(node) {
            match (called.call.op_token.is_some(), called.call.args.as_slice()) {
                (true, [left, right]) => self.between(called.call, called.place, left, right),
                (false, [code, ..]) if called.call.name == "fail" && !called.is_method => self.code(code),
                _ => {}
            }
        }
        match node {
            ASTNode::Expr(Expr::StringConstant(text, place)) if text.contains("${") => {
                let found = at(self.text, *place, 0, "`${` is no value between double quotes".to_owned());
                self.found.push(found.hint("write the text between backticks: `Dear ${name}`").warning());
            }
            ASTNode::Stmt(Stmt::Assignment(assignment)) => self.assigned(&assignment.1.lhs),
            _ => {}
        }
    }

    /// Two values around a sign.
    fn between(&mut self, call: &FnCallExpr, place: Position, left: &Expr, right: &Expr) {
        let sign = call.name.as_str();
        let say = |message: String| at(self.text, place, sign.len(), message);
        match sign {
            "&" => {
                let found = say("`&` neither joins texts nor means `and`".to_owned());
                return self.found.push(found.hint("write `+` between texts, `&&` between conditions"));
            }
            "|" => return self.found.push(say("`|` does not mean `or`".to_owned()).hint("write `||`")),
            "^" => return self.found.push(say("`^` raises nothing".to_owned()).hint("write `**`: 2 ** 3 is 8")),
            _ => {}
        }
        let (Some(first), Some(second)) = (self.sorts.sort(left), self.sorts.sort(right)) else { return };
        let found = match sign {
            "==" | "!=" | "<" | "<=" | ">" | ">=" => self.compared((left, &first), (right, &second), place),
            "+" | "-" | "*" | "/" | "%" | "**" => calculated(sign, &first, &second).map(|hint| {
                let (first, second) = (first.in_words(), second.in_words());
                say(format!("`{sign}` does not go between {first} and {second}")).hinted(hint)
            }),
            _ => None,
        };
        self.found.extend(found);
    }

    fn compared(
        &self,
        (left, first): (&Expr, &Sort),
        (right, second): (&Expr, &Sort),
        place: Position,
    ) -> Option<Diagnostic> {
        if let Some(found) = self.no_date(first, right).or_else(|| self.no_date(second, left)) {
            return Some(found);
        }
        if let Some(found) = self.no_option(left, right).or_else(|| self.no_option(right, left)) {
            return Some(found);
        }
        let (one, other) = (Family::of(first)?, Family::of(second)?);
        if one == other || Family::go_together(one, other) {
            return None;
        }
        let message = format!("{} is compared with {}, which it never is", first.in_words(), second.in_words());
        let hint = match (one, other) {
            (Family::Number, Family::Text) if literal(right).is_some() => literal(right).and_then(unquoted),
            (Family::Text, Family::Number) if literal(left).is_some() => literal(left).and_then(unquoted),
            (Family::Number, Family::Text) | (Family::Text, Family::Number) => {
                Some("write `number(...)` around the text".to_owned())
            }
            (Family::Record, _) | (_, Family::Record) => Some("compare an attribute of the record".to_owned()),
            _ => None,
        };
        Some(at(self.text, place, 0, message).hinted(hint.unwrap_or_default()))
    }

    /// A text beside a date that names none.
    fn no_date(&self, time: &Sort, other: &Expr) -> Option<Diagnostic> {
        let (text, place) = literal(other)
            .filter(|(text, _)| matches!(time, Sort::Date | Sort::DateTime | Sort::Moment) && !text.is_empty())?;
        let wrong = Date::parse(text).is_none() && Timestamp::parse(text).is_none();
        wrong.then(|| {
            let found =
                at(self.text, place, text.chars().count() + 2, format!("`{text}` is no date such as 2026-11-20"));
            found.hint("a date is written year, month, day")
        })
    }

    /// The name of an option beside a choice that has none of that name.
    fn no_option(&self, choice: &Expr, other: &Expr) -> Option<Diagnostic> {
        let (name, place) = literal(other).filter(|(name, _)| !name.is_empty())?;
        let options = self.sorts.options(choice).filter(|options| !options.is_empty())?;
        let say = |message: String| at(self.text, place, name.chars().count() + 2, message);
        let known: Vec<_> = options.iter().map(|(name, _)| *name).collect();
        let Some((_, number)) = options.iter().find(|(option, _)| option.eq_ignore_ascii_case(name)) else {
            let found = say(format!("there is no option `{name}`"));
            return Some(found.hint(format!("the options are {}", known.join(", "))).near(name, known));
        };
        // The contract hands options over as numbers; only attributes are looked up again.
        let is_input = tree::property(choice).is_some_and(|(root, ..)| root == "inputs");
        is_input.then(|| {
            let found = say("an input that is an option arrives as its number".to_owned());
            found.hint(format!("write {number}, which is `{name}`"))
        })
    }

    /// A code that the manifest does not list.
    fn code(&mut self, code: &Expr) {
        let Some((name, place)) = literal(code) else { return };
        let declared = &self.sorts.step.errors;
        if declared.is_empty() || declared.iter().any(|(known, _)| known == name) {
            return;
        }
        let message = format!("`errors` of the manifest does not list `{name}`");
        let found = at(self.text, place, name.chars().count() + 2, message);
        let known = declared.iter().map(|(known, _)| known.as_str());
        self.found.push(
            found.hint(format!("write `errors: {{ {name}: ... }}` with its sentence")).near(name, known).warning(),
        );
    }

    /// An attribute that gets a value in the copy that `retrieve` gave.
    fn assigned(&mut self, target: &Expr) {
        let Some((root, name, place)) = tree::property(target) else { return };
        if let Some(Sort::Attributes(Known(entity), _)) = self.sorts.variable(root)
            && entity.attribute(name).is_some()
        {
            let message = format!("this changes `{root}` only, not the record that it was read from");
            let found = at(self.text, place, name.len(), message);
            self.found.push(found.hint(format!("write `update(record, #{{ {name}: ... }})`")).warning());
        }
    }

    /// What the script ends with.
    fn end(&mut self, program: &AST) {
        let last = program.statements().last();
        if let Some(Stmt::Expr(value)) = last {
            let sort = self.sorts.sort(value);
            match sort {
                None | Some(Sort::Map | Sort::Attributes(..)) => return self.lacks(value),
                // A value with a `;` behind it is thrown away.
                _ if super::ends_statement(self.text) => {}
                Some(Sort::Empty) => {}
                Some(sort) => {
                    let message = format!("the script ends with {}, not with its outputs by name", sort.in_words());
                    let found = at(self.text, tree::begin(value), 0, message);
                    self.found.push(match self.sorts.step.outputs.first() {
                        Some(output) => found.hint(format!("end with `#{{ {}: ... }}`", output.name)),
                        None => found.hint("write `;` behind it: it declares no outputs"),
                    });
                    return;
                }
            }
        } else if gives_elsewhere(program) {
            return;
        }
        self.gives_nothing(last);
    }

    /// Nothing stands at the end that could be outputs.
    fn gives_nothing(&mut self, last: Option<&Stmt>) {
        let declared = &self.sorts.step.outputs;
        let Some(first) = declared.first() else { return };
        let required = declared.iter().find(|output| output.required && output.default.is_null());
        let message = match required {
            Some(output) => format!("the script ends without its output `{}`, which is required", output.name),
            None => "the script ends without any of its outputs".to_owned(),
        };
        let found = at(self.text, last.map_or(Position::NONE, Stmt::position), 0, message);
        let found = found.hint(format!("end with `#{{ {}: ... }}`", required.unwrap_or(first).name));
        self.found.push(if required.is_some() { found } else { found.warning() });
    }

    /// A map of outputs without one that is required.
    fn lacks(&mut self, value: &Expr) {
        let Expr::Map(map, place) = value else { return };
        for output in self.sorts.step.outputs.iter().filter(|output| output.required && output.default.is_null()) {
            if !map.0.iter().any(|(name, _)| name.name.as_str() == output.name.as_str()) {
                let found = at(self.text, *place, 2, format!("the output `{}` is required and not here", output.name));
                self.found.push(found.hint(format!("write `{}: ...` into the map", output.name)));
            }
        }
    }

    /// Inputs that nobody reads.
    fn unused(&mut self, program: &AST) {
        let (mut read, mut whole) = (Vec::new(), 0i64);
        tree::walk(program, |node| {
            let ASTNode::Expr(expression) = node else { return };
            match tree::property(expression) {
                Some(("inputs", name, _)) => {
                    read.push(name.to_owned());
                    whole -= 1;
                }
                _ if matches!(expression, Expr::Variable(variable, ..) if variable.1 == "inputs") => whole += 1,
                _ => {}
            }
        });
        // Handed on as a whole, or read by a name that is worked out.
        if whole != 0 {
            return;
        }
        let unused = self.sorts.step.inputs.iter().filter(|input| !read.iter().any(|name| input.name.as_str() == name));
        let unused: Vec<_> = unused.map(|input| input.name.as_str()).collect();
        for name in unused {
            let (line, column) = declared_at(self.text, name);
            let message = format!("the script never reads its input `{name}`");
            self.found.push(
                Diagnostic {
                    length: u32::try_from(name.len()).unwrap_or(0),
                    ..super::located(message, line, column, 0)
                }
                .hint(format!("write `inputs.{name}` where it is wanted, or take it away"))
                .warning(),
            );
        }
    }
}

/// Where the heading names an input first, behind `inputs`.
fn declared_at(text: &str, name: &str) -> (usize, usize) {
    let mut behind = false;
    for (number, line) in text.lines().enumerate() {
        behind |= line.trim_start().starts_with("inputs:");
        let places = line.match_indices(name).map(|(at, _)| at);
        let is_key = |at: &usize| {
            let before =
                line[..*at].chars().next_back().is_none_or(|letter| !letter.is_alphanumeric() && letter != '_');
            before && line[at + name.len()..].trim_start().starts_with(':')
        };
        if let (true, Some(at)) = (behind, places.into_iter().find(is_key)) {
            return (number + 1, line[..at].chars().count() + 1);
        }
    }
    (1, 1)
}

/// Whether the script may give its outputs, or end, before its last statement or within it.
fn gives_elsewhere(program: &AST) -> bool {
    let within = matches!(
        program.statements().last(),
        Some(
            Stmt::If(..)
                | Stmt::Switch(..)
                | Stmt::Block(..)
                | Stmt::TryCatch(..)
                | Stmt::FnCall(..)
                | Stmt::Return(..)
        )
    );
    let mut returns = false;
    tree::walk(program, |node| returns |= matches!(node, ASTNode::Stmt(Stmt::Return(Some(_), ..))));
    within || returns
}

/// Values that compare with each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Boolean,
    Number,
    Text,
    Time,
    Duration,
    Guid,
    Choice,
    List,
    Map,
    Record,
}

impl Family {
    /// Nothing: empty compares with everything.
    fn of(sort: &Sort) -> Option<Self> {
        Some(match sort {
            Sort::Empty => return None,
            Sort::Boolean => Self::Boolean,
            Sort::Whole | Sort::Number => Self::Number,
            Sort::Text => Self::Text,
            Sort::Date | Sort::DateTime | Sort::Moment => Self::Time,
            Sort::Duration => Self::Duration,
            Sort::Guid => Self::Guid,
            Sort::Choice => Self::Choice,
            Sort::List | Sort::Rows(..) => Self::List,
            Sort::Map | Sort::Attributes(..) => Self::Map,
            Sort::Record(_) => Self::Record,
        })
    }

    fn go_together(one: Self, other: Self) -> bool {
        let pair = |first, second| (one, other) == (first, second) || (other, one) == (first, second);
        pair(Self::Time, Self::Text)
            || pair(Self::Guid, Self::Text)
            || pair(Self::Choice, Self::Number)
            || pair(Self::Choice, Self::Text)
    }
}

fn unquoted((text, _): (&str, Position)) -> Option<String> {
    match text.parse::<f64>() {
        Ok(_) => Some(format!("write {text} without quotes")),
        Err(_) => Some("write `text(...)` around the number".to_owned()),
    }
}

/// What to do where a sign does not go between two values; nothing where it does.
fn calculated(sign: &str, first: &Sort, second: &Sort) -> Option<&'static str> {
    use Family::{Choice, Duration, List, Number, Text, Time};
    let (one, other) = (Family::of(first)?, Family::of(second)?);
    match (sign, one, other) {
        (_, Number, Number) | ("+", Text, Text) | ("+" | "-", Time, Duration) | (_, List, _) => None,
        (_, Choice, _) | (_, _, Choice) => None,
        ("+", Text, _) | ("+", _, Text) => Some("write `text(...)` around the other side"),
        ("+", Time, _) | ("+", _, Time) => Some("write `add_days(day, number)`"),
        ("-", Time, Time) => Some("write `days_between(from, to)`"),
        ("-", Time, _) => Some("write `add_days(day, -number)`"),
        (_, Text, Number) | (_, Number, Text) => Some("write `number(...)` around the text"),
        _ => Some(""),
    }
}

impl Diagnostic {
    /// With a hint, where there is one.
    fn hinted(self, hint: impl Into<String>) -> Self {
        match hint.into() {
            hint if hint.is_empty() => self,
            hint => self.hint(hint),
        }
    }
}
