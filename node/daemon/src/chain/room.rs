//! How much a block of this node may hold, so that the others execute it in time (SPEC §6.5).

use tbsi_types::Round;
use tbsi_types::limits::TRANSACTION_GAS_MAX;

/// Gas that this node puts into a block. It is halved below the heaviest block that came too
/// late to be decided, and grows by a quarter with each height at which none did. A validator
/// that is gone proposes nothing, so it changes nothing here.
pub(super) struct Room {
    limit: u64,
    gas: u64,
}

impl Room {
    /// All that a block may hold.
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, gas: limit }
    }

    /// Gas of a block to build: half as much in each round, as nobody knows why the rounds before
    /// failed; never less than any one transaction may ask for.
    pub(super) fn of(&self, round: Round) -> u64 {
        let halved = self.gas.checked_shr(round.0).unwrap_or(0);
        self.bounded(halved)
    }

    /// A height is decided. `late`: gas of the heaviest other block that was valid at it.
    pub(super) fn on_decided(&mut self, late: Option<u64>) {
        // One that is no heavier than a single transaction may be was not late for its weight.
        self.gas = match late.filter(|gas| *gas > TRANSACTION_GAS_MAX) {
            Some(gas) => self.bounded(self.gas.min(gas / 2)),
            None => self.bounded(self.gas.saturating_add(self.gas / 4)),
        };
    }

    fn bounded(&self, gas: u64) -> u64 {
        gas.max(TRANSACTION_GAS_MAX).min(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 300_000_000;

    #[test]
    fn a_block_is_half_as_heavy_in_each_round_and_has_room_for_any_transaction() {
        let room = Room::new(LIMIT);
        let rounds = [0, 1, 2, 4, 5, 64, u32::MAX].map(|round| room.of(Round(round)));
        let least = TRANSACTION_GAS_MAX;
        assert_eq!(
            rounds,
            [LIMIT, LIMIT / 2, LIMIT / 4, LIMIT / 16, least, least, least]
        );
        assert_eq!(Room::new(1_000_000).of(Round(9)), 1_000_000);
    }

    #[test]
    fn what_came_too_late_is_halved_and_room_comes_back() {
        let mut room = Room::new(LIMIT);
        room.on_decided(Some(200_000_000));
        assert_eq!(room.of(Round(0)), 100_000_000);
        room.on_decided(Some(TRANSACTION_GAS_MAX));
        assert_eq!(room.of(Round(0)), 125_000_000);
        room.on_decided(Some(TRANSACTION_GAS_MAX + 1));
        assert_eq!(room.of(Round(0)), TRANSACTION_GAS_MAX);
        for _ in 0..13 {
            room.on_decided(None);
        }
        assert_eq!(room.of(Round(0)), LIMIT);
    }
}
