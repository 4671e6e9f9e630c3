//! Is this identity token good? Its signature by a key of the provider, then every claim that must hold.
//!
//! Pure: keys and time are arguments. Only signatures with a key pair count; `none` and those with a shared secret do not.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The keys that a provider publishes.
#[derive(Clone, Deserialize)]
pub(super) struct Keys {
    keys: Vec<Key>,
}

#[derive(Clone, Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    for_what: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

/// What must hold of a token.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    pub nonce: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// Why a token is not good.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// No key of the provider has this name: there may be newer keys.
    UnknownKey,
    /// It is not good, with the reason in words.
    Bad(&'static str),
}

/// Seconds by which two clocks may differ.
const SKEW: i64 = 60;

/// The claims of a token that is good.
pub(super) fn verify(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Map<String, Value>, Wrong> {
    let bad = Wrong::Bad("it is no token of three parts");
    let (signed, signature) = token.rsplit_once('.').ok_or(bad)?;
    let (header, payload) = signed.split_once('.').ok_or(Wrong::Bad("it is no token of three parts"))?;
    let header: Header = json(header).ok_or(Wrong::Bad("its header cannot be read"))?;
    let signature = bytes(signature).ok_or(Wrong::Bad("its signature cannot be read"))?;
    check_signature(&header, keys, signed.as_bytes(), &signature)?;
    let claims: Map<String, Value> = json(payload).ok_or(Wrong::Bad("its claims cannot be read"))?;
    check_claims(&claims, expected).map_err(Wrong::Bad)?;
    Ok(claims)
}

fn check_signature(header: &Header, keys: &Keys, signed: &[u8], signature: &[u8]) -> Result<(), Wrong> {
    let fits = |key: &&Key| {
        let named = header.kid.is_none() || key.kid == header.kid;
        let right = key.alg.as_deref().is_none_or(|alg| alg == header.alg);
        named && right && key.for_what.as_deref() != Some("enc")
    };
    if !["RS256", "PS256", "ES256", "ES384", "EdDSA"].contains(&header.alg.as_str()) {
        return Err(Wrong::Bad("its signature is of a kind that does not count here"));
    }
    let mut candidates = keys.keys.iter().filter(fits).peekable();
    if candidates.peek().is_none() {
        return Err(Wrong::UnknownKey);
    }
    match candidates.any(|key| key.signed(&header.alg, signed, signature).is_some()) {
        true => Ok(()),
        false => Err(Wrong::Bad("its signature is not the provider's")),
    }
}

impl Key {
    /// Whether this key made the signature; nothing when it did not, or is of another kind.
    fn signed(&self, alg: &str, signed: &[u8], signature: &[u8]) -> Option<()> {
        let part = |text: &Option<String>| text.as_deref().and_then(bytes);
        let curve = self.crv.as_deref().unwrap_or_default();
        match (alg, self.kty.as_str(), curve) {
            ("RS256" | "PS256", "RSA", _) => {
                let parameters = match alg {
                    "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                    _ => &signature::RSA_PSS_2048_8192_SHA256,
                };
                let key = RsaPublicKeyComponents { n: part(&self.n)?, e: part(&self.e)? };
                key.verify(parameters, signed, signature).ok()
            }
            ("ES256", "EC", "P-256") | ("ES384", "EC", "P-384") => {
                let algorithm = match alg {
                    "ES256" => &signature::ECDSA_P256_SHA256_FIXED,
                    _ => &signature::ECDSA_P384_SHA384_FIXED,
                };
                // A point as it stands: 4, then both coordinates.
                let point = [&[4][..], &part(&self.x)?, &part(&self.y)?].concat();
                UnparsedPublicKey::new(algorithm, point).verify(signed, signature).ok()
            }
            ("EdDSA", "OKP", "Ed25519") => {
                UnparsedPublicKey::new(&signature::ED25519, part(&self.x)?).verify(signed, signature).ok()
            }
            _ => None,
        }
    }
}

fn check_claims(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // A moment that is there and is no number is no moment that holds.
    let moment = |name: &str| claims.get(name).map(|value| value.as_f64().map(|seconds| seconds as i64));
    if text("iss") != Some(expected.issuer) {
        return Err("it was issued by somebody else");
    }
    let audience: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let party = claims.get("azp").map(|_| text("azp"));
    let ours = match party {
        Some(party) => party == Some(expected.client),
        None => audience.len() == 1,
    };
    if !audience.contains(&expected.client) || !ours {
        return Err("it was issued for somebody else");
    }
    if moment("exp").flatten().is_none_or(|end| end.saturating_add(SKEW) <= expected.now) {
        return Err("it has expired");
    }
    let early = |name| {
        matches!(moment(name), Some(None))
            || moment(name).flatten().is_some_and(|at| at.saturating_sub(SKEW) > expected.now)
    };
    if moment("iat").flatten().is_none() || early("iat") || early("nbf") {
        return Err("it is not good yet");
    }
    if text("nonce") != Some(expected.nonce) {
        return Err("it answers another sign-in");
    }
    match text("sub").is_some_and(|subject| !subject.is_empty()) {
        true => Ok(()),
        false => Err("it names nobody"),
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

fn json<T: for<'a> Deserialize<'a>>(text: &str) -> Option<T> {
    serde_json::from_slice(&bytes(text)?).ok()
}

#[cfg(test)]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
    };
    use serde_json::json;

    use super::*;

    fn encoded(bytes: &[u8]) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A provider's key pair with its public half.
    fn provider() -> (Ed25519KeyPair, Keys) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a pair");
        let x = encoded(pair.public_key().as_ref());
        let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": x}]});
        (pair, serde_json::from_value(keys).expect("keys"))
    }

    fn claims() -> Value {
        json!({"iss": "https://id.example", "aud": "us", "exp": 1_060, "iat": 1_000, "nonce": "n", "sub": "7"})
    }

    fn expected() -> Expected<'static> {
        Expected { issuer: "https://id.example", client: "us", nonce: "n", now: 1_000 }
    }

    fn signed(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let text = format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
        let signature = sign(text.as_bytes());
        format!("{text}.{}", encoded(&signature))
    }

    fn judged(header: Value, claims: &Value) -> Result<(), Wrong> {
        let (pair, keys) = provider();
        let token = signed(&header, claims, |text| pair.sign(text).as_ref().to_vec());
        verify(&token, &keys, &expected()).map(drop)
    }

    #[test]
    fn a_token_of_the_provider_for_this_sign_in_is_good() {
        let header = json!({"alg": "EdDSA", "kid": "one"});
        assert_eq!(judged(header.clone(), &claims()), Ok(()));
        let mut several = claims();
        several["aud"] = json!(["us", "them"]);
        assert_eq!(judged(header.clone(), &several), Err(Wrong::Bad("it was issued for somebody else")));
        several["azp"] = json!("us");
        assert_eq!(judged(header, &several), Ok(()));
    }

    #[test]
    fn each_claim_that_does_not_hold_is_a_no() {
        let header = json!({"alg": "EdDSA", "kid": "one"});
        for (name, value, sentence) in [
            ("iss", json!("https://evil.example"), "it was issued by somebody else"),
            ("aud", json!("them"), "it was issued for somebody else"),
            ("aud", Value::Null, "it was issued for somebody else"),
            ("azp", json!("them"), "it was issued for somebody else"),
            ("azp", json!(7), "it was issued for somebody else"),
            ("exp", json!(940), "it has expired"),
            ("exp", json!("9999999999"), "it has expired"),
            ("exp", Value::Null, "it has expired"),
            ("iat", json!(1e300), "it is not good yet"),
            ("iat", json!(1_061), "it is not good yet"),
            ("nbf", json!(1_061), "it is not good yet"),
            ("nbf", json!("soon"), "it is not good yet"),
            ("nonce", json!("m"), "it answers another sign-in"),
            ("sub", json!(""), "it names nobody"),
        ] {
            let mut claims = claims();
            claims[name] = value;
            assert_eq!(judged(header.clone(), &claims), Err(Wrong::Bad(sentence)), "{name}");
        }
        let mut late = claims();
        late["exp"] = json!(941);
        assert_eq!(judged(header, &late), Ok(()), "clocks may differ by a minute");
    }

    #[test]
    fn only_signatures_of_the_providers_own_keys_count() {
        assert_eq!(judged(json!({"alg": "EdDSA", "kid": "two"}), &claims()), Err(Wrong::UnknownKey));
        for alg in ["none", "HS256", "RS1", ""] {
            let wrong = Err(Wrong::Bad("its signature is of a kind that does not count here"));
            assert_eq!(judged(json!({"alg": alg, "kid": "one"}), &claims()), wrong, "{alg}");
        }
        let wrong = Err(Wrong::Bad("its signature is not the provider's"));
        assert_eq!(judged(json!({"alg": "RS256", "kid": "one"}), &claims()), wrong, "the kind of the key decides");
        let (_, keys) = provider();
        let header = json!({"alg": "EdDSA", "kid": "one"});
        let forged = signed(&header, &claims(), |_| vec![0; 64]);
        assert_eq!(verify(&forged, &keys, &expected()).map(drop), wrong);
        for broken in ["", "a.b", "a.b.c", "..", "e30.e30.e30"] {
            assert!(verify(broken, &keys, &expected()).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_signature_on_a_curve_is_checked() {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a pair");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pair.as_ref(), &random).expect("a pair");
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let keys = json!({"keys": [
            {"kty": "EC", "crv": "P-256", "kid": "enc", "use": "enc", "x": encoded(x), "y": encoded(y)},
            {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "x": encoded(x), "y": encoded(y)},
        ]});
        let keys: Keys = serde_json::from_value(keys).expect("keys");
        let token = signed(&json!({"alg": "ES256"}), &claims(), |text| {
            pair.sign(&random, text).expect("signed").as_ref().to_vec()
        });
        assert!(verify(&token, &keys, &expected()).is_ok());
    }
}
