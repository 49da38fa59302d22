//! Keys of the database. Integers are big-endian, so that keys sort by number.
//!
//! Keys of the state are prefix-free: none is the beginning of another. That makes
//! `key || height` of the history unambiguous although trie paths differ in length.

use alloy_primitives::{Address, B256};
use alloy_trie::Nibbles;
use tbsi_types::log::Lookup;
use tbsi_types::map::MapPath;
use tbsi_types::{CheckpointDigest, Height, LeafIndex, Round, sha256};

const ACCOUNT: u8 = 0;
const SLOT: u8 = 1;
const ACCOUNT_NODE: u8 = 2;
const SLOT_NODE: u8 = 3;
/// Ends a path; no nibble has this value.
const PATH_END: u8 = 0x10;

const BLOCK_HASH: u8 = 0;
const TRANSACTION_HASH: u8 = 1;
const VALIDATOR_SET: u8 = 2;
const HANDOVER: u8 = 3;
const APPEARANCE: u8 = 4;

const TILE: u8 = 0;
const ENTRIES: u8 = 1;

/// Bytes that stand for a lookup in the log's index: its kind, and so much of a hash that hardly
/// any two share it. There are two such keys for each attestation, so they are short.
const LOOKUP_BYTES: usize = 1 + 8;

const MAP_PAGE: u8 = 0;
const MAP_WAITING: u8 = 1;

const UNDECIDED: u8 = 0;
const BUILT: u8 = 1;
const EVIDENCE: u8 = 2;
const ACCUSED: u8 = 3;
const LAST_SIGNED: u8 = 4;

/// Keys of the one-record table.
pub(crate) const SCHEMA: &[u8] = b"schema";
pub(crate) const IDENTITY: &[u8] = b"identity";
pub(crate) const TIP: &[u8] = b"tip";
pub(crate) const FRONTIER: &[u8] = b"frontier";
pub(crate) const MAP: &[u8] = b"map";
pub(crate) const OLDEST_BLOCK: &[u8] = b"oldest block";
pub(crate) const APPEARANCES_FROM: &[u8] = b"appearances";

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// An account, by the Keccak-256 of its address (its *owner* hash).
pub(crate) fn account(owner: &B256) -> Vec<u8> {
    join(&[&[ACCOUNT], owner.as_slice()])
}

/// What all accounts begin with.
pub(crate) fn accounts() -> Vec<u8> {
    vec![ACCOUNT]
}

/// What the keys of the state begin with, by kind: accounts, slots, nodes of the account trie and
/// of storage tries.
pub(crate) const STATE_KINDS: [&[u8]; 4] = [&[ACCOUNT], &[SLOT], &[ACCOUNT_NODE], &[SLOT_NODE]];

/// A slot, by the Keccak-256 of its number.
pub(crate) fn slot(owner: &B256, slot_hash: &B256) -> Vec<u8> {
    join(&[&[SLOT], owner.as_slice(), slot_hash.as_slice()])
}

/// What all slots of an account begin with.
pub(crate) fn slots_of(owner: &B256) -> Vec<u8> {
    join(&[&[SLOT], owner.as_slice()])
}

/// A node of the account trie.
pub(crate) fn account_node(path: &Nibbles) -> Vec<u8> {
    join(&[&[ACCOUNT_NODE], &path.to_vec(), &[PATH_END]])
}

/// A node of an account's storage trie.
pub(crate) fn slot_node(owner: &B256, path: &Nibbles) -> Vec<u8> {
    join(&[&[SLOT_NODE], owner.as_slice(), &path.to_vec(), &[PATH_END]])
}

/// What all nodes of an account's storage trie begin with.
pub(crate) fn slot_nodes_of(owner: &B256) -> Vec<u8> {
    join(&[&[SLOT_NODE], owner.as_slice()])
}

/// The path in a [`slot_node`] key, after what [`slot_nodes_of`] returns; `None` if the bytes
/// are no path.
pub(crate) fn path_of(rest: &[u8]) -> Option<Nibbles> {
    let (end, nibbles) = rest.split_last()?;
    let valid = *end == PATH_END && nibbles.len() <= 64 && nibbles.iter().all(|n| *n < PATH_END);
    valid.then(|| Nibbles::from_nibbles(nibbles))
}

