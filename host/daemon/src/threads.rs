//! The engine's threads: it owns none, so they are here (E12).
//!
//! Each loops one function of the engine, which waits for work; an order to stop lets those go who wait. Their stacks are
//! large enough for every level of guests that may call each other (E13).

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{Builder, JoinHandle},
    time::Duration,
};

use engine::Engine;

/// Room for every level of guests within guests.
const STACK: usize = wasm::stack_size(wasm::NESTING);
/// How long a thread without work waits for some: until there is some, or a job comes due. It looks up now and then only
/// because the clock on the wall may jump.
const WAIT: Duration = Duration::from_secs(10);
/// The same for those of external steps, which wait for nothing that a clock brings.
const LONG_WAIT: Duration = Duration::from_secs(3_600);

/// Threads for external steps, most of which only wait for other hosts.
pub const EXTERNAL: usize = 32;

/// Threads that have components compiled whose compiled form is missing; they wait for a child.
pub const COMPILERS: usize = 1;

/// Threads that run until they are told to stop.
pub struct Threads {
    stop: Arc<AtomicBool>,
    handles: Vec<JoinHandle<()>>,
    engine: Arc<Engine>,
    interactive: usize,
}

impl Threads {
    /// Starts `interactive` threads for callers, `background` ones for jobs, and those for external steps.
    pub fn start(engine: &Arc<Engine>, interactive: usize, background: usize) -> io::Result<Self> {
        let handles = Vec::with_capacity(interactive + background);
        let mut threads = Self { stop: Arc::default(), handles, engine: Arc::clone(engine), interactive };
        for number in 0..interactive {
            threads.add(format!("caller-{number}"), engine, |engine| {
                engine.serve_one(WAIT);
            })?;
        }
        for number in 0..background {
            threads.add(format!("job-{number}"), engine, |engine| {
                engine.run_one(WAIT);
            })?;
        }
        for number in 0..COMPILERS {
            threads.add(format!("compile-{number}"), engine, |engine| {
                engine.compile_one(LONG_WAIT);
            })?;
        }
        for number in 0..EXTERNAL {
            threads.add(format!("outside-{number}"), engine, |engine| {
                engine.run_outside(LONG_WAIT);
            })?;
        }
        Ok(threads)
    }

    /// Tells them to stop and waits for what they are doing.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.engine.release(self.interactive);
        for handle in self.handles {
            if handle.join().is_err() {
                tracing::error!("an engine thread had ended by a panic");
            }
        }
    }

    fn add(&mut self, name: String, engine: &Arc<Engine>, turn: impl Fn(&Engine) + Send + 'static) -> io::Result<()> {
        let (stop, engine) = (Arc::clone(&self.stop), Arc::clone(engine));
        let work = move || {
            while !stop.load(Ordering::Acquire) {
                turn(&engine);
            }
        };
        self.handles.push(Builder::new().name(name).stack_size(STACK).spawn(work)?);
        Ok(())
    }
}
