//! Ticks every 10 ms while a guest runs, so that guests look at their time; sleeps while none runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use wasmtime::Engine;

/// Between two looks at a guest's time.
pub const TICK: Duration = Duration::from_millis(10);

/// The thread, and how many guests it ticks for.
pub struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

struct Shared {
    engine: Engine,
    guests: AtomicUsize,
    stopped: AtomicBool,
}

/// While this is held, the ticker ticks.
pub struct Running<'a>(&'a Ticker);

impl Ticker {
    /// Starts the thread.
    pub fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { engine, guests: AtomicUsize::new(0), stopped: AtomicBool::new(false) });
        let ticked = Arc::clone(&shared);
        let thread = thread::Builder::new().name("step-ticker".into()).spawn(move || ticked.run())?;
        Ok(Self { shared, thread: thread.thread().clone() })
    }

    /// A guest runs from now on.
    pub fn guest(&self) -> Running<'_> {
        if self.shared.guests.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Running(self)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.shared.guests.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Shared {
    #[expect(
        clippy::disallowed_methods,
        reason = "a clock waits for nothing but time; guests come too often to wake it"
    )]
    fn run(&self) {
        while !self.stopped.load(Ordering::SeqCst) {
            if self.guests.load(Ordering::SeqCst) == 0 {
                // Whoever comes between the question and this leaves a token, and `park` returns at once.
                thread::park();
            } else {
                thread::sleep(TICK);
                self.engine.increment_epoch();
            }
        }
    }
}
