//! Puts a daemon together: store, sandbox, engine, threads, web side; and takes it apart in the right order.
//!
//! While the store opens, which can take minutes after a crash, the web side already answers and says why it is not
//! ready. At the end: no new requests, threads finish their unit, jobs stand at their last checkpoint, the store closes.

mod metered;
mod stopping;

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context;
use api::{ApiSettings, Readiness};
use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use engine::{
    Engine, Parts, RandomIds, Scopes, Settings, SystemClock, Way,
    signin::{Kind, NewToken},
};
use metered::Metered;
use metrics_exporter_prometheus::PrometheusHandle;
use sd_notify::NotifyState;
use store::disk::{Disk, Options};
use tokio::net::TcpListener;
use wasm::{Runner, RunnerSettings};

use crate::{
    client::{ADDRESS_FILE, TOKEN_FILE},
    config::Config,
    telemetry,
    threads::Threads,
    trouble::{Exit, Trouble},
};

/// How long open connections may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// A daemon that listens.
pub struct Daemon {
    url: String,
    data_dir: PathBuf,
    engine: Arc<Engine>,
    threads: Threads,
    web: Web,
}

/// The web side: a runtime of its own, for nothing but HTTP.
struct Web {
    runtime: tokio::runtime::Runtime,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    readiness: Readiness,
    stop: Arc<tokio::sync::Notify>,
}

/// Starts a daemon. With `with_token` a token of the first user lies in the data directory before it is ready.
pub fn start(config: &Config, with_token: bool) -> Result<Daemon, Trouble> {
    make_private(&config.data_dir)?;
    let figures = telemetry::figures()?;
    let readiness = Readiness::not_yet("the store is being opened");
    let serving = Arc::new(OnceLock::new());
    let (web, address) = listen(config, readiness.clone(), Arc::clone(&serving))?;
    let engine = open(config, &readiness)?;
    let threads = Threads::start(&engine, config.interactive, config.background)?;
    let router = api::router(Arc::clone(&engine), settings(config, &figures, &readiness));
    // Set once, here.
    drop(serving.set(router));
    let url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    fs::write(config.data_dir.join(ADDRESS_FILE), format!("http://{address}\n"))?;
    if with_token {
        leave_token(&engine, &config.data_dir)?;
    }
    readiness.set_ready();
    drop(sd_notify::notify(&[NotifyState::Ready]));
    Ok(Daemon { url, data_dir: config.data_dir.clone(), engine, threads, web })
}

impl Daemon {
    /// The address that clients use.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs until it is told to stop, then stops in order.
    pub fn run(self) -> Result<(), Trouble> {
        let Self { data_dir, engine, threads, web, .. } = self;
        web.runtime.block_on(stopping::signal())?;
        tracing::info!("stopping: no new requests");
        drop(sd_notify::notify(&[NotifyState::Stopping]));
        web.readiness.set_stopping();
        web.stop.notify_one();
        let ended = web.runtime.block_on(async { tokio::time::timeout(GRACE, web.server).await });
        if ended.is_err() {
            tracing::warn!("connections were still open after {} s and are cut", GRACE.as_secs());
        }
        threads.stop();
        engine.keep_last_used();
        // Cut connections may hold the engine until their runtime is gone.
        web.runtime.shutdown_timeout(Duration::from_secs(1));
        drop(engine);
        drop(fs::remove_file(data_dir.join(ADDRESS_FILE)));
        tracing::info!("stopped: everything acknowledged is on disk");
        Ok(())
    }
}

/// Leaves a token of the first user in a file: the one that is there, if it is still good.
fn leave_token(engine: &Engine, data_dir: &Path) -> Result<(), Trouble> {
    let file = data_dir.join(TOKEN_FILE);
    let known = fs::read_to_string(&file).ok();
    if known.is_some_and(|token| engine.sign_in(token.trim(), Way::Header).is_ok()) {
        return Ok(());
    }
    let user = engine::administrator();
    let label = "stepwise dev".into();
    let new = NewToken { user, kind: Kind::Dev, label, scopes: Scopes::FULL, expires_on: None };
    let token = engine.issue_token(&engine.caller(user), &new);
    write_private(&file, &token.map_err(|failure| Trouble::failed(failure.to_string()))?.secret)
}

