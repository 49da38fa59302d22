//! What the contracts' errors say, in both languages.
//!
//! In a sentence `{0}` is the first argument; `{0:organisation}` its legal name, and likewise for
//! the other codes in [`shown`].

mod attestations;
mod authorisations;
mod fabric;
mod facts;
mod motions;
mod nodes;
mod organisations;
mod permissions;
mod shared;
mod upgrades;

use alloy_primitives::{Address, U256, hex, keccak256};
use tbsi_governance::upgrades::Parameter;

use super::client::RegistryClient;
use super::words;
use crate::lang::Language;

/// An error as the contract declares it, and its sentences.
pub(super) struct Sentence {
    signature: &'static str,
    en: &'static str,
    zh_tw: &'static str,
}

/// A line of a table.
const fn says(signature: &'static str, en: &'static str, zh_tw: &'static str) -> Sentence {
    Sentence {
        signature,
        en,
        zh_tw,
    }
}

fn all() -> impl Iterator<Item = &'static Sentence> {
    let contracts = [
        motions::SENTENCES,
        organisations::SENTENCES,
        nodes::SENTENCES,
        permissions::SENTENCES,
        shared::SENTENCES,
        attestations::SENTENCES,
        authorisations::SENTENCES,
        fabric::SENTENCES,
        facts::SENTENCES,
        upgrades::SENTENCES,
    ];
    contracts.into_iter().flatten()
}

/// The sentence for what a contract reverted with; the bytes, if it is not known.
pub(super) fn explain(data: &[u8], registry: &RegistryClient) -> String {
    let names = |number| registry.name(number);
    words_of(data, registry.lang, &names).unwrap_or_else(|| unknown(data, registry.lang))
}

fn unknown(data: &[u8], lang: Language) -> String {
    let data = hex::encode_prefixed(data);
    lang.pick(
        format!("the contract refused it with an error that this version does not know: {data}"),
        format!("合約拒絕了這項操作，本版本不認得此錯誤：{data}"),
    )
}

fn words_of(data: &[u8], lang: Language, names: &dyn Fn(u32) -> String) -> Option<String> {
    let selector = data.get(..4)?;
    let found = all().find(|known| keccak256(known.signature)[..4] == *selector)?;
    let values = decode(found.signature, &data[4..])?;
    let mut text = String::new();
    let mut rest = lang.pick(found.en, found.zh_tw);
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}')?;
        let (index, how) = place.split_once(':').unwrap_or((place, ""));
        let value = values.get(index.parse::<usize>().ok()?)?;
        text += before;
        text += &shown(value, how, lang, names)?;
        rest = after;
    }
    Some(text + rest)
}

/// An argument of an error.
enum Argument {
    Number(U256),
    Address(Address),
    Bytes(String),
    Text(String),
}

/// The arguments of an error, by the types in its signature.
fn decode(signature: &str, data: &[u8]) -> Option<Vec<Argument>> {
    let (_, types) = signature.strip_suffix(')')?.split_once('(')?;
    let types = types.split(',').filter(|kind| !kind.is_empty());
    let word = |index: usize| data.get(32 * index..32 * (index + 1));
    let value = |(index, kind): (usize, &str)| {
        let word = word(index)?;
        Some(match kind {
            "address" => Argument::Address(Address::from_slice(&word[12..])),
            "bytes32" => Argument::Bytes(hex::encode_prefixed(word)),
            "string" => Argument::Text(text_at(data, U256::from_be_slice(word))?),
            _ => Argument::Number(U256::from_be_slice(word)),
        })
    };
    types.enumerate().map(value).collect()
}

fn text_at(data: &[u8], offset: U256) -> Option<String> {
    let tail = data.get(usize::try_from(offset).ok()?..)?;
    let length = usize::try_from(U256::from_be_slice(tail.get(..32)?)).ok()?;
    let bytes = tail.get(32..)?.get(..length)?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

fn shown(
    value: &Argument,
    how: &str,
    lang: Language,
    names: &dyn Fn(u32) -> String,
) -> Option<String> {
    let number = match value {
        Argument::Number(number) => number,
        Argument::Address(address) => return Some(address.to_string()),
        Argument::Bytes(text) | Argument::Text(text) => return Some(text.clone()),
    };
    let code: u64 = number.saturating_to();
    Some(match how {
        "" => number.to_string(),
        "organisation" => names(u32::try_from(code).ok()?),
        "organisation-status" => words::word(&words::ORGANISATION_STATUS, code, lang),
        "authorisation-status" => words::word(&words::AUTHORISATION_STATUS, code, lang),
        "motion-status" => words::word(&words::MOTION_STATUS, code, lang),
        "algorithm-status" => words::word(&words::ALGORITHM_STATUS, code, lang),
        "key" => words::word(&words::KEY_USES, code, lang),
        "permissions" => words::permissions(u32::try_from(code).ok()?, lang),
        "time" => words::time(code, lang),
        "parameter" => Parameter::name_of(u8::try_from(code).ok()?)?.into(),
        "hex" => format!("{number:#x}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
