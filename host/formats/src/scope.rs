//! What expressions may read at one place of a process, and where their paths lead.
//!
//! A root is a record, a set of named values, or a step's result; the attributes behind it are followed through lookups
//! by the schema, segment by segment, so that a wrong one is reported where it stands.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use model::{
    Argument, EntityId, ValueType,
    argument::ArgumentKind,
    entity::AttributeKind,
    expression::{Path, Segment},
    schema::{Attribute, Entity},
};
use smol_str::SmolStr;

use crate::{
    names::{Found, Names},
    nearest,
};

/// What stands at the beginning of a path.
#[derive(Clone)]
pub(crate) enum Root<'a> {
    /// A record.
    Record(&'a Entity),
    /// A record as it was at the event: its attributes can be read, itself it is no value.
    Image(&'a Entity),
    /// Declared values under names: arguments, variables, outputs of a custom step.
    Arguments(Vec<Argument>),
    /// Values that the engine gives.
    Given(&'static [(&'static str, ValueType)]),
    /// The stages of a flow, each with its record: `stages.intake.record`.
    Stages(Vec<(SmolStr, &'a Entity)>),
    /// Cells of a row: text under any of these names, or under any at all while the columns are not known.
    Row(Option<HashSet<SmolStr>>),
    /// Something whose own definition has errors.
    Broken,
}

/// What a path leads to.
#[derive(Clone)]
pub(crate) enum Target<'a> {
    /// A record of one of these entities; of any if absent.
    Record(Option<Vec<EntityId>>),
    /// An attribute that is no lookup.
    Attribute(&'a Entity, &'a Attribute),
    /// A declared value that is no lookup.
    Argument(SmolStr, ArgumentKind),
    /// A value that the engine gives.
    Plain(ValueType),
    /// Unknown: something on the way has errors of its own.
    Unknown,
}

/// A wrong path: which segment (the root is none), why, and what may help.
pub(crate) struct Astray {
    /// The segment.
    pub segment: Option<usize>,
    /// Why.
    pub message: String,
    /// What may help.
    pub hint: Option<String>,
}

/// What may be read at a place.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    /// What may be named.
    pub names: &'a Names<'a>,
    roots: HashMap<SmolStr, Root<'a>>,
    /// Roots that exist but cannot be read here, with the reason.
    elsewhere: HashMap<SmolStr, &'static str>,
    read: std::rc::Rc<RefCell<HashSet<SmolStr>>>,
    /// Whether a condition may call a plugin or a script.
    pub asks_custom: bool,
}

impl<'a> Scope<'a> {
    /// Nothing may be read.
    pub fn new(names: &'a Names<'a>) -> Self {
        Self {
            names,
            roots: HashMap::new(),
            elsewhere: HashMap::new(),
            read: std::rc::Rc::default(),
            asks_custom: false,
        }
    }

    /// From here on, `name` may be read.
    pub fn add(&mut self, name: impl Into<SmolStr>, root: Root<'a>) {
        self.roots.insert(name.into(), root);
    }

    /// From here on, `name` may not be read.
    pub fn remove(&mut self, name: &str) {
        self.roots.remove(name);
    }

    /// `name` exists, but cannot be read where it is not added.
    pub fn add_elsewhere(&mut self, name: impl Into<SmolStr>, why: &'static str) {
        self.elsewhere.insert(name.into(), why);
    }

