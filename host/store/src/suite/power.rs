//! A storage that notes every write and flush, so that a power cut can be played at any moment (R2).
//!
//! What was flushed is on the disk. Of what was written since, any part may be: nothing, all, some writes, others first,
//! or half a write.

use std::{io, sync::Arc};

use parking_lot::Mutex;
use redb::StorageBackend;

use super::faulty::{read, write};

/// The smallest piece that a disk writes as a whole.
const SECTOR: usize = 512;

/// A storage with its history; clones are the same storage.
#[derive(Clone, Debug, Default)]
pub struct Power(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    now: Vec<u8>,
    before: Vec<u8>,
    history: Vec<Event>,
}

#[derive(Clone, Debug)]
enum Event {
    Write(u64, Arc<[u8]>),
    Length(u64),
    Sync,
    /// Something the test wants to find again.
    Mark(u64),
}

impl Power {
    /// A storage with these bytes, all of them on the disk.
    pub fn of(bytes: Vec<u8>) -> Power {
        Power(Arc::new(Mutex::new(Disk { now: bytes.clone(), before: bytes, history: Vec::new() })))
    }

    /// Notes that `number` has happened.
    pub fn mark(&self, number: u64) {
        self.0.lock().history.push(Event::Mark(number));
    }
}

impl StorageBackend for Power {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        read(&self.0.lock().now, offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.lock().then(Event::Length(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.lock().then(Event::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.lock().then(Event::Write(offset, data.into()));
        Ok(())
    }
}

impl Disk {
    fn then(&mut self, event: Event) {
        apply(&mut self.now, &event);
        self.history.push(event);
    }
}

fn apply(bytes: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Write(offset, data) => write(bytes, *offset, data),
        Event::Length(len) => bytes.resize(usize::try_from(*len).expect("it fits into memory"), 0),
        Event::Sync | Event::Mark(_) => {}
    }
}

/// Plays a power cut before each flush, `tries` times each with another fate of what was not flushed. `check` gets the
/// bytes that are left, the last mark before the cut, and the words that name it.
pub fn replay_every_crash(power: &Power, seed: u64, tries: u32, mut check: impl FnMut(Vec<u8>, u64, &str)) {
    let (mut durable, history) = {
        let disk = power.0.lock();
        (disk.before.clone(), disk.history.clone())
    };
    let mut random = Random(seed | 1);
    let mut marked = 0;
    for (flushes, piece) in history.split_inclusive(|event| matches!(event, Event::Sync)).enumerate() {
        // A mark is made after the flush that it rests on.
        let marks = piece.iter().filter_map(|event| match event {
            Event::Mark(number) => Some(*number),
            _ => None,
        });
        marked = marks.fold(marked, u64::max);
        for fate in 0..tries {
            let mut bytes = durable.clone();
            lose(&mut bytes, piece, fate, &mut random);
            check(bytes, marked, &format!("seed {seed}, after flush {flushes}, fate {fate}"));
        }
        piece.iter().for_each(|event| apply(&mut durable, event));
    }
}

/// Applies what the power cut leaves of `piece`.
fn lose(bytes: &mut Vec<u8>, piece: &[Event], fate: u32, random: &mut Random) {
    let mut survivors: Vec<Event> = piece.to_vec();
    match fate {
        0 => survivors.clear(),
        1 => {}
        // The first part.
        2 => survivors.truncate(random.below(piece.len() + 1)),
        // Some of them, and writes that were cut off in the middle.
        _ => {
            survivors.retain(|_| random.below(3) > 0);
            if fate.is_multiple_of(2) {
                survivors.iter_mut().for_each(|event| tear(event, random));
            }
            // A disk reorders, but not two writes to one place.
            survivors.sort_by_key(|event| match event {
                Event::Write(offset, _) => offset.wrapping_mul(random.0 | 1),
                _ => 0,
            });
        }
    }
    survivors.iter().for_each(|event| apply(bytes, event));
}

fn tear(event: &mut Event, random: &mut Random) {
    if let Event::Write(offset, data) = event {
        let sectors = data.len().div_ceil(SECTOR);
        let from = random.below(sectors + 1) * SECTOR;
        let to = (from + random.below(sectors + 1) * SECTOR).min(data.len());
        let from = from.min(to);
        *event = Event::Write(*offset + from as u64, data[from..to].into());
    }
}

/// Repeatable from one number.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).expect("it is below a usize")
    }
}
