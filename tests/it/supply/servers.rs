//! A server of files and a registry that answers pulls as the distribution specification says, on this machine.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use anyhow::Result;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use sha2::{Digest, Sha256};

/// What lies where, who must be asked for a token, and what was asked.
#[derive(Default)]
pub struct Shelf {
    files: HashMap<String, (String, Vec<u8>)>,
    redirects: HashMap<String, String>,
    /// The token that paths under `/v2/` want, where they want one.
    token: Option<String>,
    /// Whether a token is given to those only who say who they are.
    basic: Option<String>,
    pub asked: Vec<String>,
}

/// A server that runs until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub shelf: Arc<Mutex<Shelf>>,
    /// Ends what serves.
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    pub fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let shelf: Arc<Mutex<Shelf>> = Arc::default();
        let router = Router::new().fallback(answer).with_state((address, shelf.clone()));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shelf, _runtime: runtime })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn put(&self, path: &str, bytes: &[u8]) {
        self.put_as(path, "application/octet-stream", bytes);
    }

    pub fn redirect(&self, from: &str, to: &str) {
        self.shelf().redirects.insert(from.to_owned(), to.to_owned());
    }

    /// From now on the registry wants a token, and gives one to whoever says this of himself.
    pub fn protect(&self, token: &str, basic: Option<&str>) {
        let mut shelf = self.shelf();
        (shelf.token, shelf.basic) = (Some(token.to_owned()), basic.map(str::to_owned));
    }

    /// Pushes layers, each with its type and title, as one artefact; gives the digest of its manifest.
    pub fn push(&self, repository: &str, tag: &str, layers: &[(&str, &str, &[u8])]) -> String {
        let layers = layers.iter().map(|(media, title, bytes)| {
            self.put(&format!("/v2/{repository}/blobs/{}", digest(bytes)), bytes);
            json!({ "mediaType": media, "digest": digest(bytes), "size": bytes.len(),
                    "annotations": { "org.opencontainers.image.title": title } })
        });
        let layers: Vec<_> = layers.collect();
        let media = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({ "schemaVersion": 2, "mediaType": media, "layers": layers }).to_string();
        let digest = digest(manifest.as_bytes());
        for name in [tag, &digest] {
            self.put_as(&format!("/v2/{repository}/manifests/{name}"), media, manifest.as_bytes());
        }
        digest
    }

    fn put_as(&self, path: &str, media: &str, bytes: &[u8]) {
        self.shelf().files.insert(path.to_owned(), (media.to_owned(), bytes.to_vec()));
    }

    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shelf().asked)
    }

    fn shelf(&self) -> std::sync::MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("nobody panics while he holds it")
    }
}

pub fn digest(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

async fn answer(
    State((address, shelf)): State<(SocketAddr, Arc<Mutex<Shelf>>)>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let mut shelf = shelf.lock().expect("nobody panics while he holds it");
    let authorization = headers.get(header::AUTHORIZATION).and_then(|text| text.to_str().ok()).unwrap_or_default();
    let path = request.uri().path().to_owned();
    shelf.asked.push(format!("{} {path} {authorization}", request.method()));
    if path == "/token" {
        return match (&shelf.token, &shelf.basic) {
            (Some(_), Some(basic)) if authorization != format!("Basic {basic}") => {
                StatusCode::UNAUTHORIZED.into_response()
            }
            (token, _) => json!({ "token": token }).to_string().into_response(),
        };
    }
    let wanted = shelf.token.as_ref().map(|token| format!("Bearer {token}"));
    if wanted.is_some_and(|wanted| path.starts_with("/v2/") && wanted != authorization) {
        let challenge =
            format!("Bearer realm=\"http://{address}/token\",service=\"shelf\",scope=\"repository:x:pull\"");
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
    }
    if let Some(to) = shelf.redirects.get(&path) {
        return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to.clone())]).into_response();
    }
    match shelf.files.get(&path) {
        Some((media, bytes)) => ([(header::CONTENT_TYPE, media.clone())], bytes.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
