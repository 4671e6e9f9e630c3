//! Who carries mail: a server where one is named, else a folder where one is to be kept, else nobody.

use std::sync::Arc;

use anyhow::Context;
use connect::mail::{Folder, Smtp};
use model::parcel::Courier;
use smol_str::{SmolStr, format_smolstr};

use crate::{config::Config, trouble::Trouble};

/// A courier, what it is called, and how many mails it carries at one time.
pub struct Named {
    pub who: Arc<dyn Courier>,
    pub name: SmolStr,
    pub number: usize,
}

/// The courier that the configuration asks for.
pub fn of(config: &Config) -> Result<Option<Named>, Trouble> {
    if let Some(mail) = &config.mail {
        let (host, port) = (&mail.server.host, mail.server.port);
        let name = format_smolstr!("{host} port {port}");
        let courier = Smtp::new(mail.server.clone()).with_context(|| format!("mail cannot go to {name}"))?;
        return Ok(Some(Named { who: Arc::new(courier), name, number: mail.connections }));
    }
    if let Some(folder) = &config.mail_dir {
        let name = format_smolstr!("the folder {}", folder.display());
        return Ok(Some(Named { who: Arc::new(Folder::new(folder)), name, number: 1 }));
    }
    tracing::warn!("mail stays in the outbox: `smtp.host` is not set");
    Ok(None)
}
