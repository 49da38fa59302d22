//! What the registry of organisations keeps so that it can be proven later whose account it was,
//! whose validator, and under which legal name (SPEC §10.11): words of the state, and where they
//! are.

use alloy_primitives::{Address, B256, U256, keccak256};

use crate::number::Height;
use crate::sha256;

/// List of an account's organisations, in `Permissions`.
const MEMBERSHIPS_SLOT: u64 = 9;

/// List of an organisation's records, in `Organisations`.
const RECORDS_SLOT: u64 = 5;

/// A node's record by its number, in `Nodes`.
const NODES_SLOT: u64 = 2;

/// Validator keys that nodes have or had, by address, in `Nodes`.
const VALIDATOR_KEYS_SLOT: u64 = 6;

/// Slots of one record: its hash, its heights, five texts.
const RECORD_SLOTS: u64 = 7;

const RECORD_TAG: &[u8] = b"TBSI-RECORD-1";

/// Bytes of a 統一編號.
pub const TAX_ID_BYTES_MAX: usize = 8;

/// Bytes of an LEI.
pub const LEI_BYTES_MAX: usize = 20;

/// Bytes of a jurisdiction.
pub const JURISDICTION_BYTES_MAX: usize = 2;

/// From which block until which something held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The block in which it began.
    pub since: Height,
    /// The block in which it ended; `None` if it has not.
    pub until: Option<Height>,
}

impl InForce {
    /// Whether it held in the whole block of `height`: what begins or ends in that block did so
    /// before or after what else is in it, which heights do not tell.
    pub fn covers(&self, height: Height) -> bool {
        self.since < height && self.until.is_none_or(|until| height < until)
    }

    fn of(since: u64, until: u64) -> Self {
        Self {
            since: Height(since),
            until: (until != 0).then_some(Height(until)),
        }
    }
}

/// Whose account it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Number of the organisation, from 1.
    pub organisation: u32,
    /// Since and until when.
    pub in_force: InForce,
}

impl Membership {
    /// The slot with the number of an account's memberships.
    pub fn count_slot(account: Address) -> U256 {
        mapping(account.into_word(), MEMBERSHIPS_SLOT)
    }

    /// The slot of one of them; 0 is the first.
    pub fn slot(account: Address, position: u32) -> U256 {
        element(Self::count_slot(account), U256::from(position))
    }

    /// Reads the word: organisation u32, since u64, until u64, from the lowest bit. `None` if
    /// there is none.
    pub fn decode(word: U256) -> Option<Self> {
        first_number(word).map(|organisation| Self {
            organisation,
            in_force: InForce::of(part(word, 32), part(word, 96)),
        })
    }
}

/// The slot that says which node has or had a validator key. Its lowest 32 bits are the node's
/// number ([`first_number`]), and never change: a key is of one node for ever (SPEC §13.3).
pub fn validator_key_slot(validator: Address) -> U256 {
    mapping(validator.into_word(), VALIDATOR_KEYS_SLOT)
}

/// The slot that says whose a node is. Its lowest 32 bits are the organisation's number
/// ([`first_number`]), and never change.
pub fn node_slot(node: u32) -> U256 {
    mapping(B256::from(U256::from(node)), NODES_SLOT)
}

/// The number in a word's lowest 32 bits; `None` if it is 0, which is nobody's.
pub fn first_number(word: U256) -> Option<u32> {
    let number = u32::try_from(part(word, 0) & u64::from(u32::MAX)).ok()?;
    (number != 0).then_some(number)
}

/// An organisation's legal names and identifiers, as the registry had them for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LegalRecord {
    /// Legal name in Traditional Chinese; empty if it has none.
    pub name_zh_tw: String,
    /// Legal name in English.
    pub name_en: String,
    /// 統一編號; empty if it has none.
    pub tax_id: String,
    /// ISO 17442; empty if it has none.
    pub lei: String,
    /// ISO 3166-1.
    pub jurisdiction: String,
}

impl LegalRecord {
    /// The slot with the number of an organisation's records.
    pub fn count_slot(organisation: u32) -> U256 {
        let key = B256::from(U256::from(organisation));
        mapping(key, RECORDS_SLOT)
    }

    /// The slots of one of them, its hash and its heights; 0 is the first.
    pub fn slots(organisation: u32, position: u32) -> [U256; 2] {
        let place = U256::from(position) * U256::from(RECORD_SLOTS);
        let hash = element(Self::count_slot(organisation), place);
        [hash, hash.wrapping_add(U256::from(1))]
    }

    /// Reads the word of heights: since u64, until u64, from the lowest bit.
    pub fn heights(word: U256) -> InForce {
        InForce::of(part(word, 0), part(word, 64))
    }

