//! The keys that a founder file names: each proves that it is held, and has one use.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use ed25519_dalek::VerifyingKey;
use tbsi_keys::keyfile::peer_key;
use tbsi_types::{PublicKey, Signature};

use super::{CeremonyError, FounderFile};

/// A key, as it proves.
enum Key {
    Ed25519(VerifyingKey),
    Secp256k1(Address),
}

/// The keys of a file by the text that names them: peer id, 0x-hex of a public key, address.
fn keys(file: &FounderFile) -> Result<Vec<(String, Key)>, CeremonyError> {
    let wrong = |key: &str, problem: &str| CeremonyError::Proof {
        id: file.id.clone(),
        key: key.into(),
        problem: problem.into(),
    };
    let ed25519 = |text: &str, bytes: Option<[u8; 32]>| {
        bytes
            .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
            .filter(|key| !key.is_weak())
            .map(|key| (text.to_owned(), Key::Ed25519(key)))
            .ok_or_else(|| wrong(text, "is no usable ed25519 key (or of small order)"))
    };
    let mut keys = Vec::new();
    for node in &file.nodes {
        keys.push(ed25519(&node.peer_id, peer_key(&node.peer_id))?);
        let Some(validator) = &node.validator else {
            continue;
        };
        let text = validator.public_key.to_string();
        let key = PublicKey::parse(&validator.public_key)
            .map_err(|error| wrong(&text, &error.to_string()))?;
        keys.push((text, Key::Secp256k1(key.address())));
        if let Some(log_key) = &validator.log_key {
            let bytes = log_key.as_ref().try_into().ok();
            keys.push(ed25519(&log_key.to_string(), bytes)?);
        }
    }
    for address in file.organisation.accounts.keys() {
        keys.push((address.to_string(), Key::Secp256k1(*address)));
    }
    Ok(keys)
}

/// One valid signature over the file's digest by every key, and none besides.
pub(super) fn verify_proofs(file: &FounderFile) -> Result<(), CeremonyError> {
    let digest = file.digest();
    let keys = keys(file)?;
    let failed = |key: &str, problem: String| CeremonyError::Proof {
        id: file.id.clone(),
        key: key.into(),
        problem,
    };
    for (text, key) in &keys {
        let Some(proof) = file.proofs.get(text) else {
            return Err(failed(text, "is missing".into()));
        };
        verify(key, digest, proof).map_err(|problem| failed(text, problem))?;
    }
    let named = |text: &&String| keys.iter().any(|(key, _)| key == *text);
    match file.proofs.keys().find(|text| !named(text)) {
        None => Ok(()),
        Some(text) => Err(failed(text, "the file does not name this key".into())),
    }
}

fn verify(key: &Key, digest: B256, proof: &[u8]) -> Result<(), String> {
    match key {
        Key::Ed25519(key) => {
            let signature = ed25519_dalek::Signature::from_slice(proof)
                .map_err(|_| format!("{} bytes, an ed25519 signature has 64", proof.len()))?;
            key.verify_strict(digest.as_slice(), &signature)
                .map_err(|_| "the signature does not verify: was the file changed?".into())
        }
        Key::Secp256k1(address) => {
            let signature = Signature::parse(proof).map_err(|error| error.to_string())?;
            let by = signature.recover(digest);
            match by.map_err(|error| error.to_string())? {
                by if by == *address => Ok(()),
                by => Err(format!("the signature is by {by}: was the file changed?")),
            }
        }
    }
}

/// No key is used twice, in whatever role.
pub(super) fn check_uses(founders: &[FounderFile]) -> Result<(), CeremonyError> {
    let mut uses: BTreeMap<Vec<u8>, &str> = BTreeMap::new();
    for founder in founders {
        for (text, key) in keys(founder)? {
            let bytes = match key {
                Key::Ed25519(key) => key.to_bytes().to_vec(),
                Key::Secp256k1(address) => address.to_vec(),
            };
            if let Some(first) = uses.insert(bytes, &founder.id) {
                return Err(CeremonyError::KeyTwice {
                    key: text,
                    first: first.into(),
                    second: founder.id.clone(),
                });
            }
        }
    }
    Ok(())
}
