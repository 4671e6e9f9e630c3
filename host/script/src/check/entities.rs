//! Do entities and attributes that a script names exist, are its inputs declared, does `uses` list its verbs, and can its
//! attributes and outputs hold what it gives them?

use model::{
    Argument, Date, Schema, Timestamp, ValueType,
    entity::ChoiceOption,
    package::StepDefinition,
    schema::{Attribute, Entity},
    starter,
};
use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::{
    at,
    sort::{Known, Sort, Sorts},
    tree::{self, list, literal, property},
};
use crate::{Diagnostic, filter, library};

pub(super) fn check(text: &str, program: &AST, step: &StepDefinition, schema: &Schema) -> Vec<Diagnostic> {
    let sorts = Sorts::of(program, step, schema);
    let mut found = super::arguments::check(text, program, &sorts);
    let mut check = Check { text, sorts, found: Vec::new() };
    tree::walk(program, |node| check.look_at(node));
    if let Some(Stmt::Expr(value)) = program.statements().last() {
        check.outputs(value);
    }
    found.append(&mut check.found);
    found
}

struct Check<'a> {
    text: &'a str,
    sorts: Sorts<'a>,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    fn look_at(&mut self, node: &ASTNode<'_>) {
        if let Some(call) = tree::call(node).filter(|call| !call.is_method) {
            self.call(call.call, call.place);
        }
        match node {
            ASTNode::Expr(expression) => self.property(expression),
            ASTNode::Stmt(Stmt::Return(Some(value), ..)) => self.outputs(value),
            _ => {}
        }
    }

    fn outputs(&mut self, value: &Expr) {
        let Expr::Map(map, _) = value else { return };
        let declared = self.sorts.step.outputs.as_slice();
        for (name, value) in &map.0 {
            match declared.iter().find(|output| output.name.as_str() == name.name.as_str()) {
                Some(output) => {
                    let held = Held::of_output(output, self.sorts.schema);
                    self.held(value, name.pos, &held);
                }
                None => {
                    let known = declared.iter().map(|output| output.name.as_str());
                    let message = format!("`outputs` of the manifest has no `{}`", name.name);
                    let found = at(self.text, name.pos, name.name.len(), message);
                    self.found.push(found.near(name.name.as_str(), known));
                }
            }
        }
    }

    fn property(&mut self, expression: &Expr) {
        let Some((root, name, place)) = property(expression) else { return };
        if root == "inputs" {
            if !self.sorts.step.inputs.iter().any(|input| input.name.as_str() == name) {
                let known = self.sorts.step.inputs.iter().map(|input| input.name.as_str());
                let message = format!("`inputs` of the manifest has no `{name}`");
                self.found.push(at(self.text, place, name.len(), message).near(name, known));
            }
            if let Some((attribute, place)) = tree::property_of_property(expression)
                && let Some(Sort::Record(entity)) = self.sorts.input_named(name)
            {
                self.of_record(&format!("inputs.{name}"), entity.as_ref(), attribute, place);
            }
            return;
        }
        let (entity, listed) = match self.sorts.variable(root) {
            Some(Sort::Attributes(entity, listed)) => (entity, listed),
            Some(Sort::Record(Some(entity))) => {
                let entity = entity.clone();
                return self.of_record(root, Some(&entity), name, place);
            }
            _ => return,
        };
        if name == "id" || entity.0.id_name() == name {
            return;
        }
        let found = match (entity.0.attribute(name), listed) {
            (None, _) => unknown_attribute(self.text, &entity.0, name, place),
            (Some(_), Some(listed)) if !listed.iter().any(|one| one == name) => {
                let message = format!("`{name}` was not retrieved, so it is empty here");
                at(self.text, place, name.len(), message).hint(format!("list \"{name}\" in the call of `retrieve`"))
            }
            (Some(_), _) => return,
        };
        self.found.push(found);
    }

    /// What stands behind the dot of a record, which is no map of its attributes.
    fn of_record(&mut self, record: &str, entity: Option<&Known>, name: &str, place: Position) {
        if matches!(name, "id" | "entity") {
            return;
        }
        let message = format!("`{record}` is a record; its attributes are read with `retrieve`");
        let hint = match entity.and_then(|entity| entity.0.attribute(name)) {
            None if entity.is_some() => "a record has `id` and `entity`".to_owned(),
            _ => format!("write `retrieve({record}, [\"{name}\"]).{name}`"),
        };
        self.found.push(at(self.text, place, name.len(), message).hint(hint));
    }

    fn call(&mut self, call: &FnCallExpr, place: Position) {
        let Some(function) = library::host_function(&call.name) else { return };
        if function.external && !self.sorts.step.external {
            let message = format!("`{}` reaches other hosts, which only an external script does", call.name);
            let found = at(self.text, place, call.name.len(), message);
            self.found.push(found.hint("write `external: true` into the manifest"));
        }
        if call.name == "invoke" {
            self.action(call);
        }
        if function.verbs.is_empty() {
            return;
        }
        let Some(entity) = self.entity(call) else { return };
        for verb in function.verbs {
            self.is_used(&entity.0, verb, place, &call.name);
        }
        let argument = |place: usize| call.args.get(place);
        match call.name.as_str() {
            "retrieve" => argument(1).into_iter().for_each(|names| self.names(&entity.0, names)),
            "create" | "update" => argument(1).into_iter().for_each(|values| self.values(&entity.0, values)),
            "query" | "find_one" | "exists" | "count_records" | "update_all" => {
                argument(1).into_iter().for_each(|filter| self.filter(&entity.0, filter));
                match (call.name.as_str(), argument(2)) {
                    ("update_all", Some(values)) => self.values(&entity.0, values),
                    (_, Some(names)) => self.names(&entity.0, names),
                    (_, None) => {}
                }
            }
            "related" => {
                if let Some((lookup, place)) = argument(2).and_then(literal) {
                    self.attribute(&entity.0, lookup, place, 1);
                }
                argument(3).into_iter().for_each(|names| self.names(&entity.0, names));
            }
            "set_status" => argument(1).into_iter().for_each(|status| self.status(&entity.0, status)),
            "follow" => argument(1).into_iter().for_each(|path| self.path(&entity, path)),
            _ => {}
        }
    }

    /// The entity that a call is about.
    fn entity(&mut self, call: &FnCallExpr) -> Option<Known> {
        let function = super::sort::signature(&call.name)?;
        let by_name = function.parameters.iter().position(|parameter| parameter.kind == library::Kind::Entity);
        let Some(place) = by_name else { return self.sorts.entity_of(call.args.first()?) };
        let (name, at_name) = literal(call.args.get(place)?)?;
        let known = self.sorts.schema.named(name).cloned().map(Known);
        if known.is_none() {
            self.unknown_entity(name, at_name);
        }
        known
    }

    fn action(&mut self, call: &FnCallExpr) {
        let Some((name, place)) = call.args.first().and_then(literal) else { return };
        let actions = self.sorts.step.uses.iter().filter(|(kind, _)| kind == "actions");
        if !actions.flat_map(|(_, names)| names).any(|known| known == name) {
            let mut found =
                at(self.text, place, name.len(), format!("`uses` of the manifest does not list the action `{name}`"));
            found.column += 1;
            self.found.push(found.hint(format!("write `uses: {{ actions: [{name}] }}`")));
        }
    }

    fn is_used(&mut self, entity: &Entity, verb: &str, place: Position, called: &str) {
        let name = entity.name().as_str();
        let mut entries = self.sorts.step.uses.iter().filter(|(entity, _)| entity == name || entity == "any");
        if !entries.any(|(_, verbs)| verbs.iter().any(|one| one == verb)) {
            let message = format!("`uses` of the manifest does not list `{verb}` of `{name}`");
            let found = at(self.text, place, called.len(), message);
            self.found.push(found.hint(format!("write `uses: {{ {name}: [{verb}] }}`")));
        }
    }

    fn names(&mut self, entity: &Entity, names: &Expr) {
        for (name, place) in list(names).into_iter().flatten() {
            self.attribute(entity, name, place, 1);
        }
    }

    /// Names and values of a map that is written down.
    fn values(&mut self, entity: &Entity, values: &Expr) {
        let Expr::Map(map, _) = values else { return };
        for (name, value) in &map.0 {
            self.attribute(entity, &name.name, name.pos, 0);
            if let Some(attribute) = entity.attribute(&name.name) {
                let held = Held::of_attribute(attribute, self.sorts.schema);
                self.held(value, name.pos, &held);
            }
        }
    }

    /// Whether what stands there can hold the value.
    fn held(&mut self, value: &Expr, key: Position, held: &Held<'_>) {
        let Some(sort) = self.sorts.sort(value) else { return };
        let place = if value.position().is_none() { key } else { value.start_position() };
        let say = |message: String| at(self.text, place, 0, message);
        let (kind, name, wanted) = (held.kind, held.name, held.value_type);
        if !sort.fits(wanted) {
            let found = say(format!("{kind} `{name}` holds {}, not {}", words(wanted), sort.in_words()));
            self.found.push(match advice(&sort, wanted) {
                Some(hint) => found.hint(hint),
                None => found,
            });
        } else if let Sort::Record(Some(entity)) = &sort
            && let Some(targets) = &held.targets
            && !targets.iter().any(|target| target.0.id == entity.0.id)
        {
            let names: Vec<_> = targets.iter().map(|target| format!("`{}`", target.0.name())).collect();
            let found = format!("{kind} `{name}` points to {}, not to `{}`", names.join(" or "), entity.0.name());
            self.found.push(say(found));
        } else if let Some((text, _)) = literal(value).filter(|(text, _)| !text.is_empty()) {
            let wrong = match wanted {
                ValueType::Date => Date::parse(text).is_none().then_some("a date such as 2026-11-20"),
                ValueType::DateTime => {
                    Timestamp::parse(text).is_none().then_some("a date-time such as 2026-11-20T09:00:00Z")
                }
                ValueType::Guid => uuid::Uuid::parse_str(text).is_err().then_some("a guid"),
                ValueType::Choice if !held.options.is_empty() => {
                    if !held.options.iter().any(|option| option.name.as_str() == text) {
                        let known = held.options.iter().map(|option| option.name.as_str());
                        let found = say(format!("{kind} `{name}` has no option `{text}`")).near(text, known);
                        self.found.push(found);
                    }
                    None
                }
                _ => None,
            };
            if let Some(wanted) = wrong {
                let found = say(format!("{kind} `{name}` holds {wanted}, not the text \"{text}\""));
                self.found.push(found);
            }
        }
    }

    /// `quote` is 1 where the place is that of a quote before the name.
    fn attribute(&mut self, entity: &Entity, name: &str, place: Position, quote: u32) {
        if entity.attribute(name).is_none() && entity.id_name() != name {
            let mut found = unknown_attribute(self.text, entity, name, place);
            found.column += quote;
            self.found.push(found);
        }
    }

    /// A status or a state by its name.
    fn status(&mut self, entity: &Entity, status: &Expr) {
        let Some((name, place)) = literal(status) else { return };
        if entity.status_named(name).is_none() && entity.state_named(name).is_none() {
            let states = &entity.definition.states;
            let statuses = states.iter().flat_map(|state| &state.statuses).map(|status| status.name.as_str());
            let known = statuses.chain(states.iter().map(|state| state.name.as_str()));
            let mut found = at(self.text, place, name.len(), format!("`{}` has no status `{name}`", entity.name()));
            found.column += 1;
            self.found.push(found.near(name, known));
        }
    }

    /// The steps of a path that is written down, as far as it is evident where they lead.
    fn path(&mut self, entity: &Known, path: &Expr) {
        let Some((text, place)) = literal(path) else { return };
        let (mut entity, mut column) = (entity.clone(), 1u32);
        for step in text.split('.') {
            if entity.0.attribute(step).is_none() {
                let mut found = unknown_attribute(self.text, &entity.0, step, place);
                found.column += column;
                return self.found.push(found);
            }
            column += u32::try_from(step.chars().count() + 1).unwrap_or(0);
            let targets = entity.0.attribute(step).and_then(|attribute| attribute.targets.as_deref());
            match targets {
                Some([only]) => match self.sorts.schema.entity(*only) {
                    Some(next) => entity = Known(next.clone()),
                    None => return,
                },
                _ => return,
            }
        }
    }

    fn unknown_entity(&mut self, name: &str, place: Position) {
        let known: Vec<&str> = self.sorts.schema.entities().map(|entity| entity.name().as_str()).collect();
        let mut found = at(self.text, place, name.len(), format!("there is no entity `{name}`")).near(name, known);
        found.column += 1;
        self.found.push(found);
    }

    /// A filter that is written down whole is read as the engine will read it.
    fn filter(&mut self, entity: &Entity, expression: &Expr) {
        let Some((text, place)) = literal(expression).filter(|(text, _)| !text.is_empty()) else { return };
        let Err(wrong) = filter::parse(text, entity, self.sorts.schema) else { return };
        let begin = at(self.text, place, 0, String::new());
        self.found.push(wrong.moved(begin.line, begin.column + 1));
    }
}

