//! Precompiles for what comes from other chains (SPEC §16.3, §16.4): layouts and prices. What
//! they verify is `tbsi_light::foreign`, which the relayer runs too.

use alloy_primitives::{Address, B256, U256, address};
use tbsi_light::foreign::{
    Ancestor, AncestryError, Assurance, ForeignHeader, HeaderError, ProofError, prove_storage,
    verify_ancestor, verify_header,
};

/// Verifies a header: kind u8, length of what is trusted u16, what is trusted, header.
pub(crate) const FOREIGN_HEADER: Address = address!("0000000000000000000000000000000000001101");

/// Shows a word: state root 32, account 20, slot 32, proof.
pub(crate) const FOREIGN_STORAGE: Address = address!("0000000000000000000000000000000000001102");

/// Shows that a block comes after another: length of its header u16, header, height of the other
/// u64, its hash 32, ancestry.
pub(crate) const FOREIGN_ANCESTOR: Address = address!("0000000000000000000000000000000000001103");

/// A seal takes 67 bytes of input and one recovery, for which ecrecover asks 3,000 gas; a
/// header is hashed twice.
const HEADER_GAS: u64 = 6_000;
const HEADER_GAS_BYTE: u64 = 50;

/// Each byte of a node is hashed and decoded once.
const STORAGE_GAS: u64 = 6_000;
const STORAGE_GAS_BYTE: u64 = 8;

/// Gas for an input of this length, known before anything is done with it.
pub(crate) fn header_gas(input_bytes: usize) -> u64 {
    priced(HEADER_GAS, HEADER_GAS_BYTE, input_bytes)
}

/// As [`header_gas`]; of an ancestry too, whose bytes are hashed once as well.
pub(crate) fn storage_gas(input_bytes: usize) -> u64 {
    priced(STORAGE_GAS, STORAGE_GAS_BYTE, input_bytes)
}

fn priced(base: u64, per_byte: u64, bytes: usize) -> u64 {
    per_byte.saturating_mul(bytes as u64).saturating_add(base)
}

/// Eight words: 0 and what follows from the header, or a reason and up to two figures.
pub(crate) fn header(input: &[u8]) -> Vec<u8> {
    match verified(input) {
        Ok(found) => words([
            U256::ZERO,
            U256::from(found.height),
            U256::from(found.time),
            found.block_hash.into(),
            found.state_root.into(),
            found.trusted_hash.into(),
            U256::from(found.validators),
            U256::from(found.signers),
        ]),
        Err(error) => {
            let (reason, first, second) = error.code();
            let mut answer = [U256::ZERO; 8];
            answer[..3].copy_from_slice(&[reason, first, second].map(U256::from));
            words(answer)
        }
    }
}

fn verified(input: &[u8]) -> Result<ForeignHeader, HeaderError> {
    let short = HeaderError::Trusted(0);
    let ([kind, length @ ..], rest) = input.split_first_chunk::<3>().ok_or(short)?;
    let kind = Assurance::by_code(*kind).ok_or(HeaderError::Kind((*kind).into()))?;
    let length = u16::from_be_bytes(*length);
    let short = HeaderError::Trusted(length.into());
    let (trusted, header) = rest.split_at_checked(length.into()).ok_or(short)?;
    verify_header(kind, trusted, header)
}

/// Two words: 0 and the word that is proven, or a reason and a figure.
pub(crate) fn storage(input: &[u8]) -> Vec<u8> {
    match proven(input) {
        Ok(value) => words([U256::ZERO, value.into()]),
        Err(error) => {
            let (reason, figure) = error.code();
            words([reason, figure].map(U256::from))
        }
    }
}

fn proven(input: &[u8]) -> Result<B256, ProofError> {
    let (state_root, rest) = input.split_first_chunk::<32>().ok_or(ProofError::Layout)?;
    let (account, rest) = rest.split_first_chunk::<20>().ok_or(ProofError::Layout)?;
    let (slot, proof) = rest.split_first_chunk::<32>().ok_or(ProofError::Layout)?;
    let shown = prove_storage(state_root.into(), account.into(), slot.into(), proof)?;
    Ok(shown.value)
}

/// Two words: zeros, or a reason and a figure.
pub(crate) fn ancestor(input: &[u8]) -> Vec<u8> {
    let (reason, figure) = match follows(input) {
        Ok(()) => (0, 0),
        Err(error) => error.code(),
    };
    words([reason, figure].map(U256::from))
}

fn follows(input: &[u8]) -> Result<(), AncestryError> {
    let short = AncestryError::Layout;
    let (length, rest) = input.split_first_chunk().ok_or(short)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (header, rest) = rest.split_at_checked(length).ok_or(short)?;
    let (height, rest) = rest.split_first_chunk().ok_or(short)?;
    let (block_hash, ancestry) = rest.split_first_chunk::<32>().ok_or(short)?;
    let ancestor = Ancestor {
        height: u64::from_be_bytes(*height),
        block_hash: block_hash.into(),
    };
    verify_ancestor(header, &ancestor, ancestry)
}

fn words<const N: usize>(words: [U256; N]) -> Vec<u8> {
    words.map(|word| word.to_be_bytes::<32>()).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_every_input_in_its_own_length() {
        let inputs: [&[u8]; 7] = [
            &[],
            &[1],
            &[1, 0, 0],
            &[1, 0, 20],
            &[9, 0, 0, 0xc0],
            &[2, 0xff, 0xff, 0xc0],
            &[1, 0, 0, 0xc0],
        ];
        let reasons = [3, 3, 4, 3, 1, 3, 5];
        for (input, reason) in inputs.into_iter().zip(reasons) {
            let answer = header(input);
            assert_eq!(answer.len(), 8 * 32);
            assert_eq!(
                U256::from_be_slice(&answer[..32]),
                U256::from(reason),
                "{input:?}"
            );
            assert_eq!(storage(input), words([U256::from(1), U256::ZERO]));
            assert_eq!(ancestor(input), words([U256::from(1), U256::ZERO]));
        }
        let empty = [&alloy_primitives::keccak256([0x80])[..], &[0; 52], &[0, 0]].concat();
        assert_eq!(storage(&empty), [0; 64]);
    }

    #[test]
    fn prices_grow_with_the_input_and_never_overflow() {
        assert_eq!(header_gas(0), 6_000);
        assert_eq!(header_gas(1_000), 56_000);
        assert_eq!(storage_gas(1_000), 14_000);
        assert_eq!(header_gas(usize::MAX), u64::MAX);
    }
}
