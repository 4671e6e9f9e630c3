//! What a step may ask and do: the verbs, who calls, the log, the clock.
//!
//! Everything goes through `Host`, which is the wire in a component and `testing::FakeHost` in a native test.
//! The verbs are staged: the host writes them with the step's result, or not at all.

use crate::{
    DateTime, Field, Guid, Query, Record, Reference,
    wire::bindings::stepwise::plugin::{
        http,
        records::{Page, VerbError},
        types,
    },
};

pub use crate::wire::bindings::stepwise::plugin::{
    context::{EventStage, RunMode},
    log::Level,
};

/// The caller's side of the contract, one function for each import.
#[expect(missing_docs, reason = "each is documented at `Context` and in the contract")]
pub trait Host {
    fn create(&self, entity: &str, attributes: &[Field]) -> Result<Reference, VerbError>;
    fn retrieve(&self, target: &Reference, attributes: &[String]) -> Result<Record, VerbError>;
    fn update(&self, target: &Reference, expected: Option<u64>, changes: &[Field]) -> Result<u64, VerbError>;
    fn delete(&self, target: &Reference, expected: Option<u64>) -> Result<(), VerbError>;
    fn assign(&self, target: &Reference, owner: &Reference) -> Result<u64, VerbError>;
    fn set_status(&self, target: &Reference, status: &str) -> Result<u64, VerbError>;
    fn share(&self, target: &Reference, with: &Reference, rights: &[String]) -> Result<(), VerbError>;
    fn unshare(&self, target: &Reference, with: &Reference) -> Result<(), VerbError>;
    fn query(&self, query: &types::Query) -> Result<Page, VerbError>;
    fn describe_entity(&self, entity: &str) -> Result<String, VerbError>;
    fn invoke(&self, name: &str, target: Option<&Reference>, arguments: &[Field]) -> Result<Vec<Field>, VerbError>;
    fn log(&self, level: Level, message: &str, fields: &[(String, String)]);
    fn now(&self) -> i64;
    fn time_zone(&self) -> String;
    fn random(&self) -> u64;
    fn config(&self, key: &str) -> Option<String>;
    fn user(&self) -> Reference;
    fn initiating_user(&self) -> Reference;
    fn business_unit(&self) -> Option<Reference>;
    fn record(&self) -> Option<Reference>;
    fn message(&self) -> String;
    fn pre_image(&self) -> Vec<Field>;
    fn post_image(&self) -> Vec<Field>;
    fn depth(&self) -> u32;
    fn correlation(&self) -> Guid;
    fn mode(&self) -> RunMode;
    fn stage(&self) -> EventStage;
    fn attempt(&self) -> u32;
    fn idempotency_key(&self) -> String;
    fn deadline(&self) -> i64;
    fn is_cancelled(&self) -> bool;
    fn attribute(&self, name: &str) -> Option<String>;
    fn send(&self, request: &http::Request) -> Result<http::Response, http::HttpError>;
    fn placeholder(&self, name: &str) -> Option<String>;
    fn basic(&self, user: &str, name: &str) -> Option<String>;
}

/// In a component there is one host, and what a step does not call must not be imported: so no `dyn`, which would
/// keep every function alive.
#[cfg(all(target_arch = "wasm32", not(feature = "testing")))]
type AnyHost = crate::wire::Wire;
#[cfg(any(not(target_arch = "wasm32"), feature = "testing"))]
type AnyHost = dyn Host;

/// Handed to a step for one attempt.
pub struct Context<'host> {
    host: &'host AnyHost,
}

impl<'host> Context<'host> {
    /// A context before this host.
    #[must_use]
    pub fn new(host: &'host AnyHost) -> Self {
        Self { host }
    }

    /// Creates a record; see [`crate::attributes!`].
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// let task = context.create("task", attributes! { "subject" => "Call back", "regardingobjectid" => account })?;
    /// context.info(format!("made {task}"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the host refuses: a right is missing, an attribute is unknown, a key is taken.
    pub fn create(&self, entity: &str, attributes: Vec<Field>) -> Result<Reference, VerbError> {
        self.host.create(entity, &attributes)
    }

    /// Reads these attributes of a record, all that may be read when none is named.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// let read = context.retrieve(task, &["subject", "percentcomplete"])?;
    /// if let Value::Text(subject) = read.get("subject") {
    ///     context.info(subject);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// It is gone, or may not be read.
    pub fn retrieve(&self, target: &Reference, attributes: &[&str]) -> Result<Record, VerbError> {
        let names: Vec<String> = attributes.iter().map(ToString::to_string).collect();
        self.host.retrieve(target, &names)
    }

