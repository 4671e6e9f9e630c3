//! Helpers of the checks to look at a parsed script.

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

/// A call with its place.
pub(super) struct Call<'a> {
    pub call: &'a FnCallExpr,
    /// The value before the dot, where it is written as a method.
    pub is_method: bool,
    pub place: Position,
}

/// Calls `on_node` with each statement and expression, functions included.
pub(super) fn walk(program: &AST, mut on_node: impl FnMut(&ASTNode<'_>)) {
    program.walk(&mut |path: &[ASTNode<'_>]| {
        path.last().into_iter().for_each(&mut on_node);
        true
    });
}

/// The call that a node is.
pub(super) fn call<'a>(node: &ASTNode<'a>) -> Option<Call<'a>> {
    match node {
        ASTNode::Expr(Expr::FnCall(call, place)) => Some(Call { call, is_method: false, place: *place }),
        ASTNode::Expr(Expr::MethodCall(call, place)) => Some(Call { call, is_method: true, place: *place }),
        ASTNode::Stmt(Stmt::FnCall(call, place)) => Some(Call { call, is_method: false, place: *place }),
        _ => None,
    }
}

/// The names of all variables that the script makes.
pub(crate) fn variables(program: &AST) -> Vec<String> {
    let mut names = Vec::new();
    walk(program, |node| match node {
        ASTNode::Stmt(Stmt::Var(variable, ..)) => names.push(variable.0.name.to_string()),
        ASTNode::Stmt(Stmt::For(parts, ..)) => names.push(parts.0.name.to_string()),
        _ => {}
    });
    names
}

/// Where an expression begins.
pub(super) fn begin(expression: &Expr) -> Position {
    match expression.start_position() {
        place if place.is_none() => expression.position(),
        place => place,
    }
}

/// The text of a literal with its place: that of its first quote.
pub(super) fn literal(expression: &Expr) -> Option<(&str, Position)> {
    match expression {
        Expr::StringConstant(text, place) => Some((text.as_str(), *place)),
        _ => None,
    }
}

/// `name.property`: both names and the place of the second.
pub(super) fn property(expression: &Expr) -> Option<(&str, &str, Position)> {
    let Expr::Dot(sides, ..) = expression else { return None };
    let Expr::Variable(variable, ..) = &sides.lhs else { return None };
    let first = match &sides.rhs {
        Expr::Dot(rest, ..) | Expr::Index(rest, ..) => &rest.lhs,
        only => only,
    };
    match first {
        Expr::Property(property, place) => Some((variable.1.as_str(), property.2.as_str(), *place)),
        _ => None,
    }
}

/// `name.property.second`: the name behind the second dot and its place; a call is none.
pub(super) fn property_of_property(expression: &Expr) -> Option<(&str, Position)> {
    let Expr::Dot(sides, ..) = expression else { return None };
    let Expr::Dot(rest, ..) = &sides.rhs else { return None };
    let second = match &rest.rhs {
        Expr::Dot(more, ..) | Expr::Index(more, ..) => &more.lhs,
        only => only,
    };
    match second {
        Expr::Property(property, place) => Some((property.2.as_str(), *place)),
        _ => None,
    }
}

/// The texts of a list that is written down whole.
pub(super) fn list(expression: &Expr) -> Option<Vec<(&str, Position)>> {
    let Expr::Array(items, _) = expression else { return None };
    items.iter().map(literal).collect()
}

/// The same without their places.
pub(super) fn texts(expression: &Expr) -> Option<Vec<String>> {
    Some(list(expression)?.iter().map(|(text, _)| (*text).to_owned()).collect())
}
