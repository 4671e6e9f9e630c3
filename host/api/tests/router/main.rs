//! The router in process, before an engine in memory: what clients send, and exactly what they get.
//!
//! No network, no clock, no threads: a request is polled and the engine pumped by turns until the answer is there.

mod access;
mod batches;
mod conditions;
mod definitions;
mod dialect;
mod expand;
mod flows;
mod limits;
mod messages;
mod own;
mod queries;
mod scripts;
mod security;
mod signin;
mod task_flows;
mod writes;

use std::{pin::pin, sync::Arc};

use api::{ApiSettings, router};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use engine::{CountingIds, Engine, ManualClock, Parts, Settings, administrator};
use model::{
    Digest, Timestamp,
    step::{HostFault, Installed, PackageProblem, Returned, StepCall, StepFailure, StepHost, StepRunner, Usage},
};
use serde_json::Value as Json;
use store::Memory;
use tower::ServiceExt;

/// A sandbox without guests: nothing here calls a custom step.
struct NoGuests;

impl StepRunner for NoGuests {
    fn run(&self, _: &StepCall, host: Box<dyn StepHost>) -> Returned {
        let result = Err(StepFailure::Host { fault: HostFault::HostError, message: "there are no guests here".into() });
        Returned { host: Some(host), result, usage: Usage::default() }
    }

    fn install(&self, _: &[u8]) -> Result<Installed, PackageProblem> {
        Err(PackageProblem { sentences: vec!["this is no component".to_owned()] })
    }

    fn prepare(&self, _: Digest, _: &[u8]) -> Result<(), PackageProblem> {
        Ok(())
    }
}

/// A daemon without its network.
struct World {
    engine: Arc<Engine>,
    router: Router,
    token: String,
}

/// An answer, read whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

const BASE: &str = "http://crm.example/api/data/v9.2";

impl World {
    fn new() -> Self {
        Self::with(ApiSettings::default())
    }

    fn with(settings: ApiSettings) -> Self {
        let world = Self::unsigned_with(settings);
        let token = world.engine.create_token(administrator(), "tests", None).expect("a token");
        Self { token, ..world }
    }

    /// A daemon in which nobody can sign in yet.
    fn unsigned() -> Self {
        Self::unsigned_with(ApiSettings::default())
    }

    fn unsigned_with(settings: ApiSettings) -> Self {
        let clock = ManualClock::new(Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment"));
        let parts = Parts {
            store: Arc::new(Memory::new()),
            clock: Arc::new(clock),
            ids: Arc::new(CountingIds::new()),
            runner: Arc::new(NoGuests),
            settings: Settings::default(),
        };
        let engine = Engine::open(parts).expect("an empty store opens");
        Self { router: router(Arc::clone(&engine), settings), engine, token: String::new() }
    }

    /// A token of this user.
    fn token_of(&self, user: model::RecordRef) -> String {
        self.engine.create_token(user, "tests", None).expect("a token")
    }

    /// Sends a request as the administrator. The path is relative to the data service unless it begins with a slash.
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/api/data/v9.2/{path}") };
        let mut request = Request::builder().method(method.parse::<Method>().expect("a method")).uri(path);
        request = request.header("host", "crm.example");
        if headers.iter().all(|(name, _)| *name != "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        // An empty one stands for a request without.
        for (name, value) in headers.iter().filter(|(name, value)| (*name, *value) != ("authorization", "")) {
            request = request.header(*name, *value);
        }
        self.answer(request.body(Body::from(body.to_owned())).expect("a request"))
    }

    fn answer(&self, request: Request<Body>) -> Answer {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut answer = pin!(self.router.clone().oneshot(request));
            let response = loop {
                tokio::select! {
                    biased;
                    response = &mut answer => break response.expect("the router always answers"),
                    () = tokio::task::yield_now() => drop(self.engine.pump()),
                }
            };
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.expect("a body");
            let text = String::from_utf8(bytes.to_vec()).expect("text");
            Answer { status: parts.status, headers: parts.headers, text }
        })
    }

    /// Applies a solution with one entity `ticket` that has an alternate key over `number`.
    fn with_tickets(self) -> Self {
        let entity = "kind: entity\nname: ticket\nownership: organization\nprimary: title\nattributes:\n  \
                      title: { type: text }\n  number: { type: whole }\n  parentid: { type: lookup, to: ticket }\n\
                      keys: { by_number: [number] }\n";
        let header = "kind: solution\nname: tickets\nversion: 1.0.0\nprefix: tic\n";
        let files = [("solution.yaml", header), ("entities/ticket.yaml", entity)];
        let files = files.map(|(path, text)| formats::SourceFile::new(path, text)).to_vec();
        let caller = self.engine.caller(administrator());
        self.engine.apply_solution(&caller, files, engine::ApplyOptions::default()).expect("a good solution");
        self
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// Creates a record and gives its id.
    fn create(&self, set: &str, body: &Json) -> String {
        let answer = self.send("POST", set, &[], &body.to_string());
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
        let address = answer.header("odata-entityid");
        let (_, id) = address.split_once('(').expect("an address");
        id.trim_end_matches(')').to_owned()
    }

    /// Makes accounts of these names and gives their ids.
    fn accounts(&self, names: &[&str]) -> Vec<String> {
        names.iter().map(|name| self.create("accounts", &serde_json::json!({"name": name}))).collect()
    }
}

impl Answer {
    #[track_caller]
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no `{name}`: {} {}", self.status, self.text))
            .to_str()
            .expect("text")
    }

    #[track_caller]
    fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The code and sentence of a refusal in OData's form.
    #[track_caller]
    fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |at: &Json| at.as_str().expect("text").to_owned();
        (self.status.as_u16(), text(&body["error"]["innererror"]["type"]), text(&body["error"]["message"]))
    }
}
