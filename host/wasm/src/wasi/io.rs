//! `wasi:io`: streams that become lines of the run log, and waiting that takes no time.

use model::step::LogLevel;
use wasmtime::{
    StoreContextMut,
    component::{ComponentType, Lift, LinkerInstance, Lower, Resource},
};

use super::resource::{Input, IoError, Output, Pollable};
use crate::call::Call;

/// How much a guest may print at once.
const CHUNK: u64 = 64 << 10;

/// The longest line that is kept together, in bytes.
const LINE: usize = 8 << 10;

/// How much of the end of the standard error stream is kept for a failure's text, in bytes.
const TAIL: usize = 2 << 10;

/// Which stream; the number is the handle's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out = 1,
    /// Standard error.
    Error = 2,
}

/// What a guest printed and no line of the log has yet.
#[derive(Default)]
pub struct Streams {
    out: Vec<u8>,
    error: Vec<u8>,
    tail: Vec<u8>,
}

impl Streams {
    /// Takes what is printed, gives the lines that are complete.
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) -> Vec<(LogLevel, String)> {
        let (pending, level) = match stream {
            Stream::Out => (&mut self.out, LogLevel::Info),
            Stream::Error => (&mut self.error, LogLevel::Warn),
        };
        if stream == Stream::Error {
            self.tail.extend_from_slice(bytes);
            let surplus = self.tail.len().saturating_sub(TAIL);
            self.tail.drain(..surplus);
        }
        pending.extend_from_slice(bytes);
        let printed = std::mem::take(pending);
        let mut lines = Vec::new();
        let mut rest = printed.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n').or((rest.len() > LINE).then_some(LINE)) {
            let (line, after) = rest.split_at((end + 1).min(rest.len()));
            lines.push((level, String::from_utf8_lossy(line).trim_end().to_owned()));
            rest = after;
        }
        pending.extend_from_slice(rest);
        lines
    }

    /// What has no end of line.
    pub fn rest(&mut self) -> Vec<(LogLevel, String)> {
        let pending =
            [(LogLevel::Info, std::mem::take(&mut self.out)), (LogLevel::Warn, std::mem::take(&mut self.error))];
        let printed = pending.into_iter().filter(|(_, bytes)| !bytes.is_empty());
        printed.map(|(level, bytes)| (level, String::from_utf8_lossy(&bytes).into_owned())).collect()
    }

    /// The end of what went to the standard error stream.
    pub fn last_error_lines(&self) -> String {
        String::from_utf8_lossy(&self.tail).trim().to_owned()
    }
}

/// Why a stream did not do what was asked.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

/// Defines one function; false when there is none of that name.
pub fn define(at: &mut LinkerInstance<'_, Call>, interface: &str, function: &str) -> wasmtime::Result<bool> {
    let Some((resource, method)) = function.strip_prefix("[method]").and_then(|name| name.split_once('.')) else {
        if (interface, function) == ("poll", "poll") {
            at.func_wrap(function, poll)?;
            return Ok(true);
        }
        return Ok(false);
    };
    match (resource, method) {
        ("input-stream", "read" | "blocking-read") => {
            at.func_wrap(function, |_, _: (Resource<Input>, u64)| Ok((Err::<Vec<u8>, _>(StreamError::Closed),)))
        }
        ("input-stream", "skip" | "blocking-skip") => {
            at.func_wrap(function, |_, _: (Resource<Input>, u64)| Ok((Err::<u64, _>(StreamError::Closed),)))
        }
        ("input-stream", "subscribe") => {
            at.func_wrap(function, |_, _: (Resource<Input>,)| Ok((Resource::<Pollable>::new_own(0),)))
        }
        ("output-stream", "check-write") => {
            at.func_wrap(function, |_, _: (Resource<Output>,)| Ok((Ok::<u64, StreamError>(CHUNK),)))
        }
        ("output-stream", "write" | "blocking-write-and-flush") => at.func_wrap(function, write),
        ("output-stream", "flush" | "blocking-flush") => {
            at.func_wrap(function, |_, _: (Resource<Output>,)| Ok((Ok::<(), StreamError>(()),)))
        }
        ("output-stream", "subscribe") => {
            at.func_wrap(function, |_, _: (Resource<Output>,)| Ok((Resource::<Pollable>::new_own(0),)))
        }
        ("error", "to-debug-string") => {
            at.func_wrap(function, |_, _: (Resource<IoError>,)| Ok((String::from("the stream has failed"),)))
        }
        ("pollable", "ready") => at.func_wrap(function, |_, _: (Resource<Pollable>,)| Ok((true,))),
        ("pollable", "block") => {
            at.func_wrap(function, |mut store: StoreContextMut<'_, Call>, (what,): (Resource<Pollable>,)| {
                store.data_mut().meter.check_time()?;
                store.data_mut().sleep.until(what.rep());
                Ok(())
            })
        }
        _ => return Ok(false),
    }
    .map(|()| true)
}

fn write(
    mut store: StoreContextMut<'_, Call>,
    (stream, bytes): (Resource<Output>, Vec<u8>),
) -> wasmtime::Result<(Result<(), StreamError>,)> {
    let stream = if stream.rep() == Stream::Error as u32 { Stream::Error } else { Stream::Out };
    store.data_mut().meter.check_time()?;
    store.data_mut().print(stream, &bytes)?;
    Ok((Ok(()),))
}

/// Everything is ready once the latest of what is waited for has been slept away.
fn poll(mut store: StoreContextMut<'_, Call>, (all,): (Vec<Resource<Pollable>>,)) -> wasmtime::Result<(Vec<u32>,)> {
    store.data_mut().meter.check_time()?;
    for one in &all {
        store.data_mut().sleep.until(one.rep());
    }
    Ok(((0..u32::try_from(all.len()).unwrap_or(u32::MAX)).collect(),))
}
