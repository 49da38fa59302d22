//! Legal names behind addresses, as far as the proof or a genesis file tells.

use serde_json::{Value, json};
use tbsi_light::{NamedSigner, ProvenIssuer};
use tbsi_types::genesis::OrganisationEntry;
use tbsi_types::{Address, Genesis, PublicKey};

use crate::lang::Language;

/// The organisation that an account belonged to when the network was founded.
pub(crate) fn of_account(genesis: &Genesis, account: Address) -> Option<&OrganisationEntry> {
    let mut all = genesis.organisations.values();
    all.find(|it| it.accounts.contains_key(&account))
}

/// The organisation of a validator whose key is that of the founding, if its legal names are
/// still those.
pub(crate) fn of_signer<'a>(
    genesis: &'a Genesis,
    signer: &NamedSigner,
) -> Option<&'a OrganisationEntry> {
    let node = genesis.nodes.iter().find(|node| {
        let key = node.validator.as_ref().map(|it| it.public_key.as_ref());
        let key = key.and_then(|key| PublicKey::parse(key).ok());
        key.is_some_and(|key| key.address() == signer.validator)
    });
    let found = genesis.organisations.get(&node?.organisation)?;
    let same = found.name_zh_tw == signer.name_zh_tw && found.name_en == signer.name_en;
    same.then_some(found)
}

/// An organisation's names and identifiers, and what shows that an account is its.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    name_zh_tw: &'a str,
    name_en: &'a str,
    pub(crate) tax_id: Option<&'a str>,
    pub(crate) lei: Option<&'a str>,
    /// What the registry proves; `None` if the genesis file says it, of the founding.
    pub(crate) registry: Option<&'a ProvenIssuer>,
}

impl<'a> From<&'a OrganisationEntry> for Owner<'a> {
    fn from(entry: &'a OrganisationEntry) -> Self {
        Self {
            name_zh_tw: &entry.name_zh_tw,
            name_en: &entry.name_en,
            tax_id: entry.tax_id.as_deref(),
            lei: entry.lei.as_deref(),
            registry: None,
        }
    }
}

impl<'a> From<&'a ProvenIssuer> for Owner<'a> {
    fn from(proven: &'a ProvenIssuer) -> Self {
        let legal = &proven.legal;
        let stated = |text: &'a str| (!text.is_empty()).then_some(text);
        Self {
            name_zh_tw: &legal.name_zh_tw,
            name_en: &legal.name_en,
            tax_id: stated(&legal.tax_id),
            lei: stated(&legal.lei),
            registry: Some(proven),
        }
    }
}

impl Owner<'_> {
    /// Both names.
    pub(crate) fn names(&self, lang: Language) -> String {
        let (zh_tw, en) = (self.name_zh_tw, self.name_en);
        let names = lang.pick([en, zh_tw], [zh_tw, en]);
        names.join(" ").trim().to_owned()
    }

    /// 統一編號 and LEI, as far as there are any; begins with a comma.
    pub(crate) fn identifiers(&self) -> String {
        let tax_id = self.tax_id.map(|it| format!(", 統一編號 {it}"));
        let lei = self.lei.map(|it| format!(", LEI {it}"));
        [tax_id, lei].into_iter().flatten().collect()
    }

    /// Names, identifiers, and what shows that the account was this organisation's.
    pub(crate) fn sentence(&self, lang: Language) -> String {
        let named = self.names(lang) + &self.identifiers();
        let Some(proven) = self.registry else {
            return lang.pick(
                format!("{named}: its account when the network was founded"),
                format!("{named}：網路創立時為其帳戶"),
            );
        };
        let (number, since) = (proven.organisation, proven.membership.since);
        lang.pick(
            format!("{named}: organisation {number}, its account since block {since}"),
            format!("{named}：機構 {number}，自區塊 {since} 起為其帳戶"),
        )
    }

    fn summary(&self) -> Value {
        let mut summary = json!({
            "nameZhTw": self.name_zh_tw,
            "nameEn": self.name_en,
            "taxId": self.tax_id,
            "lei": self.lei,
            "source": "genesis",
        });
        if let Some(proven) = self.registry {
            summary["source"] = json!("registry");
            summary["number"] = json!(proven.organisation);
            summary["jurisdiction"] = json!(proven.legal.jurisdiction);
            summary["memberSince"] = json!(proven.membership.since);
            summary["memberUntil"] = json!(proven.membership.until);
            summary["namedSince"] = json!(proven.record.since);
            summary["namedUntil"] = json!(proven.record.until);
            summary["knownUpTo"] = json!(proven.known);
        }
        summary
    }
}

/// For programs.
pub(crate) fn summary(of: Option<Owner<'_>>) -> Value {
    of.map_or(Value::Null, |it| it.summary())
}

/// Up to when the registry was asked.
pub(crate) fn source(proven: &ProvenIssuer, lang: Language) -> String {
    let (number, known) = (proven.organisation, proven.known);
    let named = proven.record.since;
    lang.pick(
        format!(
            "registry: the issuer's account was organisation {number}'s in the whole block, and \
             these were its names since block {named}; known up to block {known}"
        ),
        format!(
            "登錄：簽發者的帳戶於整個區塊均屬於機構 {number}，其名稱自區塊 {named} 起即為上述名稱；\
             所知截至區塊 {known}"
        ),
    )
}
