//! Faults on request: the nth read, write or flush fails, as a disk would (R3).

use std::{collections::HashMap, str::FromStr};

use crate::Error;

/// What is to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A read, point or scan. The store is unavailable until it is reopened.
    Read,
    /// Writing a group: nothing of it is kept.
    Write,
    /// Flushing a group: it was not kept.
    Sync,
    /// Flushing a group: it was kept, and nobody is told. What a real disk may do after a failed flush.
    SyncKept,
    /// Too little space left: the group is refused and the store stays open.
    Full,
}

impl FromStr for Fault {
    type Err = String;

    /// The word of the scenario language: `fail-next KIND`.
    fn from_str(word: &str) -> Result<Fault, String> {
        match word {
            "read" => Ok(Fault::Read),
            "write" => Ok(Fault::Write),
            "sync" => Ok(Fault::Sync),
            "sync-kept" => Ok(Fault::SyncKept),
            "full" => Ok(Fault::Full),
            _ => Err(format!("`{word}` is none of read, write, sync, sync-kept, full")),
        }
    }
}

/// Faults to come, and whether the last one is still in force.
#[derive(Default)]
pub struct Faults {
    /// Operations left until the fault strikes.
    due: HashMap<Fault, u64>,
    down: Option<Error>,
}

/// A commit that failed, and whether its rows are there all the same.
pub struct Failure {
    pub error: Error,
    pub kept: bool,
}

impl Faults {
    pub fn add(&mut self, fault: Fault, nth: u64) {
        self.due.insert(fault, nth.max(1));
    }

    pub fn reopen(&mut self) {
        self.down = None;
    }

    pub fn check_open(&self) -> Result<(), Error> {
        self.down.clone().map_or(Ok(()), Err)
    }

    pub fn before_read(&mut self) -> Result<(), Error> {
        self.check_open()?;
        match self.strikes(Fault::Read) {
            true => Err(self.close("a read failed")),
            false => Ok(()),
        }
    }

    pub fn before_commit(&mut self) -> Result<(), Failure> {
        if self.strikes(Fault::Full) {
            return Err(Failure { error: Error::Full { free: 0, needed: 1 }, kept: false });
        }
        let struck = [Fault::Write, Fault::Sync, Fault::SyncKept].into_iter().find(|fault| self.strikes(*fault));
        match struck {
            None => Ok(()),
            Some(Fault::Write) => Err(Failure { error: self.close("a write failed"), kept: false }),
            Some(fault) => Err(Failure { error: self.close("a flush failed"), kept: fault == Fault::SyncKept }),
        }
    }

    fn strikes(&mut self, fault: Fault) -> bool {
        let Some(left) = self.due.get_mut(&fault) else { return false };
        *left -= 1;
        let now = *left == 0;
        if now {
            self.due.remove(&fault);
        }
        now
    }

    fn close(&mut self, reason: &str) -> Error {
        let error = Error::Unavailable { reason: reason.into() };
        self.down = Some(error.clone());
        error
    }
}
