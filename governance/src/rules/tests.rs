use tbsi_types::genesis::{ConsensusParameters, OrganisationKind, ValidatorEntry};
use tbsi_types::{SecretKey, TimestampMs};

use super::*;

/// 統一編號 with right checksums.
const TAX_IDS: [&str; 5] = ["04595257", "22099131", "10458570", "10000009", "20000008"];

fn organisation(index: usize) -> OrganisationEntry {
    let key = SecretKey::from_seed(format!("account {index}").as_bytes());
    let permissions = [Permission::Send, Permission::Administer, Permission::Vote];
    OrganisationEntry {
        name_zh_tw: format!("第{index}公會"),
        name_en: format!("Association {index}"),
        kind: Some(OrganisationKind::Association),
        votes: Some(true),
        tax_id: Some(TAX_IDS[index].into()),
        lei: None,
        jurisdiction: Some("TW".into()),
        agreement_hash: Some(B256::repeat_byte(7)),
        credential_hash: None,
        contact_url: Some("https://example.org".into()),
        accounts: [(key.public_key().address(), permissions.into())].into(),
    }
}

fn node(index: usize) -> NodeEntry {
    let key = SecretKey::from_seed(format!("validator {index}").as_bytes());
    NodeEntry {
        name: format!("node-{index}"),
        organisation: format!("a{index}"),
        peer_id: format!("peer-{index}"),
        endpoint: Some(format!("/dns4/n{index}.example.org/tcp/27000")),
        validator: Some(ValidatorEntry {
            public_key: key.public_key().encode().to_vec().into(),
            power: 1,
            log_key: Some(vec![1; 32].into()),
        }),
    }
}

fn genesis() -> Genesis {
    let organisations = (0..5).map(|index| (format!("a{index}"), organisation(index)));
    Genesis {
        version: 1,
        name: "founding".into(),
        chain_id: 7,
        time_ms: TimestampMs(1),
        block_gas_limit: 300_000_000,
        consensus: ConsensusParameters::default(),
        organisations: organisations.collect(),
        nodes: (0..5).map(node).collect(),
        governance: None,
        accounts: BTreeMap::new(),
    }
}

fn first(genesis: &mut Genesis) -> &mut OrganisationEntry {
    genesis.organisations.get_mut("a0").unwrap()
}

#[test]
fn five_associations_found_a_network() {
    assert_eq!(check_complete(&genesis(), false), Ok(()));
}

/// Whether `check_stated` refuses it too, or only `check_complete`.
fn refuse(stated: bool, change: &dyn Fn(&mut Genesis), words: &str) {
    let mut bad = genesis();
    change(&mut bad);
    let said = check_complete(&bad, false).unwrap_err().to_string();
    assert!(said.contains(words), "{said}");
    assert_eq!(check_stated(&bad).is_err(), stated, "{said}");
}

#[test]
fn what_is_stated_must_be_right() {
    let tax_id = |text: &'static str| move |g: &mut Genesis| first(g).tax_id = Some(text.into());
    refuse(
        true,
        &tax_id("12345678"),
        "`organisations.a0.tax_id`: the tax id's",
    );
    refuse(
        true,
        &tax_id(TAX_IDS[1]),
        "`organisations.a1.tax_id`: `a0` has the same",
    );
    let lei = |g: &mut Genesis| first(g).lei = Some("5493001KJTIIGC8Y1R13".into());
    refuse(true, &lei, "`organisations.a0.lei`: the LEI's check digits");
    refuse(
        true,
        &|g| first(g).jurisdiction = Some("tw".into()),
        "two capital letters",
    );
    refuse(
        true,
        &|g| first(g).contact_url = Some("x".into()),
        "`organisations.a0.contact_url`",
    );
    refuse(
        true,
        &|g| g.nodes[0].endpoint = Some("x".into()),
        "`nodes[node-0].endpoint`",
    );
    let shared = |g: &mut Genesis| {
        let accounts = first(g).accounts.clone();
        g.organisations.get_mut("a1").unwrap().accounts = accounts;
    };
    refuse(
        true,
        &shared,
        "`organisations.a1.accounts`: `a0` has the same",
    );
    let validator = |g: &mut Genesis| {
        let key = SecretKey::from_seed(b"validator 3").public_key();
        let permissions = first(g).accounts.values().next().unwrap().clone();
        first(g).accounts.insert(key.address(), permissions);
    };
    refuse(true, &validator, "`accounts`: `a0` has the same");
}

#[test]
fn what_is_missing_is_named() {
    refuse(
        false,
        &|g| first(g).kind = None,
        "`organisations.a0.kind`: is missing",
    );
    refuse(
        false,
        &|g| first(g).votes = None,
        "`organisations.a0.votes`",
    );
    refuse(false, &|g| first(g).tax_id = None, "統一編號");
    refuse(
        false,
        &|g| first(g).agreement_hash = Some(B256::ZERO),
        "agreement_hash",
    );
    refuse(false, &|g| first(g).name_en = "A\u{202e}".into(), "U+202E");
    let abroad = |g: &mut Genesis| {
        first(g).jurisdiction = Some("JP".into());
        first(g).tax_id = None;
    };
    refuse(false, &abroad, "`organisations.a0.lei`");
    refuse(false, &|g| first(g).accounts.clear(), "may `administer`");
    refuse(
        false,
        &|g| g.nodes[0].endpoint = None,
        "`nodes[node-0].endpoint`: is missing",
    );
    refuse(
        false,
        &|g| g.nodes[0].name = "Node".into(),
        "`nodes[Node].name`",
    );
    let log_key = |g: &mut Genesis| g.nodes[0].validator.as_mut().unwrap().log_key = None;
    refuse(false, &log_key, "`nodes[node-0].validator.log_key`");
    refuse(
        false,
        &|g| g.nodes[0].organisation = "a1".into(),
        "`organisations.a0`: has no node",
    );
    let power = |g: &mut Genesis| g.nodes[4].validator.as_mut().unwrap().power = 3;
    refuse(false, &power, "`a4` has 3 of 7 voting power");
    let few = |g: &mut Genesis| {
        g.nodes.truncate(3);
        g.organisations.retain(|id, _| id.as_str() < "a3");
    };
    refuse(false, &few, "3 validators tolerate no fault");
    let mut small = genesis();
    few(&mut small);
    assert_eq!(check_complete(&small, true), Ok(()));
}

#[test]
fn a_third_exactly_is_not_more_than_a_third() {
    let mut even = genesis();
    even.nodes[4].validator.as_mut().unwrap().power = 2;
    assert_eq!(check_complete(&even, false), Ok(()));
}
