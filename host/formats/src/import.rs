//! `kind: import` (formats 10): rows of a table become records, column by column.
//!
//! A map is compiled once; `ImportMap::row` then makes the values of one record of one row. Whether a record with the
//! same key is there already is the engine's question. Named records are not looked up here.

use std::collections::HashSet;

use model::{
    AttributeId, AttributeName, Date, Decimal, EntityId, EntityName, Money, ProcessName, Schema, Timestamp, Value,
    ValueType, Values,
    expression::{Path, Segment, ValueSource},
    refusal::Problem,
    schema::{Attribute, Entity},
};
use script::{CompiledSource, Environment, Facts, Known};
use smol_str::{SmolStr, format_smolstr};
use uuid::Uuid;

use crate::{
    fields::{Fields, Keys},
    header::Header,
    keys_with_header,
    names::{Names, Steps},
    nearest,
    report::{self, Report},
    scope::{Root, Scope},
    source::SourceFile,
    tree::{self, Node},
    value::{self, Wanted},
    workflow::{Callable, begun},
};

const IMPORT: Keys = Keys {
    what: "an import",
    known: keys_with_header!["file", "entity", "key", "flow", "columns"],
    later: &["renamed-from"],
};

/// How the rows of a table become records.
#[derive(Clone, Debug)]
pub struct ImportMap {
    /// Its name.
    pub name: SmolStr,
    /// The table's file, beside the map.
    pub file: SmolStr,
    /// The entity of the records.
    pub entity: EntityId,
    /// The alternate key by which a row's record is found again; absent: each row makes a record.
    pub key: Option<AttributeName>,
    /// The flow that a new record gets, as its `processid` says it; absent: the one by order.
    pub flow: Option<Uuid>,
    columns: Vec<Column>,
    /// The columns of the table that expressions read.
    read: HashSet<SmolStr>,
}

/// An attribute with what it gets.
#[derive(Clone, Debug)]
struct Column {
    attribute: AttributeId,
    name: SmolStr,
    source: CompiledSource,
}

/// What is wrong with a cell: the column and a sentence.
pub type Wrong = (SmolStr, String);

impl ImportMap {
    /// The map without a map file: each column goes into the attribute of its name.
    pub fn by_headers(entity: &Entity) -> Self {
        Self {
            name: entity.name().as_str().into(),
            file: SmolStr::default(),
            entity: entity.id,
            key: None,
            flow: None,
            columns: Vec::new(),
            read: HashSet::new(),
        }
    }