    /// Changes a record; returns its new version.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// context.update(task, attributes! { "subject" => "Call back today", "description" => None::<String> })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the host refuses.
    pub fn update(&self, target: &Reference, changes: Vec<Field>) -> Result<u64, VerbError> {
        self.host.update(target, None, &changes)
    }

    /// Changes a record that still has this version.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// let read = context.retrieve(task, &["percentcomplete"])?;
    /// if read.get("percentcomplete").is_null() {
    ///     // Who was quicker is not overwritten: the step is tried again.
    ///     context.update_expecting(task, read.version, attributes! { "percentcomplete" => 10 })?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `conflict` when it has another one by now, or what the host refuses.
    pub fn update_expecting(&self, target: &Reference, version: u64, changes: Vec<Field>) -> Result<u64, VerbError> {
        self.host.update(target, Some(version), &changes)
    }

    /// Deletes a record.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn delete(&self, target: &Reference) -> Result<(), VerbError> {
        self.host.delete(target, None)
    }

    /// Deletes a record that still has this version.
    ///
    /// # Errors
    /// `conflict` when it has another one by now, or what the host refuses.
    pub fn delete_expecting(&self, target: &Reference, version: u64) -> Result<(), VerbError> {
        self.host.delete(target, Some(version))
    }

    /// Gives a record to a user or a team; returns its new version.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// let team = context.query(&Query::of("team").filter("name eq 'Escalations'"))?;
    /// if let Some(team) = team.records().next() {
    ///     context.assign(task, &team.target)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the host refuses.
    pub fn assign(&self, target: &Reference, owner: &Reference) -> Result<u64, VerbError> {
        self.host.assign(target, owner)
    }

    /// Sets a status, or a state's first status, by name; returns the record's new version.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// context.set_status(task, "canceled")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the host refuses: the transition may not be allowed.
    pub fn set_status(&self, target: &Reference, status: &str) -> Result<u64, VerbError> {
        self.host.set_status(target, status)
    }

    /// Gives a user or a team rights on one record: `read`, `write`, `delete`, `append`, `assign`, `share`.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// context.share(task, &context.initiating_user(), &["read", "write"])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the host refuses.
    pub fn share(&self, target: &Reference, with: &Reference, rights: &[&str]) -> Result<(), VerbError> {
        let rights: Vec<String> = rights.iter().map(ToString::to_string).collect();
        self.host.share(target, with, &rights)
    }

    /// Takes such rights back.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn unshare(&self, target: &Reference, with: &Reference) -> Result<(), VerbError> {
        self.host.unshare(target, with)
    }

    /// One page of records.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// let mut question = Query::of("task").only(["subject"]).filter(format!("regardingobjectid eq {}", account.id)).order("subject");
    /// loop {
    ///     let page = context.query(&question)?;
    ///     for task in page.records() {
    ///         context.debug(format!("{}: {:?}", task.target, task.get("subject")));
    ///     }
    ///     match page.cookie {
    ///         Some(cookie) => question = question.after(cookie),
    ///         None => break,
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The filter cannot be read, or what the host refuses.
    pub fn query(&self, query: &Query) -> Result<Page, VerbError> {
        self.host.query(&query.0)
    }

    /// An entity's attributes, choices and states, as a JSON document.
    ///
    /// # Errors
    /// There is no such entity.
    pub fn describe_entity(&self, entity: &str) -> Result<String, VerbError> {
        self.host.describe_entity(entity)
    }

    /// Performs an action or another message and returns its outputs.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// // An action of a process, or a command of every store, listed under `ACTIONS`.
    /// let answer = context.invoke("RetrievePrincipalAccess", Some(task), attributes! { "principal" => context.user() })?;
    /// let rights = answer.iter().find(|field| field.name == "rights").map(|field| &field.value);
    /// # let _ = rights;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the host or the action refuses.
    pub fn invoke(
        &self,
        name: &str,
        target: Option<&Reference>,
        arguments: Vec<Field>,
    ) -> Result<Vec<Field>, VerbError> {
        self.host.invoke(name, target, &arguments)
    }

    /// A line for the run log that only matters while looking for a fault.
    pub fn debug(&self, message: impl AsRef<str>) {
        self.host.log(Level::Debug, message.as_ref(), &[]);
    }

    /// A line for the run log.
    pub fn info(&self, message: impl AsRef<str>) {
        self.host.log(Level::Info, message.as_ref(), &[]);
    }

    /// A warning for the run log.
    pub fn warn(&self, message: impl AsRef<str>) {
        self.host.log(Level::Warning, message.as_ref(), &[]);
    }

    /// An error for the run log; it does not end the step.
    pub fn error(&self, message: impl AsRef<str>) {
        self.host.log(Level::Error, message.as_ref(), &[]);
    }

    /// A line with named values beside it.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// # use stepwise_sdk::context::Level;
    /// context.log(Level::Warning, "the rate is old", &[("days".into(), "12".into())]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn log(&self, level: Level, message: &str, fields: &[(String, String)]) {
        self.host.log(level, message, fields);
    }

    /// The step's time; it stands still during one attempt.
    #[must_use]
    pub fn now(&self) -> DateTime {
        DateTime(self.host.now())
    }

    /// The solution's time zone, by its IANA name.
    #[must_use]
    pub fn time_zone(&self) -> String {
        self.host.time_zone()
    }

    /// The next number of a seeded stream. Not for keys and passwords.
    #[must_use]
    pub fn random(&self) -> u64 {
        self.host.random()
    }

    /// What the operator set for this library.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// let limit: i64 = context.config("limit").and_then(|text| text.parse().ok()).unwrap_or(100);
    /// # let _ = limit;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn config(&self, key: &str) -> Option<String> {
        self.host.config(key)
    }

    /// As whom the step acts.
    #[must_use]
    pub fn user(&self) -> Reference {
        self.host.user()
    }

    /// Who caused the event or the call.
    #[must_use]
    pub fn initiating_user(&self) -> Reference {
        self.host.initiating_user()
    }

    /// The user's business unit.
    #[must_use]
    pub fn business_unit(&self) -> Option<Reference> {
        self.host.business_unit()
    }

    /// The process's record.
    #[must_use]
    pub fn record(&self) -> Option<Reference> {
        self.host.record()
    }

    /// What started the process: `create`, `update`, an action's name; empty when nothing did.
    #[must_use]
    pub fn message(&self) -> String {
        self.host.message()
    }

    /// The record just before the event.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// let before = context.pre_image().into_iter().find(|field| field.name == "severity");
    /// # let _ = before;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn pre_image(&self) -> Vec<Field> {
        self.host.pre_image()
    }

    /// The record just after the event.
    #[must_use]
    pub fn post_image(&self) -> Vec<Field> {
        self.host.post_image()
    }

    /// How many changes led to this one.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.host.depth()
    }

    /// The same for all that one cause set off.
    #[must_use]
    pub fn correlation(&self) -> Guid {
        self.host.correlation()
    }

    /// How the process runs.
    #[must_use]
    pub fn mode(&self) -> RunMode {
        self.host.mode()
    }

    /// Before or after the change that started the process is written.
    #[must_use]
    pub fn stage(&self) -> EventStage {
        self.host.stage()
    }

    /// From 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.host.attempt()
    }

    /// The same on every attempt: for the outside, where doing it twice would show.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        self.host.idempotency_key()
    }

    /// When the host will stop this call.
    #[must_use]
    pub fn deadline(&self) -> DateTime {
        DateTime(self.host.deadline())
    }

    /// True once nobody wants the result any more.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// for number in 0..1_000 {
    ///     if number % 16 == 0 && context.is_cancelled() {
    ///         return Err(Failure::new(ErrorKind::Cancelled, "cancelled", "nobody waits for it any more"));
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.host.is_cancelled()
    }

    /// What has no function of its own, by name: `calendar`, `public-url`, `contract`, `host`, `mode`, `stage`, and
    /// whatever a later host tells.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.host.attribute(name)
    }

    /// Sends a request to a granted host; only from a step that is [`EXTERNAL`](crate::Step::EXTERNAL). An answer
    /// with a bad status is an answer: see [`Response::good`](crate::http::Response::good).
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// let request = Request::get("https://rates.example.com/EUR").timeout_ms(5_000);
    /// let rate = context.send(&request)?.good()?.text();
    /// # let _ = rate;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// There is no answer: the host is not granted, nobody is there, the time is up.
    pub fn send(&self, request: &crate::http::Request) -> Result<http::Response, http::HttpError> {
        self.host.send(&request.0)
    }

    /// What stands for a secret in a header or the body of [`send`](Self::send); the secret itself never gets here.
    /// Nothing when the operator set none of that name.
    ///
    /// ```
    /// # use stepwise_sdk::{prelude::*, http::Response};
    /// # fn step(context: &Context, task: &Reference, account: Reference) -> Result<(), Failure> {
    /// let key = context.secret("api-key").ok_or_else(|| Failure::permanent("no-key", "the secret `api-key` is not set"))?;
    /// context.send(&Request::post("https://api.example.com/check").header("x-key", key).json("{}"))?.good()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<String> {
        self.host.placeholder(name)
    }

    /// What stands for the value of an `authorization` header: `Basic`, with this user and that secret as password.
    #[must_use]
    pub fn basic(&self, user: &str, name: &str) -> Option<String> {
        self.host.basic(user, name)
    }
}
