//! By which rules blocks are made, and the upgrade that waits (SPEC §13.12): what the node reads
//! of the contract's storage after each block. What block h obeys is what block h - 1 left there.

use alloy_primitives::{Address, B256, Bytes, U256};
use tbsi_bindings::SolCall;
use tbsi_bindings::genesis::Upgrades::{settleCall, upgradeOfCall};
use tbsi_types::Height;
use tbsi_types::contracts::UPGRADES;
use tbsi_types::genesis::{ConsensusParameters, Genesis};

use crate::standing::ReadSlot;

/// The version that every network begins with.
pub const FIRST_PROTOCOL: u32 = 1;

/// Version in force, and the upgrade that waits, in one word.
const HEAD_SLOT: U256 = U256::ZERO;
/// Parameter p is at this slot and p more.
const PARAMETERS_SLOT: u64 = 1;

/// What a motion can set, in the order of their numbers in the contract, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Gas that all transactions of a block together may ask for.
    BlockGasLimit,
    /// Waiting for a proposal in round 0.
    TimeoutPropose,
    /// Waiting for more votes in round 0.
    TimeoutVote,
    /// Added to each timeout every round.
    TimeoutDelta,
    /// An idle chain makes one block in this time.
    EmptyBlockInterval,
    /// Least time between two blocks.
    BlockSpacingMin,
    /// Length of an epoch.
    EpochSeconds,
}

impl Parameter {
    /// Each with the name that people give it.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::BlockGasLimit, "block-gas-limit"),
        (Self::TimeoutPropose, "timeout-propose-ms"),
        (Self::TimeoutVote, "timeout-vote-ms"),
        (Self::TimeoutDelta, "timeout-delta-ms"),
        (Self::EmptyBlockInterval, "empty-block-interval-ms"),
        (Self::BlockSpacingMin, "block-spacing-min-ms"),
        (Self::EpochSeconds, "epoch-seconds"),
    ];

    /// Its number in the contract.
    pub fn number(self) -> u8 {
        match self {
            Self::BlockGasLimit => 1,
            Self::TimeoutPropose => 2,
            Self::TimeoutVote => 3,
            Self::TimeoutDelta => 4,
            Self::EmptyBlockInterval => 5,
            Self::BlockSpacingMin => 6,
            Self::EpochSeconds => 7,
        }
    }

    /// The name of a number; `None` if the contract knows none with it.
    pub fn name_of(number: u8) -> Option<&'static str> {
        let mut all = Self::ALL.iter();
        let found = all.find(|(parameter, _)| parameter.number() == number);
        found.map(|(_, name)| *name)
    }

    /// The parameter that a name means.
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        let found = all.find(|(_, known)| *known == name);
        found.map(|(parameter, _)| *parameter)
    }
}

/// An upgrade that waits for its height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its number.
    pub number: u32,
    /// The first block that it changes.
    pub height: Height,
}

/// Version in force, and what waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Protocol version.
    pub protocol: u32,
    /// The upgrade that waits.
    pub waiting: Option<Waiting>,
    /// How many there ever were.
    pub count: u32,
}

/// What the next block obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRules {
    /// Protocol version, and what waits.
    pub head: Head,
    /// Gas that all its transactions together may ask for.
    pub gas_limit: u64,
    /// Timeouts and pacing of its height.
    pub consensus: ConsensusParameters,
}

/// Version in force, and what waits. A chain without the contract has the first version for ever.
pub fn head<E>(read: &mut impl ReadSlot<E>) -> Result<Head, E> {
    let word = read(UPGRADES, HEAD_SLOT)?;
    let part = |shift: usize, bits: usize| -> u64 {
        let shifted: U256 = word >> shift;
        shifted.as_limbs()[0] & (u64::MAX >> (64 - bits))
    };
    let number = |shift| u32::try_from(part(shift, 32)).unwrap_or_default();
    let (height, waiting) = (part(32, 64), number(96));
    Ok(Head {
        protocol: number(0).max(FIRST_PROTOCOL),
        waiting: (waiting != 0).then_some(Waiting {
            number: waiting,
            height: Height(height),
        }),
        count: number(128),
    })
}

/// What the next block obeys: what upgrades have set, and for the rest the genesis file.
pub fn block_rules<E>(read: &mut impl ReadSlot<E>, genesis: &Genesis) -> Result<BlockRules, E> {
    let head = head(read)?;
    let mut set = |parameter: Parameter, founded: u64| -> Result<u64, E> {
        let slot = PARAMETERS_SLOT + u64::from(parameter.number());
        let word = read(UPGRADES, U256::from(slot))?;
        let [value, is_set, ..] = *word.as_limbs();
        Ok(if is_set & 1 == 1 { value } else { founded })
    };
    let founded = genesis.consensus;
    // What proofs say of a block's time rests on the genesis file, and a block that comes within
    // the time to propose it must be timely (SPEC §6.10).
    let lag = founded.clock_lag_max_ms();
    let propose = set(Parameter::TimeoutPropose, founded.timeout_propose_ms)?;
    Ok(BlockRules {
        gas_limit: set(Parameter::BlockGasLimit, genesis.block_gas_limit)?,
        consensus: ConsensusParameters {
            timeout_propose_ms: propose.min(lag),
            timeout_vote_ms: set(Parameter::TimeoutVote, founded.timeout_vote_ms)?,
            timeout_delta_ms: set(Parameter::TimeoutDelta, founded.timeout_delta_ms)?,
            empty_block_interval_ms: set(
                Parameter::EmptyBlockInterval,
                founded.empty_block_interval_ms,
            )?,
            block_spacing_min_ms: set(Parameter::BlockSpacingMin, founded.block_spacing_min_ms)?,
            clock_drift_max_ms: founded.clock_drift_max_ms,
            clock_lag_max_ms: Some(lag),
            map_period_ms: founded.map_period_ms,
        },
        head,
    })
}

