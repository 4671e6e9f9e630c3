//! Puts a daemon together: store, sandbox, engine, threads, web side; and takes it apart in the right order.
//!
//! While the store opens, which can take minutes after a crash, the web side already answers and says why it is not
//! ready. At the end: no new requests, threads finish their unit, jobs stand at their last checkpoint, the store closes.

mod courier;
mod metered;
mod seal;
mod stopping;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context;
use api::{ApiSettings, Readiness};
use axum::{
    Router,
    extract::{ConnectInfo, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use engine::{
    Engine, Parts, RandomIds, Scopes, Settings, SystemClock, Way,
    signin::{Kind, NewToken},
};
use metered::Metered;
use metrics_exporter_prometheus::PrometheusHandle;
use model::outside::Outside;
use sd_notify::NotifyState;
use smol_str::SmolStr;
use store::disk::{Disk, Options};
use tokio::net::TcpListener;
use wasm::{Compiler, Runner, RunnerSettings};

use crate::{
    carriers::Carriers,
    cli,
    client::{ADDRESS_FILE, SETUP_FILE, TOKEN_FILE},
    config::{self, Config},
    telemetry,
    threads::{COMPILERS, EXTERNAL, Threads},
    tls::{Peer, Tls, TlsListener, dev},
    trouble::{Exit, Trouble},
    watch::Watch,
};

/// How long open connections may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// A daemon that listens.
pub struct Daemon {
    url: String,
    setup_link: Option<String>,
    tls: Option<Tls>,
    data_dir: PathBuf,
    engine: Arc<Engine>,
    threads: Threads,
    carriers: Option<Carriers>,
    watch: Option<Watch>,
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
    let tls = config.tls.clone().map(Tls::load).transpose()?;
    let (web, address) = listen(config, tls.clone(), readiness.clone(), Arc::clone(&serving))?;
    let courier = courier::of(config)?;
    let engine = open(config, &readiness, courier.as_ref().map(|courier| courier.name.clone()))?;
    let threads = Threads::start(&engine, config.interactive, config.background)?;
    let carriers = courier.map(|courier| Carriers::start(&engine, &courier.who, courier.number)).transpose()?;
    let router = api::router(Arc::clone(&engine), settings(config, &figures, &readiness));
    // Set once, here.
    drop(serving.set(router));
    let own = format!("{}://{address}", if tls.is_some() { "https" } else { "http" });
    let url = config.public_url.clone().unwrap_or_else(|| own.clone());
    fs::write(config.data_dir.join(ADDRESS_FILE), format!("{own}\n"))?;
    let setup_link = match with_token {
        true => leave_token(&engine, &config.data_dir).map(|()| None)?,
        false => leave_link(&engine, &config.data_dir, &url)?,
    };
    readiness.set_ready();
    drop(sd_notify::notify(&[NotifyState::Ready]));
    Ok(Daemon { url, setup_link, tls, data_dir: config.data_dir.clone(), engine, threads, carriers, watch: None, web })
}

impl Daemon {
    /// The address that clients use.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the first name and password are set, while nobody can sign in.
    pub fn setup_link(&self) -> Option<&str> {
        self.setup_link.as_deref()
    }

    /// Lets it follow the components that plugins were installed from, and those that are named.
    pub fn watch(&mut self, named: Vec<PathBuf>) -> Result<(), Trouble> {
        self.watch = Some(Watch::start(&self.engine, named)?);
        Ok(())
    }

    /// Runs until it is told to stop, then stops in order. `again` reads the configuration anew.
    pub fn run(
        self,
        config: Config,
        again: impl Fn() -> Result<Config, Trouble> + Send + Sync + 'static,
    ) -> Result<(), Trouble> {
        let Self { data_dir, engine, threads, carriers, watch, web, tls, .. } = self;
        web.runtime.spawn(stopping::hang_ups(move || reload(&config, &again, tls.as_ref())));
        web.runtime.block_on(stopping::signal())?;
        tracing::info!("stopping: no new requests");
        drop(sd_notify::notify(&[NotifyState::Stopping]));
        web.readiness.set_stopping();
        web.stop.notify_one();
        let ended = web.runtime.block_on(async { tokio::time::timeout(GRACE, web.server).await });
        if ended.is_err() {
            tracing::warn!("connections were still open after {} s and are cut", GRACE.as_secs());
        }
        if let Some(watch) = watch {
            watch.stop();
        }
        threads.stop();
        if let Some(carriers) = carriers {
            carriers.stop();
        }
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
    dev::write_private(&file, &token.map_err(|failure| Trouble::failed(failure.to_string()))?.secret)
}

/// Leaves the link that sets the first name and password in a file, while nobody can sign in.
fn leave_link(engine: &Engine, data_dir: &Path, url: &str) -> Result<Option<String>, Trouble> {
    let file = data_dir.join(SETUP_FILE);
    let link = engine.setup_link().map_err(|failure| Trouble::failed(failure.to_string()))?;
    let Some(link) = link else {
        // One of an earlier start is worth nothing any more.
        drop(fs::remove_file(file));
        return Ok(None);
    };
    let link = format!("{}/setup#{}", url.trim_end_matches('/'), link.code);
    dev::write_private(&file, &link)?;
    Ok(Some(link))
}

/// What SIGHUP asks for: the whole configuration is read and checked; then certificate and log filter hold at once. When
/// anything is wrong, all stays as it was.
fn reload(now: &Config, again: &impl Fn() -> Result<Config, Trouble>, tls: Option<&Tls>) {
    let read = again().and_then(|next| {
        telemetry::check(&next.log)?;
        let shown = next.tls.as_ref().map(Tls::read).transpose()?;
        Ok((next, shown))
    });
    let (next, shown) = match read {
        Ok(read) => read,
        Err(trouble) => {
            let hint = trouble.hint.unwrap_or_default();
            return tracing::error!(why = trouble.message, hint, "SIGHUP: the configuration stays as it was");
        }
    };
    if let (Some(tls), Some(shown)) = (tls, shown) {
        tls.show(shown);
        tracing::info!("SIGHUP: the certificate was read again");
    }
    if let Err(trouble) = telemetry::change(&next.log) {
        tracing::error!(why = trouble.message, "SIGHUP: the log filter stays as it was");
    }
    match config::reload::waiting(now, &next).join(", ") {
        waiting if waiting.is_empty() => tracing::info!("SIGHUP: the configuration was read again"),
        waiting => tracing::warn!(waiting, "SIGHUP: the configuration was read again; this waits for the next start"),
    }
}

fn listen(
    config: &Config,
    tls: Option<Tls>,
    readiness: Readiness,
    serving: Arc<OnceLock<Router>>,
) -> Result<(Web, SocketAddr), Trouble> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("web").enable_all().build()?;
    let unavailable = |error| Trouble::new(Exit::Conflict, format!("{} cannot be listened on: {error}", config.listen));
    let listener = runtime.block_on(TcpListener::bind(config.listen)).map_err(unavailable)?;
    let address = listener.local_addr()?;
    let stop = Arc::new(tokio::sync::Notify::new());
    let (told, ready) = (Arc::clone(&stop), readiness.clone());
    let answer = move |mut request: Request| {
        if let Some(ConnectInfo(Peer(address))) = request.extensions().get().copied() {
            request.extensions_mut().insert(ConnectInfo(address));
        }
        let (serving, readiness) = (Arc::clone(&serving), ready.clone());
        async move {
            match serving.get() {
                Some(router) => pass_on(router.clone(), request).await,
                None => early(&readiness, &request),
            }
        }
    };
    let router = Router::new().fallback(answer).into_make_service_with_connect_info::<Peer>();
    let server = runtime.spawn(async move {
        let stopped = async move { told.notified().await };
        match tls {
            Some(tls) => axum::serve(TlsListener::start(listener, tls)?, router).with_graceful_shutdown(stopped).await,
            None => axum::serve(listener, router).with_graceful_shutdown(stopped).await,
        }
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

fn open(config: &Config, readiness: &Readiness, courier: Option<SmolStr>) -> Result<Arc<Engine>, Trouble> {
    let told = readiness.clone();
    let options = Options {
        cache_bytes: config.cache_bytes,
        on_repair: Arc::new(move |done| told.set_reason(&format!("repairing, {:.0} %", done * 100.0))),
        ..Options::default()
    };
    let file = config.data_dir.join("store.redb");
    let disk = Disk::open(&file, options)
        .with_context(|| format!("failed to open the store in {}", config.data_dir.display()))?;
    let threads = config.interactive + config.background + EXTERNAL;
    let cache_dir = Some(config.cache_dir.clone());
    let outside = connect::Client::trusting(config.authorities.as_deref());
    let outside: Arc<dyn Outside> = Arc::new(outside.context("`tls.authorities` cannot be used")?);
    let compiler = Some(compiler(config));
    let runner = Runner::new(RunnerSettings { cache_dir, threads, outside: Some(outside), compiler });
    let runner = Arc::new(runner.context("failed to start the sandbox")?);
    // Compiled once and cached; a job must never wait for it.
    readiness.set_reason("the script runner is being compiled, which only the first start does");
    runner.prepare_scripts().context("scripts cannot run")?;
    readiness.set_reason("the engine starts");
    let settings = Settings {
        external: EXTERNAL,
        compilers: COMPILERS,
        public_url: config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen)).into(),
        time_zone: config.time_zone.as_str().into(),
        journal_retention: config.journal,
        flows: config.flows,
        script_limits: config.scripts,
        courier,
        quarantine: config.plugins.quarantine,
        trust: config.plugins.trust.clone(),
        seal: Some(Arc::new(seal::KeyFile::open(&config.data_dir)?)),
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

/// This program again, as what compiles one component: the file that runs, also after another was put in its place.
fn compiler(config: &Config) -> Compiler {
    Compiler {
        program: "/proc/self/exe".into(),
        arguments: vec![cli::COMPILE.into()],
        memory: config.plugins.compile_bytes,
        seconds: config.plugins.compile_seconds,
        stop: Arc::default(),
    }
}

fn settings(config: &Config, figures: &Arc<PrometheusHandle>, readiness: &Readiness) -> ApiSettings {
    let figures = Arc::clone(figures);
    let link = config.data_dir.join(SETUP_FILE);
    ApiSettings {
        public_url: config.public_url.clone(),
        behind_proxy: config.behind_proxy,
        tls: config.tls.is_some(),
        oidc: config.oidc.clone(),
        on_setup: Some(Arc::new(move || drop(fs::remove_file(&link)))),
        cors_origins: config.cors_origins.clone(),
        body_limit: config.body_bytes,
        upload_limit: config.upload_bytes,
        metrics: Some(Arc::new(move || figures.render())),
        readiness: readiness.clone(),
        ..ApiSettings::default()
    }
}

/// Makes the data directory, for this user only.
pub fn make_private(dir: &Path) -> Result<(), Trouble> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| Trouble::new(Exit::Configuration, format!("{}: {error}", dir.display())))
}
