//! The identity of a definition that does not write one: the same on every machine, made from its kind and name.

use uuid::Uuid;

/// Drawn once; whoever changes it changes every identity that clients have kept.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f3a_6c1e_52d7_4b09_9e44_7d10_c6b2_a5f3);

/// The identity of the definition `name` of this kind.
pub fn identity(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{kind}/{name}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_name_decide_and_never_change() {
        assert_eq!(identity("entity", "complaint"), identity("entity", "complaint"));
        assert_ne!(identity("entity", "complaint"), identity("choice", "complaint"));
        assert_eq!(identity("entity", "account").to_string(), "30ec605a-25d8-5c05-97da-5d6dceb561e1");
    }
}
