//! A server of files and a registry that answers pulls as the distribution specification says, on this machine.

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
};

use anyhow::Result;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
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
    /// The token by which another one is got, where somebody has such a one.
    refresh: Option<String>,
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

    /// The same to whoever shows a token by which others are got.
    pub fn refresh(&self, token: &str, refresh: &str) {
        let mut shelf = self.shelf();
        (shelf.token, shelf.refresh) = (Some(token.to_owned()), Some(refresh.to_owned()));
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

    /// What lies there has no end: it leads to a server that only stops when nobody listens any more.
    pub fn endless(&self, path: &str) -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        self.redirect(path, &format!("http://{}/", listener.local_addr()?));
        std::thread::spawn(move || {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut head = [0; 16 << 10];
            let mut said = stream.read(&mut head).and_then(|_| stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n"));
            while said.is_ok() {
                said = stream.write_all(&head);
            }
        });
        Ok(())
    }

    /// Says that a name stands for several manifests, each with its platform.
    pub fn index(&self, repository: &str, tag: &str, manifests: &[(&str, &str)]) {
        let entry = |(digest, platform): &(&str, &str)| {
            let (architecture, os) = platform.split_once('/').unwrap_or((platform, ""));
            json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1,
                    "platform": { "architecture": architecture, "os": os } })
        };
        let entries: Vec<_> = manifests.iter().map(entry).collect();
        let media = "application/vnd.oci.image.index.v1+json";
        let index = json!({ "schemaVersion": 2, "mediaType": media, "manifests": entries }).to_string();
        self.put_as(&format!("/v2/{repository}/manifests/{tag}"), media, index.as_bytes());
    }

    fn put_as(&self, path: &str, media: &str, bytes: &[u8]) {
        self.shelf().redirects.remove(path);
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
    State(state): State<(SocketAddr, Arc<Mutex<Shelf>>)>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 16).await.unwrap_or_default();
    let (address, shelf) = &state;
    let mut shelf = shelf.lock().expect("nobody panics while he holds it");
    let authorization = headers.get(header::AUTHORIZATION).and_then(|text| text.to_str().ok()).unwrap_or_default();
    let path = parts.uri.path().to_owned();
    shelf.asked.push(format!("{} {path} {authorization}", parts.method));
    if path == "/token" && parts.method == Method::POST {
        let form = String::from_utf8_lossy(&body);
        let is_known = shelf.refresh.as_ref().is_some_and(|refresh| {
            form.contains("grant_type=refresh_token") && form.ends_with(&format!("refresh_token={refresh}"))
        });
        return match (is_known, &shelf.token) {
            (true, Some(token)) => json!({ "access_token": token }).to_string().into_response(),
            _ => StatusCode::UNAUTHORIZED.into_response(),
        };
    }
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
