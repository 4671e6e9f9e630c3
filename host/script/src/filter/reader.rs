//! The grammar of filters and orders.

use std::ops::Range;

use model::{
    Schema, Value, ValueType, Way,
    condition::TextPlace,
    query::{Comparison, Filter, Sort},
    schema::Entity,
};

use super::{
    DEEPEST, MOST_SORTS, functions,
    literal::{self, Quotes},
    names::{self, Named},
    words::{Placed, Token, words},
};
use crate::{Diagnostic, Environment};

const COMPARISONS: [(&str, Comparison); 6] = [
    ("eq", Comparison::Equal),
    ("ne", Comparison::NotEqual),
    ("gt", Comparison::Greater),
    ("ge", Comparison::AtLeast),
    ("lt", Comparison::Less),
    ("le", Comparison::AtMost),
];

const TESTS_OF_TEXT: [(&str, TextPlace); 3] =
    [("contains", TextPlace::Contains), ("startswith", TextPlace::Starts), ("endswith", TextPlace::Ends)];

/// One side of a comparison.
enum Side<'a, 's> {
    Named(Named<'s>),
    Literal(Placed<'a>),
}

/// A text on its way to a filter.
pub(super) struct Reader<'a> {
    text: &'a str,
    words: Vec<Placed<'a>>,
    next: usize,
    depth: usize,
    entity: &'a Entity,
    pub(super) schema: &'a Schema,
    /// What the records of a list are called within `any` and `all`.
    variable: Option<&'a str>,
    pub environment: Option<&'a Environment>,
}

impl<'a> Reader<'a> {
    pub fn new(
        text: &'a str,
        entity: &'a Entity,
        schema: &'a Schema,
        environment: Option<&'a Environment>,
    ) -> Result<Self, Diagnostic> {
        Ok(Self { text, words: words(text)?, next: 0, depth: 0, entity, schema, variable: None, environment })
    }

    pub fn filter(mut self) -> Result<Filter, Diagnostic> {
        let filter = self.any()?;
        match self.peek() {
            None => Ok(filter),
            Some(Token::Sign(')')) => Err(self.found("this bracket closes nothing")),
            Some(_) => Err(self.found("`and` or `or` is missing before this")),
        }
    }

    pub fn order(mut self) -> Result<Vec<Sort>, Diagnostic> {
        let mut sorts = Vec::new();
        loop {
            let by = self.named()?.operand;
            let descending = self.takes_word("desc");
            let _ = !descending && self.takes_word("asc");
            sorts.push(Sort { by, descending });
            if self.peek().is_none() {
                return Ok(sorts);
            }
            self.sign(',').map_err(|found| found.hint("after an attribute stands `asc`, `desc` or a comma"))?;
            if sorts.len() == MOST_SORTS {
                return Err(self.found(format!("an order has at most {MOST_SORTS} parts")));
            }
        }
    }

    /// Parts with `or` between them.
    fn any(&mut self) -> Result<Filter, Diagnostic> {
        let mut parts = vec![self.all()?];
        while self.takes_word("or") {
            parts.push(self.all()?);
        }
        Ok(single(parts, Filter::Any))
    }

    /// Parts with `and` between them.
    fn all(&mut self) -> Result<Filter, Diagnostic> {
        let mut parts = vec![self.part()?];
        while self.takes_word("and") {
            parts.push(self.part()?);
        }
        Ok(single(parts, Filter::All))
    }

