//! By which rules blocks are executed.

use revm::primitives::hardfork::SpecId;

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
    pub(crate) spec: SpecId,
    pub(crate) fees: Fees,
    /// Blobs in one transaction; `None` refuses blob transactions.
    pub(crate) blobs_max: Option<u64>,
    /// Whether this chain's own precompiles and its governance are there.
    pub(crate) tbsi: bool,
}

/// The rules of this chain from genesis. The fork is named, never revm's default.
pub(crate) const RULES: Rules = Rules {
    spec: SpecId::OSAKA,
    fees: Fees::Waived,
    blobs_max: None,
    tbsi: true,
};
