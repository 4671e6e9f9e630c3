//! The step `email`: what is asked to be sent, and what keeps it from being asked.

use std::sync::Arc;

use model::{
    parcel::Markup,
    process::email::{Content, Email, EmailTemplate, PartySource},
};

use super::{
    super::Program,
    world::{World, record},
    *,
};

fn email(to: Vec<PartySource>, content: Content) -> Email {
    Email { from: None, to, cc: Vec::new(), bcc: Vec::new(), content, regarding: Some(path("record")) }
}

fn plain() -> Content {
    Content::New { subject: template("${record.title}"), body: template("It is ${record.title}.") }
}

fn contact() -> PartySource {
    PartySource::Record(expression("record.contactid"))
}

fn step(email: Email) -> Vec<Step> {
    vec![named("mail", StepAction::Email(Box::new(email)))]
}

fn sends(email: Email, line: &str) {
    let mut world = World::of(step(email));
    assert_eq!(world.run(), JobState::Succeeded(None), "{:?}", world.trace);
    assert_eq!(world.trace[1..], [line]);
}

fn waits(email: Email, reason: &str) {
    let mut world = World::of(step(email));
    let JobState::Suspended(found) = world.run() else { panic!("{:?}", world.trace) };
    assert!(found.ends_with(reason), "{found}");
}

#[test]
fn parties_are_records_or_addresses_and_the_sender_is_the_user() {
    let letter = Email {
        cc: vec![PartySource::Address(template("desk@${\"example.org\"}"))],
        bcc: vec![PartySource::Record(ValueSource::First(vec![expression("variables.who"), expression("caller")]))],
        ..email(vec![contact()], plain())
    };
    sends(letter, "send 1/1 to=65/7 cc=desk@example.org bcc=1/2 about=64/1 text/plain \"Late\" \"It is Late.\"");
}

#[test]
fn a_template_reads_the_record_that_the_mail_is_about() {
    let of_contact = EmailTemplate {
        name: "hello".into(),
        title: "hello".to_owned(),
        description: String::new(),
        entity: fixture::CONTACT,
        subject: template("Dear ${record.fullname},\nhow are you?"),
        markup: Markup::Html,
        body: template("<b>${record.fullname + \" & co\"}</b>, says ${job.name}"),
        solution: "tests".into(),
    };
    let mut letter = email(vec![contact()], Content::Template(Arc::new(of_contact)));
    letter.regarding = Some(path("record.contactid"));
    sends(
        letter.clone(),
        "send 1/1 to=65/7 cc= bcc= about=65/7 text/html \"Dear Ada, how are you?\" \
         \"<b>Ada &amp; co</b>, says Handle complaints\"",
    );
    letter.regarding = Some(path("record"));
    let wrong =
        Program::compile(&workflow(step(letter)), &fixture::schema(), &library()).expect_err("no such attribute");
    assert_eq!(wrong, ["step `mail`: `record.fullname`: `complaint` has no attribute `fullname`"]);
}

#[test]
fn a_party_that_is_nobody_waits_for_a_person() {
    let who = || PartySource::Record(expression("variables.who"));
    waits(email(vec![who()], plain()), "the mail has no way to go: `to`: `variables.who` is empty, there is nobody");
    let address = PartySource::Address(expression("record.title"));
    waits(email(vec![address], plain()), "`to`: `record.title`: `Late` is no address, an address has an `@`");
    let title = PartySource::Record(expression("record.title"));
    waits(email(vec![title], plain()), "`to`: `record.title` is the text \"Late\", not somebody who gets mail");
}

#[test]
fn the_email_is_the_result_and_a_refusal_leaves_the_job_at_its_step() {
    let mut steps = step(email(vec![contact()], plain()));
    steps.push(named("b", set("customerid", expression("mail"))));
    let refusal = Refusal::NoAddress("contact `Ada` has no address".into());
    let mut world = World::of(steps).refusing(vec![Some(refusal)]);
    assert!(matches!(world.run(), JobState::Suspended(_)));
    assert_eq!((world.job.progress.cursor, world.job.record), (0, Some(record())));
    assert_eq!(world.again(), JobState::Succeeded(None), "{:?}", world.trace);
    assert_eq!(world.trace.last().map(String::as_str), Some("update 64/1 customerid=9/1"));
}
