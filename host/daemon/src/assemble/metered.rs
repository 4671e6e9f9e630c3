//! Times the calls of custom steps on their way to the sandbox, by kind: component or script.

use std::{sync::Arc, time::Instant};

use model::{
    Digest,
    package::Code,
    step::{Installed, PackageProblem, Returned, StepCall, StepHost, StepRunner},
};

/// A runner with figures.
pub struct Metered<R> {
    runner: Arc<R>,
}

impl<R: StepRunner> Metered<R> {
    /// The figures of `runner`.
    pub fn new(runner: Arc<R>) -> Self {
        Self { runner }
    }
}

impl<R: StepRunner> StepRunner for Metered<R> {
    fn run(&self, call: &StepCall, host: Box<dyn StepHost>) -> Returned {
        let kind = match &call.code {
            Code::Component(_) => "component",
            Code::Script(_) => "script",
        };
        let begun = Instant::now();
        let returned = self.runner.run(call, host);
        metrics::histogram!("stepwise_step_call_seconds", "kind" => kind).record(begun.elapsed().as_secs_f64());
        returned
    }

    fn install(&self, component: &[u8]) -> Result<Installed, PackageProblem> {
        self.runner.install(component)
    }

    fn known(&self, digest: Digest) -> Option<Installed> {
        self.runner.known(digest)
    }

    fn forget(&self, digest: Digest) {
        self.runner.forget(digest);
    }

    fn prepare(&self, digest: Digest, component: &[u8]) -> Result<(), PackageProblem> {
        self.runner.prepare(digest, component)
    }
}
