//! The store: what it holds, for an operator.

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};
use model::job::JobState;
use serde_json::{Map, json};

use super::ask;
use crate::App;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/store", get(show))
}

async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    ask(&app, &headers, |engine, caller| {
        let jobs: Map<_, _> = JobState::WORDS
            .iter()
            .zip(engine.job_counts_of(caller)?)
            .map(|(word, number)| ((*word).to_owned(), json!(number)))
            .collect();
        let figures = engine.figures();
        let (old_jobs, old_entries) = engine.freed()?;
        Ok(json!({
            "jobs": jobs,
            "entities": engine.schema().entities().count(),
            "bytes": figures.store.file_bytes,
            "retention": {
                "jobs_removed": old_jobs.removed,
                "journal_entries_removed": old_entries.removed,
                "bytes_freed": old_jobs.bytes + old_entries.bytes,
            },
            "flushes": figures.store.flushes,
            "batches": figures.store.batches,
            "oldest_snapshot_seconds": figures.store.oldest_snapshot.map(|age| age.as_secs_f64()),
        }))
    })
    .await
}
