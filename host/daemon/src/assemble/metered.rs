//! Times the calls of custom steps on their way to the sandbox, by kind: component or script.

use std::{sync::Arc, time::Instant};

use model::{
    Digest,
    package::{Code, Manifest},
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

    fn is_ready(&self, digest: Digest) -> bool {
        self.runner.is_ready(digest)
    }

    fn document(&self, digest: Digest) -> Option<Arc<[u8]>> {
        self.runner.document(digest)
    }

    fn read_document(&self, document: &[u8]) -> Result<Manifest, PackageProblem> {
        self.runner.read_document(document)
    }

    fn kept(&self) -> (u64, u64) {
        self.runner.kept()
    }

    fn close(&self) {
        self.runner.close();
    }

    fn forget(&self, digest: Digest) {
        self.runner.forget(digest);
    }

    fn prepare(&self, digest: Digest, component: &[u8]) -> Result<(), PackageProblem> {
        self.runner.prepare(digest, component)
    }
}
