//! Share, unshare: grants rights on a record to a user or a team, or takes back all that they have by sharing.

use model::{RecordRef, Value, Verb, principal::Rights};
use script::Facts;
use smol_str::format_smolstr;

use super::{Command, Performed, Run, source::Source, update::Target};
use crate::{retry::Failure, value};

/// The instruction.
#[derive(Debug)]
pub(super) struct Share {
    pub target: Target,
    pub with: Source,
    /// What is granted; absent: all is taken back.
    pub rights: Option<Rights>,
}

impl Share {
    pub fn perform<'p>(&self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let target = self.target.find(facts)?;
        let principal = self.principal(run, facts)?;
        Ok(Performed::Asks(Command::Apply(match self.rights {
            Some(rights) => Verb::Share { target, principal, rights },
            None => Verb::Unshare { target, principal },
        })))
    }

    fn principal(&self, run: &Run<'_, '_>, facts: &Facts) -> Result<RecordRef, Failure> {
        match self.with.evaluate("with", run, facts)? {
            Value::Reference(principal) => Ok(principal),
            Value::Null => Err(Failure::repairable("no-record", "`with` is empty: there is nobody to share with")),
            other => Err(Failure::repairable(
                "wrong-type",
                format_smolstr!("`with` is {}, not a user or a team", value::describe(&other)),
            )),
        }
    }
}
