//! Every error of the contracts has its sentences, and they name its arguments.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

const ARTIFACTS: [(&str, &str); 9] = [
    (
        "Motions",
        include_str!("../../../../../contracts/evm/artifacts/Motions.json"),
    ),
    (
        "Organisations",
        include_str!("../../../../../contracts/evm/artifacts/Organisations.json"),
    ),
    (
        "Nodes",
        include_str!("../../../../../contracts/evm/artifacts/Nodes.json"),
    ),
    (
        "Permissions",
        include_str!("../../../../../contracts/evm/artifacts/Permissions.json"),
    ),
    (
        "Chains",
        include_str!("../../../../../contracts/evm/artifacts/Chains.json"),
    ),
    (
        "Facts",
        include_str!("../../../../../contracts/evm/artifacts/Facts.json"),
    ),
    (
        "FabricFacts",
        include_str!("../../../../../contracts/evm/artifacts/FabricFacts.json"),
    ),
    (
        "Authorisations",
        include_str!("../../../../../contracts/evm/artifacts/Authorisations.json"),
    ),
    (
        "Upgrades",
        include_str!("../../../../../contracts/evm/artifacts/Upgrades.json"),
    ),
];
const ATTESTATIONS: &str = include_str!("../../../../../contracts/evm/artifacts/Attestations.json");

/// Errors of a contract, as its compiler wrote them.
fn errors(artifact: &str) -> BTreeSet<String> {
    let artifact: Value = serde_json::from_str(artifact).unwrap();
    let entries = artifact["abi"].as_array().unwrap().iter();
    let errors = entries.filter(|entry| entry["type"] == "error");
    let signature = |entry: &Value| {
        let inputs = entry["inputs"].as_array().unwrap().iter();
        let types: Vec<&str> = inputs.map(|it| it["type"].as_str().unwrap()).collect();
        format!("{}({})", entry["name"].as_str().unwrap(), types.join(","))
    };
    errors.map(signature).collect()
}

fn names(number: u32) -> String {
    format!("<{number}>")
}

/// An error whose arguments are 1, 2, 3 and so on; texts are empty.
fn example(signature: &str) -> Vec<u8> {
    let types = signature.split_once('(').unwrap().1.trim_end_matches(')');
    let types: Vec<&str> = types.split(',').filter(|kind| !kind.is_empty()).collect();
    let word = |number: usize| U256::from(number).to_be_bytes::<32>().to_vec();
    let mut data = keccak256(signature)[..4].to_vec();
    for (number, kind) in (1..).zip(&types) {
        data.extend(word(if *kind == "string" {
            32 * types.len()
        } else {
            number
        }));
    }
    data.extend(word(0));
    data
}

#[test]
fn every_error_of_the_contracts_has_its_sentences() {
    let mut known = BTreeSet::new();
    for sentence in all() {
        assert!(
            known.insert(sentence.signature),
            "{} twice",
            sentence.signature
        );
    }
    let mut declared = errors(ATTESTATIONS);
    for (contract, artifact) in ARTIFACTS {
        let errors = errors(artifact);
        assert!(errors.len() > 5, "{contract}");
        for error in &errors {
            assert!(
                known.contains(error.as_str()),
                "{contract}: {error} has no sentence"
            );
        }
        declared.extend(errors);
    }
    for sentence in all() {
        let signature = sentence.signature;
        assert!(declared.contains(signature), "no contract has {signature}");
    }
}

#[test]
fn every_sentence_can_be_said_in_both_languages() {
    for sentence in all() {
        let data = example(sentence.signature);
        for lang in [Language::En, Language::ZhTw] {
            let said = words_of(&data, lang, &names);
            let said = said.unwrap_or_else(|| panic!("{}", sentence.signature));
            assert!(!said.contains(['{', '}']), "{said}");
        }
        let places = |text: &str| {
            let places = text
                .split('{')
                .skip(1)
                .map(|it| it.split('}').next().unwrap().to_owned());
            places.collect::<BTreeSet<_>>()
        };
        assert_eq!(
            places(sentence.en),
            places(sentence.zh_tw),
            "{}",
            sentence.signature
        );
        let cut = &data[..data.len().min(35)];
        let arguments = !sentence.signature.ends_with("()");
        assert_eq!(words_of(cut, Language::En, &names).is_none(), arguments);
    }
}

#[test]
fn a_sentence_names_organisations_and_says_what_is_allowed() {
    let data = example("SetShareTooHigh(uint32,uint256,uint256)");
    assert_eq!(
        words_of(&data, Language::En, &names).unwrap(),
        "rule of the validator set: <1> would have 2 of 3 voting power, more than a third"
    );
    assert_eq!(
        words_of(&data, Language::ZhTw, &names).unwrap(),
        "驗證者集合規則：<1>將有總投票權 3 中的 2，超過三分之一"
    );
    let mut text = keccak256("OrganisationsTaxIdInvalid(string)")[..4].to_vec();
    text.extend(U256::from(32).to_be_bytes::<32>());
    text.extend(U256::from(8).to_be_bytes::<32>());
    text.extend(b"12345678");
    let said = words_of(&text, Language::En, &names).unwrap();
    assert!(said.starts_with("`12345678` is no"), "{said}");
    text.truncate(74);
    assert_eq!(words_of(&text, Language::En, &names), None);
}

#[test]
fn an_unknown_error_is_shown_as_bytes() {
    let data = [0xde, 0xad, 0xbe, 0xef, 1];
    assert_eq!(words_of(&data, Language::En, &names), None);
    assert!(unknown(&data, Language::En).ends_with(": 0xdeadbeef01"));
    assert!(unknown(&[], Language::ZhTw).ends_with("：0x"));
}
