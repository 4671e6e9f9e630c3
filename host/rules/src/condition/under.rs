//! Whether a record stands below another in its hierarchy: the records above it are followed up, to so many levels.
//!
//! A circle ends where it comes back to a record that was met. Because each level is a path of its own, a wait that asks
//! this is woken when any record on the way gets another one above it.

use model::{
    AttributeName, RecordRef, Value,
    condition::DEEPEST_HIERARCHY,
    expression::{Expression, Path, Segment, ValueSource},
};
use script::Problem;

use super::{Scope, Side, compiled, is_empty, source};

/// The test.
#[derive(Debug)]
pub(super) struct Under {
    /// The paths to the record and to each one above it.
    pub way: Vec<Path>,
    pub operand: Side,
    not: bool,
    or_is: bool,
}

impl Under {
    pub fn compile(
        value: &Expression,
        along: &AttributeName,
        operand: &ValueSource,
        not: bool,
        or_is: bool,
    ) -> Result<Self, String> {
        let compiled = compiled(value)?;
        let path = compiled
            .path()
            .ok_or_else(|| format!("`{}` is no path: only a record stands under another", value.text))?;
        let mut way = vec![path.clone()];
        for _ in 0..DEEPEST_HIERARCHY {
            let mut above = way.last().unwrap_or(path).clone();
            above.segments.push(Segment { name: along.as_str().into(), target: None });
            way.push(above);
        }
        Ok(Self { way, operand: source(operand)?, not, or_is })
    }

    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        let operand = self.operand.get(scope)?;
        let found = |path: &Path| scope.facts.get(path).value.as_reference();
        let Some(record) = self.way.first().and_then(found) else { return Ok(false) };
        let above = match &operand.value {
            value if is_empty(value) => return Ok(false),
            Value::Reference(above) => *above,
            _ => return Err(Problem::new("a record stands under a record, not under another value")),
        };
        if record == above {
            return Ok(self.or_is != self.not);
        }
        let mut met: Vec<RecordRef> = vec![record];
        for path in &self.way[1..] {
            match found(path) {
                Some(next) if next == above => return Ok(!self.not),
                Some(next) if met.contains(&next) => return Ok(self.not),
                Some(next) => met.push(next),
                None => return Ok(self.not),
            }
        }
        Err(Problem::new(format!("the hierarchy is more than {DEEPEST_HIERARCHY} levels deep")))
    }
}