    fn part(&mut self) -> Result<Filter, Diagnostic> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.found(format!("brackets and `not` lie more than {DEEPEST} deep in each other")));
        }
        let part = self.undecided();
        self.depth -= 1;
        part
    }

    fn undecided(&mut self) -> Result<Filter, Diagnostic> {
        if self.takes_word("not") {
            return Ok(Filter::Not(Box::new(self.part()?)));
        }
        if self.takes_sign('(') {
            let inside = self.any()?;
            self.sign(')')?;
            return Ok(inside);
        }
        if let (Some(Token::Word(name)), Some(Token::Sign('('))) = (self.peek(), self.peek_at(1)) {
            let name = *name;
            return self.call(name);
        }
        if let Some(way) = self.list_test()? {
            return self.listed(way);
        }
        self.comparison()
    }

    /// The list of `name/any(` or `name/all(`, taken up to the name; nothing where something else stands here.
    fn list_test(&mut self) -> Result<Option<Way>, Diagnostic> {
        let from = match (self.peek(), self.peek_at(1)) {
            (Some(Token::Word(word)), Some(Token::Sign('/'))) if self.variable == Some(*word) => 2,
            _ => 0,
        };
        let is_test = matches!(self.peek_at(from + 1), Some(Token::Sign('/')))
            && matches!(self.peek_at(from + 2), Some(Token::Word("any" | "all")))
            && matches!(self.peek_at(from + 3), Some(Token::Sign('(')));
        let Some(Token::Word(name)) = self.peek_at(from).filter(|_| is_test) else { return Ok(None) };
        let name = *name;
        self.next += from;
        let way = self.schema.way(self.entity, name).filter(Way::is_list);
        let way = way.ok_or_else(|| {
            let lists = self.schema.ways(self.entity);
            let lists = lists.iter().filter(|(_, way)| way.is_list()).map(|(name, _)| name.as_str());
            self.found(format!("`{}` has no list `{name}`", self.entity.name())).near(name, lists)
        })?;
        self.next += 2;
        Ok(Some(way))
    }

    /// `any()`, `any(c:c/fullname eq 'Ada')` or `all(...)`; a list without records fits every `all`.
    fn listed(&mut self, way: Way) -> Result<Filter, Diagnostic> {
        let all = self.takes_word("all");
        self.next += usize::from(!all);
        self.sign('(')?;
        let holds = |filter| Filter::Listed { way, filter: Box::new(filter) };
        if !all && self.takes_sign(')') {
            return Ok(holds(Filter::All(Vec::new())));
        }
        let variable = self.variable_here()?;
        let Some(entity) = self.schema.entity(way.entity()) else {
            return Err(self.found("the entity of this list is gone"));
        };
        let outside = (std::mem::replace(&mut self.entity, entity), self.variable.replace(variable));
        let inside = self.any();
        (self.entity, self.variable) = outside;
        let inside = inside?;
        self.sign(')')?;
        Ok(match all {
            false => holds(inside),
            true => Filter::Not(Box::new(holds(Filter::Not(Box::new(inside))))),
        })
    }

    /// The name before a colon, which may stand in one word with what follows.
    fn variable_here(&mut self) -> Result<&'a str, Diagnostic> {
        let missing = |reader: &Self| {
            reader
                .found("a name for the records and a colon are missing here")
                .hint("such as `any(c:c/fullname eq 'Ada')`")
        };
        let Some(Token::Word(word)) = self.peek() else { return Err(missing(self)) };
        let (variable, rest) = word.split_once(':').ok_or_else(|| missing(self))?;
        let at = self.here();
        match rest.is_empty() {
            true => self.next += 1,
            false => {
                self.words[self.next] = Placed { token: Token::Word(rest), at: at.start + variable.len() + 1..at.end }
            }
        }
        Ok(variable)
    }

    fn call(&mut self, name: &'a str) -> Result<Filter, Diagnostic> {
        let at = self.here();
        let told = match name.strip_prefix("Microsoft.Dynamics.CRM.") {
            Some(function) => {
                self.next += 2;
                functions::read(self, function, at)?
            }
            None => {
                let place = TESTS_OF_TEXT.iter().find(|(word, _)| *word == name).map(|(_, place)| *place);
                let known = TESTS_OF_TEXT.map(|(word, _)| word);
                let place =
                    place.ok_or_else(|| self.found(format!("there is no function `{name}`")).near(name, known))?;
                self.next += 2;
                self.test_of_text(place)?
            }
        };
        // Some clients write the answer that they want.
        match (self.takes_word("eq"), self.peek()) {
            (false, _) => Ok(told),
            (true, Some(Token::Word("true"))) => {
                self.next += 1;
                Ok(told)
            }
            (true, Some(Token::Word("false"))) => {
                self.next += 1;
                Ok(Filter::Not(Box::new(told)))
            }
            (true, _) => Err(self.found("`true` or `false` is wanted here")),
        }
    }

    fn test_of_text(&mut self, place: TextPlace) -> Result<Filter, Diagnostic> {
        let named = self.named()?;
        if named.attribute.is_none_or(|attribute| attribute.value_type() != ValueType::Text) {
            return Err(self.at(&named.at, "only text can be searched so"));
        }
        self.sign(',')?;
        let Some(Token::Quoted(text)) = self.peek() else {
            return Err(self.found("a text in single quotes is wanted here"));
        };
        let text = text.as_str().into();
        self.next += 1;
        self.sign(')')?;
        Ok(Filter::Text { operand: named.operand, place, text })
    }

    fn comparison(&mut self) -> Result<Filter, Diagnostic> {
        let left = self.side()?;
        if let Side::Named(named) = &left {
            if self.takes_word("in") {
                return self.list(named);
            }
            let holds_truth = named.attribute.is_some_and(|attribute| attribute.value_type() == ValueType::Boolean);
            let ends = !matches!(self.peek(), Some(Token::Word(word)) if !matches!(*word, "and" | "or"));
            if holds_truth && ends {
                let (operand, value) = (named.operand.clone(), Value::Boolean(true));
                return Ok(Filter::Compare { operand, comparison: Comparison::Equal, value });
            }
        }
        let comparison = self.operator()?;
        let right = self.side()?;
        match (left, right) {
            (Side::Named(named), Side::Literal(word)) => self.compare(named, comparison, &word),
            (Side::Literal(word), Side::Named(named)) => self.compare(named, turned(comparison), &word),
            (Side::Named(left), Side::Named(right)) => self.between(left, comparison, right),
            (Side::Literal(left), Side::Literal(right)) => {
                Err(self.at(&(left.at.start..right.at.end), "one side of a comparison must be an attribute"))
            }
        }
    }

    fn compare(&self, named: Named<'_>, comparison: Comparison, word: &Placed<'_>) -> Result<Filter, Diagnostic> {
        let value = literal::value(self.text, word, &named, Quotes::AsTyped)?;
        Ok(Filter::Compare { operand: named.operand, comparison, value })
    }

    fn between(&self, left: Named<'_>, comparison: Comparison, right: Named<'_>) -> Result<Filter, Diagnostic> {
        if family(&left) != family(&right) {
            return Err(self.at(&(left.at.start..right.at.end), "attributes of these types do not compare"));
        }
        Ok(Filter::Between { left: left.operand, comparison, right: right.operand })
    }

    fn operator(&mut self) -> Result<Comparison, Diagnostic> {
        let Some(Token::Word(word)) = self.peek() else {
            return Err(self.found("a comparison is missing here").hint("such as `eq 3`"));
        };
        let found = COMPARISONS.iter().find(|(name, _)| name == word).map(|(_, comparison)| *comparison);
        let comparison = found.ok_or_else(|| {
            let hint = "write eq, ne, gt, ge, lt, le or in";
            self.found(format!("`{word}` is no comparison")).hint(hint)
        })?;
        self.next += 1;
        Ok(comparison)
    }

    /// `(1,2,3)` after `in`.
    fn list(&mut self, named: &Named<'_>) -> Result<Filter, Diagnostic> {
        self.sign('(')?;
        let values = self.values(named, ')', Quotes::AsTyped)?;
        Ok(Filter::In { operand: named.operand.clone(), values })
    }

    /// Values with commas between them, at least one, up to the closing sign.
    pub fn values(&mut self, named: &Named<'_>, close: char, quotes: Quotes) -> Result<Vec<Value>, Diagnostic> {
        let mut values = Vec::new();
        loop {
            let word = self.word("a value is missing here")?;
            values.push(literal::value(self.text, &word, named, quotes)?);
            if self.takes_sign(close) {
                return Ok(values);
            }
            self.sign(',')?;
        }
    }

    fn side(&mut self) -> Result<Side<'a, 'a>, Diagnostic> {
        match self.peek() {
            Some(Token::Quoted(_)) => self.word("").map(Side::Literal),
            Some(Token::Word(word)) if is_literal(word) => self.word("").map(Side::Literal),
            Some(Token::Word(_)) => self.named().map(Side::Named),
            _ => Err(self.found("an attribute or a value is missing here")),
        }
    }

    /// A name or a path of names.
    fn named(&mut self) -> Result<Named<'a>, Diagnostic> {
        let mut parts: Vec<(&str, Range<usize>)> = Vec::new();
        if let Some(variable) = self.variable {
            let begins = matches!((self.peek(), self.peek_at(1)), (Some(Token::Word(word)), Some(Token::Sign('/'))) if *word == variable);
            if !begins {
                let hint = format!("within `any` and `all` a name begins with `{variable}/`");
                return Err(self.found("this is no attribute of the records of the list").hint(hint));
            }
            self.next += 2;
        }
        loop {
            let at = self.here();
            let Some(Token::Word(name)) = self.peek() else {
                return Err(self.found("the name of an attribute is missing here"));
            };
            if matches!(*name, "any" | "all") && matches!(self.peek_at(1), Some(Token::Sign('('))) {
                let hint = "they stand behind a list of the records that are asked for, not behind a lookup";
                return Err(self.found(format!("`{name}` has no place here")).hint(hint));
            }
            parts.push((name, at));
            self.next += 1;
            if !self.takes_sign('/') {
                return names::resolve(self.text, &parts, self.entity, self.schema);
            }
        }
    }

    /// The operand of this name, which stands in quotes at `at`.
    pub fn named_in_quotes(&self, name: &str, at: &Range<usize>) -> Result<Named<'a>, Diagnostic> {
        let parts: Vec<(&str, Range<usize>)> = name.split('/').map(|part| (part, at.clone())).collect();
        names::resolve(self.text, &parts, self.entity, self.schema)
    }

    /// The next word or text.
    pub fn word(&mut self, missing: &str) -> Result<Placed<'a>, Diagnostic> {
        let word = self.words.get(self.next).filter(|word| !matches!(word.token, Token::Sign(_))).cloned();
        let word = word.ok_or_else(|| self.found(missing))?;
        self.next += 1;
        Ok(word)
    }

    pub fn sign(&mut self, sign: char) -> Result<(), Diagnostic> {
        match self.takes_sign(sign) {
            true => Ok(()),
            false => Err(self.found(format!("`{sign}` is missing here"))),
        }
    }

    pub fn takes_sign(&mut self, sign: char) -> bool {
        let taken = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.next += usize::from(taken);
        taken
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let taken = matches!(self.peek(), Some(Token::Word(next)) if *next == word);
        self.next += usize::from(taken);
        taken
    }

    fn peek(&self) -> Option<&Token<'a>> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<&Token<'a>> {
        self.words.get(self.next + ahead).map(|word| &word.token)
    }

    fn here(&self) -> Range<usize> {
        self.words.get(self.next).map_or(self.text.len()..self.text.len(), |word| word.at.clone())
    }

    /// A finding at the next word.
    pub fn found(&self, message: impl Into<String>) -> Diagnostic {
        self.at(&self.here(), message)
    }

    pub fn at(&self, at: &Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::at(self.text, at.start, at.end, message)
    }

    pub fn text(&self) -> &'a str {
        self.text
    }
}

fn single(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            parts.push(last);
            join(parts)
        }
        (_, None) => join(parts),
    }
}

/// Names begin with a letter or `_`; so may guids, but no name has their length and hyphens.
fn is_literal(word: &str) -> bool {
    let begins_as_name = word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    !begins_as_name || matches!(word, "null" | "true" | "false") || word.contains(['-', ':', '+'])
}

/// The comparison seen from the other side.
fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Greater => Comparison::Less,
        Comparison::AtLeast => Comparison::AtMost,
        Comparison::Less => Comparison::Greater,
        Comparison::AtMost => Comparison::AtLeast,
        same => same,
    }
}

/// Types whose values compare with each other.
fn family(named: &Named<'_>) -> ValueType {
    match named.attribute.map(|attribute| attribute.value_type()) {
        Some(ValueType::Decimal | ValueType::Float | ValueType::Money | ValueType::Choice) => ValueType::Whole,
        None | Some(ValueType::Reference) => ValueType::Guid,
        Some(other) => other,
    }
}
