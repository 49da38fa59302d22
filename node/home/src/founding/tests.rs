use tbsi_types::genesis::{OrganisationKind, Permission};
use tempfile::TempDir;

use super::*;
use crate::Home;

/// 統一編號 with right checksums.
const TAX_IDS: [&str; 5] = ["04595257", "22099131", "10458570", "10000009", "20000008"];

fn parameters() -> NetworkParameters {
    NetworkParameters {
        name: "founding".into(),
        chain_id: 7,
        time_ms: TimestampMs(1_700_000_000_000),
        block_gas_limit: BLOCK_GAS_LIMIT,
        consensus: ConsensusParameters::default(),
        governance: None,
        predeploys: predeploys::prescribed(),
    }
}

fn request(index: usize) -> FounderRequest {
    FounderRequest {
        id: format!("a{index}"),
        organisation: OrganisationEntry {
            name_zh_tw: format!("第{index}公會"),
            name_en: format!("Association {index}"),
            kind: Some(OrganisationKind::Association),
            votes: Some(true),
            tax_id: Some(TAX_IDS[index].into()),
            jurisdiction: Some("TW".into()),
            agreement_hash: Some(B256::repeat_byte(7)),
            ..OrganisationEntry::default()
        },
        node: format!("node-{index}"),
        endpoint: format!("/dns4/n{index}.example.org/tcp/27000"),
        power: Some(1),
        permissions: [Permission::Send, Permission::Administer, Permission::Vote].into(),
    }
}

/// Five homes and their founder files.
fn founders() -> (TempDir, Vec<Home>, Vec<FounderFile>) {
    let dir = tempfile::tempdir().unwrap();
    let homes: Vec<Home> = (0..5)
        .map(|index| Home::new(dir.path().join(index.to_string())))
        .collect();
    let files = homes
        .iter()
        .enumerate()
        .map(|(index, home)| make_founder(home, &parameters(), request(index)).unwrap())
        .collect();
    (dir, homes, files)
}

fn draft(files: &[FounderFile]) -> Draft {
    let mut draft = Draft::new(parameters()).unwrap();
    for file in files {
        assert!(draft.add(file.clone()).unwrap());
    }
    draft
}

fn genesis(files: &[FounderFile]) -> Genesis {
    draft(files).genesis(BTreeMap::new(), false).unwrap()
}

#[test]
fn any_order_gives_the_same_bytes() {
    let (_dir, _, mut files) = founders();
    let first = draft(&files);
    files.reverse();
    files.swap(1, 3);
    let second = draft(&files);
    assert_eq!(first.to_json(), second.to_json());
    assert_eq!(Draft::parse(first.to_json().as_bytes()).unwrap(), first);
    let genesis = genesis(&files);
    assert_eq!(genesis.validator_set().unwrap().count(), 5);
    let again = second.genesis(BTreeMap::new(), false).unwrap();
    assert_eq!(
        serde_json::to_string(&genesis).unwrap(),
        serde_json::to_string(&again).unwrap()
    );
    let mut same = first.clone();
    assert!(!same.add(files[0].clone()).unwrap());
    assert_eq!(same, first);
}

#[test]
fn a_file_that_was_changed_is_refused() {
    let (_dir, homes, files) = founders();
    let refuse = |change: &dyn Fn(&mut FounderFile), words: &str| {
        let mut bad = files[0].clone();
        change(&mut bad);
        let mut draft = Draft::new(parameters()).unwrap();
        let said = draft.add(bad).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
        assert!(draft.founders.is_empty());
    };
    let changed = "was the file changed?";
    refuse(&|file| file.organisation.name_en.push('x'), changed);
    refuse(&|file| file.nodes[0].endpoint.push('x'), changed);
    refuse(&|file| file.id.push('x'), changed);
    let power = |file: &mut FounderFile| file.nodes[0].validator.as_mut().unwrap().power = 9;
    refuse(&power, changed);
    refuse(&|file| file.version = 2, "version 2");
    let other = NetworkParameters {
        chain_id: 8,
        ..parameters()
    };
    refuse(
        &|file| file.parameters_hash = other.hash(),
        "other parameters",
    );

    for key in files[0].proofs.keys() {
        let drop = |file: &mut FounderFile| _ = file.proofs.remove(key);
        refuse(&drop, &format!("{key}: is missing"));
        let flip = |file: &mut FounderFile| {
            let mut proof = file.proofs[key].to_vec();
            proof[10] ^= 1;
            file.proofs.insert(key.clone(), proof.into());
        };
        refuse(&flip, key);
    }
    let (text, proof) = files[1].proofs.first_key_value().unwrap();
    let surplus = |file: &mut FounderFile| _ = file.proofs.insert(text.clone(), proof.clone());
    refuse(&surplus, "the file does not name this key");
    let weak = |file: &mut FounderFile| {
        let validator = file.nodes[0].validator.as_mut().unwrap();
        validator.log_key = Some(vec![0; 32].into());
    };
    refuse(&weak, "no usable ed25519 key");
    // Made for another network, and taken from there.
    let elsewhere = make_founder(&homes[0], &other, request(0)).unwrap();
    let replayed = |file: &mut FounderFile| *file = elsewhere.clone();
    refuse(&replayed, "other parameters");
}

