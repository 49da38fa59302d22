//! What leaves of the log are looked up by.
//!
//! A question names what counts: a revocation is looked up by its id *and* by who says it,
//! because anybody may emit one for any id and only the issuer's own counts (SPEC §12.4). So no
//! number of leaves by others stands before the one that is asked for.

use alloy_primitives::{Address, B256, b256};

use crate::log::leaf::{AttestationIds, DigestWords, Leaf, Statement};
use crate::number::LeafIndex;

/// Bytes of the longest digest.
const DIGEST_BYTES_MAX: usize = 64;

/// The schemas that exist from genesis, which no leaf registers: `tbsi:file:v1` and
/// `tbsi:salted-file:v1` (SPEC §12.5). Both are revocable.
pub const BUILT_IN_SCHEMAS: [B256; 2] = [
    b256!("38a40703f0e7976ca5eb1528e670bdd5292f2eeac90fd3b2fbec9727f2f1374f"),
    b256!("5953970c70b05d6dc455a5e4f7a31618b428070574b14bb8a4b3f2bd1b4f401a"),
];

/// One thing that leaves can be found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Attestations of a digest, by whomever; filled up with zeros.
    Digest([u8; DIGEST_BYTES_MAX]),
    /// Attestations with an id; all say the same.
    Attestation(B256),
    /// What `by` says of an id: that it is revoked.
    Revocation(B256, Address),
    /// What `by` says of an id: that another one takes its place.
    Supersession(B256, Address),
    /// That countersigning of an id was opened, which only its issuer can.
    Countersigning(B256),
    /// Countersignatures of an id, which only the parties named for it can give.
    Countersignature(B256),
    /// The registration of a schema.
    Schema(B256),
    /// What the status of an algorithm, by its multihash code, became.
    Algorithm(u32),
}

impl Lookup {
    /// By a digest of any algorithm; `None` if none is so long.
    pub fn digest(digest: &[u8]) -> Option<Self> {
        let mut bytes = [0; DIGEST_BYTES_MAX];
        bytes.get_mut(..digest.len())?.copy_from_slice(digest);
        Some(Self::Digest(bytes))
    }

    /// All that a leaf is found by. `ids` names attestations in turn.
    pub fn of(leaf: &Leaf, ids: &mut AttestationIds) -> [Option<Self>; 2] {
        let one = match &leaf.statement {
            Statement::Attestation(attestation) => {
                let digest = Self::Digest(filled_up(&attestation.digest));
                return [Some(digest), ids.of(leaf).map(Self::Attestation)];
            }
            Statement::Revocation { id, .. } => Self::Revocation(*id, leaf.head.issuer),
            Statement::Supersession { id, .. } => Self::Supersession(*id, leaf.head.issuer),
            Statement::CountersigningOpened { id, .. } => Self::Countersigning(*id),
            Statement::Countersignature { id, .. } => Self::Countersignature(*id),
            Statement::SchemaRegistered { schema, .. } => Self::Schema(*schema),
            Statement::AlgorithmSet { algorithm, .. } => Self::Algorithm(*algorithm),
            Statement::MapRoot(_)
            | Statement::GovernanceAct { .. }
            | Statement::Message { .. }
            | Statement::ForeignFact(_) => return [None, None],
        };
        [Some(one), None]
    }

    /// Whether this finds `leaf`.
    pub fn finds(&self, leaf: &Leaf) -> bool {
        let all = Self::of(leaf, &mut AttestationIds::default());
        all.contains(&Some(*self))
    }
}

fn filled_up(digest: &DigestWords) -> [u8; DIGEST_BYTES_MAX] {
    let mut bytes = [0; DIGEST_BYTES_MAX];
    for (place, word) in bytes.chunks_exact_mut(32).zip(digest.as_slice()) {
        place.copy_from_slice(word.as_slice());
    }
    bytes
}