/// What takes a value: an attribute or an output.
struct Held<'a> {
    kind: &'static str,
    name: &'a str,
    value_type: ValueType,
    options: &'a [ChoiceOption],
    /// The entities that it may point to; absent: any.
    targets: Option<Vec<Known>>,
}

impl<'a> Held<'a> {
    fn of_output(argument: &'a Argument, schema: &Schema) -> Self {
        let targets: Vec<Known> =
            argument.kind.to.iter().filter_map(|name| schema.named(name.as_str()).cloned().map(Known)).collect();
        Self {
            kind: "output",
            name: argument.name.as_str(),
            value_type: argument.kind.value_type,
            options: &argument.kind.options,
            targets: Some(targets).filter(|targets| !targets.is_empty()),
        }
    }

    fn of_attribute(attribute: &'a Attribute, schema: &Schema) -> Self {
        let of_states = [starter::STATE, starter::STATUS].contains(&attribute.id);
        let targets = attribute.targets.as_deref();
        Self {
            kind: "attribute",
            name: attribute.name().as_str(),
            // A state or status is told by its name or its number.
            value_type: if of_states { ValueType::Choice } else { attribute.value_type() },
            options: if of_states { &[] } else { &attribute.options },
            targets: targets.map(|ids| ids.iter().filter_map(|id| schema.entity(*id).cloned().map(Known)).collect()),
        }
    }
}

