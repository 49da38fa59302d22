//! What the commands of the relayer say, in both languages.

use std::path::Path;

use tbsi_bridge::config::Finality;
use tbsi_bridge::evm::Rules;
use tbsi_bridge::record::{Hold, Item, Parties};
use tbsi_bridge::target::View;
use tbsi_types::Address;

use crate::lang::Language;
pub(crate) use crate::report::Say;
use crate::shown::PathShown;

/// An item in words.
pub(super) fn item(item: Item, lang: Language) -> String {
    match item {
        Item::Evidence(height) => lang.pick(
            format!("evidence of height {height}"),
            format!("高度 {height} 的矛盾證據"),
        ),
        Item::Handover(height) => lang.pick(
            format!("handover after height {height}"),
            format!("高度 {height} 之後的驗證者交接"),
        ),
        Item::Checkpoint(height) => lang.pick(
            format!("checkpoint of height {height}"),
            format!("高度 {height} 的檢查點"),
        ),
        Item::Leaf(index) => lang.pick(format!("leaf {index}"), format!("日誌第 {index} 筆")),
        Item::Message(index) => lang.pick(
            format!("message of leaf {index}"),
            format!("日誌第 {index} 筆的訊息"),
        ),
    }
}

/// Why nothing is sent.
pub(super) fn hold(hold: Hold, lang: Language) -> String {
    let (en, zh_tw) = match hold {
        Hold::Paused => (
            "nothing is sent: a guardian has paused the light client",
            "暫停傳送：監護人已暫停輕客戶端",
        ),
        Hold::MessagesPaused => (
            "no messages are sent: a guardian has paused them",
            "暫停傳送訊息：監護人已暫停訊息",
        ),
        Hold::Frozen => (
            "nothing is sent: the light client is frozen by proven misbehaviour",
            "停止傳送：輕客戶端已因證實的不當行為而凍結",
        ),
        Hold::TrustExpired => (
            "nothing is sent: the light client's trust period is over",
            "停止傳送：輕客戶端的信任期已過",
        ),
        Hold::FeeCap => (
            "nothing is sent: gas costs more than fees.fee_cap_wei",
            "暫停傳送：手續費高於 fees.fee_cap_wei",
        ),
        Hold::Balance => (
            "nothing is sent: the account cannot pay; fund it",
            "暫停傳送：帳戶餘額不足，請補足",
        ),
    };
    lang.pick(en, zh_tw).into()
}

/// What `check` found.
pub(super) struct Checked<'a> {
    pub(super) home: &'a Path,
    pub(super) parties: &'a Parties,
    pub(super) view: &'a View,
    pub(super) inbox: Option<Address>,
    pub(super) rules: Option<Rules>,
    pub(super) finality: Finality,
}

impl Checked<'_> {
    pub(super) fn text(&self, say: Say) -> String {
        say.pick(self.en(), self.zh_tw())
    }

    fn en(&self) -> String {
        let (parties, view) = (self.parties, self.view);
        let inbox = self.inbox.map_or("no inbox, so no messages".into(), |it| {
            format!("inbox {it}")
        });
        let rules = self
            .rules
            .map_or("rules that it does not show".into(), |it| {
                format!("rules {it}")
            });
        let kind = if view.market.legacy { 0 } else { 2 };
        format!(
            "{} relays as {} for {} ({})\nsource: chain id {}, genesis hash {}\n\
             target: chain id {}, light client {} at height {}, {inbox}, balance {} wei\n\
             target: {rules}, transactions of type {kind}, finality {}: block {} of {} is final",
            self.home.shown(),
            parties.account,
            parties.name_en,
            parties.name_zh_tw,
            parties.source_chain_id,
            parties.source_genesis_hash,
            parties.target_chain_id,
            parties.light_client,
            view.client.height,
            view.balance,
            self.finality,
            view.finalized.number,
            view.latest.number,
        )
    }

    fn zh_tw(&self) -> String {
        let (parties, view) = (self.parties, self.view);
        let inbox = self.inbox.map_or("沒有收件匣，不傳送訊息".into(), |it| {
            format!("收件匣 {it}")
        });
        let rules = self
            .rules
            .map_or("無法得知規則".into(), |it| format!("規則 {it}"));
        let kind = if view.market.legacy { 0 } else { 2 };
        format!(
            "{} 以帳戶 {} 為 {}（{}）中繼\n來源鏈：鏈識別碼 {}，創世檔雜湊 {}\n\
             目標鏈：鏈識別碼 {}，輕客戶端 {} 在高度 {}，{inbox}，餘額 {} wei\n\
             目標鏈：{rules}，交易類型 {kind}，最終性 {}：已達第 {} 區塊，最新為第 {} 區塊",
            self.home.shown(),
            parties.account,
            parties.name_zh_tw,
            parties.name_en,
            parties.source_chain_id,
            parties.source_genesis_hash,
            parties.target_chain_id,
            parties.light_client,
            view.client.height,
            view.balance,
            self.finality,
            view.finalized.number,
            view.latest.number,
        )
    }
}
