//! What is noted beside the changes of records: sign-ins and refusals (the journal keeps the changes, E26).
//!
//! Edges and access checks note; the notes of a moment go to the store as one batch, behind whatever is waited for, and
//! nobody waits for them. Both what waits and what is kept are bounded: a flood of failed sign-ins costs neither memory nor
//! disk without end.

use model::{
    RecordRef,
    audit::{Event, EventKind},
};
use parking_lot::Mutex;
use smol_str::{SmolStr, format_smolstr};
use store::{Overlay, Priority, events};
use uuid::Uuid;

use crate::{Engine, Failure};

/// Notes that wait for the store at one time; more are counted and told as one.
const WAITING: usize = 1_000;
/// The longest text of a note, in characters.
const LONGEST: usize = 300;

/// Notes on their way to the store.
#[derive(Default)]
pub(crate) struct Notes(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    events: Vec<Event>,
    /// How many found no room.
    dropped: u64,
    /// How many the store has; nothing until they were counted.
    kept: Option<usize>,
}

impl Engine {
    /// Notes that somebody signed in, could not, or was refused something. `what` says it in words, `from` where it came
    /// from: an address, a program, nothing. Returns at once.
    pub fn note_event(&self, kind: EventKind, user: Option<RecordRef>, what: &str, from: &str) {
        let mut waiting = self.notes.0.lock();
        if waiting.events.len() >= WAITING {
            waiting.dropped += 1;
            return;
        }
        let at = self.parts.clock.now();
        let short = |text: &str| text.chars().take(LONGEST).collect::<SmolStr>();
        let event = Event { id: self.parts.ids.id(at), at, kind, user, what: short(what), from: short(from) };
        waiting.events.push(event);
        if waiting.events.len() == 1 {
            self.spawn(|engine| {
                if let Err(failure) = engine.write_notes() {
                    tracing::error!(%failure, "failed to keep sign-ins and refusals");
                }
            });
        }
    }

    /// Writes what was noted so far, and takes away the oldest of what is too much.
    fn write_notes(&self) -> Result<(), Failure> {
        let mut waiting = self.notes.0.lock();
        let mut new = std::mem::take(&mut waiting.events);
        let dropped = std::mem::take(&mut waiting.dropped);
        if let Some(last) = new.last().filter(|_| dropped > 0).cloned() {
            let id: Uuid = self.parts.ids.id(last.at);
            let what = format_smolstr!("{dropped} more events were too many to be kept");
            new.push(Event { id, what, user: None, from: SmolStr::default(), ..last });
        }
        let mut overlay = Overlay::new(self.parts.store.snapshot()?);
        let kept = match waiting.kept {
            Some(kept) => kept,
            None => events::oldest(&overlay.unvalidated())?.count(),
        };
        let most = self.parts.settings.events;
        let excess = (kept + new.len()).saturating_sub(most);
        let gone: Vec<Uuid> = events::oldest(&overlay.unvalidated())?
            .take(excess)
            .map(|event| event.map(|event| event.id))
            .collect::<Result<_, _>>()?;
        gone.iter().for_each(|id| events::remove(&mut overlay, *id));
        new.iter().for_each(|event| events::append(&mut overlay, event));
        waiting.kept = Some(kept + new.len() - gone.len());
        drop(waiting);
        self.parts.store.submit(
            overlay.into_batch(Priority::Background),
            Box::new(|written| {
                if let Err(error) = written {
                    tracing::error!(error = model::fault::with_causes(&error), "failed to keep sign-ins and refusals");
                }
            }),
        );
        Ok(())
    }
}