/// What a type holds, with its article.
fn words(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Boolean => "true or false",
        ValueType::Whole => "a whole number",
        ValueType::Decimal | ValueType::Float => "a number",
        ValueType::Money => "an amount",
        ValueType::Text => "text",
        ValueType::Date => "a date",
        ValueType::DateTime => "a date-time",
        ValueType::Duration => "a duration",
        ValueType::Guid => "a guid",
        ValueType::Choice => "an option",
        ValueType::Choices => "options",
        ValueType::Reference => "a record",
        ValueType::References => "records",
        ValueType::Bytes => "a file",
        ValueType::Document => "a document",
    }
}

fn advice(sort: &Sort, wanted: ValueType) -> Option<&'static str> {
    match (sort, wanted) {
        (Sort::Text, ValueType::Whole | ValueType::Decimal | ValueType::Float | ValueType::Money) => {
            Some("write `number(...)` around it")
        }
        (_, ValueType::Text) => Some("write `text(...)` around it"),
        (Sort::DateTime, ValueType::Date) => Some("write `date(...)` around it"),
        (Sort::Date, ValueType::DateTime) => Some("write `date_time(...)` around it"),
        (Sort::Text, ValueType::Boolean) => Some("write `boolean(...)` around it"),
        (Sort::Attributes(..), ValueType::Reference) => Some("these are its attributes: name the record itself"),
        (Sort::Guid | Sort::Text, ValueType::Reference) => Some("write `reference(entity, id)`"),
        _ => None,
    }
}

fn unknown_attribute(text: &str, entity: &Entity, name: &str, place: Position) -> Diagnostic {
    let known = entity.attributes().iter().map(Attribute::name).map(model::AttributeName::as_str);
    at(text, place, name.len(), format!("`{}` has no attribute `{name}`", entity.name())).near(name, known)
}
