//! By which rules blocks are executed.

use alloy_primitives::U256;
use revm::primitives::hardfork::SpecId;
use tbsi_governance::upgrades::FIRST_PROTOCOL;

/// The newest protocol version that this program knows (SPEC §13.12). A chain that goes further
/// is not followed.
pub const PROTOCOL_VERSION: u32 = VERSIONS[VERSIONS.len() - 1].version;

/// Who pays for gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fees {
    /// Nobody: the bid is signed, its shape was checked, and it executes at price 0.
    Waived,
    /// The sender, as on Ethereum. Only conformance tests use it.
    Charged,
}

/// The part of the protocol that differs between TBSI and the Ethereum forks it is tested
/// against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Protocol version.
    pub(crate) version: u32,
    pub(crate) spec: SpecId,
    pub(crate) fees: Fees,
    /// Blobs in one transaction; `None` refuses blob transactions.
    pub(crate) blobs_max: Option<u64>,
    /// Whether this chain's own precompiles and its governance are there.
    pub(crate) tbsi: bool,
    /// What a block's beneficiary is given; nothing since the merge, and here.
    pub(crate) block_reward: U256,
}

impl Rules {
    /// The rules of a TBSI chain under a protocol version. The fork is named, never revm's
    /// default.
    const fn of_version(version: u32, spec: SpecId) -> Self {
        Self {
            version,
            spec,
            fees: Fees::Waived,
            blobs_max: None,
            tbsi: true,
            block_reward: U256::ZERO,
        }
    }
}

/// Every protocol version, from the first: what it means is what is here and what asks for
/// `version`. Never changed once a network has it, so that old blocks execute as they did.
pub(crate) const VERSIONS: [Rules; 2] = [
    Rules::of_version(1, SpecId::OSAKA),
    // A declaration of support is of the calls that are reserved (SPEC §13.4).
    Rules::of_version(2, SpecId::OSAKA),
];

/// The rules of a protocol version; of the newest that is known if it is above that, with which
/// no block is executed.
pub(crate) fn rules_of(version: u32) -> Rules {
    let index = version.saturating_sub(FIRST_PROTOCOL) as usize;
    VERSIONS[index.min(VERSIONS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbered_from_the_first() {
        for (version, rules) in (FIRST_PROTOCOL..).zip(VERSIONS) {
            assert_eq!(rules.version, version);
            assert_eq!(rules_of(version).version, version);
        }
        assert_eq!(rules_of(0).version, FIRST_PROTOCOL);
        assert_eq!(rules_of(u32::MAX).version, PROTOCOL_VERSION);
    }
}
