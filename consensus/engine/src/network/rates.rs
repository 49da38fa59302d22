//! How much each neighbour may send.

use std::collections::BTreeMap;

use tbsi_p2p::{PeerId, Rate};
use tokio::time::Instant;

use crate::limits::{
    CERTIFICATES_PER_SECOND_MAX, MESSAGES_PER_VALIDATOR_PER_SECOND_MAX, PARTS_KIB_PER_SECOND_MAX,
    RATED_PEERS_MAX, STATUSES_MAX, STATUSES_PER_SECOND_MAX,
};

/// Those of one peer.
#[derive(Debug)]
pub(super) struct Rates {
    pub(super) messages: Rate,
    pub(super) certificates: Rate,
    pub(super) parts_kib: Rate,
    pub(super) statuses: Rate,
}

impl Rates {
    fn new(validators: u32) -> Self {
        let messages = (validators + 4).saturating_mul(MESSAGES_PER_VALIDATOR_PER_SECOND_MAX);
        // A certificate costs a signature or two of each validator.
        let certificates = 4 + CERTIFICATES_PER_SECOND_MAX / validators.max(1);
        Self {
            messages: Rate::new(messages, 2 * messages),
            certificates: Rate::new(certificates, 4 * certificates),
            parts_kib: Rate::new(PARTS_KIB_PER_SECOND_MAX, PARTS_KIB_PER_SECOND_MAX),
            statuses: Rate::new(STATUSES_PER_SECOND_MAX, STATUSES_MAX),
        }
    }

    fn is_idle(&self, now: Instant) -> bool {
        let all = [
            self.messages,
            self.certificates,
            self.parts_kib,
            self.statuses,
        ];
        all.iter().all(|rate| rate.is_idle(now))
    }
}

/// Those of all peers, over their connections: whoever reconnects in a hurry gets nothing anew.
#[derive(Debug, Default)]
pub(super) struct AllRates(BTreeMap<PeerId, Rates>);

impl AllRates {
    /// Those of one peer, where so many validators decide.
    pub(super) fn of(&mut self, peer: PeerId, validators: usize, now: Instant) -> &mut Rates {
        if self.0.len() >= RATED_PEERS_MAX && !self.0.contains_key(&peer) {
            self.0.retain(|_, rates| !rates.is_idle(now));
        }
        let validators = u32::try_from(validators).unwrap_or(u32::MAX);
        self.0.entry(peer).or_insert_with(|| Rates::new(validators))
    }
}
