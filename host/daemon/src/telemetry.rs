//! Log lines and figures: pretty on a terminal, JSON otherwise; figures in the form that Prometheus reads.
//!
//! Log lines go to stderr. Which ones is `log.filter` or `RUST_LOG`.

use std::{
    io::IsTerminal,
    sync::{Arc, OnceLock},
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt};

use crate::trouble::{Exit, Trouble};

/// Bounds of the buckets of every duration, in seconds.
const SECONDS: [f64; 14] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// By which the filter of the running log is exchanged.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Refuses a filter that cannot be understood.
pub fn check(filter: &str) -> Result<(), Trouble> {
    parse(filter).map(drop)
}

/// Lets the running log go by another filter; `RUST_LOG` goes before it, also now.
pub fn change(filter: &str) -> Result<(), Trouble> {
    let filter = parse(&asked(filter))?;
    match FILTER.get().map(|handle| handle.reload(filter)) {
        Some(Err(error)) => Err(Trouble::failed(error.to_string())),
        _ => Ok(()),
    }
}

fn asked(filter: &str) -> String {
    std::env::var("RUST_LOG").unwrap_or_else(|_| filter.to_owned())
}

fn parse(filter: &str) -> Result<EnvFilter, Trouble> {
    EnvFilter::try_new(filter)
        .map_err(|error| Trouble::new(Exit::Configuration, format!("`log.filter` cannot be `{filter}`: {error}")))
}

/// Starts the log.
pub fn log(filter: &str) -> Result<(), Trouble> {
    let (filter, handle) = reload::Layer::new(parse(&asked(filter))?);
    drop(FILTER.set(handle));
    let registry = tracing_subscriber::registry().with(filter);
    let terminal = std::io::stderr().is_terminal();
    match terminal {
        true => registry.with(fmt::layer().with_writer(std::io::stderr).with_target(false)).init(),
        false => registry.with(fmt::layer().json().with_writer(std::io::stderr).with_current_span(true)).init(),
    }
    Ok(())
}

/// Starts to collect figures; the answer renders them.
pub fn figures() -> Result<Arc<PrometheusHandle>, Trouble> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .map_err(|error| Trouble::failed(error.to_string()))?;
    let handle = builder.install_recorder().map_err(|error| Trouble::failed(error.to_string()))?;
    describe();
    Ok(Arc::new(handle))
}

fn describe() {
    metrics::describe_counter!("stepwise_http_requests_total", "requests by method, route and status");
    metrics::describe_histogram!("stepwise_http_request_seconds", "time to answer a request");
    metrics::describe_histogram!("stepwise_step_call_seconds", "time of a call of a custom step by kind");
    metrics::describe_gauge!("stepwise_jobs_ready", "jobs that can run");
    metrics::describe_gauge!("stepwise_jobs_running", "jobs in a worker's hand or waiting for the disk");
    metrics::describe_gauge!("stepwise_external_steps_waiting", "external steps that wait for a thread");
    metrics::describe_gauge!("stepwise_requests_waiting", "requests that wait for an engine thread");
    metrics::describe_gauge!("stepwise_store_bytes", "size of the store's file");
    metrics::describe_gauge!("stepwise_store_oldest_snapshot_seconds", "age of the oldest snapshot that is held");
    metrics::describe_counter!("stepwise_scheduled_total", "jobs that schedules started, or passed over");
    metrics::describe_counter!("stepwise_retention_removed_total", "jobs and journal entries whose time was over");
    metrics::describe_counter!("stepwise_retention_freed_bytes_total", "bytes of keys and values freed by retention");
    metrics::describe_counter!("stepwise_store_flushes_total", "flushes of the store's file to the disk");
}
