//! `log`: lines for the run log, and the last words of a guest that breaks off.

use model::step::LogLevel;

use crate::{
    abi::v1::log,
    call::Call,
    fault::{LONGEST_TEXT, shortened},
};

impl log::Host for Call {
    fn write(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        self.facts()?;
        self.meter.check_time()?;
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warning => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        let mut line = message;
        for (name, value) in fields {
            line.push_str(&format!(" {name}={value}"));
        }
        Ok(Call::log(self, level, &line)?)
    }

    /// Kept for the failure, and in the log at once, because the log is what people read first.
    fn last_words(&mut self, message: String) -> wasmtime::Result<()> {
        let words = shortened(&message, LONGEST_TEXT);
        Call::log(self, LogLevel::Error, &words)?;
        self.last_words = Some(words);
        Ok(())
    }
}
