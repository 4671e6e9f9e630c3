//! Do entities and attributes that a script names exist, are its inputs declared, and does `uses` list its verbs?

use std::{collections::HashMap, sync::Arc};

use model::{
    Schema, ValueType,
    package::StepDefinition,
    schema::{Attribute, Entity},
};
use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::{
    at,
    tree::{self, literal, property},
};
use crate::{Diagnostic, filter, library};

pub(super) fn check(text: &str, program: &AST, step: &StepDefinition, schema: &Schema) -> Vec<Diagnostic> {
    let mut check = Check { text, step, schema, holders: HashMap::new(), found: Vec::new() };
    tree::walk(program, |node| {
        if let ASTNode::Stmt(Stmt::Var(variable, ..)) = node {
            check.note(variable.0.name.as_str(), &variable.1);
        }
    });
    tree::walk(program, |node| check.look_at(node));
    if let Some(last) = program.statements().last() {
        check.result(last);
    }
    check.found
}

/// What a variable evidently holds.
enum Holds {
    /// The attributes of a record; those that were asked for, if they were listed.
    Attributes(Arc<Entity>, Option<Vec<String>>),
    /// A record.
    Record(Arc<Entity>),
    /// Different things.
    Unclear,
}

struct Check<'a> {
    text: &'a str,
    step: &'a StepDefinition,
    schema: &'a Schema,
    holders: HashMap<String, Holds>,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    /// Notes what a new variable holds.
    fn note(&mut self, name: &str, value: &Expr) {
        let holds = match value {
            Expr::FnCall(call, _) if call.name == "retrieve" => {
                let listed = call
                    .args
                    .get(1)
                    .and_then(list)
                    .map(|names| names.iter().map(|(name, _)| (*name).to_owned()).collect());
                call.args
                    .first()
                    .and_then(|record| self.entity_of(record))
                    .map(|entity| Holds::Attributes(entity, listed))
            }
            Expr::FnCall(call, _) if call.name == "create" => {
                let named = call.args.first().and_then(literal);
                named.and_then(|(name, _)| self.schema.named(name)).map(|entity| Holds::Record(entity.clone()))
            }
            other => self.entity_of(other).map(Holds::Record),
        };
        let unclear = self.holders.contains_key(name);
        self.holders.insert(name.to_owned(), holds.filter(|_| !unclear).unwrap_or(Holds::Unclear));
    }

    /// The entity of the record that an expression evidently is.
    fn entity_of(&self, expression: &Expr) -> Option<Arc<Entity>> {
        if let Expr::Variable(variable, ..) = expression {
            return match self.holders.get(variable.1.as_str()) {
                Some(Holds::Record(entity)) => Some(entity.clone()),
                _ => None,
            };
        }
        let (root, name, _) = property(expression)?;
        if !matches!(expression, Expr::Dot(sides, ..) if matches!(sides.rhs, Expr::Property(..))) {
            return None;
        }
        if root == "inputs" {
            let input = self.step.inputs.iter().find(|input| input.name.as_str() == name)?;
            return match input.kind.to.as_slice() {
                [only] if input.kind.value_type == ValueType::Reference => self.schema.named(only.as_str()).cloned(),
                _ => None,
            };
        }
        let Some(Holds::Attributes(entity, _)) = self.holders.get(root) else { return None };
        match entity.attribute(name).and_then(|attribute| attribute.targets.as_deref()) {
            Some([only]) => self.schema.entity(*only).cloned(),
            _ => None,
        }
    }

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

    /// The value of the last statement, which is the script's.
    fn result(&mut self, statement: &Stmt) {
        if let Stmt::Expr(value) = statement {
            self.outputs(value);
        }
    }

    fn outputs(&mut self, value: &Expr) {
        let Expr::Map(map, _) = value else { return };
        for (name, _) in &map.0 {
            if !self.step.outputs.iter().any(|output| output.name.as_str() == name.name.as_str()) {
                let known = self.step.outputs.iter().map(|output| output.name.as_str());
                let message = format!("`outputs` of the manifest has no `{}`", name.name);
                let found = at(self.text, name.pos, name.name.len(), message);
                self.found.push(found.near(name.name.as_str(), known));
            }
        }
    }

    fn property(&mut self, expression: &Expr) {
        let Some((root, name, place)) = property(expression) else { return };
        if root == "inputs" {
            if !self.step.inputs.iter().any(|input| input.name.as_str() == name) {
                let known = self.step.inputs.iter().map(|input| input.name.as_str());
                let message = format!("`inputs` of the manifest has no `{name}`");
                self.found.push(at(self.text, place, name.len(), message).near(name, known));
            }
            return;
        }
        let Some(Holds::Attributes(entity, listed)) = self.holders.get(root) else { return };
        if name == "id" || entity.id_name() == name {
            return;
        }
        let found = match (entity.attribute(name), listed) {
            (None, _) => unknown_attribute(self.text, entity, name, place),
            (Some(_), Some(listed)) if !listed.iter().any(|one| one == name) => {
                let message = format!("`{name}` was not retrieved, so it is empty here");
                at(self.text, place, name.len(), message).hint(format!("list \"{name}\" in the call of `retrieve`"))
            }
            (Some(_), _) => return,
        };
        self.found.push(found);
    }

    fn call(&mut self, call: &FnCallExpr, place: Position) {
        let Some(function) = library::host_function(&call.name).filter(|function| !function.verbs.is_empty()) else {
            return;
        };
        let Some(first) = call.args.first() else { return };
        let by_name = function.signature.contains("(entity: entity");
        let entity = match (by_name, literal(first)) {
            (true, Some((name, at_name))) => match self.schema.named(name) {
                Some(entity) => Some(entity.clone()),
                None => return self.unknown_entity(name, at_name),
            },
            (true, None) => None,
            (false, _) => self.entity_of(first),
        };
        let Some(entity) = entity else { return };
        for verb in function.verbs {
            self.is_used(&entity, verb, place, &call.name);
        }
        match (call.name.as_str(), call.args.get(1)) {
            ("retrieve", Some(names)) => self.names(&entity, names),
            ("create" | "update", Some(Expr::Map(map, _))) => {
                let names = map.0.iter().map(|(name, _)| (name.name.as_str(), name.pos));
                names.for_each(|(name, place)| self.attribute(&entity, name, place, 0));
            }
            ("query", Some(filter)) => {
                self.filter(&entity, filter);
                call.args.get(2).into_iter().for_each(|names| self.names(&entity, names));
            }
            _ => {}
        }
    }

    fn is_used(&mut self, entity: &Entity, verb: &str, place: Position, called: &str) {
        let name = entity.name().as_str();
        let listed = self.step.uses.iter().any(|(entity, verbs)| entity == name && verbs.iter().any(|one| one == verb));
        if !listed {
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

    /// `quote` is 1 where the place is that of a quote before the name.
    fn attribute(&mut self, entity: &Entity, name: &str, place: Position, quote: u32) {
        if entity.attribute(name).is_none() && entity.id_name() != name {
            let mut found = unknown_attribute(self.text, entity, name, place);
            found.column += quote;
            self.found.push(found);
        }
    }

    fn unknown_entity(&mut self, name: &str, place: Position) {
        let known: Vec<&str> = self.schema.entities().map(|entity| entity.name().as_str()).collect();
        let mut found = at(self.text, place, name.len(), format!("there is no entity `{name}`")).near(name, known);
        found.column += 1;
        self.found.push(found);
    }

    /// A filter that is written down whole is read as the engine will read it.
    fn filter(&mut self, entity: &Entity, expression: &Expr) {
        let Some((text, place)) = literal(expression).filter(|(text, _)| !text.is_empty()) else { return };
        let Err(wrong) = filter::parse(text, entity, self.schema) else { return };
        let begin = at(self.text, place, 0, String::new());
        self.found.push(wrong.moved(begin.line, begin.column + 1));
    }
}

fn unknown_attribute(text: &str, entity: &Entity, name: &str, place: Position) -> Diagnostic {
    let known = entity.attributes().iter().map(Attribute::name).map(model::AttributeName::as_str);
    at(text, place, name.len(), format!("`{}` has no attribute `{name}`", entity.name())).near(name, known)
}

/// The texts of a list that is written down whole.
fn list(expression: &Expr) -> Option<Vec<(&str, Position)>> {
    let Expr::Array(items, _) = expression else { return None };
    items.iter().map(literal).collect()
}
