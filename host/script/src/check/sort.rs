//! What an expression of a script evidently is, before it runs; nothing where only running it could tell.

use std::{collections::HashMap, sync::Arc};

use model::{Schema, ValueType, entity::ChoiceOption, package::StepDefinition, schema::Entity, starter};
use rhai::{AST, ASTNode, Expr, FnCallExpr, Stmt};

use super::tree::{self, literal, texts};
use crate::library::{self, Kind, Signature};

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sort {
    Empty,
    Boolean,
    Whole,
    Number,
    Text,
    Date,
    DateTime,
    /// A date or a date-time.
    Moment,
    Duration,
    Guid,
    Choice,
    List,
    Map,
    /// A record, of this entity where that is known.
    Record(Option<Known>),
    /// The attributes of a record; those that were asked for, where they were listed.
    Attributes(Known, Option<Vec<String>>),
    /// Several of these.
    Rows(Known, Option<Vec<String>>),
}

/// An entity that is compared by its name.
#[derive(Clone, Debug)]
pub(crate) struct Known(pub Arc<Entity>);

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Sort {
    /// The sort of the values of this type.
    pub fn of_type(value_type: ValueType, target: Option<Known>) -> Option<Self> {
        Some(match value_type {
            ValueType::Boolean => Self::Boolean,
            ValueType::Whole => Self::Whole,
            ValueType::Decimal | ValueType::Float | ValueType::Money => Self::Number,
            ValueType::Text => Self::Text,
            ValueType::Date => Self::Date,
            ValueType::DateTime => Self::DateTime,
            ValueType::Duration => Self::Duration,
            ValueType::Guid => Self::Guid,
            ValueType::Choice => Self::Choice,
            ValueType::Reference => Self::Record(target),
            ValueType::References => Self::List,
            ValueType::Choices | ValueType::Bytes | ValueType::Document => return None,
        })
    }

    fn of_kind(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Any => return None,
            Kind::Text | Kind::Entity | Kind::Filter | Kind::Attribute => Self::Text,
            Kind::Number => Self::Number,
            Kind::Whole => Self::Whole,
            Kind::Boolean => Self::Boolean,
            Kind::Date => Self::Date,
            Kind::DateTime => Self::DateTime,
            Kind::Moment => Self::Moment,
            Kind::Duration => Self::Duration,
            Kind::List | Kind::Rows | Kind::Attributes => Self::List,
            Kind::Map | Kind::Values => Self::Map,
            Kind::Record => Self::Record(None),
            Kind::Nothing => Self::Empty,
        })
    }

    /// With its article, as in `dynamic::kind`.
    pub fn in_words(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Boolean => "true or false",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Text => "text",
            Self::Date => "a date",
            Self::DateTime => "a date-time",
            Self::Moment => "a date or a date-time",
            Self::Duration => "a duration",
            Self::Guid => "a guid",
            Self::Choice => "a choice",
            Self::List | Self::Rows(..) => "a list",
            Self::Map => "a map",
            Self::Attributes(..) => "the map of a record's attributes",
            Self::Record(_) => "a lookup",
        }
    }

    /// Whether a function takes such a value; `exactly`: text is not made of other values.
    pub fn is_taken_as(&self, kind: Kind, exactly: bool) -> bool {
        match kind {
            _ if *self == Self::Empty => true,
            Kind::Any | Kind::Nothing => true,
            Kind::Text | Kind::Entity | Kind::Filter | Kind::Attribute => match self {
                Self::Text => true,
                Self::Whole | Self::Number | Self::Choice | Self::Record(_) => !exactly,
                _ => false,
            },
            Kind::Number | Kind::Whole => matches!(self, Self::Whole | Self::Number),
            Kind::Boolean => *self == Self::Boolean,
            Kind::Date | Kind::DateTime | Kind::Moment => {
                matches!(self, Self::Date | Self::DateTime | Self::Moment | Self::Text)
            }
            Kind::Duration => *self == Self::Duration,
            Kind::List | Kind::Rows | Kind::Attributes => matches!(self, Self::List | Self::Rows(..)),
            Kind::Map | Kind::Values => matches!(self, Self::Map | Self::Attributes(..)),
            Kind::Record => matches!(self, Self::Record(_)),
        }
    }

    /// Whether an attribute or an output of this type can hold such a value, as the host makes it fit.
    pub fn fits(&self, value_type: ValueType) -> bool {
        match value_type {
            _ if *self == Self::Empty => true,
            ValueType::Text => *self == Self::Text,
            ValueType::Whole | ValueType::Decimal | ValueType::Float | ValueType::Money => {
                matches!(self, Self::Whole | Self::Number | Self::Choice)
            }
            ValueType::Boolean => *self == Self::Boolean,
            ValueType::Choice => matches!(self, Self::Choice | Self::Whole | Self::Number | Self::Text),
            ValueType::Date => matches!(self, Self::Date | Self::Moment | Self::Text),
            ValueType::DateTime => matches!(self, Self::DateTime | Self::Moment | Self::Text),
            ValueType::Guid => matches!(self, Self::Guid | Self::Text),
            ValueType::Duration => *self == Self::Duration,
            ValueType::Reference => matches!(self, Self::Record(_)),
            ValueType::Choices | ValueType::References | ValueType::Bytes | ValueType::Document => true,
        }
    }
}