fn listen(config: &Config, readiness: Readiness, serving: Arc<OnceLock<Router>>) -> Result<(Web, SocketAddr), Trouble> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("web").enable_all().build()?;
    let unavailable = |error| Trouble::new(Exit::Conflict, format!("{} cannot be listened on: {error}", config.listen));
    let listener = runtime.block_on(TcpListener::bind(config.listen)).map_err(unavailable)?;
    let address = listener.local_addr()?;
    let stop = Arc::new(tokio::sync::Notify::new());
    let (told, ready) = (Arc::clone(&stop), readiness.clone());
    let answer = move |request: Request| {
        let (serving, readiness) = (Arc::clone(&serving), ready.clone());
        async move {
            match serving.get() {
                Some(router) => pass_on(router.clone(), request).await,
                None => early(&readiness, &request),
            }
        }
    };
    let router = Router::new().fallback(answer);
    let server = runtime.spawn(async move {
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(async move { told.notified().await })
            .await
    });
    Ok((Web { runtime, server, readiness, stop }, address))
}

async fn pass_on(mut router: Router, request: Request) -> Response {
    match tower::Service::call(&mut router, request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The answer while there is no engine.
fn early(readiness: &Readiness, request: &Request) -> Response {
    if request.uri().path() == "/healthz" {
        return "ok\n".into_response();
    }
    let why = readiness.why_not().unwrap_or_else(|| "the engine starts".to_owned());
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], format!("{why}\n")).into_response()
}

fn open(config: &Config, readiness: &Readiness) -> Result<Arc<Engine>, Trouble> {
    let told = readiness.clone();
    let options = Options {
        cache_bytes: config.cache_bytes,
        on_repair: Arc::new(move |done| told.set_reason(&format!("repairing, {:.0} %", done * 100.0))),
        ..Options::default()
    };
    let file = config.data_dir.join("store.redb");
    let disk = Disk::open(&file, options)
        .with_context(|| format!("failed to open the store in {}", config.data_dir.display()))?;
    let threads = config.interactive + config.background;
    let cache_dir = Some(config.cache_dir.clone());
    let runner = Runner::new(RunnerSettings { cache_dir, threads, ..RunnerSettings::default() });
    let runner = Arc::new(runner.context("failed to start the sandbox")?);
    // Compiled once and cached; a job must never wait for it.
    readiness.set_reason("the script runner is being compiled, which only the first start does");
    runner.prepare_scripts().context("scripts cannot run")?;
    readiness.set_reason("the engine starts");
    let settings = Settings {
        public_url: config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen)).into(),
        time_zone: config.time_zone.as_str().into(),
        ..Settings::default()
    };
    let parts = Parts {
        store: Arc::new(disk),
        clock: Arc::new(SystemClock::new()),
        ids: Arc::new(RandomIds::new()),
        runner: Arc::new(Metered::new(runner)),
        settings,
    };
    Ok(Engine::open(parts).context("failed to open the engine")?)
}

fn settings(config: &Config, figures: &Arc<PrometheusHandle>, readiness: &Readiness) -> ApiSettings {
    let figures = Arc::clone(figures);
    ApiSettings {
        public_url: config.public_url.clone(),
        behind_proxy: config.behind_proxy,
        cors_origins: config.cors_origins.clone(),
        body_limit: config.body_bytes,
        upload_limit: config.upload_bytes,
        metrics: Some(Arc::new(move || figures.render())),
        readiness: readiness.clone(),
        ..ApiSettings::default()
    }
}

/// Makes the data directory, for this user only.
fn make_private(dir: &Path) -> Result<(), Trouble> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| Trouble::new(Exit::Configuration, format!("{}: {error}", dir.display())))
}

fn write_private(file: &Path, text: &str) -> Result<(), Trouble> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(writeln!(options.open(file)?, "{text}")?)
}
