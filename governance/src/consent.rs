//! What an account signs to belong to an organisation (EIP-712, SPEC §13.4).

use alloy_primitives::{Address, B256, U256, keccak256};
use tbsi_bindings::genesis::Consent;
use tbsi_types::SecretKey;

use crate::abi::PERMISSIONS;
use crate::typed_data;

const CONSENT_TYPE: &str =
    "Consent(uint32 organisation,address account,uint32 permissions,uint256 nonce,uint64 deadline)";

/// Which account joins what, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joining {
    /// The chain.
    pub chain_id: u64,
    /// Number of the organisation.
    pub organisation: u32,
    /// The account, which signs.
    pub account: Address,
    /// Bits of its permissions.
    pub permissions: u32,
    /// How many consents of the account were used before.
    pub nonce: u64,
    /// Last second of validity.
    pub deadline: u64,
}

impl Joining {
    /// The digest that is signed.
    pub fn digest(&self) -> B256 {
        let content = [
            keccak256(CONSENT_TYPE).into(),
            U256::from(self.organisation),
            self.account.into_word().into(),
            U256::from(self.permissions),
            U256::from(self.nonce),
            U256::from(self.deadline),
        ];
        typed_data::digest("TBSI Permissions", self.chain_id, PERMISSIONS, &content)
    }
}

/// The signature of the account's key.
pub fn consent(joining: &Joining, key: &SecretKey) -> Consent {
    let signature = key.sign(joining.digest()).0;
    Consent {
        deadline: joining.deadline,
        v: signature[64],
        r: B256::from_slice(&signature[..32]),
        s: B256::from_slice(&signature[32..64]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Vector {
        chain_id: u64,
        organisation: u32,
        account: Address,
        permissions: u32,
        nonce: u64,
        deadline: u64,
        digest: B256,
    }

    #[test]
    fn digests_are_those_of_the_vectors() {
        let text = include_str!("../../tests/vectors/governance.json");
        let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
        let consents: Vec<Vector> = serde_json::from_value(vectors["consents"].clone()).unwrap();
        assert!(consents.len() >= 4);
        for it in consents {
            let joining = Joining {
                chain_id: it.chain_id,
                organisation: it.organisation,
                account: it.account,
                permissions: it.permissions,
                nonce: it.nonce,
                deadline: it.deadline,
            };
            assert_eq!(joining.digest(), it.digest);
        }
    }

    #[test]
    fn each_part_is_signed() {
        let joining = Joining {
            chain_id: 1,
            organisation: 2,
            account: Address::repeat_byte(3),
            permissions: 4,
            nonce: 5,
            deadline: 6,
        };
        let others = [
            Joining {
                chain_id: 9,
                ..joining
            },
            Joining {
                organisation: 9,
                ..joining
            },
            Joining {
                account: Address::ZERO,
                ..joining
            },
            Joining {
                permissions: 9,
                ..joining
            },
            Joining {
                nonce: 9,
                ..joining
            },
            Joining {
                deadline: 9,
                ..joining
            },
        ];
        for other in others {
            assert_ne!(joining.digest(), other.digest());
        }
    }
}
