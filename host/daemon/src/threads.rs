//! The engine's threads: it owns none, so they are here (E12).
//!
//! Each loops one function of the engine with a bounded wait, so that an order to stop is noticed. Their stacks are
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
/// The longest time in which an order to stop is not noticed.
const WAIT: Duration = Duration::from_millis(200);

/// Threads that run until they are told to stop.
pub struct Threads {
    stop: Arc<AtomicBool>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts `interactive` threads for callers and `background` ones for jobs.
    pub fn start(engine: &Arc<Engine>, interactive: usize, background: usize) -> io::Result<Self> {
        let mut threads = Self { stop: Arc::default(), handles: Vec::with_capacity(interactive + background) };
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
        Ok(threads)
    }

    /// Tells them to stop and waits for what they are doing.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
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
