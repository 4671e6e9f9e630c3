//! Contract 1: bindings made from `sdk/wit/v1`, and its values as ours.

mod value;

use model::step::GuestErrorKind;

wasmtime::component::bindgen!({
    path: "../../sdk/wit/v1",
    world: "external-plugin",
    imports: { default: trappable },
});

pub use exports::stepwise::plugin::step::StepError;
pub use stepwise::plugin::{clock, config, context, http, log, random, records, secrets, types};
pub use value::{
    Invalid, field_from_wire, field_to_wire, guid_to_wire, reference_from_wire, reference_to_wire, value_from_wire,
    value_to_wire,
};

/// The interfaces of the contract that a step may import, with their functions.
///
/// Kept beside the bindings so that a component for a newer host is refused by the name of what is missing; a test
/// compares it with the text of the contract.
pub const INTERFACES: [(&str, &[&str]); 9] = [
    ("types", &[]),
    (
        "context",
        &[
            "user",
            "initiating-user",
            "business-unit",
            "record",
            "message",
            "pre-image",
            "post-image",
            "depth",
            "correlation",
            "mode",
            "stage",
            "attempt",
            "idempotency-key",
            "deadline",
            "cancelled",
            "attribute",
        ],
    ),
    (
        "records",
        &[
            "create",
            "retrieve",
            "update",
            "delete",
            "assign",
            "set-status",
            "share",
            "unshare",
            "query",
            "describe-entity",
            "invoke",
        ],
    ),
    ("log", &["write", "last-words"]),
    ("clock", &["now", "time-zone"]),
    ("random", &["next"]),
    ("config", &["get"]),
    ("http", &["send"]),
    ("secrets", &["placeholder", "basic"]),
];

/// The sort of a failure, as a guest reads it.
pub fn kind_to_wire(kind: GuestErrorKind) -> types::ErrorKind {
    match kind {
        GuestErrorKind::InvalidInput => types::ErrorKind::InvalidInput,
        GuestErrorKind::RuleViolated => types::ErrorKind::RuleViolated,
        GuestErrorKind::NotFound => types::ErrorKind::NotFound,
        GuestErrorKind::Conflict => types::ErrorKind::Conflict,
        GuestErrorKind::Denied => types::ErrorKind::Denied,
        GuestErrorKind::Transient => types::ErrorKind::Transient,
        GuestErrorKind::Throttled => types::ErrorKind::Throttled,
        GuestErrorKind::Permanent => types::ErrorKind::Permanent,
        GuestErrorKind::Cancelled => types::ErrorKind::Cancelled,
        GuestErrorKind::Other => types::ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The functions of an interface, read from the text of the contract.
    fn functions(contract: &str, interface: &str) -> Vec<String> {
        let start = contract.find(&format!("interface {interface} {{")).expect("the interface is there");
        let body = &contract[start..];
        let end = body.find("\n}").expect("the interface ends");
        body[..end]
            .lines()
            .filter_map(|line| line.trim().split_once(": func("))
            .map(|(name, _)| name.trim_start_matches('%').to_owned())
            .collect()
    }

    #[test]
    fn every_function_of_the_contract_is_known_by_name() {
        let contract = include_str!("../../../../sdk/wit/v1/host.wit");
        for (interface, known) in INTERFACES.iter().filter(|(name, _)| *name != "types") {
            assert_eq!(functions(contract, interface), *known, "{interface}");
        }
    }
}
