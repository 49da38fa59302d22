//! The light client's vectors, which the contract's tests read too: Rust accepts and refuses
//! what Solidity does, and writes the same bytes.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::convert::Infallible;

use alloy_primitives::{B256, Bytes};
use serde_json::Value;
use tbsi_bridge::evm::{decision, validator_set};
use tbsi_light::verify_certificate;
use tbsi_types::log::{Frontier, MultiProof, NodeReader, TreeNode, leaf_hash};
use tbsi_types::{
    Address, ChainIdentity, Checkpoint, CommitCertificate, CommitSignature, Decision, LeafIndex,
    NamedValidator, NamedValidators, Round, SecretKey, Signature, TreeSize, Validator,
    ValidatorSet, VotingPower,
};

fn load(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/");
    let text = std::fs::read(format!("{folder}{name}")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn get<T: serde::de::DeserializeOwned>(value: &Value, key: &str) -> T {
    serde_json::from_value(value[key].clone()).unwrap()
}

fn number(value: &Value, key: &str) -> u64 {
    value[key]
        .as_str()
        .map_or_else(|| value[key].as_u64(), |text| text.parse().ok())
        .unwrap()
}

/// A set with its keys, and the same with names, which the vectors leave out.
struct Set {
    keyed: ValidatorSet,
    named: NamedValidators,
}

fn set(vector: &Value) -> Set {
    let validators = vector["validators"].as_array().unwrap();
    let keyed = validators.iter().map(|one| {
        let key = SecretKey::parse(&get::<Bytes>(one, "secretKey")).unwrap();
        let power = VotingPower(number(one, "power"));
        Validator::new(key.public_key(), power, get(one, "operator"))
    });
    let named = validators.iter().map(|one| NamedValidator {
        address: get(one, "address"),
        power: VotingPower(number(one, "power")),
        name_zh_tw: String::new(),
        name_en: String::new(),
    });
    Set {
        keyed: ValidatorSet::new(keyed.collect()).unwrap(),
        named: NamedValidators::new(named.collect()).unwrap(),
    }
}

/// Reads a decision (SPEC §14.2) as far as it can be one; a verifier judges the rest.
fn parse(bytes: &[u8], set: &Set) -> Option<Decision> {
    let checkpoint = Checkpoint::decode(bytes.get(..192)?).ok()?;
    let round = u32::from_be_bytes(bytes.get(192..196)?.try_into().ok()?);
    let signers = u128::from_be_bytes(bytes.get(196..212)?.try_into().ok()?);
    let mut rest = &bytes[212..];
    let mut signatures = Vec::new();
    for position in (0..128).filter(|position| signers >> position & 1 == 1) {
        let validator: Address = set.named.as_slice().get(position)?.address;
        let signature = Signature::parse(rest.get(..65)?).ok()?;
        rest = &rest[65..];
        signatures.push(CommitSignature {
            validator,
            signature,
        });
    }
    if !rest.is_empty() {
        return None;
    }
    let chain = chain(&load("light_client.json"));
    let digest = checkpoint.digest(&chain);
    let height = checkpoint.height;
    let certificate = CommitCertificate::new(height, Round(round), digest, signatures).ok()?;
    Some(Decision {
        checkpoint,
        certificate,
    })
}

fn chain(vectors: &Value) -> ChainIdentity {
    ChainIdentity {
        chain_id: number(vectors, "chainId"),
        genesis_hash: get(vectors, "genesisHash"),
    }
}

/// The signers' power, as the contract counts it.
fn power(bytes: &[u8], set: &Set, chain: &ChainIdentity) -> Option<u64> {
    let decision = parse(bytes, set)?;
    let checkpoint = &decision.checkpoint;
    let own =
        checkpoint.chain_id == chain.chain_id && checkpoint.validator_set_hash == set.keyed.hash();
    let verified = verify_certificate(chain, &set.keyed, &decision.certificate);
    verified
        .ok()
        .filter(|_| own)
        .map(|verified| verified.power.0)
}

#[test]
fn decisions_are_judged_as_the_contract_judges_them() {
    let vectors = load("light_client.json");
    let chain = chain(&vectors);
    let mut sets = BTreeMap::new();
    for vector in vectors["sets"].as_array().unwrap() {
        let set = set(vector);
        assert_eq!(set.keyed.hash(), get::<B256>(vector, "hash"));
        assert_eq!(set.named.total_power().0, number(vector, "power"));
        sets.insert(vector["name"].as_str().unwrap(), set);
    }
    for good in vectors["decisions"].as_array().unwrap() {
        let set = &sets[good["set"].as_str().unwrap()];
        let bytes: Bytes = get(good, "decision");
        let name = &good["name"];
        assert_eq!(
            power(&bytes, set, &chain),
            Some(number(good, "power")),
            "{name}"
        );
        let parsed = parse(&bytes, set).unwrap();
        assert_eq!(decision(&parsed, &set.named), bytes, "{name}");
    }
    for bad in vectors["badDecisions"].as_array().unwrap() {
        let set = &sets[bad["set"].as_str().unwrap()];
        let bytes: Bytes = get(bad, "decision");
        assert_eq!(power(&bytes, set, &chain), None, "{}", bad["name"]);
    }
}

/// What the hash of SPEC §3.2 covers, behind its tag.
#[test]
fn sets_are_written_as_they_are_hashed() {
    let vectors = load("light_client.json");
    for vector in vectors["sets"].as_array().unwrap() {
        let named = set(vector).named;
        let tag: &[u8] = b"TBSI-VALIDATOR-SET-1";
        let written = validator_set(&named);
        assert_eq!(tbsi_types::sha256(&[tag, &written]), named.hash());
        let expected: Bytes = get(vector, "encoded");
        assert_eq!(written.len(), expected.len());
        for (ours, theirs) in written[2..].chunks(60).zip(expected[2..].chunks(60)) {
            assert_eq!(ours[..28], theirs[..28], "address and power");
        }
    }
}

struct Log(BTreeMap<(u8, u64), B256>);

impl NodeReader for Log {
    type Error = Infallible;

    fn read(&self, node: TreeNode) -> Result<B256, Infallible> {
        Ok(self.0[&(node.level, node.index)])
    }
}

#[test]
fn multiproofs_are_the_contracts() {
    let vectors = load("light_client_proofs.json");
    for vector in vectors["multiproofs"].as_array().unwrap() {
        let hash = |index: u64| leaf_hash(&index.to_be_bytes());
        let mut log = Log(BTreeMap::new());
        let mut frontier = Frontier::default();
        let size = TreeSize(number(vector, "size"));
        for index in 0..size.0 {
            frontier.append(hash(index), |node, hash| {
                log.0.insert((node.level, node.index), hash);
            });
        }
        assert_eq!(frontier.root(), get::<B256>(vector, "root"));
        let indexes: Vec<u64> = get(vector, "indexes");
        let hashes: Vec<B256> = indexes.iter().copied().map(hash).collect();
        let indexes: Vec<LeafIndex> = indexes.into_iter().map(LeafIndex).collect();
        let proof = MultiProof::make(&log, &indexes, size).unwrap();
        assert_eq!(proof.0, get::<Vec<B256>>(vector, "nodes"));
        assert_eq!(proof.root(&hashes, &indexes, size), Ok(frontier.root()));
    }
}
