//! Which blocks a simulation has: those asked for, and empty ones in between.

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use tbsi_types::{
    BlockCalls, BlockOverrides, SimulatedCall, SimulationFault, SimulationRefused, StateOverrides,
};

use super::SIMULATED_BLOCKS_MAX;

/// Seconds between two blocks whose times are not overridden (go-ethereum's).
const BLOCK_S: u64 = 12;

/// A block of a simulation.
#[derive(Clone, Copy)]
pub(super) struct Planned<'a> {
    pub(super) number: u64,
    /// Seconds.
    pub(super) time: u64,
    pub(super) overrides: &'a BlockOverrides,
    pub(super) state: &'a StateOverrides,
    pub(super) calls: &'a [SimulatedCall],
}

impl Planned<'_> {
    pub(super) fn withdrawals(&self) -> &[Withdrawal] {
        self.overrides.withdrawals.as_deref().unwrap_or_default()
    }
}

const NO_OVERRIDES: &BlockOverrides = &BlockOverrides {
    number: None,
    time: None,
    gas_limit: None,
    fee_recipient: None,
    prev_randao: None,
    base_fee_per_gas: None,
    blob_base_fee: None,
    block_hashes: BTreeMap::new(),
    beacon_root: None,
    withdrawals: None,
};
const NO_STATE: &StateOverrides = &StateOverrides::new();

/// All blocks, with numbers and times that rise.
pub(super) fn blocks<'a>(
    base: &Header,
    asked: &'a [BlockCalls],
) -> Result<Vec<Planned<'a>>, SimulationRefused> {
    let (mut number, mut time) = (base.number, base.timestamp);
    let mut planned = Vec::new();
    for block in asked {
        let wanted = block
            .block
            .number
            .unwrap_or_else(|| number.saturating_add(1));
        if wanted <= number {
            let reason = format!("block numbers must be in order: {wanted} <= {number}");
            return Err(refused(SimulationFault::Numbers, reason));
        }
        if wanted - base.number > SIMULATED_BLOCKS_MAX {
            let reason = format!("too many blocks; {SIMULATED_BLOCKS_MAX} at most, gaps counted");
            return Err(refused(SimulationFault::Limit, reason));
        }
        for gap in number + 1..wanted {
            time = time.saturating_add(BLOCK_S);
            planned.push(Planned {
                number: gap,
                time,
                overrides: NO_OVERRIDES,
                state: NO_STATE,
                calls: &[],
            });
        }
        number = wanted;
        let wanted = block.block.time;
        let wanted = wanted.unwrap_or_else(|| time.saturating_add(BLOCK_S));
        if wanted <= time {
            let reason = format!("block timestamps must be in order: {wanted} <= {time}");
            return Err(refused(SimulationFault::Times, reason));
        }
        time = wanted;
        planned.push(Planned {
            number,
            time,
            overrides: &block.block,
            state: &block.state,
            calls: &block.calls,
        });
    }
    Ok(planned)
}

fn refused(fault: SimulationFault, reason: String) -> SimulationRefused {
    SimulationRefused { fault, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(blocks: &[(Option<u64>, Option<u64>)]) -> Vec<BlockCalls> {
        let block = |(number, time): &(Option<u64>, Option<u64>)| BlockCalls {
            block: BlockOverrides {
                number: *number,
                time: *time,
                ..BlockOverrides::default()
            },
            ..BlockCalls::default()
        };
        blocks.iter().map(block).collect()
    }

    fn plan(
        asked: &[(Option<u64>, Option<u64>)],
    ) -> Result<Vec<(u64, u64)>, (SimulationFault, String)> {
        let base = Header {
            number: 10,
            timestamp: 100,
            ..Header::default()
        };
        let asked = self::asked(asked);
        let planned = blocks(&base, &asked).map_err(|it| (it.fault, it.reason))?;
        Ok(planned.iter().map(|it| (it.number, it.time)).collect())
    }

    #[test]
    fn fills_gaps_with_empty_blocks() {
        assert_eq!(plan(&[]), Ok(vec![]));
        assert_eq!(plan(&[(None, None)]), Ok(vec![(11, 112)]));
        let filled = plan(&[(Some(13), Some(500)), (None, None)]);
        let expected = vec![(11, 112), (12, 124), (13, 500), (14, 512)];
        assert_eq!(filled, Ok(expected));
    }

    #[test]
    fn numbers_and_times_rise_and_there_is_a_bound() {
        let check = |asked: &[(Option<u64>, Option<u64>)], fault, words: &str| {
            let (found, reason) = plan(asked).unwrap_err();
            assert_eq!((found, reason.contains(words)), (fault, true), "{reason}");
        };
        check(&[(Some(10), None)], SimulationFault::Numbers, "10 <= 10");
        let twice = [(Some(12), None), (Some(12), None)];
        check(&twice, SimulationFault::Numbers, "12 <= 12");
        check(&[(None, Some(100))], SimulationFault::Times, "100 <= 100");
        check(
            &[(Some(12), Some(112))],
            SimulationFault::Times,
            "112 <= 112",
        );
        let last = 10 + SIMULATED_BLOCKS_MAX;
        assert_eq!(plan(&[(Some(last), None)]).unwrap().len(), 256);
        check(
            &[(Some(last + 1), None)],
            SimulationFault::Limit,
            "256 at most",
        );
        check(&[(Some(u64::MAX), None)], SimulationFault::Limit, "256");
        check(&vec![(None, None); 257], SimulationFault::Limit, "256");
    }
}
