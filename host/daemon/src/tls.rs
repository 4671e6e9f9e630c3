//! TLS: the certificate that is shown, its exchange while the daemon runs, and the handshakes.
//!
//! rustls with ring. A handshake is a task of its own with a deadline, so that a slow client keeps nobody waiting; what
//! comes out of it is served like any other connection (`assemble`).

pub mod dev;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use axum::{extract::connect_info::Connected, serve::IncomingStream};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

use crate::trouble::{Exit, Trouble};

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate and those that it rests on, in PEM, its own first.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

/// What is shown to who connects; exchanged while connections go on.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ArcSwap<ServerConfig>>,
}

/// A certificate with its key, found to be right.
pub struct Shown(ServerConfig);

/// Connections whose handshake is done.
pub struct TlsListener {
    accepted: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

/// Who is connected.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes at one time.
const AT_ONCE: usize = 256;

impl Tls {
    /// Reads the files; what is wrong with them is said in words.
    pub fn load(files: Files) -> Result<Self, Trouble> {
        let config = read(&files)?;
        Ok(Self { config: Arc::new(ArcSwap::from_pointee(config)) })
    }

    /// What these files say, which need not be those of before; shown once `show` is called with it.
    pub fn read(files: &Files) -> Result<Shown, Trouble> {
        read(files).map(Shown)
    }

    /// Shows this from now on to who connects.
    pub fn show(&self, shown: Shown) {
        self.config.store(Arc::new(shown.0));
    }
}

impl TlsListener {
    /// Takes connections of `listener` and does their handshakes.
    pub fn start(listener: TcpListener, tls: Tls) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (send, accepted) = mpsc::channel(AT_ONCE);
        tokio::spawn(accept(listener, tls, send));
        Ok(Self { accepted, address })
    }
}

async fn accept(listener: TcpListener, tls: Tls, send: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>) {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let connected = tokio::select! {
            connected = listener.accept() => connected,
            () = send.closed() => return,
        };
        let (stream, peer) = match connected {
            Ok(connected) => connected,
            Err(error) => {
                // No more files may be open, for one: those that are there have to end first.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (acceptor, send) = (TlsAcceptor::from(tls.config.load_full()), send.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // When nobody takes it any more, the daemon stops.
                Ok(Ok(stream)) => drop(send.send((stream, peer)).await),
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a handshake failed"),
                Err(_) => tracing::debug!(%peer, "a handshake took too long"),
            }
            drop(slot);
        });
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(connected) => connected,
            // The task that accepts ends only after this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

fn read(files: &Files) -> Result<ServerConfig, Trouble> {
    let wrong = |file: &Path, why: String| {
        Trouble::new(Exit::Configuration, format!("{}: {why}", file.display()))
            .hint("tls.certificate and tls.key are PEM files that belong together; `stepwise tls dev-ca` makes some")
    };
    let certificates = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&files.certificate, format!("there is no certificate to read: {error}")))?;
    if certificates.is_empty() {
        return Err(wrong(&files.certificate, "there is no certificate in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| wrong(&files.key, format!("there is no key to read: {error}")))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
        .map_err(|error| wrong(&files.certificate, error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
