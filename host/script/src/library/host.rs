//! What scripts may ask of the engine: the functions that the script runner puts beside this library.
//!
//! They are only described here, so that `check`, help and editors know them on every machine; the runner implements each
//! of them, and tests of its own compare the two lists and run the examples.

use super::signature::usage;

/// A function that the script runner implements.
#[derive(Debug)]
pub struct HostFunction {
    /// Its name.
    pub name: &'static str,
    /// What it takes and gives: `delete(record: record) -> nothing`.
    pub signature: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// Scripts with the value that they end with, on a task called `Call Ada`.
    pub examples: &'static [(&'static str, &'static str)],
    /// The fewest and the most arguments.
    pub arguments: (usize, usize),
    /// The verbs that the manifest's `uses` must list for the entity.
    pub verbs: &'static [&'static str],
    /// Whether only a script that says `external` gets something from it.
    pub external: bool,
}

impl HostFunction {
    /// How it is called: `retrieve(record[, attributes])`.
    pub fn usage(&self) -> String {
        usage(self.signature)
    }

    const fn example(mut self, examples: &'static [(&'static str, &'static str)]) -> Self {
        self.examples = examples;
        self
    }

    const fn uses(mut self, verbs: &'static [&'static str]) -> Self {
        self.verbs = verbs;
        self
    }

    const fn outside(mut self) -> Self {
        self.external = true;
        self
    }
}

const fn f(name: &'static str, signature: &'static str, arguments: (usize, usize), help: &'static str) -> HostFunction {
    HostFunction { name, signature, help, examples: &[], arguments, verbs: &[], external: false }
}

