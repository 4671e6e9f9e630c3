//! Which flow a new record gets (T1, T2, T12).

use model::ProcessName;

/// An active flow of the record's entity, as seen by the one who creates the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Startable<'a> {
    /// The flow.
    pub name: &'a ProcessName,
    /// Its order.
    pub order: i32,
    /// Whether he may start it.
    pub may_start: bool,
}

/// The flow of lowest order that may be started; of equal ones the first by name.
pub fn pick<'a>(flows: impl IntoIterator<Item = Startable<'a>>) -> Option<&'a ProcessName> {
    let startable = flows.into_iter().filter(|flow| flow.may_start);
    startable.min_by(|one, other| (one.order, one.name).cmp(&(other.order, other.name))).map(|flow| flow.name)
}