/// What the variables of a script evidently hold.
pub(crate) struct Sorts<'a> {
    pub step: &'a StepDefinition,
    pub schema: &'a Schema,
    /// Nothing: different things, or nobody can tell.
    variables: HashMap<String, Option<Sort>>,
    /// The script's own functions: what they give is not looked into, whatever a function of that name gives elsewhere.
    own: Vec<String>,
}

impl<'a> Sorts<'a> {
    /// Looks at every place that gives a variable a value.
    pub fn of(program: &AST, step: &'a StepDefinition, schema: &'a Schema) -> Self {
        let own = program.iter_functions().map(|function| function.name.to_owned()).collect();
        let mut sorts = Self { step, schema, variables: HashMap::new(), own };
        for function in program.iter_functions() {
            for name in &function.params {
                sorts.variables.insert((*name).to_owned(), None);
            }
        }
        tree::walk(program, |node| match node {
            ASTNode::Stmt(Stmt::Var(variable, ..)) => {
                let sort = sorts.sort(&variable.1);
                sorts.note(variable.0.name.as_str(), sort);
            }
            ASTNode::Stmt(Stmt::For(parts, ..)) => {
                let sort = match sorts.sort(&parts.2.expr) {
                    Some(Sort::Rows(entity, listed)) => Some(Sort::Attributes(entity, listed)),
                    _ => None,
                };
                sorts.note(parts.0.name.as_str(), sort);
            }
            ASTNode::Stmt(Stmt::Assignment(assignment)) => {
                if let Expr::Variable(variable, ..) = &assignment.1.lhs {
                    sorts.variables.insert(variable.1.to_string(), None);
                }
            }
            _ => {}
        });
        sorts
    }

    fn note(&mut self, name: &str, sort: Option<Sort>) {
        let sort = match self.variables.get(name) {
            None => sort,
            Some(known) if *known == sort => sort,
            Some(_) => None,
        };
        self.variables.insert(name.to_owned(), sort);
    }