    /// What may be read under this name.
    pub fn root(&self, name: &str) -> Option<&Root<'a>> {
        self.roots.get(name)
    }

    /// The names that may be read.
    pub fn roots(&self) -> impl Iterator<Item = &SmolStr> {
        self.roots.keys()
    }

    /// Whether anything read this root.
    pub fn is_read(&self, name: &str) -> bool {
        self.read.borrow().contains(name)
    }

    /// Where a path leads.
    pub fn follow(&self, path: &Path) -> Result<Target<'a>, Astray> {
        let Some(root) = self.roots.get(&path.root) else { return Err(self.no_root(&path.root)) };
        self.read.borrow_mut().insert(path.root.clone());
        let (mut target, first) = match (root, path.segments.first()) {
            (Root::Broken, _) => return Ok(Target::Unknown),
            (Root::Record(entity), _) | (Root::Image(entity), Some(_)) => (Target::Record(Some(vec![entity.id])), 0),
            (_, None) => {
                let names: Vec<String> = self.members(root);
                let message = format!("`{}` is no value of its own", path.root);
                let hint = match names.is_empty() {
                    true => format!("name an attribute of it, as in `{}.statecode`", path.root),
                    false => format!("behind it stands one of {}", names.join(", ")),
                };
                return Err(Astray { segment: None, message, hint: Some(hint) });
            }
            (Root::Stages(stages), Some(segment)) => (self.stage(stages, segment, path)?, 2),
            (root, Some(segment)) => (self.member(&path.root, root, segment)?, 1),
        };
        for (place, segment) in path.segments.iter().enumerate().skip(first) {
            let before = place.checked_sub(1).map(|place| &path.segments[place]);
            target = self.step(&target, before, segment, place)?;
        }
        match path.segments.last() {
            Some(Segment { target: Some(named), .. }) => {
                self.narrowed(&target, named.as_str(), path.segments.len() - 1).map(|id| Target::Record(Some(vec![id])))
            }
            _ => Ok(target),
        }
    }

    /// The record of a stage: its id, then `record`.
    fn stage(&self, stages: &[(SmolStr, &'a Entity)], id: &Segment, path: &Path) -> Result<Target<'a>, Astray> {
        let Some((_, entity)) = stages.iter().find(|(known, _)| *known == id.name) else {
            let hint = nearest::hint(&id.name, stages.iter().map(|(known, _)| known.as_str()));
            return Err(Astray { segment: Some(0), message: format!("there is no stage `{}`", id.name), hint });
        };
        match path.segments.get(1) {
            Some(segment) if segment.name == "record" => Ok(Target::Record(Some(vec![entity.id]))),
            _ => {
                let hint = Some(format!("write `stages.{}.record`, then an attribute", id.name));
                Err(Astray { segment: Some(0), message: "of a stage only its record can be read".to_owned(), hint })
            }
        }
    }

    fn no_root(&self, name: &SmolStr) -> Astray {
        let (message, hint) = match self.elsewhere.get(name) {
            Some(why) => (format!("`{name}` cannot be read here: {why}"), None),
            None => {
                let known = self.roots.keys().chain(self.elsewhere.keys()).map(SmolStr::as_str);
                let mut all: Vec<&str> = self.roots.keys().map(SmolStr::as_str).collect();
                all.sort_unstable();
                let hint =
                    nearest::hint(name, known).unwrap_or_else(|| format!("what can be read is {}", all.join(", ")));
                (format!("there is no `{name}` to read here"), Some(hint))
            }
        };
        Astray { segment: None, message, hint }
    }

    fn members(&self, root: &Root<'_>) -> Vec<String> {
        let mut names: Vec<String> = match root {
            Root::Arguments(arguments) => arguments.iter().map(|argument| argument.name.to_string()).collect(),
            Root::Given(given) => given.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Root::Row(columns) => columns.iter().flatten().map(SmolStr::to_string).collect(),
            Root::Stages(stages) => stages.iter().map(|(id, _)| id.to_string()).collect(),
            Root::Record(_) | Root::Image(_) | Root::Broken => Vec::new(),
        };
        names.sort();
        names
    }

    fn member(&self, name: &str, root: &Root<'a>, segment: &Segment) -> Result<Target<'a>, Astray> {
        let found = match root {
            Root::Arguments(arguments) => arguments
                .iter()
                .find(|argument| argument.name.as_str() == segment.name)
                .map(|argument| self.of_argument(argument)),
            Root::Given(given) => {
                given.iter().find(|(known, _)| *known == segment.name).map(|(_, kind)| Target::Plain(*kind))
            }
            Root::Row(_) if segment.name == "number" => Some(Target::Plain(ValueType::Whole)),
            // Cells are text; the import makes of them what their attribute holds.
            Root::Row(columns) => {
                let is_there = columns.as_ref().is_none_or(|columns| columns.contains(&segment.name));
                is_there.then_some(Target::Unknown)
            }
            Root::Record(_) | Root::Image(_) | Root::Stages(_) | Root::Broken => Some(Target::Unknown),
        };
        found.ok_or_else(|| {
            let members = self.members(root);
            let hint = nearest::hint(&segment.name, members.iter().map(String::as_str));
            let hint = hint.or_else(|| (!members.is_empty()).then(|| format!("there is {}", members.join(", "))));
            Astray { segment: Some(0), message: format!("`{name}` has no `{}`", segment.name), hint }
        })
    }

    fn of_argument(&self, argument: &Argument) -> Target<'a> {
        if argument.kind.value_type != ValueType::Reference {
            return Target::Argument(argument.name.as_str().into(), argument.kind.clone());
        }
        let ids: Vec<_> = argument.kind.to.iter().filter_map(|name| self.names.schema.named(name.as_str())).collect();
        match ids.is_empty() {
            true => Target::Record(None),
            false => Target::Record(Some(ids.into_iter().map(|entity| entity.id).collect())),
        }
    }

    /// One attribute further.
    fn step(
        &self,
        target: &Target<'a>,
        before: Option<&Segment>,
        segment: &Segment,
        place: usize,
    ) -> Result<Target<'a>, Astray> {
        let entity = match (target, before.and_then(|before| before.target.as_ref())) {
            (Target::Unknown, _) => return Ok(Target::Unknown),
            (Target::Record(_), Some(named)) => self.narrowed(target, named.as_str(), place - 1)?,
            (Target::Record(Some(ids)), None) if ids.len() == 1 => ids[0],
            (Target::Record(ids), None) => return Err(self.several(before, ids.as_deref(), place)),
            (Target::Attribute(..) | Target::Argument(..) | Target::Plain(_), _) => {
                let name = before.map_or_else(SmolStr::default, |before| before.name.clone());
                let message = format!("`{name}` is no lookup, so nothing can be read through it");
                return Err(Astray { segment: Some(place), message, hint: None });
            }
        };
        let Some(entity) = self.names.schema.entity(entity) else { return Ok(Target::Unknown) };
        if segment.name == entity.id_name() {
            return Ok(Target::Plain(ValueType::Guid));
        }
        if segment.name == "versionnumber" {
            return Ok(Target::Plain(ValueType::Whole));
        }
        match self.names.attribute_of(entity, &segment.name) {
            Ok(Found::One(attribute)) => Ok(match &attribute.definition.kind {
                AttributeKind::Lookup(_) => Target::Record(attribute.targets.clone()),
                _ => Target::Attribute(entity, attribute),
            }),
            Ok(_) => Ok(Target::Unknown),
            Err((message, hint)) => Err(Astray { segment: Some(place), message, hint }),
        }
    }

    /// The one entity that `named` picks among the targets of a lookup.
    fn narrowed(&self, target: &Target<'a>, named: &str, place: usize) -> Result<EntityId, Astray> {
        let astray = |message: String, hint| Astray { segment: Some(place), message, hint };
        let Some(entity) = self.names.schema.named(named) else {
            let known = self.names.schema.entities().map(|entity| entity.name().as_str());
            return Err(astray(format!("there is no entity `{named}`"), nearest::hint(named, known)));
        };
        match target {
            Target::Record(None) => Ok(entity.id),
            Target::Record(Some(ids)) if ids.contains(&entity.id) => Ok(entity.id),
            Target::Unknown => Ok(entity.id),
            Target::Record(Some(ids)) => {
                let all: Vec<_> = ids.iter().map(|id| self.names.schema.name_of(*id)).collect();
                Err(astray(format!("this lookup never points to `{named}`, only to {}", all.join(", ")), None))
            }
            _ => Err(astray(format!("`[{named}]` stands behind a lookup only"), None)),
        }
    }

    fn several(&self, before: Option<&Segment>, ids: Option<&[EntityId]>, place: usize) -> Astray {
        let name = before.map_or_else(SmolStr::default, |before| before.name.clone());
        let (targets, example) = match ids {
            None => ("any entity".to_owned(), "account".into()),
            Some(ids) => {
                let all: Vec<_> = ids.iter().map(|id| self.names.schema.name_of(*id)).collect();
                (all.join(" or "), all.first().cloned().unwrap_or_default())
            }
        };
        let message = format!("`{name}` may point to {targets}; the path has to say to which");
        Astray { segment: place.checked_sub(1), message, hint: Some(format!("write `{name}[{example}]`")) }
    }
}
