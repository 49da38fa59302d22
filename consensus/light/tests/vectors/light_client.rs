//! What a light client on another chain accepts and refuses, made by other software
//! (contracts/evm/tools): this verifier has to agree.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use tbsi_light::verify_certificate;
use tbsi_types::log::{Leaf, Statement, leaf_hash};
use tbsi_types::{
    Address, B256, Bytes, ChainIdentity, Checkpoint, CommitCertificate, CommitSignature, Round,
    SecretKey, Signature, Validator, ValidatorSet, VotingPower,
};

use crate::read;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(deserialize_with = "number")]
    chain_id: u64,
    genesis_hash: B256,
    sets: Vec<Set>,
    decisions: Vec<Decision>,
    bad_decisions: Vec<Decision>,
}

#[derive(Deserialize)]
struct Set {
    name: String,
    hash: B256,
    validators: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    secret_key: B256,
    address: Address,
    #[serde(deserialize_with = "number")]
    power: u64,
    operator: B256,
}

/// JSON of other languages writes large numbers as text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let number = match value.as_str() {
        Some(text) => text.parse().ok(),
        None => value.as_u64(),
    };
    number.ok_or_else(|| D::Error::custom("not a number"))
}

#[derive(Deserialize)]
struct Decision {
    name: String,
    set: String,
    decision: Bytes,
    #[serde(default, deserialize_with = "number")]
    power: u64,
}

impl Set {
    fn set(&self) -> ValidatorSet {
        let validator = |member: &Member| {
            let key = SecretKey::parse(member.secret_key.as_slice()).unwrap();
            let power = VotingPower(member.power);
            let validator = Validator::new(key.public_key(), power, member.operator);
            assert_eq!(validator.address, member.address);
            validator
        };
        ValidatorSet::new(self.validators.iter().map(validator).collect()).unwrap()
    }
}

/// Checkpoint and certificate of a decision (SPEC §14.2) of this set; `None` if it is none.
fn parse(bytes: &[u8], set: &ValidatorSet, chain: &ChainIdentity) -> Option<Parsed> {
    let checkpoint = Checkpoint::decode(bytes.get(..192)?).ok()?;
    let round = u32::from_be_bytes(bytes.get(192..196)?.try_into().ok()?);
    let signers = u128::from_be_bytes(bytes.get(196..212)?.try_into().ok()?);
    let (signatures, []) = bytes[212..].as_chunks::<65>() else {
        return None;
    };
    if signers.count_ones() as usize != signatures.len() {
        return None;
    }
    if set.count() < 128 && signers >> set.count() != 0 {
        return None;
    }
    let signed = set
        .iter()
        .enumerate()
        .filter(|(index, _)| signers >> index & 1 == 1);
    let entries = signed
        .zip(signatures)
        .map(|((_, validator), bytes)| CommitSignature {
            validator: validator.address,
            signature: Signature(*bytes),
        });
    let digest = checkpoint.digest(chain);
    let entries = entries.collect();
    let certificate = CommitCertificate::new(checkpoint.height, Round(round), digest, entries);
    Some(Parsed {
        checkpoint,
        certificate: certificate.ok()?,
    })
}

struct Parsed {
    checkpoint: Checkpoint,
    certificate: CommitCertificate,
}

#[test]
fn decisions_are_judged_as_a_light_client_does() {
    let file: File = serde_json::from_str(&read("light_client.json")).unwrap();
    let chain = ChainIdentity {
        chain_id: file.chain_id,
        genesis_hash: file.genesis_hash,
    };
    let sets: Vec<_> = file.sets.iter().map(|set| (&set.name, set.set())).collect();
    for ((_, set), entry) in sets.iter().zip(&file.sets) {
        assert_eq!(set.hash(), entry.hash, "{}", entry.name);
    }
    let judge = |decision: &Decision| -> Option<u64> {
        let (_, set) = sets.iter().find(|(name, _)| **name == decision.set)?;
        let parsed = parse(&decision.decision, set, &chain)?;
        let checkpoint = &parsed.checkpoint;
        let ours = checkpoint.chain_id == chain.chain_id
            && checkpoint.height.0 > 0
            && checkpoint.validator_set_hash == set.hash();
        let verified = verify_certificate(&chain, set, &parsed.certificate).ok()?;
        ours.then_some(verified.power.0)
    };
    assert!(file.decisions.len() >= 20 && file.bad_decisions.len() >= 30);
    for decision in &file.decisions {
        assert_eq!(judge(decision), Some(decision.power), "{}", decision.name);
    }
    for decision in &file.bad_decisions {
        assert_eq!(judge(decision), None, "{}", decision.name);
    }
}

#[derive(Deserialize)]
struct Proofs {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    name: String,
    leaf: Bytes,
    refused: Option<String>,
    #[serde(flatten)]
    fields: Option<Fields>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    leaf_hash: B256,
    destination: B256,
    receiver: B256,
    #[serde(deserialize_with = "number")]
    sequence: u64,
    #[serde(deserialize_with = "number")]
    timeout: u64,
    payload_hash: B256,
    sender: Address,
}

#[test]
fn messages_are_leaves_as_the_contracts_read_them() {
    let file: Proofs = serde_json::from_str(&read("light_client_proofs.json")).unwrap();
    let good = file
        .messages
        .iter()
        .filter(|it| it.refused.is_none())
        .count();
    assert!(good > 0 && good < file.messages.len());
    for message in file.messages {
        let decoded = Leaf::decode(&message.leaf);
        let is_message = |leaf: &Leaf| matches!(leaf.statement, Statement::Message { .. });
        let Some(fields) = message.fields.filter(|_| message.refused.is_none()) else {
            assert!(
                !decoded.is_ok_and(|leaf| is_message(&leaf)),
                "{}",
                message.name
            );
            continue;
        };
        let leaf = decoded.unwrap();
        assert_eq!(leaf_hash(&message.leaf), fields.leaf_hash);
        assert_eq!(leaf.head.issuer, fields.sender);
        let expected = Statement::Message {
            destination: fields.destination,
            receiver: fields.receiver,
            sequence: fields.sequence,
            timeout: fields.timeout,
            payload_hash: fields.payload_hash,
        };
        assert_eq!(leaf.statement, expected);
        assert_eq!(leaf.encode().unwrap(), message.leaf.to_vec());
    }
}
