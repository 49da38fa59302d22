//! What all that was said of an attestation comes to (SPEC §12.4).

use alloy_primitives::{Address, B256};

use crate::log::leaf::{Leaf, LeafHead, Statement};
use crate::number::LeafIndex;

/// Status of a digest algorithm whose digests prove nothing any more (SPEC §12.6).
pub const ALGORITHM_REVOKED: u8 = 3;

/// What an attestation comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttestationStatus {
    /// The first revocation that counts.
    pub revocation: Option<Bearing<u16>>,
    /// The first successor that its issuer named.
    pub supersession: Option<Bearing<B256>>,
    /// Who is asked to sign too: threshold and last second.
    pub countersigning: Option<Bearing<(u16, u64)>>,
    /// Countersignatures so far.
    pub countersignatures: u16,
}

/// A statement about an attestation, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearing<T> {
    /// Its leaf.
    pub index: LeafIndex,
    /// When and by whom.
    pub head: LeafHead,
    /// Reason, successor, or threshold and deadline.
    pub what: T,
}

impl AttestationStatus {
    /// Of the attestation `id` by `issuer`, from `leaves` in the order of the log, which may hold
    /// what does not bear on it. `revocable` is what the schema says; false for one that nobody
    /// registered.
    ///
    /// A revocation or supersession counts only if the issuer itself states it: anybody may emit
    /// one for any id. A revocation under a schema that allows none counts for nothing.
    pub fn of<'a>(
        id: B256,
        issuer: Address,
        revocable: bool,
        leaves: impl IntoIterator<Item = (LeafIndex, &'a Leaf)>,
    ) -> Self {
        let mut status = Self::default();
        for (index, leaf) in leaves {
            let own = leaf.head.issuer == issuer;
            let head = leaf.head;
            match leaf.statement {
                Statement::Revocation { id: of, reason } if of == id && own && revocable => {
                    let what = reason;
                    status
                        .revocation
                        .get_or_insert(Bearing { index, head, what });
                }
                Statement::Supersession { id: of, successor } if of == id && own => {
                    let what = successor;
                    status
                        .supersession
                        .get_or_insert(Bearing { index, head, what });
                }
                Statement::CountersigningOpened {
                    id: of,
                    threshold,
                    deadline,
                    ..
                } if of == id && own => {
                    let what = (threshold, deadline);
                    status
                        .countersigning
                        .get_or_insert(Bearing { index, head, what });
                }
                Statement::Countersignature { id: of, have, .. } if of == id => {
                    status.countersignatures = status.countersignatures.max(have);
                }
                Statement::Attestation(_)
                | Statement::Revocation { .. }
                | Statement::Supersession { .. }
                | Statement::CountersigningOpened { .. }
                | Statement::Countersignature { .. }
                | Statement::SchemaRegistered { .. }
                | Statement::AlgorithmSet { .. }
                | Statement::MapRoot(_)
                | Statement::GovernanceAct { .. }
                | Statement::Message { .. }
                | Statement::ForeignFact(_) => {}
            }
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{Height, TimestampMs};

    const ID: B256 = B256::repeat_byte(1);
    const ISSUER: Address = Address::repeat_byte(2);

    fn leaf(issuer: Address, statement: Statement) -> Leaf {
        Leaf {
            head: LeafHead {
                chain_id: 1,
                height: Height(3),
                time: TimestampMs(4),
                transaction_index: 0,
                ordinal: 0,
                issuer,
            },
            statement,
        }
    }

    fn status(revocable: bool, leaves: &[Leaf]) -> AttestationStatus {
        let numbered = (7..).map(LeafIndex).zip(leaves);
        AttestationStatus::of(ID, ISSUER, revocable, numbered)
    }

    #[test]
    fn only_the_issuers_own_word_counts() {
        let stranger = Address::repeat_byte(3);
        let revokes = |id, reason| Statement::Revocation { id, reason };
        let others = [
            leaf(stranger, revokes(ID, 1)),
            leaf(ISSUER, revokes(B256::ZERO, 1)),
            leaf(
                stranger,
                Statement::Supersession {
                    id: ID,
                    successor: B256::ZERO,
                },
            ),
        ];
        assert_eq!(status(true, &others), AttestationStatus::default());
        let [one, two, three] = others;
        let own = [
            one,
            two,
            three,
            leaf(ISSUER, revokes(ID, 2)),
            leaf(ISSUER, revokes(ID, 4)),
        ];
        let revocation = status(true, &own).revocation.unwrap();
        assert_eq!((revocation.index, revocation.what), (LeafIndex(10), 2));
        assert_eq!(status(false, &own), AttestationStatus::default());
    }

    #[test]
    fn a_supersession_is_no_revocation() {
        let successor = B256::repeat_byte(9);
        let superseded = leaf(ISSUER, Statement::Supersession { id: ID, successor });
        let status = status(false, &[superseded]);
        assert_eq!(status.revocation, None);
        assert_eq!(status.supersession.unwrap().what, successor);
    }

    #[test]
    fn countersignatures_are_of_the_parties() {
        let party = Address::repeat_byte(5);
        let opened = Statement::CountersigningOpened {
            id: ID,
            threshold: 2,
            deadline: 99,
            party_count: 3,
            parties_hash: B256::ZERO,
        };
        let signs = |have| Statement::Countersignature {
            id: ID,
            have,
            need: 2,
        };
        let status = status(
            true,
            &[
                leaf(ISSUER, opened),
                leaf(party, signs(1)),
                leaf(party, signs(2)),
            ],
        );
        assert_eq!(status.countersigning.unwrap().what, (2, 99));
        assert_eq!(status.countersignatures, 2);
    }
}
