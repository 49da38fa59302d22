//! Legal names behind addresses, as far as the proof or a genesis file tells.

use serde_json::{Value, json};
use tbsi_light::{NamedSigner, ProvenIssuer, ProvenOperator, ProvenRegistry};
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
        identifiers(self.tax_id, self.lei)
    }

    /// Names, identifiers, and what shows that the account was this organisation's.
    pub(crate) fn sentence(&self, lang: Language) -> String {
        let named = self.names(lang) + &self.identifiers();
        let Some(proven) = self.registry else {
            return lang.pick(
                format!("{named}: its account when the network was founded"),
                format!("{named}：網路創立時為其帳號"),
            );
        };
        let (number, since) = (proven.organisation, proven.membership.since);
        lang.pick(
            format!("{named}: organisation {number}, its account since block {since}"),
            format!("{named}：機構 {number}，自區塊 {since} 起為其帳號"),
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

fn identifiers(tax_id: Option<&str>, lei: Option<&str>) -> String {
    let tax_id = tax_id.map(|it| format!(", 統一編號 {it}"));
    let lei = lei.map(|it| format!(", LEI {it}"));
    [tax_id, lei].into_iter().flatten().collect()
}

/// Identifiers of who answers for a validator, whose legal names are in the set that signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operator<'a> {
    pub(crate) tax_id: Option<&'a str>,
    pub(crate) lei: Option<&'a str>,
    /// What the registry proves; `None` if the genesis file says it, of the founding.
    registry: Option<&'a ProvenOperator>,
}

impl<'a> From<&'a OrganisationEntry> for Operator<'a> {
    fn from(entry: &'a OrganisationEntry) -> Self {
        Self {
            tax_id: entry.tax_id.as_deref(),
            lei: entry.lei.as_deref(),
            registry: None,
        }
    }
}

impl<'a> From<&'a ProvenOperator> for Operator<'a> {
    fn from(proven: &'a ProvenOperator) -> Self {
        let legal = &proven.legal;
        Self {
            tax_id: stated(&legal.tax_id),
            lei: stated(&legal.lei),
            registry: Some(proven),
        }
    }
}

fn stated(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// 統一編號 and LEI of a signer, or that they are not proved; begins with a comma.
pub(crate) fn signer_identifiers(of: Option<Operator<'_>>, lang: Language) -> String {
    let known = of.map(|it| identifiers(it.tax_id, it.lei));
    let known = known.filter(|it| !it.is_empty());
    known.unwrap_or_else(|| {
        lang.pick(", identifiers not proved", "，編號未經證明")
            .into()
    })
}

/// A signer for programs. `source` says what proves the identifiers, null that nothing does.
pub(crate) fn signer_summary(signer: &NamedSigner, of: Option<Operator<'_>>) -> Value {
    let mut organisation = json!({
        "nameZhTw": signer.name_zh_tw,
        "nameEn": signer.name_en,
        "taxId": of.and_then(|it| it.tax_id),
        "lei": of.and_then(|it| it.lei),
        "source": of.map(|it| it.registry.map_or("genesis", |_| "registry")),
    });
    if let Some(proven) = of.and_then(|it| it.registry) {
        organisation["number"] = json!(proven.organisation);
        organisation["jurisdiction"] = json!(proven.legal.jurisdiction);
        organisation["namedSince"] = json!(proven.since);
    }
    json!({
        "validator": signer.validator,
        "power": signer.power,
        "organisation": organisation,
    })
}

/// Who answers for how many of the validators the registry proves, and up to when it was asked.
pub(crate) fn operators(proven: &ProvenRegistry, lang: Language) -> String {
    let all = proven.operators.len();
    let named = proven.operators.iter().flatten().count();
    let known = proven.known;
    lang.pick(
        format!(
            "registry: organisations and identifiers of {named} of {all} validators are proved, \
             as of block {known}"
        ),
        format!("登錄：{all} 個驗證者中 {named} 個的機構與編號經證明，截至區塊 {known}"),
    )
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
            "登錄：簽發者的帳號於整個區塊均屬於機構 {number}，其名稱自區塊 {named} 起即為上述名稱；\
             所知截至區塊 {known}"
        ),
    )
}
