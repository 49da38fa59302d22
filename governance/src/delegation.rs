//! What an issuer signs so that others can send it (EIP-712, SPEC §12.7).

mod file;

use alloy_primitives::{Address, B256, U256, keccak256};
use serde::{Deserialize, Serialize};
use tbsi_bindings::contracts::ATTESTATIONS;
use tbsi_bindings::genesis::Delegation;
use tbsi_types::{KeyError, SecretKey, Signature};

use crate::typed_data;

pub use file::{DELEGATION_BYTES_MAX, DELEGATION_FORMAT, DelegationFile, DelegationFileError};

const ATTEST_TYPE: &str = "Attest(address issuer,bytes32 schema,uint32 algorithm,bytes32[] words,uint256 nonce,uint64 deadline)";
const ATTEST_BATCH_TYPE: &str = "AttestBatch(address issuer,bytes32 schema,uint32 algorithm,bytes32[] words,uint256 nonce,uint64 deadline)";
const REVOKE_TYPE: &str =
    "Revoke(address issuer,bytes32 id,uint16 reason,uint256 nonce,uint64 deadline)";
const CANCEL_TYPE: &str = "Cancel(address issuer,uint256 nonce,uint64 deadline)";

/// What is stated in the issuer's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Delegated {
    /// One digest.
    Attest {
        /// What it commits to.
        schema: B256,
        /// Multihash code.
        algorithm: u32,
        /// One word up to 256 bits, two above.
        words: Vec<B256>,
    },
    /// Many digests.
    AttestBatch {
        /// What they commit to.
        schema: B256,
        /// Multihash code.
        algorithm: u32,
        /// The words of all, one after the other.
        words: Vec<B256>,
    },
    /// An attestation is withdrawn.
    Revoke {
        /// Which.
        id: B256,
        /// 1 to 8 (SPEC §12.8).
        reason: u16,
    },
    /// Whatever else was signed with this nonce counts for nothing.
    Cancel {},
}

/// A statement that others may send until a deadline, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegating {
    /// The chain.
    pub chain_id: u64,
    /// Who signs.
    pub issuer: Address,
    /// Any number that the issuer has neither used nor cancelled.
    pub nonce: U256,
    /// Last second of validity.
    pub deadline: u64,
    /// What is stated.
    pub what: Delegated,
}

impl Delegating {
    /// The digest that is signed.
    pub fn digest(&self) -> B256 {
        let digests = |words: &[B256]| keccak256(words.concat()).into();
        let (kind, mut middle): (_, Vec<U256>) = match &self.what {
            Delegated::Attest {
                schema,
                algorithm,
                words,
            } => (
                ATTEST_TYPE,
                vec![(*schema).into(), U256::from(*algorithm), digests(words)],
            ),
            Delegated::AttestBatch {
                schema,
                algorithm,
                words,
            } => (
                ATTEST_BATCH_TYPE,
                vec![(*schema).into(), U256::from(*algorithm), digests(words)],
            ),
            Delegated::Revoke { id, reason } => {
                (REVOKE_TYPE, vec![(*id).into(), U256::from(*reason)])
            }
            Delegated::Cancel {} => (CANCEL_TYPE, Vec::new()),
        };
        let mut content = vec![keccak256(kind).into(), self.issuer.into_word().into()];
        content.append(&mut middle);
        content.extend([self.nonce, U256::from(self.deadline)]);
        typed_data::digest("TBSI Attestations", self.chain_id, ATTESTATIONS, &content)
    }

    /// Signs it, as the issuer.
    pub fn sign(&self, key: &SecretKey) -> Delegation {
        let signature = key.sign(self.digest()).0;
        Delegation {
            issuer: self.issuer,
            nonce: self.nonce,
            deadline: self.deadline,
            v: signature[64],
            r: B256::from_slice(&signature[..32]),
            s: B256::from_slice(&signature[32..64]),
        }
    }

    /// Whose key signed it. As strict as the contract: `v` 27 or 28, low `s`.
    pub fn signer(&self, (v, r, s): (u8, B256, B256)) -> Result<Address, KeyError> {
        let bytes = [r.as_slice(), s.as_slice(), &[v]].concat();
        Signature::parse(&bytes)?.recover(self.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const CHAIN_ID: u64 = 8_862_026;

    fn of<T: for<'a> Deserialize<'a>>(value: &Value) -> T {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn number(value: &Value) -> u64 {
        value.as_str().unwrap().parse().unwrap()
    }

    fn check(case: &Value, what: Delegated, chain_id: u64) {
        let issuer: Address = case["issuer"].as_str().unwrap().parse().unwrap();
        let delegating = Delegating {
            chain_id,
            issuer,
            nonce: case["nonce"].as_str().unwrap().parse().unwrap(),
            deadline: number(&case["deadline"]),
            what,
        };
        let name = &case["name"];
        assert_eq!(delegating.digest(), of::<B256>(&case["digest"]), "{name}");
        let signature = (of(&case["v"]), of(&case["r"]), of(&case["s"]));
        let by_issuer = delegating.signer(signature) == Ok(issuer);
        let refused = case["refused"].as_str().unwrap_or_default();
        // That the time has passed, no signature can show.
        if refused.is_empty() {
            assert!(by_issuer, "{name}");
        } else if !refused.starts_with("AttestationsDeadlinePassed") {
            assert!(!by_issuer, "{name}");
        }
    }

    #[test]
    fn digests_and_signers_are_those_of_the_vectors() {
        let text = include_str!("../../tests/vectors/attestation_ids.json");
        let vectors: Value = serde_json::from_str(text).unwrap();
        let here = ATTESTATIONS.to_checksum(None);
        let delegations = vectors["delegations"].as_array().unwrap().iter();
        let here = delegations.filter(|case| case["contract"] == here);
        let mut checked = 0;
        for case in here {
            let (schema, algorithm) = (of(&case["schema"]), of(&case["algorithm"]));
            let words = of(&case["words"]);
            let what = if of(&case["batch"]) {
                Delegated::AttestBatch {
                    schema,
                    algorithm,
                    words,
                }
            } else {
                Delegated::Attest {
                    schema,
                    algorithm,
                    words,
                }
            };
            check(case, what, number(&case["chainId"]));
            checked += 1;
        }
        assert!(checked >= 15, "{checked}");
        for case in vectors["statements"].as_array().unwrap() {
            let what = if case["type"] == "Cancel" {
                Delegated::Cancel {}
            } else {
                Delegated::Revoke {
                    id: of(&case["id"]),
                    reason: of(&case["reason"]),
                }
            };
            check(case, what, CHAIN_ID);
        }
    }

    #[test]
    fn what_is_signed_verifies() {
        let key = SecretKey::from_seed(b"issuer");
        let delegating = Delegating {
            chain_id: CHAIN_ID,
            issuer: key.public_key().address(),
            nonce: U256::MAX,
            deadline: u64::MAX,
            what: Delegated::Cancel {},
        };
        let signed = delegating.sign(&key);
        let signature = (signed.v, signed.r, signed.s);
        assert_eq!(delegating.signer(signature), Ok(delegating.issuer));
        let other = Delegating {
            chain_id: 1,
            ..delegating
        };
        assert_ne!(other.signer(signature), Ok(other.issuer));
    }
}