/// The hash in a key of [`account`] or [`slot`], after what [`accounts`] or [`slots_of`] returns.
pub(crate) fn hash_of(rest: &[u8]) -> Option<B256> {
    rest.get(..32).map(B256::from_slice)
}

/// The value that a state key had before the block at `height`.
pub(crate) fn history(state_key: &[u8], height: Height) -> Vec<u8> {
    join(&[state_key, &height.0.to_be_bytes()])
}

/// The height in a [`history`] key; `None` if it is shorter than a height.
pub(crate) fn history_height(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The parts of a block that are stored side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// `ProposedBlock::encode`.
    Body = 0,
    /// RLP header.
    Header = 1,
    /// 20 bytes for each transaction.
    Senders = 2,
    /// RLP list of receipts.
    Receipts = 3,
    /// `Checkpoint::encode`.
    Checkpoint = 4,
    /// `CommitCertificate::encode`.
    Certificate = 5,
}

/// A part of the block at `height`.
pub(crate) fn part(height: Height, part: Part) -> Vec<u8> {
    join(&[&height.0.to_be_bytes(), &[part as u8]])
}

/// Height of a block, by its hash.
pub(crate) fn block_hash(hash: &B256) -> Vec<u8> {
    join(&[&[BLOCK_HASH], hash.as_slice()])
}

/// Where a transaction is, by its hash.
pub(crate) fn transaction_hash(hash: &B256) -> Vec<u8> {
    join(&[&[TRANSACTION_HASH], hash.as_slice()])
}

/// What the keys of [`appearance`] of one account begin with.
pub(crate) fn appearances(account: &Address) -> Vec<u8> {
    join(&[&[APPEARANCE], account.as_slice()])
}

/// That an account takes part in the transaction at a position of a block.
pub(crate) fn appearance(account: &Address, height: Height, index: u32) -> Vec<u8> {
    let place = [height.0.to_be_bytes().as_slice(), &index.to_be_bytes()].concat();
    join(&[&appearances(account), &place])
}

/// The place in a key of [`appearance`]; `None` if it is no such key.
pub(crate) fn appearance_of(key: &[u8]) -> Option<(Height, u32)> {
    let place = key.strip_prefix(&[APPEARANCE])?.get(20..)?;
    let (height, index) = place.split_first_chunk()?;
    let index = u32::from_be_bytes(index.try_into().ok()?);
    Some((Height(u64::from_be_bytes(*height)), index))
}

/// A validator set, by its hash.
pub(crate) fn validator_set(hash: &B256) -> Vec<u8> {
    join(&[&[VALIDATOR_SET], hash.as_slice()])
}

/// What all keys of [`handover`] begin with.
pub(crate) const HANDOVERS: &[u8] = &[HANDOVER];

/// That another validator set decides the block after `height`.
pub(crate) fn handover(height: Height) -> Vec<u8> {
    join(&[HANDOVERS, &height.0.to_be_bytes()])
}

/// The height in a [`handover`] key; `None` if it is no such key.
pub(crate) fn handover_height(key: &[u8]) -> Option<Height> {
    let height = key.strip_prefix(HANDOVERS)?.try_into().ok()?;
    Some(Height(u64::from_be_bytes(height)))
}

/// A tile of the log, at whatever width.
pub(crate) fn tile(level: u8, index: u64) -> Vec<u8> {
    join(&[&[TILE, level], &index.to_be_bytes()])
}

/// A bundle of the log's leaves, at whatever width.
pub(crate) fn entries(index: u64) -> Vec<u8> {
    join(&[&[ENTRIES], &index.to_be_bytes()])
}

/// What index keys of a lookup begin with: its kind, then the beginning of a hash of what is
/// asked for. Ids and digests are chosen by strangers, and so would be what they have in common;
/// to meet the hash of another one takes 2^64 attempts.
pub(crate) fn lookup(lookup: &Lookup) -> [u8; LOOKUP_BYTES] {
    let name = |parts: &[&[u8]]| sha256(parts);
    let (kind, name) = match lookup {
        Lookup::Digest(digest) => (0, name(&[until_zeros(digest)])),
        // A hash already.
        Lookup::Attestation(id) => (1, *id),
        Lookup::Revocation(id, by) => (2, name(&[id.as_slice(), by.as_slice()])),
        Lookup::Supersession(id, by) => (3, name(&[id.as_slice(), by.as_slice()])),
        Lookup::Countersigning(id) => (4, name(&[id.as_slice()])),
        Lookup::Countersignature(id) => (5, name(&[id.as_slice()])),
        Lookup::Schema(schema) => (6, name(&[schema.as_slice()])),
        Lookup::Algorithm(code) => (7, name(&[&code.to_be_bytes()])),
    };
    let mut key = [kind; LOOKUP_BYTES];
    key[1..].copy_from_slice(&name[..LOOKUP_BYTES - 1]);
    key
}

