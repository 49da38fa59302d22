//! Digests of typed data (EIP-712), for the contracts that take signatures.

use alloy_primitives::{Address, B256, U256, keccak256};

const DOMAIN_TYPE: &str =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";

/// What is signed for version 1 of a contract: `content` is the hash of the struct's type, and its
/// fields.
pub(crate) fn digest(name: &str, chain_id: u64, contract: Address, content: &[U256]) -> B256 {
    let domain = words(&[
        keccak256(DOMAIN_TYPE).into(),
        keccak256(name).into(),
        keccak256("1").into(),
        U256::from(chain_id),
        contract.into_word().into(),
    ]);
    let prefix = b"\x19\x01".as_slice();
    let content = words(content);
    keccak256([prefix, domain.as_slice(), content.as_slice()].concat())
}

fn words(words: &[U256]) -> B256 {
    let bytes: Vec<_> = words
        .iter()
        .flat_map(|word| word.to_be_bytes::<32>())
        .collect();
    keccak256(bytes)
}