/// The call data with which the upgrade that waits is settled.
pub fn settle_call() -> Bytes {
    settleCall {}.abi_encode().into()
}

/// A system contract, the account that has its next code, and the hash of that code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeChange {
    /// The system contract.
    pub target: Address,
    /// Who has the code.
    pub source: Address,
    /// Keccak-256 of it.
    pub code_hash: B256,
}

/// Whose code is replaced, from the answer to [`settle_call`]; none if it cannot be decoded.
pub fn code_changes(answer: &[u8]) -> Vec<CodeChange> {
    let list = settleCall::abi_decode_returns(answer).unwrap_or_default();
    let change = |it: tbsi_bindings::genesis::Replacement| CodeChange {
        target: it.target,
        source: it.source,
        code_hash: it.codeHash,
    };
    list.into_iter().map(change).collect()
}

/// What an operator has to know of an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its number.
    pub number: u32,
    /// The first block that it changes.
    pub height: Height,
    /// Protocol version from there on.
    pub protocol: u32,
    /// Software with which it was tried.
    pub version: String,
    /// As the contract numbers what became of upgrades.
    pub status: u8,
}

impl Planned {
    /// What became of it, in a stable word.
    pub fn outcome(&self) -> &'static str {
        match self.status {
            1 => "scheduled",
            2 => "active",
            3 => "cancelled",
            4 => "lapsed",
            _ => "unknown",
        }
    }
}

/// The call data that asks for an upgrade.
pub fn planned_call(number: u32) -> Bytes {
    upgradeOfCall { upgrade: number }.abi_encode().into()
}

/// An upgrade, from the answer to [`planned_call`].
pub fn planned(number: u32, answer: &[u8]) -> Option<Planned> {
    let found = upgradeOfCall::abi_decode_returns(answer).ok()?;
    Some(Planned {
        number,
        height: Height(found.plan.height),
        protocol: found.plan.protocol,
        version: found.plan.version,
        status: found.status,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use tbsi_types::TimestampMs;

    use super::*;

    fn genesis() -> Genesis {
        Genesis {
            version: 1,
            name: "upgrades".into(),
            chain_id: 7,
            time_ms: TimestampMs(1),
            block_gas_limit: 300_000_000,
            consensus: ConsensusParameters::default(),
            organisations: BTreeMap::new(),
            nodes: Vec::new(),
            governance: None,
            accounts: BTreeMap::new(),
        }
    }

    type Words = BTreeMap<U256, U256>;

    fn reader(words: &Words) -> impl ReadSlot<Infallible> + '_ {
        |address, slot| {
            assert_eq!(address, UPGRADES);
            Ok(words.get(&slot).copied().unwrap_or_default())
        }
    }

    fn rules(words: &Words) -> BlockRules {
        block_rules(&mut reader(words), &genesis()).unwrap()
    }

    #[test]
    fn what_no_upgrade_has_set_is_as_in_genesis() {
        let (genesis, rules) = (genesis(), rules(&Words::new()));
        assert_eq!(rules.gas_limit, genesis.block_gas_limit);
        assert_eq!(rules.head.protocol, FIRST_PROTOCOL);
        assert_eq!(rules.head.waiting, None);
        let lag = Some(genesis.consensus.clock_lag_max_ms());
        let expected = ConsensusParameters {
            clock_lag_max_ms: lag,
            ..genesis.consensus
        };
        assert_eq!(rules.consensus, expected);
    }

    #[test]
    fn the_head_is_read_as_the_contract_writes_it() {
        let word = U256::from(3) | U256::from(200) << 32 | U256::from(7) << 96;
        let word = word | U256::from(9) << 128;
        let words = Words::from([(HEAD_SLOT, word)]);
        let expected = Head {
            protocol: 3,
            waiting: Some(Waiting {
                number: 7,
                height: Height(200),
            }),
            count: 9,
        };
        assert_eq!(head(&mut reader(&words)).unwrap(), expected);
    }

    #[test]
    fn each_parameter_has_its_slot_and_zero_is_a_value() {
        let set = |value: u64| U256::from(value) | U256::ONE << 64;
        let mut words = Words::new();
        for (parameter, name) in Parameter::ALL {
            let number = parameter.number();
            assert_eq!(Parameter::name_of(number), Some(name));
            assert_eq!(Parameter::parse(name), Some(parameter));
            words.insert(U256::from(1 + number), set(1_000 + u64::from(number)));
        }
        let found = rules(&words);
        assert_eq!(found.gas_limit, 1_001);
        let it = found.consensus;
        assert_eq!((it.timeout_propose_ms, it.timeout_vote_ms), (1_002, 1_003));
        assert_eq!(it.timeout_delta_ms, 1_004);
        assert_eq!(it.empty_block_interval_ms, 1_005);
        assert_eq!(it.block_spacing_min_ms, 1_006);
        words.insert(U256::from(7), set(0));
        assert_eq!(rules(&words).consensus.block_spacing_min_ms, 0);
        assert_eq!(Parameter::name_of(0), None);
        assert_eq!(Parameter::parse("gas"), None);
    }

    #[test]
    fn no_upgrade_widens_what_proofs_say_of_time() {
        let founded = genesis().consensus;
        let most = founded.clock_lag_max_ms();
        let words = Words::from([(U256::from(3), U256::from(600_000) | U256::ONE << 64)]);
        let found = rules(&words).consensus;
        assert_eq!(found.timeout_propose_ms, most);
        assert_eq!(found.clock_lag_max_ms(), most);
        assert_eq!(found.clock_drift_max_ms, founded.clock_drift_max_ms);
    }
}
