//! From a task of the web side to the engine's threads and back.
//!
//! No edge calls the engine on a thread of the web runtime (E12): work is queued, and the answer is awaited.

use std::sync::Arc;

use engine::{Engine, Failure};
use model::{Caller, Outcome, Verb};
use tokio::sync::oneshot;

use crate::problem::Denial;

/// Does `work` on an engine thread.
pub async fn ask<T: Send + 'static>(
    engine: &Arc<Engine>,
    work: impl FnOnce(&Engine) -> Result<T, Denial> + Send + 'static,
) -> Result<T, Denial> {
    let (answer, answered) = oneshot::channel();
    let span = tracing::Span::current();
    engine.spawn(move |engine| {
        // Whoever asked may have gone away: then nobody wants the answer.
        let _ = answer.send(span.in_scope(|| work(engine)));
    });
    answered.await.unwrap_or_else(|_| Err(Denial::stopping()))
}

/// Does `verbs` as one unit of work; the answer comes when it is durable.
pub async fn apply(engine: &Arc<Engine>, caller: Caller, verbs: Vec<Verb>) -> Result<Vec<Outcome>, Failed> {
    let (answer, answered) = oneshot::channel();
    engine.submit(caller, verbs, move |result| {
        let _ = answer.send(result);
    });
    match answered.await {
        Ok(result) => result.map_err(Failed::Engine),
        Err(_) => Err(Failed::Gone),
    }
}

/// What an engine thread is to do as one unit of work, and what is to be known of it afterwards.
pub struct Planned<P> {
    /// What is to be known.
    pub plan: P,
    /// Who does it.
    pub caller: Caller,
    /// What is done; nothing if empty.
    pub verbs: Vec<Verb>,
}

/// Plans verbs on an engine thread and does them there too, without going back for it in between.
pub async fn plan_and_apply<P: Send + 'static>(
    engine: &Arc<Engine>,
    plan: impl FnOnce(&Engine) -> Result<Planned<P>, Denial> + Send + 'static,
) -> Result<(P, Result<Vec<Outcome>, Failed>), Denial> {
    let (answer, answered) = oneshot::channel();
    let span = tracing::Span::current();
    engine.spawn(move |engine| match span.in_scope(|| plan(engine)) {
        Err(denial) => drop(answer.send(Err(denial))),
        Ok(Planned { plan, verbs, .. }) if verbs.is_empty() => drop(answer.send(Ok((plan, Ok(Vec::new()))))),
        Ok(Planned { plan, caller, verbs }) => engine.submit_here(caller, verbs, move |result| {
            // Whoever asked may have gone away: what was done stands.
            drop(answer.send(Ok((plan, result.map_err(Failed::Engine)))));
        }),
    });
    answered.await.unwrap_or_else(|_| Err(Denial::stopping()))
}

/// Why verbs were not done.
#[derive(Debug)]
pub enum Failed {
    /// The engine says why.
    Engine(Failure),
    /// The engine went away first.
    Gone,
}

impl From<Failed> for Denial {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Engine(failure) => failure.into(),
            Failed::Gone => Self::stopping(),
        }
    }
}