    /// What the registry keeps of it.
    pub fn hash(&self, organisation: u32) -> B256 {
        let mut bytes = RECORD_TAG.to_vec();
        bytes.extend_from_slice(&organisation.to_be_bytes());
        for text in self.texts() {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        sha256(&[&bytes])
    }

    /// Its texts, in the order in which they are hashed and written.
    pub fn texts(&self) -> [&str; 5] {
        [
            &self.name_zh_tw,
            &self.name_en,
            &self.tax_id,
            &self.lei,
            &self.jurisdiction,
        ]
    }
}

/// Slot of a key in the mapping at `slot` (Solidity's layout).
pub(crate) fn mapping(key: B256, slot: u64) -> U256 {
    let slot = U256::from(slot).to_be_bytes::<32>();
    keccak256([key.0, slot].concat()).into()
}

/// Slot of a list's element that begins `place` slots after its first.
pub(crate) fn element(list: U256, place: U256) -> U256 {
    let first: U256 = keccak256(list.to_be_bytes::<32>()).into();
    first.wrapping_add(place)
}

/// 64 bits of a word, from bit `from` on.
pub(crate) fn part(word: U256, from: usize) -> u64 {
    (word >> from).as_limbs()[0]
}

#[cfg(test)]
mod tests {
    use alloy_primitives::address;

    use super::*;

    #[test]
    fn what_begins_or_ends_in_a_block_does_not_cover_it() {
        let check = |since, until, expected: [bool; 5]| {
            let in_force = InForce::of(since, until);
            let covered = [1, 2, 3, 4, 5].map(|height| in_force.covers(Height(height)));
            assert_eq!(covered, expected, "{in_force:?}");
        };
        check(0, 0, [true; 5]);
        check(2, 0, [false, false, true, true, true]);
        check(2, 4, [false, false, true, false, false]);
        check(3, 3, [false; 5]);
    }

    #[test]
    fn words_are_read_from_the_lowest_bit() {
        let word = U256::from(7) | U256::from(8) << 32 | U256::from(9) << 96;
        let in_force = InForce {
            since: Height(8),
            until: Some(Height(9)),
        };
        let membership = Membership {
            organisation: 7,
            in_force,
        };
        assert_eq!(Membership::decode(word), Some(membership));
        assert_eq!(Membership::decode(word >> 32 << 32), None);
        let word = U256::from(8) | U256::from(9) << 64;
        assert_eq!(LegalRecord::heights(word), in_force);
    }

    #[test]
    fn slots_are_where_the_compiler_puts_them() {
        let account = address!("00000000000000000000000000000000000000aa");
        let list = Membership::count_slot(account);
        let preimage = [account.into_word().0, U256::from(9).to_be_bytes::<32>()].concat();
        assert_eq!(B256::from(list), keccak256(preimage));
        let first = U256::from_be_bytes(keccak256(list.to_be_bytes::<32>()).0);
        assert_eq!(Membership::slot(account, 0), first);
        assert_eq!(Membership::slot(account, 3), first + U256::from(3));
        let [hash, heights] = LegalRecord::slots(5, 2);
        let list = LegalRecord::count_slot(5).to_be_bytes::<32>();
        let first = U256::from_be_bytes(keccak256(list).0);
        assert_eq!(
            [hash, heights],
            [first + U256::from(14), first + U256::from(15)]
        );
    }

    /// `contracts/evm/artifacts/Nodes.json` has the layout; `storage_layouts.json` holds later
    /// versions to it.
    #[test]
    fn a_validator_leads_to_its_node_and_that_to_an_organisation() {
        let text = include_str!("../../../contracts/evm/artifacts/Nodes.json");
        let artifact: serde_json::Value = serde_json::from_str(text).unwrap();
        let placed = artifact["storageLayout"].as_array().unwrap();
        let slot_of = |label: &str| {
            let found = placed.iter().find(|it| it["label"] == label).unwrap();
            found["slot"].as_u64().unwrap()
        };
        assert_eq!(slot_of("_nodes"), NODES_SLOT);
        assert_eq!(slot_of("_validatorKeys"), VALIDATOR_KEYS_SLOT);
        let validator = Address::repeat_byte(7);
        let preimage = [validator.into_word().0, U256::from(6).to_be_bytes::<32>()].concat();
        assert_eq!(
            B256::from(validator_key_slot(validator)),
            keccak256(preimage)
        );
        let preimage = [U256::from(5), U256::from(2)].map(|it| it.to_be_bytes::<32>());
        assert_eq!(B256::from(node_slot(5)), keccak256(preimage.concat()));
        assert_eq!(first_number(U256::from(9) | U256::from(1) << 32), Some(9));
        assert_eq!(first_number(U256::from(1) << 32), None);
    }

    #[test]
    fn records_of_other_texts_or_organisations_have_other_hashes() {
        let record = LegalRecord {
            name_zh_tw: "甲".into(),
            name_en: "A".into(),
            tax_id: "04595257".into(),
            lei: String::new(),
            jurisdiction: "TW".into(),
        };
        let mut moved = record.clone();
        (moved.tax_id, moved.lei) = (String::new(), record.tax_id.clone());
        assert_ne!(record.hash(1), moved.hash(1));
        assert_ne!(record.hash(1), record.hash(2));
        let preimage = [
            b"TBSI-RECORD-1\0\0\0\x01\0\0\0\x03".as_slice(),
            "甲".as_bytes(),
            b"\0\0\0\x01A\0\0\0\x0804595257\0\0\0\0\0\0\0\x02TW",
        ];
        assert_eq!(record.hash(1), sha256(&preimage));
    }
}
