//! The courier of a page: keeps every mail that it is given, in memory, and tells what it brought to whom.
//!
//! It is a courier like any other. `fail-next` lets the next delivery go wrong, as a server would.

use std::{collections::VecDeque, sync::Mutex};

use model::parcel::{Courier, Fate, Mailbox, Markup, Parcel};

/// Keeps mail and troubles to come.
#[derive(Default)]
pub(super) struct Postbox {
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    troubles: VecDeque<Trouble>,
    /// What was carried and not told yet.
    carried: Vec<Carried>,
}

struct Carried {
    parcel: Parcel,
    fates: Vec<Fate>,
    /// Whether the mail is in the box, whatever the sender was told.
    arrived: bool,
}

/// What goes wrong with the next delivery.
#[derive(Clone, Copy)]
enum Trouble {
    /// The server takes no mail just now.
    Later,
    /// The server takes no mail for the first address, ever.
    Refused,
    /// The server takes the mail, and the connection breaks before it says so.
    Cut,
}

impl Postbox {
    /// Lets the next delivery go wrong; false for a word that is none of the ways.
    pub fn fail_next(&self, kind: &str) -> bool {
        let trouble = match kind {
            "mail" => Trouble::Later,
            "mail-refused" => Trouble::Refused,
            "mail-cut" => Trouble::Cut,
            _ => return false,
        };
        self.inside().troubles.push_back(trouble);
        true
    }

    /// What was carried since the last time, as people read it.
    pub fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.inside().carried).iter().flat_map(lines).collect()
    }

    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.inside.lock().expect("nobody panics while he holds it")
    }
}

impl Courier for Postbox {
    fn carry(&self, parcel: &Parcel) -> Vec<Fate> {
        let mut inside = self.inside();
        let trouble = inside.troubles.pop_front();
        let fates: Vec<Fate> = parcel.open.iter().enumerate().map(|(place, _)| fate(trouble, place)).collect();
        let arrived = match trouble {
            None | Some(Trouble::Cut) => true,
            Some(Trouble::Refused) => fates.contains(&Fate::Delivered),
            Some(Trouble::Later) => false,
        };
        inside.carried.push(Carried { parcel: parcel.clone(), fates: fates.clone(), arrived });
        fates
    }
}

fn fate(trouble: Option<Trouble>, place: usize) -> Fate {
    match (trouble, place) {
        (Some(Trouble::Later), _) => Fate::Deferred("451 try again later".into()),
        (Some(Trouble::Cut), _) => Fate::Deferred("the connection broke before the answer".into()),
        (Some(Trouble::Refused), 0) => Fate::Refused("550 no such mailbox".into()),
        _ => Fate::Delivered,
    }
}

/// A mail in a trace: its head, what went wrong, and its text if it arrived.
fn lines(Carried { parcel, fates, arrived }: &Carried) -> Vec<String> {
    let mut lines = vec![format!("mail {:?} from {}", parcel.subject, parcel.from)];
    for (word, mailboxes) in [("to", &parcel.to), ("cc", &parcel.cc), ("bcc", &parcel.bcc)] {
        if !mailboxes.is_empty() {
            let mailboxes: Vec<_> = mailboxes.iter().map(Mailbox::to_string).collect();
            lines.push(format!("  {word} {}", mailboxes.join(", ")));
        }
    }
    lines.push(format!("  message-id {}", parcel.message_id));
    if *arrived {
        let markup = if parcel.markup == Markup::Html { "html" } else { "text" };
        lines.extend(parcel.body.lines().map(|line| format!("  {markup} | {line}").trim_end().to_owned()));
    }
    for (address, fate) in parcel.open.iter().zip(fates) {
        match fate {
            Fate::Delivered => {}
            Fate::Refused(why) => lines.push(format!("  refused for {address}: {why}")),
            Fate::Deferred(why) => lines.push(format!("  not yet at {address}: {why}")),
        }
    }
    lines
}
