//! The outside as calls see it: no network, one answer that a case chooses, and a note of every request.

use model::outside::{Answer, NoAnswer, Outside, Reach, Request, Unanswered};
use parking_lot::Mutex;

/// What every request is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Weather {
    /// `200` with an empty JSON object.
    #[default]
    Fair,
    /// This status.
    Status(u16),
    /// Nobody answers in time.
    TimedOut,
}

/// What a case sees of one call.
#[derive(Default)]
struct State {
    weather: Weather,
    sent: Vec<Request>,
    strangers: Vec<String>,
}

/// The outside, and what was sent to it.
#[derive(Default)]
pub struct Web {
    state: Mutex<State>,
}

impl Web {
    /// Begins anew with this weather.
    pub fn begin(&self, weather: Weather) {
        *self.state.lock() = State { weather, ..State::default() };
    }

    /// What was sent since.
    pub fn sent(&self) -> Vec<Request> {
        self.state.lock().sent.clone()
    }

    /// The hosts among them that are not granted.
    pub fn strangers(&self) -> Vec<String> {
        self.state.lock().strangers.clone()
    }
}

impl Outside for Web {
    fn send(
        &self,
        request: &Request,
        reach: &Reach<'_>,
        is_cancelled: &mut dyn FnMut() -> bool,
    ) -> Result<Answer, Unanswered> {
        let mut state = self.state.lock();
        let (secure, host, port) = parts(&request.url);
        if !reach.hosts.iter().any(|granted| granted.covers(secure, &host, port)) {
            state.strangers.push(host.clone());
            return Err(Unanswered::new(NoAnswer::NotGranted, format!("`{host}` is not granted")));
        }
        state.sent.push(request.clone());
        let weather = state.weather;
        drop(state);
        if is_cancelled() {
            return Err(Unanswered::new(NoAnswer::Cancelled, "the run was asked to stop"));
        }
        let status = match weather {
            Weather::Fair => 200,
            Weather::Status(status) => status,
            Weather::TimedOut => return Err(Unanswered::new(NoAnswer::TimedOut, "nobody answered in time")),
        };
        Ok(Answer {
            status,
            url: request.url.clone(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: b"{}".to_vec(),
        })
    }
}

/// Whether TLS is asked for, the host in small letters, and the port.
fn parts(url: &str) -> (bool, String, u16) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = place.rsplit('@').next().unwrap_or_default();
    let secure = scheme.eq_ignore_ascii_case("https");
    let usual = if secure { 443 } else { 80 };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(usual)),
        _ => (place, usual),
    };
    (secure, host.trim_matches(['[', ']']).to_ascii_lowercase(), port)
}