/// A page of positions that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// In the order of the log.
    pub positions: Vec<LeafIndex>,
    /// Where to look on; `None` if these are all.
    pub next: Option<LeafIndex>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::leaf::{Attestation, LeafHead};
    use crate::number::{Height, TimestampMs};

    const ISSUER: Address = Address::repeat_byte(1);
    const STRANGER: Address = Address::repeat_byte(2);

    fn leaf(issuer: Address, statement: Statement) -> Leaf {
        let head = LeafHead {
            chain_id: 1,
            height: Height(2),
            time: TimestampMs(3),
            transaction_index: 0,
            ordinal: 0,
            issuer,
        };
        Leaf { head, statement }
    }

    fn stated(algorithm: u32, digest: &[u8]) -> Leaf {
        let attestation = Attestation {
            schema: BUILT_IN_SCHEMAS[0],
            algorithm,
            digest: DigestWords::of(algorithm, digest).unwrap(),
        };
        leaf(ISSUER, Statement::Attestation(attestation))
    }

    #[test]
    fn built_in_schemas_are_those_of_the_names() {
        let names = ["tbsi:file:v1", "tbsi:salted-file:v1"];
        assert_eq!(names.map(alloy_primitives::keccak256), BUILT_IN_SCHEMAS);
    }

    #[test]
    fn a_digest_is_found_whatever_its_length_and_no_other_is() {
        for (algorithm, bytes) in [(0x12, 32), (0x15, 48), (0x13, 64), (0xb21c, 28)] {
            let digest: Vec<u8> = (1..=bytes).collect();
            let leaf = stated(algorithm, &digest);
            assert!(Lookup::digest(&digest).unwrap().finds(&leaf), "{bytes}");
            let mut other = digest.clone();
            other[usize::from(bytes) - 1] ^= 1;
            assert!(!Lookup::digest(&other).unwrap().finds(&leaf), "{bytes}");
            assert!(!Lookup::digest(&digest[..27]).unwrap().finds(&leaf));
        }
        assert_eq!(Lookup::digest(&[1; 65]), None);
    }

    #[test]
    fn what_a_stranger_says_of_an_id_is_found_by_the_stranger_only() {
        let attested = stated(0x12, &[7; 32]);
        let id = attested.attestation_id().unwrap();
        assert!(Lookup::Attestation(id).finds(&attested));
        let (reason, successor) = (1, B256::ZERO);
        for by in [ISSUER, STRANGER] {
            let revoked = leaf(by, Statement::Revocation { id, reason });
            let superseded = leaf(by, Statement::Supersession { id, successor });
            for asked in [ISSUER, STRANGER] {
                assert_eq!(Lookup::Revocation(id, asked).finds(&revoked), asked == by);
                assert_eq!(
                    Lookup::Supersession(id, asked).finds(&superseded),
                    asked == by
                );
            }
            assert!(!Lookup::Attestation(id).finds(&revoked));
            assert!(!Lookup::Supersession(id, by).finds(&revoked));
            assert!(!Lookup::Revocation(B256::ZERO, by).finds(&revoked));
        }
    }

    #[test]
    fn other_kinds_are_found_by_what_they_are_about() {
        let (id, schema) = (B256::repeat_byte(3), B256::repeat_byte(4));
        let opened = Statement::CountersigningOpened {
            id,
            threshold: 1,
            deadline: 2,
            party_count: 1,
            parties_hash: B256::ZERO,
        };
        let countersigned = Statement::Countersignature {
            id,
            have: 1,
            need: 1,
        };
        let registered = Statement::SchemaRegistered {
            schema,
            text_hash: B256::ZERO,
            commits_to: 1,
            revocable: true,
        };
        let set = Statement::AlgorithmSet {
            algorithm: 0x12,
            bits: 256,
            status: 3,
        };
        let cases = [
            (opened, Lookup::Countersigning(id)),
            (countersigned, Lookup::Countersignature(id)),
            (registered, Lookup::Schema(schema)),
            (set, Lookup::Algorithm(0x12)),
        ];
        for (statement, lookup) in &cases {
            let leaf = leaf(STRANGER, *statement);
            for (_, other) in &cases {
                assert_eq!(other.finds(&leaf), other == lookup, "{statement:?}");
            }
        }
    }
}
