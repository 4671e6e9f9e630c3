//! Requests to other hosts, for steps that say [`EXTERNAL`](crate::Step::EXTERNAL).
//!
//! The hosts are listed under [`HOSTS`](crate::Step::HOSTS) and granted by an operator. A secret is a placeholder in
//! the step's hands: put it into a header or the body, and the host fills it in on the way to a granted host.

use crate::{Failure, wire::bindings::stepwise::plugin::http};

pub use http::{HttpError, Response};

/// A request: `Request::get("https://rates.example.com/day").header("accept", "application/json")`.
///
/// ```
/// use stepwise_sdk::prelude::*;
///
/// let request = Request::post("https://api.example.com/orders").json("{\"lines\":3}").redirects(0);
/// assert_eq!(request, request.clone());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Request(#[doc(hidden)] pub http::Request);

impl Request {
    /// A request with any method.
    #[must_use]
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self(http::Request {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: None,
            options: Vec::new(),
        })
    }

    /// `GET`
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// `POST`
    #[must_use]
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// `PUT`
    #[must_use]
    pub fn put(url: impl Into<String>) -> Self {
        Self::new("PUT", url)
    }

    /// `PATCH`
    #[must_use]
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new("PATCH", url)
    }

    /// `DELETE`
    #[must_use]
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new("DELETE", url)
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.headers.push((name.into(), value.into()));
        self
    }

    /// What is sent.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.0.body = body.into();
        self
    }

    /// JSON that is sent, with the header that says so.
    #[must_use]
    pub fn json(self, text: impl Into<String>) -> Self {
        self.header("content-type", "application/json").body(text.into())
    }

    /// How long it may take; never longer than the step's own deadline.
    #[must_use]
    pub fn timeout_ms(mut self, millis: u32) -> Self {
        self.0.timeout_ms = Some(millis);
        self
    }

    /// How many redirects are followed, at most 10; 5 when nothing is said.
    #[must_use]
    pub fn redirects(mut self, count: u8) -> Self {
        self.0.options.push(("redirects".into(), count.to_string()));
        self
    }
}

impl Response {
    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are none become a question mark in a box.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The answer when its status is a good one (200 to 299), else a failure of the right kind: 429 and 503 are
    /// throttled, 408 and the other 500s transient, everything else permanent.
    ///
    /// ```
    /// # use stepwise_sdk::{http::Response, ErrorKind};
    /// let answer = |status| Response { status, url: String::new(), headers: Vec::new(), body: b"1.08".to_vec() };
    /// assert_eq!(answer(200).good().unwrap().text(), "1.08");
    /// assert_eq!(answer(429).good().unwrap_err().kind(), ErrorKind::Throttled);
    /// assert_eq!(answer(404).good().unwrap_err().kind(), ErrorKind::Permanent);
    /// ```
    ///
    /// # Errors
    /// The status is no good one. The codes are `http-throttled`, `http-unavailable` and `http-refused`.
    pub fn good(self) -> Result<Self, Failure> {
        let message = format!("`{}` answered with status {}", self.url, self.status);
        match self.status {
            200..=299 => Ok(self),
            429 | 503 => {
                let seconds = self.header("retry-after").and_then(|text| text.trim().parse::<u64>().ok());
                Err(Failure::throttled("http-throttled", message, seconds.unwrap_or(30).saturating_mul(1_000)))
            }
            408 | 500..=599 => Err(Failure::transient("http-unavailable", message)),
            _ => Err(Failure::permanent("http-refused", message)),
        }
    }
}

/// No answer is passed on as it is: `?` after `send` is enough.
impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        Self::new(error.kind, error.code, error.message).with(error.details)
    }
}