/// A digest without what fills it up: most are short, and hashed in one step.
fn until_zeros(digest: &[u8]) -> &[u8] {
    let end = digest.iter().rposition(|byte| *byte != 0);
    &digest[..end.map_or(0, |end| end + 1)]
}

/// That a lookup finds the leaf at a position.
pub(crate) fn position(lookup: &Lookup, index: u64) -> [u8; LOOKUP_BYTES + 8] {
    let mut key = [0; LOOKUP_BYTES + 8];
    key[..LOOKUP_BYTES].copy_from_slice(&self::lookup(lookup));
    key[LOOKUP_BYTES..].copy_from_slice(&index.to_be_bytes());
    key
}

/// The position in a [`position`] key; `None` if it is shorter.
pub(crate) fn position_of(key: &[u8]) -> Option<u64> {
    let position = key.get(LOOKUP_BYTES..)?;
    Some(u64::from_be_bytes(position.try_into().ok()?))
}

/// A page of the map.
pub(crate) fn map_page(path: &MapPath) -> Vec<u8> {
    join(&[&[MAP_PAGE], &path.encode()])
}

/// What all keys of [`map_page`] begin with.
pub(crate) const MAP_PAGES: &[u8] = &[MAP_PAGE];

/// The key of the page above, and the place in it, of a key of [`map_page`] that is not the top.
pub(crate) fn map_page_above(key: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (pages, bits) = key.strip_prefix(MAP_PAGES)?.split_first()?;
    let above = pages.checked_sub(1)?;
    let (last, rest) = bits.split_last()?;
    if usize::from(pages.div_ceil(2)) != bits.len() {
        return None;
    }
    // Two pages share a byte of the path, the upper one has the high half.
    Some(if above.is_multiple_of(2) {
        (join(&[MAP_PAGES, &[above], rest]), usize::from(last >> 4))
    } else {
        let last_above = last & 0xf0;
        (
            join(&[MAP_PAGES, &[above], rest, &[last_above]]),
            usize::from(last & 0xf),
        )
    })
}

/// What all keys of [`map_waiting`] begin with.
pub(crate) const ALL_WAITING: &[u8] = &[MAP_WAITING];

/// That the leaf at a position says something that is not in the map yet.
pub(crate) fn map_waiting(index: LeafIndex) -> Vec<u8> {
    join(&[ALL_WAITING, &index.0.to_be_bytes()])
}

/// The position in a [`map_waiting`] key; `None` if it is no such key.
pub(crate) fn waiting_index(key: &[u8]) -> Option<LeafIndex> {
    let index = key.strip_prefix(ALL_WAITING)?.try_into().ok()?;
    Some(LeafIndex(u64::from_be_bytes(index)))
}

/// An undecided block.
pub(crate) fn undecided(height: Height, digest: CheckpointDigest) -> Vec<u8> {
    join(&[&[UNDECIDED], &height.0.to_be_bytes(), digest.0.as_slice()])
}

/// The digest of the block that this node built for a round.
pub(crate) fn built(height: Height, round: Round) -> Vec<u8> {
    join(&[&[BUILT], &height.0.to_be_bytes(), &round.0.to_be_bytes()])
}

/// What all keys of [`undecided`] begin with.
pub(crate) const UNDECIDED_BLOCKS: &[u8] = &[UNDECIDED];

/// What all keys of [`built`] begin with.
pub(crate) const BUILT_BLOCKS: &[u8] = &[BUILT];

/// Reads a key of [`undecided`].
pub(crate) fn parse_undecided(key: &[u8]) -> Option<(Height, CheckpointDigest)> {
    let (height, digest) = key.strip_prefix(UNDECIDED_BLOCKS)?.split_first_chunk()?;
    let digest = B256::try_from(digest).ok()?;
    let height = Height(u64::from_be_bytes(*height));
    Some((height, CheckpointDigest(digest)))
}

