//! What scripts may ask of the engine: the functions that the script runner puts beside this library.
//!
//! They are only described here, so that `check` knows them on every machine; the runner implements each of them, and a
//! test of its own compares the two lists.

/// A function that the script runner implements.
#[derive(Debug)]
pub struct HostFunction {
    /// Its name.
    pub name: &'static str,
    /// Its name with its arguments, those that may be left out in brackets.
    pub signature: &'static str,
    /// What it does, in one or two sentences.
    pub help: &'static str,
    /// The fewest and the most arguments.
    pub arguments: (usize, usize),
    /// The verb that the manifest's `uses` must list for the entity, if it is one.
    pub verb: Option<&'static str>,
}

const fn f(
    name: &'static str,
    signature: &'static str,
    arguments: (usize, usize),
    verb: Option<&'static str>,
    help: &'static str,
) -> HostFunction {
    HostFunction { name, signature, help, arguments, verb }
}

/// All functions of the host.
pub const HOST: &[HostFunction] = &[
    f(
        "retrieve",
        "retrieve(record[, attributes])",
        (1, 2),
        Some("retrieve"),
        "The record's attributes by name, all of them or those listed; what is empty is `()`.",
    ),
    f(
        "query",
        "query(entity, filter[, attributes])",
        (2, 3),
        Some("query"),
        "The records of an entity that an OData filter describes, as a list of up to 5,000; each has its attributes and, \
         as `id`, itself.",
    ),
    f(
        "create",
        "create(entity, attributes)",
        (2, 2),
        Some("create"),
        "Creates a record from a map such as `#{ subject: \"Call\" }` and gives it.",
    ),
    f(
        "update",
        "update(record, attributes)",
        (2, 2),
        Some("update"),
        "Changes the attributes of a record that a map names.",
    ),
    f("delete", "delete(record)", (1, 1), Some("delete"), "Deletes a record."),
    f("assign", "assign(record, owner)", (2, 2), Some("assign"), "Gives a record to a user or a team."),
    f(
        "set_status",
        "set_status(record, status)",
        (2, 2),
        Some("set-status"),
        "Sets a status, or a state's first status, by name.",
    ),
    f(
        "share",
        "share(record, with, rights)",
        (3, 3),
        Some("share"),
        "Gives a user or a team rights on one record, such as `[\"read\", \"write\"]`.",
    ),
    f("unshare", "unshare(record, with)", (2, 2), Some("share"), "Takes such rights back."),
    f(
        "invoke",
        "invoke(action, target, arguments)",
        (3, 3),
        None,
        "Calls an action or a command (`AddToQueue` …) by its name, with its record or `()` and a map of its inputs; gives a map of its outputs.",
    ),
    f(
        "reference",
        "reference(entity, id)",
        (2, 2),
        None,
        "The record of this entity with this guid, as lookups hold it.",
    ),
    f("fail", "fail(code, message)", (2, 2), None, "Ends the step with one of the errors that the manifest declares."),
    f(
        "retry_later",
        "retry_later(message[, seconds])",
        (1, 2),
        None,
        "Ends this try; the step is tried again, not before so many seconds.",
    ),
    f("log", "log(message[, level])", (1, 2), None, "Writes a line into the run log: debug, info, warning or error."),
    f("user", "user()", (0, 0), None, "The user as whom the step acts."),
    f("initiating_user", "initiating_user()", (0, 0), None, "The user who caused the event or the call."),
    f("business_unit", "business_unit()", (0, 0), None, "The acting user's business unit, or `()`."),
    f("record", "record()", (0, 0), None, "The record that the process runs on, or `()`."),
    f("message", "message()", (0, 0), None, "What started the process: `create`, `update`, an action's name."),
    f(
        "before",
        "before()",
        (0, 0),
        None,
        "The record's attributes before the event, by name: those that the process reads.",
    ),
    f(
        "after",
        "after()",
        (0, 0),
        None,
        "The record's attributes after the event, by name: those that the process reads.",
    ),
    f("depth", "depth()", (0, 0), None, "How many changes led to this one."),
    f("attempt", "attempt()", (0, 0), None, "Which try of the step this is, from 1."),
    f("idempotency_key", "idempotency_key()", (0, 0), None, "The same text on every try of this step of this job."),
    f("config", "config(name)", (1, 1), None, "What the operator set for this library, or `()`."),
    f(
        "random",
        "random(from, to)",
        (2, 2),
        None,
        "A whole number of this range, the same on every try. Not for secrets.",
    ),
];

/// The function of the host with this name.
pub fn host_function(name: &str) -> Option<&'static HostFunction> {
    HOST.iter().find(|function| function.name == name)
}
