//! Bodies that are too large, too deep or no JSON: refused in words, and nothing is written.

use api::ApiSettings;

use super::World;

#[test]
fn a_body_over_the_limit_is_refused_with_the_figure() {
    let world = World::with(ApiSettings { body_limit: 1_000, ..ApiSettings::default() });
    let body = format!(r#"{{"name":"{}"}}"#, "a".repeat(1_000));
    let answer = world.send("POST", "accounts", &[], &body);
    let sentence = "the body is larger than 1000 bytes, the limit here";
    assert_eq!(answer.refusal(), (413, "too-large".to_owned(), sentence.to_owned()));
}

#[test]
fn a_body_that_is_too_deep_or_no_json_is_refused_with_the_place() {
    let world = World::new();
    let deep = format!(r#"{{"name":{}1{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
    for (body, sentence) in [
        (deep.as_str(), "the JSON is 200001 levels deep, the limit here is 32"),
        ("{\"name\":\"Ada\",}", "the body is no JSON: trailing comma at line 1 column 15"),
        ("7", "the body is JSON but not an object"),
    ] {
        let (status, code, message) = world.send("POST", "accounts", &[], body).refusal();
        assert_eq!((status, code.as_str(), message.as_str()), (400, "malformed", sentence));
    }
    assert_eq!(world.get("accounts/$count").text, "0");
}
