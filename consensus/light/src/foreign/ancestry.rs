//! That one block of another chain comes after another one (SPEC §16.5).
//!
//! No seal of QBFT or IBFT 2.0 names the chain: the same keys may seal the blocks of a second one.
//! A block's hash names its parent, and so all blocks before it; what follows from an accepted
//! block is of its chain.

use alloy_primitives::{Address, B256, Bytes, U256, address, hex, keccak256};

use super::error::AncestryError;
use super::header::Header;
use super::limits::{ANCESTRY_BYTES_MAX, ANCESTRY_HEADERS_MAX};
use super::proof::{StorageProof, prove_storage};

/// Where blocks find the hashes of those before them (EIP-2935), from Prague on.
pub const HISTORY_ADDRESS: Address = address!("0000F90827F1C53a10cb7A02335B175320002935");

/// What stands there.
pub const HISTORY_CODE: &[u8] = &hex!(
    "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611f"
    "ff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
);

/// Blocks whose hashes it has.
pub const HISTORY_BLOCKS: u64 = 8_191;

/// Code of a keeper of hashes, for chains before Prague: whoever calls it with the number of one
/// of the last 256 blocks writes that block's hash into the slot of that number, for good.
///
/// `PUSH1 0 CALLDATALOAD DUP1 BLOCKHASH DUP1 ISZERO PUSH1 13 JUMPI SWAP1 SSTORE STOP`, and at 13
/// `JUMPDEST PUSH1 0 PUSH1 0 REVERT`: a number without a hash overwrites nothing.
pub const KEEPER_CODE: [u8; 19] = hex!("60003580408015600d579055005b60006000fd");

/// Creation code of a keeper.
pub const KEEPER_CREATION_CODE: [u8; 30] =
    hex!("601380600b6000396000f360003580408015600d579055005b60006000fd");

/// A block that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// Number of the block.
    pub height: u64,
    /// Hash by which that chain knows it.
    pub block_hash: B256,
}

/// How it is shown that a block comes after an [`Ancestor`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ancestry {
    /// All headers between the two as they are hashed ([`hashed_header`](super::hashed_header)),
    /// the highest first; none if it is the parent.
    Parents(Vec<Bytes>),
    /// The ancestor's hash in the history contract, under the later block's state root.
    History(StorageProof),
    /// The ancestor's hash in a keeper at this address.
    Keeper(Address, StorageProof),
}

impl Ancestry {
    /// `0 || count u8 || { length u16 || header } ...`, `1 || proof` or `2 || account || proof`.
    ///
    /// # Errors
    /// If there is more than [`limits`](super::limits) allow.
    pub fn encode(&self) -> Result<Vec<u8>, AncestryError> {
        let mut bytes = Vec::new();
        match self {
            Self::Parents(headers) => {
                let many = AncestryError::TooManyHeaders(headers.len() as u64);
                let count = u8::try_from(headers.len()).map_err(|_| many)?;
                bytes.extend([0, count]);
                for header in headers {
                    let length = u16::try_from(header.len()).map_err(|_| AncestryError::Layout)?;
                    bytes.extend(length.to_be_bytes());
                    bytes.extend_from_slice(header);
                }
            }
            Self::History(proof) => {
                bytes.push(1);
                bytes.extend(proof.encode().map_err(AncestryError::Proof)?);
            }
            Self::Keeper(account, proof) => {
                bytes.push(2);
                bytes.extend_from_slice(account.as_slice());
                bytes.extend(proof.encode().map_err(AncestryError::Proof)?);
            }
        }
        Ok(bytes)
    }
}

/// Slot of the history contract for a height.
pub fn history_slot(height: u64) -> B256 {
    B256::from(U256::from(height % HISTORY_BLOCKS))
}

/// Slot of a keeper for a height.
pub fn keeper_slot(height: u64) -> B256 {
    B256::from(U256::from(height))
}

/// Verifies that the block of an encoded header comes after an ancestor, by an encoded
/// [`Ancestry`]. Whether anybody sealed the header is not asked here.
///
/// # Errors
/// Why it is not shown. Each is final: the same bytes fail again.
pub fn verify_ancestor(
    header: &[u8],
    ancestor: &Ancestor,
    ancestry: &[u8],
) -> Result<(), AncestryError> {
    if ancestry.len() > ANCESTRY_BYTES_MAX {
        return Err(AncestryError::Layout);
    }
    let header = Header::parse(header).map_err(AncestryError::Header)?;
    if header.height <= ancestor.height {
        return Err(AncestryError::Order(header.height));
    }
    let (kind, rest) = ancestry.split_first().ok_or(AncestryError::Layout)?;
    match kind {
        0 => by_parents(&header, ancestor, rest),
        1 => {
            let slot = history_slot(ancestor.height);
            let place = (HISTORY_ADDRESS, slot, keccak256(HISTORY_CODE));
            by_storage(&header, ancestor, place, rest)
        }
        2 => {
            let (account, proof) = rest
                .split_first_chunk::<20>()
                .ok_or(AncestryError::Layout)?;
            let slot = keeper_slot(ancestor.height);
            let place = (Address::from(account), slot, keccak256(KEEPER_CODE));
            by_storage(&header, ancestor, place, proof)
        }
        _ => Err(AncestryError::Layout),
    }
}

fn by_parents(
    header: &Header<'_>,
    ancestor: &Ancestor,
    encoded: &[u8],
) -> Result<(), AncestryError> {
    let (count, mut rest) = encoded.split_first().ok_or(AncestryError::Layout)?;
    if usize::from(*count) > ANCESTRY_HEADERS_MAX {
        return Err(AncestryError::TooManyHeaders((*count).into()));
    }
    let (mut height, mut parent) = (header.height, header.parent_hash);
    for position in 0..u64::from(*count) {
        let (length, after) = rest.split_first_chunk().ok_or(AncestryError::Layout)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (bytes, after) = after
            .split_at_checked(length)
            .ok_or(AncestryError::Layout)?;
        rest = after;
        if keccak256(bytes) != parent {
            return Err(AncestryError::Parent(position));
        }
        let found = Header::parse(bytes).map_err(|_| AncestryError::Between(position))?;
        if height.checked_sub(1) != Some(found.height) {
            return Err(AncestryError::Between(position));
        }
        (height, parent) = (found.height, found.parent_hash);
    }
    if !rest.is_empty() {
        return Err(AncestryError::Layout);
    }
    if height.checked_sub(1) != Some(ancestor.height) {
        return Err(AncestryError::NotReached(height));
    }
    match parent == ancestor.block_hash {
        true => Ok(()),
        false => Err(AncestryError::OtherChain(ancestor.height)),
    }
}

fn by_storage(
    header: &Header<'_>,
    ancestor: &Ancestor,
    (account, slot, code_hash): (Address, B256, B256),
    proof: &[u8],
) -> Result<(), AncestryError> {
    let shown = prove_storage(header.state_root, account, slot, proof);
    let shown = shown.map_err(AncestryError::Proof)?;
    if shown.code_hash != code_hash {
        return Err(AncestryError::Code);
    }
    match shown.value == ancestor.block_hash {
        true => Ok(()),
        false => Err(AncestryError::OtherChain(ancestor.height)),
    }
}