    /// What an expression is.
    pub fn sort(&self, expression: &Expr) -> Option<Sort> {
        Some(match expression {
            Expr::Unit(_) => Sort::Empty,
            Expr::BoolConstant(..) | Expr::And(..) | Expr::Or(..) => Sort::Boolean,
            Expr::IntegerConstant(..) => Sort::Whole,
            Expr::FloatConstant(..) => Sort::Number,
            Expr::DynamicConstant(value, _) if value.is_decimal() => Sort::Number,
            Expr::StringConstant(..) | Expr::InterpolatedString(..) | Expr::CharConstant(..) => Sort::Text,
            Expr::Array(..) => Sort::List,
            Expr::Map(..) => Sort::Map,
            Expr::Variable(variable, ..) => return self.variables.get(variable.1.as_str())?.clone(),
            Expr::FnCall(call, _) => return self.called(call, None),
            Expr::Dot(sides, ..) => return self.chained(&sides.lhs, &sides.rhs),
            Expr::Index(sides, ..) => match self.sort(&sides.lhs)? {
                Sort::Rows(entity, listed) if !matches!(sides.rhs, Expr::Dot(..) | Expr::Index(..)) => {
                    Sort::Attributes(entity, listed)
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    /// `first.rest`, where the rest may go on.
    fn chained(&self, first: &Expr, rest: &Expr) -> Option<Sort> {
        if let Expr::Variable(variable, ..) = first
            && variable.1 == "inputs"
        {
            return match rest {
                Expr::Dot(sides, ..) => self.step_on(self.input(&sides.lhs), &sides.rhs),
                property => self.input(property),
            };
        }
        self.step_on(self.sort(first), rest)
    }

    fn step_on(&self, sort: Option<Sort>, rest: &Expr) -> Option<Sort> {
        match rest {
            Expr::Dot(sides, ..) => self.step_on(self.step_on(sort, &sides.lhs), &sides.rhs),
            Expr::Property(property, _) => self.property(&sort?, property.2.as_str()),
            Expr::MethodCall(call, _) | Expr::FnCall(call, _) => self.called(call, Some(sort)),
            _ => None,
        }
    }

    fn input(&self, property: &Expr) -> Option<Sort> {
        let Expr::Property(property, _) = property else { return None };
        self.input_named(property.2.as_str())
    }

    /// What an input holds.
    pub fn input_named(&self, name: &str) -> Option<Sort> {
        let input = self.step.inputs.iter().find(|input| input.name.as_str() == name)?;
        let target = match input.kind.to.as_slice() {
            [only] => self.schema.named(only.as_str()).cloned().map(Known),
            _ => None,
        };
        Sort::of_type(input.kind.value_type, target)
    }

    fn property(&self, sort: &Sort, name: &str) -> Option<Sort> {
        match sort {
            Sort::Attributes(entity, _) if name == "id" => Some(Sort::Record(Some(entity.clone()))),
            Sort::Attributes(entity, _) => {
                let attribute = entity.0.attribute(name)?;
                if [starter::STATE, starter::STATUS].contains(&attribute.id) {
                    return Some(Sort::Choice);
                }
                let target = match attribute.targets.as_deref() {
                    Some([only]) => self.schema.entity(*only).cloned().map(Known),
                    _ => None,
                };
                Sort::of_type(attribute.value_type(), target)
            }
            Sort::Record(_) if name == "id" => Some(Sort::Guid),
            Sort::Record(_) if name == "entity" => Some(Sort::Text),
            _ => None,
        }
    }

    /// What a call gives; `before` is what stands before the dot, where it is written so.
    fn called(&self, call: &FnCallExpr, before: Option<Option<Sort>>) -> Option<Sort> {
        let argument = |place: usize| match (&before, place) {
            (Some(sort), 0) => sort.clone(),
            (Some(_), place) => call.args.get(place - 1).and_then(|argument| self.sort(argument)),
            (None, place) => call.args.get(place).and_then(|argument| self.sort(argument)),
        };
        if self.own.iter().any(|own| *own == call.name.as_str()) {
            return None;
        }
        if call.op_token.is_some() {
            return operator(call.name.as_str(), argument(0), argument(1));
        }
        if before.is_none()
            && let Some(known) = self.of_host(call)
        {
            return Some(known);
        }
        match (call.name.as_str(), argument(0)) {
            (
                "rows_where" | "sort_rows" | "sort_rows_down" | "take" | "skip" | "reversed" | "filter",
                Some(rows @ Sort::Rows(..)),
            ) => {
                return Some(rows);
            }
            ("row_where" | "first" | "last" | "item", Some(Sort::Rows(entity, listed))) => {
                return Some(Sort::Attributes(entity, listed));
            }
            // Functions of Rhai's own lists have these names, too.
            ("contains" | "index_of" | "is_empty" | "filter" | "get", None | Some(Sort::List | Sort::Rows(..))) => {
                return None;
            }
            ("round" | "floor" | "ceil" | "trunc" | "abs", Some(Sort::Whole)) => return Some(Sort::Whole),
            ("if_empty", Some(sort)) if argument(1).as_ref() == Some(&sort) => return Some(sort),
            (name, Some(Sort::Date))
                if name.starts_with("add_") && !matches!(name, "add_hours" | "add_minutes" | "add_percent") =>
            {
                return Some(Sort::Date);
            }
            _ => {}
        }
        let signature = signature(call.name.as_str())?;
        Sort::of_kind(signature.gives)
    }

    /// What the functions on records give, where their entity is evident.
    fn of_host(&self, call: &FnCallExpr) -> Option<Sort> {
        let listed = |place: usize| call.args.get(place).and_then(texts);
        let entity = |place: usize| {
            let (name, _) = literal(call.args.get(place)?)?;
            self.schema.named(name).cloned().map(Known)
        };
        match call.name.as_str() {
            "retrieve" => Some(Sort::Attributes(self.entity_of(call.args.first()?)?, listed(1))),
            "create" | "reference" => Some(Sort::Record(Some(entity(0)?))),
            "query" => Some(Sort::Rows(entity(0)?, listed(2))),
            "find_one" => Some(Sort::Attributes(entity(0)?, listed(2))),
            "related" => Some(Sort::Rows(entity(1)?, listed(3))),
            // Only an action says on which records it runs.
            "record" => {
                let entity = self.step.claims.entity.as_ref()?;
                Some(Sort::Record(Some(Known(self.schema.named(entity.as_str())?.clone()))))
            }
            _ => None,
        }
    }

    /// The entity of the record that an expression evidently is.
    pub fn entity_of(&self, expression: &Expr) -> Option<Known> {
        match self.sort(expression)? {
            Sort::Record(entity) => entity,
            _ => None,
        }
    }

    /// The options of the choice that an expression evidently is, each with its number.
    pub fn options(&self, expression: &Expr) -> Option<Vec<(&str, i32)>> {
        let (root, name, _) = tree::property(expression)?;
        let named = |options: &'a [ChoiceOption]| -> Vec<(&'a str, i32)> {
            options.iter().map(|one| (one.name.as_str(), one.value)).collect()
        };
        if root == "inputs" {
            let input = self.step.inputs.iter().find(|input| input.name.as_str() == name)?;
            return Some(named(&input.kind.options));
        }
        let Some(Sort::Attributes(Known(entity), _)) = self.variable(root) else { return None };
        let states = entity.definition.states.iter();
        Some(match entity.attribute(name)? {
            attribute if attribute.id == starter::STATE => {
                states.map(|state| (state.name.as_str(), state.value)).collect()
            }
            attribute if attribute.id == starter::STATUS => {
                states.flat_map(|state| &state.statuses).map(|one| (one.name.as_str(), one.value)).collect()
            }
            attribute => attribute.options.iter().map(|one| (one.name.as_str(), one.value)).collect(),
        })
    }

    /// What a variable holds.
    pub fn variable(&self, name: &str) -> Option<&Sort> {
        self.variables.get(name)?.as_ref()
    }
}

/// The signature of a function of the library or of the host.
pub(crate) fn signature(name: &str) -> Option<Signature> {
    let known = library::function(name).map(|function| function.signature);
    Signature::parse(known.or_else(|| library::host_function(name).map(|function| function.signature))?)
}

fn operator(name: &str, left: Option<Sort>, right: Option<Sort>) -> Option<Sort> {
    match name {
        "==" | "!=" | "<" | "<=" | ">" | ">=" | "!" | "in" | "!in" => return Some(Sort::Boolean),
        _ => {}
    }
    match (name, left?, right) {
        ("-", number @ (Sort::Whole | Sort::Number), None) => Some(number),
        ("+" | "-" | "*" | "%", Sort::Whole, Some(Sort::Whole)) => Some(Sort::Whole),
        ("+" | "-" | "*" | "/" | "%" | "**", Sort::Whole | Sort::Number, Some(Sort::Whole | Sort::Number)) => {
            Some(Sort::Number)
        }
        ("+", Sort::Text, Some(Sort::Text)) => Some(Sort::Text),
        ("+" | "-", moment @ (Sort::DateTime | Sort::Moment), Some(Sort::Duration)) => Some(moment),
        ("+" | "-", Sort::Date, Some(Sort::Duration)) => Some(Sort::Moment),
        _ => None,
    }
}
