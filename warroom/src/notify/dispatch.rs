//! Sending: what is due, to whom, and what comes of it.

use std::sync::{Arc, Mutex};

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::NotifyConfig;
use super::mail::Relay;
use super::webhook::Webhooks;
use crate::api::{self, Notice};
use crate::desk::{Channel, Desk, Subscription};
use crate::limits::{ASK_AGAIN_MS, ASKED_MAX, DUE_AT_A_TIME, MAIL_PAUSE_MS, SENDS_AT_A_TIME};
use crate::said::{Said, WarroomError, said};
use crate::shared::Shared;

/// Names kind and version of what webhooks get.
const FORMAT: &str = "tbsi-notice-1";

/// Who sends.
pub(crate) struct Dispatcher {
    shared: Arc<Shared>,
    desk: Arc<Mutex<Desk>>,
    webhooks: Webhooks,
    relay: Option<Relay>,
    public_url: String,
}

impl Dispatcher {
    /// Fails if the configuration can never work.
    pub(crate) fn new(
        shared: Arc<Shared>,
        desk: Arc<Mutex<Desk>>,
        config: &NotifyConfig,
    ) -> Result<Self, WarroomError> {
        config.check()?;
        let refused = |words: String| {
            WarroomError::from(said(
                format!("alerts: {words}"),
                format!("通知設定：{words}"),
            ))
        };
        let relay = config.smtp.as_ref().map(Relay::new).transpose();
        Ok(Self {
            shared,
            desk,
            webhooks: Webhooks::new(&config.private_hosts).map_err(refused)?,
            relay: relay.map_err(refused)?,
            public_url: config.public_url.trim_end_matches('/').into(),
        })
    }

    /// Sends what is due, some at a time. What fails is noted with its subscription.
    pub(crate) async fn round(&self, now_ms: u64) {
        let due = self.with_desk(|desk| desk.due(now_ms, DUE_AT_A_TIME));
        let due = due.unwrap_or_default();
        let sends = stream::iter(due).for_each_concurrent(SENDS_AT_A_TIME, |it| async move {
            let done = match it.confirmed_ms {
                None => self.ask(&it, now_ms).await,
                Some(_) => self.tell(&it, now_ms).await,
            };
            if let Err(problem) = done {
                let number = it.number;
                tracing::warn!(subscription = number, %problem, "an alert could not be sent");
                self.with_desk(|desk| desk.missed(&it, now_ms, &problem));
            }
        });
        sends.await;
    }

    /// A file that cannot be written is told, and nothing is lost: it is sent again.
    fn with_desk<T>(&self, work: impl FnOnce(&Desk) -> Result<T, WarroomError>) -> Option<T> {
        let desk = self.desk.lock().expect("nobody panics with it");
        let done = work(&desk);
        done.inspect_err(|error| tracing::error!(%error, "subscriptions"))
            .ok()
    }

    /// Asks a receiver whether it wants to be told: nobody else can say so.
    async fn ask(&self, it: &Subscription, now_ms: u64) -> Result<(), String> {
        if it.asked >= ASKED_MAX {
            let later = u64::MAX;
            self.with_desk(|desk| desk.asked(it.number, later));
            return Ok(());
        }
        match it.channel {
            Channel::Webhook => {
                let body = json!({
                    "format": FORMAT, "subscription": it.number, "confirm": it.token,
                    "filter": it.filter,
                });
                let answer = self.webhooks.send(it, &body, now_ms).await?;
                let said: Value = serde_json::from_slice(&answer).unwrap_or(Value::Null);
                if said["confirm"] != it.token.as_str() {
                    return Err("the answer does not repeat `confirm`, as JSON".into());
                }
                self.with_desk(|desk| desk.confirm(&it.token, now_ms));
            }
            Channel::Email => {
                let base = format!("{}/api/v1/subscriptions", self.public_url);
                let subject = pick(it, said("Confirm alerts", "請確認訂閱通知"));
                let text = pick(
                    it,
                    said(
                        format!(
                            "Somebody asked that this address is told of new records ({}). If you \
                             want that, open\n\n{base}/confirm?token={}\n\nOtherwise do nothing: no \
                             record is sent before that.\n",
                            it.filter, it.token
                        ),
                        format!(
                            "有人要求將新紀錄（{}）通知此信箱。若您同意，請開啟\n\n\
                             {base}/confirm?token={}\n\n否則無須理會：在此之前不會寄送任何紀錄。\n",
                            it.filter, it.token
                        ),
                    ),
                );
                self.mail(it, &subject, text).await?;
                let later = now_ms.saturating_add(ASK_AGAIN_MS);
                self.with_desk(|desk| desk.asked(it.number, later));
            }
        }
        Ok(())
    }

