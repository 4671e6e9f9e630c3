//! What a user is shown on a record, and what becomes of his pin (processes 5.5 "at a view"; T3 to T9, T13, T15).

/// An instance of a flow that has the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<I> {
    /// The instance.
    pub instance: I,
    /// When its status changed last, as a number that only grows.
    pub last_change: u128,
    /// Whether the user may see it.
    pub visible: bool,
}

/// What a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown<I> {
    /// No flow; a pin that was there is dropped.
    Nothing,
    /// The instance that is pinned already.
    Pinned(I),
    /// This instance, which a view pins.
    Pins(I),
}

impl<I: Copy> Shown<I> {
    /// The instance.
    pub fn instance(self) -> Option<I> {
        match self {
            Self::Nothing => None,
            Self::Pinned(instance) | Self::Pins(instance) => Some(instance),
        }
    }
}

/// What a view by a user with this pin shows. Asking changes nothing: who views writes the pin, or drops it.
pub fn shown<I: Copy + Eq>(pin: Option<I>, candidates: impl IntoIterator<Item = Candidate<I>>) -> Shown<I> {
    let mut newest: Option<Candidate<I>> = None;
    for candidate in candidates.into_iter().filter(|candidate| candidate.visible) {
        if pin == Some(candidate.instance) {
            return Shown::Pinned(candidate.instance);
        }
        if newest.is_none_or(|newest| newest.last_change < candidate.last_change) {
            newest = Some(candidate);
        }
    }
    newest.map_or(Shown::Nothing, |newest| Shown::Pins(newest.instance))
}