#[test]
fn nobody_takes_anothers_key_or_name() {
    let (dir, homes, files) = founders();
    let mut with = draft(&files[..1]);
    // The same home under another name: each key is proved, and used twice.
    let twice = make_founder(&homes[0], &parameters(), request(1)).unwrap();
    let said = with.add(twice).unwrap_err().to_string();
    assert!(
        said.contains("is used twice, by `a0` and by `a1`"),
        "{said}"
    );

    let mut with = draft(&files[..1]);
    let elsewhere = Home::new(dir.path().join("elsewhere"));
    let other = make_founder(&elsewhere, &parameters(), request(0)).unwrap();
    let said = with.add(other).unwrap_err().to_string();
    assert!(said.contains("another founder file of `a0`"), "{said}");

    let with = draft(&files[..4]);
    let build = |request: FounderRequest| {
        let mut with = with.clone();
        let file = make_founder(&homes[4], &parameters(), request).unwrap();
        with.add(file).unwrap();
        let error = with.genesis(BTreeMap::new(), false).unwrap_err();
        error.to_string()
    };
    let mut named = request(4);
    named.node = "node-0".into();
    assert!(build(named).contains("must be unique"));
    let mut number = request(4);
    number.organisation.tax_id = Some(TAX_IDS[0].into());
    assert!(build(number).contains("`a0` has the same"));
    let mut mistyped = request(4);
    mistyped.organisation.tax_id = Some("12345678".into());
    assert!(build(mistyped).contains("統一編號"));
    let none = Draft::new(parameters()).unwrap();
    assert!(none.genesis(BTreeMap::new(), true).is_err());
    let few = draft(&files[..3]);
    let said = few.genesis(BTreeMap::new(), false).unwrap_err().to_string();
    assert!(said.contains("3 validators tolerate no fault"), "{said}");
    few.genesis(BTreeMap::new(), true).unwrap();
}

#[test]
fn every_founder_signs_one_file() {
    let (_dir, homes, files) = founders();
    let genesis = genesis(&files);
    let mut signatures = Signatures::new(&genesis);
    for (index, home) in homes.iter().enumerate() {
        assert_eq!(signatures.missing(&genesis).len(), 5 - index);
        let id = sign_genesis(home, &genesis, &mut signatures).unwrap();
        assert_eq!(id, format!("a{index}"));
    }
    assert!(signatures.missing(&genesis).is_empty());
    let text = signatures.to_json();
    assert_eq!(
        Signatures::parse(text.as_bytes(), &genesis).unwrap(),
        signatures
    );

    let refuse = |genesis: &Genesis, signatures: &Signatures, words: &str| {
        let parsed = Signatures::parse(signatures.to_json().as_bytes(), genesis);
        let said = parsed.unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    };
    let mut changed = genesis.clone();
    changed.time_ms.0 += 1;
    refuse(&changed, &signatures, "they are for genesis hash");
    let mut relabelled = signatures.clone();
    relabelled.genesis_hash = changed.hash();
    refuse(&changed, &relabelled, "signature");
    let mut swapped = signatures.clone();
    let other = swapped.signatures["a1"].clone();
    swapped.signatures.insert("a0".into(), other);
    refuse(&genesis, &swapped, "may not administer `a0`");
    let mut forged = signatures.clone();
    let other = forged.signatures["a1"].signature.clone();
    forged.signatures.get_mut("a0").unwrap().signature = other;
    refuse(&genesis, &forged, "that of `a0` is by");

    let stranger = tempfile::tempdir().unwrap();
    let stranger = Home::new(stranger.path());
    stranger.ensure_account_key().unwrap();
    let said = sign_genesis(&stranger, &genesis, &mut signatures).unwrap_err();
    assert!(
        said.to_string().contains("may not administer any"),
        "{said}"
    );
}

#[test]
fn predeploys_of_a_draft_are_in_everybodys_genesis_file() {
    let (_dir, _, files) = founders();
    let genesis = genesis(&files);
    let chosen = predeploys::prescribed();
    for address in chosen.keys() {
        assert!(!genesis.accounts[address].code.is_empty());
    }
    // Founder files bind what all agreed on.
    let mut none = parameters();
    none.predeploys.clear();
    let said = files[0].verify(&none).unwrap_err().to_string();
    assert!(said.contains("predeploys"), "{said}");

    let mut draft: serde_json::Value = serde_json::from_str(&draft(&files).to_json()).unwrap();
    let codes = draft["parameters"]["predeploys"].as_object_mut().unwrap();
    let (address, code) = codes.iter_mut().next().unwrap();
    let address = address.clone();
    *code = format!("{}00", code.as_str().unwrap()).into();
    let refuse = |draft: &serde_json::Value, words: &str| {
        let said = Draft::parse(draft.to_string().as_bytes())
            .unwrap_err()
            .to_string();
        assert!(said.contains(words), "{said}");
    };
    refuse(&draft, "has the Keccak-256");
    let codes = draft["parameters"]["predeploys"].as_object_mut().unwrap();
    let code = codes.remove(&address).unwrap();
    codes.insert(Address::repeat_byte(7).to_string(), code);
    refuse(&draft, "knows no contract at");
}