    /// Tells of what is new.
    async fn tell(&self, it: &Subscription, now_ms: u64) -> Result<(), String> {
        let (shared, filter, from) = (Arc::clone(&self.shared), it.filter.clone(), it.next);
        let made = spawn_blocking(move || api::notice(&shared, &filter, from));
        let notice = made.await.map_err(|error| error.to_string())??;
        let Notice { items, next, .. } = &notice;
        let pause = match it.channel {
            Channel::Email if !items.is_empty() => MAIL_PAUSE_MS,
            Channel::Email | Channel::Webhook => 0,
        };
        if !items.is_empty() {
            self.send(it, &notice, now_ms).await?;
        }
        if *next != it.next {
            let due = now_ms.saturating_add(pause);
            self.with_desk(|desk| desk.told(it.number, *next, due));
        }
        Ok(())
    }

    async fn send(&self, it: &Subscription, notice: &Notice, now_ms: u64) -> Result<(), String> {
        let Notice {
            items,
            next,
            skipped,
        } = notice;
        match it.channel {
            Channel::Webhook => {
                let body = json!({
                    "format": FORMAT, "subscription": it.number, "filter": it.filter,
                    "genesisHash": self.shared.genesis.hash(), "from": it.next, "next": next,
                    "skipped": skipped, "items": items,
                });
                self.webhooks.send(it, &body, now_ms).await.map(drop)
            }
            Channel::Email => {
                let subject = pick(
                    it,
                    said(
                        format!("{} new records", items.len()),
                        format!("{} 筆新紀錄", items.len()),
                    ),
                );
                self.mail(it, &subject, self.text(it, notice)).await
            }
        }
    }

    fn text(&self, it: &Subscription, notice: &Notice) -> String {
        let base = &self.public_url;
        let mut text = String::new();
        for item in &notice.items {
            let position = &item["position"];
            let kind = item["statement"]["kind"].as_str().unwrap_or_default();
            let name = &item["issuerName"];
            let name = [&name["zhTw"], &name["en"]].map(|it| it.as_str().unwrap_or_default());
            let [zh_tw, en] = name;
            let issuer = item["statement"]["issuer"].as_str().unwrap_or_default();
            text += &format!("{kind}  {zh_tw} {en} {issuer}\n{base}/#/attestation/{position}\n\n");
        }
        if notice.skipped > 0 {
            let skipped = notice.skipped;
            text += &pick(
                it,
                said(
                    format!("{skipped} records before these were too many to be told.\n\n"),
                    format!("在此之前的 {skipped} 筆過多，未予通知。\n\n"),
                ),
            );
        }
        let end = format!("{base}/api/v1/subscriptions/end?token={}", it.token);
        text + &pick(
            it,
            said(
                format!("Each record proves itself on its page. To end these mails: {end}\n"),
                format!("每筆紀錄皆可於其頁面自行查核。終止通知：{end}\n"),
            ),
        )
    }

    async fn mail(&self, it: &Subscription, subject: &str, text: String) -> Result<(), String> {
        let Some(relay) = &self.relay else {
            return Err("no relay for e-mail is configured (`smtp`)".into());
        };
        relay.send(&it.address, subject, text).await
    }
}

fn pick(it: &Subscription, said: Said) -> String {
    if it.zh_tw { said.zh_tw } else { said.en }
}
