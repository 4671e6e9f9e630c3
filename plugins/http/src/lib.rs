//! The step library `http`: a request to another host, with what its answer says.
//!
//! External: it stands in background workflows, runs after what the run did so far is committed, and reaches the hosts that
//! an operator granted, no other. `README.md` says how secrets get into a request without a process seeing them.

pub mod request;

stepwise_sdk::export!(request::Request);

#[cfg(test)]
mod tests {
    use super::*;
    use request::Request;
    use stepwise_sdk::{
        ErrorKind, attributes,
        testing::{Did, FakeHost},
    };

    fn sent(host: &FakeHost) -> stepwise_sdk::http::Request {
        let sent = host.did().into_iter().find_map(|did| match did {
            Did::Sent(request) => Some(request),
            _ => None,
        });
        sent.expect("a request")
    }

    #[test]
    fn secrets_go_as_placeholders() {
        let mut host = FakeHost::new();
        host.secrets.push("erp".into());
        host.answer_http(200, "{}");
        let inputs = attributes! { "url" => "https://example.com/a", "bearer" => "erp", "headers" => "x-a: 1\nx-key: {secret:erp}" };
        host.execute::<Request>(inputs).expect("an answer");
        let headers = sent(&host).0.headers;
        assert!(headers.contains(&("authorization".into(), "Bearer placeholder-of-erp".into())), "{headers:?}");
        assert!(headers.contains(&("x-key".into(), "placeholder-of-erp".into())), "{headers:?}");
    }

    #[test]
    fn what_changes_something_carries_the_key() {
        let host = FakeHost::new();
        host.answer_http(201, "");
        host.execute::<Request>(
            attributes! { "url" => "https://example.com/a", "method" => request::Method::Post, "body" => "{}" },
        )
        .expect("an answer");
        let headers = sent(&host).0.headers;
        assert!(headers.contains(&("idempotency-key".into(), "test".into())), "{headers:?}");
        assert!(headers.contains(&("content-type".into(), "application/json".into())), "{headers:?}");
    }

    #[test]
    fn a_bad_status_is_a_failure_of_its_kind_unless_it_is_wanted() {
        let host = FakeHost::new();
        host.answer_http(503, "later");
        let failure = host.execute::<Request>(attributes! { "url" => "https://example.com/a" }).expect_err("a failure");
        assert_eq!(failure.kind(), ErrorKind::Throttled);
        host.answer_http(404, "nobody");
        let wanted = attributes! { "url" => "https://example.com/a", "any_status" => true };
        let outputs = host.execute::<Request>(wanted).expect("an answer");
        assert!(outputs.contains(&stepwise_sdk::Field { name: "ok".into(), value: false.into() }), "{outputs:?}");
    }
}
