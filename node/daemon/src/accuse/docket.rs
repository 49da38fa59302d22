//! Which evidence is looked at when: every accused validator's in turn, a few pieces of each.

use std::collections::BTreeMap;

use tbsi_store::{EvidencePlace, Store, StoreError};
use tbsi_types::{Address, B256, Evidence, Height};

use crate::limits::{ACCUSATIONS_PER_VALIDATOR_MAX, ACCUSED_PER_LOOK_MAX};

/// A piece that may have to be sent.
pub(super) struct Pending {
    pub(super) evidence: Evidence,
    /// Tip when this node first looked at it.
    pub(super) seen: Height,
    /// The transaction that carries it.
    pub(super) sent: Option<B256>,
}

/// The evidence against one validator, lowest height first.
#[derive(Default)]
struct Case {
    pending: Vec<Pending>,
    /// The last piece that was taken up. Later evidence is of later heights: it comes when a
    /// height is decided.
    taken: Option<EvidencePlace>,
}

/// Cases by accused validator.
#[derive(Default)]
pub(super) struct Docket {
    cases: BTreeMap<Address, Case>,
    /// Whose case was looked at last, if there are more than are looked at at once.
    last: Option<Address>,
}

impl Docket {
    /// Looks at the next cases. `consider` says whether a piece stays pending.
    pub(super) fn look(
        &mut self,
        store: &Store,
        tip: Height,
        mut consider: impl FnMut(&mut Pending) -> bool,
    ) -> Result<(), StoreError> {
        let accused = store.accused(self.last, ACCUSED_PER_LOOK_MAX)?;
        let more = accused.len() == ACCUSED_PER_LOOK_MAX;
        self.last = accused.last().copied().filter(|_| more);
        for validator in accused {
            let case = self.cases.entry(validator).or_default();
            let room = ACCUSATIONS_PER_VALIDATOR_MAX - case.pending.len();
            for (place, evidence) in store.evidence_against(validator, case.taken, room)? {
                case.taken = Some(place);
                case.pending.push(Pending {
                    evidence,
                    seen: tip,
                    sent: None,
                });
            }
            case.pending.retain_mut(&mut consider);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tbsi_store::StoreOptions;
    use tbsi_types::{ChainIdentity, CheckpointDigest, Round, Signature, VoteKind, VoteStatement};

    use super::*;

    fn evidence(validator: u8, height: u64) -> Evidence {
        let vote = |value| {
            let statement = VoteStatement {
                kind: VoteKind::Prevote,
                height: Height(height),
                round: Round(0),
                value,
            };
            (statement, Signature([validator; 65]))
        };
        Evidence::Votes {
            validator: Address::repeat_byte(validator),
            first: vote(None),
            second: vote(Some(CheckpointDigest(B256::ZERO))),
        }
    }

    fn store(pieces: &[(u8, u64)]) -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let identity = ChainIdentity {
            chain_id: 1,
            genesis_hash: B256::ZERO,
        };
        let store = Store::open(dir.path(), identity, StoreOptions::default()).unwrap();
        for (validator, height) in pieces {
            store.put_evidence(&evidence(*validator, *height)).unwrap();
        }
        (dir, store)
    }

    /// Who is seen in one look at evidence that nothing is done about.
    fn seen(docket: &mut Docket, store: &Store) -> Vec<(u8, u64)> {
        let mut seen = Vec::new();
        let stays = |piece: &mut Pending| {
            let (height, _) = piece.evidence.position();
            seen.push((piece.evidence.validator().0.0[0], height.0));
            true
        };
        docket.look(store, Height(9), stays).unwrap();
        seen
    }

    #[test]
    fn one_equivocator_hides_no_other() {
        let many: Vec<_> = (1..=50).map(|height| (7, height)).collect();
        let (_dir, store) = store(&many);
        let mut docket = Docket::default();
        let most = ACCUSATIONS_PER_VALIDATOR_MAX;
        for _ in 0..3 {
            assert_eq!(seen(&mut docket, &store), many[..most]);
        }
        store.put_evidence(&evidence(9, 1)).unwrap();
        store.put_evidence(&evidence(3, 2)).unwrap();
        let both: BTreeSet<_> = seen(&mut docket, &store).into_iter().collect();
        assert!(both.contains(&(9, 1)) && both.contains(&(3, 2)), "{both:?}");
    }

    #[test]
    fn what_is_done_makes_room_for_the_next_and_does_not_come_back() {
        let pieces: Vec<_> = (1..=9).map(|height| (7, height)).collect();
        let (_dir, store) = store(&pieces);
        let mut docket = Docket::default();
        let mut seen = Vec::new();
        for _ in 0..9 {
            let done = |piece: &mut Pending| {
                seen.push(piece.evidence.position().0.0);
                false
            };
            docket.look(&store, Height(9), done).unwrap();
        }
        assert_eq!(seen, (1..=9).collect::<Vec<_>>());
        store.put_evidence(&evidence(7, 10)).unwrap();
        assert_eq!(self::seen(&mut docket, &store), [(7, 10)]);
    }

    #[test]
    fn every_accused_has_a_turn() {
        let count = u8::try_from(3 * ACCUSED_PER_LOOK_MAX + 1).unwrap();
        let pieces: Vec<_> = (1..=count).map(|validator| (validator, 1)).collect();
        let (_dir, store) = store(&pieces);
        let mut docket = Docket::default();
        let mut all = BTreeSet::new();
        for _ in 0..4 {
            let seen = seen(&mut docket, &store);
            assert!(seen.len() <= ACCUSED_PER_LOOK_MAX * ACCUSATIONS_PER_VALIDATOR_MAX);
            all.extend(seen);
        }
        assert_eq!(all, pieces.into_iter().collect());
    }
}
