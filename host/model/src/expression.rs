//! Expressions, texts with values in them, and the other ways to write a value (formats 2), as data.
//!
//! The text is compiled by `script`; what an expression reads is known from its paths before it is evaluated, so the
//! machine that runs a process can ask for exactly that.

use smol_str::SmolStr;

use crate::{EntityName, RecordRef, Value};

/// One expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expression {
    /// As it was written, without the `=`.
    pub text: SmolStr,
    /// Every path it reads, each once, in the order of first use.
    pub paths: Vec<Path>,
}

/// A root and the attributes followed from it: `record.contactid.parentcustomerid.name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// `record`, `before`, `after`, `change`, `user`, `caller`, `job`, `inputs`, `outputs`, `variables`, `item`, `row`,
    /// `error` or a step's id.
    pub root: SmolStr,
    /// What is followed from the root; none when the root itself is the value.
    pub segments: Vec<Segment>,
}

/// One attribute of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Segment {
    /// The attribute's name.
    pub name: SmolStr,
    /// Which target is meant where the lookup has several: `customerid[account]`.
    pub target: Option<EntityName>,
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.root)?;
        self.segments.iter().try_for_each(|segment| match &segment.target {
            None => write!(f, ".{}", segment.name),
            Some(target) => write!(f, ".{}[{target}]", segment.name),
        })
    }
}

/// A value as a definition writes it.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueSource {
    /// A plain value, already of the attribute's type.
    Literal(Value),
    /// `= record.dueon`
    Expression(Expression),
    /// `Answer ${record.title}`
    Template(Vec<Part>),
    /// The first that is not empty.
    First(Vec<ValueSource>),
    /// A record by its name, key or id: looked up when the step runs.
    Record(NamedRecord),
}

/// A piece of a text with values in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text as it stands.
    Text(SmolStr),
    /// A value, shown as people see it.
    Value(Expression),
}

/// A record named in a definition: `{ team: Escalations }`.
#[derive(Clone, Debug, PartialEq)]
pub enum NamedRecord {
    /// By the primary name in its entity.
    Named {
        /// The entity.
        entity: EntityName,
        /// Its primary name.
        name: SmolStr,
    },
    /// By an alternate key.
    Keyed {
        /// The entity.
        entity: EntityName,
        /// Attributes and values of the key.
        key: Vec<(SmolStr, Value)>,
    },
    /// By its id.
    Known(RecordRef),
}

impl ValueSource {
    /// The paths that this value reads, with repetition.
    pub fn paths(&self) -> Box<dyn Iterator<Item = &Path> + '_> {
        match self {
            Self::Literal(_) | Self::Record(_) => Box::new(std::iter::empty()),
            Self::Expression(expression) => Box::new(expression.paths.iter()),
            Self::Template(parts) => Box::new(parts.iter().flat_map(|part| match part {
                Part::Text(_) => [].iter(),
                Part::Value(expression) => expression.paths.iter(),
            })),
            Self::First(sources) => Box::new(sources.iter().flat_map(Self::paths)),
        }
    }
}
