//! Secrets go in at the last moment, and out again of what comes back.

use model::outside::Placeholder;

/// The text with each placeholder replaced by its secret.
pub fn filled(text: &str, secrets: &[Placeholder]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| match text.contains(&secret.text) {
        true => text.replace(&secret.text, secret.secret.reveal()),
        false => text,
    })
}

/// The same for bytes.
pub fn filled_bytes(bytes: &[u8], secrets: &[Placeholder]) -> Vec<u8> {
    let pairs = secrets.iter().map(|secret| (secret.text.as_bytes(), secret.secret.reveal().as_bytes()));
    pairs.fold(bytes.to_vec(), |bytes, (placeholder, secret)| replaced(bytes, placeholder, secret))
}

/// What another host said, with each secret in it replaced by its placeholder.
pub fn hidden(text: &str, secrets: &[Placeholder]) -> String {
    secrets.iter().filter(|secret| !secret.secret.reveal().is_empty()).fold(text.to_owned(), |text, secret| match text
        .contains(secret.secret.reveal())
    {
        true => text.replace(secret.secret.reveal(), &secret.text),
        false => text,
    })
}

/// The same for bytes.
pub fn hidden_bytes(bytes: Vec<u8>, secrets: &[Placeholder]) -> Vec<u8> {
    let pairs = secrets.iter().map(|secret| (secret.secret.reveal().as_bytes(), secret.text.as_bytes()));
    pairs.fold(bytes, |bytes, (secret, placeholder)| replaced(bytes, secret, placeholder))
}

/// Whether a placeholder stands in it.
pub fn stands_in(bytes: &[u8], secrets: &[Placeholder]) -> bool {
    secrets.iter().any(|secret| find(bytes, secret.text.as_bytes()).is_some())
}

fn replaced(bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    if from.is_empty() || find(&bytes, from).is_none() {
        return bytes;
    }
    let (mut rest, mut done) = (bytes.as_slice(), Vec::with_capacity(bytes.len()));
    while let Some(place) = find(rest, from) {
        done.extend_from_slice(&rest[..place]);
        done.extend_from_slice(to);
        rest = &rest[place + from.len()..];
    }
    done.extend_from_slice(rest);
    done
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return None;
    }
    let first = wanted[0];
    let mut from = 0;
    while let Some(found) = bytes[from..].iter().position(|byte| *byte == first) {
        let place = from + found;
        if bytes[place..].starts_with(wanted) {
            return Some(place);
        }
        from = place + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::grant::Secret;

    #[test]
    fn what_goes_in_comes_out_again() {
        let secrets = [Placeholder { text: "PLACE".into(), secret: Secret::new("s3cret") }];
        assert_eq!(filled("Bearer PLACE", &secrets), "Bearer s3cret");
        assert_eq!(hidden("you said s3cret, s3cret", &secrets), "you said PLACE, PLACE");
        assert_eq!(filled_bytes(b"\xff=PLACE;PLAPLACE", &secrets), b"\xff=s3cret;PLAs3cret");
        assert_eq!(hidden_bytes(b"s3s3cretcret".to_vec(), &secrets), b"s3PLACEcret");
        assert!(stands_in(b"..PLACE", &secrets) && !stands_in(b"PLAC", &secrets));
    }

    #[test]
    fn an_empty_secret_hides_nothing() {
        let secrets = [Placeholder { text: "PLACE".into(), secret: Secret::new("") }];
        assert_eq!(hidden("abc", &secrets), "abc");
        assert_eq!(hidden_bytes(b"abc".to_vec(), &secrets), b"abc");
    }
}