    /// Whether the table's columns can be used: each is read by an expression or has an attribute.
    pub fn check_headers(&self, headers: &[&str], schema: &Schema) -> Result<(), Vec<Wrong>> {
        let Some(entity) = schema.entity(self.entity) else { return Ok(()) };
        let mut wrong: Vec<Wrong> = Vec::new();
        for header in headers {
            if let Err(message) = self.attribute_for(header, entity) {
                wrong.push(((*header).into(), message));
            }
        }
        let there: HashSet<SmolStr> = headers.iter().map(|header| column_name(header)).collect();
        let missing = self.read.iter().filter(|name| *name != "number" && !there.contains(*name));
        wrong.extend(missing.map(|name| (name.clone(), format!("the table has no column `{name}`"))));
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// The values of the record that row `number` (from 1 behind the heading) makes.
    pub fn row(
        &self,
        number: u64,
        cells: &[(&str, &str)],
        schema: &Schema,
        environment: &Environment,
    ) -> Result<Values, Vec<Wrong>> {
        let Some(entity) = schema.entity(self.entity) else {
            return Err(vec![(SmolStr::default(), "its entity is gone".to_owned())]);
        };
        let facts = facts(number, cells);
        let mut values = Values::new();
        let mut wrong = Vec::new();
        for column in &self.columns {
            let Some(attribute) = entity.attribute_by_id(column.attribute) else { continue };
            let value = column.source.evaluate(&facts, environment).map_err(|problem| problem.to_string());
            match value.and_then(|value| typed(value, attribute, environment)) {
                Ok(value) => drop(values.insert(attribute.id, value)),
                Err(message) => wrong.push((column.name.clone(), message)),
            }
        }
        for (header, cell) in cells {
            let value = match self.attribute_for(header, entity) {
                Ok(None) => continue,
                Ok(Some(attribute)) => {
                    typed(cell_value(cell), attribute, environment).map(|value| (attribute.id, value))
                }
                Err(message) => Err(message),
            };
            match value {
                Ok((attribute, value)) => drop(values.insert(attribute, value)),
                Err(message) => wrong.push(((*header).into(), message)),
            }
        }
        if wrong.is_empty() { Ok(values) } else { Err(wrong) }
    }

    /// The attribute that a column goes into by its name; none where an expression reads the column.
    fn attribute_for<'e>(&self, header: &str, entity: &'e Entity) -> Result<Option<&'e Attribute>, String> {
        let name = column_name(header);
        if self.read.contains(&name) {
            return Ok(None);
        }
        match entity.attribute(&name) {
            Some(attribute) if self.columns.iter().any(|column| column.attribute == attribute.id) => {
                Err(format!("`{name}` gets its value from `columns` already"))
            }
            Some(attribute) => Ok(Some(attribute)),
            None => {
                let known = entity.attributes().iter().map(|attribute| attribute.name().as_str());
                let hint = nearest::hint(&name, known).map(|hint| format!("; {hint}")).unwrap_or_default();
                Err(format!("`{}` has no attribute `{name}` and no expression reads this column{hint}", entity.name()))
            }
        }
    }
}

/// The import map in `file`, checked against a schema and the flows among what can be called; all problems if there is an
/// error.
pub fn read_map(
    file: &SourceFile,
    schema: &Schema,
    steps: &dyn Steps,
    callables: &[Callable],
) -> Result<ImportMap, Vec<Problem>> {
    let text = String::from_utf8_lossy(&file.bytes);
    let report = Report::new(file.path.clone(), &text);
    let mut names = Names::new(schema, steps, jiff::tz::TimeZone::UTC);
    names.callables = callables.to_vec();
    let map = tree::parse(&text, &report).and_then(|tree| convert(&report, &tree, &names, &|_| None));
    let mut problems = report.problems();
    report::sort(&mut problems);
    map.ok_or(problems)
}

/// Finds the heading of a table beside the map, if it is among the files.
pub(crate) type Headings<'h> = &'h dyn Fn(&str) -> Option<Vec<String>>;

/// The import map that `node` defines.
pub(crate) fn convert(
    report: &Report<'_>,
    node: &Node,
    names: &Names<'_>,
    headings: Headings<'_>,
) -> Option<ImportMap> {
    let errors = report.errors();
    let fields = Fields::open(report, node, node.place, &IMPORT)?;
    let header = Header::<ProcessName>::read(&fields, "import");
    let file = fields.need("file").and_then(|_| fields.text("file"));
    let name: Option<EntityName> = fields.need_name("entity");
    let entity: Option<&Entity> = name
        .and_then(|name| names.entity(report, name.as_str(), fields.value_place("entity")).one())
        .map(|found| &**found);
    let key: Option<AttributeName> = fields.need_name("key");
    if let (Some(entity), Some(key)) = (entity, &key) {
        check_key(&fields, entity, key, names);
    }
    let flow = entity.and_then(|entity| begun(&fields, entity, names));
    let heading = file.as_deref().and_then(headings);
    let mut scope = Scope::new(names);
    let columns: Option<HashSet<SmolStr>> =
        heading.as_ref().map(|heading| heading.iter().map(|header| column_name(header)).collect());
    scope.add("row", Root::Row(columns));
    let (columns, read) = columns_of(&fields, entity, &scope);
    let all = columns.len() == fields.map("columns").len();
    let map = ImportMap {
        name: header?.name.as_str().into(),
        file: file?.into(),
        entity: entity?.id,
        key,
        flow,
        columns,
        read,
    };
    // A column that was left out because its attribute has errors would only be reported again.
    if let (Some(heading), true) = (heading, all && report.errors() == errors) {
        let headers: Vec<&str> = heading.iter().map(String::as_str).collect();
        for (column, message) in map.check_headers(&headers, names.schema).err().into_iter().flatten() {
            report.error(fields.value_place("file"), format!("column `{column}`: {message}"));
        }
    }
    (report.errors() == errors).then_some(map)
}

