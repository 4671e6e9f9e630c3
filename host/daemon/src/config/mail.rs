//! The section `smtp`: which server takes mail, how it is reached, and how many mails are sent at one time.
//!
//! A password crosses no network in clear, and a setting that would need a server makes no sense without one.

use std::{net::IpAddr, time::Duration};

use connect::mail::{Login, Security, SmtpSettings};

use super::Settings;
use crate::trouble::{Exit, Trouble};

/// Where mail goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    /// The server.
    pub server: SmtpSettings,
    /// Threads that carry.
    pub connections: usize,
}

/// The section, where a server is named.
pub(super) fn read(settings: &Settings) -> Result<Option<Mail>, Trouble> {
    let trouble = |message: String| Trouble::new(Exit::Configuration, message);
    let Some(host) = settings.text("smtp.host").map(str::trim).filter(|host| !host.is_empty()) else {
        return match settings.0.keys().find(|key| key.starts_with("smtp.") && *key != "smtp.host") {
            Some(key) => Err(trouble(format!("`{key}` makes no sense without `smtp.host`"))),
            None => Ok(None),
        };
    };
    let security = match settings.text("smtp.security").unwrap_or("starttls") {
        "none" => Security::None,
        "starttls" => Security::StartTls,
        "tls" => Security::Tls,
        other => {
            let hint = "none, starttls (the server is greeted in clear, then TLS) or tls (from the first byte)";
            return Err(trouble(format!("`smtp.security` cannot be `{other}`")).hint(hint));
        }
    };
    let port = match security {
        Security::None => 25,
        Security::StartTls => 587,
        Security::Tls => 465,
    };
    let login = login(settings)?;
    if security == Security::None && login.is_some() && !is_this_machine(host) {
        let message = format!("the password of `smtp.user` would cross the network to {host} in clear");
        return Err(trouble(message).hint("set smtp.security to starttls or tls"));
    }
    let seconds: u64 = settings.parsed("smtp.timeout")?.unwrap_or(60);
    let server = SmtpSettings {
        host: host.to_owned(),
        port: settings.parsed("smtp.port")?.unwrap_or(port),
        security,
        login,
        hello: settings.text("smtp.hello").map(str::to_owned).or_else(|| own_name(settings)),
        timeout: Duration::from_secs(seconds.clamp(1, 600)),
        roots: settings.bytes("smtp.ca_file")?,
        authorities: settings.bytes("tls.authorities")?,
    };
    let connections: usize = settings.parsed("smtp.connections")?.unwrap_or(2);
    Ok(Some(Mail { server, connections: connections.clamp(1, 64) }))
}

/// User and password: both or none.
fn login(settings: &Settings) -> Result<Option<Login>, Trouble> {
    let in_file = settings.bytes("smtp.password_file")?;
    let in_file = in_file.map(|bytes| String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned());
    let password = settings.text("smtp.password").map(str::to_owned).or(in_file);
    match (settings.text("smtp.user"), password) {
        (Some(user), Some(password)) => Ok(Some(Login { user: user.to_owned(), password })),
        (None, None) => Ok(None),
        _ => Err(Trouble::new(Exit::Configuration, "`smtp.user` and its password belong together")
            .hint("the password stands in a file that smtp.password_file names")),
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host under which clients know this daemon.
fn own_name(settings: &Settings) -> Option<String> {
    let url = settings.text("server.public_url")?;
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', ':']).next()?;
    Some(host.to_owned()).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tests::load;
    use super::*;
    use crate::config::Flags;

    #[test]
    fn a_server_is_told_by_its_name_and_the_rest_follows() {
        let read = |text: &str| load(text, &[], Flags::default()).map(|config| config.mail);
        assert_eq!(read("").expect("none"), None);
        let mail = read("[smtp]\nhost = \"mail.example\"\n").expect("a server").expect("it");
        let server = &mail.server;
        assert_eq!(
            (server.port, server.security, server.timeout.as_secs(), mail.connections),
            (587, Security::StartTls, 60, 2)
        );
        let text = "[server]\npublic_url = \"https://crm.example:444/x\"\n[smtp]\nhost = \"m\"\nsecurity = \"tls\"\n";
        let server = read(text).expect("a server").expect("it").server;
        assert_eq!((server.port, server.hello.as_deref()), (465, Some("crm.example")));
        for (text, message) in [
            ("[smtp]\nport = 25\n", "`smtp.port` makes no sense without `smtp.host`"),
            ("[smtp]\nhost = \"m\"\nsecurity = \"ssl\"\n", "`smtp.security` cannot be `ssl`"),
            ("[smtp]\nhost = \"m\"\nuser = \"u\"\n", "`smtp.user` and its password belong together"),
            (
                "[smtp]\nhost = \"m\"\nsecurity = \"none\"\nuser = \"u\"\npassword = \"p\"\n",
                "the password of `smtp.user` would cross the network to m in clear",
            ),
        ] {
            assert_eq!(read(text).expect_err("trouble").message, message);
        }
        assert!(read("[smtp]\nhost = \"127.0.0.1\"\nsecurity = \"none\"\nuser = \"u\"\npassword = \"p\"\n").is_ok());
    }

    #[test]
    fn the_password_stands_in_a_file_and_is_shown_nowhere() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("password");
        std::fs::write(&file, "open sesame\n").expect("a file");
        let text = format!("[smtp]\nhost = \"m\"\nuser = \"u\"\npassword_file = \"{}\"\n", file.display());
        let config = load(&text, &[], Flags::default()).expect("a configuration");
        let login = config.mail.as_ref().and_then(|mail| mail.server.login.clone()).expect("a login");
        assert_eq!(login.password, "open sesame");
        assert!(!format!("{config:?}").contains("sesame"));
    }
}
