//! The way to a daemon that runs: where it is, who asks, one request, and its refusals as trouble.
//!
//! A data directory of `stepwise dev` knows both the address and the token; flags and variables go before it.

use std::{path::Path, time::Duration};

use model::refusal::Problem;
use serde_json::Value as Json;
use ureq::{
    Agent, Body,
    http::Response,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

use crate::{
    cli::Connection,
    tls,
    trouble::{Exit, Place, Trouble},
};

/// Where a daemon listens unless it is told otherwise.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:8420";
/// Where `stepwise dev` leaves its token, in the data directory.
pub const TOKEN_FILE: &str = "dev-token";
/// Where `stepwise serve` leaves the link that sets the first password, in the data directory.
pub const SETUP_FILE: &str = "setup-link";
/// Where a daemon leaves the address it listens on, in the data directory.
pub const ADDRESS_FILE: &str = "address";

/// A signed-in way to one daemon.
pub struct Client {
    agent: Agent,
    server: String,
    token: String,
}

impl Client {
    /// The way that flags, variables and the data directory point out.
    pub fn new(connection: &Connection) -> Result<Self, Trouble> {
        let data_dir = connection.data_dir.as_deref();
        let left = |name: &str| data_dir.and_then(|dir| std::fs::read_to_string(dir.join(name)).ok());
        let server = connection.server.clone().or_else(|| left(ADDRESS_FILE));
        let server = server.unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let token = match (&connection.token_file, &connection.token) {
            (Some(file), _) => Some(read_token(file)?),
            (None, Some(token)) => Some(token.clone()),
            (None, None) => left(TOKEN_FILE),
        };
        let token = token.ok_or_else(|| {
            Trouble::new(Exit::Permission, "there is no token to sign in with")
                .hint("give --data-dir of `stepwise dev`, --token-file FILE, or STEPWISE_TOKEN")
        })?;
        let own = data_dir.map(tls::dev::authority).filter(|file| file.exists());
        let roots = connection.ca_file.clone().or(own).map(|file| trusted(&file)).transpose()?;
        let tls = TlsConfig::builder().root_certs(roots.unwrap_or(RootCerts::WebPki)).build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(600)))
            .build()
            .into();
        Ok(Self { agent, server: server.trim().trim_end_matches('/').to_owned(), token: token.trim().to_owned() })
    }

    /// Gets JSON.
    pub fn get(&self, path: &str) -> Result<Json, Trouble> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        // Lookups tell their entity in an annotation.
        self.json(request.header("prefer", "odata.include-annotations=\"*\"").call())
    }

    /// Gets text.
    pub fn text(&self, path: &str) -> Result<String, Trouble> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        let mut response = self.answered(request.call())?;
        response.body_mut().read_to_string().map_err(|error| self.broken(&error))
    }

    /// Posts JSON, gets JSON.
    pub fn post(&self, path: &str, body: &Json) -> Result<Json, Trouble> {
        self.send(path, "application/json", body.to_string().as_bytes())
    }

    /// Posts bytes, gets JSON.
    pub fn send(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Json, Trouble> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        self.json(request.header("content-type", content_type).send(body))
    }

    /// Sends any request with headers of its own.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Json>,
    ) -> Result<Json, Trouble> {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("authorization", self.bearer()).header("content-type", "application/json");
        let body = body.map(Json::to_string).unwrap_or_default();
        let request = request.body(body).map_err(|error| self.broken(&error))?;
        self.json(self.agent.run(request))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn json(&self, result: Result<Response<Body>, ureq::Error>) -> Result<Json, Trouble> {
        let mut response = self.answered(result)?;
        let text = response.body_mut().read_to_string().map_err(|error| self.broken(&error))?;
        match text.trim() {
            "" => Ok(Json::Null),
            text => serde_json::from_str(text).map_err(|error| self.broken(&error)),
        }
    }

    fn answered(&self, result: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Trouble> {
        let mut response = result.map_err(|error| {
            Trouble::new(Exit::Unreachable, format!("no daemon answers at {}: {error}", self.server))
                .hint("start one with `stepwise dev`, or give --server URL")
        })?;
        if response.status().as_u16() < 400 {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().unwrap_or_default();
        let body: Json = serde_json::from_str(&text).unwrap_or(Json::Null);
        Err(refused(status, &body))
    }

    fn broken(&self, error: &dyn std::error::Error) -> Trouble {
        Trouble::failed(format!("the answer of {} cannot be read: {error}", self.server))
    }
}

/// The certificates in a file.
fn trusted(file: &Path) -> Result<RootCerts, Trouble> {
    let wrong = |why: String| Trouble::new(Exit::Configuration, format!("{}: {why}", file.display()));
    let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let items: Result<Vec<PemItem<'static>>, ureq::Error> = parse_pem(&text).collect();
    let certificates: Vec<_> = items
        .map_err(|error| wrong(error.to_string()))?
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    match certificates.is_empty() {
        true => Err(wrong("there is no certificate in it".to_owned())),
        false => Ok(RootCerts::from(certificates)),
    }
}

fn read_token(file: &Path) -> Result<String, Trouble> {
    std::fs::read_to_string(file).map_err(|error| {
        Trouble::new(Exit::Permission, format!("the token file {} cannot be read: {error}", file.display()))
    })
}

/// A refusal of the daemon, in the form of either API.
fn refused(status: u16, body: &Json) -> Trouble {
    let exit = match status {
        401 | 403 => Exit::Permission,
        404 => Exit::NotFound,
        409 | 412 => Exit::Conflict,
        _ => Exit::Failed,
    };
    let sentence = body["detail"].as_str().or_else(|| body["error"]["message"].as_str());
    let mut trouble =
        Trouble::new(exit, sentence.map_or_else(|| format!("the daemon answers {status}"), str::to_owned));
    let code = body["code"].as_str().or_else(|| body["error"]["innererror"]["type"].as_str());
    trouble.code = code.map(str::to_owned);
    let places = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    trouble.places = places.iter().map(place).collect();
    trouble
}

/// A place in a file, as the own API writes it.
pub fn place(json: &Json) -> Place {
    Place { problem: problem(json), line: None }
}

/// A problem in a file, as the own API writes it.
pub fn problem(json: &Json) -> Problem {
    let number = |name: &str| json[name].as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
    Problem {
        file: json["file"].as_str().unwrap_or_default().into(),
        line: number("line"),
        column: number("column"),
        length: number("length"),
        message: json["message"].as_str().unwrap_or_default().to_owned(),
        hint: json["hint"].as_str().map(str::to_owned),
        warning: json["warning"].as_bool().unwrap_or_default(),
    }
}
