//! Where components are compiled: in a limited child of this process, or right here.
//!
//! A component can be made so that compiling it takes all memory or never ends, and no bound of wasmtime's holds that. The
//! daemon therefore has each compiled by a child that the system limits and that a clock watches (`child` is the other
//! side); what the child uses up costs nobody else anything. Called by `package`, never on the way of a job. Pages and
//! tests compile here: their components are our own.

mod child;

use std::{
    ffi::OsString,
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use model::Digest;
use parking_lot::Mutex;

pub use child::compile_as_child;

use crate::fault::{bytes, shortened};

/// How a child of this program compiles one component.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// The program: this one.
    pub program: PathBuf,
    /// What tells it to call `compile_as_child`; behind it come `memory` and `seconds`.
    pub arguments: Vec<OsString>,
    /// The most memory that it may have, in bytes.
    pub memory: u64,
    /// The most processor time; the time on the wall is three times as much.
    pub seconds: u64,
    /// Set when the process that asks goes away: what is being compiled is given up.
    pub stop: Arc<AtomicBool>,
}

/// So often a child is looked at, whether it has to be stopped.
const LOOK: Duration = Duration::from_millis(100);

/// What a child writes when it ends by itself without success.
const REFUSED: i32 = 1;

/// The most that is read of what a child says.
const TALK: u64 = 16 << 10;

/// One child at a time: their memory would add up. What was refused last is refused again without another try, for a while:
/// whoever applies a solution asks more than once.
static ONE: Mutex<Option<Refused>> = Mutex::new(None);

struct Refused {
    component: Digest,
    why: String,
    at: Instant,
}

const STOPPED: &str = "the daemon stops, so it was not compiled to its end";

/// So long; then the machine may have been too busy.
const AGAIN: Duration = Duration::from_secs(30);

impl Compiler {
    /// The compiled form of a component, or in words why there is none.
    pub fn compile(&self, component: &[u8], digest: Digest) -> Result<Vec<u8>, String> {
        let mut last = ONE.lock();
        if self.is_stopped() {
            return Err(STOPPED.to_owned());
        }
        if let Some(refused) = last.take_if(|refused| refused.component == digest && refused.at.elapsed() < AGAIN) {
            return Err(last.insert(refused).why.clone());
        }
        let begun = Instant::now();
        let mut child = self.start().map_err(|error| format!("no process could be started to compile it: {error}"))?;
        let made = self.watched(&mut child, component);
        let millis = begun.elapsed().as_millis() as u64;
        tracing::info!(bytes = component.len(), millis, made = made.is_ok(), "a component was compiled");
        if let Err(why) = made.as_ref()
            && !self.is_stopped()
        {
            *last = Some(Refused { component: digest, why: why.clone(), at: Instant::now() });
        }
        made
    }

    /// Gives up what is being compiled, and takes nothing on any more: the process ends.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    fn start(&self) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(self.memory.to_string()).arg(self.seconds.to_string());
        command.env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    }

    /// Hands the component over and waits for the child's end, but not for ever.
    fn watched(&self, child: &mut Child, component: &[u8]) -> Result<Vec<u8>, String> {
        let pipes = child.stdin.take().zip(child.stdout.take()).zip(child.stderr.take());
        let ((mut to, from), talk) = pipes.ok_or("the process that compiles has no pipes")?;
        let (told, ended) = mpsc::channel();
        let (code, talk, late) = thread::scope(|scope| {
            // A child that ends early reads no further; how it ended says why.
            scope.spawn(move || drop(to.write_all(component)));
            let talk = scope.spawn(move || all(talk.take(TALK)));
            let code = scope.spawn(move || {
                let code = all(from);
                // Whoever waits has stopped it already, where nobody listens.
                let _ = told.send(());
                code
            });
            let until = Instant::now() + Duration::from_secs(self.seconds * 3);
            let late = loop {
                match ended.recv_timeout(LOOK) {
                    Err(RecvTimeoutError::Timeout) if Instant::now() < until && !self.is_stopped() => {}
                    other => break other.is_err(),
                }
            };
            if late {
                drop(child.kill());
            }
            (code.join().unwrap_or_default(), talk.join().unwrap_or_default(), late)
        });
        if late && self.is_stopped() {
            drop(child.wait());
            return Err(STOPPED.to_owned());
        }
        let status = child.wait().map_err(|error| format!("the process that compiled it is lost: {error}"))?;
        match status.success() && !late {
            true => Ok(code),
            false => Err(self.why(status, late, &String::from_utf8_lossy(&talk))),
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn why(&self, status: ExitStatus, late: bool, talk: &str) -> String {
        let talk = talk.trim();
        let out_of_memory = ["memory allocation of", "out of memory", "Cannot allocate memory"];
        if late || status.signal().is_some_and(|signal| [libc::SIGXCPU, libc::SIGKILL].contains(&signal)) {
            return format!("compiling it takes longer than {} s", self.seconds);
        }
        if out_of_memory.iter().any(|words| talk.contains(words)) {
            return format!("compiling it takes more memory than {}", bytes(self.memory as usize));
        }
        match status.code() {
            Some(REFUSED) => format!("it cannot be compiled: {}", shortened(talk, 300)),
            _ => format!("compiling it broke down ({status}): {}", shortened(talk, 300)),
        }
    }
}

fn all(mut pipe: impl Read) -> Vec<u8> {
    let mut read = Vec::new();
    // What broke off is told by how the child ended.
    drop(pipe.read_to_end(&mut read));
    read
}
