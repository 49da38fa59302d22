//! Alerts: new leaves that somebody asked for, by webhook or e-mail (SPEC §19.5). The operator of a
//! war room enters subscriptions, and each is confirmed by who receives it. The log is the queue: a
//! subscription knows how far it was told.

mod address;
mod dispatch;
mod mail;
mod webhook;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tbsi_types::B256;

use crate::desk::{Desk, NewSubscription, Subscription};
use crate::said::{WarroomError, said};
use crate::store::Store;

pub(crate) use dispatch::Dispatcher;

/// How alerts are sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyConfig {
    /// Where receivers of e-mail reach this war room, such as `https://room.example`.
    pub public_url: String,
    /// Names and addresses of hosts that may be called although they are private.
    pub private_hosts: Vec<String>,
    /// The relay for e-mail; without it there is none.
    pub smtp: Option<SmtpConfig>,
}

/// A relay for e-mail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Its name.
    pub host: String,
    /// Its port; by default 465, or 587 with `starttls`, or 25 without TLS.
    pub port: Option<u16>,
    /// How the connection is kept private.
    #[serde(default)]
    pub tls: SmtpTls,
    /// Who sends, if the relay asks.
    pub user: Option<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// The address that mails are from.
    pub from: String,
}

/// How a connection to a relay is kept private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// From its beginning.
    #[default]
    Tls,
    /// After STARTTLS, which the relay must offer.
    StartTls,
    /// Not at all: for a relay on the same machine.
    None,
}

impl NotifyConfig {
    /// Refuses what could never be sent.
    pub fn check(&self) -> Result<(), WarroomError> {
        let refuse = |field: &str, en: &str, zh_tw: &str| {
            Err(WarroomError::from(said(
                format!("alerts: `{field}`: {en}"),
                format!("通知設定：`{field}`：{zh_tw}"),
            )))
        };
        let Some(smtp) = &self.smtp else {
            return Ok(());
        };
        if !self.public_url.starts_with("http://") && !self.public_url.starts_with("https://") {
            return refuse(
                "public_url",
                "give the address under which receivers reach this war room, http:// or https://",
                "請提供收件者可連至此戰情室的網址（http:// 或 https://）",
            );
        }
        if smtp.from.parse::<lettre::message::Mailbox>().is_err() {
            return refuse(
                "smtp.from",
                "this is no address of e-mail",
                "不是電子郵件地址",
            );
        }
        if smtp.user.is_some() != smtp.password_file.is_some() {
            return refuse(
                "smtp.user",
                "give user and password_file, or neither",
                "請同時提供 user 與 password_file，或都不提供",
            );
        }
        if smtp.user.is_some() && smtp.tls == SmtpTls::None {
            return refuse(
                "smtp.tls",
                "a password is sent over TLS alone: use tls or starttls",
                "密碼只能經由 TLS 傳送：請使用 tls 或 starttls",
            );
        }
        Ok(())
    }
}

/// Enters a subscription into the index of a data directory; its number.
pub fn subscribe(
    data: &Path,
    genesis_hash: B256,
    new: &NewSubscription,
) -> Result<u64, WarroomError> {
    address::check(new.channel, &new.address)?;
    crate::api::check_filter(&new.filter)?;
    let store = Store::open(data, genesis_hash)?;
    let size = store.view().frontier().map(|it| it.size().0);
    let size = size.map_err(|error| WarroomError::from(error.said(store.path())))?;
    Desk::open(store.path())?.add(new, size)
}

/// All subscriptions of a data directory.
pub fn subscriptions(data: &Path, genesis_hash: B256) -> Result<Vec<Subscription>, WarroomError> {
    let store = Store::open(data, genesis_hash)?;
    Desk::open(store.path())?.all()
}

/// Ends a subscription; whether there was one of this number.
pub fn unsubscribe(data: &Path, genesis_hash: B256, number: u64) -> Result<bool, WarroomError> {
    let store = Store::open(data, genesis_hash)?;
    Desk::open(store.path())?.end(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_never_be_sent_is_refused() {
        let smtp = SmtpConfig {
            host: "127.0.0.1".into(),
            port: None,
            tls: SmtpTls::None,
            user: None,
            password_file: None,
            from: "room@example.org".into(),
        };
        let good = NotifyConfig {
            public_url: "https://room.example".into(),
            private_hosts: Vec::new(),
            smtp: Some(smtp.clone()),
        };
        assert!(good.check().is_ok() && NotifyConfig::default().check().is_ok());
        let with = |smtp: SmtpConfig| NotifyConfig {
            smtp: Some(smtp),
            ..good.clone()
        };
        let bad = [
            NotifyConfig {
                public_url: "room.example".into(),
                ..good.clone()
            },
            with(SmtpConfig {
                from: "room".into(),
                ..smtp.clone()
            }),
            with(SmtpConfig {
                user: Some("a".into()),
                ..smtp.clone()
            }),
            with(SmtpConfig {
                user: Some("a".into()),
                password_file: Some("b".into()),
                ..smtp
            }),
        ];
        let fields = ["public_url", "smtp.from", "smtp.user", "smtp.tls"];
        for (config, field) in bad.iter().zip(fields) {
            let error = config.check().unwrap_err();
            assert!(error.en.contains(field), "{error}");
        }
    }
}