/// All functions of the host.
pub const HOST: &[HostFunction] = &[
    f(
        "retrieve",
        "retrieve(record: record[, attributes: attributes]) -> map",
        (1, 2),
        "The record's attributes by name, all of them or those listed; what is empty is `()`.",
    )
    .uses(&["retrieve"])
    .example(&[("retrieve(record(), [\"subject\"]).subject", "\"Call Ada\"")]),
    f(
        "follow",
        "follow(record: record, path: text) -> any",
        (2, 2),
        "The value at the end of a path such as `contactid.parentcustomerid.name`, through the lookups of related records; \
         empty where one of them is.",
    )
    .uses(&["retrieve"])
    .example(&[("follow(record(), \"subject\")", "\"Call Ada\""), ("follow(record(), \"regardingobjectid.subject\")", "()")]),
    f(
        "query",
        "query(entity: entity, filter: filter[, attributes: attributes]) -> rows",
        (2, 3),
        "The records of an entity that an OData filter describes, as a list of up to 5,000; each has its attributes and, \
         as `id`, itself.",
    )
    .uses(&["query"])
    .example(&[("query(\"task\", \"subject eq 'Call Ada'\", [\"subject\"]).len()", "1")]),
    f(
        "find_one",
        "find_one(entity: entity, filter: filter[, attributes: attributes]) -> map",
        (2, 3),
        "The first record that an OData filter describes, as `query` gives it; empty where there is none.",
    )
    .uses(&["query"])
    .example(&[("find_one(\"task\", \"subject eq 'Call Ada'\").subject", "\"Call Ada\""), ("find_one(\"task\", \"subject eq 'x'\")", "()")]),
    f(
        "exists",
        "exists(entity: entity, filter: filter) -> boolean",
        (2, 2),
        "Whether there is a record that an OData filter describes.",
    )
    .uses(&["query"])
    .example(&[("exists(\"task\", \"subject eq 'Call Ada'\")", "true")]),
    f(
        "count_records",
        "count_records(entity: entity, filter: filter) -> whole",
        (2, 2),
        "How many records an OData filter describes.",
    )
    .uses(&["query"])
    .example(&[("count_records(\"task\", \"subject eq 'Call Ada'\")", "1")]),
    f(
        "related",
        "related(record: record, entity: entity, lookup: attribute[, attributes: attributes]) -> rows",
        (3, 4),
        "The records of an entity whose lookup points to this record, as `query` gives them.",
    )
    .uses(&["query"])
    .example(&[
        ("related(record(), \"task\", \"regardingobjectid\").len()", "0"),
        (
            "create(\"task\", #{ subject: \"x\", regardingobjectid: record() }); \
             related(record(), \"task\", \"regardingobjectid\").len()",
            "1",
        ),
    ]),
    f(
        "create",
        "create(entity: entity, values: values) -> record",
        (2, 2),
        "Creates a record from a map such as `#{ subject: \"Call\" }` and gives it.",
    )
    .uses(&["create"])
    .example(&[("retrieve(create(\"task\", #{ subject: \"Call\" })).subject", "\"Call\"")]),
    f(
        "update",
        "update(record: record, values: values) -> nothing",
        (2, 2),
        "Changes the attributes of a record that a map names.",
    )
    .uses(&["update"])
    .example(&[("update(record(), #{ subject: \"Write\" }); retrieve(record()).subject", "\"Write\"")]),
    f(
        "update_all",
        "update_all(entity: entity, filter: filter, values: values) -> whole",
        (3, 3),
        "Changes all records that an OData filter describes, up to 5,000, and tells how many.",
    )
    .uses(&["query", "update"])
    .example(&[("update_all(\"task\", \"subject eq 'Call Ada'\", #{ subject: \"Write\" })", "1")]),
    f("delete", "delete(record: record) -> nothing", (1, 1), "Deletes a record.")
        .uses(&["delete"])
        .example(&[("delete(record())", "()")]),
    f(
        "assign",
        "assign(record: record, owner: record) -> nothing",
        (2, 2),
        "Gives a record to a user or a team.",
    )
    .uses(&["assign"])
    .example(&[("assign(record(), user())", "()")]),
    f(
        "set_status",
        "set_status(record: record, status: text) -> nothing",
        (2, 2),
        "Sets a status, or a state's first status, by name.",
    )
    .uses(&["set-status"])
    .example(&[("set_status(record(), \"done\")", "()")]),
    f(
        "share",
        "share(record: record, with: record, rights: list) -> nothing",
        (3, 3),
        "Gives a user or a team rights on one record, such as `[\"read\", \"write\"]`.",
    )
    .uses(&["share"])
    .example(&[("share(record(), user(), [\"read\"])", "()")]),
    f(
        "unshare",
        "unshare(record: record, with: record) -> nothing",
        (2, 2),
        "Takes such rights back.",
    )
    .uses(&["share"])
    .example(&[("unshare(record(), user())", "()")]),
    f(
        "invoke",
        "invoke(action: text, target: any, arguments: map) -> map",
        (3, 3),
        "Calls an action, or a command such as `AddToQueue`, by its name, with its record or `()` and a map of its inputs; gives \
         a map of its outputs.",
    )
    .example(&[("invoke(\"echo\", (), #{ word: \"yes\" }).word", "\"yes\"")]),
    f(
        "reference",
        "reference(entity: entity, id: any) -> record",
        (2, 2),
        "The record of this entity with this guid, as lookups hold it.",
    )
    .example(&[("reference(\"task\", \"00000000-0000-0000-0000-000000000001\") == record()", "true")]),
    f(
        "fail",
        "fail(code: text, message: text) -> nothing",
        (2, 2),
        "Ends the step with one of the errors that the manifest declares.",
    )
    .example(&[("let code = \"\"; try { fail(\"no-date\", \"no date\"); } catch (e) { code = e.code; } code", "\"no-date\"")]),
    f(
        "retry_later",
        "retry_later(message: text[, seconds: whole]) -> nothing",
        (1, 2),
        "Ends this try; the step is tried again, not before so many seconds.",
    )
    .example(&[("let kind = \"\"; try { retry_later(\"busy\", 60); } catch (e) { kind = e.kind; } kind", "\"transient\"")]),
    f(
        "log",
        "log(message: any[, level: text]) -> nothing",
        (1, 2),
        "Writes a line into the run log: debug, info, warning or error.",
    )
    .example(&[("log(\"checked\", \"debug\")", "()")]),
    f("user", "user() -> record", (0, 0), "The user as whom the step acts.").example(&[("user().entity", "\"systemuser\"")]),
    f(
        "initiating_user",
        "initiating_user() -> record",
        (0, 0),
        "The user who caused the event or the call.",
    )
    .example(&[("initiating_user().entity", "\"systemuser\"")]),
    f("business_unit", "business_unit() -> record", (0, 0), "The acting user's business unit, or `()`.")
        .example(&[("is_empty(business_unit()) || business_unit().entity == \"businessunit\"", "true")]),
    f("record", "record() -> record", (0, 0), "The record that the process runs on, or `()`.")
        .example(&[("record().entity", "\"task\"")]),
    f(
        "message",
        "message() -> text",
        (0, 0),
        "What started the process: `create`, `update`, an action's name.",
    )
    .example(&[("message()", "\"create\"")]),
    f(
        "before",
        "before() -> map",
        (0, 0),
        "The record's attributes before the event, by name: those that the process reads.",
    )
    .example(&[("before().subject", "()")]),
    f(
        "after",
        "after() -> map",
        (0, 0),
        "The record's attributes after the event, by name: those that the process reads.",
    )
    .example(&[("after().keys().len() >= 0", "true")]),
    f("depth", "depth() -> whole", (0, 0), "How many changes led to this one.").example(&[("depth() >= 0", "true")]),
    f("attempt", "attempt() -> whole", (0, 0), "Which try of the step this is, from 1.").example(&[("attempt()", "1")]),
    f(
        "idempotency_key",
        "idempotency_key() -> text",
        (0, 0),
        "The same text on every try of this step of this job.",
    )
    .example(&[("idempotency_key() == idempotency_key()", "true")]),
    f(
        "config",
        "config(name: text) -> text",
        (1, 1),
        "What the operator set for this library, or `()`.",
    )
    .example(&[("config(\"greeting\")", "\"hello\"")]),
    f(
        "random",
        "random(from: whole, to: whole) -> whole",
        (2, 2),
        "A whole number of this range, the same on every try; not for secrets.",
    )
    .example(&[("random(1, 6).is_between(1, 6)", "true")]),
    f(
        "http",
        "http(method: text, url: text[, body: any[, headers: map]]) -> map",
        (2, 4),
        "Sends a request to a host that was granted and gives `status`, `body`, `headers` and `url` of the answer; a body \
         that is a map or a list goes as JSON.",
    )
    .outside()
    .example(&[(
        "let code = \"\"; try { http(\"GET\", \"https://rates.example.com\"); } catch (e) { code = e.code; } code",
        "\"not-external\"",
    )]),
    f(
        "secret",
        "secret(name: text) -> text",
        (1, 1),
        "What stands for a secret that the operator set, in a header or a body; `()` where there is none.",
    )
    .outside()
    .example(&[("secret(\"api-key\")", "()")]),
];

/// The function of the host with this name.
pub fn host_function(name: &str) -> Option<&'static HostFunction> {
    HOST.iter().find(|function| function.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Signature;

    #[test]
    fn every_function_says_what_it_takes() {
        for function in HOST {
            let signature = Signature::parse(function.signature).unwrap_or_else(|| panic!("{}", function.signature));
            let least = signature.parameters.iter().filter(|parameter| !parameter.optional).count();
            assert_eq!(function.arguments, (least, signature.parameters.len()), "{}", function.name);
            assert_eq!(signature.name, function.name);
            assert!(function.help.ends_with('.') && !function.examples.is_empty(), "{}", function.name);
            assert!(super::super::function(function.name).is_none(), "{} is in the library, too", function.name);
        }
    }
}