/// Reads a key of [`built`].
pub(crate) fn parse_built(key: &[u8]) -> Option<(Height, Round)> {
    let (height, round) = key.strip_prefix(BUILT_BLOCKS)?.split_first_chunk()?;
    let round = u32::from_be_bytes(round.try_into().ok()?);
    Some((Height(u64::from_be_bytes(*height)), Round(round)))
}

/// What all evidence begins with.
pub(crate) const ALL_EVIDENCE: &[u8] = &[EVIDENCE];

/// What the evidence against a validator at a height begins with.
pub(crate) fn evidence_against(height: Height, validator: &Address) -> Vec<u8> {
    join(&[&[EVIDENCE], &height.0.to_be_bytes(), validator.as_slice()])
}

/// Evidence; `kind` tells prevotes, precommits and proposals apart.
pub(crate) fn evidence(height: Height, validator: &Address, round: Round, kind: u8) -> Vec<u8> {
    evidence_at(validator, &evidence_place(height, round, kind))
}

/// Height, round and kind of a piece of evidence.
pub(crate) const EVIDENCE_PLACE_BYTES: usize = 8 + 4 + 1;

/// What of a key of [`evidence`] or [`accused`] tells pieces against one validator apart.
pub(crate) fn evidence_place(height: Height, round: Round, kind: u8) -> [u8; EVIDENCE_PLACE_BYTES] {
    let mut place = [kind; EVIDENCE_PLACE_BYTES];
    place[..8].copy_from_slice(&height.0.to_be_bytes());
    place[8..12].copy_from_slice(&round.0.to_be_bytes());
    place
}

/// The key of [`evidence`] for a place.
pub(crate) fn evidence_at(validator: &Address, place: &[u8; EVIDENCE_PLACE_BYTES]) -> Vec<u8> {
    let (height, rest) = place.split_at(8);
    join(&[&[EVIDENCE], height, validator.as_slice(), rest])
}

/// What all keys of [`accused`] begin with.
pub(crate) const ALL_ACCUSED: &[u8] = &[ACCUSED];

/// What the keys of [`accused`] of one validator begin with.
pub(crate) fn accusations(validator: &Address) -> Vec<u8> {
    join(&[ALL_ACCUSED, validator.as_slice()])
}

/// That there is evidence against a validator: in order of validators, then of heights.
pub(crate) fn accused(validator: &Address, place: &[u8; EVIDENCE_PLACE_BYTES]) -> Vec<u8> {
    join(&[ALL_ACCUSED, validator.as_slice(), place])
}

/// Reads a key of [`accused`].
pub(crate) fn parse_accused(key: &[u8]) -> Option<(Address, [u8; EVIDENCE_PLACE_BYTES])> {
    let (validator, place) = key.strip_prefix(ALL_ACCUSED)?.split_first_chunk::<20>()?;
    Some((Address::new(*validator), place.try_into().ok()?))
}

/// The last precommit of a validator that a stored certificate carries.
pub(crate) fn last_signed(validator: &Address) -> Vec<u8> {
    join(&[&[LAST_SIGNED], validator.as_slice()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_keys_are_prefix_free() {
        let hash = B256::repeat_byte(1);
        let path = |nibbles: &[u8]| Nibbles::from_nibbles(nibbles);
        let keys = [
            account(&hash),
            slot(&hash, &hash),
            account_node(&path(&[])),
            account_node(&path(&[0])),
            account_node(&path(&[0, 0])),
            slot_node(&hash, &path(&[])),
            slot_node(&hash, &path(&[0, 0])),
        ];
        for (i, one) in keys.iter().enumerate() {
            for (j, other) in keys.iter().enumerate() {
                assert!(i == j || !one.starts_with(other), "{i} {j}");
            }
        }
    }

    #[test]
    fn paths_survive_their_key() {
        let owner = B256::repeat_byte(7);
        for nibbles in [&[][..], &[0], &[15, 0, 3], &[9; 64]] {
            let path = Nibbles::from_nibbles(nibbles);
            let key = slot_node(&owner, &path);
            let rest = key.strip_prefix(slot_nodes_of(&owner).as_slice()).unwrap();
            assert_eq!(path_of(rest), Some(path));
        }
        for bad in [&[][..], &[1], &[1, 2], &[0x10, 0x10], &[0; 65]] {
            assert_eq!(path_of(bad), None, "{bad:?}");
        }
    }
}
