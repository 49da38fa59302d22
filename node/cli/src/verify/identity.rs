//! Legal names behind addresses, as far as a genesis file tells.

use serde_json::{Value, json};
use tbsi_light::NamedSigner;
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

/// Both names.
pub(crate) fn names(of: &OrganisationEntry, lang: Language) -> String {
    let names = lang.pick([&of.name_en, &of.name_zh_tw], [&of.name_zh_tw, &of.name_en]);
    names.map(String::as_str).join(" ").trim().to_owned()
}

/// 統一編號 and LEI, as far as there are any; begins with a comma.
pub(crate) fn identifiers(of: &OrganisationEntry) -> String {
    let tax_id = of.tax_id.as_ref().map(|it| format!(", 統一編號 {it}"));
    let lei = of.lei.as_ref().map(|it| format!(", LEI {it}"));
    [tax_id, lei].into_iter().flatten().collect()
}

/// For programs.
pub(crate) fn summary(of: Option<&OrganisationEntry>) -> Value {
    of.map_or(Value::Null, |it| {
        json!({
            "nameZhTw": it.name_zh_tw,
            "nameEn": it.name_en,
            "taxId": it.tax_id,
            "lei": it.lei,
            "source": "genesis",
        })
    })
}