fn check_key(fields: &Fields<'_>, entity: &Entity, key: &AttributeName, names: &Names<'_>) {
    if names.broken_attributes.contains(&(entity.name().as_str().into(), key.as_str().into())) {
        return;
    }
    if entity.keys.iter().all(|known| known.name != *key) {
        let known: Vec<&str> = entity.keys.iter().map(|key| key.name.as_str()).collect();
        let hint = nearest::hint(key.as_str(), known.iter().copied())
            .or_else(|| (!known.is_empty()).then(|| format!("its keys are {}", known.join(", "))));
        fields.report.error_with(fields.value_place("key"), format!("`{}` has no key `{key}`", entity.name()), hint);
    }
}

fn columns_of(fields: &Fields<'_>, entity: Option<&Entity>, scope: &Scope<'_>) -> (Vec<Column>, HashSet<SmolStr>) {
    let mut columns = Vec::new();
    let mut read = HashSet::new();
    let Some(entity) = entity else { return (columns, read) };
    for entry in fields.map("columns") {
        let found = scope.names.attribute(fields.report, entity, &entry.key, entry.place);
        let Some(attribute) = found.one() else { continue };
        if attribute.definition.read_only {
            fields.report.error(entry.place, format!("`{}` is written by the engine only", entry.key));
            continue;
        }
        let mut wanted = Wanted::attribute(entity, attribute, scope.names);
        if matches!(&entry.value.kind, tree::Kind::Text(text) if script::source_kind(text) == script::SourceKind::Template)
        {
            // A cell is text in any case; what it becomes is decided row by row.
            wanted.holder.value_type = ValueType::Text;
        }
        let Some(source) = value::read(fields.report, &entry.value, &wanted, scope) else { continue };
        if names_records(&source) {
            fields.report.unsupported(entry.value.place, "a named record in an import");
            continue;
        }
        read.extend(
            source
                .paths()
                .filter(|path| path.root == "row")
                .filter_map(|path| Some(path.segments.first()?.name.clone())),
        );
        match CompiledSource::new(&source) {
            Ok(source) => columns.push(Column { attribute: attribute.id, name: entry.key.clone(), source }),
            Err(found) => value::diagnose(fields.report, &entry.value, &found),
        }
    }
    (columns, read)
}

fn names_records(source: &ValueSource) -> bool {
    match source {
        ValueSource::Record(_) => true,
        ValueSource::First(sources) => sources.iter().any(names_records),
        ValueSource::Literal(_) | ValueSource::Expression(_) | ValueSource::Template(_) => false,
    }
}

/// A column's heading as expressions write it: `Date received` is `row.date_received`.
fn column_name(header: &str) -> SmolStr {
    let joined: String = header.trim().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    joined.to_ascii_lowercase().into()
}

fn facts(number: u64, cells: &[(&str, &str)]) -> Facts {
    let at = |name: SmolStr| Path { root: "row".into(), segments: vec![Segment { name, target: None }] };
    let mut facts = Facts::new();
    for (header, cell) in cells {
        facts.insert(at(column_name(header)), Known::plain(cell_value(cell)));
    }
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    facts.insert(at("number".into()), Known::plain(Value::Whole(number)));
    facts
}

