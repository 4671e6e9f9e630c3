//! Tokens, passwords, setup links and applications (E32), on an engine whose clock is turned by hand.

use std::net::{IpAddr, Ipv4Addr};

use model::{Refusal, Value, Verb};

use super::World;
use crate::{
    Failure, administrator,
    signin::{Kind, Need, NewToken, Scopes, Way, password},
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const MINUTE: i64 = 60_000_000;

fn sentence<T>(result: Result<T, Failure>) -> String {
    match result {
        Ok(_) => "allowed".to_owned(),
        Err(Failure::Refused(refusal)) => refusal.to_string(),
        Err(fault) => panic!("{fault}"),
    }
}

fn new(kind: Kind, words: &[&str]) -> NewToken {
    let scopes = Scopes::parse(words.iter().copied()).expect("scopes");
    NewToken { user: administrator(), kind, label: "test".into(), scopes, expires_on: None }
}

#[test]
fn a_token_is_its_user_until_it_expires() {
    let world = World::new();
    let end = world.engine.clock().now().plus_micros(MINUTE);
    let secret = world.engine.create_token(administrator(), "test", Some(end)).expect("a token");
    let signed_in = world.engine.sign_in(&secret, Way::Header).expect("known");
    assert_eq!((signed_in.caller.user, signed_in.scopes), (administrator(), Scopes::FULL));
    world.clock.advance(MINUTE);
    let told = sentence(world.engine.sign_in(&secret, Way::Header));
    assert!(told.starts_with("the token expired on "), "{told}");
}

#[test]
fn a_token_that_was_revoked_unknown_or_made_elsewhere_is_refused_in_words() {
    let world = World::new();
    let caller = world.caller();
    let issued = world.engine.issue_token(&caller, &new(Kind::Api, &["read"])).expect("a token");
    let signed_in = world.engine.sign_in(&issued.secret, Way::Header).expect("known");
    assert!(signed_in.scopes.check(Need::Data).is_err() && signed_in.scopes.check(Need::Read).is_ok());
    let other = issued.secret.replace("swt_0000", "swt_ffff");
    assert_eq!(sentence(world.engine.sign_in(&other, Way::Header)), "the token was made by another daemon");
    let unknown = format!("{}f", &issued.secret[..75]);
    let told = sentence(world.engine.sign_in(&unknown, Way::Header));
    assert_eq!(told, "the token is not known here: it was never made, or was deleted");
    world.engine.revoke_token(&caller, &issued.info.id).expect("revoked");
    let told = sentence(world.engine.sign_in(&issued.secret, Way::Header));
    assert!(told.starts_with("the token was revoked on "), "{told}");
    let told = sentence(world.engine.revoke_token(&caller, "00"));
    assert_eq!(told, "there is no `token` 00");
}

#[test]
fn a_disabled_user_signs_in_with_nothing() {
    let world = World::new();
    let anna = world.create("systemuser", &[("fullname", "Anna".into())]);
    let secret = world.engine.create_token(anna, "test", None).expect("a token");
    world.try_update(anna, &[("isdisabled", Value::Boolean(true))]).expect("disabled");
    assert_eq!(sentence(world.engine.sign_in(&secret, Way::Header)), "the user of the token is disabled");
}

#[test]
fn when_a_token_was_used_is_written_once_a_minute_and_at_the_end() {
    let world = World::new();
    let secret = world.engine.create_token(administrator(), "test", None).expect("a token");
    let rows = || world.engine.figures().store.groups;
    world.engine.sign_in(&secret, Way::Header).expect("known");
    while world.engine.pump() {}
    let before = rows();
    for _ in 0..100 {
        world.clock.advance(MINUTE / 200);
        world.engine.sign_in(&secret, Way::Header).expect("known");
        while world.engine.pump() {}
    }
    assert_eq!(rows(), before, "a request costs no commit");
    let last = world.engine.clock().now();
    let list = world.engine.list_tokens(&world.caller(), Some(administrator()), &[Kind::Api]).expect("tokens");
    assert_eq!(list[0].last_used, Some(last));
    world.engine.keep_last_used();
    assert_eq!(rows(), before + 1);
}

#[test]
fn a_setup_link_sets_one_name_and_password_once() {
    let world = World::new();
    let old = world.engine.setup_link().expect("no fault").expect("nobody can sign in");
    let link = world.engine.setup_link().expect("no fault").expect("still nobody can");
    assert!(sentence(world.engine.check_setup(&old.code, HERE)).contains("is not known here"));
    assert_eq!(sentence(world.engine.check_setup(&link.code, HERE)), "allowed");
    assert!(sentence(world.engine.sign_in(&link.code, Way::Header)).contains("sets the first password at /setup"));
    let hash = password::hash("correct horse battery", world.engine.salt()).expect("a hash");
    world.engine.redeem_setup(&link.code, "Ada", &hash, HERE).expect("set up");
    let told = sentence(world.engine.redeem_setup(&link.code, "Eve", &hash, HERE));
    assert!(told.starts_with("the setup link was used on "), "{told}");
    assert!(world.engine.setup_link().expect("no fault").is_none(), "somebody can sign in now");
    let check = world.engine.begin_password("ADA", HERE).expect("to compare");
    assert!(check.compare("correct horse battery") && !check.compare("correct horse batterx"));
    let session = world.engine.finish_password(&check, true).expect("a session");
    assert!(world.engine.sign_in(&session.secret, Way::Cookie).is_ok());
    assert!(sentence(world.engine.sign_in(&session.secret, Way::Header)).contains("counts in its cookie only"));
    world.engine.set_password(&world.caller(), administrator(), &hash).expect("set");
    let told = sentence(world.engine.sign_in(&session.secret, Way::Cookie));
    assert!(told.starts_with("the session was revoked on "), "a new password ends the sessions: {told}");
}

#[test]
fn a_setup_link_is_worth_nothing_after_half_an_hour() {
    let world = World::new();
    let link = world.engine.setup_link().expect("no fault").expect("nobody can sign in");
    world.clock.advance(30 * MINUTE);
    let told = sentence(world.engine.redeem_setup(&link.code, "Ada", &"x".into(), HERE));
    assert!(told.starts_with("the setup link expired on "), "{told}");
}

#[test]
fn wrong_passwords_cost_more_and_more_time_whoever_they_are_for() {
    let world = World::new();
    for name in ["administrator", "nobody"] {
        for _ in 0..5 {
            let check = world.engine.begin_password(name, HERE).expect("to compare");
            assert_eq!(sentence(world.engine.finish_password(&check, false)), "the name or the password is wrong");
        }
        let told = sentence(world.engine.begin_password(name, HERE).map(drop));
        assert_eq!(told, "there were too many wrong passwords; try again in 1 s", "{name}");
    }
    world.clock.advance(1_000_000);
    assert!(world.engine.begin_password("Administrator", HERE).is_ok());
}

#[test]
fn an_application_gets_a_token_for_an_hour_with_no_more_than_its_scopes() {
    let world = World::new();
    let client = world.engine.issue_token(&world.caller(), &new(Kind::Client, &["data"])).expect("a client");
    let id = administrator().id;
    let (user, scopes) = world.engine.known_client(id, &client.secret, HERE).expect("known");
    assert_eq!(scopes.words(), ["data"]);
    let grant = world.engine.grant(user, scopes, HERE).expect("a token");
    assert_eq!(world.engine.sign_in(&grant.token.secret, Way::Header).expect("known").scopes.words(), ["data"]);
    assert!(sentence(world.engine.sign_in(&client.secret, Way::Header)).contains("/oauth2/v2.0/token"));
    let stranger = model::RecordId(uuid::Uuid::from_u128(1));
    let told = sentence(world.engine.known_client(stranger, &client.secret, HERE));
    assert_eq!(told, "the client secret belongs to another client");
    world.clock.advance(60 * MINUTE);
    assert!(sentence(world.engine.sign_in(&grant.token.secret, Way::Header)).starts_with("the token expired on "));
}

#[test]
fn nobody_but_the_administrator_sees_or_takes_the_tokens_of_others() {
    let world = World::new();
    let issued = world.engine.issue_token(&world.caller(), &new(Kind::Api, &[])).expect("a token");
    let entity = world.engine.schema().entity(administrator().entity).expect("users").clone();
    let value = |name: &str, value: Value| (entity.attribute(name).expect(name).id, value);
    let values = [value("fullname", Value::text("Eve")), value("domainname", Value::text("eve"))];
    let create = Verb::Create { entity: entity.id, id: None, values: values.into_iter().collect() };
    world.engine.apply(&world.caller(), create).expect("a user");
    let eve = world.engine.user_named("EVE").expect("no fault").expect("one");
    let caller = world.engine.caller(eve);
    assert_eq!(sentence(world.engine.list_tokens(&caller, Some(eve), &[Kind::Api])), "allowed");
    let denied = |result: Result<(), Failure>| matches!(result, Err(Failure::Refused(Refusal::MissingTask(_))));
    assert!(denied(world.engine.list_tokens(&caller, None, &[Kind::Api]).map(drop)));
    assert!(denied(world.engine.issue_token(&caller, &new(Kind::Api, &[])).map(drop)));
    assert!(denied(world.engine.set_password(&caller, administrator(), &"x".into())));
    assert!(denied(world.engine.revoke_all(&caller, administrator(), &[Kind::Session]).map(drop)));
    let told = sentence(world.engine.revoke_token(&caller, &issued.info.id));
    assert_eq!(told, format!("there is no `token` {}", issued.info.id));
}