fn cell_value(cell: &str) -> Value {
    match cell.trim() {
        "" => Value::Null,
        text => Value::text(text),
    }
}

/// What a cell's text, or an expression's value, is for its attribute.
fn typed(value: Value, attribute: &Attribute, environment: &Environment) -> Result<Value, String> {
    let Value::Text(text) = &value else { return Ok(value) };
    let read = match attribute.value_type() {
        ValueType::Text => Some(value.clone()),
        ValueType::Whole => text.parse().ok().map(Value::Whole),
        ValueType::Decimal => Decimal::from_str_exact(text).ok().map(Value::Decimal),
        ValueType::Money => Decimal::from_str_exact(text).ok().map(|amount| Value::Money(Money::new(amount))),
        ValueType::Float => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float),
        ValueType::Boolean => [("true", true), ("false", false)]
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(text))
            .map(|(_, yes)| Value::Boolean(*yes)),
        ValueType::Date => Date::parse(text).map(Value::Date),
        ValueType::DateTime => Timestamp::parse(text)
            .or_else(|| Date::parse(text).map(|date| date.start_in(&environment.time_zone)))
            .map(Value::DateTime),
        ValueType::Choice => option(text, attribute).map(Value::Choice),
        ValueType::Choices => {
            let options: Option<Vec<i32>> = text.split(';').map(|one| option(one.trim(), attribute)).collect();
            options.map(|mut options| {
                options.sort_unstable();
                options.dedup();
                Value::Choices(options.into())
            })
        }
        ValueType::Guid => uuid::Uuid::parse_str(text).ok().map(Value::Guid),
        ValueType::Duration => crate::duration::parse(text).ok().map(Value::Duration),
        ValueType::Reference | ValueType::References | ValueType::Bytes | ValueType::Document => None,
    };
    read.ok_or_else(|| {
        let takes = crate::literal::in_words(attribute.value_type());
        format!("`{}` takes {takes}, not the text `{}`", attribute.name(), tree::shortened(text))
    })
}

/// An option by its name, its title or its number.
fn option(text: &str, attribute: &Attribute) -> Option<i32> {
    let named = attribute.options.iter().find(|option| option.name.as_str() == text || option.title == text);
    let numbered = || text.parse().ok().and_then(|number| attribute.option(number));
    named.or_else(numbered).map(|option| option.value)
}

/// A table: its heading and its rows.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Table {
    /// The names of the columns.
    pub headers: Vec<String>,
    /// The rows; each has a cell for each column.
    pub rows: Vec<Vec<String>>,
}

/// Reads a CSV file (RFC 4180, with a heading).
pub fn table(bytes: &[u8], file: &str) -> Result<Table, Problem> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let wrong = |error: csv::Error| {
        let line = error.position().map_or(1, |position| u32::try_from(position.line()).unwrap_or(u32::MAX));
        let message = match error.kind() {
            csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8 text".to_owned(),
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("the row has {len} cells, the heading has {expected_len}")
            }
            _ => format!("the row cannot be read: {error}"),
        };
        Problem { file: file.into(), line, column: 1, length: 0, message, hint: None, warning: false }
    };
    let headers: Vec<String> = reader.headers().map_err(wrong)?.iter().map(str::to_owned).collect();
    let rows = reader.records().map(|record| record.map(|record| record.iter().map(str::to_owned).collect()));
    let rows = rows.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    if headers.iter().all(|header| header.trim().is_empty()) {
        let message = "the table has no heading".to_owned();
        return Err(Problem { file: file.into(), line: 1, column: 1, length: 0, message, hint: None, warning: false });
    }
    Ok(Table { headers, rows })
}

/// The path of a table that stands beside the map in `map`.
pub(crate) fn beside(map: &str, table: &str) -> SmolStr {
    match map.rsplit_once('/') {
        Some((directory, _)) => format_smolstr!("{directory}/{table}"),
        None => table.into(),
    }
}
